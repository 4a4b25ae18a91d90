"""Contacts as numbers, in the order in which they were first seen; sets of them as bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from segkit.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_WIDTHS = ("u1", "u2", "u4", "u8")


class Numbering:
    """Which number a contact's key has; one that is not known gets the next."""

    def __init__(self, keys: Sequence[int] | Sequence[str]) -> None:
        self._index = _index(keys)

    @property
    def count(self) -> int:
        """How many contacts have a number."""
        return len(self._index)

    def of(self, keys: Any) -> np.ndarray:
        """The numbers of some different contacts.

        Raises:
            DataError: the keys are neither whole numbers nor text, or not what those before them were.
        """
        import pandas as pd

        wanted = _index(_plain(keys))
        if len(wanted) and len(self._index) and (wanted.dtype == object) != (self._index.dtype == object):
            kinds = ("text", "whole numbers") if self._index.dtype == object else ("whole numbers", "text")
            raise DataError(
                f"the contacts' keys were {kinds[0]} at the last refresh, and are {kinds[1]} now",
                fix="name the same key in the catalog, or use another home",
            )
        found = self._index.get_indexer(wanted) if len(self._index) else pd.Index([]).get_indexer(wanted)
        if (found < 0).any():
            new = wanted[found < 0].sort_values()
            self._index = self._index.append(new) if len(self._index) else new
            found = self._index.get_indexer(wanted)
        return found

    def keys(self, start: int = 0) -> list[Any]:
        """The keys of the contacts from a number on."""
        return list(self._index[start:].tolist())

    def keys_of(self, numbers: np.ndarray) -> list[Any]:
        """The keys of some contacts, sorted."""
        return sorted(self._index[numbers].tolist())


def _index(keys: Any) -> pd.Index[Any]:
    import numpy as np
    import pandas as pd

    is_text = keys.dtype == object if isinstance(keys, np.ndarray) else len(keys) > 0 and isinstance(keys[0], str)
    own: pd.Index[Any] = pd.Index(keys, dtype=object if is_text else np.int64)
    return own


def _plain(keys: Any) -> np.ndarray:
    """Keys as whole numbers or text."""
    import numpy as np

    own = np.asarray(keys)
    if own.dtype.kind in "iu" and (not len(own) or own.max() < 2**63):
        return own.astype(np.int64)
    if own.dtype.kind == "U":
        return own.astype(object)
    if own.dtype == object:
        types = {type(key) for key in own}
        if types <= {int} and all(-(2**63) <= key < 2**63 for key in own):
            return own.astype(np.int64)
        if types <= {str, UUID}:
            return np.array([str(key) for key in own], dtype=object)
    example = own[0] if len(own) else None
    raise DataError(
        f"the contacts' key {example!r:.60} is a {type(example).__name__}",
        fix="track contacts whose key is text or a whole number of 64 bits",
    )


def written(keys: Iterable[Any]) -> bytes:
    """Keys as bytes."""
    return json.dumps(list(keys), separators=(",", ":")).encode()


def read(own: bytes) -> list[Any]:
    """Keys of bytes."""
    return list(json.loads(own))


def truths(own: np.ndarray, contacts: int) -> np.ndarray:
    """Whether each of so many contacts is in a set.

    >>> import numpy as np
    >>> truths(np.array([0, 2]), 3).tolist()
    [True, False, True]
    """
    import numpy as np

    found = np.zeros(contacts, dtype=bool)
    found[own] = True
    return found


def packed(*sets: np.ndarray) -> bytes:
    """Sets of numbers, each ascending, as bytes.

    >>> import numpy as np
    >>> [own.tolist() for own in unpacked(packed(np.array([3, 4, 900]), np.array([], dtype=np.int64)))]
    [[3, 4, 900], []]
    """
    import numpy as np

    pieces = []
    for own in sets:
        steps = np.diff(own, prepend=-1) - 1
        width = next(name for name in _WIDTHS if int(steps.max(initial=0)) <= np.iinfo(name).max)
        pieces.append(len(own).to_bytes(8, "little") + width.encode() + steps.astype("<" + width).tobytes())
    return b"".join(pieces)


def unpacked(own: bytes) -> list[np.ndarray]:
    """The sets of numbers that bytes hold."""
    import numpy as np

    sets, at = [], 0
    while at < len(own):
        count, width = int.from_bytes(own[at : at + 8], "little"), own[at + 8 : at + 10].decode()
        end = at + 10 + count * int(width[1])
        steps = np.frombuffer(own[at + 10 : end], dtype="<" + width).astype(np.int64)
        sets.append(np.cumsum(steps + 1) - 1)
        at = end
    return sets
