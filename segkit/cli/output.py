"""Frames on a terminal, or as JSON for whoever reads on."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

_WIDE = 160
_SHARES = ("share", "growth", "churn")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def console() -> Console:
    """The terminal, or a wide page where the output goes to a file."""
    own = Console()
    return own if own.is_terminal else Console(width=_WIDE)


def told(frame: pd.DataFrame, as_json: bool) -> None:
    """Shows a frame as a table under its instant, or as JSON: `as_of`, and `rows` by the names of the columns."""
    if as_json:
        click.echo(json.dumps({"as_of": frame.attrs.get("as_of"), "rows": records(frame)}, ensure_ascii=False, indent=2))
        return
    if "as_of" in frame.attrs:
        click.echo(f"As of {frame.attrs['as_of'][:19].replace('T', ' ')} UTC")
    console().print(table(frame))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as what JSON can hold; what is missing is null."""
    return list(json.loads(frame.to_json(orient="records", date_format="iso", double_precision=15)))


def table(frame: pd.DataFrame) -> Table:
    own = Table()
    for name, column in frame.items():
        own.add_column(Text(str(name)), justify="right" if column.dtype.kind in "iuf" else "left", overflow="fold")
    for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
        own.add_row(*(Text(_text(str(name), value)) for name, value in zip(frame.columns, row, strict=True)))
    return own


def plain(text: object) -> str:
    """Text of files and data as a terminal may show it, in one line."""
    return _CONTROL.sub(" ", str(text))


def _text(name: str, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.1%}" if name in _SHARES else f"{value:,.4g}"
        case int():
            return f"{value:,}"
        case _:
            return plain(value)
