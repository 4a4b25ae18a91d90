"""Who comes and goes at which of many points, in one query: the sweep.

    leaf  ->  how its truth changes: contact, point, +1 or -1  ->  those of all leaves side by side, added up over the points
          ->  the whole condition before and after each change   ->  added up at each point: who came (1) and went (-1)

An event is inside of a window for one stretch of points, `a` to before `b`: it adds what it counts at `a` and takes it away at
`b`. Ties leave no trace: between the changes of one point the condition may turn to and fro, and these turns add up to what it
is after all of them less what it was before. Only groups and window functions are needed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from sqlglot import exp

from segkit.catalog import Column, Kind, time_column
from segkit.compile import conditions, events, given, sql
from segkit.compile.conditions import Names
from segkit.compile.joined import name_of_contacts
from segkit.compile.passing import passed
from segkit.compile.sql import Sql
from segkit.plan import Moment, Plan
from segkit.plan.clock import today
from segkit.plan.course import (
    Added,
    Edges,
    Fixed,
    Group,
    Kept,
    Leaf,
    Listed,
    Negation,
    Node,
    Past,
    Recurring,
    Sliding,
    Window,
    leaves,
)
from segkit.plan.tree import ColumnTerm, Comparison, Condition, Constant, Feature, FeatureTerm

CONTACT, INDEX, SIGN, CAME, WENT = "contact_id", "idx", "sign", "came", "went"
_Outcome: TypeAlias = Callable[[Callable[[str], Sql]], Sql]
"""Writes the outcome of a feature, of its sums, which are read by name."""
_MOST_COUNTED = 1000
_BITS = 5
"""How many leaves share one running sum: so few that lists of numbers tell their states apart, without operators on bits."""
_SUMS = {"avg": ("added", "known"), "sum": ("added",)}


@dataclass(frozen=True)
class Swept:
    """A course that a query is made of: its tree, the plan of its last point, and the instants of all points.

    `absent` says for each leaf whether it holds for a contact without any event or row of history. `narrows` says whether the
    engine answers a part that is read several times once, so that leaves may be looked for among the contacts of others.
    """

    tree: Node
    last: Plan
    instants: tuple[dt.datetime, ...]
    absent: Mapping[Leaf, bool]
    narrows: bool = False

    @property
    def points(self) -> int:
        return len(self.instants)


def moves(own: Swept) -> exp.Select:
    """A row for each time that a contact comes or goes: `contact_id`, `idx` (the point), `sign` (1 or -1)."""
    return _Sweep(own).moves()


def flows(own: Swept) -> exp.Select:
    """A row for each point at which somebody comes or goes: `idx`, how many `came` and how many `went`."""
    query = moves(own)
    ctes = query.args["with_"]
    query.set("with_", None)
    counts: list[Sql] = [
        sql.aliased(exp.Count(this=sql.case_when(exp.EQ(this=_of(SIGN, "m"), expression=sql.number(sign)), sql.number(1))), name)
        for name, sign in ((CAME, 1), (WENT, -1))
    ]
    outer = exp.Select(expressions=[_of(INDEX, "m"), *counts]).from_(sql.subquery(query, "m"), copy=False)
    outer.set("with_", ctes)
    return outer.group_by(_of(INDEX, "m"), copy=False)


def _of(name: str, table: str) -> exp.Column:
    return sql.column(name, table)


class _Sweep:
    def __init__(self, own: Swept) -> None:
        self._own, self._catalog = own, own.last.catalog
        catalog = self._catalog
        lists = [table.table for table in (catalog.lists, catalog.frozen) if table is not None]
        tables = [*(t.table for t in catalog.events), *(t.table for t in catalog.history), catalog.contacts.table, *lists]
        self._taken = {name.casefold() for name in tables}
        self._contacts = name_of_contacts(catalog)
        self._taken.add(self._contacts)
        self._ctes: list[exp.CTE] = []
        self._rows: dict[int, str] | None = None
        self._kept_stays: dict[Window, str] = {}
        self._names = Names(self._contacts, fields=catalog)
        needed = list(_needed(own.tree))
        self._fixed = [node.condition for node in needed if isinstance(node, Fixed)]
        self._tree = Group(True, tuple(node for node in needed if not isinstance(node, Fixed)))
        self._may: str | None = None

    # ------------------------------------------------------------ the whole

    def moves(self) -> exp.Select:
        changes = self._all_changes()
        if (alone := _only_leaf(self._tree)) is not None:
            leaf, sign = alone
            moved = [self._followed(changes[leaf], sign)]
        else:
            moved = self._put_together(changes)
        if self._absent(self._tree) is not False:
            moved.append(self._at_rest())
        net = sql.aliased(exp.Sum(this=_of(SIGN, "u")), SIGN)
        summed = exp.Select(expressions=[_of(CONTACT, "u"), _of(INDEX, "u"), net])
        summed.from_(sql.subquery(_united(moved), "u"), copy=False)
        name = self._cte("changes", summed.group_by(_of(CONTACT, "u"), _of(INDEX, "u"), copy=False))
        query = _select([_of(CONTACT, name), _of(INDEX, name), _of(SIGN, name)], name)
        query.where(exp.NEQ(this=_of(SIGN, name), expression=sql.number(0)), copy=False)
        query.set("with_", exp.With(expressions=self._ctes))
        return query

    def _all_changes(self) -> dict[Leaf, str]:
        """The changes of each leaf.

        What a member needs comes first, above all what asks for many events: whoever never has it is not looked at further.
        """
        done: dict[Leaf, str] = {}
        if self._fixed:
            who = exp.Select(expressions=[sql.aliased(self._key(), CONTACT)]).from_(self._contacts_table(), copy=False)
            self._may = self._cte("may", who.where(*conditions.all_of(self._fixed, self._names), copy=False))
        nodes = sorted(self._tree.items, key=lambda node: _least(node) if self._absent(node) is False else 0, reverse=True)
        for i, node in enumerate(nodes):
            own = [leaf for leaf in dict.fromkeys(leaves(node)) if not isinstance(leaf, Fixed)]
            for leaf in own:
                if leaf not in done:
                    done[leaf] = self._changes(leaf)
            if self._own.narrows and self._absent(node) is False and i + 1 < len(nodes):
                united = _united([_select([_of(CONTACT, done[leaf])], done[leaf]) for leaf in own])
                self._may = self._cte("may", exp.Select(expressions=[exp.Star()]).from_(sql.subquery(united, "u"), copy=False))
        return done

    def _followed(self, changes: str, sign: int) -> exp.Select:
        """The whole condition where it is one leaf, or what is not: it changes as the leaf does."""
        own: Sql = _of(SIGN, changes) if sign > 0 else exp.Neg(this=_of(SIGN, changes))
        query = _select([_of(CONTACT, changes), _of(INDEX, changes), sql.aliased(own, SIGN)], changes)
        return self._of_contacts(query, changes)

    def _of_contacts(self, query: exp.Select, table: str) -> exp.Select:
        """Adds to a query of changes that they are of contacts who meet what is the same at each point."""
        query.join(self._contacts_table(), on=self._is_contact(table), copy=False)
        return query.where(*conditions.all_of(self._fixed, self._names), copy=False)

    def _put_together(self, changes: Mapping[Leaf, str]) -> list[exp.Select]:
        """The whole condition, of what its leaves are before and after each change."""
        found = [leaf for leaf in dict.fromkeys(leaves(self._tree)) if leaf in changes]
        places: dict[Leaf, tuple[str, int]] = {leaf: (f"mask_{i // _BITS}", i % _BITS) for i, leaf in enumerate(found)}
        masks = list(dict.fromkeys(mask for mask, _ in places.values()))
        parts = [self._weighed(changes[leaf], *places[leaf], masks) for leaf in found]
        return [self._compared(self._states(parts, masks), places)] if parts else []

    def _weighed(self, changes: str, mask: str, bit: int, masks: Sequence[str]) -> exp.Select:
        """The changes of a leaf as changes of its bit in one of some masks."""
        weighed: Sql = _of(SIGN, changes) if bit == 0 else exp.Mul(this=_of(SIGN, changes), expression=sql.number(1 << bit))
        columns: list[Sql] = [sql.aliased(weighed if own == mask else sql.number(0), own) for own in masks]
        return _select([_of(CONTACT, changes), _of(INDEX, changes), *columns], changes)

    def _states(self, parts: Sequence[exp.Select], masks: Sequence[str]) -> str:
        """Each change of the masks (`d_...`) and what they are after it (`r_...`)."""
        if len(masks) > 1:
            return self._running("states", parts, masks)
        [own] = masks
        run = _up_to_here(exp.Sum(this=_of(own, "u")), [_of(CONTACT, "u")], _of(INDEX, "u"))
        columns = [_of(CONTACT, "u"), _of(INDEX, "u"), sql.aliased(_of(own, "u"), f"d_{own}"), sql.aliased(run, f"r_{own}")]
        return self._cte("states", exp.Select(expressions=columns).from_(sql.subquery(_united(parts), "u"), copy=False))

    def _compared(self, running: str, places: Mapping[Leaf, tuple[str, int]]) -> exp.Select:
        """Where the whole condition is another one than before the change."""

        def state(now: bool) -> Sql:
            def told(node: Node) -> Sql | None:
                masks = {None if isinstance(leaf, Fixed) else places[leaf][0] for leaf in leaves(node)}
                mask = next(iter(masks))
                if len(masks) > 1 or mask is None:
                    return None
                own: Sql = _of(f"r_{mask}", running)
                if not now:
                    own = exp.Paren(this=exp.Sub(this=own, expression=_of(f"d_{mask}", running)))
                held = self._held_by(node, {leaf: bit for leaf, (other, bit) in places.items() if other == mask})
                return exp.In(this=own, expressions=held) if held else _never()

            return sql.case_when(self._holds(self._tree, told), sql.number(1), sql.number(0))

        sign = sql.aliased(exp.Sub(this=state(True), expression=state(False)), SIGN)
        inner = _select([_of(CONTACT, running), _of(INDEX, running), sign], running)
        outer = exp.Select(expressions=[_of(own, "s") for own in (CONTACT, INDEX, SIGN)])
        outer.from_(sql.subquery(inner, "s"), copy=False)
        outer.where(exp.NEQ(this=_of(SIGN, "s"), expression=sql.number(0)), copy=False)
        reads_contact = any(isinstance(leaf, Fixed) for leaf in leaves(self._tree))
        joined, table = (inner, running) if reads_contact else (outer, "s")
        self._of_contacts(joined, table)
        return outer

    def _held_by(self, node: Node, bits: Mapping[Leaf, int]) -> list[Sql]:
        """The sums of changes in one mask with which a node holds."""
        at_rest = sum(1 << bit for leaf, bit in bits.items() if self._own.absent.get(leaf, False))
        states = (state for state in range(1 << len(bits)) if _is_true(node, {leaf for leaf in bits if state >> bits[leaf] & 1}))
        return [sql.number(state - at_rest) for state in states]

    def _holds(self, node: Node, told: Callable[[Node], Sql | None]) -> Sql:
        """Whether a node holds, of what can be told of it, or of its parts, at once."""
        if (known := told(node)) is not None:
            return known
        match node:
            case Group(is_all, items):
                parts = [exp.Paren(this=self._holds(item, told)) for item in items]
                return sql.joined(exp.And if is_all else exp.Or, list(parts))
            case Negation(item):
                zero_or_one = sql.case_when(self._holds(item, told), sql.number(0), sql.number(1))
                return exp.EQ(this=zero_or_one, expression=sql.number(1))
            case Fixed(condition):
                return conditions.condition(condition, self._names)
            case _:
                raise AssertionError("what changes can be told")

    def _absent(self, node: Node) -> bool | None:
        """The truth of a node for contacts for whom no leaf changes, None where it differs."""
        match node:
            case Group(is_all, items):
                found = [self._absent(item) for item in items]
                if (not is_all) in found:
                    return not is_all
                return None if None in found else is_all
            case Negation(item):
                own = self._absent(item)
                return None if own is None else not own
            case Fixed():
                return None
            case leaf:
                return self._own.absent.get(leaf, False)

    def _at_rest(self) -> exp.Select:
        """Who is a member as long as no leaf changes, as one that comes at the first point."""

        def told(node: Node) -> Sql | None:
            own = self._absent(node)
            return None if own is None else exp.EQ(this=sql.number(1), expression=sql.number(1 if own else 0))

        selected = [sql.aliased(self._key(), CONTACT), sql.aliased(self._first_point(), INDEX), sql.aliased(sql.number(1), SIGN)]
        query = exp.Select(expressions=selected).from_(self._contacts_table(), copy=False)
        holds = sql.operand(self._holds(self._tree, told))
        return query.where(*conditions.all_of(self._fixed, self._names), holds, copy=False)

    def _first_point(self) -> Sql:
        """0, as a value that may be missing: DataFusion fails where a union has a column that may be and one that may not."""
        return sql.case_when(exp.Not(this=exp.Paren(this=exp.Is(this=self._key(), expression=exp.Null()))), sql.number(0))

    def _contacts_table(self) -> exp.Table:
        return sql.table(self._catalog.contacts.table, self._contacts)

    def _key(self) -> Sql:
        return _of(self._catalog.contacts.key, self._contacts)

    def _is_contact(self, table: str) -> Sql:
        return exp.EQ(this=self._key(), expression=_of(CONTACT, table))

    def _cte(self, wish: str, query: exp.Select) -> str:
        name = sql.fresh(wish, self._taken)
        self._ctes.append(sql.cte(name, query))
        return name

    def _running(self, wish: str, parts: Sequence[exp.Select], columns: Sequence[str]) -> str:
        """Changes added up at each point (`d_...`) and over the points up to it (`r_...`)."""
        union = _united(parts)
        sums: list[Sql] = [sql.aliased(exp.Sum(this=_of(own, "u")), f"d_{own}") for own in columns]
        grouped = exp.Select(expressions=[_of(CONTACT, "u"), _of(INDEX, "u"), *sums]).from_(sql.subquery(union, "u"), copy=False)
        grouped.group_by(_of(CONTACT, "u"), _of(INDEX, "u"), copy=False)
        selected: list[Sql] = [_of(CONTACT, "g"), _of(INDEX, "g")]
        for own in columns:
            selected.append(_of(f"d_{own}", "g"))
            selected.append(
                sql.aliased(_up_to_here(exp.Sum(this=_of(f"d_{own}", "g")), [_of(CONTACT, "g")], _of(INDEX, "g")), f"r_{own}")
            )
        return self._cte(wish, exp.Select(expressions=selected).from_(sql.subquery(grouped, "g"), copy=False))

    # ------------------------------------------------------------ leaves

    def _changes(self, leaf: Leaf) -> str:
        """The name of a query of a leaf's changes: contact, point, +1 or -1 against what holds without any."""
        match leaf:
            case Added():
                return self._added(leaf)
            case Kept(condition, window):
                return self._kept(leaf, condition, window)
            case Sliding(window=None):
                return self._sliding(leaf)
            case Sliding():
                return self._sliding_event(leaf)
            case Recurring():
                return self._recurring(leaf)
            case Listed():
                return self._listed(leaf)
            case Past():
                return self._past(leaf)
            case Fixed():
                raise AssertionError("what is the same at each point does not change")
            case _:
                assert_never(leaf)

    # ------------------------------------------------------------ sums

    def _added(self, leaf: Added) -> str:
        if (steps := _steps(leaf)) is not None:
            parts = [part for count, sign in steps for part in self._reached(leaf.windows[0], count, sign)]
            return self._cte("flips", exp.Select(expressions=[exp.Star()]).from_(sql.subquery(_united(parts), "u"), copy=False))
        return self._added_up(leaf)

    def _reached(self, window: Window, count: int, sign: int) -> list[exp.Select]:
        """When so many events are reached, and when they no longer are: while the one that came so many before is still in.

        The stretches of a contact, one for each event, end in the order in which they begin; where they meet they are one.
        """
        if window.lows is None:
            stays = self._stays(window, {})
            place = sql.row_number([_of(CONTACT, stays)], [exp.Ordered(this=_of("at", stays), desc=False, nulls_first=True)])
            ranked = self._cte("ranked", _select([_of(CONTACT, stays), _of("a", stays), sql.aliased(place, "place")], stays))
            columns = [_of(CONTACT, ranked), sql.aliased(_of("a", ranked), INDEX), sql.aliased(sql.number(sign), SIGN)]
            reached = exp.EQ(this=_of("place", ranked), expression=sql.number(count))
            return [_select(columns, ranked).where(reached, copy=False)]
        full = self._stretches(window, count)
        by: list[Sql] = [_of(CONTACT, full)]
        order = [_of("a", full), _of("b", full)]
        after, before = _beside(_of("a", full), by, order, 1), _beside(_of("b", full), by, order, -1)
        columns = [_of(CONTACT, full), _of("a", full), _of("b", full), sql.aliased(after, "n"), sql.aliased(before, "p")]
        own = self._cte("reached", _select(columns, full))
        a, b, n, p = (_of(name, own) for name in "abnp")
        is_last = exp.Or(this=sql.is_null("n", own), expression=exp.GT(this=n, expression=b))
        is_first = exp.Or(this=sql.is_null("p", own), expression=exp.LT(this=p, expression=a))
        found = []
        for point, change, only in ((a, sign, [is_first]), (b, -sign, [is_last, self._ends(b)])):
            columns = [_of(CONTACT, own), sql.aliased(point, INDEX), sql.aliased(sql.number(change), SIGN)]
            found.append(_select(columns, own).where(*(exp.Paren(this=each.copy()) for each in only), copy=False))
        return found

    def _stretches(self, window: Window, count: int) -> str:
        """From which point (`a`) until before which (`b`) an event is the last of so many that are in a window."""
        if count == 1:
            stays = self._stays(window, {})
            query = _select([_of(CONTACT, stays), _of("a", stays), _of("b", stays)], stays)
            return self._cte("full", query.where(exp.LT(this=_of("a", stays), expression=_of("b", stays)), copy=False))
        before = _beside(_of("at", "h"), [_of(CONTACT, "h")], [_of("at", "h")], 1 - count)
        columns = [_of(CONTACT, "h"), _of("at", "h"), sql.aliased(before, "since")]
        counted = exp.Select(expressions=columns).from_(sql.subquery(self._happened(window, {}), "h"), copy=False)
        name = self._cte("counted", self._among_those_left(counted))
        begin, end = self._begin(window, "at", name), self._end(window, "since", name)
        points = _select([_of(CONTACT, name), sql.aliased(begin, "a"), sql.aliased(end, "b")], name)
        points.where(exp.Not(this=exp.Paren(this=sql.is_null("since", name))), copy=False)
        query = exp.Select(expressions=[_of(CONTACT, "s"), _of("a", "s"), _of("b", "s")]).from_(
            sql.subquery(points, "s"), copy=False
        )
        return self._cte("full", query.where(exp.LT(this=_of("a", "s"), expression=_of("b", "s")), copy=False))

    def _added_up(self, leaf: Added) -> str:
        columns: dict[str, None] = {}
        outcomes: dict[Feature, _Outcome] = {}
        sources: list[tuple[str, list[str]]] = []
        for i, window in enumerate(leaf.windows):
            names = [f"{what}_{i}" for what in _SUMS.get(window.feature.measure, ("count",))]
            columns |= dict.fromkeys(names)
            sources.append((self._comings(window, names), names))
            outcomes[window.feature] = _outcome(window.feature, names)
        parts = [
            _select(
                [
                    _of(CONTACT, name),
                    _of(INDEX, name),
                    *(sql.aliased(_of(own, name) if own in names else sql.number(0), own) for own in columns),
                ],
                name,
            )
            for name, names in sources
        ]
        if leaf.reads_contact:
            parts.append(self._all_contacts(list(columns)))
        return self._flips(self._running("counted", parts, list(columns)), leaf, outcomes)

    def _all_contacts(self, columns: Sequence[str]) -> exp.Select:
        zeros: list[Sql] = [sql.aliased(sql.number(0), own) for own in columns]
        selected: list[Sql] = [sql.aliased(self._key(), CONTACT), sql.aliased(self._first_point(), INDEX), *zeros]
        return exp.Select(expressions=selected).from_(self._contacts_table(), copy=False)

    def _flips(self, running: str, leaf: Added, outcomes: Mapping[Feature, _Outcome]) -> str:
        """Where a condition on sums is another one than before."""

        def holds(read: Callable[[str], Sql]) -> Sql:
            written = {own: _bound(write, read) for own, write in outcomes.items()}
            names = Names(self._contacts, written, fields=self._catalog)
            return sql.case_when(conditions.condition(leaf.condition, names), sql.number(1), sql.number(0))

        now = holds(lambda own: _of(f"r_{own}", running))
        before: Sql = holds(
            lambda own: exp.Paren(this=exp.Sub(this=_of(f"r_{own}", running), expression=_of(f"d_{own}", running)))
        )
        if leaf.reads_contact:
            first = exp.EQ(this=_of(INDEX, running), expression=sql.number(0))
            before = exp.Case(ifs=[exp.If(this=first, true=sql.number(0))], default=before)
        sign = sql.aliased(exp.Sub(this=now, expression=before), SIGN)
        query = _select([_of(CONTACT, running), _of(INDEX, running), sign], running)
        if leaf.reads_contact:
            query.join(self._contacts_table(), on=self._is_contact(running), copy=False)
        return self._changed(query)

    def _changed(self, query: exp.Select) -> str:
        """The rows of a query in which something changes."""
        outer = exp.Select(expressions=[_of(own, "f") for own in (CONTACT, INDEX, SIGN)]).from_(
            sql.subquery(query, "f"), copy=False
        )
        return self._cte("flips", outer.where(exp.NEQ(this=_of(SIGN, "f"), expression=sql.number(0)), copy=False))

    def _comings(self, window: Window, names: Sequence[str]) -> str:
        """What a window's events add at the point where they come in, and take away where they go out."""
        feature = window.feature
        if feature.measure in ("distinct", "days", "weeks", "months"):
            return self._values_in(window, names[0])
        of = feature.of
        columns: dict[str, Callable[[Names], Sql]] = {}
        if of is not None:
            columns["of"] = lambda n: sql.summed(conditions.term(of, n)) if of.kind is Kind.INTEGER else conditions.term(of, n)
        stays = self._stays(window, columns)

        def counted(sign: int) -> list[Sql]:
            one: Sql = sql.number(sign)
            if of is None:
                return [sql.aliased(one, names[0])]
            value: Sql = exp.Coalesce(this=_of("of", stays), expressions=[sql.number(0)])
            known: Sql = sql.case_when(exp.Is(this=_of("of", stays), expression=exp.Null()), sql.number(0), one)
            own = [value if sign > 0 else exp.Neg(this=exp.Paren(this=value)), known]
            return [sql.aliased(each, name) for each, name in zip(own, names, strict=False)]

        return self._in_and_out(stays, window, counted)

    def _in_and_out(self, stays: str, window: Window, counted: Callable[[int], list[Sql]]) -> str:
        parts = [_select([_of(CONTACT, stays), sql.aliased(_of("a", stays), INDEX), *counted(1)], stays)]
        if window.lows is not None:
            out = _select([_of(CONTACT, stays), sql.aliased(_of("b", stays), INDEX), *counted(-1)], stays)
            parts.append(out.where(self._ends(_of("b", stays)), copy=False))
        return self._cte("comings", exp.Select(expressions=[exp.Star()]).from_(sql.subquery(_united(parts), "u"), copy=False))

    def _ends(self, own: Sql) -> Sql:
        return exp.LT(this=own, expression=sql.number(self._own.points))

    def _values_in(self, window: Window, name: str) -> str:
        """When different values come into a window and leave it: the first event of each, and the last."""
        feature = window.feature
        stays = self._stays(window, {"of": lambda n: events.told_apart(feature, n)})
        keys = [_of(CONTACT, stays), _of("of", stays)]
        known = exp.Not(this=exp.Paren(this=exp.Is(this=_of("of", stays), expression=exp.Null())))
        if window.lows is None:
            first = sql.aliased(exp.Min(this=_of("a", stays)), INDEX)
            own = _select([*keys, first], stays).where(known, copy=False).group_by(*(key.copy() for key in keys), copy=False)
            columns = [_of(CONTACT, "v"), _of(INDEX, "v"), sql.aliased(sql.number(1), name)]
            return self._cte("values", exp.Select(expressions=columns).from_(sql.subquery(own, "v"), copy=False))
        parts = [
            _select(
                [*(key.copy() for key in keys), sql.aliased(_of(end, stays), INDEX), sql.aliased(sql.number(sign), "n")], stays
            )
            for end, sign in (("a", 1), ("b", -1))
        ]
        parts[1].where(self._ends(_of("b", stays)), copy=False)
        for part in parts:
            part.where(known.copy(), copy=False)
        three = [_of(own, "u") for own in (CONTACT, "of", INDEX)]
        grouped = exp.Select(expressions=[*three, sql.aliased(exp.Sum(this=_of("n", "u")), "d")])
        grouped.from_(sql.subquery(_united(parts), "u"), copy=False).group_by(*(own.copy() for own in three), copy=False)
        run = _up_to_here(exp.Sum(this=_of("d", "g")), [_of(CONTACT, "g"), _of("of", "g")], _of(INDEX, "g"))
        running = exp.Select(expressions=[_of(CONTACT, "g"), _of(INDEX, "g"), _of("d", "g"), sql.aliased(run, "r")])
        running.from_(sql.subquery(grouped, "g"), copy=False)
        before: Sql = exp.Paren(this=exp.Sub(this=_of("r", "s"), expression=_of("d", "s")))
        change = exp.Sub(this=_one_if_any(_of("r", "s")), expression=_one_if_any(before))
        query = exp.Select(expressions=[_of(CONTACT, "s"), _of(INDEX, "s"), sql.aliased(change, name)])
        return self._cte("values", query.from_(sql.subquery(running, "s"), copy=False))

    # ------------------------------------------------------------ one value after the other

    def _kept(self, leaf: Kept, condition: Condition, window: Window) -> str:
        regimes = self._regimes(window)
        names = Names(self._contacts, {window.feature: lambda: _of("value", regimes)}, fields=self._catalog)
        return self._held(regimes, conditions.condition(condition, names), leaf)

    def _held(self, regimes: str, holds: Sql, leaf: Leaf) -> str:
        """Stretches of points (`a` to before `b`) in each of which something holds or not, as changes."""
        is_absent = self._own.absent.get(leaf, False)
        differs = sql.case_when(holds, sql.number(0 if is_absent else 1), sql.number(1 if is_absent else 0))
        wanted = exp.EQ(this=differs, expression=sql.number(1))
        return self._spans(regimes, _of("a", regimes), _of("b", regimes), -1 if is_absent else 1, [wanted])

    def _spans(self, source: str, begin: Sql, end: Sql, sign: int, where: Sequence[Sql]) -> str:
        return self._cte("flips", self._spanned(source, begin, end, sign, where))

    def _spanned(self, source: str, begin: Sql, end: Sql, sign: int, where: Sequence[Sql]) -> exp.Select:
        """From one point until before another, a change and its end."""
        rows = _select([_of(CONTACT, source), sql.aliased(begin, "a"), sql.aliased(end, "b")], source)
        for own in where:
            rows.where(own, copy=False)
        spans = self._cte("spans", rows)
        is_some: Sql = exp.LT(this=_of("a", spans), expression=_of("b", spans))
        parts = []
        for point, change in (("a", sign), ("b", -sign)):
            columns: list[Sql] = [sql.aliased(_of(point, spans), INDEX), sql.aliased(sql.number(change), SIGN)]
            part = _select([_of(CONTACT, spans), *columns], spans)
            parts.append(part.where(is_some.copy(), self._ends(_of(point, spans)), copy=False))
        return exp.Select(expressions=[exp.Star()]).from_(sql.subquery(_united(parts), "u"), copy=False)

    def _regimes(self, window: Window) -> str:
        """The stretches of points with one last (first, latest) event: contact, `a`, `b`, `value`."""
        feature = window.feature
        if feature.measure == "first":
            return self._first(window)
        own = self._stays(window, {} if feature.of is None else self._latest_columns(feature))
        is_latest = feature.measure == "latest"
        newest, value = (self._newest(own, feature), "value") if is_latest else (own, "at")
        following = _beside(_of("a", newest), [_of(CONTACT, newest)], [_of("a" if is_latest else "at", newest)], 1)
        nexts: Sql = exp.Coalesce(this=following, expressions=[sql.number(self._own.points)])
        columns: list[Sql] = [_of(CONTACT, newest), _of("a", newest), sql.aliased(_of(value, newest), "value")]
        if window.lows is None:
            return self._cte("lasting", _select([*columns, sql.aliased(nexts, "b")], newest))
        inner = _select([*columns, _of("b", newest), sql.aliased(nexts, "c")], newest)
        end = sql.case_when(exp.LT(this=_of("b", "n"), expression=_of("c", "n")), _of("b", "n"), _of("c", "n"))
        query = exp.Select(expressions=[_of(CONTACT, "n"), _of("a", "n"), sql.aliased(end, "b"), _of("value", "n")])
        return self._cte("lasting", query.from_(sql.subquery(inner, "n"), copy=False))

    def _latest_columns(self, feature: Feature) -> dict[str, Callable[[Names], Sql]]:
        of, tie = feature.of, events.tie(feature, self._catalog)
        assert of is not None
        columns: dict[str, Callable[[Names], Sql]] = {"value": lambda n: conditions.term(of, n)}
        if tie is not None:
            columns["tie"] = lambda n: _of(tie, n.table)
        return columns

    def _newest(self, stays: str, feature: Feature) -> str:
        """The last event of those that come in at one point, ties by their id, then by the property."""
        order = ["at", *(["tie"] if events.tie(feature, self._catalog) is not None else []), "value"]
        place = sql.row_number(
            [_of(CONTACT, stays), _of("a", stays)],
            [exp.Ordered(this=_of(own, stays), desc=True, nulls_first=False) for own in order],
        )
        inner = _select([_of(own, stays) for own in (CONTACT, "a", "b", "value")] + [sql.aliased(place, "place")], stays)
        query = exp.Select(expressions=[_of(own, "p") for own in (CONTACT, "a", "b", "value")])
        query.from_(sql.subquery(inner, "p"), copy=False)
        return self._cte("newest", query.where(exp.EQ(this=_of("place", "p"), expression=sql.number(1)), copy=False))

    def _first(self, window: Window) -> str:
        """The first event in a window is the one that leaves it next."""
        own = self._stays(window, {})
        value, first = sql.aliased(exp.Min(this=_of("at", own)), "value"), sql.aliased(exp.Min(this=_of("a", own)), "a")
        if window.lows is None:
            end = sql.aliased(sql.number(self._own.points), "b")
            return self._cte(
                "firsts", _select([_of(CONTACT, own), first, end, value], own).group_by(_of(CONTACT, own), copy=False)
            )
        grouped = _select([_of(CONTACT, own), _of("b", own), first, value], own)
        oldest = self._cte("oldest", grouped.group_by(_of(CONTACT, own), _of("b", own), copy=False))
        before = _beside(_of("b", oldest), [_of(CONTACT, oldest)], [_of("b", oldest)], -1)
        inner = _select(
            [_of(CONTACT, oldest), _of("a", oldest), _of("b", oldest), _of("value", oldest), sql.aliased(before, "c")], oldest
        )
        begin = sql.case_when(exp.GT(this=_of("c", "o"), expression=_of("a", "o")), _of("c", "o"), _of("a", "o"))
        query = exp.Select(expressions=[_of(CONTACT, "o"), sql.aliased(begin, "a"), _of("b", "o"), _of("value", "o")])
        return self._cte("firsts", query.from_(sql.subquery(inner, "o"), copy=False))

    # ------------------------------------------------------------ edges that move on

    def _sliding(self, leaf: Sliding) -> str:
        """A time of the contact: before the edges pass it one thing holds, afterwards the other."""
        columns = ((self._key(), CONTACT), (conditions.term(leaf.term, self._names), "value"), (self._first_point(), "a"))
        selected: list[Sql] = [sql.aliased(own, name) for own, name in columns]
        times = exp.Select(expressions=selected).from_(self._contacts_table(), copy=False)
        name = self._cte("times", times)
        return self._slid(name, leaf, _of("a", name), sql.number(self._own.points))

    def _sliding_event(self, leaf: Sliding) -> str:
        assert leaf.window is not None
        name = self._regimes(leaf.window)
        return self._slid(name, leaf, _of("a", name), _of("b", name))

    def _slid(self, source: str, leaf: Sliding, begin: Sql, end: Sql) -> str:
        turn = passed(lambda: _of("value", source), leaf.term, leaf.edges, leaf.op in (">=", "<"))
        columns: list[Sql] = [_of(CONTACT, source), sql.aliased(begin, "a"), sql.aliased(end, "b"), sql.aliased(turn, "t")]
        known = exp.Not(this=exp.Paren(this=sql.is_null("value", source)))
        inner = self._cte("turns", _select(columns, source).where(known, copy=False))
        a, b, t = (_of(own, inner) for own in "abt")
        if leaf.op in (">", ">="):
            return self._spans(inner, a, sql.case_when(exp.LT(this=t, expression=b), t.copy(), b.copy()), 1, [])
        return self._spans(inner, sql.case_when(exp.GT(this=t, expression=a), t.copy(), a.copy()), b, 1, [])

    def _recurring(self, leaf: Recurring) -> str:
        if not leaf.stretches:
            return self._cte("spans", self._nothing())
        kind = leaf.stretches[0][0].kind
        columns = [Column("value", kind), Column("a", Kind.INTEGER), Column("b", Kind.INTEGER)]
        rows = [{"value": own.value, "a": begin, "b": end} for own, begin, end in leaf.stretches]
        table = given.Given(sql.fresh("stretches", self._taken), columns, rows)
        self._ctes += given.ctes(table)
        own = conditions.term(leaf.term, self._names)
        query = exp.Select(expressions=[sql.aliased(self._key(), CONTACT), _of("a", table.name), _of("b", table.name)])
        query.from_(self._contacts_table(), copy=False)
        on = exp.EQ(this=sql.operand(own), expression=_of("value", table.name))
        name = self._cte("recurring", query.join(sql.table(table.name), on=on, copy=False))
        return self._spans(name, _of("a", name), _of("b", name), 1, [])

    def _nothing(self) -> exp.Select:
        selected: list[Sql] = [
            sql.aliased(self._key(), CONTACT),
            sql.aliased(sql.number(0), INDEX),
            sql.aliased(sql.number(0), SIGN),
        ]
        return exp.Select(expressions=selected).from_(self._contacts_table(), copy=False).where(_never(), copy=False)

    # ------------------------------------------------------------ lists and history

    def _listed(self, leaf: Listed) -> str:
        table = self._catalog.list_table(leaf.name)
        assert table is not None
        stays = [
            sql.number(otherwise) if name is None else self._point(time_column(table.columns, name), "l", otherwise)
            for name, otherwise in ((table.joined, 0), (table.left, self._own.points))
        ]
        query = exp.Select(expressions=[sql.aliased(_of(table.contact, "l"), CONTACT), *map(sql.aliased, stays, "ab")])
        query.from_(sql.table(table.table, "l"), copy=False)
        query.where(exp.EQ(this=conditions.read(table.list, Kind.TEXT, "l"), expression=sql.string(leaf.name)), copy=False)
        own = self._cte("listed", query)
        changes = self._spans(own, _of("a", own), _of("b", own), 1, [])
        named = _select([_of(CONTACT, changes), _of(INDEX, changes), sql.aliased(_of(SIGN, changes), "n")], changes)
        running = self._running("on_list", [named], ["n"])
        before: Sql = exp.Paren(this=exp.Sub(this=_of("r_n", running), expression=_of("d_n", running)))
        sign = exp.Sub(this=_one_if_any(_of("r_n", running)), expression=_one_if_any(before))
        return self._changed(_select([_of(CONTACT, running), _of(INDEX, running), sql.aliased(sign, SIGN)], running))

    def _point(self, column: Column, table: str, otherwise: int) -> Sql:
        """The first point that is not before a time; another where the time is missing."""
        kind = column.kind if column.kind in (Kind.DATE, Kind.TIMESTAMPTZ) else Kind.TIMESTAMP
        term = ColumnTerm(column.name, kind, column.zone if kind is Kind.TIMESTAMP else None)
        instants, zone = self._own.instants, self._own.last.at.zone
        edges: Edges = tuple(today(Moment(at, zone)) for at in instants) if kind is Kind.DATE else instants
        first = passed(lambda: conditions.read(column.name, kind, table), term, edges, False)
        return sql.case_when(sql.is_null(column.name, table), sql.number(otherwise), first)

    def _past(self, leaf: Past) -> str:
        """At each point where a row of history begins or ends, the valid one that began last."""
        history = self._catalog.history[leaf.table]
        begin, end = (time_column(history.columns, name) for name in (history.valid_from, history.valid_to))
        names = events.past_columns(history)
        selected: list[Sql] = [sql.aliased(_of(history.contact, "h"), CONTACT)]
        selected += [
            sql.aliased(self._point(begin, "h", 0), "a"),
            sql.aliased(self._point(end, "h", self._own.points), "b"),
        ]
        selected += [sql.aliased(own, name) for name, own in names.items()]
        place = sql.row_number([_of(history.contact, "h")], events.past_order(history))
        selected.append(sql.aliased(place, "place"))
        rows = self._cte("valid", exp.Select(expressions=selected).from_(sql.table(history.table, "h"), copy=False))
        points = [
            _select([_of(CONTACT, rows), sql.aliased(_of(own, rows), INDEX)], rows).where(self._ends(_of(own, rows)), copy=False)
            for own in "ab"
        ]
        distinct = exp.Select(expressions=[_of(CONTACT, "u"), _of(INDEX, "u")], distinct=exp.Distinct())
        turns = self._cte("turns", distinct.from_(sql.subquery(_united(points), "u"), copy=False))
        best = sql.row_number(
            [_of(CONTACT, turns), _of(INDEX, turns)], [exp.Ordered(this=_of("place", rows), desc=False, nulls_first=True)]
        )
        inner = _select(
            [_of(CONTACT, turns), _of(INDEX, turns), *(_of(name, rows) for name in names), sql.aliased(best, "best")], turns
        )
        on = sql.joined(
            exp.And,
            [
                exp.EQ(this=_of(CONTACT, rows), expression=_of(CONTACT, turns)),
                exp.LTE(this=_of("a", rows), expression=_of(INDEX, turns)),
                exp.GT(this=_of("b", rows), expression=_of(INDEX, turns)),
            ],
        )
        inner.join(sql.table(rows), on=on, join_type="left", copy=False)
        kept = exp.Select(expressions=[_of(CONTACT, "t"), _of(INDEX, "t"), *(_of(name, "t") for name in names)])
        kept.from_(sql.subquery(inner, "t"), copy=False).where(
            exp.EQ(this=_of("best", "t"), expression=sql.number(1)), copy=False
        )
        own = self._cte("then", kept)
        following = _beside(_of(INDEX, own), [_of(CONTACT, own)], [_of(INDEX, own)], 1)
        nexts: Sql = exp.Coalesce(this=following, expressions=[sql.number(self._own.points)])
        columns: list[Sql] = [_of(CONTACT, own), sql.aliased(_of(INDEX, own), "a"), sql.aliased(nexts, "b")]
        regimes = self._cte("lasting", _select([*columns, *(_of(name, own) for name in names)], own))
        holds = conditions.condition(leaf.condition, Names(self._contacts, past={leaf.table: regimes}, fields=self._catalog))
        return self._held(regimes, holds, leaf)

    # ------------------------------------------------------------ events

    def _stays(self, window: Window, columns: Mapping[str, Callable[[Names], Sql]]) -> str:
        """The events of a window that are in it at some point: contact, `at`, from which point (`a`) until before which (`b`)."""
        key = replace(window, feature=replace(window.feature, measure="count", of=None))
        if not columns and key in self._kept_stays:
            return self._kept_stays[key]
        begin = self._begin(window, "at", "h")
        end = sql.number(self._own.points) if window.lows is None else self._end(window, "at", "h")
        named: list[Sql] = [_of("at", "h"), *(_of(name, "h") for name in columns)]
        query = exp.Select(expressions=[_of(CONTACT, "h"), sql.aliased(begin, "a"), sql.aliased(end, "b"), *named])
        query.from_(sql.subquery(self._happened(window, columns), "h"), copy=False)
        name = self._cte("stays", self._among_those_left(query))
        if not columns:
            self._kept_stays[key] = name
        return name

    def _happened(self, window: Window, columns: Mapping[str, Callable[[Names], Sql]]) -> exp.Select:
        """The events of a window that may be in it at some point: contact, `at` and more."""
        time = window.feature.time
        written: dict[str, Callable[[Names], Sql]] = {"at": lambda names: conditions.term(time, names), **columns}
        return events.happened(window.feature, window.reach, written, self._catalog, self._event_rows())

    def _begin(self, window: Window, column: str, table: str) -> Sql:
        """The first point at which what happened at a time is in a window."""
        return passed(lambda: _of(column, table), window.feature.time, window.highs, not window.feature.bounds.high_in)

    def _end(self, window: Window, column: str, table: str) -> Sql:
        """The first point at which what happened at a time is in a window no longer."""
        assert window.lows is not None
        return passed(lambda: _of(column, table), window.feature.time, window.lows, window.feature.bounds.low_in)

    def _among_those_left(self, query: exp.Select) -> exp.Select:
        """What happened (`h`) to contacts of whom it has still to be looked whether they are members."""
        return query if self._may is None else query.where(_among(_of(CONTACT, "h"), self._may), copy=False)

    def _event_rows(self) -> dict[int, str]:
        """The tables of events, each id once where they repeat."""
        if self._rows is None:
            windows = [w for leaf in leaves(self._own.tree) for w in _windows(leaf)]
            features = [replace(w.feature, bounds=w.reach) for w in windows]
            self._rows, queries = events.unique_events(features, self._catalog, self._own.last.at, self._taken)
            self._ctes += [sql.cte(name, query) for name, query in queries]
        return self._rows


def _windows(leaf: Leaf) -> tuple[Window, ...]:
    match leaf:
        case Added(_, windows, _):
            return windows
        case Kept(_, window):
            return (window,)
        case Sliding(window=Window() as window):
            return (window,)
        case _:
            return ()


# ---------------------------------------------------------------- small parts


def _needed(node: Node) -> Iterator[Node]:
    """What a node is an AND of."""
    match node:
        case Group(True, items):
            for item in items:
                yield from _needed(item)
        case _:
            yield node


def _least(node: Node) -> int:
    """How many events a contact has at least for whom a node holds that does not hold without any; 1 where nobody knows."""
    match node:
        case Group(is_all, items) if items:
            return (max if is_all else min)(map(_least, items))
        case Added() if (steps := _steps(node)) is not None and steps[0][1] > 0:
            return steps[0][0]
        case _:
            return 1


def _is_true(node: Node, held: Collection[Leaf]) -> bool:
    """Whether a node holds where some of its leaves do."""
    match node:
        case Group(is_all, items):
            return (all if is_all else any)(_is_true(item, held) for item in items)
        case Negation(item):
            return not _is_true(item, held)
        case leaf:
            return leaf in held


def _only_leaf(node: Node) -> tuple[Leaf, int] | None:
    """The leaf that a tree consists of, and whether the tree holds with it (1) or without it (-1); None where it has others."""
    match node:
        case Group(_, (item,)):
            return _only_leaf(item)
        case Group() | Fixed():
            return None
        case Negation(item):
            found = _only_leaf(item)
            return None if found is None else (found[0], -found[1])
        case leaf:
            return leaf, 1


def _select(columns: Sequence[Sql], table: str) -> exp.Select:
    return exp.Select(expressions=list(columns)).from_(sql.table(table), copy=False)


def _united(parts: Sequence[exp.Select]) -> exp.Select | exp.Union:
    union: exp.Select | exp.Union = parts[0]
    for part in parts[1:]:
        union = exp.Union(this=union, expression=part, distinct=False)
    return union


def _among(own: Sql, table: str) -> Sql:
    """Whether a contact is one of those of a table."""
    return exp.In(this=own, query=exp.Subquery(this=_select([_of(CONTACT, table)], table)))


def _never() -> Sql:
    return exp.EQ(this=sql.number(1), expression=sql.number(0))


def _one_if_any(own: Sql) -> Sql:
    return sql.case_when(exp.GT(this=own, expression=sql.number(0)), sql.number(1), sql.number(0))


def _up_to_here(function: Sql, partition: list[Sql], order: Sql) -> Sql:
    return exp.Window(
        this=function,
        partition_by=partition,
        order=exp.Order(expressions=[exp.Ordered(this=order, desc=False, nulls_first=True)]),
        spec=exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW"),
    )


def _beside(own: Sql, partition: list[Sql], order: Sequence[Sql], offset: int) -> Sql:
    """What a column is in the row so many further (or back, where it is negative); missing where there is none."""
    function: Sql = (exp.Lead if offset > 0 else exp.Lag)(this=own, offset=sql.number(abs(offset)))
    by = exp.Order(expressions=[exp.Ordered(this=each, desc=False, nulls_first=True) for each in order])
    return exp.Window(this=function, partition_by=partition, order=by)


def _steps(leaf: Added) -> list[tuple[int, int]] | None:
    """A condition on a count as counts that are reached: it holds more (1) or less (-1) with each; None for other conditions."""
    match leaf.condition:
        case Comparison(op, FeatureTerm(Feature(measure="count")), Constant(int() as number)):
            steps = {
                ">=": [(number, 1)], ">": [(number + 1, 1)], "<": [(number, -1)], "<=": [(number + 1, -1)],
                "==": [(number, 1), (number + 1, -1)] if number else [(1, -1)],
            }[op]  # fmt: skip
            return steps if all(0 < count <= _MOST_COUNTED for count, _ in steps) else None
        case _:
            return None


def _bound(write: _Outcome, read: Callable[[str], Sql]) -> Callable[[], Sql]:
    return lambda: write(read)


def _outcome(feature: Feature, names: Sequence[str]) -> _Outcome:
    """What a feature's outcome is, of its running sums."""
    if feature.measure == "avg":
        added, known = names
        return lambda read: exp.Div(this=sql.cast(read(added), "double"), expression=sql.divisor(read(known)), typed=True)
    return lambda read: read(names[0])
