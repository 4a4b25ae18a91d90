"""What breaks under us: a question that is ended, a connection that is lost, a full disk, no memory, a table that changes.

A clear error, nothing lost, nothing half done, and the workspace answers as before.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from engines import ENGINES, Rows
from test_warehouse import CONTACTS, EVENTS, _mariadb_url, url

from segkit import E, F, SegkitError, Segment, Workspace, connect, everyone
from segkit.catalog import Kind
from segkit.engines import Writes
from segkit.exports import files

AS_OF = "2025-06-30T12:00:00"
SEGMENTS = [
    Segment("US", F.country == "USA"),
    Segment("Readers", E.opened.within(days=30).any()),
    Segment("Top", F.opens.top(n=2)),
]
TABLES = {
    "contacts": Rows(
        {"contact_id": Kind.INTEGER, "country": Kind.TEXT, "opens": Kind.INTEGER},
        [{"contact_id": n, "country": ["USA", "Italy"][n % 2], "opens": n} for n in range(8)],
    ),
    "events": Rows(
        {"event_id": Kind.INTEGER, "contact_id": Kind.INTEGER, "event": Kind.TEXT, "occurred_at": Kind.TIMESTAMP},
        [{"event_id": n, "contact_id": n % 6, "event": "opened", "occurred_at": f"2025-0{n % 3 + 4}-1{n % 9}T00:00:00"} for n in range(24)],
    ),
}  # fmt: skip


def told(ask: Callable[[], Any], part: str) -> None:
    """It is refused by an error that says so, and what to do."""
    with pytest.raises(SegkitError) as refused:
        ask()
    assert part in refused.value.fix
    assert str(refused.value).count("fix:") == 1


def contents(folder: Path) -> dict[str, bytes]:
    return {str(own.relative_to(folder)): own.read_bytes() for own in sorted(folder.rglob("*")) if own.is_file()}


# ---------------------------------------------------------------- ended at every stage


class Ending:
    """An engine whose question number `at` ends with an interrupt, before it is asked or after it was answered."""

    def __init__(self, inner: Any, at: int, *, late: bool) -> None:
        self._inner, self._at, self._late, self.asked = inner, at, late, 0

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._inner, name)
        if name not in ("frame", "columns", "streamed", "materialize", "keep", "writing"):
            return own

        def asked(*given: Any) -> Any:
            self.asked += 1
            if self.asked == self._at and not self._late:
                raise KeyboardInterrupt
            answer = own(*given)
            if self.asked == self._at:
                raise KeyboardInterrupt
            return answer

        return asked


VERBS: dict[str, Callable[[Workspace], Any]] = {
    "size": lambda ws: ws.size(SEGMENTS[1]),
    "sizes": lambda ws: ws.sizes(SEGMENTS),
    "members": lambda ws: ws.members(SEGMENTS[1], ["country"]),
    "preview": lambda ws: ws.preview(SEGMENTS[0]),
    "composition": lambda ws: ws.composition(SEGMENTS[:2], F.country),
    "profile": lambda ws: ws.profile(SEGMENTS[0], least=1),
    "diff": lambda ws: ws.diff(SEGMENTS[0], SEGMENTS[1]),
    "overlap": lambda ws: ws.overlap(SEGMENTS),
    "intersections": lambda ws: ws.intersections(SEGMENTS),
    "waterfall": lambda ws: ws.waterfall(SEGMENTS[0] & SEGMENTS[1]),
    "audit": lambda ws: ws.audit(SEGMENTS),
    "diagnose": lambda ws: ws.diagnose(SEGMENTS[1]),
    "explain": lambda ws: ws.explain(SEGMENTS[1], 1),
    "history": lambda ws: ws.history(SEGMENTS[:2], "2025-06-01", "2025-06-08"),
    "survival": lambda ws: ws.survival([SEGMENTS[1]], "2025-06-01", "2025-06-08"),
    "performance": lambda ws: ws.performance(SEGMENTS[:2], start="2025-05-01", every="month"),
    "report": lambda ws: ws.report(SEGMENTS[:2]).html(),
}


def same(one: Any, other: Any) -> bool:
    return bool(one.equals(other)) if isinstance(one, pd.DataFrame) else repr(one) == repr(other)


@contextmanager
def ending(ws: Workspace, at: int, *, late: bool) -> Iterator[Ending]:
    inner, ws.engine = ws.engine, Ending(ws.engine, at, late=late)  # type: ignore[assignment]
    try:
        yield ws.engine  # type: ignore[misc]
    finally:
        ws.engine = inner


def ended_everywhere(ws: Workspace, work: Callable[[], Any], check: Callable[[], None], most: int = 12) -> int:
    """How many questions work asks; each of them (or `most`, spread over them) has been ended, and looked at afterwards."""
    with ending(ws, 0, late=False) as spy:
        work()
    stages = range(1, spy.asked + 1)
    for at in stages[:: max(1, -(-len(stages) // most))]:
        for late in (False, True):
            with ending(ws, at, late=late), pytest.raises(KeyboardInterrupt):
                work()
            check()
    return spy.asked


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("engine", "verb"),
    [(engine, verb) for verb in VERBS for engine in ("duckdb", "sqlite") if (engine, verb) != ("sqlite", "report")],
)
def test_a_question_that_is_ended_at_any_stage_leaves_the_workspace_as_it_was(engine: str, verb: str) -> None:
    source = ENGINES[engine].loaded(TABLES)
    with closing(source), connect(source, as_of=AS_OF, home=None) as ws:
        expected = VERBS[verb](ws)
        size = ws.size(SEGMENTS[0])
        most = 2 if verb == "report" else 6
        assert ended_everywhere(ws, lambda: VERBS[verb](ws), lambda: _is(ws.size(SEGMENTS[0]), size), most) > 0
        assert same(VERBS[verb](ws), expected)


def _is(found: Any, expected: Any) -> None:
    assert found == expected


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_what_is_kept_is_whole_or_not_there_at_any_stage(engine: str, tmp_path: Path) -> None:
    """A refresh, a frozen list, and an export to files and to the warehouse."""
    source = ENGINES[engine].loaded(TABLES)
    with closing(source), connect(source, as_of=AS_OF, home=tmp_path / "home") as ws:
        ws.track(SEGMENTS)
        ws.refresh(as_of="2025-06-01")
        before = ws.tracked_sizes()

        def unchanged() -> None:
            assert ws.tracked_sizes().equals(before)
            assert [own.name for own in ws.lists] == []
            assert not (tmp_path / "dbt").exists() or contents(tmp_path / "dbt") == {}
            assert "people" not in ws.engine.tables()

        def ended_until_done(work: Callable[[], Any]) -> Any:
            """What work gives in the end, each of its questions having been ended before."""
            for at in range(1, 100):
                try:
                    with ending(ws, at, late=False):
                        return work()
                except KeyboardInterrupt:
                    unchanged()
            raise AssertionError("work never ends")

        made = ended_until_done(lambda: ws.export([SEGMENTS[0]], "dbt", path=tmp_path / "dbt")).files
        assert sorted(contents(tmp_path / "dbt")) == sorted(str(own.relative_to(tmp_path / "dbt")) for own in made) != []
        for own in made:
            own.unlink()
        ended_until_done(lambda: ws.export([SEGMENTS[0]], "table", name="people", execute=True))
        assert len(ws.engine.frame("SELECT * FROM people")) == ws.size(SEGMENTS[0])
        source.execute("DROP TABLE people")
        assert ended_until_done(lambda: ws.freeze(SEGMENTS[1], "Launch")).size == ws.size(SEGMENTS[1])
        ws.unfreeze("Launch")
        outcomes = ended_until_done(lambda: ws.refresh(as_of="2025-06-30"))["outcome"]
        assert outcomes.tolist() == ["refreshed"] * len(SEGMENTS)


def test_files_of_an_export_are_all_there_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrote: list[Path] = []

    def write(path: Path, text: str) -> None:
        if len(wrote) == 2:
            raise KeyboardInterrupt
        path.write_text(text)
        wrote.append(path)

    source = ENGINES["duckdb"].loaded(TABLES)
    with closing(source), connect(source, as_of=AS_OF, home=None) as ws:
        with monkeypatch.context() as patch:
            patch.setattr(files, "write", write)
            with pytest.raises(KeyboardInterrupt):
                ws.export(SEGMENTS[:2], "dbt", path=tmp_path / "dbt")
        assert len(wrote) == 2
        assert contents(tmp_path) == {}
        assert ws.export(SEGMENTS[:2], "dbt", path=tmp_path / "dbt").files


# ---------------------------------------------------------------- connections


SERVERS: dict[str, tuple[Callable[[Any], str], str, str, str]] = {
    "postgres": (url, "SELECT pg_backend_pid() AS p", "SELECT pg_sleep(60)", "SELECT pg_terminate_backend({})"),
    "mariadb": (lambda own: _mariadb_url(own, Path()), "SELECT CONNECTION_ID() AS p", "SELECT SLEEP(60)", "KILL {}"),
}
"""How a server is reached, what a session of it is called, a question that takes long, and how another session ends it."""


@pytest.mark.parametrize("engine", SERVERS)
def test_a_connection_that_is_lost_in_mid_query_is_told_and_nothing_is_lost(engine: str, tmp_path: Path) -> None:
    """The server ends its session for another one; a new connection goes on where this one was."""
    source = ENGINES[engine].loaded({"contacts": CONTACTS, "events": EVENTS})
    reach, called, endless, kill = SERVERS[engine]
    where = Segment("US", F.country == "USA")
    with closing(source):
        with connect(reach(source), as_of=AS_OF, home=tmp_path) as ws:
            ws.track([where])
            ws.refresh(as_of="2025-06-01")
            kept = ws.tracked_sizes()
            session = int(ws.engine.frame(called)["p"][0])
            threading.Timer(0.3, lambda: source.cursor().execute(kill.format(session))).start()
            begin = time.perf_counter()
            told(lambda: ws.engine.frame(endless), "connect again")
            assert time.perf_counter() - begin < 10
            told(lambda: ws.size(where), "connect again")
            if isinstance(ws.engine, Writes):
                told(lambda: ws.export([where], "view", name="people", execute=True), "connect again")
            assert ws.refresh(as_of="2025-06-30")["outcome"].tolist() == ["failed"]
            assert ws.tracked_sizes().equals(kept)
            assert repr(ws)
        source.rollback()
        with connect(reach(source), as_of=AS_OF, home=tmp_path) as ws:
            assert ws.size(where) == 1
            assert ws.refresh(as_of="2025-06-30")["outcome"].tolist() == ["refreshed"]


def test_what_the_server_ends_is_told_with_what_helps() -> None:
    own = ENGINES["postgres"].loaded({"contacts": CONTACTS, "events": EVENTS})
    with closing(own), connect(own, as_of=AS_OF, home=None) as ws:
        own.execute("SET statement_timeout = 200")
        own.commit()
        told(lambda: ws.engine.frame("SELECT pg_sleep(60)"), "statement_timeout")
        own.execute("SET statement_timeout = 0; SET work_mem = '64kB'; SET temp_file_limit = '64kB'")
        own.commit()
        told(
            lambda: ws.engine.frame("SELECT md5(i::text) AS t FROM generate_series(1, 100000) AS i ORDER BY t"),
            "space on the server",
        )
        assert ws.size(F.country == "USA") == 1


# ---------------------------------------------------------------- memory and disks


def test_duckdb_without_memory_or_disk_says_what_helps(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "crm.duckdb")) as made:
        made.execute(
            "CREATE TABLE contacts AS SELECT i AS contact_id, 'name ' || i AS name, i % 100 AS opens FROM range(1000000) AS t(i)"
        )
    limits = {"threads": "1", "memory_limit": "20MB", "temp_directory": str(tmp_path / "temp"), "max_temp_directory_size": "64KB"}
    with duckdb.connect(str(tmp_path / "crm.duckdb"), config=limits) as own, connect(own, as_of=AS_OF, home=None) as ws:
        told(lambda: ws.size(F.name.top(percent=50)), "memory_limit")
        own.execute("SET memory_limit = '2GB'")
        assert ws.size(F.opens >= 50) == 500_000


@contextmanager
def small_files(bytes_at_most: int) -> Iterator[None]:
    """No file of this process grows beyond some bytes, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_at_most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_loses_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    source = ENGINES["duckdb"].loaded(TABLES)
    with closing(source), connect(source, as_of=AS_OF, home=tmp_path / "home") as ws:
        ws.save(SEGMENTS[0])
        ws.track(SEGMENTS[:1])
        ws.refresh(as_of="2025-06-01")
        before, sizes = {name: own for name, own in contents(tmp_path).items() if "tracking" not in name}, ws.tracked_sizes()
        verbs = {
            "save": lambda: ws.save(Segment("US", F.country == "USA", notes="n" * 500)),
            "save another": lambda: ws.save(SEGMENTS[1]),
            "freeze": lambda: ws.freeze(SEGMENTS[1], "Launch"),
            "refresh": lambda: ws.refresh(as_of="2025-06-30"),
            "track": lambda: ws.track(SEGMENTS),
            "dbt": lambda: ws.export(SEGMENTS[:2], "dbt", path=tmp_path / "dbt"),
            "report": lambda: ws.report(SEGMENTS[:1]).save(tmp_path / "report.html"),
        }
        for verb in verbs.values():
            with small_files(20):
                told(verb, "space")
            assert {name: own for name, own in contents(tmp_path).items() if "tracking" not in name} == before
            assert ws.tracked_sizes().equals(sizes)
        for verb in verbs.values():
            verb()
        assert ws.tracked_sizes()["size"].iloc[-1] == ws.size(SEGMENTS[0])


def test_a_full_disk_of_the_database_leaves_the_table_as_it_was(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "crm.db")) as own:
        own.execute("CREATE TABLE contacts (contact_id INTEGER, name TEXT)")
        own.executemany("INSERT INTO contacts VALUES (?, ?)", [(n, f"{n:0100}") for n in range(5000)])
        own.commit()
        size = (tmp_path / "crm.db").stat().st_size
        with connect(own, as_of=AS_OF, home=None) as ws:
            with small_files(size + 1000):
                told(lambda: ws.export([Segment("all", everyone())], "table", name="people", execute=True), "disk")
            assert "people" not in ws.engine.tables()
            ws.export([Segment("all", everyone())], "table", name="people", execute=True)
            assert len(ws.engine.frame("SELECT * FROM people")) == ws.size(everyone()) == 5000


# ---------------------------------------------------------------- tables that change


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("engine", ["duckdb", "sqlite", "postgres"])
def test_a_table_that_changes_under_us_is_told_and_answers_again_once_it_is_back(engine: str, tmp_path: Path) -> None:
    source = ENGINES[engine].loaded(TABLES)

    def change(sql: str) -> None:
        source.execute(sql)
        if engine != "duckdb":
            source.commit()

    with closing(source), connect(source, as_of=AS_OF, home=tmp_path) as ws:
        ws.track(SEGMENTS)
        ws.refresh(as_of="2025-06-01")
        expected, kept = ws.sizes(SEGMENTS), ws.tracked_sizes()
        for there, back in (
            ("ALTER TABLE contacts RENAME COLUMN country TO land", "ALTER TABLE contacts RENAME COLUMN land TO country"),
            ("ALTER TABLE contacts RENAME TO people", "ALTER TABLE people RENAME TO contacts"),
        ):
            change(there)
            for verb in ("sizes", "members", "history", "overlap", "performance"):
                told(lambda verb=verb: VERBS[verb](ws), "catalog")
            assert "failed" in ws.refresh(as_of="2025-06-30", dry_run=True)["outcome"].tolist()
            change(back)
            assert ws.sizes(SEGMENTS).equals(expected)
            assert ws.tracked_sizes().equals(kept)
        assert ws.refresh(as_of="2025-06-30")["outcome"].tolist() == ["refreshed"] * len(SEGMENTS)
