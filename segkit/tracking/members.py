"""Who is a member of many plans at one instant: bits of the contacts that are members of any, for a hundred plans a query."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from segkit import compile
from segkit.compile.membership import KEY
from segkit.compile.signatures import BITS, members
from segkit.engines import Engine, HandsOverColumns, Streams
from segkit.engines.interrupt import CalledOff
from segkit.errors import DataError, SegkitError
from segkit.measures.overlap import Signatures
from segkit.measures.progress import shown
from segkit.plan import Plan
from segkit.rendering import render
from segkit.tracking import numbers

if TYPE_CHECKING:
    import numpy as np

_T = TypeVar("_T")
Query: TypeAlias = Callable[[Sequence[Plan]], compile.Query]
"""Asks for keys of contacts, at least of those that are members of any of some plans, and for bits that tell of which."""
AT_ONCE = 2 * BITS
"""How many plans are asked in one query, as far as the engine allows."""


@dataclass(frozen=True)
class Members:
    """Contacts of some segments, by numbers of one `numbering`, as bytes; and why others could not be asked."""

    numbering: numbers.Numbering
    found: Mapping[str, bytes]
    failed: Mapping[str, str]

    def of(self, name: str) -> np.ndarray:
        """The numbers of a segment's members, ascending."""
        [own] = numbers.unpacked(self.found[name])
        return own

    def renumbered(self, other: numbers.Numbering) -> Callable[[str], np.ndarray]:
        """What gives a segment's members by numbers of another numbering, in no order."""
        others = other.of(self.numbering.keys())

        def of(name: str) -> np.ndarray:
            found: np.ndarray = others[self.of(name)]
            return found

        return of


def asked(engine: Engine, plans: Mapping[str, Plan], numbering: numbers.Numbering, query: Query = members) -> Members:
    """The members of some segments. One that cannot be asked is left out, and the others are asked all the same.

    Raises:
        DataError: the contacts' keys cannot be kept.
    """
    import numpy as np

    found: dict[str, bytes] = {}
    failed: dict[str, str] = {}
    names = list(plans)
    parts = [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]
    for part in shown(parts, len(parts), "segments, a hundred at a time"):
        for some, answer in halved(part, lambda names: _answer(engine, [plans[name] for name in names], query)):
            if isinstance(answer, SegkitError):
                failed |= dict.fromkeys(some, str(answer))
                continue
            keys, bits = answer
            own = numbering.of(keys)
            for i, name in enumerate(some):
                found[name] = numbers.packed(np.sort(own[bits.holds(i)]))
    return Members(numbering, found, failed)


def halved(names: Sequence[str], ask: Callable[[Sequence[str]], _T | None]) -> Iterator[tuple[Sequence[str], _T | SegkitError]]:
    """What is answered of some names at once; of halves of them, where that is too much (None) or one of them is refused."""
    try:
        answer = ask(names)
        if answer is not None:
            yield names, answer
            return
    except CalledOff:
        raise
    except SegkitError as error:
        if len(names) == 1:
            yield names, error
            return
    half = len(names) // 2
    yield from halved(names[:half], ask)
    yield from halved(names[half:], ask)


def _answer(engine: Engine, plans: Sequence[Plan], query: Query) -> tuple[Any, Signatures] | None:
    """Keys and bits of some plans in one query, None where that is too large."""
    import numpy as np

    count, own = len(plans), query(plans)
    if count > 1 and not engine.limits.allow(*compile.extent(own)):
        return None
    text = render(own, engine.renders_as)
    if isinstance(engine, HandsOverColumns):
        answer: Any = engine.columns(text)
    else:
        answer = engine.streamed(text) if isinstance(engine, Streams) else engine.frame(text)
    bits = [np.asarray(answer[f"bits_{i}"]).astype(np.int64) for i in range(-(-count // BITS))]
    is_any = np.logical_or.reduce([each != 0 for each in bits])
    return _one_each(answer[KEY][is_any]), Signatures(count, tuple(each[is_any] for each in bits))


def _one_each(keys: Any) -> np.ndarray:
    """The keys of the contacts that were found.

    Raises:
        DataError: one is missing or found twice.
    """
    import numpy as np
    import pandas as pd

    own = pd.Index(np.asarray(keys))
    if np.ma.is_masked(keys) or own.hasnans or not own.is_unique:
        raise not_one_each()
    return np.asarray(keys)


def not_one_each() -> DataError:
    """The error for members that cannot be told apart."""
    fix = "keep one row a contact; who connects again is told which"
    return DataError("keys of contacts are missing or stand on more than one row", fix=fix)
