"""What belongs to one contact: its rows of the tables, and what of it only the others' rows can say."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from segkit.catalog import EventTable, Kind
from segkit.compile import conditions, sql
from segkit.compile.conditions import Names
from segkit.compile.joined import base_of
from segkit.compile.sql import Sql
from segkit.plan import Plan
from segkit.plan.tree import ColumnTerm, Comparison, Condition, Constant, Standing

_OWN = "own"


def of_contact(table: str, columns: Sequence[str], key: str, contact: Constant, kind: Kind) -> exp.Select:
    """Some columns of the rows whose `key`, a column of a kind, is a contact's."""
    query = exp.Select(expressions=[sql.column(name, _OWN) for name in columns]).from_(sql.table(table, _OWN), copy=False)
    return query.where(_is(key, contact, kind), copy=False)


def of_events(table: EventTable, columns: Sequence[str], contact: Constant, kind: Kind) -> exp.Select:
    """Some columns of a contact's events, and of those that bear the id of one of them where ids repeat."""
    query = of_contact(table.table, columns, table.contact, contact, kind)
    if table.id is None or not table.repeats:
        return query
    ids = of_contact(table.table, [table.id], table.contact, contact, kind)
    shares = exp.In(this=sql.column(table.id, _OWN), query=exp.Subquery(this=ids))
    own = query.args.pop("where").this
    return query.where(exp.Or(this=exp.Paren(this=own), expression=shares), copy=False)


def among_others(plan: Plan, contact: Constant, standings: Sequence[Standing], wanted: Sequence[Condition]) -> exp.Select:
    """One row of a contact: its standings (`at_0`, `at_1`, ...), and whether conditions hold for it (`is_0`, `is_1`, ...)."""
    base = base_of([plan])
    contacts = plan.catalog.contacts
    columns: list[Sql] = [sql.aliased(conditions.term(own, base.names), f"at_{i}") for i, own in enumerate(standings)]
    columns += conditions.truths(wanted, base.names)
    query = base.of_contacts(columns, [], [plan.where, *wanted, *(Comparison("==", own, own) for own in standings)])
    exists = query.args.pop("where", None)
    both = [_is(contacts.key, contact, contact.kind, base.names.table), *([] if exists is None else [exists.this])]
    return base.with_ctes(query.where(sql.joined(exp.And, both), copy=False))


def _is(key: str, contact: Constant, kind: Kind, table: str = _OWN) -> Sql:
    return conditions.condition(Comparison("==", ColumnTerm(key, kind), contact), Names(table))
