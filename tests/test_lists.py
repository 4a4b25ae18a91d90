"""Frozen lists: the members of one instant, kept whole, found again, beside the lists of the connection's own table."""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from test_workspace import AS_OF, EVENTS, LISTS, TABLES, database

import segkit
from segkit import (
    DataError,
    DefinitionError,
    E,
    F,
    SegkitError,
    SegkitWarning,
    Segment,
    StaticList,
    connect,
    everyone,
    in_list,
    in_segment,
    lists,
)

NAMES = [
    "007",
    "7",
    "",
    " ",
    "a\nb",
    "a\r\nb",
    "it's",
    'say "x"',
    "a,b",
    "\\",
    "\\n",
    "null",
    "NULL",
    "\u2028",
    "🎈",
    "é",
    "e\u0301",
    "[1]",
    "\t",
]


def frames(**tables: Any) -> dict[str, pd.DataFrame]:
    return {name: pd.DataFrame(data) for name, data in tables.items()}


def workspace(home: Path, **tables: Any) -> segkit.Workspace:
    return connect(frames(**(tables or TABLES)), as_of=AS_OF, home=home)


def members(ws: segkit.Workspace, where: object) -> list[object]:
    return ws.members(where)["contact_id"].tolist()


def test_a_frozen_list_is_used_at_once_and_after_connecting_again(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    own = ws.freeze(F.opens > 4, "launch")
    assert own == StaticList("launch", 2, dt.datetime(2025, 6, 30, 12, tzinfo=dt.UTC), "contact_id")
    for each in (ws, workspace(tmp_path)):
        assert each.lists == (own,)
        assert members(each, in_list("launch")) == [1, 4]
        assert members(each, in_list("LAUNCH") & in_list("VIP")) == [1, 4]
        assert members(each, in_list("launch") & in_list("old")) == []
        assert members(each, ~in_list("launch")) == [2, 3]
        assert each.sizes([own, in_list("VIP"), ~in_list("old")])["size"].tolist() == [2, 2, 3]


def test_it_combines_like_a_segment(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    own, usa = ws.freeze(F.opens > 4, "launch"), Segment("usa", F.country == "USA")
    for where, expected in (
        (own, [1, 4]),
        (own.where, [1, 4]),
        (own & usa, [1]),
        (usa & own, [1]),
        (own - usa, [4]),
        (usa - own, []),
        (own | (F.opens == 0), [1, 2, 4]),
        ((F.opens == 0) | own, [1, 2, 4]),
        (~own, [2, 3]),
        (Segment("named", own), [1, 4]),
    ):
        assert members(ws, where) == expected
    with pytest.raises(DefinitionError, match="no truth value"):
        bool(own)


def test_the_list_stays_when_the_members_change(tmp_path: Path) -> None:
    connection = database(":memory:")
    ws = connect(connection, as_of=AS_OF, home=tmp_path)
    own = ws.freeze(F.opens > 4, "launch")
    connection.execute("UPDATE contacts SET opens = 0")
    assert ws.size(F.opens > 4) == 0
    assert ws.size(own) == 2


def test_it_is_frozen_as_of_an_instant_and_read_as_it_is_at_any(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    own = ws.freeze(E.opened.any(), "opened", as_of="2025-06-02")
    assert own.as_of == dt.datetime(2025, 6, 2, tzinfo=dt.UTC)
    assert members(ws, own) == [1]
    assert ws.size(E.opened.any()) == 2
    assert ws.size(own, as_of="2020-01-01") == 1
    assert workspace(tmp_path).lists == (own,)


@pytest.mark.parametrize("source", ["frames", "folder", "file", "connection", "sqlite"])
def test_from_every_source(tmp_path: Path, source: str) -> None:
    home, place = tmp_path / "home", tmp_path / "data"
    place.mkdir()
    given: Any = frames(**TABLES)
    if source == "folder":
        for name, table in given.items():
            duckdb.from_df(table).write_parquet(str(place / f"{name}.parquet"))
        given = place
    elif source in ("file", "connection"):
        given = database(str(place / "crm.duckdb"))
        if source == "file":
            given.close()
            given = place / "crm.duckdb"
    elif source == "sqlite":
        with sqlite3.connect(place / "crm.sqlite") as connection:
            for name, table in given.items():
                table.to_sql(name, connection, index=False)
        connection.close()
        given = place / "crm.sqlite"
    before = (place / "crm.duckdb").read_bytes() if source == "file" else b""
    for _ in range(2):
        with connect(given, as_of=AS_OF, home=home) as ws:
            if not ws.lists:
                ws.freeze(F.opens > 4, "launch")
                ws.freeze(F.opens > 400, "nobody")
            assert members(ws, in_list("launch") - in_list("nobody")) == [1, 4]
            assert ws.size(in_list("nobody")) == 0
    if source == "file":
        assert (place / "crm.duckdb").read_bytes() == before


@pytest.mark.parametrize("nobody", [False, True])
def test_text_keys_keep_every_character(tmp_path: Path, nobody: bool) -> None:
    tables = {"contacts": {"contact_id": NAMES, "n": range(len(NAMES))}}
    where = F.n > 100 if nobody else F.n >= 0
    own = workspace(tmp_path, **tables).freeze(where, "all")
    later = workspace(tmp_path, **tables)
    assert own.size == later.size(in_list("all")) == (0 if nobody else len(NAMES))
    assert later.size(~in_list("all")) == (len(NAMES) if nobody else 0)
    one = workspace(tmp_path, **tables).freeze(F.n.is_in([0, 4]), "two")
    assert sorted(members(workspace(tmp_path, **tables), one)) == ["007", "a\nb"]


@pytest.mark.parametrize("keys", [[1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)], [True, False], [1.5, 2.5], [0, 2**64 - 1]])
def test_number_keys_keep_every_digit_or_are_refused(tmp_path: Path, keys: list[Any]) -> None:
    tables = {"contacts": {"contact_id": keys, "n": range(len(keys))}}
    ws = workspace(tmp_path, **tables)
    if isinstance(keys[0], bool | float):
        with pytest.raises(DataError, match="freeze contacts whose key"):
            ws.freeze(everyone(), "all")
        assert not (tmp_path / "lists").exists()
        return
    ws.freeze(F.n != 0, "most")
    for each in (ws, workspace(tmp_path, **tables)):
        assert set(members(each, in_list("most"))) == set(keys[1:])


def test_keys_that_are_uuids(tmp_path: Path) -> None:
    keys = [uuid.UUID(int=n) for n in range(3)]
    connection = duckdb.connect()
    connection.execute("CREATE TABLE contacts (contact_id UUID, n INT)")
    connection.executemany("INSERT INTO contacts VALUES (?, ?)", [(str(key), n) for n, key in enumerate(keys)])
    connect(connection, home=tmp_path).freeze(F.n > 0, "two")
    ws = connect(connection, home=tmp_path)
    assert members(ws, in_list("two")) == keys[1:]
    assert members(ws, ~in_list("two")) == keys[:1]


def test_a_name_that_exists_is_refused(tmp_path: Path) -> None:
    ws, beside = workspace(tmp_path), workspace(tmp_path)
    ws.freeze(F.opens > 4, "launch")
    for name in ("launch", "Launch", "VIP", "vip"):
        with pytest.raises(DefinitionError, match="there is a list"):
            ws.freeze(everyone(), name)
    with pytest.raises(DefinitionError, match="connect again"):
        beside.freeze(everyone(), "launch")
    assert members(workspace(tmp_path), in_list("launch")) == [1, 4]
    for name in ("", "\0", 5):
        with pytest.raises(DefinitionError):
            ws.freeze(everyone(), name)


def test_unfrozen_it_is_gone_and_its_name_is_free(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    ws.freeze(F.opens > 4, "launch")
    ws.freeze(F.opens == 0, "other")
    assert ws.sizes([in_list("launch"), in_list("other")])["size"].tolist() == [2, 1]
    ws.unfreeze("launch")
    for each in (ws, workspace(tmp_path)):
        with pytest.raises(DefinitionError, match="unknown list 'launch'"):
            each.size(in_list("launch"))
        assert each.size(in_list("other")) == 1
    ws.freeze(everyone(), "launch")
    assert ws.size(in_list("launch")) == workspace(tmp_path).size(in_list("launch")) == 4
    for name in ("gone", "VIP"):
        with pytest.raises(DefinitionError, match="unknown frozen list"):
            ws.unfreeze(name)


def test_without_lists_of_its_own_the_connection_knows_the_frozen_ones(tmp_path: Path) -> None:
    tables = {"contacts": TABLES["contacts"]}
    ws = workspace(tmp_path, **tables)
    with pytest.raises(DefinitionError, match="no lists are known"):
        ws.size(in_list("launch"))
    ws.freeze(F.opens > 4, "launch")
    later = workspace(tmp_path, **tables)
    later.define(Segment("launched", in_list("launch")))
    assert later.size(in_segment("launched")) == 2
    with pytest.raises(DefinitionError, match="did you mean 'launch'"):
        later.size(in_list("lanch"))


def test_two_homes_on_one_connection_do_not_meet(tmp_path: Path) -> None:
    connection = database(":memory:")
    connection.execute("CREATE TABLE segkit_lists AS SELECT 'mine' AS list_name, 3 AS contact_id")
    one, other = (connect(connection, as_of=AS_OF, home=tmp_path / name) for name in ("one", "other"))
    one.freeze(F.opens > 4, "launch")
    other.freeze(F.opens == 0, "launch")
    assert members(one, in_list("launch")) == [1, 4]
    assert members(other, in_list("launch")) == [2]
    assert connection.execute("SELECT list_name FROM main.segkit_lists").fetchall() == [("mine",)]


def test_keys_of_another_kind_are_refused(tmp_path: Path) -> None:
    workspace(tmp_path, contacts={"contact_id": ["a", "b"], "n": [1, 2]}).freeze(F.n > 1, "launch")
    ws = workspace(tmp_path)
    assert ws.size(in_list("VIP")) == 2
    with pytest.raises(DataError, match="are text, those of the contacts are not"):
        ws.size(in_list("launch"))


def test_the_sql_says_where_the_list_is(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    sql = ws.sql(ws.freeze(F.opens > 4, "launch") & in_list("VIP"))
    assert "-- Frozen lists, in a temporary table of this connection: launch\n" in sql
    assert "Frozen" not in ws.sql(in_list("VIP"))


def test_a_list_whose_file_was_changed_is_refused(tmp_path: Path) -> None:
    workspace(tmp_path).freeze(F.opens > 4, "launch")
    [file] = (tmp_path / "lists").iterdir()
    assert file.name == "launch.jsonl"
    whole = file.read_text()
    assert [json.loads(line) for line in whole.splitlines()[1:]] == [1, 4]
    for body in ("1\n", "1\n4\n9\n", "1\n1.5\n", "1\n", "", "x\n4\n", '1\n"4"\n'):
        file.write_text(whole.splitlines()[0] + "\n" + body)
        with pytest.raises(DataError, match="freeze it again"):
            workspace(tmp_path).size(in_list("launch"))


NO_INSTANT = '{"segkit": 1, "list": "x", "as_of": "soon", "key": "contact_id", "size": 1}'


@pytest.mark.parametrize("header", ["", "{", "[]", '{"segkit": 1}', '{"segkit": 2, "list": "x"}', "x" * 200_000, NO_INSTANT])
def test_a_file_that_is_no_list_is_warned_of(tmp_path: Path, header: str) -> None:
    workspace(tmp_path).freeze(F.opens > 4, "launch")
    (tmp_path / "lists" / "broken.jsonl").write_text(header)
    with pytest.warns(SegkitWarning, match=r"broken\.jsonl"):
        ws = workspace(tmp_path)
    assert ws.size(in_list("launch")) == 2


def test_a_freeze_that_fails_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = workspace(tmp_path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SegkitError, match="No space left"):
        ws.freeze(F.opens > 4, "launch")
    monkeypatch.undo()
    assert list((tmp_path / "lists").iterdir()) == []
    assert ws.lists == ()
    assert ws.freeze(F.opens > 4, "launch").size == 2


def test_only_the_lists_that_are_named_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = workspace(tmp_path)
    for name in ("a", "b", "c"):
        ws.freeze(F.opens > 4, name)
    read: list[str] = []
    original = lists.keys
    monkeypatch.setattr(lists, "keys", lambda folder, own: read.append(own.name) or original(folder, own))
    later = workspace(tmp_path)
    later.size(in_list("VIP"))
    assert read == []
    later.define(Segment("over b", in_list("b")))
    assert later.size(in_segment("over b")) == later.size(in_list("b")) == 2
    assert read == ["b"]
    assert [later.size(in_list(name)) for name in ("c", "b", "c")] == [2, 2, 2]
    assert read == ["b", "b", "c"]


def test_events_and_own_lists_are_what_they_were(tmp_path: Path) -> None:
    """The lists of the table keep being read by their own dates."""
    joined = {**LISTS, "joined_at": [dt.datetime(2025, 6, 1), dt.datetime(2025, 7, 1), None]}
    ws = workspace(tmp_path, contacts=TABLES["contacts"], events=EVENTS, list_members=joined)
    ws.freeze(in_list("VIP"), "vips")
    assert members(ws, in_list("VIP")) == members(ws, in_list("vips")) == [1]
    assert ws.sizes([in_list("VIP"), in_list("vips")], as_of="2025-07-02")["size"].tolist() == [2, 1]
