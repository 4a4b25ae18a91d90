"""What the log says: what is tracked, by which definitions, who was a member when."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segkit import codec, nodes
from segkit.tracking import numbers
from segkit.tracking.log import Entry, Log, Part

if TYPE_CHECKING:
    import numpy as np

TRACK, UNTRACK, REFRESH, SUMMARY = "track", "untrack", "refresh", "summary"
_SUMMARY_AFTER = 64
"""So many entries after which one sums up what they and those before said."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Alerts:
    """When the size of a segment needs a look: too few members, too many, or too large a share of them came and went."""

    at_least: int | None = None
    at_most: int | None = None
    moved: float | None = None


@dataclass(frozen=True)
class Tracked:
    """A segment that is tracked."""

    definition: nodes.Definition
    alerts: Alerts


@dataclass(frozen=True)
class Version:
    """What a segment meant from an instant on: `text` is its definition with all that it refers to."""

    number: int
    since: int
    text: str


@dataclass(frozen=True)
class Tally:
    """How many came and went at an instant, by a version of a segment; unknown at the first one."""

    at: int
    version: int
    size: int
    entered: int | None
    exited: int | None


@dataclass(frozen=True)
class Change(Tally):
    """Who came and went: `part` holds both sets, and all members where `is_whole`."""

    part: Part
    is_whole: bool


@dataclass(frozen=True)
class Look:
    """An instant at which segments were refreshed: those that were tracked, without some."""

    at: int
    tracked: frozenset[str]
    without: frozenset[str]

    def covers(self, name: str) -> bool:
        """Whether a segment was refreshed."""
        return name not in self.without and name in self.tracked


@dataclass
class Ledger:
    """What a log says up to its last entry. `forms` is what is tracked as it was written, which few need to understand."""

    forms: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, list[Version]] = field(default_factory=dict)
    changes: dict[str, list[Change]] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    keys: list[Part] = field(default_factory=list)
    contacts: int = 0

    @functools.cached_property
    def tracked(self) -> dict[str, Tracked]:
        """What is tracked."""
        return {
            name: Tracked(definition(json.dumps(own["definition"])), Alerts(*own["alerts"])) for name, own in self.forms.items()
        }

    @property
    def latest(self) -> int | None:
        """The instant of the last refresh."""
        return self.looks[-1].at if self.looks else None

    def is_done(self, name: str, at: int) -> bool:
        """Whether a segment was refreshed at the last instant, and it is this one."""
        for look in reversed(self.looks):
            if look.at != at:
                return False
            if look.covers(name):
                return True
        return False

    def version(self, name: str) -> Version | None:
        """The last version of a segment, None if it was never refreshed."""
        known = self.versions.get(name)
        return known[-1] if known else None

    def last(self, name: str) -> Tally | None:
        """The last change of a segment, None if it was never refreshed."""
        known = self.changes.get(name)
        return known[-1] if known else None


def read(log: Log) -> Ledger:
    """All that a log says."""
    return _told(log, Ledger(), log.entries)


def latest(log: Log) -> Ledger:
    """What a log says of now: of each segment the changes since all its members were last written down, and the last looks."""
    begin = next((i for i, entry in reversed(list(enumerate(log.entries))) if entry.kind == SUMMARY), None)
    if begin is None:
        return _told(log, Ledger(), log.entries)
    return _told(log, _summed_up(log.body(log.entries[begin])), log.entries[begin + 1 :])


def _told(log: Log, own: Ledger, entries: Sequence[Entry]) -> Ledger:
    """A ledger, with what further entries say."""
    names = frozenset(own.forms)
    for entry in entries:
        match entry.kind:
            case "track":
                own.forms |= {each["definition"]["name"]: each for each in log.body(entry)["segments"]}
                names = frozenset(own.forms)
            case "untrack":
                for name in log.body(entry)["names"]:
                    del own.forms[name]
                names = frozenset(own.forms)
            case "refresh":
                _add_refresh(own, log.body(entry), names)
    return own


@functools.lru_cache(maxsize=4096)
def definition(text: str) -> nodes.Definition:
    """A definition that was written as JSON."""
    return codec.from_dict(json.loads(text))


def _add_refresh(own: Ledger, body: Any, names: frozenset[str]) -> None:
    at = body["at"]
    own.looks.append(Look(at, names, frozenset(body["without"])))
    if body["keys"]:
        own.keys.append(Part(*body["keys"]))
        own.contacts = body["contacts"]
    for name, text in body["versions"].items():
        known = own.versions.setdefault(name, [])
        known.append(Version(len(known) + 1, at, text))
    for name, row in body["changes"].items():
        own.changes.setdefault(name, []).append(_change(at, *row))


def _change(at: int, version: int, size: int, entered: Any, exited: Any, number: int, digest: str, is_whole: Any) -> Change:
    return Change(at, version, size, entered, exited, Part(number, digest), bool(is_whole))


# ---------------------------------------------------------------- summing up


def sum_up(log: Log, now: Ledger) -> None:
    """Adds the latest of a log as an entry, where the last such one lies far back: a refresh reads no further."""
    kinds = [entry.kind for entry in log.entries[-_SUMMARY_AFTER:]]
    if len(kinds) == _SUMMARY_AFTER and SUMMARY not in kinds:
        log.append(SUMMARY, _summary(now))


def _summary(own: Ledger) -> dict[str, Any]:
    return {
        "forms": list(own.forms.values()),
        "versions": {name: [[each.since, each.text] for each in known] for name, known in own.versions.items()},
        "changes": {name: [_row(each) for each in _recent(known)] for name, known in own.changes.items()},
        "looks": [[look.at, sorted(look.tracked), sorted(look.without)] for look in own.looks if look.at == own.latest],
        "keys": [[part.number, part.digest] for part in own.keys],
        "contacts": own.contacts,
    }


def _recent(changes: Sequence[Change]) -> Sequence[Change]:
    """The changes from the last one on that tells all members."""
    return changes[next(i for i in reversed(range(len(changes))) if tells_all(changes, i)) :]


def tells_all(changes: Sequence[Change], i: int) -> bool:
    """Whether all members can be told from a change alone: it holds them, or is the first one of its version."""
    return i == 0 or changes[i].is_whole or changes[i].version != changes[i - 1].version


def _row(own: Change) -> list[Any]:
    return [own.at, own.version, own.size, own.entered, own.exited, own.part.number, own.part.digest, own.is_whole]


def _summed_up(body: Any) -> Ledger:
    """The ledger that a summary tells."""
    return Ledger(
        {each["definition"]["name"]: each for each in body["forms"]},
        {name: [Version(i, *each) for i, each in enumerate(known, 1)] for name, known in body["versions"].items()},
        {name: [_change(*row) for row in known] for name, known in body["changes"].items()},
        [Look(at, frozenset(tracked), frozenset(without)) for at, tracked, without in body["looks"]],
        [Part(*each) for each in body["keys"]],
        body["contacts"],
    )


# ---------------------------------------------------------------- contacts


def keys(log: Log, own: Ledger) -> list[Any]:
    """The key of each contact, by its number."""
    return [key for part in own.keys for key in numbers.read(log.part(part))]


def of_version(own: Ledger, name: str, version: int) -> list[Change]:
    """The changes of a version of a segment."""
    return [change for change in own.changes.get(name, []) if change.version == version]


def state(log: Log, changes: Sequence[Change], contacts: int) -> np.ndarray:
    """Whether each contact is a member after some changes, the first of which is that of a version."""
    import numpy as np

    found = np.zeros(contacts, dtype=bool)
    begin = max((i for i, change in enumerate(changes) if change.is_whole), default=0)
    for i, change in enumerate(changes[begin:]):
        entered, exited, *whole = numbers.unpacked(log.part(change.part))
        if i == 0 and change.is_whole:
            found[whole[0]] = True
        else:
            found[entered] = True
            found[exited] = False
    return found


# ---------------------------------------------------------------- instants


def stamp(at: dt.datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // dt.timedelta(microseconds=1)


def instant(at: int) -> dt.datetime:
    """The instant of a stamp."""
    return _EPOCH + dt.timedelta(microseconds=at)


def in_zone(stamps: Iterable[int], zone: str) -> Any:
    """Stamps as a column of instants on a zone's clock."""
    import numpy as np
    import pandas as pd

    return pd.DatetimeIndex(np.array(list(stamps), dtype="datetime64[us]"), tz="UTC").tz_convert(zone)
