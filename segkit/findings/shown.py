"""Findings as a notebook shows them: a table of each severity, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segkit import display
from segkit.display import Line, Table, View
from segkit.errors import DefinitionError
from segkit.findings.finding import COLUMNS, Severity

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("kind", "path", "condition", "what", "evidence", "fix")


@dataclass(frozen=True)
class Shown:
    """Findings, to be looked at."""

    view: View

    def _repr_html_(self) -> str:
        return display.html(self.view)


def show_findings(found: pd.DataFrame) -> Shown:
    """The findings of `ws.diagnose` or `ws.audit` as tables that wrap their text, to be the last line of a cell.

    Args:
        found: the frame of either.

    Raises:
        DefinitionError: it is another frame.

    >>> import segkit as sk
    >>> from segkit import F, connect
    >>> "value never seen" in sk.show_findings(connect().diagnose(F.location == "usa"))._repr_html_()
    True
    """
    if missing := [name for name in COLUMNS if name not in getattr(found, "columns", ())]:
        raise DefinitionError(
            f"no findings: the column {missing[0]!r} is missing", fix="give what ws.diagnose or ws.audit returns"
        )
    names = list(dict.fromkeys(found["segment"]))
    return Shown(View("Findings", ", ".join(names), (*_parts(found, len(names) > 1), *_resolved(found))))


def _resolved(found: pd.DataFrame) -> Iterator[Line | Table]:
    """The size, and the bounds of relative dates, where the frame knows them."""
    if "size" in found.attrs:
        size, everyone = found.attrs["size"], found.attrs["everyone"]
        share = display.percent(size / everyone) if everyone else display.percent(float("nan"))
        yield Line(f"{display.number(size)} of {display.number(everyone)} contacts ({share})", "size")
    if windows := found.attrs.get("windows"):
        yield Table("relative dates", ("condition", "from, until"), tuple(windows.items()))


def _parts(found: pd.DataFrame, with_names: bool) -> Iterator[Line | Table]:
    if found.empty:
        yield Line("nothing found")
    columns = ("segment", *_COLUMNS) if with_names else _COLUMNS
    for severity in sorted(Severity, reverse=True):
        own = found[found["severity"] == str(severity)]
        if not own.empty:
            rows = tuple(tuple(map(str, row)) for row in own[list(columns)].itertuples(index=False))
            yield Table(str(severity), columns, rows, unfolded=True)
