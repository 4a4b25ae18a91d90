"""A journey over time: how large its stages were at each point, and who moved from which to which.

spells of the stages  ->  each end of a spell, beside the beginning of another at the same point  ->  transitions
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segkit.journey import NO_STAGE
from segkit.measures.spells import Spells
from segkit.measures.stays import days

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("from_stage", "to_stage", "kind", "moves", "contacts", "share", "mean_days", "median_days")
SIZES = ("stage", "at", "size", "share", "entries", "exits")


def stages(sizes: pd.DataFrame, names: Sequence[str], points: int) -> pd.DataFrame:
    """The sizes over time, out of a history of each stage and of no stage. `Workspace.stages` says what the columns mean."""
    import numpy as np

    frame = sizes.assign(stage=np.repeat(np.array([*names, NO_STAGE], dtype=object), points))
    total = frame.groupby("at")["size"].transform("sum")
    frame["share"] = frame["size"] / total.where(total > 0)
    return frame[[*SIZES]].astype({"stage": str, "share": float})


def transitions(spells: Spells, names: Sequence[str], zone: str) -> pd.DataFrame:
    """Who moved from which stage to which. `Workspace.transitions` says what the columns mean."""
    import numpy as np
    import pandas as pd

    at, last, none = days(spells.points, zone), len(spells.points), len(names)
    known = pd.DataFrame({"contact": spells.contact, "stage": spells.segment, "entered": spells.entered, "left": spells.left})
    ends, begins = known[known["left"] < last], known[known["entered"] > 0]
    moved = ends[["contact", "stage", "entered", "left"]].merge(
        begins[["contact", "stage", "entered"]],
        how="outer",
        left_on=["contact", "left"],
        right_on=["contact", "entered"],
        suffixes=("_from", "_to"),
    )
    begun = moved["entered_from"].fillna(0).to_numpy(dtype=np.int64)
    left = moved["left"].fillna(0).to_numpy(dtype=np.int64)
    moved["days"] = np.where(begun > 0, at[left] - at[begun], np.nan) if len(moved) else np.array([], dtype=float)
    moved["source"] = moved["stage_from"].fillna(none).astype(np.int64)
    moved["target"] = moved["stage_to"].fillna(none).astype(np.int64)
    grouped = moved.groupby(["source", "target"], sort=True)
    found = grouped.agg(
        moves=("contact", "size"), contacts=("contact", "nunique"), mean_days=("days", "mean"), median_days=("days", "median")
    ).reset_index()
    labels = np.array([*names, NO_STAGE], dtype=object)
    found["from_stage"], found["to_stage"] = labels[found["source"]], labels[found["target"]]
    found["kind"] = [_kind(a, b, none) for a, b in zip(found["source"], found["target"], strict=True)]
    found["share"] = found["moves"] / found.groupby("source")["moves"].transform("sum")
    kinds = (str, str, str, int, int, float, float, float)
    return found[[*COLUMNS]].astype(dict(zip(COLUMNS, kinds, strict=True)))


def _kind(source: int, target: int, none: int) -> str:
    if source == none:
        return "start"
    if target == none:
        return "leak"
    return "forward" if target > source else "back"
