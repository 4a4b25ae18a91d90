"""The history of tracked segments kept in the warehouse itself, in tables that anybody can read with SQL.

    plans  ->  temporary tables of members, made while nothing is locked  ->  rows that begin and end, in one transaction

Contacts stay where they are: only counts come here. `place` is the warehouse and the tables, `state` what they say and
whether that is consistent; what becomes of a segment is decided as for the file of the home.
"""

from __future__ import annotations

from segkit.tracking.warehouse.keeping import track, tracked, untrack
from segkit.tracking.warehouse.place import Warehouse, make, opened, statements
from segkit.tracking.warehouse.refreshing import foreseen, refreshed
from segkit.tracking.warehouse.telling import looks, moves, seen, sizes, spells

__all__ = [
    "Warehouse",
    "foreseen",
    "looks",
    "make",
    "moves",
    "opened",
    "refreshed",
    "seen",
    "sizes",
    "spells",
    "statements",
    "track",
    "tracked",
    "untrack",
]
