"""Reads the conformance cases of `tests/cases/` and runs one on the evaluator or on an engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from engines import ENGINES, Rows
from sqlglot import exp

import segkit
from segkit import Catalog, SegkitError, Segment, compile, connect, evaluate, metrics, nodes
from segkit.catalog import Column, HistoryTable, Kind
from segkit.compile import conditions, sql
from segkit.compile.joined import base_of
from segkit.engines.sqlite import FUNCTIONS
from segkit.plan import Plan, moment, plan
from segkit.rendering import render
from segkit.segment import as_segment, by_name, displayed

CASES = Path(__file__).parent / "cases"
NAMES = {
    **{name: getattr(segkit, name) for name in segkit.__all__ if name != "charts"},
    "date": date,
    "datetime": datetime,
    "timezone": timezone,
    "Decimal": Decimal,
}


@dataclass(frozen=True)
class Case:
    """One case of a file: what is given, the definition, and what is expected."""

    file: str
    number: int
    given: dict[str, Any]
    case: dict[str, Any]

    @property
    def id(self) -> str:
        return f"{self.file}[{self.number}]"


def all_cases() -> list[Case]:
    found = []
    for path in sorted(CASES.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        found += [Case(path.stem, i, document["given"], case) for i, case in enumerate(document["cases"])]
    return found


def spelled(expression: str) -> Any:
    """The value of a Python expression in the public names of segkit."""
    return eval(expression, dict(NAMES))


def segment_of(case: Case) -> Segment:
    if "json" in case.case:
        return Segment.from_dict(case.case["json"])
    return as_segment(spelled(case.case["where"]))


def every_definition() -> list[tuple[str, nodes.Definition]]:
    """What every case defines, by its id; not those that must be refused."""
    found = []
    for case in all_cases():
        with suppress(SegkitError):
            found.append((case.id, segment_of(case).definition))
    return found


def catalog_of(given: dict[str, Any]) -> Catalog:
    """The catalog of a file, with the columns it does not declare (keys, names, times) filled in."""
    own = Catalog.from_dict(given["catalog"])
    contacts = own.contacts
    key = contacts.fields.get(contacts.key) or Column(contacts.key, _key_kind(given))
    events = tuple(
        replace(
            t,
            properties={
                **({t.id: Column(t.id, Kind.INTEGER)} if t.id else {}),
                t.contact: Column(t.contact, key.kind),
                **({t.event: Column(t.event, Kind.TEXT)} if t.event else {}),
                **({} if t.time in t.properties else {t.time: Column(t.time, Kind.TIMESTAMP)}),
                **t.properties,
            },
        )
        for t in own.events
    )
    lists = own.lists and replace(own.lists, columns=_list_columns(own, key.kind))
    history = tuple(replace(t, columns=_history_columns(t, key.kind)) for t in own.history)
    calculated = {**own.calculated, **{name: spelled(text).node for name, text in given.get("calculated", {}).items()}}
    return replace(
        own,
        contacts=replace(contacts, fields={contacts.key: key, **contacts.fields}),
        events=events,
        lists=lists,
        history=history,
        calculated=calculated,
    )


def _history_columns(table: HistoryTable, key: Kind) -> dict[str, Column]:
    times = {name: Column(name, Kind.TIMESTAMP) for name in (table.valid_from, table.valid_to)}
    return {table.contact: Column(table.contact, key), **times, **{c.name: c for c in table.fields.values()}}


def _list_columns(own: Catalog, key: Kind) -> dict[str, Column]:
    assert own.lists is not None
    columns = {own.lists.list: Column(own.lists.list, Kind.TEXT), own.lists.contact: Column(own.lists.contact, key)}
    columns |= {name: Column(name, Kind.TIMESTAMP) for name in (own.lists.joined, own.lists.left) if name}
    return columns


def _key_kind(given: dict[str, Any]) -> Kind:
    key = given["catalog"]["contacts"].get("key", "contact_id")
    return Kind.TEXT if any(isinstance(row.get(key), str) for row in given["contacts"]) else Kind.INTEGER


def values(row: dict[str, Any], columns: dict[str, Column]) -> dict[str, Any]:
    """A row of a file as Python values: "NaN" in a float column is a NaN."""
    floats = {c.name for c in columns.values() if c.kind is Kind.FLOAT} | {n for n, c in columns.items() if c.kind is Kind.FLOAT}
    return {k: float("nan") if v == "NaN" and k in floats else v for k, v in row.items()}


@cache
def _workspace(file: str, engine: str) -> segkit.Workspace:
    given = json.loads((CASES / f"{file}.json").read_text(encoding="utf-8"))["given"]
    own = ENGINES[engine]
    source = own.loaded(tables_of(given))
    return connect(source, catalog=Catalog.from_dict(given["catalog"]), timezone=given.get("timezone"), **own.connect)


def tables_of(given: dict[str, Any]) -> dict[str, Rows]:
    """The tables of a file."""
    catalog = catalog_of(given)
    tables = {catalog.contacts.table: _rows(catalog.contacts.fields, given["contacts"])}
    tables |= {table.table: _rows(table.properties, given.get("events", [])) for table in catalog.events}
    if catalog.lists:
        tables[catalog.lists.table] = _rows(catalog.lists.columns, given.get("list_members", []))
    return tables | {past.table: _rows(past.columns, given.get(past.table, [])) for past in catalog.history}


def _rows(columns: Mapping[str, Column], rows: list[dict[str, Any]]) -> Rows:
    kinds = {column.name: column.kind for column in columns.values()}
    return Rows(kinds, [values(row, dict(columns)) for row in rows])


@dataclass(frozen=True)
class On:
    """The members that an engine finds."""

    engine: str

    def __call__(self, case: Case) -> list[Any]:
        ws = _workspace(case.file, self.engine)
        return metrics.members(ws.engine, _resolved(case, ws)).iloc[:, 0].tolist()


@dataclass(frozen=True)
class Together(On):
    """The members that an engine finds that takes long to answer anything: one query asks the cases of a file and instant."""

    def __call__(self, case: Case) -> list[Any]:
        found = _found_together(case.file, case.case.get("as_of"), self.engine)
        return found[case.number] if case.number in found else super().__call__(case)


@cache
def _found_together(file: str, as_of: str | None, engine: str) -> dict[int, list[Any]]:
    """The members of the cases that mean something, by their numbers."""
    ws, plans = _workspace(file, engine), {}
    for case in all_cases():
        if (case.file, case.case.get("as_of")) == (file, as_of):
            with suppress(segkit.SegkitError):
                plans[case.number] = _resolved(case, ws)
    return _asked_together(ws, plans)


def _asked_together(ws: segkit.Workspace, plans: dict[int, Plan]) -> dict[int, list[Any]]:
    """The members of plans; of none that the engine refuses."""
    if not plans:
        return {}
    try:
        answer = ws.engine.frame(render(_outcomes(plans), ws.engine.renders_as))
    except segkit.SegkitError:
        if len(plans) == 1:
            return {}
        numbers = list(plans)
        halves = numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :]
        return {n: own for half in halves for n, own in _asked_together(ws, {n: plans[n] for n in half}).items()}
    return {number: answer["key"][answer[f"is_{number}"]].tolist() for number in plans}


def _outcomes(plans: dict[int, Plan]) -> exp.Select:
    """The key of each contact, in the order of members, and whether it is a member of each plan."""
    base = base_of(list(plans.values()))
    selected = [sql.aliased(base.key(), "key")]
    for number, own in plans.items():
        holds = conditions.condition(own.where, base.names)
        selected.append(sql.aliased(sql.case_when(holds, exp.Boolean(this=True), exp.Boolean(this=False)), f"is_{number}"))
    query = base.select(selected, None, [own.where for own in plans.values()])
    return query.order_by(base.key_order(), copy=False)


def on(engine: str) -> On:
    """The members that an engine finds."""
    return (Together if ENGINES[engine].asks_together else On)(engine)


on_duckdb, on_sqlite, on_postgres = On("duckdb"), On("sqlite"), On("postgres")
on_datafusion, on_bigquery = On("datafusion"), On("bigquery")
on_clickhouse, on_mariadb = On("clickhouse"), On("mariadb")


def on_shown_sqlite(case: Case) -> list[Any]:
    """The members that SQLite finds with the SQL that is shown: plain, without functions of segkit's."""
    ws = _workspace(case.file, "sqlite")
    shown = displayed(_resolved(case, ws), "sqlite", {})
    assert not any(name in shown for name in FUNCTIONS)
    return sorted(ws.engine.frame(shown).iloc[:, 0].tolist())


def markers(case: Case, engine: str) -> set[str]:
    """The markers of the dialect table in the query of a case on an engine."""
    found = compile.members(_resolved(case, _workspace(case.file, engine))).find_all(exp.Anonymous)
    return {node.this.removeprefix("SEGKIT_") for node in found if node.this.startswith("SEGKIT_")}


def _resolved(case: Case, ws: segkit.Workspace) -> Plan:
    segment = segment_of(case)
    checked = ws._checked()
    calculated = {name: spelled(text).node for name, text in case.given.get("calculated", {}).items()}
    others = {name: spelled(text) for name, text in case.given.get("segments", {}).items()}
    at = moment(case.case.get("as_of", case.given["as_of"]), ws.timezone)
    catalog = replace(checked, calculated={**checked.calculated, **calculated})
    return plan(segment.definition, catalog, at, by_name(others))


def on_evaluator(case: Case) -> list[Any]:
    """The members that the plain-Python evaluator finds."""
    segment = segment_of(case)
    catalog = catalog_of(case.given)
    others = {name: spelled(text) for name, text in case.given.get("segments", {}).items()}
    at = moment(case.case.get("as_of", case.given["as_of"]), case.given.get("timezone", "UTC"))
    lists = case.given.get("list_members", [])
    if catalog.lists:
        catalog = replace(catalog, lists=replace(catalog.lists, observed=tuple({r[catalog.lists.list] for r in lists})))
    resolved = plan(segment.definition, catalog, at, by_name(others))
    contacts = [values(row, dict(catalog.contacts.fields)) for row in case.given["contacts"]]
    properties = dict(catalog.events[0].properties) if catalog.events else {}
    events = [{"contact_id": None, **values(row, properties)} for row in case.given.get("events", [])]
    past = {table.table: case.given.get(table.table, []) for table in catalog.history}
    return evaluate.members(resolved, contacts, events, lists, past)
