"""Dynamics: stays, survival, stability, patterns, reasons, forecasts and transitions equal plain Python over sets of members."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from engines import ENGINES, Rows

from segkit import DefinitionError, E, F, Journey, Segment, connect
from segkit.catalog import Kind
from segkit.journey import NO_STAGE
from segkit.measures import stays
from segkit.measures.patterns import patterns
from segkit.measures.spells import Spells
from segkit.statistics.survival import kaplan_meier, median, restricted_mean

START, END = "2025-10-25", "2025-11-10"
DAYS = [str(day.date()) for day in pd.date_range(START, END)]
READERS = Segment("Readers", (E.opened.within(days=30).count() >= 5) & (F.opens > 20))
ACTIVE = Segment("Active", E.visited.within(days=7).any() | E.purchased.within(days=14).any())
STAGES = Journey(
    [
        Segment("Reader", E.opened.within(days=60).any()),
        Segment("Buyer", E.purchased.within(days=90).any()),
        Segment("Loyal", E.purchased.within(days=90).count() >= 3),
    ]
)
pytestmark = pytest.mark.filterwarnings("ignore:no history of")


@pytest.fixture(scope="module")
def ws():
    with connect(home=None) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def sets(ws) -> dict[str, list[set[Any]]]:
    return {own.name: [set(ws.members(own, as_of=day)["contact_id"]) for day in DAYS] for own in (READERS, ACTIVE)}


def runs(sets: list[set[Any]]) -> dict[Any, list[tuple[int, int]]]:
    """For each contact its runs of points inside: the first one, and the first one outside again."""
    found: dict[Any, list[tuple[int, int]]] = {}
    for contact in set().union(*sets):
        inside = [contact in own for own in sets]
        parts = [(holds, [i for i, _ in own]) for holds, own in groupby(enumerate(inside), key=lambda each: each[1])]
        found[contact] = [(own[0], own[-1] + 1) for holds, own in parts if holds]
    return found


def made(spells: list[tuple[str, int, int]], count: int, start: dt.datetime = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)) -> Spells:
    contact, entered, left = zip(*spells, strict=True) if spells else ((), (), ())
    points = tuple(start + dt.timedelta(days=i) for i in range(count))
    ints = (np.array(own, dtype=np.int64) for own in ((0,) * len(contact), entered, left))
    segment, entered, left = ints
    return Spells(points, ("Own",), segment, np.array(contact, dtype=object), entered, left, (True,))


# ---------------------------------------------------------------- survival


def test_survival_equals_statsmodels() -> None:
    from statsmodels.duration.survfunc import SurvfuncRight

    dice = np.random.default_rng(7)
    time, over = dice.integers(1, 60, 400), dice.random(400) < 0.6
    found = kaplan_meier([(int(t), int((over & (time == t)).sum()), int((~over & (time == t)).sum())) for t in np.unique(time)])
    ended = [own for own in found if own.ended]
    theirs = SurvfuncRight(time, over.astype(int))
    assert [own.length for own in ended] == theirs.surv_times.tolist()
    assert [own.at_risk for own in ended] == theirs.n_risk.tolist()
    assert np.allclose([own.survival for own in ended], theirs.surv_prob)
    inner = [(own, error) for own, error in zip(ended, theirs.surv_prob_se, strict=True) if 0 < own.survival < 1]
    for own, error in inner:
        # Greenwood's error is theirs, the scale of the interval is log(-log)
        width = 1.959963984540054 * error / (own.survival * -np.log(own.survival))
        assert np.allclose((own.low, own.high), (own.survival ** np.exp(width), own.survival ** np.exp(-width)))
    assert median(found)[0] == theirs.quantile(0.5)
    assert median(found)[1:] == pytest.approx(theirs.quantile_ci(0.5, method="cloglog"))


def test_the_mean_is_that_of_all_where_all_have_left() -> None:
    lengths = [3, 3, 5, 8, 13]
    found = kaplan_meier([(length, count, 0) for length, count in sorted(Counter(lengths).items())])
    assert restricted_mean(found) == pytest.approx(np.mean(lengths))


def test_stays_that_began_before_are_left_out_and_those_that_go_on_are_censored() -> None:
    own = made([("a", 0, 2), ("a", 4, 6), ("b", 1, 10), ("c", 3, 7)], 10)
    frame = stays.survival(own, "UTC")
    assert frame[["days", "at_risk", "exits", "still_in"]].values.tolist() == [
        [0, 3, 0, 0],
        [2, 3, 1, 0],
        [4, 2, 1, 0],
        [8, 1, 0, 1],
    ]
    assert frame["survival"].tolist() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3])
    set_days = stays.survival(own, "UTC", [3, 30])
    assert set_days["exits"].tolist() == [1, 1]
    assert set_days["still_in"].tolist() == [0, 1]
    assert set_days["survival"].iloc[0] == pytest.approx(2 / 3)
    assert np.isnan(set_days["survival"].iloc[1])


def test_days_are_those_of_the_calendar_when_the_clock_changes() -> None:
    points = [dt.datetime(2025, 3, 28, 23, tzinfo=dt.UTC), *(dt.datetime(2025, 3, day, 22, tzinfo=dt.UTC) for day in (30, 31))]
    assert stays.days(points, "Europe/Rome").tolist() == [0, 2, 3]
    assert stays.days(points, "UTC")[1] == pytest.approx(2 - 1 / 24)


# ---------------------------------------------------------------- against sets of members


def test_dynamics_equal_plain_python(ws, sets) -> None:
    frame = ws.dynamics([READERS, ACTIVE], START, END).set_index("segment")
    for name, own in sets.items():
        found = runs(own)
        spells = [run for several in found.values() for run in several]
        row = frame.loc[name]
        last = len(DAYS)
        entries, exits = sum(a > 0 for a, _ in spells), sum(b < last for _, b in spells)
        counts = (len(found), len(spells), sum(a == 0 for a, _ in spells), entries, exits, len(own[-1]))
        assert tuple(row[["contacts", "spells", "already_in", "entries", "exits", "still_in"]]) == counts
        again = sum(len(several) > 1 for several in found.values())
        assert (row["returned"], row["re_entries"]) == (again, len(spells) - len(found))
        assert row["returned_share"] == pytest.approx(again / len(found))
        assert row["changes_per_contact"] == pytest.approx((entries + exits) / len(found))
        assert row["stability"] == pytest.approx(np.mean([len(a & b) / len(a) for a, b in pairwise(own)]))
        assert row["jaccard"] == pytest.approx(np.mean([len(a & b) / len(a | b) for a, b in pairwise(own)]))


def test_survival_of_members_equals_statsmodels(ws, sets) -> None:
    from statsmodels.duration.survfunc import SurvfuncRight

    frame = ws.survival([READERS], START, END)
    lasting = [(min(b, len(DAYS) - 1) - a, b < len(DAYS)) for own in runs(sets["Readers"]).values() for a, b in own if a > 0]
    theirs = SurvfuncRight([a for a, _ in lasting], [int(b) for _, b in lasting])
    own = frame[frame["exits"] > 0]
    assert own["days"].tolist() == theirs.surv_times.tolist()
    assert np.allclose(own["survival"], theirs.surv_prob)
    assert frame["exits"].sum() + frame["still_in"].sum() >= len(lasting) - sum(a == 0 for a, _ in lasting)


def test_stability_and_patterns_equal_plain_python(ws, sets) -> None:
    frame = ws.stability([READERS], START, END)
    own = sets["Readers"]
    assert frame["kept"].tolist() == [len(a & b) for a, b in pairwise(own)]
    assert frame["size"].tolist() == [len(each) for each in own[1:]]
    found = ws.patterns([READERS], START, END)
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    expected: Counter[tuple[str, str]] = Counter()
    for (a, b), day in zip(pairwise(own), DAYS, strict=False):  # what is seen at a midnight happened on the day before
        weekday = names[dt.date.fromisoformat(day).weekday()]
        expected[("entry", weekday)] += len(b - a)
        expected[("exit", weekday)] += len(a - b)
    told = found[found["by"] == "weekday"].set_index(["move", "value"])["moves"]
    assert told.to_dict() == {(move, name): expected[move, name] for move in ("entry", "exit") for name in names}
    spells = runs(own)
    tenure = found[found["by"] == "tenure"].set_index("value")["moves"]
    ended = [(a, b) for several in spells.values() for a, b in several if b < len(DAYS)]
    assert tenure["in since before the start"] == sum(a == 0 for a, _ in ended)
    assert tenure["up to 7 days"] == sum(a > 0 and 1 < b - a <= 7 for a, b in ended)
    absence = found[found["by"] == "absence"].set_index("value")["moves"]
    assert absence["up to 1 day"] == sum(b[0] - a[1] == 1 for several in spells.values() for a, b in pairwise(several))
    assert absence["first seen"] == sum(several[0][0] > 0 for several in spells.values())


def test_patterns_of_weeks_have_no_weekday() -> None:
    points = tuple(dt.datetime(2025, 1, 1, tzinfo=dt.UTC) + dt.timedelta(weeks=i) for i in range(3))
    one = np.array([1])
    own = Spells(points, ("Own",), np.array([0]), np.array(["a"], dtype=object), one, one + 1, (True,))
    assert set(patterns(own, "UTC")["by"]) == {"absence", "tenure"}


@pytest.mark.parametrize("segment", [READERS, ACTIVE], ids=["and", "or"])
def test_reasons_are_those_of_diff(ws, segment: Segment) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    people = defaultdict(set)
    for then, now in pairwise(DAYS[:4]):
        moved = ws.diff(segment, segment, old_as_of=then, as_of=now)
        for contact, move, because in zip(moved["contact_id"], moved["moved"], moved["because"], strict=True):
            own = ("entry" if move == "gained" else "exit", because)
            expected[own] += 1
            people[own].add(contact)
    frame = ws.reasons(segment, DAYS[0], DAYS[3]).set_index(["move", "because"])
    assert frame["moves"].to_dict() == dict(expected)
    assert frame["contacts"].to_dict() == {own: len(some) for own, some in people.items()}
    assert np.allclose(frame.groupby("move")["share"].sum(), 1)


# ---------------------------------------------------------------- what comes next


def test_a_forecast_is_what_members_are_at_instants_ahead(ws) -> None:
    risk = Segment("At risk", E.purchased.within(days=180).any() & ~E.purchased.within(days=60).any())
    now = dt.datetime(2025, 11, 30, 12, tzinfo=dt.UTC)
    ahead = [set(ws.members(risk, as_of=now + dt.timedelta(days=i))["contact_id"]) for i in range(8)]
    frame = ws.forecast([risk], days=7)
    assert frame["size"].tolist() == [len(own) for own in ahead]
    assert frame["exits"].tolist()[1:] == [len(a - b) for a, b in pairwise(ahead)]
    found = ws.upcoming(risk, days=7).set_index("contact_id")
    assert set(found.index) == set().union(*ahead)
    assert set(found.index[found["is_member"]]) == ahead[0]
    for contact, own in found.iterrows():
        inside = [contact in each for each in ahead]
        leaves = next((i for i in range(1, 8) if inside[i - 1] and not inside[i]), None)
        enters = next((i for i in range(1, 8) if inside[i] and not inside[i - 1]), None)
        for at, i in ((own["leaves_at"], leaves), (own["enters_at"], enters)):
            assert (at is pd.NaT) if i is None else at == now + dt.timedelta(days=i)
    members = found[found["is_member"]]["leaves_at"]
    assert members.dropna().is_monotonic_increasing


@pytest.mark.parametrize("days", [0, -1, 1.5, True, "7"])
def test_days_ahead_are_a_whole_number(ws, days: object) -> None:
    with pytest.raises(DefinitionError, match="days ahead"):
        ws.forecast([READERS], days=days)


# ---------------------------------------------------------------- journeys


def test_stages_equal_the_journey_at_every_instant_and_transitions_equal_sets(ws) -> None:
    days = DAYS[:5]
    found = ws.stages(STAGES, days[0], days[-1])
    names = [*STAGES.names, NO_STAGE]
    assert found["stage"].tolist() == [name for name in names for _ in days]
    for i, day in enumerate(days):
        theirs = ws.journey(STAGES, as_of=day)
        now = found.iloc[i :: len(days)]
        assert now["size"].tolist() == theirs["size"].tolist()
        assert np.allclose(now["share"], theirs["share"])
    where = []
    for day in days:
        stages = [(name, ws.members(STAGES.stage(name), as_of=day)["contact_id"]) for name in STAGES.names]
        where.append({contact: name for name, some in stages for contact in some})
    expected: Counter[tuple[str, str]] = Counter()
    for then, now in pairwise(where):
        both = ((then.get(own, NO_STAGE), now.get(own, NO_STAGE)) for own in then.keys() | now.keys())
        expected += Counter(pair for pair in both if pair[0] != pair[1])
    frame = ws.transitions(STAGES, days[0], days[-1])
    told = frame.set_index(["from_stage", "to_stage"])
    assert told["moves"].to_dict() == dict(expected)
    kinds = told["kind"].to_dict()
    for (source, target), kind in kinds.items():
        a, b = names.index(source), names.index(target)
        assert kind == ("start" if a == 3 else "leak" if b == 3 else "forward" if b > a else "back")
    since = {}
    lengths = defaultdict(list)
    for i, (then, now) in enumerate(pairwise(where), start=1):
        for own in then.keys() | now.keys():
            if then.get(own) != now.get(own):
                if own in then and own in since:
                    lengths[then[own], now.get(own, NO_STAGE)].append(i - since[own])
                since[own] = i
    means = told["mean_days"].dropna()
    assert means.to_dict() == pytest.approx({pair: np.mean(some) for pair, some in lengths.items()})


# ---------------------------------------------------------------- frames


def test_frames_without_segments_or_moves_have_their_columns(ws) -> None:
    nobody = Segment("Nobody", F.opens < -1)
    for segments in ([], [nobody]):
        dynamics = ws.dynamics(segments, START, END)
        assert dynamics["contacts"].tolist() == [0] * len(segments)
        assert ws.survival(segments, START, END).empty
        assert len(ws.stability(segments, START, END)) == len(segments) * (len(DAYS) - 1)
        assert ws.patterns(segments, START, END)["moves"].sum() == 0
        assert set(ws.forecast(segments, days=3)["size"]) <= {0}
    empty = Journey([nobody])
    assert ws.transitions(empty, START, END).empty
    assert ws.stages(empty, START, END)["share"].iloc[0] == 0
    assert ws.reasons(nobody, START, END).empty
    assert ws.upcoming(nobody, days=3).empty


def test_one_instant_has_no_moves(ws) -> None:
    frame = ws.dynamics([READERS], every=[START])
    assert (frame["spells"] == frame["already_in"]).all()
    assert frame["mean_days"].isna().all()
    assert ws.stability([READERS], every=[START]).empty
    assert ws.transitions(STAGES, every=[START]).empty


TABLES = {
    "contacts": Rows({"contact_id": Kind.INTEGER}, [{"contact_id": i} for i in range(1, 5)]),
    "events": Rows(
        {"event_id": Kind.INTEGER, "contact_id": Kind.INTEGER, "event": Kind.TEXT, "occurred_at": Kind.TIMESTAMP},
        [
            {"event_id": i, "contact_id": contact, "event": "opened", "occurred_at": f"2025-03-{day:02}T10:00:00Z"}
            for i, (contact, day) in enumerate([(1, 2), (1, 10), (2, 3), (2, 5), (3, 12), (4, 1)])
        ],
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_tells_the_same(engine: str) -> None:
    warm, hot = Segment("Warm", E.opened.within(days=4).any()), Segment("Hot", E.opened.within(days=4).count() >= 2)
    with connect(ENGINES[engine].loaded(TABLES), home=None, as_of="2025-03-13", **ENGINES[engine].connect) as own:
        row = own.dynamics([warm], "2025-03-01", "2025-03-15").iloc[0]
        assert tuple(row[["contacts", "spells", "entries", "exits", "returned"]]) == (4, 5, 5, 4, 1)
        assert own.survival([warm], "2025-03-01", "2025-03-15")["exits"].sum() == 4
        moves = own.transitions(Journey([warm, hot]), "2025-03-01", "2025-03-15").set_index(["from_stage", "to_stage"])["moves"]
        assert moves.to_dict() == {
            ("Warm", "Hot"): 1,
            ("Warm", NO_STAGE): 4,
            ("Hot", "Warm"): 1,
            (NO_STAGE, "Warm"): 5,
        }
        ahead = own.upcoming(warm, days=7)
        assert [int(contact) for contact in ahead["contact_id"]] == [1, 3]
        assert [at.day for at in ahead["leaves_at"]] == [15, 17]
        assert own.reasons(warm, "2025-03-01", "2025-03-15")["moves"].tolist() == [5, 4]
