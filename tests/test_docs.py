"""Docs that lag fail: the schema and the operators are made from the code, the README's words are run."""

from __future__ import annotations

import inspect
import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_mutations import MUTATIONS

import segkit
from segkit import cli
from segkit.operators import OPERATORS
from segkit.rendering.levels import LEVELS, UNVERIFIED
from segkit.rendering.table import ROWS
from segkit.rendering.vendors import FUNCTIONS, INDEXES, unread

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
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


def dialects_page() -> str:
    lines = [
        "# Dialects",
        "",
        "`seg.sql(dialect)` and `ws.sql(...)` write SQL for any of these; `segkit.dialects()` lists them with how far each is verified.",
        "",
        "| dialect | verified |",
        "|---|---|",
        *(f"| {name} | {told} |" for name, told in sorted(LEVELS.items(), key=lambda own: (own[1].partition(":")[0], own[0]))),
        f"| {', '.join(name for name in segkit.dialects() if name not in LEVELS)} | {UNVERIFIED} |",
        "",
        KNOWN_DIFFERENCES,
        _read(),
        _noticed(),
        "## What each writes in its own way",
        "",
        "A rule stands for what engines write differently. `=` is the form of all who have no other, `own` a form of the dialect's (`+`",
        "where segkit runs the query), and `no` a refusal: a `DialectError` that says why.",
        "",
        f"| rule | {' | '.join(LEVELS)} |",
        f"|---|{'---|' * len(LEVELS)}",
    ]
    rules = list(dict.fromkeys(own.marker for own in ROWS))
    lines += [f"| {rule} | {' | '.join(_form(rule, dialect) for dialect in LEVELS)} |" for rule in rules]
    lines += ["", "## Why", ""]
    for rule in rules:
        lines += [f"**{rule}**", ""]
        for own in (own for own in ROWS if own.marker == rule):
            refuses = "refused: " if own.write is None else ""
            lines.append(f"- {own.dialects.replace(' ', ', ') or 'all others'}: {refuses}{own.reason}")
        lines.append("")
    return "\n".join(lines)


def _form(rule: str, dialect: str) -> str:
    own = next((row for row in ROWS if row.marker == rule and dialect in row.dialects.split()), None)
    inner = any(row.marker == rule and f"{dialect}+" in row.dialects.split() for row in ROWS)
    written = own or next((row for row in ROWS if row.marker == rule and not row.dialects), None)
    return ("no" if written and written.write is None else "own" if own else "=") + (" +" if inner else "")


KNOWN_DIFFERENCES = """\
Executed: all conformance cases have the same members there, in a session whose clock is in New York, as have random definitions.
Emulated: so has what stands in for it. Rendered: each function and word is in the vendor's documentation
(`segkit/rendering/vendors.py` names the pages; what was read of them stands below). What a rendered dialect does to data nobody has seen.

Known differences of dialects that are rendered:

- Redshift takes `'USA '` for `'USA'`: spaces at the end of a text do not count in `==` and lists of values. So does SQL Server in keys of
  text, where it also follows their collation: it takes `'a1'` for `'A1'` where two tables are joined, unless the columns say otherwise.
- A key without a kind in the catalog is taken for text: SQL Server and Oracle then refuse to rank by it if it is a number. Declare it.
- Snowflake and Oracle keep the names of tables made without quotes in capitals. Segkit quotes names as the catalog spells them.
- SQL Server takes long lists of texts and whole numbers as JSON, but fails at some thousands of fractions or dates.
- Oracle takes `''` for NULL: an empty text is missing, and nothing equals it. Booleans need Oracle 23ai.
- Oracle compares texts with `COLLATE BINARY`, whatever the session says; it refuses that (ORA-43929) where `MAX_STRING_SIZE` is `STANDARD`.
- SQL Server and Oracle take a JSON text of more than 4,000 characters or bytes for missing.
- Snowflake and Oracle have no complement of a class inside a class (`[\\D-]`); Oracle's patterns end at 512 bytes. Both are refused.
- Oracle's dates have a time of day: a column of kind `date` must hold midnights.
- SQL Server names time zones as Windows does, so that only UTC works; its booleans are bits, and `ws.sql` of raw SQL is yours.
- Redshift's JSON functions do not tell missing, null and empty apart, so that JSON properties are refused there.
"""
READ = """\
## What was read

The documentation of vendors that nothing here can run, against which the functions of their SQL were held in November 2026: the order
and the types of arguments, NULL, ends of texts and of months, what a pattern may hold. What is only named in an index of theirs exists,
and does what other dialects do by that name, as far as we know. On Databricks these are functions that ran on Spark.

| dialect | functions | read about | known by name |
|---|---|---|---|
"""


def _read() -> str:
    lines = []
    for dialect, pages in FUNCTIONS.items():
        read = sum(len(words.split()) for page, words in pages.items() if page not in INDEXES)
        named = ", ".join(f"`{word}`" for word in sorted(unread(dialect)))
        lines.append(f"| {dialect} | {read + len(unread(dialect))} | {read} | {named} |\n")
    return READ + "".join(lines) + UNSAID


UNSAID = """\

Not found in what was read:

- Snowflake: that `INTERVAL '1 MONTH'` ends with the month.
- Redshift: what `EXTRACT` does with a `DATE`, whether NaN equals itself, and `p` on the page of `REGEXP_INSTR` (it stands on those of
  `REGEXP_SUBSTR` and `REGEXP_COUNT`).
- Trino: that `AT_TIMEZONE` takes a time with a zone, and how paths read positions (in its code one is also a key of digits, and the other
  way round).
- Oracle: how it names the kinds of JSON (`type()`), that its paths are lax, its format models, what its `\\w` holds, and that `COLLATE` needs
  long strings (others have met ORA-43929).
"""
NOTICED = """\
## What would be noticed

A rule is there because something goes wrong without it, and a test takes it away to see that. `tests/test_mutations.py` leaves out what
naive SQL lacks, on every engine, and names the case that must then fail there, or why it need not. Rows of one engine's own are
taken out in `tests/test_rows.py`, `tests/test_clickhouse.py`, `tests/test_mariadb.py` and `tests/test_spark.py`.

| instead of | engines that it is wrong on | case |
|---|---|---|
"""


def _noticed() -> str:
    where = {name: ", ".join(sorted(own.engines)) if own.spared else "all" for name, own in MUTATIONS.items()}
    lines = (f"| `{name.replace(' as ', '`: `')}` | {where[name]} | {own.case} |" for name, own in MUTATIONS.items())
    return NOTICED + "\n".join(lines) + "\n"


def held(path: Path, text: str) -> None:
    """The file says `text`; with SEGKIT_ACCEPT it is written."""
    if os.environ.get("SEGKIT_ACCEPT"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_the_operators_page_is_the_table() -> None:
    held(DOCS / "operators.md", operators_page())


def test_the_page_of_dialects_is_the_table() -> None:
    held(DOCS / "dialects.md", dialects_page())


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


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target


def test_the_catalog_of_the_docs_is_read() -> None:
    import yaml

    text = (DOCS / "catalog.md").read_text(encoding="utf-8")
    block = re.search(r"^```yaml title=\"catalog.yml\"\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    catalog = segkit.Catalog.from_dict(yaml.safe_load(block.group(1)))
    assert catalog.contacts.fields["lifetime_value"].name == "ltv"
    assert [table.name for table in catalog.events] == [None, "purchased"]
    assert catalog.history[0].fields["tier"].name == "tier_name"
    assert catalog.verbs["opened"].nouns == ("emails", "newsletters")
    assert catalog.metrics["refund_rate"].ratio == ("refunds", "revenue")


@pytest.mark.parametrize("name", [name for name in segkit.__all__ if name not in ("E", "F", "TODAY", "NOW")])
def test_public_names_are_documented(name: str) -> None:
    thing = getattr(segkit, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing):
        for method, member in vars(thing).items():
            if not method.startswith("_") and (callable(member) or isinstance(member, property | classmethod)):
                assert inspect.getdoc(getattr(thing, method)), f"{name}.{method}"


def test_the_reference_has_every_public_name() -> None:
    pages = "\n".join(path.read_text(encoding="utf-8") for path in sorted((DOCS / "reference").glob("*.md")))
    shown = set(re.findall(r"^::: segkit\.(\S+)$", pages, re.MULTILINE))
    names = {name for name in segkit.__all__ if name != "charts"} | {f"charts.{name}" for name in segkit.charts.__all__}
    assert names - shown == set()
