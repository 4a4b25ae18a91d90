"""The quickstart notebook as people see it: as a page exported without a network, and run in JupyterLab."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from conftest import Visit
from nbconvert import HTMLExporter

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SETTINGS = {
    "apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false", "checkForUpdates": False},
}


def test_the_exported_page_shows_the_chart(visit: Visit, tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOKS / "quickstart.ipynb", as_version=4)
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    page_file = tmp_path / "quickstart.html"
    page_file.write_text(f"<!doctype html><meta charset=utf-8><body>{html}", encoding="utf-8")
    visit.page.goto(page_file.as_uri())
    chart = visit.page.locator('img[src^="data:image/svg+xml"], svg').first
    chart.wait_for(state="visible")
    box = chart.bounding_box()
    assert box is not None
    assert box["width"] > 400
    assert box["height"] > 400
    picture = next(
        o["data"]["image/svg+xml"] for c in notebook.cells for o in c.get("outputs", []) if "image/svg+xml" in o.get("data", {})
    )
    for text in ("Contacts in each segment", "At Risk", "833"):
        assert text in picture
    assert visit.errors == []
    page_requests = [url for url in visit.outside if "mathjax" not in url.lower()]
    assert page_requests == []


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab of its own, with the quickstart in its folder."""
    root = tmp_path / "work"
    root.mkdir()
    shutil.copy(NOTEBOOKS / "quickstart.ipynb", root)
    settings = tmp_path / "settings" / "@jupyterlab"
    for name, values in SETTINGS.items():
        path = settings / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    environment = {**os.environ, **{name: str(tmp_path / folder) for name, folder in own.items()}}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.ip=127.0.0.1",
        "--IdentityProvider.token=", f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly", "--LabApp.news_url=None",
    ]  # fmt: skip
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield _ready(f"http://127.0.0.1:{port}", tmp_path / "lab.log")
        finally:
            server.terminate()
            server.wait(20)


def _ready(address: str, log: Path) -> str:
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=1)
        except OSError:
            time.sleep(0.5)
        else:
            return address
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def test_the_notebook_runs_in_jupyterlab_and_draws(visit: Visit, lab: str, tmp_path: Path) -> None:
    page = visit.page
    page.goto(f"{lab}/lab/tree/quickstart.ipynb")
    page.wait_for_function(
        "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=90_000
    )
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
