"""Purchases at CDNOW, out of the files of the package `lifetimes`: read where it is installed, never imported or copied."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files

import pandas as pd
import pytest

import segkit

_COLUMNS = ["contact_id", "date", "cds", "amount"]


def purchases(file: str) -> pd.DataFrame:
    """The purchases of `CDNOW_master.txt` or `CDNOW_sample.txt`: contact, event, day, number of CDs, dollars.

    Customers of the sample are numbered anew, in the second column.
    """
    try:
        [path] = [own for own in files("lifetimes") or () if own.name == file]
    except PackageNotFoundError:
        pytest.fail("the purchases are not installed: pip install lifetimes")
    is_sample = file == "CDNOW_sample.txt"
    frame = pd.read_csv(
        path.locate(),
        sep=r"\s+",
        names=["master_id", *_COLUMNS] if is_sample else _COLUMNS,
        skiprows=0 if is_sample else 1,
        dtype={"date": str},
    )
    frame["occurred_at"] = pd.to_datetime(frame["date"], format="%Y%m%d")
    return frame.assign(event="purchased")[["contact_id", "event", "occurred_at", "cds", "amount"]]


def connected(file: str, as_of: str) -> segkit.Workspace:
    """Customers since their first purchase, and their purchases as events."""
    events = purchases(file)
    contacts = events.groupby("contact_id", as_index=False).agg(first_purchase=("occurred_at", "min"))
    return segkit.connect({"contacts": contacts, "events": events}, as_of=as_of, home=None)
