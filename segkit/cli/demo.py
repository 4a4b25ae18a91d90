"""`segkit demo`: the main job on the sample data."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from segkit import charts, everyone, templates
from segkit.workspace import connect

_WAREHOUSES = ("bigquery", "snowflake", "postgres")


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo_output"),
    show_default=True,
    help="The folder for the chart.",
)
def demo(output: Path) -> None:
    """Shows the main job on the sample data.

    Sizes of the documented segments, one of them in every form, and a chart.
    """
    console = Console(width=110 if not Console().is_terminal else None)
    segments = templates.documented()
    with connect() as ws:
        sizes = ws.sizes(segments)
        contacts = ws.size(everyone())
        moment = sizes.attrs["as_of"][:16].replace("T", " ")
        console.rule(f"{contacts:,} contacts of the sample data, as of {moment} UTC")
        table = Table()
        table.add_column("segment")
        table.add_column("contacts", justify="right")
        table.add_column("share", justify="right")
        for name, size, share in sizes[["segment", "size", "share"]].itertuples(index=False):
            table.add_row(name, f"{size:,}", f"{share:.1%}")
        console.print(table)

        shown = templates.at_risk()
        console.rule(f"{shown.name}, in Python")
        console.print(Syntax(repr(shown.where), "python", word_wrap=True, background_color="default"))
        console.rule("as JSON")
        console.print(Syntax(shown.to_json(), "json", word_wrap=True, background_color="default"))
        for dialect in _WAREHOUSES:
            console.rule(f"as SQL for {dialect}")
            console.print(Syntax(ws.sql(shown, dialect), "sql", word_wrap=True, background_color="default"))

    console.rule("next")
    if all(map(find_spec, ("altair", "vl_convert"))):
        output.mkdir(parents=True, exist_ok=True)
        told = str(charts.size(sizes).save(output / "sizes.svg"))
    else:
        told = 'pip install "segkit[charts]"'
    console.print(f"The sizes as a picture: {told}", highlight=False, markup=False)
    console.print("A notebook to go on with: notebooks/quickstart.ipynb (make lab opens it)", highlight=False)
    console.print("The same with files of your own: docs/tutorial.md", highlight=False)
    console.print("What a segment means, exactly: docs/semantics.md", highlight=False)
