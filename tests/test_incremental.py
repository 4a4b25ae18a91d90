"""Looking only at contacts that could have changed gives what looking at all gives, whatever happens to data and clock.

`SEGKIT_FAULTS=full` makes it hundreds of sequences of changes.
"""

from __future__ import annotations

import datetime as dt
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import strategies
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from strategies import CATALOG, INSTANTS, MICRO, SEGMENTS, TABLES, World

from segkit import NOW, TODAY, E, F, SegkitError, Segment, Workspace, connect, days, in_list, in_segment, raw_sql
from segkit.builder import Predicate
from segkit.compile import touched
from segkit.tracking import incremental, members, seen

SEQUENCES = 500 if os.environ.get("SEGKIT_FAULTS") == "full" else 3
STEPS = 4
pytestmark = pytest.mark.filterwarnings("ignore")
ZONES = ("UTC", "Europe/Rome", "America/New_York")
AHEAD = (
    MICRO,
    dt.timedelta(minutes=15),
    dt.timedelta(hours=1),
    dt.timedelta(hours=26),
    dt.timedelta(days=7),
    dt.timedelta(days=33),
)


# ---------------------------------------------------------------- random sequences


def changes(rng: random.Random, connection: Any, at: dt.datetime) -> None:
    """Something, or nothing, happens to the data."""
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        rng.choice(CHANGES)(rng, connection, at)


def insert(connection: Any, table: str, rows: list[dict[str, Any]]) -> None:
    columns = TABLES[table]
    for row in rows:
        connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", [row.get(name) for name in columns])


def some(rng: random.Random, connection: Any, table: str) -> list[int]:
    rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table} ORDER BY rowid").fetchall()]
    return rng.sample(rows, min(len(rows), rng.choice((1, 1, 3))))


def placed(rows: list[int]) -> str:
    return f"rowid IN ({', '.join(map(str, rows)) or 'NULL'})"


def new_events(rng: random.Random, connection: Any, at: dt.datetime) -> None:
    rows = rng.sample(strategies._events(rng), 3)
    for row in rows:
        if rng.random() < 0.6:
            row["occurred_at"] = (at + rng.choice((-1, 0, 1, -3600_000_000)) * MICRO).replace(tzinfo=None)
        row["event_id"] = rng.choice((row["event_id"], rng.randrange(1000, 10**6)))
    insert(connection, "events", rows)


def new_rows(table: str, make: Callable[[random.Random], list[dict[str, Any]]]) -> Callable[..., None]:
    return lambda rng, connection, _: insert(connection, table, rng.sample(make(rng), 2))


def gone_rows(table: str) -> Callable[..., None]:
    return lambda rng, connection, _: connection.execute(f"DELETE FROM {table} WHERE {placed(some(rng, connection, table))}")


def other_values(table: str, make: Callable[[random.Random], list[dict[str, Any]]], keys: tuple[str, ...]) -> Callable[..., None]:
    def change(rng: random.Random, connection: Any, at: dt.datetime) -> None:
        row = rng.choice(make(rng))
        name = rng.choice([name for name in TABLES[table] if name not in keys])
        rows = placed(some(rng, connection, table))
        connection.execute(f"UPDATE {table} SET {name} = ? WHERE {rows}", [row.get(name)])

    return change


def swapped(rng: random.Random, connection: Any, at: dt.datetime) -> None:
    """Two events of whoever exchange a value."""
    name = rng.choice(("occurred_at", "amount", "event", "contact_id"))
    rows = some(rng, connection, "events") + some(rng, connection, "events")
    first, second = rows[0], rows[-1]
    connection.execute(
        f"UPDATE events AS e SET {name} = o.{name} FROM (SELECT rowid AS r, * FROM events) AS o"
        f" WHERE (e.rowid, o.r) IN (({first}, {second}), ({second}, {first}))"
    )


def copied(rng: random.Random, connection: Any, at: dt.datetime) -> None:
    rows = placed(some(rng, connection, "events"))
    connection.execute(f"INSERT INTO events SELECT * FROM events WHERE {rows}")
    if rng.random() < 0.5:
        connection.execute(f"UPDATE events SET contact_id = {rng.randint(1, 40)} WHERE {rows}")


def new_contacts(rng: random.Random, connection: Any, at: dt.datetime) -> None:
    row = rng.choice(strategies._contacts(rng))
    known = {key for (key,) in connection.execute("SELECT contact_id FROM contacts").fetchall()}
    row["contact_id"] = next(key for key in (99, *range(1, 1000)) if key not in known)
    row["created_at"] = rng.choice((row["created_at"], (at + rng.choice((-1, 0, 1)) * MICRO).replace(tzinfo=None)))
    insert(connection, "contacts", [row])


CHANGES: tuple[Callable[..., None], ...] = (
    new_events, new_events, new_events, swapped, copied, new_contacts, gone_rows("events"), gone_rows("contacts"),
    new_rows("list_members", strategies._list_members), gone_rows("list_members"),
    new_rows("tier_history", strategies._history), gone_rows("tier_history"),
    other_values("contacts", strategies._contacts, ("contact_id",)), other_values("contacts", strategies._contacts, ("contact_id",)),
    other_values("events", strategies._events, ("event_id",)), other_values("list_members", strategies._list_members, ()),
    other_values("tier_history", strategies._history, ()),
)  # fmt: skip


def later(rng: random.Random, at: dt.datetime) -> dt.datetime:
    """Some time later, often at an edge of the pool, or just beside one."""
    edges = sorted(instant for instant in INSTANTS if at < instant < at + dt.timedelta(days=40))
    return rng.choice(edges) if edges and rng.random() < 0.5 else at + rng.choice(AHEAD)


def kept(ws: Workspace) -> dict[str, list[int]]:
    """The members of each segment at the last refresh, as the history has them."""
    spells = ws.tracked_spells()
    last = dict.fromkeys(spells["segment"], 0)
    for name, version in zip(spells["segment"], spells["version"], strict=True):
        last[name] = max(last[name], version)
    inside = spells[spells["exited_at"].isna()]
    return {name: sorted(inside["contact_id"][inside["segment"] == name].tolist()) for name in last}


def opened(connection: Any, zone: str, home: str) -> Workspace:
    return connect(connection, catalog=CATALOG, timezone=zone, home=home)


def run(seed: int, definitions: list[Predicate], looked: Counter[str]) -> None:
    """A sequence: refreshes, between which data and clock change, each held against the members of the moment."""
    rng = random.Random(seed)
    zone = rng.choice(ZONES)
    connection = World(seed, zone).workspace.engine._connection  # type: ignore[attr-defined]
    if rng.random() < 0.6:
        connection.execute("UPDATE events SET event_id = rowid")
    at = rng.choice(INSTANTS) - dt.timedelta(days=rng.choice((0, 2, 40)))
    with TemporaryDirectory() as home:
        ws = opened(connection, zone, home)
        for name, where in SEGMENTS.items():
            ws.save(Segment(name, where))
        ws.track([Segment(f"s{i}", where) for i, where in enumerate(definitions)])
        for _ in range(STEPS):
            if rng.random() < 0.4:
                ws = opened(connection, zone, home)
            frame = ws.refresh(as_of=at).set_index("segment")
            found = kept(ws)
            for i, where in enumerate(definitions):
                name = f"s{i}"
                if frame.loc[name, "outcome"] == "failed":
                    continue
                expected = sorted(ws.members(where, as_of=at)["contact_id"].tolist())
                assert found.get(name, []) == expected, (seed, zone, at, where, frame.loc[name].to_dict())
                looked["some" if pd.notna(frame.loc[name, "looked_at"]) else "all"] += 1
                if frame.loc[name, "outcome"] == "refreshed" and pd.isna(frame.loc[name, "looked_at"]):
                    assert "all contacts were looked at" in frame.loc[name, "note"]
                    looked[frame.loc[name, "note"].rpartition("looked at: ")[2][:60]] += 1
            changes(rng, connection, at)
            at = later(rng, at)


def test_some_contacts_say_what_all_contacts_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incremental, "MOST", 2)
    looked: Counter[str] = Counter()

    @settings(
        max_examples=SEQUENCES, deadline=None, suppress_health_check=list(HealthCheck), database=None, phases=[Phase.generate]
    )
    @given(st.integers(0, 2**32), st.lists(strategies.definitions(), min_size=6, max_size=10))
    def check(seed: int, definitions: list[Predicate]) -> None:
        run(seed, definitions, looked)

    check()
    print(looked)
    assert looked["some"] > looked["all"]


# ---------------------------------------------------------------- each edge by itself

AT = dt.datetime(2025, 1, 20, 12, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
SHAPE: dict[str, Any] = {
    "contacts": {"created": "created_at", "fields": {"seen_at": {"kind": "timestamp", "zone": "Europe/Rome"}}},
    "events": [
        {"table": "events"},
        {"table": "local_events", "event": None, "name": "called", "properties": {"occurred_at": {"kind": "timestamp", "zone": "Europe/Rome"}}},
        {"table": "visits", "event": None, "name": "visited"},
    ],
    "lists": {"table": "list_members", "joined": "joined_at", "left": "left_at"},
    "history": [{"table": "tiers", "fields": {"tier": "tier"}}],
}  # fmt: skip


def small() -> duckdb.DuckDBPyConnection:
    """Forty contacts, of whom the first ten have rows at edges; an event of contact n is n days old at AT."""
    connection = duckdb.connect()
    for command in (
        "CREATE TABLE contacts (contact_id BIGINT, country TEXT, created_at TIMESTAMP, renewal DATE, seen_at TIMESTAMP)",
        "INSERT INTO contacts SELECT i, 'USA', NULL, DATE '2025-01-20' + i::INTEGER, NULL FROM range(40) AS t(i)",
        "CREATE TABLE events (event_id BIGINT, contact_id BIGINT, event TEXT, occurred_at TIMESTAMP, amount INTEGER)",
        "INSERT INTO events SELECT i, i, 'opened', TIMESTAMP '2025-01-20 12:00' - INTERVAL (i) DAY, 10 * i FROM range(40) AS t(i)",
        "CREATE TABLE local_events (contact_id BIGINT, occurred_at TIMESTAMP)",
        "CREATE TABLE visits (contact_id BIGINT, occurred_at DATE)",
        "CREATE TABLE list_members (list_name TEXT, contact_id BIGINT, joined_at TIMESTAMP, left_at TIMESTAMP)",
        "INSERT INTO list_members VALUES ('VIP', 1, NULL, NULL), ('VIP', 2, NULL, NULL)",
        "CREATE TABLE tiers (contact_id BIGINT, tier TEXT, valid_from TIMESTAMP, valid_to TIMESTAMP)",
        "INSERT INTO tiers VALUES (1, 'gold', '2020-01-01', NULL), (2, 'gold', '2020-01-01', NULL)",
    ):
        connection.execute(command)
    return connection


def on(connection: Any, home: Path, **parts: Any) -> Workspace:
    return connect(connection, catalog={**SHAPE, **parts}, timezone="Europe/Rome", home=home)


RECENT = E.opened.within(days=7).count() >= 1
OFTEN = E.opened.count() >= 2
EDGES: dict[str, tuple[Predicate, dt.datetime, dt.timedelta, str]] = {
    "a window ends exactly now": (RECENT, AT - MICRO, MICRO, ""),
    "a window has ended": (RECENT, AT - MICRO, 2 * MICRO, ""),
    "a window begins": (E.opened.window(days=(9, 3)).count() >= 1, AT - MICRO, MICRO, ""),
    "a month ends": (E.opened.in_period("month", -1).count() >= 1, dt.datetime(2025, 1, 31, 22, tzinfo=dt.UTC), 2 * HOUR, ""),
    "a date is reached": (F.renewal.within(days=3), AT, DAY, ""),
    "a day count": ((F.renewal - TODAY) <= 3, AT, DAY, ""),
    "an age": (F.renewal.anniversary(within_days=2), AT, DAY, ""),
    "the last event is older": (E.opened.last().older_than(days=3), AT - MICRO, 2 * MICRO, ""),
    "the first event is later": (NOW - days(4) > E.opened.first(), AT - MICRO, 2 * MICRO, ""),
    "a future event has come": (OFTEN, AT, HOUR, "INSERT INTO events VALUES (90, 3, 'opened', '2025-01-20 13:00', 1)"),
    "a late event": (OFTEN, AT, MICRO, "INSERT INTO events VALUES (90, 3, 'opened', '2024-01-01', 1)"),
    "a copy": (OFTEN, AT, MICRO, "INSERT INTO events SELECT NULL, contact_id, event, occurred_at, amount FROM events WHERE event_id = 3"),
    "an event is deleted": (E.opened.any(), AT, MICRO, "DELETE FROM events WHERE event_id = 3"),
    "another amount": (E.opened.sum("amount") > 95, AT, MICRO, "UPDATE events SET amount = 99 WHERE event_id = 3"),
    "amounts exchanged": (E.opened.sum("amount") > 95, AT, MICRO, "UPDATE events SET amount = 100 - amount WHERE event_id IN (0, 10)"),
    "another contact's": (OFTEN, AT, MICRO, "UPDATE events SET contact_id = 4 WHERE event_id = 3"),
    "another name": (E.opened.any(), AT, MICRO, "UPDATE events SET event = 'closed' WHERE event_id = 3"),
    "an attribute": (F.country == "USA", AT, MICRO, "UPDATE contacts SET country = 'Italy' WHERE contact_id = 3"),
    "a contact is gone": (F.country == "USA", AT, MICRO, "DELETE FROM contacts WHERE contact_id = 3"),
    "a contact is new": (F.country == "USA", AT, MICRO, "INSERT INTO contacts VALUES (99, 'USA', NULL, NULL, NULL)"),
    "a contact came to be": (F.country == "USA", AT, HOUR, "INSERT INTO contacts VALUES (99, 'USA', '2025-01-20 13:00', NULL, NULL)"),
    "on a list": (in_list("VIP"), AT, MICRO, "INSERT INTO list_members VALUES ('VIP', 3, NULL, NULL)"),
    "off a list": (in_list("VIP"), AT, MICRO, "DELETE FROM list_members WHERE contact_id = 1"),
    "joined a list": (in_list("VIP"), AT, HOUR, "UPDATE list_members SET joined_at = '2025-01-20 13:00' WHERE contact_id = 1"),
    "left a list": (in_list("VIP"), AT, HOUR, "UPDATE list_members SET left_at = '2025-01-20 13:00' WHERE contact_id = 1"),
    "another tier": (F.tier == "gold", AT, MICRO, "UPDATE tiers SET tier = 'tin' WHERE contact_id = 1"),
    "a tier ends": (F.tier == "gold", AT, HOUR, "UPDATE tiers SET valid_to = '2025-01-20 13:00' WHERE contact_id = 1"),
    "a tier begins": (F.tier == "tin", AT, HOUR, "INSERT INTO tiers VALUES (1, 'tin', '2025-01-20 13:00', NULL)"),
    "a day of an event is over": (E.visited.within(days=2).any(), AT, DAY, "INSERT INTO visits VALUES (3, '2025-01-19')"),
    "a clock set back": (
        E.called.any(), dt.datetime(2025, 10, 26, 0, 30, tzinfo=dt.UTC), dt.timedelta(minutes=45),
        "INSERT INTO local_events VALUES (3, '2025-10-26 02:20')",
    ),
    "a clock set back, seen": (
        F.seen_at.within(days=2), dt.datetime(2025, 10, 26, 0, 30, tzinfo=dt.UTC), dt.timedelta(minutes=45),
        "UPDATE contacts SET seen_at = '2025-10-26 02:20' WHERE contact_id = 3",
    ),
}  # fmt: skip


@pytest.fixture
def any_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incremental, "MOST", 2)


@pytest.mark.parametrize("edge", EDGES)
def test_an_edge(edge: str, tmp_path: Path, any_share: None) -> None:
    """What happens to the data before the first refresh is what time reaches, what happens after it is what has changed."""
    where, at, step, command = EDGES[edge]
    of_time = step > MICRO
    with small() as connection:
        if of_time and command:
            connection.execute(command)
        ws = on(connection, tmp_path)
        ws.track([Segment("S", where)])
        ws.refresh(as_of=at)
        before = kept(ws).get("S", [])
        if not of_time and command:
            connection.execute(command)
        row = ws.refresh(as_of=at + step).iloc[0]
        now = kept(ws).get("S", [])
        assert now == sorted(ws.members(where, as_of=at + step)["contact_id"])
        assert now != before
        assert row["note"] == ""
        assert row["looked_at"] >= 0


# ---------------------------------------------------------------- conditions, and another refresh


@pytest.fixture
def ws(tmp_path: Path, any_share: None) -> Iterator[Workspace]:
    with small() as connection:
        yield on(connection, tmp_path)


def refreshed(ws: Workspace, at: dt.datetime, **how: Any) -> dict[str, Any]:
    """The only row of a refresh, whose members are those of the moment."""
    [segment] = ws.tracked
    row: dict[str, Any] = ws.refresh(as_of=at, **how).iloc[0].to_dict()
    assert kept(ws).get("S", []) == sorted(ws.members(segment, as_of=at)["contact_id"])
    return row


def test_a_condition_of_several_segments_is_asked_once(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a contact that meets none is a member of what says so, a segment that is referred to included."""
    meant = {"S": RECENT, "T": ~RECENT, "U": (RECENT | OFTEN) & ~(F.country == "Italy")}
    ws.track([Segment(name, ~in_segment("S") if name == "T" else where) for name, where in meant.items()])
    ws.refresh(as_of=AT)
    asked: list[int] = []
    once = members.asked
    monkeypatch.setattr(members, "asked", lambda engine, plans, *more: asked.append(len(plans)) or once(engine, plans, *more))
    frame = ws.refresh(as_of=AT + 3 * DAY)
    assert asked == [4, 0]  # each contact, both counts, the country; nothing of all contacts
    assert frame["looked_at"].notna().all()
    assert kept(ws) == {name: sorted(ws.members(own, as_of=AT + 3 * DAY)["contact_id"]) for name, own in meant.items()}
    assert frame[["entries", "exits"]].to_numpy().tolist() == [[0, 3], [3, 0], [0, 3]]


def test_of_a_table_that_grew_the_new_rows_are_added_up(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ws.track([Segment("S", RECENT)])
    refreshed(ws, AT)
    ws.engine._connection.execute("INSERT INTO events VALUES (40, 20, 'opened', '2025-01-20 12:30', 1)")  # type: ignore[attr-defined]
    added: list[Any] = []
    once = touched.sums
    monkeypatch.setattr(touched, "sums", lambda own, *more: added.append((own.table, *more[2:])) or once(own, *more))
    assert refreshed(ws, AT + HOUR)["entries"] == 1
    assert added == [("events", (40, 41))]


def test_a_refresh_that_came_between(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes and goes is told from the last refresh there is, not from the one that the look began with."""
    ws.track([Segment("S", RECENT)])
    refreshed(ws, AT)
    other, look = on(ws.engine._connection, ws._home), incremental.asked  # type: ignore[attr-defined, arg-type]

    def slow(*given: Any) -> Any:
        monkeypatch.undo()
        monkeypatch.setattr(incremental, "MOST", 2)
        found = look(*given)
        assert refreshed(other, AT + 3 * DAY)["exits"] == 3
        return found

    monkeypatch.setattr(incremental, "asked", slow)
    row = refreshed(ws, AT + 3 * DAY + HOUR)
    assert (row["outcome"], row["exits"], pd.isna(row["looked_at"])) == ("refreshed", 0, False)


def test_a_number_that_each_plan_makes_anew_is_what_it_was(ws: Workspace) -> None:
    ws.track([Segment("S", E.opened.within(days=30).count() > 0.5)])
    refreshed(ws, AT)
    assert pd.notna(refreshed(ws, AT + 2 * DAY)["looked_at"])


# ---------------------------------------------------------------- when all contacts are looked at


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        (F.renewal.top(n=3), "ranks depend on all contacts"),
        (raw_sql("country = 'USA'", dialect="duckdb") & RECENT, "raw SQL may read anything"),
        (TODAY - E.opened.last() > 3, "a value of events is compared with the clock"),
        (
            E.opened.where(F.occurred_at > NOW - days(2)).any(),
            "a filter on events follows the clock",
        ),
    ],
)
def test_what_nobody_can_tell_is_asked_of_all(ws: Workspace, where: Predicate, reason: str) -> None:
    ws.track([Segment("S", where)])
    refreshed(ws, AT)
    row = refreshed(ws, AT + 2 * DAY)
    assert row["note"] == f"all contacts were looked at: {reason}"
    assert pd.isna(row["looked_at"])


def test_what_was_seen_is_a_cache(ws: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, cut, changed or of another refresh: all contacts are looked at, and the next time some again."""
    ws.track([Segment("S", RECENT)])
    refreshed(ws, AT)
    file = tmp_path / "tracking" / seen.FILE
    old = file.read_bytes()
    assert refreshed(ws, AT + HOUR)["note"] == ""
    unknown = "all contacts were looked at: what the tables held at its last refresh is not known"
    damages: tuple[Callable[[bytes], bytes], ...] = (
        lambda _: b"",
        lambda _: b"{}\n",
        lambda _: b"\n",
        lambda own: own[:-8],
        lambda own: own[:-9] + bytes([own[-9] ^ 1]) + own[-8:],
        lambda own: own.replace(b'"at":', b'"at":1'),
        lambda _: old,
    )
    for n, damage in enumerate(damages, 2):
        file.write_bytes(damage(file.read_bytes()))
        assert refreshed(ws, AT + n * DAY)["note"] == unknown, n
        assert refreshed(ws, AT + n * DAY + HOUR)["looked_at"] >= 0
    file.unlink()
    assert refreshed(ws, AT + 20 * DAY)["note"] == unknown
    with monkeypatch.context() as patched:
        patched.setattr(seen, "write", _refuse)
        assert refreshed(ws, AT + 21 * DAY)["looked_at"] >= 0
    assert refreshed(ws, AT + 22 * DAY)["note"] == unknown


def _refuse(*_: object) -> None:
    raise SegkitError("no space left")


def test_other_columns_tables_and_keys_are_seen(ws: Workspace, tmp_path: Path) -> None:
    ws.track([Segment("S", RECENT)])
    refreshed(ws, AT)
    ws.track([Segment("S", RECENT), Segment("Gold", F.tier == "gold")])
    frame = ws.refresh(as_of=AT + HOUR).set_index("segment")
    assert frame["outcome"].to_dict() == {"S": "refreshed", "Gold": "first"}
    assert "what is read of them" in frame.loc["S", "note"]
    frame = ws.refresh(as_of=AT + 2 * HOUR).set_index("segment")
    assert (frame["looked_at"] >= 0).all()
    ws.track([Segment("S", RECENT & (F.country == "USA"))])
    frame = ws.refresh(as_of=AT + 3 * HOUR).set_index("segment")
    assert frame["outcome"].to_dict() == {"S": "new version", "Gold": "refreshed"}
    ws.untrack("Gold")
    refreshed(ws, AT + 4 * HOUR)
    connection: Any = ws.engine._connection  # type: ignore[attr-defined]
    connection.execute("CREATE TABLE t (x TEXT COLLATE NOCASE)")
    assert "a collation is declared" in refreshed(ws, AT + 5 * HOUR)["note"]


def test_keys_of_several_types_are_not_told_apart(tmp_path: Path, any_share: None) -> None:
    with small() as connection:
        connection.execute("ALTER TABLE events ALTER COLUMN contact_id TYPE VARCHAR")
        ws = on(connection, tmp_path)
        ws.track([Segment("S", RECENT)])
        refreshed(ws, AT)
        assert "of the types BIGINT, VARCHAR" in refreshed(ws, AT + DAY)["note"]


@pytest.mark.parametrize("kind", ["VARCHAR", "UUID"])
def test_text_keys(kind: str, tmp_path: Path, any_share: None) -> None:
    with small() as connection:
        for table in ("contacts", "events", "list_members", "tiers", "local_events", "visits"):
            key = (
                "contact_id::TEXT"
                if kind == "VARCHAR"
                else "('00000000-0000-0000-0000-' || lpad(contact_id::TEXT, 12, '0'))::UUID"
            )
            connection.execute(f"ALTER TABLE {table} ALTER COLUMN contact_id TYPE {kind} USING {key}")
        ws = on(connection, tmp_path)
        ws.track([Segment("S", RECENT)])
        ws.refresh(as_of=AT)
        connection.execute("DELETE FROM contacts WHERE starts_with(contact_id::TEXT, '3') OR ends_with(contact_id::TEXT, '03')")
        row = ws.refresh(as_of=AT + DAY, check=True).iloc[0]
        assert (row["exits"], row["error"]) == (2, "")
        assert ws.refresh(as_of=AT + 2 * DAY).iloc[0]["looked_at"] == 2


def test_too_many_changes_and_full(tmp_path: Path) -> None:
    with small() as connection:
        ws = on(connection, tmp_path)
        ws.track([Segment("S", RECENT)])
        assert refreshed(ws, AT)["note"] == ""
        assert refreshed(ws, AT + DAY)["looked_at"] == 3
        connection.execute("UPDATE events SET occurred_at = occurred_at + INTERVAL 1 DAY WHERE contact_id < 15")
        assert "15 contacts could have changed, more than 25% of them" in refreshed(ws, AT + DAY + MICRO)["note"]
        row = refreshed(ws, AT + 2 * DAY, full=True)
        assert (row["note"], pd.isna(row["looked_at"])) == ("", True)
        assert refreshed(ws, AT + 3 * DAY)["looked_at"] == 2


def test_a_segment_that_failed_goes_on_from_all(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    connection: Any = ws.engine._connection  # type: ignore[attr-defined]
    ws.track([Segment("S", RECENT), Segment("T", E.opened.sum("amount") > 95)])
    ws.refresh(as_of=AT)
    connection.execute("DELETE FROM events WHERE event_id = 3")
    source = ws._tracked_source(False, False)

    def failing(own: Any, at: dt.datetime) -> Any:
        if own.definition.name == "S":
            raise SegkitError("it cannot be planned")
        return source.planned(own, at)

    with monkeypatch.context() as patched:
        patched.setattr(ws, "_tracked_source", lambda *_: replace(source, planned=failing))
        assert ws.refresh(as_of=AT + HOUR)["outcome"].tolist() == ["failed", "refreshed"]
    frame = ws.refresh(as_of=AT + 2 * HOUR)
    assert frame["outcome"].tolist() == ["refreshed"] * 2
    assert frame["exits"].tolist() == [1, 0]
    assert frame["looked_at"].isna().tolist()[0]


def test_a_check_tells_and_keeps_what_all_contacts_say(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ws.track([Segment("S", RECENT)])
    refreshed(ws, AT, check=True)
    assert refreshed(ws, AT + DAY, check=True)["error"] == ""
    with monkeypatch.context() as patched:
        patched.setattr(incremental, "_passed", lambda data, *_: np.zeros(data.buckets.count, dtype=bool))
        row = refreshed(ws, AT + 3 * DAY, check=True)
    assert row["error"].startswith("looking only at contacts that could have changed was wrong for 2: 4, 5 ")
    assert (row["outcome"], row["exits"]) == ("refreshed", 2)
    assert refreshed(ws, AT + 4 * DAY)["error"] == ""


def test_a_plan_that_is_not_what_it_was_goes_on_from_all(ws: Workspace) -> None:
    """An event's name that is seen for the first time turns no plan over, unless it is the one that is asked for."""
    connection: Any = ws.engine._connection  # type: ignore[attr-defined]
    ws.track([Segment("S", E.Opened.any())])
    refreshed(ws, AT)
    for event, note in (("unknown", ""), ("Opened", "all contacts were looked at: what the tables held")):
        connection.execute(f"INSERT INTO events VALUES (77, 3, '{event}', '2025-01-02', 1)")
        ws = on(connection, ws._home)  # type: ignore[arg-type]
        at = ws.tracked_sizes()["at"].max().to_pydatetime() + HOUR
        assert refreshed(ws, at)["note"].startswith(note)
        assert refreshed(ws, at + HOUR)["note"] == ""
