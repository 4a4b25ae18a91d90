"""A JupyterLab of its own: no account, no network, nothing of the machine's settings."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Page

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
_FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
}


@contextmanager
def running(root: Path, own: Path, theme: str = "light") -> Iterator[str]:
    """The address of a JupyterLab over the notebooks of `root`, which keeps its files in `own`."""
    settings = {
        "notification": {"fetchNews": "false", "checkForUpdates": False},
        "themes": {"theme": THEMES[theme]},
    }
    folder = own / "settings" / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    for name, values in settings.items():
        (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(values), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, **{name: str(own / folder) for name, folder in _FOLDERS.items()}}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ServerApp.ip=127.0.0.1",
        "--IdentityProvider.token=", f"--ServerApp.root_dir={root}", "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly", "--LabApp.news_url=None",
    ]  # fmt: skip
    with (own / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}", own / "lab.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _wait(address: str, log: Path) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=1)
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


# ---------------------------------------------------------------- a notebook in it

_IDLE = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
_KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write_notebook(path: Path, cells: list[str]) -> None:
    """A notebook of cells of code, not run yet."""
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=_KERNEL), path)


def open_notebook(page: Page, address: str, name: str) -> None:
    """Shows a notebook, with a kernel that waits."""
    page.goto(f"{address}/lab/tree/{name}")
    page.wait_for_function(_IDLE, timeout=90_000)


def run(page: Page, at: int, wait: bool = True) -> None:
    """Runs one cell, and waits for its end."""
    page.evaluate(
        """(at) => {
            const content = window.jupyterapp.shell.currentWidget.content;
            content.activeCellIndex = at;
            content.deselectAll();
            window.before = content.model.cells.get(at).executionCount ?? 0;
            window.jupyterapp.commands.execute('notebook:run-cell');
        }""",
        at,
    )
    if wait:
        page.wait_for_function(
            """(at) => (window.jupyterapp.shell.currentWidget.content.model.cells.get(at).executionCount ?? 0) > window.before
                && window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'""",
            arg=at,
            timeout=60_000,
        )


def outputs(page: Page, at: int) -> list[dict[str, Any]]:
    """What stands below a cell."""
    found: list[dict[str, Any]] = page.evaluate(
        "(at) => window.jupyterapp.shell.currentWidget.content.model.cells.get(at).outputs.toJSON()", at
    )
    return found


def wait_until_busy(page: Page) -> None:
    """Waits until the kernel runs something."""
    page.wait_for_function("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'")


def wait_until_idle(page: Page) -> None:
    """Waits until the kernel runs nothing."""
    page.wait_for_function(_IDLE, timeout=90_000)


def interrupt(page: Page) -> None:
    """What the button "Interrupt the kernel" does."""
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")


def restart(page: Page) -> None:
    """A new kernel for the notebook."""
    page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.restartKernel(); }")
    page.wait_for_function(_IDLE, timeout=90_000)
