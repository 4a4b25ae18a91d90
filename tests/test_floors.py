"""The floors of the package: a file imports from lower floors only, and each library has its home."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest

import segkit
from segkit import nodes
from segkit.plan import tree

PACKAGE = Path(segkit.__file__).parent
FLOORS: dict[str, int] = {
    **dict.fromkeys(("nodes", "errors", "display", "version"), 0),
    "statistics": 1,
    **dict.fromkeys(("catalog", "documents", "operators", "patterns", "yaml_document"), 1),
    **dict.fromkeys(("spelling", "builder", "codec", "example", "json_logic", "language", "react_querybuilder"), 2),
    "plan": 3,
    **dict.fromkeys(("evaluate", "compile", "describe"), 4),
    **dict.fromkeys(("rendering", "views"), 5),
    **dict.fromkeys(("engines", "header", "segment"), 6),
    **dict.fromkeys(
        (
            "counting",
            "exchange",
            "explanation",
            "findings",
            "journey",
            "lists",
            "measures",
            "metrics",
            "store",
            "suggestions",
            "templates",
            "tracking",
            "testing",
            "verification",
        ),
        7,
    ),
    **dict.fromkeys(("charts", "bundled", "exports", "magics"), 8),
    **dict.fromkeys(("panel", "report"), 9),
    "workspace": 10,
    **dict.fromkeys(("cli", "pytest_plugin", "__init__", "__main__"), 11),
}
HOMES = {
    "sqlglot": {"compile", "rendering"},
    "duckdb": {"engines"},
    "pyarrow": {"engines"},
    "sqlalchemy": {"engines"},
    "pyspark": {"engines"},
    "py4j": {"engines"},
    "datafusion": {"engines"},
    "lark": {"language"},
    "altair": {"charts"},
    "anywidget": {"panel"},
    "comm": {"report"},
    "ipywidgets": {"report"},
    "traitlets": {"panel"},
    "vl_convert": {"charts"},
    "yaml": {"catalog", "exports", "yaml_document"},
    "rich": {"cli"},
    "click": {"cli"},
    "IPython": {"magics"},
    "numpy": {"charts", "counting", "engines", "findings", "measures", "tracking"},
    "pytest": {"pytest_plugin"},
    "pandas": {
        "charts",
        "cli",
        "counting",
        "engines",
        "explanation",
        "findings",
        "journey",
        "lists",
        "measures",
        "metrics",
        "panel",
        "report",
        "templates",
        "tracking",
        "testing",
        "verification",
        "workspace",
    },
}
LATE = {"numpy", "pandas"}
HEAVY = ("pandas", "altair", "duckdb", "lark", "yaml", "rich", "click", "numpy")


@dataclass(frozen=True)
class Import:
    """One import of a file: what it names, and whether it happens as the file is loaded."""

    module: str
    name: str | None
    line: int
    at_load: bool


def imports(source: str) -> Iterator[Import]:
    yield from _imports(ast.parse(source), True)


def _imports(node: ast.AST, at_load: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import():
                yield from (Import(alias.name, None, child.lineno, at_load) for alias in child.names)
            case ast.ImportFrom():
                assert not child.level, f"line {child.lineno}: a relative import"
                yield from (Import(child.module or "", alias.name, child.lineno, at_load) for alias in child.names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from _imports(ast.Module(child.body, []), False)
                yield from _imports(ast.Module(child.orelse, []), at_load)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _imports(child, False)
            case _:
                yield from _imports(child, at_load)


def files(package: Path = PACKAGE) -> dict[str, str]:
    """The source of every file, by its name below the package: `nodes`, `plan.clock`, `plan` for a folder's own."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        name = ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)
        found[name] = path.read_text(encoding="utf-8")
    return found


def floor(name: str) -> int | None:
    return FLOORS.get(name.split(".")[0])


def below(imported: Import, known: dict[str, str]) -> str | None:
    """The file of the package that an import reaches, None for a library."""
    if imported.module != "segkit" and not imported.module.startswith("segkit."):
        return None
    inside = imported.module.removeprefix("segkit").lstrip(".")
    whole = ".".join(part for part in (inside, imported.name) if part)
    return whole if whole in known else inside or "__init__"


def wrong_floors(sources: dict[str, str]) -> list[str]:
    """Every import that leads up, every file without a floor, and a circle within a floor."""
    found: list[str] = []
    beside: dict[str, set[str]] = {}
    for name, source in sources.items():
        own = floor(name)
        if own is None:
            found.append(f"{name} has no floor: add it to FLOORS")
            continue
        for imported in imports(source):
            other = below(imported, sources)
            if other is None or other == name:
                continue
            its = floor(other)
            if its is None or its > own:
                found.append(f"{name}:{imported.line} (floor {own}) imports {other} (floor {its})")
            elif its == own:
                beside.setdefault(name, set()).add(other)
    try:
        tuple(TopologicalSorter(beside).static_order())
    except CycleError as error:
        found.append(f"a circle: {' -> '.join(error.args[1])}")
    return found


def wrong_homes(sources: dict[str, str]) -> list[str]:
    """Every library imported outside of its home, or as a file is loaded although it must be late."""
    found = []
    for name, source in sources.items():
        for imported in imports(source):
            library = imported.module.split(".")[0]
            if library == "segkit" or library in sys.stdlib_module_names:
                continue
            if name.split(".")[0] not in HOMES.get(library, ()):
                found.append(
                    f"{name}:{imported.line} imports {library}, at home in {sorted(HOMES.get(library, ())) or 'no file'}"
                )
            if library in LATE and imported.at_load:
                found.append(f"{name}:{imported.line} imports {library} as it is loaded")
    return found


def test_every_import_leads_down() -> None:
    assert wrong_floors(files()) == []


def test_every_library_stays_at_home() -> None:
    assert wrong_homes(files()) == []


def test_importing_segkit_loads_nothing_heavy() -> None:
    program = f"import sys, segkit; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PACKAGE.parent, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("name", "source", "part"),
    [
        ("nodes", "from segkit.catalog import Kind", "imports catalog (floor 1)"),
        ("plan.clock", "from segkit import evaluate", "imports evaluate (floor 4)"),
        ("metrics", "def f():\n    from segkit.workspace import connect", "imports workspace (floor 10)"),
        ("engines", "import segkit", "imports __init__ (floor 11)"),
        ("errors", "from segkit.nodes import Node", "a circle"),
        ("stray", "", "stray has no floor"),
    ],
)
def test_a_wrong_floor_is_seen(name: str, source: str, part: str) -> None:
    assert part in "\n".join(wrong_floors({**files(), name: source}))


@pytest.mark.parametrize(
    ("name", "source", "part"),
    [
        ("metrics", "import duckdb", "imports duckdb"),
        ("segment", "def f():\n    from sqlglot import exp", "imports sqlglot"),
        ("engines", "import pandas as pd", "as it is loaded"),
        ("engines", "try:\n    import pandas as pd\nexcept ImportError:\n    pd = None", "as it is loaded"),
        ("codec", "import orjson", "no file"),
    ],
)
def test_a_wrong_home_is_seen(name: str, source: str, part: str) -> None:
    assert part in "\n".join(wrong_homes({name: source}))


def test_type_checking_and_functions_are_late() -> None:
    late = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas\ndef f():\n    import pandas"
    assert wrong_homes({"engines": late}) == []


def _with_fields(module: ModuleType) -> list[type]:
    return [own for own in vars(module).values() if is_dataclass(own) and own.__module__ == module.__name__]


@pytest.mark.parametrize("kind", [*_with_fields(nodes), *_with_fields(tree)], ids=lambda kind: kind.__qualname__)
def test_a_tree_is_walked_through_all_that_its_nodes_hold(kind: type) -> None:
    """What looks through a tree asks each node for its slots."""
    assert vars(kind).get("__slots__") == tuple(field.name for field in fields(kind))
