"""How large one query may be, and how far times reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Limits:
    """The most columns and joins of one query, and the first and last instant that can be stored and told in any zone; None is
    as many or as far as one likes.

    Planning takes time that grows faster than the joins: DuckDB takes 40 times as long for 200 of them as for 50.
    """

    columns: int | None = None
    joins: int | None = 100
    instants: tuple[datetime, datetime] | None = None

    def allow(self, columns: int, joins: int) -> bool:
        """Whether a query of that size may be asked.

        >>> Limits(columns=2000, joins=63).allow(23, 64)
        False
        """
        return (self.columns is None or columns <= self.columns) and (self.joins is None or joins <= self.joins)
