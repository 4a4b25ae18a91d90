"""Names, looked up: which column, event table or segment a name of the definition means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from segkit import nodes
from segkit.catalog import VERBS, Catalog, Column, EventTable, Kind, Verb, find
from segkit.catalog import time_column as catalog_time_column
from segkit.errors import DefinitionError, unknown
from segkit.plan.tree import Bounds, ColumnTerm, Condition, Feature, Moment, Part, PastColumn, Spanned


@dataclass(frozen=True)
class Found:
    """What one plan gathers while names are looked up: distinct features and parts in the order that they need each other,
    lists, guessed kinds, bounds of relative dates, warnings, and how many parts were unfolded of calculated fields."""

    features: dict[Feature, None] = field(default_factory=dict)
    parts: dict[Part, None] = field(default_factory=dict)
    lists: dict[str, None] = field(default_factory=dict)
    guesses: dict[tuple[str, str], Kind] = field(default_factory=dict)
    segments: set[str] = field(default_factory=set)
    fields: dict[str, None] = field(default_factory=dict)
    spans: list[tuple[Spanned, Bounds]] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)
    unfolded: list[int] = field(default_factory=list)


_KEY = "key of an element"
_OF_EVENTS = ("contact_id", "occurred_at", "event_id")


@dataclass(frozen=True)
class Scope:
    """Where a name stands: in a condition on the contact, on events or on the elements of an array (`what` says which).

    `resolve` is how a condition further down is resolved: terms hold conditions, which hold terms.
    """

    catalog: Catalog
    at: Moment
    segments: Mapping[str, nodes.Predicate]
    found: Found
    columns: Mapping[str, Column]
    resolve: Callable[[nodes.Predicate, Scope], Condition]
    what: str = "field"
    path: tuple[str, ...] = ()
    level: int = 0

    @property
    def of_contact(self) -> bool:
        return self.what == "field"

    @property
    def of_element(self) -> bool:
        return self.what == _KEY

    def inside_events(self, tables: tuple[int, ...], event: str) -> Scope:
        """The scope of a filter on events: names are their properties."""
        return replace(self, columns=properties(self.catalog, tables), what=f"property of {event}")

    def inside_elements(self) -> Scope:
        """The scope of a condition on the elements of an array: names are their keys."""
        return replace(self, columns={}, what=_KEY)

    def below(self, name: str, depth: int) -> Scope:
        """The scope inside a named part of that depth (a segment or a calculated field), which may not contain itself."""
        if name in self.path:
            cycle = " -> ".join((*self.path[self.path.index(name) :], name))
            raise DefinitionError(f"{cycle} is a circle", fix="let one of them stand without the other")
        level = nodes.check_depth(self.level + depth)
        return replace(self, path=(*self.path, name), level=level)

    def unfold(self, name: str, parts: int) -> None:
        """Takes the formula of a calculated field for its name; fields that name each other may not multiply without end."""
        self.found.unfolded.append(parts + (self.found.unfolded[-1] if self.found.unfolded else 0))
        if self.found.unfolded[-1] > nodes.MAX_PARTS:
            raise DefinitionError(
                f"calculated fields such as {name!r:.80} unfold to more than {nodes.MAX_PARTS:,} parts",
                fix="let them name each other less often",
            )


def column(name: str, scope: Scope) -> Column:
    """The column that a field name means; in an assumed catalog any name is one."""
    if name in scope.columns:
        return scope.columns[name]
    if scope.catalog.assumed and not _alike(name, scope.columns):
        return Column(name)
    return scope.columns[find(scope.what, name, scope.columns)]


def has_field(name: str, scope: Scope) -> bool:
    """Whether a field of that name is known, in any case of letters."""
    return _alike(name, (*scope.columns, *scope.catalog.calculated))


def anniversary_of(node: nodes.Value, scope: Scope) -> nodes.Field | None:
    """The date whose anniversary a name such as Signup_Anniversary is, where no field bears that name."""
    if not isinstance(node, nodes.Field) or not node.name.casefold().endswith("_anniversary") or has_field(node.name, scope):
        return None
    base = node.name[: -len("_anniversary")]
    spellings = (base, f"{base}_date", f"{base}_at")
    found = next((name for name in spellings if has_field(name, scope)), None)
    return nodes.Field(spellings[1] if found is None else found) if found is not None or scope.catalog.assumed else None


def term(own: Column) -> ColumnTerm:
    """A column as a term."""
    return ColumnTerm(own.name, own.kind, own.zone if own.kind is Kind.TIMESTAMP else None)


def past_column(name: str, scope: Scope) -> PastColumn | None:
    """The column of a table of history that a field of the contact is read from, None for a field without history."""
    known = {field: (i, own) for i, table in enumerate(scope.catalog.history) for field, own in table.fields.items()}
    if not scope.of_contact or not known or (name in scope.catalog.contacts.fields and name not in known):
        return None
    exact = name if name in known else next((field for field in known if field.casefold() == name.casefold()), None)
    if exact is None:
        return None
    table, own = known[exact]
    return PastColumn(table, own.name, own.kind, own.zone if own.kind is Kind.TIMESTAMP else None)


def guessed(name: str, kind: Kind, scope: Scope) -> None:
    """Notes the kind that a use implies, and refuses two uses that imply different kinds."""
    broad = Kind.NUMBER if kind.is_number else kind
    earlier = scope.found.guesses.setdefault((scope.what, name), broad)
    if earlier is not broad:
        raise DefinitionError(
            f"{scope.what} {name!r} is used as {earlier} and as {broad}",
            fix=f"say which it is: catalog={{... {name!r}: {earlier.value!r} ...}}",
        )


def properties(catalog: Catalog, tables: tuple[int, ...]) -> Mapping[str, Column]:
    """The properties of events out of some tables; several tables must agree on the kind of a property."""
    if len(tables) == 1:
        return catalog.events[tables[0]].properties
    merged: dict[str, Column] = {}
    for property, (name, columns) in shared_properties(catalog, tables).items():
        first, *others = columns.values()
        for own in others:
            if (first.kind, first.zone) != (own.kind, own.zone):
                raise DefinitionError(
                    f"property {property!r} is {first.kind} in one event table and {own.kind} in another",
                    fix="declare one kind for both",
                )
        merged[property] = replace(first, name=name)
    return merged


def shared_properties(catalog: Catalog, tables: tuple[int, ...]) -> Mapping[str, tuple[str, Mapping[int, Column]]]:
    """The properties of several event tables: the name of the column that they share, and each table's own column.

    Names that differ by case alone are one property, unless one of the tables has both.
    """
    first: dict[str, str] = {}
    shared: dict[str, dict[int, Column]] = {}
    for i in tables:
        for name, own in catalog.events[i].properties.items():
            spelled = first.setdefault(name.casefold(), name)
            property = name if name in shared or i in shared.get(spelled, ()) else spelled
            shared.setdefault(property, {})[i] = own
    return {property: (apart(property, _OF_EVENTS), columns) for property, columns in shared.items()}


def apart(name: str, ours: Iterable[str]) -> str:
    """A name for a column of the data in a query that has columns of `ours`: each name has one of its own.

    >>> apart("Contact_ID", ("contact_id",)), apart("tier", ("contact_id",))
    ('_Contact_ID', 'tier')
    """
    return f"_{name}" if name.lstrip("_").casefold() in ours else name


def time_column(catalog: Catalog, tables: tuple[int, ...]) -> ColumnTerm:
    """The column that says when an event happened; several tables must agree on its kind and zone."""
    times = {_time(catalog.events[i]) for i in tables}
    if len({(t.kind, t.clock) for t in times}) > 1:
        raise DefinitionError("the event tables keep time in different ways", fix="declare one kind and zone for both")
    first = _time(catalog.events[tables[0]])
    if first.kind not in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        fix = "name a date or timestamp as time, or make one of the column (a cast in a view, pandas.to_datetime)"
        raise DefinitionError(f"the time of events, {first.name}, is {first.kind}", fix=fix)
    return first if len(tables) == 1 else replace(first, name="occurred_at")


def _time(table: EventTable) -> ColumnTerm:
    own = catalog_time_column(table.properties, table.time)
    return term(replace(own, kind=Kind.TIMESTAMP) if own.kind is Kind.UNKNOWN else own)


def event_source(name: str, scope: Scope) -> tuple[tuple[int, ...], str | None]:
    """The event tables that hold an event, and its exact name there (None for any event)."""
    tables = scope.catalog.events
    if not tables:
        raise DefinitionError(f"no events are known, so {name!r} cannot be counted", fix="name an event table in the catalog")
    if name == "*":
        return tuple(range(len(tables))), None
    known = scope.catalog.event_names()
    name = _said(name, known, scope.catalog)
    lists_all = all(t.names is not None or t.name is not None for t in tables)
    if known and (lists_all or _alike(name, known)):
        exact = find("event", name, known)
        return tuple(i for i, t in enumerate(tables) if exact in _names(t)), exact
    open_tables = tuple(i for i, t in enumerate(tables) if t.names is None and t.name is None)
    if all(tables[i].observed is not None for i in open_tables):
        hint = unknown("event", name, known).fix
        scope.found.warnings[f"no event {name!r} was ever recorded: it counts 0 ({hint})"] = None
    return open_tables, name


def _said(name: str, known: Iterable[str], catalog: Catalog) -> str:
    """The event that a verb means: what the catalog says of it, else an event of that name, else what the verb usually means."""
    if (declared := _verb(name, catalog.verbs)) is not None:
        return next((event for event in declared.events if _alike(event, known)), declared.events[0])
    if _alike(name, known) or (usual := _verb(name, VERBS)) is None:
        return name
    return next((event for event in usual.events if _alike(event, known)), name)


def _verb(name: str, verbs: Mapping[str, Verb]) -> Verb | None:
    return next((verb for word, verb in verbs.items() if word.casefold() == name.casefold()), None)


def has_event(name: str, scope: Scope) -> bool:
    """Whether the catalog knows an event that a word may mean."""
    known = scope.catalog.event_names()
    return _alike(_said(name, known, scope.catalog), known)


def check_noun(noun: str, verb: str, scope: Scope) -> None:
    """Refuses a noun that is not counted with a verb."""
    found = [own for verbs in (scope.catalog.verbs, VERBS) if (own := _verb(verb, verbs)) is not None]
    nouns = [*dict.fromkeys(n for own in found for n in own.nouns), "times"]
    if noun.casefold().removesuffix("s") not in {known.casefold().removesuffix("s") for known in nouns}:
        error = unknown(f"noun of {verb!r}", noun, nouns)
        raise DefinitionError(error.what, fix=f"{error.fix} (known: {', '.join(nouns)}; the catalog's verbs may have more)")


def _names(table: EventTable) -> tuple[str, ...]:
    return (table.name,) if table.name else table.names or table.observed or ()


def _alike(name: str, known: Iterable[str]) -> bool:
    return any(other.casefold() == name.casefold() for other in known)


def known_lists(scope: Scope) -> tuple[str, ...] | None:
    """The static lists by name, None where nobody knows which there are."""
    lists, frozen = scope.catalog.lists, scope.catalog.frozen_names()
    if lists is None:
        return frozen
    return None if lists.observed is None else (*frozen, *lists.observed)


def list_name(name: str, scope: Scope) -> str:
    """The exact name of a static list."""
    known = known_lists(scope)
    if known is None:
        return next((own for own in scope.catalog.frozen_names() if own.casefold() == name.casefold()), name)
    if not known:
        raise DefinitionError(f"no lists are known, so {name!r} is none", fix="freeze one: ws.freeze, or name a table of lists")
    return find("list", name, known)


def outermost(
    catalog: Catalog,
    at: Moment,
    segments: Mapping[str, nodes.Predicate],
    resolve: Callable[[nodes.Predicate, Scope], Condition],
) -> Scope:
    """The scope a definition begins in."""
    past = {name: column for table in catalog.history for name, column in table.fields.items()}
    fields = {**catalog.contacts.fields, **past} if past else catalog.contacts.fields
    return Scope(catalog, at, segments, Found(), fields, resolve)
