"""A refresh: who is a member now, against who was at the last one.

    tracked segments  ->  plans  ->  members, asked while nothing is locked  ->  differences, written in one transaction

Of an embedded database only the contacts that could have changed are asked for (`incremental`).

Whoever is slower than another refresh finds its entry in the log when it comes to write: of one instant nothing is written
twice, and of an earlier one nothing at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.errors import SegkitError
from segkit.plan import Plan
from segkit.tracking import deciding, incremental, ledger, log, members, numbers, seen
from segkit.tracking.deciding import FIRST, REFRESHED, WRITTEN, Hook, Row, Source, Wanted
from segkit.tracking.incremental import Before, Moves, is_possible
from segkit.tracking.ledger import Change, Ledger
from segkit.tracking.log import Log
from segkit.tracking.seen import Seen

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_WHOLE_AFTER = 64
"""So many changes after which all members are written down again: as many parts are read at most for a refresh."""
_MOST_TOLD = 10


@dataclass(frozen=True)
class _Moved:
    """What a segment's refresh comes to: its row, and what is written of it."""

    row: Row
    text: str | None
    entered: np.ndarray
    exited: np.ndarray
    whole: np.ndarray | None
    adds: np.ndarray
    removes: np.ndarray


@dataclass(frozen=True)
class _Answer:
    """What the data said: members; of segments of which some contacts were looked at how many, and why all were of others.

    `moves` are who came and went since the last refresh, where that is known already. `wrong` tells where looking at some gave
    other members than looking at all, which `members` are of. `seen` is what the tables held.
    """

    members: members.Members
    looked_at: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    moves: Mapping[str, Moves] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    seen: Seen | None = None


@dataclass(frozen=True)
class _Asked:
    """What was asked at an instant, the answer, and why some could not be asked."""

    at: int
    wanted: Wanted
    answer: _Answer
    failed: Mapping[str, str]


def refreshed(folder: Path, source: Source, at: dt.datetime, hook: Hook | None = None) -> pd.DataFrame:
    """Refreshes what is tracked, tells a hook of each segment that moved once all is written, and gives a frame.

    `Workspace.refresh` says what the columns mean.
    """
    before, asked = _asked(folder, source, at)
    with log.writing(folder) if asked.answer.members.found else log.reading(folder) as own:
        now = ledger.latest(own)
        numbering, moved = _compared(own, now, asked, before)
        written = frozenset(each.row.segment for each in moved if each.row.outcome in WRITTEN)
        if written:
            _write(own, now, asked.at, numbering, moved, written)
    if written and asked.answer.seen is not None:
        with suppress(SegkitError):  # without it the next refresh looks at all contacts
            digests = {name: incremental.written_out(asked.wanted.plans[name]) for name in written}
            seen.write(folder, replace(asked.answer.seen, plans=digests), own.entries[-1].hash)
    return deciding.frame([each.row if hook is None else _heard(hook, each, numbering) for each in moved], at)


def foreseen(folder: Path, source: Source, at: dt.datetime) -> pd.DataFrame:
    """What a refresh would tell. Nothing is written."""
    before, asked = _asked(folder, source, at)
    with log.reading(folder) as own:
        _, moved = _compared(own, ledger.latest(own), asked, before)
    return deciding.frame([each.row for each in moved], at)


# ---------------------------------------------------------------- asking


def _asked(folder: Path, source: Source, at: dt.datetime) -> tuple[Ledger, _Asked]:
    """Asks for the members of what is tracked and not done yet."""
    stamp = ledger.stamp(at)
    with log.reading(folder) as own:
        before = ledger.latest(own)
        wanted = deciding.wanted(before, at, source)
        numbering = numbers.Numbering(ledger.keys(own, before) if wanted.plans else [])
        last = _last(folder, own, before, source, wanted.texts) if wanted.plans and is_possible(source.engine) else None
    nobody = _Answer(members.Members(numbering, {}, {}))
    answer = _answer(source, wanted.plans, numbering, stamp, last) if wanted.plans else nobody
    return before, _Asked(stamp, wanted, answer, {**wanted.failed, **answer.members.failed})


def _last(folder: Path, own: Log, before: Ledger, source: Source, texts: Mapping[str, str]) -> Before | None:
    """What was seen at the last refresh, and how the segments were that can go on from there."""
    import numpy as np

    entry = next((entry for entry in reversed(own.entries) if entry.kind == ledger.REFRESH), None)
    known = None if entry is None else seen.read(folder, entry.hash)
    if known is None:
        return None
    plans, were = dict[str, Plan](), dict[str, np.ndarray]()
    for name, text in texts.items():
        version = before.version(name)
        if name not in known.plans or source.full or version is None or version.text != text:
            continue
        try:
            plan = source.planned(before.tracked[name], ledger.instant(known.at))
        except SegkitError:
            continue
        if incremental.written_out(plan) == known.plans[name]:
            changes = ledger.of_version(before, name, version.number)
            plans[name], were[name] = plan, np.flatnonzero(ledger.state(own, changes, before.contacts))
    return Before(known, plans, were)


def _answer(source: Source, plans: Mapping[str, Plan], numbering: numbers.Numbering, at: int, last: Before | None) -> _Answer:
    """The members of segments: among the contacts that could have changed where that is enough, else among all."""
    if not is_possible(source.engine):
        return _Answer(members.asked(source.engine, plans, numbering))
    now, some = incremental.asked(source.engine, plans, numbering, at, last)
    reasons = {} if source.full else some.reasons
    rest = {name: plan for name, plan in plans.items() if source.check or name not in some.members}
    every = members.asked(source.engine, rest, numbering)
    found = members.Members(numbering, {**some.members, **every.found}, every.failed)
    if not source.check:
        return _Answer(found, dict.fromkeys(some.members, some.looked_at), reasons, some.moves, seen=now)
    wrong = {name: _differences(own, found.found[name], numbering) for name, own in some.members.items() if name in every.found}
    return _Answer(found, {}, reasons, wrong={name: told for name, told in wrong.items() if told}, seen=now)


def _differences(some: bytes, every: bytes, numbering: numbers.Numbering) -> str:
    """Whom looking at some contacts took for members wrongly, or missed; nothing where it is right."""
    import numpy as np

    [one], [other] = numbers.unpacked(some), numbers.unpacked(every)
    keys = numbering.keys_of(np.setxor1d(one, other))
    if not keys:
        return ""
    told = ", ".join(repr(key) for key in keys[:_MOST_TOLD]) + (", ..." if len(keys) > _MOST_TOLD else "")
    return f"looking only at contacts that could have changed was wrong for {len(keys):,}: {told} (kept: what all contacts say)"


# ---------------------------------------------------------------- comparing


def _compared(own: Log, now: Ledger, asked: _Asked, before: Ledger) -> tuple[numbers.Numbering, list[_Moved]]:
    """What became of each segment, seen from the log as it is now."""
    numbering = asked.answer.members.numbering
    found: Callable[[str], np.ndarray] = asked.answer.members.of
    if now.contacts != before.contacts:
        numbering = numbers.Numbering(ledger.keys(own, now))
        found = asked.answer.members.renumbered(numbering)
    known = asked.answer.moves if now == before else {}
    moved = []
    for name in before.tracked:
        if name in now.tracked:
            row = deciding.settled(now, name, asked.at, asked.failed)
            if row is None:
                moved.append(_moved(own, now, asked, name, found(name), known.get(name), numbering.count))
            else:
                moved.append(_unmoved(row))
    return numbering, moved


def _unmoved(row: Row) -> _Moved:
    import numpy as np

    nobody = np.array([], dtype=np.int64)
    return _Moved(row, None, nobody, nobody, None, nobody, nobody)


def _between(own: Log, changes: Sequence[Change], found: np.ndarray, contacts: int) -> Moves:
    """Who came and went since some changes."""
    import numpy as np

    were, are = ledger.state(own, changes, contacts), numbers.truths(found, contacts)
    return Moves(np.flatnonzero(are & ~were), np.flatnonzero(were & ~are))


def _moved(own: Log, now: Ledger, asked: _Asked, name: str, found: np.ndarray, moves: Moves | None, contacts: int) -> _Moved:
    """Who came and went, in a segment's last version and in what is written of the one that holds now."""
    import numpy as np

    last, text = now.version(name), asked.wanted.texts[name]
    changes = ledger.of_version(now, name, last.number) if last is not None else []
    moves = moves or _between(own, changes, found, contacts)
    adds, removes = moves.entered, moves.exited
    moved = {"size": len(found), "entries": len(adds), "exits": len(removes)}
    row = deciding.decided(now, name, text, asked.wanted.note(name), **moved)
    row = replace(row, looked_at=asked.answer.looked_at.get(name), error=asked.answer.wrong.get(name, ""))
    if row.outcome != REFRESHED:
        return _Moved(row, text, np.sort(found), np.array([], dtype=np.int64), None, adds, removes)
    row = replace(row, note=_reasoned(row.note, asked.answer.reasons.get(name)))
    whole = np.sort(found) if _wants_whole(changes, len(adds) + len(removes)) else None
    return _Moved(row, None, adds, removes, whole, adds, removes)


def _reasoned(note: str, reason: str | None) -> str:
    """A note that also tells why all contacts were looked at again."""
    return "; ".join(filter(None, [note, reason and f"all contacts were looked at: {reason}"]))


def _wants_whole(changes: Sequence[Change], moved: int) -> bool:
    """Whether all members are written down again: where reading the changes would be as much, or too many of them."""
    since = next((i for i, change in enumerate(reversed(changes)) if change.is_whole), len(changes) - 1)
    recent = changes[len(changes) - since :] if since else []
    size = changes[-1].size
    return since >= _WHOLE_AFTER or sum((own.entered or 0) + (own.exited or 0) for own in recent) + moved > max(size, 1000)


# ---------------------------------------------------------------- writing


def _write(
    own: Log, now: Ledger, at: int, numbering: numbers.Numbering, moved: Sequence[_Moved], written: Collection[str]
) -> None:
    """Writes the refresh of some segments as one entry."""
    ledger.sum_up(own, now)
    new = numbering.keys(now.contacts)
    part = own.keep(numbers.written(new)) if new else None
    changes = {each.row.segment: _change(own, each) for each in moved if _is_change(each)}
    body = {
        "at": at,
        "ran_at": ledger.stamp(dt.datetime.now(dt.UTC)),
        "without": [name for name in now.tracked if name not in written],
        "keys": [part.number, part.digest] if part else None,
        "contacts": now.contacts + len(new),
        "versions": {each.row.segment: each.text for each in moved if each.text is not None},
        "changes": changes,
    }
    own.append(ledger.REFRESH, body)


def _is_change(own: _Moved) -> bool:
    return own.text is not None or len(own.entered) + len(own.exited) > 0


def _change(own: Log, each: _Moved) -> list[Any]:
    sets = [each.entered, each.exited, *([] if each.whole is None else [each.whole])]
    part = own.keep(numbers.packed(*sets))
    row = each.row
    entries, exits = (len(each.adds), len(each.removes)) if row.outcome != FIRST else (None, None)
    return [row.version, row.size, entries, exits, part.number, part.digest, each.whole is not None]


def _heard(hook: Hook, each: _Moved, numbering: numbers.Numbering) -> Row:
    return deciding.heard(hook, each.row, numbering.keys_of(each.adds), numbering.keys_of(each.removes))
