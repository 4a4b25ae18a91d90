"""Paths into JSON out of text."""

from __future__ import annotations

import re

from segkit import nodes
from segkit.errors import DefinitionError

_STEP = re.compile(r'"([^"]+)"|\[(\d{1,9})\]|([^."\[\]]+)')


def steps_of(path: object) -> tuple[str | int, ...]:
    """The steps of a path in text: keys between dots, positions in brackets, keys with dots in double quotes.

    >>> steps_of('items[0]."a.b"')
    ('items', 0, 'a.b')
    """
    if isinstance(path, int) and not isinstance(path, bool):
        return (path,)
    text = nodes.checked_text(path, "path")
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise DefinitionError(f"{text!r:.80} is no path", fix='write it like address.city or items[0], odd keys in "..."')
        quoted, index, plain = match.groups()
        steps.append(int(index) if index else quoted or plain)
        position = match.end()
        if position < len(text) and text[position] != "[":
            if text[position] != "." or position + 1 == len(text):
                raise DefinitionError(f"{text!r:.80} is no path", fix="put one dot between two keys")
            position += 1
    return tuple(steps)
