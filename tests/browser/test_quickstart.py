"""The quickstart notebook as people see it: as a page exported without a network, and run in JupyterLab."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import lab
import nbformat
import pytest
from conftest import Visit
from nbconvert import HTMLExporter
from playwright.sync_api import expect

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.mark.parametrize(("template", "of_template"), [("basic", ()), ("lab", ("mathjax", "require.min.js"))])
def test_the_exported_page_shows_the_panel_and_the_chart(
    visit: Visit, tmp_path: Path, template: str, of_template: tuple[str, ...]
) -> None:
    """In both of nbconvert's pages; the whole one asks a network for two scripts of its own."""
    notebook = nbformat.read(NOTEBOOKS / "quickstart.ipynb", as_version=4)
    html, _ = HTMLExporter(template_name=template).from_notebook_node(notebook)
    page_file = tmp_path / "quickstart.html"
    whole = html if template == "lab" else f"<!doctype html><meta charset=utf-8><body>{html}"
    page_file.write_text(whole, encoding="utf-8")
    page = visit.page
    page.goto(page_file.as_uri())

    panel = page.locator(".segkit-static")
    expect(panel).to_contain_text("Engaged Americans · 164 of 3,999 contacts (4.1%)")
    rows = panel.locator("div").all_inner_texts()
    assert [row.split("\n") for row in rows] == [
        ["all of", "164"], ['country = "USA"', "1,852"], ["opened >= 5 times IN LAST 30 days", "316"],
    ]  # fmt: skip
    expect(panel.locator("div").first).to_be_visible()
    query = panel.locator("pre")
    expect(query).to_be_hidden()
    panel.locator("summary").click()
    expect(query).to_be_visible()
    expect(query).to_contain_text('FROM "contacts"')

    chart = page.locator('img[src^="data:image/svg+xml"], svg:has-text("Contacts in each segment")').first
    chart.wait_for(state="visible")
    box = chart.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) > 400
    picture = next(
        o["data"]["image/svg+xml"] for c in notebook.cells for o in c.get("outputs", []) if "image/svg+xml" in o.get("data", {})
    )
    for text in ("Contacts in each segment", "At Risk", "833"):
        assert text in picture
    assert visit.errors == []
    assert [url for url in visit.outside if not any(part in url.lower() for part in of_template)] == []


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab of its own, with the quickstart in its folder."""
    root = tmp_path / "work"
    root.mkdir()
    shutil.copy(NOTEBOOKS / "quickstart.ipynb", root)
    with lab.running(root, tmp_path) as address:
        yield address


def test_the_notebook_runs_in_jupyterlab_and_draws(visit: Visit, address: str) -> None:
    page = visit.page
    lab.open_notebook(page, address, "quickstart.ipynb")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.wait_for_function(
        """() => {
            const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells].filter(c => c.type === 'code');
            return cells.length > 10 && cells.every(c => c.executionCount > 0);
        }""",
        timeout=120_000,
    )
    outputs = page.evaluate(
        """() => [...window.jupyterapp.shell.currentWidget.content.model.cells].filter(c => c.type === 'code')
            .flatMap(c => c.outputs.toJSON())"""
    )
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert any("application/vnd.vegalite.v5+json" in output.get("data", {}) for output in outputs)
    page.evaluate(
        """() => {
            const panel = window.jupyterapp.shell.currentWidget.content;
            const at = panel.widgets.findIndex(w => w.model.type === 'code' && w.model.outputs.toJSON()
                .some(o => (o.data || {})['application/vnd.vegalite.v5+json']));
            panel.activeCellIndex = at;
            panel.scrollToItem(at, 'start');
        }"""
    )
    drawn = page.locator(".jp-RenderedVegaCommon5 canvas, .jp-RenderedVegaCommon5 svg, .vega-embed canvas, .vega-embed svg").first
    drawn.wait_for(state="visible", timeout=30_000)
    box = drawn.bounding_box()
    assert box is not None
    assert box["width"] > 400
    if target := os.environ.get("SEGKIT_SCREENSHOTS"):
        page.screenshot(path=str(Path(target) / "quickstart.png"))
    assert visit.outside == []
