"""Several measures of a set of segments on one page that needs nothing else.

asked (segments, instant, period)  ->  measures (functions of the workspace)  ->  parts: each a table and a picture, or a note
why there is none  ->  a page, or a cell with pickers above it, which ask for something else
"""

from __future__ import annotations

from segkit.report.parts import Asked, Measures
from segkit.report.report import Report

__all__ = ["Asked", "Measures", "Report"]
