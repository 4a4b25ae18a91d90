"""What charts have in common: names that can be shown, the title, colours, and the picture that says there is nothing."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from segkit.charts.chart import Chart
from segkit.display import distinct, number, seen
from segkit.errors import SegkitError

if TYPE_CHECKING:
    import pandas as pd

# of Okabe and Ito's palette, told apart by all readers; at least 3 to 1 on white and on black
BLUE = "#3a86c8"
GREY = "#8a8a8a"
ORANGE = "#d5752b"
DIGITS = 6
"""Of shares in a specification: those beyond are read back otherwise by some readers of JSON, and nobody sees them."""
LONGEST_NAME = 120
LONGEST_NOTE = 400
_LONGEST_LINE = 78
NAME_WIDTH = 180
"""The room for names at the side of a chart, in points: the rest is cut off and stands in the tooltip."""

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"

# the themes of notebooks colour titles and axes only: text inside a chart takes the colour of the page's text, as SVG can
_DRAWN_AS = {"embedOptions": {"renderer": "svg"}}
_CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "sans-serif",
    "padding": 8,
    "view": {"stroke": None},
    "text": {"color": "currentColor", "fontSize": 11},
    "legend": {"labelFontSize": 10, "titleFontSize": 11},
    "axis": {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "grid": False, "labelFlush": False},
    "axisY": {"ticks": False, "labelPadding": 6},
    "header": {"labelFontSize": 11, "labelFontWeight": "bold"},
    "title": {"anchor": "start", "frame": "bounds", "fontSize": 14, "subtitleFontSize": 11, "subtitlePadding": 4, "offset": 10},
}


def expect(frame: pd.DataFrame, columns: Sequence[str], chart: str, source: str) -> None:
    """Refuses what is not the frame that a chart shows.

    Raises:
        SegkitError: it is no frame, or a column is missing.
    """
    missing = [name for name in columns if name not in getattr(frame, "columns", ())]
    if missing:
        raise SegkitError(
            f"charts.{chart} shows a frame with the columns {', '.join(columns)}; there is no {missing[0]}",
            fix=f"pass what {source} gives",
        )


def names(given: Iterable[object]) -> list[str]:
    """Each as one line of its own: what looks alike is numbered.

    >>> names(["VIP", "VIP", "US\\n"])
    ['VIP', 'VIP (2)', 'US ']
    """
    return distinct(seen(_whole(str(own)), LONGEST_NAME) for own in given)


def _whole(name: str) -> str:
    """A name that the picture need not cut, if it holds characters of two halves (emoji): Vega would cut through one."""
    return name[:9] + "…" if len(name) > 10 and any(character > "\uffff" for character in name) else name


def as_of(frame: pd.DataFrame) -> str:
    """The instant of a frame in words, nothing if it has none."""
    at = _instant(frame, "as_of")
    return f"as of {at} UTC" if at else ""


def span(frame: pd.DataFrame) -> str:
    """The first and the last instant of a frame in words, nothing if it has none."""
    if ends := [at for at in (_instant(frame, "start"), _instant(frame, "end")) if at]:
        return f"{' to '.join(ends)} UTC"
    known = frame["at"].dropna() if "at" in frame else ()
    return f"{min(known):%Y-%m-%d %H:%M} to {max(known):%Y-%m-%d %H:%M}" if len(known) else ""


def _instant(frame: pd.DataFrame, name: str) -> str:
    try:
        at = dt.datetime.fromisoformat(str(frame.attrs.get(name) or ""))
    except ValueError:
        return ""
    return f"{at.astimezone(dt.UTC) if at.tzinfo else at:%Y-%m-%d %H:%M}"


def finite(value: Any) -> float | None:
    """A number to ten digits, which is more than anybody sees: so that a sum added up in another order draws the same.

    >>> finite(0.1 + 0.2), finite(float("nan"))
    (0.3, None)
    """
    number = float(f"{float(value):.10g}")
    return number if abs(number) < float("inf") else None


def in_order(field: str = "row", order: Literal["ascending", "descending"] = "ascending") -> Any:
    """The order of the frame's rows, which a field of the values has; a list of names would put them into an expression."""
    import altair as alt

    return alt.EncodingSortField(field=field, op="min", order=order)


def left_out(shown: int, count: int, what: str) -> str:
    """What is said of rows that a chart has no room for."""
    return f"the first {number(shown)} of {number(count)} {what}" if shown < count else ""


def finished(chart: Any, frame: pd.DataFrame, title: str, about: Iterable[str]) -> Chart:
    """An Altair chart with its title, and below it what else is to be said."""
    import altair as alt

    lines = [part for line in about for part in textwrap.wrap(line, _LONGEST_LINE)]
    titled = chart.properties(title=alt.Title(title, subtitle=lines) if lines else alt.Title(title))
    with alt.data_transformers.enable("default"), alt.theme.enable("none"):
        spec = titled.to_dict()
    return Chart({**spec, "$schema": _SCHEMA, "config": _CONFIG, "usermeta": _DRAWN_AS}, frame)


def nothing(frame: pd.DataFrame, title: str, about: Iterable[str]) -> Chart:
    """The chart of a frame without rows."""
    import altair as alt

    text = alt.Chart({"values": [{"text": "nothing to show"}]}).mark_text(align="left", x=0).encode(text="text:N")
    return finished(text.properties(width=300, height=40), frame, title, about)
