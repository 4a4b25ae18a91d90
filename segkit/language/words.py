"""The words of the language that are no syntax: units, verbs and their nouns, NULL, everyone."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import get_args

from segkit import nodes
from segkit.catalog import VERBS, Verb
from segkit.errors import nearest
from segkit.language.terms import Name, Quantity, Refusal, made

NULLS = ("null", "missing")
_UNITS: dict[str, nodes.Unit] = {spelling: unit for unit in get_args(nodes.Unit) for spelling in (unit, unit.removesuffix("s"))}
RATES: dict[str, nodes.RateUnit] = {unit: unit for unit in get_args(nodes.RateUnit)}
CONSTANTS = ("today", "now", "true", "false")
KEYWORDS = frozenset((
    "and", "or", "not", "in", "is", "on", "between", "contains", "starts", "ends", "matches", "ignoring", "where", "within",
    "then", "except", "exclude", "ago", "of", "top", "sample", "seed", "percent", "last", "next", "this", "previously", "never",
    "list", "segment", "group", "text", "date", "timestamp", "decimal",
))  # fmt: skip


def everyone(name: str) -> bool:
    """Whether a name stands for every contact."""
    return " ".join(name.lower().split()) in ("everyone", "all contacts")


def unit(word: str) -> nodes.Unit | None:
    """The unit of time a word is, in any case, one or many.

    >>> unit("Day")
    'days'
    """
    return _UNITS.get(word.lower())


def rate_unit(word: str) -> nodes.RateUnit | None:
    """The unit of a rate that a word is, in any case, one or many.

    >>> rate_unit("Years")
    'year'
    """
    return RATES.get(word.lower().removesuffix("s"))


def length(quantity: Quantity) -> nodes.Duration:
    """A quantity as a length of time."""
    found = unit(quantity.word)
    if found is None:
        close = nearest(quantity.word[:50], get_args(nodes.Unit))
        known = ", ".join(get_args(nodes.Unit))
        fix = f"did you mean {close[0]!r}? units are {known}" if close else f"units are {known}"
        raise Refusal(quantity.at, f"unknown unit {quantity.word!r:.60}", fix)
    return made(quantity.at, nodes.Duration, quantity.amount, found)


def verb(name: Name) -> Verb | None:
    """The verb a bare name is, in any case."""
    return None if name.quoted else VERBS.get(name.text.lower())


def noun(name: Name, quantity: Quantity) -> str | None:
    """What is counted, for the catalog to check; None for `times` and for a noun that a known verb has."""
    word = quantity.word.lower()
    if unit(word) is not None:
        fix = f"write {name.text:.60} ON >= 3 days to count days, or leave the unit out"
        raise Refusal(quantity.at, f"a number of events has no unit such as {quantity.word!r}", fix)
    own = verb(name)
    if own is None:
        if get_close_matches(word[:50], _UNITS, cutoff=0.75):
            length(quantity)  # refuses it as a unit
        return None if word in ("times", "time") else quantity.word
    known = (*own.nouns, "times")
    if word in known or f"{word}s" in known:
        return None
    close = nearest(word[:50], known)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise Refusal(quantity.at, f"{name.text} counts no {quantity.word!r:.60}", f"{hint}{name.text} counts {' or '.join(known)}")


def unquoted(token: str) -> str:
    """The text in quotes or backticks: a closing quote in it is written twice.

    >>> unquoted("'it''s'")
    "it's"
    """
    close = token[-1]
    return token[1:-1].replace(close * 2, close)


def plain_number(token: str) -> int | float:
    """A number as written: with a point or an exponent it is a float.

    >>> plain_number("1_000")
    1000
    """
    digits = token.replace("_", "")
    return int(digits) if digits.isdigit() else float(digits)


def is_bare(name: str) -> bool:
    """Whether a field of that name can be written without backticks."""
    reserved = name.lower() in KEYWORDS or name.lower() in (*NULLS, *CONSTANTS, *_UNITS, *RATES, *VERBS) or everyone(name)
    return re.fullmatch(r"[^\W\d]\w*", name) is not None and not reserved
