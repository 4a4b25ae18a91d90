"""What the members of segments did in a period: figures, rates with intervals, and what differs from the others.

plans at the start (or end) of each period, figures  ->  one query a period  ->  sums over contacts  ->  inference  ->  frame
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from segkit.catalog import METRICS, Catalog
from segkit.compile import extent
from segkit.compile.totals import ANY, Product, totals
from segkit.display import distinct
from segkit.engines import Engine
from segkit.errors import DefinitionError
from segkit.metrics import label
from segkit.plan import Moment, Plan
from segkit.plan.clock import periods
from segkit.plan.figures import figures, reads
from segkit.plan.tree import Feature
from segkit.rendering import render
from segkit.statistics.inference import Estimate, Sums, difference, mean, proportion
from segkit.statistics.intervals import holm

if TYPE_CHECKING:
    import pandas as pd

CONTACTS: Product = ()
CONVERTED: Product = (f"{ANY}conversions",)


@dataclass(frozen=True)
class Rate:
    """One figure over another. The parts of a `proportion` are counted, what a `mean` is of are amounts.

    `over` and `under` are products of figures: none at all is 1 for each contact.
    """

    name: str
    over: Product
    under: Product
    kind: Literal["proportion", "mean"]
    denominator: str


RATES = (
    Rate("open_rate", ("opens",), ("sends",), "proportion", "opens / sends"),
    Rate("click_rate", ("clicks",), ("sends",), "proportion", "clicks / sends"),
    Rate("click_to_open_rate", ("clicks",), ("opens",), "proportion", "clicks / opens"),
    Rate("conversion_rate", CONVERTED, CONTACTS, "proportion", "contacts with a conversion / contacts"),
    Rate("average_order_value", ("revenue",), ("conversions",), "mean", "revenue / conversions"),
    Rate("revenue_per_contact", ("revenue",), CONTACTS, "mean", "revenue / contacts"),
)
# fields of the contact that tell of the events which a figure counts, by the names they usually have
_FIELDS = {
    "opens": {"open", "opens", "opened"},
    "clicks": {"click", "clicks", "clicked"},
    "conversions": {"purchase", "purchases", "purchased", "order", "orders", "ordered", "conversions", "converted", "spent"},
    "revenue": {"purchase", "purchases", "purchased", "order", "orders", "revenue", "spent", "spend", "lifetime"},
}


@dataclass(frozen=True)
class Stretch:
    """A period, the instant after which its events are not known, and the segments as they are at one instant of it."""

    start: dt.datetime
    end: dt.datetime
    until: Moment
    plans: Sequence[Plan]


@dataclass(frozen=True)
class _Group:
    """The sums over the contacts of a group, by product."""

    sums: Mapping[Product, float]

    def minus(self, other: _Group) -> _Group:
        if self.sums[CONTACTS] == other.sums[CONTACTS]:
            return _Group(dict.fromkeys(self.sums, 0.0))
        return _Group({own: value - other.sums[own] for own, value in self.sums.items()})

    def estimate(self, rate: Rate) -> Estimate:
        sums, reached = self.of(rate), self.sums[_reduced((f"{ANY}{rate.under[0]}",) if rate.under else CONTACTS)]
        if rate.kind == "mean":
            return mean(sums, reached)
        return proportion(sums, reached if rate.under else None)

    def of(self, rate: Rate) -> Sums:
        return {power: self.sums[_reduced(product)] for power, product in _powers(rate)}


def checked_confidence(confidence: object) -> float:
    """`confidence` if it is a level of intervals."""
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0.5 <= confidence < 1:
        raise DefinitionError(f"confidence must be from 0.5 to below 1, not {confidence!r:.40}", fix="write confidence=0.95")
    return float(confidence)


def checked_membership(membership: object) -> str:
    """`membership` if it is an end of a period."""
    if membership not in ("start", "end"):
        raise DefinitionError(f"membership must be 'start' or 'end', not {membership!r:.40}", fix="write membership='start'")
    return str(membership)


def stretches(start: Moment, end: Moment, every: str | None, until: Moment) -> list[tuple[dt.datetime, dt.datetime]]:
    """The periods between two instants, of which the first has begun.

    Raises:
        DefinitionError: there is nothing between the instants, or it lies in the future.
    """
    found = periods(start.as_of, end.as_of, every, until.zone)
    if start.as_of >= until.as_of:
        raise DefinitionError(
            f"the period begins at {start.as_of}, and nothing after {until.as_of} is known", fix="choose an earlier one"
        )
    return [(begin, stop) for begin, stop in found if begin < until.as_of]


def performance(
    engine: Engine, parts: Sequence[Stretch], baseline: int | None, confidence: float, every: str | None
) -> tuple[pd.DataFrame, list[str]]:
    """What the members of each plan did in each period, and what to look at twice.

    Args:
        engine: where to ask: one query a period, or several where one would be too large.
        parts: the periods, all with the same segments in the same order.
        baseline: which of the segments the others are compared with, beside the rest of the contacts.
        confidence: of the intervals; a difference is significant at one less that.
        every: None where there is one period, which then needs no column.

    Raises:
        DefinitionError: a metric of the catalog names what does not exist.
    """
    import pandas as pd

    catalog, zone = parts[0].plans[0].catalog, parts[0].until.zone
    rates = (*RATES, *_own_ratios(catalog))
    labels = distinct(label(plan) for plan in parts[0].plans)
    rows, warned = [], dict[str, None]()
    for part in parts:
        features, warnings = figures(catalog, part.until, part.start, part.end)
        warned |= dict.fromkeys(warnings)
        answer = _groups(engine, part, features, _wanted(rates, features), baseline, range(len(labels)))
        for i, name in enumerate(labels):
            circular = [rate.name for rate in rates if _is_circular(part.plans[i], rate, features)]
            when = {} if every is None else {"period": pd.Timestamp(part.start).tz_convert(ZoneInfo(zone))}
            row = {"segment": name, **when, **_figures(answer[f"in_{i}"], features, catalog)}
            row |= _intervals(answer[f"in_{i}"], rates, features, confidence)
            row["circular"] = ", ".join(circular)
            row |= _differences(answer, i, rates, features, baseline, confidence)
            rows.append(row)
            warned |= dict.fromkeys(_warnings(name, row, circular, rates))
    frame = pd.DataFrame(rows)
    return _adjusted(_typed(frame), confidence), list(warned)


def empty(catalog: Catalog, baseline: int | None, every: str | None) -> pd.DataFrame:
    """The frame of no segments."""
    import pandas as pd

    rates = (*RATES, *_own_ratios(catalog))
    nobody = _Group(dict.fromkeys(_wanted(rates, None), 0.0))
    answer = {"all": nobody, "in_0": nobody, "both_0": nobody}
    when = {} if every is None else {"period": pd.Timestamp("2000-01-01", tz="UTC")}
    row = {"segment": "", **when, **_figures(nobody, None, catalog), **_intervals(nobody, rates, None, 0.95), "circular": ""}
    row |= _differences(answer, 0, rates, None, None if baseline is None else -1, 0.95)
    return _adjusted(_typed(pd.DataFrame([row])), 0.95).iloc[:0]


def denominators(catalog: Catalog) -> dict[str, str]:
    """What each rate is of what."""
    return {own.name: own.denominator for own in (*RATES, *_own_ratios(catalog))}


def _own_ratios(catalog: Catalog) -> tuple[Rate, ...]:
    """The ratios that the catalog defines."""
    found = []
    for name, own in catalog.metrics.items():
        if own.ratio is not None:
            over, under = (CONTACTS if part == "contacts" else (part,) for part in own.ratio)
            found.append(Rate(name, over, under, "mean", " / ".join(own.ratio)))
    return tuple(found)


# ---------------------------------------------------------------- the query


def _powers(rate: Rate) -> Iterator[tuple[tuple[int, int], Product]]:
    """The products of a rate's figures that its error needs, by their powers."""
    highest = 3 if rate.kind == "mean" else 2
    for i in range(highest + 1):
        for j in range(highest + 1 - i):
            yield (i, j), rate.under * i + rate.over * j


def _reduced(product: Product) -> Product:
    """A product in the one form it is asked in: what is 0 or 1 stands there once."""
    truths = {own for own in product if own.startswith(ANY)}
    return (*sorted(truths), *sorted(own for own in product if not own.startswith(ANY)))


def _needs(rate: Rate) -> set[str]:
    return {own.removeprefix(ANY) for own in rate.over + rate.under}


def _is_known(rate: Rate, features: Mapping[str, Feature] | None) -> bool:
    return features is None or _needs(rate) <= features.keys()


def _wanted(rates: Iterable[Rate], features: Mapping[str, Feature] | None) -> list[Product]:
    """All that is added up: contacts, each figure, and what the errors of rates need."""
    found: dict[Product, None] = {CONTACTS: None}
    found |= {(name,): None for name in features or ()}
    for rate in rates:
        if _is_known(rate, features):
            found |= {_reduced(product): None for _, product in _powers(rate)}
            found |= {_reduced((f"{ANY}{rate.under[0]}",)): None} if rate.under else {}
    if features is None or "conversions" in features:
        found[CONVERTED] = None
    return list(found)


def _groups(
    engine: Engine,
    part: Stretch,
    features: Mapping[str, Feature],
    wanted: Sequence[Product],
    baseline: int | None,
    asked: Sequence[int],
) -> dict[str, _Group]:
    """The sums over everyone, the members of some plans, and those of them who are in the baseline."""
    own = [*asked, *([baseline] if baseline is not None and baseline not in asked else [])]
    shared = None if baseline is None else own.index(baseline)
    query = totals([part.plans[i] for i in own], features, wanted, shared, part.until)
    if len(asked) > 1 and not engine.limits.allow(*extent(query)):
        half = len(asked) // 2
        first = _groups(engine, part, features, wanted, baseline, asked[:half])
        return {**first, **_groups(engine, part, features, wanted, baseline, asked[half:])}
    row = engine.frame(render(query, engine.renders_as)).iloc[0]
    found = {"all": _group("all", row, wanted)}
    for place, i in enumerate(own):
        found[f"in_{i}"] = _group(f"in_{place}", row, wanted)
        if shared is not None:
            found[f"both_{i}"] = _group(f"both_{place}", row, wanted)
    return found


def _group(name: str, row: Any, wanted: Sequence[Product]) -> _Group:
    return _Group({own: _number(row[f"{name}_{j}"]) for j, own in enumerate(wanted)})


def _number(value: Any) -> float:
    """A sum; of nobody it is zero."""
    import pandas as pd

    return 0.0 if pd.isna(value) else float(value)


# ---------------------------------------------------------------- the columns


def _figures(group: _Group, features: Mapping[str, Feature] | None, catalog: Catalog) -> dict[str, Any]:
    """The figures of a group; those without an event in this catalog are missing."""
    sums = group.sums

    def total(name: str) -> Any:
        if features is not None and name not in features:
            return nan
        value = sums.get((name,), 0.0)
        is_count = (features[name].measure in ("count", "distinct")) if features is not None else name != "revenue"
        return round(value) if is_count else value

    found: dict[str, Any] = {"contacts": round(sums[CONTACTS]), **{name: total(name) for name in METRICS}}
    found["converted"] = round(sums[CONVERTED]) if CONVERTED in sums else nan
    own = [name for name, metric in catalog.metrics.items() if metric.ratio is None and name not in METRICS]
    return found | {name: total(name) for name in own}


def _intervals(
    group: _Group, rates: Sequence[Rate], features: Mapping[str, Feature] | None, confidence: float
) -> dict[str, float]:
    found: dict[str, float] = {}
    for rate in rates:
        value = low = high = nan
        if _is_known(rate, features):
            estimate = group.estimate(rate)
            value, (low, high) = estimate.value, estimate.interval(confidence)
        found |= {rate.name: value, f"{rate.name}_low": low, f"{rate.name}_high": high}
    return found


def _differences(
    answer: Mapping[str, _Group],
    i: int,
    rates: Sequence[Rate],
    features: Mapping[str, Feature] | None,
    baseline: int | None,
    confidence: float,
) -> dict[str, float]:
    """Each rate less that of the contacts who are no members, and less that of the baseline."""
    own = answer[f"in_{i}"]
    others: dict[str, tuple[_Group | None, _Group | None]] = {"rest": (answer["all"].minus(own), None)}
    if baseline is not None:
        others["baseline"] = (None, None) if i == baseline else (answer.get(f"in_{baseline}"), answer.get(f"both_{i}"))
    found: dict[str, float] = {}
    for against, (other, shared) in others.items():
        for rate in rates:
            value = low = high = p = nan
            if other is not None and _is_known(rate, features):
                common = shared.of(rate) if shared is not None else None
                told = difference(own.estimate(rate), other.estimate(rate), common, confidence)
                value, low, high, p = told.value, told.low, told.high, told.p
            name = f"{rate.name}_vs_{against}"
            found |= {name: value, f"{name}_low": low, f"{name}_high": high, f"{name}_p": p}
    return found


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Missing figures as floats, whatever there was to infer from."""
    for name in frame.columns:
        if name not in ("segment", "period", "circular") and frame[name].dtype == object:
            frame[name] = frame[name].astype("float64")
    return frame


def _adjusted(frame: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The frame with its p-values corrected for all comparisons in it, each followed by whether it is significant."""
    tests = [name for name in frame.columns if name.endswith("_p") and "_vs_" in name]
    adjusted = holm([float(p) for name in tests for p in frame[name]])
    columns: dict[str, Any] = {}
    for name in frame.columns:
        columns[name] = frame[name]
        if name in tests:
            first = tests.index(name) * len(frame)
            own = adjusted[first : first + len(frame)]
            columns[f"{name}_adjusted"] = own
            columns[f"{name.removesuffix('_p')}_significant"] = [p <= 1 - confidence for p in own]
    return type(frame)(columns)


# ---------------------------------------------------------------- warnings


def _is_circular(own: Plan, rate: Rate, features: Mapping[str, Feature]) -> bool:
    """Whether the segment is defined by what the rate counts: by events up to the period, or by a field that tells of them."""
    counted = {name.removeprefix(ANY) for name in rate.over} & features.keys()
    told = {word for name in own.fields for word in name.casefold().split("_")}
    return any(reads(own, features[name]) or told & _FIELDS.get(name, set()) for name in counted)


def _warnings(name: str, row: Mapping[str, Any], circular: Sequence[str], rates: Sequence[Rate]) -> Iterator[str]:
    if circular:
        yield (
            f"{', '.join(circular)} of {name!r:.80} {'are' if len(circular) > 1 else 'is'} circular: the segment is defined by "
            "what is measured, so a difference shows how it was chosen"
        )
    for rate in rates:
        if rate.kind == "proportion" and not isnan(row[rate.name]) and row[rate.name] > 1:
            yield (
                f"{rate.name} of {name!r:.80} is above 1, so it is no proportion and has no interval: count each message once, "
                "with measure: distinct in the catalog's metrics"
            )
