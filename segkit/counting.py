"""The size of every part of a definition, again after each edit: what an edit leaves as it was is not asked again.

    definition  ->  plan  ->  its conditions, each asked once  ->  who meets each, one bit a contact  ->  and, or, not  ->  sizes

What conditions read of the contacts (outcomes of events, fields, lists, ranks) is kept in temporary tables, a column each, so
that another constant costs one look at one column; who meets a condition is kept as the bits of one whole number, so that
moving, negating and grouping cost no query. Every answer is as of the moment when something was first asked, also of
the data: `refresh` asks again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING
from uuid import uuid4

from segkit import compile, evaluate, metrics, nodes
from segkit.catalog import Catalog, Kind
from segkit.compile import Sql, columns
from segkit.compile.columns import Source
from segkit.engines import Engine, KeepsAnswers
from segkit.errors import DefinitionError, DialectError, EngineError, SegkitError
from segkit.plan import Moment, Plan, plan
from segkit.plan.tree import AllOf, Always, AnyOf, Complement, Condition
from segkit.rendering import render

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS = 200
"""How many columns are kept; with more, the tables that were not used for longest are dropped."""
MOST_BYTES = 2**28
"""How much the bits of conditions may take. A definition that alone needs more is counted without keeping anything."""
_AT_ONCE = 2 * 10**8
_ROOM = 2
"""Contacts are numbered by their keys where there are so many bits a contact at most."""
_EVERYONE = nodes.Definition(None, nodes.Everyone())


@dataclass(frozen=True)
class Counted:
    """How many contacts there are, how many meet each part (by its path), the relative dates in words, and how long it took."""

    everyone: int
    sizes: Mapping[str, int]
    windows: Mapping[str, str]
    seconds: float


@dataclass(frozen=True)
class _Part:
    """A part of a definition; `condition` is None where it, or a part of it, means nothing."""

    path: str
    condition: Condition | None
    below: tuple[_Part, ...] = ()


@dataclass(frozen=True)
class _Table:
    """A kept table: its name for the engine, its name in SQL, and what its columns hold."""

    name: str
    path: str
    columns: Mapping[Source, str]


class Counting:
    """Counts the parts of definitions over one catalog at one instant. Not for several threads at once.

    Frozen lists that a definition names must be known to the engine. An engine that cannot keep an answer
    is asked for all sizes in one query each time.

    Args:
        engine: where the data is.
        catalog: what its tables mean, checked.
        at: the instant and zone; another instant needs another `Counting`.
        segments: the other segments that definitions may refer to, by name.

    >>> from segkit import F, connect
    >>> from segkit.plan import moment
    >>> ws = connect()
    >>> counting = Counting(ws.engine, ws.catalog, moment("2025-11-30", "UTC"), {})
    >>> where = (F.country == "USA") | ~(F.country == "USA")
    >>> counted = counting.counts(nodes.Definition(None, where.node))
    >>> list(counted.sizes)
    ['where', 'where.items[0]', 'where.items[1]', 'where.items[1].item']
    >>> counted.sizes["where"] == counted.everyone
    True
    >>> counting.close()
    """

    def __init__(self, engine: Engine, catalog: Catalog, at: Moment, segments: Mapping[str, nodes.Predicate]) -> None:
        self._engine, self._catalog, self._at, self._segments = engine, catalog, at, segments
        self._keeper = engine if isinstance(engine, KeepsAnswers) else None
        self._own = f"segkit_counting_{uuid4().hex[:12]}"
        self._count = 0
        self._names: list[str] = []
        self._numbers: columns.Numbered | None = None
        self._tables: list[_Table] = []
        self._members: dict[Condition, int] = {}
        self._everyone = self._width = self._all = 0

    def counts(self, definition: nodes.Definition) -> Counted:
        """The sizes of all parts of a definition.

        Raises:
            DefinitionError: a part means nothing; `counts_of_valid_parts` counts the others.
            EngineError: the engine refused a query.
        """
        begin = time.perf_counter()
        own = self._plan(definition)
        return self._counted(own, _parts("where", definition.where, own.where), begin)

    def counts_of_valid_parts(self, definition: nodes.Definition) -> tuple[Counted, Mapping[str, SegkitError]]:
        """The sizes of the parts that mean something, and for each condition that does not, why.

        A group with such a condition has no size. What only the whole shows, such as being too deep, is told at `where`.
        """
        with suppress(DefinitionError, DialectError):
            return self.counts(definition), {}
        begin = time.perf_counter()
        plans: list[Plan] = []
        reasons: dict[str, SegkitError] = {}
        part = self._valid("where", definition, plans, reasons)
        if not reasons:
            reasons["where"] = self._refusal(definition)
            part = replace(part, condition=None)
        return self._counted(_together([self._plan(_EVERYONE), *plans]), part, begin), reasons

    def refresh(self) -> None:
        """Forgets all answers, so that the data is asked again."""
        self._numbers, self._tables, self._members = None, [], {}
        while self._names:
            self._drop(self._names[-1])

    def close(self) -> None:
        """Drops the temporary tables; those of a connection that is closed are gone already."""
        with suppress(EngineError):
            self.refresh()

    # ------------------------------------------------------------ what is to be counted

    def _plan(self, definition: nodes.Definition) -> Plan:
        return plan(definition, self._catalog, self._at, self._segments)

    def _valid(self, path: str, definition: nodes.Definition, plans: list[Plan], reasons: dict[str, SegkitError]) -> _Part:
        """A part whose conditions are planned each on its own: into `plans`, or its refusal into `reasons`."""
        below = tuple(
            self._valid(path + step, replace(definition, where=item), plans, reasons) for step, item in _steps(definition.where)
        )
        if below:
            return _Part(path, _joined(definition.where, [part.condition for part in below]), below)
        try:
            own = self._plan(definition)
            render(compile.members(own), self._engine.renders_as)
        except (DefinitionError, DialectError) as error:
            error.where = error.where.replace("$.where", f"$.{path}", 1)
            reasons[path] = error
            return _Part(path, None)
        plans.append(own)
        return _Part(path, own.where)

    def _refusal(self, definition: nodes.Definition) -> SegkitError:
        """Why a definition is refused although each of its conditions is not."""
        try:
            render(compile.members(self._plan(definition)), self._engine.renders_as)
        except (DefinitionError, DialectError) as error:
            return error
        return DefinitionError("the conditions cannot be counted together", fix="remove one")

    # ------------------------------------------------------------ counting

    def _counted(self, whole: Plan, part: _Part, begin: float) -> Counted:
        valid = {own.path: own.condition for own in _walk(part) if own.condition is not None}
        leaves = list(dict.fromkeys(own.condition for own in _walk(part) if not own.below and own.condition is not None))
        known_before = self._numbers is not None
        try:
            sizes = self._sizes(whole, part, leaves, valid)
        except EngineError:
            if not known_before:
                raise
            self.refresh()  # the tables went with a transaction that was taken back, or the data changed its form
            sizes = self._sizes(whole, part, leaves, valid)
        return Counted(self._everyone, sizes, whole.windows, time.perf_counter() - begin)

    def _sizes(self, whole: Plan, part: _Part, leaves: Sequence[Condition], valid: Mapping[str, Condition]) -> dict[str, int]:
        if self._keeper is not None:
            if self._numbers is None:
                self._number_contacts(self._keeper, whole)
            if len(leaves) * self._width <= 8 * MOST_BYTES:
                members = self._members_of(self._keeper, whole, leaves)
                bits = dict(_bits(part, members, self._all))
                return {path: bits[path].bit_count() for path in valid}
        plans = [replace(whole, where=where) for where in (Always(True), *valid.values())]
        self._everyone, *sizes = metrics.sizes(self._engine, plans)["size"].tolist()
        return dict(zip(valid, sizes, strict=True))

    def _members_of(self, keeper: KeepsAnswers, whole: Plan, leaves: Sequence[Condition]) -> Mapping[Condition, int]:
        """Who meets each condition. What was not asked before is asked, in one query for each table that it stands in."""
        found = {leaf: self._members[leaf] for leaf in leaves if leaf in self._members}
        new = [leaf for leaf in leaves if leaf not in found]
        nowhere = [leaf for leaf in new if self._table_of(leaf) is None]
        if nowhere:
            self._keep(keeper, whole, nowhere)
        by_table: dict[str, list[Condition]] = {}
        for leaf in new:
            own = self._table_of(leaf)
            assert own is not None, "it was kept just now"
            by_table.setdefault(own.name, []).append(leaf)
        for own in [own for own in self._tables if own.name in by_table]:
            found |= self._asked(own, whole, by_table[own.name])
        self._remember(found)
        self._forget_tables()
        return found

    def _asked(self, table: _Table, whole: Plan, leaves: Sequence[Condition]) -> dict[Condition, int]:
        """Who meets some conditions, by a table that holds all that they read; it counts as used last."""
        self._tables.remove(table)
        self._tables.append(table)
        found: dict[Condition, int] = {}
        step = max(1, min(100, _AT_ONCE // max(1, self._width)))
        for begin in range(0, len(leaves), step):
            some = leaves[begin : begin + step]
            frame = self._frame(columns.outcomes(table.path, some, table.columns))
            for i, leaf in enumerate(some):
                others = columns.are_of_events(table.columns) and _holds_without_events(whole, leaf)
                found[leaf] = self._all & _as_bits(frame[columns.ROW], frame[f"is_{i}"], self._width, others)
        return found

    # ------------------------------------------------------------ what is kept

    def _table_of(self, leaf: Condition) -> _Table | None:
        """The table that holds all that a condition reads."""
        read = columns.sources(leaf)
        return next((own for own in self._tables if all(source in own.columns for source in read)), None)

    def _number_contacts(self, keeper: KeepsAnswers, whole: Plan) -> None:
        """Keeps the contacts' keys, each with a number: which bit is theirs."""
        keys = self._close_keys(whole)
        numbered = columns.Numbered(self._made(keeper, columns.numbers(whole, keys)), keys)
        rows = self._frame(columns.everyone(numbered.path))[columns.ROW]
        self._width = len(rows if keys is None else keys)
        self._all = _as_bits(rows, True, self._width, False)
        self._everyone = self._all.bit_count()
        self._numbers = numbered

    def _close_keys(self, whole: Plan) -> range | None:
        """The contacts' keys, where these are whole numbers that leave few others between them."""
        key = self._catalog.contacts.fields.get(self._catalog.contacts.key)
        if key is None or key.kind is not Kind.INTEGER:
            return None
        told = self._frame(columns.spread(whole)).to_dict("records")[0]
        first, last = told["smallest"], told["largest"]
        if not isinstance(first, int) or not isinstance(last, int) or max(abs(first), abs(last)) >= 2**62:
            return None
        return range(first, last + 1) if last - first < _ROOM * told["everyone"] else None

    def _keep(self, keeper: KeepsAnswers, whole: Plan, leaves: Sequence[Condition]) -> None:
        """Keeps what conditions read as one more table: as several, where the query would be too large for the engine."""
        read = {source: f"c{i}" for i, source in enumerate(columns.sources(tuple(leaves)))}
        assert self._numbers is not None, "the contacts are numbered first"
        query = columns.table(whole, read, self._numbers)
        if len(leaves) > 1 and not keeper.limits.allow(*compile.extent(query)):
            half = len(leaves) // 2
            self._keep(keeper, whole, leaves[:half])
            self._keep(keeper, whole, leaves[half:])
        else:
            path = self._made(keeper, query)
            self._tables.append(_Table(self._names[-1], path, read))

    def _made(self, keeper: KeepsAnswers, query: Sql) -> str:
        """Makes a table, and gives its name in SQL. Its own name is noted first: an interrupted one is dropped too."""
        self._count += 1
        self._names.append(f"{self._own}_{self._count}")
        return keeper.materialize(self._names[-1], render(query, keeper.renders_as))

    def _drop(self, name: str) -> None:
        if self._keeper is not None:
            self._keeper.discard(name)
        self._names.remove(name)

    def _forget_tables(self) -> None:
        """Drops the tables that were not used for longest, where there are too many columns."""
        while len(self._tables) > 1 and sum(len(own.columns) for own in self._tables) > MOST_COLUMNS:
            self._drop(self._tables.pop(0).name)

    def _remember(self, found: Mapping[Condition, int]) -> None:
        """Keeps who meets conditions, those used last at the end, and forgets the first ones where there are too many."""
        for leaf, bits in found.items():
            self._members.pop(leaf, None)
            self._members[leaf] = bits
        while len(self._members) * self._width > 8 * MOST_BYTES:
            del self._members[next(iter(self._members))]

    def _frame(self, query: Sql) -> pd.DataFrame:
        return self._engine.frame(render(query, self._engine.renders_as))


# ---------------------------------------------------------------- parts of a definition


def _steps(node: nodes.Predicate) -> list[tuple[str, nodes.Predicate]]:
    """The predicates directly below a group, with the steps that lead to them; none below a condition."""
    match node:
        case nodes.And(items) | nodes.Or(items):
            return [(f".items[{i}]", item) for i, item in enumerate(items)]
        case nodes.Not(item):
            return [(".item", item)]
        case _:
            return []


def _parts(path: str, node: nodes.Predicate, condition: Condition) -> _Part:
    """The parts of a predicate, beside those of what it was resolved to."""
    resolved: tuple[Condition, ...] = ()
    match node, condition:
        case (nodes.And(), AllOf(items)) | (nodes.Or(), AnyOf(items)):
            resolved = items
        case nodes.Not(), Complement(item):
            resolved = (item,)
    below = zip(_steps(node), resolved, strict=True)
    return _Part(path, condition, tuple(_parts(path + step, item, own) for (step, item), own in below))


def _joined(node: nodes.Predicate, resolved: Sequence[Condition | None]) -> Condition | None:
    """The condition of a group, None if one below it is missing."""
    known = tuple(own for own in resolved if own is not None)
    if len(known) < len(resolved):
        return None
    match node:
        case nodes.And():
            return AllOf(known)
        case nodes.Or():
            return AnyOf(known)
        case _:
            return Complement(known[0])


def _walk(part: _Part) -> Iterator[_Part]:
    """A part and those below it, in the order in which they stand."""
    yield part
    for own in part.below:
        yield from _walk(own)


def _together(plans: Sequence[Plan]) -> Plan:
    """One plan of all that stands behind the conditions of some."""
    return replace(
        plans[0],
        features=tuple(dict.fromkeys(own for each in plans for own in each.features)),
        parts=tuple(dict.fromkeys(own for each in plans for own in each.parts)),
        lists=tuple(dict.fromkeys(own for each in plans for own in each.lists)),
        spans=tuple(own for each in plans for own in each.spans),
    )


# ---------------------------------------------------------------- bits


def _bits(part: _Part, members: Mapping[Condition, int], everyone: int) -> Iterator[tuple[str, int]]:
    """Who is in each part that means something, by its path: those below a part come before it."""
    below: list[int] = []
    for own in part.below:
        found = dict(_bits(own, members, everyone))
        yield from found.items()
        below += [found[own.path]] if own.path in found else []
    match part.condition:
        case None:
            return
        case AllOf() if below:
            yield part.path, reduce(and_, below)
        case AnyOf() if below:
            yield part.path, reduce(or_, below)
        case Complement() if below:
            yield part.path, everyone ^ below[0]
        case leaf:
            yield part.path, members[leaf]


def _holds_without_events(whole: Plan, leaf: Condition) -> bool:
    """Whether a condition that reads nothing but events holds for a contact that has none."""
    return evaluate.holds(replace(whole, where=leaf, parts=()), {})


def _as_bits(rows: pd.Series, holds: pd.Series | bool, width: int, others: bool) -> int:
    """Truths as one whole number: a contact's number says which bit is theirs; `others` have no row."""
    import numpy as np

    truths = np.full(width, others)
    truths[rows.to_numpy(np.intp)] = holds
    return int.from_bytes(np.packbits(truths, bitorder="little").tobytes(), "little")
