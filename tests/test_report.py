"""A report: one file that loads and runs nothing, in which no part that fails hides another."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import segkit as sk
from segkit import F, Segment
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
    assert not [name for _, attrs in found for name in attrs if name in {"src", "href", "xlink:href"} or name.startswith("on")]
    assert not re.search(r"url\((?!#)", html)
    assert "@import" not in html
    assert html.count("</style>") == html.count("<style>") + html.count("<style ")


def test_a_refused_segment_is_a_note_and_the_others_are_measured(ws: sk.Workspace) -> None:
    us = Segment("US", F.country == "USA")
    report = ws.report([us, Segment("Bad", F.nope == 1)])
    [sizes] = [part for part in report.parts if part.title == "Sizes"]
    assert sizes.table is not None
    assert sizes.table["size"].tolist() == [ws.size(us)]
    assert [bool(own.refusal) for own in report.definitions] == [False, True]
    assert "unknown field" in report.html()


def test_data_without_sends_or_contacts_gives_a_report() -> None:
    import pandas as pd

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
    assert [part.title for part in report.parts if part.chart is None and not part.title.startswith("Findings")] == []
    assert len(report.html()) < 2_000_000
    for none in ([], [Segment("Bad", F.nope == 1)]):
        assert "Definitions" in ws.report(none).html()


def test_addresses_in_findings_are_hidden() -> None:
    contacts = {"contact_id": [1, 2], "email": ["Ada@example.com", "bob@example.com"]}
    import pandas as pd

    ws = sk.connect({"contacts": pd.DataFrame(contacts)}, as_of="2025-11-30")
    report = ws.report([Segment("Ada", F.email == "ada@example.com")])
    assert "***@***" in report.html()
    assert "Ada@example.com" not in report.html()
    assert "bob@example.com" not in report.html()
