"""A report as HTML: nothing is loaded and nothing runs. Each picture is there twice, for light and for dark."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from segkit import display
from segkit.charts import Chart
from segkit.header import MADE_BY
from segkit.report.parts import Definition, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

_LONGEST_SQL = 100_000


def body(head: str, parts: Iterable[Part], definitions: Iterable[Definition]) -> str:
    """The sections, to be placed into a page or a cell."""
    sections = "".join(_section(part, n) for n, part in enumerate(parts))
    told = "".join(map(_definition, definitions))
    below = f"<section><h2>Definitions</h2>{told}</section>"
    return f'<div class="segkit-report"><style>{_STYLE}</style><p>{_text(head)}</p>{sections}{below}</div>'


def page(title: str, inside: str) -> str:
    """A whole page."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<!-- {MADE_BY} -->\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{_text(title)}</title><style>{_PAGE_STYLE}</style></head>"
        f"<body><h1>{_text(title)}</h1>{inside}</body></html>\n"
    )


def _section(part: Part, n: int) -> str:
    notes = "".join(f'<p class="note"><bdi>{_text(note)}</bdi></p>' for note in part.notes)
    picture = "" if part.chart is None else _picture(part.chart, n)
    table = "" if part.table is None else _table(part.table, unfolded=part.chart is None)
    return f"<section><h2><bdi>{_text(part.title)}</bdi></h2>{notes}{picture}{table}</section>"


def _picture(chart: Chart, n: int) -> str:
    light, dark = _own_ids(chart.svg("light"), f"l{n}"), _own_ids(chart.svg("dark"), f"d{n}")
    return f'<div class="picture light">{light}</div><div class="picture dark">{dark}</div>'


def _own_ids(svg: str, prefix: str) -> str:
    """The picture with names of its own for its parts, so that several of them stand on one page.

    >>> _own_ids('<clipPath id="c"/><g clip-path="url(#c)"/>', "l1")
    '<clipPath id="l1-c"/><g clip-path="url(#l1-c)"/>'
    """
    svg = re.sub(r'(<[^<>]*\sid=")', rf"\1{prefix}-", svg)
    return re.sub(r'(<[^<>]*="url\(#)', rf"\1{prefix}-", svg)


def _table(frame: pd.DataFrame, *, unfolded: bool) -> str:
    rows = tuple(tuple(_cell(value) for value in row) for row in frame.itertuples(index=False))
    table = display.Table("Table", tuple(map(str, frame.columns)), rows, unfolded)
    return display.html(display.View("", "", (table,)))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return "" if value is None or str(value) in {"NaT", "<NA>", "nan"} else str(value)


def _definition(own: Definition) -> str:
    if own.refusal:
        return f'<h3><bdi>{_text(own.name)}</bdi></h3><p class="note"><bdi>{_text(own.refusal)}</bdi></p>'
    sql = escape("\n".join(display.seen(line) for line in own.sql[:_LONGEST_SQL].split("\n")))
    words = escape("\n".join(display.seen(line) for line in own.text.split("\n")))
    return f"<h3><bdi>{_text(own.name)}</bdi></h3><pre>{words}</pre><details><summary>SQL</summary><pre>{sql}</pre></details>"


def _text(text: str) -> str:
    return escape(display.seen(text))


_STYLE = """
.segkit-report .picture svg{overflow:visible;max-width:100%}.segkit-report th{overflow-wrap:normal}
.segkit-report td{overflow-wrap:break-word}
.segkit-report .dark{display:none}
.segkit-report .note{border-left:3px solid #b58900;padding-left:8px}
.segkit-report pre{white-space:pre-wrap;overflow-wrap:anywhere}.segkit-report details{overflow-x:auto}
.segkit-report h2,.segkit-report h3{overflow-wrap:anywhere}
@media (prefers-color-scheme:dark){.segkit-report .light{display:none}.segkit-report .dark{display:block}}
""".replace("\n", "")
_PAGE_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:62em;margin:2em auto;padding:0 1em;color:#1f2328;background:#fff}"
    "@media (prefers-color-scheme:dark){body{color:#f0f0f0;background:#111}}"
)
