"""What sets a segment apart: each field among its members, among everyone, and among the others, as a frame.

    fields  ->  known | values | ordered: one query each (`compile.spread`)  ->  shares, quantiles, means and order, tested
            ->  corrected for how many were tested  ->  ranked

Two kinds of numbers are ranked together on one scale: for a share the difference between members and others, for numbers and
times how much oftener a member is higher than another than lower (Cliff's delta), which for a share is the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isnan, nan, sqrt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from segkit.builder import Value, event, field
from segkit.catalog import Catalog, Kind
from segkit.compile import extent, spread
from segkit.compile.spread import Asked
from segkit.display import distinct
from segkit.engines import Engine
from segkit.errors import DefinitionError
from segkit.metrics import label, masked
from segkit.nodes import checked_list
from segkit.plan import Plan
from segkit.plan.tree import IsMissing, JsonTerm, Term
from segkit.rendering import render
from segkit.spelling import spell
from segkit.statistics.inference import difference, share
from segkit.statistics.intervals import LEVEL, holm, student
from segkit.statistics.superiority import Pairs

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 0.05
"""The corrected probability from which on a difference is no finding."""
DAYS = 90
"""How far back events are counted where no fields are named."""
QUANTILES = ("min", "25%", "50%", "75%", "max")
_MOST_EVENTS = 40
_MOST_TOP = 1000
_AT_ONCE = 60
_COLUMNS = {
    "field": "object", "kind": "object", "what": "object", "value": "object",
    "inside": "float64", "everyone": "float64", "others": "float64", "index": "float64",
    "inside_at": "object", "everyone_at": "object",
    "count": "Int64", "of": "int64", "count_of_everyone": "Int64", "of_everyone": "int64",
    "difference": "float64", "low": "float64", "high": "float64",
    "p_value": "float64", "p_adjusted": "float64", "rank": "Int64", "sparse": "bool", "defining": "bool",
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """How to profile: the `top` values of a field, of those that at least `least` contacts have; a field that fewer than
    `sparse_below` of everyone know is `sparse`; `mask` hides e-mail addresses."""

    top: int = 5
    least: int = 5
    sparse_below: float = 0.5
    mask: bool = False

    def __post_init__(self) -> None:
        for name, most in (("top", _MOST_TOP), ("least", 10**9)):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
                raise DefinitionError(f"{name} must be a whole number from 1 to {most:,}, not {number!r:.40}", fix=f"{name}=5")
        share = self.sparse_below
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise DefinitionError(f"sparse_below must be a share from 0 to 1, not {share!r:.40}", fix="sparse_below=0.5")


@dataclass(frozen=True)
class Profiled:
    """A field: its name as it is shown, and a plan whose condition is that its value is missing."""

    name: str
    plan: Plan

    @property
    def asked(self) -> Asked:
        return Asked(self.plan, self.term)

    @property
    def term(self) -> Term:
        assert isinstance(self.plan.where, IsMissing)
        term = self.plan.where.term
        return replace(term, kind=Kind.TEXT) if isinstance(term, JsonTerm) else term


def usual_fields(catalog: Catalog) -> list[tuple[str, Value]]:
    """All fields of the contacts but their key, calculated ones, and how often each event happened in the last 90 days."""
    contacts = catalog.contacts
    named = [name for name, column in contacts.fields.items() if column.name != contacts.key]
    counts = [event(name).within(days=DAYS).count() for name in catalog.event_names()[:_MOST_EVENTS]]
    return [*((name, field(name)) for name in (*named, *catalog.calculated)), *((_named(own), own) for own in counts)]


def given_fields(fields: Any) -> list[tuple[str, Value]]:
    """The fields that somebody named, or values such as `F.created_at.year()`, under names of their own."""
    several = [fields] if isinstance(fields, str | Value) else checked_list(fields, "fields")
    values = [own if isinstance(own, Value) else field(own) for own in several]
    names = distinct(own if isinstance(own, str) else _named(own) for own in several)
    return list(zip(names, values, strict=True))


def _named(value: Value) -> str:
    return spell(value.node).removeprefix("F.")


def profile(engine: Engine, plan: Plan, fields: Sequence[Profiled], wanted: Wanted) -> pd.DataFrame:
    """The members of a plan against everyone, field by field. `Workspace.profile` says what the columns mean."""
    import pandas as pd

    answers = _Answers(engine, plan, fields, wanted)
    rows = [row for i, own in enumerate(fields) for row in _rows(i, own, answers, wanted)]
    _rank(rows, sum(answers.untested(i) for i in range(len(fields))))
    read = set(plan.fields)
    for row in rows:
        own = fields[row.pop("i")].plan
        row["defining"] = bool(read & set(own.fields) or set(plan.features) & set(own.features))
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    frame.attrs["segment"] = label(plan)
    frame.attrs["members"], frame.attrs["everyone"] = answers.members, answers.everyone
    return masked(frame) if wanted.mask else frame


# ---------------------------------------------------------------- what the engine is asked


class _Answers:
    """What the engine said of each field (by its position): how many know it, its values, its order."""

    def __init__(self, engine: Engine, plan: Plan, fields: Sequence[Profiled], wanted: Wanted) -> None:
        self._engine, self._plan, self._fields = engine, plan, fields
        self.everyone = self.members = 0
        self.known: dict[int, dict[str, int]] = {}
        self.values: dict[int, list[Any]] = {i: [] for i in range(len(fields))}
        self.ordered: dict[int, Any] = {}
        self._ask_known(range(len(fields)))
        top, least = wanted.top, wanted.least
        for i, row in self._asked(self._of(Kind.TEXT), lambda plan, asked: spread.values(plan, asked, top, least)):
            self.values[i].append(row)
        numbers = [i for i, own in enumerate(fields) if own.term.kind.is_number]
        times = [i for i, own in enumerate(fields) if own.term.kind.is_timestamp]
        for several in (numbers, self._of(Kind.DATE), times):
            self.ordered |= dict(self._asked(several, spread.ordered))

    def untested(self, i: int) -> int:
        """How many values of a field could have been shown, and are not."""
        own = self.values[i]
        return int(own[0].candidates) - len(own) if own else 0

    def _of(self, kind: Kind) -> list[int]:
        return [i for i, own in enumerate(self._fields) if own.term.kind is kind]

    def _ask_known(self, several: Sequence[int]) -> None:
        for some, frame in self._frames(several, spread.known):
            row: Any = frame.iloc[0]
            self.everyone, self.members = int(row["everyone"]), int(row["members"])
            for k, i in enumerate(some):
                names = ("everyone_", "members_", "everyone_true_", "members_true_")
                self.known[i] = {name: int(row[f"{name}{k}"]) for name in names if f"{name}{k}" in row.index}

    def _asked(self, several: Sequence[int], write: _Write) -> Iterator[tuple[int, Any]]:
        """The rows of an answer, each with the field that it is about."""
        for some, frame in self._frames(several, write) if several else ():
            rows: Iterator[Any] = frame.itertuples(index=False)
            yield from ((some[int(row.field)], row) for row in rows)

    def _frames(self, several: Sequence[int], write: _Write) -> Iterator[tuple[Sequence[int], pd.DataFrame]]:
        """The answers about some fields: several queries where one would be too large."""
        query = write(self._plan, [self._fields[i].asked for i in several])
        if len(several) > 1 and (len(several) > _AT_ONCE or not self._engine.limits.allow(*extent(query))):
            half = len(several) // 2
            yield from self._frames(several[:half], write)
            yield from self._frames(several[half:], write)
        else:
            yield several, self._engine.frame(render(query, self._engine.renders_as))


_Write = Callable[[Plan, Sequence[Asked]], Any]


# ---------------------------------------------------------------- rows of a field


def _rows(i: int, own: Profiled, answers: _Answers, wanted: Wanted) -> Iterator[dict[str, Any]]:
    known = answers.known[i]
    inside, everyone = known["members_"], known["everyone_"]
    is_sparse = not answers.everyone or everyone / answers.everyone < wanted.sparse_below
    base = {"i": i, "field": own.name, "kind": own.term.kind.value, "value": "", "inside_at": "", "everyone_at": ""}
    base["sparse"] = is_sparse
    yield {**base, "what": "known", **_share(inside, answers.members, everyone, answers.everyone)}
    if "members_true_" in known:
        share = _share(known["members_true_"], inside, known["everyone_true_"], everyone)
        yield {**base, "what": "value", "value": "true", **share}
    yield from _texts(base, answers.values[i], inside, everyone)
    if i in answers.ordered:
        yield from ({**base, **row} for row in _order(answers.ordered[i], own.term, own.plan))


def _texts(base: dict[str, Any], values: Sequence[Any], inside: int, everyone: int) -> Iterator[dict[str, Any]]:
    for row in values:
        share = _share(int(row.inside), inside, int(row.inside) + int(row.outside), everyone)
        yield {**base, "what": "value", "value": str(row.value), **share}
    if base["kind"] == Kind.TEXT.value:
        rest = everyone - sum(int(row.inside) + int(row.outside) for row in values)
        if rest:
            share = _share(inside - sum(int(row.inside) for row in values), inside, rest, everyone)
            yield {**base, "what": "other", **share, "p_value": nan, "difference": nan, "low": nan, "high": nan}


def _share(count: int, of: int, everyone: int, everyone_of: int) -> dict[str, Any]:
    """A share of members beside that of everyone, and tested against the others: who are no members."""
    other, other_of = everyone - count, everyone_of - of
    inside, outside = _ratio(count, of), _ratio(other, other_of)
    told = difference(share(count, of), share(other, other_of), None, LEVEL)
    return {
        **_beside(inside, _ratio(everyone, everyone_of), outside),
        "count": count, "of": of, "count_of_everyone": everyone, "of_everyone": everyone_of,
        "difference": told.value, "low": told.low, "high": told.high,
        "p_value": told.p if 0 < everyone < everyone_of else nan,
    }  # fmt: skip


def _order(row: Any, term: Term, plan: Plan) -> Iterator[dict[str, Any]]:
    """The quantiles, the mean and the order of a field's values."""
    members, others = int(row.members), int(row.others)
    of = {"of": members, "of_everyone": members + others}
    for k, name in enumerate(QUANTILES):
        both = [getattr(row, f"{side}_{k}") for side in ("inside", "everyone")]
        if term.kind.is_number:
            yield {**of, "what": name, "inside": _float(both[0]), "everyone": _float(both[1])}
        else:
            inside, everyone = (_time(value, term.kind, plan) for value in both)
            at = {"inside_at": inside[0], "everyone_at": everyone[0]}
            yield {**of, "what": name, "inside": inside[1], "everyone": everyone[1], **at}
    if term.kind.is_number:
        yield {**of, "what": "mean", **_mean(row, members, others)}
    numbers = (_float(getattr(row, name)) for name in ("twice_higher", "squares_inside", "squares_outside", "ties"))
    pairs = Pairs(members, others, *numbers)
    low, high = pairs.delta_interval()
    order = {"inside": pairs.superiority, "everyone": 0.5, "difference": pairs.delta, "low": low, "high": high}
    yield {**of, "what": "higher", **order, "p_value": pairs.probability()}


def _mean(row: Any, members: int, others: int) -> dict[str, Any]:
    inside, outside = _float(row.mean_inside), _float(row.mean_outside)
    everyone = (members * inside if members else 0.0) + (others * outside if others else 0.0)
    beside = _beside(inside, everyone / (members + others), outside)
    low, high = _welch(inside - outside, (_float(row.deviations_inside), members), (_float(row.deviations_outside), others))
    return {**beside, "difference": inside - outside, "low": low, "high": high}


def _welch(difference: float, *groups: tuple[float, int]) -> tuple[float, float]:
    """The interval of a difference of means (Welch 1947, "The generalization of 'Student's' problem")."""
    if any(n < 2 for _, n in groups):
        return nan, nan
    parts = [(squares / (n - 1) / n, n) for squares, n in groups]
    variance = sum(part for part, _ in parts)
    if variance <= 0:
        return nan, nan
    freedom = variance**2 / sum(part**2 / (n - 1) for part, n in parts)
    half = student(freedom) * sqrt(variance)
    return difference - half, difference + half


def _beside(inside: float, everyone: float, others: float) -> dict[str, float]:
    index = 100 * inside / everyone if everyone > 0 and inside >= 0 else nan
    return {"inside": inside, "everyone": everyone, "others": others, "index": index}


def _ratio(count: int, of: int) -> float:
    return count / of if of else nan


def _float(value: Any) -> float:
    return nan if value is None else float(value)


def _time(value: Any, kind: Kind, plan: Plan) -> tuple[str, float]:
    """A date or a timestamp (on UTC's clock) as text, and how many days before the instant of the evaluation it lies."""
    import pandas as pd

    if value is None or pd.isna(value):
        return "", nan
    at = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    if kind is Kind.DATE:
        day = at.date() if isinstance(at, dt.datetime) else at
        today = plan.at.as_of.astimezone(ZoneInfo(plan.at.zone)).date()
        return day.isoformat(), float((today - day).days)
    instant = (at.to_pydatetime() if isinstance(at, pd.Timestamp) else at).replace(tzinfo=dt.UTC)
    return instant.isoformat(), (plan.at.as_of - instant).total_seconds() / 86400


# ---------------------------------------------------------------- ranked


def _rank(rows: Sequence[dict[str, Any]], untested: int) -> None:
    """Corrects for all that was or could have been tested, and ranks what is a finding before what is not, by its size.

    The values that are not shown count as tests that found nothing: that makes the correction larger, never too small.
    """
    tested = [row for row in rows if not isnan(row.get("p_value", nan))]
    adjusted = holm([*(row["p_value"] for row in tested), *[1.0] * untested])
    for row, own in zip(tested, adjusted, strict=False):
        row["p_adjusted"] = own
    tested.sort(key=lambda row: (row["p_adjusted"] >= LIMIT, -abs(row["difference"])))
    for place, row in enumerate(tested, 1):
        row["rank"] = place
