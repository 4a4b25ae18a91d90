"""What the data was like when segments were last refreshed, in a file beside the log: a cache, never the truth.

    tracking/seen    a line of JSON, then columns of numbers

It belongs to one entry of the log, by that entry's hash. Where it is missing, damaged, or of another refresh, all contacts are
looked at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segkit import store

if TYPE_CHECKING:
    import numpy as np

FILE = "seen"


@dataclass(frozen=True)
class Seen:
    """What the tables held as of an instant.

    `meaning` tells all that the sums depend on besides the data, `plans` what the segments that were evaluated on it were
    resolved to. A table's `sums` are those of the hashes of its rows, a number a bucket; `ends` are how many rows of it were
    numbered, where they are. `buckets` are those of the contacts in the order of their numbers, as far as they were needed.
    """

    meaning: str
    at: int
    plans: Mapping[str, str]
    sums: Mapping[str, np.ndarray]
    ends: Mapping[str, int]
    buckets: np.ndarray


def read(folder: Path, entry: bytes) -> Seen | None:
    """What was seen at the refresh of an entry, None where that is not known."""
    import numpy as np

    try:
        head, body = (folder / FILE).read_bytes().split(b"\n", 1)
        said = json.loads(head)
        if said["entry"] != entry.hex() or said["digest"] != _digest(said, body):
            return None
        numbers = [np.frombuffer(body, kind, count, start) for kind, count, start in said["columns"]]
        sums = dict(zip(said["tables"], numbers, strict=False))
        return Seen(said["meaning"], said["at"], said["plans"], sums, said["ends"], numbers[-1])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def write(folder: Path, own: Seen, entry: bytes) -> None:
    """Keeps what was seen at the refresh of an entry.

    Raises:
        SegkitError: the folder cannot be written to.
    """
    columns, start, places = [*own.sums.values(), own.buckets], 0, []
    for column in columns:
        places.append((column.dtype.str, len(column), start))
        start += column.nbytes
    body = b"".join(column.tobytes() for column in columns)
    said = {
        "entry": entry.hex(),
        "meaning": own.meaning,
        "at": own.at,
        "plans": dict(own.plans),
        "tables": list(own.sums),
        "ends": dict(own.ends),
        "columns": places,
    }
    head = json.dumps({**said, "digest": _digest(said, body)}, separators=(",", ":"))
    store.write_bytes(folder / FILE, head.encode() + b"\n" + body)


def _digest(said: Mapping[str, object], body: bytes) -> str:
    rest = {key: value for key, value in said.items() if key != "digest"}
    text = json.dumps(rest, separators=(",", ":"), sort_keys=True).encode()
    return hashlib.sha256(text + b"\n" + body).hexdigest()
