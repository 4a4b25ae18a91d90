"""History: sizes, entries and exits at every point equal those of sets of members, whichever way they are computed."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from segkit import DefinitionError, E, F, Segment, connect, in_list
from segkit.errors import SegkitWarning
from segkit.measures import progress
from segkit.plan import clock

COLUMNS = ["segment", "at", "size", "entries", "exits", "growth", "churn", "method", "today_values"]
UTC = dt.UTC


@pytest.fixture(scope="module")
def ws():
    with connect(home=None) as workspace:
        yield workspace


def by_sets(sets: list[set[Any]]) -> list[tuple[int, int, int]]:
    """Size, entries and exits of each point but the first."""
    return [(len(now), len(now - then), len(then - now)) for then, now in pairwise(sets)]


def told(frame: pd.DataFrame) -> list[tuple[int, int, int]]:
    return list(frame[["size", "entries", "exits"]].iloc[1:].astype(int).itertuples(index=False, name=None))


# ---------------------------------------------------------------- grids


def test_days_keep_the_local_hour_when_the_clock_changes() -> None:
    start, end = (
        dt.datetime.fromisoformat(text).astimezone(UTC) for text in ("2025-03-29T00:00+01:00", "2025-04-01T00:00+02:00")
    )
    found = clock.points(start, end, "day", "Europe/Rome")
    assert [f"{at:%d %H}" for at in found] == ["28 23", "29 23", "30 22", "31 22"]
    assert len(clock.points(start, end, "hour", "Europe/Rome")) == 72


def test_a_day_that_a_zone_skipped_is_no_point_of_its_own() -> None:
    start, end = dt.datetime(2011, 12, 28, 10, tzinfo=UTC), dt.datetime(2012, 1, 1, 10, tzinfo=UTC)
    found = clock.points(start, end, "day", "Pacific/Apia")
    assert [f"{at.astimezone(ZoneInfo('Pacific/Apia')):%d}" for at in found] == ["28", "29", "31", "01", "02"]


def test_there_are_as_many_instants_and_periods_as_the_error_says() -> None:
    start, hour, day = dt.datetime(2020, 1, 1, tzinfo=UTC), dt.timedelta(hours=1), dt.timedelta(days=1)
    assert len(clock.points(start, start + 9_999 * hour, "hour", "UTC")) == 10_000
    assert len(clock.periods(start, start + 1_000 * day, "day", "UTC")) == 1_000
    with pytest.raises(DefinitionError, match="more than 10,000 instants"):
        clock.points(start, start + 10_000 * hour, "hour", "UTC")
    with pytest.raises(DefinitionError, match="more than 1,000 periods"):
        clock.periods(start, start + 1_000 * day + hour, "day", "UTC")


def test_months_clip_without_drifting_and_leap_days_come_back() -> None:
    start = dt.datetime(2023, 12, 31, tzinfo=UTC)
    found = clock.points(start, dt.datetime(2024, 4, 30, tzinfo=UTC), "month", "UTC")
    assert [f"{at:%m-%d}" for at in found] == ["12-31", "01-31", "02-29", "03-31", "04-30"]
    leap = dt.datetime(2024, 2, 29, tzinfo=UTC)
    years = clock.points(leap, dt.datetime(2028, 3, 1, tzinfo=UTC), "year", "UTC")
    assert [f"{at:%y-%m-%d}" for at in years] == ["24-02-29", "25-02-28", "26-02-28", "27-02-28", "28-02-29"]


def test_the_end_is_a_point_only_where_a_step_meets_it() -> None:
    start, end = dt.datetime(2025, 1, 1, tzinfo=UTC), dt.datetime(2025, 1, 20, tzinfo=UTC)
    assert [at.day for at in clock.points(start, end, "week", "UTC")] == [1, 8, 15]
    assert clock.points(start, start, "year", "UTC") == (start,)


def test_instants_are_sorted_and_each_stands_once() -> None:
    found = clock.instants(["2025-03-01", dt.date(2025, 2, 1), dt.datetime(2025, 3, 1, tzinfo=UTC)], "UTC")
    assert [at.month for at in found] == [2, 3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"start": "2025-01-02", "end": "2025-01-01"}, "before"),
        ({"start": "2025-01-01", "every": "fortnight"}, "fortnight"),
        ({"start": "1900-01-01", "every": "hour"}, "10,000"),
        ({}, "start"),
        ({"every": []}, "no instant"),
        ({"start": "2025-01-01", "every": ["2025-02-01"]}, "no start"),
        ({"end": "2025-01-01", "every": ["2025-02-01"]}, "no end"),
        ({"start": "2025-01-01", "every": 7}, "unknown unit '7'"),
        ({"start": "2025-02-30"}, "^'2025-02-30' is no instant"),
    ],
)
def test_bad_grids_are_refused(ws, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        ws.history([F.opens > 5], **arguments)


# ---------------------------------------------------------------- the frame


def test_the_frame_of_no_segment_has_its_columns(ws) -> None:
    frame = ws.history([], start="2025-01-01", end="2025-01-03")
    assert frame.columns.tolist() == COLUMNS
    assert frame.empty


def test_rows_equal_sets_of_members(ws) -> None:
    readers = Segment("Readers", E.opened.within(days=30).count() >= 5)
    lost = Segment("Lost", E.purchased.last().older_than(days=60))
    days = ["2025-09-01", "2025-09-30", "2025-10-01", "2025-11-30"]
    frame = ws.history([readers, lost], every=days)
    assert frame.columns.tolist() == COLUMNS
    assert frame["segment"].tolist() == ["Readers"] * 4 + ["Lost"] * 4
    for own, rows in ((readers, frame[:4]), (lost, frame[4:])):
        sets = [set(ws.members(own, as_of=day)["contact_id"]) for day in days]
        assert rows["size"].iloc[0] == len(sets[0])
        assert told(rows) == by_sets(sets)
        assert rows["entries"].isna().tolist() == [True, False, False, False]
        sizes = rows["size"].to_numpy()
        assert np.allclose(rows["growth"][1:], sizes[1:] / sizes[:-1] - 1)
        assert np.allclose(rows["churn"][1:], [len(a - b) / len(a) for a, b in pairwise(sets)])


def test_what_is_asked_point_by_point_shows_how_far_it_has_come(
    ws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_SILENT", -1.0)
    monkeypatch.setattr(progress, "_BETWEEN", -1.0)
    frame = ws.history([Segment("Best", E.opened.count().top(n=9))], start="2025-11-26", end="2025-11-30")
    assert set(frame["method"]) == {"asked"}
    told = capsys.readouterr()
    assert [f"| {done} of 5" in told.err for done in range(5)] == [True] * 5
    assert told.err.endswith("\r")
    assert not told.err.split("\r")[-2].strip(), "the line is clean in the end"
    assert not told.out


def test_windows_of_months_that_go_back_are_asked() -> None:
    with connect(timezone="Europe/Rome") as ws:
        segment = E.opened.within(months=1).count() >= 2
        frame = ws.history([segment], every=["2025-03-30T03:30", "2025-03-31T02:30"])
        assert set(frame["method"]) == {"asked"}
        assert frame["size"].tolist() == [ws.size(segment, as_of=at) for at in frame["at"]]


def test_fields_and_lists_without_history_are_told(ws) -> None:
    own = Segment("Mixed", (F.country == "USA") | in_list("VIP Customers"))
    with pytest.warns(SegkitWarning, match="no history of country: read"):
        frame = ws.history([own, E.opened.any()], every=["2025-10-01", "2025-11-30T12:00"])
    assert frame["today_values"].tolist() == ["country", "", "", ""]


def test_a_list_without_dates_is_told() -> None:
    tables = {
        "contacts": pd.DataFrame({"contact_id": [1, 2]}),
        "list_members": pd.DataFrame({"list_name": ["VIP"], "contact_id": [2]}),
    }
    own = connect(tables, home=None, as_of="2025-11-30")
    with pytest.warns(SegkitWarning, match="no history of list 'VIP'"):
        frame = own.history([in_list("VIP")], start="2025-11-28")
    assert frame["today_values"].tolist() == ["list 'VIP'", "list 'VIP'", ""]
    assert frame["size"].tolist() == [1, 1, 1]
