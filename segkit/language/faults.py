"""Errors that people can act on: the line, a caret, what was found, what could stand there, the nearest word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.parsers.lalr_interactive_parser import InteractiveParser

from segkit.errors import DefinitionError, nearest
from segkit.language.terms import TWO_CONDITIONS, Refusal

_WIDTH = 100
_OPERAND = frozenset(("NAME", "NUMBER", "STRING"))
_BEGIN = frozenset((
    *_OPERAND, "BACKTICKED", "MONEY", "LIST", "SEGMENT", "GROUP", "TEXT", "DATE", "TIMESTAMP", "DECIMAL", "SAMPLE", "PREVIOUSLY",
    "NEVER", "NOT", "LPAR",
))  # fmt: skip
_COMPARE = frozenset(("COMPARISON", "TEXT_TEST", "_IN", "BETWEEN", "IS", "ON", "THEN"))
_PARTING = frozenset(("AND", "_OR", "EXCEPT", "NOT", "_WHERE", "COMMA"))
_EXPECTED = {
    "COMPARISON": "a comparison such as = or >", "CALENDAR": "a period such as MONTH", "LAST": "LAST, NEXT or THIS",
    "TEXT_TEST": "IN, CONTAINS or IS NULL", "BETWEEN": "IN LAST 30 days", "AND": "AND", "_OR": "OR", "LPAR": "(", "RPAR": ")",
    "COMMA": "a comma", "_PERCENT": "%", "RESULT": "Result:", "$END": "the end of the text",
}  # fmt: skip
_KEYWORDS = {
    "AND": ("AND",), "_OR": ("OR",), "NOT": ("NOT",), "_IN": ("IN",), "BETWEEN": ("BETWEEN",), "IS": ("IS",), "ON": ("ON",),
    "THEN": ("THEN",), "_WITHIN": ("WITHIN",), "_WHERE": ("WHERE",), "_AGO": ("AGO",), "_OF": ("OF",), "_TOP": ("TOP",),
    "TEXT_TEST": ("CONTAINS", "STARTS WITH", "ENDS WITH", "MATCHES"), "IGNORING": ("IGNORING CASE",), "EXCEPT": ("EXCEPT",),
    "MEASURE": ("COUNT", "FIRST", "LAST"), "MEASURE_OF": ("SUM", "AVG", "MIN", "MAX", "DISTINCT", "LATEST"),
    "LAST": ("LAST",), "NEXT": ("NEXT",), "_THIS": ("THIS",), "CALENDAR": ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR"),
    "_SEED": ("SEED",), "_PERCENT": ("PERCENT",),
}  # fmt: skip
_FOREIGN = {
    "LIKE": "CONTAINS, STARTS WITH or ENDS WITH",
    "ILIKE": "CONTAINS ... IGNORING CASE",
    "XOR": "(a OR b) AND NOT (a AND b)",
    "EQUALS": "=",
    "DOES": "NOT CONTAINS",
    "HAS": "=",
}
_STRAY = {
    ".": ("a point in a name", 'write names with other characters in backticks, a path into JSON as props -> "plan"'),
    "%": ("a percent sign", "it stands only behind IN TOP 10 and SAMPLE 10; write other shares as numbers: 0.1"),
    "[": ("a square bracket", "lists stand in parentheses, names with blanks in backticks"),
    ":": (
        "a colon",
        "only parse_segment reads Condition: and Send to:, at the beginning, and Exclude: and Result:, behind a condition",
    ),
    ";": ("a semicolon", "leave it out: one text is one definition"),
    "&": ("a single &", "write AND, or &&"),
    "|": ("a single |", "write OR, or ||"),
    "!": ("an exclamation mark alone", "write NOT, or != to compare"),
    ",": ("a comma", "join conditions with AND or OR; write 1000 without a comma, or $1,000"),
}


def refused(
    error: UnexpectedInput | Refusal | DefinitionError, text: str, seen: Sequence[Token], state: InteractiveParser
) -> Refusal:
    """An error of reading as a refusal at a position."""
    match error:
        case Refusal():
            return error
        case UnexpectedToken(token=Token() as token):
            before = seen[:-1] if seen and seen[-1] is token else seen
            return _unexpected(token, text, before, state)
        case UnexpectedCharacters(pos_in_stream=int() as at):
            return _strange(at, text[at])
        case DefinitionError():
            return Refusal(seen[-1].start_pos or 0 if seen else 0, error.what, error.fix)
    return Refusal(0, "the text cannot be read", "see the language page for what can be written")


def located(refusal: Refusal, text: str, start: int = 0) -> DefinitionError:
    """The error people see: where it is in the whole text, the line and a caret under the place."""
    at = min(start + refusal.at, len(text))
    line = text.count("\n", 0, at) + 1
    begin = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    shown, column = text[begin : end if end >= 0 else len(text)], at - begin
    left = max(0, column - _WIDTH * 2 // 3)
    part = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]", " ", shown[left : left + _WIDTH])
    where = f"line {line}, column {column + 1}\n    {part}\n    {' ' * _cells(part[: column - left])}^"
    return DefinitionError(refusal.what, fix=refusal.fix, where=where)


def _cells(text: str) -> int:
    """How wide a text is shown: two cells for a wide character, none for a mark that stands on the one before it."""
    marks = sum(unicodedata.category(character) in ("Mn", "Me", "Cf") for character in text)
    return len(text) - marks + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def _unexpected(token: Token, text: str, seen: Sequence[Token], state: InteractiveParser) -> Refusal:
    accepted: set[str] = state.accepts()  # type: ignore[no-untyped-call]
    if token.type == "$END":
        what = "the text ends too early" if seen else "there is no text to read"
        return Refusal(len(text.rstrip()), what, _expected(accepted, seen))
    at = token.start_pos or 0
    if str(token) in _STRAY:
        return _strange(at, str(token))
    if token.type == "RPAR" and not _is_open(seen):
        return Refusal(at, "a closing parenthesis that none opens", "remove it, or open one before it")
    if seen and seen[-1].type == "STRING" and seen[-1].end_pos == at:
        return Refusal(at, "text goes on behind its closing quote", "write a quote inside of text twice: 'it''s'")
    if "NAME" not in accepted or _after_noun(seen):
        return _behind_operand(token, seen, accepted)
    return _misspelled(token, seen, accepted)


def _is_open(seen: Sequence[Token]) -> bool:
    return sum({"LPAR": 1, "RPAR": -1}.get(token.type, 0) for token in seen) > 0


def _behind_operand(token: Token, seen: Sequence[Token], accepted: set[str]) -> Refusal:
    """Something behind a value that does not continue it."""
    if _after_noun(seen) and (token.type in _BEGIN or token.type == "COMPARISON"):
        if close := _alike(token, accepted) or _alike(seen[-1], {"AND", "_OR", "_WHERE"}):
            word = token if _alike(token, accepted) else seen[-1]
            return Refusal(word.start_pos or 0, f"found {str(word)!r:.60}", f"did you mean {close}? {TWO_CONDITIONS[1]}")
        start = seen[-1] if token.type == "COMPARISON" else token
        return Refusal(start.start_pos or 0, *TWO_CONDITIONS)
    if token.type == "NAME" and seen[-1].type == "NAME" and not _has_compared(seen) and not _alike(token, accepted):
        fix = f"a name with a blank stands in backticks: `{seen[-1]:.60} {token:.60}`; {_expected(accepted, seen)}"
        if not _FOREIGN.get(token.upper()):
            return Refusal(token.start_pos or 0, f"two names with nothing between them: {seen[-1]:.60} {token:.60}", fix)
    if token.type in _BEGIN and not _alike(token, accepted) and _has_compared(seen):
        return Refusal(token.start_pos or 0, *TWO_CONDITIONS)
    if token.type == "COMPARISON" and len(seen) > 1 and seen[-2].type == "_OF":
        fix = f"put it in parentheses: OF ({seen[-1]:.60} {token} ...)"
        return Refusal(seen[-1].start_pos or 0, "a condition behind OF stands in parentheses", fix)
    if token.type == "COMPARISON" and _has_compared(seen):
        if seen[-1].line != seen[-2].line:
            return Refusal(seen[-1].start_pos or 0, *TWO_CONDITIONS)
        return Refusal(token.start_pos or 0, "a comparison of a comparison", "write x BETWEEN 1 AND 5, or 1 < x AND x < 5")
    return _misspelled(token, seen, accepted)


def _after_noun(seen: Sequence[Token]) -> bool:
    """Whether the last word was read as a unit or noun: it may have been meant as the beginning of another condition."""
    return len(seen) > 1 and seen[-1].type == "NAME" and seen[-2].type == "NUMBER"


def _has_compared(seen: Sequence[Token]) -> bool:
    """Whether the condition that is being read has its comparison already."""
    depth = 0
    for token in reversed(seen):
        depth += {"RPAR": 1, "LPAR": -1}.get(token.type, 0)
        if depth < 0 or (depth == 0 and token.type in _PARTING):
            return False
        if depth == 0 and token.type in _COMPARE:
            return True
    return False


def _misspelled(token: Token, seen: Sequence[Token], accepted: set[str]) -> Refusal:
    expected = _expected(accepted, seen)
    if foreign := _FOREIGN.get(token.upper()):
        expected = f"write {foreign}; {expected}"
    elif close := _alike(token, accepted):
        expected = f"did you mean {close}? {expected}"
    return Refusal(token.start_pos or 0, f"found {str(token)!r:.60}", expected)


def _alike(token: Token, accepted: set[str]) -> str:
    """The keyword that could stand here and is most like a word."""
    words = [word for terminal in accepted for word in _KEYWORDS.get(terminal, ())]
    close = nearest(token, words) if token.type == "NAME" and len(token) < 30 else []
    return close[0] if close else ""


def _expected(accepted: set[str], seen: Sequence[Token]) -> str:
    """What could stand here, in words."""
    before = [token.type for token in seen[-2:]]
    phrases = []
    if accepted >= _OPERAND:
        phrases.append("a field or a value")
        accepted = accepted - {"LPAR"}
    elif "NAME" in accepted:
        is_state = before[-1:] == ["IS"] or before == ["IS", "NOT"]
        phrases.append("a name" if "BACKTICKED" in accepted else "NULL or KNOWN" if is_state else "a unit such as days")
    elif "NUMBER" in accepted:
        phrases.append("a number")
    if "STRING" in accepted and not accepted >= _OPERAND:
        phrases.append("text in quotes")
    phrases += [words for terminal, words in _EXPECTED.items() if terminal in accepted]
    if before[-1:] == ["CALENDAR"] and not phrases:
        phrases.append("- and a number, as in MONTH - 2; or THIS or LAST before the period")
    *first, last = phrases or ["nothing more"]
    return "expected here: " + (f"{', '.join(first)} or {last}" if first else last)


def _strange(at: int, character: str) -> Refusal:
    if character in "\"'“„‘":
        return Refusal(at, f"the text that begins with {character} here is never closed", "close it, or double a quote inside it")
    if character == "`":
        return Refusal(at, "the name in backticks that begins here is never closed", "close it with a backtick")
    what, fix = _STRAY.get(character, (f"{character!r} has no meaning here", "write text in quotes, odd names in backticks"))
    return Refusal(at, what, fix)
