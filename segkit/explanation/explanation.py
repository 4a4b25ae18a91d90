"""The answer: what is said of one contact and one segment, as a frame, as text, and as a tree in a notebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from segkit import display, metrics, nodes
from segkit.display import Line, Table, Tree, View, seen
from segkit.engines import Engine
from segkit.errors import DefinitionError
from segkit.explanation.case import Case, Sight, answered, fetched, sight
from segkit.explanation.edits import AddEvent, Edit, SetField, told
from segkit.explanation.facts import Behind, behind, facts
from segkit.explanation.instants import Course, course
from segkit.explanation.search import Found, smallest
from segkit.measures.waterfall import Place, place_of
from segkit.plan import Plan, clock
from segkit.plan.tree import Complement, Condition, Named, Reference

if TYPE_CHECKING:
    import pandas as pd

MOST = 200
"""How many conditions are told by themselves."""
_MOST_CHANGED = 40
_TRIES_OF_ONE = 200
_YES, _NO = "✓", "✗"


@dataclass(frozen=True)
class Row:
    """What is said of one condition, or of a group of them."""

    path: str
    condition: str
    holds: bool
    value: Any
    threshold: str
    events: int | None
    decides: bool
    flips: bool
    change: str
    changes_at: dt.datetime | None
    note: str


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a contact is in a segment or not, at an instant. Made by `ws.explain(segment, contact)`.

    Attributes:
        segment: the segment's name, or its condition.
        contact: the contact's key.
        member: whether it is in the segment.
        as_of: the instant that was looked at.
        change: the smallest change that was found to turn the result, as data: edits to be carried out together
            (`SetField`, `AddEvent`, `RemoveEvent`, `JoinList`, `LeaveList`); empty where there is none.
        why_not: why there is no such change; empty where there is one.
        changes_at: the instant at which the contact enters or leaves if nothing happens; None where it does not until `until`.
        until: how far ahead was looked.
        frame: a row for each condition and group. `Workspace.explain` says what the columns mean.
        events: for each condition on events those that it counts, and the nearest that it does not: path, event, at, counted,
            properties; the oldest and the newest, where they are many.
        notes: what the analyst should know.
    """

    segment: str
    contact: Any
    member: bool
    as_of: dt.datetime
    change: tuple[Edit, ...]
    why_not: str
    changes_at: dt.datetime | None
    until: dt.datetime
    frame: pd.DataFrame
    events: pd.DataFrame
    notes: tuple[str, ...]
    text: str
    _tree: Tree = field(repr=False)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        rows = tuple(tuple("" if cell is None else str(cell) for cell in row) for row in self.events.itertuples(index=False))
        table = [Table("events", tuple(self.events.columns), rows)] if rows else []
        summary, *more = self.text.splitlines()
        lines = [Line(summary), *map(Line, more)]
        return display.html(View("Explanation", self.segment, (*lines, self._tree, *table)))


def explained(
    engine: Engine, own: Plan, segments: Mapping[str, nodes.Predicate], contact: Any, days: int, mask: bool
) -> Explanation:
    """Why a contact is in a segment or not. `Workspace.explain` says what the arguments and the result mean.

    Raises:
        DefinitionError: there is no such contact, or `days` is no number of days.
    """
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= 10_000:
        raise DefinitionError(f"{days!r:.60} days ahead", fix="pass a whole number of days, such as 366")
    case = fetched(engine, own, contact)
    return of_case(own, case, segments, days, mask)


def of_case(own: Plan, case: Case, segments: Mapping[str, nodes.Predicate], days: int, mask: bool) -> Explanation:
    """What is said of rows that are at hand."""
    ready = answered(own, case)
    at = sight(ready, case)
    every = list(_walk(_tree_of(ready, segments), at))
    told_nodes = every[:MOST]
    until = clock.days_away(own.at, days)
    ahead = course(own, case, segments, lambda then: _conditions(then, segments), until)
    found = smallest(ready, case, own)
    zone = ZoneInfo(own.at.zone)
    rows, events = [], []
    for i, (node, decides, flips) in enumerate(told_nodes):
        below = list(behind(node.condition, at)) if not node.below else []
        events += [(node.path, each) for each in below]
        rows.append(_row(node, decides, flips, i, ahead, at, case, ready, own, zone, below, len(told_nodes), found))
    text = _text(own, at, case, rows, found, ahead, zone)
    return _masked(_made(own, at, case, rows, events, found, ahead, text, zone, len(every)), mask)


def _made(
    own: Plan,
    at: Sight,
    case: Case,
    rows: list[Row],
    events: list[tuple[str, Behind]],
    found: Found,
    ahead: Course,
    text: str,
    zone: ZoneInfo,
    every: int,
) -> Explanation:
    notes = [ahead.note] if ahead.note else []
    if every > len(rows):
        notes.append(f"the first {len(rows)} of {every:,} conditions and groups are told")
    if not at.exists:
        notes.append("the contact does not exist yet at that instant")
    return Explanation(
        metrics.label(own),
        case.key,
        at.member,
        own.at.as_of,
        found.edits,
        found.why_not,
        None if ahead.whole is None else ahead.whole.astimezone(zone),
        ahead.until.astimezone(zone),
        _framed(rows, zone),
        _of_events(events),
        tuple(notes),
        "\n".join([text, *notes]),
        _view(rows),
    )


# ---------------------------------------------------------------- the tree


def _tree_of(own: Plan, segments: Mapping[str, nodes.Predicate]) -> Place:
    """The tree of a definition, with the conditions of the segments that it refers to below each reference."""
    named = {part.name: part.where for part in own.parts if isinstance(part, Named)}

    def opened(node: Place) -> Place:
        if node.below:
            return replace(node, below=tuple(map(opened, node.below)))
        if isinstance(node.condition, Reference) and node.condition.name in segments:
            name = node.condition.name
            return replace(node, below=(opened(place_of(f"{node.path}>{name}", segments[name], named[name])),))
        return node

    return opened(place_of("where", own.definition.where, own.where))


def _walk(root: Place, at: Sight) -> Iterator[tuple[Place, bool, bool]]:
    """Each node before those below it, with whether it accounts for the result, and whether it alone would turn it."""
    stack: list[tuple[Place, bool, bool]] = [(root, True, True)]
    while stack:
        node, decides, flips = stack.pop()
        yield node, decides, flips
        truths = [_holds(own, at) for own in node.below]
        whole = (all if node.is_and else any)(truths) if truths else False
        for own, truth in list(zip(node.below, truths, strict=True))[::-1]:
            others_neutral = sum(other != node.is_and for other in truths) - (truth != node.is_and) == 0
            stack.append((own, decides and truth == whole, flips and others_neutral))


def _holds(node: Place, at: Sight) -> bool:
    return at.holds(node.condition) != node.negated


def _conditions(own: Plan, segments: Mapping[str, nodes.Predicate]) -> list[Condition]:
    """The conditions of the nodes that are told, in their order."""
    found: list[Condition] = []
    stack = [_tree_of(own, segments)]
    while stack and len(found) < MOST:
        node = stack.pop()
        found.append(node.condition)
        stack += node.below[::-1]
    return found


def _row(
    node: Place,
    decides: bool,
    flips: bool,
    i: int,
    ahead: Course,
    at: Sight,
    case: Case,
    ready: Plan,
    raw: Plan,
    zone: ZoneInfo,
    below: Sequence[Behind],
    count: int,
    whole: Found,
) -> Row:
    asked = Complement(node.condition) if node.negated else node.condition
    value, threshold, note = facts(asked, at, raw) if not node.below else (None, "", "")
    change = ""
    if not node.below and count <= _MOST_CHANGED:
        single = smallest(replace(ready, where=node.condition), case, raw, _TRIES_OF_ONE) if i > 0 else whole
        change = said(single.edits)
        note = note or single.why_not
    changes = ahead.conditions[i]
    number = sum(each.count for each in below if each.is_total) if any(each.is_total for each in below) else None
    return Row(
        node.path,
        node.text,
        _holds(node, at),
        value,
        threshold,
        number,
        decides,
        flips,
        change,
        None if changes is None else changes.astimezone(zone),
        note,
    )


# ---------------------------------------------------------------- words


def said(edits: Sequence[Edit]) -> str:
    """Edits in words, the same events together.

    >>> said([AddEvent("opened", dt.date(2025, 6, 1), within="after 2025-05-31")] * 2)
    '2 more opened events, after 2025-05-31'
    """
    told_edits = []
    for text, same in groupby(map(str, edits)):
        number = len(list(same))
        many = text.replace("one more ", f"{number} more ", 1).replace(" event", " events", 1) if number > 1 else text
        told_edits.append(many)
    more = f"; and {len(told_edits) - 5} more" if len(told_edits) > 5 else ""
    return "; ".join(told_edits[:5]) + more


def _text(own: Plan, at: Sight, case: Case, rows: Sequence[Row], found: Found, ahead: Course, zone: ZoneInfo) -> str:
    name = seen(metrics.label(own), 80)
    verb = "is" if at.member else "is not"
    lines = [f"Contact {told(case.key)} {verb} in {name}, as of {told(own.at.as_of.astimezone(zone))}."]
    if not at.member and at.exists:
        out = [f"{row.condition} ({_found(row)})" for row in rows if row.decides and row.threshold]
        if out:
            lines.append(f"Kept out by: {'; '.join(out[:5])}{f'; and {len(out) - 5} more' if len(out) > 5 else ''}.")
    if found.edits:
        lines.append(f"It would {'leave' if at.member else 'come in'} with: {said(found.edits)}.")
    else:
        lines.append(f"No change was found that would turn this: {found.why_not}.")
    if ahead.whole is not None:
        does = "leaves" if at.member else "enters"
        lines.append(f"It {does} on {told(ahead.whole.astimezone(zone))} if nothing happens.")
    else:
        lines.append(f"If nothing happens, this stays so until {told(ahead.until.astimezone(zone))} at least.")
    return "\n".join(lines)


def _found(row: Row) -> str:
    return f"found {told(row.value)}" if row.holds is not None else ""


def _view(rows: Sequence[Row]) -> Tree:
    """The rows as a tree with marks: what decides, and what was found."""

    def label(row: Row) -> str:
        mark = _YES if row.holds else _NO
        found = f" · {_found(row)}" if row.threshold else ""
        keeps = " · decides" if row.decides and row.threshold else ""
        changes = f" · changes on {told(row.changes_at)}" if row.changes_at is not None and row.threshold else ""
        return f"{mark} {row.condition}{found}{keeps}{changes}"

    def built(i: int) -> tuple[Tree, int]:
        row, below, nxt = rows[i], [], i + 1
        while nxt < len(rows) and _is_below(rows[nxt].path, row.path):
            tree, nxt = built(nxt)
            below.append(tree)
        return Tree(label(row), tuple(below)), nxt

    return built(0)[0]


def _is_below(path: str, other: str) -> bool:
    return path.startswith((other + ".", other + ">"))


# ---------------------------------------------------------------- frames


def _framed(rows: Sequence[Row], zone: ZoneInfo) -> pd.DataFrame:
    import pandas as pd

    names = list(Row.__dataclass_fields__)
    frame = pd.DataFrame([astuple(row) for row in rows], columns=names, dtype=object)
    at = pd.to_datetime(pd.Series([row.changes_at for row in rows], dtype=object), utc=True)
    frame["changes_at"] = at.astype("datetime64[us, UTC]").dt.tz_convert(str(zone))
    frame["events"] = pd.array([row.events for row in rows], dtype="Int64")
    for name in ("holds", "decides", "flips"):
        frame[name] = frame[name].astype(bool)
    return frame


def _of_events(events: Sequence[tuple[str, Behind]]) -> pd.DataFrame:
    import pandas as pd

    rows = [(path, shown.event, shown.at, shown.counted, shown.properties) for path, each in events for shown in each.shown]
    return pd.DataFrame(rows, columns=["path", "event", "at", "counted", "properties"], dtype=object)


def _masked(own: Explanation, mask: bool) -> Explanation:
    """The explanation with every e-mail address hidden."""
    if not mask:
        return own

    def hidden(value: Any) -> Any:
        return metrics.hidden(value) if isinstance(value, str) else value

    def hide(edit: Edit) -> Edit:
        match edit:
            case SetField():
                return replace(edit, was=hidden(edit.was), value=hidden(edit.value))
            case AddEvent():
                return replace(edit, properties={name: hidden(value) for name, value in edit.properties.items()})
            case _:
                return edit

    def tree(node: Tree) -> Tree:
        return Tree(hidden(node.text), tuple(map(tree, node.below)))

    return replace(
        own,
        segment=hidden(own.segment),
        contact=hidden(own.contact),
        change=tuple(map(hide, own.change)),
        frame=metrics.masked(own.frame),
        events=metrics.masked(own.events),
        notes=tuple(map(hidden, own.notes)),
        text=hidden(own.text),
        _tree=tree(own._tree),
    )
