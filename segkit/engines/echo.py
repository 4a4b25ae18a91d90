"""The self-test of a connection: a session that reads literals otherwise than they are meant is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

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
