"""The pictures of docs/panel.md and the README, with a palette so that they stay small; each scene of the panel in light and dark, cut to it.

python tests/browser/screenshots.py [folder]
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

import chromium
from panel_page import THEMES, Kernel, serve
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from scenes import README, SCENES, given

from segkit import E, Segment, charts, connect

FOLDER = Path(__file__).parents[2] / "docs" / "images"
_EDGE = 12
_COLOURS = 64


def pictures(browser: Browser, address: str, folder: Path) -> None:
    """Every scene in both themes, as `panel-scene-theme.png`."""
    answering = given()
    for scene, (where, name, width) in (SCENES | README).items():
        for theme in THEMES:
            page = browser.new_page(viewport={"width": width, "height": 900})
            Kernel(page, answering, where, name).start(address, theme)
            height = page.locator(".segkit-panel").bounding_box()["height"]
            page.set_viewport_size({"width": width, "height": int(height) + 2 * _EDGE})
            _kept(page.screenshot(), folder / f"panel-{scene}-{theme}.png")
            page.close()


def history(folder: Path) -> None:
    """The README's two segments in each week of a year."""
    segments = [
        Segment("Readers", E.opened.within(days=30).count() >= 5),
        Segment("Buyers", E.purchased.within(days=30).any()),
    ]
    with connect(home=None) as ws:
        frame = ws.history(segments, start="2025-01-05", end="2025-11-30", every="week")
    _kept(charts.history(frame).png(), folder / "readme-history.png")


def _kept(picture: bytes, path: Path) -> None:
    taken = Image.open(BytesIO(picture)).convert("RGB")
    taken.quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    server, address = serve()
    path = chromium.executable()
    if path is None:
        sys.exit(chromium.MISSING)
    with sync_playwright() as playwright, chromium.launched(playwright, path) as browser:
        pictures(browser, address, folder)
    server.shutdown()
    history(folder)


if __name__ == "__main__":
    main()
