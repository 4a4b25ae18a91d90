"""What the panel costs in a real JupyterLab: a segment of 20 conditions in 4 nested groups, over the sample data.

Each round is a page and a kernel of its own; in it, edits are timed while the kernel waits and while a cell computes, in turns.
After the rounds: where the focus goes, what axe-core says in both themes, and what 100 edits leave behind. A request of the
page that would leave this machine is refused and counted.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from report import Report

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page, WebSocket

BROWSER_TESTS = Path(__file__).resolve().parents[1] / "tests" / "browser"
COLUMNS = ["", "median", "least - most", "goal"]
ADDS = 6
"""How often a condition is added in each round and state of the kernel."""

# ---------------------------------------------------------------- the notebook

SETUP, SHOWN, TOLD, COMPUTING = range(4)
"""The cells by what they do."""
CELLS = [
    """
import gc, json, threading, time
import segkit as sk
from ipywidgets.widgets import widget
from segkit import E, F, Segment, all_of, any_of, in_list, in_segment
ws = sk.connect(home=None)
ws.size(sk.everyone())
ws.define(Segment("At risk", (E.opened.within(days=60).count() < 2) & (E.opened.count() > 5)))
twenty = all_of(
    F.country != "Canada", F.opens >= 3, F.subscribed.older_than(days=30), E.opened.within(days=365).count() > 1,
    any_of(
        F.state == "CA", F.customer_tier.is_in(["Gold", "Silver"]), F.job_title.contains("manager", ignore_case=True),
        all_of(
            F.total_spent.between(10, 5000), F.last_purchase.within(days=300), in_list("VIP Customers"),
            E.purchased.where(F.amount > 50).within(days=90).sum("amount") > 500, ~(F.clicks > 90),
        ),
    ),
    ~any_of(
        in_segment("At risk"), E.carted.window(days=(90, 30)).count() >= 9, F.signup_date.anniversary(within_days=7),
        all_of(F.opens > 30, E.visited.last().older_than(days=90), F.clicks < 2, F.last_open.in_period("month", -1)),
    ),
    E.visited.count() >= 1,
)
""",
    """
begin = time.perf_counter()
panel = ws.builder(Segment("Twenty", twenty))
made = time.perf_counter() - begin
panel
""",
    """
gc.collect()
tables = ws.engine.frame("SELECT count(*) AS n FROM duckdb_tables() WHERE temporary")["n"].iloc[0]
print(json.dumps({
    "making the panel": 1000 * made, "size": panel.view["size"], "anew": ws.size(panel.segment),
    "widget models": len(widget._instances), "temporary tables": int(tables), "objects of the kernel": len(gc.get_objects()),
    "threads of the kernel": threading.active_count(),
}))
""",
    "while True: pass",
]
PAINTED = "const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"
FIRST_PAINT = f"""async (at) => {{
    {PAINTED}
    const content = window.jupyterapp.shell.currentWidget.content;
    content.activeCellIndex = at;
    const begin = performance.now();
    window.jupyterapp.commands.execute('notebook:run-cell');
    const rows = () => document.querySelectorAll('.segkit-panel .sk-rule').length;
    const sizes = () => document.querySelectorAll('.segkit-panel .sk-number').length;
    while (rows() < 20 || sizes() < 25) await new Promise(requestAnimationFrame);
    await painted();
    return performance.now() - begin;
}}"""
ADD = f"""async () => {{
    {PAINTED}
    const rows = document.querySelectorAll('.segkit-panel .sk-rule').length;
    const begin = performance.now();
    document.querySelector('.segkit-panel [data-key="1/add"]').click();
    await painted();
    const took = performance.now() - begin;
    if (document.querySelectorAll('.segkit-panel .sk-rule').length !== rows + 1) throw new Error('nothing was added');
    return took;
}}"""
COUNTED = """const counted = async () => {
    do await new Promise(requestAnimationFrame);
    while (document.querySelector('.segkit-panel.sk-waiting'));
};"""
CHANGE = f"""async () => {{
    {COUNTED}
    const begin = performance.now();
    document.querySelectorAll('.segkit-panel .sk-rule .sk-not')[1].click();
    await counted();
    return performance.now() - begin;
}}"""
EDITS = f"""async (rounds) => {{
    {COUNTED}
    const last = (name) => [...document.querySelectorAll(`.segkit-panel .sk-rule [data-key$="/${{name}}"]`)].at(-1);
    const escape = () => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'Escape', bubbles: true }}));
    const operator = (key) => () => {{
        const select = last('operator');
        select.value = key;
        select.dispatchEvent(new Event('change'));
    }};
    const steps = [
        () => {{ document.querySelector('.segkit-panel [data-key="1/add"]').click(); escape(); }}, () => last('remove').click(),
        () => last('copy').click(), () => last('remove').click(), () => last('not').click(), () => last('not').click(),
        operator('less_than'), operator('greater_than_or_equal'), () => last('mute').click(), () => last('mute').click(),
    ];
    for (let round = 0; round < rounds; round++) {{
        for (const step of steps) {{
            step();
            await counted();
        }}
    }}
    return rounds * steps.length;
}}"""
OUTSIDE_OF_PANEL = "!document.activeElement?.closest('.segkit-panel')"
KEYBOARD = ("copy", "not", "mute", "up", "down", "shape", "remove")
"""The buttons of a condition, by what they do."""


# ---------------------------------------------------------------- what is wanted


GOALS = {
    "first paint, ms": 600,
    "add to painted, kernel idle, ms": 150,
    "add to painted, cell running, ms": 150,
    "messages of an edit": 10,
    "widget models": 2,
    "requests to the outside": 0,
    "steps that lost the focus": 0,
    "axe violations, light": 0,
    "axe violations, dark": 0,
    "100 edits: more widget models": 0,
    "100 edits: more temporary tables": 0,
    "100 edits: more threads of the kernel": 0,
    "100 edits: more DOM nodes": 0,
    "100 edits: more listeners": 0,
    "100 edits: more objects of the kernel, %": 1,
    "100 edits: more JS heap, %": 1,
}
"""The most that is wanted of each median."""


class Found:
    """Measured values by their names, and the kinds of messages of the last edit."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}
        self.messages: Counter[str] = Counter()

    def note(self, name: str, *values: float) -> None:
        """More values of a name."""
        self.values.setdefault(name, []).extend(values)


def run(rounds: int = 5) -> Report:
    """Measures in rounds; without playwright, JupyterLab or a Chromium it says so and measures nothing."""
    about = (
        "20 conditions in 4 nested groups, the sample data of 4,000 contacts, JupyterLab in Chromium; "
        f"{rounds} rounds, each with a new page and kernel."
    )
    own = Report("The panel in JupyterLab", about, COLUMNS, [])
    sys.path.append(str(BROWSER_TESTS))
    try:
        import axe_playwright_python
        import chromium
        import jupyterlab
    except ModuleNotFoundError as missing:
        own.notes.append(f"SKIPPED: {missing.name} is not installed: pip install -e '.[bench]'")
        return own
    del axe_playwright_python, jupyterlab
    path = chromium.executable()
    if path is None:
        own.notes.append(f"SKIPPED: {chromium.MISSING}")
        return own
    found = _measured(path, rounds)
    own.rows += [_row(name, values) for name, values in found.values.items()]
    own.notes += [_verdict(name, most, median(found.values[name])) for name, most in GOALS.items()]
    told = ", ".join(f"{count} {kind}" for kind, count in found.messages.items())
    own.notes.append(f"messages, over the kernel's websocket, both ways, until nothing more comes: {told}")
    own.notes.append("checked: the panel's size is that of its segment, also after all edits")
    return own


def _row(name: str, values: list[float]) -> list[str]:
    spread = f"{_number(min(values))} - {_number(max(values))}" if len(values) > 1 else ""
    return [name, _number(median(values)), spread, _number(GOALS[name]) if name in GOALS else ""]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{round(value, 1) + 0.0:,.1f}"


def _verdict(name: str, most: float, found: float) -> str:
    return f"goal {'met' if found <= most else 'MISSED'}: {name}: {_number(found)}, at most {_number(most)} wanted"


# ---------------------------------------------------------------- measuring


def _measured(path: str, rounds: int) -> Found:
    import chromium
    import lab
    from playwright.sync_api import sync_playwright

    found = Found()
    with TemporaryDirectory() as folder, sync_playwright() as playwright, chromium.launched(playwright, path) as browser:
        root = Path(folder) / "work"
        root.mkdir()
        lab.write_notebook(root / "panel.ipynb", CELLS)
        with lab.running(root, Path(folder)) as address:
            for turn in range(rounds):
                with chromium.visiting(browser, 1300, 1800) as visit:
                    frames = _listening(visit.page)
                    lab.open_notebook(visit.page, address, "panel.ipynb")
                    lab.restart(visit.page)
                    lab.run(visit.page, SETUP)
                    _round(visit.page, frames, found)
                    if turn == rounds - 1:
                        _once(visit.page, found)
                    found.note("requests to the outside", len(visit.outside))
    return found


def _round(page: Page, frames: list[bytes | str], found: Found) -> None:
    """Shows the panel, and edits it while the kernel waits and while it computes."""
    import lab

    found.note("first paint, ms", page.evaluate(FIRST_PAINT, SHOWN))
    lab.wait_until_idle(page)
    told = _told(page)
    found.note("... of which making it, in the kernel, ms", told["making the panel"])
    found.note("widget models", told["widget models"])
    for _ in range(ADDS):
        found.note("add to painted, kernel idle, ms", _added(page))
    lab.run(page, COMPUTING, wait=False)
    lab.wait_until_busy(page)
    for _ in range(ADDS):
        found.note("add to painted, cell running, ms", _added(page))
    lab.interrupt(page)
    lab.wait_until_idle(page)
    page.wait_for_function("!document.querySelector('.segkit-panel.sk-waiting')")
    page.wait_for_timeout(1500)
    frames.clear()
    found.note("edit to all sizes, ms", page.evaluate(CHANGE))
    page.wait_for_timeout(1500)
    found.note("messages of an edit", len(frames))
    found.messages = Counter(map(_kind, frames))


def _added(page: Page) -> float:
    """Milliseconds until one more condition is painted; it is taken away again."""
    took: float = page.evaluate(ADD)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    page.wait_for_timeout(50)
    return took


def _told(page: Page) -> dict[str, float]:
    """What the kernel says of itself."""
    import lab

    lab.run(page, TOLD)
    outputs = lab.outputs(page, TOLD)
    assert [output["output_type"] for output in outputs] == ["stream"], outputs
    told: dict[str, float] = json.loads("".join(outputs[0]["text"]))
    assert told["size"] == told["anew"], "the panel's size is not that of its segment"
    return told


def _listening(page: Page) -> list[bytes | str]:
    """What goes over websockets of kernels from now on, both ways."""
    frames: list[bytes | str] = []

    def listen(socket: WebSocket) -> None:
        if "/channels" in socket.url:
            socket.on("framesent", lambda frame: frames.append(frame))
            socket.on("framereceived", lambda frame: frames.append(frame))

    page.on("websocket", listen)
    return frames


def _kind(frame: bytes | str) -> str:
    """What a message is: its type, and what it says of the kernel or of a widget."""
    if isinstance(frame, str):
        message = json.loads(frame)
        header, content = message["header"], message["content"]
    else:
        ends = [int.from_bytes(frame[8 * i : 8 * i + 8], "little") for i in range(1, 1 + int.from_bytes(frame[:8], "little"))]
        _, header, _, _, content = (json.loads(frame[a:b] or "0") if i else 0 for i, (a, b) in enumerate(pairwise(ends[:6])))
    about = content.get("execution_state") or (content.get("data") or {}).get("method", "")
    return f"{header['msg_type']} {about}".strip()


# ---------------------------------------------------------------- once, after the rounds


def _once(page: Page, found: Found) -> None:
    found.note("steps that lost the focus", sum(_lost(page)))
    for theme in ("light", "dark"):
        found.note(f"axe violations, {theme}", _violations(page, theme))
    page.evaluate(EDITS, 20)  # fills the list of undo
    kernel = _in_kernel(page)
    page.evaluate(EDITS, 1)  # JupyterLab's own toolbar moves to the cell
    session = page.context.new_cdp_session(page)
    browser = _in_browser(page, session)
    assert page.evaluate(EDITS, 10) == 100
    for name, after in (_in_browser(page, session) | _in_kernel(page)).items():
        before = (browser | kernel)[name]
        found.note(f"100 edits: more {name}", 100 * (after / before - 1) if name.endswith("%") else after - before)


def _in_kernel(page: Page) -> dict[str, float]:
    """How much there is in the kernel."""
    told = _told(page)
    return {
        "widget models": told["widget models"],
        "temporary tables": told["temporary tables"],
        "threads of the kernel": told["threads of the kernel"],
        "objects of the kernel, %": told["objects of the kernel"],
    }


def _in_browser(page: Page, session: CDPSession) -> dict[str, float]:
    """How much there is in the page, after it collected its garbage."""
    page.wait_for_timeout(1500)
    session.send("Performance.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    metrics = {own["name"]: own["value"] for own in session.send("Performance.getMetrics")["metrics"]}
    return {
        "DOM nodes": metrics["Nodes"],
        "listeners": metrics["JSEventListeners"],
        "JS heap, %": metrics["JSHeapUsedSize"],
    }


def _lost(page: Page) -> Iterator[bool]:
    """After each step of some edits by the keyboard, at once and with the new sizes: whether the focus left the panel."""
    for name in KEYBOARD:
        page.locator(f'.segkit-panel .sk-rule [data-key$="/{name}"]').nth(3).focus()
        for key in ("Enter", "Alt+ArrowDown", "Alt+ArrowUp", "Control+z", "Control+z", "Control+z", "Control+y", "Control+z"):
            page.keyboard.press(key)
            yield page.evaluate(OUTSIDE_OF_PANEL)
            page.wait_for_function("!document.querySelector('.segkit-panel.sk-waiting')")
            yield page.evaluate(OUTSIDE_OF_PANEL)
    for name in ("add", "add-group"):
        page.locator(f'.segkit-panel [data-key="1/{name}"]').focus()
        for key in ("Enter", "Escape", "Tab", "Control+z"):
            page.keyboard.press(key)
            yield page.evaluate(OUTSIDE_OF_PANEL)


def _violations(page: Page, theme: str) -> int:
    """What axe-core finds in the panel, on every tab and with a list open."""
    from axe_playwright_python.sync_playwright import Axe
    from lab import THEMES

    page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", THEMES[theme])
    page.wait_for_function("(light) => document.body.dataset.jpThemeLight === light", arg=str(theme == "light").lower())
    count = 0
    for tab in page.locator('.segkit-panel [role="tab"]').all():
        tab.click()
        page.wait_for_timeout(500)
        count += len(Axe().run(page, ".segkit-panel").response["violations"])
    page.locator('.segkit-panel [data-key$="/subject"]').first.click()
    count += len(Axe().run(page, ".segkit-panel").response["violations"])
    page.keyboard.press("Escape")
    return count
