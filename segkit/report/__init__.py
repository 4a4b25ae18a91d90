"""Several measures of a set of segments on one page that needs nothing else.

measures (functions of the workspace)  ->  parts: each a table and a picture, or a note why there is none  ->  a page
"""

from __future__ import annotations

from segkit.report.parts import Measures, gathered
from segkit.report.report import Report

__all__ = ["Measures", "Report", "gathered"]
