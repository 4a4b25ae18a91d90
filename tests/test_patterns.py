"""Patterns in POSIX: whichever way an engine reads a class, they match what the pattern matches in Python."""

from __future__ import annotations

import random
import re

import pytest

from segkit import DefinitionError, patterns

PIECES = (
    "a", "b", ".", r"\d", r"\W", r"\.", r"\+", r"\\", r"\/", r"\s", r"\S", r"\n", "(?:ab|c)", "(a)", "[ab]", "[]b]", "[^]b]", r"[^\]a]",
    r"[\-a]", r"[a\\]", r"[\^b]", r"[\^]", r"[\^\-]", "[a-c-]", r"[\[\-]", r"[+-\]]", r"[\w.]", r"[\s\d]",
)  # fmt: skip
REPEATED = ("", "", "*", "+?", "{1,2}?", "??", "{2}")
LETTERS = "abc.\\]-^[/+1\n "


def literally(pattern: str) -> str:
    """The pattern as POSIX reads it, for Python: nothing is escaped inside of a class."""
    written, position = "", 0
    for found in re.finditer(r"\\.|\[(\^?)(\]?[^]]*)\]", pattern, re.DOTALL):
        own = found.group()
        if own[0] == "[":
            members = re.findall(r".-.|.", found[2], re.DOTALL)
            own = f"[{found[1]}{''.join('-'.join(map(re.escape, each[::2])) for each in members)}]"
        written += pattern[position : found.start()] + own
        position = found.end()
    return written + pattern[position:]


@pytest.mark.filterwarnings("ignore:Possible nested set")
def test_posix_is_read_alike_with_and_without_escapes_in_classes() -> None:
    choice = random.Random(5)
    for _ in range(2000):
        pattern = "".join(choice.choice(PIECES) + choice.choice(REPEATED) for _ in range(choice.randint(1, 3)))
        pattern = f"{choice.choice(['', '^'])}{pattern}{choice.choice(['', '$'])}"
        posix = patterns.posix(pattern)
        assert not re.search(r"\(\?|[*+?}]\?", re.sub(r"\\.|\[\^?\]?[^]]*\]", "x", posix, flags=re.DOTALL)), pattern
        expected = patterns.python(pattern)
        readings = [re.compile(re.sub(r"\$$", r"\\Z", own), re.ASCII) for own in (posix, literally(posix))]
        for _ in range(6):
            text = "".join(choice.choice(LETTERS) for _ in range(choice.randint(0, 4)))
            assert {bool(reading.search(text)) for reading in readings} == {bool(expected.search(text))}, (pattern, posix, text)


def test_a_plus_that_is_escaped_is_no_repetition() -> None:
    assert patterns.python(r"^\+39").search("+39 06")
    with pytest.raises(DefinitionError, match="same on every engine"):
        patterns.check("a++")
