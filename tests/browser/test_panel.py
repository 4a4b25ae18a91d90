"""The panel in Chromium: the module alone, with a fake model in the page that the real Python side answers."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import scenes
from axe_playwright_python.sync_playwright import Axe
from cases_runner import every_definition
from conftest import Visit
from panel_page import Kernel, serve
from playwright.sync_api import Locator, Page, expect
from scenes import SCENES, TWENTY

import segkit
from segkit import E, F, all_of, any_of, in_list, nodes, sample
from segkit.errors import DefinitionError
from segkit.panel import answers, edits
from segkit.panel.draft import Group, Kept, OfEvents, OfField, Rule, read, written
from segkit.panel.handed import Handed
from segkit.panel.meaning import definition
from segkit.panel.projection import drafted

HOSTILE = '<img src=x onerror="window.hacked=1">\'&</script>\u202e'


@pytest.fixture(scope="module")
def given() -> Handed:
    return scenes.given()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server, address = serve()
    yield address
    server.shutdown()


Opened = Callable[..., Kernel]


@pytest.fixture
def opened(visit: Visit, given: Handed, address: str) -> Iterator[Opened]:
    """Opens the panel on a definition; at the end there was no error, no injection, no request, and focus was never lost."""

    def begin(where: Any = None, name: str | None = None, theme: str = "light") -> Kernel:
        kernel = Kernel(visit.page, given, where, name)
        kernel.start(address, theme)
        return kernel

    yield begin
    assert visit.errors == []
    assert visit.outside == []
    assert visit.page.evaluate("window.hacked") is None


def row(page: Page, at: int) -> Locator:
    return page.locator(".sk-rule").nth(at)


def said(kernel: Kernel) -> segkit.builder.Predicate:
    kernel.settle()
    return segkit.builder.Predicate(definition(kernel.draft).where)


def focus_key(page: Page) -> str | None:
    """Where the keyboard is: None on the page itself."""
    return page.evaluate("document.activeElement?.dataset?.key ?? null")


def test_a_segment_is_clicked_together(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(), visit.page
    expect(page.locator(".sk-total")).to_contain_text("3,999")
    page.get_by_role("button", name="condition", exact=True).click()
    page.keyboard.type("count")
    page.get_by_role("option", name="country").click()
    page.keyboard.type("USA")
    assert said(kernel) == (F.country == "USA")
    page.get_by_role("button", name="condition", exact=True).click()
    page.keyboard.type("open")
    page.get_by_role("option", name=re.compile("^opened")).click()
    row(page, 1).get_by_label("When").select_option("last")
    kernel.settle()
    row(page, 1).get_by_label("Value").fill("5")
    assert said(kernel) == (F.country == "USA") & (E.opened.within(days=30).count() >= 5)
    expect(row(page, 1).locator(".sk-bounds")).to_have_text(re.compile("after 2025-10-31 12:00"))
    expect(page.locator(".sk-total-number")).to_have_text(f"{kernel.view()['size']:,}")
    expect(row(page, 0).locator(".sk-number")).to_have_text("1,852")


def test_an_event_gets_a_filter_and_a_measure(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(E.purchased.count() > 1), visit.page
    row(page, 0).get_by_label("What is measured").select_option("sum")
    page.get_by_label("Property", exact=True).select_option("amount")
    page.get_by_role("button", name="filter", exact=True).click()
    page.keyboard.type("categ")
    page.keyboard.press("Enter")
    kernel.settle()
    page.locator(".sk-filter .sk-value").fill("Software")
    row(page, 0).get_by_label("Operator").first.select_option("greater_than")
    kernel.settle()
    row(page, 0).locator(".sk-cond > .sk-value").fill("500")
    assert said(kernel) == (E.purchased.where(F.category == "Software").sum("amount") > 500)
    page.get_by_role("button", name="Remove the filter").click()
    assert said(kernel) == (E.purchased.sum("amount") > 500)
    assert focus_key(page) is not None


def test_values_are_suggested_with_counts(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(F.country == "x"), visit.page
    value = page.get_by_label("Value")
    value.click()
    value.fill("")
    kernel.settle(250)
    expect(page.locator(".sk-pop [role=option]").first).to_have_text(re.compile(r"USA\s*1,852"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert said(kernel) == (F.country == "Canada")
    expect(page.get_by_role("listbox")).to_have_count(0)
    assert focus_key(page) == "2/value0"


def test_several_values_become_chips(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(F.country == "USA"), visit.page
    page.get_by_label("Operator").select_option("in")
    kernel.settle()
    page.get_by_label("Add a value").fill("Canada")
    page.keyboard.press("Enter")
    kernel.settle()
    assert said(kernel) == F.country.is_in(["USA", "Canada"])
    page.get_by_role("button", name="Remove USA").click()
    assert said(kernel) == F.country.is_in(["Canada"])


def test_dates_are_distances(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(F.last_purchase.within(days=7)), visit.page
    page.get_by_label("Operator").select_option("older_than")
    kernel.settle()
    page.get_by_label("How long").fill("3")
    page.get_by_label("Unit").select_option("months")
    assert said(kernel) == F.last_purchase.older_than(months=3)
    expect(row(page, 0).locator(".sk-bounds")).to_have_text("before 2025-08-30 12:00 UTC")
    page.get_by_label("Operator").select_option("in_period")
    kernel.settle()
    page.get_by_label("Which period").select_option("-1")
    assert said(kernel) == F.last_purchase.in_period("month", -1)


def test_groups_negation_muting_and_their_opposites(opened: Opened, visit: Visit) -> None:
    kernel, page = opened((F.country == "USA") & (F.opens > 5)), visit.page
    row(page, 0).get_by_role("button", name="Negate the condition").click()
    assert said(kernel) == ~(F.country == "USA") & (F.opens > 5)
    row(page, 1).get_by_role("button", name="Put the condition in a group").click()
    kernel.settle()
    inner = page.locator(".sk-group .sk-group")
    inner.get_by_role("button", name="condition", exact=True).click()
    page.keyboard.type("clicks")
    page.keyboard.press("Enter")
    row(page, 2).get_by_label("Value").fill("2")
    inner.get_by_role("button", name="OR", exact=True).click()
    assert said(kernel) == ~(F.country == "USA") & ((F.opens > 5) | (F.clicks >= 2))
    row(page, 0).get_by_role("button", name="Mute the condition").click()
    assert said(kernel) == all_of((F.opens > 5) | (F.clicks >= 2))
    expect(row(page, 0).locator(".sk-number")).to_have_text("muted")
    inner.get_by_role("button", name="Hide the rows of the group").click()
    expect(page.locator(".sk-rule")).to_have_count(1)
    inner.get_by_role("button", name="Show the rows of the group").click()
    inner.get_by_role("button", name="Dissolve the group").click()
    assert said(kernel) == (F.opens > 5) & (F.clicks >= 2)


def test_undo_and_redo_go_through_every_edit(opened: Opened, visit: Visit) -> None:
    kernel, page = opened((F.country == "USA") & (F.opens > 5)), visit.page
    before = kernel.draft.root
    row(page, 0).get_by_role("button", name="Remove the condition").click()
    row(page, 0).get_by_role("button", name="Duplicate the condition").click()
    row(page, 0).get_by_label("Value").fill("77")
    assert said(kernel) == (F.opens > 77) & (F.opens > 5)
    for _ in range(3):
        page.keyboard.press("Control+z")
    kernel.settle()
    assert kernel.draft.root == before
    assert focus_key(page) is not None
    for _ in range(3):
        page.keyboard.press("Control+y")
    assert said(kernel) == (F.opens > 77) & (F.opens > 5)
    page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    assert said(kernel) == (F.opens > 5) & (F.opens > 5)


def test_rows_move_by_keyboard(opened: Opened, visit: Visit) -> None:
    kernel, page = opened((F.country == "USA") & (F.opens > 5) & any_of(F.clicks > 1, F.clicks < 9)), visit.page
    row(page, 0).locator(".sk-grip").focus()
    page.keyboard.press("Alt+ArrowDown")
    assert said(kernel) == (F.opens > 5) & (F.country == "USA") & any_of(F.clicks > 1, F.clicks < 9)
    page.keyboard.press("Alt+ArrowDown")
    assert said(kernel) == (F.opens > 5) & any_of(F.country == "USA", F.clicks > 1, F.clicks < 9)
    assert focus_key(page) == "3/grip"
    for _ in range(3):
        page.keyboard.press("Alt+ArrowDown")
    assert said(kernel) == (F.opens > 5) & any_of(F.clicks > 1, F.clicks < 9) & (F.country == "USA")
    page.keyboard.press("Alt+ArrowDown")
    expect(page.get_by_role("status")).to_have_text("the row is the last")
    assert focus_key(page) == "3/grip"


def test_rows_move_by_dragging(opened: Opened, visit: Visit) -> None:
    kernel, page = opened((F.country == "USA") & (F.opens > 5) & any_of(F.clicks > 1, F.clicks < 9)), visit.page
    row(page, 0).locator(".sk-grip").drag_to(row(page, 3), target_position={"x": 200, "y": 30})
    assert said(kernel) == (F.opens > 5) & any_of(F.clicks > 1, F.clicks < 9, F.country == "USA")
    page.locator(".sk-group .sk-group .sk-group-head .sk-grip").drag_to(row(page, 0), target_position={"x": 200, "y": 3})
    assert said(kernel) == segkit.all_of(any_of(F.clicks > 1, F.clicks < 9, F.country == "USA"), F.opens > 5)
    page.locator(".sk-group .sk-group .sk-group-head .sk-grip").drag_to(row(page, 1), target_position={"x": 200, "y": 20})
    assert said(kernel) == segkit.all_of(any_of(F.clicks > 1, F.clicks < 9, F.country == "USA"), F.opens > 5)
    assert page.locator(".sk-dragged").count() == 0


def test_focus_is_never_lost(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(TWENTY), visit.page
    rng = random.Random(7)
    for _ in range(40):
        buttons = page.locator(".sk-tree button:not([disabled]):not(.sk-pick):not(.sk-grip)")
        button = buttons.nth(rng.randrange(buttons.count()))
        button.focus()
        page.keyboard.press("Enter")
        if page.locator(".sk-pop.sk-open").count():
            page.keyboard.press("Escape")
        assert focus_key(page) is not None
    kernel.settle()
    assert focus_key(page) is not None


def test_everything_is_reached_by_tab_and_labelled(opened: Opened, visit: Visit) -> None:
    opened(TWENTY)
    unlabelled = visit.page.evaluate(
        """() => [...document.querySelectorAll(".segkit-panel :is(button, input, select, textarea)")]
            .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.length)).map((node) => node.outerHTML)"""
    )
    assert unlabelled == []
    skipped = visit.page.evaluate(
        """() => [...document.querySelectorAll(".segkit-panel :is(button, input, select, textarea)")]
            .filter((node) => node.tabIndex < 0 && node.role !== "tab").length"""
    )
    assert skipped == 0


def test_a_wrong_part_says_why(opened: Opened, visit: Visit) -> None:
    kernel, page = opened((F.contry == "USA") & (F.opens > 5)), visit.page
    expect(row(page, 0).locator(".sk-reason")).to_have_text("unknown field 'contry': did you mean 'country'?")
    expect(page.locator(".sk-total")).to_contain_text("1 part is not finished")
    row(page, 1).get_by_label("Value").fill("many")
    kernel.settle()
    expect(row(page, 1).locator(".sk-reason")).to_have_text("'many' is no number: write it like 5 or 2.5")
    assert focus_key(page) is not None


def test_what_cannot_be_edited_is_kept(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(sample(percent=10, seed="a") & (F.opens == 5.0) & (F.clicks > 2**60 + 1)), visit.page
    expect(page.locator(".sk-kept")).to_have_text('SAMPLE 10% SEED "a"')
    row(page, 1).get_by_role("button", name="Duplicate the condition").click()
    kernel.settle()
    page.keyboard.press("Control+z")
    kernel.settle()
    back = definition(kernel.draft).where
    assert repr(back) == repr((sample(percent=10, seed="a") & (F.opens == 5.0) & (F.clicks > 2**60 + 1)).node)


def test_tabs_show_what_was_built(opened: Opened, visit: Visit) -> None:
    kernel, page = opened((F.country == "USA") & (F.opens > 5), "US"), visit.page
    expect(page.locator(".sk-told")).to_have_text("Contacts whose country is 'USA' and whose opens are greater than 5.")
    for tab, part in {"SQL": "SELECT", "Python": "Segment('US'", "JSON": '"segkit": 1'}.items():
        page.get_by_role("tab", name=tab).click()
        kernel.settle(250)
        expect(page.locator("pre.sk-code")).to_contain_text(part)
    page.get_by_role("tab", name="SQL").click()
    kernel.settle(250)
    page.get_by_label("Dialect").select_option("snowflake")
    kernel.settle(250)
    expect(page.locator("pre.sk-code")).to_contain_text("Dialect snowflake")
    page.get_by_role("tab", name="Preview").click()
    kernel.settle(250)
    expect(page.locator(".sk-table")).to_contain_text("***@***")
    page.get_by_label("mask e-mail addresses").uncheck()
    kernel.settle(250)
    expect(page.locator(".sk-table")).not_to_contain_text("***@***")
    page.keyboard.press("Tab")
    assert focus_key(page) is not None


def test_a_diagnosis_is_a_table(opened: Opened, visit: Visit) -> None:
    kernel, page = opened((F.location == "usa") & (F.opens > 5)), visit.page
    page.get_by_role("tab", name="Diagnosis").click()
    kernel.settle(250)
    table = page.get_by_role("region", name="What is wrong")
    expect(table).to_contain_text("did you mean 'USA'?")
    expect(table.get_by_role("img", name="error").first).to_have_text("✗")
    kernel.settle(250)
    page.get_by_role("button", name="Remove the condition").first.click()
    kernel.settle(400)
    expect(page.locator(".sk-tabpanel")).not_to_contain_text("USA")


def test_one_contact_is_a_tree_of_marks(opened: Opened, visit: Visit) -> None:
    kernel, page = opened((F.country == "USA") & ((F.opens > 500) | (F.clicks > 500)), "US"), visit.page
    page.get_by_role("tab", name="One contact").click()
    kernel.settle(250)
    expect(page.locator(".sk-tabpanel")).to_contain_text("type the key of a contact")
    page.get_by_label("Key of the contact").fill("3")
    page.keyboard.press("Enter")
    kernel.settle(250)
    expect(page.locator(".sk-said li").first).to_contain_text("Contact 3 is not in US")
    table = page.get_by_role("region", name="What each condition found")
    assert table.get_by_role("img", name="does not hold").count() > 1
    expect(table.locator("tbody tr").nth(3)).to_contain_text("decides")
    assert focus_key(page) == "contact"


def test_text_is_edited_with_a_caret_at_errors(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(F.country == "USA"), visit.page
    page.get_by_role("tab", name="Text").click()
    kernel.settle(250)
    area = page.get_by_label("The condition as text")
    expect(area).to_have_value('country = "USA"')
    area.fill("opens >")
    page.keyboard.press("Control+Enter")
    kernel.settle(250)
    expect(page.locator(".sk-caret")).to_contain_text("^")
    area.fill("opens > 5 OR clicks > 2")
    page.keyboard.press("Control+Enter")
    assert said(kernel) == (F.opens > 5) | (F.clicks > 2)
    expect(page.locator(".sk-rule")).to_have_count(2)
    page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    assert said(kernel) == (F.country == "USA")


def test_a_segment_is_loaded(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(), visit.page
    page.get_by_role("button", name="Load").click()
    page.get_by_role("option", name="At risk").click()
    assert said(kernel) == (E.opened.within(days=60).count() < 2) & (E.opened.count() > 5)
    expect(page.get_by_label("Name of the segment")).to_have_value("At risk")


def opacity(button: Locator) -> str:
    return button.evaluate("(node) => getComputedStyle(node).opacity")


def test_not_is_out_of_sight_until_its_row_is_pointed_at(opened: Opened, visit: Visit) -> None:
    kernel, page = opened((F.country == "USA") & (F.opens > 5)), visit.page
    first, second = (row(page, at).get_by_role("button", name="Negate the condition") for at in (0, 1))
    page.mouse.move(1, 1)
    assert (opacity(first), opacity(second)) == ("0", "0")
    row(page, 0).hover()
    assert (opacity(first), opacity(second)) == ("1", "0")
    second.focus()
    page.mouse.move(1, 1)
    assert (opacity(first), opacity(second)) == ("0", "1")
    page.keyboard.press("Enter")
    kernel.settle()
    page.get_by_label("Name of the segment").focus()
    assert (opacity(first), opacity(second)) == ("0", "1")
    page.locator(".sk-root > .sk-group-head .sk-not").press("Enter")
    expect(page.locator(".sk-root > .sk-group-head .sk-words")).to_have_text("not all of these")
    page.get_by_role("button", name="OR", exact=True).click()
    expect(page.locator(".sk-root > .sk-group-head .sk-words")).to_have_text("none of these")


def test_sizes_stay_while_others_are_counted(opened: Opened, visit: Visit) -> None:
    kernel, page = opened((F.country == "USA") & F.last_open.within(days=9) & any_of(F.clicks > 1, F.clicks < 9)), visit.page
    shown = """() => [...document.querySelectorAll(".sk-row")].map((own) =>
        [own.querySelector(".sk-number").textContent, own.querySelector(".sk-bar > span").style.width, own.querySelector(".sk-bounds").textContent])"""
    before = page.evaluate(shown)
    assert before[1][0] == "1,852"
    page.evaluate("window.busy = true")
    row(page, 0).get_by_role("button", name="Negate the condition").click()
    expect(page.locator(".segkit-panel.sk-waiting")).to_have_count(1)
    assert page.evaluate(shown) == before
    page.evaluate("window.busy = false; window.toPython(JSON.stringify({ draft: window.state.draft }))")
    kernel.settle()
    expect(page.locator(".segkit-panel.sk-waiting")).to_have_count(0)
    assert page.evaluate(shown)[1][0] == "2,147"
    page.get_by_role("button", name="Mute the group").click()
    kernel.settle()
    assert [number for number, _, _ in page.evaluate(shown)][3:] == ["muted", "", ""]


def test_shares_and_blanks_are_not_rounded_out_of_sight(opened: Opened, visit: Visit) -> None:
    kernel, page = opened((F.contact_id == 19) & (F.country == "USA")), visit.page
    expect(page.locator(".sk-total-share")).to_contain_text("of 3,999 contacts (<0.1%)")
    value = row(page, 1).get_by_label("Value")
    value.fill("usa")
    kernel.settle(250)
    expect(page.locator(".sk-pop [role=option]").nth(1)).to_have_text(re.compile(r'^" USA"43$'))
    page.locator(".sk-pop [role=option]").nth(1).click()
    assert said(kernel) == (F.contact_id == 19) & (F.country == " USA")
    page.get_by_role("tab", name="Preview").click()
    kernel.settle(250)
    expect(page.locator(".sk-tabpanel")).to_contain_text("nobody is in it")
    row(page, 0).get_by_role("button", name="Remove the condition").click()
    kernel.settle()
    expect(page.locator(".sk-tabpanel")).to_contain_text("the first 10 of 43")


def test_hostile_text_stays_text(opened: Opened, visit: Visit) -> None:
    kernel, page = (
        opened(
            (F[HOSTILE] == HOSTILE) & F.country.is_in([HOSTILE]) & in_list(HOSTILE) & segkit.raw_sql(HOSTILE, dialect="duckdb"),
            HOSTILE,
        ),
        visit.page,
    )
    for tab in ("SQL", "Python", "Text", "JSON", "Preview", "Description"):
        page.get_by_role("tab", name=tab).click()
        kernel.settle(250)
    assert page.locator(".segkit-panel img").count() == 0
    expect(page.get_by_label("Name of the segment")).to_have_value(HOSTILE)
    assert page.evaluate("window.hacked") is None


def test_the_panel_draws_while_the_kernel_is_busy(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(TWENTY), visit.page
    page.evaluate("window.busy = true")
    took = page.evaluate(
        """async () => {
            const begin = performance.now();
            document.querySelector('[data-key="1/add"]').click();
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            return performance.now() - begin;
        }"""
    )
    assert took < 150
    page.keyboard.type("opens")
    page.keyboard.press("Enter")
    page.keyboard.type("7")
    page.wait_for_timeout(500)
    page.evaluate("window.busy = false; window.toPython(JSON.stringify({ draft: window.state.draft }))")
    assert said(kernel).node == nodes.And((*TWENTY.node.items, (F.opens >= 7).node))


def test_an_edit_is_one_message_and_typing_is_debounced(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(TWENTY), visit.page
    page.evaluate("window.sent.length = 0")
    row(page, 1).get_by_role("button", name="Negate the condition").click()
    kernel.settle()
    assert len(page.evaluate("window.sent")) == 1
    row(page, 1).get_by_label("Value").press_sequentially("123456", delay=20)
    kernel.settle()
    assert len(page.evaluate("window.sent")) == 2


def test_nothing_is_left_behind(opened: Opened, visit: Visit) -> None:
    kernel, page = opened(F.country == "USA"), visit.page
    count = "document.querySelectorAll('*').length"
    before = page.evaluate(count)
    for _ in range(50):
        row(page, 0).get_by_role("button", name="Duplicate the condition").click()
        row(page, 0).get_by_role("button", name="Remove the condition").click()
    kernel.settle()
    assert page.evaluate(count) == before
    page.evaluate("window.close_panel()")
    assert page.locator(".segkit-panel").count() == 0


def random_edits(rng: random.Random) -> Iterator[tuple[Any, str, list[Any], Any]]:
    """Random edits of drafts: the draft, the edit, its arguments, and what Python makes of it (None: refused)."""
    event = Rule("0", OfEvents("opened", filter=(Rule("0", OfField("amount")), Rule("0"))))
    new = [Rule("0", OfField("opens"), "is_null"), Group("0", items=(event, Kept("0", "{}"))), event]
    draft = drafted(segkit.Segment("x", TWENTY).definition)
    for _ in range(400):
        paths: list[edits.Path] = [()]
        for path in paths:
            found = edits.row_at(draft, path)
            paths += [(*path, i) for i in range(len(found.items))] if isinstance(found, Group) else []
        name = rng.choice([name for name in edits.EDITS if name != "change"])
        path = rng.choice([*paths, (99,)])
        more: dict[str, list[Any]] = {
            "add": [path, rng.choice(new), rng.choice([None, 0, 1, 7])],
            "move": [path, rng.choice(paths), rng.randrange(4)],
            "nudge": [path, rng.random() < 0.5],
            "join": [path, rng.choice(["and", "or"])],
            "rename": [rng.choice(["a", HOSTILE]), rng.choice([None, "notes"])],
        }
        arguments = more.get(name, [path])
        try:
            after = edits.EDITS[name](draft, *arguments)
        except DefinitionError:
            after = None
        yield (
            written(draft),
            name,
            [written(a) if isinstance(a, Rule | Group) else a for a in arguments],
            after and written(after),
        )
        draft = after or draft


def test_the_browser_makes_the_same_edits_as_python(opened: Opened, visit: Visit) -> None:
    opened()
    made = refused = 0
    for draft, name, arguments, wanted in random_edits(random.Random(1)):
        found = visit.page.evaluate(
            "([draft, name, args]) => { try { return window.edits[name](draft, ...args); } catch (e) { return null; } }",
            [draft, name, arguments],
        )
        assert found == wanted, (name, arguments)
        made, refused = made + (wanted is not None), refused + (wanted is None)
    assert min(made, refused) > 50


EDITED_AND_UNDONE = """async ([drafts, options]) => {
    const module = await import(new URL("panel.js", location).href);
    return drafts.map((draft) => {
        const state = { draft, view: { revision: draft.revision }, options };
        const ignored = () => {};
        const set = (key, value) => { state[key] = structuredClone(value); };
        const place = document.createElement("div");
        document.body.append(place);
        const model = { get: (key) => state[key], set, save_changes: ignored, send: ignored, on: ignored, off: ignored };
        const close = module.default.render({ model, el: place });
        const row = draft.root.items.at(-1) ?? draft.root;
        const edits = row === draft.root ? ["not", "add-group"] : ["not", "mute", "copy", "remove"];
        const sent = [`${draft.root.id}/not`, ...edits.map((own) => `${row.id}/${own}`)].map((key) => {
            place.querySelector(`[data-key="${key}"]`).click();
            const edited = state.draft;
            place.querySelector('[data-key="undo"]').click();
            return [edited, state.draft];
        });
        close();
        place.remove();
        return sent;
    });
}"""


def test_the_browser_loses_nothing_of_any_conformance_definition(opened: Opened, visit: Visit) -> None:
    """Each is drawn, edited and set right again by the real module; what it sends then still says the same."""
    kernel, known = opened(), every_definition()
    assert len(known) > 1000
    options = answers.options(kernel.handed)
    for begin in range(0, len(known), 100):
        some = known[begin : begin + 100]
        drafts = [written(drafted(own)) for _, own in some]
        for (name, own), sent in zip(some, visit.page.evaluate(EDITED_AND_UNDONE, [drafts, options]), strict=True):
            for number, (edited, undone) in enumerate(sent):
                back = definition(read(undone))
                assert (back, repr(back)) == (own, repr(own)), name
                assert (edited["revision"], undone["revision"]) == (2 * number + 1, 2 * number + 2)
                assert edited["root"] != undone["root"], name


def test_options_that_arrive_close_no_list(opened: Opened, visit: Visit) -> None:
    """The kinds of calculated fields come after the panel is painted: somebody may be choosing by then."""
    kernel, page = opened(F.lifetime_value > 0), visit.page
    offered = answers.options(kernel.handed)
    as_text = [{**field, "kind": "text"} if field["name"] == "lifetime_value" else field for field in offered["fields"]]
    page.get_by_role("button", name="condition", exact=True).click()
    page.keyboard.type("count")
    kernel.tell(options={**offered, "fields": as_text})
    page.wait_for_timeout(300)
    assert row(page, 0).locator(".sk-kind").first.text_content() == "number", "nothing is drawn anew under an open list"
    page.get_by_role("option", name="country").click()
    expect(row(page, 0).locator(".sk-kind").first).to_have_text("text")
    expect(row(page, 1).locator(".sk-pick-name")).to_have_text("country")


CLIPPED = """() => {
    const panel = document.querySelector(".segkit-panel").getBoundingClientRect();
    return [...document.querySelectorAll(".segkit-panel *")].filter((node) => {
        const box = node.getBoundingClientRect();
        return box.width && !node.closest(".sk-table, pre, .sk-several, svg") && (box.right > panel.right + 1 || box.left < panel.left - 1);
    }).map((node) => node.outerHTML.slice(0, 120));
}"""
RIGHTS = """() => [...new Set([...document.querySelectorAll(".segkit-panel .sk-size")].map((node) => Math.round(node.getBoundingClientRect().right)))]"""
LINES = """() => {
    const all = (within, what, side) => [...within.querySelectorAll(what)].map((node) => Math.round(node.getBoundingClientRect()[side]));
    const rows = [...document.querySelectorAll(".sk-rule")].filter((own) => own.querySelector(".sk-pick"));
    return rows.flatMap((own) => [
        [...all(own, ".sk-cond > .sk-pick", "left"), ...(own.querySelector(".sk-bounds").textContent ? [own.querySelector(".sk-bounds").getBoundingClientRect().left] : [])],
        all(own, ".sk-on-events > :not(.sk-stream)", "bottom"),
        all(own, ".sk-filter > .sk-pick", "left"),
        all(own, ".sk-filter > .sk-operator", "left"),
    ]).filter((sides) => new Set(sides.map(Math.round)).size > 1);
}"""
"""The rows where a field and what is said below it, an event's measure and value, or its filters are out of line."""
OVERLAPS = """() => [...document.querySelectorAll(".segkit-panel .sk-row")].flatMap((row) => {
    const boxes = [...row.querySelectorAll("button, input, select, .sk-number")].filter((n) => n.offsetParent).map((n) => [n, n.getBoundingClientRect()]);
    return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) => !a.contains(b) && !b.contains(a)
        && p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 1 && q.top < p.bottom - 1).map(([b]) => [a.outerHTML.slice(0, 80), b.outerHTML.slice(0, 80)]));
})"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("scene", SCENES)
def test_nothing_is_clipped_overlapping_or_unaligned(opened: Opened, visit: Visit, scene: str, theme: str) -> None:
    where, name, width = SCENES[scene]
    visit.page.set_viewport_size({"width": width, "height": 900})
    opened(where, name, theme)
    assert visit.page.evaluate(CLIPPED) == []
    assert visit.page.evaluate(OVERLAPS) == []
    assert len(visit.page.evaluate(RIGHTS)) == 1
    assert width < 1000 or visit.page.evaluate(LINES) == []


CONTRAST = """() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgb = (css) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
    const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (node) => { for (let n = node; n; n = n.parentElement) { const c = rgb(getComputedStyle(n).backgroundColor); if (c[3] > 250) return c; } return [255, 255, 255, 255]; };
    return [...document.querySelectorAll(".segkit-panel :is(button, input, select, p, span, code, textarea)")]
        .filter((n) => n.offsetParent && !n.disabled && (n.value || n.textContent.trim()))
        .map((n) => { const a = light(rgb(getComputedStyle(n).color)), b = light(ground(n)); return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), n.outerHTML.slice(0, 100)]; })
        .filter(([ratio]) => ratio < 4.5);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_contrast(opened: Opened, visit: Visit, theme: str) -> None:
    kernel = opened(TWENTY & (F.contry == "x"), "Name", theme)
    row(visit.page, 0).get_by_role("button", name="Mute the condition").click()
    kernel.settle()
    assert visit.page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("scene", ["empty", "twenty", "invalid", "narrow"])
def test_axe_finds_nothing(opened: Opened, visit: Visit, scene: str, theme: str) -> None:
    where, name, width = SCENES[scene]
    page = visit.page
    page.set_viewport_size({"width": width, "height": 900})
    kernel = opened(where, name, theme)
    steps = [None, "1/add", *(f"tab/{tab}" for tab in ("preview", "diagnose", "explain", "sql", "text"))]
    for step in steps:
        if step is not None:
            page.keyboard.press("Escape")
            page.locator(f'[data-key="{step}"]').click()
            kernel.settle()
        found = Axe().run(page).response["violations"]
        assert [(own["id"], own["nodes"][0]["html"][:160]) for own in found] == [], step
