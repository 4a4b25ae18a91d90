"""Journeys: ordered stages, each contact in the last one whose condition holds.

Journey -> partition (one segment a stage, and further counts) -> counted in one query -> frame with a certificate
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segkit import display, documents, views
from segkit.builder import Predicate, any_of, everyone, in_segment
from segkit.errors import DataError, DefinitionError, unknown
from segkit.lists import StaticList
from segkit.nodes import InList, InSegment, checked_name
from segkit.segment import Segment, as_predicate

if TYPE_CHECKING:
    import pandas as pd

NO_STAGE = "(in no stage)"
_DOCUMENT = ("segkit", "journey", "stages")


class Journey:
    """An ordered partition of the contacts: each is in the last stage whose condition holds, or in none.

    Args:
        stages: the stages from the first to the last, each a named segment, a static list, or `in_segment(name)` for a
            segment that is defined elsewhere.
        name: what the journey is called.

    Raises:
        DefinitionError: there is no stage, or one without a name, or two of one name.

    >>> from segkit import F, Journey, Segment
    >>> lead, customer = Segment("Lead", F.opens > 0), Segment("Customer", F.order_count > 0)
    >>> Journey([lead, customer]).stage("Lead")
    Segment('Stage: Lead', (F.opens > 0) & ~(F.order_count > 0))
    """

    __slots__ = ("name", "stages")

    name: str | None
    stages: tuple[Segment, ...]

    def __init__(self, stages: Iterable[Segment | Predicate | StaticList], name: str | None = None) -> None:
        if isinstance(stages, Segment | Predicate | StaticList | str) or not isinstance(stages, Iterable):
            raise DefinitionError(f"expected a list of stages, found {stages!r:.60}", fix="write Journey([first, second])")
        self.name = None if name is None else checked_name(name, "journey name")
        self.stages = tuple(_stage(given, i) for i, given in enumerate(stages))
        if not self.stages:
            raise DefinitionError("a journey without stages", fix="write Journey([first, second])")
        names = self.names
        for stage in names:
            if names.count(stage) > 1:
                raise DefinitionError(f"two stages are called {stage!r:.80}", fix="give one of them another name")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the stages, in order."""
        return tuple(str(stage.name) for stage in self.stages)

    def stage(self, name: str) -> Segment:
        """The contacts of a stage: its condition holds, and none of the later ones.

        Raises:
            DefinitionError: there is no stage of that name.
        """
        if name not in self.names:
            raise unknown("stage", name, self.names)
        i = self.names.index(name)
        return Segment(f"{self.name or 'Stage'}: {name}", _only(self.stages[i], self.stages[i + 1 :]))

    def none(self) -> Segment:
        """The contacts in no stage."""
        return Segment(f"{self.name or 'Stage'}: {NO_STAGE}", ~self.anywhere())

    def anywhere(self) -> Predicate:
        """Being in any stage."""
        return _any(self.stages)

    def defined(self) -> tuple[Segment, ...]:
        """The stages that are segments of their own, not references to others."""
        return tuple(stage for stage in self.stages if not _is_reference(stage))

    def to_dict(self) -> dict[str, Any]:
        """The journey in segkit's own form, which `from_dict` reads back equal."""
        return {"segkit": 1, "journey": self.name, "stages": [stage.to_dict() for stage in self.stages]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Journey:
        """Reads what `to_dict` writes.

        Raises:
            DefinitionError: a document of another form, with the place of the mistake.

        >>> journey = parse_journey("Lead → Customer")
        >>> Journey.from_dict(journey.to_dict()) == journey
        True
        """
        if not isinstance(document, Mapping) or not isinstance(document.get("stages"), list | tuple):
            raise DefinitionError(f"{document!r:.60} is no journey", fix='write {"segkit": 1, "journey": name, "stages": [...]}')
        documents.only_keys(document, _DOCUMENT)
        if document.get("segkit") != 1:
            raise DefinitionError(f"version {document.get('segkit')!r:.60} of the form", fix="this segkit reads version 1")
        stages = [
            documents.at(f"$.stages[{i}]", lambda own=own: Segment.from_dict(own))  # type: ignore[misc]
            for i, own in enumerate(document["stages"])
        ]
        return cls(stages, document.get("journey"))

    def __eq__(self, other: object) -> bool:
        return (self.name, self.stages) == (other.name, other.stages) if isinstance(other, Journey) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.stages))

    def __repr__(self) -> str:
        stages = ", ".join(repr(stage.where if _is_reference(stage) else stage) for stage in self.stages)
        return f"Journey([{stages}]{f', name={self.name!r}' if self.name is not None else ''})"

    def _repr_html_(self) -> str:
        return display.html(views.journey(self.name, {str(s.name): s.definition.where for s in self.stages}))


def parse_journey(text: str) -> Journey:
    """Reads a journey over the segments of the names that stand between arrows; what follows that line is prose.

    Raises:
        DefinitionError: there is no line of stages, or a name stands twice.

    >>> parse_journey("Prospect → Lead → Customer")
    Journey([in_segment('Prospect'), in_segment('Lead'), in_segment('Customer')])
    """
    from segkit.language import stages

    return Journey([in_segment(name) for name in stages(text)])


def _stage(given: object, i: int) -> Segment:
    """A stage as a segment; a reference as one that bears the name of the segment referred to."""
    match given:
        case Segment():
            stage = given
        case StaticList(name):
            stage = Segment(name, given)
        case Predicate(node=InSegment(name) | InList(name)):
            stage = Segment(name, given)
        case _:
            stage = Segment(None, as_predicate(given))
    if stage.name is None:
        raise DefinitionError(f"stage {i + 1} has no name: {given!r:.80}", fix="write Segment('name', it)")
    if stage.name == NO_STAGE:
        raise DefinitionError(f"a stage called {NO_STAGE!r}", fix="give it another name")
    return stage


def _is_reference(stage: Segment) -> bool:
    return stage.definition.where == InSegment(str(stage.name))


def _only(stage: Segment, later: Sequence[Segment]) -> Predicate:
    return stage.where & ~_any(later) if later else stage.where


def _any(stages: Sequence[Segment]) -> Predicate:
    return any_of(*(stage.where for stage in stages)) if len(stages) > 1 else stages[0].where


# ---------------------------------------------------------------- the work


def checked_journey(given: object) -> Journey:
    """A journey that somebody gave."""
    if not isinstance(given, Journey):
        raise DefinitionError(f"{given!r:.60} is no journey", fix="write Journey([first, second])")
    return given


def partition(journey: Journey) -> list[Predicate]:
    """What to count: each stage, no stage, and, for the certificate, any condition, any stage, and everyone."""
    exclusive = [journey.stage(name).where for name in checked_journey(journey).names]
    return [*exclusive, journey.none().where, journey.anywhere(), any_of(*exclusive), everyone()]


def counted(journey: Journey, sizes: Sequence[int]) -> pd.DataFrame:
    """The frame of a journey, out of the sizes of its `partition`, each counted by itself.

    Returns:
        stage, size, share (of all contacts), the stages in order and `(in no stage)` last; `attrs["certificate"]` says
        what was counted: `disjoint` (no contact in two stages), `covered` (contacts in a stage), `total` (all contacts)
        and `sums` (the stages and none add up to the total).

    Raises:
        DataError: the counts contradict each other, as when a condition gives another answer each time.

    >>> from segkit import F, Segment
    >>> frame = counted(Journey([Segment("Lead", F.opens > 0)]), [3, 2, 3, 3, 5])
    >>> frame.attrs["certificate"]
    {'in_two_stages': 0, 'disjoint': True, 'covered': 3, 'total': 5, 'sums': True}
    """
    import pandas as pd

    *stages, none, by_condition, by_stage, total = sizes
    in_two = sum(stages) - by_stage
    certificate = {
        "in_two_stages": in_two,
        "disjoint": in_two == 0,
        "covered": by_stage,
        "total": total,
        "sums": sum(stages) + none == total,
    }
    if in_two or by_stage != by_condition or not certificate["sums"]:
        raise DataError(
            f"the stages are no partition: {sum(stages):,} in stages ({by_stage:,} contacts, {by_condition:,} by their "
            f"conditions) and {none:,} in none, of {total:,}",
            fix="ask again; if it stays, look for raw SQL that gives another answer each time",
        )
    counts = [*stages, none]
    shares = [count / total if total else float("nan") for count in counts]
    frame = pd.DataFrame({"stage": [*journey.names, NO_STAGE], "size": counts, "share": shares})
    frame.attrs["certificate"] = certificate
    return frame
