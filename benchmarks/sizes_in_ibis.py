"""The sizes benchmark in ibis: each segment is an expression of its own, counted in a loop."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import reduce
from typing import Any

import duckdb
import ibis
from marketing import AS_OF, BY_NAME, Feature, Group, Has, Not, Rule, by_event, features_of, widest

_COMPARE = {"==": operator.eq, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


def ibis_loop(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> Callable[[], list[int]]:
    """Builds, compiles and runs 50 expressions; each collects only the features that it needs, by event type."""
    backend = ibis.duckdb.from_connection(connection)
    contacts, events = backend.table("contacts"), backend.table("events")
    return lambda: [int(_joined(contacts, events, rule).filter(_condition(rule)).count().execute()) for rule in rules]


def _joined(contacts: Any, events: Any, rule: Rule) -> Any:
    for event, features in by_event(tuple(dict.fromkeys(features_of(rule)))).items():
        start = widest(features)
        own = events.filter(events.event == event, events.occurred_at <= AS_OF)
        own = own if start is None else own.filter(own.occurred_at > start)
        grouped = own.group_by("contact_id").agg(**{f.name: _measured(own, f) for f in features})
        contacts = contacts.left_join(grouped, "contact_id", rname=f"{event}_{{name}}")
    return contacts


def _measured(own: Any, feature: Feature) -> Any:
    where = None if feature.since is None else own.occurred_at > feature.since
    match feature.measure:
        case "count":
            return own.count(where=where)
        case "sum":
            return own.amount.sum(where=where)
        case "last":
            return own.occurred_at.max(where=where)


def _condition(rule: Rule) -> Any:
    match rule:
        case Has(what, "older", days):
            return ibis._[what] < AS_OF - timedelta(days=int(days))
        case Has(what, op, value):
            own = ibis._[what].fill_null(0) if what in BY_NAME else ibis._[what]
            return _COMPARE[op](own, value)
        case Group(how, rules):
            return reduce(operator.and_ if how == "all" else operator.or_, map(_condition, rules))
        case Not(inner):
            return ~_condition(inner).fill_null(False)
