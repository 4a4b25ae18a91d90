"""The tracked history as frames: sizes at each refresh, who came and went, and spells of membership."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.catalog import find
from segkit.measures.spells import Moves, paired
from segkit.tracking import ledger, log, numbers
from segkit.tracking.ledger import Change, Ledger
from segkit.tracking.log import Log

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

PRESENT, ENTERED, EXITED = "present", "entered", "exited"


def sizes(folder: Path, names: Iterable[str] | None, zone: str) -> pd.DataFrame:
    """A row for each segment and refresh. `Workspace.tracked_sizes` says what the columns mean."""
    import pandas as pd

    with log.reading(folder) as own:
        known = ledger.read(own)
    rows: list[tuple[Any, ...]] = []
    for name in _wanted(known, names):
        by_instant = {change.at: change for change in known.changes[name]}
        last: Change | None = None
        for look in known.looks:
            if look.covers(name):
                change = by_instant.get(look.at)
                last = change or last
                assert last is not None, "the first look is a change"
                moved = (change.entered, change.exited) if change is not None else (0, 0)
                rows.append((name, last.version, look.at, last.size, *moved))
    segment, version, at, size, entries, exits = zip(*rows, strict=True) if rows else ((),) * 6
    return pd.DataFrame(
        {
            "segment": pd.Series(segment, dtype=str),
            "version": pd.Series(version, dtype="int64"),
            "at": ledger.in_zone(at, zone),
            "size": pd.Series(size, dtype="int64"),
            "entries": pd.Series(entries, dtype="Int64"),
            "exits": pd.Series(exits, dtype="Int64"),
        }
    )


def moves(folder: Path, names: Iterable[str] | None, since: int | None, key: str, zone: str) -> pd.DataFrame:
    """A row for each coming and going. `Workspace.tracked_moves` says what the columns mean."""
    import numpy as np
    import pandas as pd

    with log.reading(folder) as own:
        known = ledger.read(own)
        keys = _keys(own, known)
        parts = [
            (name, change.version, change.at, np.sort(keys[some]), move)
            for name in _wanted(known, names)
            for change, come, gone, is_first in _moved(own, known, name, _later_than(known, since))
            for some, move in ((come, PRESENT if is_first else ENTERED), (gone, EXITED))
            if len(some)
        ]
    lengths = [len(some) for _, _, _, some, _ in parts]
    return pd.DataFrame(
        {
            "segment": _repeated([own[0] for own in parts], lengths, "str"),
            "version": _repeated([own[1] for own in parts], lengths, "int64"),
            "at": ledger.in_zone([own[2] for own in parts], zone).repeat(lengths),
            key: _joined([own[3] for own in parts], keys),
            "move": _repeated([own[4] for own in parts], lengths, "str"),
        }
    )


def _later_than(known: Ledger, since: int | None) -> Callable[[Change], bool]:
    """Whether a change is to be told: those after an instant, or those of the last refresh."""
    if since is not None:
        return lambda change: change.at > since
    return lambda change: change.at == known.latest


def _moved(
    own: Log, known: Ledger, name: str, is_told: Callable[[Change], bool]
) -> Iterator[tuple[Change, np.ndarray, np.ndarray, bool]]:
    """Who came and went at each change, also from one version to the next."""
    import numpy as np

    for change in known.changes[name]:
        if not is_told(change):
            continue
        come, gone, *_ = numbers.unpacked(own.part(change.part))
        versions = known.versions[name]
        is_begin = versions[change.version - 1].since == change.at
        if is_begin and change.version > 1:
            were = ledger.state(own, ledger.of_version(known, name, change.version - 1), known.contacts)
            are = numbers.truths(come, known.contacts)
            come, gone = np.flatnonzero(are & ~were), np.flatnonzero(were & ~are)
        yield change, come, gone, is_begin and change.version == 1


def spells(folder: Path, names: Iterable[str] | None, key: str, zone: str) -> pd.DataFrame:
    """A row for each spell of membership. `Workspace.tracked_spells` says what the columns mean."""
    import numpy as np
    import pandas as pd

    with log.reading(folder) as own:
        known = ledger.read(own)
        keys = _keys(own, known)
        parts = [
            (name, version.number, *_spells(own, known, name, version.number, keys))
            for name in _wanted(known, names)
            for version in known.versions[name]
        ]
    lengths = [len(contact) for _, _, contact, _, _ in parts]
    entered = np.concatenate([own[3] for own in parts]) if parts else np.array([], dtype="datetime64[us]")
    exited = np.concatenate([own[4] for own in parts]) if parts else np.array([], dtype="datetime64[us]")
    begins = np.array([known.versions[name][version - 1].since for name, version, *_ in parts], dtype="datetime64[us]")
    return pd.DataFrame(
        {
            "segment": _repeated([own[0] for own in parts], lengths, "str"),
            "version": _repeated([own[1] for own in parts], lengths, "int64"),
            key: _joined([own[2] for own in parts], keys),
            "entered_at": pd.DatetimeIndex(entered, tz="UTC").tz_convert(zone),
            "exited_at": pd.DatetimeIndex(exited, tz="UTC").tz_convert(zone),
            "already_in": entered == np.repeat(begins, lengths),
        }
    )


def _spells(own: Log, known: Ledger, name: str, version: int, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Key, and times of entry and exit, of each spell, by key and time. What a version leaves open, the next one ends."""
    import numpy as np

    changes = ledger.of_version(known, name, version)
    contacts, indexes, signs = [], [], []
    for i, change in enumerate(changes):
        come, gone, *_ = numbers.unpacked(own.part(change.part))
        contacts += [come, gone]
        indexes.append(np.full(len(come) + len(gone), i))
        signs.append(np.repeat([1, -1], [len(come), len(gone)]))
    found = Moves(keys[np.concatenate(contacts)], np.concatenate(indexes), np.concatenate(signs))
    contact, entered, left = paired(found, len(changes))
    later = [own.since for own in known.versions[name] if own.number == version + 1]
    end = np.array(later, dtype="datetime64[us]") if later else np.array(["NaT"], dtype="datetime64[us]")
    times = np.concatenate([np.array([change.at for change in changes], dtype="datetime64[us]"), end])
    return contact.to_numpy(), times[entered], times[left]


def _keys(own: Log, known: Ledger) -> np.ndarray:
    import numpy as np

    keys = ledger.keys(own, known)
    return np.array(keys, dtype=object if keys and isinstance(keys[0], str) else np.int64)


def _wanted(known: Ledger, names: Iterable[str] | None) -> list[str]:
    return wanted(known.changes, known.forms, names)


def wanted(seen: Mapping[str, object], tracked: Mapping[str, object], names: Iterable[str] | None) -> list[str]:
    """Segments that were refreshed, in the order in which they first were; or those of some names.

    Raises:
        DefinitionError: a name was never tracked.
    """
    if names is None:
        return list(seen)
    return [own for own in (find("tracked segment", name, {**seen, **tracked}) for name in names) if own in seen]


def _repeated(values: list[Any], lengths: list[int], kind: str) -> Any:
    import numpy as np
    import pandas as pd

    return pd.Series(np.repeat(np.array(values, dtype=object), lengths), dtype=kind)


def _joined(parts: list[np.ndarray], like: np.ndarray) -> Any:
    import numpy as np
    import pandas as pd

    return pd.Series(np.concatenate(parts) if parts else like[:0])
