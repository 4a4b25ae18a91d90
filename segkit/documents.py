"""Reading documents that others wrote: size and depth checked first, and each error says where it lies."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from segkit import nodes
from segkit.errors import DefinitionError, unknown

MAX_DOCUMENT = 50_000_000
MAX_NESTING = 4 * nodes.MAX_DEPTH

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{\]}]', re.DOTALL)
"""What opens or closes, apart from what stands in quotes; quotes that nothing closes hold all that follows."""


def parsed(text: str | bytes) -> Any:
    """The document of a JSON text; too long, too deep or malformed text is refused."""
    try:
        return _parsed(text)
    except DefinitionError as error:
        error.where = error.where or "$"
        raise


def _parsed(text: str | bytes) -> Any:
    if not isinstance(text, str | bytes):
        raise DefinitionError(f"JSON must be text, not {type(text).__name__}", fix="use from_dict for a mapping")
    if len(text) > MAX_DOCUMENT:
        raise DefinitionError(f"the document has {len(text):,} characters", fix=f"use at most {MAX_DOCUMENT:,}")
    try:
        text = text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise DefinitionError(f"the document is not UTF-8: {error}", fix="save it as UTF-8") from None
    _check_nesting(text)
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise DefinitionError(
            f"not JSON: {error.msg}", where=f"line {error.lineno}, column {error.colno}", fix="correct the text"
        ) from None
    except DefinitionError:
        raise
    except ValueError as error:
        raise DefinitionError(f"not JSON: {error}", fix="shorten the number") from None


def at(step: str, read: Callable[[], Any]) -> Any:
    """What `read` gives; an error of it says that it lies under `step`."""
    try:
        return read()
    except DefinitionError as error:
        error.under(step)
        raise


def only_keys(document: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Refuses a key that is not known."""
    for key in document:
        if key not in known:
            raise unknown("key", str(key)[:60], known)


def _check_nesting(text: str) -> None:
    """Refuses deep JSON text before the parser recurses into it."""
    depth = 0
    for token in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.group(), 0)
        if depth > MAX_NESTING:
            raise _too_deep()


def check_size(document: Any) -> None:
    """Refuses a document that is too deep, too large or circular, without recursion."""
    level, count, depth = [document], 0, 0
    while level:
        depth += 1
        count += len(level)
        if depth > MAX_NESTING:
            raise _too_deep()
        if count > 2 * nodes.MAX_VALUES:
            raise DefinitionError("the document is too large", fix=f"use at most {nodes.MAX_VALUES:,} values")
        below = [v.values() if isinstance(v, Mapping) else v for v in level if isinstance(v, Mapping | list | tuple)]
        level = [item for values in below for item in values]


def _too_deep() -> DefinitionError:
    return DefinitionError(
        f"the definition is more than {nodes.MAX_DEPTH} levels deep", fix="name a part as a segment of its own, and refer to it"
    )


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise DefinitionError(f"the key {twice!r:.60} stands twice in one object", fix="keep one of them")
    return document


def _no_constant(name: str) -> Any:
    raise DefinitionError(f"{name} is not a number", fix="use is_null to find missing values")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise DefinitionError(f"{text:.60} is out of range", fix="use a smaller number")
    return number


def tagged(value: Any) -> Any:
    """A constant as JSON holds it: dates, times and decimals beside their type, anything else as it is.

    >>> tagged(Decimal("0.10"))
    {'type': 'decimal', 'value': '0.10'}
    """
    match value:
        case dt.datetime():
            return {"type": "timestamp", "value": value.isoformat()}
        case dt.date():
            return {"type": "date", "value": value.isoformat()}
        case Decimal():
            return {"type": "decimal", "value": str(value)}
        case _:
            return value
