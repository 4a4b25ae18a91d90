"""What objects look like in a notebook: plain data (`View`) as HTML that carries its own small style.

Every text in a view may be hostile: it is escaped, kept apart from the direction of what stands around it, and rid of
control characters. The colours are those of the notebook, so that light and dark themes both fit. Nothing is loaded and
nothing runs: no script, no address, no query.

It stands on the lowest floor, and knows none of the objects, so that each of them can say what it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import TypeAlias, assert_never

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")
_LONGEST = 2000
_MOST_ROWS = 500
_DEEPEST = 60


@dataclass(frozen=True)
class Line:
    """One line of text, such as a note; `label` says what it is."""

    text: str
    label: str = ""


@dataclass(frozen=True)
class Table:
    """Rows below a title that folds them away; those not `unfolded` at first are still found by the browser's search."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    unfolded: bool = False


@dataclass(frozen=True)
class Tree:
    """A condition, or a group of them: then `text` says how they combine."""

    text: str
    below: tuple[Tree, ...] = ()


Part: TypeAlias = Line | Table | Tree


@dataclass(frozen=True)
class View:
    """What an object shows: its kind (`Segment`), its name, and parts from top to bottom."""

    kind: str
    name: str
    parts: tuple[Part, ...] = ()


def seen(text: str, longest: int = _LONGEST) -> str:
    """Text as one line that can be shown: control characters and halves of characters become `�`, the end is cut off.

    >>> seen("a\\tb\\x00c"), seen("abcdef", 4)
    ('a b�c', 'abc…')
    """
    line = _UNSEEN.sub("�", re.sub(r"[\t\r\n]+", " ", text[: longest + 1]))
    return line if len(line) <= longest else line[: longest - 1] + "…"


def number(count: int) -> str:
    """A count with separators for thousands.

    >>> number(12345)
    '12,345'
    """
    return f"{count:,}"


def percent(share: float) -> str:
    """A share as people read it: without decimals only if it is exactly all or none; of nothing it is a dash.

    >>> percent(0.12345), percent(0.00004), percent(0.99999), percent(1.0), percent(float("nan"))
    ('12.3%', '<0.1%', '>99.9%', '100%', '–')
    """
    if share != share:
        return "–"
    if share in (0, 1):
        return f"{share:.0%}"
    return "<0.1%" if 0 < share < 0.0005 else ">99.9%" if 0.9995 <= share < 1 else f"{share:.1%}"


def distinct(texts: Iterable[str]) -> list[str]:
    """Each text in a form of its own: what comes again is numbered.

    >>> distinct(["VIP", "VIP", "US"])
    ['VIP', 'VIP (2)', 'US']
    """
    taken: dict[str, None] = {}
    for text in texts:
        n = 1
        while (own := text if n == 1 else f"{text} ({n})") in taken:
            n += 1
        taken[own] = None
    return list(taken)


def html(view: View) -> str:
    """A view as HTML, to be placed into a page.

    >>> html(View("Segment", "a<b", (Line("for <i>tests</i>"),))).split("</style>")[1]
    '<div class="head"><span class="kind">Segment</span> <bdi class="name">a&lt;b</bdi></div><div class="line">\
<bdi>for &lt;i&gt;tests&lt;/i&gt;</bdi></div></div>'
    """
    head = f'<div class="head"><span class="kind">{_text(view.kind)}</span> <bdi class="name">{_text(view.name)}</bdi></div>'
    return f'<div class="segkit-view"><style>{_STYLE}</style>{head}{"".join(map(_part, view.parts))}</div>'


def _text(text: str) -> str:
    return escape(seen(text))


def _part(part: Part) -> str:
    match part:
        case Line(text, label):
            before = f'<span class="label">{_text(label)}</span> ' if label else ""
            return f'<div class="line">{before}<bdi>{_text(text)}</bdi></div>'
        case Table():
            return _table(part)
        case Tree():
            return f'<div class="tree">{_tree(part, _DEEPEST)}</div>'
        case _:
            assert_never(part)


def _table(table: Table) -> str:
    shown = table.rows[:_MOST_ROWS]
    left_out = len(table.rows) - len(shown)
    more = f'<div class="line label">and {number(left_out)} more</div>' if left_out else ""
    sides = [' class="number"' if _are_numbers(column) else "" for column in zip(*shown, strict=True)] or [""] * len(
        table.columns
    )
    head = "".join(f'<th scope="col"{side}>{_text(name)}</th>' for name, side in zip(table.columns, sides, strict=True))
    rows = "".join(f"<tr>{_cells(row, sides)}</tr>" for row in shown)
    summary = f'<summary>{_text(table.title)} <span class="label">{number(len(table.rows))}</span></summary>'
    unfolded = " open" if table.unfolded else ""
    return f"<details{unfolded}>{summary}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}</details>"


def _are_numbers(column: Iterable[str]) -> bool:
    return all(re.fullmatch(r"[\d,]+", cell) for cell in column)


def _cells(row: Iterable[str], sides: Iterable[str]) -> str:
    return "".join(f"<td{side}><bdi>{_text(cell)}</bdi></td>" for cell, side in zip(row, sides, strict=True))


def _tree(tree: Tree, deepest: int) -> str:
    if not tree.below:
        return f"<code>{_text(tree.text)}</code>"
    items = "<li><code>…</code></li>"
    if deepest:
        shown = tree.below[:_MOST_ROWS]
        items = "".join(f"<li>{_tree(own, deepest - 1)}</li>" for own in shown)
        if left_out := len(tree.below) - len(shown):
            items += f'<li class="label">and {number(left_out)} more</li>'
    return f'<span class="join">{_text(tree.text)}</span><ul>{items}</ul>'


# `currentColor` and transparent greys follow the page; the variables are JupyterLab's own, whose rules for tables and code
# the doubled class outweighs
_STYLE = re.sub(
    r"\s*\n\s*",
    "",
    """
.segkit-view{font-size:13px;line-height:1.5;color:var(--jp-content-font-color1,inherit);max-width:60em;overflow-wrap:anywhere}
.segkit-view .head{margin-bottom:2px}
.segkit-view .name{font-weight:600}
.segkit-view .kind,.segkit-view .label,.segkit-view .join{color:var(--jp-content-font-color2,inherit)}
.segkit-view .kind,.segkit-view .label{font-size:12px}
.segkit-view.segkit-view code{background:none;color:inherit;padding:0;white-space:pre-wrap;font-size:12px;
unicode-bidi:isolate;font-family:var(--jp-code-font-family,ui-monospace,monospace)}
.segkit-view .tree{margin:4px 0}
.segkit-view.segkit-view .tree ul{list-style:none;margin:0 0 0 4px;padding:0 0 0 12px;border-left:2px solid rgba(128,128,128,.45)}
.segkit-view details{margin:2px 0}
.segkit-view summary{cursor:pointer}
.segkit-view.segkit-view table{border-collapse:collapse;margin:2px 0 6px 14px;color:inherit;font-size:12px;table-layout:auto}
.segkit-view.segkit-view tr,.segkit-view.segkit-view thead{background:none!important;border:0}
.segkit-view.segkit-view th,.segkit-view.segkit-view td{text-align:left;vertical-align:top;padding:1px 16px 1px 0;border:0;
border-bottom:1px solid rgba(128,128,128,.3);max-width:28em;white-space:normal;color:inherit}
.segkit-view.segkit-view .number{text-align:right;font-variant-numeric:tabular-nums}
.segkit-view.segkit-view th{font-weight:600;color:var(--jp-content-font-color2,inherit)}
""".strip(),
)
