"""What is tracked: segments, each with the alerts on its size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from segkit import codec
from segkit.builder import Predicate
from segkit.catalog import find
from segkit.errors import DefinitionError
from segkit.segment import Segment
from segkit.tracking import ledger, log
from segkit.tracking.ledger import Alerts, Tracked


def wanted(segments: Sequence[Segment], alerts: Alerts) -> dict[str, Tracked]:
    """What is to be tracked, by name.

    Raises:
        DefinitionError: a segment has no name, two have the same, or an alert makes no sense.
    """
    _check(segments, alerts)
    return {str(own.name): Tracked(own.definition, alerts) for own in segments}


def track(folder: Path, wanted: Mapping[str, Tracked]) -> None:
    """Tracks segments from the next refresh on; those of the same names are replaced, and keep their history."""
    with log.writing(folder) as own:
        known = ledger.latest(own).tracked
        if new := [each for name, each in wanted.items() if known.get(name) != each]:
            body = [{"definition": codec.to_dict(each.definition), "alerts": astuple(each.alerts)} for each in new]
            own.append(ledger.TRACK, {"segments": body})


def _check(segments: Sequence[Segment], alerts: Alerts) -> None:
    names = [own.name for own in segments]
    for own in segments:
        if own.name is None:
            raise DefinitionError(f"{own!r:.80} has no name", fix="write Segment('name', it)")
        if names.count(own.name) > 1:
            raise DefinitionError(f"two segments are called {own.name!r:.80}", fix="give one of them another name")
    for name, count in (("at_least", alerts.at_least), ("at_most", alerts.at_most)):
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
            raise DefinitionError(f"{name}={count!r:.40} is no number of members", fix=f"write {name}=100")
    if alerts.moved is not None and (not isinstance(alerts.moved, int | float) or not alerts.moved > 0):
        raise DefinitionError(f"moved={alerts.moved!r:.40} is no share", fix="write moved=0.2 for a fifth of the members")


def untrack(folder: Path, names: Iterable[str]) -> None:
    """Tracks segments no longer. Their history stays.

    Raises:
        DefinitionError: one is not tracked.
    """
    with log.writing(folder) as own:
        known = ledger.latest(own).tracked
        if gone := sorted({find("tracked segment", name, known) for name in names}):
            own.append(ledger.UNTRACK, {"names": gone})


def tracked(folder: Path) -> Mapping[str, Tracked]:
    """What is tracked, in the order in which it came to be."""
    with log.reading(folder) as own:
        return ledger.latest(own).tracked


def segments(known: Mapping[str, Tracked]) -> tuple[Segment, ...]:
    """The segments that are tracked."""
    definitions = [each.definition for each in known.values()]
    return tuple(Segment(own.name, Predicate(own.where), notes=own.notes, owner=own.owner, tags=own.tags) for own in definitions)
