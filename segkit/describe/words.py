"""The smallest words: names, quoted values, numbers, lists, lengths and points of time. Hostile text stays text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TypeVar, assert_never
from zoneinfo import ZoneInfo

from segkit import nodes
from segkit.plan import clock
from segkit.plan.tree import Bounds

Item = TypeVar("Item")
LONGEST = 60
TOLD_OPTIONS = 8
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_GRAMMAR = frozenset(
    ("and", "or", "not", "no", "is", "are", "but", "nor", "either", "neither", "both", "who", "whose", "whom", "only", "than")
)


def seen(text: str, longest: int = LONGEST) -> str:
    """Text with every character that cannot be seen as `�`, cut where it is long.

    >>> seen("a\\nb" + 100 * "c", 5)
    'a�bcc... (103 characters)'
    """
    shown = "".join(character if character.isprintable() else "�" for character in text[:longest])
    return shown if len(text) <= longest else f"{shown}... ({len(text):,} characters)"


def quoted(text: str, longest: int = LONGEST) -> str:
    """Text in quotes, so that its blanks can be seen and it cannot be taken for the sentence around it.

    >>> print(quoted("USA "), quoted("it's"))
    'USA ' "it's"
    """
    shown = seen(text, longest)
    if "'" not in shown:
        return f"'{shown}'"
    if '"' in shown:
        shown = shown.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}"'


def name(text: str) -> str:
    """A name as words; one that is no plain name, or would read as grammar, in quotes.

    >>> print(name("total_spent"), name("x is 1 or y"))
    total spent 'x is 1 or y'
    """
    parts = text.split("_")
    plain = text.isidentifier() and text.isprintable() and len(text) <= LONGEST and all(parts)
    return " ".join(parts) if plain and _GRAMMAR.isdisjoint(map(str.lower, parts)) else quoted(text)


def number(value: int | float | Decimal) -> str:
    """A number as people write it, with its thousands apart from 10,000 on.

    >>> number(500.0), number(1990), number(10_000), number(Decimal("19.90"))
    ('500', '1990', '10,000', '19.90')
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    style = ("," if not -10_000 < value < 10_000 else "") + ("f" if isinstance(value, Decimal) else "")
    return format(value, style)


def counted(amount: int | float | Decimal, thing: str) -> str:
    """So many of a thing, given in the plural.

    >>> counted(1, "emails"), counted(5, "emails")
    ('1 email', '5 emails')
    """
    return f"{number(amount)} {singular(thing) if amount == 1 else thing}"


def more_conditions(amount: int, verb: str) -> str:
    """How many conditions are left out, and what they do.

    >>> more_conditions(1, "hold"), more_conditions(9_976, "hold")
    ('1 more condition holds', '9,976 more conditions hold')
    """
    return f"1 more condition {verb}s" if amount == 1 else f"{amount:,} more conditions {verb}"


def singular(thing: str) -> str:
    """A plural that ends with s, without it.

    >>> singular("events of any kind")
    'event of any kind'
    """
    rest = " of any kind" if thing.endswith(" of any kind") else ""
    return thing.removesuffix(rest).removesuffix("s") + rest


def listed(items: Sequence[str], conjunction: str) -> str:
    """`a`, `a and b`, `a, b and c`.

    >>> listed(["a", "b", "c"], "or")
    'a, b or c'
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def told(items: Sequence[Item]) -> tuple[Sequence[Item], list[str]]:
    """The items to tell, and how many are left out, in words: a long list is cut to its first three.

    >>> told(range(100))
    (range(0, 3), ['97 more'])
    """
    return (items, []) if len(items) <= TOLD_OPTIONS else (items[:3], [f"{len(items) - 3:,} more"])


def noted(text: str, notes: Iterable[str]) -> str:
    """Text with its notes in one pair of parentheses, or as it is if there are none.

    >>> noted("opened", ["a", "", "b"])
    'opened (a; b)'
    """
    inside = "; ".join(note for note in notes if note)
    return f"{text} ({inside})" if inside else text


def length(own: nodes.Duration) -> str:
    """`30 days`, `1 day`."""
    return counted(own.amount, own.unit)


def constant(own: nodes.Literal, zone: str) -> str:
    """A constant: text quoted, dates in long form, times on the wall clock of a zone."""
    match own.value:
        case "":
            return "'' (empty text)"
        case str() as text:
            return quoted(text)
        case bool() as truth:
            return "true" if truth else "false"
        case dt.datetime() as at:
            return instant(at, zone)
        case dt.date() as date:
            return day(date)
        case int() | float() | Decimal() as amount:
            return number(amount)
        case _:
            assert_never(own.value)


def day(date: dt.date) -> str:
    """`31 October 2025`."""
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def instant(at: dt.datetime, zone: str) -> str:
    """`31 October 2025 12:00`, on the wall clock of a zone; seconds only where there are some."""
    try:
        wall = clock.to_utc(at, zone).astimezone(ZoneInfo(zone))
    except OverflowError:
        wall = at
    time = wall.time()
    return f"{day(wall)} {time.isoformat() if time.second or time.microsecond else time.isoformat('minutes')}"


def bounds(own: Bounds, zone: str) -> str:
    """What lies between two points of time; of dates the first and the last that are in.

    >>> bounds(Bounds(dt.date(2025, 5, 31), False, dt.date(2025, 6, 30), True), "UTC")
    'from 1 June 2025 to 30 June 2025'
    """
    low, high = own.low, own.high
    if isinstance(low, dt.datetime) or isinstance(high, dt.datetime) or low is None or high is None:
        after = [] if low is None else [f"{'from' if own.low_in else 'after'} {_point(low, zone)}"]
        before = [] if high is None else [f"{'up to' if own.high_in else 'before'} {_point(high, zone)}"]
        return ", ".join(after + before)
    first = low if own.low_in else low + dt.timedelta(days=1)
    last = high if own.high_in else high - dt.timedelta(days=1)
    return day(first) if first == last else f"from {day(first)} to {day(last)}"


def _point(at: dt.date, zone: str) -> str:
    return instant(at, zone) if isinstance(at, dt.datetime) else day(at)
