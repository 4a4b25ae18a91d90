"""Invented contacts at the boundaries of a segment: each with values and events that just do or just do not fit."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any, TypeAlias

from segkit.catalog import Column, ContactTable, Kind, time_column
from segkit.compile.columns import Source, sources
from segkit.errors import DefinitionError
from segkit.evaluate import Row, truths
from segkit.plan import Plan
from segkit.plan.clock import today
from segkit.plan.tree import (
    ColumnTerm,
    Condition,
    ElementCount,
    Feature,
    FeatureTerm,
    JsonTerm,
    Named,
    OnList,
    PastColumn,
    Rank,
    Raw,
)
from segkit.plan.walk import leaves
from segkit.spelling import spell
from segkit.verification.scenarios import Happening, scenarios
from segkit.verification.values import fitting
from segkit.verification.wishes import Place, elements, neighbours, nested, ordinary, some, wished, wishes

_ABSENT = object()
_ODD_JSON: tuple[Any, ...] = (_ABSENT, None, "", {}, [], True, 0, "1e3", " 5", "5.", "0x10", "inf", "null", "true")
"""What a path may lead to besides what was expected."""
_CREATED = "created"
_MOST_ELEMENTS = 50
_TINY = dt.timedelta(microseconds=1)
Instants: TypeAlias = tuple[dt.datetime, dt.datetime]
"""The first and the last one."""


@dataclass(frozen=True)
class Population:
    """Rows by table: the columns that a plan reads, and no others."""

    contacts: list[Row]
    events: dict[int, list[Row]]
    lists: list[Row]
    history: dict[int, list[Row]]

    def happened(self) -> list[Row]:
        """The events of all tables."""
        return [row for rows in self.events.values() for row in rows]


@dataclass
class _Places:
    """The values to be tried in each place, every one once, in the order in which they were wished for: no instants outside."""

    instants: Instants | None = None
    columns: dict[ColumnTerm, dict[Any, None]] = field(default_factory=dict)
    past: dict[PastColumn, dict[Any, None]] = field(default_factory=dict)
    json: dict[JsonTerm | ElementCount, list[Any]] = field(default_factory=dict)
    outcomes: dict[Feature, dict[Any, None]] = field(default_factory=dict)

    def add(self, place: Place, value: Any, day: dt.date) -> None:
        if self.instants is not None and place.kind.is_timestamp and not _is_inside(value, *self.instants):
            return
        match place:
            case ColumnTerm(_, kind, clock):
                self.columns.setdefault(place, {})[fitting(value, kind, clock)] = None
            case PastColumn(_, _, kind, clock):
                self.past.setdefault(place, {})[fitting(value, kind, clock)] = None
            case JsonTerm():
                self.json.setdefault(place, list(_ODD_JSON)).append(value)
            case ElementCount():
                found = elements(place, day)
                own = self.json.setdefault(place, [*_ODD_JSON, *([one] for one in found), found, found * 2])
                if isinstance(value, int) and 0 <= value <= _MOST_ELEMENTS:
                    own.append([found[i % len(found)] for i in range(value)])
            case FeatureTerm(feature):
                self.outcomes.setdefault(feature, {})[value] = None

    def read_all(self, contacts: ContactTable, day: dt.date) -> None:
        """Raw SQL may read any column."""
        for column in contacts.fields.values():
            if column.name != contacts.key:
                for near in neighbours(some(column.kind, day)):
                    self.add(ColumnTerm(column.name, column.kind, column.zone), near, day)


def _is_inside(value: Any, first: dt.datetime, last: dt.datetime) -> bool:
    """Whether a value is none of the instants outside of some."""
    if not isinstance(value, dt.date):
        return True
    at = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    return first <= (at if at.tzinfo else at.replace(tzinfo=dt.UTC)) <= last


def conditions_of(plan: Plan) -> list[Condition]:
    """The condition of a plan, and those of the segments and populations it refers to."""
    found = [plan.where]
    for part in plan.parts:
        match part:
            case Named(_, where):
                found.append(where)
            case Rank(_, of) if of is not None:
                found.append(of)
    return found


def population(plan: Plan, contacts: int, instants: Instants | None = None) -> Population:
    """Invented rows for a plan, always the same for the same definition and instant.

    The first half of the contacts is drawn at random. What made conditions come out as the whole would have them is then
    drawn more often: the others are members, or miss it by little.

    Args:
        plan: what is to be tried.
        contacts: how many contacts to invent.
        instants: the first and last instant that may be invented.
    """
    inventing = Inventing(plan, instants)
    return inventing.rows(inventing.several(contacts))


def _places(plan: Plan, instants: Instants | None) -> _Places:
    day, own = today(plan.at), _Places(instants)
    for condition in conditions_of(plan):
        for source in sources(condition):
            if isinstance(source, ColumnTerm | PastColumn):
                for value in ordinary(source.kind, day):
                    own.add(source, value, day)
        for place, value in wishes([condition], day):
            own.add(place, value, day)
    for part in plan.parts:
        if isinstance(part, Rank):
            for near in neighbours(some(part.value.kind, day)):
                for place, value in wished(part.value, near, day):
                    own.add(place, value, day)
    for feature in plan.features:
        own.outcomes.setdefault(feature, {})
    if any(isinstance(leaf, Raw) for where in conditions_of(plan) for leaf, _ in leaves(where)):
        own.read_all(plan.catalog.contacts, day)
    return own


Picks: TypeAlias = Mapping[Hashable, Any]
"""What was drawn for a contact, by place."""


def _fortunate(plan: Plan, picks: Sequence[Picks], rows: Population) -> dict[Hashable, list[Any]]:
    """For each place, what was drawn where all conditions that read it came out as the whole would have them."""
    wanted = {leaf: truth for leaf, truth in leaves(plan.where) if not isinstance(leaf, Raw)}
    past = {plan.catalog.history[i].table: given for i, given in rows.history.items()}
    try:
        found = truths(plan, list(wanted), rows.contacts, rows.happened(), rows.lists, past)
    except DefinitionError:
        return {}
    readers: dict[Hashable, list[int]] = defaultdict(list)
    for i, leaf in enumerate(wanted):
        for source in sources(leaf):
            for place in _drawn_for(source):
                readers[place].append(i)
    fortunate: dict[Hashable, list[Any]] = defaultdict(list)
    for own, row in zip(picks, rows.contacts, strict=True):
        came_out = found.get(row[plan.catalog.contacts.key])
        if came_out is not None and not _has_two_pasts(own):
            as_wanted = [truth == wish for truth, wish in zip(came_out, wanted.values(), strict=True)]
            for place, value in own.items():
                if place in readers and all(as_wanted[i] for i in readers[place]):
                    fortunate[place].append(value)
    return fortunate


def _has_two_pasts(own: Picks) -> bool:
    """Whether a contact has two rows of history: nothing then says which of them was read."""
    return any(isinstance(place, tuple) and place[1] == "rows" and number > 1 for place, number in own.items())


def _drawn_for(source: Source) -> list[Hashable]:
    """What is drawn for a contact that decides what a source says of it."""
    match source:
        case FeatureTerm(feature):
            return [feature]
        case OnList():
            return [source, "joined", "left"]
        case PastColumn(i) | JsonTerm(PastColumn(i)) | ElementCount(PastColumn(i)):
            return [source, (i, "rows"), (i, "from"), (i, "to")]
        case _:
            return [source]


class Inventing:
    """Draws something for each place of each contact: everything about equally often, in ever other company."""

    def __init__(self, plan: Plan, instants: Instants | None = None) -> None:
        seed = f"{spell(plan.definition.where)} {plan.at.as_of.isoformat()} {plan.at.zone}"
        self._rng = Random(hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest())
        self._plan, self._places = plan, _places(plan, instants)
        self._decks: dict[Hashable, list[Any]] = {}
        self._preferred: Mapping[Hashable, Sequence[Any]] = {}
        self._options = self._all_options()

    def _all_options(self) -> dict[Hashable, list[Any]]:
        catalog, now = self._plan.catalog, self._plan.at.as_of
        long_ago = [now - dt.timedelta(days=days) for days in range(1, 12)]
        near = [now - _TINY, now, now + _TINY, now - dt.timedelta(days=30), now + dt.timedelta(days=30), None]
        places: dict[Hashable, list[Any]] = {
            **{own: [None, *values] for own, values in self._places.columns.items()},
            **{own: [None, *values] for own, values in self._places.past.items()},
            **{own: scenarios(own, list(found), self._plan, self._rng) for own, found in self._places.outcomes.items()},
            **{OnList(name): [False, True] for name in self._plan.lists},
            _CREATED: [*long_ago, now, now + _TINY, now + dt.timedelta(days=1), None],
        }
        places |= {"joined": near, "left": near}
        places.update((own, values) for own, values in self._places.json.items())
        for i, _ in enumerate(catalog.history):
            places |= {(i, "rows"): [0, 1, 1, 2], (i, "from"): near, (i, "to"): [now, now + _TINY, None]}
        return places

    def several(self, contacts: int) -> list[Picks]:
        """What is drawn for so many contacts; for the second half mostly what let the first be as the whole would have it."""
        first = [self._picks() for _ in range(contacts // 2)]
        self._preferred = _fortunate(self._plan, first, self.rows(first))
        return [*first, *(self._picks() for _ in range(contacts - len(first)))]

    def _picks(self) -> Picks:
        """What is drawn for one contact: mostly what is preferred, everywhere but in one or two places."""
        astray = self._rng.sample(list(self._options), k=min(len(self._options), self._rng.choice((0, 1, 1, 2))))
        return {place: self._pick(place, place in astray) for place in self._options}

    def _pick(self, place: Hashable, is_astray: bool) -> Any:
        preferred = self._preferred.get(place)
        return self._rng.choice(preferred) if preferred and not is_astray else self._draw(place)

    def _draw(self, place: Hashable) -> Any:
        """The next card of a shuffled deck, which is shuffled anew when it has run out."""
        if not self._decks.get(place):
            self._decks[place] = list(self._options[place])
            self._rng.shuffle(self._decks[place])
        return self._decks[place].pop()

    # ------------------------------------------------------------ rows

    def rows(self, picks: Sequence[Picks]) -> Population:
        """The rows of contacts for whom this was drawn."""
        catalog, found = (
            self._plan.catalog,
            Population([], defaultdict(list), [], {i: [] for i, _ in enumerate(self._plan.catalog.history)}),
        )
        column = catalog.contacts.fields.get(catalog.contacts.key)
        is_text = column is not None and column.kind is Kind.TEXT
        numbers = count(1)
        for number, own in enumerate(picks, 1):
            key = f"k{number}" if is_text else number
            found.contacts.append({catalog.contacts.key: key, **self.created(own), **self.contact(own)})
            for feature in self._places.outcomes:
                for happening in own[feature]:
                    row = self.event(key, happening, next(numbers))
                    found.events[happening.table] += [row, *self._copies(row, happening.table)]
            found.lists.extend(self._stay(name, key, own) for name in self._plan.lists if own[OnList(name)])
            for i, rows in found.history.items():
                rows += [self.before(i, key, own if n == 0 else self._elsewhere(i)) for n in range(own[i, "rows"])]
        return found

    def contact(self, own: Picks) -> dict[str, Any]:
        """The columns of a contact that a plan reads."""
        in_json = dict.fromkeys(place.column for place in self._places.json if isinstance(place.column, ColumnTerm))
        return {**{place.name: own[place] for place in self._places.columns}, **{c.name: self._document(c, own) for c in in_json}}

    def _document(self, column: ColumnTerm | PastColumn, own: Picks) -> str | None:
        """JSON in which the paths that are asked for lead to something, or not."""
        document: Any = None
        for place in self._places.json:
            if place.column == column and own[place] is not _ABSENT:
                part = nested(place.path, own[place])
                document = {**document, **part} if isinstance(document, dict) and isinstance(part, dict) else part
        return None if document is None else json.dumps(document, ensure_ascii=False, default=_plain)

    def created(self, own: Picks) -> dict[str, Any]:
        """The column that says since when a contact exists, where there is one."""
        contacts = self._plan.catalog.contacts
        return {} if contacts.created is None else self._time(own[_CREATED], contacts.created, contacts.fields)

    def event(self, key: Any, happening: Happening, number: int) -> Row:
        """The row of an event of a contact."""
        table = self._plan.catalog.events[happening.table]
        known = {table.contact: key, table.time: happening.time, "event": happening.event, **happening.properties}
        named = {table.event: happening.event} if table.event else {}
        numbered = {table.id: _numbered(number, table.properties.get(table.id))} if table.id else {}
        return {**known, **named, **numbered}

    def _copies(self, row: Row, i: int) -> list[Row]:
        """In a table whose event ids repeat, sometimes a copy: as it is, or a little later or earlier."""
        table = self._plan.catalog.events[i]
        if not table.repeats or self._rng.random() < 0.6:
            return []
        step = dt.timedelta(days=self._rng.choice((-40, 0, 0, 40)))
        at = row[table.time]
        return [{**row, table.time: at if at is None else at + step}]

    def _stay(self, name: str, key: Any, own: Picks) -> Row:
        lists = self._plan.catalog.lists
        assert lists is not None
        row = {lists.list: name, lists.contact: key}
        for column, at in ((lists.joined, own["joined"]), (lists.left, own["left"])):
            row |= {} if column is None else self._time(at, column, lists.columns)
        return row

    def _elsewhere(self, i: int) -> Picks:
        """What else a row of history may hold."""
        return {place: self._draw(place) for place in self._options if place in ((i, "from"), (i, "to")) or _is_past(place, i)}

    def in_json(self) -> set[str]:
        """The names of columns that hold JSON."""
        found = (place.column for place in self._places.json)
        return {column.name for column in found if isinstance(column, ColumnTerm | PastColumn)}

    def before(self, i: int, key: Any, own: Picks) -> Row:
        """A row of a contact in a table of history."""
        table = self._plan.catalog.history[i]
        values = {place.name: own[place] for place in self._places.past if place.table == i}
        in_json = [
            place.column for place in self._places.json if isinstance(place.column, PastColumn) and place.column.table == i
        ]
        return {
            table.contact: key,
            **self._time(own[i, "from"], table.valid_from, table.columns),
            **self._time(own[i, "to"], table.valid_to, table.columns),
            **values,
            **{column.name: self._document(column, own) for column in in_json},
        }

    def _time(self, at: Any, name: str, columns: Mapping[str, Column]) -> dict[str, Any]:
        column = time_column(columns, name)
        return {column.name: fitting(at, column.kind, column.zone)}


def _is_past(place: Hashable, table: int) -> bool:
    own = place.column if isinstance(place, JsonTerm | ElementCount) else place
    return isinstance(own, PastColumn) and own.table == table


def _numbered(number: int, column: Column | None) -> Any:
    return f"e{number}" if column is not None and column.kind is Kind.TEXT else number


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dt.date():
            return value.isoformat()
        case _:
            return value
