"""What the panel edits: a definition as rows, some of them muted, unfinished or kept as they are.

A draft holds text, truth values and further rows, and nothing else: numbers are text, so that the browser, which has one
kind of number, changes none. `written` and `read` are its JSON: one object a row, `is` names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints
from typing import Literal as OneOfThese

from segkit.documents import at, check_size, only_keys
from segkit.errors import DefinitionError, unknown
from segkit.nodes import checked_text

Logic: TypeAlias = OneOfThese["and", "or"]
Sort: TypeAlias = OneOfThese["text", "number", "decimal", "boolean", "date", "timestamp", "value"]
Reference: TypeAlias = OneOfThese["list", "segment", "either"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A constant as it is typed. The sort `value` is a calculation that the panel keeps: its JSON, shown as `label`."""

    sort: Sort
    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time as it is typed: `amount` units, for `between` also the nearer end."""

    kind: OneOfThese["last", "before", "next", "between", "period", "anniversary"]
    amount: str = ""
    unit: str = "days"
    to: str = ""
    to_unit: str = "days"
    edge: bool = False


@dataclass(frozen=True, slots=True)
class OfField:
    """About a field of the contact, or inside a filter about a property of the event."""

    name: str


@dataclass(frozen=True, slots=True)
class OfEvents:
    """About what a contact did: an aggregate over events of a name, with a filter and a window."""

    event: str
    measure: str = "count"
    of: str = ""
    filter: tuple[Rule, ...] = ()
    window: Stretch | None = None
    noun: str = ""


@dataclass(frozen=True, slots=True)
class OfMembers:
    """About a static list, another segment, or either by a name."""

    reference: Reference
    name: str


@dataclass(frozen=True, slots=True)
class OfValue:
    """About a calculation that the panel keeps: its JSON, shown as `label`."""

    node: str
    label: str = ""


Subject: TypeAlias = OfField | OfEvents | OfMembers | OfValue


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition. Without a subject it is blank and says nothing."""

    id: str
    subject: OfField | OfEvents | OfMembers | OfValue | None = None
    operator: str = ""
    values: tuple[Entry, ...] = ()
    span: Stretch | None = None
    ignore_case: bool = False
    negated: bool = False
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A condition that the panel cannot edit: its JSON, shown as `label`."""

    id: str
    node: str
    label: str = ""
    negated: bool = False
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of which all, or at least one, must hold. A bare group with a single row is that row."""

    id: str
    logic: Logic = "and"
    items: tuple[Group | Rule | Kept, ...] = ()
    bare: bool = True
    negated: bool = False
    muted: bool = False


Row: TypeAlias = Group | Rule | Kept


@dataclass(frozen=True, slots=True)
class Draft:
    """A definition in the making. `revision` grows with every edit."""

    root: Group = field(default_factory=lambda: Group("1"))
    name: str = ""
    notes: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    revision: int = 0


_KINDS: dict[str, type] = {
    "entry": Entry,
    "stretch": Stretch,
    "field": OfField,
    "events": OfEvents,
    "members": OfMembers,
    "value": OfValue,
    "rule": Rule,
    "kept": Kept,
    "group": Group,
    "draft": Draft,
}
_TAGS = {kind: tag for tag, kind in _KINDS.items()}


def rows(group: Group) -> Iterator[Row]:
    """A group and every row below it, in the order they are shown.

    >>> [row.id for row in rows(Group("1", items=(Rule("2"), Group("3", items=(Rule("4"),)))))]
    ['1', '2', '3', '4']
    """
    yield group
    for item in group.items:
        if isinstance(item, Group):
            yield from rows(item)
        else:
            yield item


def every_id(group: Group) -> Iterator[str]:
    """The ids of the rows, and of the rules inside the filters of events."""
    for row in rows(group):
        yield row.id
        if isinstance(row, Rule) and isinstance(row.subject, OfEvents):
            yield from (rule.id for rule in row.subject.filter)


def fresh_id(group: Group) -> str:
    """An id that no row has.

    >>> fresh_id(Group("1", items=(Rule("7"),)))
    '8'
    """
    return str(1 + max((int(own) for own in every_id(group) if re.fullmatch(r"[0-9]{1,18}", own)), default=0))


# ---------------------------------------------------------------- JSON


def written(part: Any) -> Any:
    """A draft, or a part of one, as JSON values.

    >>> written(Entry("number", "5"))
    {'is': 'entry', 'sort': 'number', 'text': '5', 'label': ''}
    """
    if isinstance(part, tuple):
        return [written(item) for item in part]
    if (tag := _TAGS.get(type(part))) is not None:
        return {"is": tag, **{f.name: written(getattr(part, f.name)) for f in fields(part)}}
    return part


def read(document: Any) -> Draft:
    """A draft out of its JSON values.

    Raises:
        DefinitionError: with the path to what is no part of a draft, or two rows with one id.

    >>> read(written(Draft(name="VIP"))).name
    'VIP'
    """
    check_size(document)
    draft: Draft = at("$", lambda: _read(Draft, document))
    ids = list(every_id(draft.root))
    if len(set(ids)) < len(ids):
        raise DefinitionError("two rows have the same id", where="$.root", fix="give each row its own")
    return draft


def _read(hint: Any, value: Any) -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise DefinitionError(f"expected a list, found {value!r:.60}", fix="put it in [ ]")
        return tuple(at(f"[{i}]", lambda item=item: _read(get_args(hint)[0], item)) for i, item in enumerate(value))  # type: ignore[misc]
    if get_origin(hint) is OneOfThese:
        if not isinstance(value, str) or value not in get_args(hint):
            raise unknown("choice", str(value)[:60], get_args(hint))
        return value
    if hint is str:
        return checked_text(value)
    if hint in (bool, int):
        if type(value) is not hint:
            raise DefinitionError(f"expected {hint.__name__}, found {value!r:.60}", fix=f"write a {hint.__name__}")
        return value
    allowed = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if value is None and NoneType in allowed:
        return None
    return _read_part([kind for kind in allowed if kind is not NoneType], value)


def _read_part(allowed: list[type], value: Any) -> Any:
    tags = [_TAGS[kind] for kind in allowed]
    if not isinstance(value, Mapping):
        raise DefinitionError(f"expected an object, found {value!r:.60}", fix=f'write {{"is": "{tags[0]}", ...}}')
    if value.get("is") not in tags:
        raise unknown("row", str(value.get("is"))[:60], tags).under(".is")
    kind = _KINDS[value["is"]]
    hints = _hints(kind)
    only_keys(value, ("is", *hints))
    parts = {key: at(f".{key}", lambda key=key: _read(hints[key], value[key])) for key in hints if key in value}  # type: ignore[misc]
    try:
        return kind(**parts)
    except TypeError:
        raise DefinitionError(f"{value['is']} is not complete", fix=f"it has: {', '.join(hints)}") from None


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
