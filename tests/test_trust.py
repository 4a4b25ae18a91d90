"""The figures of trust, a few tries each: they hold, their controls fail, and the page says what was measured."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import trust
from trusted import outputs
from trusted.figure import Figure, there

ENGINES = ["duckdb", "sqlite"]
QUICK = ("segments", "the workspace", "its catalog", "lists", "journeys", "findings", "previews", "the panel", "a chart of sizes")


@pytest.mark.parametrize("name", [name for name in trust.MEASURES if name != "history"])
def test_a_few_tries_hold_and_the_controls_fail(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "OUTPUTS", {name: outputs.OUTPUTS[name] for name in QUICK})
    monkeypatch.setattr(outputs, "find_spec", lambda _: None)
    engines = there([*ENGINES, "postgres"]) if name == "secrets" else ENGINES
    figures = list(trust.MEASURES[name].figures(trust.MEASURES[name].few, engines))
    assert figures
    assert [figure for figure in figures if not figure.holds] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_careless_histories_lose(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is held against the history that `test_tracking_faults` tries."""
    from trusted import history

    for careless in (history._killed, history._doubled):
        path = tmp_path_factory.mktemp("careless") / "own.sqlite"
        assert careless(lambda path=path: history._opened(path)) > 0, careless.__name__
    for careless in (history._torn, history._unnoticed):
        assert careless(tmp_path_factory.mktemp("careless") / "own.sqlite") > 0, careless.__name__


def test_a_figure_is_measured_beside_a_control() -> None:
    figure = Figure("a", "b 1", 5, 0, "c", 1)
    assert figure.holds
    assert not any(replace(figure, **{name: value}).holds for name, value in (("tried", 0), ("wrong", 1), ("caught", 0)))


def test_a_line_replaces_that_of_the_same_figure_and_engine() -> None:
    page = f"before\n{trust.BEGIN}\n{trust.END}\nafter\n"
    for figure in (
        Figure("a", "X 1.0, a file", 5, 0, "c", 1, "3 names"),
        Figure("b", "X 1.0", 7, 0, "c", 1),
        Figure("a", "Y 2", 5, 0, "c", 1),
        Figure("a", "files", 6, 0, "c", 1),
        Figure("a", "texts", 6, 0, "c", 1),
        Figure("a", "X 1.2, a file", 9, 0, "c", 1, "4 names"),
    ):
        page = trust.with_row(page, trust.row(figure))
    inside = page.split(trust.BEGIN)[1].split(trust.END)[0].strip().splitlines()
    assert inside[:2] == list(trust.HEAD)
    assert [line.split(" | ")[:3] for line in inside[2:]] == [
        ["| a (4 names)", "X 1.2, a file", "9"],
        ["| a", "Y 2", "5"],
        ["| a", "files", "6"],
        ["| a", "texts", "6"],
        ["| b", "X 1.0", "7"],
    ]
    assert page.startswith("before\n")
    assert page.endswith("\nafter\n")


def test_every_figure_stands_on_the_page() -> None:
    """Each measure has been made in full, with nothing wrong and a control that failed."""
    inside = trust.PAGE.read_text(encoding="utf-8").split(trust.BEGIN)[1].split(trust.END)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in inside.strip().splitlines()[2:]]
    assert all(row[3] == "0" and int(row[5].replace(",", "")) > 0 for row in rows)
    for name in ("Hostile values", "Hostile names", "Malformed", "Random definitions", "The history", "From an interrupt", "Payloads", "Time functions", "Passwords", "E-mail", "Reading or writing"):  # fmt: skip
        assert any(row[0].startswith(name) for row in rows), name
