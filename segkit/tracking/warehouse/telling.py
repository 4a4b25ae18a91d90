"""The tracked history of a warehouse as frames, as those of the home are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from segkit.catalog import Kind
from segkit.compile import Sql, tracked
from segkit.compile.tracked import Tables
from segkit.tracking import ledger
from segkit.tracking.beside import Row
from segkit.tracking.telling import ENTERED, EXITED, PRESENT, wanted
from segkit.tracking.warehouse import state
from segkit.tracking.warehouse.place import Warehouse
from segkit.tracking.warehouse.state import State

if TYPE_CHECKING:
    import pandas as pd


def sizes(place: Warehouse, names: Iterable[str] | None, zone: str) -> pd.DataFrame:
    """A row for each segment and refresh. `Workspace.tracked_sizes` says what the columns mean."""
    some, _ = _wanted(place, names)
    return _sizes(place, some, zone)


def moves(place: Warehouse, names: Iterable[str] | None, since: int | None, key: str, zone: str) -> pd.DataFrame:
    """A row for each coming and going. `Workspace.tracked_moves` says what the columns mean."""
    some, known = _wanted(place, names)
    if since is not None:
        frame = _moves(place, some, ledger.instant(since), zone, later=True)
    else:
        frame = _moves(place, some, ledger.instant(known.latest or 0), zone, later=False)
    ordered = _in_order(frame, some, ["at", "is_out", "contact_id"])
    return ordered.drop(columns="is_out").rename(columns={"contact_id": key})


def spells(place: Warehouse, names: Iterable[str] | None, key: str, zone: str) -> pd.DataFrame:
    """A row for each spell of membership. `Workspace.tracked_spells` says what the columns mean."""
    some, _ = _wanted(place, names)
    columns = {"segment": "str", "version": "int64", "contact_id": _key(place), "entered_at": zone, "exited_at": zone}
    frame = _asked(place, some, {**columns, "already_in": "bool"}, tracked.spells)
    frame = _in_order(frame, some, ["version", "contact_id", "entered_at"])
    return frame.rename(columns={"contact_id": key})


def moved(place: Warehouse, names: Sequence[str], at: dt.datetime) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Who came to some segments at an instant, and who left them, each sorted."""
    frame = _moves(place, names, at, "UTC", later=False)
    come, gone = frame[~frame["is_out"]], frame[frame["is_out"]]
    by_segment = [{str(name): sorted(keys) for name, keys in own.groupby("segment")["contact_id"]} for own in (come, gone)]
    return by_segment[0], by_segment[1]


def looks(place: Warehouse, names: Sequence[str]) -> dict[str, list[dt.datetime]]:
    """The instants at which segments were refreshed, of those that ever were."""
    known = state.read(place, place.ask)
    some = [name for name in names if name in known.lasts]
    frame = _sizes(place, some, "UTC")
    return {name: frame["at"][frame["segment"] == name].dt.to_pydatetime().tolist() for name in some}


def seen(place: Warehouse, names: Sequence[str], points: Sequence[dt.datetime]) -> list[Row]:
    """What refreshes saw of segments at some points: size and version as they were noted, and who stayed counted there."""
    known = state.read(place, place.ask)
    some = [name for name in names if name in known.lasts]
    frame = _sizes(place, some, "UTC")
    frame = frame[frame["at"].astype("int64").isin([ledger.stamp(at) for at in points])]
    before: dict[str, tuple[dt.datetime, int]] = {}
    stays: dict[tuple[dt.datetime, dt.datetime], dict[str, int]] = {}
    rows: list[Row] = []
    for name, version, at, size in frame[["segment", "version", "at", "size"]].itertuples(index=False):
        moved: tuple[int | None, int | None] = (None, None)
        if name in before:
            then, were = before[name]
            if (then, at) not in stays:
                stays[then, at] = {state.text(own): int(n) for own, n in place.ask(tracked.stayed(place.tables, some, then, at))}
            stayed = stays[then, at].get(name, 0)
            moved = (size - stayed, were - stayed)
        before[name] = (at, size)
        rows.append((name, ledger.stamp(at), version, size, *moved))
    return rows


# ---------------------------------------------------------------- asking


def _wanted(place: Warehouse, names: Iterable[str] | None) -> tuple[list[str], State]:
    known = state.read(place, place.ask)
    seen = dict(sorted(known.firsts.items(), key=lambda own: (own[1], own[0])))
    return wanted(seen, known.tracked, names), known


def _sizes(place: Warehouse, names: Sequence[str], zone: str) -> pd.DataFrame:
    columns = {"segment": "str", "version": "int64", "at": zone, "size": "int64", "entries": "Int64", "exits": "Int64"}
    return _in_order(_asked(place, names, columns, tracked.sizes), names, ["at"])


def _moves(place: Warehouse, names: Sequence[str], at: dt.datetime, zone: str, *, later: bool) -> pd.DataFrame:
    """Who came and went at an instant, or later: segment, version, at, contact_id, move, is_out."""
    import pandas as pd

    columns = {"segment": "str", "version": "int64", "at": zone, "contact_id": _key(place)}
    come = _asked(place, names, {**columns, "is_first": "bool"}, lambda tables, of: tracked.entered(tables, of, at, later=later))
    gone = _asked(place, names, columns, lambda tables, of: tracked.exited(tables, of, at, later=later))
    come["move"] = come.pop("is_first").map({True: PRESENT, False: ENTERED}).astype("str")
    gone["move"] = pd.Series([EXITED] * len(gone), dtype="str")
    both = [come.assign(is_out=False), gone.assign(is_out=True)]
    return pd.concat([own for own in both if len(own)] or both[:1], ignore_index=True)


def _asked(
    place: Warehouse, names: Sequence[str], columns: Mapping[str, str], query: Callable[[Tables, Sequence[str]], Sql]
) -> pd.DataFrame:
    """The answer to a query about some segments, its columns as they are called; those with a time zone are on its clock."""
    import pandas as pd

    if names:
        frame = place.frame(query(place.tables, names)).set_axis(list(columns), axis="columns")
    else:
        frame = pd.DataFrame({name: [] for name in columns})
    return frame.assign(**{name: _typed(frame[name], kind) for name, kind in columns.items()})


def _key(place: Warehouse) -> str:
    return "str" if place.key is Kind.TEXT else "int64"


def _typed(values: pd.Series[Any], kind: str) -> Any:
    """A column as a type, or on the clock of a zone."""
    import pandas as pd

    if kind in ("str", "bool", "int64", "Int64"):
        typed: pd.Series[Any] = values.astype(cast("Any", kind))
        return typed
    return pd.to_datetime(values, utc=True, format="ISO8601").astype("datetime64[us, UTC]").dt.tz_convert(kind)


def _in_order(frame: pd.DataFrame, names: Sequence[str], columns: list[str]) -> pd.DataFrame:
    """Rows by segment, as these were asked for, and then by some columns."""
    place = {name: i for i, name in enumerate(names)}
    ordered = frame.assign(place=frame["segment"].map(place)).sort_values(["place", *columns], ignore_index=True)
    return ordered.drop(columns="place")
