"""A page in the system's Chromium for each test; without a Chromium the tests are skipped, or fail where CI is set."""

from __future__ import annotations

import os
from collections.abc import Iterator

import chromium
import pytest
from chromium import Visit
from playwright.sync_api import Browser, sync_playwright

__all__ = ["Visit"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.executable()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(chromium.MISSING)
        pytest.skip(chromium.MISSING)
    with sync_playwright() as playwright, chromium.launched(playwright, path) as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    with chromium.visiting(browser) as visit:
        yield visit
