"""The random data of `strategies` in SQLite: numbers that are exact there, times written as people's tools write them."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import duckdb
from strategies import CATALOG, MOMENTS, ROME, SEGMENTS, TABLES, World

import segkit
from segkit import evaluate, metrics, nodes
from segkit.builder import Predicate
from segkit.plan import Plan, moment, plan
from segkit.segment import by_name

_BINARY = {Decimal("19.99"): Decimal("19.50"), Decimal("0.10"): Decimal("0.25"), 19.99: 19.5}


class ThreeWays:
    """The rows of a `World`, asked through DuckDB, SQLite and the evaluator."""

    def __init__(self, world: World) -> None:
        rng = random.Random(7)
        self.zone = world.zone
        self.rows = {table: [mapped(row) for row in rows] for table, rows in world.rows.items()}
        written = {
            table: [{name: _text(value, name, rng) for name, value in row.items()} for row in rows]
            for table, rows in self.rows.items()
        }
        loaded = {
            "duckdb": _filled(duckdb.connect(":memory:", config={"threads": "1"}), self.rows),
            "sqlite": _filled(sqlite3.connect(":memory:"), written),
        }
        self.workspaces = {
            name: segkit.connect(connection, catalog=CATALOG, timezone=self.zone, as_of=MOMENTS[0])
            for name, connection in loaded.items()
        }

    def plan(self, where: Predicate, at: dt.datetime, engine: str) -> Plan:
        catalog = self.workspaces[engine]._checked()
        return plan(nodes.Definition(None, where.node), catalog, moment(at, self.zone), by_name(SEGMENTS))

    def members(self, where: Predicate, at: dt.datetime, engine: str) -> list[int]:
        return metrics.members(self.workspaces[engine].engine, self.plan(where, at, engine)).iloc[:, 0].tolist()

    def expected(self, where: Predicate, at: dt.datetime) -> list[int]:
        rows = self.rows
        past = {"tier_history": rows["tier_history"]}
        resolved = self.plan(where, at, "sqlite")
        return evaluate.members(resolved, rows["contacts"], rows["events"], rows["list_members"], past)


def in_binary(where: Predicate) -> Predicate:
    """The definition with numbers that have an exact binary form."""
    return Predicate(_exact(where.node))


def _exact(node: Any) -> Any:
    match node:
        case nodes.Literal(value) if value in _BINARY:
            return nodes.literal(_BINARY[value])
        case nodes.Node():
            return replace(node, **{f.name: _exact(getattr(node, f.name)) for f in fields(node) if f.init})
        case tuple():
            return tuple(_exact(part) for part in node)
        case _:
            return node


def mapped(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _BINARY.get(value, value) if isinstance(value, Decimal | float) else value for name, value in row.items()}


def _filled(connection: Any, rows: dict[str, list[dict[str, Any]]]) -> Any:
    for table, columns in TABLES.items():
        connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
        values = [[row.get(name) for name in columns] for row in rows[table]]
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", values)
    return connection


def _text(value: Any, column: str, rng: random.Random) -> Any:
    """A value as SQLite holds it: times as ISO text of one precision or another, with any offset where they have one."""
    match value:
        case Decimal():
            return float(value)
        case dt.datetime():
            return _written(value, column, rng)
        case dt.date():
            return value.isoformat()
        case _:
            return value


def _written(at: dt.datetime, column: str, rng: random.Random) -> str:
    if at.tzinfo is not None:
        at = at.astimezone(rng.choice((dt.UTC, ROME, dt.timezone(dt.timedelta(hours=-5, minutes=-30)))))
    text = at.replace(tzinfo=None).isoformat(rng.choice("T "))
    if at.microsecond == 0 and rng.random() < 0.5:
        text += rng.choice((".000", ".000000"))
    elif at.microsecond == 0 and at.second == 0 and at.tzinfo is None and rng.random() < 0.5:
        text = text[:10] if at.time() == dt.time() else text[:16]
    elif at.microsecond:
        text = text.rstrip("0") + rng.choice(("", "123" if at.microsecond % 10 else ""))
    if at.tzinfo is None:
        return text
    offset = at.isoformat()[-6:]
    return text + ("Z" if offset == "+00:00" and rng.random() < 0.5 else offset)
