"""What comes next if nothing happens: who leaves, who enters, and when, of the spells at points that lie ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segkit.measures.spells import Spells

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("is_member", "leaves_at", "enters_at")


def upcoming(spells: Spells, key: str, zone: str) -> pd.DataFrame:
    """The members at the first point and all who enter later. `Workspace.upcoming` says what the columns mean."""
    import numpy as np
    import pandas as pd

    at = pd.DatetimeIndex([*spells.points, pd.NaT], dtype="datetime64[us, UTC]").tz_convert(zone)
    known = pd.DataFrame({key: spells.contact, "entered": spells.entered, "left": spells.left})
    first = known.drop_duplicates(key).set_index(key)
    later = known[known["entered"] > 0].drop_duplicates(key).set_index(key)["entered"]
    entered = later.reindex(first.index).fillna(len(spells.points)).astype(np.int64)
    frame = pd.DataFrame(
        {
            key: first.index,
            "is_member": (first["entered"] == 0).to_numpy(),
            "leaves_at": at[first["left"].to_numpy(dtype=np.int64)],
            "enters_at": at[entered.to_numpy()],
        }
    )
    when = frame["leaves_at"].where(frame["is_member"], frame["enters_at"])
    order = pd.DataFrame({"outside": ~frame["is_member"], "when": when}).sort_values(["outside", "when"], kind="stable")
    return frame.loc[order.index].reset_index(drop=True)
