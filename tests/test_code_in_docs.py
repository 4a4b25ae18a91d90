"""Every block of code of the README and the docs runs, page by page from top to bottom, and gives what stands beside it.

A page runs in a folder that holds the sample data: as `contacts.parquet` and its siblings, and as `crm.duckdb`. In it

- `python` runs; `# -> ...` behind an expression, or below it, is its value, and so is a comment that is True, False or a number;
- `console` runs segkit after each `$`, and the lines below are what it prints;
- `text` below a block of Python that prints is what it prints;
- any block with a `title` is a file of that name.

`...` stands for what is left out. What cannot run (installation, credentials, cron) is `sh`, `py` or `crontab`, and counted.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_sample_data import SAMPLE, database

from segkit import cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "sample_data" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = {
    ("README.md", "sh"): 3,
    ("docs/tracking.md", "crontab"): 1,
    ("docs/warehouses.md", "py"): 4,
    ("sample_data/README.md", "sh"): 1,
}
"""How many blocks of which page are shown and not run."""
RUN = {"python", "console"}
SHOWN = {"text"}
_FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_ARROW = re.compile(r"\s*# -> (.*)", re.DOTALL)
_PLAIN = re.compile(r"\s*# (True|False|-?\d+)$")


@dataclass(frozen=True)
class Block:
    language: str
    title: str
    text: str
    line: int


def blocks(path: Path) -> list[Block]:
    text = path.read_text(encoding="utf-8")
    found = [Block(m[1], m[2] or "", m[3], text.count("\n", 0, m.start()) + 1) for m in _FENCE.finditer(text)]
    assert len(found) * 2 == len(re.findall(r"^\s*```", text, re.MULTILINE)), f"{path.name}: a fence that is not read"
    return found


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crm")
    with database(SAMPLE) as connection:
        connection.execute(f"ATTACH '{folder / 'crm.duckdb'}' AS crm")
        for table in ("contacts", "events", "list_members", "tier_history"):
            connection.execute(f"CREATE TABLE crm.{table} AS SELECT * FROM {table}")
        connection.execute("DETACH crm")
    for path in SAMPLE.glob("*.parquet"):
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture
def folder(crm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path in crm.iterdir():
        (tmp_path / path.name).symlink_to(path)
    for name in ("SOURCE", "CATALOG", "TIMEZONE", "AS_OF", "DIALECT", "HOME", "CONFIG"):
        monkeypatch.delenv(f"SEGKIT_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_the_blocks_of_a_page_run_and_give_what_they_say(path: Path, folder: Path) -> None:
    names: dict[str, object] = {}
    printed = ""
    for block in blocks(path):
        where = f"{named(path)}:{block.line}"
        match block.language:
            case "python":
                with redirect_stdout(StringIO()) as out:
                    run_python(block.text, names, where)
                printed = out.getvalue()
            case "console":
                run_console(block.text, where)
            case "text" if printed and not block.title:
                assert_alike(block.text, printed, where)
                printed = ""
        if block.title:
            target = folder / block.title
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")


def run_python(text: str, names: dict[str, object], where: str) -> None:
    for node in ast.parse(text).body:
        if not isinstance(node, ast.Expr):
            exec(compile(ast.Module([node], []), where, "exec"), names)
            continue
        value = eval(compile(ast.Expression(node.value), where, "eval"), names)
        told = said(text, node)
        if told is not None and not alike(told, repr(value)):
            assert_alike(told, str(value), f"{where}, {ast.unparse(node)}")


def said(text: str, node: ast.Expr) -> str | None:
    """What a comment behind an expression, or the lines of comment below it, say of its value."""
    lines = text.splitlines()
    behind = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
    below = "".join(line.lstrip("#") + "\n" if i else line for i, line in enumerate(_comment(lines[node.end_lineno :])))
    found = _ARROW.match(behind) or _PLAIN.match(behind) or _ARROW.match(below)
    return found[1] if found else None


def _comment(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("#"):
            return
        yield line


def run_console(text: str, where: str) -> None:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, told = part.partition("\n")
        program, *words = shlex.split(command)
        assert program == "segkit", f"{where}: {command}"
        result = CliRunner().invoke(cli.main, words)
        assert result.exception is None or isinstance(result.exception, SystemExit), f"{where}: {result.exception}"
        assert_alike(told, result.output, f"{where}, {command}")


def alike(told: str, found: str) -> bool:
    return OutputChecker().check_output(told.strip() + "\n", found.strip() + "\n", ELLIPSIS | NORMALIZE_WHITESPACE)


def assert_alike(told: str, found: str, where: str) -> None:
    assert alike(told, found), f"{where}\n{told}\nis\n{found}"


def test_every_block_is_of_a_language_that_says_what_becomes_of_it() -> None:
    shown = Counter()
    for path in PAGES:
        for block in blocks(path):
            if block.language not in RUN | SHOWN and not block.title:
                shown[named(path), block.language] += 1
    assert shown == NOT_RUN


@pytest.mark.parametrize(
    "wrong",
    ["1 + 1  # -> 3\n", "1 + 1  # 3\n", "[1,\n 2]\n# -> [1,\n#     3]\n", "'a'  # -> b\n"],
)
def test_a_value_that_differs_is_noticed(wrong: str) -> None:
    with pytest.raises(AssertionError):
        run_python(wrong, {}, "here")


@pytest.mark.parametrize("right", ["1 + 1  # -> 2\n", "[1,\n 2]\n# -> [1,\n#     2]\n", "'a b c'  # -> a ... c\n", "1  # one\n"])
def test_a_value_that_is_so_passes(right: str) -> None:
    run_python(right, {}, "here")


def test_output_that_differs_is_noticed(folder: Path) -> None:
    with pytest.raises(AssertionError):
        run_console("$ segkit --help\nUsage: something else\n", "here")
