"""The words a definition begins with: `F.country`, `E.opened`, `TODAY`, `days(30)`, `in_list("VIP")`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from typing import Literal as OneOfThese

from segkit import nodes
from segkit.builder.predicate import Predicate
from segkit.builder.stream import EventStream
from segkit.builder.value import Value
from segkit.errors import unknown
from segkit.nodes import literal


class Names:
    """`F` and `E`: an attribute or an item names a field or an event. From a workspace they complete with Tab."""

    def __init__(self, make: Callable[[str], Any], known: Callable[[], Iterable[str]] = tuple) -> None:
        self._make, self._known = make, known

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("__", "_repr_", "_ipython_")):
            raise AttributeError(name)
        return self._make(name)

    def __getitem__(self, name: str) -> Any:
        return self._make(name)

    def __dir__(self) -> list[str]:
        return sorted(name for name in self._known() if name.isidentifier())

    def _ipython_key_completions_(self) -> list[str]:
        return sorted(self._known())


def field(name: str) -> Value:
    """A field by name."""
    return Value(nodes.Field(name), 1)


def event(name: str) -> EventStream:
    """The events of a name; `*` is any event."""
    return EventStream(nodes.Events(name))


def word(name: str, measure: OneOfThese["count", "last"] = "count") -> Value:
    """A field if there is one of that name, else an event: how often it happened, or with `"last"` when last.

    What the text language reads in `Clicked = 0`.

    >>> word("Clicked") == 0
    word('Clicked') == 0
    """
    return Value(nodes.Word(name, measure), 1)


F = Names(field)
"""The fields of a contact: `F.country`, or `F["Total Spent"]` for a name that Python cannot write."""
E = Names(event)
"""The events of a contact: `E.opened`, or `E["email opened"]`; `E["*"]` is any event."""
TODAY = Value(nodes.Today(), 1)
"""The day of the instant that a segment is asked about, in the workspace's time zone."""
NOW = Value(nodes.Now(), 1)
"""The instant that a segment is asked about."""


def minutes(amount: int) -> Value:
    """A length of time in minutes.

    >>> F.last_activity > NOW - minutes(90)
    F.last_activity > NOW - minutes(90)
    """
    return Value(nodes.Duration(amount, "minutes"), 1)


def hours(amount: int) -> Value:
    """A length of time in hours.

    >>> F.last_activity > NOW - hours(24)
    F.last_activity > NOW - hours(24)
    """
    return Value(nodes.Duration(amount, "hours"), 1)


def days(amount: int) -> Value:
    """A length of time in days: 24 hours next to a timestamp, calendar days next to a date.

    >>> F.last_activity > TODAY - days(30)
    F.last_activity > TODAY - days(30)
    """
    return Value(nodes.Duration(amount, "days"), 1)


def weeks(amount: int) -> Value:
    """A length of time in weeks of 7 days.

    >>> F.created_at > TODAY - weeks(2)
    F.created_at > TODAY - weeks(2)
    """
    return Value(nodes.Duration(amount, "weeks"), 1)


def months(amount: int) -> Value:
    """A number of calendar months; 31 March - 1 month is the last day of February.

    >>> F.created_at > TODAY - months(3)
    F.created_at > TODAY - months(3)
    """
    return Value(nodes.Duration(amount, "months"), 1)


def years(amount: int) -> Value:
    """A number of calendar years.

    >>> F.birthday < TODAY - years(18)
    F.birthday < TODAY - years(18)
    """
    return Value(nodes.Duration(amount, "years"), 1)


def per(amount: int | float, unit: nodes.RateUnit) -> Value:
    """A rate to compare a field with, in the unit that the catalog gives the field.

    Raises:
        DefinitionError: the unit is not day, week, month or year.

    >>> F.purchase_frequency > per(5, "year")
    F.purchase_frequency > per(5, 'year')
    """
    if unit not in ("day", "week", "month", "year"):
        raise unknown("unit", str(unit), ("day", "week", "month", "year"))
    return Value(nodes.Rate(amount, unit), 1)


def constant(value: Any) -> Value:
    """A constant on the left of an operator.

    >>> constant(100) - F.score > 50
    100 - F.score > 50
    """
    return Value(literal(value), 1)


def everyone() -> Predicate:
    """Every contact; `~everyone()` is nobody.

    >>> everyone() - in_list("Staff")
    everyone() & ~in_list('Staff')
    """
    return Predicate(nodes.Everyone(), 1)


def in_list(name: str) -> Predicate:
    """On the static list of that name.

    >>> in_list("VIP Customers") & (F.country == "USA")
    in_list('VIP Customers') & (F.country == 'USA')
    """
    return Predicate(nodes.InList(name), 1)


def in_segment(name: str) -> Predicate:
    """In another segment, looked up by name when the definition is used.

    >>> in_segment("At Risk") & (F.country == "USA")
    in_segment('At Risk') & (F.country == 'USA')
    """
    return Predicate(nodes.InSegment(name), 1)


def in_group(name: str) -> Predicate:
    """On the static list or in the segment of that name, whichever there is; both or none is refused when it is used.

    What the text language reads in `Send to: "All Subscribers"`.

    >>> in_group("All Subscribers")
    in_group('All Subscribers')
    """
    return Predicate(nodes.InGroup(name), 1)


def sample(*, percent: float, seed: str = "") -> Predicate:
    """A stable random sample of the contacts: the same ones on every day and every engine.

    A contact is in when the MD5 of the seed and its key lies below a threshold, so samples with one seed are nested:
    the 10 percent are among the 20 percent.

    Args:
        percent: how many of 100 contacts, 0 to 100.
        seed: what the sample is called: another seed draws other contacts.

    >>> sample(percent=10, seed="launch")
    sample(percent=10, seed='launch')
    """
    return Predicate(nodes.Sample(percent, seed), 1)


def raw_sql(sql: str, *, dialect: str) -> Predicate:
    """A condition as SQL over the contact's columns: the escape hatch. It is parsed in its dialect and transpiled.

    Args:
        sql: a condition; it is kept as it is written.
        dialect: what it is written in, by sqlglot's name.

    `matches` refuses it, and so does anything that reads other tables, writes, or asks the clock. Translated for a dialect that
    nothing here can run, it may only ask for what the vendor is known to have: write it in that dialect for more.

    >>> raw_sql("levenshtein(first_name, last_name) < 2", dialect="duckdb")
    raw_sql('levenshtein(first_name, last_name) < 2', dialect='duckdb')
    """
    return Predicate(nodes.RawSql(sql, dialect), 1)
