"""Payloads in every name and value: whatever is shown has the same markup as with harmless ones."""

from __future__ import annotations

import datetime as dt
import logging
import warnings
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from typing import Any

import pandas as pd
from test_bad_input import NAMES, is_storable, shared_values
from test_charts import HOSTILE
from test_display import NEARLY_HTML

import segkit as sk
from segkit import E, F, Journey, Segment, StaticList, Workspace, charts, connect, in_list
from trusted.figure import AS_OF, Figure

BATCH = 8
PAYLOADS = [
    *NEARLY_HTML, *HOSTILE, '"><svg onload=alert(1)>', "<svg/onload=alert(1)>", "<a href=javascript:alert(1)>x</a>", "<iframe srcdoc='<b>'>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>", "<!--<img src=x>", "]]><script>alert(1)</script>", "<style>*{color:red}</style>",
    "${alert(1)}", "{{constructor.constructor('alert(1)')()}}", "<base href=//x.example>", "<input autofocus onfocus=alert(1)>", "&lt;img src=x&gt;",
    "</title><script>alert(1)</script>", "</textarea><img src=x onerror=alert(1)>", "<xss\tonclick=alert(1)>", "<details open ontoggle=alert(1)>", *NAMES,
]  # fmt: skip


class Markup(HTMLParser):
    """The kinds of elements of a page: a tag with the names of its attributes, and where it leads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.kinds: set[tuple[Any, ...]] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        leads = sorted(
            f"{name}={value}" for name, value in attrs if name.rpartition(":")[2] in ("href", "src") or name.startswith("on")
        )
        self.kinds.add(
            (tag, *sorted({name for name, _ in attrs}), *(own for own in leads if not own.startswith("src=data:image/svg")))
        )

    def handle_comment(self, data: str) -> None:
        self.kinds.add(("comment", data if "<" in data else ""))


Output = Callable[[Workspace, list[Segment]], str]


def _drawn(draw: Callable[[Any], charts.Chart], frame: Callable[[Workspace, list[Segment]], Any]) -> Output:
    def output(ws: Workspace, own: list[Segment]) -> str:
        chart = draw(frame(ws, own))
        return chart.svg() + chart.svg("dark") + str(chart._repr_mimebundle_()["image/svg+xml"])

    return output


OUTPUTS: dict[str, Output] = {
    "segments": lambda _, own: "".join(one._repr_html_() for one in own),
    "the workspace": lambda ws, _: ws._repr_html_(),
    "its catalog": lambda ws, _: ws.catalog._repr_html_(),
    "lists": lambda _, own: "".join(StaticList(str(one.name), 1, dt.datetime(2025, 1, 1, tzinfo=dt.UTC), str(one.name))._repr_html_() for one in own),
    "journeys": lambda _, own: Journey(own, name=own[0].name)._repr_html_(),
    "explanations": lambda ws, own: "".join(ws.explain(one, n)._repr_html_() for n, one in enumerate(own)),
    "findings": lambda ws, own: sk.show_findings(ws.audit(own))._repr_html_(),
    "a diagnosis": lambda ws, own: "".join(sk.show_findings(ws.diagnose(one))._repr_html_() for one in own[:3]),
    "previews": lambda ws, own: "".join(ws.preview(one)._repr_html_() for one in own),  # type: ignore[operator]
    "the panel": lambda ws, own: "".join(ws.builder(one)._repr_mimebundle_()[0]["text/html"] for one in own),
    "a report": lambda ws, own: ws.report(own).html(),
    "a chart of sizes": _drawn(charts.size, lambda ws, own: ws.sizes(own)),
    "a chart as a page": lambda ws, own: charts.size(ws.sizes(own)).html(),
    "a chart of composition": _drawn(charts.composition, lambda ws, own: ws.composition(own[:3], F.country)),
    "a chart of overlap": _drawn(charts.overlap, lambda ws, own: ws.overlap(own)),
    "a chart of intersections": _drawn(charts.intersections, lambda ws, own: ws.intersections(own)),
    "a chart of a waterfall": _drawn(charts.waterfall, lambda ws, own: ws.waterfall(own[0])),
    "a chart of history": _drawn(charts.history, lambda ws, own: ws.history(own, start="2025-05-01", end="2025-06-30", every="month")),
    "a chart of a profile": _drawn(charts.profile, lambda ws, own: ws.profile(own[0], least=1)),
    "a chart of a difference": _drawn(charts.diff, lambda ws, own: ws.diff(own[0], own[1])),
    "a chart of a journey": _drawn(charts.journey, lambda ws, own: ws.journey(Journey(own, name=own[0].name))),
}  # fmt: skip


def payloads(count: int, _: list[str]) -> Iterator[Figure]:
    """So many payloads in names, notes, fields, values, events and lists."""
    shared = [text for text in shared_values() if "<" in text and text.isprintable()]
    wanted: dict[str, str] = {}
    for text in [*PAYLOADS, *shared]:
        if text.strip() and is_storable(text) and len(text) <= 150:
            wanted.setdefault(text.casefold(), text)
    texts = list(wanted.values())[:count]
    outputs = OUTPUTS | ({"an exported notebook": _exported} if find_spec("nbconvert") else {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        harmless = dict(_shown(outputs, [f"name {letter}" for letter in "abcdefgh"]))
        wrong = caught = 0
        for start in range(0, len(texts), BATCH):
            batch = texts[start : start + BATCH]
            batch += [f"name {n}" for n in range(BATCH - len(batch))]
            for name, found in _shown(outputs, batch):
                wrong += len(found - harmless[name])
            table = pd.DataFrame({"name": batch})
            caught += len(Markup(table.to_html(escape=False)).kinds - Markup(table.to_html()).kinds)
    yield Figure(
        "Payloads that become markup",
        "HTML, pictures and pages",
        len(texts) * len(outputs),
        wrong,
        "the same texts in a table that does not escape",
        caught,
        f"{len(texts)} payloads in {len(outputs)} outputs: {', '.join(outputs)}",
    )


def _shown(outputs: dict[str, Output], texts: list[str]) -> Iterator[tuple[str, set[tuple[Any, ...]]]]:
    n = len(texts)
    contacts = pd.DataFrame(
        {
            "contact_id": range(n),
            "country": texts,
            **{text: [texts[i] if i == j else "x" for j in range(n)] for i, text in enumerate(texts)},
        }
    )
    events = pd.DataFrame(
        {
            "event_id": range(n),
            "contact_id": range(n),
            "event": texts,
            "occurred_at": pd.Timestamp("2025-06-01"),
            "campaign": texts,
        }
    )
    lists = pd.DataFrame({"list_name": texts, "contact_id": range(n)})
    own = [
        Segment(
            text,
            (F[text] == text) | (F.country == text) | E[text].where(F.campaign == text).any() | in_list(text),
            notes=text,
            owner=text,
            tags=[text],
        )
        for text in texts
    ]
    with connect({"contacts": contacts, "events": events, "list_members": lists}, as_of=AS_OF, home=None) as ws:
        ws.define(*own)
        for name, output in outputs.items():
            yield name, Markup(output(ws, own)).kinds


def _exported(ws: Workspace, own: list[Segment]) -> str:
    """A notebook whose cells show a segment, the panel and a chart, as a page."""
    import nbformat
    from nbconvert import HTMLExporter

    logging.getLogger("traitlets").setLevel(logging.ERROR)
    chart = charts.size(ws.sizes(own))._repr_mimebundle_()
    bundles = [
        {"text/html": own[0]._repr_html_()},
        ws.builder(own[0])._repr_mimebundle_()[0],
        {"image/svg+xml": chart["image/svg+xml"]},
    ]
    cells = [
        nbformat.v4.new_code_cell(str(own[0].name), outputs=[nbformat.v4.new_output("display_data", data=bundle)])
        for bundle in bundles
    ]
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    return str(page)
