"""What segments look like and do on DuckDB: profile, diff, performance, waterfall and thresholds.

Each is one call of segkit, against the queries that an analyst would otherwise write: one for each field, segment, condition
or threshold. Both must give the same numbers; segkit's calls answer more than the queries do (intervals, ranks, reasons).
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import marketing
from hand_written import members, separate_queries
from marketing import AS_OF, Has, Not, Rule, every, some
from report import Report, report
from sizes_in_segkit import predicate
from timing import Contestant, race

from segkit import E, Segment, Workspace, connect
from segkit.errors import SegkitWarning

_FIELDS = ("country", "plan", "age", "score", "opted_in")
_START = AS_OF - dt.timedelta(days=30)
_THRESHOLDS = 20
_CONDITIONS = (
    Has("country", "==", "USA"),
    some(Has("opened_30", ">=", 2), Has("clicked_90", ">=", 1)),
    Has("visited_180", ">=", 3),
    Not(Has("last_purchased", "older", 60)),
    Has("spent_ever", ">", 50),
    Has("age", ">=", 30),
)
Way = Callable[[], Any]


def run(contacts: int, events: int, rounds: int = 5) -> list[Report]:
    """Makes the data in a file; then for each measure checks that both ways agree, and times them."""
    with TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "marketing.duckdb")) as connection:
        marketing.load(connection, contacts, events)
        ws = connect(connection, as_of=AS_OF, home=None)
        ws.sizes([ws.F.age > 200])
        ways = {
            "Profile": ("Five fields and the opens of 90 days; by hand a query a field", _profile),
            "Diff": ("Two definitions; by hand their sizes, and EXCEPT both ways", _diff),
            "Performance": ("Ten segments in 30 days; by hand a query a segment", _performance),
            "Waterfall": (f"{len(_CONDITIONS)} conditions; by hand each alone, after those before it, and left out", _waterfall),
            "Thresholds": (f"Opens in 30 days, the whole curve; by hand {_THRESHOLDS} thresholds, a query each", _thresholds),
        }
        size = f"{contacts:,} contacts, {events:,} events; medians of {rounds} interleaved rounds."
        with warnings.catch_warnings(action="ignore", category=SegkitWarning):  # opens of who is chosen by opens
            return [_raced(title, f"{about}; {size}", way(connection, ws), rounds) for title, (about, way) in ways.items()]


def _raced(title: str, about: str, ways: tuple[Way, Way], rounds: int) -> Report:
    """By hand, and segkit."""
    expected, answer = (way() for way in ways)
    assert answer == expected, f"{title}: segkit says {answer}, the queries by hand {expected}"
    contestants = [Contestant(name, way) for name, way in zip(("by hand", "segkit"), ways, strict=True)]
    return report(title, about, race(contestants, rounds), "by hand", ["wall", "cpu"])


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


# ---------------------------------------------------------------- what is measured


def _profile(connection: duckdb.DuckDBPyConnection, ws: Workspace) -> tuple[Way, Way]:
    rule = every(Has("opted_in", "==", True), Has("opened_30", ">=", 1))
    own = Segment("openers", predicate(rule))
    opens = E.opened.within(days=90).count()
    base = (
        f"WITH m AS ({members(rule)}), o AS (SELECT contact_id, count(*) AS n FROM events WHERE event = 'opened' "
        f"AND occurred_at > TIMESTAMP '{AS_OF}' - INTERVAL 90 DAY AND occurred_at <= TIMESTAMP '{AS_OF}' GROUP BY ALL), "
        "p AS (SELECT c.*, coalesce(o.n, 0) AS opens, m.contact_id IS NOT NULL AS inside "
        "FROM contacts AS c LEFT JOIN m USING (contact_id) LEFT JOIN o USING (contact_id)) "
    )
    numbers = ("age", "score", "opens")

    def by_hand() -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in ("country", "plan", "opted_in"):
            query = f"{base} SELECT {name}, count(*) FILTER (inside), count(*) FROM p WHERE {name} IS NOT NULL GROUP BY ALL"
            found[name] = sum(count for _, count, _ in _rows(connection, query))
        for name in numbers:
            quantiles = f"quantile_disc({name}, [0, 0.25, 0.5, 0.75, 1])"
            query = (
                f"{base} SELECT count({name}) FILTER (inside), avg({name}) FILTER (inside), avg({name}), stddev({name}) "
                f"FILTER (inside), {quantiles} FILTER (inside), {quantiles} FROM p"
            )
            [(known, mean, *_, quarters, _)] = _rows(connection, query)
            found[name] = (known, round(mean, 6), [float(own) for own in quarters])
        return found

    def by_segkit() -> dict[str, Any]:
        frame = ws.profile(own, [*_FIELDS, opens])
        found: dict[str, Any] = {}
        for name, rows in frame.groupby("field", sort=False):
            told = rows.set_index("what")
            known = int(told.loc["known", "count"])
            if "mean" in told.index:
                quarters = [float(told.loc[what, "inside"]) for what in ("min", "25%", "50%", "75%", "max")]
                found[name if name in numbers else "opens"] = (known, round(float(told.loc["mean", "inside"]), 6), quarters)
            else:
                found[str(name)] = known
        return found

    return by_hand, by_segkit


def _diff(connection: duckdb.DuckDBPyConnection, ws: Workspace) -> tuple[Way, Way]:
    old = every(Has("opted_in", "==", True), Has("opened_30", ">=", 2))
    new = every(Has("opted_in", "==", True), some(Has("opened_30", ">=", 3), Has("clicked_90", ">=", 2)))
    sizes = separate_queries([old, new])
    turns = [f"({members(a)}) EXCEPT ({members(b)}) ORDER BY ALL" for a, b in ((new, old), (old, new))]

    def by_hand() -> list[int]:
        return [*(_rows(connection, query)[0][0] for query in sizes), *(len(_rows(connection, query)) for query in turns)]

    def by_segkit() -> list[int]:
        told = ws.diff(predicate(old), predicate(new)).attrs
        return [told[name] for name in ("old_size", "new_size", "gained", "lost")]

    return by_hand, by_segkit


def _performance(connection: duckdb.DuckDBPyConnection, ws: Workspace) -> tuple[Way, Way]:
    least = range(1, 11)
    period = f"occurred_at >= TIMESTAMP '{_START}' AND occurred_at < TIMESTAMP '{AS_OF}'"
    opened = f"event = 'opened' AND occurred_at > TIMESTAMP '{_START}' - INTERVAL 30 DAY AND occurred_at <= TIMESTAMP '{_START}'"
    queries = [
        f"WITH m AS (SELECT contact_id FROM events WHERE {opened} GROUP BY ALL HAVING count(*) >= {k}) "
        "SELECT count(*) FILTER (event = 'sent'), count(*) FILTER (event = 'opened'), count(*) FILTER (event = 'clicked'), "
        "count(*) FILTER (event = 'purchased'), sum(amount) FILTER (event = 'purchased') "
        f"FROM events JOIN m USING (contact_id) WHERE {period}"
        for k in least
    ]
    own = [Segment(f"opened {k}", E.opened.within(days=30).count() >= k) for k in least]

    def by_hand() -> list[list[float]]:
        return [[float(value or 0) for value in _rows(connection, query)[0]] for query in queries]

    def by_segkit() -> list[list[float]]:
        frame = ws.performance(own, start=_START, end=AS_OF)
        return frame[["sends", "opens", "clicks", "conversions", "revenue"]].astype(float).values.tolist()  # type: ignore[no-any-return]

    return by_hand, by_segkit


def _waterfall(connection: duckdb.DuckDBPyConnection, ws: Workspace) -> tuple[Way, Way]:
    rules: list[Rule] = []
    for i, own in enumerate(_CONDITIONS):
        rules += [own, every(*_CONDITIONS[: i + 1]), every(*_CONDITIONS[:i], *_CONDITIONS[i + 1 :])]
    queries = separate_queries(rules)
    whole = Segment("whole", predicate(every(*_CONDITIONS)))

    def by_segkit() -> list[int]:
        frame = ws.waterfall(whole).set_index("path")
        rows = [frame.loc[f"where.items[{i}]", ["alone", "running", "without"]] for i in range(len(_CONDITIONS))]
        return [int(size) for row in rows for size in row]

    return lambda: [_rows(connection, query)[0][0] for query in queries], by_segkit


def _thresholds(connection: duckdb.DuckDBPyConnection, ws: Workspace) -> tuple[Way, Way]:
    country, limit = Has("country", "==", "USA"), E.opened.within(days=30).count() >= 1
    steps = range(1, _THRESHOLDS + 1)
    queries = separate_queries([every(country, Has("opened_30", ">=", k)) for k in steps])
    own = Segment("USA, opened", predicate(country) & limit)

    def by_segkit() -> list[int]:
        frame = ws.thresholds(own, limit)
        return [_at_least(frame["threshold"].tolist(), frame["size"].tolist(), k) for k in steps]

    return lambda: [_rows(connection, query)[0][0] for query in queries], by_segkit


def _at_least(thresholds: Sequence[float], sizes: Sequence[int], k: int) -> int:
    """The size at a threshold: that of the next one which somebody has."""
    return next((size for threshold, size in zip(thresholds, sizes, strict=True) if threshold >= k), 0)
