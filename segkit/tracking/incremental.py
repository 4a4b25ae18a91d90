"""Members found by looking only at the contacts that could have changed since the last refresh.

    what was seen then, what the tables hold now  ->  contacts with other rows
    plans as of then, plans as of now             ->  contacts whom an instant has passed
                                                      rows of both, as tables of their own  ->  members among them

A contact whose rows are the same, and that no instant of a definition has passed, is what it was. Where that cannot be told of
a segment, all contacts are looked at, for a reason that is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from segkit.catalog import Catalog
from segkit.compile import touched
from segkit.compile.sql import Sql
from segkit.compile.touched import BUCKET, SUM, Buckets, Read
from segkit.engines import Engine, HandsOverColumns, KeepsAnswers
from segkit.engines.interrupt import CalledOff
from segkit.errors import SegkitError
from segkit.plan import Plan
from segkit.plan.elapsed import Elapsed, elapsed
from segkit.rendering import render
from segkit.tracking import pieces
from segkit.tracking.numbers import Numbering, packed
from segkit.tracking.seen import Seen
from segkit.version import VERSION

if TYPE_CHECKING:
    import numpy as np

MOST = 0.25
"""The share of the contacts above which looking at some is not worth it."""
_AT_ONCE = 100
"""How many conditions on contacts one query compares."""
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT", "UHUGEINT")
_PREFIX = "segkit_refreshed"


@dataclass(frozen=True)
class Moves:
    """The numbers of contacts that came and of those that went since the last refresh, ascending."""

    entered: np.ndarray
    exited: np.ndarray


@dataclass(frozen=True)
class Before:
    """The last refresh: what was seen, and of segments that can go on from there the plan of then and the members' numbers."""

    seen: Seen
    plans: Mapping[str, Plan]
    members: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Found:
    """Members of segments that need not be asked of all contacts, and who of them came and went: how many contacts were looked
    at, and why all must be for others."""

    members: Mapping[str, bytes] = field(default_factory=dict)
    moves: Mapping[str, Moves] = field(default_factory=dict)
    looked_at: int = 0
    reasons: Mapping[str, str] = field(default_factory=dict)


def written_out(own: Plan) -> str:
    """A digest of all that a definition was resolved to at its instant."""
    return _digest((own.where, own.features, own.parts, own.lists))


def _digest(own: object) -> str:
    return hashlib.blake2b(repr(own).encode(), digest_size=16).hexdigest()


class _Whole(Exception):
    """Why all contacts must be looked at."""


def is_possible(engine: Engine) -> bool:
    """Whether an engine can tell which contacts have changed."""
    return engine.dialect == "duckdb" and isinstance(engine, KeepsAnswers) and isinstance(engine, HandsOverColumns)


def asked(
    engine: Engine, plans: Mapping[str, Plan], numbering: Numbering, at: int, before: Before | None
) -> tuple[Seen | None, Found]:
    """What the tables hold now, if that can be told, and the members of the segments that can go on from the last refresh."""
    known = {} if before is None else before.plans
    reasons = {name: "what the tables held at its last refresh is not known" for name in plans if name not in known}
    now = None
    try:
        data = _described(engine, list(plans.values()))
        now = _seen(data, numbering, at, before)
        if before is None or not known:
            return now, Found(reasons=reasons)
        found = _found(data, plans, list(known), numbering, before, now)
        return now, replace(found, reasons={**reasons, **found.reasons})
    except _Whole as reason:
        return now, Found(reasons=dict.fromkeys(plans, str(reason)))


# ---------------------------------------------------------------- what the tables hold


@dataclass(frozen=True)
class _Data:
    """The tables that some plans read, and how the engine is asked about them."""

    engine: Any
    catalog: Catalog
    reads: tuple[Read, ...]
    buckets: Buckets
    meaning: str
    contacts: int

    def columns(self, query: Sql) -> Mapping[str, np.ndarray]:
        return _columns(self.engine, query)


def _columns(engine: Any, query: Sql) -> Mapping[str, np.ndarray]:
    """The columns of an answer.

    Raises:
        _Whole: the engine refuses the query.
    """
    try:
        found: Mapping[str, np.ndarray] = engine.columns(render(query, engine.renders_as))
        return found
    except CalledOff:
        raise
    except SegkitError as error:
        raise _Whole(f"the data cannot be told apart: {error!s:.200}") from None


def _described(engine: Engine, plans: Sequence[Plan]) -> _Data:
    catalog = plans[0].catalog
    own = touched.reads(plans)
    if _columns(engine, touched.collations())["collations"][0]:
        raise _Whole("a collation is declared, so that different texts may be equal")
    contacts = int(_columns(engine, touched.count(own[0]))["rows"][0])
    buckets = Buckets(_type_of_keys(engine, own), 1 << max(10, (2 * contacts).bit_length()))
    [version] = _columns(engine, touched.version())["version"]
    meaning = _digest((VERSION, version, _layout(catalog), own, buckets))
    return _Data(engine, catalog, own, buckets, meaning, contacts)


def _layout(catalog: Catalog) -> object:
    """All of a catalog that gives a plan another query. Whether event ids repeat is seen in the rows that count."""
    events = [replace(table, repeats=False, names=None, observed=None) for table in catalog.events]
    lists = [own and replace(own, observed=None) for own in (catalog.lists, catalog.frozen)]
    return (catalog.contacts, events, lists, catalog.history)


def _type_of_keys(engine: Engine, own: Sequence[Read]) -> str:
    """The type that the contacts' keys have in all tables."""
    types = {str(name) for read in own for name in _columns(engine, touched.type_of_keys(read))["type"]}
    if all(name in _WHOLE for name in types):
        return "BIGINT"
    if types == {"UUID"}:
        return "UUID"
    if all(name == "VARCHAR" or name.startswith("ENUM(") for name in types):
        return "VARCHAR"
    raise _Whole(f"the contacts' keys are of the types {', '.join(sorted(types))}")


def _seen(data: _Data, numbering: Numbering, at: int, before: Before | None) -> Seen:
    """What the tables hold now: of those that only grew, no more than the new rows are added up."""
    known = before.seen if before is not None and before.seen.meaning == data.meaning else None
    sums, ends = dict[str, Any](), dict[str, int]()
    for read in data.reads:
        name = f"{read.part} {read.place}"
        was = (known.sums[name], known.ends.get(name)) if known is not None else (None, None)
        sums[name], end = _sums(data, read, *was)
        if end is not None:
            ends[name] = end
    buckets = _buckets(data, numbering, known)
    return Seen(data.meaning, at, {}, sums, ends, buckets)


def _sums(data: _Data, read: Read, before: np.ndarray | None, end: int | None) -> tuple[np.ndarray, int | None]:
    """The sums of a table, and how many of its rows are numbered."""
    import numpy as np

    nothing = np.zeros(data.buckets.count, dtype=np.uint64)
    if read.part == "contacts":
        return _added(nothing, data.columns(touched.each(read, data.catalog, data.buckets))), None
    now = _end(data, read)
    if now is None:
        return _added(nothing, data.columns(touched.sums(read, data.catalog, data.buckets))), None
    if before is not None and end is not None:
        [total] = data.columns(touched.total(read, data.catalog, end))[SUM]
        if int(total) == int(before.sum()):
            return _added(before.copy(), data.columns(touched.sums(read, data.catalog, data.buckets, (end, now)))), now
    return _added(nothing, data.columns(touched.sums(read, data.catalog, data.buckets, (0, now)))), now


def _end(data: _Data, read: Read) -> int | None:
    """How many rows of a table are numbered, None where they are not: in a view."""
    if not touched.grows(read, data.catalog):
        return None
    try:
        return int(data.columns(touched.end(read))["end"][0])
    except _Whole:
        return None


def _added(sums: np.ndarray, found: Mapping[str, np.ndarray]) -> np.ndarray:
    import numpy as np

    np.add.at(sums, np.asarray(found[BUCKET]), np.asarray(found[SUM]))
    return sums


def _buckets(data: _Data, numbering: Numbering, known: Seen | None) -> np.ndarray:
    """The bucket of each contact that has a number, whether or not it is still there."""
    import numpy as np
    import pandas as pd

    own = np.zeros(0, dtype=np.uint32) if known is None else known.buckets
    if len(own) >= numbering.count:
        return own[: numbering.count]
    keys = pd.DataFrame({touched.NUMBER: np.arange(len(own), numbering.count), touched.KEY: numbering.keys(len(own))})
    with _kept(data.engine) as keep:
        found = data.columns(touched.of_keys(keep(keys), data.buckets))
    rest = np.empty(numbering.count - len(own), dtype=np.uint32)
    rest[np.asarray(found[touched.NUMBER]) - len(own)] = found[BUCKET]
    return np.concatenate([own, rest])


@contextmanager
def _kept(engine: Any) -> Iterator[Any]:
    """What keeps frames and answers as tables of their own names, for as long as the context lasts."""
    taken = {name.rsplit(".", 1)[-1].casefold() for name in engine.tables()}
    names: list[str] = []

    def keep(rows: Any) -> str:
        name = next(free for n in range(len(taken) + 1) if (free := f"{_PREFIX}_{n}") not in taken)
        taken.add(name)
        names.append(name)
        try:
            is_query = isinstance(rows, Sql)
            own: str = engine.materialize(name, render(rows, engine.renders_as)) if is_query else engine.keep(name, rows)
            return own
        except CalledOff:
            raise
        except SegkitError as error:
            raise _Whole(f"the data cannot be told apart: {error!s:.200}") from None

    try:
        yield keep
    finally:
        for name in names:
            engine.discard(name)


# ---------------------------------------------------------------- who is looked at


def _found(
    data: _Data, plans: Mapping[str, Plan], names: Sequence[str], numbering: Numbering, before: Before, now: Seen
) -> Found:
    """The members among the contacts that could have changed, and the other ones as they were."""
    import numpy as np
    import pandas as pd

    if before.seen.meaning != now.meaning:
        raise _Whole("the tables, what is read of them, or segkit are not what they were at the last refresh")
    passed = {name: elapsed(before.plans[name], plans[name]) for name in names}
    reasons = {name: own for name, own in passed.items() if isinstance(own, str)}
    some = {name: own for name, own in passed.items() if not isinstance(own, str)}
    if not some:
        return Found(reasons=reasons)
    chosen = _changed(before.seen, now) | _passed(data, plans, some)
    features = list(dict.fromkeys(feature for name in some for feature in plans[name].features))
    first, *others = touched.reads([plans[name] for name in some])
    with _kept(data.engine) as keep:
        buckets = keep(pd.DataFrame({BUCKET: np.flatnonzero(chosen).astype(np.uint32)}))
        contacts = keep(touched.contacts_of(first, data.catalog, buckets, data.buckets))
        count = int(data.columns(touched.count(replace(first, table=contacts)))["rows"][0])
        if count > MOST * data.contacts:
            raise _Whole(f"{count:,} contacts could have changed, more than {MOST:.0%} of them")
        tables = {first: contacts}
        for read in others:
            tables[read] = keep(touched.rows_of(read, data.catalog, features, contacts, first.contact))
        catalog = touched.over(data.catalog, tables)
        among = {name: replace(plans[name], catalog=catalog) for name in some}
        found = pieces.asked(data.engine, among, numbering)
    is_chosen = chosen[now.buckets]
    merged, moves = dict[str, bytes](), dict[str, Moves]()
    for name in found.found:
        were, are = before.members[name], found.of(name)
        is_asked = is_chosen[were]
        asked = were[is_asked]
        merged[name] = packed(np.sort(np.concatenate([were[~is_asked], are]), kind="stable"))  # merges what is sorted already
        moves[name] = Moves(np.setdiff1d(are, asked, assume_unique=True), np.setdiff1d(asked, are, assume_unique=True))
    return Found(merged, moves, count, {**reasons, **found.failed})


def _changed(before: Seen, now: Seen) -> np.ndarray:
    """The buckets that have other rows than before."""
    import numpy as np

    changed: np.ndarray = np.logical_or.reduce([before.sums[name] != own for name, own in now.sums.items()])
    return changed


def _passed(data: _Data, plans: Mapping[str, Plan], some: Mapping[str, Elapsed]) -> np.ndarray:
    """The buckets of contacts that an instant of some segments has passed."""
    import numpy as np

    chosen = np.zeros(data.buckets.count, dtype=bool)
    stretches = list(dict.fromkeys(passed for own in some.values() for passed in own.passed))
    for query in touched.of_passed(stretches, data.buckets):
        chosen[data.columns(query)[BUCKET]] = True
    plan = next(plans[name] for name in some)
    moved = list(dict.fromkeys(pair for own in some.values() for pair in own.moved))
    for start in range(0, len(moved), _AT_ONCE):
        query = touched.of_moved(plan, moved[start : start + _AT_ONCE], data.buckets)
        chosen[data.columns(query)[BUCKET]] = True
    return chosen
