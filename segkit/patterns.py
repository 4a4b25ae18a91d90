"""The regular expressions that mean the same on every engine: a common subset, checked before use.

In: literals, `.`, classes, `\\d \\w \\s` and their complements, `^`, `$`, groups, alternation, repetition.
Out, as engines disagree or lack them: look-around, back-references, `\\b`, named or flagged groups, possessive repetition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import takewhile

from segkit.errors import DefinitionError

_TOKEN = re.compile(r"\\.|\(\?:|\(\?|\[\^?\]?|[*+?}]\+|.", re.DOTALL)
_ESCAPES = frozenset("dDwWsSnrtf")
_OUTSIDE = {"$": r"\Z", r"\s": r"[\t\n\f\r ]", r"\S": r"[^\t\n\f\r ]"}
_CLASS = {r"\s": r"\t\n\f\r "}
_PERL_OUTSIDE = {**_OUTSIDE, "$": r"\z", ".": r"[^\n]"}
_PERL_CLASS = {**_CLASS, "&": r"\&"}
_SPELLED_INSIDE = {
    r"\d": "0-9", r"\w": "0-9A-Za-z_", r"\s": r"\t\n\f\r ", r"\D": r"\x{0}-/:-\x{10FFFF}",
    r"\W": r"\x{0}-/:-@\x{5B}-\x{5E}`{-\x{10FFFF}", "&": r"\&", "~": r"\~",
}  # fmt: skip
_SPELLED = {
    ".": r"[^\n]", "$": r"\z", r"\d": "[0-9]", r"\D": "[^0-9]", r"\w": "[0-9A-Za-z_]", r"\W": "[^0-9A-Za-z_]",
    r"\s": r"[\t\n\f\r ]", r"\S": r"[^\t\n\f\r ]",
}  # fmt: skip
_CONTROLS = {r"\n": "\n", r"\t": "\t", r"\r": "\r", r"\f": "\f"}
_POSIX_INSIDE = {**_CONTROLS, r"\d": "0-9", r"\w": "0-9A-Za-z_", r"\s": "\t\n\f\r "}
_POSIX = {
    **_CONTROLS, ".": "[^\n]", r"\d": "[0-9]", r"\D": "[^0-9]", r"\w": "[0-9A-Za-z_]", r"\W": "[^0-9A-Za-z_]",
    r"\s": "[\t\n\f\r ]", r"\S": "[^\t\n\f\r ]",
}  # fmt: skip
_QUOTED = frozenset(".[]{}()*+?^$|\\")
_LAST = "\\[^-"
"""What stands at the end of a class, where it means nothing else."""
_REPEATED = re.compile(r"(?<!\\)(\\\\)*([*+?]|\{\d+(,\d*)?\})\Z")
_UPPER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")


@lru_cache(maxsize=1024)
def check(pattern: str) -> None:
    """Refuses a pattern that engines would read differently, or that is malformed."""
    try:
        re.compile(pattern, re.ASCII)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        raise DefinitionError(f"{pattern!r:.80} is no regular expression: {error}", fix="correct the pattern") from None
    for token, in_class in tokens(pattern):
        if len(token) == 2 and token[0] == "\\" and token[1].isalnum():
            if token[1] not in _ESCAPES or (in_class and token[1] == "S"):
                raise _unportable(pattern, token)
        elif token == "(?" or (len(token) == 2 and token[0] != "\\" and token[1] == "+" and not in_class):
            raise _unportable(pattern, token)
        elif in_class and token == "[":
            raise _unportable(pattern, "[ inside a class")
    if any(int(n) > 1000 for n in re.findall(r"\{(?:\d*,)?(\d+)\}", pattern)):
        raise _unportable(pattern, "more than 1000 repetitions")


def python(pattern: str) -> re.Pattern[str]:
    """The pattern compiled for Python, where `$` must not match before a final line break nor `\\s` a vertical tab.

    >>> bool(python("a$").search("a\\n"))
    False
    """
    check(pattern)
    parts = (_CLASS.get(token, token) if in_class else _OUTSIDE.get(token, token) for token, in_class in tokens(pattern))
    return re.compile("".join(parts), re.ASCII)


def perl(pattern: str) -> str:
    """The pattern for engines of Perl's kind (Java's too): `$` and `.` mind line breaks, `\\s` holds a vertical tab, `&&` joins.

    >>> perl("a.b$")
    'a[^\\\\n]b\\\\z'
    """
    check(pattern)
    return "".join(_PERL_CLASS.get(t, t) if inside else _PERL_OUTSIDE.get(t, t) for t, inside in tokens(pattern))


def spelled_out(pattern: str) -> str:
    """The pattern for engines whose `\\d \\w \\s` hold more than ASCII, whose `$` matches before a line break, or whose classes
    join by `&&` and `~~`.

    >>> print(spelled_out(r"^.\\d[\\W]$"))
    ^[^\\n][0-9][\\x{0}-/:-@\\x{5B}-\\x{5E}`{-\\x{10FFFF}]\\z
    """
    check(pattern)
    spelled = (_SPELLED_INSIDE.get(t, t) if inside else _SPELLED.get(t, t) for t, inside in tokens(pattern))
    return "".join(spelled)


def posix(pattern: str) -> str:
    """The pattern for engines of POSIX's kind: without `(?:groups)`, lazy repetition, escapes of line breaks, and escapes inside
    of classes. Whether a text matches needs none of them.

    >>> print(posix(r"(?:a|b)+?[\\]\\d-]\\.\\/"))
    (a|b)+[]0-9-]\\./

    Raises:
        DefinitionError: a class holds the complement of another.
    """
    check(pattern)
    written = ""
    own = tokens(pattern)
    for token, _ in own:
        if token[0] == "[":
            written += _posix_class(pattern, token, [inner for inner, _ in takewhile(lambda each: each[1], own)])
        elif token == "(?:":
            written += "("
        elif token[0] == "\\" and token[1] not in _QUOTED:
            written += _POSIX.get(token, token[1])
        elif token != "?" or not _REPEATED.search(written):
            written += _POSIX.get(token, token)
    return written


def _posix_class(pattern: str, opening: str, tokens: list[str]) -> str:
    """A class without escapes, what would end it first. A backslash is doubled, which means one in either reading."""
    if set(tokens) & {r"\D", r"\W"}:
        raise DefinitionError(f"{pattern!r:.80} has the complement of a class inside a class", fix="spell out the class")
    ranges, single = [], [opening[-1]] if opening[-1] == "]" else []
    while tokens:
        first, last = (_posix_member(token) for token in (tokens[0], tokens[min(2, len(tokens) - 1)]))
        if len(tokens) > 2 and tokens[1] == "-" and len(first) == len(last) == 1:
            tokens = tokens[3:]
            if {first, last} & {"]", *_LAST}:
                single += map(chr, range(ord(first), ord(last) + 1))
            else:
                ranges.append(f"{first}-{last}")
            continue
        tokens = tokens[1:]
        (ranges if len(first) > 1 else single).append(first)
    plain = "".join(character for character in dict.fromkeys(single) if character not in f"]{_LAST}")
    end = "".join(character.replace("\\", r"\\") for character in _LAST if character in single)
    members = ("]" if "]" in single else "") + "".join(ranges) + plain + end
    if opening[1:2] == "^":
        return f"[^{members}]"
    return {"^": r"\^", "^-": "[-^]"}.get(members, f"[{members}]")


def _posix_member(token: str) -> str:
    return _POSIX_INSIDE.get(token, token[-1])


def folded(pattern: str) -> str:
    """The pattern for text whose ASCII letters were folded to lower case.

    >>> folded("^[A-F]\\\\D")
    '^[a-f]\\\\D'
    """
    check(pattern)
    for start, end in re.findall(r"(?<!\\)([^\\\[])-([^\]\\])", "".join(t for t, inside in tokens(pattern) if inside)):
        covered = {chr(c) for c in range(ord(start), ord(end) + 1)}
        upper, lower = covered & _UPPER, covered & _LOWER
        if covered not in (upper, lower) and {c.lower() for c in upper} != lower:
            raise DefinitionError(f"the range {start}-{end} of {pattern!r:.80} cuts through the letters", fix="spell them out")
    return "".join(t if t[0] == "\\" else t.lower() if t.isascii() else t for t, _ in tokens(pattern))


def tokens(pattern: str) -> Iterator[tuple[str, bool]]:
    """Each token of a checked pattern, with whether it stands inside a character class."""
    position, inside = 0, False
    while position < len(pattern):
        match = _TOKEN.match(pattern, position)
        assert match is not None
        token = match.group()
        if inside:
            token = token if token[0] == "\\" else token[0]
            yield token, token != "]"
            inside = token != "]"
        else:
            yield token, False
            inside = token[0] == "["
        position += len(token)


def _unportable(pattern: str, token: str) -> DefinitionError:
    return DefinitionError(
        f"{token!r} in {pattern!r:.80} does not mean the same on every engine",
        fix="use literals, classes, anchors, (?:groups), | and * + ? {m,n}",
    )
