"""Pictures: each function takes a frame and gives a chart that draws without a network.

In JupyterLab a chart is an interactive Vega-Lite 5 picture in the colours of its theme, elsewhere (GitHub, exported HTML)
an SVG of the same specification. Nothing global is changed on import, and no chart runs SQL.

    frame  ->  bars: size, composition;  curve: thresholds;  differences: diff;  grid: rfm;  pairs: overlap, intersections
               points: performance;  profiles: profile;  steps: waterfall
               over_time: history, flow, stability, forecast;  lengths: survival;  stages: journey, transitions
           ->  Chart (a specification, its table)  ->  shown, or saved as SVG, PNG, HTML, JSON
"""

from __future__ import annotations

from segkit.charts.bars import composition, size
from segkit.charts.chart import Chart
from segkit.charts.curve import thresholds
from segkit.charts.differences import diff
from segkit.charts.grid import rfm
from segkit.charts.lengths import survival
from segkit.charts.over_time import flow, forecast, history, stability
from segkit.charts.pairs import intersections, overlap
from segkit.charts.points import performance
from segkit.charts.profiles import profile
from segkit.charts.stages import journey, transitions
from segkit.charts.steps import waterfall

__all__ = [
    "Chart",
    "composition",
    "diff",
    "flow",
    "forecast",
    "history",
    "intersections",
    "journey",
    "overlap",
    "performance",
    "profile",
    "rfm",
    "size",
    "stability",
    "survival",
    "thresholds",
    "transitions",
    "waterfall",
]
