"""The gallery shows every chart as it is drawn today, and pictures leave room for the letters of any machine."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import gallery
import pandas as pd
import pytest

from segkit import charts
from segkit.charts import svg


def words(picture: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(picture).iter() if element.tag.endswith("}text")]


@pytest.fixture(scope="module")
def shown() -> dict[str, charts.Chart]:
    return gallery.drawn()


def test_no_chart_is_missing(shown: dict[str, charts.Chart]) -> None:
    public = {*charts.__all__} - {"Chart"}
    page = gallery.PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"^### (\w+)$", page, re.MULTILINE)) == public
    assert shown.keys() == public
    named = {f"{name}-{theme}.svg" for name in public for theme in ("light", "dark")}
    assert set(re.findall(r"\]\(images/charts/([\w.-]+)\)", page)) == named
    assert {own.name for own in gallery.FOLDER.iterdir()} == named


def test_pictures_are_those_of_today_and_small(shown: dict[str, charts.Chart]) -> None:
    committed = {name: (gallery.FOLDER / f"{name}-light.svg").read_text(encoding="utf-8") for name in shown}
    assert {name: words(own) for name, own in committed.items()} == {name: words(own.svg()) for name, own in shown.items()}
    assert sum(own.stat().st_size for own in gallery.FOLDER.iterdir()) < 1_000_000


def test_letters_have_their_own_size_and_more_room() -> None:
    frame = pd.DataFrame({"segment": ["m" * 90], "size": [1], "share": [1.0]})
    chart = charts.size(frame)
    picture = chart.svg()
    assert set(re.findall(r'font-size="([\d.]+)px"', picture)) == {"11", "14"}
    [name] = [word for word in words(picture) if word.startswith("m")]
    assert len(name) < len(next(word for word in words(_plain(chart)) if word.startswith("m")))


def _plain(chart: charts.Chart) -> str:
    import vl_convert

    return str(vl_convert.vegalite_to_svg(chart.spec, vl_version=svg.VEGA_LITE))


def test_what_nobody_sees_is_left_out_and_texts_stay_as_they_are(shown: dict[str, charts.Chart]) -> None:
    name = '1.23456 aria-label="x"'
    picture = charts.size(pd.DataFrame({"segment": [name], "size": [1], "share": [1 / 3]})).svg()
    assert name in words(picture)
    assert not re.search(r'="[^"]*\d\.\d{3}', picture)
    assert not re.search(r'<path[^<>]* opacity="0"', shown["survival"].svg())
    assert picture.startswith('<svg role="img" aria-label="Contacts in each segment"')
