"""Docs that lag fail: the schema and the operators are made from the code, the README's words are run."""

from __future__ import annotations

import inspect
import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import segkit
from segkit import cli
from segkit.operators import OPERATORS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
FENCE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
DEMO = re.compile(r"<!-- demo -->\n(.*?)<!-- /demo -->", re.DOTALL)


def operators_page() -> str:
    lines = [
        "# Operators of the API form",
        "",
        'A condition is `{"field": ..., "operator": ..., "value": ...}`; a group is `{"logic": "AND" | "OR", "conditions": [...]}`, and may',
        'be negated with `"not": true`. Groups nest. `Segment.from_dict` and `Segment.from_json` read it.',
        "",
        "| operator | other spellings | reads | value | for |",
        "|---|---|---|---|---|",
    ]
    for row in OPERATORS:
        aliases = " ".join(f"`{alias}`" for alias in row.aliases)
        kinds = ", ".join(row.kinds) if len(row.kinds) < 9 else "any"
        lines.append(f"| `{row.key}` | {aliases} | {row.label} | {row.arguments} | {kinds} |")
    return "\n".join(lines) + "\n"


def held(path: Path, text: str) -> None:
    """The file says `text`; with SEGKIT_ACCEPT it is written."""
    if os.environ.get("SEGKIT_ACCEPT"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_the_operators_page_is_the_table() -> None:
    held(DOCS / "operators.md", operators_page())


def test_the_published_schema_is_that_of_the_nodes() -> None:
    held(DOCS / "segment.schema.json", json.dumps(segkit.json_schema(), indent=1) + "\n")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("demo")
    result = CliRunner().invoke(cli.main, ["demo", "--output", str(folder / "out")])
    assert result.exit_code == 0, result.output
    assert "<svg" in (folder / "out" / "sizes.svg").read_text(encoding="utf-8")
    return result.output


def test_the_readme_shows_what_the_demo_prints(demo: str) -> None:
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    first = demo.split("At Risk, in Python")[0].rsplit("\n", 1)[0]
    shown = f"<!-- demo -->\n```text\n{first.rstrip()}\n```\n<!-- /demo -->"
    held(path, DEMO.sub(lambda _: shown, text))


def test_the_demo_shows_every_form(demo: str) -> None:
    for part in (
        "in Python",
        '"segkit": 1',
        "as SQL for bigquery",
        "as SQL for snowflake",
        "as SQL for postgres",
        "notebooks/quickstart.ipynb",
    ):
        assert part in demo


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda p: p.name)
def test_python_in_the_docs_runs_and_says_what_it_gives(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in FENCE.findall(path.read_text(encoding="utf-8")):
        exec(compile(block, path.name, "exec"), names)
        for line in block.splitlines():
            match = re.match(r"^(\S.*?)\s+# (True|False|\d+)$", line)
            if match:
                assert repr(eval(match.group(1), names)) == match.group(2), line


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target


def test_the_catalog_of_the_docs_is_read() -> None:
    import yaml

    text = (DOCS / "catalog.md").read_text(encoding="utf-8")
    block = re.search(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    catalog = segkit.Catalog.from_dict(yaml.safe_load(block.group(1)))
    assert catalog.contacts.fields["lifetime_value"].name == "ltv"
    assert [table.name for table in catalog.events] == [None, "purchased"]
    assert catalog.history[0].fields["tier"].name == "tier_name"
    assert catalog.verbs["opened"].nouns == ("emails", "newsletters")


@pytest.mark.parametrize("name", [name for name in segkit.__all__ if name not in ("E", "F", "TODAY", "NOW")])
def test_public_names_are_documented(name: str) -> None:
    thing = getattr(segkit, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing):
        for method, member in vars(thing).items():
            if not method.startswith("_") and (callable(member) or isinstance(member, property | classmethod)):
                assert inspect.getdoc(getattr(thing, method)), f"{name}.{method}"
