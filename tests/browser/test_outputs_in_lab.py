"""Charts and what objects show of themselves in a real JupyterLab: read on its ground, in its light and its dark theme."""

from __future__ import annotations

from pathlib import Path

import lab
import nbformat
import pytest
from conftest import Visit
from nbformat.v4 import new_code_cell, new_notebook

CELLS = [
    """import segkit as sk
from segkit import F, Segment
ws = sk.connect(home=None)
us = Segment("US", (F.country == "USA") & (F.opens > 5), notes="the home market")
sk.charts.size(ws.sizes([us, Segment("Nobody", F.country == "Nowhere")]))""",
    "sk.charts.composition(ws.composition([us, F.opens > 9], by='customer_tier'))",
    "us",
    "ws.catalog",
    "print(ws.engine.frame(\"SELECT current_setting('enable_progress_bar') AS shown\")['shown'].tolist())",
]
CONTRASTS = """() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgb = (css) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
    const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (node) => { for (let n = node; n; n = n.parentElement) { const c = rgb(getComputedStyle(n).backgroundColor); if (c[3] > 250) return c; } return [255, 255, 255, 255]; };
    const drawn = [...document.querySelectorAll(".vega-embed svg text")].filter((n) => n.textContent.trim()).map((n) => [n, getComputedStyle(n).fill]);
    const told = [...document.querySelectorAll(".segkit-view :is(span, bdi, code, th, td)")].filter((n) => n.offsetParent && n.textContent.trim()).map((n) => [n, getComputedStyle(n).color]);
    return [...drawn, ...told].map(([n, ink]) => { const a = light(rgb(ink)), b = light(ground(n)); return [n.textContent, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]; });
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_outputs_are_read_in_both_themes(visit: Visit, tmp_path: Path, theme: str) -> None:
    root = tmp_path / "work"
    root.mkdir()
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in CELLS], metadata=kernel), root / "outputs.ipynb")
    page = visit.page
    page.set_viewport_size({"width": 1000, "height": 2400})
    with lab.running(root, tmp_path, theme) as address:
        page.goto(f"{address}/lab/tree/outputs.ipynb")
        page.wait_for_function(
            "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=90_000
        )
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.locator(".jp-OutputArea-output pre", has_text="[").wait_for(timeout=60_000)
        page.locator(".vega-embed svg text", has_text="customer_tier").wait_for()
        assert page.locator(".jp-OutputArea-output pre").inner_text().strip() == "[False]", "DuckDB draws its own bar"
        ratios = page.evaluate(CONTRASTS)
        columns = page.evaluate(
            "() => [...new Set([...document.querySelectorAll('.segkit-view td')].map((cell) => getComputedStyle(cell).textAlign))]"
        )
    shown = [text for text, _ in ratios]
    assert {"Contacts in each segment", "0 (0%)", "Contacts by customer_tier", "the home market", "contact_id"} <= set(shown)
    assert [(text, ratio) for text, ratio in ratios if ratio < 4.5] == []
    assert columns == ["left"]
    assert visit.outside == []
