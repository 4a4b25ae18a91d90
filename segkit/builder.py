"""The fluent spelling: `(F.country == "USA") & (E.opened.within(days=30).count() >= 5)`.

Wrappers carry the operators, nodes stay data. A `Value` compared becomes a `Predicate`; predicates combine with
`&`, `|`, `-` and `~`. Names stay unresolved until a catalog is at hand.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn, get_args
from typing import Literal as OneOfThese

from segkit import nodes
from segkit.errors import DefinitionError, unknown
from segkit.nodes import check_depth, literal
from segkit.operators import between, equals, not_equals
from segkit.spelling import spell

_UNITS = ("minutes", "hours", "days", "weeks", "months", "years")


def no_truth_value(self: object) -> NoReturn:
    """Conditions hold for some contacts and not for others: Python may not decide on one."""
    raise DefinitionError(
        f"a condition has no truth value in Python: {self!r:.120}",
        fix="combine conditions with & | ~ in parentheses, not with and / or / not / if / a < x < b; "
        "use .is_in([...]) and .between(a, b)",
    )


class Predicate:
    """A condition on contacts. Two predicates are equal when they are built alike.

    >>> (F.country == "USA") & ~(F.opens > 5)
    (F.country == 'USA') & ~(F.opens > 5)
    """

    __slots__ = ("_depth", "node")

    def __init__(self, node: nodes.Predicate, _depth: int | None = None) -> None:
        self.node = node
        self._depth = check_depth(_depth or nodes.depth(node))

    def __and__(self, other: Predicate) -> Predicate:
        return _joined(nodes.And, self, other) if isinstance(other, Predicate) else _refused(other)

    def __or__(self, other: Predicate) -> Predicate:
        return _joined(nodes.Or, self, other) if isinstance(other, Predicate) else _refused(other)

    def __sub__(self, other: Predicate) -> Predicate:
        return _joined(nodes.And, self, ~other) if isinstance(other, Predicate) else _refused(other)

    def __invert__(self) -> Predicate:
        return Predicate(nodes.Not(self.node), self._depth + 1)

    def __rand__(self, other: object) -> NoReturn:
        not_a_predicate(other)

    __ror__ = __rsub__ = __rand__

    def __eq__(self, other: object) -> bool:
        return self.node == other.node if isinstance(other, Predicate) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.node)

    __bool__ = no_truth_value

    def __repr__(self) -> str:
        return spell(self.node)


class Value:
    """A value of a contact: a field, arithmetic, a part of a date or an aggregate over events.

    Comparing it gives a `Predicate`; a missing value is never in one, but for `!=`, which is the complement of `==`.
    """

    __slots__ = ("_depth", "node")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, node: nodes.Value, _depth: int | None = None) -> None:
        self.node = node
        self._depth = check_depth(_depth or nodes.depth(node))

    # comparisons
    def __eq__(self, other: object) -> Predicate:  # type: ignore[override]
        return self._predicate(equals(self.node, None if other is None else _node(other)), other)

    def __ne__(self, other: object) -> Predicate:  # type: ignore[override]
        return self._predicate(not_equals(self.node, None if other is None else _node(other)), other)

    def __lt__(self, other: object) -> Predicate:
        return self._predicate(nodes.Compare("<", self.node, _node(other)), other)

    def __le__(self, other: object) -> Predicate:
        return self._predicate(nodes.Compare("<=", self.node, _node(other)), other)

    def __gt__(self, other: object) -> Predicate:
        return self._predicate(nodes.Compare(">", self.node, _node(other)), other)

    def __ge__(self, other: object) -> Predicate:
        return self._predicate(nodes.Compare(">=", self.node, _node(other)), other)

    def is_in(self, options: Iterable[Any]) -> Predicate:
        """One of the options; an empty list holds nobody.

        >>> F.state.is_in(["CA", "NY"])
        F.state.is_in(['CA', 'NY'])
        """
        if isinstance(options, str | Value | Predicate) or not isinstance(options, Iterable):
            raise DefinitionError(f"is_in needs a list, not {options!r:.60}", fix="write .is_in([...])")
        return self._predicate(nodes.OneOf(self.node, tuple(_option(option) for option in options)))

    def between(self, low: Any, high: Any) -> Predicate:
        """From `low` to `high`, both included."""
        return self._predicate(between(self.node, _node(low), _node(high)), low, high)

    def is_missing(self) -> Predicate:
        """Has no value. Empty text is a value.

        >>> F.last_purchase == None
        F.last_purchase.is_missing()
        """
        return self._predicate(nodes.Missing(self.node))

    # text
    def contains(self, text: str | Value, *, ignore_case: bool = False) -> Predicate:
        """Holds exactly these characters somewhere; `%` and `_` mean themselves. `ignore_case` folds ASCII letters.

        The characters may be another value: every known text holds an empty one, none holds a missing one.

        >>> F.email.contains(F.last_name, ignore_case=True)
        F.email.contains(F.last_name, ignore_case=True)
        """
        return self._text_test("contains", text, ignore_case)

    def startswith(self, text: str | Value, *, ignore_case: bool = False) -> Predicate:
        """Begins with exactly these characters."""
        return self._text_test("startswith", text, ignore_case)

    def endswith(self, text: str | Value, *, ignore_case: bool = False) -> Predicate:
        """Ends with exactly these characters."""
        return self._text_test("endswith", text, ignore_case)

    def matches(self, pattern: str, *, ignore_case: bool = False) -> Predicate:
        """The regular expression is found somewhere; anchor it with ^ and $. See `segkit.patterns` for the subset."""
        return self._text_test("matches", pattern, ignore_case)

    # time
    def within(self, length: Value | dt.timedelta | None = None, *, edge: bool = False, **units: int) -> Predicate:
        """In the last stretch of time up to now: `within(days=30)` is `now - 30 x 24 h < t <= now`, for a date whole days.

        With `edge`, an instant exactly that long ago is in too.

        >>> F.last_purchase.within(days=30)
        F.last_purchase.within(days=30)
        """
        return self._during(nodes.Last(_duration("within", length, units), edge))

    def window(self, older: Value | None = None, newer: Value | None = None, **units: tuple[int, int]) -> Predicate:
        """Between two distances ago: `window(days=(90, 30))` is from 90 days ago, not in, to 30 days ago, in."""
        return self._during(_between(older, newer, units))

    def older_than(self, length: Value | dt.timedelta | None = None, *, edge: bool = False, **units: int) -> Predicate:
        """Longer ago than that: `t < now - 30 x 24 h`; with `edge`, `<=`. A missing value is not in."""
        return self._during(nodes.Before(_duration("older_than", length, units), edge))

    def in_next(self, length: Value | dt.timedelta | None = None, **units: int) -> Predicate:
        """Ahead, at most that far: `now < t <= now + 7 x 24 h`."""
        return self._during(nodes.Next(_duration("in_next", length, units)))

    def in_period(self, unit: nodes.PeriodUnit, shift: int = 0) -> Predicate:
        """In a whole calendar period: this `day`, ISO `week`, `month`, `quarter` or `year`; `shift` -1 is the last one.

        >>> F.last_purchase.in_period("month", -1)
        F.last_purchase.in_period('month', -1)
        """
        return self._during(_period(unit, shift))

    def on(self, day: Any) -> Predicate:
        """On that day, from its midnight to the next in the workspace's time zone."""
        return self._predicate(nodes.During(self.node, nodes.OnDay(_node(day))), day)

    def anniversary(self, *, within_days: int = 0) -> Predicate:
        """Its day of the year returns today, or on one of the next `within_days` days.

        29 February is celebrated on 28 February in common years.
        """
        return self._during(nodes.Anniversary(within_days))

    def year(self) -> Value:
        """The calendar year, local."""
        return self._part("year")

    def quarter(self) -> Value:
        """The quarter, 1 to 4."""
        return self._part("quarter")

    def month(self) -> Value:
        """The month, 1 to 12.

        >>> F.birthday.month() == TODAY.month()
        F.birthday.month() == TODAY.month()
        """
        return self._part("month")

    def week(self) -> Value:
        """The ISO week, 1 to 53."""
        return self._part("week")

    def day(self) -> Value:
        """The day of the month, 1 to 31."""
        return self._part("day")

    def weekday(self) -> Value:
        """The ISO weekday, 1 (Monday) to 7."""
        return self._part("weekday")

    def hour(self) -> Value:
        """The local hour of a timestamp, 0 to 23."""
        return self._part("hour")

    # ranks
    def top(self, *, n: int | None = None, percent: float | None = None, of: Predicate | None = None) -> Predicate:
        """Among the highest `n`, or the highest `percent` (rounded up), of the contacts with a value.

        Equal values are told apart by the contact key, the smaller first; a missing value is never in.

        Args:
            n: how many contacts.
            percent: how many percent of the population, more than 0 and at most 100.
            of: the population; default: all contacts.

        >>> F.total_spent.top(percent=10, of=F.country == "USA")
        F.total_spent.top(percent=10, of=F.country == 'USA')
        """
        node = nodes.Top(self.node, n, percent, None if of is None else _predicate_node(of))
        return Predicate(node)

    def quantile(self, parts: int, *, of: Predicate | None = None) -> Value:
        """In which of `parts` equal groups the contact stands, 1 the lowest; missing outside of the population.

        As in SQL's NTILE: where the contacts do not divide evenly, the lower groups have one more.

        >>> F.total_spent.quantile(5) == 5
        F.total_spent.quantile(5) == 5
        """
        return Value(nodes.Quantile(self.node, parts, None if of is None else _predicate_node(of)))

    # values out of a value
    def json(self, *path: str | int) -> Value:
        """A property inside a JSON field, by the keys (and positions, from 0) that lead to it.

        One text with dots is a path, too; a key that itself holds a dot stands in double quotes.

        >>> F.props.json("address.city") == "Rome"
        F.props.json('address', 'city') == 'Rome'
        >>> F.props.json('"a.b"', "tags", 0)
        F.props.json('"a.b"', 'tags', 0)
        """
        if not isinstance(self.node, nodes.Field):
            raise DefinitionError(f"{self!r:.80} is no field", fix="write F.props.json('plan')")
        return Value(nodes.Json(self.node, tuple(step for part in path for step in steps_of(part))))

    def elements(self, condition: Predicate | None = None) -> Value:
        """How many elements of a JSON array meet a condition; without one, how many there are.

        Inside the condition `F.element` is the element itself, any other field a key of an element that is an object. An
        empty array has 0; where there is no array the number is missing, so that `== 0` holds for contacts with an array
        only. Compare with all elements for *every*: `F.tags.elements(...) == F.tags.elements()`.

        Raises:
            DefinitionError: it is no field and no path into one.

        >>> F.tags.elements(F.element == "vip") >= 1
        F.tags.elements(F.element == 'vip') >= 1
        >>> F.props.json("orders").elements(F.price > 100) / F.props.json("orders").elements() >= 0.5
        F.props.json('orders').elements(F.price > 100) / F.props.json('orders').elements() >= 0.5
        """
        where = None if condition is None else _predicate_node(condition)
        match self.node:
            case nodes.Field() as field:
                return Value(nodes.Elements(field, (), where))
            case nodes.Json(field, path):
                return Value(nodes.Elements(field, path, where))
        raise DefinitionError(f"{self!r:.80} has no elements", fix='write F.tags.elements(F.element == "vip")')

    def abs(self) -> Value:
        """The number without its sign."""
        return self._function("abs")

    def round(self, digits: int = 0) -> Value:
        """The number rounded to `digits` decimal places, halves away from zero."""
        return self._function("round", *([digits] if digits else []))

    def lower(self) -> Value:
        """The text with ASCII letters in lower case."""
        return self._function("lower")

    def upper(self) -> Value:
        """The text with ASCII letters in upper case."""
        return self._function("upper")

    def length(self) -> Value:
        """How many characters a text has."""
        return self._function("length")

    def coalesce(self, *others: Any) -> Value:
        """The first value that is known.

        >>> F.nickname.coalesce(F.first_name, "friend")
        F.nickname.coalesce(F.first_name, 'friend')
        """
        return self._function("coalesce", *others)

    # arithmetic
    def __add__(self, other: object) -> Value:
        return _arithmetic("+", self, other)

    def __radd__(self, other: object) -> Value:
        return _arithmetic("+", other, self)

    def __sub__(self, other: object) -> Value:
        return _arithmetic("-", self, other)

    def __rsub__(self, other: object) -> Value:
        return _arithmetic("-", other, self)

    def __mul__(self, other: object) -> Value:
        return _arithmetic("*", self, other)

    def __rmul__(self, other: object) -> Value:
        return _arithmetic("*", other, self)

    def __truediv__(self, other: object) -> Value:
        return _arithmetic("/", self, other)

    def __rtruediv__(self, other: object) -> Value:
        return _arithmetic("/", other, self)

    def __neg__(self) -> Value:
        return _arithmetic("-", 0, self)

    # what it is not
    def _not_a_condition(self, *_: object) -> NoReturn:
        raise DefinitionError(
            f"{self!r:.80} is a value, not a condition",
            fix="compare it, each comparison in parentheses: (F.a > 1) & (F.b == True)",
        )

    __and__ = __or__ = __rand__ = __ror__ = __invert__ = _not_a_condition
    __bool__ = no_truth_value

    def __iter__(self) -> Iterator[NoReturn]:
        raise DefinitionError(f"{self!r:.80} is not a list", fix="use .is_in([...]) or .contains(...)")

    def __repr__(self) -> str:
        return spell(self.node)

    def _text_test(self, test: nodes.TextCheck, text: str | Value, ignore_case: bool) -> Predicate:
        node = text.node if isinstance(text, Value) else text
        other = node.value if isinstance(node, nodes.Literal) else node
        try:
            return self._predicate(nodes.TextTest(test, self.node, other, ignore_case), text)  # type: ignore[arg-type]
        except DefinitionError as error:
            raise error.under(f"{self!r:.80}.{test}(...)") from None

    def _part(self, part: nodes.DatePart) -> Value:
        return Value(nodes.Part(part, self.node), self._depth + 1)

    def _function(self, name: nodes.FunctionName, *others: object) -> Value:
        return Value(nodes.Function(name, (self.node, *map(_node, others))))

    def _during(self, span: nodes.Span) -> Predicate:
        return Predicate(nodes.During(self.node, span), self._depth + 2)

    def _predicate(self, node: nodes.Predicate, *others: object) -> Predicate:
        deepest = max([self._depth, *(o._depth for o in others if isinstance(o, Value))])
        return Predicate(node, deepest + 2)


class EventStream:
    """Events of one name: filter them, put a window around them, then take one aggregate.

    >>> E.opened.within(days=60).count() < 2
    E.opened.within(days=60).count() < 2
    """

    __slots__ = ("node",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, node: nodes.Events) -> None:
        self.node = node

    def where(self, condition: Predicate) -> EventStream:
        """Only events whose own properties meet the condition: inside it `F.amount` is a property of the event."""
        earlier = self.node.where
        both = condition if earlier is None else Predicate(earlier) & condition
        return EventStream(replace(self.node, where=_predicate_node(both)))

    def within(self, length: Value | dt.timedelta | None = None, *, edge: bool = False, **units: int) -> EventStream:
        """Only events in the last stretch of time up to now; with `edge`, one exactly that long ago is in, too."""
        return self._windowed(nodes.Last(_duration("within", length, units), edge))

    def window(self, older: Value | None = None, newer: Value | None = None, **units: tuple[int, int]) -> EventStream:
        """Only events between two distances ago: `window(days=(90, 30))` is from 90 days ago, not in, to 30 days ago, in.

        Distances in different units are two lengths: `window(months(3), days(7))`.
        """
        return self._windowed(_between(older, newer, units))

    def in_period(self, unit: nodes.PeriodUnit, shift: int = 0) -> EventStream:
        """Only events in a whole calendar period: this month, or with `shift` -1 the last one."""
        return self._windowed(_period(unit, shift))

    def then(self, other: EventStream, length: Value | dt.timedelta | None = None, **units: int) -> EventStream:
        """Only events that another event follows: strictly later, at most that much later (ever, without a length).

        Of a sequence take `.any()` or `.count()`, which counts the earlier events.

        >>> E.visited.then(E.purchased, days=7).any()
        E.visited.then(E.purchased, days=7).count() >= 1
        """
        if not isinstance(other, EventStream):
            raise DefinitionError(f"{other!r:.80} is no stream of events", fix="write E.visited.then(E.purchased, days=7)")
        if self.node.then is not None:
            raise DefinitionError(f"{self!r:.80} is a sequence already", fix="combine two sequences with &")
        span = _duration("then", length, units) if length is not None or units else None
        return EventStream(replace(self.node, then=nodes.Then(other.node, span)))

    def noun(self, noun: str) -> EventStream:
        """Says what is counted (5 *emails*); the catalog's verbs know which nouns there are."""
        return EventStream(replace(self.node, noun=noun))

    def count(self) -> Value:
        """How many events; 0 for a contact without any."""
        return self._aggregate("count")

    def any(self) -> Predicate:
        """There is at least one: short for `count() >= 1`."""
        return self.count() >= 1

    def sum(self, of: str) -> Value:
        """The sum of a property; 0 where no event has a known value."""
        return self._aggregate("sum", of)

    def avg(self, of: str) -> Value:
        """The mean of the known values of a property; missing where there are none."""
        return self._aggregate("avg", of)

    def min(self, of: str) -> Value:
        """The least known value of a property (a number or a time)."""
        return self._aggregate("min", of)

    def max(self, of: str) -> Value:
        """The greatest known value of a property (a number or a time)."""
        return self._aggregate("max", of)

    def distinct(self, of: str) -> Value:
        """How many different known values a property has."""
        return self._aggregate("distinct", of)

    def first(self) -> Value:
        """When the first event was; missing without events."""
        return self._aggregate("first")

    def last(self) -> Value:
        """When the last event was; missing without events.

        >>> E.purchased.last().older_than(months=6)
        E.purchased.last().older_than(months=6)
        """
        return self._aggregate("last")

    def latest(self, of: str) -> Value:
        """A property of the last event (ties: of the greatest event id); missing where that event has none."""
        return self._aggregate("latest", of)

    def active(self, unit: str) -> Value:
        """On how many different local days, ISO weeks or months there were events: `active("day" | "week" | "month")`."""
        measures: dict[str, nodes.Measure] = {"day": "days", "week": "weeks", "month": "months"}
        if unit not in measures:
            raise unknown("unit", str(unit), measures)
        return self._aggregate(measures[unit])

    def _aggregate(self, measure: nodes.Measure, of: str | None = None) -> Value:
        return Value(nodes.Aggregate(measure, self.node, of))

    def _windowed(self, span: nodes.Span) -> EventStream:
        if self.node.span is not None:
            raise DefinitionError(f"{self!r:.80} already has a window", fix="keep one of them")
        return EventStream(replace(self.node, span=span))

    def _not_a_condition(self, *_: object) -> NoReturn:
        raise DefinitionError(
            f"{self!r:.80} is a stream of events, not a condition",
            fix="take an aggregate: .any(), .count() >= 5, .sum('amount') > 100",
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _not_a_condition
    __and__ = __or__ = __rand__ = __ror__ = __invert__ = __sub__ = __rsub__ = __bool__ = _not_a_condition
    __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _not_a_condition

    def __repr__(self) -> str:
        return spell(self.node)


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
    """
    return Value(nodes.Word(name, measure), 1)


F = Names(field)
E = Names(event)
TODAY = Value(nodes.Today(), 1)
NOW = Value(nodes.Now(), 1)


def minutes(amount: int) -> Value:
    """A length of time in minutes."""
    return Value(nodes.Duration(amount, "minutes"), 1)


def hours(amount: int) -> Value:
    """A length of time in hours."""
    return Value(nodes.Duration(amount, "hours"), 1)


def days(amount: int) -> Value:
    """A length of time in days: 24 hours next to a timestamp, calendar days next to a date.

    >>> F.last_activity > TODAY - days(30)
    F.last_activity > TODAY - days(30)
    """
    return Value(nodes.Duration(amount, "days"), 1)


def weeks(amount: int) -> Value:
    """A length of time in weeks of 7 days."""
    return Value(nodes.Duration(amount, "weeks"), 1)


def months(amount: int) -> Value:
    """A number of calendar months; 31 March - 1 month is the last day of February."""
    return Value(nodes.Duration(amount, "months"), 1)


def years(amount: int) -> Value:
    """A number of calendar years."""
    return Value(nodes.Duration(amount, "years"), 1)


def per(amount: int | float, unit: nodes.RateUnit) -> Value:
    """A rate to compare a field with: `F.purchase_frequency > per(5, "year")`."""
    if unit not in ("day", "week", "month", "year"):
        raise unknown("unit", str(unit), ("day", "week", "month", "year"))
    return Value(nodes.Rate(amount, unit), 1)


def constant(value: Any) -> Value:
    """A constant on the left of an operator: `constant(100) - F.score`."""
    return Value(literal(value), 1)


def everyone() -> Predicate:
    """Every contact; `~everyone()` is nobody."""
    return Predicate(nodes.Everyone(), 1)


def in_list(name: str) -> Predicate:
    """On the static list of that name."""
    return Predicate(nodes.InList(name), 1)


def in_segment(name: str) -> Predicate:
    """In another segment, looked up by name when the definition is used."""
    return Predicate(nodes.InSegment(name), 1)


def in_group(name: str) -> Predicate:
    """On the static list or in the segment of that name, whichever there is; both or none is refused when it is used.

    What the text language reads in `Send to: "All Subscribers"`.
    """
    return Predicate(nodes.InGroup(name), 1)


def sample(*, percent: float, seed: str = "") -> Predicate:
    """A stable random sample of the contacts: the same ones on every day and every engine.

    A contact is in when the MD5 of the seed and its key lies below a threshold, so samples with one seed are nested:
    the 10 percent are among the 20 percent.

    >>> sample(percent=10, seed="launch")
    sample(percent=10, seed='launch')
    """
    return Predicate(nodes.Sample(percent, seed), 1)


def raw_sql(sql: str, *, dialect: str) -> Predicate:
    """A condition as SQL over the contact's columns: the escape hatch. It is parsed in its dialect and transpiled.

    `matches` refuses it, and so does anything that reads other tables, writes, or asks the clock.

    >>> raw_sql("levenshtein(first_name, last_name) < 2", dialect="duckdb")
    raw_sql('levenshtein(first_name, last_name) < 2', dialect='duckdb')
    """
    return Predicate(nodes.RawSql(sql, dialect), 1)


def all_of(*conditions: Predicate) -> Predicate:
    """A group whose conditions must all hold; unlike `&` it keeps groups inside it as they are."""
    return _group(nodes.And, conditions)


def any_of(*conditions: Predicate) -> Predicate:
    """A group of which at least one condition must hold; unlike `|` it keeps groups inside it as they are."""
    return _group(nodes.Or, conditions)


# ---------------------------------------------------------------- from Python values to nodes


def _group(kind: type[nodes.And] | type[nodes.Or], conditions: Sequence[Predicate]) -> Predicate:
    items = tuple(_predicate_node(c) for c in conditions)
    return Predicate(kind(items), 1 + max(c._depth for c in conditions))


def _joined(kind: type[nodes.And] | type[nodes.Or], left: Predicate, right: Predicate) -> Predicate:
    if isinstance(left.node, kind):
        return Predicate(kind((*left.node.items, right.node)), max(left._depth, right._depth + 1))
    return Predicate(kind((left.node, right.node)), 1 + max(left._depth, right._depth))


def _refused(other: object) -> Any:
    """Leaves the operation to a class that knows predicates (a segment), and refuses all others by name."""
    if isinstance(getattr(other, "where", None), Predicate):
        return NotImplemented
    return not_a_predicate(other)


def not_a_predicate(other: object) -> NoReturn:
    if isinstance(other, Value | EventStream):
        other._not_a_condition()
    raise DefinitionError(f"{other!r:.80} is not a condition", fix="put each comparison in parentheses: (F.a > 1) & (F.b == 2)")


def _predicate_node(condition: object) -> nodes.Predicate:
    return condition.node if isinstance(condition, Predicate) else not_a_predicate(condition)


def _node(value: object) -> nodes.Value:
    match value:
        case Value():
            return value.node
        case Predicate():
            raise DefinitionError(
                f"{value!r:.80} is a condition, not a value", fix="compare values, combine conditions with & | ~"
            )
        case EventStream():
            value._not_a_condition()
        case dt.timedelta():
            return _timedelta(value)
    return literal(value)


def _option(option: object) -> nodes.Literal:
    if option is None:
        raise DefinitionError("None in a list of options", fix="add | x.is_missing() to include missing values")
    if isinstance(option, Value | Predicate | EventStream):
        raise DefinitionError(f"{option!r:.80} in a list of options", fix="options are constants; use == and | for the rest")
    return literal(option)


def _arithmetic(op: Any, left: object, right: object) -> Value:
    node = nodes.Arithmetic(op, _node(left), _node(right))
    return Value(node, 1 + max(v._depth if isinstance(v, Value) else 1 for v in (left, right)))


def _timedelta(length: dt.timedelta) -> nodes.Duration:
    whole_minutes, rest = divmod(length, dt.timedelta(minutes=1))
    if rest:
        raise DefinitionError(f"{length!r} is finer than a minute", fix="use whole minutes")
    if whole_minutes % 1440 == 0:
        return nodes.Duration(whole_minutes // 1440, "days")
    if whole_minutes % 60 == 0:
        return nodes.Duration(whole_minutes // 60, "hours")
    return nodes.Duration(whole_minutes, "minutes")


def _duration(method: str, length: object, units: Mapping[str, Any]) -> nodes.Duration:
    if length is None:
        unit, amount = _one_unit(method, units)
        return nodes.Duration(amount, unit)
    node = length.node if isinstance(length, Value) else _timedelta(length) if isinstance(length, dt.timedelta) else None
    if units or not isinstance(node, nodes.Duration):
        raise DefinitionError(f"{method} needs one length of time, not {length!r:.60}", fix=f"write {method}(days=30)")
    return node


def _between(older: object, newer: object, units: Mapping[str, Any]) -> nodes.Between:
    if older is not None or newer is not None:
        return nodes.Between(_duration("window", older, units), _duration("window", newer, units))
    unit, ends = _one_unit("window", units)
    if not isinstance(ends, tuple | list) or len(ends) != 2:
        raise DefinitionError(f"window needs two distances, not {ends!r:.60}", fix=f"write window({unit}=(90, 30))")
    return nodes.Between(nodes.Duration(ends[0], unit), nodes.Duration(ends[1], unit))


def _period(unit: nodes.PeriodUnit, shift: int) -> nodes.Period:
    if unit not in get_args(nodes.PeriodUnit):
        raise unknown("unit", str(unit), get_args(nodes.PeriodUnit))
    return nodes.Period(unit, shift)


_STEP = re.compile(r'"([^"]+)"|\[(\d{1,9})\]|([^."\[\]]+)')


def steps_of(path: object) -> tuple[str | int, ...]:
    """The steps of a path in text: keys between dots, positions in brackets, keys with dots in double quotes.

    >>> steps_of('items[0]."a.b"')
    ('items', 0, 'a.b')
    """
    if isinstance(path, int) and not isinstance(path, bool):
        return (path,)
    text = nodes.checked_text(path, "path")
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise DefinitionError(f"{text!r:.80} is no path", fix='write it like address.city or items[0], odd keys in "..."')
        quoted, index, plain = match.groups()
        steps.append(int(index) if index else quoted or plain)
        position = match.end()
        if position < len(text) and text[position] != "[":
            if text[position] != "." or position + 1 == len(text):
                raise DefinitionError(f"{text!r:.80} is no path", fix="put one dot between two keys")
            position += 1
    return tuple(steps)


def _one_unit(method: str, units: Mapping[str, Any]) -> tuple[nodes.Unit, Any]:
    for unit in units:
        if unit not in _UNITS:
            raise unknown("unit", unit, _UNITS)
    if len(units) != 1:
        raise DefinitionError(f"{method} needs one length of time, not {len(units)}", fix=f"write {method}(days=30)")
    return next(iter(units.items()))  # type: ignore[return-value]
