"""Values of a contact, compared and reckoned with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from segkit import nodes
from segkit.builder.paths import steps_of
from segkit.builder.predicate import Predicate, Unfinished, no_truth_value, predicate_node
from segkit.builder.spans import distances, duration, length_of, period
from segkit.errors import DefinitionError
from segkit.nodes import check_depth, literal
from segkit.operators import between, equals, not_equals
from segkit.spelling import spell


class Value(Unfinished):
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
        return self._predicate(equals(self.node, None if other is None else value_node(other)), other)

    def __ne__(self, other: object) -> Predicate:  # type: ignore[override]
        return self._predicate(not_equals(self.node, None if other is None else value_node(other)), other)

    def __lt__(self, other: object) -> Predicate:
        return self._predicate(nodes.Compare("<", self.node, value_node(other)), other)

    def __le__(self, other: object) -> Predicate:
        return self._predicate(nodes.Compare("<=", self.node, value_node(other)), other)

    def __gt__(self, other: object) -> Predicate:
        return self._predicate(nodes.Compare(">", self.node, value_node(other)), other)

    def __ge__(self, other: object) -> Predicate:
        return self._predicate(nodes.Compare(">=", self.node, value_node(other)), other)

    def is_in(self, options: Iterable[Any]) -> Predicate:
        """One of the options; an empty list holds nobody.

        >>> from segkit import F
        >>> F.state.is_in(["CA", "NY"])
        F.state.is_in(['CA', 'NY'])
        """
        if isinstance(options, str | Value | Predicate) or not isinstance(options, Iterable):
            raise DefinitionError(f"is_in needs a list, not {options!r:.60}", fix="write .is_in([...])")
        return self._predicate(nodes.OneOf(self.node, tuple(_option(option) for option in options)))

    def between(self, low: Any, high: Any) -> Predicate:
        """From `low` to `high`, both included."""
        return self._predicate(between(self.node, value_node(low), value_node(high)), low, high)

    def is_missing(self) -> Predicate:
        """Has no value. Empty text is a value.

        >>> from segkit import F
        >>> F.last_purchase == None
        F.last_purchase.is_missing()
        """
        return self._predicate(nodes.Missing(self.node))

    # text
    def contains(self, text: str | Value, *, ignore_case: bool = False) -> Predicate:
        """Holds exactly these characters somewhere; `%` and `_` mean themselves. `ignore_case` folds ASCII letters.

        The characters may be another value: every known text holds an empty one, none holds a missing one.

        >>> from segkit import F
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

        >>> from segkit import F
        >>> F.last_purchase.within(days=30)
        F.last_purchase.within(days=30)
        """
        return self._during(nodes.Last(duration("within", length, units), edge))

    def window(self, older: Value | None = None, newer: Value | None = None, **units: tuple[int, int]) -> Predicate:
        """Between two distances ago: `window(days=(90, 30))` is from 90 days ago, not in, to 30 days ago, in."""
        return self._during(distances(older, newer, units))

    def older_than(self, length: Value | dt.timedelta | None = None, *, edge: bool = False, **units: int) -> Predicate:
        """Longer ago than that: `t < now - 30 x 24 h`; with `edge`, `<=`. A missing value is not in."""
        return self._during(nodes.Before(duration("older_than", length, units), edge))

    def in_next(self, length: Value | dt.timedelta | None = None, **units: int) -> Predicate:
        """Ahead, at most that far: `now < t <= now + 7 x 24 h`."""
        return self._during(nodes.Next(duration("in_next", length, units)))

    def in_period(self, unit: nodes.PeriodUnit, shift: int = 0) -> Predicate:
        """In a whole calendar period: this `day`, ISO `week`, `month`, `quarter` or `year`; `shift` -1 is the last one.

        >>> from segkit import F
        >>> F.last_purchase.in_period("month", -1)
        F.last_purchase.in_period('month', -1)
        """
        return self._during(period(unit, shift))

    def on(self, day: Any) -> Predicate:
        """On that day, from its midnight to the next in the workspace's time zone."""
        return self._predicate(nodes.During(self.node, nodes.OnDay(value_node(day))), day)

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

        >>> from segkit import F, TODAY
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

        >>> from segkit import F
        >>> F.total_spent.top(percent=10, of=F.country == "USA")
        F.total_spent.top(percent=10, of=F.country == 'USA')
        """
        node = nodes.Top(self.node, n, percent, None if of is None else predicate_node(of))
        return Predicate(node)

    def quantile(self, parts: int, *, of: Predicate | None = None) -> Value:
        """In which of `parts` equal groups the contact stands, 1 the lowest; missing outside of the population.

        As in SQL's NTILE: where the contacts do not divide evenly, the lower groups have one more.

        >>> from segkit import F
        >>> F.total_spent.quantile(5) == 5
        F.total_spent.quantile(5) == 5
        """
        return Value(nodes.Quantile(self.node, parts, None if of is None else predicate_node(of)))

    # values out of a value
    def json(self, *path: str | int) -> Value:
        """A property inside a JSON field, by the keys (and positions, from 0) that lead to it.

        One text with dots is a path, too; a key that itself holds a dot stands in double quotes.

        >>> from segkit import F
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

        >>> from segkit import F
        >>> F.tags.elements(F.element == "vip") >= 1
        F.tags.elements(F.element == 'vip') >= 1
        >>> F.props.json("orders").elements(F.price > 100) / F.props.json("orders").elements() >= 0.5
        F.props.json('orders').elements(F.price > 100) / F.props.json('orders').elements() >= 0.5
        """
        where = None if condition is None else predicate_node(condition)
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

        >>> from segkit import F
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
        return Value(nodes.Function(name, (self.node, *map(value_node, others))))

    def _during(self, span: nodes.Span) -> Predicate:
        return Predicate(nodes.During(self.node, span), self._depth + 2)

    def _predicate(self, node: nodes.Predicate, *others: object) -> Predicate:
        deepest = max([self._depth, *(o._depth for o in others if isinstance(o, Value))])
        return Predicate(node, deepest + 2)


def _option(option: object) -> nodes.Literal:
    if option is None:
        raise DefinitionError("None in a list of options", fix="add | x.is_missing() to include missing values")
    if isinstance(option, Predicate | Unfinished):
        raise DefinitionError(f"{option!r:.80} in a list of options", fix="options are constants; use == and | for the rest")
    return literal(option)


def _arithmetic(op: Any, left: object, right: object) -> Value:
    node = nodes.Arithmetic(op, value_node(left), value_node(right))
    return Value(node, 1 + max(v._depth if isinstance(v, Value) else 1 for v in (left, right)))


def value_node(value: object) -> nodes.Value:
    match value:
        case Value():
            return value.node
        case Predicate():
            raise DefinitionError(
                f"{value!r:.80} is a condition, not a value", fix="compare values, combine conditions with & | ~"
            )
        case Unfinished():
            value._not_a_condition()
        case dt.timedelta():
            return length_of(value)
    return literal(value)
