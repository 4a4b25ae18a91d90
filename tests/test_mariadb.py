"""MariaDB, beyond what all engines share: collations, modes, time zones, limits, and each row of the dialect table that is its own."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import mariadb_server
import pytest
from cases_runner import _resolved, _workspace, all_cases, on_mariadb
from engines import ENGINES
from sqlglot import exp
from test_bad_input import VALUES
from without_a_row import fails, markers, without

import segkit
from segkit import E, EngineError, F, Segment, any_of, connect, in_list, sample
from segkit.builder import Predicate
from segkit.compile import sql
from segkit.counting import Counting
from segkit.plan import moment
from segkit.rendering import render
from segkit.rendering.table import TABLE
from segkit.segment import as_segment
from segkit.verification import verified

AS_OF = "2025-06-30T12:00:00Z"
ALONE = {"contacts": {"table": "contacts"}}
CASES = {case.id: case for case in all_cases()}


def loaded(*commands: str) -> Any:
    """A connection in a database of its own, with some tables."""
    connection = ENGINES["mariadb"].loaded({})
    with connection.cursor() as cursor:
        for command in commands:
            cursor.execute(command)
    connection.commit()
    return connection


TWINS = ("USA", "usa", "USA ", "Uşa", "É", "E", "e\u0301", "😀", "😁", "ß", "ss", "", " ", "ł", "l")


@pytest.fixture(scope="module")
def twins() -> Iterator[segkit.Workspace]:
    """Texts that the usual collations take for each other, in columns of three of them."""
    connection = loaded(
        """
        CREATE TABLE contacts (
            contact_id INT UNSIGNED PRIMARY KEY, general VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
            unicode VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, exact VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
            old VARCHAR(20) CHARACTER SET latin1, vip BOOLEAN, tier ENUM('gold', 'none'), props JSON, seen TIMESTAMP(6) NULL, wall DATETIME(6)
        )
        """,
        "CREATE TABLE events (event_id INT, contact_id INT UNSIGNED, event VARCHAR(20) COLLATE utf8mb4_general_ci, occurred_at TIMESTAMP(6))",
        "CREATE TABLE list_members (list_name VARCHAR(20) COLLATE utf8mb4_general_ci, contact_id INT UNSIGNED)",
    )
    with connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        for i, text in enumerate(TWINS):
            old = text if text.encode("latin1", "ignore").decode("latin1") == text else None
            cursor.execute(
                "INSERT INTO contacts VALUES (%s, %s, %s, %s, %s, %s, 'none', '{\"a\": [1]}', FROM_UNIXTIME(%s), '2025-06-30 12:00:00')",
                (i, text, text, text, old, i == 0, 1762061400 + i * 1800),
            )
        cursor.execute("INSERT INTO events VALUES (1, 0, 'opened', NOW(6)), (2, 1, 'Opened', NOW(6)), (3, 2, 'opened ', NOW(6))")
        cursor.execute("INSERT INTO list_members VALUES ('VIP', 0), ('vip', 1)")
        cursor.execute(f"SET time_zone = '{mariadb_server.ZONE}'")
    connection.commit()
    with closing(connection):
        yield connect(connection, home=None)


def members(ws: segkit.Workspace, where: Predicate) -> list[int]:
    return ws.members(where)["contact_id"].tolist()


@pytest.mark.parametrize("column", ["general", "unicode", "exact", "old"])
def test_no_collation_takes_one_text_for_another(twins: segkit.Workspace, column: str) -> None:
    there = members(twins, ~F[column].is_missing())
    for text in TWINS:
        mine = [i for i in there if TWINS[i] == text]
        assert members(twins, F[column] == text) == mine, text
        assert members(twins, F[column].is_in([text, "nobody"])) == mine, text
        assert members(twins, F[column] != text) == [i for i in range(len(TWINS)) if i not in mine], text
        assert members(twins, F[column].contains(text)) == [i for i in there if text in TWINS[i]], text
        assert members(twins, F[column].endswith(text)) == [i for i in there if TWINS[i].endswith(text)], text
        assert members(twins, F[column].length() == len(text)) == [i for i in there if len(TWINS[i]) == len(text)], text


def test_names_of_events_and_lists_are_exact(twins: segkit.Workspace) -> None:
    assert [members(twins, E[name].any()) for name in ("opened", "Opened", "opened ")] == [[0], [1], [2]]
    assert [members(twins, in_list(name)) for name in ("VIP", "vip")] == [[0], [1]]
    assert members(twins, E["*"].distinct("event") == 1) == [0, 1, 2]
    assert twins.composition(segkit.everyone(), "general", top=20)["size"].tolist() == [1] * len(TWINS)


def test_elements_of_arrays_that_a_collation_takes_for_each_other() -> None:
    connection = loaded(
        "CREATE TABLE contacts (contact_id INT, tags VARCHAR(99) COLLATE utf8mb4_general_ci)",
        """INSERT INTO contacts VALUES (1, '["VIP"]'), (2, '["vip"]'), (3, '["VIP"]'), (4, '["vip", "x"]')""",
    )
    ws = connect(connection, catalog={"contacts": {"table": "contacts", "fields": {"tags": "json"}}}, home=None)
    assert members(ws, F.tags.elements(F.element == "vip") >= 1) == [2, 4]
    assert members(ws, F.tags.elements((F.element == "x") | (F.element == "VIP")) == 1) == [1, 3, 4]
    assert members(ws, F.tags.elements() == 2) == [4]


def test_a_composition_tells_texts_apart(twins: segkit.Workspace) -> None:
    assert set(twins.composition(segkit.everyone(), "general", top=20)["value"]) == set(TWINS)


def test_kinds(twins: segkit.Workspace) -> None:
    assert {name: str(column.kind) for name, column in twins.catalog.contacts.fields.items()} == {
        "contact_id": "integer", "general": "text", "unicode": "text", "exact": "text", "old": "text", "vip": "boolean", "tier": "text",
        "props": "json", "seen": "timestamptz", "wall": "timestamp",
    }  # fmt: skip


def test_an_hour_that_the_session_has_twice(twins: segkit.Workspace) -> None:
    """On 2 November 2025 New York's clocks show 1:30 twice: at 5:30 and at 6:30 in UTC."""
    assert members(twins, F.seen <= "2025-11-02T05:30:00Z") == [0]
    assert members(twins, F.seen < "2025-11-02T06:30:00Z") == [0, 1]
    assert members(twins, F.seen.hour() == 6) == [1, 2]
    assert members(connect(twins.engine._connection, timezone="America/New_York", home=None), F.seen.hour() == 1) == [0, 1, 2]  # type: ignore[attr-defined]


# ---------------------------------------------------------------- the dialect table

CASE_WITHOUT = {
    "CONTAINS": "api_form[16]", "STARTS_WITH": "api_form[18]", "ENDS_WITH": "api_form[19]", "MATCHES": "api_form[20]",
    "FOLDED": "functions[21]", "RAISED": "functions[25]", "LENGTH": "functions[30]", "AS_TEXT": "api_form[1]",
    "BY_CODE_POINT": "history[0]", "KNOWN": "functions[3]", "AS_INSTANT": "calendar_periods[26]", "TIMESTAMP": "history[7]",
    "ON_WALL": "zone_new_york_events[0]", "DAYS": "dates[41]", "DATE_PLUS_DAYS": "dates[51]", "PART_WEEK": "anniversaries_and_parts[35]",
    "PART_WEEKDAY": "anniversaries_and_parts[31]", "JSON_ANY": "json_elements[17]", "JSON_TEXT": "json_elements[22]",
    "JSON_NUMBER": "json_paths[17]", "ELEMENT": "json_elements[0]", "ELEMENTS": "json_elements[0]",
}  # fmt: skip
"""A case that fails without the row of MySQL's own."""
SHOWN_WITHOUT = {"INSTANT": (F.seen_tz > segkit.NOW, "CAST('2025-06-30 12:00:00' AS DATETIME(6))")}
"""What only MySQL reads otherwise: since 8.0.19 an offset in a literal moves it to the session's zone. MariaDB leaves it out."""


KEPT_WITHOUT = {
    "TYPE_TEXT": ("SELECT REPEAT('a', 70000)", ""),
    "TYPE_KEY": ("SELECT 'a'", "PRIMARY KEY"),
    "TYPE_INSTANT": ("SELECT '2040-01-01 00:00'", ""),
}
"""What a column of the type keeps, and does not keep in one of the default type."""


def test_no_row_is_without_a_case_that_needs_it() -> None:
    assert markers("mysql") == {*CASE_WITHOUT, *SHOWN_WITHOUT, *KEPT_WITHOUT, "GIVEN_NAN", "GIVEN_INSTANT"}


@pytest.mark.parametrize("marker", KEPT_WITHOUT)
def test_a_column_does_not_keep_it_without_the_row(marker: str) -> None:
    rows, key = KEPT_WITHOUT[marker]

    def kept() -> bool:
        column = render(exp.ColumnDef(this=sql.identifier("x"), kind=sql.marker(marker)), "mysql")
        import pymysql

        try:
            with closing(loaded(f"CREATE TABLE kept ({column} {key})", f"INSERT INTO kept {rows}")):
                return True
        except pymysql.err.Error:
            return False

    assert kept()
    with without(marker, "mysql"):
        assert not kept()


def test_what_verify_gives_for_nan_is_missing(twins: segkit.Workspace) -> None:
    assert twins.engine.frame("SELECT CAST('NaN' AS DOUBLE)").iloc[0, 0] == 0, "a cast would make it a number"
    assert isinstance(TABLE[("SEGKIT_GIVEN_NAN", "mysql")].write(), exp.Null)  # type: ignore[misc]


def test_what_verify_gives_for_instants_is_read_on_the_clock_of_the_session(twins: segkit.Workspace) -> None:
    case = CASES["windows_timestamp[25]"]
    plans = [_resolved(case, _workspace(case.file, "mariadb"))]
    assert verified(plans, {"mariadb": twins.engine})["agrees"].all()
    with without("GIVEN_INSTANT", "mysql"):
        assert not verified(plans, {"mariadb": twins.engine})["agrees"].any()


@pytest.mark.parametrize("marker", CASE_WITHOUT)
def test_a_case_fails_without_the_row(marker: str) -> None:
    case = CASES[CASE_WITHOUT[marker]]
    assert on_mariadb(case) == case.case["members"]
    with without(marker, "mysql"):
        assert fails(lambda: on_mariadb(case) == case.case["members"])


@pytest.mark.parametrize("marker", SHOWN_WITHOUT)
def test_the_text_changes_without_the_row(marker: str) -> None:
    where, text = SHOWN_WITHOUT[marker]
    catalog = {"contacts": {"fields": {"seen_tz": "timestamptz"}}}
    assert text in Segment("x", where).sql("mysql", catalog=catalog, as_of=AS_OF)
    with without(marker, "mysql"):
        assert text not in Segment("x", where).sql("mysql", catalog=catalog, as_of=AS_OF)


# ---------------------------------------------------------------- sessions

STRANGE = (
    "STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,ANSI_QUOTES,PIPES_AS_CONCAT,REAL_AS_FLOAT,IGNORE_SPACE,NO_ZERO_IN_DATE,NO_ZERO_DATE"
)


@pytest.mark.parametrize("modes", ["", STRANGE])
def test_modes_that_change_nothing(twins: segkit.Workspace, modes: str) -> None:
    connection = loaded("CREATE TABLE contacts (contact_id INT, name TEXT, n INT, m INT)")
    with connection.cursor() as cursor:
        cursor.execute("SET sql_mode = %s", (modes,))
        cursor.execute("INSERT INTO contacts VALUES (1, 'a\"b', 7, 0), (2, 'it''s', 8, 2), (3, NULL, NULL, NULL)")
    connection.commit()
    ws = connect(connection, catalog=ALONE, home=None)
    assert members(ws, F.name == 'a"b') == [1]
    assert members(ws, F.name.contains("'")) == [2]
    assert members(ws, F.n / F.m > 3) == [2]
    assert members(ws, ~(F.n / F.m > 3)) == [1, 3]
    assert members(ws, sample(percent=100)) == [1, 2, 3]
    drawn = Segment("x", sample(percent=50, seed="x"))
    assert members(ws, drawn) == [key for key in (1, 2, 3) if drawn.matches({"contact_id": key})]
    assert ws.composition(segkit.everyone(), "name")["size"].tolist() == [1, 1, 1]
    assert ws.size(any_of(*(F.n == n for n in range(3000)))) == 2


@pytest.mark.parametrize(
    ("setting", "fix"),
    [
        ("sql_mode = 'NO_BACKSLASH_ESCAPES'", "take NO_BACKSLASH_ESCAPES out of sql_mode"),
        ("sql_mode = 'HIGH_NOT_PRECEDENCE'", "take HIGH_NOT_PRECEDENCE out of sql_mode"),
        ("sql_mode = 'EMPTY_STRING_IS_NULL'", "take EMPTY_STRING_IS_NULL out of sql_mode"),
        ("sql_select_limit = 10", "SET sql_select_limit = DEFAULT"),
        ("NAMES latin1", "SET NAMES utf8mb4"),
    ],
)
def test_a_session_that_would_answer_otherwise_is_refused(setting: str, fix: str) -> None:
    connection = loaded("CREATE TABLE contacts (contact_id INT)", f"SET {setting}")
    with pytest.raises(EngineError) as refusal:
        connect(connection, home=None)
    assert fix in refusal.value.fix


def test_a_time_zone_that_the_server_does_not_know_is_refused() -> None:
    connection = loaded(
        "CREATE TABLE contacts (contact_id INT, seen DATETIME(6))",
        "DELETE FROM mysql.time_zone_name WHERE Name IN ('Indian/Cocos', 'Indian/Mahe')",
    )
    remedy = "mysql_tzinfo_to_sql /usr/share/zoneinfo"
    with pytest.raises(EngineError, match="does not know the time zone Indian/Cocos") as refusal:
        connect(connection, catalog=ALONE, timezone="Indian/Cocos", home=None)
    assert remedy in refusal.value.fix
    declared = {"contacts": {"fields": {"seen": {"kind": "timestamp", "zone": "Indian/Mahe"}}}}
    with pytest.raises(EngineError, match="does not know the time zone Indian/Mahe") as refusal:
        connect(connection, catalog=declared, home=None)
    assert remedy in refusal.value.fix
    connect(connection, catalog=ALONE, timezone="Europe/Rome", home=None)


@pytest.mark.parametrize(
    "outside", ["1969-06-30 23:30:00", "1970-01-01 00:00:00", "2038-01-19 03:14:08", "9999-12-31 23:59:59.999999"]
)
def test_times_that_the_server_cannot_convert_are_refused(outside: str) -> None:
    """Before 1970 and after 2038 it gives times back as they are, in silence."""
    connection = loaded(
        "CREATE TABLE contacts (contact_id INT, seen DATETIME(6))",
        "INSERT INTO contacts VALUES (1, '1970-01-01 00:00:01'), (2, '2037-06-30 23:30:00.5'), (3, '2038-01-19 03:14:07'), (4, NULL)",
    )
    ws = connect(connection, catalog=ALONE, timezone="Europe/Rome", home=None)
    assert members(ws, F.seen.month() == 7) == [2]
    assert members(ws, F.seen.hour() == 1) == [1, 2]
    assert members(ws, F.seen.hour() == 4) == [3]
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO contacts VALUES (5, '{outside}')")
    connection.commit()
    with pytest.raises(EngineError, match="no time zones before 1970 or after 2038"):
        ws.members(F.seen.month() == 7)
    within = (F.seen >= "1970-01-02") & (F.seen < "2038-01-19")
    assert members(ws, within & (F.seen.month() == 7)) == [2]
    assert members(ws, ~within) == [1, 3, 4, 5]
    with connect(connection, catalog=ALONE, timezone="UTC", home=None) as there:
        assert 5 in members(there, F.seen.hour() == int(outside[11:13]))


# ---------------------------------------------------------------- work


def test_doubled_quotes_are_not_enough() -> None:
    connection = loaded("CREATE TABLE contacts (contact_id INT, v LONGTEXT COLLATE utf8mb4_bin)")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO contacts VALUES (%s, %s)", list(enumerate(VALUES)))
    connection.commit()
    engine = connect(connection, catalog=ALONE, home=None).engine

    def found(value: str) -> list[int] | None:
        doubled = value.replace("'", "''")
        try:
            return engine.frame(f"SELECT contact_id FROM contacts WHERE v = '{doubled}'")["contact_id"].tolist()
        except EngineError:
            return None

    wrong = {value for i, value in enumerate(VALUES) if found(value) != [i]}
    assert {"\\", "\\'", "'\\"} <= wrong


def test_a_url(tmp_path: Any) -> None:
    connection = loaded(
        "CREATE TABLE contacts (contact_id INT PRIMARY KEY, name VARCHAR(9))", "INSERT INTO contacts VALUES (1, 'a'), (2, 'A')"
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT DATABASE()")
        [[database]] = cursor.fetchall()
    for scheme in ("mysql", "mysql+pymysql", "mariadb+pymysql"):
        with connect(
            f"{scheme}://root@localhost/{database}?unix_socket={mariadb_server.socket()}", catalog=ALONE, home=tmp_path
        ) as ws:
            assert ws.engine.dialect == "mysql"
            assert members(ws, F.name == "a") == [1]


def test_lists_and_counts_in_temporary_tables(tmp_path: Any) -> None:
    connection = loaded(
        "CREATE TABLE contacts (contact_id BIGINT, name VARCHAR(9) COLLATE utf8mb4_general_ci)",
        "INSERT INTO contacts VALUES (1, 'a'), (2, 'A'), (3, NULL)",
        "CREATE TABLE events (event_id INT, contact_id BIGINT, event VARCHAR(9), occurred_at DATETIME(6))",
        "INSERT INTO events VALUES (1, 1, 'opened', '2025-06-01')",
    )
    ws = connect(connection, as_of=AS_OF, home=tmp_path)
    ws.freeze(E.opened.any(), "Readers")
    ws.freeze(~E.opened.any(), "Others")
    assert members(ws, in_list("Readers") | in_list("Others")) == [1, 2, 3]
    counting = Counting(ws.engine, ws._checked(), moment(AS_OF, "UTC"), {})
    for name in ("a", "A"):
        where = (F.name == name) | E.opened.any() | F.name.startswith("b")
        assert counting.counts(as_segment(where).definition).sizes["where"] == ws.size(where)
    counting.close()


def test_more_parts_than_one_join_may_have() -> None:
    connection = loaded(
        "CREATE TABLE contacts (contact_id INT)",
        "CREATE TABLE list_members (list_name VARCHAR(20), contact_id INT)",
        "INSERT INTO contacts VALUES (1), (2)",
        "INSERT INTO list_members SELECT CONCAT('list ', seq), seq % 3 FROM seq_0_to_99",
    )
    ws = connect(connection, catalog={**ALONE, "lists": {"table": "list_members"}}, home=None)
    assert ws.sizes([in_list(f"list {n}") for n in range(100)])["size"].tolist() == [int(n % 3 > 0) for n in range(100)]
    with pytest.raises(EngineError, match="Too many"):
        ws.size(any_of(*(in_list(f"list {n}") for n in range(70))))


def test_a_command_is_no_query(twins: segkit.Workspace) -> None:
    with pytest.raises(EngineError, match="no answer"):
        twins.engine.frame("SET @own = 1")


def test_an_interrupt_ends_the_query_on_the_server(twins: segkit.Workspace) -> None:
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        twins.engine.frame("SELECT SUM(SLEEP(1)) FROM contacts AS a CROSS JOIN contacts AS b")
    timer.join()
    assert members(twins, F.general == "USA") == [0]
