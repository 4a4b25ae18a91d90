"""What the panel is handed of a workspace: functions, so that it holds no connection and no SQL comes from a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segkit import metrics, nodes, suggestions
from segkit.builder import Predicate
from segkit.catalog import Catalog
from segkit.counting import Counted, Counting
from segkit.engines import Engine
from segkit.errors import SegkitError
from segkit.plan import Moment, Plan, plan
from segkit.segment import Segment, by_name
from segkit.suggestions import Suggested

if TYPE_CHECKING:
    import pandas as pd

    from segkit.explanation.explanation import Explanation


@dataclass(frozen=True)
class Handed:
    """`plan` and `segments` ask no data; the others do, and with `beside` they may do so in another thread.

    `count` gives sizes by path, and why some parts cannot be counted. `suggest` is asked for a field, or for a property of
    an event; `preview` for a number of members, masked or not; `explain` for the key of a contact, as it was typed.
    """

    dialect: str
    at: Moment
    catalog: Callable[[], Catalog]
    segments: Callable[[], Mapping[str, nodes.Definition]]
    plan: Callable[[nodes.Definition], Plan]
    count: Callable[[nodes.Definition], tuple[Counted, Mapping[str, SegkitError]]]
    suggest: Callable[[str, str | None], Suggested]
    preview: Callable[[nodes.Definition, int, bool], pd.DataFrame]
    members: Callable[[nodes.Definition], pd.DataFrame]
    save: Callable[[nodes.Definition], object]
    diagnose: Callable[[nodes.Definition], pd.DataFrame]
    explain: Callable[[nodes.Definition, str, bool], Explanation]
    beside: bool = False


def handed(
    engine: Engine,
    at: Moment,
    catalog: Callable[[], Catalog],
    segments: Callable[[], Mapping[str, Segment]],
    hand_over: Callable[[Iterable[Plan]], object],
    save: Callable[[Segment], object],
    diagnose: Callable[[Segment], pd.DataFrame],
    explain: Callable[..., Explanation],
) -> Handed:
    """The functions over an engine at one instant.

    Args:
        engine: where the data is.
        at: the instant that all is counted at.
        catalog: what may be named now.
        segments: the segments known by name now.
        hand_over: makes the lists that plans name known to the engine.
        save: keeps a segment; one that is replaced leaves its examples.
        diagnose: what is wrong with a segment at that instant.
        explain: why a contact, by its key, is in a segment at that instant, with `mask=`.
    """
    counting: list[tuple[Catalog, Mapping[str, Segment], Counting]] = []

    def planned(definition: nodes.Definition) -> Plan:
        own = plan(definition, catalog(), at, by_name(segments()))
        hand_over([own])
        return own

    def count(definition: nodes.Definition) -> tuple[Counted, Mapping[str, SegkitError]]:
        known, others = catalog(), segments()
        if not counting or counting[0][0] is not known or counting[0][1] is not others:
            for _, _, old in counting:
                old.close()
            counting[:] = [(known, others, Counting(engine, known, at, by_name(others)))]
        return counting[0][2].counts_of_valid_parts(definition)

    def suggest(name: str, event: str | None) -> Suggested:
        if event is None:
            return suggestions.of_field(engine, catalog(), name)
        return suggestions.of_property(engine, catalog(), event, name)

    def preview(definition: nodes.Definition, n: int, is_masked: bool) -> pd.DataFrame:
        frame = metrics.preview(engine, planned(definition), n)
        return metrics.masked(frame) if is_masked else frame

    def segment_of(own: nodes.Definition) -> Segment:
        return Segment(own.name, Predicate(own.where), notes=own.notes, owner=own.owner, tags=own.tags)

    def keep(own: nodes.Definition) -> object:
        before, segment = segments().get(str(own.name)), segment_of(own)
        return save(segment if before is None else segment.with_examples(*before.examples))

    def explained(own: nodes.Definition, typed: str, is_masked: bool) -> Explanation:
        return explain(segment_of(own), _key(typed, catalog()), mask=is_masked)

    return Handed(
        engine.dialect,
        at,
        catalog,
        lambda: {name: own.definition for name, own in segments().items()},
        planned,
        count,
        suggest,
        preview,
        lambda definition: metrics.members(engine, planned(definition)),
        keep,
        lambda definition: diagnose(segment_of(definition)),
        explained,
        beside=getattr(engine, "any_thread", False),
    )


def _key(typed: str, catalog: Catalog) -> int | str:
    """The key of a contact as it was typed: a number, where the keys are numbers."""
    contacts = catalog.contacts
    is_number = any(column.name == contacts.key and column.kind.is_number for column in contacts.fields.values())
    return int(typed) if is_number and re.fullmatch(r"-?[0-9]{1,19}", typed) else typed
