"""The text language: conditions as people write them on a page, read into nodes and written back.

     text -> reader (grammar.lark) -> terms -> meaning -> nodes        writer: nodes -> text

`grammar.lark` is the whole syntax. Names stay unresolved; errors show the line and what could stand there.

>>> parse('Opened >= 5 emails in last 30 days AND country = "USA"')
(E.opened.within(days=30).count() >= 5) & (F.country == 'USA')
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from lark import Token
from lark.exceptions import UnexpectedInput

from segkit import builder, nodes
from segkit.errors import DefinitionError
from segkit.language.faults import located, refused
from segkit.language.meaning import condition, value
from segkit.language.reader import parser
from segkit.language.terms import Refusal, Term
from segkit.language.writer import condition_text, value_text

__all__ = ["definition", "formula", "parse", "parse_fields", "stages", "to_text"]

_PIECE = re.compile(
    r"""(?P<quoted>"[^"]*+"|'[^']*+'|“[^”]*+”|„[^“”]*+[“”]|‘[^’]*+’|`[^`]*+`)|(?P<open>\()|(?P<close>\))|(?P<line>\n)"""
)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ARROW = re.compile(r"\s*(?:→|⟶|➔|->|=>)\s*")


def parse(text: str) -> builder.Predicate:
    """Reads a condition in the text language.

    Args:
        text: what is written on a product page: `Total_Spent > $500 AND Last_Purchase > 30 days ago`.

    Returns:
        The condition, equal to what the builder makes; names are looked up when it is used.

    Raises:
        DefinitionError: with the line, a caret, and what could stand there.

    >>> parse('Country = "USA" AND NOT State IN ("CA", "NY")')
    (F.Country == 'USA') & ~F.State.is_in(['CA', 'NY'])
    """
    return builder.Predicate(_read(text, "expression", _checked_condition))


def definition(text: str) -> nodes.Definition:
    """Reads a segment: a condition, or one of the three forms with `Condition:`, `Target Group:` or `Send to:`.

    >>> definition('Condition: Email contains "@company.com" Result: All employees').name
    'All employees'
    """
    return cast(nodes.Definition, _read(text, "segment", _checked))


def formula(text: str) -> nodes.Value:
    """Reads one calculation, such as a calculated field of a catalog.

    >>> formula("total_revenue / order_count").op
    '/'
    """
    return cast(nodes.Value, _read(text, "expression", value))


def parse_fields(text: str) -> dict[str, builder.Value]:
    """Reads calculated fields, one a line: `Average_Order_Value = Total_Revenue / Order_Count`.

    A line break inside parentheses does not end a field. The result is for `Workspace.define`.

    Raises:
        DefinitionError: with the line and a caret; a name defined twice.

    >>> parse_fields("Average = Revenue / Orders")
    {'Average': F.Revenue / F.Orders}
    """
    nodes.checked_text(text)
    found: dict[str, builder.Value] = {}
    for start, end in _lines(text):
        name, node = _read(text, "assignment", tuple, start, end)
        if name in found:
            raise located(Refusal(start, f"{name!r:.60} is defined twice", "keep one of them"), text)
        found[name] = builder.Value(node)
    if not found:
        raise located(Refusal(0, "there is no field to read", "write average = total / number"), text)
    return found


def stages(text: str) -> tuple[str, ...]:
    """The stages of a journey: names with arrows between them; prose may follow behind an empty line.

    >>> stages("Prospect → Lead → Customer")
    ('Prospect', 'Lead', 'Customer')
    """
    nodes.checked_text(text)
    begin = len(text) - len(text.lstrip())
    first = re.split(r"\n[^\S\n]*\n", text[begin:], maxsplit=1)[0]
    if not first:
        raise located(Refusal(0, "there is no journey to read", "write Prospect → Lead → Customer"), text)
    names = []
    at = begin
    for match in [*_ARROW.finditer(first), None]:
        end = begin + (match.start() if match else len(first))
        names.append(_stage(text, at, end))
        at = begin + match.end() if match else end
    later = _ARROW.search(text, begin + len(first))
    if later is not None:
        raise located(Refusal(later.start(), "an arrow behind the stages", "write all stages in one paragraph"), text)
    if len(names) < 2:
        raise located(Refusal(begin, "a journey has two stages or more", "write Prospect → Lead → Customer"), text)
    for number, name in enumerate(names):
        if name in names[:number]:
            raise located(Refusal(begin, f"the stage {name!r:.60} stands twice", "give each stage its own segment"), text)
    return tuple(names)


def to_text(part: builder.Predicate | builder.Value | nodes.Predicate | nodes.Value) -> str:
    """Writes a condition or a calculation in the text language; `parse` and `formula` read it back equal.

    Raises:
        DefinitionError: the language cannot say it, such as SQL; or it is neither a condition nor a calculation.

    >>> to_text((builder.F.country == "USA") & builder.F.last_purchase.older_than(days=30))
    'country = "USA" AND last_purchase > 30 days ago'
    """
    node = part.node if isinstance(part, builder.Predicate | builder.Value) else part
    if not isinstance(node, nodes.Predicate | nodes.Value):
        raise DefinitionError(f"{node!r:.60} is no condition and no calculation", fix="pass F.opens > 5; a segment has to_text()")
    nodes.check_depth(nodes.depth(node))
    text = value_text(node) if isinstance(node, nodes.Value) else condition_text(node)
    if len(text) > nodes.MAX_TEXT:
        raise DefinitionError(
            f"the text would have {len(text):,} characters", fix=f"the language reads at most {nodes.MAX_TEXT:,}: keep it as JSON"
        )
    return text


# ---------------------------------------------------------------- reading


def _checked(read: nodes.Definition) -> nodes.Definition:
    nodes.check_limits(read.where)
    return read


def _checked_condition(term: Term) -> nodes.Predicate:
    node = condition(term)
    nodes.check_limits(node)
    return node


def _read(text: str, rule: str, settled: Callable[[Any], Any], start: int = 0, end: int | None = None) -> Any:
    """What a part of a text says by a rule of the grammar, settled; every error points into the whole text."""
    part = _storable(text)[start:end]
    state = parser().parse_interactive(part, start=rule)
    seen: list[Token] = []
    try:
        seen += state.iter_parse()
        return settled(state.feed_eof(seen[-1] if seen else None))  # type: ignore[no-untyped-call]
    except (UnexpectedInput, Refusal, DefinitionError) as error:
        raise located(refused(error, part, seen, state), text, start) from None


def _storable(text: str) -> str:
    try:
        return nodes.checked_text(text)
    except DefinitionError as error:
        found = _UNSTORABLE.search(text) if isinstance(text, str) else None
        if found is None:
            raise
        raise located(Refusal(found.start(), error.what, error.fix), text) from None


def _lines(text: str) -> list[tuple[int, int]]:
    """The lines of a text that are not empty; one ends at a line break outside of parentheses and quotes."""
    found, depth, start = [], 0, 0
    for match in _PIECE.finditer(text):
        if match["open"]:
            depth += 1
        elif match["close"]:
            depth = max(0, depth - 1)
        elif match["line"] and depth == 0:
            found.append((start, match.start()))
            start = match.end()
    return [(a, b) for a, b in [*found, (start, len(text))] if text[a:b].strip()]


def _stage(text: str, start: int, end: int) -> str:
    name = text[start:end].strip()
    if len(name) > 1 and name[0] in "\"'“„‘`" and name[-1] in "\"'“”’`":
        name = name[1:-1]
    if not name or "\n" in name:
        what = "two lines in one stage" if name else "a stage without a name"
        raise located(Refusal(start, what, "write Prospect → Lead → Customer"), text)
    return nodes.checked_name(name, "stage")
