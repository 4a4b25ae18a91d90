"""The report in a real JupyterLab: its pickers say what the Python API says; and hostile texts in all that a notebook shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hostile
import lab
import nbformat
import pytest
from conftest import Visit
from nbconvert import HTMLExporter
from playwright.sync_api import Page, expect

from segkit import E, Segment, connect

REPORT = [
    """import json
import segkit as sk
from segkit import E, Segment
ws = sk.connect(home=None)
ws.define(Segment("Buyers", E.purchased.any()))
report = ws.report([Segment("Readers", E.opened.within(days=30).count() >= 3)])
report""",
    """print(json.dumps([report.at.as_of.isoformat(), report.start.isoformat(), report.asked.every,
    report.parts[0].table[["segment", "size"]].values.tolist(), len(report.parts[1].table)]))""",
]
SHOWN = f"""import pandas as pd
import segkit as sk
from segkit import F, Segment
texts = {hostile.TEXTS!r}
contacts = pd.DataFrame({{"contact_id": range(20), "tier": [*texts, *texts], texts[0]: 1, texts[1]: "x"}})
ws = sk.connect({{"contacts": contacts}}, as_of="2025-11-30", home=None)
hostile = [Segment(text, F.tier == text, notes=text, owner=text, tags=[text]) for text in texts]
ws.define(*hostile)
"""
HOSTILE = [
    SHOWN,
    "ws.report(hostile[:4])",
    "sk.charts.size(ws.sizes(hostile))",
    "sk.charts.composition(ws.composition(hostile, by='tier'))",
    "sk.charts.overlap(ws.overlap(hostile))",
    "sk.charts.waterfall(ws.waterfall(sk.any_of(*(own.where for own in hostile))))",
    "ws.builder(hostile[0])",
    "display(*hostile, ws, ws.catalog, sk.Journey(hostile[:3], name=texts[0]))",
    "ws.audit(hostile)",
]


@contextmanager
def notebook(visit: Visit, folder: Path, cells: list[str], theme: str) -> Iterator[Page]:
    """JupyterLab with a notebook of these cells, in a theme."""
    (folder / "work").mkdir()
    lab.write_notebook(folder / "work" / "own.ipynb", cells)
    visit.page.set_viewport_size({"width": 1100, "height": 2000})
    with lab.running(folder / "work", folder, theme) as address:
        lab.open_notebook(visit.page, address, "own.ipynb")
        yield visit.page
    assert visit.outside == []
    assert visit.errors == []


def said(page: Page) -> list[Any]:
    """What the report tells in Python: its instant, start and steps, sizes, and how many rows the flow has."""
    lab.run(page, 1)
    [output] = lab.outputs(page, 1)
    told: list[Any] = json.loads("".join(output["text"]))
    return told


def settled(page: Page) -> None:
    """Waits until what was picked is shown."""
    page.wait_for_timeout(300)
    lab.wait_until_idle(page)
    expect(page.locator("[role=status]", has_text="measuring")).to_have_count(0, timeout=30_000)


@pytest.fixture
def reported(visit: Visit, tmp_path: Path) -> Iterator[Page]:
    """A report in the dark theme."""
    with notebook(visit, tmp_path, REPORT, "dark") as page:
        lab.run(page, 0)
        yield page


def test_what_is_picked_is_reported(reported: Page) -> None:
    page = reported
    ws = connect(home=None)
    readers, buyers = Segment("Readers", E.opened.within(days=30).count() >= 3), Segment("Buyers", E.purchased.any())
    report = page.locator(".segkit-report:visible")
    expect(report.locator("h2").first).to_have_text("Sizes", timeout=60_000)
    assert report.locator(".picture.dark:visible").count() == 5
    assert report.locator(".picture.light:visible").count() == 0

    page.get_by_label("Segments").select_option(["Readers", "Buyers"])
    settled(page)
    expect(report.locator("h2").last).to_have_text("Buyers")
    assert said(page)[3] == [["Readers", ws.size(readers)], ["Buyers", ws.size(buyers)]]
    expect(report.locator("svg:visible", has_text="Contacts in each segment")).to_contain_text(f"{ws.size(buyers):,} (")

    as_of = page.get_by_label("As of", exact=True)
    as_of.fill("2025-10-31 12:00")
    as_of.press("Enter")
    settled(page)
    at = "2025-10-31T12:00:00+00:00"
    assert said(page)[:4] == [
        at, "2025-10-01T12:00:00+00:00", "day",
        [["Readers", ws.size(readers, as_of=at)], ["Buyers", ws.size(buyers, as_of=at)]],
    ]  # fmt: skip

    page.get_by_label("Period").select_option("90 days")
    settled(page)
    page.get_by_label("Flow every").select_option("week")
    settled(page)
    found = said(page)
    assert found[:3] == [at, "2025-08-02T12:00:00+00:00", "week"]
    assert found[4] == len(ws.history([readers, buyers], start="2025-08-02T12:00", end=at, every="week"))

    as_of.fill("yesterday")
    as_of.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("is no instant")
    assert said(page) == found


@pytest.fixture
def shown(visit: Visit, tmp_path: Path) -> Iterator[Page]:
    """All that a notebook shows, of hostile names, notes and values."""
    with notebook(visit, tmp_path, HOSTILE, "light") as page:
        yield page


def test_hostile_texts_are_shown_as_texts(shown: Page, tmp_path: Path) -> None:
    page = shown
    for i, _ in enumerate(HOSTILE):
        lab.run(page, i)
    assert [o for i, _ in enumerate(HOSTILE) for o in lab.outputs(page, i) if o["output_type"] == "error"] == []
    expect(page.locator(".segkit-panel .sk-total-number")).to_have_text("2", timeout=60_000)
    expect(page.locator(".segkit-report:visible h2").last).to_have_text(hostile.TEXTS[3])
    page.locator(".vega-embed svg text", has_text="window.hacked").first.wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate(f"({hostile.FOUND})().filter((own) => own.includes('hacked'))") == []
    assert page.evaluate("window.hacked") is None

    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(nbformat.read(tmp_path / "work" / "own.ipynb", as_version=4))
    (tmp_path / "hostile.html").write_text(f"<!doctype html><meta charset=utf-8><body>{html}", encoding="utf-8")
    page.context.set_offline(True)
    page.goto((tmp_path / "hostile.html").as_uri())
    expect(page.locator(".segkit-report h2").last).to_have_text(hostile.TEXTS[3])
    page.wait_for_timeout(300)
    assert page.evaluate(hostile.FOUND) == []
    assert page.evaluate("window.hacked") is None
