"""A specification drawn as SVG: small, and with room for the letters of any reader's machine.

What is drawn is laid out with the letters of one font and read with those of another: "sans-serif" is Arial here and DejaVu
Sans there, a seventh wider. So everything is laid out with letters that are larger by as much, and written with the usual ones.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

# the oldest that draws here: JupyterLab bundles 5.6, so that nothing of a later one may slip in
VEGA_LITE = "5.8"
_WIDER, _BOLD_WIDER = 1.15, 1.3
_BOLD = (("title", "fontSize"), ("header", "labelFontSize"))
_DIGITS = 2
_UNSEEN = re.compile(r'<path(?=[^<>]* opacity="0"| class="(?:back|fore)ground"(?![^<>]* (?:fill|stroke)="))[^<>]*/>')
_LETTERS = re.compile(r' font-size="([\d.]+)px"')
_ROLES = re.compile(r' (?:aria-[a-z]+|role)="[^"<>]*"')
_LONG = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")


def drawn(spec: dict[str, Any], title: str) -> str:
    """The picture, called by its title to those who listen: what it shows stands in the table behind it."""
    import vl_convert

    own = {**spec, "config": {**spec["config"], "aria": False}}
    given = str(vl_convert.vegalite_to_svg(_with_room(own), vl_version=VEGA_LITE))
    return re.sub("<[^<>]*>", _lean, _UNSEEN.sub("", given)).replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)


def _with_room(spec: Any, key: str = "", of: str = "") -> Any:
    """All sizes of letters times so much."""
    match spec:
        case dict():
            return {name: _with_room(value, name, key) for name, value in spec.items()}
        case list():
            return [_with_room(value) for value in spec]
        case int() | float() if key.lower().endswith("fontsize"):
            return spec * (_BOLD_WIDER if (of, key) in _BOLD else _WIDER)
        case _:
            return spec


def _lean(tag: re.Match[str]) -> str:
    """A tag with letters of their own size, and without digits that nobody sees and parts that nobody hears."""
    own = _ROLES.sub("", tag[0])
    wider = _BOLD_WIDER if ' font-weight="bold"' in own else _WIDER
    own = _LETTERS.sub(lambda size: f' font-size="{float(size[1]) / wider:.3g}px"', own)
    return _LONG.sub(lambda number: f"{float(number[0]):.{_DIGITS}f}".rstrip("0").rstrip("."), own)
