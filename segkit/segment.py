"""A segment: a definition with verbs. It renders and evaluates itself; running it takes a workspace."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from segkit import codec, display, documents, evaluate, example, header, nodes, views
from segkit.builder import Predicate, no_truth_value, not_a_predicate
from segkit.catalog import ASSUMED, Catalog, Column, ContactTable, EventTable, Kind, checked_zone
from segkit.describe import describe
from segkit.errors import CatalogError, DefinitionError
from segkit.example import Example
from segkit.plan import Moment, Plan, moment, plan
from segkit.plan import evergreen as plan_evergreen
from segkit.plan.clock import iso_time
from segkit.spelling import spell

Segments: TypeAlias = "Iterable[Segment] | Mapping[str, Segment | Predicate]"
"""Other segments that a definition may refer to: named segments, or a mapping from names."""


class Audience:
    """Contacts that a predicate, `where`, tells from the others: they combine with `&`, `|`, `-` and `~`."""

    __slots__ = ()

    @property
    def where(self) -> Predicate:
        """The predicate."""
        raise NotImplementedError

    def __and__(self, other: Predicate | Audience) -> Segment:
        return Segment(None, self.where & as_predicate(other))

    def __or__(self, other: Predicate | Audience) -> Segment:
        return Segment(None, self.where | as_predicate(other))

    def __sub__(self, other: Predicate | Audience) -> Segment:
        return Segment(None, self.where - as_predicate(other))

    def __rand__(self, other: Predicate) -> Segment:
        return Segment(None, as_predicate(other) & self.where)

    def __ror__(self, other: Predicate) -> Segment:
        return Segment(None, as_predicate(other) | self.where)

    def __rsub__(self, other: Predicate) -> Segment:
        return Segment(None, as_predicate(other) - self.where)

    def __invert__(self) -> Segment:
        return Segment(None, ~self.where)

    __bool__ = no_truth_value


class Segment(Audience):
    """A named predicate with what people need to know about it.

    Args:
        name: what the segment is called; None while it has no name, as after set algebra.
        where: a predicate, or another segment whose predicate to take.
        notes: what it is for.
        owner: who answers for it.
        tags: words to find it by.
        examples: contacts that should be members, and others that should not. They are no part of what the segment means:
            two segments are equal whatever their examples.

    Segments and predicates combine with `&`, `|`, `-` and `~`; the result has no name until it gets one.

    >>> from segkit import F, Segment
    >>> vip = Segment("VIP", F.total_spent > 500)
    >>> Segment("Foreign VIP", vip - (F.country == "USA"))
    Segment('Foreign VIP', (F.total_spent > 500) & (F.country != 'USA'))
    """

    __slots__ = ("definition", "examples")

    def __init__(
        self,
        name: str | None,
        where: Predicate | Audience,
        *,
        notes: str = "",
        owner: str = "",
        tags: Iterable[str] = (),
        examples: Iterable[Example] = (),
    ) -> None:
        own = tuple(nodes.checked_list(tags, "tags"))
        self.definition = nodes.Definition(name, as_predicate(where).node, notes, owner, own)
        self.examples = example.checked(examples)

    @property
    def name(self) -> str | None:
        """What the segment is called."""
        return self.definition.name

    @property
    def notes(self) -> str:
        """What it is for."""
        return self.definition.notes

    @property
    def owner(self) -> str:
        """Who answers for it."""
        return self.definition.owner

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by."""
        return self.definition.tags

    @property
    def where(self) -> Predicate:
        """The predicate."""
        return Predicate(self.definition.where)

    # reading and writing
    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Segment:
        """Reads segkit's own form or the API form (named operators in a list of conditions).

        Raises:
            DefinitionError: the document is neither, with the place of what is wrong.

        >>> Segment.from_dict({"name": "Rich", "conditions": [{"field": "spent", "operator": "greater_than", "value": 500}]})
        Segment('Rich', F.spent > 500)
        """
        definition = codec.from_dict(document)
        return cls._of(definition, documents.at("$.examples", lambda: example.read(document.get("examples", []))))

    @classmethod
    def from_json(cls, text: str | bytes) -> Segment:
        """Reads either form from JSON text.

        Raises:
            DefinitionError: the text is no JSON, or the document is neither form.

        >>> Segment.from_json('{"name": "US", "conditions": [{"field": "country", "operator": "equals", "value": "USA"}]}')
        Segment('US', F.country == 'USA')
        """
        return cls.from_dict(documents.parsed(text))

    def to_dict(self) -> dict[str, Any]:
        """segkit's own form, which `from_dict` reads back equal.

        >>> from segkit import F
        >>> Segment.from_dict(Segment("US", F.country == "USA").to_dict())
        Segment('US', F.country == 'USA')
        """
        examples = {"examples": example.written(self.examples)} if self.examples else {}
        return {**codec.to_dict(self.definition), **examples}

    def to_json(self) -> str:
        """segkit's own form as JSON text, which `from_json` reads back equal.

        >>> from segkit import F
        >>> Segment.from_json(Segment("US", F.country == "USA").to_json())
        Segment('US', F.country == 'USA')
        """
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)

    def to_text(self) -> str:
        """The condition in the text language, which `parse` reads back equal; the name and the notes are not in it.

        Raises:
            DefinitionError: the language cannot say it, such as SQL.

        >>> from segkit import F
        >>> Segment("Win back", F.last_purchase.older_than(days=180) & (F.vip == True)).to_text()
        'last_purchase > 180 days ago AND vip = TRUE'
        """
        from segkit import language  # its parser is loaded where there is text

        return language.to_text(self.definition.where)

    def with_examples(self, *examples: Example) -> Segment:
        """The segment with more examples beside it.

        Raises:
            DefinitionError: two examples have one name.

        >>> from segkit import Example, F
        >>> rich = Segment("Rich", F.spent > 500)
        >>> tested = rich.with_examples(Example(name="just not", contact={"spent": 500}, expected=False))
        >>> len(tested.examples), tested == rich
        (1, True)
        """
        return self._of(self.definition, example.checked((*self.examples, *examples)))

    # meaning
    def sql(
        self,
        dialect: str = "duckdb",
        *,
        catalog: Catalog | Mapping[str, Any] | str | Path | None = None,
        as_of: Any = None,
        timezone: str | None = None,
        segments: Segments = (),
        evergreen: bool = False,
    ) -> str:
        """The query of the members' keys, to be read or handed to a warehouse; no connection is needed.

        A header says what the segment means, as of when, with its windows resolved, and a fingerprint of its definition.
        Without a catalog the conventional tables are assumed, and the header says so.

        Args:
            dialect: a dialect by sqlglot's name, such as `snowflake`.
            catalog: a catalog, its mapping form, or the path of a `catalog.yml`.
            as_of: the instant of evaluation (default: the catalog's, else now).
            timezone: the zone of local dates (default: the catalog's, else UTC).
            segments: other segments that this one refers to.
            evergreen: let dates follow the warehouse's own clock, as views and scheduled models want it: each is a column of
                one CTE of one row, called `clock`. There is no `as_of` then.

        Raises:
            DefinitionError: a name or kind does not fit, or `evergreen` stands beside `as_of`.
            DialectError: the dialect has no faithful form of a condition, or no clock.

        >>> from segkit import F
        >>> print(Segment("US", F.country == "USA").sql("snowflake", as_of="2025-11-30"))
        -- Made by segkit 0.1.0, definition bf6e7286eaa1
        -- Segment: US
        -- Contacts whose country is 'USA'.
        -- As of 2025-11-30 00:00:00 UTC, local dates in UTC
        -- Assumed: tables contacts, events, list_members; fields are columns, kinds by use; event ids are unique
        -- Dialect snowflake: emulated: its SQL runs on fakesnow, which is DuckDB behind sqlglot
        SELECT
          "contacts"."contact_id"
        FROM "contacts"
        WHERE
          "contacts"."country" = 'USA'
        """
        own = as_catalog(catalog)
        zone = zone_of(timezone, own)
        known = by_name(segments)
        if evergreen:
            return displayed(plan_evergreen(self.definition, own, unpinned(as_of, zone), known), dialect, known)
        at = moment(as_of if as_of is not None else own.as_of, zone)
        return displayed(plan(self.definition, own, at, known), dialect, known)

    def matches(
        self,
        contact: Mapping[str, Any],
        events: Iterable[Mapping[str, Any]] = (),
        *,
        as_of: Any = None,
        catalog: Catalog | Mapping[str, Any] | str | Path | None = None,
        lists: Iterable[str] | Mapping[str, Iterable[Any]] = (),
        segments: Segments = (),
        timezone: str | None = None,
    ) -> bool:
        """Whether one contact is a member, in plain Python: a unit test of the segment without a database.

        Args:
            contact: its fields by name; absent ones are missing.
            events: its events, each with `event`, `occurred_at` and properties.
            as_of: the instant of evaluation (default: the catalog's, else now).
            catalog: kinds and names (default: taken from the values given).
            lists: names of the static lists the contact is on, or a mapping from names to contact keys.
            segments: other segments that this one refers to.
            timezone: the zone of local dates (default: the catalog's, else UTC).

        Raises:
            DefinitionError: the definition does not fit what is given, ranks contacts, or holds SQL.

        >>> from segkit import F
        >>> Segment("US", F.country == "USA").matches({"country": "USA"})
        True
        """
        rows = nodes.checked_list(events, "events")
        if odd := [row for row in (contact, *rows) if not isinstance(row, Mapping)]:
            raise DefinitionError(f"{odd[0]!r:.60} is no contact and no event", fix='pass mappings such as {"country": "USA"}')
        own = as_catalog(catalog) if catalog is not None else catalog_of_values([contact], rows)
        at = moment(as_of if as_of is not None else own.as_of, zone_of(timezone, own))
        key = contact.get(own.contacts.key)
        if isinstance(lists, Mapping):
            on = [name for name, keys in lists.items() if key in nodes.checked_list(keys, "keys of a list")]
        else:
            on = [nodes.checked_name(name, "list name") for name in nodes.checked_list(lists, "lists")]
        return evaluate.holds(plan(self.definition, own, at, by_name(segments)), contact, rows, on)

    def describe(
        self,
        *,
        as_of: Any = None,
        catalog: Catalog | Mapping[str, Any] | str | Path | None = None,
        timezone: str | None = None,
        segments: Segments = (),
    ) -> str:
        """The definition in one English paragraph, with its relative dates resolved.

        What a complement includes is said (`is not 'USA' (or is missing)`), and so is how much of a long definition is
        left out. Names are not looked up: a definition that is not finished is described, too.

        Args:
            as_of: the instant of evaluation (default: the catalog's, else now).
            catalog: kinds of fields and calculated fields: a catalog, its mapping form, or the path of a `catalog.yml`.
            timezone: the zone of local dates (default: the catalog's, else UTC).
            segments: other segments that this one refers to; what they mean is said, too.

        Raises:
            DefinitionError: the definition is too large, or a date of it out of range.

        >>> from segkit import F
        >>> Segment("Quiet", F.last_open.older_than(days=90) & (F.plan != "free")).describe(as_of="2025-11-30T12:00")
        "Contacts whose last open is more than 90 days ago (before 1 September 2025 12:00) and whose plan is not 'free' \
(or is missing). As of 30 November 2025 12:00 (UTC)."
        """
        own = as_catalog(catalog)
        at = moment(as_of if as_of is not None else own.as_of, zone_of(timezone, own))
        return describe(self.definition.where, own, at, by_name(segments))

    def __eq__(self, other: object) -> bool:
        return self.definition == other.definition if isinstance(other, Segment) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.definition)

    def __repr__(self) -> str:
        about = {"notes": self.notes, "owner": self.owner, "tags": list(self.tags)}
        given = "".join(f", {key}={value!r}" for key, value in about.items() if value)
        return f"Segment({self.name!r}, {spell(self.definition.where)}{given})"

    def _repr_html_(self) -> str:
        return display.html(views.definition(self.definition, _told(self.definition.where)))

    @classmethod
    def _of(cls, definition: nodes.Definition, examples: tuple[Example, ...] = ()) -> Segment:
        segment = cls.__new__(cls)
        segment.definition, segment.examples = definition, examples
        return segment


def _told(where: nodes.Predicate) -> str:
    """The description, where it is the same at any instant: a segment by itself has none."""
    try:
        first, second = (describe(where, ASSUMED, moment(day, "UTC"), {}) for day in ("2001-01-01", "2002-07-05"))
    except DefinitionError:
        return ""
    return first if first == second else "describe() says it in words, with its dates resolved."


def parse_segment(text: str) -> Segment:
    """Reads a segment in the text language: a condition, or one of the three forms of the product page.

    The forms are `Condition: ... Result: name`, `Static List: "A" ∩ Dynamic Segment: "B" = Target Group: "name"` and
    `Send to: ... Exclude: ... Result: name`; without `Result:` or `Target Group:` the segment has no name.

    Raises:
        DefinitionError: with the line, a caret, and what could stand there.

    >>> parse_segment('Send to: "All Subscribers" Exclude: Segment "Purchased This Week" Result: Non-purchasers only')
    Segment('Non-purchasers only', in_group('All Subscribers') & ~in_segment('Purchased This Week'))
    """
    from segkit import language  # its parser is loaded where there is text

    return Segment._of(language.definition(text))


def as_predicate(where: object) -> Predicate:
    """The predicate of a segment or of a static list, or the predicate itself."""
    if isinstance(where, Audience):
        return where.where
    if isinstance(where, Predicate):
        return where
    not_a_predicate(where)


def as_segment(given: object) -> Segment:
    """A segment, or a predicate as one without name."""
    return given if isinstance(given, Segment) else Segment(None, as_predicate(given))


def by_name(segments: Segments) -> dict[str, nodes.Predicate]:
    """Segments by their names, for references; two different ones of one name are refused."""
    named: dict[str, nodes.Predicate] = {}
    if isinstance(segments, Mapping):
        pairs = list(segments.items())
    else:
        pairs = [(own.name, own) for own in map(as_segment, nodes.checked_list(segments, "segments"))]
    for name, segment in pairs:
        node = as_predicate(segment).node
        if name is not None and named.setdefault(name, node) != node:
            raise DefinitionError(f"two different segments are called {name!r}", fix="give one of them another name")
    return named


def as_catalog(given: Catalog | Mapping[str, Any] | str | Path | None) -> Catalog:
    """A catalog out of any of its forms; the assumed one for None."""
    match given:
        case None:
            return ASSUMED
        case Catalog():
            return given
        case Mapping():
            return _open(Catalog.from_dict(given))
        case str() | Path():
            return _open(Catalog.from_file(given))
    raise CatalogError(f"{given!r:.60} is no catalog", fix="pass a mapping, the path of a catalog.yml, or a Catalog")


def _open(catalog: Catalog) -> Catalog:
    """A catalog that was read without a connection: columns it does not mention may exist."""
    return replace(catalog, assumed=True)


def zone_of(timezone: str | None, catalog: Catalog) -> str:
    """The zone of local dates."""
    return checked_zone(timezone if timezone is not None else catalog.timezone or "UTC")


def displayed(resolved: Plan, dialect: str, known: Mapping[str, nodes.Predicate]) -> str:
    """The members query of a plan, laid out to be read, below a header; `known` are the segments it may refer to."""
    from segkit import compile, rendering  # sqlglot is heavy: it is loaded when SQL is asked for

    own = header.above([resolved], [resolved.definition.name], known, dialect)
    return "\n".join([*own, rendering.render(compile.with_clock(compile.members(resolved), resolved), dialect, pretty=True)])


def unpinned(as_of: Any, zone: str) -> Moment:
    """The moment that an evergreen query is made at, which has no instant of its own."""
    if as_of is not None:
        raise DefinitionError("an evergreen query follows the warehouse's clock", fix="leave as_of out, or evergreen=True")
    return moment(None, zone)


def catalog_of_values(contacts: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]) -> Catalog:
    """The catalog that values given by hand imply: their kinds, and any field they leave out."""
    table = EventTable(id="event_id", properties=_columns_of(events))
    return replace(ASSUMED, contacts=ContactTable(fields=_columns_of(contacts)), events=(table,))


def _columns_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Column]:
    """Each field of some rows, of the kind that its first value has."""
    columns: dict[str, Column] = {}
    for row in rows:
        for name, value in row.items():
            if name not in columns or columns[name].kind is Kind.UNKNOWN:
                columns[str(name)] = Column(str(name), _kind_of(value))
    return columns


def _kind_of(value: Any) -> Kind:
    try:
        sort = nodes.literal(value).sort
    except DefinitionError:
        return Kind.UNKNOWN
    if sort == "text":
        return Kind.UNKNOWN if iso_time(value) is not None else Kind.TEXT
    if sort == "timestamp":
        return Kind.TIMESTAMP if getattr(value, "tzinfo", None) is None else Kind.TIMESTAMPTZ
    if sort == "number":
        kinds = {"int": Kind.INTEGER, "float": Kind.FLOAT, "Decimal": Kind.DECIMAL}
        return kinds.get(type(value).__name__, Kind.NUMBER)
    return Kind(sort)
