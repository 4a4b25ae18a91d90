"""Reading YAML that others wrote, with the surprises of YAML taken out.

Only `true` and `false` are booleans: `no`, `on` and `yes` stay text, so that the country NO is no boolean. `0123` stays
text and `20:30` is no number. Keys that repeat, anchors, tags and deep nesting are refused; dates are dates.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from segkit.documents import MAX_NESTING
from segkit.errors import DefinitionError

MAX_YAML = 250_000


def parsed(text: str) -> Any:
    """The document of a YAML text; too long, too deep or malformed text is refused.

    >>> parsed("country: NO\\nsince: 2025-11-30\\nzip: 01234\\nactive: true")
    {'country': 'NO', 'since': datetime.date(2025, 11, 30), 'zip': '01234', 'active': True}
    """
    if len(text) > MAX_YAML:
        raise DefinitionError(f"the document has {len(text):,} characters of YAML", fix=f"use at most {MAX_YAML:,}, or JSON")
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).replace("\n", " ")
        raise DefinitionError(f"not YAML: {problem:.200}", where=where, fix="correct the text") from None
    except ValueError as error:
        raise DefinitionError(f"not YAML: {error}", fix="write the value in quotes") from None


class _Loader(yaml.SafeLoader):
    """Plain values only: maps, lists, text, numbers, booleans, dates and times."""

    nesting = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if event.anchor is not None:
            raise _problem("an anchor or alias: write the value out", event)
        if getattr(event, "tag", None) is not None:
            raise _problem(f"the tag {event.tag!r:.60}: write plain values", event)
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise _problem(f"more than {MAX_NESTING} levels", event)
        node: yaml.Node | None = super().compose_node(parent, index)
        self.nesting -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise _problem("a key that is no text: write it in quotes", key)
            if key.value in seen:
                raise _problem(f"the key {key.value!r:.60} stands twice: keep one of them", key)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _problem(what: str, at: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=at.start_mark)


_Loader.yaml_implicit_resolvers = {}
for _tag, _form, _first in (
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", "true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", "[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    (
        "timestamp",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([ ]?(Z|[-+][0-9]{2}(:[0-9]{2})?))?)?",
        list("0123456789"),
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), _first)
