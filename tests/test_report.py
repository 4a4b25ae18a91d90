"""A report: one file that loads and runs nothing, in which no part that fails hides another."""

from __future__ import annotations

import datetime as dt
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import segkit as sk
from segkit import E, F, Segment
from segkit.errors import SegkitError

HOSTILE = "</style></script><img src=http://x.example onerror=alert(1)>"


class Tags(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, Any]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(html: str) -> list[tuple[str, dict[str, Any]]]:
    reader = Tags()
    reader.feed(html)
    return reader.found


@pytest.fixture(scope="module")
def ws() -> sk.Workspace:
    return sk.connect()


def test_hostile_names_and_values_stay_text_and_nothing_is_loaded(ws: sk.Workspace) -> None:
    html = ws.report([Segment(HOSTILE, F.country == HOSTILE), Segment("US", F.country == "USA")]).html()
    found = tags(html)
    assert not {"script", "img", "link", "iframe", "object", "image", "use"} & {tag for tag, _ in found}
    assert not [name for _, attrs in found for name in attrs if name in {"src", "xlink:href"} or name.startswith("on")]
    assert all(attrs["href"].startswith("#") for _, attrs in found if "href" in attrs)
    assert not re.search(r"url\((?!#)", html)
    assert "@import" not in html
    assert html.count("</style>") == html.count("<style>") + html.count("<style ")


def test_a_refused_segment_is_a_note_and_the_others_are_measured(ws: sk.Workspace) -> None:
    us = Segment("US", F.country == "USA")
    report = ws.report([us, Segment("Bad", F.nope == 1)])
    [sizes] = [part for part in report.parts if part.title == "Sizes"]
    assert sizes.table is not None
    assert sizes.table["size"].tolist() == [ws.size(us)]
    assert [bool(own.refusal) for own in report.segments] == [False, True]
    assert [[part.title for part in own.parts] for own in report.segments] == [["Waterfall", "Findings"], []]
    assert "unknown field" in report.html()


def test_data_without_sends_or_contacts_gives_a_report() -> None:
    contacts = pd.DataFrame({"contact_id": pd.Series([], dtype="int64"), "country": pd.Series([], dtype="str")})
    report = sk.connect({"contacts": contacts}, as_of="2025-11-30").report([Segment("US", F.country == "USA")])
    assert [part.title for part in report.parts][:4] == ["Sizes", "Flow", "Overlap", "Performance"]
    assert "2025-11-30" in report.html()


def test_it_is_saved_as_one_file_and_replaces_no_other(ws: sk.Workspace, tmp_path: Path) -> None:
    report = ws.report([Segment("US", F.country == "USA")], as_of="2025-10-31")
    path = report.save(tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == report.html()
    assert path.stat().st_size < 400_000
    assert report.save(path) == path
    assert [own.name for own in tmp_path.iterdir()] == ["report.html"]
    other = tmp_path / "other.html"
    other.write_text("mine")
    with pytest.raises(SegkitError, match="did not make"):
        report.save(other)
    with pytest.raises(SegkitError, match=r"\.pdf"):
        report.save(tmp_path / "report.pdf")


def test_many_segments_with_long_names_fit_and_none_at_all_too(ws: sk.Workspace) -> None:
    many = [Segment(f"{n} {'long name ' * 30}", F.opens > n) for n in range(12)]
    report = ws.report(many)
    parts = [*report.parts, *(part for own in report.segments for part in own.parts)]
    assert [part.title for part in parts if part.chart is None and part.title != "Findings"] == []
    assert len(report.html()) < 1_000_000
    for none in ([], [Segment("Bad", F.nope == 1)]):
        assert "Sizes" in ws.report(none).html()


def test_each_segment_is_told_by_a_name_of_its_own(ws: sk.Workspace) -> None:
    alike = [Segment("VIP", F.opens > 5), Segment("VIP", F.opens > 6), F.opens > 7]
    report = ws.report(alike)
    assert [own.name for own in report.segments] == ["VIP", "VIP (2)", "F.opens > 7"]
    assert table(report, "Sizes")["size"].tolist() == [ws.size(own) for own in alike]


def test_the_contents_lead_to_every_section(ws: sk.Workspace) -> None:
    found = tags(ws.report([Segment("US", F.country == "USA"), Segment("VIP", F.opens > 9)]).html())
    places = [attrs["id"] for _, attrs in found if str(attrs.get("id", "")).startswith("segkit-part")]
    assert [attrs["href"] for tag, attrs in found if tag == "a"] == [f"#{place}" for place in places]
    assert len(places) == 5 + 2


# ---------------------------------------------------------------- something else


def table(report: Any, title: str) -> Any:
    [part] = [part for part in report.parts if part.title == title]
    return part.table


class Asking:
    """What of an engine was asked since it was last looked at."""

    def __init__(self, own: Any) -> None:
        self.own, self.asked = own, 0

    def frame(self, sql: str) -> Any:
        self.asked += 1
        return self.own.frame(sql)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)


READERS = Segment("Readers", E.opened.within(days=20).any())
BUYERS = Segment("Buyers", E.purchased.any())


@pytest.fixture
def few() -> sk.Workspace:
    """Forty contacts who open or buy now and then: what they do is soon measured, and counted here by what is asked."""
    days = pd.Timestamp("2025-11-30") - pd.to_timedelta([n % 60 for n in range(0, 400, 3)], "D")
    keys = [n % 40 + 1 for n in range(len(days))]
    kinds = [("opened", "opened", "purchased")[n % 3] for n in keys]
    events = pd.DataFrame({"contact_id": keys, "event": kinds, "event_id": range(len(days)), "occurred_at": days})
    ws = sk.connect({"contacts": pd.DataFrame({"contact_id": range(1, 41)}), "events": events}, as_of="2025-11-30")
    ws.engine = Asking(ws.engine)
    return ws


def test_only_what_changes_is_measured_again(few: sk.Workspace) -> None:
    report = few.report([READERS, BUYERS])
    sizes, flow, waterfall = table(report, "Sizes"), table(report, "Flow"), report.segments[0].parts[0]
    few.engine.asked = 0
    report.update(start="2025-11-01")
    of_period = few.engine.asked
    assert table(report, "Sizes") is sizes
    assert table(report, "Flow") is not flow
    assert report.start.isoformat() == "2025-11-01T00:00:00+00:00"
    report.update([READERS])
    assert report.segments[0].parts[0] is waterfall
    assert table(report, "Sizes")["size"].tolist() == [few.size(READERS)]
    few.engine.asked = 0
    report.update([READERS, BUYERS])
    assert few.engine.asked == 0 < of_period
    report.update(as_of="2025-11-15")
    assert report.at.as_of - report.start == dt.timedelta(days=29)
    assert table(report, "Sizes")["size"].tolist() == [few.size(own, as_of="2025-11-15") for own in (READERS, BUYERS)]


def test_a_report_that_is_shown_asks_nothing(few: sk.Workspace, tmp_path: Path) -> None:
    report = few.report([READERS])
    few.engine.asked = 0
    bundle = report._repr_mimebundle_()
    assert bundle.keys() == {"text/plain", "text/html"}  # no kernel hears pickers here
    assert report.save(tmp_path / "report.html").stat().st_size > len(bundle["text/html"])
    assert few.engine.asked == 0


def test_what_cannot_be_reported_changes_nothing(few: sk.Workspace) -> None:
    report = few.report([READERS])
    before = report.html()
    for wrong in ({"as_of": "yesterday"}, {"start": "2026-01-01"}, {"segments": READERS.where}):
        with pytest.raises(SegkitError):
            report.update(**wrong)
    assert report.html() == before


# ---------------------------------------------------------------- pickers


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that hears: widgets talk to a comm that is no dummy."""
    import comm

    class Comm(comm.BaseComm):
        def publish_msg(self, *_: Any, **__: Any) -> None:
            return

    monkeypatch.setattr(comm, "create_comm", Comm)


@pytest.mark.usefixtures("live")
def test_pickers_ask_for_something_else(few: sk.Workspace) -> None:
    few.define(BUYERS)
    report = few.report([READERS])
    box = report._pickers()
    [chosen, [as_of, period, every], problem, shown] = [getattr(own, "children", None) or own for own in box.children]
    assert [name for name, _ in chosen.options] == ["Readers", "Buyers"]
    assert (chosen.value, as_of.value, period.value, every.value) == ((0,), "2025-11-30 00:00", 30, "day")
    chosen.value = (0, 1)
    assert table(report, "Sizes")["size"].tolist() == [few.size(READERS), few.size(BUYERS)]
    as_of.value = "2025-10-31"
    assert table(report, "Sizes")["size"].tolist() == [few.size(own, as_of="2025-10-31") for own in (READERS, BUYERS)]
    period.value = 7
    assert report.start.isoformat() == "2025-10-24T00:00:00+00:00"
    every.value = "week"
    assert len(table(report, "Flow")) == 2 * 2
    assert shown.value == report.body
    as_of.value = "<b>"
    assert "&lt;b&gt;" in problem.value
    assert 'role="alert"' in problem.value
    assert report.at.as_of.isoformat() == "2025-10-31T00:00:00+00:00"
    as_of.value = "2025-10-30"
    assert problem.value == ""
    assert "application/vnd.jupyter.widget-view+json" in report._repr_mimebundle_()


@pytest.mark.usefixtures("live")
def test_a_start_that_was_given_can_be_chosen_again(few: sk.Workspace) -> None:
    report = few.report([READERS], start="2025-11-03", every="2 weeks")
    [_, [_, period, every], _, _] = [getattr(own, "children", None) or own for own in report._pickers().children]
    assert period.options[0] == ("since 2025-11-03 00:00", 0)
    assert every.value == "2 weeks"
    period.value = 90
    period.value = 0
    assert report.start.isoformat() == "2025-11-03T00:00:00+00:00"


@pytest.mark.usefixtures("live")
def test_without_ipywidgets_it_is_still(few: sk.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "segkit.report.pickers", raising=False)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert few.report([READERS])._repr_mimebundle_().keys() == {"text/plain", "text/html"}


# ---------------------------------------------------------------- private


def test_no_row_of_a_contact_is_in_a_report() -> None:
    """Keys and addresses as data has them: none is told, however small the segments are."""
    keys = [f"key-{n:04}-{n * 7919 % 10007}" for n in range(300)]
    contacts = pd.DataFrame(
        {"contact_id": keys, "email": [f"{key}@mail.example" for key in keys], "tier": ["gold", "tin", "lead"] * 100}
    )
    ws = sk.connect({"contacts": contacts}, as_of="2025-11-30")
    html = ws.report(
        [Segment("Gold", F.tier == "gold"), Segment("Some", F.email.contains("key-00")), Segment("Two", F.email.contains("001"))]
    ).html()
    assert [key for key in keys if key in html] == []
    assert "mail.example" not in html


def test_addresses_are_hidden_everywhere_unless_asked() -> None:
    contacts = pd.DataFrame({"contact_id": [1, 2], "email": ["Ada@example.com", "bob@example.com"]})
    ws = sk.connect({"contacts": contacts}, as_of="2025-11-30")
    two = [
        Segment("ada@example.com", F.email == "ada@example.com", notes="ask eve@example.com"),
        Segment("bob@example.com", F.email.is_in(["bob@example.com", "zoe@example.com"])),
    ]
    report = ws.report(two)
    assert "example.com" not in report.html()
    assert [own.name for own in report.segments] == ["***@***", "***@*** (2)"]
    assert [len(part.table) for part in report.parts if part.title in ("Sizes", "Overlap")] == [2, 1]
    shown = ws.report(two, mask=False).html()
    assert [name for name in ("ada", "bob", "zoe", "eve") if f"{name}@example.com" not in shown] == []
