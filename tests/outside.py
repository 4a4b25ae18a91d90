"""Dittofeed's conformance cases in segkit's words: their users as tables, their trees of conditions as predicates.

A contact is known by its `identify` events, of which the latest wins for each attribute; what it did are `track` events.
Their windows are in seconds, ours in minutes at the least. So all times of a case are stretched around its instant: a
second of theirs is a minute here.
"""

from __future__ import annotations

import datetime as dt
import json
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from engines import ENGINES, Rows, closed_in_the_end

from segkit import E, F, Segment, connect, evaluate
from segkit.builder import EventStream, Predicate, Value
from segkit.catalog import Kind
from segkit.plan import moment, plan
from segkit.segment import as_catalog

# ---------------------------------------------------------------- tables, and who is in

EVENT = {"event_id": "integer", "contact_id": "text", "event": "text", "occurred_at": "timestamp"}


@dataclass(frozen=True)
class World:
    """What is known at an instant: the rows of `contacts` and `events`, and the kinds of their columns."""

    as_of: dt.datetime
    fields: dict[str, str]
    contacts: list[dict[str, Any]]
    properties: dict[str, str] = field(default_factory=lambda: EVENT)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def catalog(self) -> dict[str, Any]:
        """The catalog in its mapping form."""
        events = {"table": "events", "contact": "contact_id", "event": "event", "time": "occurred_at", "id": "event_id"}
        return {
            "contacts": {"table": "contacts", "key": "contact_id", "fields": self.fields},
            "events": [{**events, "properties": self.properties}],
        }


def evaluated(where: Predicate, world: World) -> set[str]:
    """The members that plain Python finds, one contact at a time."""
    resolved = plan(Segment(None, where).definition, as_catalog(world.catalog), moment(world.as_of, "UTC"))
    return {row["contact_id"] for row in world.contacts if evaluate.holds(resolved, row, world.events)}


@dataclass(frozen=True)
class On:
    """The members that an engine finds."""

    engine: str

    def __call__(self, where: Predicate, world: World) -> set[str]:
        own = ENGINES[self.engine]
        tables = {"contacts": Rows(_kinds(world.fields), world.contacts), "events": Rows(_kinds(world.properties), world.events)}
        source = own.loaded(tables)
        with (
            closed_in_the_end(source),
            connect(source, catalog=world.catalog, as_of=world.as_of, home=None, **own.connect) as workspace,
        ):
            return set(workspace.members(Segment(None, where))["contact_id"])


def _kinds(columns: dict[str, str]) -> dict[str, Kind]:
    return {name: Kind(kind) for name, kind in columns.items()}


# ---------------------------------------------------------------- a case as tables


def world(case: dict[str, Any]) -> World:
    """The tables of a case: a column for each attribute and each property, of the kind of its values."""
    as_of = instant(case["as_of"])
    told = stretched(sorted(case["events"], key=lambda event: event["at"]), as_of)
    latest: dict[str, dict[str, Any]] = {event["user"]: {} for event in told}
    for event in told:
        if event["type"] == "identify" and event["at"] <= as_of:
            latest[event["user"]] |= event.get("traits", {})
    asked = [attribute(tree["attribute"]) for tree in trees(case) if "attribute" in tree]
    fields = dict.fromkeys(asked, "text") | kinds(latest.values())
    contacts = [{**storable(row), "contact_id": user} for user, row in latest.items()]
    rows = [{**event.get("traits", {}), **event.get("properties", {})} for event in told]
    events = [_event(i, event, row) for i, (event, row) in enumerate(zip(told, rows, strict=True))]
    return World(as_of, {"contact_id": "text", **fields}, contacts, {**EVENT, **kinds(rows)}, events)


def _event(number: int, event: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    name = event.get("event", event["type"])
    return {**storable(row), "event_id": number, "contact_id": event["user"], "event": name, "occurred_at": event["at"]}


def stretched(part: Any, as_of: dt.datetime) -> Any:
    """A part of a case with every time in it sixty times as far from `as_of`."""
    match part:
        case dict():
            return {key: stretched(value, as_of) for key, value in part.items()}
        case list():
            return [stretched(value, as_of) for value in part]
        case str() if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", part):
            return as_of + 60 * (instant(part) - as_of)
    return part


def instant(text: str) -> dt.datetime:
    """An instant in UTC, without its zone."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=None)


def trees(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The conditions and groups of a case, each before those in it."""
    found = list(case["segments"].values())
    for tree in found:
        found += tree.get("all", []) + tree.get("any", [])
    return found


def attribute(path: str) -> str:
    """The name in a path such as `$["first name"]`; of a path into JSON, that of the column.

    >>> attribute('$["first name"]'), attribute("address.city")
    ('first name', 'address')
    """
    return path[3:-2] if path.startswith('$["') else path.partition(".")[0]


def kinds(rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The kind of each column: that of its values, JSON for objects, lists, and values of several kinds."""
    found: dict[str, str] = {}
    for row in rows:
        for name, value in row.items():
            own = _KINDS[type(value)]
            found[name] = own if found.get(name, own) == own else "json"
    return found


_KINDS = {bool: "boolean", int: "integer", float: "float", str: "text", dt.datetime: "timestamp", dict: "json", list: "json"}


def storable(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its objects and lists as JSON text."""
    return {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in row.items()}


# ---------------------------------------------------------------- conditions


class NotOurs(Exception):
    """Something that segkit has no word for."""


_ORDERS: dict[str, Callable[[Any, Any], Predicate]] = {
    "eq": operator.eq,
    "=": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "<": operator.lt,
    "ge": operator.ge,
    ">=": operator.ge,
    "on_or_after": operator.ge,
}


def predicates(case: dict[str, Any]) -> dict[str, Predicate]:
    """The segments of a case by their names, for its `world`; NotOurs for what segkit has no word for."""
    known = world(case)
    segments = stretched(case["segments"], known.as_of)
    return {name: predicate(tree, known) for name, tree in segments.items()}


def predicate(tree: dict[str, Any], known: World) -> Predicate:
    """A tree of conditions. Windows over events are ours, open at the old end where theirs are closed."""
    match tree:
        case {"all": items}:
            return reduce(operator.and_, [predicate(item, known) for item in items])
        case {"any": items}:
            return reduce(operator.or_, [predicate(item, known) for item in items])
        case {"attribute": path}:
            return compared(*at(path, known.fields), tree)
        case {"event": name, "count": count}:
            stream = filtered(name, tree, known)
            if "within_last_seconds" in tree:
                stream = stream.within(minutes=tree["within_last_seconds"])
            return _ORDERS[count["op"]](stream.count(), count["n"])
        case {"last_event": name, "having": conditions}:
            stream = filtered(name, tree, known)
            return reduce(operator.and_, [stream.any(), *(of_last(stream, condition, known) for condition in conditions)])
    raise NotOurs(f"the condition {tree}")


def filtered(name: str, tree: dict[str, Any], known: World) -> EventStream:
    """The events of a name that meet conditions on their properties."""
    if name.endswith("*"):
        raise NotOurs("event names that begin alike")
    stream: EventStream = E[name]
    for condition in tree.get("where", []):
        stream = stream.where(compared(*at(condition["path"], known.properties), condition))
    return stream


def of_last(stream: EventStream, condition: dict[str, Any], known: World) -> Predicate:
    """A condition on the last event. JSON has no `latest`: there the last event that meets it must be the last of all."""
    path = condition["path"]
    value, kind = at(path, known.properties)
    if kind == "json":
        return stream.where(compared(value, kind, condition)).last() == stream.last()
    return compared(stream.latest(path), kind, condition)


def at(path: str, kinds: dict[str, str]) -> tuple[Value, str]:
    """The value that a path leads to, and the kind of its column."""
    name = attribute(path)
    if name not in kinds:
        raise NotOurs(f"the path {path!r} to nowhere")
    inner = path[len(name) + 1 :] if path.startswith(f"{name}.") else ""
    return F[name].json(inner) if inner else F[name], kinds[name]


def compared(value: Value, kind: str, test: dict[str, Any]) -> Predicate:
    """A condition on a value. An instant exactly as long ago as a window is in, as it is for them."""
    match test["op"]:
        case "exists":
            return ~value.is_missing()
        case "not_exists":
            return value.is_missing()
        case "within_last_seconds":
            return value.within(minutes=test["value"], edge=True)
        case "has_been":
            raise NotOurs("how long a value has stood")
        case "includes":
            raise NotOurs("the elements of a list")
    return _ORDERS[test["op"]](value, constant(test["value"], kind))


def constant(value: Any, kind: str) -> Any:
    """A constant of the column's kind: they compare numbers with text, too."""
    return json.loads(value) if kind in ("integer", "float") and isinstance(value, str) else value
