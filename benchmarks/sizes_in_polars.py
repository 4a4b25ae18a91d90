"""The sizes benchmark in polars, over frames in memory or Parquet files.

One lazy query tuned by hand, a group_by for each event type; or, as people write it, a lazy query a segment in a loop.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import reduce
from pathlib import Path

import duckdb
import polars as pl
from marketing import AS_OF, BY_NAME, FEATURES, Feature, Group, Has, Not, Rule, by_event, features_of, widest

_COMPARE = {"==": operator.eq, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


def in_memory(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> Callable[[], list[int]]:
    """Both tables are loaded before the clock starts, event types as categories."""
    return _sizes(*_loaded(connection), rules, FEATURES)


def loop(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> Callable[[], list[int]]:
    """A query for each segment, with only the features that it needs, on tables that are loaded before the clock starts."""
    contacts, events = _loaded(connection)
    queries = [_sizes(contacts, events, [rule], tuple(dict.fromkeys(features_of(rule)))) for rule in rules]
    return lambda: [query()[0] for query in queries]


def on_parquet(connection: duckdb.DuckDBPyConnection, folder: Path, rules: Sequence[Rule]) -> Callable[[], list[int]]:
    """Both tables are read from compressed files each time, as DuckDB reads its own file."""
    for table in ("contacts", "events"):
        connection.table(table).write_parquet(str(folder / f"{table}.parquet"))
    return _sizes(pl.scan_parquet(folder / "contacts.parquet"), pl.scan_parquet(folder / "events.parquet"), rules, FEATURES)


def _loaded(connection: duckdb.DuckDBPyConnection) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    events = connection.table("events").pl().with_columns(pl.col("event").cast(pl.Categorical))
    return connection.table("contacts").pl().lazy(), events.lazy()


def _sizes(
    contacts: pl.LazyFrame, events: pl.LazyFrame, rules: Sequence[Rule], features: tuple[Feature, ...]
) -> Callable[[], list[int]]:
    """Collects the sizes at once."""
    for event, own in by_event(features).items():
        contacts = contacts.join(_grouped(events, event, own), on="contact_id", how="left")
    query = contacts.select(_condition(rule).fill_null(False).sum().alias(str(i)) for i, rule in enumerate(rules))
    return lambda: list(query.collect().row(0))


def _grouped(events: pl.LazyFrame, event: str, features: list[Feature]) -> pl.LazyFrame:
    start = widest(features)
    own = events.filter(pl.col("event") == event, pl.col("occurred_at") <= AS_OF)
    own = own if start is None else own.filter(pl.col("occurred_at") > start)
    return own.group_by("contact_id").agg(_measured(feature, start).alias(feature.name) for feature in features)


def _measured(feature: Feature, start: object) -> pl.Expr:
    inside = None if feature.since in (None, start) else pl.col("occurred_at") > feature.since
    match feature.measure:
        case "count":
            return pl.len() if inside is None else inside.sum()
        case "sum":
            return (pl.col("amount") if inside is None else pl.col("amount").filter(inside)).sum()
        case "last":
            return (pl.col("occurred_at") if inside is None else pl.col("occurred_at").filter(inside)).max()


def _condition(rule: Rule) -> pl.Expr:
    match rule:
        case Has(what, "older", days):
            return pl.col(what) < AS_OF - timedelta(days=int(days))
        case Has(what, op, value):
            own = pl.col(what).fill_null(0) if what in BY_NAME else pl.col(what)
            return _COMPARE[op](own, value)
        case Group(how, rules):
            return reduce(operator.and_ if how == "all" else operator.or_, map(_condition, rules))
        case Not(inner):
            return ~_condition(inner).fill_null(False)
