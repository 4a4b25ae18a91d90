"""The panel in a real JupyterLab: a segment clicked together says the same as the Python API, also while a cell runs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lab
import pytest
from conftest import Visit
from playwright.sync_api import Page, WebSocket, expect

import segkit
from segkit import E, F, Segment, connect

CELLS = [
    "import json, time\nimport segkit as sk\nfrom segkit import E, F, Segment\nws = sk.connect(home=None)\npanel = ws.builder()\npanel",
    "print(json.dumps([panel.segment.to_json(), panel.sql, len(panel.df()), panel.view['size']]))",
    "time.sleep(12)",
    """
import pandas as pd
large = sk.connect({"contacts": pd.DataFrame({"contact_id": range(2_000_000)})}, home=None)
long = "levenshtein(repeat(md5(CAST(contact_id AS VARCHAR)), 9), repeat('ab', 150)) < 5"
large.size(sk.everyone())
print("counting", flush=True)
large.builder(sk.raw_sql(long, dialect="duckdb"))
""",
]


@pytest.fixture
def frames(visit: Visit) -> list[Any]:
    """What goes over the websocket, both ways."""
    seen: list[Any] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: seen.append(frame))
        socket.on("framereceived", lambda frame: seen.append(frame))

    visit.page.on("websocket", listen)
    return seen


@pytest.fixture
def page(visit: Visit, frames: list[Any], tmp_path: Path) -> Iterator[Page]:
    """JupyterLab with the panel on its page."""
    root = tmp_path / "work"
    root.mkdir()
    lab.write_notebook(root / "panel.ipynb", CELLS)
    visit.page.set_viewport_size({"width": 1300, "height": 1400})
    with lab.running(root, tmp_path, os.environ.get("SEGKIT_THEME", "light")) as address:
        lab.open_notebook(visit.page, address, "panel.ipynb")
        lab.run(visit.page, 0)
        expect(visit.page.locator(".segkit-panel .sk-total-number")).to_have_text("3,999", timeout=60_000)
        yield visit.page
    assert visit.outside == []


def said(page: Page) -> tuple[Segment, str, int, int]:
    """What the panel says in Python: its segment, SQL, members, and size."""
    lab.run(page, 1)
    outputs = lab.outputs(page, 1)
    assert [output["output_type"] for output in outputs] == ["stream"], outputs
    text, sql, members, size = json.loads("".join(outputs[0]["text"]))
    return Segment.from_json(text), sql, members, size


def add(page: Page, search: str, option: str) -> Any:
    """One more condition, on what is found by a word; its row."""
    page.locator('[data-key="1/add"]').click()
    page.keyboard.type(search)
    page.locator(".sk-pop [role=option]", has_text=re.compile(option)).first.click()
    return page.locator(".segkit-panel .sk-rule").last


def same(page: Page, ws: segkit.Workspace, where: Any) -> None:
    """The panel and the Python API say the same."""
    total = page.locator(".segkit-panel:not(.sk-waiting) .sk-total-number")
    expect(total).to_have_text(f"{ws.size(where):,}", timeout=15_000)
    segment, sql, members, size = said(page)
    assert segment.where == where
    assert sql.split("\n", 1)[1] == ws.sql(where).split("\n", 1)[1] or sql == ws.sql(where)
    assert members == size == ws.size(where)


def clear(page: Page) -> None:
    for _ in range(page.locator(".segkit-panel .sk-rule").count()):
        page.get_by_role("button", name="Remove the condition").first.click()


def test_documented_segments_are_clicked_together(page: Page, visit: Visit) -> None:
    ws = connect(home=None)
    row = add(page, "opened", "^opened")
    row.get_by_label("When").select_option("last")
    row.get_by_label("Value", exact=True).fill("5")
    row = add(page, "clicked", "^clicked")
    row.get_by_label("When").select_option("last")
    row.get_by_label("Value", exact=True).fill("2")
    same(page, ws, (E.opened.within(days=30).count() >= 5) & (E.clicked.within(days=30).count() >= 2))

    clear(page)
    row = add(page, "cart value", "^cart_value")
    row.get_by_label("Operator").select_option("greater_than")
    row.get_by_label("Value", exact=True).fill("0")
    add(page, "last purchase", "^last_purchase").get_by_label("Operator").select_option("is_null")
    row = add(page, "last activity", "^last_activity")
    row.get_by_label("Unit").select_option("hours")
    row.get_by_label("How long").fill("24")
    same(page, ws, (F.cart_value > 0) & F.last_purchase.is_missing() & F.last_activity.within(hours=24))

    clear(page)
    add(page, "country", "^country").get_by_label("Value", exact=True).fill("USA")
    row = add(page, "state", "^state")
    row.get_by_label("Operator").select_option("in")
    for state in ("CA", "NY", "TX"):
        row.get_by_label("Add a value").fill(state)
        page.keyboard.press("Enter")
        row = page.locator(".segkit-panel .sk-rule").last
    add(page, "timezone", "^timezone").get_by_label("Value", exact=True).fill("PST")
    same(page, ws, (F.country == "USA") & F.state.is_in(["CA", "NY", "TX"]) & (F.timezone == "PST"))
    if target := os.environ.get("SEGKIT_SCREENSHOTS"):
        page.screenshot(path=str(Path(target) / "panel-in-lab.png"))
    assert page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length") == len(CELLS), (
        "keys reached the notebook"
    )


def test_a_condition_is_added_while_a_cell_runs(page: Page) -> None:
    expect(page.locator(".segkit-panel .sk-told")).to_have_text(re.compile("^All contacts"))
    lab.wait_until_idle(page)
    lab.run(page, 2, wait=False)
    lab.wait_until_busy(page)
    took = page.evaluate(
        """async () => {
            const begin = performance.now();
            document.querySelector('[data-key="1/add"]').click();
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            return performance.now() - begin;
        }"""
    )
    assert took < 150, f"painted after {took:.0f} ms"
    page.keyboard.type("opens")
    page.keyboard.press("Enter")
    page.keyboard.type("7")
    expect(page.locator(".segkit-panel .sk-rule")).to_have_count(1)
    assert page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status") == "busy"
    expect(page.locator(".segkit-panel .sk-total-number")).to_have_text(
        f"{connect(home=None).size(F.opens >= 7):,}", timeout=30_000
    )


def test_a_long_count_is_interrupted_and_the_panel_stays_usable(page: Page) -> None:
    lab.run(page, 3, wait=False)
    page.wait_for_function(
        "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.model.cells.get(3).outputs.toJSON()).includes('counting')",
        timeout=60_000,
    )
    page.wait_for_timeout(1000)
    lab.interrupt(page)
    lab.wait_until_idle(page)
    assert [output.get("ename") for output in lab.outputs(page, 3)] == [None, "KeyboardInterrupt"]
    add(page, "country", "^country").get_by_label("Value", exact=True).fill("USA")
    expect(page.locator(".segkit-panel:not(.sk-waiting) .sk-total-number")).to_have_text("1,852", timeout=20_000)


def test_an_edit_takes_few_messages(page: Page, frames: list[Any]) -> None:
    add(page, "country", "^country").get_by_label("Value", exact=True).fill("USA")
    expect(page.locator(".segkit-panel:not(.sk-waiting) .sk-total-number")).to_have_text("1,852", timeout=15_000)
    page.wait_for_timeout(1500)
    frames.clear()
    page.get_by_role("button", name="Negate the condition").click()
    expect(page.locator(".segkit-panel:not(.sk-waiting) .sk-total-number")).to_have_text("2,147", timeout=15_000)
    sent = len(frames)
    page.wait_for_timeout(1500)
    assert sent <= 10, f"{sent} messages until the size was there"
    assert len(frames) <= 16, f"{len(frames)} messages with the description"


def test_the_notebook_has_few_models_and_static_html(page: Page) -> None:
    [shown] = lab.outputs(page, 0)
    assert "3,999 of 3,999 contacts" in "".join(shown["data"]["text/html"])
    assert "application/vnd.jupyter.widget-view+json" in shown["data"]
