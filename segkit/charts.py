"""Pictures: each function takes a frame and gives a chart that draws without a network.

In JupyterLab a chart is an interactive Vega-Lite 5 picture, elsewhere (GitHub, exported HTML) an SVG of the same
specification. Nothing global is changed on import, and no chart runs SQL.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segkit.errors import SegkitError

if TYPE_CHECKING:
    import pandas as pd

_BLUE = "#3b6ea8"
_VEGA_LITE = "5.21"


@dataclass(frozen=True)
class Chart:
    """A picture with the table behind it: `data`, and `spec`, its Vega-Lite 5 specification."""

    spec: dict[str, Any]
    data: pd.DataFrame

    def svg(self) -> str:
        """The picture as SVG."""
        import vl_convert

        return str(vl_convert.vegalite_to_svg(self.spec, vl_version=_VEGA_LITE))

    def save(self, path: str | Path) -> Path:
        """Writes the picture as `.svg`, or its specification as `.json`."""
        target = Path(path)
        match target.suffix.lower():
            case ".svg":
                text = self.svg()
            case ".json":
                text = json.dumps(self.spec, indent=1, ensure_ascii=False)
            case other:
                raise SegkitError(f"cannot save a chart as {other or 'a file without ending'}", fix="use .svg or .json")
        target.write_text(text, encoding="utf-8")
        return target

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "application/vnd.vegalite.v5+json": self.spec,
            "image/svg+xml": self.svg(),
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        return f"<Chart: {self.spec['title']['text']}, {len(self.data)} rows>"


def size(frame: pd.DataFrame) -> Chart:
    """How large segments are: a bar each, in the order of the frame.

    Args:
        frame: what `sizes` gives: segment, size, share; `attrs["as_of"]` is shown below the title.

    >>> from segkit import F, Segment, charts, connect
    >>> charts.size(connect().sizes([Segment("US", F.country == "USA")]))
    <Chart: Contacts in each segment, 1 rows>
    """
    import altair as alt

    shown = frame.assign(percent=[f"{share:.1%}" for share in frame["share"]])
    order = list(dict.fromkeys(shown["segment"]))
    bars = (
        alt.Chart({"values": _records(shown)})
        .mark_bar(color=_BLUE)
        .encode(
            x=alt.X("size:Q", title="contacts", scale=alt.Scale(zero=True), axis=alt.Axis(format=",d", tickMinStep=1)),
            y=alt.Y("segment:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)),
            tooltip=[
                alt.Tooltip("segment:N"),
                alt.Tooltip("size:Q", format=","),
                alt.Tooltip("percent:N", title="of all contacts"),
            ],
        )
    )
    labels = bars.mark_text(align="left", dx=4, fontSize=11).encode(text=alt.Text("size:Q", format=","))
    as_of = str(frame.attrs.get("as_of", ""))
    title = alt.Title("Contacts in each segment", subtitle=f"as of {_readable(as_of)}" if as_of else "", anchor="start")
    chart = alt.layer(bars, labels).properties(title=title, width=420, height=alt.Step(22))
    return Chart(_vega_lite_5(chart.to_dict()), frame)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return json.loads(frame.to_json(orient="records"))  # type: ignore[no-any-return]


def _readable(as_of: str) -> str:
    return as_of.replace("T", " ").replace("+00:00", " UTC")


def _vega_lite_5(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification as JupyterLab's own Vega-Lite 5 reads it; charts use nothing that came later."""
    return {**spec, "$schema": "https://vega.github.io/schema/vega-lite/v5.20.1.json"}
