"""Differences of definitions: who moved is what sets of members say, and why is what a second, plainer reading says."""

from __future__ import annotations

import datetime as dt
import random
import warnings
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from engines import ENGINES, Engine, Rows

from segkit import DataError, E, F, SegkitWarning, Segment, Workspace, connect, everyone, in_segment, templates
from segkit.builder import Predicate
from segkit.catalog import Kind
from segkit.engines.limits import Limits
from segkit.spelling import spell

AS_OF = "2025-06-30T12:00:00Z"
BEFORE = "2025-06-20T12:00:00Z"
NOT_BOUGHT = "~(E.purchased.within(days=10).count() >= 1)"
US, READS, BUYS = F.country == "US", F.opens >= 3, E.purchased.within(days=10).any()
CONTACTS = [
    {"contact_id": i, "country": ("US", "IT", None)[i % 3], "opens": (0, 2, 3, None)[i % 4], "made": dt.datetime(2025, 6, 1 + i)}
    for i in range(24)
]
EVENTS = [{"contact_id": i, "event": "purchased", "occurred_at": dt.datetime(2025, 6, 1 + i % 29, 12)} for i in range(24)]
TABLES = {
    "contacts": Rows({"contact_id": Kind.INTEGER, "country": Kind.TEXT, "opens": Kind.INTEGER, "made": Kind.TIMESTAMP}, CONTACTS),
    "events": Rows({"contact_id": Kind.INTEGER, "event": Kind.TEXT, "occurred_at": Kind.TIMESTAMP}, EVENTS),
}
CATALOG = {"contacts": {"table": "contacts", "created": "made"}, "events": [{"table": "events"}]}
PAIRS = {
    "looser": (READS, F.opens >= 2),
    "narrower": (US, US & READS),
    "replaced": (US & READS, US & BUYS),
    "combined otherwise": (US & BUYS, US | BUYS),
    "negated": (US, ~US),
    "of groups": (~(US & READS) | BUYS, ~(US | READS) & ~BUYS),
    "nobody": (READS & ~READS, everyone()),
    "the same": (~(US & READS), ~US | ~READS),
}


@pytest.fixture(scope="module", params=ENGINES)
def on_engine(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    own = ENGINES[request.param]
    with connect(own.loaded(TABLES), home=None, as_of=AS_OF, catalog=CATALOG, **own.connect) as ws:
        yield ws


@pytest.fixture(scope="module")
def small() -> Iterator[Workspace]:
    with connect(ENGINES["duckdb"].loaded(TABLES), home=None, as_of=AS_OF, catalog=CATALOG) as ws:
        yield ws


@pytest.fixture(scope="module")
def ws() -> Iterator[Workspace]:
    with connect(home=None) as own:
        yield own


def check(ws: Workspace, old: Predicate, new: Predicate, frame: pd.DataFrame, **old_at: Any) -> None:
    """Against the sets of members, and the sizes."""
    then, now = (set(ws.members(own, **at)["contact_id"]) for own, at in ((old, old_at), (new, {})))
    gained, lost = (frame[frame["moved"] == own]["contact_id"].tolist() for own in ("gained", "lost"))
    assert (gained, lost) == (sorted(now - then), sorted(then - now))
    assert list(frame.columns) == ["contact_id", "moved", "because"]
    assert frame["moved"].tolist() == ["gained"] * len(gained) + ["lost"] * len(lost)
    figures = {"old_size": len(then), "new_size": len(now), "gained": len(gained), "lost": len(lost), "kept": len(then & now)}
    assert {name: frame.attrs[name] for name in figures} == figures
    assert frame.attrs["same"] is (then == now)
    counted = {(own["moved"], own["because"]): own for own in frame.attrs["reasons"]}
    for (moved, because), rows in frame.groupby(["moved", "because"]):
        own = counted.pop((moved, because))
        assert (own["contacts"], own["examples"]) == (len(rows), rows["contact_id"].head(5).tolist())
    assert counted == {}


def truth(ws: Workspace, condition: Predicate, contact: int, at: str = AS_OF) -> bool:
    return contact in set(ws.members(condition, as_of=at)["contact_id"])


@pytest.mark.parametrize("name", PAIRS)
def test_every_engine_finds_who_moved(on_engine: Workspace, name: str) -> None:
    check(on_engine, *PAIRS[name], on_engine.diff(*PAIRS[name]))


def test_every_engine_finds_who_came_and_went(on_engine: Workspace) -> None:
    with pytest.warns(SegkitWarning, match=f"no history of country.* not as of {BEFORE}"):
        frame = on_engine.diff(BUYS & US, BUYS & US, old_as_of=BEFORE)
    with pytest.warns(SegkitWarning, match="no history of country"):
        check(on_engine, BUYS & US, BUYS & US, frame, as_of=BEFORE)
    assert dt.datetime.fromisoformat(frame.attrs["old_as_of"]) == dt.datetime.fromisoformat(BEFORE)
    bought = "E.purchased.within(days=10).count() >= 1"
    new = {own["contact_id"] for own in CONTACTS if own["made"] > dt.datetime(2025, 6, 20, 12)}
    for contact, moved, because in frame.itertuples(index=False):
        expected = "new contact" if contact in new else f"became {'true' if moved == 'gained' else 'false'}: {bought}"
        assert because == expected
    assert set(frame["moved"]) == {"gained", "lost"}


def test_reasons_are_those_of_a_plain_reading(small: Workspace) -> None:
    """By hand: who is in `US & READS` or in `US & BUYS` only."""
    read, bought = "F.opens >= 3", "E.purchased.within(days=10).count() >= 1"
    frame = small.diff(US & READS, US & BUYS).set_index("contact_id")
    for contact, (moved, because) in frame.iterrows():
        assert truth(small, US, contact)
        assert truth(small, READS, contact) is (moved == "lost")
        assert truth(small, BUYS, contact) is (moved == "gained")
        assert because == (f"removed: {read}" if moved == "gained" else f"added: {bought}")
    narrower = small.diff(US, US & READS & BUYS).set_index("contact_id")
    for contact, (_, because) in narrower.iterrows():
        missing = [text for text, own in ((read, READS), (bought, BUYS)) if not truth(small, own, contact)]
        assert because == "; ".join(f"added: {text}" for text in missing)
    assert narrower["because"].nunique() == 3
    wider = small.diff(US, US | READS | ~BUYS).set_index("contact_id")
    for contact, (_, because) in wider.iterrows():
        holds = [text for text, own in ((read, READS), (NOT_BOUGHT, ~BUYS)) if truth(small, own, contact)]
        assert because == "; ".join(f"added: {text}" for text in holds)
    otherwise = small.diff(US & BUYS, US | BUYS).set_index("contact_id")
    for contact, (_, because) in otherwise.iterrows():
        assert because == f"{'removed' if truth(small, US, contact) else 'added'}: {bought}"


A, B, C, D = (F.opens > 0), US, BUYS, F.country.is_missing()
TOLD = {
    "a": "F.opens > 0",
    "b": "F.country == 'US'",
    "c": "E.purchased.within(days=10).count() >= 1",
    "d": "F.country.is_missing()",
}


@pytest.mark.parametrize(
    ("old", "new", "because"),
    [
        ("a", "a & c", {"-c"}),
        ("a", "a | c", {"+c"}),
        ("a | b", "a | c", {"+c", "-b"}),
        ("a & b", "a & c", {"+b", "-c"}),
        ("a & b", "(a & b) | c", {"+c"}),
        ("(a & b) | c", "a & b", {"-c"}),
        ("a | b", "(a | b) & c", {"-c"}),
        ("a & (b | c)", "a & (b | d)", {"+d", "-c"}),
        ("a & b", "a & (b | d)", {"+d"}),
        ("a & (b | d)", "a & b", {"-d"}),
        ("(a & b) | c", "(a & d) | c", {"+b", "-d"}),
        ("~(a & b)", "~(a & b & c)", {"+c"}),
        ("everyone()", "a | b", {"-a, b"}),
        ("a & b", "everyone()", {"+a", "+b", "+a, b"}),
        ("~everyone()", "a", {"+a"}),
    ],
)
def test_an_edit_moves_one_way(small: Workspace, old: str, new: str, because: set[str]) -> None:
    """Each contact is moved by an edit: + lets it in, - keeps it out."""
    names = {"a": A, "b": B, "c": C, "d": D, "everyone": everyone}
    frame = small.diff(eval(old, names), eval(new, names))
    found = set()
    for moved, text in frame[["moved", "because"]].itertuples(index=False):
        parts = [own.removeprefix("added: ").removeprefix("removed: ").removeprefix("~(").rstrip(")") for own in text.split("; ")]
        letters = [letter for own in parts for letter, told in TOLD.items() if told.rstrip(")") == own]
        assert len(letters) == len(parts), text
        found.add(("+" if moved == "gained" else "-") + ", ".join(sorted(letters)))
    assert found == because


def random_tree(draw: random.Random, depth: int = 3) -> Predicate:
    if depth == 0 or draw.random() < 0.3:
        own = draw.choice((A, B, C, D))
        return ~own if draw.random() < 0.3 else own
    one, other = random_tree(draw, depth - 1), random_tree(draw, depth - 1)
    joined = one & other if draw.random() < 0.5 else one | other
    return ~joined if draw.random() < 0.2 else joined


def test_what_is_named_holds_for_who_is_in_and_not_for_who_is_out(small: Workspace) -> None:
    """Of random definitions: who came lacked what was removed and has what was added, who went the other way round."""
    draw = random.Random(6)
    members = {spell(own.node): set(small.members(own)["contact_id"]) for each in (A, B, C, D) for own in (each, ~each)}
    named = 0
    for _ in range(60):
        old, new = random_tree(draw), random_tree(draw)
        frame = small.diff(old, new)
        for contact, moved, because in frame.itertuples(index=False):
            for part in because.split("; "):
                word, _, text = part.partition(": ")
                assert (contact in members[text]) is ((word == "added") is (moved == "gained")), (old, new, contact, because)
                named += 1
    assert named > 300


def test_a_negation_is_told_from_what_it_negates(small: Workspace) -> None:
    frame = small.diff(US, ~US)
    told = {"gained": "removed: F.country == 'US'", "lost": "added: F.country != 'US'"}
    assert frame["because"].tolist() == [told[moved] for moved in frame["moved"]]


def test_both_ways_give_the_same(ws: Workspace) -> None:
    """An engine that takes no query with all conditions is asked for the members, and then for the truths in parts."""
    old, new = F.opens > 20, (E.opened.within(days=60).count() > 3) & (F.clicks > 2) | E.purchased.within(days=30).any()
    whole = ws.diff(old, new)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ws.engine, "limits", Limits(columns=2, joins=4))
        parts = ws.diff(old, new)
    pd.testing.assert_frame_equal(parts, whole)
    assert parts.attrs == whole.attrs
    assert len(whole) > 1000


@pytest.mark.parametrize("segment", templates.documented(), ids=lambda own: own.name)
def test_documented_segments_a_month_apart(ws: Workspace, segment: Segment) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SegkitWarning)
        frame = ws.diff(segment, segment, old_as_of="2025-10-31")
        then = set(ws.members(segment, as_of="2025-10-31")["contact_id"])
    now = set(ws.members(segment)["contact_id"])
    assert set(frame["contact_id"]) == then ^ now
    assert not frame["because"].str.startswith(("removed", "added", "combined")).any()


def test_an_empty_difference_certifies_the_same_members(ws: Workspace) -> None:
    frame = ws.diff(F.opens > 5, ~(F.opens <= 5) & ~F.opens.is_missing())
    assert frame.empty
    assert list(frame.columns) == ["contact_id", "moved", "because"]
    assert frame.attrs["same"] is True
    assert frame.attrs["says"] == f"the same {ws.size(F.opens > 5):,} members on this data"
    assert ws.diff(F.opens > 5, F.opens > 6).attrs["says"].startswith("0 gained, ")


def test_two_versions_of_one_name_and_references(ws: Workspace) -> None:
    old, new = Segment("Readers", F.opens > 5), Segment("Readers", F.opens > 6)
    assert ws.diff(old, new).attrs["lost"] == ws.size(old) - ws.size(new)
    other = Segment("US readers", in_segment("Readers") & (F.country == "USA"))
    frame = ws.diff(old, other)
    assert frame["because"].unique().tolist() == ["added: F.country == 'USA'"]
    assert frame.attrs["new_size"] == ws.size((F.opens > 5) & (F.country == "USA"))


KEYS = ["a", "A", "a ", "'; DROP TABLE contacts; --", "東京", "%", "back\\slash", "${x}"]
WITH_TEXT_KEYS = {
    "contacts": Rows({"contact_id": Kind.TEXT, "n": Kind.INTEGER}, [{"contact_id": key, "n": n} for n, key in enumerate(KEYS)]),
    "events": Rows(
        {"contact_id": Kind.TEXT, "event": Kind.TEXT, "occurred_at": Kind.TIMESTAMP},
        [{"contact_id": key, "event": "x", "occurred_at": dt.datetime(2025, 6, 25)} for key in KEYS],
    ),
}


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_keys_may_be_any_text(engine: Engine) -> None:
    with connect(engine.loaded(WITH_TEXT_KEYS), home=None, as_of=AS_OF, **engine.connect) as own:
        frame = own.diff(E.x.any(), E.x.any(), old_as_of=BEFORE)
        assert frame["contact_id"].tolist() == sorted(KEYS)
        assert frame["because"].unique().tolist() == ["became true: E.x.count() >= 1"]
        assert own.diff(F.n < 3, F.n >= 3)["contact_id"].tolist() == [*sorted(KEYS[3:]), *sorted(KEYS[:3])]


def test_data_that_changes_meanwhile_is_told(small: Workspace) -> None:
    frame = small.engine.frame
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small.engine, "frame", lambda sql: frame(sql).head(3) if "is_new" in sql else frame(sql))
        with pytest.raises(DataError, match="less"):
            small.diff(US, US & READS)
