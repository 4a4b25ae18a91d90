"""The notebooks as they are committed: run in order, hardly a cell that is not compared, and numbers that hang on the operators."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
import test_faults
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from sqlglot import exp

from segkit import evaluate
from segkit.compile import conditions

Patch = pytest.MonkeyPatch
FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LEFT_OUT = frozenset(("nbval-ignore-output", "nbval-skip", "nbval-raises-exception", "raises-exception"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda own: own.stem)
def path(request: pytest.FixtureRequest) -> Path:
    own: Path = request.param
    return own


def cells_of(path: Path) -> list[NotebookNode]:
    """The cells of code."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def is_left_out(cell: NotebookNode) -> bool:
    """Whether nbval is told, by a tag or a comment, not to compare what the cell gives."""
    by_comment = re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source)
    return by_comment is not None or not LEFT_OUT.isdisjoint(cell.metadata.get("tags", ()))


def test_there_are_six() -> None:
    assert len(NOTEBOOKS) == 6


def test_at_most_a_tenth_of_the_cells_is_left_out(path: Path) -> None:
    cells = cells_of(path)
    assert sum(map(is_left_out, cells)) <= len(cells) / 10


def test_what_is_left_out_is_seen() -> None:
    left_out = [
        new_code_cell("1", metadata={"tags": ["nbval-skip"]}),
        new_code_cell("# NBVAL_IGNORE_OUTPUT\n1"),
        new_code_cell("1  #PYTEST_VALIDATE_IGNORE_OUTPUT"),
    ]
    assert [is_left_out(cell) for cell in (*left_out, new_code_cell("1"))] == [True, True, True, False]


def test_few_patterns_are_sanitised() -> None:
    assert (FOLDER / "sanitize.cfg").read_text(encoding="utf-8").count("regex:") <= 3


def test_all_cells_ran_in_order_without_an_error_or_a_warning(path: Path) -> None:
    cells = cells_of(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert outputs
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []


def test_no_place_on_a_machine_is_told(path: Path) -> None:
    assert re.findall(r"/(?:home|root|tmp|Users|private|mnt)/\S*", path.read_text(encoding="utf-8")) == []


# ---------------------------------------------------------------- an operator that breaks, breaks a cell


LANGUAGE = cells_of(FOLDER / "segment_language.ipynb")


def compares(op: str, as_: type[exp.Binary]) -> Callable[[Patch], None]:
    """A comparison compiled as another one."""
    return lambda patch: patch.setitem(conditions._COMPARISONS, op, as_)


def evaluator_compares(op: str, as_: str) -> Callable[[Patch], None]:
    """A comparison evaluated as another one."""
    return lambda patch: patch.setitem(evaluate.conditions._ORDER, op, evaluate.conditions._ORDER[as_])


BROKEN: Mapping[str, Callable[[Patch], None]] = {
    "> as >=": compares(">", exp.GTE),
    ">= as >": compares(">=", exp.GT),
    "< as <=": compares("<", exp.LTE),
    "<= as <": compares("<=", exp.LT),
    "> as >=, evaluated": evaluator_compares(">", ">="),
    "NOT of a missing value": test_faults.complement_is_a_plain_not,
    "CONTAINS in any letters": test_faults.contains_folds_case,
    "the edge of a window": test_faults.window_of_instants_includes_its_lower_edge,
    "first for last": test_faults.first_and_last_are_swapped,
}
"""Operators that do what they should not."""


def first_that_differs(shell: InteractiveShell) -> NotebookNode | None:
    """The notebook's first cell that fails, or gives something else than when it was committed."""
    return next((cell for cell in LANGUAGE if differs(shell, cell)), None)


def differs(shell: InteractiveShell, cell: NotebookNode) -> bool:
    """Whether a cell gives something else now; what it prints stands before the value that IPython prints."""
    with capture_output() as told:
        run = shell.run_cell(cell.source)
    printed = [output.text for output in cell.outputs if output.output_type == "stream"]
    values = [_seen(output.data) for output in cell.outputs if output.output_type == "execute_result"]
    now = [] if run.result is None else [_seen(shell.display_formatter.format(run.result)[0])]
    return not run.success or now != values or not all(told.stdout.startswith(text.rstrip()) for text in printed)


def _seen(data: Mapping[str, Any]) -> Any:
    return data.get("text/html", data["text/plain"])


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """A shell to run the notebook in; of what was found with a broken operator nothing is left behind."""
    test_faults._forget()
    own = InteractiveShell()
    with pd.option_context("display.max_colwidth", None):
        yield own
    own.history_manager.end_session()
    test_faults._forget()


def test_a_notebook_that_is_not_broken_gives_what_it_gave(shell: InteractiveShell) -> None:
    assert first_that_differs(shell) is None


@pytest.mark.parametrize("name", BROKEN)
def test_an_operator_that_breaks_breaks_a_cell(shell: InteractiveShell, name: str, monkeypatch: Patch) -> None:
    BROKEN[name](monkeypatch)
    assert first_that_differs(shell) is not None
