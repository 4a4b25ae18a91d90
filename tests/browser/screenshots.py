"""The pictures of docs/panel.md: each scene in light and dark, cut to the panel, with a palette so that they stay small.

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
from scenes import SCENES, given

FOLDER = Path(__file__).parents[2] / "docs" / "images"
_EDGE = 12
_COLOURS = 64


def pictures(browser: Browser, address: str, folder: Path) -> None:
    """Every scene in both themes, as `panel-scene-theme.png`."""
    answering = given()
    for scene, (where, name, width) in SCENES.items():
        for theme in THEMES:
            page = browser.new_page(viewport={"width": width, "height": 900})
            Kernel(page, answering, where, name).start(address, theme)
            height = page.locator(".segkit-panel").bounding_box()["height"]
            page.set_viewport_size({"width": width, "height": int(height) + 2 * _EDGE})
            taken = Image.open(BytesIO(page.screenshot())).convert("RGB")
            taken.quantize(_COLOURS, dither=Image.Dither.NONE).save(folder / f"panel-{scene}-{theme}.png", optimize=True)
            page.close()


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


if __name__ == "__main__":
    main()
