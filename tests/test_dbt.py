"""Models of dbt, built and tested by dbt-core with its adapter for DuckDB, in an environment of its own that `SEGKIT_DBT` names."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from segkit import E, F, SegkitError, Segment, connect

REMEDY = (
    "dbt has an environment of its own: python -m venv dbt;"
    ' dbt/bin/pip install "dbt-core<1.11" dbt-duckdb; SEGKIT_DBT=dbt/bin/python'
)
NOW = dt.datetime.now(dt.UTC).replace(tzinfo=None)
HOSTILE = "{{ 1 / 0 }} {% raw %} {# */ '; -- \" \\"
SEGMENTS = [
    Segment("Lately", E.opened.within(days=30).any(), notes="{{ doc('none') }}: read a month ago", owner="CRM {{ x }}"),
    Segment(HOSTILE, F.country == HOSTILE),
    Segment("Not lately", ~E.opened.within(days=30).any() & (F.signup_date.older_than(months=1))),
]


def dbt(project: Path, database: Path, *command: str) -> list[dict[str, Any]]:
    """What dbt did, node by node; skips the test where there is none, or fails it where it must be."""
    python = os.environ.get("SEGKIT_DBT", "")
    if not (python and Path(python).exists()):
        wanted = os.environ.get("SEGKIT_REQUIRE_ENGINES", "").split(",")
        (pytest.fail if {"all", "dbt"} & set(wanted) else pytest.skip)(REMEDY)
    [profile] = [line.split(": ")[1] for line in (project / "dbt_project.yml").read_text().splitlines() if "profile:" in line]
    target = {"type": "duckdb", "path": str(database), "threads": 1}
    profiles = project.parent / "profiles"
    profiles.mkdir(exist_ok=True)
    (profiles / "profiles.yml").write_text(json.dumps({profile: {"target": "here", "outputs": {"here": target}}}))
    places = ["--project-dir", str(project), "--profiles-dir", str(profiles), "--target-path", str(project.parent / "target")]
    done = subprocess.run(
        [python, "-c", "from dbt.cli.main import cli; cli()", *command, *places, "--log-path", str(project.parent / "logs")],
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "encountered deprecations" not in done.stdout, done.stdout
    results = json.loads((project.parent / "target" / "run_results.json").read_text())["results"]
    return [{"node": own["unique_id"], "status": own["status"]} for own in results]


def filled(path: Path) -> Path:
    """A database whose events lie around a month ago, so that the clock decides."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE contacts (contact_id BIGINT, country VARCHAR, signup_date DATE)")
        connection.execute("CREATE TABLE events (event_id BIGINT, contact_id BIGINT, event VARCHAR, occurred_at TIMESTAMP)")
        for i, days in enumerate([1, 29, 29.99, 30.01, 31, 400, -1]):
            at = NOW - dt.timedelta(days=days)
            connection.execute("INSERT INTO contacts VALUES (?, ?, ?)", [i, HOSTILE if i % 2 else "USA", at.date()])
            connection.execute("INSERT INTO events VALUES (?, ?, 'opened', ?)", [i, i, at])
        connection.execute("INSERT INTO contacts VALUES (99, NULL, DATE '2001-01-31')")
    return path


def members(path: Path, segments: Sequence[Segment]) -> list[set[int]]:
    with connect(path) as ws:
        return [set(ws.members(segment)["contact_id"]) for segment in segments]


def exported(database: Path, *arguments: Any, **named: Any) -> Any:
    with connect(database) as ws:
        return ws.export(*arguments, **named)


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_project_that_dbt_builds(tmp_path: Path) -> None:
    database, project = filled(tmp_path / "crm.duckdb"), tmp_path / "warehouse"
    first = exported(database, SEGMENTS, "dbt", path=project)
    exported(database, SEGMENTS, "dbt", path=project, name="Every one")
    exported(database, SEGMENTS, "dbt", path=project, name="flags", layout="wide", evergreen=False)
    done = dbt(project, database, "build")
    assert {own["status"] for own in done} == {"success", "pass"}
    made = [own["node"] for own in done]
    assert sum(node.startswith("model.") for node in made) == 5
    assert sum(node.startswith("test.") for node in made) == 2 + 3 * 2 + 2 + 1 + 1 + 4
    names = [path.stem for path in first.files if path.suffix == ".sql"]
    expected = members(database, SEGMENTS)
    assert [{key for (key,) in rows(database, f'SELECT contact_id FROM "{name}"')} for name in names] == expected
    assert all(expected)
    long = rows(database, "SELECT segment, contact_id FROM every_one")
    assert sorted(long) == sorted((own.name, key) for own, keys in zip(SEGMENTS, expected, strict=True) for key in keys)
    wide = rows(database, "SELECT * FROM flags")
    assert [{key for key, *is_member in wide if is_member[i]} for i, _ in enumerate(SEGMENTS)] == expected
    assert len(wide) == 8
    [(comment,)] = rows(database, "SELECT sql FROM duckdb_views() WHERE view_name = 'lately'")
    assert "current_timestamp" in comment.lower() or "now()" in comment.lower()
    with duckdb.connect(str(database)) as connection:
        connection.execute("INSERT INTO contacts SELECT * FROM contacts")
    with pytest.raises(AssertionError, match="Failure in test unique_lately"):
        dbt(project, database, "test", "--select", "lately")


def test_models_in_a_project_that_is_there(tmp_path: Path) -> None:
    """Over a table of another schema, whose names hold quotes and spaces."""
    database, project = tmp_path / "crm.duckdb", tmp_path / "own"
    with duckdb.connect(str(database)) as connection:
        connection.execute('CREATE SCHEMA "my crm"')
        connection.execute('CREATE TABLE "my crm"."the ""contacts" AS SELECT 7 AS "the ""id", \'USA\' AS country')
    (project / "transformations").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: own\nversion: '1.0'\nprofile: own\nmodel-paths: [transformations]\n")
    (project / "transformations" / "one.sql").write_text("SELECT 1 AS one")
    with connect(database, catalog={"contacts": {"table": 'my crm.the "contacts', "key": 'the "id'}}) as ws:
        done = ws.export(Segment("order", F.country == "USA"), "dbt", path=project)
    assert [str(path.relative_to(project)) for path in done.files] == [
        "transformations/segkit/schema.yml",
        "transformations/segkit/order.sql",
    ]
    assert (project / "dbt_project.yml").read_text().startswith("name: own")
    assert {own["status"] for own in dbt(project, database, "build")} == {"success", "pass"}
    assert rows(database, 'SELECT * FROM "order"') == [(7,)]


# ---------------------------------------------------------------- files, without dbt


def test_a_file_that_segkit_did_not_make_stays(tmp_path: Path) -> None:
    ws = connect()
    own = tmp_path / "p" / "models" / "segkit" / "lately.sql"
    own.parent.mkdir(parents=True)
    own.write_text("SELECT 1")
    with pytest.raises(SegkitError, match="did not make"):
        ws.export(SEGMENTS[0], "dbt", path=tmp_path / "p")
    assert [path for path in (tmp_path / "p").rglob("*") if path.is_file()] == [own]
    assert own.read_text() == "SELECT 1"
    ws.export(SEGMENTS[0], "dbt", path=tmp_path / "p", replace=True)
    assert "Made by segkit" in own.read_text()
    ws.export(SEGMENTS[0], "dbt", path=tmp_path / "p", evergreen=False)
    assert "As of 2025-11-30" in own.read_text()


def test_what_was_exported_earlier_stays_described(tmp_path: Path) -> None:
    ws = connect()
    for segment in SEGMENTS[:2]:
        ws.export(segment, "dbt", path=tmp_path)
    schema = (tmp_path / "models" / "segkit" / "schema.yml").read_text()
    assert schema.count("data_tests:") == 3
    assert "- name: lately\n" in schema


def test_a_failing_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segkit.exports import files

    real = files.write

    def fails(path: Path, text: str) -> None:
        if path.suffix == ".sql":
            raise SegkitError("no space left")
        real(path, text)

    monkeypatch.setattr(files, "write", fails)
    with pytest.raises(SegkitError, match="no space left"):
        connect().export(SEGMENTS[0], "dbt", path=tmp_path / "p")
    assert [path for path in (tmp_path / "p").rglob("*") if path.is_file()] == []
