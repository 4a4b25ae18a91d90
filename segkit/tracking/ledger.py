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
from segkit.tracking.log import Log, Part

if TYPE_CHECKING:
    import numpy as np

TRACK, UNTRACK, REFRESH = "track", "untrack", "refresh"
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
    """The ledger of a log."""
    own, names = Ledger(), frozenset[str]()
    for entry in log.entries:
        body = entry.body
        match entry.kind:
            case "track":
                own.forms |= {each["definition"]["name"]: each for each in body["segments"]}
                names = frozenset(own.forms)
            case "untrack":
                for name in body["names"]:
                    del own.forms[name]
                names = frozenset(own.forms)
            case _:
                _add_refresh(own, body, names)
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
    for name, (version, size, entered, exited, number, digest, is_whole) in body["changes"].items():
        change = Change(at, version, size, entered, exited, Part(number, digest), bool(is_whole))
        own.changes.setdefault(name, []).append(change)


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
