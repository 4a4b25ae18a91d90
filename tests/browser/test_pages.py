"""What is handed on as a file: a report and the six notebooks, opened in a browser without a network."""

from __future__ import annotations

from pathlib import Path

import hostile
import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import Visit
from nbconvert import HTMLExporter

import segkit as sk
from segkit import E, F, Segment

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
LARGEST_NOTEBOOK = 450_000
LARGEST_REPORT = 300_000


def opened(visit: Visit, path: Path, largest: int) -> None:
    """Shows a file, which must be no larger, without a network."""
    size = path.stat().st_size
    print(f"{path.name}: {size:,} bytes")
    assert size < largest
    visit.page.context.set_offline(True)
    visit.page.goto(path.as_uri())


def unharmed(visit: Visit) -> None:
    """Nothing was asked of a network, nothing went wrong, and no text became code."""
    assert visit.outside == []
    assert visit.errors == []
    assert visit.console == []
    assert visit.page.evaluate(hostile.FOUND) == []
    assert visit.page.evaluate("window.hacked") is None


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on three segments, one of them with a hostile name and value."""
    name = hostile.TEXTS[0]
    segments = [
        Segment("Readers", E.opened.within(days=30).count() >= 3),
        Segment("Americans", F.country == "USA", notes=name),
        Segment(name, F.country == name),
    ]
    return sk.connect(home=None).report(segments).save(tmp_path_factory.mktemp("report") / "report.html")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_report_opens_without_a_network(visit: Visit, report: Path, theme: str) -> None:
    page = visit.page
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": 600, "height": 900})
    opened(visit, report, LARGEST_REPORT)
    other = {"light": "dark", "dark": "light"}[theme]
    assert page.locator(f".picture.{theme}:visible").count() == 7
    assert page.locator(f".picture.{other}:visible").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 600
    outside = page.evaluate(
        """() => [...document.querySelectorAll('.picture svg')].filter((own) => own.checkVisibility()).flatMap((own) => {
            const room = own.getBoundingClientRect();
            return [...own.querySelectorAll('text')].filter((text) => {
                const box = text.getBoundingClientRect();
                return box.left < room.left - 1 || box.right > room.right + 1;
            }).map((text) => text.textContent);
        })"""
    )
    assert outside == []
    page.get_by_role("link", name="Americans").click()
    assert page.evaluate("location.hash") == "#segkit-part-6"
    assert [own["id"] for own in Axe().run(page).response["violations"]] == []
    unharmed(visit)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator(".picture.light:visible").count() == 7


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_opens_without_a_network(visit: Visit, tmp_path: Path, path: Path) -> None:
    """As a page of its outputs; of nbconvert's whole page two scripts ask a network (`test_quickstart.py`)."""
    assert path.stat().st_size < LARGEST_NOTEBOOK
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(nbformat.read(path, as_version=4))
    page_file = tmp_path / f"{path.stem}.html"
    page_file.write_text(f"<!doctype html><meta charset=utf-8><title>{path.stem}</title><body>{html}", encoding="utf-8")
    opened(visit, page_file, LARGEST_NOTEBOOK)
    assert visit.page.locator("h1").count() == 1
    broken = visit.page.evaluate("[...document.images].filter((own) => !own.naturalWidth).length")
    assert broken == 0
    unharmed(visit)
