"""The table of seeded faults is whole: no survivor without a reason, and no reason for code that is not there."""

from __future__ import annotations

import mutants
import pytest
from mutants import Fault, Sample

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in mutants.table(mutants.PAGE.read_text(encoding="utf-8")).splitlines()[len(mutants.HEAD) :]
]


def test_each_part_has_a_line() -> None:
    assert [row[0] for row in ROWS] == [*mutants.PATHS]


@pytest.mark.parametrize("part", mutants.PATHS)
def test_every_fault_is_killed_or_explained(part: str) -> None:
    [(drawn, killed, told, left)] = [map(int, row[2:6]) for row in ROWS if row[0] == part]
    assert (killed + told, left) == (drawn, 0)
    assert killed > 0


@pytest.mark.parametrize("key", [*mutants.explained()], ids=lambda key: key[0])
def test_a_reason_is_about_code_that_is_there(key: mutants.Key) -> None:
    path, was, now = key
    lines = (mutants.ROOT / path).read_text(encoding="utf-8").splitlines()
    assert set(was.splitlines()) <= set(lines)
    assert not set(now.splitlines()) <= set(lines)
    assert len(mutants.explained()[key]) > 20


def test_a_fault_is_told_from_the_same_one_elsewhere() -> None:
    source = "@frozen\nclass A:\n    n = 1\n\n@frozen\nclass B:\n    n = 2\n"
    assert mutants.changed(source, source.replace("n = 1", "n = 2")) == ("    n = 1", "    n = 2")
    assert mutants.changed(source, source.replace("@frozen", "@slack", 1)) == ("@frozen\nclass A:", "@slack\nclass A:")
    last = source[:20] + source[20:].replace("@frozen", "@slack")
    assert mutants.changed(source, last) == ("@frozen\nclass B:", "@slack\nclass B:")


def test_a_line_counts_what_became_of_the_faults() -> None:
    faults = [Fault("a.py", "operator", i, i, f"was {i}", f"now {i}") for i in range(4)]
    noticed = {
        faults[0].key: {"quick": None, "slow": "FAILED"},
        faults[1].key: {"quick": "FAILED"},
        faults[2].key: {"quick": None},
    }
    line = mutants.row(Sample("plan", 1234, tuple(faults)), noticed, {faults[3].key: "it means the same"})
    assert line.startswith("| plan | 1,234 | 4 | 2 | 1 | 1 | 66.7% (21% to 94%) |")


def test_a_line_replaces_that_of_the_same_part() -> None:
    page = f"before\n{mutants.BEGIN}\n{mutants.END}\nafter\n"
    for lines in (["| plan | 1 |"], ["| nodes | 2 |", "| compile | 3 |"], ["| plan | 4 |"]):
        page = mutants.with_lines(page, lines)
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")
    assert mutants.table(page).splitlines() == [*mutants.HEAD, "| nodes | 2 |", "| plan | 4 |", "| compile | 3 |"]
