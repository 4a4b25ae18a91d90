"""Examples of a segment: contacts with their events and lists, and which of them should be members.

They stand beside a definition, and say nothing of what it means: two segments of one definition are equal, whatever
their examples.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from segkit import nodes
from segkit.documents import at, check_size, only_keys, tagged
from segkit.errors import DefinitionError

Row: TypeAlias = Mapping[str, Any]
MOST = 1000
"""How many examples a segment may have."""
_CONSTANTS = ("date", "timestamp", "decimal")
_FORM = 'write {"name": ..., "contact": {...}, "expected": true}'


@dataclass(frozen=True, kw_only=True)
class Example:
    """A contact that should be a member of a segment or should not, or several contacts and which of them should be.

    Args:
        name: what the example shows.
        contact: the fields of one contact by name; absent ones are missing.
        contacts: several contacts, each with its key, for segments that rank them.
        expected: whether the one contact is a member, or the keys of the members among several.
        events: events, each with `event`, `occurred_at` and properties; of several contacts each names its own.
        lists: the names of the static lists that the one contact is on, or the keys of several by the names of lists.
        as_of: the instant of evaluation: a date, a datetime or text. A segment of events or relative dates needs one.

    Raises:
        DefinitionError: something of it is no such value, with its place.

    >>> Example(name="enough", contact={"total_spent": 500.01}, expected=True, as_of="2025-11-30").expected
    True
    """

    name: str
    expected: bool | Sequence[Any]
    contact: Row | None = None
    contacts: Sequence[Row] = ()
    events: Sequence[Row] = ()
    lists: Sequence[str] | Mapping[str, Sequence[Any]] = ()
    as_of: dt.date | str | None = None

    def __post_init__(self) -> None:
        for name in ("name", "contact", "contacts", "expected", "events", "lists", "as_of"):
            object.__setattr__(self, name, at(f".{name}", lambda name=name: self._checked(name)))  # type: ignore[misc]

    def _checked(self, name: str) -> Any:
        value = getattr(self, name)
        match name:
            case "name":
                return nodes.checked_name(value, "name of the example")
            case "as_of":
                return None if value is None else _instant(value)
            case "contact":
                if (value is None) == (not self.contacts):
                    raise DefinitionError("an example is of one contact or of several", fix="give either contact or contacts")
                return None if value is None else _row(value)
            case "contacts" | "events":
                return tuple(at(f"[{i}]", lambda row=row: _row(row)) for i, row in enumerate(nodes.checked_list(value, name)))  # type: ignore[misc]
            case "lists" if self.contact is None and isinstance(value, Mapping) and value:
                return {_name_of_list(own): at(f".{own}", lambda keys=keys: _keys(keys)) for own, keys in value.items()}  # type: ignore[misc]
            case "lists" if self.contact is None and value:
                raise DefinitionError(
                    f"lists of several contacts without their keys: {value!r:.60}", fix='write {"name of the list": [keys]}'
                )
            case "lists" if not value:
                return ()
            case "lists":
                return tuple(map(_name_of_list, nodes.checked_list(value, name)))
            case _ if self.contact is None:
                return _keys(value)
            case _ if isinstance(value, bool):
                return value
        raise DefinitionError(f"expected must be true or false, not {value!r:.60}", fix="write whether it is a member")


def _instant(value: Any) -> str:
    """A date or time as text."""
    try:
        at = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        at = None
    if not isinstance(at, dt.date):
        raise DefinitionError(f"{value!r:.60} is no instant", fix="write a date or a time, such as 2025-11-30T12:00")
    return value if isinstance(value, str) else value.isoformat()


def _name_of_list(value: Any) -> str:
    return nodes.checked_name(value, "list name")


def _keys(value: Any) -> tuple[Any, ...]:
    keys = nodes.checked_list(value, "keys of contacts")
    for i, key in enumerate(keys):
        if not isinstance(key, int | str) or isinstance(key, bool):
            raise DefinitionError(f"{key!r:.60} is no key of a contact", where=f"[{i}]", fix="write a whole number or text")
    return tuple(keys)


def _row(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise DefinitionError(f"expected an object, found {value!r:.60}", fix='write {"field": value}')
    check_size(value)
    return {nodes.checked_name(name, "field name"): at(f".{name}", lambda own=own: _value(own)) for name, own in value.items()}  # type: ignore[misc]


def _value(value: Any) -> Any:
    """A value of a field: one, or what JSON holds."""
    match value:
        case None:
            return None
        case list() | tuple():
            return [at(f"[{i}]", lambda own=own: _value(own)) for i, own in enumerate(value)]  # type: ignore[misc]
        case Mapping():
            return _row(value) if value else {}
        case _:
            return nodes.literal(value).value


# ---------------------------------------------------------------- as a document


def written(examples: Iterable[Example]) -> list[dict[str, Any]]:
    """Examples as what JSON can hold, what they do not say left out."""
    return [_written(own) for own in examples]


def _written(own: Example) -> dict[str, Any]:
    said = {field.name: getattr(own, field.name) for field in fields(own) if field.name not in ("name", "expected")}
    parts = {name: value for name, value in said.items() if value or (name == "contact" and value is not None)}
    order = ("as_of", "contact", "contacts", "events", "lists")
    return {"name": own.name, **{name: _plain(parts[name]) for name in order if name in parts}, "expected": _plain(own.expected)}


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _plain(own) for name, own in value.items()}
        case list() | tuple():
            return [_plain(own) for own in value]
        case _:
            return tagged(value)


def read(document: Any) -> tuple[Example, ...]:
    """The examples of a document.

    Raises:
        DefinitionError: it holds something else, with the place of what is wrong.

    >>> read([{"name": "enough", "contact": {"spent": 501}, "expected": True}])[0].contact
    {'spent': 501}
    """
    if not isinstance(document, list | tuple):
        raise DefinitionError(f"examples must be a list, not {document!r:.60}", fix=f"put them in [ ]: {_FORM}")
    if len(document) > MOST:
        raise DefinitionError(f"{len(document):,} examples", fix=f"keep at most {MOST:,}")
    found = [at(f"[{i}]", lambda own=own: _read(own)) for i, own in enumerate(document)]  # type: ignore[misc]
    return checked(found)


def checked(examples: Iterable[Any]) -> tuple[Example, ...]:
    """Examples as they are, if each is one and has a name of its own."""
    own = nodes.checked_list(examples, "examples")
    names: set[str] = set()
    for i, example in enumerate(own):
        if not isinstance(example, Example):
            raise DefinitionError(f"{example!r:.60} is no example", where=f"[{i}]", fix="write Example(name=..., ...)")
        if example.name in names:
            raise DefinitionError(f"two examples are called {example.name!r:.80}", where=f"[{i}].name", fix="rename one of them")
        names.add(example.name)
    return tuple(own)


def _read(document: Any) -> Example:
    if not isinstance(document, Mapping):
        raise DefinitionError(f"expected an example, found {document!r:.60}", fix=_FORM)
    known = [field.name for field in fields(Example)]
    only_keys(document, tuple(known))
    for key in ("name", "expected"):
        if key not in document:
            raise DefinitionError(f"the example has no {key}", fix=f'add "{key}"')
    given = {key: at(f".{key}", lambda key=key: _constants(document[key])) for key in document}  # type: ignore[misc]
    return Example(**given)


def _constants(value: Any) -> Any:
    """A value of a document in which dates, times and decimals may be objects."""
    match value:
        case {"type": str() as sort, "value": str() as text} if sort in _CONSTANTS and len(value) == 2:
            return _constant(sort, text)
        case Mapping():
            return {name: at(f".{name}", lambda own=own: _constants(own)) for name, own in value.items()}  # type: ignore[misc]
        case list() | tuple():
            return [at(f"[{i}]", lambda own=own: _constants(own)) for i, own in enumerate(value)]  # type: ignore[misc]
        case _:
            return value


def _constant(sort: str, text: str) -> Any:
    try:
        match sort:
            case "date":
                return dt.date.fromisoformat(text)
            case "timestamp":
                return dt.datetime.fromisoformat(text)
            case _:
                return Decimal(text)
    except (ValueError, InvalidOperation):
        raise DefinitionError(f"{text!r:.60} is no {sort}", where=".value", fix="write it in ISO form") from None


def schema() -> dict[str, Any]:
    """The JSON Schema of a list of examples."""
    text, rows, keys = {"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "object"}}, _KEYS
    lists = {"anyOf": [{"type": "array", "items": text}, {"type": "object", "additionalProperties": keys}]}
    shared = {"name": text, "as_of": {"type": "string"}, "events": rows, "lists": lists}
    one = {**shared, "contact": {"type": "object"}, "expected": {"type": "boolean"}}
    several = {**shared, "contacts": {**rows, "minItems": 1}, "expected": keys}
    forms = [
        {"type": "object", "properties": form, "required": ["name", of, "expected"], "additionalProperties": False}
        for form, of in ((one, "contact"), (several, "contacts"))
    ]
    return {"type": "array", "items": {"anyOf": forms}, "maxItems": MOST}


_KEYS: dict[str, Any] = {"type": "array", "items": {"type": ["integer", "string"]}}
