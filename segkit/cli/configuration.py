"""Settings of the shell: options, then variables of the environment, then a file `segkit.toml`."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from segkit.errors import SegkitError, unknown
from segkit.workspace import Workspace, connect

FILE = Path("segkit.toml")
SETTINGS = ("source", "catalog", "timezone", "as_of", "dialect", "home", "history")
OF_LINT = {"conditions": int, "levels": int, "smallest": int, "overlap": float, "fail_on": str}
"""Settings of `segkit lint`, in the table `[lint]`."""
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_FILE = click.Path(path_type=Path, dir_okay=False)
_Command = Callable[..., Any]


@dataclass(frozen=True)
class Connection:
    """What a command is asked about."""

    source: str | None
    catalog: Path | None
    timezone: str | None
    as_of: str | None
    home: Path

    def open(self, history: str | None = None) -> Workspace:
        if self.source is None:
            click.echo("note: no --source, so this is the bundled sample data", err=True)
        return connect(
            self.source,
            catalog=self.catalog,
            timezone=self.timezone,
            as_of=self.as_of,
            home=self.home,
            history=history,
        )


def meaning(command: _Command) -> _Command:
    """The options that say what a definition means: a catalog, a zone, an instant."""
    for option in (
        click.option("--as-of", envvar="SEGKIT_AS_OF", help="The instant of evaluation (default: the catalog's, else now)."),
        click.option("--timezone", envvar="SEGKIT_TIMEZONE", help="The zone of local dates, such as Europe/Rome."),
        click.option("--catalog", envvar="SEGKIT_CATALOG", type=_FILE, help="A catalog.yml."),
    ):
        command = option(command)
    return command


def connected(command: _Command) -> _Command:
    """The options of a connection, given to the command as one `Connection`."""

    @wraps(command)
    def run(
        *, source: str | None, catalog: Path | None, timezone: str | None, as_of: str | None, home: Path, **further: Any
    ) -> Any:
        return command(connection=Connection(source, catalog, timezone, as_of, home), **further)

    source = click.option(
        "--source",
        envvar="SEGKIT_SOURCE",
        help="A DuckDB or SQLite file, a folder of Parquet or CSV files, or a database URL. Keep URLs with passwords in "
        "SEGKIT_SOURCE or segkit.toml.",
    )
    home = click.option(
        "--home",
        envvar="SEGKIT_HOME",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(".segkit"),
        show_default=True,
        help="The folder of saved segments, frozen lists and tracked history.",
    )
    return source(meaning(home(run)))


files = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")


def configured(command: _Command) -> _Command:
    """The option that names the file of settings, which are the defaults of every command."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="SEGKIT_CONFIG",
        is_eager=True,
        expose_value=False,
        callback=_use,
        help=f"A file of settings (default: {FILE}, where there is one).",
    )(command)


def _use(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is None and not FILE.is_file():
        return
    settings, of_lint = read(path or FILE)
    assert isinstance(context.command, click.Group)
    context.default_map = {**dict.fromkeys(context.command.commands, settings), "lint": {**settings, **of_lint}}


def read(path: Path) -> tuple[dict[str, str], dict[str, Any]]:
    """The settings of a file, variables of the environment put in, and those of its table `[lint]`; paths in it are from
    the folder of the file on.

    Raises:
        SegkitError: it cannot be read, or holds something else than settings.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SegkitError(f"cannot read {path}: {error.strerror}", fix="check the path of the file of settings") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SegkitError(f"{path} is no TOML: {error}", fix='write lines such as source = "crm.duckdb"') from None
    of_lint = _of_lint(found.pop("lint", {}), path)
    for name, value in found.items():
        if name not in SETTINGS:
            raise unknown("setting", name, SETTINGS).under(str(path))
        if not isinstance(value, str):
            raise SegkitError(f"{name} in {path} is no text", fix=f'write {name} = "..."')
    return {name: _resolved(value, name, path) for name, value in found.items()}, of_lint


def _of_lint(found: object, path: Path) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise SegkitError(f"lint in {path} is no table", fix="write [lint], and below it lines such as conditions = 20")
    for name, value in found.items():
        if name not in OF_LINT:
            raise unknown("setting", name, OF_LINT).under(f"[lint] in {path}")
        kinds = (int, float) if OF_LINT[name] is float else OF_LINT[name]
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise SegkitError(f"{name} of [lint] in {path} is {value!r:.40}", fix='write a number, or fail_on = "warning"')
    return dict(found)


def _resolved(value: str, name: str, path: Path) -> str:
    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise SegkitError(f"{name} in {path} reads {match[0]}, which is not set", fix=f"set {match[1]} in the environment")
        return os.environ[match[1]]

    text = _VARIABLE.sub(variable, value)
    is_path = name in ("catalog", "home") or (name == "source" and (path.parent / text).exists())
    return str(path.parent / text) if is_path else text
