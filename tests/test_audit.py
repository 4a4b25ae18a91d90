"""Audits of sets of segments: what is planted is found where it is, and clean segments have none of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import reduce
from operator import and_, or_
from typing import Any

import pandas as pd
import pytest

from segkit import TODAY, E, F, Segment, Workspace, connect, everyone, in_list, in_segment, sample, templates
from segkit.builder import Predicate
from segkit.engines import Engine
from segkit.errors import DefinitionError

opened, purchased = E.opened.within(days=30), E.purchased


@pytest.fixture(scope="module")
def ws() -> Iterator[Workspace]:
    with connect(home=None) as own:
        yield own


def told(ws: Workspace, *segments: Segment | Predicate, **limits: Any) -> set[tuple[str, str, str, str]]:
    """Segment, kind, severity and path of what is found, besides what is not written down or not used."""
    frame = ws.audit(segments, **limits)
    own = frame[~frame["kind"].str.contains("undocumented|unused")]
    return {*own[["segment", "kind", "severity", "path"]].itertuples(index=False, name=None)}


def documented(name: str, where: Predicate) -> Segment:
    return Segment(name, where, notes="why", owner="CRM")


WITHIN = [
    ((F.opens > 5) & (F.opens < 3), {("contradiction", "error", "where")}),
    ((F.country == "USA") & ((F.opens > 5) & (F.opens < 3)), {("contradiction", "error", "where.items[1]")}),
    ((F.opens > 5) & (F.opens > 3), {("without effect", "warning", "where.items[1]")}),
    ((F.opens > 3) & (F.opens > 5), {("without effect", "warning", "where.items[0]")}),
    ((F.opens > 5) | (F.opens > 3), {("without effect", "warning", "where.items[0]")}),
    ((F.opens > 5) & (F.clicks > 1) & (F.opens > 5), {("duplicate condition", "warning", "where.items[2]")}),
    ((F.opens > 5) & (F.clicks > 1) & (F.opens >= 6), {("duplicate condition", "warning", "where.items[2]")}),
    (~((F.opens > 5) | (F.opens > 3)) & (F.clicks > 1), {("without effect", "warning", "where.items[0].item.items[0]")}),
    ((F.clicks > 1) | ((F.opens > 5) & (F.opens < 3)), {("without effect", "warning", "where.items[1]")}),
    ((F.opens > 5) & ((F.country == "USA") | (F.opens < 3)), {("without effect", "warning", "where.items[1].items[1]")}),
    ((F.opens > 5) & ~F.opens.is_missing(), {("without effect", "warning", "where.items[1]")}),
    ((F.clicks > 1) & (opened.count() >= 0), {("without effect", "warning", "where.items[1]")}),
    ((opened.count() >= 5) & (E.opened.count() >= 2), {("without effect", "warning", "where.items[1]")}),
    (opened.any() & E.opened.last().within(days=30), {("duplicate condition", "warning", "where.items[1]")}),
    (F.last_purchase.within(days=30) & F.last_purchase.older_than(days=90), {("contradiction", "error", "where")}),
    ((F.opens > 5) | (F.opens <= 7) | F.opens.is_missing(), {("always true", "warning", "where")}),
    (F.last_purchase.within(days=30) & (F.last_purchase > "2026-03-01"), {("contradiction", "warning", "where")}),
]


@pytest.mark.parametrize(("where", "expected"), WITHIN, ids=lambda own: str(own)[:80])
def test_what_is_wrong_within_a_segment(ws: Workspace, where: Predicate, expected: set[tuple[str, str, str]]) -> None:
    found = {one[1:] for one in told(ws, documented("It", where)) if one[1] not in ("small", "everyone", "nobody")}
    assert found == expected


def test_a_finding_says_what_shows_it_and_what_to_do(ws: Workspace) -> None:
    found = ws.audit([documented("It", (F.country == "USA") & (F.opens > 5) & (F.opens < 3))])
    assert found.loc[0, ["segment", "kind", "severity", "path", "what"]].tolist() == [
        "It", "contradiction", "error", "where", "opens > 5 and opens < 3 exclude one another",
    ]  # fmt: skip
    assert found.loc[0, "condition"] == 'country = "USA" AND opens > 5 AND opens < 3'
    assert found.loc[0, "fix"] == "drop one of them, or join them by OR if that is meant"
    assert found.attrs["as_of"] == "2025-11-30T12:00:00+00:00"


def test_documented_segments_have_no_conditions_without_effect(ws: Workspace) -> None:
    kinds = {"contradiction", "always true", "without effect", "duplicate condition", "duplicate", "nobody"}
    assert kinds.isdisjoint(ws.audit(templates.documented())["kind"])
    assert "error" not in set(ws.audit(templates.documented())["severity"])
    assert "warning" not in set(ws.audit(templates.documented())["severity"])


def test_what_hangs_on_where_today_lies_is_not_told(ws: Workspace) -> None:
    """On 30 November the last 20 days lie in this month; on other days they do not."""
    where = F.last_purchase.within(days=20) & F.last_purchase.in_period("month")
    assert told(ws, documented("It", where)) == set()


def test_segments_that_mean_the_same_or_lie_in_each_other(ws: Workspace) -> None:
    found = told(
        ws,
        documented("A", (F.opens > 5) & ((F.country == "USA") | (F.country == "Canada"))),
        documented("B", F.country.is_in(["Canada", "USA"]) & (F.opens >= 6)),
        documented("C", F.opens > 3),
        documented("D", F.opens > 1),
        documented("E", in_segment("D") & (F.clicks > 100)),
        documented("F", F.clicks > 2),
    )
    assert found == {
        ("B", "duplicate", "warning", ""),
        ("A", "contained", "advice", ""),
        ("C", "contained", "advice", ""),
        ("E", "contained", "advice", ""),
        ("E", "nobody", "warning", ""),
    }
    frame = ws.audit([documented("C", F.opens > 3), documented("D", F.opens > 1), documented("A", F.opens > 5)])
    within = frame[frame["kind"] == "contained"]
    assert dict(zip(within["segment"], within["what"], strict=True)) == {
        "A": "all of its members are members of 'C'",
        "C": "all of its members are members of 'D'",
    }


def test_limits_are_advice_and_can_be_set(ws: Workspace) -> None:
    many = documented("Many", reduce(and_, (F.opens != n for n in range(21))))
    deep: Predicate = F.opens > 1
    for n in range(6):
        deep = (deep & (F.clicks > n)) if n % 2 else (deep | (F.country == f"c{n}"))
    found = told(ws, many, documented("Deep", deep))
    assert ("Many", "many conditions", "advice", "") in found
    assert ("Deep", "deep conditions", "advice", "") in found
    kinds = {one[1] for one in told(ws, many, documented("Deep", deep), conditions=21, levels=6)}
    assert kinds.isdisjoint({"many conditions", "deep conditions"})
    few = documented("Few", sample(percent=1))
    size = ws.size(few)
    assert told(ws, few, smallest=size) == set()
    assert told(ws, few, smallest=size + 1) == {("Few", "small", "advice", "")}


def test_sizes_and_overlap_are_those_of_the_data(ws: Workspace) -> None:
    a, b = documented("A", F.opens > 5), documented("B", (F.opens > 5) & (F.email != "nobody@example.org") | (F.clicks > 10_000))
    both = ws.overlap([a, b])
    assert both["jaccard"][0] == 1
    assert ("B", "overlap", "warning", "") in told(ws, a, b)
    c = documented("C", (F.opens > 5) | ((F.opens == 5) & (F.clicks > 1)))
    share = float(ws.overlap([a, c])["jaccard"][0])
    assert 0.5 < share < 1
    assert ("C", "overlap", "advice", "") in told(ws, a, c, overlap=share)
    assert not any(one[1] == "overlap" for one in told(ws, a, c, overlap=min(1.0, share + 0.001)))
    assert told(ws, documented("N", F.country == "Atlantis")) == {("N", "nobody", "warning", "")}
    assert told(ws, documented("E", F.opens > -1)) == {("E", "everyone", "warning", "")}
    assert told(ws, documented("All", everyone())) == set()
    assert told(ws, documented("Season", TODAY.month() == 11)) == {("Season", "everyone", "advice", "")}


def test_a_set_is_counted_in_one_query(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    ws.audit([F.opens > 1])
    asked: list[str] = []
    columns = type(ws.engine).columns

    def counted(self: Engine, sql: str) -> Any:
        asked.append(sql)
        return columns(self, sql)

    monkeypatch.setattr(type(ws.engine), "columns", counted)
    monkeypatch.setattr(type(ws.engine), "frame", lambda _, sql: pytest.fail(sql))
    ws.audit(templates.documented())
    assert len(asked) == 1


def test_a_definition_that_is_refused_hides_no_other(ws: Workspace) -> None:
    found = told(
        ws,
        documented("Field", (F.opens > 5) & ~(F.contry == "USA")),
        documented("Kind", F.opens == "five"),
        documented("Segment", (F.opens > 1) & in_segment("Nowhere")),
        documented("List", in_list("VIP Custmers")),
        documented("Upon", (F.opens > 3) & in_segment("Field")),
        documented("Fine", (F.opens > 5) & (F.opens < 3)),
    )
    assert found == {
        ("Field", "unknown name", "error", "where.items[1]"),
        ("Kind", "unfit condition", "error", "where"),
        ("Segment", "missing reference", "error", "where.items[1]"),
        ("List", "missing reference", "error", "where"),
        ("Upon", "missing reference", "error", "where.items[1]"),
        ("Fine", "contradiction", "error", "where"),
    }


def test_what_is_not_written_down_or_used_is_told() -> None:
    with connect(home=None) as ws:
        ws.define(Segment("Spare", F.opens > 9), Segment("Part", F.spent_twice > 5), spent_twice=F.total_spent * 2)
        found = ws.audit([Segment("It", in_segment("Part") & in_list("VIP Customers")), F.opens > 99])
    about = found[found["kind"].str.contains("undocumented|unused")]
    rows = {
        (kind, segment): (what, evidence)
        for kind, segment, what, evidence in about[["kind", "segment", "what", "evidence"]].values
    }
    assert rows["undocumented", "It"][0] == "it has no notes and no owner"
    assert rows["undocumented", "F.opens > 99"][0] == "it has no name and no notes and no owner"
    assert rows["unused segments", ""][1] == "Spare"
    assert rows["unused calculated fields", ""] == (
        "1 of 2 calculated fields are used by none of these segments", "average_order_value",
    )  # fmt: skip
    assert "VIP Customers" not in rows["unused lists", ""][1]
    assert set(about["severity"]) == {"advice"}


@pytest.mark.parametrize("limits", [{"conditions": -1}, {"levels": True}, {"smallest": 1.5}, {"overlap": 0}, {"overlap": "all"}])
def test_limits_that_are_none_are_refused(ws: Workspace, limits: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match=next(iter(limits))):
        ws.audit([F.opens > 1], **limits)


def test_nothing_is_found_in_nothing(ws: Workspace) -> None:
    found = ws.audit([])
    assert isinstance(found, pd.DataFrame)
    assert not len(found[~found["kind"].str.startswith("unused")])
    assert found.attrs["as_of"] == "2025-11-30T12:00:00+00:00"


def test_long_segments_are_looked_at_quickly(ws: Workspace) -> None:
    """100 conditions are compared with each other; of more it is only said that they are many."""
    where = reduce(or_, ((F.opens > n) & (F.clicks < n) & (F.country == f"c{n}") for n in range(34)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert told(ws, documented("Long", where)) >= {("Long", "many conditions", "advice", "")}


def test_logic_agrees_with_the_data(ws: Workspace) -> None:
    """What is found to be contained, the same or empty is so in the data."""
    pool = [F.opens > 3, F.opens > 5, F.opens.is_in([7, 8]), F.country == "USA", F.country != "USA", opened.count() >= 2,
            E.opened.any(), F.last_purchase.within(days=30), F.last_purchase.within(days=7), purchased.within(days=7).any()]  # fmt: skip
    segments = [documented(f"{i} {j}", a & b) for i, a in enumerate(pool) for j, b in enumerate(pool) if i < j]
    found = ws.audit(segments)
    sizes = dict(zip((own.name for own in segments), ws.sizes(segments)["size"], strict=True))
    by_name = {own.name: own for own in segments}
    within = found[found["kind"].isin(["contained", "duplicate"])]
    assert len(within) > 20
    for name, what in within[["segment", "what"]].itertuples(index=False):
        other = by_name[what.split("'")[1]]
        assert ws.size(by_name[name] - other) == 0, (name, what)
    contradictory = set(found.loc[found["kind"] == "contradiction", "segment"])
    assert all(sizes[name] == 0 for name in contradictory)
