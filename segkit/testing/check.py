"""Whether a segment has the members that its examples expect, and which conditions decided.

segment, its examples  ->  plans at their instants  ->  the evaluator  ->  outcomes  ->  a table
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit import nodes
from segkit.catalog import Catalog, Column
from segkit.display import seen
from segkit.documents import at
from segkit.errors import DefinitionError, SegkitError, nearest
from segkit.evaluate.conditions import true
from segkit.evaluate.gathering import stand, world_of
from segkit.evaluate.terms import value_of
from segkit.evaluate.world import Options, World
from segkit.example import Example, Row
from segkit.measures.difference import accounting, singles, tree_of
from segkit.plan import Plan, moment, plan
from segkit.plan.tree import (
    Among,
    ColumnTerm,
    Comparison,
    Condition,
    Constant,
    Feature,
    FeatureTerm,
    IsMissing,
    PastColumn,
    Rank,
    Standing,
    Term,
    TextSearch,
)
from segkit.plan.walk import every_node
from segkit.segment import Segment, Segments, as_catalog, as_segment, by_name, catalog_of_values, zone_of

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("segment", "example", "holds", "expected", "got", "because")
_OTHER_DAYS = ("2001-01-01", "2004-07-05T07:00")
_MOST_TOLD = 3
_LONGEST = 60


@dataclass(frozen=True)
class Outcome:
    """What came of an example: who is a member in truth, and the conditions that decided."""

    segment: str
    example: Example
    got: bool | tuple[Any, ...]
    because: str

    @property
    def holds(self) -> bool:
        """Whether the example is right."""
        expected = self.example.expected
        if isinstance(expected, bool) or isinstance(self.got, bool):
            return expected == self.got
        return set(expected) == set(self.got)

    def row(self) -> tuple[Any, ...]:
        """What a table tells of it."""
        return (self.segment, self.example.name, self.holds, told(self.example.expected), told(self.got), self.because)


def told(members: bool | Sequence[Any]) -> str:
    """Whether one contact is a member, or which ones are, in words.

    >>> told(True), told(("b", "a")), told(())
    ('member', "members 'a', 'b'", 'no members')
    """
    if isinstance(members, bool):
        return "member" if members else "no member"
    keys = sorted(members, key=lambda key: (isinstance(key, str), key))
    return f"members {', '.join(map(repr, keys))}" if keys else "no members"


def check_examples(
    segments: Segment | Iterable[Segment],
    *,
    catalog: Catalog | Mapping[str, Any] | str | Path | None = None,
    as_of: Any = None,
    timezone: str | None = None,
    others: Segments = (),
) -> pd.DataFrame:
    """Whether segments have the members that their examples expect, in plain Python: no database is asked.

    Args:
        segments: a segment or several, with their examples; they may refer to each other.
        catalog: kinds and names: a catalog, its mapping form, or the path of a `catalog.yml` (default: taken from the
            values of each example).
        as_of: the instant of examples that name none (default: the catalog's).
        timezone: the zone of local dates (default: the catalog's, else UTC).
        others: further segments that these refer to.

    Returns:
        segment, example, holds (whether the segment does as the example expects), expected, got, because (the conditions
        that decided, with the values found).

    Raises:
        DefinitionError: a segment does not fit an example or the catalog, an example needs an instant, a rank stands
            before a single contact, or a condition is in SQL.

    >>> from segkit import Example, F, Segment
    >>> rich = Segment("Rich", F.spent > 500, examples=[Example(name="500", contact={"spent": 500}, expected=True)])
    >>> check_examples(rich)[["example", "holds", "got", "because"]].values.tolist()
    [['500', False, 'no member', 'F.spent > 500 does not hold: it is 500']]
    """
    own = [segments] if isinstance(segments, Segment) else list(map(as_segment, nodes.checked_list(segments, "segments")))
    known = {**by_name(others), **by_name(own)}
    given = as_catalog_or_none(catalog)
    return framed(outcome for each in own for outcome in outcomes(each, given, as_of, timezone, known))


def framed(found: Iterable[Outcome]) -> pd.DataFrame:
    """Outcomes as a frame. `check_examples` says what the columns mean."""
    import pandas as pd

    return pd.DataFrame([outcome.row() for outcome in found], columns=list(COLUMNS))


def as_catalog_or_none(catalog: Catalog | Mapping[str, Any] | str | Path | None) -> Catalog | None:
    """A catalog out of any of its forms, read once; None stays None."""
    return None if catalog is None else as_catalog(catalog)


def outcomes(
    segment: Segment,
    catalog: Catalog | None,
    as_of: Any,
    timezone: str | None,
    known: Mapping[str, nodes.Predicate],
) -> list[Outcome]:
    """What comes of each example of a segment. `check_examples` says what the arguments mean."""
    return [outcome(segment, own, catalog, as_of, timezone, known) for own in segment.examples]


def outcome(
    segment: Segment,
    example: Example,
    catalog: Catalog | None,
    as_of: Any,
    timezone: str | None,
    known: Mapping[str, nodes.Predicate],
) -> Outcome:
    """What comes of one example.

    Raises:
        DefinitionError: as `check_examples` says, with the names of the example and the segment.
    """
    try:
        return _outcome(segment, example, catalog, as_of, timezone, known)
    except SegkitError as error:
        place = f"example {example.name!r:.80}" + (f" of segment {segment.name!r:.80}" if segment.name else "")
        error.where = ", ".join(part for part in (place, error.where) if part)
        raise


def _outcome(
    segment: Segment,
    example: Example,
    catalog: Catalog | None,
    as_of: Any,
    timezone: str | None,
    known: Mapping[str, nodes.Predicate],
) -> Outcome:
    contacts = example.contacts if example.contact is None else (example.contact,)
    own = catalog_of_values(contacts, example.events) if catalog is None else catalog
    zone = zone_of(timezone, own)
    instant = next((each for each in (example.as_of, as_of, own.as_of) if each is not None), None)
    if instant is None and _follows_the_clock(segment, own, zone, known):
        raise DefinitionError(
            "the segment reads events or dates up to now, and the example names no instant", fix='add "as_of": "2025-11-30"'
        )
    resolved = plan(segment.definition, own, moment(instant, zone), known)
    _check_names(resolved, example, catalog)
    name = segment.name or "(no name)"
    with localcontext(Context(prec=100)):
        worlds = worlds_of(resolved, example)
        if example.contact is not None:
            got = worlds[0] is not None and true(resolved.where, worlds[0])
            return Outcome(name, example, got, _because(resolved, worlds[0]))
        existing = {world.key: world for world in worlds if world is not None}
        members = tuple(key for key, world in existing.items() if true(resolved.where, world))
        assert not isinstance(example.expected, bool)
        wrong = [key for key in dict.fromkeys((*members, *example.expected)) if (key in members) != (key in example.expected)]
        because = [f"{key!r}: {_because(resolved, existing.get(key))}" for key in wrong]
        more = [f"and {len(because) - _MOST_TOLD} more"] if len(because) > _MOST_TOLD else []
        return Outcome(name, example, members, "; ".join(because[:_MOST_TOLD] + more))


def _follows_the_clock(segment: Segment, catalog: Catalog, zone: str, known: Mapping[str, nodes.Predicate]) -> bool:
    first, second = (plan(segment.definition, catalog, moment(day, zone), known) for day in _OTHER_DAYS)
    return (first.where, first.features, first.parts) != (second.where, second.features, second.parts)


# ---------------------------------------------------------------- what is known of the contacts


def worlds_of(resolved: Plan, example: Example) -> list[World | None]:
    """What is known of each contact of an example, its standing in ranks included; None for one that does not exist yet."""
    ranks = [part for part in resolved.parts if isinstance(part, Rank)]
    if ranks and example.contact is not None:
        raise DefinitionError("a rank needs several contacts, not one", fix="give contacts, and the keys of the members")
    if example.contact is None:
        _check_keys(resolved.catalog, example)
    sets: dict[int, Options] = {}
    contacts = example.contacts if example.contact is None else (example.contact,)
    worlds = [
        world_of(resolved, contact, list(example.events), frozenset(_lists(resolved.catalog, example, contact)), None, sets)
        for contact in contacts
    ]
    for rank in ranks:
        stand(rank, [world for world in worlds if world is not None])
    return worlds


def _lists(catalog: Catalog, example: Example, contact: Mapping[str, Any]) -> Iterable[str]:
    if isinstance(example.lists, Mapping):
        return [name for name, keys in example.lists.items() if contact[catalog.contacts.key] in keys]
    return example.lists


def _check_names(resolved: Plan, example: Example, catalog: Catalog | None) -> None:
    """A misspelt name would read as missing, and the example might hold all the same."""
    contacts = resolved.catalog.contacts
    fields = _names_read((resolved.where, resolved.parts), contacts.fields, closed=(FeatureTerm, Feature))
    known = {"contact_id", contacts.key, *(() if catalog is None else contacts.fields)}
    if example.contact is not None:
        at(".contact", lambda: _check_row(example.contact or {}, fields, known))
    for i, row in enumerate(example.contacts):
        at(f".contacts[{i}]", lambda row=row: _check_row(row, fields, known))  # type: ignore[misc]
    for i, row in enumerate(example.events):
        at(f".events[{i}]", lambda row=row: _check_event(row, resolved, catalog))  # type: ignore[misc]


def _check_event(row: Row, resolved: Plan, catalog: Catalog | None) -> None:
    tables = resolved.catalog.events
    times = {"occurred_at", *(table.time for table in tables)}
    if times.isdisjoint(row):
        raise DefinitionError("an event without its time", fix=f"give it {' or '.join(sorted(times))}")
    columns = {name: column for table in tables for name, column in table.properties.items()}
    asked = tuple((own.where, own.of) for own in resolved.features if own.event in (None, row.get("event")))
    own = {name for table in tables for name in (table.contact, table.event, table.id) if name is not None}
    known = {"event", "contact_id", *own, *times, *(() if catalog is None else columns)}
    _check_row(row, _names_read(asked, columns), known)


def _names_read(tree: object, columns: Mapping[str, Column], closed: tuple[type, ...] = ()) -> set[str]:
    names = {column.name: name for name, column in columns.items()}
    found = (node.name for node in every_node(tree, closed) if isinstance(node, ColumnTerm | PastColumn))
    return {names.get(column, column) for column in found}


def _check_row(row: Row, read: Collection[str], known: Collection[str]) -> None:
    """Nothing that nobody knows stands where something like it is read."""
    given, meant = ({name.casefold() for name in names} for names in (row, (*read, *known)))
    left_out = [name for name in read if name.casefold() not in given]
    for name in row:
        if name.casefold() not in meant and (close := nearest(name, left_out)):
            raise DefinitionError(
                f"nothing reads {name!r:.60}, and {close[0]!r:.60} is left out",
                where=f".{name}",
                fix=f"did you mean {close[0]!r:.60}? if it is missing, give it as None (null)",
            )


def _check_keys(catalog: Catalog, example: Example) -> None:
    """Several contacts are told apart by their keys, which events, lists and what is expected name."""
    key = catalog.contacts.key
    keys: set[Any] = set()
    for i, contact in enumerate(example.contacts):
        own = contact.get(key)
        if not isinstance(own, int | str) or own in keys:
            raise DefinitionError(f"{key} is {own!r:.60}", where=f".contacts[{i}]", fix=f"give each contact a {key} of its own")
        keys.add(own)
    names = {*(table.contact for table in catalog.events), "contact_id"}
    for i, event in enumerate(example.events):
        if not any(event.get(name) in keys for name in names):
            raise DefinitionError("an event of no contact", where=f".events[{i}]", fix=f"give it the {key} of a contact")
    stated = {"expected": example.expected, **({} if not isinstance(example.lists, Mapping) else example.lists)}
    for name, several in stated.items():
        if not isinstance(several, bool) and (unknown := [own for own in several if own not in keys]):
            raise DefinitionError(
                f"{unknown[0]!r:.60} is no contact of the example", where=f".{name}", fix="name one of its keys"
            )


# ---------------------------------------------------------------- why


def _because(resolved: Plan, world: World | None) -> str:
    """The conditions without which the contact could come out otherwise."""
    if world is None:
        return "the contact does not exist yet"
    tree = tree_of(resolved.definition.where, resolved.where)
    truths = {own.condition: true(own.condition, world) for own in singles(tree)}
    return "; ".join(
        f"{own.text()} {'holds' if truths[own.condition] != own.negated else 'does not hold'}{_found(own.condition, world)}"
        for own in accounting(tree, truths)
    )


def _found(condition: Condition, world: World) -> str:
    values = [_value(term, value_of(term, world)) for term in _read(condition)]
    return f": {'it is' if len(values) == 1 else 'they are'} {' and '.join(values)}" if values else ""


def _read(condition: Condition) -> list[Term]:
    """The terms that a condition compares, constants left out."""
    match condition:
        case Comparison(_, left, right):
            terms = [left, right]
        case Among(term) | IsMissing(term):
            terms = [term]
        case TextSearch(_, term, text):
            terms = [term] if isinstance(text, str) else [term, text]
        case _:
            terms = []
    return [term for term in terms if not isinstance(term, Constant)]


def _value(term: Term, value: Any) -> str:
    match term, value:
        case _, None:
            return "missing"
        case Standing(_, what), _:
            return f"{what} {value}"
        case _, str():
            return repr(seen(value, _LONGEST))
        case _:
            return seen(str(value), _LONGEST)
