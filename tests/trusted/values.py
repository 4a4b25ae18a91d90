"""Hostile values and names on every engine, with a canary table that must be alive after each query."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from engines import ENGINES, Rows, closed_in_the_end
from test_bad_input import (
    NAMES,
    TESTS,
    VALUES,
    batches,
    doubled,
    is_storable,
    misread,
    shared_values,
    surrounded,
    workspace_of,
    wrong,
)
from test_warehouse import PATHS, _on

from segkit import E, F, SegkitError, Segment, Workspace, connect, in_list, in_segment
from segkit.catalog import Kind
from segkit.engines import open_engine
from trusted.figure import AS_OF, Figure, titled

ONE_BY_ONE = ("duckdb", "sqlite")
"""Engines that are asked for one value a query, so that the canary is looked at after each."""
_TAME = [value for value in VALUES if "'" in value and ";" not in value and "--" not in value]
"""Texts that break out of quotes, and destroy nothing."""


def hostile_texts(count: int) -> list[str]:
    """The own list, the shared one where it is at hand, and two of them side by side: so many in all."""
    chance = random.Random(12)
    pairs = (chance.choice(VALUES[:-1]) + chance.choice(VALUES[:-1]) for _ in range(count))
    return [text for text in dict.fromkeys([*VALUES, *shared_values(), *pairs]) if is_storable(text)][:count]


def hostile_values(count: int, engines: list[str]) -> Iterator[Figure]:
    """Each value with each operator, along each way to an engine."""
    for engine in engines:
        yield _along(engine, "a connection", lambda source, _: source, count)
        for path, (own, through) in WAYS.items():
            if own == engine:
                with suppress(pytest.skip.Exception):  # its driver is not installed
                    yield _along(engine, path, through, count)


def _views_of_parquet(session: Any, folder: Path) -> Any:
    for name in ("contacts", "canary"):
        session.table(name).write.parquet(str(folder / name))
        session.read.parquet(str(folder / name)).createOrReplaceTempView(name)
    return session


WAYS = {**PATHS, "views of Parquet": ("spark", _views_of_parquet)}
"""The paths of `test_warehouse`, and one that takes too long for every run of the tests."""


def _along(engine: str, path: str, through: Any, count: int) -> Figure:
    values = hostile_texts(count // 20 if ENGINES[engine].is_slow else count)
    most = len(TESTS) if engine in ONE_BY_ONE else 160
    with TemporaryDirectory() as folder:
        found = 0
        for number, batch in enumerate(batches(values, 150, engine)):
            found += len(wrong(surrounded(batch), batch, engine, _on(through, Path(folder) / str(number)), most))
        with workspace_of(VALUES, engine, _on(through, Path(folder) / "control")) as ws:
            caught = len(misread(ws, lambda value: f"'{value}'", _TAME)) + len(misread(ws, doubled))
    return Figure(
        "Hostile values, with each operator on texts",
        f"{titled(engine)}, {path}",
        len(values) * len(TESTS),
        found,
        "values pasted between quotes, bare and doubled",
        caught,
    )


# ---------------------------------------------------------------- names


def hostile_names(count: int, engines: list[str]) -> Iterator[Figure]:
    """Fields, events, properties, lists, segments and tables with hostile names."""
    wanted: dict[str, str] = {}
    for name in [*NAMES, *hostile_texts(4 * count)]:
        if name.strip() and len(name.encode()) <= 60:
            wanted.setdefault(name.casefold(), name)
    for engine in engines:
        names = [name for name in list(wanted.values())[:count] if _takes(engine, name)]
        tried = found = caught = 0
        for batch in batches(names, 40, engine):
            with _named(engine, batch) as ws:
                for i, name in enumerate(batch):
                    asked = _asked(ws, name)
                    tried += len(asked)
                    found += sum(own != [i] for own in asked)
                    caught += _pasted(ws, name, _quote(engine)) != [i]
                assert ws.engine.frame(Segment("a", F.alive == 1).sql(ws.engine.dialect, catalog=_CANARY)).iloc[0, 0] == 1
        for name in (own for own in names if "." not in own):  # before a dot stands a schema
            tried += 1
            found += _of_table(engine, name) != [7]
        yield Figure(
            "Hostile names of fields, events, properties, lists, segments and tables",
            titled(engine),
            tried,
            found,
            f"names pasted between {'backquotes' if _quote(engine) == '`' else 'double quotes'}",
            caught,
            f"{len(names)} names that it can hold",
        )


_CANARY = {"contacts": {"table": "canary", "key": "alive", "fields": {"alive": "integer"}}}


def _takes(engine: str, name: str) -> bool:
    """Whether an engine can hold a table and a column of that name, under that name, and be asked for it.

    In a query Spark puts settings in the place of `${...}`, so that segkit refuses such names.
    """
    if engine == "spark" and "${" in name:
        return False
    try:
        with closed_in_the_end(ENGINES[engine].loaded({name: Rows({name: Kind.INTEGER}, [{name: 7}])})) as source:
            return name in open_engine(source, **ENGINES[engine].connect).tables()
    except Exception:  # the engine's own
        return False


class _named:
    """A workspace in which contact i has 1 in field i, one event i, and is on list i."""

    def __init__(self, engine: str, names: list[str]) -> None:
        n, whole = len(names), Kind.INTEGER
        times = {"event_id": whole, "contact_id": whole, "event": Kind.TEXT, "occurred_at": Kind.TIMESTAMP}
        marks = [{name: int(i == j) for i, name in enumerate(names)} for j in range(n)]
        events = [
            {"event_id": j, "contact_id": j, "event": names[j], "occurred_at": "2025-06-01T00:00:00"}
            | {f"p {name}": mark for name, mark in marks[j].items()}
            for j in range(n)
        ]
        self._source = ENGINES[engine].loaded(
            {
                "contacts": Rows(
                    {"contact_id": whole, **dict.fromkeys(names, whole)}, [{"contact_id": j, **marks[j]} for j in range(n)]
                ),
                "events": Rows({**times, **{f"p {name}": whole for name in names}}, events),
                "list_members": Rows(
                    {"list_name": Kind.TEXT, "contact_id": whole}, [{"list_name": names[j], "contact_id": j} for j in range(n)]
                ),
                "canary": Rows({"alive": whole}, [{"alive": 1}]),
            }
        )
        self._workspace = connect(self._source, as_of=AS_OF, home=None, **ENGINES[engine].connect)

    def __enter__(self) -> Workspace:
        return self._workspace

    def __exit__(self, *_: object) -> None:
        self._workspace.close()
        with closed_in_the_end(self._source):
            pass


def _asked(ws: Workspace, name: str) -> list[Any]:
    """The members of everything that bears a name, and those that the SQL which is shown finds."""
    ws.define(Segment(f"seg {name}", F[name] == 1))
    wheres = [
        F[name] == 1,
        E[name].any(),
        E[name].sum(f"p {name}") == 1,
        E["*"].where(F[f"p {name}"] == 1).any(),
        in_list(name),
        in_segment(f"seg {name}"),
    ]
    found: list[Any] = []
    for where in wheres:
        own = Segment(name, where, notes=name, owner=name, tags=[name])
        found.append(_or_error(lambda own=own: ws.members(own)["contact_id"].tolist()))
        found.append(_or_error(lambda own=own: ws.engine.frame(ws.sql(own)).iloc[:, 0].tolist()))
    return found


def _quote(engine: str) -> str:
    """What stands around names there, and not around texts."""
    return "`" if engine in ("mariadb", "bigquery", "spark") else '"'


def _pasted(ws: Workspace, name: str, quote: str) -> Any:
    query = f"SELECT contact_id FROM contacts WHERE {quote}{name}{quote} = 1"
    return _or_error(lambda: ws.engine.frame(query).iloc[:, 0].tolist())


def _of_table(engine: str, name: str) -> Any:
    """The members of a catalog whose contacts stand in a table of that name, with a key of that name."""
    with closed_in_the_end(ENGINES[engine].loaded({name: Rows({name: Kind.INTEGER}, [{name: 7}])})) as source:
        catalog = {"contacts": {"table": name, "key": name}}

        def ask() -> Any:
            with connect(source, catalog=catalog, as_of=AS_OF, home=None, **ENGINES[engine].connect) as ws:
                return ws.members(F[name] == 7).iloc[:, 0].tolist()

        return _or_error(ask)


def _or_error(ask: Any) -> Any:
    found: Any = None
    with suppress(SegkitError):
        found = ask()
    return found
