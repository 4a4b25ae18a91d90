"""Result tables: for the terminal with rich, or as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from rich.console import Console
from rich.table import Table
from timing import Clock, Result


@dataclass(frozen=True)
class Goal:
    """`name` shall take at most `limit` times what `other` takes."""

    name: str
    other: str
    limit: float


@dataclass
class Report:
    """One comparison: what was compared, the table, the goals and what else was found."""

    title: str
    about: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)


def report(
    title: str, about: str, results: Sequence[Result], reference: str, clocks: Sequence[Clock], goals: Iterable[Goal] = ()
) -> Report:
    """Medians, and ratios to the reference with the least and greatest round."""
    named = {result.name: result for result in results}
    columns = [""]
    for clock in clocks:
        columns += [f"{clock}, ms", "ratio", "min - max"]
    rows = [_row(result, named[reference], clocks) for result in results]
    notes = [_verdict(goal, named, clock) for goal in goals for clock in clocks]
    return Report(
        title, f"{about} Ratios to {reference}, the median of all rounds, with the least and the greatest.", columns, rows, notes
    )


def _row(result: Result, reference: Result, clocks: Sequence[Clock]) -> list[str]:
    row = [result.name]
    for clock in clocks:
        ratios = result.ratios(reference, clock)
        spread = f"{min(ratios):.2f} - {max(ratios):.2f}"
        row += [_milliseconds(result.seconds(clock)), f"{median(ratios):.2f}", spread]
    return row


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.3f}" if seconds < 0.1 else f"{seconds * 1000:,.0f}"


def _verdict(goal: Goal, named: dict[str, Result], clock: Clock) -> str:
    ratio = median(named[goal.name].ratios(named[goal.other], clock))
    verdict = "met" if ratio <= goal.limit else "MISSED"
    return f"goal {verdict} ({clock}): {goal.name} is {ratio:.2f}x {goal.other}, at most {goal.limit:.2f}x wanted"


def show(reports: Iterable[Report]) -> None:
    """Prints tables for the terminal."""
    console = Console()
    for own in reports:
        table = Table(title=own.title, caption=own.about, title_justify="left", caption_justify="left")
        for i, name in enumerate(own.columns):
            table.add_column(name, justify="left" if i == 0 else "right", no_wrap=True)
        for row in own.rows:
            table.add_row(*row)
        console.print(table)
        for note in own.notes:
            console.print(f"- {note}", markup=False, highlight=False)
        console.print()


def markdown(reports: Iterable[Report]) -> str:
    """The same tables as Markdown."""
    return "\n\n".join(_markdown(own) for own in reports)


def _markdown(own: Report) -> str:
    lines = [f"## {own.title}", "", own.about, ""]
    lines += [_line(own.columns), _line(["---", *["---:"] * (len(own.columns) - 1)])]
    lines += [_line(row) for row in own.rows]
    return "\n".join([*lines, "", *(f"- {note}" for note in own.notes)])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
