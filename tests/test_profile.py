"""Profiles: each figure is that of pandas, numpy and scipy over the whole table, on every engine."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from engines import ENGINES, Rows
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep
from test_sample_data import SAMPLE, database

from segkit import E, F, SegkitError, Segment, Workspace, connect, everyone, sample
from segkit.catalog import Kind
from segkit.engines.limits import Limits
from segkit.statistics.intervals import holm

UTC = dt.UTC
ROME = ZoneInfo("Europe/Rome")
AS_OF = dt.datetime(2025, 6, 30, 12, tzinfo=UTC)
KINDS = {
    "contact_id": Kind.INTEGER, "plan": Kind.TEXT, "opens": Kind.INTEGER, "spent": Kind.DECIMAL, "score": Kind.FLOAT,
    "vip": Kind.BOOLEAN, "born": Kind.DATE, "seen": Kind.TIMESTAMP, "paid": Kind.TIMESTAMPTZ,
    "in_rome": Kind.TIMESTAMP, "nothing": Kind.INTEGER,
}  # fmt: skip
PLANS = ["Gold", "gold", "gold ", " gold", "", "Größe", "東京", "O'Brien", None, None]
FIELDS = list(KINDS)[1:]
QUANTILES = {"min": 0.0, "25%": 0.25, "50%": 0.5, "75%": 0.75, "max": 1.0}


@cache
def contacts() -> list[dict[str, Any]]:
    """120 contacts with ties and missing values in every field, times to the microsecond."""
    draw = random.Random(6)

    def maybe(value: Any) -> Any:
        return None if draw.random() < 0.2 else value

    return [
        {
            "contact_id": i,
            "plan": draw.choice(PLANS),
            "opens": maybe(draw.randrange(12)),
            "spent": maybe(Decimal(draw.choice(("0.10", "0.20", "-3.30", "19.99", "1000000.01")))),
            "score": maybe(draw.choice((0.1, 0.2, -1.5, 1e-9, 123456.789))),
            "vip": maybe(draw.random() < 0.4),
            "born": maybe(dt.date(1900, 1, 1) + dt.timedelta(days=draw.choice((0, 59, 40_000, 45_000)))),
            "seen": maybe(dt.datetime(2025, 6, 1) + dt.timedelta(microseconds=draw.choice((0, 1, 10**12, 10**12 + 1)))),
            "paid": maybe(dt.datetime(2025, 6, 29, 3, tzinfo=UTC) + dt.timedelta(hours=draw.randrange(4))),
            "in_rome": maybe(dt.datetime(2025, 3, 30, 1) + dt.timedelta(hours=draw.choice((0, 2, 3)))),
            "nothing": None,
        }
        for i in range(120)
    ]


EVENTS = [
    {"contact_id": i % 40, "event": "opened" if i % 3 else "clicked", "occurred_at": dt.datetime(2025, 1 + i % 6, 2)}
    for i in range(150)
]
TABLES = {
    "contacts": Rows(KINDS, contacts()),
    "events": Rows({"contact_id": Kind.INTEGER, "event": Kind.TEXT, "occurred_at": Kind.TIMESTAMP}, EVENTS),
}
CATALOG = {
    "contacts": {"table": "contacts", "fields": {"in_rome": {"kind": "timestamp", "zone": "Europe/Rome"}}},
    "events": [{"table": "events"}],
}
READERS = Segment("Readers", F.opens >= 6)


@pytest.fixture(scope="module", params=ENGINES)
def on_engine(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    own = ENGINES[request.param]
    with connect(own.loaded(TABLES), home=None, as_of=AS_OF, catalog=CATALOG, **own.connect) as ws:
        yield ws


@pytest.fixture(scope="module")
def ws() -> Iterator[Workspace]:
    with connect(home=None) as own:
        yield own


# ---------------------------------------------------------------- what pandas, numpy and scipy say


def at_utc(name: str, value: dt.datetime) -> dt.datetime:
    own = value if value.tzinfo else value.replace(tzinfo=ROME if name == "in_rome" else UTC)
    return own.astimezone(UTC)


def days_ago(name: str, value: Any) -> float:
    if isinstance(value, dt.datetime):
        return (AS_OF - at_utc(name, value)) / dt.timedelta(days=1)
    return float((AS_OF.date() - value).days)


def shares(inside: list[bool], outside: list[bool]) -> dict[str, float]:
    """A share of members beside that of everyone, with Pearson's chi-square."""
    table = [[sum(inside), sum(outside)], [len(inside) - sum(inside), len(outside) - sum(outside)]]
    varies = all(map(sum, table)) and inside and outside
    both = [*inside, *outside]
    counts = (sum(inside), len(inside), sum(outside), len(outside))
    is_known = inside and outside
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff") if is_known else (math.nan, math.nan)
    return {
        "inside": np.mean(inside) if inside else math.nan,
        "everyone": np.mean(both) if both else math.nan,
        "others": np.mean(outside) if outside else math.nan,
        "p_value": stats.chi2_contingency(table, correction=False).pvalue if varies else math.nan,
        "low": low,
        "high": high,
    }


def order(inside: list[Any], outside: list[Any]) -> dict[str, dict[str, float]]:
    """The quantiles, means and ranks of numbers, or of times as numbers that grow with time."""
    found: dict[str, dict[str, float]] = {}
    for name, q in QUANTILES.items():
        found[name] = {
            side: float(np.quantile(values, q, method="inverted_cdf")) if values else math.nan
            for side, values in (("inside", inside), ("everyone", [*inside, *outside]))
        }
    if inside and outside:
        u = stats.mannwhitneyu(inside, outside, use_continuity=False, method="asymptotic")
        area = u.statistic / len(inside) / len(outside)
        found["higher"] = {"inside": area, "difference": 2 * area - 1, "p_value": u.pvalue}
        t = stats.ttest_ind(inside, outside, equal_var=False)
        ends = t.confidence_interval(0.95)
        found["mean"] = {"inside": np.mean(inside), "everyone": np.mean([*inside, *outside]), "low": ends.low, "high": ends.high}
    return found


def row(frame: pd.DataFrame, field: str, what: str, value: str = "") -> pd.Series[Any]:
    [index] = frame.index[(frame["field"] == field) & (frame["what"] == what) & (frame["value"] == value)]
    return frame.loc[index]


def check(own: pd.Series[Any], expected: dict[str, float], rel: float = 1e-9) -> None:
    for name, figure in expected.items():
        assert own[name] == pytest.approx(figure, rel=rel, abs=1e-12, nan_ok=True), (
            own["field"],
            own["what"],
            own["value"],
            name,
        )


def check_field(frame: pd.DataFrame, name: str, inside: list[Any], outside: list[Any]) -> None:
    """A field of a profile, against the values of members and others, missing ones as None."""
    known = [[value is not None for value in side] for side in (inside, outside)]
    check(row(frame, name, "known"), shares(*known))
    inside, outside = ([value for value in side if value is not None] for side in (inside, outside))
    kind = KINDS[name]
    if kind in (Kind.TEXT, Kind.BOOLEAN):
        for value in frame[(frame["field"] == name) & (frame["what"] == "value")]["value"]:
            is_value = [[(str(own).lower() if kind is Kind.BOOLEAN else own) == value for own in s] for s in (inside, outside)]
            check(row(frame, name, "value", value), shares(*is_value))
        return
    if not inside and not outside:
        assert frame[frame["field"] == name]["what"].tolist() == ["known"]
        return
    is_number = kind.is_number
    numbers = [[float(value) if is_number else -days_ago(name, value) for value in side] for side in (inside, outside)]
    for what, expected in order(*numbers).items():
        if what == "mean" and not is_number:
            assert "mean" not in frame[frame["field"] == name]["what"].tolist()
            continue
        if not is_number and what != "higher":
            expected = {side: -figure for side, figure in expected.items()}
        check(row(frame, name, what), expected)


# ---------------------------------------------------------------- every engine


def test_every_engine_says_what_scipy_says(on_engine: Workspace) -> None:
    frame = on_engine.profile(READERS, FIELDS, least=1, top=20)
    is_member = [(own["opens"] or 0) >= 6 for own in contacts()]
    for name in FIELDS:
        sides = [[own[name] for own, holds in zip(contacts(), is_member, strict=True) if holds is side] for side in (True, False)]
        check_field(frame, name, *sides)
    assert set(frame[frame["field"] == "plan"]["value"]) == {*PLANS[:-2], ""}
    assert (frame.attrs["members"], frame.attrs["everyone"]) == (sum(is_member), 120)


def test_every_engine_counts_events(on_engine: Workspace) -> None:
    frame = on_engine.profile(READERS)
    assert frame["field"].drop_duplicates().tolist()[-2:] == [f"E.{own}.within(days=90).count()" for own in ("clicked", "opened")]
    after = AS_OF.replace(tzinfo=None) - dt.timedelta(days=90)
    for name in ("clicked", "opened"):
        counts = [0] * 120
        for own in EVENTS:
            counts[own["contact_id"]] += own["event"] == name and own["occurred_at"] > after
        sides = [[n for n, own in zip(counts, contacts(), strict=True) if ((own["opens"] or 0) >= 6) is s] for s in (True, False)]
        for what, expected in order(*sides).items():
            check(row(frame, f"E.{name}.within(days=90).count()", what), expected)


def test_times_are_shown_as_they_are(on_engine: Workspace) -> None:
    frame = on_engine.profile(READERS, ["born", "seen", "paid", "in_rome"])
    for name in ("born", "seen", "paid", "in_rome"):
        values = sorted(own[name] for own in contacts() if own[name] is not None)
        for what, value in (("min", values[0]), ("max", values[-1])):
            shown = at_utc(name, value) if isinstance(value, dt.datetime) else value
            assert row(frame, name, what)["everyone_at"] == shown.isoformat()


# ---------------------------------------------------------------- the sample data


def test_the_sample_is_what_pandas_says(ws: Workspace) -> None:
    table = database(SAMPLE).execute("SELECT * FROM contacts WHERE created_at <= '2025-11-30 12:00' OR created_at IS NULL").df()
    frame = ws.profile(F.opens > 20)
    inside, outside = table[table["opens"] > 20], table[~(table["opens"] > 20)]
    assert (frame.attrs["members"], frame.attrs["everyone"]) == (len(inside), len(table))
    for name in set(table.columns) - {"contact_id", "customer_tier"}:  # the tier is read as it was
        check(row(frame, name, "known"), shares(inside[name].notna().tolist(), outside[name].notna().tolist()))
    for name in ("clicks", "total_spent", "purchase_frequency", "cart_value"):
        sides = [side[name].dropna().astype(float).tolist() for side in (inside, outside)]
        for what, expected in order(*sides).items():
            check(row(frame, name, what), expected)
    for name in ("country", "job_title", "subscription_status"):
        sides = [side[name].dropna() for side in (inside, outside)]
        both = pd.concat(sides)
        counts = (
            pd.DataFrame({"inside": sides[0].value_counts(), "all": both.value_counts()}).fillna(0).reset_index(names="value")
        )
        wanted = {
            value
            for by in ("inside", "all")
            for value, n, m in counts.sort_values([by, "value"], ascending=[False, True]).head(5)[["value", by, "all"]].values
            if n > 0 and m >= 5
        }
        shown = frame[(frame["field"] == name) & (frame["what"] == "value")]
        assert set(shown["value"]) == wanted
        for value in wanted:
            check(row(frame, name, "value", value), shares(*((side == value).tolist() for side in sides)))
        rest = frame[(frame["field"] == name) & (frame["what"] == "other")]["everyone"].sum()
        assert rest == pytest.approx((~both.isin(wanted)).mean())


def test_the_correction_counts_what_is_not_shown(ws: Workspace) -> None:
    frame = ws.profile(F.opens > 20, ["country", "job_title", "clicks"], top=2)
    tested = frame[frame["p_value"].notna()]
    candidates = {
        name: len(ws.profile(F.opens > 20, name, top=1000).query("what == 'value'")) for name in ("country", "job_title")
    }
    shown = len(frame.query("what == 'value'"))
    adjusted = holm([*tested["p_value"], *[1.0] * (sum(candidates.values()) - shown)])
    assert shown < sum(candidates.values())
    assert tested["p_adjusted"].tolist() == pytest.approx(adjusted[: len(tested)])


def test_rank_puts_findings_first_by_size(ws: Workspace) -> None:
    frame = ws.profile(F.opens > 20)
    ranked = frame[frame["rank"].notna()].sort_values("rank")
    assert ranked["rank"].tolist() == list(range(1, len(ranked) + 1))
    keys = [(p >= 0.05, -abs(d)) for p, d in zip(ranked["p_adjusted"], ranked["difference"], strict=True)]
    assert keys == sorted(keys)
    assert set(frame[frame["rank"].isna() & frame["what"].isin(["value", "higher"])]["p_value"].dropna()) == set()
    assert not (ranked["what"].isin(["mean", "other", *QUANTILES])).any()


def test_fields_of_the_definition_are_marked(ws: Workspace) -> None:
    ws.define(per_order=F.total_revenue / F.order_count)
    own = ws.profile((F.total_revenue > 100) & (E.opened.within(days=90).count() > 2))
    marked = set(own[own["defining"]]["field"])
    assert marked == {"total_revenue", "average_order_value", "per_order", "E.opened.within(days=90).count()"}


def test_random_segments_hold_the_error_rate() -> None:
    """In segments drawn by lot nothing is to be found: one in twenty may say otherwise."""
    table = pd.DataFrame(contacts())[["contact_id", "plan", "opens", "score", "vip"]]
    table["spent"] = [math.exp(random.Random(i).gauss(0, 2)) for i in range(len(table))]
    with connect({"contacts": table}, home=None) as own:
        frames = [own.profile(sample(percent=40, seed=f"lot {i}"), list(table.columns)[1:]) for i in range(60)]
    found = sum((frame["p_adjusted"] < 0.05).any() for frame in frames)
    alone = sum((frame["p_value"] < 0.05).any() for frame in frames)
    assert found <= 8  # 1 in 200 sets of 60 has more, if 1 in 20 does
    assert alone > 15


def test_sparse_fields_are_flagged(ws: Workspace) -> None:
    frame = ws.profile(everyone())
    known = frame[frame["what"] == "known"].set_index("field")
    assert set(known.index[known["sparse"]]) == set(known.index[known["everyone"] < 0.5])
    assert 0 < known["sparse"].sum() < len(known)
    assert not ws.profile(everyone(), sparse_below=0)["sparse"].any()


def test_values_of_few_are_never_shown() -> None:
    table = pd.DataFrame({"contact_id": range(12), "name": ["a"] * 6 + ["b"] * 4 + ["c", "d"]})
    with connect({"contacts": table}, home=None) as own:
        assert own.profile(F.contact_id < 6, "name").query("what == 'value'")["value"].tolist() == ["a"]
        assert own.profile(F.contact_id < 7, "name", least=1, top=1).query("what == 'value'")["value"].tolist() == ["a"]
        few = own.profile(F.contact_id >= 10, "name", least=1, top=1)
        assert few.query("what == 'value'")["value"].tolist() == ["c", "a"]
        assert few.query("what == 'other'")["inside"].tolist() == [0.5]


def test_addresses_are_hidden() -> None:
    table = pd.DataFrame({"contact_id": range(12), "mail": ["ann@example.com"] * 12})
    with connect({"contacts": table}, home=None) as own:
        assert "ann@example.com" in own.profile(everyone(), "mail")["value"].tolist()
        masked = own.profile(everyone(), "mail", mask=True)
    assert "***@***" in masked["value"].tolist()
    assert not masked["value"].str.contains("ann").any()
    assert masked.attrs["members"] == 12


# ---------------------------------------------------------------- edges


def test_nobody_everyone_and_no_fields(ws: Workspace) -> None:
    nobody = ws.profile(F.country == "Nowhere", ["country", "opens", "birthday"])
    assert nobody[nobody["rank"].notna()].empty
    assert nobody["inside"].isna().sum() == len(nobody)
    whole = ws.profile(everyone(), ["country", "opens"])
    assert whole["others"].isna().all()
    assert whole["index"].dropna().tolist() == pytest.approx([100.0] * whole["index"].notna().sum())
    none = ws.profile(F.country == "USA", [])
    assert none.empty
    assert none.dtypes.equals(whole.dtypes)
    assert none.attrs["members"] == ws.size(F.country == "USA")


def test_no_contacts_at_all() -> None:
    table = pd.DataFrame(
        {"contact_id": pd.Series([], dtype="int64"), "name": pd.Series([], dtype=str), "n": pd.Series([], dtype="int64")}
    )
    with connect({"contacts": table}, home=None) as own:
        frame = own.profile(everyone())
    assert frame["what"].tolist() == ["known", "known"]
    assert frame["sparse"].all()


def test_few_queries_whatever_the_fields(ws: Workspace) -> None:
    asked = []
    frame = ws.engine.frame
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ws.engine, "frame", lambda sql: asked.append(sql) or frame(sql))
        fields = ws.profile(F.country == "USA")["field"].nunique()
    assert fields > 40
    assert len(asked) == 5  # known, texts, numbers, dates, timestamps


def test_a_narrow_engine_is_asked_in_parts(ws: Workspace) -> None:
    fields = ["country", "opens", "clicks", "total_spent", "birthday", "average_order_value", E.opened.count(), E.sent.count()]
    whole = ws.profile(F.country == "USA", fields)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ws.engine, "limits", Limits(columns=20, joins=1))
        parts = ws.profile(F.country == "USA", fields)
    pd.testing.assert_frame_equal(parts, whole)


def test_values_and_one_name_twice(ws: Workspace) -> None:
    frame = ws.profile(F.country == "USA", [F.created_at.year(), "opens", F.opens])
    assert frame["field"].drop_duplicates().tolist() == ["created_at.year()", "opens", "opens (2)"]
    assert ws.profile(F.country == "USA", "opens")["field"].unique().tolist() == ["opens"]


@pytest.mark.parametrize(
    "given",
    [
        {"fields": ["contry"]},
        {"fields": 3},
        {"fields": [3]},
        {"top": 0},
        {"top": True},
        {"least": "5"},
        {"sparse_below": 2},
        {"sparse_below": "a"},
    ],
)
def test_a_profile_refuses(ws: Workspace, given: dict[str, Any]) -> None:
    with pytest.raises(SegkitError) as error:
        ws.profile(F.country == "USA", **given)
    assert error.value.fix
