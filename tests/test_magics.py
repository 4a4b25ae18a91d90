"""`%%segment` in an IPython shell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from segkit import F, Segment, connect
from segkit.errors import DefinitionError
from segkit.magics import Asked, read, variable_of


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    own = InteractiveShell()
    own.run_line_magic("load_ext", "segkit")
    yield own
    own.history_manager.end_session()


def ran(shell: InteractiveShell, cell: str) -> Any:
    return shell.run_cell(cell)


def test_a_cell_becomes_a_segment(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    result = ran(shell, "%%segment vip\ncountry = 'USA'\nAND opens > 5")
    expected = Segment("vip", (F.country == "USA") & (F.opens > 5))
    assert result.result == shell.user_ns["vip"] == expected
    assert "vip is the segment 'vip'" in capsys.readouterr().out


def test_a_name_with_blanks_and_notes(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    ran(shell, '%%segment "VIP Customers" --notes "The best, by far"\nopens > 5')
    assert shell.user_ns["vip_customers"] == Segment("VIP Customers", F.opens > 5, notes="The best, by far")
    assert "vip_customers is the segment 'VIP Customers'" in capsys.readouterr().out


def test_the_cell_may_give_the_name(shell: InteractiveShell) -> None:
    ran(shell, "%%segment\nCondition: opens > 5\nResult: Readers")
    assert shell.user_ns["Readers"] == Segment("Readers", F.opens > 5)


def test_a_workspace_knows_the_segment(shell: InteractiveShell) -> None:
    with connect(home=None) as ws:
        shell.user_ns["ws"] = ws

        def refused(sql: str) -> Any:
            raise AssertionError(f"a query: {sql}")

        ws.engine.frame = refused
        ran(shell, "%%segment readers --ws ws\nopens > 5")
        assert ws.segments == (Segment("readers", F.opens > 5),)


def test_a_second_load_and_a_second_cell_are_fine(shell: InteractiveShell) -> None:
    shell.run_line_magic("load_ext", "segkit")
    shell.run_line_magic("reload_ext", "segkit")
    ran(shell, "%%segment vip\nopens > 5")
    ran(shell, "%%segment vip\nopens > 6")
    assert shell.user_ns["vip"] == Segment("vip", F.opens > 6)


@pytest.mark.parametrize(
    ("line", "cell", "parts"),
    [
        ("vip", "opens > ", ["the text ends too early", "^"]),
        ("vip", "country = 'USA'\nAND opens >> 5", ["AND opens >> 5", "^", "line 2"]),
        ("", "opens > 5", ["has no name", "%%segment [name]"]),
        ("a b", "opens > 5", ["two names", "quotes"]),
        ('"a', "opens > 5", ["no closing quotation"]),
        ("a --notes", "opens > 5", ["nothing stands after --notes"]),
        ("a --size", "opens > 5", ["unknown option '--size'"]),
        ("a --ws nowhere", "opens > 5", ["'nowhere' is no workspace"]),
        ("ws", "opens > 5", ["a variable ws that is no segment"]),
        ("a --ws ws", "contry = 'USA'", ["unknown field 'contry'", "did you mean 'country'"]),
    ],
)
def test_refusals_are_told_without_a_traceback(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], line: str, cell: str, parts: list[str]
) -> None:
    with connect(home=None) as ws:
        shell.user_ns["ws"] = ws
        before = dict(shell.user_ns)
        result = ran(shell, f"%%segment {line}\n{cell}")
        said = "".join(capsys.readouterr())
        assert isinstance(result.error_in_exec, UsageError)
        assert "Traceback" not in said
        for part in parts:
            assert part in said
        assert shell.user_ns["ws"] is before["ws"]
        assert "a" not in shell.user_ns
        assert ws.segments == ()


def test_the_line_is_read() -> None:
    assert read("") == Asked()
    assert read("--ws ws 'Don\"t' --notes 'a b'") == Asked('Don"t', "a b", "ws")
    with pytest.raises(DefinitionError):
        read("a --ws")


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("At Risk", "at_risk"),
        ("30-day", "segment_30_day"),
        ("print", "print_"),
        ("if", "if_"),
        ("Käufer", "Käufer"),
        ("!!", "segment"),
    ],
)
def test_names_become_variables(name: str, variable: str) -> None:
    assert variable_of(name) == variable
    assert variable.isidentifier()
