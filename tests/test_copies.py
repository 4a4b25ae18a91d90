"""Copies of one event id count once, the earliest: also when it is of another time, name or contact than what is asked for."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from engines import ENGINES, Rows

from segkit import E, Workspace, connect
from segkit.builder import Predicate
from segkit.catalog import Kind

AS_OF = dt.datetime(2025, 6, 30, 12)
Event = dict[str, Any]


def _drawn(seed: int) -> list[Event]:
    """Events of 12 contacts in 60 days and a few in the future; most ids stand once, some several times, some are missing."""
    draw = random.Random(seed)
    return [
        {
            "event_id": draw.choice([i, i, i, draw.randrange(160), draw.randrange(30), None]),
            "contact_id": draw.choice([*range(12), None]),
            "event": draw.choice(["opened", "clicked", "bought"]),
            "occurred_at": AS_OF - dt.timedelta(hours=draw.randrange(-72, 60 * 24)),
            "amount": draw.randrange(10),
        }
        for i in range(160)
    ]


EVENTS = _drawn(20251165)[:48]
TABLES = {
    "contacts": Rows({"contact_id": Kind.INTEGER}, [{"contact_id": i} for i in range(12)]),
    "events": Rows(
        {
            "event_id": Kind.INTEGER,
            "contact_id": Kind.INTEGER,
            "event": Kind.TEXT,
            "occurred_at": Kind.TIMESTAMP,
            "amount": Kind.INTEGER,
        },
        EVENTS,
    ),
}


def _once(events: Sequence[Event]) -> list[Event]:
    """The events that have happened to somebody, each id once."""
    own = [event for event in events if event["contact_id"] is not None and event["occurred_at"] <= AS_OF]
    own.sort(key=lambda event: (event["occurred_at"], event["contact_id"], event["event"], event["amount"]))
    first: dict[Any, Event] = {}
    for i, event in enumerate(own):
        first.setdefault(("none", i) if event["event_id"] is None else event["event_id"], event)
    return list(first.values())


def _amounts(event: str, days: int | None = None) -> Callable[[list[Event]], list[int]]:
    since = AS_OF - dt.timedelta(days=10_000 if days is None else days)
    return lambda events: [own["amount"] for own in events if own["event"] == event and own["occurred_at"] > since]


ASKED: dict[str, tuple[Predicate, Callable[[list[Event]], bool]]] = {
    "a few days": (E.opened.within(days=9).any(), lambda own: bool(_amounts("opened", 9)(own))),
    "ever": (E.clicked.count() >= 4, lambda own: len(_amounts("clicked")(own)) >= 4),
    "none": (~E.bought.within(days=15).any(), lambda own: not _amounts("bought", 15)(own)),
    "a sum": (E.bought.within(days=30).sum("amount") >= 9, lambda own: sum(_amounts("bought", 30)(own)) >= 9),
    "two windows": (
        (E.opened.within(days=5).any()) | (E.opened.within(days=40).count() >= 4),
        lambda own: bool(_amounts("opened", 5)(own)) or len(_amounts("opened", 40)(own)) >= 4,
    ),
    "two names": (
        (E.opened.within(days=20).count() >= 2) & (E.bought.count() <= 3),
        lambda own: len(_amounts("opened", 20)(own)) >= 2 and len(_amounts("bought")(own)) <= 3,
    ),
}


@pytest.fixture(scope="module", params=ENGINES)
def ws(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    own = ENGINES[request.param]
    catalog = {"contacts": {"table": "contacts"}, "events": [{"table": "events", "id": "event_id"}]}
    with connect(own.loaded(TABLES), home=None, as_of=AS_OF, catalog=catalog, **own.connect) as workspace:
        yield workspace


def _members(holds: Callable[[list[Event]], bool], events: Sequence[Event]) -> list[int]:
    return [i for i in range(12) if holds([event for event in events if event["contact_id"] == i])]


def test_each_id_counts_once(ws: Workspace) -> None:
    expected = {name: _members(holds, _once(EVENTS)) for name, (_, holds) in ASKED.items()}
    assert {name: ws.members(asked)["contact_id"].tolist() for name, (asked, _) in ASKED.items()} == expected
    sizes = ws.sizes([asked for asked, _ in ASKED.values()])["size"].tolist()
    assert sizes == [len(members) for members in expected.values()]


def test_the_events_tell_copies_from_single_ones() -> None:
    """Every definition has other members where copies count, and where a copy out of what is asked does not shadow another."""
    for name, (_, holds) in ASKED.items():
        assert _members(holds, _once(EVENTS)) != _members(holds, EVENTS), name
