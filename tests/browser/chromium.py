"""The system's Chromium, and a page in it that may reach nothing but this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, Playwright, Route

MISSING = "no Chromium: install it, for example with `apt-get install chromium`"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_LOCAL = ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "file:", "data:", "blob:")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Visit:
    """A page with the addresses outside of this machine that it asked for, its errors, and those that its console shows."""

    page: Page
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)


def executable() -> str | None:
    """The path of the system's Chromium; None without one."""
    return next((path for name in _NAMES if (path := shutil.which(name)) is not None), None)


@contextmanager
def launched(playwright: Playwright, path: str) -> Iterator[Browser]:
    """The browser, without services that ask the network on their own."""
    browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def visiting(browser: Browser, width: int = 1200, height: int = 900) -> Iterator[Visit]:
    """A new page with nothing of other visits; requests to the outside are noted and refused."""
    context = browser.new_context(viewport={"width": width, "height": height})
    seen = Visit(context.new_page())

    def guard(route: Route) -> None:
        if route.request.url.startswith(_LOCAL):
            route.continue_()
        else:
            seen.outside.append(route.request.url)
            route.abort()

    context.route("**/*", guard)
    seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
    seen.page.on("console", lambda message: seen.console.append(message.text) if message.type == "error" else None)
    try:
        yield seen
    finally:
        context.close()
