"""One definition at many instants: what of it is today's value there, whatever the instant."""

from __future__ import annotations

from segkit.plan import Plan


def without_history(own: Plan) -> tuple[str, ...]:
    """What a plan reads as it is today, at any instant: fields without history, and lists that do not say since when."""
    tables = {name: own.catalog.list_table(name) for name in own.lists}
    undated = (name for name, table in tables.items() if table is not None and table.joined is None and table.left is None)
    return (*own.fields, *(f"list {name!r}" for name in undated))
