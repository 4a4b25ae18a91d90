"""What the data says of a segment: who meets which conditions, how far values reach, which there are, when events happened.

One query counts all conditions, one tells the ends of all values, one the values of each column of text that a constant is
compared with, and one when the events of a table happened.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from segkit.catalog import Kind
from segkit.compile import values
from segkit.compile.freshness import freshness
from segkit.compile.groups import groups
from segkit.compile.spread import extremes
from segkit.engines import Engine
from segkit.findings.diagnosis.spots import Spot
from segkit.measures.overlap import Signatures, by_region
from segkit.plan import Plan
from segkit.plan.tree import Always, ColumnTerm, Condition, Feature, IsMissing, Term
from segkit.rendering import render

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MOST = 2000
"""A column with more different values is not searched for one that was never seen."""
Times = dt.date | dt.datetime


@dataclass(frozen=True)
class Ends:
    """The least and greatest of some values; of times also how many are known, how many lie ahead, and the latest other."""

    low: Any
    high: Any
    known: int = 0
    ahead: int = 0
    past: Any = None


@dataclass(frozen=True)
class Happened:
    """The events of a name: how many up to the moment, from when to when, and how many lie ahead of it."""

    number: int = 0
    first: Times | None = None
    last: Times | None = None
    ahead: int = 0


@dataclass
class Seen:
    """The answers about a plan; those about values are asked for when they are first needed."""

    engine: Engine
    plan: Plan
    counted: Signatures
    place_of: Mapping[Condition, int]
    ends: Mapping[Term, Ends]
    events: Mapping[tuple[int, str | None], Happened]
    _values: dict[object, dict[str, int] | None] = field(default_factory=dict)

    # ------------------------------------------------------------ who

    @property
    def everyone(self) -> int:
        return int(self._sizes.sum())

    @property
    def _sizes(self) -> np.ndarray:
        assert self.counted.sizes is not None
        return self.counted.sizes

    def size(self, holds: np.ndarray) -> int:
        return int(self._sizes[holds].sum())

    def meets(self, condition: Condition) -> np.ndarray:
        """Who meets a condition that was asked about."""
        return self.counted.holds(self.place_of[condition])

    def count(self, condition: Condition) -> int:
        return self.size(self.meets(condition))

    def holds(self, spot: Spot) -> np.ndarray:
        """For whom a part holds, with the NOT that is meant for it."""
        if spot.place.below:
            return reduce(and_ if spot.is_all else or_, map(self.holds, spot.below))
        own = self.meets(spot.condition)
        return ~own if spot.negated else own

    def joined(self, spot: Spot, other: bool) -> int:
        """The size of a group, joined as it is or in the `other` way."""
        return self.size(reduce(and_ if spot.is_all != other else or_, map(self.holds, spot.below)))

    def instead(self, root: Spot, path: str, holds: np.ndarray) -> int:
        """The size of the segment, if another part stood in a place."""

        def of(spot: Spot) -> np.ndarray:
            if spot.path == path:
                return holds
            return reduce(and_ if spot.is_all else or_, map(of, spot.below)) if spot.place.below else self.holds(spot)

        return self.size(of(root))

    # ------------------------------------------------------------ which values

    def values(self, term: Term) -> dict[str, int] | None:
        """How many contacts have each value of text; None where there are too many."""
        if term not in self._values:
            by, everyone = (replace(self.plan, where=where) for where in (IsMissing(term), Always(True)))
            answer = _asked(self.engine, groups([everyone], by, term, MOST + 1))
            rows = answer[answer["is_missing"] == 0]
            self._values[term] = _counts(rows["value"], rows["size_0"])
        return self._values[term]

    def properties(self, feature: Feature, column: ColumnTerm) -> dict[str, int] | None:
        """How many events have each value of a property; None where there are too many."""
        key = (feature.tables, feature.event, column.name)
        if key not in self._values:
            found: dict[str, int] | None = {}
            for i in feature.tables:
                query = values.of_events(self.plan.catalog.events[i], feature.event, column.name, MOST + 2)
                answer = _asked(self.engine, query)
                own = _counts(answer["value"], answer["number"])
                found = None if found is None or own is None else {k: found.get(k, 0) + own.get(k, 0) for k in {**found, **own}}
            self._values[key] = found
        return self._values[key]

    # ------------------------------------------------------------ when

    def happened(self, feature: Feature) -> Happened:
        """All events of the name of a feature."""
        names = [(i, name) for i, name in self.events if i in feature.tables and feature.event in (None, name)]
        found = [self.events[own] for own in names]
        return Happened(
            sum(own.number for own in found),
            min((own.first for own in found if own.first is not None), default=None),
            max((own.last for own in found if own.last is not None), default=None),
            sum(own.ahead for own in found),
        )


def look(engine: Engine, plan: Plan, wanted: Iterable[Condition], probes: Iterable[Feature], ordered: Sequence[Term]) -> Seen:
    """Asks the engine about conditions, and the ends of values.

    Args:
        engine: where the data is.
        plan: a plan that holds what stands behind them, but for the probes.
        wanted: all conditions to be counted.
        probes: features that only the conditions need.
        ordered: numbers, dates and timestamps whose ends are told.
    """
    conditions = list(dict.fromkeys(wanted))
    probed = replace(plan, features=tuple(dict.fromkeys((*plan.features, *probes))))
    counted = by_region(engine, [probed], conditions)
    ends = _ends(engine, plan, ordered) if ordered else {}
    tables = sorted({i for own in probed.features for i in own.tables})
    events = {key: own for i in tables for key, own in _events(engine, plan, i)}
    return Seen(engine, plan, counted, {own: i for i, own in enumerate(conditions)}, ends, events)


def _ends(engine: Engine, plan: Plan, ordered: Sequence[Term]) -> dict[Term, Ends]:
    row = _asked(engine, extremes(plan, ordered)).iloc[0]
    found = {}
    for i, term in enumerate(ordered):
        if term.kind.is_number:
            found[term] = Ends(_number(row[f"low_{i}"]), _number(row[f"high_{i}"]))
        else:
            low, high, past = (_time(row[f"{name}_{i}"], term.kind) for name in ("low", "high", "past"))
            found[term] = Ends(low, high, int(row[f"known_{i}"]), int(row[f"ahead_{i}"]), past)
    return found


def _events(engine: Engine, plan: Plan, i: int) -> Iterator[tuple[tuple[int, str | None], Happened]]:
    table = plan.catalog.events[i]
    kind = next((own.kind for own in table.properties.values() if own.name == table.time), Kind.TIMESTAMP)
    for row in _asked(engine, freshness(table, plan.at)).to_dict("records"):
        first, last = (_time(row[name], Kind.DATE if kind is Kind.DATE else Kind.TIMESTAMP) for name in ("first", "last"))
        yield (i, row.get("name", table.name)), Happened(int(row["number"]), first, last, int(row["ahead"]))


def _asked(engine: Engine, query: Any) -> pd.DataFrame:
    return engine.frame(render(query, engine.renders_as))


def _counts(names: Iterable[Any], numbers: Iterable[Any]) -> dict[str, int] | None:
    found = {str(name): int(number) for name, number in zip(names, numbers, strict=True)}
    return found if len(found) <= MOST else None


def _number(value: Any) -> Any:
    """A number as it is told: a float that is whole as an integer; None for none."""
    if value is None or value != value:
        return None
    return int(value) if float(value).is_integer() else float(value)


def _time(value: Any, kind: Kind) -> Any:
    """A date, or an instant in UTC, out of what an engine gives; None for none."""
    import pandas as pd

    if value is None or pd.isna(value):
        return None
    at = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    if kind is Kind.DATE:
        return at.date() if isinstance(at, dt.datetime) else at
    plain = at.to_pydatetime() if isinstance(at, pd.Timestamp) else at
    return plain.replace(tzinfo=dt.UTC) if plain.tzinfo is None else plain.astimezone(dt.UTC)


def shown(value: Any, zone: str) -> str:
    """A value as it is told in a finding: times on the clock of the zone, to the minute."""
    match value:
        case None:
            return "none"
        case dt.datetime():
            return f"{value.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
        case dt.date():
            return value.isoformat()
        case bool() | str():
            return repr(value)
        case float():
            return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"
        case _:
            return f"{value:,}"


_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


def may_be_told(value: str) -> bool:
    """Whether a value of the data may stand in a finding: addresses may not."""
    return not _ADDRESS.search(value)
