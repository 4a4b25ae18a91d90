"""Tracking: what a refresh keeps is what the data said then, whatever happens to the data, the process or the file."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from engines import ENGINES, Rows
from hypothesis import given, settings
from hypothesis import strategies as st

from segkit import DataError, DefinitionError, E, F, SegkitError, Segment, Workspace, connect, everyone, in_segment
from segkit.catalog import Kind
from segkit.cli import main
from segkit.tracking import ledger, log, numbers, refreshing

BEGIN = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
READERS = Segment("Readers", E.opened.within(days=10).count() >= 2)
US = Segment("US", F.country == "USA")


def day(n: int) -> dt.datetime:
    return BEGIN + dt.timedelta(days=n)


def database() -> duckdb.DuckDBPyConnection:
    """Forty contacts who open on some days of January."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE contacts (contact_id BIGINT, country TEXT)")
    connection.execute("INSERT INTO contacts SELECT i, CASE WHEN i % 3 = 0 THEN 'USA' ELSE 'Italy' END FROM range(40) AS t(i)")
    connection.execute("CREATE TABLE events (event_id BIGINT, contact_id BIGINT, event TEXT, occurred_at TIMESTAMP)")
    connection.execute(
        "INSERT INTO events SELECT i, i % 40, 'opened', TIMESTAMP '2025-01-01' + INTERVAL ((i * i * 37 + i * 11) % 720) HOUR FROM range(240) AS t(i)"
    )
    return connection


@pytest.fixture
def data() -> Iterator[duckdb.DuckDBPyConnection]:
    with database() as connection:
        yield connection


@pytest.fixture
def ws(data: duckdb.DuckDBPyConnection, tmp_path: Path) -> Workspace:
    return connect(data, home=tmp_path)


def spells_of(looks: dict[dt.datetime, set[Any]]) -> list[tuple[Any, Any, Any]]:
    """Spells from the members at each look, in the slow and plain way."""
    found, inside = [], {}
    for at, members in looks.items():
        for contact in members - inside.keys():
            inside[contact] = at
        found += [(contact, inside.pop(contact), at) for contact in inside.keys() - members]
    return sorted([*found, *((contact, entered, None) for contact, entered in inside.items())], key=str)


def told_spells(ws: Workspace, name: str) -> list[tuple[Any, Any, Any]]:
    frame = ws.tracked_spells([name])
    rows = frame[["contact_id", "entered_at", "exited_at"]].itertuples(index=False)
    return sorted([(own, a.to_pydatetime(), None if pd.isna(b) else b.to_pydatetime()) for own, a, b in rows], key=str)


# ---------------------------------------------------------------- what is kept


def test_what_is_kept_is_what_the_data_said(ws: Workspace) -> None:
    ws.track([READERS, US])
    looks, told = {}, {}
    for n in (2, 5, 6, 11, 12, 19, 40):
        members = set(ws.members(READERS, as_of=day(n))["contact_id"])
        frame = ws.refresh(as_of=day(n)).set_index("segment")
        before = set() if not looks else looks[max(looks)]
        looks[day(n)], told[day(n)] = members, frame.loc["Readers"]
        assert frame.loc["Readers", "size"] == len(members)
        if len(looks) > 1:
            assert tuple(frame.loc["Readers", ["entries", "exits"]]) == (len(members - before), len(before - members))
            assert frame["outcome"].tolist() == ["refreshed"] * 2
        else:
            assert frame["outcome"].tolist() == ["first"] * 2
            assert frame[["entries", "exits"]].isna().all(axis=None)
        moves = ws.tracked_moves(["Readers"])
        assert set(moves["contact_id"][moves["move"] == "exited"]) == before - members
        assert set(moves["contact_id"][moves["move"] != "exited"]) == members - before
    assert len({frozenset(own) for own in looks.values()}) > 4
    assert told_spells(ws, "Readers") == spells_of(looks)
    sizes = ws.tracked_sizes(["Readers"])
    assert sizes["at"].tolist() == list(looks)
    assert sizes["size"].tolist() == [len(own) for own in looks.values()]
    assert (sizes["size"].diff() == sizes["entries"] - sizes["exits"])[1:].all()
    assert ws.tracked_sizes(["US"])["size"].tolist() == [14] * 7
    spells = ws.tracked_spells(["US"])
    assert spells["already_in"].all()
    assert spells["exited_at"].isna().all()
    since = ws.tracked_moves(since=day(11))
    assert set(since["at"]) <= {day(12), day(19), day(40)}
    assert (since["segment"] == "Readers").all()


def test_late_and_duplicate_events_and_new_and_gone_contacts_are_seen_at_the_next_refresh(ws: Workspace, data: Any) -> None:
    ws.track([READERS])
    ws.refresh(as_of=day(20))
    gone = int(ws.members(READERS, as_of=day(20))["contact_id"].iloc[1])
    data.execute("INSERT INTO contacts VALUES (1000, 'USA'), (-5, NULL)")
    for contact in (1000, -5):
        data.execute(f"INSERT INTO events SELECT {9000 + contact} + i, {contact}, 'opened', '2025-01-19' FROM range(2) AS t(i)")
    data.execute("INSERT INTO events SELECT * FROM events")
    data.execute("DELETE FROM contacts WHERE contact_id = ?", [gone])
    ws = connect(data, home=ws._home)
    ws.refresh(as_of=day(20) + dt.timedelta(microseconds=1))
    moves = ws.tracked_moves()
    assert list(zip(moves["contact_id"], moves["move"], strict=True)) == [(-5, "entered"), (1000, "entered"), (gone, "exited")]
    assert ws.tracked_sizes()["size"].diff().iloc[1] == 1


def test_many_refreshes_write_all_members_down_now_and_then(
    ws: Workspace, data: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(refreshing, "_WHOLE_AFTER", 4)
    ws.track([Segment("Odd", F.country == "Odd")])
    looks: dict[dt.datetime, set[int]] = {}
    for n in range(14):
        data.execute("UPDATE contacts SET country = CASE WHEN (contact_id * 31 + ?) % 7 < 4 THEN 'Odd' END", [n])
        ws.refresh(as_of=day(n))
        looks[day(n)] = {row[0] for row in data.execute("SELECT contact_id FROM contacts WHERE country = 'Odd'").fetchall()}
    assert told_spells(ws, "Odd") == spells_of(looks)
    assert ws.tracked_sizes()["size"].tolist() == [len(own) for own in looks.values()]
    with log.reading(tmp_path / "tracking") as own:
        whole = [change.is_whole for change in ledger.read(own).changes["Odd"]]
    assert [n for n, is_whole in enumerate(whole) if is_whole] == [5, 10]


def test_a_refresh_reads_no_further_than_the_last_summary(data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "_WHOLE_AFTER", 3)
    homes = {after: connect(data, home=tmp_path / str(after)) for after in (3, 1000)}

    def each(do: Any) -> None:
        told = {}
        for after, own in homes.items():
            monkeypatch.setattr(ledger, "_SUMMARY_AFTER", after)
            told[after] = do(own)
        assert repr(told[3]) == repr(told[1000])

    odd, fewer = Segment("Odd", F.country == "Odd"), Segment("Odd", (F.country == "Odd") & (F.contact_id < 30))
    each(lambda own: own.track([READERS, US, odd], at_least=15))
    for n in range(14):
        data.execute("UPDATE contacts SET country = CASE WHEN (contact_id * 31 + ?) % 7 < 4 THEN 'Odd' ELSE 'USA' END", [n])
        data.execute("INSERT INTO contacts VALUES (100 + ?, 'USA')", [n])
        each(lambda own, n=n: own.refresh(as_of=day(n)).to_csv())
        each(lambda own, n=n: own.refresh(as_of=day(n)).to_csv())
        if n in (4, 9):
            each(lambda own: own.untrack("US"))
        if n in (5, 6, 11):
            each(lambda own, n=n: own.track([US, fewer if n < 9 else odd]))
        each(lambda own: own.tracked)
    each(lambda own: [own.tracked_sizes().to_csv(), own.tracked_spells().to_csv(), own.tracked_moves(since=day(-1)).to_csv()])
    with log.reading(tmp_path / "3" / "tracking") as own:
        assert sum(entry.kind == ledger.SUMMARY for entry in own.entries) >= 5
        asked: list[int] = []
        body = own.body
        monkeypatch.setattr(own, "body", lambda entry: asked.append(entry.number) or body(entry))
        now, whole = ledger.latest(own), ledger.read(own)
        assert len(asked) <= 4 + len(own.entries)
        assert (now.tracked, now.contacts, now.keys, now.versions) == (whole.tracked, whole.contacts, whole.keys, whole.versions)
        assert all(known == whole.changes[name][-len(known) :] for name, known in now.changes.items())
        assert max(map(len, now.changes.values())) < max(map(len, whole.changes.values())) / 2
        assert now.looks == whole.looks[-len(now.looks) :]


def test_text_keys(tmp_path: Path) -> None:
    frame = pd.DataFrame({"contact_id": ["ü", "a'b", "", "z"], "n": [1, 2, 3, 4]})
    ws = connect({"contacts": frame}, home=tmp_path)
    ws.track([Segment("Some", F.n < 4)])
    ws.refresh(as_of=day(1))
    later = connect({"contacts": frame.assign(n=[1, 5, 3, 1])}, home=tmp_path)
    later.refresh(as_of=day(2))
    moves = later.tracked_moves()
    assert list(zip(moves["contact_id"], moves["move"], strict=True)) == [("z", "entered"), ("a'b", "exited")]


def test_keys_of_another_kind_are_refused(ws: Workspace, tmp_path: Path) -> None:
    ws.track([US])
    ws.refresh(as_of=day(1))
    other = connect({"contacts": pd.DataFrame({"contact_id": ["1"], "country": ["USA"]})}, home=tmp_path)
    with pytest.raises(DataError, match="were whole numbers at the last refresh, and are text now"):
        other.refresh(as_of=day(2))
    fractions = connect({"contacts": pd.DataFrame({"contact_id": [1.5], "country": ["USA"]})}, home=tmp_path / "other")
    fractions.track([US])
    with pytest.raises(DataError, match="float"):
        fractions.refresh(as_of=day(2))


@given(st.lists(st.sets(st.integers(0, 2**40)), max_size=3))
@settings(deadline=None, max_examples=50)
def test_sets_of_numbers_are_read_as_they_were_written(sets: list[set[int]]) -> None:
    given_ = [np.array(sorted(own), dtype=np.int64) for own in sets]
    assert [own.tolist() for own in numbers.unpacked(numbers.packed(*given_))] == [own.tolist() for own in given_]


# ---------------------------------------------------------------- definitions


def test_another_definition_begins_a_version_and_the_old_history_stays(ws: Workspace) -> None:
    ws.track([READERS])
    ws.refresh(as_of=day(10))
    old = set(ws.members(READERS, as_of=day(10))["contact_id"])
    changed = Segment("Readers", E.opened.within(days=10).count() >= 1)
    ws.track([Segment("Readers", READERS.where, notes="said otherwise")])
    ws.refresh(as_of=day(11))
    ws.track([changed])
    new = set(ws.members(changed, as_of=day(12))["contact_id"])
    between = set(ws.members(READERS, as_of=day(11))["contact_id"])
    calls: list[Any] = []
    frame = ws.refresh(as_of=day(12), hook=lambda *told: calls.append(told))
    assert frame[["version", "outcome", "size"]].values.tolist() == [[2, "new version", len(new)]]
    assert frame[["entries", "exits"]].values.tolist() == [[len(new - between), len(between - new)]]
    assert calls == [("Readers", sorted(new - between), sorted(between - new))]
    moves = ws.tracked_moves()
    assert set(moves["contact_id"][moves["move"] == "entered"]) == new - between
    assert ws.tracked_sizes()["version"].tolist() == [1, 1, 2]
    spells = ws.tracked_spells()
    first = spells[spells["version"] == 1]
    assert set(first["contact_id"][first["entered_at"] == day(10)]) == old
    assert (first["exited_at"] <= day(12)).all()
    assert set(spells["contact_id"][spells["version"] == 2]) == new


def test_what_a_definition_refers_to_is_part_of_it(ws: Workspace) -> None:
    ws.define(Segment("Base", F.country == "USA"), Segment("Middle", ~in_segment("base")), doubled=F.contact_id * 2)
    ws.track([Segment("Ref", in_segment("Middle")), Segment("Calc", F.doubled > 20), US])
    ws.refresh(as_of=day(1))
    ws.define(Segment("Base", F.country == "Italy"), doubled=F.contact_id * 3)
    frame = ws.refresh(as_of=day(2))
    assert frame["outcome"].tolist() == ["new version", "new version", "refreshed"]
    assert ws.refresh(as_of=day(3))["outcome"].tolist() == ["refreshed"] * 3


def test_untracked_segments_keep_their_history(ws: Workspace) -> None:
    ws.track([US, READERS])
    ws.refresh(as_of=day(1))
    ws.untrack("us")
    assert ws.tracked == (READERS,)
    assert ws.refresh(as_of=day(2))["segment"].tolist() == ["Readers"]
    assert ws.tracked_sizes(["US"])["at"].tolist() == [day(1)]
    ws.track([US])
    assert ws.refresh(as_of=day(3))["outcome"].tolist() == ["refreshed"] * 2
    assert ws.tracked_sizes(["US"])["at"].tolist() == [day(1), day(3)]
    with pytest.raises(DefinitionError, match="did you mean 'Readers'"):
        ws.untrack("Reader")


def test_what_cannot_be_tracked(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="no name"):
        ws.track([Segment(None, F.country == "USA")])
    with pytest.raises(DefinitionError, match="unknown field 'contry'"):
        ws.track([US, Segment("Typo", F.contry == "USA")])
    with pytest.raises(DefinitionError, match="two segments are called"):
        ws.track([US, Segment("US", F.country == "Italy")])
    with pytest.raises(DefinitionError, match="put it in"):
        ws.track(US)  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="at_least=-1"):
        ws.track([US], at_least=-1)
    with pytest.raises(DefinitionError, match="moved=0"):
        ws.track([US], moved=0)
    assert ws.tracked == ()
    with pytest.raises(DefinitionError, match="no segment is tracked"):
        ws.refresh(as_of=day(1))
    assert connect(home=None).tracked == ()
    with pytest.raises(DefinitionError, match="keeps nothing on disk"):
        connect(home=None).track([US])
    assert not (tmp_path / "tracking").exists() or not list((tmp_path / "tracking").iterdir())


# ---------------------------------------------------------------- a refresh


def test_one_bad_segment_does_not_stop_the_others(ws: Workspace, data: Any) -> None:
    bad = Segment("Bad", F.plan == "free")
    data.execute("ALTER TABLE contacts ADD COLUMN plan TEXT DEFAULT 'free'")
    ws = connect(data, home=ws._home)
    ws.track([US, bad, READERS])
    ws.refresh(as_of=day(10))
    data.execute("ALTER TABLE contacts RENAME COLUMN plan TO tariff")
    for now in (ws, connect(data, home=ws._home)):  # one that planned with the old column, and one that did not
        frame = now.refresh(as_of=day(11 if now is ws else 12)).set_index("segment")
        assert frame["outcome"].to_dict() == {"US": "refreshed", "Bad": "failed", "Readers": "refreshed"}
        assert "plan" in frame.loc["Bad", "error"]
        assert frame.loc["Bad", "size"] == 40
        assert frame.loc["Readers", "size"] == now.size(READERS, as_of=day(11 if now is ws else 12))
    assert ws.tracked_sizes(["Bad"])["at"].tolist() == [day(10)]
    data.execute("ALTER TABLE contacts RENAME COLUMN tariff TO plan")
    assert connect(data, home=ws._home).refresh(as_of=day(12))["outcome"].tolist() == [
        "already there",
        "refreshed",
        "already there",
    ]
    assert ws.tracked_sizes(["Bad"])["at"].tolist() == [day(10), day(12)]
    assert ws.tracked_sizes(["US"])["at"].tolist() == [day(10), day(11), day(12)]


def test_the_same_instant_changes_nothing(ws: Workspace, data: Any) -> None:
    ws.track([READERS])
    first = ws.refresh(as_of=day(10))
    data.execute("DELETE FROM events")
    again = ws.refresh(as_of=day(10))
    assert again["outcome"].tolist() == ["already there"]
    assert again["size"].tolist() == first["size"].tolist() != [0]
    assert len(ws.tracked_sizes()) == 1


def test_a_dry_run_tells_the_same_and_keeps_nothing(ws: Workspace) -> None:
    ws.track([READERS, US])
    for n in (5, 12):
        told = ws.refresh(as_of=day(n), dry_run=True)
        assert len(ws.tracked_sizes()) == (0 if n == 5 else 2)
        pd.testing.assert_frame_equal(told, ws.refresh(as_of=day(n)))


def test_the_clock_must_not_go_back(ws: Workspace) -> None:
    ws.track([US])
    ws.refresh(as_of=day(10))
    with pytest.raises(DataError, match="2025-01-11 00:00:00 UTC, which is later than 2025-01-10 23:59:59"):
        ws.refresh(as_of=day(10) - dt.timedelta(seconds=1))
    with pytest.raises(DefinitionError, match="yet to come"):
        ws.refresh(as_of=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    assert len(ws.tracked_sizes()) == 1


def test_hooks_hear_of_what_moved_once_it_is_kept(ws: Workspace) -> None:
    ws.track([US, READERS, Segment("None", F.country == "Norway")])
    heard: list[tuple[str, list[Any], list[Any]]] = []
    kept: list[int] = []

    def hook(segment: str, adds: list[Any], removes: list[Any]) -> None:
        kept.append(len(ws.tracked_sizes([segment])))
        heard.append((segment, adds, removes))
        if segment == "US":
            raise OSError("no network")

    frame = ws.refresh(as_of=day(5), hook=hook)
    readers = ws.members(READERS, as_of=day(5))["contact_id"].tolist()
    assert heard == [("US", list(range(0, 40, 3)), []), ("Readers", readers, [])]
    assert kept == [1, 1]
    assert frame["error"].tolist() == ["hook: OSError: no network", "", ""]
    assert frame["outcome"].tolist() == ["first"] * 3
    heard.clear()
    ws.refresh(as_of=day(12), hook=hook)
    [(_, adds, removes)] = heard
    later = set(ws.members(READERS, as_of=day(12))["contact_id"])
    assert (set(adds), set(removes)) == (later - set(readers), set(readers) - later)
    assert all(type(key) is int for key in (*adds, *removes))


def test_alerts(ws: Workspace, data: Any) -> None:
    ws.track([US], at_least=15, at_most=100, moved=0.5)
    ws.track([Segment("All", everyone())], at_most=39)
    assert ws.refresh(as_of=day(1))["alert"].tolist() == ["fewer than 15 members", "more than 39 members"]
    data.execute("UPDATE contacts SET country = 'Italy' WHERE contact_id > 15")
    assert ws.refresh(as_of=day(2))["alert"].tolist() == [
        "fewer than 15 members; more than 50% of 14 members came or went",
        "more than 39 members",
    ]
    data.execute("DELETE FROM contacts")
    assert ws.refresh(as_of=day(3))["alert"].tolist() == [
        "fewer than 15 members; empty, after 6 members; more than 50% of 6 members came or went",
        "empty, after 40 members",
    ]


def test_hundreds_of_segments_are_asked_together(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [Segment(f"s{i}", F.contact_id < i % 41) for i in range(230)]
    ws.track(many)
    asked: list[str] = []
    columns = type(ws.engine).columns
    monkeypatch.setattr(type(ws.engine), "columns", lambda self, sql: asked.append(sql) or columns(self, sql))
    frame = ws.refresh(as_of=day(1))
    assert frame["size"].tolist() == [i % 41 for i in range(230)]
    assert sum("bits_0" in sql for sql in asked) == 3


@pytest.mark.parametrize("kind", [Kind.INTEGER, Kind.TEXT])
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_is_refreshed(engine: str, kind: Kind, tmp_path: Path) -> None:
    def at(n: int) -> Workspace:
        keys = [i if kind is Kind.INTEGER else f"ü{i:02}" for i in range(60)]
        rows = [{"contact_id": key, "n": (i * 7 + n * 5) % 60} for i, key in enumerate(keys)]
        loaded = ENGINES[engine].loaded({"contacts": Rows({"contact_id": kind, "n": Kind.INTEGER}, rows)})
        return connect(loaded, home=tmp_path, **ENGINES[engine].connect)

    some = [Segment(f"n{i}", F.n < i) for i in range(54)]
    with at(0) as ws:
        ws.track(some)
        assert ws.refresh(as_of=day(1))["size"].tolist() == list(range(54))
        before = set(ws.members(some[20])["contact_id"])
    with at(1) as ws:
        frame = ws.refresh(as_of=day(2))
        after = set(ws.members(some[20])["contact_id"])
        moves = ws.tracked_moves(["n20"])
    assert frame["size"].tolist() == list(range(54))
    assert frame["entries"].tolist() == [min(i, 60 - i, 5) for i in range(54)]
    assert set(moves["contact_id"][moves["move"] == "entered"]) == after - before
    assert set(moves["contact_id"][moves["move"] == "exited"]) == before - after


def test_who_reads_sizes_reads_no_definitions(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ws.track([US, READERS])
    ws.refresh(as_of=day(1))
    ledger.definition.cache_clear()
    monkeypatch.setattr(ledger.codec, "from_dict", None)
    assert len(ws.tracked_sizes(["us"])) + len(ws.tracked_moves()) + len(ws.tracked_spells()) > 3
    with pytest.raises(TypeError):
        _ = ws.tracked


# ---------------------------------------------------------------- the file


def kept(ws: Workspace) -> Path:
    ws.track([US, READERS])
    for n in (1, 6, 12):
        ws.refresh(as_of=day(n))
    assert ws._home is not None
    return ws._home / "tracking"


def test_a_refresh_makes_no_tables(ws: Workspace) -> None:
    folder = kept(ws)
    with sqlite3.connect(folder / "history.sqlite") as connection:
        before = connection.execute("PRAGMA schema_version").fetchone()
    ws.refresh(as_of=day(13))
    with sqlite3.connect(folder / "history.sqlite") as connection:
        assert connection.execute("PRAGMA schema_version").fetchone() == before
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_of_a_later_segkit_is_refused(ws: Workspace) -> None:
    folder = kept(ws)
    with sqlite3.connect(folder / "history.sqlite") as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(SegkitError, match=r"version 2, this segkit reads version 1\n  fix: use a later segkit"):
        ws.refresh(as_of=day(13))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("DELETE FROM log WHERE number = 4", "the last refreshes are missing|parts are missing"),
        ("DELETE FROM log WHERE number = 2", "entry 2 is not what was written"),
        ("UPDATE log SET body = CAST(x'00' || body AS BLOB) WHERE number = 3", "entry 3 is not"),
        ("UPDATE log SET kind = 'track' WHERE number = 3", "entry 3 is not"),
        ("UPDATE part SET bytes = CAST(x'00' || bytes AS BLOB) WHERE number = 2", "part 2 is not"),
        ("DELETE FROM part WHERE number = 3", "parts are missing"),
        ("DELETE FROM log; DELETE FROM part", "the last refreshes are missing"),
        ("DROP TABLE log", "no such table"),
        ("DROP TABLE log; DROP TABLE part; PRAGMA user_version = 0; PRAGMA application_id = 0", "no history of segkit"),
        ("PRAGMA application_id = 7", "no history of segkit"),
    ],
)
def test_damage_is_told(ws: Workspace, change: str, told: str) -> None:
    folder = kept(ws)
    with sqlite3.connect(folder / "history.sqlite") as connection:
        connection.executescript(change)
    for ask in (lambda: ws.refresh(as_of=day(13)), ws.tracked_spells):
        with pytest.raises(DataError, match=f"is damaged: .*({told})"):
            ask()


def test_a_file_that_is_gone_or_cut_is_told(ws: Workspace) -> None:
    path = kept(ws) / "history.sqlite"
    whole = path.read_bytes()
    for size in (None, 0, 50, 5000, len(whole) // 2, len(whole) - 1000):
        path.unlink(missing_ok=True)
        if size is not None:
            path.write_bytes(whole[:size])
        with pytest.raises(DataError, match="is damaged"):
            ws.tracked_spells()
        with pytest.raises(DataError, match="is damaged"):
            ws.refresh(as_of=day(13))
    path.write_bytes(whole)
    assert len(ws.tracked_sizes()) == 6
    (path.parent / "head").write_text("nonsense")
    with pytest.raises(DataError, match="is damaged"):
        ws.tracked_sizes()


def test_a_refresh_that_ended_before_its_head_was_written_is_kept(ws: Workspace) -> None:
    folder = kept(ws)
    head = (folder / "head").read_text()
    ws.refresh(as_of=day(20))
    (folder / "head").write_text(head)
    assert len(ws.tracked_sizes()) == 8
    (folder / "head").unlink()
    assert len(ws.tracked_sizes()) == 8


def test_a_refresh_that_is_stopped_keeps_nothing(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kept(ws)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = ws.tracked_sizes()
    with monkeypatch.context() as patched:
        patched.setattr(log.Log, "append", stop)
        with pytest.raises(KeyboardInterrupt):
            ws.refresh(as_of=day(20))
    pd.testing.assert_frame_equal(ws.tracked_sizes(), before)
    with sqlite3.connect(folder / "history.sqlite") as connection:
        [(parts, last)] = connection.execute("SELECT count(*), max(number) FROM part").fetchall()
    assert parts == last
    assert ws.refresh(as_of=day(20))["outcome"].tolist() == ["refreshed"] * 2


def test_of_two_refreshes_at_once_one_is_kept(ws: Workspace, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one refreshes, and sees new contacts, after this one has asked the data and before it writes."""
    ws.track([US, READERS])
    ws.refresh(as_of=day(3))
    data.execute("INSERT INTO contacts SELECT 100 + i, 'USA' FROM range(3) AS t(i)")
    ask = refreshing._asked
    for mine, others, outcome in ((5, 5, "already there"), (6, 7, "overtaken"), (9, 8, "refreshed")):
        data.execute(f"INSERT INTO contacts VALUES ({1000 - mine}, 'USA')")

        def slow(*given: Any, others: int = others) -> Any:
            answer = ask(*given)
            monkeypatch.setattr(refreshing, "_asked", ask)
            data.execute(f"INSERT INTO contacts VALUES ({2000 - others}, 'USA')")
            ws.refresh(as_of=day(others))
            data.execute(f"DELETE FROM contacts WHERE contact_id = {2000 - others}")
            return answer

        monkeypatch.setattr(refreshing, "_asked", slow)
        assert ws.refresh(as_of=day(mine))["outcome"].tolist() == [outcome] * 2
    assert ws.tracked_sizes(["US"])["at"].tolist() == [day(n) for n in (3, 5, 7, 8, 9)]
    spells = ws.tracked_spells(["US"])
    inside = spells["contact_id"][spells["exited_at"].isna()]
    assert inside.tolist() == ws.members(US)["contact_id"].tolist()


def test_in_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "us.yml").write_text('name: US\nwhere: country = "USA"')

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, ["refresh", *words])

    said = run().stderr
    assert "no segment is tracked" in said
    assert "segkit refresh FILES" in said
    told = run("us.yml", "--as-of", "2025-11-01", "--json")
    assert told.exit_code == 0
    assert [(row["segment"], row["outcome"]) for row in json.loads(told.stdout)["rows"]] == [("US", "first")]
    assert json.loads(run("--dry-run", "--json").stdout)["rows"][0]["outcome"] == "refreshed"
    with connect(home=".segkit") as ws:
        assert len(ws.tracked_sizes()) == 1
        ws.define(Segment("Gone", everyone()))
        ws.track([Segment("Ref", in_segment("Gone"))], at_least=1)
        ws.track([Segment("Few", F.country == "nowhere")], at_least=1)
    told = run("--as-of", "2025-11-02")
    assert told.exit_code == 1
    assert "alert: Few: fewer than 1 members" in told.stderr
    assert "unknown segment" in " ".join(told.stdout.split())


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(SegkitError, match="check the folder"):
        connect(home=tmp_path / "home").track([US])
