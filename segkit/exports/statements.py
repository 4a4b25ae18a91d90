"""The SQL of an export: the members of some plans, and the statement that keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from segkit import compile, header, nodes, rendering
from segkit.compile import statements
from segkit.display import distinct
from segkit.errors import DefinitionError, DialectError
from segkit.plan import Plan


@dataclass(frozen=True)
class Model:
    """What is kept under a name: the members of some plans.

    `layout` is `long` (a row for each segment and member), `wide` (a row for each contact, and in a column for each segment
    whether it is a member), or None: the keys of the one segment's members, and `long` for several. `known` are the segments
    that they may refer to.
    """

    name: str
    plans: tuple[Plan, ...]
    names: tuple[str, ...]
    layout: str | None
    known: Mapping[str, nodes.Predicate]

    @property
    def shape(self) -> str:
        return self.layout or ("keys" if len(self.plans) == 1 else "long")


def names_of(plans: Iterable[Plan]) -> list[str]:
    """A name of each plan, made distinct."""
    return distinct([own.definition.name or "segment" for own in plans])


def model_name(plans: Sequence[Plan]) -> str:
    """What a view or a table is called where nobody says it."""
    return plain(plans[0].definition.name or "segment") if len(plans) == 1 else "segments"


def plain(name: str) -> str:
    """A name as one would write it without quotes: small letters, digits and underscores.

    >>> plain("At risk: 90+ days")
    'at_risk_90_days'
    """
    return re.sub(r"\W+", "_", name.lower()).strip("_")[:60] or "segment"


def columns(model: Model) -> tuple[str, ...]:
    """The columns of a model's rows."""
    key = model.plans[0].catalog.contacts.key
    match model.shape:
        case "keys":
            return (key,)
        case "long":
            return (segment_column(key), key)
        case _:
            return (key, *distinct_columns(model.names, (key,)))


def distinct_columns(names: Iterable[str], taken: Iterable[str]) -> list[str]:
    """Plain names, each different from the others and from those that are taken, in any case of letters.

    >>> distinct_columns(["At risk", "At-risk"], ["contact_id"])
    ['at_risk', 'at_risk_2']
    """
    used, found = {own.lower() for own in taken}, []
    for name in map(plain, names):
        own = name if name not in used else next(f"{name}_{n}" for n in range(2, len(used) + 3) if f"{name}_{n}" not in used)
        used.add(own)
        found.append(own)
    return found


def segment_column(key: str) -> str:
    return "segment_name" if key.lower() == "segment" else "segment"


def of_members(model: Model) -> compile.Query:
    """The query of a model's rows; its dates follow the warehouse's clock, where the plans are evergreen."""
    first = model.plans[0]
    query: compile.Query
    match model.shape:
        case "keys":
            query = compile.members(first)
        case "long":
            query = compile.memberships(model.plans, model.names, columns(model)[0])
        case _:
            query = compile.flags(model.plans, columns(model)[1:])
    return compile.with_clock(query, first)


def statement(model: Model, form: str, dialect: str) -> compile.Sql:
    """The statement of a form."""
    query = of_members(model)
    match form:
        case "view":
            return statements.view(model.name, query)
        case "table":
            if dialect == "clickhouse":
                raise DialectError("clickhouse: a table needs an engine and an order", fix='export a view, or as_="insert"')
            return statements.table(model.name, query)
        case "insert":
            return statements.insert(model.name, columns(model), query)
        case _:
            return query


def shown(model: Model, form: str, dialect: str) -> str:
    """The statement below its header, laid out to be read."""
    text = rendering.render(statement(model, form, dialect), dialect, pretty=True)
    return "\n".join([*about(model, dialect), text])


def about(model: Model, dialect: str) -> list[str]:
    """The header: who made it, what it holds, and when its dates are."""
    names = [own.definition.name for own in model.plans] if model.shape == "keys" else model.names
    return header.above(model.plans, names, model.known, dialect.removesuffix("+"))


def refuse_frozen(plans: Iterable[Plan], form: str, *, execute: bool) -> None:
    """Refuses what would read a frozen list, which stands in a temporary table of this connection."""
    frozen = [name for own in plans for name in own.lists if name in own.catalog.frozen_names()]
    if frozen and not (execute and form in ("table", "insert")):
        raise DefinitionError(
            f"the frozen list {frozen[0]!r:.80} stands in a temporary table, which others do not see",
            fix='write a table: as_="table", execute=True; or keep the list in a table of the catalog',
        )
