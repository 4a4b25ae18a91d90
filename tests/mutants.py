"""Small faults seeded where meaning is made, and whether the tests notice each: the table of `docs/trust.md`.

    python tests/mutants.py                        60 faults of each part
    python tests/mutants.py --write                the same, written into docs/trust.md
    python tests/mutants.py --sample 20 plan       a few of one part
    python tests/mutants.py --depth 1              with the quickest tests alone

A fault is seeded in a copy of the repository, by cosmic-ray; the tests of its part are run, the quick ones first, until one fails.
What they told is kept, so that a run goes on where it was broken off; after a new test, `--again` runs those again that noticed
nothing. A survivor gets a test, or stands in `survivors.yaml` with the reason why nothing can notice it.
"""

from __future__ import annotations

import ast
import datetime as dt
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import yaml

from segkit.statistics.intervals import wilson

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "trust.md"
SURVIVORS = ROOT / "tests" / "survivors.yaml"
KEPT = ROOT / "build" / "mutants"
OUTCOMES = KEPT / "outcomes.jsonl"
BEGIN, END = "<!-- mutants -->", "<!-- /mutants -->"
HEAD = (
    "| part | places | faults drawn | killed | explained | left | killed of those that can be noticed | measured |",
    "|---|--:|--:|--:|--:|--:|---|---|",
)
SEED = 1
MEMORY = 16 << 30
"""What tests may hold; of addresses alone, which a chart reserves by the terabyte, there is no limit."""
NO_FAULTS = ("RemoveDecorator", "_Is_Eq", "_IsNot_NotEq")
"""Operators of cosmic-ray that nobody mistakes by a slip of the hand, or that mean the same where None is compared."""


@dataclass(frozen=True)
class Tests:
    """Arguments of Python that run tests, and how many seconds of the processor they may take."""

    words: tuple[str, ...]
    seconds: int


def _cases(run: str) -> Tests:
    """The conformance cases on one engine, without the weight of pytest."""
    return Tests(("-c", f"from test_cases import *; [test_case(case, {run}) for case in ALL]"), 60)


def _files(*names: str, seconds: int = 300) -> Tests:
    """Files of tests; none that looks at the clock, which a busy machine would fail."""
    return Tests((*PYTEST, "-k", "not quickly and not twice_the_time", *(f"tests/test_{name}.py" for name in names)), seconds)


PATHS = {
    "nodes": ("segkit/nodes.py", "segkit/codec.py"),
    "plan": ("segkit/plan",),
    "evaluate": ("segkit/evaluate",),
    "compile": ("segkit/compile",),
    "dialects": ("segkit/rendering",),
}
PYTEST = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-W", "ignore")
TESTS = {
    "evaluator": _cases("on_evaluator"),
    "duckdb": _cases("on('duckdb')"),
    "sqlite": _cases("on('sqlite')"),
    "doctests": Tests((*PYTEST, *(path for part in PATHS.values() for path in part)), 60),
    "sweep": _files("history", "sweep"),
    "incremental": _files("incremental"),
    "tracking": _files("tracking_outcomes", "tracked_history", "tracking", "tracking_warehouse"),
    "evergreen": _files("evergreen"),
    "performance": _files("performance"),
    "counting": _files("counting"),
    "dialects": _files("rendering", seconds=60),
    "vendors": _files("vendors"),
    "definitions": _files("bad_input", "language", "faults", "shapes", "json_logic", "react_querybuilder", "describe", "floors"),
    "measures": _files(
        "charts", "copies", "rows", "overlap", "journey", "difference", "thresholds", "profile", "exports", "lists", "logic"
    ),
    "random": _files("laws", "explain", "explain_random", "examples", "verification"),
    "engines": _files(
        "sqlite", "datafusion", "warehouse", "clickhouse", "mariadb", "spark", "dbt", "snowflake", "cases", seconds=1200
    ),
}
DATES = ("sweep", "incremental", "tracking", "evergreen", "performance")
NOTICING = {
    "nodes": ("evaluator", "doctests", "definitions", "random", "duckdb", "measures"),
    "plan": ("evaluator", "doctests", "duckdb", *DATES, "measures", "definitions", "random"),
    "evaluate": ("evaluator", "doctests", "random", "definitions"),
    "compile": ("duckdb", "doctests", *DATES, "measures", "dialects", "definitions", "random", "engines"),
    "dialects": ("dialects", "sqlite", "duckdb", "evergreen", "vendors", "definitions", "engines"),
}
"""The tests that are to notice the faults of a part, the quick and sharp ones first."""
NEAR = {
    "segkit/plan/clock.py": "sweep",
    "segkit/plan/course.py": "sweep",
    "segkit/compile/sweep.py": "sweep",
    "segkit/compile/passing.py": "sweep",
    "segkit/plan/elapsed.py": "incremental",
    "segkit/compile/touched.py": "incremental",
    "segkit/compile/signatures.py": "incremental",
    "segkit/compile/tracked.py": "tracking",
    "segkit/compile/evergreen.py": "evergreen",
    "segkit/plan/rules.py": "evergreen",
    "segkit/plan/figures.py": "performance",
    "segkit/compile/totals.py": "performance",
    "segkit/compile/columns.py": "counting",
    "segkit/compile/spread.py": "measures",
    "segkit/compile/curves.py": "measures",
    "segkit/compile/statements.py": "measures",
}
"""The tests that stand nearest to a file are tried first."""


def tests_of(part: str, path: str) -> list[str]:
    """The tests that are to notice a fault in a file of a part, in their order."""
    return list(dict.fromkeys([*([NEAR[path]] if path in NEAR else []), *NOTICING[part]]))


Key = tuple[str, str, str]
Found = dict[Key, dict[str, str | None]]
"""What tests, by their name, told of a fault."""
NO_FAULT: Key = ("", "", "")


@dataclass(frozen=True)
class Place:
    """Where a fault can be seeded, and which: operators of cosmic-ray with their occurrence in the file."""

    path: str
    line: int
    rank: str
    choices: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Fault:
    """A fault: which occurrence of an operator of cosmic-ray in a file, and how the lines were and are."""

    path: str
    operator: str
    occurrence: int
    line: int
    was: str
    now: str

    @property
    def key(self) -> Key:
        """What tells it from others, also when lines above it have moved."""
        return self.path, self.was, self.now


@dataclass(frozen=True)
class Sample:
    """The faults that were drawn of the places of a part."""

    part: str
    places: int
    faults: tuple[Fault, ...]


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice([*PATHS]))
@click.option("--sample", default=60, show_default=True, help="places of each part")
@click.option("--depth", default=len(TESTS), help="how many of the tests of a part are run, the quick ones first")
@click.option("--again", is_flag=True, help="run also the tests again that did not notice a fault")
@click.option("--write", is_flag=True, help="write the table into docs/trust.md")
def main(parts: tuple[str, ...], sample: int, depth: int, again: bool, write: bool) -> None:
    """Seeds faults, runs the tests on each, and tells what was noticed."""
    samples = [_drawn(part, sample) for part in parts or PATHS]
    found = _kept(again)
    KEPT.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=KEPT) as folder:
        copy = _copied(Path(folder))
        for step in range(depth):
            for own in samples:
                for fault in own.faults:
                    for name in tests_of(own.part, fault.path)[step : step + 1]:
                        _try(fault, name, copy, found)
    lines = [row(own, found, explained()) for own in samples]
    click.echo("\n".join(lines))
    if write:
        PAGE.write_text(with_lines(PAGE.read_text(encoding="utf-8"), lines), encoding="utf-8")


def _copied(to: Path) -> Path:
    """The files that git knows, so that no fault ever touches the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, to / name)
    return to


def _drawn(part: str, sample: int) -> Sample:
    """Those of the lowest ranks, so that a larger sample holds a smaller one, and an edit of the code moves few."""
    places = sorted(_places(part), key=lambda place: place.rank)
    return Sample(part, len(places), tuple(islice(filter(None, map(_fault, places)), sample)))


def _places(part: str) -> Iterator[Place]:
    for path in _sources(part):
        source = (ROOT / path).read_text(encoding="utf-8")
        lines, unused = source.splitlines(), _annotated(source)
        found: dict[tuple[Any, Any], list[tuple[str, int]]] = {}
        for name, occurrence, start, end in _occurrences(source):
            if not any(first <= start < last for first, last in unused):
                found.setdefault((start, end), []).append((name, occurrence))
        alike: Counter[str] = Counter()
        for (start, end), choices in found.items():
            key = repr((SEED, path, lines[start[0] - 1], start[1], end[0] - start[0], end[1]))
            alike[key] += 1
            one = key if alike[key] == 1 else f"{key} {alike[key]}"
            yield Place(path, start[0], hashlib.sha256(one.encode()).hexdigest(), tuple(sorted(choices)))


def _sources(part: str) -> list[str]:
    named = [ROOT / path for path in PATHS[part]]
    files = [file for path in named for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    return [file.relative_to(ROOT).as_posix() for file in files]


def _annotated(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations stand, which nothing reads as the code runs."""
    annotations = [
        getattr(node, name)
        for node in ast.walk(ast.parse(source))
        for name in ("annotation", "returns")
        if getattr(node, name, None) is not None
    ]
    return [((a.lineno, a.col_offset), (a.end_lineno, a.end_col_offset)) for a in annotations]


def _occurrences(source: str) -> Iterator[tuple[str, int, tuple[int, int], tuple[int, int]]]:
    from cosmic_ray.ast import ast_nodes, get_ast

    nodes = list(ast_nodes(get_ast(source)))
    for name, operator in _operators().items():
        places = (place for node in nodes for place in operator.mutation_positions(node))
        for occurrence, (start, end) in enumerate(places):
            yield name, occurrence, start, end


@cache
def _operators() -> dict[str, Any]:
    from cosmic_ray.plugins import get_operator, operator_names

    kinds = {name: get_operator(name) for name in operator_names() if not name.endswith(NO_FAULTS)}
    return {name: kind() for name, kind in kinds.items() if not kind.arguments()}


def _fault(place: Place) -> Fault | None:
    """A fault of those that a place can have, unless it is no Python any more."""
    name, occurrence = place.choices[int(place.rank, 16) % len(place.choices)]
    source = (ROOT / place.path).read_text(encoding="utf-8")
    faulty = _faulty(source, name, occurrence)
    try:
        ast.parse(faulty)
    except SyntaxError:
        return None
    return Fault(place.path, name, occurrence, place.line, *changed(source, faulty))


def changed(source: str, faulty: str) -> tuple[str, str]:
    """The lines that a fault changes, as they were and as they are, with as many after them as tell them from others."""
    was, now = source.splitlines(), faulty.splitlines()
    blocks = SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
    own = [ends for tag, *ends in blocks if tag != "equal"]
    first, last, begin, end = own[0][0], own[-1][1], own[0][2], own[-1][3]
    while f"\n{source}\n".count("\n" + "\n".join(was[first:last]) + "\n") > 1:
        last, end = last + 1, end + 1
    return "\n".join(was[first:last]), "\n".join(now[begin:end])


def _faulty(source: str, name: str, occurrence: int) -> str:
    from cosmic_ray.mutating import mutate_code

    return str(mutate_code(source, _operators()[name], occurrence))


def _kept(again: bool) -> Found:
    """What tests told before; of those that did not notice a fault, nothing if they are to run again."""
    found: Found = {}
    for line in OUTCOMES.read_text(encoding="utf-8").splitlines() if OUTCOMES.exists() else ():
        path, was, now, name, by = json.loads(line)
        if by or not again:
            found.setdefault((path, was, now), {})[name] = by
    return found


def explained() -> dict[Key, str]:
    """The faults that nothing can notice, and why."""
    entries = yaml.safe_load(SURVIVORS.read_text(encoding="utf-8"))
    return {(own["path"], own["was"].rstrip("\n"), own["now"].rstrip("\n")): own["why"] for own in entries}


def _try(fault: Fault, name: str, copy: Path, found: Found) -> None:
    """Runs tests on a fault, if none has noticed it yet; without a fault they must pass."""
    own = found.setdefault(fault.key, {})
    if name in own or any(own.values()) or fault.key in explained():
        return
    if name not in found.get(NO_FAULT, {}):
        if failure := _failure(TESTS[name], copy, {}):
            raise click.ClickException(f"{name} fails without a fault: {failure}")
        _keep(NO_FAULT, name, None, found)
    _keep(fault.key, name, _noticed(fault, TESTS[name], copy), found)
    if own[name] is None:
        click.echo(f"not noticed by {name}: {fault.path}:{fault.line} {fault.operator}\n-{fault.was}\n+{fault.now}")


def _keep(key: Key, name: str, by: str | None, found: Found) -> None:
    found.setdefault(key, {})[name] = by
    with OUTCOMES.open("a", encoding="utf-8") as file:
        file.write(json.dumps([*key, name, by]) + "\n")


def _noticed(fault: Fault, tests: Tests, copy: Path) -> str | None:
    """What fails with a fault."""
    file = copy / fault.path
    source = file.read_text(encoding="utf-8")
    file.write_text(_faulty(source, fault.operator, fault.occurrence), encoding="utf-8")
    try:
        return _failure(tests, copy, {"PYTHONDONTWRITEBYTECODE": "1"})
    finally:
        file.write_text(source, encoding="utf-8")


def _failure(tests: Tests, copy: Path, variables: Mapping[str, str]) -> str | None:
    """The line that tells of the failure of tests; an endless loop is one."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (tests.seconds, tests.seconds))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))

    paths = os.pathsep.join([str(copy), str(copy / "tests"), os.environ.get("PYTHONPATH", "")])
    own = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "", **variables}
    words = [sys.executable, *tests.words]
    done = subprocess.run(
        words, cwd=copy, env=own, preexec_fn=limited, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    told = done.stdout.splitlines()
    failed = [line for line in told if line.startswith(("FAILED", "ERROR"))] or told[-1:]
    return " ".join(failed)[:200] or f"exit {done.returncode}" if done.returncode else None


def row(sample: Sample, found: Found, reasons: Mapping[Key, str]) -> str:
    """A line of the table."""
    keys = [fault.key for fault in sample.faults]
    killed = sum(any(found.get(key, {}).values()) for key in keys)
    told = sum(key in reasons and not any(found.get(key, {}).values()) for key in keys)
    low, high = wilson(killed, len(keys) - told)
    counts = (f"{sample.places:,}", len(keys), killed, told, len(keys) - killed - told)
    share = f"{killed / (len(keys) - told):.1%} ({low:.0%} to {high:.0%})"
    return f"| {' | '.join(map(str, (sample.part, *counts, share, dt.datetime.now(dt.UTC).date())))} |"


def table(page: str) -> str:
    """The table of a page."""
    return page.partition(BEGIN)[2].partition(END)[0].strip()


def with_lines(page: str, lines: Iterable[str]) -> str:
    """The page with these lines in the place of those of the same parts."""
    before, _, rest = page.partition(BEGIN)
    known = {_part(line): line for line in (*table(page).splitlines()[len(HEAD) :], *lines)}
    own = [known[part] for part in PATHS if part in known]
    return "\n".join((before + BEGIN, *HEAD, *own, END)) + rest.partition(END)[2]


def _part(line: str) -> str:
    return line.split("|")[1].strip()


if __name__ == "__main__":
    main()
