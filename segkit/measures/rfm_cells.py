"""Quantile cells as segments: a value in equal groups, and customers by recency, frequency and monetary value (RFM).

value, number of groups -> cells: segments that share out all contacts
rfm(event, amount, days) -> Rfm -> cells, named groups: segments;  ws.rfm -> one grouped query -> frame
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from segkit import nodes
from segkit.builder import Predicate, Value, event, everyone
from segkit.builder.stream import EventStream
from segkit.compile import curves
from segkit.engines import Engine
from segkit.errors import DataError, DefinitionError, unknown
from segkit.metrics import sizes
from segkit.plan import Plan
from segkit.plan.tree import AllOf, IsMissing
from segkit.rendering import render
from segkit.segment import Segment
from segkit.spelling import spell

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("r", "f", "m", "group", "size", "share", "orders", "revenue", "revenue_share")
NO_PURCHASE = "No purchase"
_MOST_PARTS = 10


@dataclass(frozen=True)
class _Group:
    """A rectangle in the grid of recency by frequency, both from 1 to 5."""

    name: str
    recency: tuple[int, int]
    frequency: tuple[int, int]
    notes: str


GROUPS = (
    _Group("Champions", (5, 5), (4, 5), "Bought just now, and often."),
    _Group("Loyal", (3, 4), (4, 5), "Buy often, and not long ago."),
    _Group("Potential loyalists", (4, 5), (2, 3), "Bought lately, and more than once."),
    _Group("New customers", (5, 5), (1, 1), "Bought just now, and seldom."),
    _Group("Promising", (4, 4), (1, 1), "Bought lately, and seldom."),
    _Group("Need attention", (3, 3), (3, 3), "In the middle of both."),
    _Group("About to sleep", (3, 3), (1, 2), "Seldom, and not lately: lost if nothing happens."),
    _Group("Cannot lose them", (1, 2), (5, 5), "Bought most often, but long ago."),
    _Group("At risk", (1, 2), (3, 4), "Bought often, but long ago."),
    _Group("Hibernating", (1, 2), (1, 2), "Seldom, and long ago."),
)
"""The grid of 5 x 5 in ten named rectangles. There is no standard; these names and bounds are those in widest use."""


def cells(value: Value, n: int, *, of: Predicate | None = None, name: str | None = None) -> list[Segment]:
    """A value in `n` equal groups, and those without it: `n + 1` segments, every contact in exactly one.

    Equal values are told apart by the contact key, so that groups differ by one contact at most; see `.quantile`.

    Args:
        value: what the contacts are ordered by, a number or a time.
        n: how many groups, 2 to 1000; 1 is the lowest.
        of: the population that is divided; default: all contacts. Others are in the last segment.
        name: how the segments begin; default: the value as it is written.

    Returns:
        The groups from the lowest to the highest, then the contacts without value.

    >>> from segkit import F
    >>> [segment.name for segment in cells(F.total_spent, 2)]
    ['total_spent 1 of 2', 'total_spent 2 of 2', 'total_spent missing']
    >>> cells(F.total_spent, 2)[1].where
    F.total_spent.quantile(2) == 2
    """
    if not isinstance(value, Value):
        raise DefinitionError(f"{value!r:.60} is no value", fix="write cells(F.total_spent, 5)")
    group = value.quantile(n, of=of)
    own = name if name is not None else spell(value.node).removeprefix("F.")[:80]
    return [
        *(Segment(f"{own} {i} of {n}", group == i) for i in range(1, n + 1)),
        Segment(f"{own} missing", group.is_missing()),
    ]


@dataclass(frozen=True)
class Rfm:
    """Customers by recency, frequency and monetary value, each in equal parts. Made by `rfm`.

    The customers are those with an event in the window. Recency 1 bought longest ago, the highest most recently; frequency 1
    has the fewest events; monetary 1 the least in sum.
    """

    event: str = "purchased"
    amount: str = "amount"
    within: int | None = None
    parts: int = 5

    def __post_init__(self) -> None:
        if isinstance(self.parts, bool) or not isinstance(self.parts, int) or not 2 <= self.parts <= _MOST_PARTS:
            raise DefinitionError(f"{self.parts!r:.40} parts of recency", fix=f"use 2 to {_MOST_PARTS}: 5 give 125 cells")
        _ = self.recency, self.monetary

    @property
    def customers(self) -> Predicate:
        """Those with an event in the window."""
        return self._events().any()

    @property
    def recency(self) -> Value:
        """The part by the last event, the highest the most recent."""
        return self._events().last().quantile(self.parts, of=self.customers)

    @property
    def frequency(self) -> Value:
        """The part by the number of events."""
        return self._events().count().quantile(self.parts, of=self.customers)

    @property
    def monetary(self) -> Value:
        """The part by the sum of the amount."""
        return self._events().sum(self.amount).quantile(self.parts, of=self.customers)

    def cell(self, r: int, f: int, m: int | None = None) -> Segment:
        """The customers of one cell; without `m`, of the grid of recency by frequency.

        Raises:
            DefinitionError: there is no such part.

        >>> rfm(within=365).cell(5, 5).name
        'RFM 5-5'
        """
        for own in (r, f, *(() if m is None else (m,))):
            if own not in range(1, self.parts + 1):
                raise DefinitionError(f"part {own!r:.40} of {self.parts}", fix=f"use 1 to {self.parts}")
        where = (self.recency == r) & (self.frequency == f)
        return Segment(f"RFM {r}-{f}", where) if m is None else Segment(f"RFM {r}-{f}-{m}", where & (self.monetary == m))

    def cells(self) -> list[Segment]:
        """Every cell of recency, frequency and monetary value, then the contacts without a purchase."""
        parts = range(1, self.parts + 1)
        return [*(self.cell(r, f, m) for r, f, m in product(parts, parts, parts)), self.none()]

    def groups(self) -> list[Segment]:
        """The ten named groups of the grid of 5 x 5, from Champions to Hibernating, then the contacts without a purchase.

        Raises:
            DefinitionError: there are not five parts.
        """
        if self.parts != 5:
            raise DefinitionError(f"the named groups need 5 parts, not {self.parts}", fix="use cells(), or rfm(parts=5)")
        return [*(Segment(own.name, self._in(own), notes=own.notes) for own in GROUPS), self.none()]

    def group(self, name: str) -> Segment:
        """One of the named groups.

        Raises:
            DefinitionError: there is no group of that name.

        >>> rfm().group("New customers").notes
        'Bought just now, and seldom.'
        """
        named = {str(own.name): own for own in self.groups()}
        if name not in named:
            raise unknown("group", name, named)
        return named[name]

    def none(self) -> Segment:
        """The contacts without an event in the window."""
        return Segment(NO_PURCHASE, ~self.customers)

    def asked(self) -> list[Predicate]:
        """What must be planned for the frame: what it groups by and adds up, and everyone."""
        values = (self.recency, self.frequency, self.monetary, self._events().count(), self._events().sum(self.amount))
        return [Predicate(nodes.And(tuple(value.is_missing().node for value in values))), everyone()]

    def _events(self) -> EventStream:
        stream = event(self.event)
        return stream if self.within is None else stream.within(days=self.within)

    def _in(self, group: _Group) -> Predicate:
        return _between(self.recency, group.recency) & _between(self.frequency, group.frequency)


def rfm(event: str = "purchased", amount: str = "amount", *, within: int | None = None, parts: int = 5) -> Rfm:
    """Customers by how recently, how often and for how much they bought: cells and named groups as ready-made segments.

    Each of the three is cut into equal parts of the customers, those with an event in the window. Equal customers are told
    apart by the contact key (see `.quantile`), so that the parts stay equal: where most bought once, their frequency is a
    matter of chance, and the numbers themselves (`E.purchased.count() == 1`) say more.

    The method is that of A. M. Hughes, *Strategic Database Marketing* (1994): fifths of recency, frequency and monetary
    value. The names of the groups have no standard; `groups()` has the ten rectangles of recency by frequency in widest use.

    Args:
        event: the event that is a purchase.
        amount: its property that is summed.
        within: how many days back purchases count; None is all time.
        parts: how many parts each of the three has, 2 to 10.

    Raises:
        DefinitionError: a name is empty, or a number out of range.

    >>> customers = rfm(within=365)
    >>> [segment.name for segment in customers.groups()][:3]
    ['Champions', 'Loyal', 'Potential loyalists']
    >>> len(customers.cells())
    126
    """
    return Rfm(event, amount, within, parts)


def _between(value: Value, ends: tuple[int, int]) -> Predicate:
    low, high = ends
    return value == low if low == high else value.between(low, high)


def _group_of(r: int, f: int) -> str:
    return next(own.name for own in GROUPS if own.recency[0] <= r <= own.recency[1] and own.frequency[0] <= f <= own.frequency[1])


# ---------------------------------------------------------------- the work


def counted(engine: Engine, scheme: Rfm, scored: Plan, everyone: Plan) -> pd.DataFrame:
    """The frame of a scheme: every cell with its customers, their orders and revenue, grouped in one query.

    Raises:
        DataError: the cells and those without a purchase do not add up to all contacts, counted by themselves.
    """
    import pandas as pd

    assert isinstance(scored.where, AllOf)
    r, f, m, orders, revenue = (own.term for own in scored.where.items if isinstance(own, IsMissing))
    query = curves.over_groups(scored, [r, f, m], [orders, revenue])
    answer = engine.frame(render(query, engine.renders_as))
    is_customer = answer["key_0"].notna()
    columns = [answer[is_customer][f"key_{i}"].astype(int).tolist() for i in range(3)]
    sums = (answer[is_customer][name].astype(float).tolist() for name in ("everyone", "sum_0", "sum_1"))
    found = {
        cell: (int(size), int(ordered), paid) for cell, size, ordered, paid in zip(zip(*columns, strict=True), *sums, strict=True)
    }
    total = int(sizes(engine, [everyone])["size"].iloc[0])
    covered = sum(size for size, _, _ in found.values())
    none = int(answer[~is_customer]["everyone"].sum())
    if covered + none != total:
        raise DataError(
            f"{covered:,} customers and {none:,} others are not {total:,} contacts", fix="ask again: the data changed"
        )
    frame = pd.DataFrame(list(_rows(scheme, found)), columns=list(COLUMNS))
    frame.attrs["certificate"] = {"covered": covered, "none": none, "total": total, "sums": covered + none == total}
    return frame


def _rows(scheme: Rfm, found: dict[tuple[int, int, int], tuple[int, int, float]]) -> Iterator[tuple[object, ...]]:
    customers = sum(size for size, _, _ in found.values())
    all_revenue = sum(revenue for _, _, revenue in found.values())
    parts = range(1, scheme.parts + 1)
    for r, f, m in product(parts, parts, parts):
        size, orders, revenue = found.get((r, f, m), (0, 0, 0.0))
        group = _group_of(r, f) if scheme.parts == 5 else ""
        yield r, f, m, group, size, _share(size, customers), orders, revenue, _share(revenue, all_revenue)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
