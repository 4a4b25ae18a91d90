"""The definition tree: what a segment says, before any name is looked up.

Data only: frozen, equal by value, no operators. Four families:

- `Value`      a field, a literal, today, arithmetic, a part of a date, an aggregate over events
- `Span`       a stretch of time relative to the instant of evaluation, such as the last 30 days
- `Predicate`  true or false for a contact
- `Definition` a predicate with a name, notes, an owner and tags
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias
from typing import Literal as OneOfThese

from segkit.errors import DefinitionError

MAX_DEPTH = 50
MAX_CONDITIONS = 20_000
MAX_VALUES = 2_000_000
MAX_PARTS = 500_000
MAX_TEXT = 100_000
MAX_NAME = 1_000

Scalar: TypeAlias = str | bool | int | float | Decimal | dt.date | dt.datetime
Ordering: TypeAlias = OneOfThese["==", "<", "<=", ">", ">="]
TextCheck: TypeAlias = OneOfThese["contains", "startswith", "endswith", "matches"]
Unit: TypeAlias = OneOfThese["minutes", "hours", "days", "weeks", "months", "years"]
RateUnit: TypeAlias = OneOfThese["day", "week", "month", "year"]
DatePart: TypeAlias = OneOfThese["year", "quarter", "month", "week", "day", "weekday", "hour"]
PeriodUnit: TypeAlias = OneOfThese["day", "week", "month", "quarter", "year"]
FunctionName: TypeAlias = OneOfThese["abs", "round", "lower", "upper", "length", "coalesce"]
Measure: TypeAlias = OneOfThese[
    "count", "sum", "avg", "min", "max", "distinct", "first", "last", "latest", "days", "weeks", "months"
]
MEASURES_OF_A_PROPERTY = frozenset({"sum", "avg", "min", "max", "distinct", "latest"})


def checked_text(text: object, what: str = "text", longest: int = MAX_TEXT) -> str:
    """`text` as it is, refused when no engine could hold it (NUL, half a surrogate pair) or when too long."""
    if not isinstance(text, str):
        raise DefinitionError(f"{what} must be text, not {text!r:.80}", fix="write it in quotes")
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise DefinitionError(f"{what} {ascii(text)[:60]} holds half a character (a lone surrogate)", fix="remove it")
    if "\0" in text:
        raise DefinitionError(f"{what} {text[:60]!r} holds a NUL character", fix="remove it: engines cannot store it")
    if len(text) > longest:
        raise DefinitionError(f"{what} has {len(text):,} characters", fix=f"use at most {longest:,}")
    return text


def checked_name(name: object, what: str) -> str:
    """A name of a field, event, list or segment: text that is not empty."""
    text = checked_text(name, what, MAX_NAME)
    if not text:
        raise DefinitionError(f"the {what} is empty", fix="give its name")
    return text


def checked_list(given: object, what: str) -> list[Any]:
    """Several things that somebody gave: text or a mapping is one thing, and refused."""
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise DefinitionError(f"{what} must be a list, not {given!r:.60}", fix=f"write the {what} in [...]")
    return list(given)


@dataclass(frozen=True, slots=True)
class Node:
    """Base of all nodes."""


# ---------------------------------------------------------------- values


@dataclass(frozen=True, slots=True)
class Field(Node):
    """A field of the contact; inside a filter on events, a property of the event."""

    name: str

    def __post_init__(self) -> None:
        checked_name(self.name, "field name")


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant. `sort` keeps `True` and `1` apart, which Python calls equal. Make one with `literal`."""

    value: Scalar
    sort: str


@dataclass(frozen=True, slots=True)
class Today(Node):
    """The calendar date of the evaluation, in the workspace's time zone."""


@dataclass(frozen=True, slots=True)
class Now(Node):
    """The instant of the evaluation."""


@dataclass(frozen=True, slots=True)
class Duration(Node):
    """A length of time. Months and years are calendar steps, days are 24 hours next to a timestamp."""

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        if isinstance(self.amount, bool) or not isinstance(self.amount, int):
            raise DefinitionError(
                f"{self.amount!r:.80} {self.unit} is not a whole number of {self.unit}", fix="use a smaller unit, such as hours"
            )
        if not 0 <= self.amount <= 10_000_000:
            raise DefinitionError(f"{self.amount} {self.unit} is out of range", fix="use 0 to 10,000,000")


@dataclass(frozen=True, slots=True)
class Rate(Node):
    """So many per unit of time, such as 5 a year."""

    amount: int | float | Decimal
    per: RateUnit

    def __post_init__(self) -> None:
        if literal(self.amount).sort != "number":
            raise DefinitionError(f"a rate needs a number, not {self.amount!r}", fix="write per(5, 'year')")


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """Two values added, subtracted, multiplied or divided."""

    op: OneOfThese["+", "-", "*", "/"]
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Part(Node):
    """A number out of a date: its year, quarter, month, ISO week, day, ISO weekday (1 is Monday) or hour."""

    part: DatePart
    value: Value


@dataclass(frozen=True, slots=True)
class Function(Node):
    """A value made of others: `abs`, `round` (to a number of digits), `lower` and `upper` (ASCII letters), `length`
    (in characters), `coalesce` (the first that is known)."""

    name: FunctionName
    arguments: tuple[Value, ...]

    def __post_init__(self) -> None:
        least, most = _ARGUMENTS[self.name]
        if not least <= len(self.arguments) <= most:
            wanted = str(least) if least == most else f"{least} or more" if most > 9 else f"{least} or {most}"
            raise DefinitionError(f"{self.name} takes {wanted} values, not {len(self.arguments)}", fix="give it that many")
        if self.name == "round" and len(self.arguments) == 2:
            digits = self.arguments[1]
            if not isinstance(digits, Literal) or type(digits.value) is not int or not 0 <= digits.value <= 10:
                raise DefinitionError("round takes a number of digits from 0 to 10", fix="write round(x, 2)")


_ARGUMENTS = {"abs": (1, 1), "round": (1, 2), "lower": (1, 1), "upper": (1, 1), "length": (1, 1), "coalesce": (2, 1000)}


@dataclass(frozen=True, slots=True)
class Json(Node):
    """A property inside a JSON field, by the keys (text) and positions (numbers, from 0) that lead to it."""

    field: Field
    path: tuple[str | int, ...]

    def __post_init__(self) -> None:
        _check_path(self.field, self.path, 1)


@dataclass(frozen=True, slots=True)
class Elements(Node):
    """How many elements of an array (a JSON field, or what a path into it leads to) meet a condition; missing without one.

    In the condition the field `element` is the element itself, any other field a key of an element that is an object.
    """

    field: Field
    path: tuple[str | int, ...] = ()
    where: Predicate | None = None

    def __post_init__(self) -> None:
        _check_path(self.field, self.path, 0)


def _check_path(field: Field, path: tuple[str | int, ...], least: int) -> None:
    if not least <= len(path) <= MAX_DEPTH:
        raise DefinitionError(f"a path of {len(path)} steps into {field.name!r:.60}", fix=f"use {least} to {MAX_DEPTH}")
    for step in path:
        if isinstance(step, bool) or not isinstance(step, int | str) or (isinstance(step, int) and step < 0):
            raise DefinitionError(f"{step!r:.60} is no step of a path", fix="use a key, or a position from 0")
        if isinstance(step, str) and (set('"\\') & set(checked_name(step, "key")) or step == "*"):
            raise DefinitionError(f"the key {step!r:.60}", fix="keys with quotes or backslashes, and *, cannot be asked for")


@dataclass(frozen=True, slots=True)
class Quantile(Node):
    """In which of `parts` equal groups, 1 the lowest, a contact's value stands among the contacts of a population."""

    value: Value
    parts: int
    of: Predicate | None = None

    def __post_init__(self) -> None:
        if isinstance(self.parts, bool) or not isinstance(self.parts, int) or not 2 <= self.parts <= 1000:
            raise DefinitionError(f"{self.parts!r:.40} groups", fix="use 2 to 1000")


@dataclass(frozen=True, slots=True)
class Word(Node):
    """A word that stands for a field if there is one of that name, else for an event: how often, or when last."""

    name: str
    measure: OneOfThese["count", "last"] = "count"

    def __post_init__(self) -> None:
        checked_name(self.name, "name")


@dataclass(frozen=True, slots=True)
class Events(Node):
    """A stream of a contact's events: a name (`*` is any), a filter on their own properties, a stretch of time.

    With `then`, only those that another event follows. A `noun` says what was counted (5 *emails*), for the catalog
    to check.
    """

    event: str
    where: Predicate | None = None
    span: Span | None = None
    then: Then | None = None
    noun: str | None = None

    def __post_init__(self) -> None:
        checked_name(self.event, "event name")
        if self.noun is not None:
            checked_name(self.noun, "noun")
        if self.span is not None and not isinstance(self.span, Last | Between | Period):
            raise DefinitionError("events lie in the past", fix="use .within(...), .window(...) or .in_period(...)")


@dataclass(frozen=True, slots=True)
class Then(Node):
    """An event that follows: strictly later, at most `length` later (at any later time without one)."""

    events: Events
    length: Duration | None = None

    def __post_init__(self) -> None:
        if self.events.span is not None or self.events.then is not None:
            raise DefinitionError("the event that follows has a window of its own", fix="write .then(E.purchased, days=7)")
        if self.length is not None:
            if self.length.unit in ("months", "years"):
                raise DefinitionError(f"{self.length.unit} between two events", fix="use days, hours or minutes")
            _positive(self.length)


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """One number, time or property out of a stream of events, such as their count."""

    measure: Measure
    events: Events
    of: str | None = None

    def __post_init__(self) -> None:
        if self.measure in MEASURES_OF_A_PROPERTY:
            checked_name(self.of, f"property of {self.measure}")
        elif self.of is not None:
            raise DefinitionError(f"{self.measure} takes no property, but got {self.of!r}", fix="leave it out")
        if self.events.then is not None and self.measure != "count":
            raise DefinitionError(f"{self.measure} of a sequence of events", fix="take .any() or .count() of it")


# ---------------------------------------------------------------- spans


@dataclass(frozen=True, slots=True)
class Last(Node):
    """The last `length` up to now; with `edge`, an instant exactly that long ago is in too."""

    length: Duration
    edge: bool = False

    def __post_init__(self) -> None:
        _positive(self.length)


@dataclass(frozen=True, slots=True)
class Before(Node):
    """Longer than `length` ago; with `edge`, an instant exactly that long ago is in too."""

    length: Duration
    edge: bool = False


@dataclass(frozen=True, slots=True)
class Next(Node):
    """After now, at most `length` ahead."""

    length: Duration

    def __post_init__(self) -> None:
        _positive(self.length)


@dataclass(frozen=True, slots=True)
class Between(Node):
    """From `older` ago (not in) to `newer` ago (in)."""

    older: Duration
    newer: Duration

    def __post_init__(self) -> None:
        if self.older.unit == self.newer.unit and self.older.amount <= self.newer.amount:
            raise DefinitionError(
                f"the window from {self.older.amount} to {self.newer.amount} {self.older.unit} ago is empty",
                fix="name the older end first: window(days=(90, 30))",
            )


@dataclass(frozen=True, slots=True)
class Period(Node):
    """A whole calendar day, ISO week, month, quarter or year: this one, or `shift` before (negative) or after it."""

    unit: PeriodUnit
    shift: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.shift, bool) or not isinstance(self.shift, int) or not -100_000 <= self.shift <= 100_000:
            raise DefinitionError(f"{self.shift!r:.40} {self.unit}s from now", fix="use a whole number: -1 is the last one")


@dataclass(frozen=True, slots=True)
class OnDay(Node):
    """The whole local day of a date."""

    day: Value


@dataclass(frozen=True, slots=True)
class Anniversary(Node):
    """The day of the year returns on one of the days from today to `within` days ahead."""

    within: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.within, bool) or not isinstance(self.within, int) or not 0 <= self.within <= 366:
            raise DefinitionError(f"an anniversary within {self.within!r:.80} days", fix="use 0 to 366 days")


def _positive(length: Duration) -> None:
    if length.amount == 0:
        raise DefinitionError(f"a window of 0 {length.unit} holds nothing", fix="use at least 1")


# ---------------------------------------------------------------- predicates


@dataclass(frozen=True, slots=True)
class Everyone(Node):
    """Every contact."""


@dataclass(frozen=True, slots=True)
class And(Node):
    """All of the items hold."""

    items: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        _not_empty(self.items)


@dataclass(frozen=True, slots=True)
class Or(Node):
    """At least one of the items holds."""

    items: tuple[Predicate, ...]

    def __post_init__(self) -> None:
        _not_empty(self.items)


@dataclass(frozen=True, slots=True)
class Not(Node):
    """The exact complement."""

    item: Predicate


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """Two known values in an order; false where one is missing."""

    op: Ordering
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class OneOf(Node):
    """A known value that is one of the options; false for no options."""

    value: Value
    options: tuple[Literal, ...]

    def __post_init__(self) -> None:
        if len(self.options) > MAX_VALUES:
            raise DefinitionError(
                f"a list of {len(self.options):,} values", fix=f"use at most {MAX_VALUES:,}, or put them in a static list"
            )


@dataclass(frozen=True, slots=True)
class TextTest(Node):
    """A known text that contains, starts with, ends with or matches another; `ignore_case` folds ASCII letters.

    The other text is a constant, or a value that must be known, too; a pattern is a constant.
    """

    test: TextCheck
    value: Value
    text: str | Value
    ignore_case: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.text, Literal) or not isinstance(self.text, Node):
            checked_text(self.text)
        elif self.test == "matches":
            raise DefinitionError("a pattern that is no constant text", fix="write the pattern itself, in quotes")


@dataclass(frozen=True, slots=True)
class Missing(Node):
    """Has no value."""

    value: Value


@dataclass(frozen=True, slots=True)
class During(Node):
    """A known date or timestamp that lies in a span."""

    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class InList(Node):
    """Is on a static list."""

    name: str

    def __post_init__(self) -> None:
        checked_name(self.name, "list name")


@dataclass(frozen=True, slots=True)
class InSegment(Node):
    """Is in another segment, by its name."""

    name: str

    def __post_init__(self) -> None:
        checked_name(self.name, "segment name")


@dataclass(frozen=True, slots=True)
class InGroup(Node):
    """Is in the static list or the segment of that name, whichever there is."""

    name: str

    def __post_init__(self) -> None:
        checked_name(self.name, "name of a list or segment")


@dataclass(frozen=True, slots=True)
class Top(Node):
    """Among the highest `n` values, or the highest `percent` of them (rounded up), of the contacts of a population."""

    value: Value
    n: int | None = None
    percent: int | float | Decimal | None = None
    of: Predicate | None = None

    def __post_init__(self) -> None:
        if (self.n is None) == (self.percent is None):
            raise DefinitionError("top needs either n or percent", fix="write .top(n=100) or .top(percent=10)")
        if self.n is not None and (isinstance(self.n, bool) or not isinstance(self.n, int) or not 1 <= self.n < 2**53):
            raise DefinitionError(f"the top {self.n!r:.40}", fix="use a whole number from 1")
        if self.percent is not None:
            _percentage(self.percent)


@dataclass(frozen=True, slots=True)
class Sample(Node):
    """In a stable random sample: the same contacts on every day and engine, samples of one seed nested."""

    percent: int | float | Decimal
    seed: str = ""

    def __post_init__(self) -> None:
        _percentage(self.percent)
        checked_text(self.seed, "seed", MAX_NAME)


@dataclass(frozen=True, slots=True)
class RawSql(Node):
    """A condition as SQL text of a dialect, over the contact's columns."""

    sql: str
    dialect: str

    def __post_init__(self) -> None:
        checked_text(self.sql, "SQL")
        checked_name(self.dialect, "dialect")
        if not self.sql.strip():
            raise DefinitionError("empty SQL", fix="write a condition")


def _percentage(percent: object) -> None:
    if literal(percent).sort != "number" or not 0 < percent <= 100:  # type: ignore[operator]
        raise DefinitionError(f"{percent!r:.40} percent", fix="use more than 0 and at most 100")


def _not_empty(items: tuple[Predicate, ...]) -> None:
    if not items:
        raise DefinitionError("a group without conditions", fix="add a condition, or remove the group")


Value: TypeAlias = (
    Field | Literal | Today | Now | Duration | Rate | Arithmetic | Part | Function | Json | Elements | Aggregate | Quantile | Word
)  # fmt: skip
Span: TypeAlias = Last | Before | Next | Between | Period | OnDay | Anniversary
Predicate: TypeAlias = (
    Everyone
    | And
    | Or
    | Not
    | Compare
    | OneOf
    | TextTest
    | Missing
    | During
    | InList
    | InSegment
    | InGroup
    | Top
    | Sample
    | RawSql
)
LEAVES = Compare | OneOf | TextTest | Missing | During | Top | Sample | RawSql


@dataclass(frozen=True, slots=True)
class Definition(Node):
    """A segment as data: its predicate, and what people need to know about it. `name` is None until it has one."""

    name: str | None
    where: Predicate
    notes: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.name is not None:
            checked_name(self.name, "segment name")
        checked_text(self.notes, "notes")
        checked_text(self.owner, "owner")
        for tag in self.tags:
            checked_name(tag, "tag")


# ---------------------------------------------------------------- making literals


def literal(value: Any) -> Literal:
    """A constant as a node: text, boolean, number, date or timestamp; NaN, infinities and the rest are refused.

    >>> literal(5)
    Literal(value=5, sort='number')
    """
    match value:
        case bool():
            return Literal(value, "boolean")
        case str():
            return Literal(checked_text(str(value)), "text")
        case int():
            if not -(2**63) <= value < 2**63:
                raise DefinitionError(f"{value!r:.60} is out of range", fix="whole numbers have 64 bits")
            return Literal(int(value), "number")
        case float():
            if not math.isfinite(value):
                raise DefinitionError(f"{value!r} is not a number", fix="use .is_missing() to find missing values")
            return Literal(float(value), "number")
        case Decimal():
            if not value.is_finite():
                raise DefinitionError(f"{value!r} is not a number", fix="use .is_missing() to find missing values")
            _, digits, exponent = value.as_tuple()
            if isinstance(exponent, int) and (len(digits) + max(exponent, 0) > 38 or exponent < -38):
                raise DefinitionError(f"{value!r:.60} has too many digits", fix="decimals have at most 38 digits")
            return Literal(value, "number")
        case dt.datetime():
            return Literal(_plain_datetime(value), "timestamp")
        case dt.date():
            return Literal(dt.date(value.year, value.month, value.day), "date")
        case None:
            raise DefinitionError("None is not a value to compare with", fix="use .is_missing(), or == None alone")
    if hasattr(value, "item") and callable(value.item) and getattr(value, "ndim", None) == 0:
        return literal(value.item())
    raise DefinitionError(
        f"{value!r:.80} ({type(value).__name__}) cannot stand in a definition",
        fix="use text, a number, True or False, a date or a datetime",
    )


def _plain_datetime(value: dt.datetime) -> dt.datetime:
    if value != value:
        raise DefinitionError(f"{value!r} is not a time", fix="use .is_missing() to find missing values")
    if getattr(value, "nanosecond", 0):
        raise DefinitionError(f"{value!r} is finer than a microsecond", fix="round it")
    plain = dt.datetime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond, fold=value.fold
    )
    if value.tzinfo is None:
        return plain
    try:
        return plain.replace(tzinfo=value.tzinfo).astimezone(dt.UTC)
    except OverflowError:
        raise DefinitionError(f"{value} is out of range", fix="use years 1 to 9999, in UTC too") from None


# ---------------------------------------------------------------- walking


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node; constants are none."""
    name: str
    for name in node.__slots__:
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, Node) and not isinstance(item, Literal))
        elif isinstance(value, Node) and not isinstance(value, Literal):
            yield value


def levels(node: Node) -> Iterator[list[Node]]:
    """The nodes of a tree level by level, without recursion."""
    level = [node]
    while level:
        yield level
        level = [child for parent in level for child in children(parent)]


def depth(node: Node) -> int:
    """How many levels of conditions and values a tree has."""
    return sum(1 for _ in levels(node))


def check_depth(levels: int) -> int:
    """`levels` if a definition may be that deep."""
    if levels > MAX_DEPTH:
        raise DefinitionError(
            f"the definition is more than {MAX_DEPTH} levels deep", fix="name a part as a segment of its own, and refer to it"
        )
    return levels


def check_limits(where: Predicate) -> int:
    """The depth of a tree; one that is too deep or has too many conditions is refused before anything recurses into it."""
    conditions = parts = 0
    for deepest, level in enumerate(levels(where), start=1):
        check_depth(deepest)
        parts += len(level)
        if parts > MAX_PARTS:
            raise DefinitionError(f"the definition has more than {MAX_PARTS:,} parts", fix="name a part as a segment of its own")
        conditions += sum(isinstance(node, LEAVES) for node in level)
        if conditions > MAX_CONDITIONS:
            raise DefinitionError(f"more than {MAX_CONDITIONS:,} conditions", fix="put the values in a list: .is_in([...])")
    return deepest
