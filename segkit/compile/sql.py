"""Small constructors of SQL nodes, and the markers that `rendering` writes in each dialect's own way.

Identifiers are quoted, strings and numbers are literals of ours: nothing is parsed out of text.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from sqlglot import exp

from segkit.catalog import Kind
from segkit.plan.rules import Rule

Sql: TypeAlias = exp.Expression
RECKONED = "SEGKIT_RECKONED"


def identifier(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def column(name: str, table: str | None = None) -> exp.Column:
    return exp.Column(this=identifier(name), table=identifier(table) if table is not None else None)


def table(name: str, alias: str | None = None) -> exp.Table:
    """A table by name; dots separate catalog, schema and table."""
    *above, own = name.split(".")
    parts = dict(zip(("db", "catalog"), map(identifier, reversed(above)), strict=False))
    given = exp.TableAlias(this=identifier(alias)) if alias is not None and alias != name else None
    return exp.Table(this=identifier(own), alias=given, **parts)


def subquery(query: exp.Select | exp.Union, alias: str) -> exp.Subquery:
    return exp.Subquery(this=query, alias=exp.TableAlias(this=identifier(alias)))


def cte(name: str, query: exp.Select | exp.Union) -> exp.CTE:
    return exp.CTE(this=query, alias=exp.TableAlias(this=identifier(name)))


def aliased(node: Sql, name: str) -> exp.Alias:
    return exp.Alias(this=node, alias=identifier(name))


def string(text: str) -> exp.Literal:
    return exp.Literal(this=text, is_string=True)


def number(number: int | float | Decimal) -> Sql:
    digits = f"{number.copy_abs():f}" if isinstance(number, Decimal) else repr(abs(number))
    literal = exp.Literal(this=digits, is_string=False)
    return exp.Neg(this=literal) if number < 0 else literal


def case_when(when: Sql, then: Sql, otherwise: Sql | None = None) -> exp.Case:
    return exp.Case(ifs=[exp.If(this=when, true=then)], default=otherwise)


def cast(node: Sql, kind: str) -> exp.Cast:
    return exp.Cast(this=node, to=exp.DataType(this=exp.DataType.Type(kind.upper())))


def is_null(name: str, table: str) -> Sql:
    return exp.Is(this=column(name, table), expression=exp.Null())


def count_distinct(node: Sql) -> Sql:
    """How many different values there are."""
    return marker("COUNT_DISTINCT", node)


def row_number(partition: list[Sql], order: Sequence[Sql]) -> exp.Window:
    return exp.Window(this=exp.RowNumber(), partition_by=partition, order=exp.Order(expressions=list(order)))


def fresh(wish: str, taken: set[str]) -> str:
    """A readable name that no table has yet, in any case of letters: some engines tell tables apart by no more."""
    plain = re.sub(r"[^a-z0-9]+", "_", wish.lower()).strip("_")[:40] or "part"
    name = plain if plain not in taken else next(f"{plain}_{n}" for n in range(2, len(taken) + 3) if f"{plain}_{n}" not in taken)
    taken.add(name)
    return name


def distinct_names(wishes: Iterable[str]) -> list[str]:
    taken: set[str] = {"contact_id"}
    return [fresh(wish, taken) for wish in wishes]


def joined(kind: type[exp.And] | type[exp.Or] | type[exp.Add], parts: list[Sql]) -> Sql:
    """Parts joined as a balanced tree, so that thousands of them do not nest thousands deep."""
    while len(parts) > 1:
        pairs = [kind(this=a, expression=b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
        parts = [*pairs, parts[-1]] if len(parts) % 2 else list(pairs)
    return parts[0]


def operand(node: Sql) -> Sql:
    return exp.Paren(this=node) if isinstance(node, exp.Connector | exp.Binary) and not _is_plain(node) else node


def _is_plain(node: Sql) -> bool:
    """A comparison binds tighter than AND and OR."""
    return isinstance(node, exp.Predicate)


# ---------------------------------------------------------------- markers: what each dialect writes in its own way


def marker(name: str, *arguments: Sql) -> exp.Anonymous:
    return exp.Anonymous(this=f"SEGKIT_{name}", expressions=list(arguments))


def in_its_dialect(own: Sql, dialect: str) -> Sql:
    """Raw SQL, with the dialect that it was written in."""
    return exp.Anonymous(this="SEGKIT_RAW", expressions=[own], dialect=dialect)


def among(own: Sql, options: Sequence[Any]) -> Sql:
    """One of many numbers or texts: they are kept as they are, for `rendering` to write all at once."""
    return exp.Anonymous(this="SEGKIT_AMONG", expressions=[own], options=options)


def reckoned(rule: Rule, clock: str | None) -> Sql:
    """A date, or an instant on a clock, that `evergreen` makes a column of the warehouse's clock."""
    return exp.Anonymous(this=RECKONED, expressions=[], rule=rule, clock=clock)


def decimal(exact: Decimal) -> Sql:
    """An exact number, which some engines would take for a float."""
    return marker("DECIMAL", number(exact))


def divisor(own: Sql) -> Sql:
    """What a number is divided by, NULL where it is zero."""
    return marker("DIVISOR", own)


def absolute(own: Sql) -> Sql:
    """A number without its sign."""
    return marker("ABS", own)


def contains(own: Sql, text: Sql) -> Sql:
    """A text that is not empty stands somewhere in another."""
    return marker("CONTAINS", own, text)


def starts_with(own: Sql, text: Sql) -> Sql:
    return marker("STARTS_WITH", own, text)


def ends_with(own: Sql, text: Sql) -> Sql:
    return marker("ENDS_WITH", own, text)


def matches(own: Sql, pattern: str) -> Sql:
    return marker("MATCHES", own, string(pattern))


def folded(own: Sql) -> Sql:
    """ASCII letters to lower case."""
    return marker("FOLDED", own)


def raised(own: Sql) -> Sql:
    """ASCII letters to upper case."""
    return marker("RAISED", own)


def length(own: Sql) -> Sql:
    """How many characters a text has."""
    return marker("LENGTH", own)


def digest(text: str, own: Sql) -> Sql:
    """The first 8 hex digits, in lower case, of the MD5 of a text and a key."""
    return marker("DIGEST", string(text), own)


def by_code_point(own: Sql) -> Sql:
    """Text as it is sorted."""
    return marker("BY_CODE_POINT", own)


def json_any(own: Sql, path: Iterable[str | int]) -> Sql:
    """What a path leads to, only to ask whether it is there: a JSON null is not."""
    return marker("JSON_ANY", own, *_steps(path))


def json_text(own: Sql, path: Iterable[str | int]) -> Sql:
    """The text of a text, number or boolean; NULL for objects and arrays."""
    return marker("JSON_TEXT", own, *_steps(path))


def json_number(own: Sql, path: Iterable[str | int]) -> Sql:
    """A number, or a text that is nothing but one, in double precision."""
    return marker("JSON_NUMBER", own, *_steps(path))


def element() -> Sql:
    """The element of an array that is being counted, as JSON."""
    return marker("ELEMENT")


def elements(own: Sql, path: Iterable[str | int], where: Sql | None) -> Sql:
    """How many elements of an array meet a condition (NULL: all do); NULL where there is no array."""
    return marker("ELEMENTS", own, exp.Null() if where is None else where, *_steps(path))


def _steps(path: Iterable[str | int]) -> list[Sql]:
    return [number(step) if isinstance(step, int) else string(step) for step in path]


def known(own: Sql) -> Sql:
    """A float, NULL where it is NaN."""
    return marker("KNOWN", own)


def wide(own: Sql) -> Sql:
    """A column of whole numbers, to reckon with."""
    return marker("WIDE", own)


def beside_whole_numbers(own: Sql) -> Sql:
    """A whole number that others may stand in for."""
    return marker("WHOLE", own)


def summed(own: Sql) -> Sql:
    """A column of whole numbers, to be added up."""
    return marker("SUMMED", own)


def as_text(own: Sql) -> Sql:
    """A column of texts; where it may have an order of its own, by characters."""
    return marker("AS_TEXT", own)


def as_timestamp(own: Sql) -> Sql:
    """A column of timestamps without zone; where they are text, in one length."""
    return marker("AS_TIMESTAMP", own)


def as_instant(own: Sql) -> Sql:
    """A column of timestamps with zone; where they are text, in UTC and one length."""
    return marker("AS_INSTANT", own)


def date(day: dt.date) -> Sql:
    return marker("DATE", string(day.isoformat()))


def timestamp(wall: dt.datetime) -> Sql:
    """A timestamp without zone."""
    return marker("TIMESTAMP", string(wall.replace(tzinfo=None).isoformat(" ")))


def instant(at: dt.datetime) -> Sql:
    """A timestamp with zone, in UTC."""
    return marker("INSTANT", string(at.astimezone(dt.UTC).isoformat(" ")))


def now() -> Sql:
    """The instant on the warehouse's own clock."""
    return marker("NOW")


def instant_of(wall: Sql) -> Sql:
    """A timestamp on the clock of UTC as an instant."""
    return marker("INSTANT_OF", wall)


def on_wall(moment: Sql, clock: str | None, zone: str) -> Sql:
    """A timestamp, written by `clock` (None: an instant), as the wall clock of a zone shows it."""
    return moment if clock == zone else marker("ON_WALL", moment, string(clock) if clock else exp.Null(), string(zone))


def date_of(wall: Sql) -> Sql:
    return marker("DATE_OF", wall)


def midnight(day: Sql) -> Sql:
    return marker("MIDNIGHT", day)


def days(later: Sql, earlier: Sql) -> Sql:
    """Whole days from one date to a later one."""
    return marker("DAYS", later, earlier)


def plus(moment: Sql, amount: int, unit: str, kind: Kind) -> Sql:
    """A date so many days or months later, or a timestamp so many minutes or months."""
    return marker(f"{'DATE' if kind is Kind.DATE else 'TIME'}_PLUS_{unit.upper()}", moment, number(amount))


def week(days: Sql) -> Sql:
    """Days since a Monday as whole weeks."""
    return marker("WEEKS", days)


def part(part: str, moment: Sql) -> Sql:
    return marker(f"PART_{part.upper()}", moment)
