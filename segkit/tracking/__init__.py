"""Membership that is kept: who was a member at each refresh, in a file of the workspace's home.

    track  ->  refresh, refresh, ...  ->  sizes, moves, spells

What is kept is what changed: of each segment the contacts that came and went, in a log that only grows (`log`). `ledger`
reads what the log says, `members` asks the data, `incremental` no more of it than could have changed since what was `seen` at
the last refresh, `refreshing` compares both and writes one entry, `telling` makes frames.
"""

from __future__ import annotations

from segkit.tracking.beside import at_refreshes, beside, looks
from segkit.tracking.identity import written_out
from segkit.tracking.keeping import track, tracked, untrack
from segkit.tracking.ledger import Alerts, Tracked, stamp
from segkit.tracking.refreshing import Hook, Source, foreseen, refreshed
from segkit.tracking.telling import moves, sizes, spells

__all__ = [
    "Alerts",
    "Hook",
    "Source",
    "Tracked",
    "at_refreshes",
    "beside",
    "foreseen",
    "looks",
    "moves",
    "refreshed",
    "sizes",
    "spells",
    "stamp",
    "track",
    "tracked",
    "untrack",
    "written_out",
]
