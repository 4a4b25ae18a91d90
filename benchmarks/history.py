"""A year of history on DuckDB: the sweep against a query a day, written as `ws.size` at each.

A few days are measured and 365 of them reckoned: that many queries would take minutes. Both must give the same sizes on these.
"""

from __future__ import annotations

import random
import warnings
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import duckdb
import marketing
from report import Goal, Report, report
from timing import Contestant, race

from segkit import E, F, Segment, Workspace, connect
from segkit.measures import spells

START, END = "2024-11-30", "2025-11-29"
SAMPLED = ("2024-12-15", "2025-03-02", "2025-06-01", "2025-09-10", "2025-11-01")
SEGMENTS = {
    "a count": E.opened.within(days=30).count() >= 5,
    "three parts": (E.opened.within(days=30).count() >= 3)
    & (E.purchased.within(days=90).sum("amount") > 50)
    & ~E.clicked.last().within(days=30),
    "five conditions": ((E.opened.within(days=30).count() >= 3) | E.clicked.within(days=30).any())
    & ~E.purchased.within(days=90).any()
    & E.visited.last().older_than(days=7)
    & F.country.is_in(["USA", "Germany"]),
}
LARGE = Segment("large and churning", E.opened.within(days=30).any() | E.visited.within(days=30).any())


def run(contacts: int, events: int, rounds: int = 5) -> list[Report]:
    """Makes the data in a file, checks that both agree, then times both."""
    with TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "marketing.duckdb")) as connection:
        marketing.load(connection, contacts, events)
        connection.execute("ALTER TABLE events ALTER amount TYPE DECIMAL(18, 2)")
        with connect(connection, as_of=marketing.AS_OF, home=None) as ws, warnings.catch_warnings(action="ignore"):
            ws.size(F.contact_id > 0)
            found = [_raced(ws, name, rounds, contacts, events) for name in SEGMENTS]
            found[-1].notes += _intervals(ws)
            return found


def _raced(ws: Workspace, name: str, rounds: int, contacts: int, events: int) -> Report:
    segment = Segment(name, SEGMENTS[name])
    frame = ws.history([segment], start=START, end=END)
    assert set(frame["method"]) == {"swept"}
    sizes = frame.set_index(frame["at"].dt.strftime("%Y-%m-%d"))["size"]
    for day in SAMPLED:
        assert sizes[day] == ws.size(segment, as_of=day), f"{day}: the sweep disagrees"
    courses = ws._courses([segment], START, END, "day")
    days = iter(random.Random(1).choices(SAMPLED, k=10_000))
    contestants = [
        Contestant("one day", lambda: ws.size(segment, as_of=next(days))),
        Contestant("a year, planned", lambda: spells.flows(ws.engine, courses)),
        Contestant("a year", lambda: ws.history([segment], start=START, end=END)),
    ]
    about = f"365 days of a segment ({name}), {contacts:,} contacts, {events:,} events; medians of {rounds} interleaved rounds."
    results = race(contestants, rounds)
    own = report(f"A year of history: {name}", about, results, "one day", ["wall", "cpu"], [Goal("a year", "one day", 10)])
    for result in results[1:]:
        times = [365 / median(result.ratios(results[0], clock)) for clock in ("wall", "cpu")]
        verdict = "met" if min(times) >= 40 else "MISSED"
        own.notes.append(
            f"goal {verdict}: {result.name} is {times[0]:.0f}x (cpu {times[1]:.0f}x) as fast as 365 queries; 40x wanted"
        )
    return own


def _intervals(ws: Workspace) -> list[str]:
    """How many rows spells take, beside a row for each member and day."""
    found = spells.spells(ws.engine, ws._courses([LARGE], START, END, "day"))
    rows = int((found.left - found.entered).sum())
    ratio = rows / max(1, len(found.entered))
    verdict = "met" if ratio >= 20 else "MISSED"
    counted = f"{len(found.entered):,} spells hold {rows:,} daily rows of a large segment"
    return [f"goal {verdict}: {counted}, {ratio:.0f}x fewer; 20x wanted"]
