"""What objects show in a notebook: whole, escaped, in the notebook's colours, and without any query."""

from __future__ import annotations

import datetime as dt
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from test_charts import hostile

from segkit import Catalog, E, F, Journey, Segment, StaticList, connect, display, in_list, raw_sql, templates, views
from segkit.nodes import Definition, Everyone

TAGS = {"div", "style", "span", "bdi", "code", "ul", "li", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"class", "open", "scope"}
NEARLY_HTML = [
    "<b>x</b>",
    "a&amp;b",
    "&#60;script&#62;",
    "</style><script>alert(1)</script>",
    "</details>",
    "' onclick='x",
    "-->",
    "]]>",
]


class Reading(HTMLParser):
    """The elements of a page, each closed, and its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert {name for name, _ in attrs} <= ATTRIBUTES
        self.open.append(tag)
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)


def shown(thing: Any) -> list[str]:
    return Reading(thing._repr_html_()).texts


@pytest.fixture(scope="module")
def ws():
    with connect(home=None) as workspace:
        yield workspace


# ---------------------------------------------------------------- what is shown


def test_a_segment_shows_its_name_notes_and_tree() -> None:
    segment = Segment(
        "VIP",
        (F.opens > 5) & ((F.country == "USA") | ~((F.level == 3) & (F.tier == "Gold"))) - (F.age < 18) - in_list("Staff"),
        notes="For the beta.",
        owner="Ann",
        tags=["a", "b"],
    )
    texts = shown(segment)
    for text in (
        "Segment",
        "VIP",
        "For the beta.",
        "Ann",
        "a, b",
        "F.opens > 5",
        "any of",
        "not all of",
        "F.tier == 'Gold'",
        "~in_list('Staff')",
    ):
        assert text in texts
    assert texts[-1] == segment.describe()


def test_the_tree_is_nested_as_the_condition_is() -> None:
    tree = views.tree(((F.a == 1) & ((F.b == 2) | (F.c == 3)) & ~((F.d == 4) | (F.e == 5))).node)
    assert tree.text == "all of"
    assert [own.text for own in tree.below] == ["F.a == 1", "any of", "none of"]
    assert [[own.text for own in group.below] for group in tree.below] == [[], ["F.b == 2", "F.c == 3"], ["F.d == 4", "F.e == 5"]]


def test_a_segment_shows_the_same_on_every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    for segment in templates.documented():
        told = shown(segment)[-1]
        timely = segment.describe(as_of="2020-01-01") != segment.describe(as_of="2021-06-01")
        assert (told == "describe() says it in words, with its dates resolved.") == timely


def test_a_catalog_shows_every_field_and_event(ws) -> None:
    ws.size(F.opens > 5)
    ws.define(average=F.total_revenue / F.order_count)
    texts = shown(ws.catalog)
    for name, column in ws.catalog.contacts.fields.items():
        assert name in texts
        assert any(str(column.kind) in text for text in texts)
    for name in (*ws.catalog.event_names(), *ws.catalog.lists.observed, "average", "customer_tier", "VIP Customers"):
        assert name in texts
    folded = [attrs for tag, attrs in Reading(ws.catalog._repr_html_()).tags if tag == "details"]
    assert len(folded) >= 4
    assert [("open" in attrs) for attrs in folded].count(True) == 1


def test_a_workspace_shows_where_when_and_what() -> None:
    with connect(home=None, timezone="Europe/Rome", as_of="2025-11-30T12:00Z") as own:
        own.define(Segment("VIP", F.opens > 5, notes="The best."))
        texts = shown(own)
    assert {"duckdb", "as of 2025-11-30 12:00 UTC, local dates in Europe/Rome", "VIP", "The best."} <= set(texts)
    contacts, events, calculated = own.catalog.contacts.fields, own.catalog.event_names(), own.catalog.calculated
    assert f"{len(contacts)} fields, {len(calculated)} calculated, {len(events)} events" in texts


def test_lists_and_journeys_show_what_they_hold() -> None:
    own = StaticList("Launch", 12345, dt.datetime(2025, 11, 30, 12, tzinfo=dt.UTC), "contact_id")
    assert shown(own)[-2:] == ["Launch", "12,345 contacts, as of 2025-11-30 12:00 UTC"]
    texts = shown(Journey([Segment("Lead", F.opens > 0), Segment("Customer", E.purchased.any())], name="Growth"))
    assert {"Growth", "Lead", "F.opens > 0", "Customer", repr(E.purchased.any())} <= set(texts)


# ---------------------------------------------------------------- hostile texts


@pytest.mark.parametrize("part", range(4))
def test_no_text_becomes_markup(part: int) -> None:
    for text in [*NEARLY_HTML, "\ud800", *hostile()][part::4]:
        view = display.View(
            text,
            text,
            (display.Line(text, text), display.Table(text, (text,), ((text,),)), display.Tree(text, (display.Tree(text),))),
        )
        reading = Reading(display.html(view))
        assert reading.texts.count(display.seen(text)) >= 5 or not text
        assert "\x1b" not in display.html(view)
        display.html(view).encode()


@pytest.mark.parametrize(
    "text", [text for text in (*NEARLY_HTML, *hostile()[:11]) if text and "\x00" not in text and len(text) < 1000]
)
def test_objects_with_hostile_names_show_them_as_text(text: str) -> None:
    where = (F[text] == text) & (E[text].count() > 1)
    catalog = Catalog.from_dict(
        {
            "contacts": {"table": text, "key": text, "fields": {text: "text"}},
            "events": [{"table": text, "names": [text], "properties": {text: "text"}}],
            "calculated": {f"{text}2": "1 / 2"},
        }
    )
    own = Segment(text, where, notes=text, owner=text, tags=[text])
    for thing in (own, Journey([own], name=text), StaticList(text, 1, dt.datetime.now(dt.UTC), text), catalog):
        assert any(display.seen(text) in found for found in shown(thing))
    assert "\x1b" not in repr(catalog)


def test_a_workspace_with_hostile_tables_shows_them_as_text() -> None:
    name = "<img src=x onerror=alert(1)>"
    with connect({"contacts": pd.DataFrame({"contact_id": [1], name: ["a"]})}, home=None) as own:
        own.define(Segment(name, F[name] == name))
        assert name in shown(own)
        assert name in shown(own.catalog)


# ---------------------------------------------------------------- no query, no secret


class Silent:
    """An engine that answers nothing, and knows a secret."""

    dialect = renders_as = "duckdb"

    def __init__(self, own: Any) -> None:
        self.limits = own.limits

    def frame(self, sql: str) -> pd.DataFrame:
        raise AssertionError(f"a query: {sql}")

    tables = keep = materialize = frame

    def __repr__(self) -> str:
        return "postgresql://ann:secret@db/crm"


def test_nothing_that_is_shown_asks_the_data(tmp_path: Path) -> None:
    with connect(home=tmp_path / "kept") as own:
        kept = own.freeze(F.country == "USA", "Launch")
        own.save(Segment("VIP", F.opens > 5))
        engine, own.engine = own.engine, Silent(own.engine)
        for thing in (own, own.catalog, own.segments[0], kept, Journey([own.segments[0]])):
            for text in (thing._repr_html_(), repr(thing), str(thing)):
                assert "secret" not in text
                assert str(tmp_path) not in text
        own.engine = engine


def test_a_path_is_not_shown(tmp_path: Path) -> None:
    import duckdb

    with duckdb.connect(str(tmp_path / "crm.duckdb")) as connection:
        connection.execute("CREATE TABLE contacts AS SELECT 1 AS contact_id")
    with connect(tmp_path / "crm.duckdb", home=tmp_path / "kept") as own:
        for text in (repr(own), own._repr_html_(), own.catalog._repr_html_()):
            assert str(tmp_path) not in text


# ---------------------------------------------------------------- large and odd ones


def test_large_definitions_are_cut_and_say_so() -> None:
    wide = Segment("wide", F.a.is_in(range(3))).where
    for i in range(999):
        wide = wide | (F.a == f"value {i}")
    texts = shown(Segment("wide", wide))
    assert "… and 800 more" in texts
    assert len(Segment("options", F.a.is_in(range(100_000)))._repr_html_()) < 10_000
    assert len(Segment("sql", raw_sql("1 = 1 OR " * 1000 + "1 = 1", dialect="duckdb"))._repr_html_()) < 10_000


def test_deep_definitions_are_shown_whole() -> None:
    where = F.a == 0
    for i in range(1, 20):
        where = (where & (F.a == 2 * i)) | (F.a == 2 * i + 1)
    assert "F.a == 0" in shown(Segment("deep", where))


def test_many_rows_are_cut_and_say_so() -> None:
    table = display.Table("fields", ("name",), tuple((str(i),) for i in range(1200)))
    texts = Reading(display.html(display.View("Catalog", "", (table,)))).texts
    assert "and 700 more" in texts
    assert "1,200" in texts


def test_a_segment_without_name_and_condition() -> None:
    html = display.html(views.definition(Definition(None, Everyone()), ""))
    assert {"(no name)", "everyone"} <= set(Reading(html).texts)


def test_colours_are_those_of_the_notebook() -> None:
    [style] = re.findall(r"<style>(.*?)</style>", display.html(display.View("Segment", "a")))
    assert "background:#" not in style
    assert set(re.findall(r"color:([^;}]+)", style.replace("border-bottom", ""))) <= {
        "inherit",
        "var(--jp-content-font-color1,inherit)",
        "var(--jp-content-font-color2,inherit)",
    }
    assert "url(" not in style
    assert all(rule.startswith((".segkit-view", "")) for rule in style.split("}"))


def test_numbers_stand_on_the_right_and_columns_that_say_nothing_are_left_out(ws) -> None:
    kept = display.Table("lists", ("list", "contacts"), (("VIPs", "1,234"), ("2024", "5")))
    shown = display.html(display.View("Workspace", "duckdb", (kept,)))
    assert '<th scope="col">list</th><th scope="col" class="number">contacts</th>' in shown
    assert '<td><bdi>2024</bdi></td><td class="number"><bdi>5</bdi></td>' in shown
    assert ">column</th>" not in ws.catalog._repr_html_()
