"""Lengths of time and windows out of `days=30`, timedeltas and values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, get_args

from segkit import nodes
from segkit.errors import DefinitionError, unknown

_UNITS = ("minutes", "hours", "days", "weeks", "months", "years")


def duration(method: str, length: object, units: Mapping[str, Any]) -> nodes.Duration:
    if length is None:
        unit, amount = _one_unit(method, units)
        return nodes.Duration(amount, unit)
    node = length_of(length) if isinstance(length, dt.timedelta) else getattr(length, "node", None)
    if units or not isinstance(node, nodes.Duration):
        raise DefinitionError(f"{method} needs one length of time, not {length!r:.60}", fix=f"write {method}(days=30)")
    return node


def distances(older: object, newer: object, units: Mapping[str, Any]) -> nodes.Between:
    if older is not None or newer is not None:
        return nodes.Between(duration("window", older, units), duration("window", newer, units))
    unit, ends = _one_unit("window", units)
    if not isinstance(ends, tuple | list) or len(ends) != 2:
        raise DefinitionError(f"window needs two distances, not {ends!r:.60}", fix=f"write window({unit}=(90, 30))")
    return nodes.Between(nodes.Duration(ends[0], unit), nodes.Duration(ends[1], unit))


def period(unit: nodes.PeriodUnit, shift: int) -> nodes.Period:
    if unit not in get_args(nodes.PeriodUnit):
        raise unknown("unit", str(unit), get_args(nodes.PeriodUnit))
    return nodes.Period(unit, shift)


def length_of(length: dt.timedelta) -> nodes.Duration:
    whole_minutes, rest = divmod(length, dt.timedelta(minutes=1))
    if rest:
        raise DefinitionError(f"{length!r} is finer than a minute", fix="use whole minutes")
    if whole_minutes % 1440 == 0:
        return nodes.Duration(whole_minutes // 1440, "days")
    if whole_minutes % 60 == 0:
        return nodes.Duration(whole_minutes // 60, "hours")
    return nodes.Duration(whole_minutes, "minutes")


def _one_unit(method: str, units: Mapping[str, Any]) -> tuple[nodes.Unit, Any]:
    for unit in units:
        if unit not in _UNITS:
            raise unknown("unit", unit, _UNITS)
    if len(units) != 1:
        raise DefinitionError(f"{method} needs one length of time, not {len(units)}", fix=f"write {method}(days=30)")
    return next(iter(units.items()))  # type: ignore[return-value]
