"""The panel where nothing runs: its tree, sizes and SQL as HTML for exported notebooks, and as text. All of it escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from segkit.display import percent
from segkit.errors import DefinitionError
from segkit.panel.draft import Draft, Group, Kept, Row, Rule
from segkit.panel.meaning import condition
from segkit.panel.projection import shown

_LINE = "display:flex;gap:1em;justify-content:space-between;border-bottom:1px solid #8884;padding:2px 0"
_NUMBER = "font-variant-numeric:tabular-nums;text-align:right;white-space:nowrap"
_PRE = "overflow:auto;padding:8px;border:1px solid #8884"


def html(draft: Draft, view: Mapping[str, Any], sql: str, as_of: str = "") -> str:
    """The panel as HTML without scripts.

    >>> "&lt;b&gt;" in html(Draft(name="<b>"), {}, "SELECT 1")
    True
    """
    lines = "".join(
        f'<div style="{_LINE}"><span style="padding-left:{depth * 1.5:g}em">{escape(text)}</span>'
        f'<span style="{_NUMBER}">{escape(size)}</span></div>'
        for depth, text, size in _lines(draft, view)
    )
    notes = f"<p>{escape(draft.notes)}</p>" if draft.notes else ""
    query = f"<details><summary>SQL</summary><pre style='{_PRE}'>{escape(sql)}</pre></details>" if sql else ""
    title = f"<p><strong>{escape(draft.name or 'Segment without a name')}</strong> &middot; {escape(_total(view, as_of))}</p>"
    return f'<div class="segkit-static" style="max-width:60em">{title}{notes}{lines}{query}</div>'


def text(draft: Draft, view: Mapping[str, Any], as_of: str = "") -> str:
    """The panel as text.

    >>> print(text(Draft(name="All"), {"everyone": 1200, "size": 1200, "sizes": {"1": 1200}}))
    Panel of All: 1,200 of 1,200 contacts (100%)
      everyone  1,200
    """
    lines = [(f"{'  ' * (depth + 1)}{own}", size) for depth, own, size in _lines(draft, view)]
    width = max(len(own) for own, _ in lines)
    told = "\n".join(f"{own:<{width}}  {size}".rstrip() for own, size in lines)
    return f"Panel of {draft.name or 'a segment without a name'}: {_total(view, as_of)}\n{told}"


def _total(view: Mapping[str, Any], as_of: str) -> str:
    return f"{total(view)}, as of {as_of}" if as_of else total(view)


def total(view: Mapping[str, Any]) -> str:
    """The size of the whole, in words."""
    everyone, size = view.get("everyone"), view.get("size")
    if everyone is None:
        return "not counted yet"
    if size is None:
        return f"not finished; {everyone:,} contacts in all"
    share = f" ({percent(size / everyone)})" if everyone else ""
    return f"{size:,} of {everyone:,} contacts{share}"


def _lines(draft: Draft, view: Mapping[str, Any]) -> Iterator[tuple[int, str, str]]:
    sizes = view.get("sizes", {})

    def below(row: Row, depth: int) -> Iterator[tuple[int, str, str]]:
        if isinstance(row, Group) and row.bare and len(row.items) == 1 and not row.negated and not row.muted:
            yield from below(row.items[0], depth)
            return
        size = sizes.get(row.id)
        reason = view.get("rows", {}).get(row.id, {}).get("reason")
        own = f"{told(row)}  ({reason['what']})" if reason and not told(row).startswith("(") else told(row)
        yield depth, own, "muted" if row.muted else f"{size:,}" if size is not None else ""
        if isinstance(row, Group):
            for item in row.items:
                yield from below(item, depth + 1)

    yield from below(draft.root, 0)


def told(row: Row) -> str:
    """A row in the text language, or as far as it is finished.

    >>> told(Group("1", "or", items=(Rule("2"),), negated=True))
    'none of'
    """
    match row:
        case Group():
            if not row.items:
                return "NOT everyone" if row.negated else "everyone"
            positive, negative = ("all of", "not all of") if row.logic == "and" else ("any of", "none of")
            return negative if row.negated else positive
        case Rule(subject=None):
            return "(nothing chosen)"
        case Rule() | Kept():
            try:
                return shown(condition(row))
            except DefinitionError as error:
                return f"(not finished: {error.what})"
