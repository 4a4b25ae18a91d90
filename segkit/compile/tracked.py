"""The history of tracked segments in tables of the warehouse: what makes them, writes to them, asks and checks them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from segkit import compile
from segkit.catalog import Kind
from segkit.compile import sql
from segkit.compile.sql import Sql
from segkit.plan import Plan

_UTC = "UTC"
_HERE, _KEPT, _OTHER, _VERSION, _REFRESH = "here", "kept", "other", "version_of", "refresh"
_MEMBERSHIP = "segkit_membership"


@dataclass(frozen=True)
class Tables:
    """Where the tables stand: a schema, which a catalog may precede."""

    schema: str

    @property
    def history(self) -> str:
        """One row: the format of the tables, and how often something was written. Whoever writes changes it first."""
        return f"{self.schema}.segkit_history"

    @property
    def tracked(self) -> str:
        """What is tracked, with the alerts on its size."""
        return f"{self.schema}.segkit_tracked"

    @property
    def versions(self) -> str:
        """What each segment meant from when on."""
        return f"{self.schema}.segkit_versions"

    @property
    def refreshes(self) -> str:
        """A row for each segment and refresh."""
        return f"{self.schema}.segkit_refreshes"

    @property
    def membership(self) -> str:
        """A row for each spell of membership."""
        return f"{self.schema}.{_MEMBERSHIP}"


# ---------------------------------------------------------------- making


def made(tables: Tables, key: Kind, version: int) -> list[Sql]:
    """Makes the tables that are not there; `key` is the kind of the contacts' keys, `version` that of the format."""
    contact = "KEY" if key is Kind.TEXT else "INTEGER"
    described = {
        tables.history: ({"format": "INTEGER", "changes": "INTEGER"}, ["format"]),
        tables.tracked: ({"segment": "KEY", "number": "INTEGER", "definition": "TEXT", "alerts": "TEXT"}, ["segment"]),
        tables.versions: (
            {"segment": "KEY", "version": "INTEGER", "since": "INSTANT", "definition": "TEXT"},
            ["segment", "version"],
        ),
        tables.refreshes: (
            {"segment": "KEY", "as_of": "INSTANT", "version": "INTEGER", "size": "INTEGER", "entries": "INTEGER?",
             "exits": "INTEGER?", "began": "INTEGER", "ended": "INTEGER", "ran_at": "INSTANT"},
            ["segment", "as_of"],
        ),
        tables.membership: (
            {"segment": "KEY", "version": "INTEGER", "contact_id": contact, "entered_at": "INSTANT", "exited_at": "INSTANT?"},
            ["segment", "contact_id", "entered_at"],
        ),
    }  # fmt: skip
    begun = exp.Select(expressions=[sql.number(version), sql.number(0)])
    begun.where(exp.Not(this=exp.Exists(this=_of(tables.history, [exp.Star()]))), copy=False)
    insert = _insert(tables.history, ["format", "changes"], begun)
    return [*(_table(name, columns, key) for name, (columns, key) in described.items()), insert]


def _table(name: str, columns: dict[str, str], key: Sequence[str]) -> exp.Create:
    """A table; a type with a question mark may be missing."""
    defined: list[Sql] = []
    for column, kind in columns.items():
        needed = [] if kind.endswith("?") else [exp.ColumnConstraint(kind=exp.NotNullColumnConstraint())]
        own = sql.marker(f"TYPE_{kind.removesuffix('?')}")
        defined.append(exp.ColumnDef(this=sql.identifier(column), kind=own, constraints=needed))
    primary = exp.PrimaryKey(expressions=[sql.identifier(column) for column in key])
    return exp.Create(this=exp.Schema(this=sql.table(name), expressions=[*defined, primary]), kind="TABLE", exists=True)


# ---------------------------------------------------------------- what is tracked, and what was seen


def claimed(tables: Tables) -> exp.Update:
    """The first command of whoever writes: others wait for it, or are refused, until all is written."""
    more = exp.Add(this=sql.column("changes"), expression=sql.number(1))
    return _update(tables.history, "changes", more)


def formats(tables: Tables) -> exp.Select:
    """One row: the version of the format."""
    return _of(tables.history, [sql.column("format")])


def tracked(tables: Tables) -> exp.Select:
    """Name, definition and alerts of what is tracked, as it came to be."""
    query = _of(tables.tracked, [sql.column(name) for name in ("segment", "definition", "alerts", "number")])
    return query.order_by(sql.column("number"), copy=False)


def track(tables: Tables, rows: Iterable[tuple[str, int, str, str]]) -> exp.Insert:
    """Adds what is tracked: name, number, definition, alerts."""
    return _insert(tables.tracked, ["segment", "number", "definition", "alerts"], _values(rows))


def untrack(tables: Tables, names: Sequence[str]) -> exp.Delete:
    """Takes out what is tracked no longer."""
    return exp.Delete(this=sql.table(tables.tracked), where=exp.Where(this=_among("segment", None, names)))


def lasts(tables: Tables) -> exp.Select:
    """Of each segment the last refresh (version, instant, size, entries, exits), since when that version holds and what it
    means, when the segment was first seen, and how many spells are open by what all its refreshes began and ended."""
    last = "last"
    open_spells = exp.Sum(this=exp.Sub(this=sql.column("began"), expression=sql.column("ended")))
    ends = _of(
        tables.refreshes,
        [
            sql.column("segment"),
            sql.aliased(exp.Min(this=sql.column("as_of")), "first_at"),
            sql.aliased(exp.Max(this=sql.column("as_of")), "last_at"),
            sql.aliased(open_spells, "inside"),
        ],
    ).group_by(sql.column("segment"), copy=False)
    columns = [
        *(sql.column(name, _REFRESH) for name in ("segment", "version")),
        _aliased_wall("as_of", _REFRESH),
        *(sql.column(name, _REFRESH) for name in ("size", "entries", "exits")),
        _aliased_wall("since", _VERSION),
        sql.column("definition", _VERSION),
        _aliased_wall("first_at", last),
        sql.column("inside", last),
    ]
    query = exp.Select(expressions=columns).from_(sql.subquery(ends, last), copy=False)
    at_last = exp.And(
        this=_same("segment", _REFRESH, last),
        expression=exp.EQ(this=sql.column("as_of", _REFRESH), expression=sql.column("last_at", last)),
    )
    query.join(sql.table(tables.refreshes, _REFRESH), on=at_last, copy=False)
    of_version = exp.And(this=_same("segment", _VERSION, _REFRESH), expression=_same("version", _VERSION, _REFRESH))
    return query.join(sql.table(tables.versions, _VERSION), on=of_version, copy=False)


def unbalanced(tables: Tables) -> exp.Select:
    """The segments and instants (at most one is told) where other numbers of spells begin or end than the refresh says."""
    parts = [
        _of(tables.refreshes, [sql.column("segment"), sql.aliased(sql.column("as_of"), "at"), *_columns("began", "ended")]),
        _counted(tables, "entered_at", "began"),
        _counted(tables, "exited_at", "ended"),
    ]
    union = exp.Union(this=exp.Union(this=parts[0], expression=parts[1], distinct=False), expression=parts[2], distinct=False)
    sums = {name: exp.Sum(this=sql.column(name)) for name in ("began", "ended")}
    query = exp.Select(expressions=[sql.column("segment"), _aliased_wall("at", "told"), *(own.copy() for own in sums.values())])
    query.from_(sql.subquery(union, "told"), copy=False).group_by(sql.column("segment"), sql.column("at"), copy=False)
    wrong: list[Sql] = [exp.NEQ(this=own, expression=sql.number(0)) for own in sums.values()]
    query.having(sql.joined(exp.Or, wrong), copy=False)
    return query.order_by(sql.column("segment"), sql.column("at"), copy=False).limit(1, copy=False)


def _counted(tables: Tables, when: str, what: str) -> exp.Select:
    """How many spells begin or end at each instant, taken off."""
    less = exp.Neg(this=exp.Count(this=exp.Star()))
    counts = [sql.aliased(less if name == what else sql.number(0), name) for name in ("began", "ended")]
    query = _of(tables.membership, [sql.column("segment"), sql.aliased(sql.column(when), "at"), *counts])
    query.where(_is_known(when, None), copy=False)
    return query.group_by(sql.column("segment"), sql.column(when), copy=False)


# ---------------------------------------------------------------- a refresh


def members(plans: Sequence[Plan], names: Sequence[str]) -> exp.Select:
    """One row for each member of each plan: the plan's name (`segment`), and the contact's key as it is kept (`contact_id`)."""
    contacts = plans[0].catalog.contacts
    segment = "segment" if contacts.key.lower() != "segment" else "segment_name"
    name, key = (sql.column(own, _HERE) for own in (segment, contacts.key))
    kept = sql.as_text(key) if contacts.fields[contacts.key].kind is Kind.TEXT else key
    columns = [sql.aliased(sql.as_text(name), "segment"), sql.aliased(kept, "contact_id")]
    found = compile.memberships(plans, names, segment)
    return exp.Select(expressions=columns).from_(sql.subquery(found, _HERE), copy=False)


def repeated(place: str) -> exp.Select:
    """A member (at most one is told) that stands in a place more than once, or without a key."""
    columns = _columns("segment", "contact_id")
    query = _of(place, columns).group_by(*(own.copy() for own in columns), copy=False)
    several = exp.GT(this=exp.Count(this=exp.Star()), expression=sql.number(1))
    missing = exp.Is(this=sql.column("contact_id"), expression=exp.Null())
    return query.having(exp.Or(this=several, expression=missing), copy=False).limit(1, copy=False)


def compared(tables: Tables, place: str) -> exp.Select:
    """Of each segment that has members in a place (a table of `members`): how many, and how many of them were inside before."""
    counts = [
        sql.aliased(exp.Count(this=exp.Star()), "size"),
        sql.aliased(exp.Count(this=sql.column("contact_id", _KEPT)), "stayed"),
    ]
    query = exp.Select(expressions=[sql.column("segment", _HERE), *counts]).from_(sql.table(place, _HERE), copy=False)
    query.join(sql.table(tables.membership, _KEPT), on=_open_spell(_KEPT, _HERE), join_type="left", copy=False)
    return query.group_by(sql.column("segment", _HERE), copy=False)


def begin_versions(tables: Tables, at: datetime, rows: Iterable[tuple[str, int, str]]) -> exp.Insert:
    """Adds versions that hold from an instant on: name, number, definition."""
    values = _values((name, number, sql.instant(at), text) for name, number, text in rows)
    return _insert(tables.versions, ["segment", "version", "since", "definition"], values)


def note(tables: Tables, at: datetime, ran_at: datetime, rows: Iterable[Sequence[str | int | None]]) -> exp.Insert:
    """Adds refreshes: name, version, size, entries, exits, and how many spells begin and end."""
    columns = ["segment", "version", "size", "entries", "exits", "began", "ended", "as_of", "ran_at"]
    values = _values((*row, sql.instant(at), sql.instant(ran_at)) for row in rows)
    return _insert(tables.refreshes, columns, values)


def end_spells(tables: Tables, place: str, at: datetime, names: Sequence[str], begun: Sequence[str]) -> exp.Update:
    """Ends the open spells of contacts that are in no place any more; of the segments that begin a version, all of them."""
    here = _exists(place, _HERE, [_same("segment", _HERE, _MEMBERSHIP), _same("contact_id", _HERE, _MEMBERSHIP)])
    is_over: Sql = exp.Not(this=here)
    if begun:
        is_over = exp.Paren(this=exp.Or(this=_among("segment", None, begun), expression=is_over))
    conditions = [_among("segment", None, names), exp.Is(this=sql.column("exited_at"), expression=exp.Null()), is_over]
    command = _update(tables.membership, "exited_at", sql.instant(at))
    return command.where(sql.joined(exp.And, conditions), copy=False)


def begin_spells(tables: Tables, place: str, at: datetime, names: Sequence[str]) -> exp.Insert:
    """Begins spells of contacts that have none open, by the versions that are noted for the instant."""
    columns = [
        sql.column("segment", _HERE),
        sql.column("version", _REFRESH),
        sql.column("contact_id", _HERE),
        sql.column("as_of", _REFRESH),
    ]
    query = exp.Select(expressions=columns).from_(sql.table(place, _HERE), copy=False)
    noted = exp.And(
        this=_same("segment", _REFRESH, _HERE),
        expression=exp.EQ(this=sql.column("as_of", _REFRESH), expression=sql.instant(at)),
    )
    query.join(sql.table(tables.refreshes, _REFRESH), on=noted, copy=False)
    is_inside = _exists(tables.membership, _KEPT, [_open_spell(_KEPT, _HERE)])
    query.where(exp.And(this=_among("segment", _HERE, names), expression=exp.Not(this=is_inside)), copy=False)
    return _insert(tables.membership, ["segment", "version", "contact_id", "entered_at"], query)


def _open_spell(kept: str, here: str) -> Sql:
    is_open = exp.Is(this=sql.column("exited_at", kept), expression=exp.Null())
    return sql.joined(exp.And, [_same("segment", kept, here), _same("contact_id", kept, here), is_open])


# ---------------------------------------------------------------- telling


def sizes(tables: Tables, names: Sequence[str]) -> exp.Select:
    """A row for each refresh of some segments."""
    columns = [*_columns("segment", "version"), _aliased_wall("as_of", None), *_columns("size", "entries", "exits")]
    return _of(tables.refreshes, columns).where(_among("segment", None, names), copy=False)


def stayed(tables: Tables, names: Sequence[str], at: datetime, later: datetime) -> exp.Select:
    """How many contacts were inside of some segments at an instant and at a later one."""
    counts = [sql.column("segment", _KEPT), exp.Count(this=exp.Star())]
    query = exp.Select(expressions=counts).from_(sql.table(tables.membership, _KEPT), copy=False)
    same = exp.And(this=_same("segment", _OTHER, _KEPT), expression=_same("contact_id", _OTHER, _KEPT))
    query.join(sql.table(tables.membership, _OTHER), on=same, copy=False)
    inside = [*_is_inside(_KEPT, at), *_is_inside(_OTHER, later)]
    query.where(sql.joined(exp.And, [_among("segment", _KEPT, names), *inside]), copy=False)
    return query.group_by(sql.column("segment", _KEPT), copy=False)


def _is_inside(spell: str, at: datetime) -> list[Sql]:
    begun = exp.LTE(this=sql.column("entered_at", spell), expression=sql.instant(at))
    is_open: Sql = exp.Is(this=sql.column("exited_at", spell), expression=exp.Null())
    ends_later = exp.GT(this=sql.column("exited_at", spell), expression=sql.instant(at))
    return [begun, exp.Paren(this=exp.Or(this=is_open, expression=ends_later))]


def spells(tables: Tables, names: Sequence[str]) -> exp.Select:
    """A row for each spell in some segments, and whether it began with its version."""
    already = exp.EQ(this=sql.column("entered_at", _KEPT), expression=sql.column("since", _VERSION))
    columns = [
        *(sql.column(name, _KEPT) for name in ("segment", "version", "contact_id")),
        _aliased_wall("entered_at", _KEPT),
        _aliased_wall("exited_at", _KEPT),
        sql.aliased(sql.case_when(already, sql.number(1), sql.number(0)), "already_in"),
    ]
    return _with_version(tables, columns).where(_among("segment", _KEPT, names), copy=False)


def entered(tables: Tables, names: Sequence[str], at: datetime, *, later: bool) -> exp.Select:
    """Who came to some segments at an instant, or later, and whether that was the first refresh (`is_first`)."""
    first = exp.And(
        this=exp.EQ(this=sql.column("version", _VERSION), expression=sql.number(1)),
        expression=exp.EQ(this=sql.column("entered_at", _KEPT), expression=sql.column("since", _VERSION)),
    )
    columns = [
        *(sql.column(name, _KEPT) for name in ("segment", "version")),
        _aliased_wall("entered_at", _KEPT),
        sql.column("contact_id", _KEPT),
        sql.aliased(sql.case_when(first, sql.number(1), sql.number(0)), "is_first"),
    ]
    wanted = _moves(tables, names, "entered_at", "exited_at", at, later=later)
    return _with_version(tables, columns).where(wanted, copy=False)


def exited(tables: Tables, names: Sequence[str], at: datetime, *, later: bool) -> exp.Select:
    """Who left some segments at an instant, or later, by the version that saw it."""
    columns = [
        sql.column("segment", _KEPT),
        sql.column("version", _REFRESH),
        _aliased_wall("exited_at", _KEPT),
        sql.column("contact_id", _KEPT),
    ]
    query = exp.Select(expressions=columns).from_(sql.table(tables.membership, _KEPT), copy=False)
    seen = exp.And(
        this=_same("segment", _REFRESH, _KEPT),
        expression=exp.EQ(this=sql.column("as_of", _REFRESH), expression=sql.column("exited_at", _KEPT)),
    )
    query.join(sql.table(tables.refreshes, _REFRESH), on=seen, copy=False)
    return query.where(_moves(tables, names, "exited_at", "entered_at", at, later=later), copy=False)


def _moves(tables: Tables, names: Sequence[str], when: str, back: str, at: datetime, *, later: bool) -> Sql:
    """Spells that begin or end at an instant, or later; not where a version's ends as that of the next begins."""
    compare = exp.GT if later else exp.EQ
    goes_on = _exists(
        tables.membership,
        _OTHER,
        [
            _same("segment", _OTHER, _KEPT),
            _same("contact_id", _OTHER, _KEPT),
            exp.EQ(this=sql.column(back, _OTHER), expression=sql.column(when, _KEPT)),
        ],
    )
    is_then = compare(this=sql.column(when, _KEPT), expression=sql.instant(at))
    return sql.joined(exp.And, [_among("segment", _KEPT, names), is_then, exp.Not(this=goes_on)])


def _with_version(tables: Tables, columns: Sequence[Sql]) -> exp.Select:
    query = exp.Select(expressions=list(columns)).from_(sql.table(tables.membership, _KEPT), copy=False)
    of_version = exp.And(this=_same("segment", _VERSION, _KEPT), expression=_same("version", _VERSION, _KEPT))
    return query.join(sql.table(tables.versions, _VERSION), on=of_version, copy=False)


# ---------------------------------------------------------------- parts


def _of(table: str, columns: Sequence[Sql]) -> exp.Select:
    return exp.Select(expressions=list(columns)).from_(sql.table(table), copy=False)


def _columns(*names: str) -> list[Sql]:
    return [sql.column(name) for name in names]


def _insert(table: str, columns: Sequence[str], rows: Sql) -> exp.Insert:
    target = exp.Schema(this=sql.table(table), expressions=[sql.identifier(column) for column in columns])
    return exp.Insert(this=target, expression=rows)


def _update(table: str, column: str, value: Sql) -> exp.Update:
    return exp.Update(this=sql.table(table), expressions=[exp.EQ(this=sql.column(column), expression=value)])


def _values(rows: Iterable[Sequence[str | int | Sql | None]]) -> exp.Values:
    return exp.Values(expressions=[exp.Tuple(expressions=[_literal(value) for value in row]) for row in rows])


def _literal(value: str | int | Sql | None) -> Sql:
    match value:
        case None:
            return exp.Null()
        case str():
            return sql.string(value)
        case int():
            return sql.number(value)
        case _:
            return value


def _among(name: str, table: str | None, options: Sequence[str]) -> Sql:
    return exp.In(this=sql.column(name, table), expressions=[sql.string(own) for own in options])


def _same(name: str, one: str, other: str) -> Sql:
    return exp.EQ(this=sql.column(name, one), expression=sql.column(name, other))


def _exists(table: str, alias: str, conditions: list[Sql]) -> exp.Exists:
    query = exp.Select(expressions=[sql.number(1)]).from_(sql.table(table, alias), copy=False)
    return exp.Exists(this=query.where(sql.joined(exp.And, conditions), copy=False))


def _is_known(name: str, table: str | None) -> Sql:
    return exp.Not(this=exp.Is(this=sql.column(name, table), expression=exp.Null()))


def _aliased_wall(name: str, table: str | None) -> exp.Alias:
    """An instant on the clock of UTC, without its zone: no session shows that otherwise."""
    return sql.aliased(sql.on_wall(sql.column(name, table), None, _UTC), name)
