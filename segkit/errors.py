"""One exception family: every refusal says what is wrong, where, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Self

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def _spelled(text: str) -> str:
    """A text that a terminal obeys in nothing: what it would take for a command is spelled out.

    >>> print(_spelled("fie\\x1b[2Jld"))
    fie\\x1b[2Jld
    """
    return _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


class SegkitError(Exception):
    """Root of everything segkit refuses.

    Args:
        what: what is wrong, in one line.
        fix: what to do about it.
        where: the place, such as a path into the definition (`$.conditions[3].value`).
    """

    def __init__(self, what: str, *, fix: str = "", where: str = "") -> None:
        super().__init__(what)
        self.what, self.fix, self.where = what, fix, where

    def __str__(self) -> str:
        where = f"\n  where: {self.where}" if self.where else ""
        fix = f"\n  fix: {self.fix}" if self.fix else ""
        return _spelled(self.what + where + fix)

    def under(self, step: str) -> Self:
        """The same error, its place prefixed by one step of the path to it."""
        self.where = step + self.where
        return self


class DefinitionError(SegkitError, ValueError):
    """A definition that means nothing, or names what does not exist."""


class UnknownName(DefinitionError):
    """A name of a field, an event, a list or a segment that does not exist."""


class CatalogError(SegkitError, ValueError):
    """A catalog that is malformed, or does not fit the tables of the connection."""


class DataError(SegkitError):
    """Data that would be counted wrongly, such as two contacts with one key."""


class EngineError(SegkitError):
    """A connection that cannot be opened or a query that the engine refused."""


class DialectError(SegkitError):
    """A condition that a dialect has no faithful SQL for, or a dialect that does not exist."""


class SegkitWarning(UserWarning):
    """An answer that needs a second look, such as an event name that was never recorded."""

    def __str__(self) -> str:
        return _spelled(super().__str__())


_LONGEST = 200  # longer names are no typing mistakes, and comparing them is slow


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known names most like `name`, best first, ignoring case.

    >>> nearest("Contry", ["opens", "country", "state"])
    ['country']
    """
    by_folded = {other.casefold(): other for other in known}
    return [by_folded[match] for match in get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.6)]


def unknown(what: str, name: str, known: Iterable[str]) -> UnknownName:
    """The error for a name that does not exist, with the nearest names that do.

    >>> print(unknown("field", "contry", ["country", "opens"]))
    unknown field 'contry'
      fix: did you mean 'country'?
    """
    names = sorted(set(known))
    close = nearest(name, names) if len(name) <= _LONGEST else []
    if close:
        fix = f"did you mean {' or '.join(f'{other!r:.80}' for other in close)}?"
    elif names:
        shown = ", ".join(f"{other:.80}" for other in names[:12]) + (", ..." if len(names) > 12 else "")
        fix = f"known: {shown}"
    else:
        fix = f"no {what} is known here; define it first"
    return UnknownName(f"unknown {what} {name!r:.80}", fix=fix)
