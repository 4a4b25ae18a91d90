"""How segments overlap: each pair of them, and the exact regions that they divide the contacts into.

    plans  ->  one signature a contact, a bit a segment  ->  a row of bits for each segment, packed  ->  and, popcount  ->  pairs

An engine that hands over columns gives the signature of each contact; elsewhere the signatures are grouped where the data is,
and only those that occur come home, with how many contacts have each. The numbers are the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segkit import compile
from segkit.compile import Sql
from segkit.compile.signatures import BITS, COUNT, regions, signatures
from segkit.display import distinct
from segkit.engines import Engine, HandsOverColumns, Streams
from segkit.errors import DefinitionError
from segkit.metrics import label
from segkit.plan import Plan
from segkit.plan.tree import Condition
from segkit.rendering import render

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MOST = 500
"""How many segments may be laid over each other."""
COLUMNS = ("a", "b", "size_a", "size_b", "both", "share_of_a", "share_of_b", "jaccard")
_ROWS = 1 << 18
"""How many rows are looked at together: the bits of some dozens of segments stay in the caches near the processor."""


@dataclass(frozen=True)
class Signatures:
    """Which of `count` conditions hold: a row for each contact, or for each signature that occurs, with its `sizes`."""

    count: int
    numbers: tuple[np.ndarray, ...]
    sizes: np.ndarray | None = None

    def holds(self, i: int) -> np.ndarray:
        """Whether a condition holds, row by row."""
        column, place = divmod(i, BITS)
        bit = min(BITS, self.count - column * BITS) - 1 - place
        found: np.ndarray = self.numbers[column] & (1 << bit) != 0
        return found

    def of(self, rows: np.ndarray | slice) -> Signatures:
        """Some of the rows, each as one contact."""
        return Signatures(self.count, tuple(number[rows] for number in self.numbers))


# ---------------------------------------------------------------- asking


def by_region(engine: Engine, plans: Sequence[Plan], wanted: Sequence[Condition]) -> Signatures:
    """The signatures that occur, and how many contacts have each, grouped where the data is, in one query.

    Raises:
        DefinitionError: there are too many conditions for one query.
    """
    query = regions(plans, wanted)
    if not engine.limits.allow(*compile.extent(query)):
        raise DefinitionError("these conditions are too many for one query", fix="ask for fewer of them at a time")
    return _grouped(engine, query, len(wanted))


def _grouped(engine: Engine, query: Sql, count: int) -> Signatures:
    import numpy as np

    text = render(query, engine.renders_as)
    answer = engine.streamed(text) if isinstance(engine, Streams) else engine.frame(text)
    numbers = tuple(answer[name].to_numpy().astype(np.int64) for name in _names(count))
    return Signatures(count, numbers, answer[COUNT].to_numpy().astype(np.int64))


def _by_contact(engine: HandsOverColumns, query: Sql, count: int) -> Signatures:
    answer = engine.columns(render(query, engine.renders_as))
    return Signatures(count, tuple(answer[name] for name in _names(count)))


def _names(count: int) -> list[str]:
    return [f"bits_{i}" for i in range(-(-count // BITS))]


# ---------------------------------------------------------------- pairs


def overlap(engine: Engine, plans: Sequence[Plan]) -> pd.DataFrame:
    """How many contacts each two of some plans have in common.

    Returns:
        a, b, size_a, size_b, both, share_of_a, share_of_b, jaccard: a row for each pair, in the given order.

    Raises:
        DefinitionError: there are too many plans.
    """
    import numpy as np
    import pandas as pd

    both = _shared(engine, checked(plans)) if plans else np.zeros((0, 0), dtype=np.int64)
    labels = np.array(distinct(label(plan) for plan in plans), dtype=object)
    a, b = np.triu_indices(len(plans), 1)
    size_a, size_b, shared = both[a, a], both[b, b], both[a, b]
    shares = (_share(shared, of) for of in (size_a, size_b, size_a + size_b - shared))
    return pd.DataFrame(dict(zip(COLUMNS, (labels[a], labels[b], size_a, size_b, shared, *shares), strict=True)))


def checked(plans: Sequence[Plan]) -> Sequence[Plan]:
    """`plans` if they are not too many.

    Raises:
        DefinitionError: they are.
    """
    if len(plans) > MOST:
        raise DefinitionError(f"{len(plans):,} segments are too many", fix=f"lay at most {MOST} over each other at a time")
    return plans


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`, NaN of nothing."""
    import numpy as np

    shares = np.full(len(part), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares


def _shared(engine: Engine, plans: Sequence[Plan]) -> np.ndarray:
    """How many contacts each two plans share; with itself, a plan shares its members."""
    wanted = [plan.where for plan in plans]
    near = engine if isinstance(engine, HandsOverColumns) else None
    query = regions(plans, wanted) if near is None else signatures(plans, wanted)
    if len(plans) > 2 and not engine.limits.allow(*compile.extent(query)):
        return _shared_by_thirds(engine, plans)
    return pairs(_grouped(engine, query, len(plans)) if near is None else _by_contact(near, query, len(plans)))


def _shared_by_thirds(engine: Engine, plans: Sequence[Plan]) -> np.ndarray:
    """The same in several queries: each two plans stand together in two thirds of them."""
    import numpy as np

    thirds = np.array_split(np.arange(len(plans)), 3)
    both = np.zeros((len(plans), len(plans)), dtype=np.int64)
    for left_out in range(3):
        own = np.concatenate([third for i, third in enumerate(thirds) if i != left_out])
        both[np.ix_(own, own)] = _shared(engine, [plans[i] for i in own])
    return both


def pairs(own: Signatures) -> np.ndarray:
    """How many contacts each two conditions share, from signatures."""
    import numpy as np

    both = np.zeros((own.count, own.count), dtype=np.int64)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for weight, rows in _weighed(own):
            blocks = (rows.of(slice(start, start + _ROWS)) for start in range(0, len(rows.numbers[0]), _ROWS))
            for counts in threads.map(_shared_bits, blocks):
                both += weight * counts
    return both + np.triu(both, 1).T


def _shared_bits(own: Signatures) -> np.ndarray:
    """In how many rows each two conditions hold, on and above the diagonal."""
    import numpy as np

    packed = _packed(own)
    both = np.zeros((own.count, own.count), dtype=np.int64)
    for i in range(own.count):
        both[i, i:] = np.bitwise_count(packed[i:] & packed[i]).sum(axis=1, dtype=np.uint32)
    return both


def _weighed(own: Signatures) -> Iterator[tuple[int, Signatures]]:
    """Rows that each stand for as many contacts as their weight, without those where nothing holds.

    A row of a signature with a size stands once for each bit of its size.
    """
    import numpy as np

    is_any = np.any([number != 0 for number in own.numbers], axis=0)
    if own.sizes is None:
        yield 1, own.of(is_any)
        return
    for bit in range(int(own.sizes.max(initial=0)).bit_length()):
        yield 1 << bit, own.of(is_any & ((own.sizes >> bit) & 1 != 0))


def _packed(own: Signatures) -> np.ndarray:
    """A row of bits for each condition, in words of 64, the last one filled up with zeros."""
    import numpy as np

    words = -(-len(own.numbers[0]) // 64)
    packed = np.zeros((own.count, 8 * words), dtype=np.uint8)
    for column, number in enumerate(own.numbers):
        start, end = column * BITS, min((column + 1) * BITS, own.count)
        by_byte = np.ascontiguousarray(number.astype("<i8", copy=False).view(np.uint8).reshape(-1, 8).T)
        for place in range(end - start):
            bits = np.packbits(by_byte[place // 8] & np.uint8(1 << place % 8))
            packed[end - 1 - place, : len(bits)] = bits
    return packed.view(np.uint64)


# ---------------------------------------------------------------- regions


def intersections(engine: Engine, plans: Sequence[Plan]) -> pd.DataFrame:
    """The exact regions that some plans divide the contacts into, counted in one query.

    Returns:
        One boolean column a plan, then size, share: the largest region first, of equal ones those of earlier plans.

    Raises:
        DefinitionError: there are too many plans.
    """
    import numpy as np
    import pandas as pd

    _, _, *labels = distinct(["size", "share", *(label(plan) for plan in checked(plans))])
    if not plans:
        return pd.DataFrame({"size": pd.Series([], dtype="int64"), "share": pd.Series([], dtype="float64")})
    found = by_region(engine, plans, [plan.where for plan in plans])
    assert found.sizes is not None
    order = np.lexsort([*(-number for number in reversed(found.numbers)), -found.sizes])
    columns: Mapping[str, Any] = {name: found.holds(i)[order] for i, name in enumerate(labels)}
    sizes = found.sizes[order]
    return pd.DataFrame({**columns, "size": sizes, "share": sizes / max(1, sizes.sum())})
