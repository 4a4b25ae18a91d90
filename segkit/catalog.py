"""What exists: tables, keys, fields and their kinds, events, lists, calculated fields.

A catalog is read by convention from a connection, from a mapping, or from `catalog.yml`; what it leaves out is
filled in from the tables themselves (`completed`). `ASSUMED` is the catalog of a definition rendered without any:
conventional tables, any field.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from segkit import display
from segkit.display import Line, Table, View
from segkit.documents import check_size, parsed
from segkit.errors import CatalogError, DefinitionError, unknown
from segkit.nodes import Value, checked_name

_T = TypeVar("_T")


class Kind(StrEnum):
    """What a value is. `NUMBER` is a number of undeclared make, `UNKNOWN` is known only from its use."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    DURATION = "duration"
    JSON = "json"
    UNKNOWN = "unknown"

    @property
    def is_number(self) -> bool:
        return self in _NUMBERS

    @property
    def is_timestamp(self) -> bool:
        return self is Kind.TIMESTAMP or self is Kind.TIMESTAMPTZ


_NUMBERS = frozenset((Kind.NUMBER, Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    `zone` says which clock a timestamp without zone was written by; `unit` what a number counts (days, hours...);
    `rate` what a number is per (year, month...).
    """

    name: str
    kind: Kind = Kind.UNKNOWN
    zone: str = "UTC"
    unit: str | None = None
    rate: str | None = None


@dataclass(frozen=True)
class ContactTable:
    """The table of contacts: one row a contact. `created` names the field that says since when a contact exists."""

    table: str = "contacts"
    key: str = "contact_id"
    created: str | None = None
    fields: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True)
class EventTable:
    """A table of events: either a column names the event, or the whole table is one event called `name`.

    `names` are all the events there may be, `observed` those seen in the data; `repeats` says that event ids are
    known to repeat, so that later copies must not count.
    """

    table: str = "events"
    contact: str = "contact_id"
    time: str = "occurred_at"
    event: str | None = "event"
    name: str | None = None
    id: str | None = None
    properties: Mapping[str, Column] = field(default_factory=dict)
    names: tuple[str, ...] | None = None
    observed: tuple[str, ...] | None = None
    repeats: bool = False


@dataclass(frozen=True)
class ListTable:
    """The table of static lists: which contact is on which list, and since and until when if it says so."""

    table: str = "list_members"
    list: str = "list_name"
    contact: str = "contact_id"
    joined: str | None = None
    left: str | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    observed: tuple[str, ...] | None = None


@dataclass(frozen=True)
class HistoryTable:
    """A table of what fields of the contact were, and from when until when (half-open), such as a dbt snapshot.

    `fields` maps a field of the contact to the column here that holds it.
    """

    table: str
    contact: str = "contact_id"
    valid_from: str = "valid_from"
    valid_to: str = "valid_to"
    fields: Mapping[str, Column] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)


@dataclass(frozen=True)
class Verb:
    """What people say for an event: the event names it may have in the data, the first there counts, and what is counted."""

    events: tuple[str, ...]
    nouns: tuple[str, ...] = ()


VERBS: Mapping[str, Verb] = {
    "opened": Verb(("opened", "open", "email_opened", "email_open"), ("emails",)),
    "clicked": Verb(("clicked", "click", "email_clicked", "email_click"), ("links", "emails")),
    "visited": Verb(("visited", "visit", "page_view"), ("pages", "sites")),
    "viewed": Verb(("viewed", "view", "product_view"), ("products", "pages")),
    "purchased": Verb(("purchased", "purchase", "order"), ("products", "orders", "items")),
    "bought": Verb(("bought", "purchased", "purchase", "order"), ("products", "orders", "items")),
    "ordered": Verb(("ordered", "purchased", "purchase", "order"), ("products", "orders", "items")),
    "subscribed": Verb(("subscribed", "subscribe")),
    "unsubscribed": Verb(("unsubscribed", "unsubscribe")),
}
"""The verbs known without a catalog; `times` can be counted with every verb."""


@dataclass(frozen=True)
class Metric:
    """A figure of what contacts do in a period: their events counted (`count`), a property of these added up (`sum`), or its
    different values counted for each contact (`distinct`); or one figure divided by another (`ratio`).

    `events` and `of` are the names that the event and its property may have: the first that the data has counts. `where` is
    a condition on the properties, in the text language.
    """

    events: tuple[str, ...] = ()
    measure: str = "count"
    of: tuple[str, ...] = ()
    where: str | None = None
    ratio: tuple[str, str] | None = None


_SENT = ("sent", "send", "email_sent", "email_send", "delivered", "email_delivered")
_BOUGHT = ("purchased", "converted", "conversion", "order_placed", "order_completed")
METRICS: Mapping[str, Metric] = {
    "sends": Metric(_SENT),
    "opens": Metric(("opened",)),
    "clicks": Metric(("clicked",)),
    "conversions": Metric(_BOUGHT),
    "revenue": Metric(_BOUGHT, "sum", ("amount", "revenue", "value", "total", "price")),
}
"""The metrics known without a catalog, by usual names of events; a catalog's own metric of that name takes its place."""

_RATES = ("open_rate", "click_rate", "click_to_open_rate", "conversion_rate", "average_order_value", "revenue_per_contact")
_TAKEN = ("segment", "period", "contacts", "converted", "circular", *_RATES)


@dataclass(frozen=True)
class Catalog:
    """All that a definition may name. `assumed` catalogs know no fields and accept any.

    `calculated` fields are values, or formulas as text that are read where they are used. `verbs` are added to `VERBS`,
    `metrics` to `METRICS`.
    `frozen` are the lists that segkit keeps itself, beside those of the connection's own table.
    """

    contacts: ContactTable = field(default_factory=ContactTable)
    events: tuple[EventTable, ...] = ()
    lists: ListTable | None = None
    frozen: ListTable | None = None
    history: tuple[HistoryTable, ...] = ()
    calculated: Mapping[str, Value | str] = field(default_factory=dict)
    verbs: Mapping[str, Verb] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    as_of: dt.date | None = None
    timezone: str | None = None
    assumed: bool = False

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Catalog:
        """Reads the mapping form (that of `catalog.yml`).

        Raises:
            CatalogError: something in it is unknown, of a wrong kind, or missing; with its place.

        >>> Catalog.from_dict({"contacts": {"table": "crm.people", "key": "id", "fields": {"opens": "integer"}}}).contacts.key
        'id'
        """
        return _read_catalog(document)

    @classmethod
    def from_file(cls, path: str | Path) -> Catalog:
        """Reads a `catalog.yml`.

        Raises:
            CatalogError: the file cannot be read, is no YAML, or something in it is wrong.

        >>> path = getfixture("tmp_path") / "catalog.yml"
        >>> _ = path.write_text("contacts: {table: people, key: id}")
        >>> Catalog.from_file(path).contacts.key
        'id'
        """
        from segkit import yaml_document  # YAML is loaded where there is some

        try:
            text = Path(path).read_text(encoding="utf-8-sig")
            document = parsed(text) if str(path).lower().endswith(".json") else yaml_document.parsed(text)
        except OSError as error:
            raise CatalogError(f"cannot read the catalog {str(path)!r}: {error.strerror}", fix="check the path") from None
        except DefinitionError as error:
            raise CatalogError(f"the catalog {str(path)!r:.300}: {error.what}", fix=error.fix, where=error.where) from None
        except (TypeError, ValueError) as error:
            raise CatalogError(f"the catalog {str(path)!r:.300} is no text: {error}", fix="save it as UTF-8") from None
        return cls.from_dict(document)

    def event_names(self) -> list[str]:
        """The events known by name: declared, observed, or the name of a whole table."""
        names = {n for t in self.events for n in (*(t.names or t.observed or ()), *((t.name,) if t.name else ()))}
        return sorted(names)

    def zones(self) -> set[str]:
        """The clocks that timestamps without zone were written by."""
        columns = [*self.contacts.fields.values()]
        columns += [column for table in self.events for column in table.properties.values()]
        columns += [column for table in self.history for column in table.columns.values()]
        return {column.zone for column in columns}

    def frozen_names(self) -> tuple[str, ...]:
        """The lists that segkit keeps itself."""
        return (self.frozen.observed or ()) if self.frozen is not None else ()

    def list_table(self, name: str) -> ListTable | None:
        """The table that holds a static list."""
        return self.frozen if name in self.frozen_names() else self.lists

    def __repr__(self) -> str:
        return "\n".join(map(display.seen, _lines(self)))

    def _repr_html_(self) -> str:
        return display.html(_view(self))


ASSUMED = Catalog(
    contacts=ContactTable(),
    events=(EventTable(id="event_id"),),
    lists=ListTable(),
    assumed=True,
)


def find(what: str, name: str, known: Iterable[str]) -> str:
    """The exact name if there is one, else the only one that differs by case alone.

    >>> find("field", "Last_Purchase", ["last_purchase", "opens"])
    'last_purchase'
    """
    names = known if isinstance(known, Mapping | tuple | list) else tuple(known)
    if name in names:
        return name
    alike = [other for other in names if other.casefold() == name.casefold()]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise DefinitionError(
            f"{what} {name!r} could be {' or '.join(map(repr, alike))}", fix="write one of them exactly, in F[...]"
        )
    raise unknown(what, name, names)


def time_column(columns: Mapping[str, Column], name: str) -> Column:
    """The column of that name in the table; one that nobody declared is taken for a timestamp in UTC.

    >>> time_column({}, "joined_at").kind.value
    'timestamp'
    """
    return next((column for column in columns.values() if column.name == name), Column(name, Kind.TIMESTAMP))


# ---------------------------------------------------------------- filling in from the tables

Tables = Mapping[str, Mapping[str, Column]]
"""What a connection has: table name -> column name -> column."""


def conventional(tables: Tables) -> Catalog:
    """The catalog of a connection whose tables bear the conventional names."""
    found = _named("contacts", tables)
    if not found:
        raise CatalogError(
            f"no table called contacts among: {', '.join(sorted(tables)) or 'no tables at all'}",
            fix="say which table holds them: catalog={'contacts': {'table': ..., 'key': ...}}, or the same in a catalog.yml",
        )
    if len(found) > 1:
        raise CatalogError(f"contacts could be {' or '.join(sorted(found))}", fix="pass catalog={'contacts': {'table': ...}}")
    [contacts] = found
    events, lists = _beside(contacts, _named("events", tables)), _beside(contacts, _named("list_members", tables))
    return Catalog(
        contacts=ContactTable(contacts),
        events=(EventTable(events),) if events else (),
        lists=ListTable(lists) if lists else None,
    )


def _named(wish: str, tables: Tables) -> list[str]:
    """The tables of that name: of the own schema, else of any."""
    found = [name for name in tables if name.rsplit(".", 1)[-1].casefold() == wish]
    return [name for name in found if "." not in name] or found


def _beside(contacts: str, found: Sequence[str]) -> str | None:
    """The one of some tables that stands in the schema of the contacts; one of another schema where there is no choice."""
    own = [name for name in found if name.rpartition(".")[0] == contacts.rpartition(".")[0]] or found
    return own[0] if len(own) == 1 else None


def completed(catalog: Catalog, tables: Tables) -> Catalog:
    """The catalog with kinds and columns read from the tables, checked against them."""
    return replace(
        catalog,
        contacts=_completed_contacts(catalog.contacts, tables),
        events=tuple(_completed_events(table, tables) for table in catalog.events),
        lists=_completed_lists(catalog.lists, tables) if catalog.lists else None,
        history=tuple(_completed_history(table, tables) for table in catalog.history),
    )


def _completed_history(history: HistoryTable, tables: Tables) -> HistoryTable:
    name, columns = _table(history.table, tables)
    every = _merged(name, history.columns, columns)
    return replace(
        history,
        table=name,
        contact=_column(name, history.contact, columns),
        valid_from=_column(name, history.valid_from, columns),
        valid_to=_column(name, history.valid_to, columns),
        fields={field: _own_column(name, wish, columns) for field, wish in history.fields.items()},
        columns=every,
    )


def _own_column(table: str, wish: Column, columns: Mapping[str, Column]) -> Column:
    """What is declared of a column, on top of what the table says of it."""
    own = columns[_column(table, wish.name, columns)]
    return replace(wish, name=own.name, kind=own.kind if wish.kind in (Kind.UNKNOWN, Kind.NUMBER) else wish.kind)


def _completed_contacts(contacts: ContactTable, tables: Tables) -> ContactTable:
    name, columns = _table(contacts.table, tables)
    return replace(
        contacts,
        table=name,
        key=_column(name, contacts.key, columns),
        created=contacts.created and _column(name, contacts.created, columns),
        fields=_merged(name, contacts.fields, columns),
    )


def _completed_events(events: EventTable, tables: Tables) -> EventTable:
    name, columns = _table(events.table, tables)
    event_id = events.id or next((c for c in columns if c.casefold() == "event_id"), None)
    return replace(
        events,
        table=name,
        contact=_column(name, events.contact, columns),
        time=_column(name, events.time, columns),
        event=events.event and _column(name, events.event, columns),
        id=event_id and _column(name, event_id, columns),
        properties=_merged(name, events.properties, columns),
    )


def _completed_lists(lists: ListTable, tables: Tables) -> ListTable:
    name, columns = _table(lists.table, tables)
    by_convention = {c.casefold(): c for c in columns}
    joined = lists.joined or by_convention.get("joined_at")
    left = lists.left or by_convention.get("left_at")
    return replace(
        lists,
        table=name,
        list=_column(name, lists.list, columns),
        contact=_column(name, lists.contact, columns),
        joined=joined and _column(name, joined, columns),
        left=left and _column(name, left, columns),
        columns=_merged(name, lists.columns, columns),
    )


def _table(name: str, tables: Tables) -> tuple[str, Mapping[str, Column]]:
    try:
        found = find("table", name, tables)
    except DefinitionError as error:
        raise CatalogError(error.what, fix=error.fix, where="catalog") from None
    return found, tables[found]


def _column(table: str, name: str, columns: Mapping[str, Column]) -> str:
    try:
        return find(f"column of {table}", name, columns)
    except DefinitionError as error:
        raise CatalogError(error.what, fix=error.fix, where="catalog") from None


def _merged(table: str, declared: Mapping[str, Column], columns: Mapping[str, Column]) -> dict[str, Column]:
    """Every column of the table by its own name, and what is declared on top of it."""
    merged = dict(columns)
    for name, wish in declared.items():
        own = _own_column(table, wish, columns)
        if name != own.name and name not in columns:
            merged.pop(own.name, None)
        merged[name] = own
    return merged


# ---------------------------------------------------------------- reading the mapping form


def _read_catalog(document: Any) -> Catalog:
    known = ("contacts", "events", "lists", "history", "calculated", "verbs", "metrics", "as_of", "timezone")
    try:
        check_size(document)
    except DefinitionError:
        fix = "a catalog is a few mappings and lists inside of each other"
        raise CatalogError("the catalog is too deep or too large", where="catalog", fix=fix) from None
    parts = _mapping(document, "catalog", known)
    contacts = dict(_mapping(parts.get("contacts", {}), "catalog.contacts", _names(ContactTable)))
    contacts["fields"] = _read_columns(contacts.get("fields", {}), "catalog.contacts.fields")
    lists = parts.get("lists")
    return Catalog(
        contacts=_made(ContactTable, contacts, "catalog.contacts"),
        events=tuple(_read_events(table, where) for where, table in _tables_of(parts, "events")),
        lists=_read_lists(lists) if lists is not None else None,
        history=tuple(_read_history(table, where) for where, table in _tables_of(parts, "history")),
        calculated=_read_formulas(parts.get("calculated") or {}),
        verbs=_read_verbs(parts.get("verbs") or {}),
        metrics=_read_metrics(parts.get("metrics") or {}),
        as_of=_read_instant(parts.get("as_of")),
        timezone=checked_zone(parts["timezone"], "catalog.timezone") if parts.get("timezone") is not None else None,
    )


def _read_events(document: Any, where: str) -> EventTable:
    known = ("table", "contact", "time", "event", "name", "id", "properties", "names")
    parts = dict(_mapping(document, where, known))
    if "name" in parts and "event" not in parts:
        parts["event"] = None
    if bool(parts.get("name")) == bool(parts.get("event", "event")):
        raise CatalogError("an event table needs either event or name", where=where, fix="keep one of them")
    if "names" in parts:
        names = parts["names"]
        if not isinstance(names, list | tuple) or not all(isinstance(n, str) and n for n in names):
            raise CatalogError("names must be a list of event names", where=f"{where}.names", fix="write [opened, clicked]")
        parts["names"] = tuple(names)
    parts["properties"] = _read_columns(parts.get("properties", {}), f"{where}.properties")
    return _made(EventTable, parts, where)


def _tables_of(parts: Mapping[str, Any], key: str) -> Iterable[tuple[str, Any]]:
    """The tables under a key, each with its place."""
    tables = parts.get(key, ())
    if not isinstance(tables, list | tuple):
        raise CatalogError(f"{key} must be a list of tables", where=f"catalog.{key}", fix="begin each table with a dash")
    return ((f"catalog.{key}[{i}]", table) for i, table in enumerate(tables))


def _read_history(document: Any, where: str) -> HistoryTable:
    parts = dict(_mapping(document, where, ("table", "contact", "valid_from", "valid_to", "fields")))
    if "table" not in parts or not parts.get("fields"):
        raise CatalogError("a table of history needs table and fields", where=where, fix="write fields: {tier: customer_tier}")
    fields = parts["fields"]
    if isinstance(fields, list | tuple):
        if not all(isinstance(name, str) for name in fields):
            raise CatalogError("fields must be a list of names", where=f"{where}.fields", fix="write [tier, points]")
        fields = {name: {} for name in fields}
    elif isinstance(fields, Mapping):
        fields = {name: {"column": spec} if isinstance(spec, str) else spec for name, spec in fields.items()}
    parts["fields"] = _read_columns(fields, f"{where}.fields")
    return _made(HistoryTable, parts, where)


def _read_formulas(document: Any) -> dict[str, Value | str]:
    where = "catalog.calculated"
    if not isinstance(document, Mapping):
        raise CatalogError(f"expected names with formulas, found {document!r:.60}", where=where, fix="write total: a + b")
    for name, formula in document.items():
        if not isinstance(formula, str) or not formula.strip():
            raise CatalogError(
                f"{formula!r:.60} is no formula", where=f"{where}.{name}", fix='write "total_revenue / order_count"'
            )
    return {checked_name(str(name), "field name"): formula for name, formula in document.items()}


def _read_verbs(document: Any) -> dict[str, Verb]:
    where = "catalog.verbs"
    if not isinstance(document, Mapping):
        raise CatalogError(f"expected verbs, found {document!r:.60}", where=where, fix="write opened: {event: email_open}")
    return {checked_name(str(name), "verb"): _read_verb(spec, f"{where}.{name}") for name, spec in document.items()}


def _read_verb(spec: Any, where: str) -> Verb:
    parts = {"event": spec} if isinstance(spec, str | list) else dict(_mapping(spec, where, ("event", "nouns")))
    events, nouns = (parts.get(key, ()) for key in ("event", "nouns"))
    events, nouns = ((value,) if isinstance(value, str) else value for value in (events, nouns))
    for names in (events, nouns):
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name for name in names):
            raise CatalogError(f"{names!r:.60} are no names", where=where, fix="write {event: email_open, nouns: [emails]}")
    if not events:
        raise CatalogError("the verb has no event", where=where, fix="write {event: email_open}")
    return Verb(tuple(events), tuple(nouns))


def _read_metrics(document: Any) -> dict[str, Metric]:
    where = "catalog.metrics"
    if not isinstance(document, Mapping):
        raise CatalogError(f"expected metrics, found {document!r:.60}", where=where, fix="write refunds: {event: refunded}")
    metrics = {_metric_name(name, where): _read_metric(spec, f"{where}.{name}") for name, spec in document.items()}
    plain = [name for name, own in {**METRICS, **metrics}.items() if own.ratio is None]
    for name, own in metrics.items():
        if name in METRICS and own.ratio is not None:
            raise CatalogError(f"{name} cannot be a ratio", where=f"{where}.{name}", fix="name an event, or another metric")
        for part in own.ratio or ():
            _choice("metric", part, ["contacts", *plain], f"{where}.{name}.ratio")
    return metrics


def _metric_name(name: Any, where: str) -> str:
    checked_name(str(name), "metric")
    taken = next((own for own in _TAKEN if str(name).casefold() == own or str(name).casefold().startswith(f"{own}_")), None)
    if taken is not None:
        raise CatalogError(f"{name} is a column of its own", where=f"{where}.{name}", fix="give the metric another name")
    return str(name)


def _read_metric(spec: Any, where: str) -> Metric:
    parts = (
        {"event": spec} if isinstance(spec, str) else dict(_mapping(spec, where, ("event", "measure", "of", "where", "ratio")))
    )
    if "ratio" in parts:
        ratio = parts.pop("ratio")
        if parts or not isinstance(ratio, list | tuple) or len(ratio) != 2 or not all(isinstance(own, str) for own in ratio):
            raise CatalogError(
                "a ratio is of two metrics, and nothing else", where=where, fix="write {ratio: [refunds, revenue]}"
            )
        return Metric(ratio=(ratio[0], ratio[1]))
    events, of = (_read_names(parts.get(key, ()), f"{where}.{key}") for key in ("event", "of"))
    measure = _choice("measure", parts.get("measure", "sum" if of else "count"), ["count", "sum", "distinct"], f"{where}.measure")
    if not events:
        raise CatalogError("the metric has no event", where=where, fix="write {event: refunded, measure: sum, of: amount}")
    if (measure == "count") == bool(of):
        told = "counts events, not a property" if of else f"is a {measure} of nothing"
        raise CatalogError(f"the metric {told}", where=where, fix="write {event: refunded, measure: sum, of: amount}")
    condition = parts.get("where")
    if condition is not None and (not isinstance(condition, str) or not condition.strip()):
        raise CatalogError(f"{condition!r:.60} is no condition", where=f"{where}.where", fix="write it as text: amount > 50")
    return Metric(events, measure, of, condition)


def _read_names(given: Any, where: str) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name for name in names):
        raise CatalogError(f"{names!r:.60} are no names", where=where, fix="write one name, or [several, in, a list]")
    return tuple(names)


def _read_lists(document: Any) -> ListTable:
    where = "catalog.lists"
    return _made(ListTable, _mapping(document, where, ("table", "list", "contact", "joined", "left")), where)


def _read_columns(document: Any, where: str) -> dict[str, Column]:
    if not isinstance(document, Mapping):
        raise CatalogError(f"expected names with kinds, found {document!r:.60}", where=where, fix="write opens: integer")
    return {str(name): _read_column(str(name), spec, f"{where}.{name}") for name, spec in document.items()}


def _read_column(name: str, spec: Any, where: str) -> Column:
    parts = {"kind": spec} if isinstance(spec, str) else dict(_mapping(spec, where, (*_names(Column), "column")))
    own_name = parts.pop("column", parts.pop("name", name))
    if "kind" in parts:
        parts["kind"] = _choice("kind", parts["kind"], list(Kind), where)
    if "zone" in parts:
        checked_zone(parts["zone"], f"{where}.zone")
    if parts.get("unit") is not None:
        _choice("unit", parts["unit"], ["minutes", "hours", "days", "weeks", "months", "years"], where)
    if parts.get("rate") is not None:
        _choice("rate", parts["rate"], ["day", "week", "month", "year"], where)
    return _made(Column, {"name": own_name, **parts}, where)


def _made(kind: type[_T], parts: Mapping[str, Any], where: str) -> _T:
    """A table or column out of what is said of it; its names must be text."""
    for own in fields(kind):  # type: ignore[arg-type]
        value = parts.get(own.name, own.default)
        if own.type == "str" or (own.type == "str | None" and value is not None and value is not MISSING):
            try:
                checked_name(value, own.name)
            except DefinitionError as error:
                raise CatalogError(error.what, fix=error.fix, where=where) from None
    return kind(**parts)


def _choice(what: str, name: Any, known: list[Any], where: str) -> Any:
    if name not in known:
        error = unknown(what, str(name), [str(k) for k in known])
        raise CatalogError(error.what, fix=error.fix, where=where)
    return known[known.index(name)]


def _mapping(document: Any, where: str, known: Iterable[str]) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise CatalogError(f"expected a mapping, found {document!r:.60}", where=where, fix=f"its keys: {', '.join(known)}")
    for key, value in document.items():
        if key not in known:
            error = unknown("key", str(key), known)
            raise CatalogError(error.what, fix=error.fix, where=where)
        if value is not None and not isinstance(value, str | Mapping | list | tuple | dt.date | bool):
            raise CatalogError(f"{key} must be text, not {value!r:.60}", where=where, fix="write it in quotes")
    return document


def _names(table: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(table))


def _read_instant(value: Any) -> dt.date | None:
    """A date or a datetime as it is written: its zone, where it has none, is that of the workspace."""
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value) if len(value) == 10 else dt.datetime.fromisoformat(value)
        except ValueError:
            raise CatalogError(f"as_of {value!r} is no instant", where="catalog.as_of", fix="2025-11-30T12:00:00Z") from None
    return value if isinstance(value, dt.date) else None


def checked_zone(name: Any, where: str = "") -> str:
    """`name` if it is a time zone of the IANA database; an error names the place where it stands."""
    try:
        ZoneInfo(name)
    except Exception:
        from zoneinfo import available_timezones

        error = unknown("time zone", str(name), available_timezones())
        fix = error.fix if "did you mean" in error.fix else "write it like Europe/Rome"
        raise CatalogError(error.what, fix=fix, where=where) from None
    return str(name)


# ---------------------------------------------------------------- as text


def _lines(catalog: Catalog) -> Iterable[str]:
    contacts = catalog.contacts
    yield f"contacts: {contacts.table}, key {contacts.key}" + (f", created {contacts.created}" if contacts.created else "")
    yield from _column_lines(contacts.fields)
    for name, formula in catalog.calculated.items():
        yield f"  {name:<24} calculated" + (f" as {formula}" if isinstance(formula, str) else "")
    for name, metric in catalog.metrics.items():
        yield f"  {name:<24} metric, {_metric_in_words(metric)}"
    for past in catalog.history:
        yield f"history: {past.table} of {', '.join(past.fields)}, from {past.valid_from} until {past.valid_to}"
    for table in catalog.events:
        called = f"all {table.name}" if table.name else f"named by {table.event}"
        yield f"events: {table.table}, {called}, at {table.time}" + (f", id {table.id}" if table.id else "")
        if table.names or table.observed:
            yield f"  {', '.join(table.names or table.observed or ())}"
        yield from _column_lines(table.properties)
    if catalog.lists:
        yield f"lists: {catalog.lists.table}, named by {catalog.lists.list}"
    if catalog.frozen_names():
        yield f"frozen lists: {', '.join(catalog.frozen_names())}"


def _column_lines(columns: Mapping[str, Column]) -> Iterable[str]:
    for name, column in columns.items():
        source = f"  (column {column.name})" if column.name != name else ""
        yield f"  {name:<24} {_kind_in_words(column)}{source}"


def _metric_in_words(metric: Metric) -> str:
    if metric.ratio is not None:
        return " / ".join(metric.ratio)
    measured = f"{metric.measure} of {' or '.join((*metric.of, *([] if metric.of else ['events'])))}"
    return f"{measured}, {' or '.join(metric.events)}" + (f" where {metric.where}" if metric.where else "")


def _kind_in_words(column: Column) -> str:
    zone = f" in {column.zone}" if column.kind is Kind.TIMESTAMP and column.zone != "UTC" else ""
    per = f" per {column.rate}" if column.rate else f" of {column.unit}" if column.unit else ""
    return f"{column.kind}{zone}{per}"


# ---------------------------------------------------------------- as HTML


def _view(catalog: Catalog) -> View:
    """Every table of the catalog: the fields unfolded, the others folded."""
    contacts = catalog.contacts
    tables = [replace(_columns_table("fields", contacts.fields), unfolded=True)]
    for own in catalog.events:
        called = f"all {own.name}" if own.name else f"named by {own.event}"
        names = tuple((name,) for name in own.names or own.observed or ())
        tables += [Table(f"events of {own.table}, {called}", ("event",), names)] if names else []
        tables.append(_columns_table(f"properties of {own.table}", own.properties))
    lists = tuple(_lists(catalog))
    tables += [Table("lists", ("list", "kept in"), lists)] if lists else []
    past = tuple((field, own.table) for own in catalog.history for field in own.fields)
    tables += [Table("history", ("field", "kept in"), past)] if past else []
    formulas = tuple((name, formula if isinstance(formula, str) else "") for name, formula in catalog.calculated.items())
    tables += [Table("calculated", ("field", "formula"), formulas)] if formulas else []
    figures = tuple((name, _metric_in_words(metric)) for name, metric in catalog.metrics.items())
    tables += [Table("metrics", ("metric", "what it is"), figures)] if figures else []
    created = f", since {contacts.created}" if contacts.created else ""
    where = Line(f"{contacts.table}, key {contacts.key}{created}", "contacts")
    assumed = [Line("assumed: any field and event may be named")] if catalog.assumed else []
    return View("Catalog", "", (where, *assumed, *tables))


def _lists(catalog: Catalog) -> Iterable[tuple[str, str]]:
    if catalog.lists is not None:
        yield from ((name, catalog.lists.table) for name in catalog.lists.observed or ())
    yield from ((name, "segkit, frozen") for name in catalog.frozen_names())


def _columns_table(title: str, columns: Mapping[str, Column]) -> Table:
    if all(own.name == name for name, own in columns.items()):
        return Table(title, ("name", "kind"), tuple((name, _kind_in_words(own)) for name, own in columns.items()))
    rows = tuple((name, _kind_in_words(own), own.name if own.name != name else "") for name, own in columns.items())
    return Table(title, ("name", "kind", "column"), rows)
