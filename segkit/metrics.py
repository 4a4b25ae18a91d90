"""The work: sizes, members and previews of planned segments on an engine, as frames. And the checks of the data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from segkit import compile
from segkit.catalog import Catalog, EventTable, find
from segkit.engines import Engine, Streams
from segkit.errors import DataError
from segkit.plan import Plan
from segkit.rendering import render
from segkit.spelling import spell

if TYPE_CHECKING:
    import pandas as pd

_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_MOST_NAMES = 1000
_MOST_LISTS = 10_000
_MOST_BITS, _MOST_BITS_EACH = 2**29, 64
"""How many bits may tell event ids apart: no more than 64 MiB, and than the ids take themselves."""
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")


def _answer(engine: Engine, query: compile.Sql) -> pd.DataFrame:
    return engine.frame(render(query, engine.renders_as))


def sizes(engine: Engine, plans: Sequence[Plan]) -> pd.DataFrame:
    """How many members each plan has, counted in one query.

    Returns:
        segment (its name, or its Python where it has none), size, share (of all contacts, 0 to 1), in the given order.
    """
    import pandas as pd

    if not plans:
        return pd.DataFrame(
            {"segment": pd.Series([], dtype=str), "size": pd.Series([], dtype="int64"), "share": pd.Series([], dtype="float64")}
        )
    everyone, counts = _counted(engine, plans)
    shares = [count / everyone if everyone else float("nan") for count in counts]
    return pd.DataFrame({"segment": [label(plan) for plan in plans], "size": counts, "share": shares})


def _counted(engine: Engine, plans: Sequence[Plan]) -> tuple[int, list[int]]:
    """How many contacts there are, and how many members each plan has: in several queries where one would be too large."""
    query = compile.sizes(plans)
    if len(plans) > 1 and not engine.limits.allow(*compile.extent(query)):
        half = len(plans) // 2
        (everyone, first), (_, second) = _counted(engine, plans[:half]), _counted(engine, plans[half:])
        return everyone, first + second
    row = _answer(engine, query).iloc[0]
    return int(row["everyone"]), [int(row[f"size_{i}"]) for i in range(len(plans))]


def label(plan: Plan) -> str:
    """A segment's name, or its Python, cut short."""
    text = plan.definition.name or spell(plan.definition.where)
    return text if len(text) <= 80 else text[:79] + "…"


def members(engine: Engine, plan: Plan, columns: Sequence[str] = ()) -> pd.DataFrame:
    """The members' keys under the key's own name, sorted, with further columns of the contact."""
    return _members(engine, plan, columns, None)


def preview(engine: Engine, plan: Plan, n: int) -> pd.DataFrame:
    """The first `n` members in the order of their keys, with all columns of the contact."""
    return _members(engine, plan, list(plan.catalog.contacts.fields), n)


def _members(engine: Engine, plan: Plan, columns: Sequence[str], limit: int | None) -> pd.DataFrame:
    fields = plan.catalog.contacts.fields
    wanted = {plan.catalog.contacts.key: None}
    for name in columns:
        wanted[fields[find("field", name, fields)].name] = None
    query = compile.contacts(plan, list(wanted), limit)
    return engine.streamed(render(query, engine.renders_as)) if isinstance(engine, Streams) else _answer(engine, query)


def masked(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every e-mail address hidden."""

    def hide(value: object) -> object:
        return hidden(value) if isinstance(value, str) else value

    shown = frame.copy()
    for name in shown.columns:
        if any(isinstance(value, str) for value in shown[name]):
            shown[name] = shown[name].map(hide)
    return shown


def hidden(text: str) -> str:
    """The text with every e-mail address hidden.

    >>> hidden("to ada@example.com")
    'to ***@***'
    """
    return _ADDRESS.sub("***@***", text)


def checked(engine: Engine, catalog: Catalog) -> Catalog:
    """The catalog with what only the data can tell: which events and lists there are, whether event ids repeat.

    Raises:
        DataError: two contacts share a key, or one has none.
    """
    _check_keys(engine, catalog)
    lists = catalog.lists
    return replace(
        catalog,
        events=tuple(_observed(engine, table) for table in catalog.events),
        lists=lists and replace(lists, observed=_names(engine, lists.table, lists.list, _MOST_LISTS)),
    )


def _check_keys(engine: Engine, catalog: Catalog) -> None:
    contacts = catalog.contacts
    import pandas as pd

    found = _answer(engine, compile.repeated_keys(catalog, 5))
    if found.empty:
        return
    examples = ", ".join(f"{'no key' if pd.isna(key) else key} ({copies} rows)" for key, copies in found.itertuples(index=False))
    many = "at least " if len(found) == 5 else ""
    raise DataError(
        f"{many}{len(found)} keys of {contacts.table}.{contacts.key} are missing or stand on more than one row: {examples}",
        fix="keep one row a contact, or name the right key in the catalog",
    )


def _observed(engine: Engine, table: EventTable) -> EventTable:
    names = None if table.event is None or table.names is not None else _names(engine, table.table, table.event, _MOST_NAMES)
    return replace(table, observed=names, repeats=table.id is not None and _repeats(engine, table))


def _repeats(engine: Engine, table: EventTable) -> bool:
    """Whether an event id stands on several rows: told by a bit for each, where they are whole numbers that lie close."""
    if engine.dialect == "duckdb":
        [[low, high, count, kind]] = _answer(engine, compile.range_of_ids(table)).astype(object).to_numpy()
        if kind in _WHOLE and count and int(high) - int(low) < min(_MOST_BITS, _MOST_BITS_EACH * count):
            return bool(_answer(engine, compile.is_any_repeated(table, int(low), int(high)))["repeats"][0])
    return not _answer(engine, compile.repeated_ids(table, 1)).empty


def _names(engine: Engine, table: str, column: str, most: int) -> tuple[str, ...] | None:
    """The different names in a column, None where they are too many to be names."""
    found = _answer(engine, compile.distinct_values(table, column, most + 1)).iloc[:, 0]
    return tuple(str(name) for name in found.dropna()) if len(found) <= most else None
