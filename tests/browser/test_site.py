"""The site of the documentation: it builds without a warning, and opens from the disk with the network off."""

from __future__ import annotations

import doctest
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Visit
from playwright.sync_api import expect

SOURCE = Path(__file__).resolve().parents[2] / "docs" / "site"
MODULES = sorted(SOURCE.glob("*.py"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(SOURCE / "mkdocs.yml")]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run([*command, "--site-dir", str(folder)], capture_output=True, text=True, env=quiet)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_builds_the_site_does_as_it_says(path: Path) -> None:
    spec = importlib.util.spec_from_file_location(f"site_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    held = doctest.testmod(module)
    assert (held.failed, held.attempted > 0) == (0, True)


def test_every_page_opens_from_the_disk_and_asks_no_network(visit: Visit, site: Path) -> None:
    pages = [path for path in sorted(site.rglob("*.html")) if path.name != "404.html"]
    assert len(pages) > 40
    for path in pages:
        visit.page.goto(path.as_uri())
        expect(visit.page.locator("article h1").first).to_be_visible()
        broken = visit.page.locator("article img").evaluate_all(
            "all => all.filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
        )
        assert broken == [], path
    assert visit.outside == []
    assert visit.errors == []


def test_the_search_finds_without_a_server(visit: Visit, site: Path) -> None:
    visit.page.goto((site / "index.html").as_uri())
    visit.page.fill("input[name=query]", "upcoming")
    found = visit.page.locator(".md-search-result__item h1")
    expect(found.filter(has_text="Dynamics").first).to_be_visible(timeout=15_000)
    assert visit.outside == []
    assert visit.errors == []


def test_the_reference_shows_examples_as_code_and_notebooks_their_pictures(visit: Visit, site: Path) -> None:
    visit.page.goto((site / "reference" / "workspace.html").as_uri())
    expect(visit.page.locator("#segkit\\.Workspace\\.overlap")).to_be_attached()
    expect(visit.page.locator("article .doc-children blockquote")).to_have_count(0)
    expect(visit.page.locator("article pre", has_text=">>> from segkit import F").first).to_be_visible()
    visit.page.goto((site / "notebooks" / "performance_and_overlap.html").as_uri())
    pictures = visit.page.locator("article img, article svg")
    assert pictures.count() > 3
