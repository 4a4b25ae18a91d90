"""The self-test of a connection: a session that reads literals otherwise than they are meant is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from segkit import compile
from segkit.errors import EngineError
from segkit.rendering import render

if TYPE_CHECKING:
    import pandas as pd

HOSTILE = (
    "O'Brien ''",
    'say "hi" `now`',
    "C:\\new\\table\\",
    "\\' OR 1=1 --",
    "100% %s %(x)s :name ? {{x}} $1 $$ ${x} ${env:HOME}",
    "Émile 😀 ß",
    "__SQLGLOT__LB__",
    "line\nbreak\ttab ",
)


@dataclass(frozen=True)
class Check:
    """A query whose one value must be true, and the remedy where it is not."""

    sql: str
    remedy: str


def check_session(frame: Callable[[str], pd.DataFrame], checks: Iterable[Check]) -> None:
    """Asks whether a session reads conditions as they are meant.

    Raises:
        EngineError: it does not.
    """
    for check in checks:
        if not frame(check.sql).iloc[0, 0]:
            raise EngineError(f"the session would find wrong members: it answers no to {check.sql}", fix=check.remedy)


def check_zones(frame: Callable[[str], pd.DataFrame], dialect: str, zones: Iterable[str], remedy: str) -> None:
    """Asks what time it is in each zone, in winter and in summer.

    Raises:
        EngineError: the session knows no such zone, or it knows it otherwise than Python.
    """
    for zone in sorted(set(zones) - {"UTC"}):
        row = frame(render(compile.wall_clocks(_NOONS, zone), dialect)).iloc[0].tolist()
        expected = [noon.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for noon in _NOONS]
        for noon, told in zip(expected, row, strict=True):
            if told != noon:
                said = "nothing" if told is None or told != told else told
                raise EngineError(f"the session does not know the time zone {zone}: it says {said} for {noon}", fix=remedy)


_NOONS = tuple(datetime(2025, month, 1, 12, tzinfo=UTC) for month in (1, 7))


def check_echo(frame: Callable[[str], pd.DataFrame], dialect: str, setting: str) -> None:
    """Selects a few hostile literals, and compares them with what comes back; `setting` is the remedy.

    Raises:
        EngineError: one came back otherwise, or the query was refused.
    """
    try:
        row = frame(render(compile.constants(HOSTILE), dialect)).iloc[0].tolist()
    except EngineError as error:
        raise EngineError(f"the session cannot read a text as it was written: {error.what}", fix=setting) from None
    for text, echoed in zip(HOSTILE, row, strict=True):
        if echoed != text:
            raise EngineError(f"the session reads the text {text!r} as {echoed!r}: it would find wrong members", fix=setting)
