"""Examples at the boundaries of a segment: each threshold, window and list, on one side and on the other.

plan  ->  contacts invented at its boundaries  ->  for each condition one of them for whom it decides
      ->  the same contact with another value, another event, another list  ->  what the evaluator says of each

The values are those that `ws.verify` tries; here only one thing differs from one example to the next, and its name says what.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from segkit import nodes
from segkit.catalog import Catalog, Kind
from segkit.compile.columns import sources
from segkit.display import seen
from segkit.errors import DefinitionError
from segkit.evaluate.conditions import true
from segkit.evaluate.world import World
from segkit.example import Example
from segkit.measures.difference import holds, singles, tree_of
from segkit.plan import Plan, moment, plan
from segkit.plan.clock import today
from segkit.plan.tree import (
    ColumnTerm,
    Comparison,
    Condition,
    Constant,
    Drawn,
    Feature,
    FeatureTerm,
    OnList,
    PastColumn,
    Rank,
)
from segkit.plan.walk import leaves
from segkit.segment import Segment, Segments, as_catalog, as_segment, by_name, zone_of
from segkit.testing.check import as_catalog_or_none, outcome, worlds_of
from segkit.verification.population import Inventing, Picks, conditions_of
from segkit.verification.scenarios import Happening, Stream
from segkit.verification.values import fitting, moved
from segkit.verification.wishes import neighbours, wishes

_CONTACTS = 240
_KEY = "key"
_SEVERAL = (12, 24, 48, 96, _CONTACTS)
_MOST = 24
"""How many examples there are of one condition."""
_MOST_EVENTS = 40
_TRIED = 6
_LONGEST = 100
_TINY = dt.timedelta(microseconds=1)
_DAY = dt.timedelta(days=1)
Change: TypeAlias = tuple[str, Mapping[Hashable, Any]]
"""What differs, in words, and what is put in which places."""


def boundary_examples(
    segment: Segment,
    *,
    catalog: Catalog | Mapping[str, Any] | str | Path | None = None,
    as_of: Any = None,
    timezone: str | None = None,
    others: Segments = (),
) -> list[Example]:
    """Examples that show each threshold and window of a segment: just below, at and just above, just inside and just outside.

    Each condition is tried on an invented contact for whom it decides, so that one value, event or list makes the difference.
    What is expected is what the segment does now: read them, keep those that say what you mean, and they will tell when an
    edit changes it. A condition that decides for none of the invented contacts has no examples. Of a segment that ranks
    contacts there is one example of several.

    Args:
        segment: whose boundaries.
        catalog: kinds and names: a catalog, its mapping form, or the path of a `catalog.yml` (default: kinds by use).
        as_of: the instant of the examples, stated in each (default: the catalog's, else now).
        timezone: the zone of local dates (default: the catalog's, else UTC).
        others: segments that this one refers to.

    Returns:
        Examples of different names, the same ones for the same definition and instant.

    Raises:
        DefinitionError: a name or kind does not fit, or a condition is in SQL.

    >>> from segkit import F, Segment
    >>> for own in boundary_examples(Segment("Rich", F.spent > 500), as_of="2025-11-30"):
    ...     print(own.expected, own.contact, own.name)
    False {'spent': 499} F.spent > 500: spent 499, just below 500
    False {'spent': 500} F.spent > 500: spent 500, exactly 500
    True {'spent': 501} F.spent > 500: spent 501, just above 500
    False {} F.spent > 500: spent missing
    """
    own = as_segment(segment)
    given = as_catalog_or_none(catalog)
    used = as_catalog(given)
    zone = zone_of(timezone, used)
    known = {**by_name(others), **({own.name: own.definition.where} if own.name else {})}
    at = moment(as_of if as_of is not None else used.as_of, zone)
    resolved = plan(own.definition, used, at, known)
    found: dict[str, Example] = {}
    for example in _Boundaries(resolved).examples():
        if example.name not in found:
            found[example.name] = replace(example, expected=_got(own, example, given, timezone, known))
    return list(found.values())


def _got(
    segment: Segment, example: Example, catalog: Catalog | None, timezone: str | None, known: Mapping[str, nodes.Predicate]
) -> bool | tuple[Any, ...]:
    try:
        return outcome(segment, example, catalog, None, timezone, known).got
    except DefinitionError as error:
        if catalog is None:
            error.fix = "pass a catalog: by themselves, invented values do not tell the kinds of these fields"
        raise


@dataclass(frozen=True)
class _Base:
    """An invented contact."""

    picks: Picks
    truths: Mapping[Condition, bool]

    def events(self) -> int:
        return sum(len(own) for place, own in self.picks.items() if isinstance(place, Feature))


class _Boundaries:
    """What is tried for a plan; nothing is said yet of what is expected."""

    def __init__(self, own: Plan) -> None:
        self._plan, self._day = own, today(own.at)
        self._tree = tree_of(own.definition.where, own.where)
        self._inventing = Inventing(own)
        self._has_sample = any(isinstance(part, Drawn) for where in conditions_of(own) for part, _ in leaves(where))

    def examples(self) -> Iterator[Example]:
        drawn = [{**picks, _KEY: self._key(i)} for i, picks in enumerate(self._inventing.several(_CONTACTS), 1)]
        if any(isinstance(part, Rank) for part in self._plan.parts):
            yield self._several(drawn)
            return
        bases = sorted(self._bases(drawn), key=_Base.events)
        told = {own.condition: seen(own.text(), _LONGEST) for own in singles(self._tree)}
        for condition, text in told.items():
            deciding = [base for base in bases if self._decides(condition, base)]
            for words, base in self._around(condition, deciding) or _two_sides(condition, deciding):
                yield self._example(f"{text}: {words}", base.picks)

    def _around(self, condition: Condition, deciding: Sequence[_Base]) -> list[tuple[str, _Base]]:
        """A contact and what differs, where the condition goes on deciding: one that shows it on both sides, if any does."""
        best: list[tuple[str, _Base]] = []
        for truth in (True, False):
            for base in [own for own in deciding if own.truths[condition] == truth][:_TRIED]:
                found = list(self._kept(condition, base))[:_MOST]
                if len({own.truths[condition] for _, own in found}) == 2:
                    return found
                best = max(best, found, key=len)
        return best

    def _kept(self, condition: Condition, base: _Base) -> Iterator[tuple[str, _Base]]:
        for words, change in self._changes(condition, base):
            for own in self._bases([{**base.picks, **change}]):
                if self._decides(condition, own):
                    yield words, own

    def _bases(self, drawn: Iterable[Picks]) -> Iterator[_Base]:
        """Those of the contacts that exist."""
        conditions = list(dict.fromkeys(own.condition for own in singles(self._tree)))
        for picks in drawn:
            world = self._world(picks)
            if world is not None:
                with localcontext(Context(prec=100)):
                    yield _Base(picks, {own: true(own, world) for own in conditions})

    def _decides(self, condition: Condition, base: _Base) -> bool:
        """Whether a contact is a member if a condition holds, and only then, or the other way round."""
        either, neither = ({**base.truths, condition: truth} for truth in (True, False))
        return holds(self._tree, either) != holds(self._tree, neither)

    def _world(self, picks: Picks) -> World | None:
        with localcontext(Context(prec=100)):
            return worlds_of(self._plan, self._example("-", picks))[0]

    # ------------------------------------------------------------ what differs

    def _changes(self, condition: Condition, base: _Base) -> list[Change]:
        found: dict[str, Change] = {}
        for change in (*self._of_values(condition), *self._of_events(condition, base), *_of_lists(condition)):
            found.setdefault(change[0], change)
        return list(found.values())

    def _of_values(self, condition: Condition) -> Iterator[Change]:
        columns = [own for own in sources(condition) if isinstance(own, ColumnTerm | PastColumn)]
        constants = _constants(condition)
        for place, value in wishes([condition], self._day):
            if isinstance(place, ColumnTerm | PastColumn):
                own = fitting(value, place.kind, place.clock)
                if own is not None and not (isinstance(own, float) and math.isnan(own)):
                    yield f"{place.name} {_shown(own)}{_beside(value, constants)}", {place: own}
        for column in columns:
            yield f"{column.name} missing", {column: None}

    def _of_events(self, condition: Condition, base: _Base) -> Iterator[Change]:
        features = list(dict.fromkeys(own.feature for own in sources(condition) if isinstance(own, FeatureTerm)))
        outcomes: dict[Feature, list[Any]] = {feature: [] for feature in features}
        for place, value in wishes([condition], self._day):
            if isinstance(place, FeatureTerm):
                outcomes[place.feature].append(value)
        for feature, values in outcomes.items():
            stream = Stream(feature, self._plan, Random(0))
            tried = [[], *(happened for value in values for happened in stream.leading_to(value)[:1])]
            for happened in tried:
                told = self._outcome(feature, base, happened)
                nothing = "" if happened or told else ", no events"
                yield f"{_named(feature)} {_shown(told)}{_beside(told, _constants(condition))}{nothing}", {feature: happened}
            if feature.then is not None:
                yield from self._of_sequences(condition, feature, stream, base)
            elif deciding := self._deciding(
                condition, feature, base, [*tried, *(stream.many(n) for n in range(1, _MOST_EVENTS))]
            ):
                *kept, last = deciding
                yield from self._of_times(feature, kept, last)
                yield from self._of_properties(feature, stream, kept, last)

    def _outcome(self, feature: Feature, base: _Base, happened: list[Happening]) -> Any:
        world = self._world({**base.picks, feature: happened})
        return None if world is None else world.outcomes[feature]

    def _deciding(self, condition: Condition, feature: Feature, base: _Base, tried: Iterable[list[Happening]]) -> list[Happening]:
        """Events of which the last one makes the difference; none where there are no such."""
        for happened in filter(None, tried):
            whole, rest = (self._holds(condition, feature, base, own) for own in (happened, happened[:-1]))
            if whole != rest:
                return happened
        return []

    def _holds(self, condition: Condition, feature: Feature, base: _Base, happened: list[Happening]) -> bool:
        world = self._world({**base.picks, feature: happened})
        with localcontext(Context(prec=100)):
            return world is not None and true(condition, world)

    def _of_times(self, feature: Feature, kept: list[Happening], last: Happening) -> Iterator[Change]:
        """The deciding event at either side of the ends of the window, and of now."""
        now = self._day if feature.time.kind is Kind.DATE else self._plan.at.as_of
        ends = {feature.bounds.low: "the window begins", feature.bounds.high: "the window ends", now: "now"}
        for end, told in ends.items():
            if end is None:
                continue
            tiny, unit = (_TINY, "a microsecond") if isinstance(end, dt.datetime) else (_DAY, "a day")
            for step, words in ((-tiny, f"{unit} before {told}"), (0 * tiny, _as(told)), (tiny, f"{unit} after {told}")):
                for at in moved(end, step):
                    own = fitting(at, feature.time.kind, feature.time.clock)
                    yield f"the deciding event {words}, {_shown(own)}", {feature: [*kept, replace(last, time=own)]}

    def _of_properties(self, feature: Feature, stream: Stream, kept: list[Happening], last: Happening) -> Iterator[Change]:
        """The deciding event with properties that just pass the filter, or just do not; and one of another name."""
        where = feature.where
        for place, value in wishes([] if where is None else [where], self._day):
            if isinstance(place, ColumnTerm) and place != feature.time and where is not None:
                own = fitting(value, place.kind, place.clock)
                told = f"{place.name} {'missing' if own is None else _shown(own)}{_beside(value, _constants(where))}"
                changed = replace(last, properties={**last.properties, place.name: own})
                yield f"the deciding event with {told}", {feature: [*kept, changed]}
        if feature.event is not None:
            other = stream.event(last.time, name="something else")
            yield "another event instead of the deciding one", {feature: [*kept, other]}

    def _of_sequences(self, condition: Condition, feature: Feature, stream: Stream, base: _Base) -> Iterator[Change]:
        """What follows: nothing, together with the first event, just after it, and around the longest time between them."""
        assert feature.then is not None
        tiny, unit = (_DAY, _DAY) if feature.time.kind is Kind.DATE else (_TINY, dt.timedelta(minutes=1))
        second = Stream(feature.then.event, self._plan, Random(0))

        def pairs(n: int) -> list[Happening]:
            firsts = stream.within(_MOST_EVENTS)[-n:]
            return [own for at in firsts for own in (stream.event(at), *map(second.event, moved(at, tiny)))]

        deciding = self._deciding(condition, feature, base, map(pairs, range(1, _MOST_EVENTS)))
        if not deciding:
            return
        kept = deciding[:-1]
        yield "nothing follows", {feature: kept}
        apart = {"together with it": 0 * tiny, "just after it": tiny}
        if feature.then.length is not None:
            most = feature.then.length * unit
            told = _length(most)
            apart |= {f"just less than {told} later": most - tiny, f"exactly {told} later": most}
            apart |= {f"just more than {told} later": most + tiny}
        for words, step in apart.items():
            for at in moved(stream.within(_MOST_EVENTS)[-1], step):
                yield f"what follows comes {words}", {feature: [*kept, second.event(at)]}

    # ------------------------------------------------------------ as examples

    def _example(self, name: str, picks: Picks) -> Example:
        contact, events, lists = self._contact(picks), self._events(None, picks), self._lists(picks)
        key = {self._plan.catalog.contacts.key: picks[_KEY]} if self._has_sample else {}
        return Example(
            name=name, contact={**key, **contact}, events=events, lists=lists, as_of=self._plan.at.as_of, expected=False
        )

    def _several(self, drawn: Sequence[Picks]) -> Example:
        """Several contacts, as few as are ranked to both sides."""
        key = self._plan.catalog.contacts.key
        for n in _SEVERAL:
            own = {picks[_KEY]: picks for picks in drawn[-n:]}
            contacts = [{key: i, **self._contact(picks)} for i, picks in own.items()]
            events = [event for i, picks in own.items() for event in self._events(i, picks)]
            on = {name: [i for i, picks in own.items() if picks[OnList(name)]] for name in self._plan.lists}
            name = f"{n} contacts, ranked"
            example = Example(name=name, contacts=contacts, events=events, lists=on, as_of=self._plan.at.as_of, expected=[])
            with localcontext(Context(prec=100)):
                worlds = [world for world in worlds_of(self._plan, example) if world is not None]
                if len({true(self._plan.where, world) for world in worlds}) == 2:
                    break
        return example

    def _key(self, number: int) -> int | str:
        contacts = self._plan.catalog.contacts
        column = next((own for own in contacts.fields.values() if own.name == contacts.key), None)
        return f"k{number}" if column is not None and column.kind is Kind.TEXT else number

    def _contact(self, picks: Picks) -> dict[str, Any]:
        """What is known of a contact: the fields with history as they are now."""
        row = {**self._inventing.created(picks), **self._inventing.contact(picks)}
        past: dict[str, Any] = {}
        for i, table in enumerate(self._plan.catalog.history):
            before = self._inventing.before(i, None, picks)
            past |= {name: before.get(column.name) for name, column in table.fields.items()}
        in_json = self._inventing.in_json()
        return {name: _plain(own, name in in_json) for name, own in {**row, **past}.items() if _is_there(own)}

    def _events(self, key: Any, picks: Picks) -> list[dict[str, Any]]:
        found = []
        for own in dict.fromkeys(place for place in picks if isinstance(place, Feature)):
            for happening in picks[own]:
                table = self._plan.catalog.events[happening.table]
                row = self._inventing.event(key, happening, 0)
                left_out = {table.id, *({"event"} if table.event not in (None, "event") else ())}
                found.append({name: _plain(value) for name, value in row.items() if name not in left_out and _is_there(value)})
        return found

    def _lists(self, picks: Picks) -> list[str]:
        return [name for name in self._plan.lists if picks[OnList(name)]]


def _two_sides(condition: Condition, deciding: Sequence[_Base]) -> list[tuple[str, _Base]]:
    """A contact for whom a condition that decides holds, and one for whom it does not."""
    found: dict[bool, _Base] = {}
    for base in deciding:
        found.setdefault(base.truths[condition], base)
    words = {True: "it holds", False: "it does not hold"}
    return [(words[truth], found[truth]) for truth in (True, False) if truth in found]


def _of_lists(condition: Condition) -> Iterator[Change]:
    if isinstance(condition, OnList):
        yield f"on the list {condition.name!r:.60}", {condition: True}
        yield f"not on the list {condition.name!r:.60}", {condition: False}


# ---------------------------------------------------------------- words


def _constants(condition: Condition) -> list[Any]:
    """What a condition compares with."""
    sides = [side for own, _ in leaves(condition) if isinstance(own, Comparison) for side in (own.left, own.right)]
    return [side.value for side in sides if isinstance(side, Constant)]


def _beside(value: Any, constants: Sequence[Any]) -> str:
    """Where a value stands to the constant next to it."""
    for constant in constants:
        if isinstance(constant, bool | str) or type(value) is not type(constant):
            continue
        near = neighbours(constant)
        if value in near:
            is_time = isinstance(constant, dt.date)
            words = ("just before", "exactly", "just after") if is_time else ("just below", "exactly", "just above")
            place = (value > constant) - (value < constant) + 1
            return f", {words[place]} {_shown(constant)}"
    return ""


def _shown(value: Any) -> str:
    match value:
        case None:
            return "missing"
        case dt.date():
            return value.isoformat()
        case Decimal():
            return f"{_plain(value)}"
        case str():
            return repr(seen(value, 40))
        case _:
            return seen(str(value), 40)


def _as(told: str) -> str:
    return told if told == "now" else f"as {told}"


def _length(time: dt.timedelta) -> str:
    """How long something takes, in words.

    >>> _length(dt.timedelta(days=7)), _length(dt.timedelta(hours=36))
    ('7 days', '36 hours')
    """
    for unit, name in ((_DAY, "days"), (dt.timedelta(hours=1), "hours")):
        if not time % unit:
            return f"{time // unit} {name}"
    return f"{time // dt.timedelta(minutes=1)} minutes"


def _named(feature: Feature) -> str:
    of = "" if feature.of is None else f" of {feature.of.name}"
    return f"{feature.measure}{of}"


# ---------------------------------------------------------------- values


def _is_there(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def _plain(value: Any, is_json: bool = False) -> Any:
    """A value as one would write it: a decimal as a number, where that is exact; JSON as what it holds."""
    match value:
        case str() if is_json:
            document = json.loads(value)
            return document if isinstance(document, dict | list) else None
        case Decimal() if value == value.to_integral_value():
            return int(value)
        case Decimal() if Decimal(str(float(value))) == value:
            return float(value)
        case _:
            return value
