"""`ws.verify`: it agrees where engines are right, tries each condition both ways, and sees faults that are seeded."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import ExitStack
from typing import Any

import pandas as pd
import pytest
from cases_runner import Case, all_cases
from cases_runner import _resolved as resolved
from cases_runner import _workspace as workspace_of
from engines import ENGINES, closed_in_the_end
from test_faults import CASES, DUCKDB, FAULTS, Fault

import segkit
from segkit import Catalog, E, F, Segment, any_of, connect, raw_sql, templates
from segkit.engines import open_engine
from segkit.engines.limits import Limits
from segkit.errors import EngineError, SegkitError
from segkit.plan import moment, plan
from segkit.verification import opened, tried, verified
from segkit.verification.wishes import neighbours

ALWAYS_THE_SAME = {"Holiday Season"}
"""Conditions that no value of any contact changes."""


def test_the_documented_segments_agree_each_condition_both_ways() -> None:
    frame = connect().verify(templates.documented())
    assert frame.columns.tolist() == [
        "segment", "engine", "contacts", "members", "conditions", "both_ways", "differences", "agrees", "note",
    ]  # fmt: skip
    assert frame["agrees"].all(), frame.attrs["differences"]
    assert set(frame["engine"]) == {"duckdb", "sqlite"}
    rest = frame[~frame["segment"].isin(ALWAYS_THE_SAME)]
    assert (rest["both_ways"] == rest["conditions"]).all(), rest[rest["both_ways"] < rest["conditions"]]
    assert (rest["members"] > 0).all()
    assert (rest["members"] < rest["contacts"]).all()


def test_the_same_contacts_are_invented_again() -> None:
    ws = connect()
    [plan] = ws._plans([templates.at_risk()], None)
    assert tried(plan).population == tried(plan).population


class Wrong:
    """An engine whose SQL is changed on its way."""

    def __init__(self, inner: Any, old: str, new: str) -> None:
        self.inner, self.old, self.new = inner, old, new
        self.dialect, self.renders_as, self.limits = inner.dialect, inner.renders_as, inner.limits

    def frame(self, sql: str) -> pd.DataFrame:
        assert self.old in sql
        return self.inner.frame(sql.replace(self.old, self.new))


@pytest.mark.parametrize(
    ("segment", "old", "new"),
    [
        (F.opens > 5, " > 5", " >= 5"),
        (
            F.country != "USA",
            'CASE WHEN "given_contacts"."country" = \'USA\' THEN 0 ELSE 1 END = 1',
            '"given_contacts"."country" <> \'USA\'',
        ),
        (F.country == "USA", "= 'USA'", "ILIKE 'usa'"),
        (
            F.last_purchase.within(days=30),
            " > CAST('2025-10-31 12:00:00' AS TIMESTAMP)",
            " >= CAST('2025-10-31 12:00:00' AS TIMESTAMP)",
        ),
        (E.opened.within(days=30).count() < 2, 'COALESCE("opened_events"."count", 0)', '"opened_events"."count"'),
        (E.purchased.sum("amount") > 500, "SUM(", "MAX("),
        (F.total_revenue / F.order_count > 50, "NULLIF", "GREATEST"),
    ],
    ids=lambda part: repr(part)[:40],
)
def test_a_fault_in_an_engine_is_seen(segment: Any, old: str, new: str) -> None:
    ws = connect()
    right = open_engine(":memory:")
    frame = ws.verify([Segment("S", segment)], {"right": right, "wrong": Wrong(right, old, new)})
    assert frame["agrees"].tolist() == [True, False]
    differences = frame.attrs["differences"]
    assert set(differences["engine"]) == {"wrong"}
    assert len(differences) == min(100, frame["differences"].iloc[1])


IN_THE_PLAN = {"decimal_literals_are_binary_floats"}
"""Faults that the evaluator would share: engines cannot differ from it."""
SEEDED = [fault for fault in FAULTS if fault.runs == DUCKDB and fault.name not in IN_THE_PLAN]


@pytest.mark.parametrize("seeded", SEEDED, ids=lambda seeded: seeded.name)
def test_seeded_faults_of_the_compiler_are_seen(seeded: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = {case: resolved(CASES[case], workspace_of(CASES[case].file, "duckdb")) for case in seeded.cases}
    engine = {"duckdb": open_engine(":memory:")}
    assert verified(list(plans.values()), engine)["agrees"].all()
    with monkeypatch.context() as patch:
        seeded.seed(patch)
        assert not verified(list(plans.values()), engine)["agrees"].all(), "not seen"


def _definitions() -> list[Case]:
    return [case for case in all_cases() if "members" in case.case and case.case.get("only") != "sql"]


def test_definitions_of_all_kinds_agree_on_duckdb() -> None:
    engine = {"duckdb": open_engine(":memory:")}
    wrong = []
    for case in _definitions()[::19]:
        frame = verified([resolved(case, workspace_of(case.file, "duckdb"))], engine)
        if not frame["agrees"].all():
            wrong.append(
                (case.id, case.case.get("where"), frame["note"].tolist(), frame.attrs["differences"].head(3).values.tolist())
            )
    assert wrong == []


def test_no_instant_is_invented_that_an_engine_cannot_hold() -> None:
    first, last = (dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC) for day in ("1970-01-02", "2038-01-18"))
    plan = resolved(CASES["windows_timestamp[1]"], workspace_of("windows_timestamp", "duckdb"))

    def seen(instants: tuple[dt.datetime, dt.datetime] | None) -> list[dt.datetime]:
        rows = tried(plan, instants=instants).population.contacts
        return [row["seen_tz"] for row in rows if row["seen_tz"] is not None]

    assert min(seen(None)) < first
    assert first <= min(seen((first, last))) <= max(seen((first, last))) <= last
    own = open_engine(":memory:")
    narrow = Wrong(own, "", "")
    narrow.limits = Limits(instants=(first, last))
    frame = verified([plan], {"wide": own, "narrow": narrow})
    assert frame["agrees"].all()
    assert frame["contacts"].nunique() == 1


OF_EACH_KIND = (
    "json_elements[40]",
    "json_paths[5]",
    "windows_timestamp[25]",
    "history[13]",
    "numbers[25]",
    "text[13]",
    "sequences[15]",
    "windows_timestamp[1]",
    "zone_rome[23]",
)


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "duckdb"])
def test_segments_agree_on_every_engine(engine: str) -> None:
    own = ENGINES[engine]
    source = own.loaded({})
    with closed_in_the_end(source):
        asked = open_engine(source, **own.connect)
        frame = connect().verify(templates.documented()[3::6], {engine: asked})
        assert frame["agrees"].all(), frame.attrs["differences"]
        plans = [resolved(CASES[case], workspace_of(CASES[case].file, "duckdb")) for case in OF_EACH_KIND]
        frame = verified(plans, {engine: asked})
    lacking = [case.startswith("json") and "json" in own.lacks for case in OF_EACH_KIND]
    assert frame["agrees"].tolist() == [not own for own in lacking], (frame["note"].tolist(), frame.attrs["differences"])


def test_raw_sql_is_held_against_the_first_engine() -> None:
    ws = connect()
    frame = ws.verify([Segment("Even", raw_sql("opens % 2 = 0", dialect="duckdb"))])
    assert frame["agrees"].tolist() == [True, True]
    assert frame["note"].tolist() == ["", "held against duckdb: raw SQL needs a database"]
    assert frame["both_ways"].tolist() == [1, 1]


def test_what_an_engine_cannot_say_is_told() -> None:
    [row] = connect().verify([Segment("S", F.email.matches("^a"))], {"plain": _Plain()}).to_dict("records")
    assert not row["agrees"]
    assert "regular expressions" in row["note"]


class _Plain:
    """SQLite without segkit's functions."""

    dialect = renders_as = "sqlite"
    limits = segkit.engines.sqlite.SQLite.limits

    def frame(self, sql: str) -> pd.DataFrame:
        raise AssertionError(sql)


def test_engines_are_chosen_by_name_or_by_what_connect_opens() -> None:
    own = connect().engine
    with ExitStack() as using:
        assert list(opened(own, None, using)) == ["duckdb", "sqlite"]
        assert opened(own, ["this"], using) == {"this": own}
        assert opened(own, "this", using) == {"this": own}
        found = opened(own, {"mine": sqlite3.connect(":memory:"), "other": own}, using)
        assert (found["mine"].dialect, found["other"]) == ("sqlite", own)
        with pytest.raises(EngineError):
            opened(own, ["no such thing"], using)


def test_nothing_is_written() -> None:
    connection = sqlite3.connect(":memory:")
    connect().verify([templates.at_risk()], {"mine": connection})
    assert connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (0,)


def test_boundaries_stand_at_either_side() -> None:
    at = dt.datetime(2025, 11, 30, tzinfo=dt.UTC)
    assert [own - at for own in neighbours(at)] == [dt.timedelta(microseconds=n) for n in (-1, 0, 1)]
    low, same, high = neighbours(0.3)
    assert low < same < high
    with pytest.raises(SegkitError):
        connect().verify([Segment("S", F.opens > "5")])


def test_contacts_are_invented_who_meet_none_of_what_is_negated() -> None:
    fields = {f"n{i}": "integer" for i in range(10)}
    none = ~any_of(*(F[name] < 100 * i for i, name in enumerate(fields)))
    trial = tried(
        plan(Segment("S", none).definition, Catalog.from_dict({"contacts": {"fields": fields}}), moment("2025-11-30", "UTC"))
    )
    assert trial.expected is not None
    assert sum(is_member for is_member, *_ in trial.expected.values()) > len(trial.expected) / 4
