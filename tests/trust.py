"""The figures of `docs/trust.md`, measured and written there.

    python tests/trust.py                           a few of each, nothing is written
    python tests/trust.py full                      all of each, written into docs/trust.md
    python tests/trust.py full values on postgres   one measure, on one engine
    python tests/trust.py full values 500           the same with so many tries

A figure that is wrong, or whose control does not fail, is an error. `SEGKIT_CASES` names a folder with `hostile.jsonl`, for
more hostile texts.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from engines import ENGINES
from trusted import agreement, clock, definitions, emulated, history, outputs, reading, secrets, values, waiting
from trusted.figure import Figure, there

PAGE = Path(__file__).resolve().parents[1] / "docs" / "trust.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
HEAD = ("| tried | on | times | wrong | control, which must fail | it failed | measured |", "|---|---|--:|--:|---|--:|---|")


@dataclass(frozen=True)
class Measure:
    """Makes figures on engines out of a number of tries: `few` for a test, `full` for the record."""

    figures: Callable[[int, list[str]], Iterator[Figure]]
    few: int
    full: int


MEASURES = {
    "values": Measure(values.hostile_values, 25, 2400),
    "names": Measure(values.hostile_names, 12, 200),
    "malformed": Measure(definitions.malformed, 60, 5000),
    "agreement": Measure(agreement.random_definitions, 20, 10_000),
    "emulated": Measure(emulated.random_definitions, 20, 1000),
    "clock": Measure(clock.time_functions, 12, 300),
    "history": Measure(history.faults, 1, 100),
    "interrupts": Measure(waiting.interrupts, 1, 100),
    "outputs": Measure(outputs.payloads, 4, 10_000),
    "secrets": Measure(secrets.leaks, 0, 2),
    "reading": Measure(reading.attempts, 1, 1),
}


def main(words: list[str]) -> int:
    """Measures, prints, and writes in full mode; 1 if a figure does not hold."""
    asked, _, engines = " ".join(words).partition("on ")
    said = asked.split()
    own = [MEASURES[word] for word in said if word in MEASURES] or list(MEASURES.values())
    is_full, counts = "full" in said, [int(word) for word in said if word.isdigit()]
    bad = 0
    for measure in own:
        [count, *_] = [*counts, measure.full if is_full else measure.few]
        for figure in _of_what_is_there(measure.figures(count, there(engines.split() or list(ENGINES)))):
            print("" if figure.holds else "NOT SO: ", row(figure), sep="", flush=True)
            bad += not figure.holds
            if is_full and figure.holds:
                PAGE.write_text(with_row(PAGE.read_text(encoding="utf-8"), row(figure)), encoding="utf-8")
    return int(bad > 0)


def _of_what_is_there(figures: Iterator[Figure]) -> Iterator[Figure]:
    """The figures, up to one for which something is not installed."""
    with suppress(pytest.skip.Exception):
        yield from figures


def row(figure: Figure) -> str:
    """A line of the table."""
    told = f" ({figure.told})" if figure.told else ""
    cells = [f"{figure.what}{told}", figure.on, f"{figure.tried:,}", f"{figure.wrong:,}", figure.control, f"{figure.caught:,}"]
    return f"| {' | '.join(cells)} | {dt.datetime.now(dt.UTC).date()} |"


def with_row(page: str, new: str) -> str:
    """The page with a line in the place of the one of the same figure on the same engine."""
    before, _, rest = page.partition(BEGIN)
    inside, _, after = rest.partition(END)
    lines = {_key(line): line for line in inside.strip().splitlines()[len(HEAD) :]} | {_key(new): new}
    return "\n".join((before + BEGIN, *HEAD, *_ordered(lines.values()), END)) + after


def _key(line: str) -> tuple[str, str]:
    """A figure without its counts, and what it was measured on without versions."""
    what, on = line.split(" | ")[:2]
    name, *path = on.split(", ")
    return what.partition(" (")[0], " ".join((re.sub(r" [\d.]+$", "", name), *path))


def _ordered(lines: Iterable[str]) -> list[str]:
    """The lines of one figure beside each other, in the order in which figures were first measured."""
    own = list(lines)
    firsts = list(dict.fromkeys(_key(line)[0] for line in own))
    return sorted(own, key=lambda line: firsts.index(_key(line)[0]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
