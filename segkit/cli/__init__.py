"""segkit in the shell: the words of a workspace, over files of segments, for CI and cron."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import click

from segkit.cli.boundaries import boundaries
from segkit.cli.configuration import configured
from segkit.cli.demo import demo
from segkit.cli.history import history
from segkit.cli.lint import lint
from segkit.cli.refresh import refresh
from segkit.cli.render import render
from segkit.cli.size import size
from segkit.cli.test import test
from segkit.cli.verify import verify
from segkit.errors import SegkitError

_EPILOG = """\b
Examples:
  segkit demo
  segkit render segments/ --dialect snowflake --output sql/
  segkit test segments/
  segkit size segments/ --source crm.duckdb --json
  segkit lint segments/ --catalog catalog.yml
  SEGKIT_SOURCE=postgresql://... segkit verify segments/at_risk.yml

A file of settings, segkit.toml, may hold source, catalog, timezone, as_of, dialect and home; ${NAME} in it
is read from the environment, so that no secret stands in the file or on the command line.

Exit codes: 0 all is well; 1 engines differ (verify), something is found (lint), an example does not hold (test) or a
segment failed (refresh); 2 the command, a file or the connection is at fault.
"""


class _Commands(click.Group):
    """Refusals of segkit are shown as they are, without a traceback; warnings go to standard error."""

    def main(self, *args: Any, **options: Any) -> Any:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            try:
                return super().main(*args, **options)
            except SegkitError as error:
                click.echo(f"error: {error}", err=True)
                sys.exit(2)


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"warning: {message}", err=True)


@click.group(cls=_Commands, epilog=_EPILOG)
@click.version_option(package_name="segkit")
@configured
def main() -> None:
    """Customer segments: define them once, see them, trust them, ship them."""


for command in (demo, render, size, history, refresh, lint, test, verify, boundaries):
    main.add_command(command)
