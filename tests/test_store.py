"""Segments in files: what is written is read back, no name reaches another's file, mistakes name their file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_workspace import AS_OF, TABLES

import segkit
from segkit import DefinitionError, E, F, SegkitError, SegkitWarning, Segment, connect, documents, in_segment, store
from segkit.language import parse

KEPT = Segment("At risk", (F.opens > 4) & (E.opened.count() < 5), notes="why", owner="Ann", tags=["a", "b"])
RICH = '{"name": "%s", "conditions": [{"field": "opens", "operator": "greater_than", "value": %d}]}'


def workspace(home: Path | None, as_of: str = AS_OF) -> segkit.Workspace:
    return connect({name: pd.DataFrame(data) for name, data in TABLES.items()}, as_of=as_of, home=home)


# ---------------------------------------------------------------- save


def test_a_saved_segment_is_found_by_the_next_connection(tmp_path: Path) -> None:
    file = workspace(tmp_path).save(KEPT)
    assert file == tmp_path / "segments" / "at-risk-490c67a211.json"
    later = workspace(tmp_path)
    assert later.segments == (KEPT,)
    assert later.size(in_segment("At risk")) == later.size(KEPT) == 2


def test_what_is_written_is_pretty_own_form_in_a_stable_order(tmp_path: Path) -> None:
    file = workspace(tmp_path).save(KEPT)
    first = file.read_bytes()
    assert first == (KEPT.to_json() + "\n").encode()
    assert first.startswith(b'{\n  "segkit": 1,\n  "name": "At risk",\n')
    assert workspace(tmp_path).save(KEPT).read_bytes() == first


def test_saving_again_replaces(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    ws.save(KEPT)
    newer = Segment("At risk", F.opens > 1)
    ws.save(newer)
    assert ws.segments == workspace(tmp_path).segments == (newer,)
    assert len(list((tmp_path / "segments").iterdir())) == 1


def test_nothing_is_on_disk_until_something_is_saved(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ws = workspace(home)
    ws.size(F.opens > 1)
    assert not home.exists()
    with pytest.raises(DefinitionError, match="no name"):
        ws.save(Segment(None, F.opens > 1))
    with pytest.raises(DefinitionError, match="opans"):
        ws.save(Segment("x", F.opans > 1))
    assert not home.exists()
    assert ws.segments == ()


def test_a_connection_without_home_keeps_nothing() -> None:
    with pytest.raises(DefinitionError, match="keeps nothing"):
        workspace(None).save(KEPT)
    with pytest.raises(DefinitionError, match="keeps nothing"):
        workspace(None).freeze(KEPT, "x")


def test_the_home_does_not_move_with_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ws = workspace(Path(".segkit"))
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert ws.save(KEPT).parent == tmp_path / ".segkit" / "segments"


HOSTILE = [
    *("a", "A", "a b", "a  b", "a-b", "a_b", "a.b", "a/b", "a\\b", "../a", "..", ".", "./a", "/etc/passwd", "~", "C:\\a"),
    *("con", "CON", "nul", "NUL.json", "com1", "lpt9", "aux", "é", "e\u0301", "É", "名前", "\u202egnp", "🎈", " a", "a ", "a."),
    *("x" * 1000, "x" * 999 + "y", "a\nb", "a\tb", "\x7f", "%2e%2e", "*", "?", '"', "|", "a-ca978112ca", "straße", "STRASSE"),
    *("-", "--", "$HOME", "`id`", "\ufeff", "\u2028", "ı", "I", "İ", "K", "ſ"),
]


def test_every_name_has_a_file_of_its_own_also_where_case_is_ignored(tmp_path: Path) -> None:
    names = [store.file_name(name) for name in HOSTILE]
    assert len({name.casefold() for name in names}) == len(set(HOSTILE))
    for name in names:
        assert name.isascii()
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")
        assert 1 <= len(name) <= 60
        assert name not in ("con", "prn", "aux", "nul", "com1", "lpt9")
    for name in HOSTILE:
        file = store.save(tmp_path / "in", Segment(name, F.a > 1))
        assert file.resolve().parent == (tmp_path / "in").resolve()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]
    assert {own.segment.name for own in store.read(tmp_path / "in")} == set(HOSTILE)


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_two_names_never_share_a_file(one: str, other: str) -> None:
    one, other = (text.encode("utf-8", "ignore").decode() for text in (one, other))
    assert (store.file_name(one).casefold() == store.file_name(other).casefold()) == (one == other)


def test_a_file_that_holds_another_segment_is_not_overwritten(tmp_path: Path) -> None:
    own = tmp_path / f"{store.file_name('mine')}.json"
    own.write_text(RICH % ("Another", 1))
    before = own.read_bytes()
    with pytest.raises(DefinitionError, match="holds the segment 'Another'"):
        store.save(tmp_path, Segment("mine", F.a > 1))
    assert own.read_bytes() == before


def test_a_name_that_another_file_of_the_folder_holds_is_refused(tmp_path: Path) -> None:
    (tmp_path / "by hand.yml").write_text(RICH % ("mine", 1))
    with pytest.raises(DefinitionError, match=r"by hand\.yml holds the segment 'mine'"):
        store.save(tmp_path, Segment("mine", F.a > 1))
    assert [p.name for p in tmp_path.iterdir()] == ["by hand.yml"]


def test_a_file_that_cannot_be_read_is_not_overwritten(tmp_path: Path) -> None:
    own = store.save(tmp_path, KEPT)
    own.write_text(own.read_text().replace("}", "", 1))
    before = own.read_bytes()
    with pytest.raises(DefinitionError, match="would be lost"):
        store.save(tmp_path, KEPT)
    assert own.read_bytes() == before


@pytest.mark.parametrize("step", ["iterdir", "is_dir"])
def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    store.save(tmp_path, KEPT)

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, step, denied)
    for ask in (store.read, store.saved, lambda folder: store.save(folder, KEPT)):
        with pytest.raises(SegkitError, match="Permission denied"):
            ask(tmp_path)


def test_a_file_that_another_process_takes_away_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(tmp_path, KEPT)
    (tmp_path / "other.json").write_text(RICH % ("Another", 1))
    listed = store.files(tmp_path)
    (tmp_path / "other.json").unlink()
    monkeypatch.setattr(store, "files", lambda _: listed)
    assert store.read_file(store.save(tmp_path, KEPT)).segment == KEPT


@pytest.mark.parametrize("given", [5, b"here", ["here"]])
def test_what_is_no_path_is_refused(given: Any) -> None:
    with pytest.raises(SegkitError, match="no path"):
        workspace(given)
    with pytest.raises(SegkitError, match="no path"):
        workspace(None).load(given)


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    (tmp_path / "segments").write_text("a file, no folder")
    with pytest.raises(SegkitError, match="cannot write"):
        store.save(tmp_path / "segments", KEPT)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    file = store.save(tmp_path, KEPT)
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(SegkitError, match="No space left"):
        store.save(tmp_path, Segment("At risk", F.opens > 1))
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [file.name]


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_killed_in_the_middle_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    program = (
        "import itertools, sys; from pathlib import Path; from segkit import store\n"
        "for letter in itertools.cycle('abc'):\n"
        "    store.write(Path(sys.argv[1]), letter * 10_000_000)\n"
    )
    file = tmp_path / "busy.json"
    for wait in (0.0, 0.05, 0.1, 0.15):
        running = subprocess.Popen([sys.executable, "-c", program, str(file)], cwd=Path(segkit.__file__).parents[1])
        try:
            end = time.monotonic() + 30
            while not file.exists() and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(wait)
        finally:
            running.kill()
            running.wait()
        text = file.read_text()
        assert len(text) == 10_000_000
        assert text == text[0] * len(text)
    store.save(tmp_path, KEPT)
    assert [own.segment for own in map(store.read_file, [tmp_path / "at-risk-490c67a211.json"])] == [KEPT]


def test_a_broken_file_of_the_home_is_warned_of_and_the_others_work(tmp_path: Path) -> None:
    workspace(tmp_path).save(KEPT)
    (tmp_path / "segments" / "broken.json").write_text("{")
    with pytest.warns(SegkitWarning, match=r"broken\.json: not JSON"):
        ws = workspace(tmp_path)
    assert ws.segments == (KEPT,)


# ---------------------------------------------------------------- load


def test_a_folder_is_loaded_in_the_order_of_names_with_references_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text(Segment("both", in_segment("usa") & in_segment("open")).to_json())
    (tmp_path / "2.yml").write_text("name: usa\nconditions:\n- {field: country, operator: equals, value: USA}\n")
    (tmp_path / "3.YAML").write_text(RICH % ("open", 4))
    (tmp_path / "README.md").write_text("no segment")
    (tmp_path / ".hidden.json").write_text("no segment")
    (tmp_path / "below.json").mkdir()
    ws = workspace(None)
    assert [segment.name for segment in ws.load(tmp_path)] == ["both", "open", "usa"]
    assert ws.members(in_segment("both"))["contact_id"].tolist() == [1]
    assert {segment.name for segment in ws.segments} == {"both", "open", "usa"}


def test_one_file_is_loaded_and_replaces_what_bears_its_name(tmp_path: Path) -> None:
    ws = workspace(None)
    ws.define(Segment("open", F.opens > 100))
    file = tmp_path / "a.json"
    file.write_text("\ufeff" + RICH % ("open", 4), encoding="utf-8")
    assert ws.load(str(file)) == [Segment("open", F.opens > 4)]
    assert ws.segments == (Segment("open", F.opens > 4),)


def refused(ws: segkit.Workspace, path: Path) -> str:
    before = ws.segments
    with pytest.raises(DefinitionError) as caught:
        ws.load(path)
    assert ws.segments == before
    return str(caught.value)


def test_all_bad_files_are_reported_together_and_nothing_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(RICH % ("good", 4))
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.yml").write_text("name: [")
    (tmp_path / "c.json").write_text('{"conditions": [{"field": "opens", "operator": "is_null"}]}')
    (tmp_path / "d.json").write_bytes(b'{"name": "\xff"}')
    (tmp_path / "e.json").write_text('{"name": "e", "conditions": [{"field": "opens", "operator": "greter_than", "value": 1}]}')
    said = refused(workspace(None), tmp_path)
    assert said.startswith("cannot use 5 files\n")
    for part in (
        f"{tmp_path / 'a.json'}: not JSON",
        f"{tmp_path / 'b.yml'}: not YAML",
        f"{tmp_path / 'c.json'}: the segment has no name",
        f"{tmp_path / 'd.json'}: the file is not UTF-8",
        "$.conditions[0].operator",
        "did you mean 'greater_than'",
    ):
        assert part in said
    assert "good.json" not in said


def test_what_does_not_fit_the_catalog_is_reported_by_file(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(RICH % ("good", 4))
    (tmp_path / "a.json").write_text(Segment("a", F.contry == "USA").to_json())
    (tmp_path / "b.json").write_text(Segment("b", in_segment("goood") & (F.opens > 1)).to_json())
    said = refused(workspace(None), tmp_path)
    assert "cannot use 2 files" in said
    assert f"{tmp_path / 'a.json'}: unknown field 'contry'" in said
    assert f"{tmp_path / 'b.json'}: unknown segment 'goood'" in said
    assert "did you mean 'good'" in said


def test_a_circle_of_references_is_refused(tmp_path: Path) -> None:
    for one, other in ("ab", "bc", "ca"):
        (tmp_path / f"{one}.json").write_text(Segment(one, in_segment(other)).to_json())
    said = refused(workspace(None), tmp_path)
    assert "a -> b -> c -> a is a circle" in said
    assert "a.json" in said


def test_a_circle_through_a_saved_segment_is_refused(tmp_path: Path) -> None:
    ws = workspace(tmp_path)
    ws.save(Segment("a", F.opens > 1))
    ws.save(Segment("b", in_segment("a")))
    with pytest.raises(DefinitionError, match="a -> b -> a is a circle"):
        ws.save(Segment("a", in_segment("b")))
    assert workspace(tmp_path).segments[0] == Segment("a", F.opens > 1)


def test_one_name_in_two_files_names_both(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(RICH % ("x", 4))
    (tmp_path / "b.yaml").write_text(RICH % ("x", 4))
    said = refused(workspace(None), tmp_path)
    assert f"'x' in {tmp_path / 'a.json'} and {tmp_path / 'b.yaml'}" in said


def test_a_path_that_holds_nothing_is_refused(tmp_path: Path) -> None:
    assert "no file of a segment" in refused(workspace(None), tmp_path)
    assert "no such file or folder" in refused(workspace(None), tmp_path / "gone.json")
    assert "no such file or folder" in refused(workspace(None), tmp_path / "gone")
    (tmp_path / "x.txt").write_text("x")
    assert "ends in .txt" in refused(workspace(None), tmp_path / "x.txt")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(documents.MAX_DOCUMENT + 1)
    assert "bytes" in refused(workspace(None), tmp_path)


# ---------------------------------------------------------------- YAML


def loaded(tmp_path: Path, text: str) -> Segment:
    file = tmp_path / "segment.yml"
    file.write_text(text, encoding="utf-8")
    return store.read_file(file).segment


def test_yaml_has_no_surprises(tmp_path: Path) -> None:
    for written, value in (
        *(("NO", "NO"), ("no", "no"), ("on", "on"), ("yes", "yes"), ("Off", "Off"), ("y", "y"), ("01234", "01234"), ("1_000", "1_000")),
        *(("20:30", "20:30"), ("0x10", "0x10"), ("0o17", "0o17"), ("true", True), ("5", 5), ("-5", -5), ("0", 0), ("2.5", 2.5), ("1e3", 1000.0)),
        *(('"5"', "5"), ("'true'", "true"), (".5", 0.5), ("1.2.3", "1.2.3"), (".inf", ".inf"), (".nan", ".nan"), ("=", "=")),
    ):  # fmt: skip
        text = f"name: x\nconditions:\n- field: f\n  operator: equals\n  value: {written}\n"
        assert loaded(tmp_path, text) == Segment("x", F.f == value), written


def test_yaml_dates_are_dates(tmp_path: Path) -> None:
    import datetime as dt

    text = "name: x\nconditions:\n- {field: f, operator: less_than, value: %s}\n"
    assert loaded(tmp_path, text % "2025-11-30") == Segment("x", F.f < dt.date(2025, 11, 30))
    assert loaded(tmp_path, text % "2025-11-30 10:00:00Z") == Segment("x", F.f < dt.datetime(2025, 11, 30, 10, tzinfo=dt.UTC))
    assert loaded(tmp_path, text % "2025-11-30T10:00:00+02:00") == Segment("x", F.f < dt.datetime(2025, 11, 30, 8, tzinfo=dt.UTC))


MERGES = "a: &a {x: 1}\n" + "".join(
    f"{c}: &{c} {{<<: [{', '.join(['*' + p] * 9)}]}}\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
)
LAUGHS = "a: &a [x, x, x]\n" + "".join(
    f"{c}: &{c} [{', '.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("name: a\nname: b\nconditions: []", "'name' stands twice"),
        ("name: x\nconditions:\n- {field: a, field: b, operator: is_null}", "'field' stands twice"),
        (LAUGHS, "anchor"),
        (MERGES, "anchor"),
        ("name: &n x\nconditions: *n", "anchor"),
        ("name: !!python/object/apply:os.system [id]", "tag"),
        ("name: !!python/name:os.system x", "tag"),
        ("name: !!binary aGVsbG8=", "tag"),
        ("!!set {a, b}", "tag"),
        ("name: !x y", "tag"),
        ("? [a]\n: b", "no text"),
        ("1: b", "no text"),
        ("true: b", "no text"),
        ("null: b", "no text"),
        ("name: x\n---\nname: y", "not YAML"),
        ("name: 'x", "not YAML"),
        ("name: x\n\tconditions: []", "not YAML"),
        ("[" * 10_000, "levels"),
        ("- " * 10_000 + "x", "levels"),
        ("a: " + "[" * 300 + "]" * 300, "levels"),
        ("name: 2025-13-45", "not YAML"),
        ("name: 2025-01-01\nconditions: [{field: a, operator: is_null}]", "must be text"),
        ("name: 5\nconditions: [{field: a, operator: is_null}]", "must be text"),
        ("name: " + "9" * 5000, "not YAML"),
        ("name:\nconditions: [{field: a, operator: is_null}]", "no name"),
        ("", "must be an object"),
        ("just text", "must be an object"),
        ("- a", "must be an object"),
        ("name: \x00", "not YAML"),
        ("x" * 250_001, "characters of YAML"),
        ("name: x\nconditions: [{field: a, operator: equals, value: 1e999}]", ""),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_yaml_that_is_refused_is_refused_at_once(tmp_path: Path, text: str, part: str) -> None:
    began = time.monotonic()
    with pytest.raises(DefinitionError) as caught:
        loaded(tmp_path, text)
    assert part in str(caught.value)
    assert time.monotonic() - began < 10


def test_yaml_may_be_long_but_not_deep(tmp_path: Path) -> None:
    states = ", ".join(f"s{n}" for n in range(1000))
    text = f"name: x\nconditions:\n- {{field: f, operator: in, value: [{states}]}}\n"
    assert loaded(tmp_path, text) == Segment("x", F.f.is_in([f"s{n}" for n in range(1000)]))


def test_yaml_errors_name_the_line(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="line 3, column 1"):
        loaded(tmp_path, "name: x\nowner: y\nname: z\n")


def test_a_refused_tag_runs_nothing(tmp_path: Path) -> None:
    flag = tmp_path / "ran"
    with pytest.raises(DefinitionError):
        loaded(tmp_path, f"name: !!python/object/apply:pathlib.Path.touch ['{flag}']")
    assert not flag.exists()


# ---------------------------------------------------------------- text of the language inside


def test_where_may_be_text_of_the_language(tmp_path: Path) -> None:
    segment = loaded(tmp_path, "name: US\nnotes: why\ntags: [a]\nwhere: |\n  country = 'USA'\n  AND opens > 4\n")
    assert segment == Segment("US", parse("country = 'USA' AND opens > 4"), notes="why", tags=["a"])
    (tmp_path / "a.json").write_text('{"name": "US", "where": "opens > 4"}')
    ws = workspace(None)
    ws.load(tmp_path / "a.json")
    assert ws.members(in_segment("US"))["contact_id"].tolist() == [1, 4]


def test_a_mistake_in_the_text_names_the_file_and_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("name: US\nwhere: |\n  country = 'USA'\n  AND AND opens > 4\n")
    said = refused(workspace(None), tmp_path)
    assert "a.yml" in said
    assert "line 2" in said


@pytest.mark.parametrize("text", ["where: opens > 4\nsegkit: 2\nname: x", "where: opens > 4\nname: x\nconditions: []"])
def test_text_beside_what_does_not_belong_there_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DefinitionError):
        loaded(tmp_path, text)


def test_a_stray_home_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        workspace(Path("/nonexistent/home"))
