"""The panel's module alone on a plain page: a small fake model in the browser, answered by the real Python side."""

from __future__ import annotations

import json
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import Page

import segkit
from segkit.panel import answers
from segkit.panel.draft import read, written
from segkit.panel.handed import Handed
from segkit.panel.projection import drafted

FILES = Path(segkit.__file__).parent / "panel"
THEMES = {
    "light": {"--jp-layout-color1": "#fff", "--jp-content-font-color0": "rgba(0,0,0,1)", "light": "true"},
    "dark": {"--jp-layout-color1": "#111111", "--jp-content-font-color0": "rgba(255,255,255,1)", "light": "false"},
}
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Panel</title><link rel="stylesheet" href="panel.css">
<style>body { margin: 0; padding: 12px; background: var(--jp-layout-color1); color: var(--jp-content-font-color0); } h1 { position: absolute; clip-path: inset(50%); margin: 0; }</style></head><body><main><h1>Panel</h1></main></body></html>"""
START = """async ({ state }) => {
  const listeners = {};
  window.sent = [];
  window.state = state;
  const fire = (event, value) => (listeners[event] ?? []).forEach((act) => act(value));
  window.receive = (parts) => Object.entries(parts).forEach(([key, value]) => { state[key] = value; fire(`change:${key}`); });
  window.reply = (message) => fire("msg:custom", message);
  const model = {
    get: (key) => state[key],
    set: (key, value) => { state[key] = structuredClone(value); },
    save_changes: () => { window.sent.push(state.draft.revision); if (!window.busy) window.toPython(JSON.stringify({ draft: state.draft })); },
    send: (message) => { if (!window.busy) window.toPython(JSON.stringify({ asked: message, draft: state.draft })); },
    on: (event, act) => (listeners[event] ??= []).push(act),
    off: (event, act) => { listeners[event] = (listeners[event] ?? []).filter((own) => own !== act); },
  };
  const module = await import("./panel.js");
  window.edits = module.edits;
  const begin = performance.now();
  window.close_panel = module.default.render({ model, el: document.querySelector("main") });
  return performance.now() - begin;
}"""


class Kernel:
    """What answers the page: the functions of the panel, over a workspace."""

    def __init__(self, page: Page, given: Handed, where: Any = None, name: str | None = None) -> None:
        self.page, self.handed = page, given
        node = segkit.everyone().node if where is None else where.node
        self.draft = drafted(segkit.nodes.Definition(name, node))
        self.queue: list[str] = []

    def state(self) -> dict[str, Any]:
        return {"draft": written(self.draft), "view": self.view(), "options": answers.options(self.handed)}

    def view(self) -> dict[str, Any]:
        look = answers.looked(self.draft, self.handed)
        return answers.view(self.draft, look, answers.tallied(look, self.handed))

    def hear(self, text: str) -> None:
        message = json.loads(text)
        self.draft = read(message["draft"])
        if "asked" not in message:
            self.tell(view=self.view())
            return
        found = answers.answer(message["asked"], self.draft, self.handed)
        draft = found.pop("draft", None)
        self.page.evaluate("(message) => window.reply(message)", {"number": message["asked"]["number"], **found})
        if draft is not None:
            self.draft = draft
            self.tell(draft=written(draft))
            self.tell(view=self.view())

    def tell(self, **parts: Any) -> None:
        self.page.evaluate("(parts) => window.receive(parts)", parts)

    def start(self, address: str, theme: str = "light") -> float:
        page, colours = self.page, THEMES[theme]
        page.expose_function("heard", lambda text: self.queue.append(text))
        page.goto(f"{address}/page.html")
        page.evaluate(
            """(colours) => {
                for (const [name, value] of Object.entries(colours)) document.documentElement.style.setProperty(name, value);
                document.body.dataset.jpThemeLight = colours.light;
                window.toPython = (text) => window.heard(text);
            }""",
            colours,
        )
        took = page.evaluate(START, {"state": self.state()})
        self.settle()
        return float(took)

    def settle(self, milliseconds: int = 450) -> None:
        """Lets the page send what it has to say, and answers it."""
        for _ in range(20):
            self.page.wait_for_timeout(milliseconds if not self.queue else 20)
            if not self.queue:
                return
            while self.queue:
                self.hear(self.queue.pop(0))


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.endswith("page.html"):
            body = PAGE.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        return


def serve() -> tuple[ThreadingHTTPServer, str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(FILES)))
    Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"
