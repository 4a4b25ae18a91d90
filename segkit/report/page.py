"""A report as HTML: nothing is loaded and nothing runs. Each picture is there twice, for light and for dark."""

from __future__ import annotations

import hashlib
import re
from html import escape
from typing import TYPE_CHECKING, Any

from segkit import display
from segkit.header import MADE_BY
from segkit.report.parts import Found, Part, Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

_LONGEST_SQL = 100_000
_MOST_NOTES = 3


def body(about: Iterable[str], found: Found) -> str:
    """The sections, to be placed into a page or a cell."""
    of_set = ((part.title, _content(part)) for part in found.parts)
    of_one = ((own.name, _segment(own)) for own in found.segments)
    sections = "".join(_section(place, *own) for place, own in enumerate((*of_set, *of_one)))
    return f'<div class="segkit-report"><style>{_STYLE}</style><p>{_text(" · ".join(about))}</p>{sections}</div>'


def page(title: str, about: Iterable[str], found: Found) -> str:
    """A whole page, with a list of its contents."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    headings = (*(part.title for part in found.parts), *(own.name for own in found.segments))
    links = "".join(f'<li><a href="#{_PLACE}{i}"><bdi>{_text(own)}</bdi></a></li>' for i, own in enumerate(headings))
    return (
        f'<!doctype html>\n<!-- {MADE_BY} -->\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{_text(title)}</title><style>{_PAGE_STYLE}</style></head>"
        f'<body><main><h1>{_text(title)}</h1><nav aria-label="Contents"><ul>{links}</ul></nav>{body(about, found)}</main>'
        "</body></html>\n"
    )


_PLACE = "segkit-part-"


def _section(place: int, title: str, inside: str) -> str:
    return f'<section><h2 id="{_PLACE}{place}"><bdi>{_text(title)}</bdi></h2>{inside}</section>'


def _segment(own: Told) -> str:
    return _definition(own) + "".join(f"<h3>{_text(part.title)}</h3>{_content(part)}" for part in own.parts)


def _content(part: Part) -> str:
    picture = "" if part.pictures is None else _picture(*part.pictures)
    table = "" if part.table is None or part.table.empty else _table(part.table, unfolded=part.chart is None)
    nothing = "" if part.notes or picture or table else "<p>Nothing found.</p>"
    return f"{_notes(part.notes)}{picture}{table}{nothing}"


def _notes(notes: Sequence[str]) -> str:
    told = [f'<p class="note"><bdi>{_text(note)}</bdi></p>' for note in notes]
    shown, more = told[:_MOST_NOTES], told[_MOST_NOTES:]
    folded = f"<details><summary>{len(more)} more</summary>{''.join(more)}</details>" if more else ""
    return "".join(shown) + folded


def _picture(light: str, dark: str) -> str:
    return f'<div class="picture light">{_own_ids(light)}</div><div class="picture dark">{_own_ids(dark)}</div>'


def _own_ids(svg: str) -> str:
    """The picture with names of its own for its parts, so that several of them stand on one page.

    >>> _own_ids('<clipPath id="c"/><g clip-path="url(#c)"/>')
    '<clipPath id="p7cd259-c"/><g clip-path="url(#p7cd259-c)"/>'
    """
    prefix = f"p{hashlib.sha256(svg.encode()).hexdigest()[:6]}"
    svg = re.sub(r'(<[^<>]*\sid=")', rf"\1{prefix}-", svg)
    return re.sub(r'(<[^<>]*="url\(#)', rf"\1{prefix}-", svg)


def _table(frame: pd.DataFrame, *, unfolded: bool) -> str:
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    told = [i for i, _ in enumerate(frame.columns) if not rows or any(row[i] for row in rows)]
    columns = tuple(str(frame.columns[i]).replace("_", " ") for i in told)
    table = display.Table("Rows", columns, tuple(tuple(row[i] for i in told) for row in rows), unfolded)
    return display.html(display.View("", "", (table,)))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return "" if value is None or str(value) in {"NaT", "<NA>", "nan"} else str(value)


def _definition(own: Told) -> str:
    notes = f"<p><bdi>{_text(own.notes)}</bdi></p>" if own.notes else ""
    if own.refusal:
        return f'{notes}<p class="note"><bdi>{_text(own.refusal)}</bdi></p>'
    words, sql = _lines(own.text), _lines(own.sql[:_LONGEST_SQL])
    return f'{notes}<p class="words"><bdi>{words}</bdi></p><details><summary>SQL</summary><pre>{sql}</pre></details>'


def _lines(text: str) -> str:
    return escape("\n".join(display.seen(line) for line in text.split("\n")))


def _text(text: str) -> str:
    return escape(display.seen(text))


# light or dark: as a notebook says (JupyterLab, VS Code), else as the reader prefers; on paper always light
_STYLE = """
.segkit-report{color:var(--jp-content-font-color1,inherit);overflow-wrap:anywhere}
.segkit-report .picture{break-inside:avoid;overflow-x:auto}
.segkit-report .picture svg{max-width:100%;height:auto}
.segkit-report .segkit-view{max-width:none}.segkit-report details{overflow-x:auto}
.segkit-report th{overflow-wrap:normal}.segkit-report td{overflow-wrap:break-word;min-width:4em}
.segkit-report .dark{display:none}
.segkit-report .note{border-left:3px solid #b58900;padding-left:8px;margin:6px 0}
.segkit-report .words{white-space:pre-wrap}
.segkit-report pre{white-space:pre-wrap}
.segkit-report h2,.segkit-report h3{break-after:avoid}
[data-jp-theme-light=false] .segkit-report .light,.vscode-dark .segkit-report .light{display:none}
[data-jp-theme-light=false] .segkit-report .dark,.vscode-dark .segkit-report .dark{display:block}
@media screen and (prefers-color-scheme:dark){
body:not([data-jp-theme-light],.vscode-light) .segkit-report .light{display:none}
body:not([data-jp-theme-light],.vscode-light) .segkit-report .dark{display:block}}
""".replace("\n", "")
_PAGE_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;padding:0 1em;max-width:62em;color:#1f2328;background:#fff}
h2{border-top:1px solid #8888;padding-top:.6em;margin-top:1.6em}h3{margin-bottom:.3em}
nav ul{columns:16em;list-style:none;padding:0;overflow-wrap:anywhere}a{color:inherit}
@media screen and (prefers-color-scheme:dark){body{color:#f0f0f0;background:#111}}
@media print{nav{display:none}body{margin:0;max-width:none}}
""".replace("\n", "")
