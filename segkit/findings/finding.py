"""A finding: what is wrong where, how we know, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class Severity(IntEnum):
    """How much a finding matters: an ERROR makes the members wrong or none, a WARNING probably does, ADVICE does not."""

    ADVICE = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a segment.

    Attributes:
        segment: the name of the segment.
        kind: what sort of problem it is, in words that stay the same: "contradiction", "unknown value".
        severity: how much it matters.
        path: where in the definition, `where.items[2]`; empty for the segment as a whole.
        condition: the condition at that place, as text.
        what: what is wrong, in one sentence.
        evidence: what was seen that shows it, with figures.
        fix: what to do about it.
    """

    segment: str
    kind: str
    severity: Severity
    path: str
    condition: str
    what: str
    evidence: str
    fix: str


COLUMNS = tuple(field.name for field in fields(Finding))


def table(found: Iterable[Finding]) -> pd.DataFrame:
    """Findings as a frame: the gravest of each segment first, segments in the order in which they first occur."""
    import pandas as pd

    own = list(found)
    order = {name: i for i, name in enumerate(dict.fromkeys(one.segment for one in own))}
    own.sort(key=lambda one: (order[one.segment], -one.severity, one.path, one.kind))
    rows = [(*astuple(one)[:2], str(one.severity), *astuple(one)[3:]) for one in own]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
