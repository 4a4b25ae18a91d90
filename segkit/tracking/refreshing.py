"""A refresh: who is a member now, against who was at the last one.

    tracked segments  ->  plans  ->  members, asked while nothing is locked  ->  differences, written in one transaction

Of an embedded database only the contacts that could have changed are asked for (`incremental`).

Whoever is slower than another refresh finds its entry in the log when it comes to write: of one instant nothing is written
twice, and of an earlier one nothing at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.engines import Engine
from segkit.errors import DataError, DefinitionError, SegkitError
from segkit.plan import Plan
from segkit.tracking import incremental, ledger, log, members, numbers, seen
from segkit.tracking.incremental import Before, is_possible
from segkit.tracking.ledger import Change, Ledger, Tracked
from segkit.tracking.log import Log
from segkit.tracking.seen import Seen

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Planned = Callable[[Tracked, dt.datetime], Plan]
"""Plans a tracked segment as of an instant."""
Written = Callable[[Tracked], str]
"""Writes out what the definition of a tracked segment means."""
Hook = Callable[[str, list[Any], list[Any]], object]
"""Is told of a segment, whom to add and whom to remove."""
COLUMNS = ("segment", "version", "size", "entries", "exits", "outcome", "looked_at", "alert", "note", "error")
FIRST, REFRESHED, NEW_VERSION = "first", "refreshed", "new version"
WRITTEN = (FIRST, REFRESHED, NEW_VERSION)
ALREADY, OVERTAKEN, FAILED = "already there", "overtaken", "failed"
_WHOLE_AFTER = 64
"""So many changes after which all members are written down again: as many parts are read at most for a refresh."""
_MOST_TOLD = 10
_AHEAD = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Source:
    """Where members come from: an engine, what plans segments for it, and how many contacts are looked at.

    `full` looks at all; `check` looks at those that could have changed and at all, and compares.
    """

    engine: Engine
    planned: Planned
    written: Written
    full: bool = False
    check: bool = False


@dataclass(frozen=True)
class Row:
    """What became of a segment."""

    segment: str
    outcome: str
    version: int | None = None
    size: int | None = None
    entries: int | None = None
    exits: int | None = None
    looked_at: int | None = None
    alert: str = ""
    note: str = ""
    error: str = ""


@dataclass(frozen=True)
class _Moved:
    """What a segment's refresh comes to: its row, and what is written of it."""

    row: Row
    text: str | None
    entered: np.ndarray
    exited: np.ndarray
    whole: np.ndarray | None
    adds: np.ndarray
    removes: np.ndarray


@dataclass(frozen=True)
class _Answer:
    """What the data said: members; of segments of which some contacts were looked at how many, and why all were of others.

    `wrong` tells where looking at some gave other members than looking at all, which `members` are of. `seen` is what the
    tables held.
    """

    members: members.Members
    looked_at: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    seen: Seen | None = None


@dataclass(frozen=True)
class _Asked:
    """What was asked at an instant: the answer, and of each segment what it means, its warnings, and why it cannot be asked."""

    at: int
    answer: _Answer
    texts: Mapping[str, str]
    warnings: Mapping[str, Sequence[str]]
    failed: Mapping[str, str]


def refreshed(folder: Path, source: Source, at: dt.datetime, hook: Hook | None = None) -> pd.DataFrame:
    """Refreshes what is tracked, tells a hook of each segment that moved once all is written, and gives a frame.

    `Workspace.refresh` says what the columns mean.
    """
    before, asked = _asked(folder, source, at)
    with log.writing(folder) if asked.answer.members.found else log.reading(folder) as own:
        now = ledger.read(own)
        numbering, moved = _compared(own, now, asked, before)
        written = frozenset(each.row.segment for each in moved if each.row.outcome in WRITTEN)
        if written:
            _write(own, now, asked.at, numbering, moved)
    if written and asked.answer.seen is not None:
        with suppress(SegkitError):  # without it the next refresh looks at all contacts
            seen.write(folder, replace(asked.answer.seen, names=written), own.entries[-1].hash)
    return _frame([each.row if hook is None else _told(hook, each, numbering) for each in moved], at)


def foreseen(folder: Path, source: Source, at: dt.datetime) -> pd.DataFrame:
    """What a refresh would tell. Nothing is written."""
    before, asked = _asked(folder, source, at)
    with log.reading(folder) as own:
        _, moved = _compared(own, ledger.read(own), asked, before)
    return _frame([each.row for each in moved], at)


# ---------------------------------------------------------------- asking


def _asked(folder: Path, source: Source, at: dt.datetime) -> tuple[Ledger, _Asked]:
    """Asks for the members of what is tracked and not done yet."""
    stamp = ledger.stamp(at)
    plans, texts, failed = dict[str, Plan](), dict[str, str](), dict[str, str]()
    with log.reading(folder) as own:
        before = ledger.read(own)
        _check_instant(before, at)
        todo = [name for name in before.tracked if not before.is_done(name, stamp)]
        numbering = numbers.Numbering(ledger.keys(own, before) if todo else [])
        for name in todo:
            try:
                plans[name], texts[name] = source.planned(before.tracked[name], at), source.written(before.tracked[name])
            except SegkitError as error:
                failed[name] = str(error)
        last = _last(folder, own, before, source, texts) if plans and is_possible(source.engine) else None
    answer = _answer(source, plans, numbering, stamp, last) if plans else _Answer(members.Members(numbering, {}, {}))
    warned = {name: plan.warnings for name, plan in plans.items()}
    return before, _Asked(stamp, answer, texts, warned, {**failed, **answer.members.failed})


def _last(folder: Path, own: Log, before: Ledger, source: Source, texts: Mapping[str, str]) -> Before | None:
    """What was seen at the last refresh, and how the segments were that can go on from there."""
    import numpy as np

    entry = next((entry for entry in reversed(own.entries) if entry.kind == ledger.REFRESH), None)
    known = None if entry is None else seen.read(folder, entry.hash)
    if known is None:
        return None
    plans, were = dict[str, Plan](), dict[str, np.ndarray]()
    for name, text in texts.items():
        version = before.version(name)
        if name in known.names and not source.full and version is not None and version.text == text:
            changes = ledger.of_version(before, name, version.number)
            were[name] = np.flatnonzero(ledger.state(own, changes, before.contacts))
            with suppress(SegkitError):
                plans[name] = source.planned(before.tracked[name], ledger.instant(known.at))
    return Before(known, plans, were)


def _answer(source: Source, plans: Mapping[str, Plan], numbering: numbers.Numbering, at: int, last: Before | None) -> _Answer:
    """The members of segments: among the contacts that could have changed where that is enough, else among all."""
    if not is_possible(source.engine):
        return _Answer(members.asked(source.engine, plans, numbering))
    now, some = incremental.asked(source.engine, plans, numbering, at, last)
    reasons = {} if source.full else some.reasons
    rest = {name: plan for name, plan in plans.items() if source.check or name not in some.members}
    every = members.asked(source.engine, rest, numbering)
    found = members.Members(numbering, {**some.members, **every.found}, every.failed)
    if not source.check:
        return _Answer(found, dict.fromkeys(some.members, some.looked_at), reasons, {}, now)
    wrong = {name: _differences(own, found.found[name], numbering) for name, own in some.members.items() if name in every.found}
    return _Answer(found, {}, reasons, {name: told for name, told in wrong.items() if told}, now)


def _differences(some: bytes, every: bytes, numbering: numbers.Numbering) -> str:
    """Whom looking at some contacts took for members wrongly, or missed; nothing where it is right."""
    import numpy as np

    [one], [other] = numbers.unpacked(some), numbers.unpacked(every)
    keys = numbering.keys_of(np.setxor1d(one, other))
    if not keys:
        return ""
    told = ", ".join(repr(key) for key in keys[:_MOST_TOLD]) + (", ..." if len(keys) > _MOST_TOLD else "")
    return f"looking only at contacts that could have changed was wrong for {len(keys):,}: {told} (kept: what all contacts say)"


def _check_instant(before: Ledger, at: dt.datetime) -> None:
    if not before.tracked:
        fix = "track some: ws.track([...]), or segkit refresh FILES; if some were, look whether this is their home"
        raise DefinitionError("no segment is tracked", fix=fix)
    if at > dt.datetime.now(dt.UTC) + _AHEAD:
        raise DefinitionError(
            f"{_told_at(at)} is yet to come: a refresh keeps what was seen, and the next one has to be later",
            fix="leave out as_of, or pass an instant that has been",
        )
    if before.latest is not None and ledger.stamp(at) < before.latest:
        raise DataError(
            f"the last refresh was as of {_told_at(ledger.instant(before.latest))}, which is later than {_told_at(at)}",
            fix="pass a later as_of, or set the clock right; if it ran ahead then, put back the folder tracking from a copy",
        )


def _told_at(at: dt.datetime) -> str:
    return f"{at.replace(tzinfo=None).isoformat(' ')} UTC"


# ---------------------------------------------------------------- comparing


def _compared(own: Log, now: Ledger, asked: _Asked, before: Ledger) -> tuple[numbers.Numbering, list[_Moved]]:
    """What became of each segment, seen from the log as it is now."""
    numbering = asked.answer.members.numbering
    found: Callable[[str], np.ndarray] = asked.answer.members.of
    if now.contacts != before.contacts:
        numbering = numbers.Numbering(ledger.keys(own, now))
        found = asked.answer.members.renumbered(numbering)
    moved = []
    for name in before.tracked:
        if name not in now.tracked:
            continue
        elif now.is_done(name, asked.at):
            moved.append(_unmoved(_row_of(now, name, ALREADY)))
        elif now.latest is not None and now.latest > asked.at:
            moved.append(_unmoved(_row_of(now, name, OVERTAKEN)))
        elif name in asked.failed:
            moved.append(_unmoved(replace(_row_of(now, name, FAILED), error=asked.failed[name])))
        else:
            moved.append(_moved(own, now, asked, name, found(name), numbering.count))
    return numbering, moved


def _row_of(now: Ledger, name: str, outcome: str) -> Row:
    """The row of a segment that stays as the log has it."""
    known = now.changes.get(name)
    if not known:
        return Row(name, outcome)
    last = known[-1]
    moved = (last.entered, last.exited) if outcome == ALREADY and last.at == now.latest else (None, None)
    return Row(name, outcome, last.version, last.size, *moved)


def _unmoved(row: Row) -> _Moved:
    import numpy as np

    nobody = np.array([], dtype=np.int64)
    return _Moved(row, None, nobody, nobody, None, nobody, nobody)


def _moved(own: Log, now: Ledger, asked: _Asked, name: str, found: np.ndarray, contacts: int) -> _Moved:
    """Who came and went, in a segment's last version and in what is written of the one that holds now."""
    import numpy as np

    last, text = now.version(name), asked.texts[name]
    changes = ledger.of_version(now, name, last.number) if last is not None else []
    were = ledger.state(own, changes, contacts)
    are = np.zeros(contacts, dtype=bool)
    are[found] = True
    adds, removes = np.flatnonzero(are & ~were), np.flatnonzero(were & ~are)
    row = Row(name, REFRESHED, 1, len(found), len(adds), len(removes), note="; ".join(asked.warnings[name]))
    row = replace(row, looked_at=asked.answer.looked_at.get(name), error=asked.answer.wrong.get(name, ""))
    nobody = np.array([], dtype=np.int64)
    members_now = np.flatnonzero(are)
    if last is None:
        first = replace(row, outcome=FIRST, entries=None, exits=None)
        return _Moved(_alerted(first, now, name), text, members_now, nobody, None, adds, removes)
    if last.text != text:
        new = replace(row, outcome=NEW_VERSION, version=last.number + 1)
        return _Moved(_alerted(new, now, name), text, members_now, nobody, None, adds, removes)
    whole = members_now if _wants_whole(changes, len(adds) + len(removes)) else None
    same = replace(row, version=last.number, note=_reasoned(row.note, asked.answer.reasons.get(name)))
    return _Moved(_alerted(same, now, name), None, adds, removes, whole, adds, removes)


def _reasoned(note: str, reason: str | None) -> str:
    """A note that also tells why all contacts were looked at again."""
    return "; ".join(filter(None, [note, reason and f"all contacts were looked at: {reason}"]))


def _wants_whole(changes: Sequence[Change], moved: int) -> bool:
    """Whether all members are written down again: where reading the changes would be as much, or too many of them."""
    since = next((i for i, change in enumerate(reversed(changes)) if change.is_whole), len(changes) - 1)
    recent = changes[len(changes) - since :] if since else []
    size = changes[-1].size
    return since >= _WHOLE_AFTER or sum((own.entered or 0) + (own.exited or 0) for own in recent) + moved > max(size, 1000)


def _alerted(row: Row, now: Ledger, name: str) -> Row:
    """The row with what about its size needs a look."""
    alerts, known = now.tracked[name].alerts, now.changes.get(name)
    size, before = row.size or 0, known[-1].size if known else None
    told = []
    if alerts.at_least is not None and size < alerts.at_least:
        told.append(f"fewer than {alerts.at_least:,} members")
    if alerts.at_most is not None and size > alerts.at_most:
        told.append(f"more than {alerts.at_most:,} members")
    if before and not size:
        told.append(f"empty, after {before:,} members")
    if before and alerts.moved is not None and (row.entries or 0) + (row.exits or 0) > alerts.moved * before:
        told.append(f"more than {alerts.moved:.0%} of {before:,} members came or went")
    return replace(row, alert="; ".join(told))


# ---------------------------------------------------------------- writing


def _write(own: Log, now: Ledger, at: int, numbering: numbers.Numbering, moved: Sequence[_Moved]) -> None:
    """Writes the refresh as one entry."""
    new = numbering.keys(now.contacts)
    part = own.keep(numbers.written(new)) if new else None
    changes = {each.row.segment: _change(own, each) for each in moved if _is_change(each)}
    written = {each.row.segment for each in moved if each.row.outcome in WRITTEN}
    body = {
        "at": at,
        "ran_at": ledger.stamp(dt.datetime.now(dt.UTC)),
        "without": [name for name in now.tracked if name not in written],
        "keys": [part.number, part.digest] if part else None,
        "contacts": now.contacts + len(new),
        "versions": {each.row.segment: each.text for each in moved if each.text is not None},
        "changes": changes,
    }
    own.append(ledger.REFRESH, body)


def _is_change(own: _Moved) -> bool:
    return own.text is not None or len(own.entered) + len(own.exited) > 0


def _change(own: Log, each: _Moved) -> list[Any]:
    sets = [each.entered, each.exited, *([] if each.whole is None else [each.whole])]
    part = own.keep(numbers.packed(*sets))
    row = each.row
    entries, exits = (len(each.adds), len(each.removes)) if row.outcome != FIRST else (None, None)
    return [row.version, row.size, entries, exits, part.number, part.digest, each.whole is not None]


# ---------------------------------------------------------------- telling


def _told(hook: Hook, each: _Moved, numbering: numbers.Numbering) -> Row:
    """Tells a hook of a segment that moved; where it fails, the row says so."""
    if not len(each.adds) + len(each.removes):
        return each.row
    try:
        hook(each.row.segment, numbering.keys_of(each.adds), numbering.keys_of(each.removes))
    except Exception as error:
        return replace(each.row, error=f"hook: {type(error).__name__}: {error!s:.200}")
    return each.row


def _frame(rows: Sequence[Row], at: dt.datetime) -> pd.DataFrame:
    import pandas as pd

    kinds = {**dict.fromkeys(COLUMNS, "str"), **dict.fromkeys(("version", "size", "entries", "exits", "looked_at"), "Int64")}
    frame = pd.DataFrame({name: pd.Series([getattr(row, name) for row in rows], dtype=kinds[name]) for name in COLUMNS})
    frame.attrs["as_of"] = at.isoformat()
    return frame
