"""A chart: a Vega-Lite specification with the table behind it, shown and saved without a network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from segkit.charts.svg import VEGA_LITE, drawn
from segkit.errors import SegkitError

if TYPE_CHECKING:
    import pandas as pd

Theme = Literal["light", "dark"]

_INK = {"light": "#1f2328", "dark": "#f0f0f0"}
_MUTED = {"light": "#59636e", "dark": "#b4b4b4"}
_PAPER = {"light": "#ffffff", "dark": "#111111"}
_FINENESS = 2.0


@dataclass(frozen=True)
class Chart:
    """A picture with the table behind it: `data`, and `spec`, its Vega-Lite 5 specification.

    The specification has no colour of text and no background: whoever draws it, such as JupyterLab, takes those of its
    theme. Where it is drawn here, as SVG, PNG or a page, the picture has a background of its own, so that it can be read
    on white and on dark alike.
    """

    spec: dict[str, Any]
    data: pd.DataFrame

    def svg(self, theme: Theme = "light") -> str:
        """The picture as SVG, in the colours of a theme."""
        return drawn(themed(self.spec, theme), self.title)

    def png(self, theme: Theme = "light") -> bytes:
        """The picture as PNG, at two pixels a point."""
        import vl_convert

        return bytes(vl_convert.vegalite_to_png(themed(self.spec, theme), vl_version=VEGA_LITE, scale=_FINENESS))

    def html(self) -> str:
        """A page of its own, interactive, with all it needs inside; it follows the reader's choice of light or dark."""
        import vl_convert

        specs = {"light": themed(self.spec, "light"), "dark": themed(self.spec, "dark")}
        bundle = vl_convert.javascript_bundle(_DRAW, vl_version=VEGA_LITE)
        return _PAGE.format(title=_escaped(self.title), data=_in_script(specs), script=bundle.replace("</script", r"<\/script"))

    @property
    def title(self) -> str:
        """What the picture shows."""
        return str(self.spec["title"]["text"])

    def save(self, path: str | Path, theme: Theme = "light") -> Path:
        """Writes the picture as `.svg`, `.png` or `.html`, or its specification as `.json`.

        Args:
            path: the file; its ending decides.
            theme: `light` or `dark`, for pictures; a page carries both, and a specification neither.

        Raises:
            SegkitError: another ending or theme, or a file that cannot be written.
        """
        target = Path(path)
        if theme not in _INK:
            raise SegkitError(f"unknown theme {theme!r:.40}", fix="use 'light' or 'dark'")
        match target.suffix.lower():
            case ".svg":
                content = self.svg(theme).encode()
            case ".png":
                content = self.png(theme)
            case ".html":
                content = self.html().encode()
            case ".json":
                content = json.dumps(self.spec, indent=1, ensure_ascii=False).encode()
            case other:
                raise SegkitError(
                    f"cannot save a chart as {other or 'a file without ending'}", fix="use .svg, .png, .html or .json"
                )
        try:
            target.write_bytes(content)
        except OSError as error:
            raise SegkitError(f"cannot write {target}: {error.strerror}", fix="choose another folder") from None
        return target

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "application/vnd.vegalite.v5+json": self.spec,
            "image/svg+xml": self.svg(),
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        return f"<Chart: {self.title}, {len(self.data)} rows>"


def themed(spec: dict[str, Any], theme: Theme) -> dict[str, Any]:
    """The specification with the text and background colours of a theme."""
    ink, muted = _INK[theme], _MUTED[theme]
    own = {
        "background": _PAPER[theme],
        "title": {"color": ink, "subtitleColor": muted},
        "style": {"guide-label": {"fill": ink}, "guide-title": {"fill": ink}},
        "axis": {"domainColor": muted, "tickColor": muted},
        "header": {"labelColor": ink, "titleColor": ink},
        "text": {"color": ink},
    }
    return {**spec, "config": _merged(spec["config"], own)}


def _merged(config: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(config)
    for name, value in own.items():
        merged[name] = _merged(merged.get(name, {}), value) if isinstance(value, dict) else value
    return merged


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)


def _in_script(content: object) -> str:
    r"""JSON that can stand inside a `<script>`: `<` is written `\u003c`, so that no data can end it.

    >>> _in_script("</script>")
    '"\\u003c/script>"'
    """
    return json.dumps(content).replace("<", "\\u003c")


_DRAW = """
const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
const specs = JSON.parse(document.getElementById("specs").textContent);
document.body.style.background = specs[theme].config.background;
vegaEmbed("#chart", specs[theme], {renderer: "svg", mode: "vega-lite", actions: {editor: false}});
"""

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title></head>
<body>
<div id="chart"></div>
<script type="application/json" id="specs">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""
