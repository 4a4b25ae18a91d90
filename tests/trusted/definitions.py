"""Malformed definitions through every door: each is refused by one error, with its place and its remedy."""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from test_bad_input import DOCUMENTS, JUNK, RULES, SMALL, VALID, mutated

import segkit
from segkit import Catalog, E, F, SegkitError, Segment, store
from segkit.plan import moment, plan
from trusted.figure import AS_OF, Figure

CATALOGS: list[Any] = [
    {
        "contacts": {"table": "people", "key": "id", "created": "since", "fields": {"a": "integer", "b": {"column": "c", "kind": "text"}}},
        "events": [{"table": "events", "id": "event_id", "time": "at", "properties": {"amount": "decimal"}, "names": ["opened"]}],
        "lists": {"table": "list_members", "joined": "joined_at"},
        "timezone": "Europe/Rome",
    },
    {"contacts": {"table": "crm.people", "fields": {"t": {"kind": "timestamp", "zone": "UTC"}}}, "calculated": {"average": "a / b"}},
    {"events": [{"table": "opens", "name": "opened"}], "history": [{"table": "past", "fields": {"tier": "tier"}}]},
]  # fmt: skip
TEXTS = [own.to_text() for own in VALID[:5]] + [
    'Opened >= 5 emails in last 30 days AND country = "USA"',
    "NOT State IN ('CA', 'NY') OR Last_Purchase > 30 days ago",
    "Total_Spent > $500 AND (Plan = pro OR b STARTS WITH 'x')",
]


@dataclass(frozen=True)
class Door:
    """A way in: how something malformed is made, and who reads it."""

    make: Callable[[random.Random], Any]
    read: Callable[[Any], Any]
    has_places: bool = True


def _written(document: Any) -> Any:
    """JSON text of a document, as far as it is any."""
    return document if isinstance(document, str) else json.dumps(document, default=repr, skipkeys=True, allow_nan=True)


def _json(chance: random.Random) -> str:
    while True:
        try:
            text = str(_written(mutated(chance, DOCUMENTS)))
        except (ValueError, RecursionError):  # what no text can hold
            continue
        return _cut(chance, text) if chance.random() < 0.5 else text


def _cut(chance: random.Random, text: str) -> str:
    """A text of which a piece is lost, doubled or replaced."""
    for _ in range(chance.choice((1, 1, 2))):
        at, length = chance.randrange(len(text) + 1), chance.choice((1, 2, 9))
        put = chance.choice(
            ("", "", text[at : at + length] * 2, chance.choice(string.punctuation), "(", "\0", "\ud800", "AND", "é", "9" * 30)
        )
        text = text[:at] + put + text[at + length :]
    return text


def _yaml(chance: random.Random) -> str:
    while True:
        try:
            text = yaml.safe_dump(json.loads(str(_written(mutated(chance, DOCUMENTS)))), allow_unicode=True)
        except (ValueError, RecursionError, yaml.YAMLError):
            continue
        return _cut(chance, text) if chance.random() < 0.7 else text


def _saved(ending: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"own.{ending}"
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            return Catalog.from_file(path) if ending == "catalog" else _planned(store.read_file(path).segment)

    return read


def _planned(own: Segment) -> Any:
    return plan(own.definition, SMALL, moment(AS_OF, "UTC"))


CALLS: list[Callable[[Any, Any], Any]] = [
    lambda x, _: F[x], lambda x, _: E[x], lambda x, _: F.a.is_in(x), lambda x, y: F.a.between(x, y), lambda x, _: F.b.contains(x),
    lambda x, _: F.b.matches(x), lambda x, _: F.c.within(days=x), lambda x, y: F.c.in_period(x, y), lambda x, _: F.c.on(x),
    lambda x, _: F.d.anniversary(within_days=x), lambda x, _: F.a.top(percent=x), lambda x, y: F.a.top(n=x, of=y),
    lambda x, _: F.f.quantile(x), lambda x, _: F.f.round(x), lambda x, y: F.g.json(x, y), lambda x, _: F.a > x, lambda x, _: F.a + x,
    lambda x, _: E.opened.where(x), lambda x, _: E.opened.sum(x), lambda x, _: E.opened.window(days=x),
    lambda x, _: E.opened.active(x), lambda x, y: E.opened.then(x, days=y), lambda x, _: segkit.in_list(x), lambda x, _: segkit.in_segment(x),
    lambda x, y: segkit.sample(percent=x, seed=y), lambda x, y: segkit.raw_sql(x, dialect=y), lambda x, _: segkit.days(x),
    lambda x, y: segkit.all_of(x, y), lambda x, _: segkit.any_of(*x) if isinstance(x, list) else segkit.any_of(x),
    lambda x, _: Segment(x, F.a > 1), lambda x, _: Segment("S", x), lambda x, _: Segment("S", F.a > 1, tags=x), lambda x, _: segkit.word(x),
    lambda x, _: segkit.in_group(x), lambda x, y: segkit.per(x, y), lambda x, _: segkit.constant(x),
]  # fmt: skip


def _arguments(chance: random.Random) -> Any:
    return chance.choice(CALLS), chance.choice(JUNK), chance.choice(JUNK)


def _called(given: Any) -> Any:
    call, x, y = given
    return call(x, y)


DOORS = {
    "mappings": Door(
        lambda c: mutated(c, DOCUMENTS[:]),
        lambda d: _planned(Segment.from_json(d) if isinstance(d, str) else Segment.from_dict(d)),
    ),
    "JSON text": Door(_json, lambda text: _planned(Segment.from_json(text))),
    "YAML files": Door(_yaml, _saved("yml"), has_places=False),
    "the text language": Door(lambda c: _cut(c, c.choice(TEXTS)), lambda text: _planned(Segment("S", segkit.parse(text)))),
    "catalogs": Door(lambda c: mutated(c, CATALOGS), Catalog.from_dict),
    "catalog files": Door(lambda c: _cut(c, yaml.safe_dump(c.choice(CATALOGS))), _saved("catalog"), has_places=False),
    "queries of react-querybuilder": Door(lambda c: mutated(c, RULES), segkit.from_react_querybuilder),
    "arguments of the builder": Door(_arguments, _called, has_places=False),
}
"""An error of a file names the file; that of a call is raised in the line of the call."""
_PLACE = re.compile(r"\$|catalog\b|line \d+, column \d+")


def malformed(count: int, _: list[str]) -> Iterator[Figure]:
    """So many that are refused, through each door."""
    for name, door in DOORS.items():
        chance = random.Random(name)
        refused = wrong = caught = 0
        while refused < count:
            given = door.make(chance)
            caught += isinstance(given, dict | str) and _naive(given)
            try:
                door.read(given)
            except SegkitError as error:
                refused += 1
                wrong += not _is_told(error, door.has_places)
            except Exception:
                refused, wrong = refused + 1, wrong + 1
        if name == "arguments of the builder":
            caught = _unchecked()
        yield Figure(
            "Malformed definitions, refused by an error with place and remedy",
            name,
            refused,
            wrong,
            "the same read without checks: an error of Python",
            caught,
        )


def _is_told(error: SegkitError, has_places: bool) -> bool:
    placed = not has_places or _PLACE.match(error.where) is not None
    return bool(error.what.strip() and error.fix.strip()) and placed and len(str(error)) < 2_000


def _naive(given: Any) -> bool:
    """Whether a reader that takes a document for what it should be fails with an error of Python."""
    try:
        document = json.loads(given) if isinstance(given, str) else given
        return not [F[own["field"]] == own["value"] for own in document["conditions"]]
    except SegkitError:
        return False
    except Exception:
        return True


def _unchecked() -> int:
    """Arguments that Python itself would refuse: junk as numbers of days."""
    failed = 0
    for junk in JUNK:
        try:
            __import__("datetime").timedelta(days=junk)
        except Exception:
            failed += 1
    return failed
