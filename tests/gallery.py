"""The pictures of docs/charts.md: its code is run, and what it calls by the name of a chart is drawn in light and dark.

python tests/gallery.py [folder]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from segkit.charts import Chart
from segkit.charts.chart import Theme

PAGE = Path(__file__).parents[1] / "docs" / "charts.md"
FOLDER = PAGE.parent / "images" / "charts"
_CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def drawn() -> dict[str, Chart]:
    """The charts of the page, by the names that it gives them."""
    names: dict[str, Any] = {}
    for code in _CODE.findall(PAGE.read_text(encoding="utf-8")):
        exec(compile(code, PAGE.name, "exec"), names)
    return {name: own for name, own in names.items() if isinstance(own, Chart)}


def pictures(charts: dict[str, Chart]) -> dict[str, str]:
    """Each chart as SVG on light and on dark ground, by the name of its file."""
    themes: tuple[Theme, ...] = ("light", "dark")
    return {f"{name}-{theme}.svg": chart.svg(theme) for name, chart in charts.items() for theme in themes}


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures(drawn()).items():
        (folder / name).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
