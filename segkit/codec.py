"""Definitions as JSON, both ways, and two forms in.

- segkit's own form, versioned: `{"segkit": 1, "name": ..., "where": {"type": "compare", ...}}`. It has the shape of
  `nodes`: one object a node, `type` names it, its other keys are the node's fields, defaults left out, constants bare
  (dates, timestamps and decimals as objects). `json_schema()` is the published schema of it.
- the API form of the product page: `{"name": ..., "logic": "AND", "conditions": [{"field", "operator", "value"}]}`;
  groups nest, `"not": true` negates one.

Either may hold `examples`, which say nothing of the definition: `example` reads them. Reading never runs code, and every
refusal names the path and the fix.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from decimal import Decimal, InvalidOperation
from typing import Any, get_args, get_origin, get_type_hints
from typing import Literal as OneOfThese

from segkit import example, nodes
from segkit.documents import at, check_size, only_keys, parsed, tagged
from segkit.errors import DefinitionError, unknown
from segkit.operators import OPERATORS, Operator, operator

VERSION = 1
_DIGITS = 12

TYPES: dict[str, type[nodes.Node]] = {
    "field": nodes.Field,
    "today": nodes.Today,
    "now": nodes.Now,
    "duration": nodes.Duration,
    "rate": nodes.Rate,
    "arithmetic": nodes.Arithmetic,
    "part": nodes.Part,
    "function": nodes.Function,
    "json": nodes.Json,
    "elements": nodes.Elements,
    "quantile": nodes.Quantile,
    "word": nodes.Word,
    "aggregate": nodes.Aggregate,
    "events": nodes.Events,
    "then": nodes.Then,
    "last": nodes.Last,
    "before": nodes.Before,
    "next": nodes.Next,
    "between": nodes.Between,
    "period": nodes.Period,
    "on_day": nodes.OnDay,
    "anniversary": nodes.Anniversary,
    "everyone": nodes.Everyone,
    "and": nodes.And,
    "or": nodes.Or,
    "not": nodes.Not,
    "compare": nodes.Compare,
    "one_of": nodes.OneOf,
    "text_test": nodes.TextTest,
    "missing": nodes.Missing,
    "during": nodes.During,
    "in_list": nodes.InList,
    "in_segment": nodes.InSegment,
    "in_group": nodes.InGroup,
    "top": nodes.Top,
    "sample": nodes.Sample,
    "raw_sql": nodes.RawSql,
}
_NAMES = {kind: name for name, kind in TYPES.items()}
_CONSTANTS = ("date", "timestamp", "decimal")


# ---------------------------------------------------------------- writing


def to_dict(definition: nodes.Definition) -> dict[str, Any]:
    """A definition in segkit's own form."""
    about = {"notes": definition.notes, "owner": definition.owner, "tags": list(definition.tags)}
    return {
        "segkit": VERSION,
        "name": definition.name,
        **{key: value for key, value in about.items() if value},
        "where": _written(definition.where),
    }


def to_json(definition: nodes.Definition) -> str:
    """A definition in segkit's own form, as JSON text."""
    return json.dumps(to_dict(definition), indent=2, ensure_ascii=False, allow_nan=False)


def fingerprint(definition: nodes.Definition) -> str:
    """The first digits of the SHA-256 of segkit's own form: equal definitions have the same.

    >>> fingerprint(nodes.Definition("Everyone", nodes.Everyone()))
    '773c4b7121f3'
    """
    text = json.dumps(to_dict(definition), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _written(value: Any) -> Any:
    if isinstance(value, nodes.Literal):
        return tagged(value.value)
    if isinstance(value, nodes.Node):
        parts = {f.name: _written(getattr(value, f.name)) for f in fields(value) if getattr(value, f.name) != f.default}
        return {"type": _NAMES[type(value)], **parts}
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    return tagged(value)


# ---------------------------------------------------------------- reading


def from_json(text: str | bytes) -> nodes.Definition:
    """Reads a definition from JSON text, in either form."""
    return from_dict(parsed(text))


def from_dict(document: Any) -> nodes.Definition:
    """Reads a definition from a mapping, in either form."""
    try:
        check_size(document)
        match document:
            case {"segkit": _}:
                return _own(document)
            case {"where": Mapping() as where} if "conditions" not in document and "type" in where:
                raise DefinitionError("segkit's own form without its version", fix=f'add "segkit": {VERSION}')
            case Mapping():
                return _api(document)
    except DefinitionError as error:
        error.under("$")
        raise
    raise DefinitionError(
        f"a segment must be an object, not {document!r:.60}", where="$", fix='write {"name": ..., "conditions": [...]}'
    )


def _own(document: Mapping[str, Any]) -> nodes.Definition:
    if document["segkit"] != VERSION or isinstance(document["segkit"], bool):
        raise DefinitionError(
            f"version {document['segkit']!r:.60} of the form", where=".segkit", fix=f"this segkit reads version {VERSION}"
        )
    only_keys(document, ("segkit", "name", "where", "notes", "owner", "tags", "examples"))
    if "where" not in document:
        raise DefinitionError("the segment has no where", fix='add "where": {...}')
    return _definition(document, at(".where", lambda: _read_node(document["where"], nodes.Predicate)))


def _definition(document: Mapping[str, Any], where: nodes.Predicate) -> nodes.Definition:
    nodes.check_limits(where)
    tags = document.get("tags", [])
    if not isinstance(tags, list | tuple):
        raise DefinitionError(f"tags must be a list, not {tags!r:.60}", where=".tags", fix='write ["one", "two"]')
    return nodes.Definition(document.get("name"), where, document.get("notes", ""), document.get("owner", ""), tuple(tags))


def _read(hint: Any, value: Any) -> Any:
    """A value of the document as what a field of a node holds."""
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise DefinitionError(f"expected a list, found {value!r:.60}", fix="put it in [ ]")
        return tuple(at(f"[{i}]", lambda item=item: _read(get_args(hint)[0], item)) for i, item in enumerate(value))  # type: ignore[misc]
    if get_origin(hint) is OneOfThese:
        if not isinstance(value, str) or value not in get_args(hint):
            raise unknown("choice", str(value)[:60], get_args(hint))
        return value
    if hint in (str, bool, int):
        if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
            raise DefinitionError(f"expected {_PLAIN[hint]}, found {value!r:.60}", fix=f"write {_PLAIN[hint]}")
        return value
    if type(None) in get_args(hint) and value is None:
        return None
    if Decimal in get_args(hint):
        return _read_constant(value).value
    if hint == str | int:
        return _read(int if isinstance(value, int) else str, value)
    if hint == str | nodes.Value:
        is_value = isinstance(value, Mapping) and value.get("type") not in _CONSTANTS
        return _read_node(value, nodes.Value) if is_value else _read(str, value)
    for plain in (str, int):
        if plain in get_args(hint):
            return _read(plain, value)
    return _read_node(value, hint)


_PLAIN: dict[Any, str] = {str: "text", bool: "true or false", int: "a whole number"}


def _read_node(value: Any, hint: Any) -> Any:
    allowed = _classes(hint)
    is_object = isinstance(value, Mapping)
    if nodes.Literal in allowed and (not is_object or value.get("type") in _CONSTANTS):
        return _read_constant(value)
    if not isinstance(value, Mapping):
        raise DefinitionError(f"expected an object, found {value!r:.60}", fix='write {"type": ...}')
    known = [_NAMES[kind] for kind in allowed if kind in _NAMES]
    name = value.get("type")
    if not isinstance(name, str):
        raise DefinitionError("the object has no type", fix=f'add "type": one of {", ".join(known)}')
    if name not in known:
        raise unknown("type", name, known).under(".type")
    kind = TYPES[name]
    hints = _hints(kind)
    only_keys(value, ("type", *hints))
    for field in fields(kind):
        if field.default is MISSING and field.name not in value:
            raise DefinitionError(f"{name} has no {field.name}", fix=f'add "{field.name}"')
    parts = {key: at(f".{key}", lambda key=key: _read(hints[key], value[key])) for key in hints if key in value}  # type: ignore[misc]
    return kind(**parts)


def _read_constant(value: Any) -> nodes.Literal:
    if not isinstance(value, Mapping):
        if isinstance(value, list | tuple):
            raise DefinitionError(f"expected one value, found the list {value!r:.60}", fix="write a single value")
        return nodes.literal(value)
    if value.get("type") not in _CONSTANTS:
        raise unknown("type", str(value.get("type"))[:60], _CONSTANTS)
    only_keys(value, ("type", "value"))
    text = nodes.checked_text(value.get("value"), str(value["type"]))
    try:
        match value["type"]:
            case "date":
                return nodes.literal(dt.date.fromisoformat(text))
            case "timestamp":
                return nodes.literal(dt.datetime.fromisoformat(text))
            case _:
                return nodes.literal(Decimal(text))
    except DefinitionError:
        raise
    except (ValueError, InvalidOperation):
        raise DefinitionError(f"{text!r:.60} is no {value['type']}", where=".value", fix="write it in ISO form") from None


_HINTS: dict[str, dict[str, Any]] = {}


def _hints(kind: type[nodes.Node]) -> dict[str, Any]:
    """The types of a node's fields, read once."""
    if kind.__name__ not in _HINTS:
        _HINTS[kind.__name__] = get_type_hints(kind)
    return _HINTS[kind.__name__]


def _classes(hint: Any) -> tuple[type[nodes.Node], ...]:
    return tuple(k for k in get_args(hint) if k is not type(None)) or (hint,)


# ---------------------------------------------------------------- the API form


def _api(document: Mapping[str, Any]) -> nodes.Definition:
    only_keys(document, ("name", "logic", "conditions", "not", "notes", "description", "owner", "tags", "examples"))
    about = dict(document)
    if "description" in about:
        if "notes" in about:
            raise DefinitionError("both notes and description", fix="keep one of them")
        about["notes"] = about.pop("description")
    return _definition(about, _api_group(document))


def _api_group(group: Mapping[str, Any]) -> nodes.Predicate:
    if "conditions" not in group:
        raise DefinitionError("the group has no conditions", fix='add "conditions": [...]')
    conditions = group["conditions"]
    if not isinstance(conditions, list | tuple):
        raise DefinitionError(f"conditions must be a list, not {conditions!r:.60}", where=".conditions", fix="put them in [ ]")
    if not conditions:
        raise DefinitionError("a group without conditions", where=".conditions", fix="add a condition, or remove the group")
    items = tuple(at(f".conditions[{i}]", lambda c=c: _api_item(c)) for i, c in enumerate(conditions))  # type: ignore[misc]
    logic = group.get("logic", "AND")
    if not isinstance(logic, str) or logic.upper() not in ("AND", "OR"):
        raise DefinitionError(f"logic {logic!r:.60}", where=".logic", fix='write "AND" or "OR"')
    negated = group.get("not", False)
    if not isinstance(negated, bool):
        raise DefinitionError(f"not must be true or false, found {negated!r:.60}", where=".not", fix="write true or false")
    joined: nodes.Predicate = nodes.And(items) if logic.upper() == "AND" else nodes.Or(items)
    joined = items[0] if len(items) == 1 else joined
    return nodes.Not(joined) if negated else joined


def _api_item(item: Any) -> nodes.Predicate:
    if not isinstance(item, Mapping):
        raise DefinitionError(
            f"expected a condition, found {item!r:.60}", fix='write {"field": ..., "operator": ..., "value": ...}'
        )
    if "conditions" in item or "logic" in item:
        only_keys(item, ("logic", "conditions", "not"))
        return _api_group(item)
    only_keys(item, ("field", "operator", "value"))
    for key in ("field", "operator"):
        if key not in item:
            raise DefinitionError(f"the condition has no {key}", fix=f'add "{key}"')
    row = at(".operator", lambda: operator(item["operator"]))
    field = at(".field", lambda: nodes.Field(item["field"]))
    built: nodes.Predicate = at(f".value (field {field.name!r})", lambda: _api_condition(row, field, item))
    return built


def _api_condition(row: Operator, field: nodes.Field, item: Mapping[str, Any]) -> nodes.Predicate:
    value = item.get("value")
    if row.arguments == "none":
        if value is not None:
            raise DefinitionError(f"{row.key} takes no value", fix="leave it out")
        return row.build(field)
    if "value" not in item and row.arguments != "optional amount":
        raise DefinitionError(f"{row.key} needs a value", fix='add "value"')
    match row.arguments:
        case "value" if row.key in ("equals", "not_equals") and value is None:
            return row.build(field, None)
        case "value":
            return row.build(field, _read_constant(value))
        case "text":
            return row.build(field, nodes.checked_text(value))
        case "values":
            return row.build(field, tuple(_read_constant(v) for v in _list(row, value)))
        case "pair":
            low_high = _list(row, value)
            if len(low_high) != 2:
                raise DefinitionError(f"{row.key} needs two values, found {len(low_high)}", fix="write [low, high]")
            return row.build(field, *map(_read_constant, low_high))
        case _:
            return row.build(field, 0 if value is None else _read(int, value))


def _list(row: Operator, value: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise DefinitionError(f"{row.key} needs a list, found {value!r:.60}", fix="put the values in [ ]")
    return value


# ---------------------------------------------------------------- the published schema


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of both forms, made from the nodes and the operators themselves.

    >>> json_schema()["title"]
    'A segkit segment'
    """
    about = {"notes": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string", "minLength": 1}}}
    name = {"name": {"type": ["string", "null"]}, "owner": {"type": "string"}, "examples": _ref("examples")}
    own = {"segkit": {"const": VERSION}, **name, **about, "where": _ref("Predicate")}
    api = {**name, **about, "description": {"type": "string"}, **_group_schema()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A segkit segment",
        "anyOf": [_object(own, ("segkit", "where")), _object(api, ("conditions",))],
        "$defs": {
            "Predicate": _any_of(nodes.Predicate),
            "Value": _any_of(nodes.Value),
            "Span": _any_of(nodes.Span),
            "constant": {
                "anyOf": [
                    {"type": ["string", "number", "boolean"]},
                    _object({"type": {"enum": list(_CONSTANTS)}, "value": {"type": "string"}}, ("type", "value")),
                ]
            },
            "examples": example.schema(),
            "group": _object(_group_schema(), ("conditions",)),
            "condition": _object(
                {"field": {"type": "string", "minLength": 1}, "operator": {"enum": _operator_spellings()}, "value": True},
                ("field", "operator"),
            ),
            **{name: _node_schema(name, kind) for name, kind in TYPES.items()},
        },
    }


def _operator_spellings() -> list[str]:
    return [spelling for row in OPERATORS for spelling in (row.key, *row.aliases)]


def _group_schema() -> dict[str, Any]:
    items = {"anyOf": [_ref("group"), _ref("condition")]}
    logic = {"enum": ["AND", "OR", "and", "or"]}
    return {"logic": logic, "not": {"type": "boolean"}, "conditions": {"type": "array", "items": items, "minItems": 1}}


def _node_schema(name: str, kind: type[nodes.Node]) -> dict[str, Any]:
    parts = {"type": {"const": name}, **{key: _schema(hint) for key, hint in _hints(kind).items()}}
    if kind in (nodes.And, nodes.Or):
        parts["items"]["minItems"] = 1
    return _object(parts, ("type", *(f.name for f in fields(kind) if f.default is MISSING)))


def _schema(hint: Any) -> dict[str, Any]:
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _schema(get_args(hint)[0])}
    if get_origin(hint) is OneOfThese:
        return {"enum": list(get_args(hint))}
    for family in ("Predicate", "Value", "Span"):
        if hint in (getattr(nodes, family), getattr(nodes, family) | None):
            return _ref(family)
    if Decimal in get_args(hint):
        return {"anyOf": [{"type": "number"}, _ref("constant")]}
    if hint == str | int:
        return {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}]}
    if hint == str | nodes.Value:
        values = [_ref(_NAMES[kind]) for kind in _classes(nodes.Value) if kind is not nodes.Literal]
        return {"anyOf": [{"type": "string"}, *values]}
    plain = {str: "string", bool: "boolean", int: "integer"}
    for kind in _classes(hint):
        if kind in plain:
            return {"type": plain[kind]}
    return _any_of(hint)


def _any_of(hint: Any) -> dict[str, Any]:
    names = ["constant" if kind is nodes.Literal else _NAMES[kind] for kind in _classes(hint)]
    return _ref(names[0]) if len(names) == 1 else {"anyOf": [_ref(name) for name in names]}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: dict[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
