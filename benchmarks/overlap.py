"""The overlap of 50 segments on DuckDB: each pair of them, against a self-join and a GROUP BY written by hand.

First the counting alone: who is in which segment is known, as a table of memberships (a row for each member of each segment)
for the self-join, and as a row of 50 truths for each contact for all others, and for the self-join too. Then everything, from
contacts and events. The fifty of the sizes benchmark are narrow (few contacts are in several), so that fifty broad ones, of a
tenth to a half of all contacts, stand beside them. All must give the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import marketing
import numpy as np
import pandas as pd
from hand_written import one_query
from report import Goal, Report, report
from sizes_in_segkit import segkit_segments
from timing import Contestant, race

from segkit import F, Segment, Workspace, compile, connect
from segkit.engines import Engine
from segkit.plan import moment, plan
from segkit.rendering import render

Pairs = dict[tuple[int, int], int]
COUNT = 50
_SELF_JOIN = """
    SELECT a.segment, b.segment, count(*) FROM {0} AS a JOIN {0} AS b ON a.contact_id = b.contact_id AND a.segment < b.segment
    GROUP BY ALL"""


class Warehouse:
    """DuckDB asked as a warehouse is: only small answers come home."""

    def __init__(self, inner: Engine) -> None:
        self.inner = inner
        self.dialect, self.renders_as, self.limits = inner.dialect, inner.renders_as, inner.limits

    def frame(self, sql: str) -> pd.DataFrame:
        return self.inner.frame(sql)

    def tables(self) -> Any:
        return self.inner.tables()

    def keep(self, name: str, rows: pd.DataFrame) -> str:
        return self.inner.keep(name, rows)

    def close(self) -> None:
        self.inner.close()


def run(contacts: int, events: int, rounds: int = 5) -> list[Report]:
    """Makes the data in a file, checks that all agree, then times all."""
    with TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "marketing.duckdb")) as connection:
        marketing.load(connection, contacts, events)
        ws = _connected(connection)
        _keep_truths(connection, ws)
        return [
            _counting(connection, contacts, "narrow", rounds),
            _counting(connection, contacts, "broad", rounds),
            _everything(connection, ws, contacts, events, rounds),
        ]


# ---------------------------------------------------------------- the data


def _connected(connection: duckdb.DuckDBPyConnection, table: str = "contacts") -> Workspace:
    """A workspace that has checked the data."""
    catalog = None if table == "contacts" else {"contacts": {"table": table, "key": "contact_id"}}
    ws = connect(connection, as_of=marketing.AS_OF, home=None, catalog=catalog)
    ws.sizes([F.contact_id > 0])
    return ws


def _keep_truths(connection: duckdb.DuckDBPyConnection, ws: Workspace) -> None:
    """`narrow` and `broad`: each contact with 50 truths; and the same as memberships, one row for each that holds."""
    plans = [plan(own.definition, ws.catalog, moment(marketing.AS_OF, "UTC")) for own in segkit_segments()]
    whole = replace(plans[0], features=tuple(dict.fromkeys(feature for own in plans for feature in own.features)))
    truths = render(compile.truths(whole, [own.where for own in plans]), "duckdb")
    columns = ", ".join(f"is_{i} = 1 AS is_{i}" for i in range(COUNT))
    connection.execute(f"CREATE TABLE narrow AS SELECT contact_id, {columns} FROM ({truths})")
    drawn = ", ".join(f"hash(contact_id, {100 + i}) % 100 < {10 + 40 * i // (COUNT - 1)} AS is_{i}" for i in range(COUNT))
    connection.execute(f"CREATE TABLE broad AS SELECT contact_id, {drawn} FROM contacts")
    for table in ("narrow", "broad"):
        connection.execute(f"CREATE TABLE {table}_members AS {_memberships(table)}")


def _memberships(table: str) -> str:
    return " UNION ALL ".join(f"SELECT contact_id, {i} AS segment FROM {table} WHERE is_{i}" for i in range(COUNT))


# ---------------------------------------------------------------- ways


def _self_join(connection: duckdb.DuckDBPyConnection, table: str) -> Pairs:
    return {(a, b): count for a, b, count in connection.execute(_SELF_JOIN.format(table)).fetchall()}


def _grouped(connection: duckdb.DuckDBPyConnection, source: str) -> Pairs:
    """GROUP BY of the 50 truths, and the pairs out of a product of matrices."""
    truths = ", ".join(f"is_{i}" for i in range(COUNT))
    found = connection.execute(f"SELECT {truths}, count(*) AS n FROM {source} GROUP BY ALL").fetchnumpy()
    holds = np.stack([np.asarray(found[f"is_{i}"], dtype=np.float64) for i in range(COUNT)])
    both = (holds * np.asarray(found["n"])) @ holds.T
    return {(a, b): int(both[a, b]) for a, b in combinations(range(COUNT), 2) if both[a, b]}


def _asked(ws: Workspace, segments: Sequence[Segment]) -> Pairs:
    both = ws.overlap(segments)["both"].tolist()
    return {pair: count for pair, count in zip(combinations(range(len(segments)), 2), both, strict=True) if count}


def _counting(connection: duckdb.DuckDBPyConnection, contacts: int, table: str, rounds: int) -> Report:
    near, far = _connected(connection, table), _connected(connection, table)
    far.engine = Warehouse(far.engine)
    segments = [Segment(str(i), F[f"is_{i}"] == True) for i in range(COUNT)]  # noqa: E712

    def joined() -> Pairs:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE members_by_hand AS {_memberships(table)}")
        return _self_join(connection, "members_by_hand")

    ways: dict[str, Callable[[], Pairs]] = {
        "self-join": lambda: _self_join(connection, f"{table}_members"),
        "self-join, from truths": joined,
        "GROUP BY by hand": lambda: _grouped(connection, table),
        "segkit, local": lambda: _asked(near, segments),
        "segkit, pushed down": lambda: _asked(far, segments),
    }
    [members] = connection.execute(f"SELECT count(*) FROM {table}_members").fetchall()[0]
    about = (
        f"50 {table} segments, {contacts:,} contacts, {members:,} memberships, all known; medians of {rounds} interleaved rounds."
    )
    goals = [Goal("segkit, local", "self-join", 1 / 20), Goal("segkit, pushed down", "self-join", 1 / 10)]
    return _raced(f"Overlap of 50 {table} segments, the counting alone", about, ways, rounds, goals)


def _everything(connection: duckdb.DuckDBPyConnection, ws: Workspace, contacts: int, events: int, rounds: int) -> Report:
    far = _connected(connection)
    far.engine = Warehouse(far.engine)
    own, rules = segkit_segments(), list(marketing.segments().values())
    truths, sizes = _truths_by_hand(rules), one_query(rules)

    def joined() -> Pairs:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE by_hand AS {truths}")
        connection.execute(f"CREATE OR REPLACE TEMP TABLE members_by_hand AS {_memberships('by_hand')}")
        return _self_join(connection, "members_by_hand")

    ways: dict[str, Callable[[], Pairs]] = {
        "self-join": joined,
        "GROUP BY by hand": lambda: _grouped(connection, f"({truths})"),
        "segkit, local": lambda: _asked(ws, own),
        "segkit, pushed down": lambda: _asked(far, own),
    }
    about = (
        f"The fifty of the sizes benchmark, from {contacts:,} contacts and {events:,} events; medians of {rounds} interleaved "
        "rounds. The sizes of the same fifty by hand, of which overlap needs each condition too, stand last."
    )
    return _raced("Overlap of 50 segments, from contacts and events", about, ways, rounds, [], lambda: connection.execute(sizes))


def _truths_by_hand(rules: Sequence[marketing.Rule]) -> str:
    """The hand-written query of sizes, with a truth for each contact in the place of each count."""
    text = one_query(rules)
    head, _, tail = text.partition("SELECT COUNT(CASE WHEN ")
    counts, _, joins = tail.rpartition(" FROM contacts ")
    conditions = counts.removesuffix(" THEN 1 END)").split(" THEN 1 END), COUNT(CASE WHEN ")
    truths = ", ".join(f"coalesce({own}, false) AS is_{i}" for i, own in enumerate(conditions))
    return f"{head}SELECT contact_id, {truths} FROM contacts {joins}"


def _raced(
    title: str,
    about: str,
    ways: dict[str, Callable[[], Pairs]],
    rounds: int,
    goals: Sequence[Goal],
    beside: Callable[[], object] | None = None,
) -> Report:
    answers = {name: way() for name, way in ways.items()}
    for name, answer in answers.items():
        assert answer == answers["self-join"], f"{name} disagrees with the self-join"
    contestants = [Contestant(name, way) for name, way in ways.items()]
    contestants += [Contestant("sizes by hand", beside)] if beside is not None else []
    own = report(title, about, race(contestants, rounds), "self-join", ["wall", "cpu"], goals)
    own.notes.append(f"checked: all give the same numbers; {len(answers['self-join']):,} of 1,225 pairs share contacts")
    return own
