"""Quantile cells and RFM: partitions, the same on every engine, and the published figures of real purchases."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cdnow
import pandas as pd
import pytest
from engine_world import asked
from engines import ENGINES

import segkit as sk
from segkit import E, F, Journey, Rfm, SegkitError, Segment, cells, charts, connect, rfm
from segkit.errors import DefinitionError

UP_TO_30_SEPTEMBER = "1997-09-30T23:59:59"


# ---------------------------------------------------------------- cells of one value


def test_cells_share_out_all_contacts() -> None:
    with connect(home=None) as ws:
        own = cells(F.total_spent, 7, of=F.country == "USA")
        assert len(own) == 8
        frame = ws.journey(Journey(own))
        certificate = frame.attrs["certificate"]
        assert certificate["disjoint"]
        assert certificate["covered"] == certificate["total"] == ws.size(sk.everyone())
        sizes = frame["size"].tolist()[:7]
        assert max(sizes) - min(sizes) == 1
        assert sum(sizes) == ws.size((F.country == "USA") & ~F.total_spent.is_missing())
        assert ws.size(own[-1]) == ws.size(~((F.country == "USA") & ~F.total_spent.is_missing()))


def test_cells_are_in_the_order_of_the_value() -> None:
    with connect(home=None) as ws:
        spans = [ws.members(own, ["total_spent"])["total_spent"] for own in cells(F.total_spent, 4)[:-1]]
        assert all(low.max() <= high.min() for low, high in pairwise(spans))


def test_cells_have_names_and_are_refused_of_conditions() -> None:
    assert [own.name for own in cells(F.opens, 2, name="Opens")] == ["Opens 1 of 2", "Opens 2 of 2", "Opens missing"]
    for wrong in (F.opens > 5, "opens", E.opened):
        with pytest.raises(DefinitionError, match="no value"):
            cells(wrong, 5)  # type: ignore[arg-type]
    for n in (1, 0, 1001, "5", 2.5):
        with pytest.raises(DefinitionError):
            cells(F.opens, n)  # type: ignore[arg-type]


# ---------------------------------------------------------------- rfm


def by_hand(events: pd.DataFrame, contacts: pd.Series, parts: int) -> pd.DataFrame:
    """Parts as NTILE makes them: in order of the value, equal ones by key, the first parts one longer."""
    own = events[events["contact_id"].isin(contacts)].groupby("contact_id")
    scored = pd.DataFrame({"r": own["occurred_at"].max(), "f": own.size(), "m": own["amount"].sum()})

    def part(name: str) -> pd.Series:
        keys = scored.reset_index().sort_values([name, "contact_id"])["contact_id"]
        longer, least = len(keys) % parts, len(keys) // parts
        numbers = [i + 1 for i in range(parts) for _ in range(least + (i < longer))]
        return pd.Series(numbers, index=keys)

    return pd.DataFrame({"r": part("r"), "f": part("f"), "m": part("m"), "orders": scored["f"], "revenue": scored["m"]})


@pytest.mark.parametrize(("within", "parts"), [(None, 5), (200, 3)])
def test_the_frame_is_what_pandas_counts(within: int | None, parts: int) -> None:
    at = pd.Timestamp("1998-07-01")
    ws = cdnow.connected("CDNOW_sample.txt", str(at))
    events = cdnow.purchases("CDNOW_sample.txt")
    events = events[events["occurred_at"] <= at]
    if within is not None:
        events = events[events["occurred_at"] > at - pd.Timedelta(days=within)]
    scored = by_hand(events, events["contact_id"], parts)
    frame = ws.rfm(rfm(within=within, parts=parts))
    expected = scored.groupby(["r", "f", "m"]).agg(size=("orders", "size"), orders=("orders", "sum"), revenue=("revenue", "sum"))
    found = frame[frame["size"] > 0].set_index(["r", "f", "m"])
    assert len(frame) == parts**3
    assert found.index.tolist() == expected.index.tolist()
    assert found["size"].tolist() == expected["size"].tolist()
    assert found["orders"].tolist() == expected["orders"].tolist()
    assert found["revenue"].tolist() == pytest.approx(expected["revenue"].tolist())
    assert found["share"].sum() == pytest.approx(1)
    assert found["revenue_share"].tolist() == pytest.approx((expected["revenue"] / expected["revenue"].sum()).tolist())
    certificate = frame.attrs["certificate"]
    assert certificate == {"covered": len(scored), "none": 2357 - len(scored), "total": 2357, "sums": True}


def test_the_segments_are_the_cells_of_the_frame() -> None:
    with connect(home=None) as ws:
        own = rfm(within=365)
        frame = ws.rfm(own)
        assert ws.sizes(own.cells())["size"].tolist() == [*frame["size"], frame.attrs["certificate"]["none"]]
        grid = frame.groupby(["r", "f"])["size"].sum()
        assert ws.sizes([own.cell(r, f) for r, f in grid.index])["size"].tolist() == grid.tolist()


def test_the_groups_share_out_all_contacts() -> None:
    with connect(home=None) as ws:
        own = rfm()
        frame = ws.journey(Journey(own.groups()))
        assert frame.attrs["certificate"]["disjoint"]
        assert frame.attrs["certificate"]["covered"] == ws.size(sk.everyone())
        by_group = ws.rfm(own).groupby("group")["size"].sum()
        assert dict(by_group) == dict(frame[:-2][["stage", "size"]].values.tolist())
        assert ws.size(own.group("Champions")) == by_group["Champions"]


@pytest.mark.parametrize("segment", [*rfm(within=90).groups(), rfm().cell(1, 5, 3), *cells(F.total_spent, 2)], ids=str)
def test_they_are_ordinary_definitions(segment: Segment) -> None:
    assert Segment.from_dict(segment.to_dict()) == segment
    assert eval(repr(segment), {**vars(sk)}) == segment
    for dialect in ("bigquery", "snowflake", "sqlite", "postgres"):
        assert "NTILE" in segment.sql(dialect) or segment.name == "No purchase"


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_counts_the_same_cells(engine: str) -> None:
    world = asked(engine, 21, "UTC")
    own = Rfm("purchased", "qty", None, 2)
    frame = world.workspace.rfm(own)
    expected = asked("duckdb", 21, "UTC").workspace.rfm(own)
    pd.testing.assert_frame_equal(frame, expected)
    assert frame.attrs["certificate"] == expected.attrs["certificate"]
    some = slice(3, 5) if world.engine.asks_together else slice(None)
    sizes = [*expected["size"], expected.attrs["certificate"]["none"]]
    assert world.workspace.sizes(own.cells()[some])["size"].tolist() == sizes[some]


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: rfm(parts=1), "parts of recency"),
        (lambda: rfm(parts=11), "parts of recency"),
        (lambda: rfm(within=0), "holds nothing"),
        (lambda: rfm(event=""), "empty"),
        (lambda: rfm(amount=""), "empty"),
        (lambda: rfm(parts=3).groups(), "need 5 parts"),
        (lambda: rfm().cell(6, 1), "part 6 of 5"),
        (lambda: rfm().cell(1, 1, 0), "part 0 of 5"),
        (lambda: rfm().group("Champion"), "did you mean 'Champions'"),
    ],
)
def test_what_means_nothing_is_refused(make: Any, part: str) -> None:
    with pytest.raises(DefinitionError, match=part):
        make()


def test_nobody_bought() -> None:
    with connect(home=None) as ws:
        frame = ws.rfm(rfm(within=1), as_of="2001-01-01")
        assert frame["size"].sum() == frame["revenue"].sum() == 0
        assert frame["share"].isna().all()
        charts.rfm(frame).svg()


# ---------------------------------------------------------------- the chart


def test_the_grid_shows_each_cell_and_its_share() -> None:
    with connect(home=None) as ws:
        frame = ws.rfm()
        svg = charts.rfm(frame).svg()
        for size, share in frame.groupby(["r", "f"])[["size", "share"]].sum().itertuples(index=False):
            assert f">{int(size):,}<" in svg
            assert f">{share:.1%}<" in svg
        assert "Cannot lose them" in svg
        assert "2,151 customers" in svg
        assert "nothing to show" in charts.rfm(frame.head(0)).svg()
        hostile = frame.assign(group="</script><img src=x onerror=alert(1)>")
        assert "<img" not in charts.rfm(hostile).svg()
    with pytest.raises(SegkitError, match="there is no r"):
        charts.rfm(pd.DataFrame({"size": [1]}))


# ---------------------------------------------------------------- published figures


def test_cdnow_has_the_published_number_of_customers() -> None:
    """23,570 customers who bought first in the first quarter of 1997 (Fader and Hardie, "Forecasting Repeat Sales at CDNOW: A Case
    Study", Interfaces 31, 2001), and a sample of every tenth."""
    whole = cdnow.connected("CDNOW_master.txt", "1998-07-01")
    assert whole.size(sk.everyone()) == whole.size(E.purchased.any()) == 23_570
    assert whole.size(E.purchased.first() < "1997-04-01") == 23_570
    assert cdnow.connected("CDNOW_sample.txt", "1998-07-01").size(sk.everyone()) == 2_357


def test_cdnow_repeats_as_published() -> None:
    """Days with a purchase after the first, up to 30 September 1997: Fader, Hardie and Lee, "Counting Your Customers the Easy
    Way" (Marketing Science 24, 2005), whose model is fitted to these frequencies."""
    ws = cdnow.connected("CDNOW_sample.txt", UP_TO_30_SEPTEMBER)
    repeats = E.purchased.active("day") - 1
    segments = [*(Segment(f"{n} repeats", repeats == n) for n in range(7)), Segment("7 or more", repeats >= 7)]
    frame = ws.journey(Journey(segments))
    assert frame["size"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64, 0]
    assert frame.attrs["certificate"]["sums"]
    assert ws.sizes(segments)["size"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    curve = ws.thresholds(repeats >= 1)
    at_least = dict(zip(curve["threshold"], curve["size"], strict=True))
    assert [at_least[n] for n in range(1, 8)] == [946, 507, 293, 193, 131, 93, 64]
