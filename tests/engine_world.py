"""The random data of `strategies` on any engine of `engines`."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

from engines import ENGINES, Rows, closed_in_the_end
from sqlite_world import in_binary, mapped
from strategies import CATALOG, MOMENTS, SEGMENTS, TABLES, World

import segkit
from segkit import evaluate, metrics, nodes
from segkit.builder import Predicate
from segkit.engines.kinds import kind
from segkit.plan import Plan, moment, plan
from segkit.segment import by_name


class Asked:
    """The rows of a `World`, asked through an engine and the evaluator; where it has no decimals, numbers are exact in binary."""

    def __init__(self, world: World, engine: str) -> None:
        self.zone, self.engine = world.zone, ENGINES[engine]
        is_binary = "decimals" in self.engine.lacks
        self.rows = {table: [mapped(row) if is_binary else row for row in rows] for table, rows in world.rows.items()}
        tables = {
            table: Rows({name: kind(own, 2) for name, own in columns.items()}, self.rows[table])
            for table, columns in TABLES.items()
        }
        self._source = self.engine.loaded(tables)
        arguments: dict[str, Any] = {"catalog": CATALOG, "timezone": self.zone, "as_of": MOMENTS[0], **self.engine.connect}
        self.workspace = segkit.connect(self._source, home=None, **arguments)

    def said(self, where: Predicate) -> Predicate:
        """A definition in numbers that the engine holds exactly."""
        return in_binary(where) if "decimals" in self.engine.lacks else where

    def plan(self, where: Predicate, at: dt.datetime) -> Plan:
        catalog = self.workspace._checked()
        return plan(nodes.Definition(None, where.node), catalog, moment(at, self.zone), by_name(SEGMENTS))

    def members(self, where: Predicate, at: dt.datetime) -> list[int]:
        """The members that the engine finds."""
        return metrics.members(self.workspace.engine, self.plan(where, at)).iloc[:, 0].tolist()

    def expected(self, where: Predicate, at: dt.datetime) -> list[int]:
        """The members that the evaluator finds."""
        rows = self.rows
        past = {"tier_history": rows["tier_history"]}
        return evaluate.members(self.plan(where, at), rows["contacts"], rows["events"], rows["list_members"], past)

    def close(self) -> None:
        with closed_in_the_end(self._source):
            self.workspace.close()


@cache
def asked(engine: str, seed: int, zone: str) -> Asked:
    return Asked(World(seed, zone), engine)
