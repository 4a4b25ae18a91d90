"""The same members everywhere, shown: invented contacts at the boundaries of segments, asked of several engines.

    Plan  ->  wishes (what values decide)  ->  population (rows)  ->  the evaluator, and each engine  ->  a table

The rows stand in the query itself, so that nothing is written anywhere, and the query is otherwise the one that asks the
real tables. Each condition is compared on its own, beside the whole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from segkit import compile, evaluate, metrics
from segkit.catalog import Catalog, Column, Kind, ListTable
from segkit.compile.given import Given, over
from segkit.engines import Engine, open_engine
from segkit.errors import DefinitionError, EngineError, SegkitError
from segkit.plan import Plan
from segkit.plan.tree import Condition
from segkit.plan.walk import leaves
from segkit.rendering import render
from segkit.verification.population import Instants, Population, conditions_of, population

if TYPE_CHECKING:
    import pandas as pd

CONTACTS = 240
"""How many contacts are invented for each segment."""

_COLUMNS = ("segment", "engine", "contacts", "members", "conditions", "both_ways", "differences", "agrees", "note")
_DIFFERENCES = ("segment", "engine", "condition", "contact", "expected", "found")
_MOST_SHOWN = 100


@dataclass(frozen=True)
class Trial:
    """A plan over invented rows: what is compared, and what the evaluator says of each contact (None: it cannot)."""

    plan: Plan
    population: Population
    conditions: Sequence[Condition]
    expected: Mapping[Any, tuple[bool, ...]] | None

    def told(self) -> list[str]:
        """The conditions, as a reader finds them."""
        return ["the whole", *(f"{i}: {own}" for i, own in enumerate(self.conditions[1:], 1))]


def verified(plans: Sequence[Plan], engines: Mapping[str, Engine]) -> pd.DataFrame:
    """Whether engines find the same members as the evaluator, for invented contacts at each segment's boundaries.

    Returns:
        segment, engine, contacts (how many were invented and exist), members, conditions (how many were compared),
        both_ways (how many of them hold for some contacts and not for others), differences (contacts and conditions in
        which the engine differs), agrees, note (why it could not be asked). `attrs["differences"]` names up to 100 of
        them: segment, engine, condition (in words of the plan), contact, expected, found.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    instants = _instants(engines.values())
    for plan in plans:
        trial, against = tried(plan, instants=instants), ""
        for name, engine in engines.items():
            row, found = _compared(trial, name, engine, against)
            rows.append(row)
            differences += found
            if trial.expected is None and row["agrees"]:
                trial, against = replace(trial, expected=asked(trial, engine)), f"held against {name}: raw SQL needs a database"
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    frame.attrs["differences"] = pd.DataFrame(differences[:_MOST_SHOWN], columns=list(_DIFFERENCES))
    return frame


def opened(own: Engine, wanted: Iterable[Any] | Mapping[str, Any] | None, using: ExitStack) -> dict[str, Engine]:
    """The engines to ask, by name.

    Args:
        own: the engine of the workspace: `"this"`, and among those asked where none is wanted.
        wanted: names (`"this"`, `"duckdb"`, `"sqlite"`: a fresh one in memory), whatever `connect` can open, or a mapping
            from names of one's own to these.
        using: closes what is opened here.

    Raises:
        EngineError: one cannot be opened.
    """
    if wanted is None:
        wanted = dict.fromkeys((own.dialect, *_FRESH))
        given: Mapping[str, Any] = {name: "this" if name == own.dialect else name for name in wanted}
    elif isinstance(wanted, Mapping):
        given = wanted
    else:
        several = [wanted] if isinstance(wanted, str) else list(wanted)
        given = {
            name if isinstance(name, str) and name in ("this", *_FRESH) else f"engine {i}": name
            for i, name in enumerate(several, 1)
        }
    return {name: _engine(own, what, using) for name, what in given.items()}


def _engine(own: Engine, what: Any, using: ExitStack) -> Engine:
    if what == "this":
        return own
    if callable(getattr(what, "frame", None)):
        return cast(Engine, what)
    if isinstance(what, str) and what.isidentifier() and what not in _FRESH and not Path(what).exists():
        raise EngineError(f"unknown engine {what!r:.80}", fix="name this, duckdb, sqlite, a file, a folder or a database URL")
    engine = open_engine(_FRESH[what]() if isinstance(what, str) and what in _FRESH else what)
    using.callback(engine.close)
    return engine


_FRESH: Mapping[str, Callable[[], Any]] = {"duckdb": lambda: ":memory:", "sqlite": lambda: sqlite3.connect(":memory:")}


def _instants(engines: Iterable[Engine]) -> Instants | None:
    """The first and last instant that all engines know."""
    known = [own.limits.instants for own in engines if own.limits.instants is not None]
    return (max(first for first, _ in known), min(last for _, last in known)) if known else None


def tried(plan: Plan, contacts: int = CONTACTS, instants: Instants | None = None) -> Trial:
    """A plan with its invented rows, which hold no other instants than some, and what the evaluator says of them."""
    own = replace(plan, catalog=_in_query(plan.catalog))
    rows = population(own, contacts, instants)
    wanted = list(dict.fromkeys([own.where, *(leaf for where in conditions_of(own) for leaf, _ in leaves(where))]))
    past = {own.catalog.history[i].table: given for i, given in rows.history.items()}
    try:
        expected = evaluate.truths(own, wanted, rows.contacts, rows.happened(), rows.lists, past)
    except DefinitionError:
        expected = None
    return Trial(own, rows, wanted, expected)


# ---------------------------------------------------------------- an engine


def _compared(trial: Trial, name: str, engine: Engine, against: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of one segment and engine, and the differences."""
    label = metrics.label(trial.plan)
    row = dict.fromkeys(_COLUMNS) | {"segment": label, "engine": name, "conditions": len(trial.conditions), "agrees": False}
    try:
        found = asked(trial, engine)
    except SegkitError as error:
        return {**row, "note": error.what}, []
    expected = found if trial.expected is None else trial.expected
    differences = [
        {"segment": label, "engine": name, "condition": condition, "contact": key, "expected": wanted, "found": own}
        for key in {**expected, **found}
        for condition, wanted, own in zip(
            trial.told(), _of(key, expected, len(trial.conditions)), _of(key, found, len(trial.conditions)), strict=True
        )
        if wanted is not own
    ]
    told = {"contacts": len(found), "members": sum(truths[0] for truths in found.values()), "both_ways": _both_ways(expected)}
    return {**row, **told, "differences": len(differences), "agrees": not differences, "note": against}, differences


def _of(key: Any, truths: Mapping[Any, tuple[bool, ...]], n: int) -> tuple[bool | None, ...]:
    """What is said of a contact; None where it does not exist."""
    return truths.get(key, (None,) * n)


def _both_ways(truths: Mapping[Any, tuple[bool, ...]]) -> int:
    """How many conditions hold for some of the contacts, and not for others."""
    return sum(len(set(own)) == 2 for own in zip(*truths.values(), strict=True))


def asked(trial: Trial, engine: Engine) -> dict[Any, tuple[bool, ...]]:
    """Which conditions hold for each invented contact, by an engine.

    Raises:
        EngineError: the engine refused the query.
        DialectError: a condition has no faithful form there.
    """
    return _asked(trial, trial.conditions, engine)


def _asked(trial: Trial, conditions: Sequence[Condition], engine: Engine) -> dict[Any, tuple[bool, ...]]:
    """In several queries, where one would be too large for the engine."""
    query = compile.truths(trial.plan, conditions)
    if len(conditions) > 1 and not engine.limits.allow(*compile.extent(query)):
        half = len(conditions) // 2
        first, second = (_asked(trial, some, engine) for some in (conditions[:half], conditions[half:]))
        return {key: truths + second[key] for key, truths in first.items()}
    frame = engine.frame(render(over(query, _tables(trial)), engine.renders_as))
    return {key: tuple(bool(own) for own in truths) for key, *truths in frame.itertuples(index=False, name=None)}


# ---------------------------------------------------------------- tables in the query


def _in_query(catalog: Catalog) -> Catalog:
    """The catalog with its tables under names of the query's own, and all lists in one table."""
    lists = catalog.lists or ListTable(columns={})
    return replace(
        catalog,
        contacts=replace(catalog.contacts, table="given_contacts"),
        events=tuple(replace(table, table=f"given_events_{i}") for i, table in enumerate(catalog.events)),
        lists=replace(lists, table="given_lists"),
        frozen=None,
        history=tuple(replace(table, table=f"given_history_{i}") for i, table in enumerate(catalog.history)),
    )


def _tables(trial: Trial) -> list[Given]:
    """The invented rows as tables: those that the query reads."""
    catalog, rows = trial.plan.catalog, trial.population
    contacts, lists = catalog.contacts, catalog.lists
    found = [Given(contacts.table, _columns(rows.contacts, contacts.fields, [contacts.key]), rows.contacts)]
    for i, happened in rows.events.items():
        table = catalog.events[i]
        own = [name for name in (table.contact, table.time, table.event, table.id) if name is not None]
        own += [column.name for column in table.properties.values()]
        columns = [c for c in _columns(happened, table.properties, own) if table.event == "event" or c.name != "event"]
        found.append(Given(table.table, columns, happened))
    if lists is not None and trial.plan.lists:
        own = [name for name in (lists.list, lists.contact, lists.joined, lists.left) if name is not None]
        found.append(Given(lists.table, _columns(rows.lists, lists.columns, own), rows.lists))
    for i, before in rows.history.items():
        past = catalog.history[i]
        own = [past.contact, past.valid_from, past.valid_to, *(column.name for column in past.fields.values())]
        found.append(Given(past.table, _columns(before, {**past.columns, **past.fields}, own), before))
    return found


def _columns(rows: Sequence[Mapping[str, Any]], known: Mapping[str, Column], names: Iterable[str]) -> list[Column]:
    """The columns of rows, those that are always there included, with their kinds."""
    wanted = dict.fromkeys((*names, *(name for row in rows[:1] for name in row)))
    return [_column(name, rows, known) for name in wanted]


def _column(name: str, rows: Sequence[Mapping[str, Any]], known: Mapping[str, Column]) -> Column:
    own = next((column for column in known.values() if column.name == name), Column(name))
    values = (row[name] for row in rows if row.get(name) is not None)
    is_number = own.kind is Kind.UNKNOWN and isinstance(next(values, None), int)
    return replace(own, kind=Kind.INTEGER) if is_number else own
