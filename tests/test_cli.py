"""segkit in the shell: files in, tables or JSON out, refusals without tracebacks."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from segkit import F, Segment, Workspace, cli, connect
from segkit.cli import output

AT_RISK = "name: At risk\nwhere: |\n  Opened < 2 emails in last 60 days\n  AND Subscribed > 90 days ago\n"
COMMANDS = sorted(cli.main.commands)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two segments, of which one refers to the other; no variable of the environment has a say."""
    monkeypatch.chdir(tmp_path)
    for name in ("SOURCE", "CATALOG", "TIMEZONE", "AS_OF", "DIALECT", "HOME", "CONFIG"):
        monkeypatch.delenv(f"SEGKIT_{name}", raising=False)
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "at_risk.yml").write_text(AT_RISK)
    (tmp_path / "segments" / "us.json").write_text(
        json.dumps({"name": "US at risk", "where": 'country = "USA" AND segment "At risk"'})
    )
    return tmp_path


def run(*words: str | Path) -> Result:
    result = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str) -> None:
    told = run(command, "--help").output
    assert "Usage: main " + command in told
    if command != "demo":
        assert "Examples:" in told
    assert not cli.main.commands[command].get_short_help_str(60).endswith("...")


def test_sizes_are_those_of_the_workspace() -> None:
    answer = json.loads(run("size", "segments", "--json").stdout)
    with connect(home=None) as ws:
        expected = ws.sizes(ws.load("segments"))
    assert [(row["segment"], row["size"]) for row in answer["rows"]] == list(
        zip(expected["segment"], expected["size"], strict=True)
    )
    assert [row["share"] for row in answer["rows"]] == pytest.approx(expected["share"].tolist(), rel=1e-14)
    assert answer["as_of"] == expected.attrs["as_of"]
    table = run("size", "segments/at_risk.yml", "segments")
    assert table.exit_code == 0
    assert f"│ {expected['size'][0]:,} │" in table.stdout
    assert "sample data" in table.stderr


@pytest.mark.filterwarnings("ignore::segkit.SegkitWarning")
def test_history_is_that_of_the_workspace() -> None:
    words = ("history", "segments", "--start", "2025-09-30", "--end", "2025-11-30", "--every", "month", "--json")
    rows = json.loads(run(*words).stdout)["rows"]
    with connect(home=None) as ws:
        expected = ws.history(ws.load("segments"), "2025-09-30", "2025-11-30", every="month")
    assert [(row["segment"], row["size"], row["exits"]) for row in rows] == [
        (segment, size, None if pd.isna(exits) else exits)
        for segment, size, exits in expected[["segment", "size", "exits"]].itertuples(index=False)
    ]
    table = run(*words[:-1]).stdout
    assert "NA" not in table
    assert "2025-10-30" in table
    assert [row["at"][:10] for row in rows[:3]] == ["2025-09-30", "2025-10-30", "2025-11-30"]


def test_a_source_an_instant_and_a_zone_are_heeded(here: Path) -> None:
    contacts = pd.DataFrame({"contact_id": [1, 2], "seen": pd.to_datetime(["2025-03-30 23:30", "2025-03-31 12:00"])})
    (here / "data").mkdir()
    contacts.to_csv(here / "data" / "contacts.csv", index=False)
    (here / "today.yml").write_text('{name: Today, where: "seen >= TODAY"}')
    sizes = [
        json.loads(run("size", "today.yml", "--source", "data", "--as-of", "2025-03-31T20:00Z", *zone, "--json").stdout)["rows"][
            0
        ]["size"]
        for zone in ((), ("--timezone", "Europe/Rome"))
    ]
    assert sizes == [1, 2]


def test_options_come_before_the_environment_and_that_before_the_file(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "segkit.toml").write_text('dialect = "postgres"\nas_of = "2025-11-30"\n')
    rendered = json.loads(run("render", "segments/at_risk.yml", "--json").stdout)["rows"][0]
    assert rendered["dialect"] == "postgres"
    assert "As of 2025-11-30 00:00:00 UTC" in rendered["sql"]
    monkeypatch.setenv("SEGKIT_DIALECT", "bigquery")
    assert "Dialect bigquery" in run("render", "segments/at_risk.yml").stdout
    assert "Dialect snowflake" in run("render", "segments/at_risk.yml", "--dialect", "snowflake").stdout


def test_settings_read_the_environment(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "etc").mkdir()
    (here / "etc" / "own.toml").write_text('source = "${CRM}"\n')
    result = run("--config", "etc/own.toml", "size", "segments")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: source in etc/own.toml reads ${CRM}, which is not set\n  fix: set CRM in the environment\n",
    )
    monkeypatch.setenv("CRM", "postgresql://ann:hunter2@127.0.0.1:1/crm")
    result = run("--config", "etc/own.toml", "size", "segments")
    assert result.exit_code == 2
    assert "error: " in result.stderr
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('sorce = "x"', "unknown setting 'sorce'\n  where: segkit.toml\n  fix: did you mean 'source'?"),
        ("as_of = 2025-11-30", 'as_of in segkit.toml is no text\n  fix: write as_of = "..."'),
        ("as_of =", "segkit.toml is no TOML"),
    ],
)
def test_settings_that_are_none_are_refused(here: Path, text: str, said: str) -> None:
    (here / "segkit.toml").write_text(text)
    result = run("size", "segments")
    assert result.exit_code == 2
    assert said in result.stderr


def test_paths_of_settings_are_from_their_file_on(here: Path) -> None:
    with connect(home=here / "crm" / "kept") as ws:
        ws.freeze(F.opens > 5, "Launch")
    (here / "crm" / "segkit.toml").write_text('home = "kept"\n')
    (here / "launch.yml").write_text('{name: Launched, where: LIST "Launch"}')
    assert run("size", "launch.yml").exit_code == 2
    assert run("--config", "crm/segkit.toml", "size", "launch.yml").exit_code == 0


def test_sql_goes_to_a_folder_all_or_none(here: Path) -> None:
    result = run("render", "segments", "--dialect", "snowflake", "--output", "sql", "--as-of", "2025-11-30")
    written = sorted((here / "sql").iterdir())
    assert result.stdout.split() == [str(path.relative_to(here)) for path in written]
    assert ["-- Segment: At risk" in path.read_text() for path in written].count(True) == 1
    (here / "segments" / "bad.yml").write_text("{name: Bad, where: 'opens >'}")
    result = run("render", "segments", "--output", "again")
    assert result.exit_code == 2
    assert "bad.yml" in result.stderr
    assert not (here / "again").exists()


def test_engines_that_agree(here: Path) -> None:
    result = run("verify", "segments/at_risk.yml", "--json")
    answer = json.loads(result.stdout)
    assert result.exit_code == 0
    assert [row["engine"] for row in answer["rows"]] == ["duckdb", "sqlite"]
    assert answer["differences"] == []


def test_engines_that_differ_make_the_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Workspace, segments: list[Segment], engines: object) -> pd.DataFrame:
        frame = pd.DataFrame({"segment": ["At risk"], "engine": ["duckdb"], "agrees": [False], "note": [""]})
        frame.attrs = {"as_of": "2025-11-30", "differences": pd.DataFrame({"segment": ["At risk"], "contact": ["7"]})}
        return frame

    monkeypatch.setattr(Workspace, "verify", wrong)
    result = run("verify", "segments/at_risk.yml")
    assert result.exit_code == 1
    assert "Differences:" in result.stdout


def test_refusals_have_no_traceback(here: Path) -> None:
    for words in (
        ("size", "nowhere"),
        ("size", "segments", "--source", "no.duckdb"),
        ("render", "segments", "--dialect", "snoflake"),
    ):
        result = run(*words)
        assert result.exit_code == 2, words
        assert "Traceback" not in result.output
        assert "fix: " in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("render segments --dialect snoflake", "error: unknown dialect 'snoflake'\n  fix: did you mean 'snowflake'?\n"),
        (
            "render segments --catalog no.yml",
            "error: cannot read the catalog 'no.yml': No such file or directory\n  fix: check the path\n",
        ),
        ("size segments --source contacts.csv", "error: 'contacts.csv' is one table\n  fix: name the folder it is in: '.'\n"),
        (
            "verify segments --engine mysqll",
            "error: unknown engine 'mysqll'\n  fix: name this, duckdb, sqlite, a file, a folder or a database URL\n",
        ),
    ],
)
def test_a_refusal_blames_what_is_wrong(here: Path, words: str, said: str) -> None:
    (here / "contacts.csv").write_text("contact_id\n1\n")
    result = run(*words.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.removeprefix("note: no --source, so this is the bundled sample data\n") == said


def test_the_demo_needs_no_charts(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("altair", "vl_convert"):
        monkeypatch.setitem(sys.modules, module, None)
    result = run("demo")
    assert result.exit_code == 0
    assert 'pip install "segkit[charts]"' in result.stdout
    assert not (here / "demo_output").exists()


def test_a_narrow_terminal_cuts_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"segment": ["Readers of every letter"], "conditions": [1234567], "differences": [7654321]})
    narrow = Console(width=30)
    with narrow.capture() as captured:
        narrow.print(output.table(frame))
    shown = "".join(re.findall(r"[\w,…]+", captured.get()))
    assert "…" not in shown


def test_names_are_shown_as_they_are(here: Path) -> None:
    name = "[red]x[/red] \x1b[31m"
    frame = pd.DataFrame({"segment": [name], "size": [1], "share": [float("nan")]})
    console = output.console()
    with console.capture() as captured:
        console.print(output.table(frame))
    assert "[red]x[/red]  [31m" in captured.get()


# ---------------------------------------------------------------- lint


@pytest.fixture
def odd(here: Path) -> Path:
    """A folder of segments with something wrong in each but one."""
    folder = here / "odd"
    folder.mkdir()
    for name, where in {
        "fine": "opens > 5",
        "none": "opens > 5 AND opens < 3",
        "idle": "opens > 7 AND opens > 3",
        "lost": 'clicks > 2 AND segment "Nowhere"',
    }.items():
        (folder / f"{name}.yml").write_text(json.dumps({"name": name, "where": where, "notes": "why", "owner": "CRM"}))
    return folder


def found(*words: str | Path) -> list[tuple[str, str, str, str]]:
    """File, kind, severity and path of what lint finds."""
    rows = json.loads(run("lint", *words, "--json").stdout)["rows"]
    return [(row["file"], row["kind"], row["severity"], row["path"]) for row in rows]


def test_lint_needs_no_connection(odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segkit.cli.configuration.connect", lambda *_, **__: pytest.fail("it connects"))
    assert found("odd") == [
        ("odd/idle.yml", "without effect", "warning", "where.items[1]"),
        ("odd/idle.yml", "contained", "advice", ""),
        ("odd/lost.yml", "missing reference", "error", "where.items[1]"),
        ("odd/none.yml", "contradiction", "error", "where"),
    ]
    assert run("lint", "odd").exit_code == 1
    clean = run("lint", "odd/fine.yml")
    assert (clean.exit_code, clean.stdout) == (0, "nothing found\n")
    text = run("lint", "odd/none.yml").stdout
    assert text.startswith(
        "odd/none.yml: none: where: error: opens > 5 and opens < 3 exclude one another (opens > 5 AND opens < 3)"
    )
    assert "\n  fix: drop one of them" in text
    assert text.endswith("1 of error\n")


def test_lint_knows_a_catalog_and_saved_segments(odd: Path, here: Path) -> None:
    (here / "catalog.yml").write_text("contacts: {fields: {opens: integer}}\ncalculated: {twice: opens * 2}\n")
    (odd / "close.yml").write_text('{name: close, where: "opens > 3 AND opens < 4", notes: x, owner: y}')
    assert "contradiction" not in [one[1] for one in found("odd/close.yml")]
    kinds = [one[1] for one in found("odd/close.yml", "--catalog", "catalog.yml")]
    assert kinds == ["contradiction", "unused calculated fields"]
    connect(home=here / "kept").save(Segment("Nowhere", F.opens > 1))
    assert "missing reference" not in [one[1] for one in found("odd", "--home", "kept")]


def test_lint_with_a_source_asks_the_data(odd: Path, here: Path) -> None:
    (here / "data").mkdir()
    pd.DataFrame({"contact_id": range(50), "opens": [9] * 5 + [1] * 45, "clicks": [3] * 50}).to_csv(
        "data/contacts.csv", index=False
    )
    assert ("odd/fine.yml", "small", "advice", "") in found("odd", "--source", "data")
    assert ("odd/fine.yml", "small", "advice", "") not in found("odd", "--source", "data", "--smallest", "5")
    assert ("odd/idle.yml", "overlap", "warning", "") in found("odd", "--source", "data")


def test_a_broken_file_hides_nothing_and_makes_the_exit_code_2(odd: Path) -> None:
    (odd / "broken.yml").write_text("name: [")
    (odd / "nameless.yml").write_text("where: opens > 5")
    (odd / "again.yml").write_text('{name: fine, where: "opens > 6"}')
    for words in (("odd",), ("odd", "nowhere")):
        result = run("lint", *words, "--json")
        answer = json.loads(result.stdout)
        assert result.exit_code == 2
        assert {row["kind"] for row in answer["rows"]} >= {"contradiction", "without effect", "missing reference"}
        assert len(answer["broken"]) == 2 + len(words)
    assert all(name in result.stderr for name in ("broken.yml", "nameless.yml", "fine", "nowhere"))
    assert run("lint", "odd/broken.yml").exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("least", "code"), [("advice", 1), ("warning", 0), ("error", 0)])
def test_what_makes_lint_fail_can_be_set(here: Path, least: str, code: int) -> None:
    (here / "bare.yml").write_text('{name: Bare, where: "opens > 5"}')
    assert run("lint", "bare.yml", "--fail-on", least).exit_code == code
    (here / "segkit.toml").write_text(f'[lint]\nfail_on = "{least}"\n')
    assert run("lint", "bare.yml").exit_code == code
    assert run("lint", "bare.yml", "--fail-on", "error").exit_code == 0


def test_limits_of_lint_stand_in_the_settings(here: Path) -> None:
    (here / "two.yml").write_text('{name: Two, where: "opens > 5 AND clicks > 3", notes: x, owner: y}')
    assert found("two.yml") == []
    (here / "segkit.toml").write_text("[lint]\nconditions = 1\noverlap = 1\n")
    assert found("two.yml") == [("two.yml", "many conditions", "advice", "")]
    assert found("two.yml", "--conditions", "2") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lint = 5", "no table"),
        ("[lint]\ncondition = 5", "did you mean 'conditions'"),
        ('[lint]\nlevels = "five"', "levels of [lint]"),
        ("[lint]\nlevels = true", "levels of [lint]"),
    ],
)
def test_settings_of_lint_that_are_none_are_refused(here: Path, text: str, said: str) -> None:
    (here / "segkit.toml").write_text(text)
    result = run("lint", "segments")
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize("name", ["a\x1b]0;x\x07b", "a\x9b2Jb", "a\u202eb"], ids=ascii)
def test_a_name_commands_no_terminal(tmp_path: Path, name: str) -> None:
    document = {"name": name, "conditions": [{"field": "nope", "operator": "equals", "value": "x"}]}
    (tmp_path / f"{name}.json").write_text(json.dumps(document))
    (tmp_path / "catalog.yml").write_text(json.dumps({"contacts": {"fields": {name: "nonsense"}}}))
    for arguments in ([str(tmp_path / f"{name}.json")], ["--catalog", str(tmp_path / "catalog.yml"), str(tmp_path)]):
        result = CliRunner().invoke(cli.main, ["size", *arguments])
        assert result.exit_code == 2
        assert ascii(name)[1:-1] in result.output
        assert name not in result.output
