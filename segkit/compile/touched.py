"""Which contacts have other rows than before, told by sums of hashes, and the rows of some contacts as tables of their own.

A contact belongs to a bucket, by the hash of its key. What a table says of a bucket is the sum of the hashes of its rows: rows
that come are added to it, and whatever else happens to a row makes it another one. The hashes are those of DuckDB.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal as OneOfThese
from typing import TypeAlias

from sqlglot import exp

from segkit.catalog import Catalog, EventTable, Kind, ListTable
from segkit.compile import conditions, events, sql
from segkit.compile.joined import base_of
from segkit.compile.sql import Sql
from segkit.plan import Moment, Plan
from segkit.plan.agree import inside
from segkit.plan.elapsed import Passed
from segkit.plan.tree import (
    AllOf,
    AnyOf,
    Bounds,
    ColumnTerm,
    Complement,
    Condition,
    Feature,
    FeatureTerm,
    IsMissing,
    PastColumn,
)
from segkit.plan.walk import every_node

Part: TypeAlias = OneOfThese["contacts", "events", "lists", "frozen", "history"]
BUCKET, SUM, KEY, NUMBER = "bucket", "total", "contact_id", "number"
_ALL = 2**64
_LAST = Moment(dt.datetime(9998, 1, 1, tzinfo=dt.UTC), "UTC")
"""An instant after all events: of an id that repeats the earliest row counts, whenever that is asked."""


@dataclass(frozen=True)
class Read:
    """What definitions read of a table: columns of its rows, each of which is about a contact.

    `part` and `place` say where in the catalog the table stands; `lists` are the lists that matter.
    """

    part: Part
    place: int
    table: str
    contact: str
    columns: tuple[str, ...]
    lists: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Buckets:
    """How keys are told apart: cast to a type, into one of so many buckets."""

    type: str
    count: int

    def of(self, key: Sql) -> Sql:
        hashed = _function("HASH", exp.TryCast(this=key, to=exp.DataType.build(self.type, dialect="duckdb")))
        return sql.cast(exp.Mod(this=hashed, expression=sql.number(self.count)), "uint")


def _function(name: str, *arguments: Sql) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


# ---------------------------------------------------------------- what is read


def reads(plans: Sequence[Plan]) -> tuple[Read, ...]:
    """The tables that some plans read, the contacts first, with all columns that matter to them."""
    catalog = plans[0].catalog
    own, past, features = set[str](), dict[int, None](), dict[Feature, None]()
    for plan in plans:
        features |= dict.fromkeys(_with_those_that_follow(plan.features))
        for node in every_node((plan.where, plan.parts), closed=(FeatureTerm,)):
            match node:
                case ColumnTerm(name):
                    own.add(name)
                case PastColumn(table):
                    past[table] = None
    contacts = catalog.contacts
    columns = dict.fromkeys(name for name in (contacts.key, contacts.created, *sorted(own)) if name is not None)
    return (
        Read("contacts", 0, contacts.table, contacts.key, tuple(columns)),
        *(_of_events(i, catalog, list(features)) for i in sorted({i for feature in features for i in feature.tables})),
        *_of_lists(catalog, sorted({name for plan in plans for name in plan.lists})),
        *(_of_history(i, catalog) for i in sorted(past)),
    )


def _with_those_that_follow(features: Iterable[Feature]) -> Iterator[Feature]:
    for feature in features:
        yield feature
        if feature.then is not None:
            yield feature.then.event


def _of_events(i: int, catalog: Catalog, features: Sequence[Feature]) -> Read:
    table = catalog.events[i]
    readers = [feature for feature in features if i in feature.tables]
    own = {name for feature in readers for name in events.columns_read(feature, i, catalog)}
    by_id = table.repeats or any(feature.measure == "latest" or len(feature.tables) > 1 for feature in readers)
    first = (table.contact, table.event, table.time, table.id if by_id else None)
    columns = dict.fromkeys(name for name in (*first, *sorted(own)) if name is not None)
    return Read("events", i, table.table, table.contact, tuple(columns))


def _of_lists(catalog: Catalog, names: Sequence[str]) -> Iterator[Read]:
    frozen = [name for name in names if name in catalog.frozen_names()]
    others = [name for name in names if name not in frozen]
    parts: tuple[tuple[Part, ListTable | None, list[str]], ...]
    parts = (("lists", catalog.lists, others), ("frozen", catalog.frozen, frozen))
    for part, table, own in parts:
        if table is not None and own:
            columns = dict.fromkeys(name for name in (table.contact, table.list, table.joined, table.left) if name is not None)
            yield Read(part, 0, table.table, table.contact, tuple(columns), (table.list, tuple(own)))


def _of_history(i: int, catalog: Catalog) -> Read:
    own = catalog.history[i]
    columns = (own.contact, own.valid_from, own.valid_to, *(column.name for _, column in sorted(own.fields.items())))
    return Read("history", i, own.table, own.contact, tuple(dict.fromkeys(columns)))


def _rows(own: Read, catalog: Catalog, selected: list[Sql]) -> exp.Select:
    """A query of the rows, as definitions see them, called `r`."""
    query = exp.Select(expressions=selected)
    if _repeats(own, catalog):
        taken = {own.table.casefold()}
        names, ctes = events.unique_events([_whole(own, catalog.events[own.place])], catalog, _LAST, taken)
        query.set("with_", exp.With(expressions=[sql.cte(name, select) for name, select in ctes]))
        return query.from_(sql.table(names[own.place], "r"), copy=False)
    query = query.from_(sql.table(own.table, "r"), copy=False)
    if own.lists is not None:
        column, names_of_lists = own.lists
        text = conditions.read(column, Kind.TEXT, "r")
        query = query.where(exp.In(this=text, expressions=[sql.string(name) for name in names_of_lists]), copy=False)
    return query


def _repeats(own: Read, catalog: Catalog) -> bool:
    return own.part == "events" and catalog.events[own.place].repeats


def grows(own: Read, catalog: Catalog) -> bool:
    """Whether the rows of a table are numbered, if the engine numbers them, and each stands for itself."""
    columns = catalog.events[own.place].properties if own.part == "events" else {}
    return own.part == "events" and not _repeats(own, catalog) and not any(name.casefold() == "rowid" for name in columns)


def _whole(own: Read, table: EventTable) -> Feature:
    """A feature that reads all events of a table, and the columns."""
    each = tuple(IsMissing(ColumnTerm(name, Kind.UNKNOWN)) for name in own.columns)
    return Feature((own.place,), None, ColumnTerm(table.time, Kind.TIMESTAMP), AllOf(each), Bounds(), "count", None, "UTC")


# ---------------------------------------------------------------- sums


def type_of_keys(own: Read) -> exp.Select:
    """The engine's name for the type of a table's keys; no row where there are none."""
    key = sql.column(own.contact, "r")
    query = exp.Select(expressions=[sql.aliased(_function("TYPEOF", key), "type")]).from_(sql.table(own.table, "r"), copy=False)
    return query.where(exp.Not(this=exp.Paren(this=sql.is_null(own.contact, "r"))), copy=False).limit(1, copy=False)


def count(own: Read) -> exp.Select:
    """One row: how many rows a table has."""
    return exp.Select(expressions=[sql.aliased(exp.Count(this=exp.Star()), "rows")]).from_(sql.table(own.table), copy=False)


def version() -> exp.Select:
    """One row: the version of the engine, with which its hashes may change."""
    return exp.Select(expressions=[sql.aliased(_function("VERSION"), "version")])


def collations() -> exp.Select:
    """One row: whether texts may be compared by anything else than their characters."""
    default = exp.NEQ(this=_function("CURRENT_SETTING", sql.string("default_collation")), expression=sql.string(""))
    declared: list[Sql] = [
        exp.GT(this=_declaring_collations(tables), expression=sql.number(0)) for tables in ("DUCKDB_TABLES", "DUCKDB_VIEWS")
    ]
    return exp.Select(expressions=[sql.aliased(sql.joined(exp.Or, [default, *declared]), "collations")])


def _declaring_collations(tables: str) -> exp.Subquery:
    text = sql.column("sql", "d")
    query = exp.Select(expressions=[exp.Count(this=exp.Star())])
    query = query.from_(exp.Table(this=_function(tables), alias=exp.TableAlias(this=sql.identifier("d"))), copy=False)
    is_ours = exp.Not(this=sql.column("internal", "d"))
    return query.where(is_ours, _function("CONTAINS", _function("UPPER", text), sql.string("COLLATE")), copy=False).subquery()


def end(own: Read) -> exp.Select:
    """One row: the number after that of the last row of a table of the engine's own."""
    last = exp.Add(this=exp.Max(this=sql.column("rowid", "r")), expression=sql.number(1))
    last_or_none = exp.Coalesce(this=last, expressions=[sql.number(0)])
    return exp.Select(expressions=[sql.aliased(last_or_none, "end")]).from_(sql.table(own.table, "r"), copy=False)


def total(own: Read, catalog: Catalog, until: int) -> exp.Select:
    """One row: the sum over all rows before a number."""
    query = _rows(own, catalog, [sql.aliased(_sum(own), SUM)])
    return query.where(exp.LT(this=sql.column("rowid", "r"), expression=sql.number(until)), copy=False)


def sums(own: Read, catalog: Catalog, buckets: Buckets, numbered: tuple[int, int] | None = None) -> exp.Select:
    """A row a bucket: the sum over its rows, or over those from a number to before another."""
    bucket = buckets.of(sql.column(own.contact, "r"))
    query = _rows(own, catalog, [sql.aliased(bucket, BUCKET), sql.aliased(_sum(own), SUM)])
    if numbered is not None:
        since, until = (sql.number(own) for own in numbered)
        row = sql.column("rowid", "r")
        query = query.where(exp.GTE(this=row, expression=since), exp.LT(this=row.copy(), expression=until), copy=False)
    return query.group_by(bucket.copy(), copy=False)


def each(own: Read, catalog: Catalog, buckets: Buckets) -> exp.Select:
    """The bucket and the hash of each row: quicker than sums where a contact has one row."""
    bucket = sql.aliased(buckets.of(sql.column(own.contact, "r")), BUCKET)
    return _rows(own, catalog, [bucket, sql.aliased(_hash(own), SUM)])


def _hash(own: Read) -> Sql:
    """The hash of a row: of that of its columns, which alone would not tell rows that have exchanged a value."""
    return _function("HASH", _function("HASH", *(sql.column(name, "r") for name in own.columns)))


def _sum(own: Read) -> Sql:
    whole = exp.Sum(this=_hash(own))
    some = exp.Coalesce(this=whole, expressions=[sql.number(0)])
    return sql.cast(exp.Mod(this=some, expression=sql.number(_ALL)), "ubigint")


# ---------------------------------------------------------------- what the clock has changed


def of_passed(passed: Iterable[Passed], buckets: Buckets) -> Iterator[exp.Select]:
    """Queries of the buckets that have rows in some stretches."""
    together: dict[Passed, list[str]] = {}
    for own in passed:
        names = together.setdefault(replace(own, event=own.event and (own.event[0], "")), [])
        names += [own.event[1]] if own.event is not None else []
    for own, names in together.items():
        key = sql.column(own.contact, "r")
        query = exp.Select(expressions=[sql.aliased(buckets.of(key), BUCKET)], distinct=exp.Distinct())
        query = query.from_(sql.table(own.table, "r"), copy=False).where(_between(own), copy=False)
        if own.event is not None:
            text = conditions.read(own.event[0], Kind.TEXT, "r")
            query = query.where(exp.In(this=text, expressions=[sql.string(name) for name in names]), copy=False)
        yield query


def _between(own: Passed) -> Sql:
    kind = own.time.kind if own.time.kind in (Kind.DATE, Kind.TIMESTAMPTZ) else Kind.TIMESTAMP
    time = ColumnTerm(own.time.name, kind, own.time.zone if kind is Kind.TIMESTAMP else None)
    return conditions.condition(inside(time, Bounds(own.low, True, own.high, True)), conditions.Names("r"))


def of_moved(plan: Plan, moved: Iterable[tuple[Condition, Condition]], buckets: Buckets) -> exp.Select:
    """The buckets of the contacts for whom one of two conditions holds, of any pair: also of those that do not exist yet."""
    differ: list[Condition] = []
    for old, new in moved:
        differ += [AllOf((old, Complement(new))), AllOf((new, Complement(old)))]
    catalog = replace(plan.catalog, contacts=replace(plan.catalog.contacts, created=None))
    where = AnyOf(tuple(differ))
    base = base_of([replace(plan, catalog=catalog, where=where, features=(), parts=(), lists=())])
    return base.select([sql.aliased(buckets.of(base.key()), BUCKET)], where, [where])


def of_keys(table: str, buckets: Buckets) -> exp.Select:
    """The bucket of each key of a kept table, in the order of its rows' numbers."""
    columns: list[Sql] = [sql.column(NUMBER, "k"), sql.aliased(buckets.of(sql.column(KEY, "k")), BUCKET)]
    return exp.Select(expressions=columns).from_(sql.table(table, "k"), copy=False)


# ---------------------------------------------------------------- the rows of some contacts


def contacts_of(own: Read, catalog: Catalog, kept: str, buckets: Buckets) -> exp.Select:
    """The contacts of some buckets, which are kept in a table."""
    chosen = exp.Select(expressions=[sql.column(BUCKET, "b")]).from_(sql.table(kept, "b"), copy=False)
    query = _rows(own, catalog, [sql.column(name, "r") for name in own.columns])
    return query.where(exp.In(this=buckets.of(sql.column(own.contact, "r")), query=chosen.subquery()), copy=False)


def rows_of(own: Read, catalog: Catalog, features: Sequence[Feature], contacts: str, key: str) -> exp.Select:
    """The rows of the contacts of a table; of events only those that the features read."""
    chosen = exp.Select(expressions=[sql.column(key, "b")]).from_(sql.table(contacts, "b"), copy=False)
    query = _rows(own, catalog, [sql.column(name, "r") for name in own.columns])
    if grows(own, catalog):
        readers = [feature for feature in _with_those_that_follow(features) if own.place in feature.tables]
        query = query.where(*events.read_by(catalog.events[own.place], readers, "r"), copy=False)
    return query.where(exp.In(this=sql.column(own.contact, "r"), query=chosen.subquery()), copy=False)


def over(catalog: Catalog, tables: Mapping[Read, str]) -> Catalog:
    """The catalog of tables that hold the rows of some contacts; event ids repeat no longer."""
    names = {(own.part, own.place): name for own, name in tables.items()}

    def of_list(part: Part, own: ListTable | None) -> ListTable | None:
        return own and replace(own, table=names.get((part, 0), own.table))

    return replace(
        catalog,
        contacts=replace(catalog.contacts, table=names["contacts", 0]),
        events=tuple(
            replace(own, table=names.get(("events", i), own.table), repeats=False) for i, own in enumerate(catalog.events)
        ),
        lists=of_list("lists", catalog.lists),
        frozen=of_list("frozen", catalog.frozen),
        history=tuple(replace(own, table=names.get(("history", i), own.table)) for i, own in enumerate(catalog.history)),
    )
