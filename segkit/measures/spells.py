"""Who was a member when, at the points of a grid: a spell is an unbroken run of points at which a contact is a member.

    plans of each point  ->  who came and went at which point  ->  spells

Membership is looked at on the points alone, so that everything is exact there; what happens between two of them is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segkit import compile, evaluate
from segkit.catalog import Catalog, Kind
from segkit.compile import sweep
from segkit.compile.membership import KEY, membership
from segkit.display import distinct
from segkit.engines import Engine, Streams
from segkit.measures.progress import shown
from segkit.metrics import label
from segkit.plan import Plan
from segkit.plan.course import EXACT, Added, Kept, Leaf, Past, Unswept, course, leaves
from segkit.rendering import render

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


_WITHOUT_DECIMALS = ("sqlite",)
"""Decimals are floats there, whose running sums would drift."""
_WITHOUT_FLOAT_WINDOWS = ("bigquery",)
"""They refuse PARTITION BY a float, which a contact's key may be."""
_ANSWERING_ONCE = ("duckdb", "postgres", "sqlite")
"""They answer a common table expression once, however often it is read."""


@dataclass(frozen=True)
class Moves:
    """Who came (`sign` 1) and went (-1) at which point, of one segment, in no order. Who was in at the first came there."""

    contact: Any
    index: np.ndarray
    sign: np.ndarray


@dataclass(frozen=True)
class Flows:
    """How many contacts came (`entered`) and went (`left`): a row for each segment, a column for each point."""

    names: tuple[str, ...]
    entered: np.ndarray
    left: np.ndarray
    swept: tuple[bool, ...]


@dataclass(frozen=True)
class Spells:
    """The spells of some segments over the points of a grid, sorted by segment, contact and `entered`.

    `entered` is the first point inside: 0 where the contact was in at the first point, and nobody knows since when. `left` is
    the first point outside again: `len(points)` where the contact is still in at the last one. `swept` says of each segment
    whether its spells were computed from the events at once, or asked point by point.
    """

    points: tuple[datetime, ...]
    names: tuple[str, ...]
    segment: np.ndarray
    contact: Any
    entered: np.ndarray
    left: np.ndarray
    swept: tuple[bool, ...]

    def of(self, segment: int) -> np.ndarray:
        """Which rows are spells of a segment."""
        found: np.ndarray = self.segment == segment
        return found

    def flows(self) -> Flows:
        """How many contacts came and went at each point."""
        import numpy as np

        entered, left = (np.zeros((len(self.names), len(self.points)), dtype=np.int64) for _ in range(2))
        goes = self.left < len(self.points)
        np.add.at(entered, (self.segment, self.entered), 1)
        np.add.at(left, (self.segment[goes], self.left[goes]), 1)
        return Flows(self.names, entered, left, self.swept)


Course = Sequence[Plan]
"""The plans of one segment, one for each point."""


def spells(engine: Engine, courses: Sequence[Course]) -> Spells:
    """The spells of some segments, each given by its plans at the points."""
    found = [swept(engine, each) for each in courses]
    rest = iter(asked(engine, [each for each, own in zip(courses, found, strict=True) if own is None]))
    return _joined(courses, [next(rest) if own is None else own for own in found], [own is not None for own in found])


def _joined(courses: Sequence[Course], moves: Sequence[Moves], swept: Sequence[bool]) -> Spells:
    import numpy as np
    import pandas as pd

    points = tuple(plan.at.as_of for plan in courses[0]) if courses else ()
    names = tuple(distinct(label(own[0]) for own in courses))
    parts = [paired(own, len(points)) for own in moves]
    contacts = [contact for contact, _, _ in parts]
    return Spells(
        points,
        names,
        np.repeat(np.arange(len(parts)), [len(own) for own in contacts]),
        pd.concat(contacts, ignore_index=True).to_numpy() if contacts else np.array([], dtype=object),
        np.concatenate([entered for _, entered, _ in parts]) if parts else np.array([], dtype=np.int64),
        np.concatenate([left for _, _, left in parts]) if parts else np.array([], dtype=np.int64),
        tuple(swept),
    )


def paired(moves: Moves, points: int) -> tuple[pd.Series[Any], np.ndarray, np.ndarray]:
    """Contact, first point inside and first point outside again of each spell, by contact and time.

    Each coming is followed by the contact's going, or by nothing.
    """
    import numpy as np
    import pandas as pd

    contact = pd.Series(moves.contact).reset_index(drop=True)
    codes, _ = pd.factorize(contact, sort=True)
    order = np.lexsort((moves.index, codes))
    codes, index, sign = codes[order], moves.index[order], moves.sign[order]
    comes = np.flatnonzero(sign > 0)
    after = comes + 1
    goes = (after < len(codes)) & (codes[np.minimum(after, len(codes) - 1)] == codes[comes]) if len(codes) else comes > 0
    left = np.where(goes, index[np.minimum(after, max(0, len(index) - 1))], points) if len(index) else index
    return contact.iloc[order[comes]].reset_index(drop=True), index[comes], left


# ---------------------------------------------------------------- all points at once


def prepared(engine: Engine, plans: Course) -> sweep.Swept | None:
    """What the sweep of a segment is made of; None where it cannot be swept."""
    if engine.dialect in _WITHOUT_FLOAT_WINDOWS and Kind.FLOAT in _kinds_of_keys(plans[-1].catalog):
        return None
    try:
        tree = course(plans, (Kind.INTEGER,) if engine.dialect in _WITHOUT_DECIMALS else EXACT)
    except Unswept:
        return None
    absent = {leaf: _holds_without_rows(plans[0], leaf) for leaf in leaves(tree)}
    return sweep.Swept(tree, plans[-1], tuple(own.at.as_of for own in plans), absent, engine.dialect in _ANSWERING_ONCE)


def _kinds_of_keys(catalog: Catalog) -> set[Kind]:
    """What contacts are told apart by, in each table."""
    contacts, lists = catalog.contacts, () if catalog.lists is None else (catalog.lists,)
    keys = [
        contacts.fields.get(contacts.key),
        *(table.properties.get(table.contact) for table in catalog.events),
        *(table.columns.get(table.contact) for table in (*catalog.history, *lists)),
    ]
    return {own.kind for own in keys if own is not None}


def _holds_without_rows(plan: Plan, leaf: Leaf) -> bool:
    """Whether a leaf holds for a contact that has no event and no row of history."""
    match leaf:
        case Added(condition, windows, False):
            features = tuple(window.feature for window in windows)
        case Kept(condition, window):
            features = (window.feature,)
        case Past(condition):
            features = ()
        case _:
            return False
    return evaluate.holds(replace(plan, where=condition, features=features, parts=(), lists=()), {})


def swept(engine: Engine, plans: Course) -> Moves | None:
    """Who came and went, in one query; None where the segment cannot be swept."""
    import numpy as np

    frame = _answered(engine, plans, sweep.moves)
    if frame is None:
        return None
    index, sign = (frame[name].to_numpy().astype(np.int64) for name in (sweep.INDEX, sweep.SIGN))
    return Moves(frame[sweep.CONTACT], index, sign)


def _answered(engine: Engine, plans: Course, write: Callable[[sweep.Swept], compile.Sql]) -> pd.DataFrame | None:
    own = prepared(engine, plans)
    if own is None:
        return None
    try:
        text = render(write(own), engine.renders_as)
    except Unswept:
        return None
    return engine.streamed(text) if isinstance(engine, Streams) else engine.frame(text)


def flows(engine: Engine, courses: Sequence[Course]) -> Flows:
    """How many contacts came and went, counted where the data is as far as segments can be swept."""
    import numpy as np

    points = len(courses[0]) if courses else 0
    entered, left = (np.zeros((len(courses), points), dtype=np.int64) for _ in range(2))
    rest = []
    for i, plans in enumerate(courses):
        frame = _answered(engine, plans, sweep.flows)
        if frame is None:
            rest.append(i)
            continue
        index = frame[sweep.INDEX].to_numpy().astype(np.int64)
        entered[i, index], left[i, index] = frame[sweep.CAME].to_numpy(), frame[sweep.WENT].to_numpy()
    for i, moves in zip(rest, asked(engine, [courses[i] for i in rest]), strict=True):
        np.add.at(entered[i], moves.index[moves.sign > 0], 1)
        np.add.at(left[i], moves.index[moves.sign < 0], 1)
    names = tuple(distinct(label(own[0]) for own in courses))
    return Flows(names, entered, left, tuple(i not in rest for i in range(len(courses))))


# ---------------------------------------------------------------- point by point


def asked(engine: Engine, courses: Sequence[Course]) -> list[Moves]:
    """Who came and went, by the members at each point: one query a point, as long as it may hold all segments."""
    import numpy as np
    import pandas as pd

    if not courses:
        return []
    points = len(courses[0])
    before: list[Any] = [None] * len(courses)
    found: list[list[tuple[Any, int, int]]] = [[] for _ in courses]
    for i in shown(range(points), points, "segments at each instant"):
        for segment, now in enumerate(_members(engine, [own[i] for own in courses])):
            then = before[segment]
            come = now if then is None else now[~now.isin(then)]
            gone = None if then is None else then[~then.isin(now)]
            found[segment] += [(some, i, sign) for some, sign in ((come, 1), (gone, -1)) if some is not None and len(some)]
            before[segment] = now
    return [
        Moves(
            pd.concat([some for some, _, _ in moves], ignore_index=True) if moves else pd.Series([], dtype=object),
            np.concatenate([np.full(len(some), i) for some, i, _ in moves]) if moves else np.array([], dtype=np.int64),
            np.concatenate([np.full(len(some), sign) for some, _, sign in moves]) if moves else np.array([], dtype=np.int64),
        )
        for moves in found
    ]


def _members(engine: Engine, plans: Sequence[Plan]) -> Iterator[pd.Series[Any]]:
    """The members' keys of each plan, all of one moment; in several queries where one would be too large."""
    query = membership(plans)
    if len(plans) > 1 and not engine.limits.allow(*compile.extent(query)):
        half = len(plans) // 2
        yield from _members(engine, plans[:half])
        yield from _members(engine, plans[half:])
        return
    text = render(query, engine.renders_as)
    frame = engine.streamed(text) if isinstance(engine, Streams) else engine.frame(text)
    for i, _ in enumerate(plans):
        yield frame[KEY][frame[f"is_{i}"].astype(bool)]
