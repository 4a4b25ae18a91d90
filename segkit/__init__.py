"""segkit: define customer segments, see them, trust them and ship them.

 F / E builder    text language    JSON    templates    panel       ways to write one definition
        \\               |            |          |          /
         +--------------+-----+------+----------+---------+
                              v
                    nodes: Predicate / Value               frozen, equal by value, names not yet resolved
                              |        to_text -> text, to_dict -> JSON, repr -> Python
                              v
           plan(definition, catalog, as_of)                names, kinds, references, limits, dates folded, features once
                              v
                            Plan  ------------------>  evaluate: what it means, in plain Python;  describe: in English
                              v
             compile: Plan(s) -> sqlglot tree              members, sizes, ranks, columns to keep: dialect-free
                              v
             rendering.render(tree, dialect)               the only place that knows how one engine differs
                              v
                  Engine.frame(sql) -> frame               DuckDB, SQLite, any warehouse behind a driver
                              v
    metrics, counting, journey, composition, performance  ->  charts  ->  panel;    verification: the same members everywhere

>>> from segkit import F, E, Segment, connect
>>> ws = connect()
>>> vip = Segment("Engaged in the USA", (F.country == "USA") & (E.opened.within(days=30).count() >= 5))
>>> ws.size(vip) > 0
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from segkit.builder import (
    NOW,
    TODAY,
    E,
    F,
    all_of,
    any_of,
    constant,
    days,
    everyone,
    hours,
    in_group,
    in_list,
    in_segment,
    minutes,
    months,
    per,
    raw_sql,
    sample,
    weeks,
    word,
    years,
)
from segkit.catalog import Catalog
from segkit.codec import json_schema
from segkit.errors import (
    CatalogError,
    DataError,
    DefinitionError,
    DialectError,
    EngineError,
    SegkitError,
    SegkitWarning,
)
from segkit.example import Example
from segkit.exchange import from_react_querybuilder, to_json_logic, to_react_querybuilder
from segkit.segment import Segment, parse_segment
from segkit.version import VERSION

if TYPE_CHECKING:
    from segkit import charts, templates
    from segkit.findings.shown import show_findings
    from segkit.journey import Journey, parse_journey
    from segkit.language import parse, parse_fields, to_text
    from segkit.lists import StaticList
    from segkit.measures.rfm_cells import Rfm, cells, rfm
    from segkit.rendering import dialects
    from segkit.testing.boundaries import boundary_examples
    from segkit.testing.check import check_examples
    from segkit.workspace import Workspace, connect

__version__ = VERSION

__all__ = [
    "NOW",
    "TODAY",
    "Catalog",
    "CatalogError",
    "DataError",
    "DefinitionError",
    "DialectError",
    "E",
    "EngineError",
    "Example",
    "F",
    "Journey",
    "Rfm",
    "SegkitError",
    "SegkitWarning",
    "Segment",
    "StaticList",
    "Workspace",
    "all_of",
    "any_of",
    "boundary_examples",
    "cells",
    "charts",
    "check_examples",
    "connect",
    "constant",
    "days",
    "dialects",
    "everyone",
    "from_react_querybuilder",
    "hours",
    "in_group",
    "in_list",
    "in_segment",
    "json_schema",
    "minutes",
    "months",
    "parse",
    "parse_fields",
    "parse_journey",
    "parse_segment",
    "per",
    "raw_sql",
    "rfm",
    "sample",
    "show_findings",
    "templates",
    "to_json_logic",
    "to_react_querybuilder",
    "to_text",
    "weeks",
    "word",
    "years",
]


_LATER = {
    "Journey": "journey",
    "Rfm": "measures.rfm_cells",
    "StaticList": "lists",
    "Workspace": "workspace",
    "boundary_examples": "testing.boundaries",
    "cells": "measures.rfm_cells",
    "check_examples": "testing.check",
    "connect": "workspace",
    "dialects": "rendering",
    "parse": "language",
    "parse_fields": "language",
    "parse_journey": "journey",
    "rfm": "measures.rfm_cells",
    "show_findings": "findings.shown",
    "to_text": "language",
}


def __getattr__(name: str) -> Any:
    """What needs sqlglot, DuckDB or Altair is loaded when it is first asked for."""
    if name in ("charts", "templates"):
        return import_module(f"segkit.{name}")
    if name in _LATER:
        return getattr(import_module(f"segkit.{_LATER[name]}"), name)
    raise AttributeError(f"module 'segkit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext segkit` does: `%%segment` becomes known."""
    import_module("segkit.magics").register(shell)
