"""What a plan means, in plain Python: the reference that SQL is held against, and unit tests of segments without a database.

One arm per kind of condition and term, like `compile`, and nothing shared with it but the plan. `conditions` decides on
a row, `terms` reads a value, `events` the outcomes of features, `gathering` what else is known of a contact; a row is a
contact or, inside a filter, an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Context, localcontext
from typing import Any

from segkit.errors import DefinitionError
from segkit.evaluate.conditions import true
from segkit.evaluate.gathering import events_by_contact, history_by_contact, lists_of, stand, valid_row, world_of
from segkit.evaluate.reading import named_by_column
from segkit.evaluate.terms import value_of
from segkit.evaluate.world import Options, Row, World
from segkit.plan import Plan
from segkit.plan.tree import Condition, Rank, Term

__all__ = ["Row", "constant_value", "fits", "holds", "lists_of", "members", "truths"]


def holds(plan: Plan, contact: Row, events: Iterable[Row] = (), lists: Iterable[str] = ()) -> bool:
    """Whether a contact is a member, by itself.

    Args:
        plan: the resolved definition.
        contact: the contact's values by field or column name, as they are at the moment; an absent one is missing.
        events: rows of events, by property name; those that name another contact, or none, are not the contact's.
        lists: the names of the static lists that the contact is on.

    Raises:
        DefinitionError: the definition ranks contacts, which takes all of them, or holds SQL.
    """
    if any(isinstance(part, Rank) for part in plan.parts):
        raise DefinitionError("a rank needs all contacts, not one", fix="run it on data: ws.members(segment)")
    with localcontext(Context(prec=100)):
        world = world_of(plan, contact, list(events), frozenset(lists), None, {})
        return world is not None and true(plan.where, world)


def members(
    plan: Plan,
    contacts: Iterable[Row],
    events: Iterable[Row] = (),
    list_members: Iterable[Row] = (),
    history: Mapping[str, Iterable[Row]] | None = None,
) -> list[Any]:
    """The keys of the members among all contacts, sorted; the tables of history by their names."""
    with localcontext(Context(prec=100)):
        worlds = _worlds(plan, contacts, events, list_members, history or {})
        return sorted(world.key for world in worlds if true(plan.where, world))


def truths(
    plan: Plan,
    wanted: Sequence[Condition],
    contacts: Iterable[Row],
    events: Iterable[Row] = (),
    list_members: Iterable[Row] = (),
    history: Mapping[str, Iterable[Row]] | None = None,
) -> dict[Any, tuple[bool, ...]]:
    """Which of some conditions of a plan hold for each contact that exists, by its key."""
    with localcontext(Context(prec=100)):
        worlds = _worlds(plan, contacts, events, list_members, history or {})
        return {world.key: tuple(true(own, world) for own in wanted) for world in worlds}


def constant_value(term: Term) -> Any:
    """The value of a term that reads nothing; None for others."""
    try:
        return value_of(term, World({}, true))
    except KeyError:
        return None


def fits(condition: Condition, row: Row) -> bool:
    """Whether a condition on events holds for one, by its properties."""
    return true(condition, World(row, true))


def _worlds(
    plan: Plan,
    contacts: Iterable[Row],
    events: Iterable[Row],
    list_members: Iterable[Row],
    history: Mapping[str, Iterable[Row]],
) -> list[World]:
    """What is known of each contact that exists, its standing in ranks included."""
    catalog = plan.catalog
    given, stays = events_by_contact(events, catalog), list(list_members)
    past = history_by_contact(catalog, history)
    worlds: list[World] = []
    sets: dict[int, Options] = {}
    for contact in contacts:
        key = named_by_column(contact, catalog.contacts.fields).get(catalog.contacts.key)
        on = frozenset(lists_of(plan, stays, key)) if plan.lists else frozenset()
        valid = {i: valid_row(past(i, key), table, plan) for i, table in enumerate(catalog.history)}
        world = world_of(plan, contact, given(key), on, valid, sets)
        if world is not None:
            worlds.append(world)
    for part in plan.parts:
        if isinstance(part, Rank):
            stand(part, worlds)
    return worlds
