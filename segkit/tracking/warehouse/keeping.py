"""What is tracked, in the warehouse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple

from segkit import codec
from segkit.catalog import find
from segkit.compile import tracked as tables
from segkit.tracking.ledger import Tracked
from segkit.tracking.warehouse import state
from segkit.tracking.warehouse.place import Ask, Warehouse


def track(place: Warehouse, wanted: Mapping[str, Tracked]) -> None:
    """Tracks segments; those of the same names are replaced in their places."""

    def work(ask: Ask) -> None:
        known = state.of_tracked(place, ask)
        numbers = {state.text(name): int(number) for name, _, _, number in ask(tables.tracked(place.tables))}
        new = {name: own for name, own in wanted.items() if known.get(name) != own}
        if replaced := [name for name in new if name in known]:
            ask(tables.untrack(place.tables, replaced))
        free = max(numbers.values(), default=0) + 1
        for name, own in new.items():
            number = numbers.get(name, free)
            free += name not in numbers
            definition = json.dumps(codec.to_dict(own.definition), ensure_ascii=False)
            ask(tables.track(place.tables, [(name, number, definition, json.dumps(astuple(own.alerts)))]))

    place.writing(work)


def untrack(place: Warehouse, names: Iterable[str]) -> None:
    """Tracks segments no longer."""
    known = tracked(place)
    if gone := sorted({find("tracked segment", name, known) for name in names}):
        place.writing(lambda ask: ask(tables.untrack(place.tables, gone)))


def tracked(place: Warehouse) -> Mapping[str, Tracked]:
    """What is tracked, as it came to be."""
    return state.of_tracked(place, place.ask)
