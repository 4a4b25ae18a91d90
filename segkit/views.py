"""What definitions, journeys, lists and workspaces show in a notebook: views out of plain data, without any query."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from segkit import nodes
from segkit.catalog import Catalog
from segkit.display import Line, Part, Table, Tree, View, number
from segkit.spelling import spell

_UNNAMED = "(no name)"
_MOST_CONDITIONS = 200


def definition(own: nodes.Definition, told: str) -> View:
    """A segment: its name and notes, its condition as a tree, and what it means in words."""
    about = {"owner": own.owner, "tags": ", ".join(own.tags)}
    lines = [Line(own.notes)] if own.notes else []
    lines += [Line(text, label) for label, text in about.items() if text]
    meaning = [Line(told)] if told else []
    return View("Segment", own.name or _UNNAMED, (*lines, tree(own.where), *meaning))


def tree(where: nodes.Predicate) -> Tree:
    """A condition as a tree: groups say how they combine, what remains stands in Python.

    >>> from segkit import F
    >>> tree(((F.opens > 5) & ~((F.vip == True) | (F.tier == "Gold"))).node).below[1]
    Tree(text='none of', below=(Tree(text='F.vip == True', below=()), Tree(text="F.tier == 'Gold'", below=())))
    """
    match where:
        case nodes.Everyone():
            return Tree("everyone")
        case nodes.And(items):
            return _group("all of", items)
        case nodes.Or(items):
            return _group("any of", items)
        case nodes.Not(nodes.Or(items)):
            return _group("none of", items)
        case nodes.Not(nodes.And(items)):
            return _group("not all of", items)
        case _:
            return Tree(spell(where))


def _group(join: str, items: Sequence[nodes.Predicate]) -> Tree:
    below = [tree(item) for item in islice(items, _MOST_CONDITIONS)]
    if left_out := len(items) - len(below):
        below.append(Tree(f"… and {number(left_out)} more"))
    return Tree(join, tuple(below))


def journey(name: str | None, stages: Mapping[str, nodes.Predicate]) -> View:
    """A journey: its stages in order."""
    rows = tuple((number(i), stage, spell(where)) for i, (stage, where) in enumerate(stages.items(), 1))
    return View("Journey", name or _UNNAMED, (Table("stages", ("", "stage", "condition"), rows, unfolded=True),))


def static_list(name: str, size: int, as_of: dt.datetime) -> View:
    """A frozen list: how many contacts it holds, and since when."""
    return View("Static list", name, (Line(f"{number(size)} contacts, as of {instant(as_of)}"),))


def workspace(
    engine: str, catalog: Catalog, zone: str, as_of: str, segments: Iterable[nodes.Definition], lists: Mapping[str, int]
) -> View:
    """A workspace: where it asks, when and in which zone, and what is known by name."""
    fields, events = len(catalog.contacts.fields), len(catalog.event_names())
    counts = f"{number(fields)} fields, {number(len(catalog.calculated))} calculated, {number(events)} events"
    lines = [Line(f"as of {as_of}, local dates in {zone}"), Line(counts)]
    saved = tuple((own.name or _UNNAMED, own.notes) for own in segments)
    tables = [Table("segments", ("segment", "notes"), saved)] if saved else []
    kept = tuple((name, number(size)) for name, size in lists.items())
    tables += [Table("frozen lists", ("list", "contacts"), kept)] if kept else []
    parts: tuple[Part, ...] = (*lines, *tables)
    return View("Workspace", engine, parts)


def instant(at: dt.datetime) -> str:
    """A point of time to the minute, in UTC."""
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
