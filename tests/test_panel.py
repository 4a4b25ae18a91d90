"""The panel without a browser: edits as laws, rows that lose nothing, reasons, sizes, what an exported notebook shows."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cases_runner import every_definition
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import definitions

import segkit
from segkit import DefinitionError, E, Example, F, SegkitError, Segment, connect, everyone, in_list, in_segment, nodes
from segkit.panel import edits, static
from segkit.panel.choices import CHOICES, OPPOSITES
from segkit.panel.draft import Draft, Entry, Group, Kept, OfField, Rule, every_id, fresh_id, read, rows, written
from segkit.panel.meaning import definition, made
from segkit.panel.projection import drafted

HOSTILE = "<img src=x onerror=alert(1)>\"'&</script>"
US = Segment("US", (F.country == "USA") & (F.opens > 5), notes="who", owner="me", tags=["a", "b"])


@pytest.fixture(scope="module")
def ws() -> segkit.Workspace:
    return connect(home=None)


def draft_of(where: segkit.builder.Predicate) -> Draft:
    return drafted(nodes.Definition(None, where.node))


def sent(draft: Draft) -> Draft:
    """The draft after its way through a browser."""
    return read(json.loads(json.dumps(written(draft))))


# ---------------------------------------------------------------- rows lose nothing


def test_every_conformance_definition_comes_back() -> None:
    known = every_definition()
    assert len(known) > 1000
    for name, given_ in known:
        back = definition(sent(drafted(given_)))
        assert (back, repr(back)) == (given_, repr(given_)), name


@given(definitions())
@settings(max_examples=300, deadline=None)
def test_random_definitions_come_back(where: segkit.builder.Predicate) -> None:
    own = nodes.Definition("A name", where.node, "notes", "owner", ("tag",))
    back = definition(sent(drafted(own)))
    assert (back, repr(back)) == (own, repr(own))


@pytest.mark.parametrize(
    "where",
    [
        everyone(), ~everyone(), everyone() & (F.a == 1), F.a.is_in([]), F.a == "", F.a == 5.0, F.a == 2**62 + 1, ~~~(F.a == 1),
        segkit.all_of(F.a == 1), segkit.any_of(segkit.all_of(F.a == 1)), ~segkit.all_of(F.a == 1), F.a.between(1, 2), ~F.a.between(1, 2),
        E.a.where(F.x == 1).any(), E.a.where(segkit.all_of(F.x == 1)).any(), E.a.where(~(F.x.is_in([1]))).any(),
        E.a.where((F.x == 1) | (F.y == 2)).any(), E.a.where(F.x.between(1, 2) & (F.y == 1)).any(), E.a.where(~~(F.x == 1)).any(),
    ],
)  # fmt: skip
def test_shapes_come_back(where: segkit.builder.Predicate) -> None:
    assert definition(sent(draft_of(where))).where == where.node


def test_most_conformance_conditions_can_be_edited() -> None:
    found = [row for _, own in every_definition() for row in rows(drafted(own).root) if not isinstance(row, Group)]
    kept = [row for row in found if isinstance(row, Kept)]
    assert len(kept) < 0.15 * len(found)


def test_opposites_are_complements() -> None:
    assert OPPOSITES["equals"] == "not_equals"
    assert OPPOSITES["is_null"] == "is_not_null"
    assert len(OPPOSITES) == sum("not_" in choice.key for choice in CHOICES)


# ---------------------------------------------------------------- edits


EDIT_NAMES = ("add", "remove", "duplicate", "move", "nudge", "wrap", "unwrap", "negate", "mute", "join", "change", "rename")


def paths(draft: Draft) -> list[edits.Path]:
    found: list[edits.Path] = [()]
    for path in found:
        row = edits.row_at(draft, path)
        found += [(*path, i) for i in range(len(row.items))] if isinstance(row, Group) else []
    return found


def random_edit(draft: Draft, rng: random.Random) -> tuple[str, list[Any]]:
    """An edit by name with its arguments; some of them cannot be made."""
    name = rng.choice(EDIT_NAMES)
    path = rng.choice([*paths(draft), (9,)])
    more: dict[str, list[Any]] = {
        "add": [path, rng.choice([Rule("0", OfField("opens"), "is_null"), Group("0", items=(Rule("0"),)), Rule("0")]), rng.choice([None, 0, 1, 7])],
        "move": [path, rng.choice(paths(draft)), rng.randrange(3)],
        "nudge": [path, rng.random() < 0.5],
        "join": [path, rng.choice(["and", "or"])],
        "rename": [rng.choice(["", "a", HOSTILE])],
    }  # fmt: skip
    return name, more.get(name, [path])


@given(definitions(), st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_an_edit_is_made_whole_or_refused(where: segkit.builder.Predicate, seed: int) -> None:
    rng, draft = random.Random(seed), draft_of(where)
    for _ in range(8):
        before = written(draft)
        name, arguments = random_edit(draft, rng)
        try:
            after = edits.EDITS[name](draft, *arguments)
        except DefinitionError as error:
            refused = (error.what, error.fix)
            after = draft
        else:
            refused = ("-", "-")
            assert after.revision == draft.revision + 1
        assert all(refused)
        assert written(draft) == before
        assert len(set(every_id(after.root))) == len(list(every_id(after.root)))
        assert sent(after) == after
        nodes.check_limits(made(after).where)
        draft = after


def same(one: Draft, other: Draft) -> bool:
    return replace(one, revision=0) == replace(other, revision=0)


@given(definitions(), st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_edits_have_opposites(where: segkit.builder.Predicate, seed: int) -> None:
    draft = edits.add(draft_of(where & (F.country == "USA")), (), Group("", "or", (Rule(""), Rule(""))))
    path = random.Random(seed).choice(paths(draft)[1:])
    beside = (*path[:-1], path[-1] + 1)
    assert same(edits.negate(edits.negate(draft, path), path), draft)
    assert same(edits.mute(edits.mute(draft, path), path), draft)
    assert same(edits.unwrap(edits.wrap(draft, path), path), draft)
    assert same(edits.remove(edits.duplicate(draft, path), beside), draft)
    assert definition(edits.wrap(draft, path)) == definition(draft)
    for up in (True, False):
        own = edits.row_at(draft, path).id
        try:
            moved = edits.nudge(draft, path, up)
        except DefinitionError:
            continue
        [now] = [p for p in paths(moved) if edits.row_at(moved, p).id == own]
        assert same(edits.nudge(moved, now, not up), draft)


def test_moving_says_what_it_does() -> None:
    draft = draft_of((F.a == 1) & (F.b == 2) & segkit.any_of(F.c == 3, F.d == 4))
    assert definition(edits.move(draft, (0,), (2,), 1)).where == ((F.b == 2) & segkit.any_of(F.c == 3, F.a == 1, F.d == 4)).node
    assert definition(edits.move(draft, (0,), (), 2)).where == ((F.b == 2) & (F.a == 1) & segkit.any_of(F.c == 3, F.d == 4)).node
    assert (
        definition(edits.move(draft, (2, 0), (), 0)).where
        == segkit.all_of(F.c == 3, F.a == 1, F.b == 2, segkit.any_of(F.d == 4)).node
    )
    with pytest.raises(DefinitionError, match="cannot stand in itself"):
        edits.move(draft, (2,), (2,), 0)
    with pytest.raises(DefinitionError, match="outermost"):
        edits.remove(draft, ())


def test_groups_do_not_nest_for_ever() -> None:
    draft = draft_of(F.a == 1)
    for _ in range(23):
        draft = edits.wrap(draft, (0,))
    with pytest.raises(DefinitionError, match="too deep"):
        edits.wrap(draft, (0,))


def test_a_negated_group_is_not_dissolved() -> None:
    with pytest.raises(DefinitionError, match="negated"):
        edits.unwrap(draft_of((F.a == 1) & ~segkit.any_of(F.b == 1, F.c == 1)), (1,))


# ---------------------------------------------------------------- what muted, blank and unfinished rows mean


def test_muted_and_blank_rows_are_left_out() -> None:
    draft = edits.add(draft_of((F.a == 1) & (F.b == 2)), (), Rule(""))
    assert definition(draft).where == ((F.a == 1) & (F.b == 2)).node
    assert definition(edits.mute(draft, (1,))).where == segkit.all_of(F.a == 1).node
    assert definition(edits.mute(edits.mute(draft, (1,)), (0,))).where == everyone().node


@pytest.mark.parametrize(
    ("operator", "values", "part"),
    [
        ("", (), "no operator"), ("equels", (), "unknown operator"), ("greater_than", (), "a value is missing"),
        ("greater_than", (Entry("number", "abc"),), "no number"), ("between", (Entry("number", "1"),), "a value is missing"),
        ("greater_than", (Entry("number", "nan"),), "not a number"), ("on", (Entry("date", "31.3.2025"),), "no date"),
        ("within", (), "length of time"), ("equals", (Entry("boolean", "perhaps"),), "unknown choice"), ("is_member", (), "in no list"),
        ("equals", (Entry("value", '{"type": "nope"}'),), "unknown type"), ("equals", (Entry("value", "{"),), "not JSON"),
    ],
)  # fmt: skip
def test_an_unfinished_rule_says_what_is_missing(operator: str, values: tuple[Entry, ...], part: str) -> None:
    draft = Draft(Group("1", items=(Rule("2", OfField("opens"), operator, values), Rule("3", OfField("a"), "is_null"))))
    found = made(draft)
    assert part in found.faults["2"].what
    assert found.faults["2"].fix
    assert found.places == {"3": "where"}
    with pytest.raises(DefinitionError, match="mute or remove"):
        definition(draft)


@pytest.mark.parametrize(
    "document",
    [
        None, [], {}, {"is": "draft"}, {"is": "draft", "root": None}, {"is": "draft", "root": {"is": "group"}},
        {"is": "draft", "root": {"is": "rule", "id": "1"}}, {"is": "draft", "root": {"is": "group", "id": "1", "logic": "xor"}},
        {"is": "draft", "root": {"is": "group", "id": "1", "items": [{"is": "rule", "id": "1"}]}},
        {"is": "draft", "root": {"is": "group", "id": "1", "items": "x"}}, {"is": "draft", "revision": True}, {"is": "draft", "name": "\0"},
        {"is": "draft", "extra": 1}, {"is": "draft", "root": {"is": "group", "id": 1}},
    ],
)  # fmt: skip
def test_what_is_no_draft_is_refused(document: Any) -> None:
    if document == {"is": "draft"}:
        assert read(document) == Draft()
        return
    with pytest.raises(DefinitionError) as caught:
        read(document)
    assert caught.value.where.startswith("$")
    assert caught.value.fix


# ---------------------------------------------------------------- the widget, without a browser


class Spy:
    """The panel's messages, and how many queries its engine was asked."""

    def __init__(self, panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.panel, self.replies = panel, []
        monkeypatch.setattr(panel, "send", lambda content: self.replies.append(content))

    def ask(self, question: str, **more: Any) -> dict[str, Any]:
        self.panel._asked(self.panel, {"ask": question, "number": 7, **more}, [])
        assert self.replies[-1]["number"] == 7
        return self.replies[-1]


@pytest.mark.parametrize("asked", [None, 5, [], {}, {"ask": []}, {"ask": {}}, {"ask": "parse", "text": [5]}], ids=repr)
def test_a_message_of_another_form_is_answered_or_passed_over(
    ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch, asked: Any
) -> None:
    panel = ws.builder(Segment("All", everyone()))
    spy = Spy(panel, monkeypatch)
    panel._asked(panel, asked, [])
    assert len(spy.replies) == isinstance(asked, dict)
    assert all("error" in reply for reply in spy.replies)


def test_an_id_that_is_no_number_of_a_row_is_passed_over() -> None:
    assert fresh_id(Group("9" * 5_000, items=(Rule("7"), Rule("\u0663")))) == "8"


def test_the_panel_counts_every_part(ws: segkit.Workspace) -> None:
    at_risk = (E.opened.within(days=60).count() < 2) & (F.subscribed.older_than(days=90) | ~in_list("VIP Customers"))
    panel = ws.builder(Segment("At risk", at_risk))
    places = made(panel._draft).places
    assert set(places) == {row.id for row in rows(panel._draft.root)}
    for row in rows(panel._draft.root):
        alone = definition(replace(panel._draft, name="", root=Group("0", items=(row,))))
        assert panel.view["sizes"][row.id] == ws.size(Segment._of(alone))
    assert panel.view["size"] == ws.size(at_risk)
    assert panel.view["everyone"] == ws.size(everyone())


def test_the_panel_says_its_segment(ws: segkit.Workspace) -> None:
    panel = ws.builder(US)
    assert panel.segment == US
    assert panel.sql == ws.sql(US)
    assert panel.df().equals(ws.members(US))
    panel.segment = F.opens > 100
    assert panel.segment == Segment(None, F.opens > 100)
    panel.edit("negate", (0,))
    assert panel.segment == Segment(None, ~(F.opens > 100))
    assert panel.view["size"] == ws.size(~(F.opens > 100))
    with pytest.raises(DefinitionError, match="no edit"):
        panel.edit("nagate", (0,))


def test_an_edit_of_the_browser_arrives(ws: segkit.Workspace) -> None:
    panel = ws.builder(US)
    panel.draft = written(edits.mute(panel._draft, (1,)))
    assert panel.segment.where == segkit.all_of(F.country == "USA")
    assert (panel.view["revision"], panel.view["size"]) == (1, ws.size(F.country == "USA"))
    panel.draft = {"is": "nonsense"}
    assert "unknown row" in panel.view["problem"]["what"]
    assert panel.segment.where == segkit.all_of(F.country == "USA")


def test_every_wrong_part_has_its_reason(ws: segkit.Workspace) -> None:
    panel = ws.builder(
        (F.contry == "USA") & (F.opens > 5) & segkit.any_of(F.opens == "x", E.openned.any()) & in_segment("Nobody")
    )
    notes = {row.id: panel.view["rows"].get(row.id, {}).get("reason") for row in rows(panel._draft.root)}
    what = [reason["what"] for reason in notes.values() if reason]
    assert len(what) == 4
    assert "unknown field 'contry'" in what[0]
    assert any("unknown segment 'Nobody'" in own for own in what)
    assert panel.view["faults"] == 4
    assert panel.view["size"] is None
    assert list(panel.view["sizes"].values()) == [ws.size(F.opens > 5)]
    with pytest.raises(DefinitionError, match="unknown"):
        _ = panel.sql
    assert "not finished" in repr(panel)


def test_what_the_engine_cannot_count_is_told_at_its_row(ws: segkit.Workspace) -> None:
    panel = ws.builder((F.opens > 5) & ~segkit.raw_sql("opens >", dialect="duckdb") & ~(F.opens < 1))
    first, raw, last = panel._draft.root.items
    assert "SQL" in panel.view["rows"][raw.id]["reason"]["what"]
    assert set(panel.view["sizes"]) == {first.id, last.id}
    assert panel.view["faults"] == 1


def test_a_circle_and_a_bad_name_are_told(ws: segkit.Workspace) -> None:
    with connect(home=None) as own:
        own.define(Segment("A", F.opens > 1), Segment("B", in_segment("A")))
        assert "A" in own.builder(Segment("A", in_segment("B"))).view["rows"]["2"]["reason"]["what"]
    panel = ws.builder(F.opens > 5)
    panel.edit("rename", "x" * 2000)
    assert "characters" in panel.view["problem"]["what"]
    assert panel.view["size"] == ws.size(F.opens > 5)


def test_bounds_and_warnings_are_shown(ws: segkit.Workspace) -> None:
    panel = ws.builder(F.last_purchase.older_than(days=30), as_of="2025-11-30T12:00:00Z")
    assert panel.view["rows"]["2"]["bounds"] == "before 2025-10-31 12:00 UTC"


def test_tabs_are_answered(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(ws.builder(US), monkeypatch)
    assert spy.ask("sql", dialect="snowflake")["text"] == ws.sql(US, "snowflake")
    assert "country is 'USA'" in spy.ask("description")["text"]
    assert Segment.from_json(spy.ask("json")["text"]) == US
    names: dict[str, Any] = {}
    exec(spy.ask("python")["text"], names)
    assert names["segment"] == US
    assert spy.ask("text")["text"] == 'country = "USA" AND opens > 5'
    assert "klingon" in spy.ask("sql", dialect="klingon")["error"]["what"]
    assert spy.ask("nonsense")["error"]["what"]


def test_the_preview_is_masked_unless_asked(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(ws.builder(US), monkeypatch)
    masked, plain = spy.ask("preview"), spy.ask("preview", masked=False)
    at = masked["columns"].index("email")
    assert {row[at] for row in masked["rows"] if row[at]} == {"***@***"}
    assert all("@" in row[at] and "***" not in row[at] for row in plain["rows"] if row[at])
    assert len(masked["rows"]) == 10


def test_a_diagnosis_is_that_of_the_workspace(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = (F.location == "usa") & (F.opens > 5)
    found = Spy(ws.builder(wrong), monkeypatch).ask("diagnose")["findings"]
    told = ws.diagnose(wrong)[["severity", "condition", "what", "evidence", "fix"]].astype(str)
    assert found == told.to_dict("records")
    assert "did you mean 'USA'?" in [own["fix"] for own in found]


def test_a_contact_is_explained_by_its_typed_key(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = ws.builder(US)
    spy = Spy(panel, monkeypatch)
    assert spy.ask("explain", contact=" ")["rows"] is None
    inside, outside = int(panel.df().iloc[0, 0]), 3
    assert spy.ask("explain", contact=f" {inside} ")["member"] is True
    found, own = spy.ask("explain", contact=str(outside)), ws.explain(US, outside)
    assert found["member"] is own.member is False
    assert found["lines"] == own.text.splitlines()
    assert [(row["condition"], row["holds"], row["depth"]) for row in found["rows"]] == [
        (condition, holds, path.count(".items["))
        for condition, holds, path in own.frame[["condition", "holds", "path"]].itertuples(index=False)
    ]
    assert [row["found"] for row in found["rows"] if row["asked"]] == [str(own.frame["value"][i]) for i in (1, 2)]
    assert "no" in spy.ask("explain", contact="nobody@example.com")["error"]["what"]


def test_a_contact_is_masked_unless_asked(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(ws.builder(F.email.contains("@")), monkeypatch)
    masked, plain = (json.dumps(spy.ask("explain", contact="1", masked=own)["rows"]) for own in (True, False))
    address = str(ws.members(everyone(), ["email"]).query("contact_id == 1")["email"].iloc[0])
    assert address in plain
    assert address not in masked


def test_the_preview_of_nobody_is_empty(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Spy(ws.builder(F.opens < 0), monkeypatch).ask("preview")
    assert "email" in found["columns"]
    assert found["rows"] == []


def test_a_failure_of_an_answer_is_told(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = ws.builder(US)
    spy = Spy(panel, monkeypatch)
    panel._handed = replace(panel._handed, preview=lambda *_: {}["boom"])
    assert spy.ask("preview")["error"]["what"] == "KeyError: 'boom'"


def test_values_are_suggested_with_counts(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(ws.builder(), monkeypatch)
    found = spy.ask("suggest", name="country", event=None)["values"]
    assert found[0] == {"text": "USA", "count": ws.size(F.country == "USA")}
    assert spy.ask("suggest", name="email", event=None)["values"] == []
    assert spy.ask("suggest", name="category", event="purchased")["values"]
    assert "country" in spy.ask("suggest", name="contry", event=None)["error"]["fix"]


def test_few_addresses_are_not_listed_either() -> None:
    with connect({"contacts": pd.DataFrame({"contact_id": [1, 2], "email": ["a@b.com", None]})}, home=None) as own:
        from segkit import suggestions

        assert suggestions.of_field(own.engine, own.catalog, "email").values == ()


def test_text_replaces_the_rows(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(ws.builder(US), monkeypatch)
    spy.ask("parse", text="Opened >= 5 emails in last 30 days OR NOT state IN ('CA')")
    assert spy.panel.segment.where == (E.opened.within(days=30).count() >= 5) | ~F.state.is_in(["CA"])
    assert (spy.panel.segment.name, spy.panel.segment.notes) == ("US", "who")
    error = spy.ask("parse", text="opens > ")["error"]
    assert "^" in error["where"]
    assert spy.panel.segment.where != everyone()


def test_kinds_of_calculated_fields_follow_when_the_panel_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(home=None) as own:
        own.define(place=F.state.coalesce(F.country))
        spy = Spy(own.builder(), monkeypatch)

        def kind() -> str:
            return next(field["kind"] for field in spy.panel.options["fields"] if field["name"] == "place")

        assert kind() == "number"
        spy.ask("description")
        assert kind() == "text"


def test_saving_and_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(home=tmp_path) as own:
        panel = own.builder(F.opens > 5)
        spy = Spy(panel, monkeypatch)
        assert "no name" in spy.ask("save")["error"]["what"]
        panel.edit("rename", "Open", "why")
        assert spy.ask("save")["saved"] == "Open"
        assert own.segments == (Segment("Open", F.opens > 5, notes="why"),)
        example = Example(name="six", contact={"opens": 6}, expected=True)
        own.save(own.segments[0].with_examples(example))
        spy.ask("save")
        assert own.segments[0].examples == (example,)
        assert panel.options["segments"] == ["Open"]
        panel.segment = everyone()
        spy.ask("load", name="Open")
        assert panel.segment == own.segments[0]
        assert spy.ask("load", name="Nope")["error"]["what"]


def test_a_repr_asks_nothing(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = ws.builder(US)
    monkeypatch.setattr(ws.engine, "_run", lambda _: pytest.fail("a query"))
    assert repr(panel).startswith("Panel of US: ")
    data, _ = panel._repr_mimebundle_()
    assert "833" in data["text/html"] or f"{panel.view['size']:,}" in data["text/html"]
    assert "SELECT" in data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in data


def test_static_html_escapes_everything(ws: segkit.Workspace) -> None:
    panel = ws.builder(Segment(HOSTILE, (F[HOSTILE] == HOSTILE) & in_list(HOSTILE), notes=HOSTILE))
    data, _ = panel._repr_mimebundle_()
    assert "<img" not in data["text/html"]
    assert "</script" not in data["text/html"]
    assert "&lt;img" in data["text/html"]
    unfinished = Draft(Group("1", items=(Rule("2", OfField("a"), HOSTILE), Kept("3", "{", HOSTILE))), name=HOSTILE)
    assert "<img" not in static.html(unfinished, {}, HOSTILE)


def test_static_html_says_when_and_why(ws: segkit.Workspace) -> None:
    panel = ws.builder(Segment("US", ~((F.country == "USA") | (F.contry == "x"))))
    data, _ = panel._repr_mimebundle_()
    for shown in (repr(panel), data["text/html"]):
        assert "as of 2025-11-30 12:00 UTC" in shown
        assert "none of" in shown
        assert "unknown field" in shown
        assert "contry" in shown
        assert "1,852" in shown


def test_days_are_previewed_without_a_time(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy(ws.builder(F.birthday.is_missing() | (F.opens > 5)), monkeypatch)
    found = spy.ask("preview")
    at = {name: [row[i] for row in found["rows"]] for i, name in enumerate(found["columns"])}
    assert all(re.fullmatch(r"(\d{4}-\d\d-\d\d)?", text) for text in at["birthday"])
    assert any(at["birthday"])
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d.*", text) for text in at["created_at"])


# ---------------------------------------------------------------- beside the main thread


def test_stale_counts_are_dropped(ws: segkit.Workspace) -> None:
    panel = ws.builder(F.opens > 1)
    asked: list[nodes.Predicate] = []
    gate, real = threading.Event(), panel._handed.count

    def slow(own: nodes.Definition) -> Any:
        asked.append(own.where)
        assert threading.current_thread() is not threading.main_thread()
        gate.wait(5)
        return real(own)

    panel._handed = replace(panel._handed, count=slow)
    shown: list[dict[str, Any]] = []
    panel.observe(lambda change: shown.append(change["new"]), "view")

    async def edits_follow() -> None:
        for number in range(2, 7):
            panel.segment = F.opens > number
            await asyncio.sleep(0.02)
        assert panel.view["waiting"]
        assert panel.view["revision"] == 5
        gate.set()
        for _ in range(100):
            await asyncio.sleep(0.05)
            if not panel.view["waiting"]:
                break

    asyncio.run(edits_follow())
    assert asked == [(F.opens > 2).node, (F.opens > 6).node]
    assert [(view["revision"], view["size"]) for view in shown if not view["waiting"]] == [(5, ws.size(F.opens > 6))]
    panel.close()


LONG = segkit.raw_sql("levenshtein(repeat(md5(CAST(contact_id AS VARCHAR)), 9), repeat('ab', 150)) < 5", dialect="duckdb")
"""Minutes of work for the contacts of `large`."""


@pytest.fixture(scope="module")
def large() -> Iterator[segkit.Workspace]:
    with connect({"contacts": pd.DataFrame({"contact_id": range(2_000_000)})}, home=None) as own:
        own.size(everyone())
        yield own


async def replaced(panel: Any, where: segkit.builder.Predicate) -> None:
    """Another segment for a panel that is busy, soon counted."""
    begin = time.perf_counter()
    panel.segment = where
    while panel.view["waiting"]:
        await asyncio.sleep(0.02)
        assert time.perf_counter() - begin < 15, "the query before is still waited for"


def test_an_edit_calls_off_the_count_of_the_draft_before(large: segkit.Workspace) -> None:
    panel = large.builder(F.contact_id > 5)

    async def edits_follow() -> None:
        panel.segment = (F.contact_id > 5) & LONG
        await asyncio.sleep(1)
        assert panel.view["waiting"]
        await replaced(panel, F.contact_id > 9)

    asyncio.run(edits_follow())
    assert panel.view["size"] == 1_999_990
    assert panel.view["problem"] is None
    panel.close()


def test_an_edit_calls_off_the_preview_of_the_draft_before(large: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = large.builder(F.contact_id > 5)
    spy = Spy(panel, monkeypatch)
    monkeypatch.setattr(panel, "_handed", replace(panel._handed, preview=lambda *_: large.members(LONG)))

    async def edits_follow() -> None:
        panel._asked(panel, {"ask": "preview", "number": 7}, [])
        await asyncio.sleep(1)
        assert spy.replies == []
        await replaced(panel, F.contact_id > 9)

    asyncio.run(edits_follow())
    assert spy.replies == [{"number": 7, "error": {"what": "the query was called off", "fix": "ask again", "where": ""}}]
    panel.close()


def test_what_a_panel_asks_ends_with_it(large: segkit.Workspace) -> None:
    panel = large.builder(F.contact_id > 5)

    async def closed() -> None:
        panel.segment = LONG
        await asyncio.sleep(0.5)
        panel.close()

    asyncio.run(closed())
    begin = time.perf_counter()
    assert large.size(F.contact_id > 9) == 1_999_990
    assert time.perf_counter() - begin < 15


def test_opening_a_panel_is_interrupted(large: segkit.Workspace) -> None:
    timer = threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        large.builder(LONG)
    timer.join()
    assert large.builder(F.contact_id > 9).view["size"] == 1_999_990


def test_a_failure_while_counting_is_told(ws: segkit.Workspace) -> None:
    def broken(_: nodes.Definition) -> Any:
        raise ValueError("boom")

    panel = ws.builder(F.opens > 1)
    panel._handed = replace(panel._handed, count=broken)
    panel.edit("negate", (0,))
    assert panel.view["problem"]["what"] == "counting failed: ValueError: boom"
    assert not panel.view["waiting"]


def test_without_anywidget_it_says_what_to_install(ws: segkit.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "segkit.panel.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(SegkitError, match=r"segkit\[lab\]"):
        ws.builder()
