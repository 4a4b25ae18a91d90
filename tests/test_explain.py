"""Why a contact is in a segment or not: against members, changes that are carried out, and history."""

from __future__ import annotations

import datetime as dt
import os
from decimal import Decimal

import pandas as pd
import pytest

from segkit import DefinitionError, E, F, Segment, Workspace, connect, in_list, in_segment, raw_sql, sample, templates
from segkit.explanation.case import PLACE, Case, answered, sight
from segkit.explanation.edits import AddEvent, JoinList, RemoveEvent, SetField, told
from segkit.explanation.instants import course
from segkit.measures import spells
from segkit.nodes import Predicate

NOW = dt.datetime(2025, 6, 30, 12, tzinfo=dt.UTC)
READERS = Segment("Readers", E.opened.within(days=30).count() >= 3)


@pytest.fixture
def small() -> Workspace:
    contacts = pd.DataFrame(
        {
            "contact_id": [1, 2, 3],
            "email": ["ada@example.com", "bob@example.com", None],
            "country": ["USA", "Canada", None],
            "spent": [500.0, 20.0, 700.0],
            "seen_at": pd.to_datetime(["2025-06-12 09:30", "2025-01-01 00:00", None]),
        }
    )
    days = ["2025-06-01 08:00", "2025-06-10 09:00", "2025-06-29 10:00", "2025-05-01 00:00", "2025-06-20 00:00"]
    events = pd.DataFrame(
        {
            "event_id": range(5),
            "contact_id": [1, 1, 1, 1, 2],
            "event": "opened",
            "occurred_at": pd.to_datetime(days),
            "subject": ["a", "b", "c", "d", "<b>e</b>"],
        }
    )
    lists = pd.DataFrame({"list_name": ["VIP"], "contact_id": [2]})
    return connect({"contacts": contacts, "events": events, "list_members": lists}, as_of=NOW, home=None)


# ---------------------------------------------------------------- known answers


def test_a_member_with_its_events_and_when_it_leaves(small: Workspace) -> None:
    own = small.explain(READERS, 1)
    assert own.member
    [row] = own.frame.to_dict("records")
    assert (row["path"], row["holds"], row["value"], row["threshold"], row["events"]) == ("where", True, 3, ">= 3", 3)
    assert own.changes_at == dt.datetime(2025, 7, 1, 8, tzinfo=dt.UTC)
    assert row["changes_at"] == own.changes_at
    shown = own.events[["at", "counted"]].values.tolist()
    assert [(at.day, at.month, counted) for at, counted in shown] == [(1, 5, False), (1, 6, True), (10, 6, True), (29, 6, True)]
    assert own.change == (RemoveEvent("opened", dt.datetime(2025, 6, 29, 10, tzinfo=dt.UTC), 2),)
    assert own.text.splitlines() == [
        "Contact 1 is in Readers, as of 2025-06-30 12:00 UTC.",
        "It would leave with: the opened event of 2025-06-29 10:00 UTC taken away.",
        "It leaves on 2025-07-01 08:00 UTC if nothing happens.",
    ]


def test_one_who_is_not_a_member_and_what_keeps_it_out(small: Workspace) -> None:
    own = small.explain(Segment("Rich readers", READERS.where & (F.spent > 500) & (F.country == "USA")), 2)
    assert not own.member
    assert own.frame["holds"].tolist() == [False] * 4
    assert own.frame["decides"].tolist() == [True] * 4
    assert own.frame["flips"].tolist()[1:] != [True] * 3
    assert own.frame["value"].tolist()[1:] == [1, 20.0, "Canada"]
    assert own.frame["change"].tolist()[2:] == ["spent at least 500.01 instead of 20", "country 'USA' instead of 'Canada'"]
    assert sum(isinstance(edit, AddEvent) for edit in own.change) == 2
    assert SetField("country", "Canada", "USA") in own.change


def test_the_only_condition_that_keeps_it_out_would_flip_it(small: Workspace) -> None:
    own = small.explain((F.spent > 500) & (F.country == "USA"), 1)
    assert own.frame[["holds", "decides", "flips"]].values.tolist() == [
        [False, True, True],
        [False, True, True],
        [True, False, False],
    ]
    assert own.change == (SetField("spent", 500.0, 500.01, "at least"),)


def test_an_age_says_when_it_comes(small: Workspace) -> None:
    own = small.explain(F.seen_at.older_than(days=30), 1)
    assert not own.member
    assert own.changes_at == dt.datetime(2025, 7, 12, 9, 30, 0, 1, tzinfo=dt.UTC)
    assert small.explain(F.seen_at.within(days=30), 1).changes_at == dt.datetime(2025, 7, 12, 9, 30, tzinfo=dt.UTC)
    assert small.explain(F.seen_at.within(days=30), 1, days=5).changes_at is None


def test_lists_segments_ranks_and_sql(small: Workspace) -> None:
    assert small.explain(in_list("VIP"), 1).change == (JoinList("VIP"),)
    small.define(Segment("US", F.country == "USA"))
    own = small.explain(in_segment("US"), 2)
    assert own.frame["path"].tolist() == ["where", "where>US"]
    assert own.change == (SetField("country", "Canada", "USA"),)
    rank = small.explain(F.spent.top(n=1), 3)
    assert rank.member
    assert rank.frame["value"].tolist() == [1]
    assert "among all" in rank.frame["note"][0]
    assert not rank.change
    assert "rank" in rank.why_not
    sql = small.explain(raw_sql("spent > 600", dialect="duckdb") & (F.country == "USA"), 3)
    assert sql.frame["holds"].tolist() == [False, True, False]
    assert sql.change == (SetField("country", None, "USA"),)


def test_an_id_counts_once_also_where_another_contact_has_it() -> None:
    days = pd.to_datetime(["2025-06-20", "2025-06-21"])
    events = pd.DataFrame({"event_id": [7, 7], "contact_id": [1, 2], "event": "opened", "occurred_at": days})
    workspace = connect({"contacts": pd.DataFrame({"contact_id": [1, 2]}), "events": events}, as_of=NOW, home=None)
    assert workspace.members(E.opened.any())["contact_id"].tolist() == [1]
    assert [workspace.explain(E.opened.any(), contact).member for contact in (1, 2)] == [True, False]


def test_a_change_of_a_whole_document_is_stored_as_it_is_told() -> None:
    contacts = pd.DataFrame({"contact_id": [1], "props": ['["a"]']})
    workspace = connect({"contacts": contacts}, catalog={"contacts": {"fields": {"props": "json"}}}, as_of=NOW, home=None)
    own = workspace.explain(F.props.elements() >= 3, 1)
    [edit] = own.change
    assert isinstance(edit, SetField)
    assert len(edit.value) == 3
    assert workspace.explain(~(F.props.elements() >= 2), 1).change[0].value[:1] == ["a"]  # type: ignore[union-attr]


def test_a_negation_is_told_as_a_whole(small: Workspace) -> None:
    own = small.explain(~((F.country == "USA") | (F.spent > 600)), 1)
    assert own.frame["condition"].tolist()[0] == "none of"
    assert own.frame["holds"].tolist() == [False, True, False]
    assert own.change[0].field == "country"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("condition", "threshold"),
    [
        (F.country != "USA", "!= 'USA'"),
        (~F.country.is_in(["USA", "UK"]), "not one of 'USA', 'UK'"),
        (~F.country.is_missing(), "not missing"),
        (~(F.spent > 500), "not > 500"),
        (~F.country.contains("S"), "not contains 'S'"),
        (~F.seen_at.within(days=30), "not (> 2025-05-31 12:00 UTC and <= 2025-06-30 12:00 UTC)"),
        (~in_list("VIP"), "not on the list 'VIP'"),
        (~~(F.country == "USA"), "== 'USA'"),
    ],
)
def test_the_threshold_says_what_its_condition_says(small: Workspace, condition: Predicate, threshold: str) -> None:
    [row] = small.explain(condition, 1).frame.to_dict("records")
    assert row["threshold"] == threshold


@pytest.mark.parametrize(
    ("value", "text"),
    [("500.010000", "500.01"), ("0.00", "0"), ("100", "100"), ("1E+3", "1000"), ("-0.50", "-0.5"), ("1E-7", "0.0000001")],
)
def test_decimals_are_told_without_the_zeros_of_their_column(value: str, text: str) -> None:
    assert told(Decimal(value)) == text


def test_a_condition_by_itself_has_its_change_in_the_frame_too(small: Workspace) -> None:
    [row] = small.explain(F.country != "USA", 1).frame.to_dict("records")
    assert row["change"] == "country other than 'USA'"
    [row] = small.explain(sample(percent=10, seed="x"), 1).frame.to_dict("records")
    assert (row["change"], row["note"]) == ("", "no change of its own data would: a sample is drawn by the key")


# ---------------------------------------------------------------- what it looks like, what it refuses


def test_markup_is_escaped_and_addresses_are_hidden(small: Workspace) -> None:
    where = (E.opened.where(F.subject == "<b>e</b>").count() >= 1) & (F.email == "ada@example.com")
    page = small.explain(where, 2)._repr_html_()
    assert "<b>e</b>" not in page
    assert "&lt;b&gt;e" in page
    assert "✓" in page
    assert "✗" in page
    hidden = small.explain(where, 2, mask=True)
    for shown in (hidden.text, hidden._repr_html_(), hidden.frame.to_string(), repr(hidden.change)):
        assert "example.com" not in shown
    assert "ada@example.com" in small.explain(where, 2).frame.to_string()


@pytest.mark.parametrize("contact", [99, "1x", True, 1.5, None, dt.date(2025, 1, 1)])
def test_an_unknown_contact_is_refused_with_what_keys_look_like(small: Workspace, contact: object) -> None:
    with pytest.raises(DefinitionError) as caught:
        small.explain(READERS, contact)
    assert "contact_id, such as 1, 2, 3" in str(caught.value)


@pytest.mark.parametrize("days", [-1, 1.5, True, 10**6])
def test_days_that_are_none(small: Workspace, days: object) -> None:
    with pytest.raises(DefinitionError, match="days ahead"):
        small.explain(READERS, 1, days=days)  # type: ignore[arg-type]


# ---------------------------------------------------------------- the sample data

DOCUMENTED = templates.documented()


@pytest.fixture(scope="module")
def ws():
    with connect(home=None) as workspace:
        yield workspace


EVERY = 1 if os.environ.get("SEGKIT_EXAMPLES") else 80
"""Of so many contacts one is looked at: `SEGKIT_EXAMPLES=1` looks at all of them."""


@pytest.fixture(scope="module")
def some(ws: Workspace) -> list[Case]:
    """The rows of contacts, fetched at once: as `ws.explain` fetches those of one."""

    def rows_of(table: str) -> dict[int, list[dict[str, object]]]:
        found: dict[int, list[dict[str, object]]] = {}
        frame = ws.engine.frame(f"SELECT * FROM {table} WHERE contact_id % {EVERY} = 0").astype(object)
        for row in frame.where(frame.notna(), None).to_dict("records"):
            found.setdefault(row["contact_id"], []).append(row)
        return found

    contacts, events, lists, history = map(rows_of, ("contacts", "events", "list_members", "tier_history"))
    return [
        Case(
            key,
            contact,
            {0: tuple({**row, PLACE: (0, i)} for i, row in enumerate(events.get(key, ())))},
            tuple(lists.get(key, ())),
            {0: tuple(history.get(key, ()))},
        )
        for key, [contact] in contacts.items()
    ]


def test_explain_agrees_with_members(ws: Workspace, some: list[Case]) -> None:
    for segment in DOCUMENTED:
        [own] = ws._plans([segment], None)
        found = [case.key for case in some if sight(answered(own, case), case).member]
        members = ws.members(segment)["contact_id"]
        assert sorted(found) == members[members % EVERY == 0].tolist(), segment.name


@pytest.mark.parametrize("segment", DOCUMENTED, ids=lambda own: own.name)
def test_what_is_fetched_says_the_same(ws: Workspace, segment: Segment) -> None:
    members = ws.members(segment)["contact_id"].tolist()
    for contact in (members[0], 7, 8):
        own = ws.explain(segment, contact, days=3)
        assert own.member == (contact in members)
        assert own.frame["holds"][0] == own.member
        assert bool(own.change) != bool(own.why_not)


@pytest.mark.parametrize(
    "segment",
    [
        templates.highly_engaged(opens=2, clicks=1),
        templates.at_risk(),
        templates.recent_purchasers(days=30),
        templates.inactive(),
        Segment("Quiet since a month", E.opened.last().older_than(months=1) & E.opened.within(days=90).any()),
    ],
    ids=lambda own: own.name,
)
def test_it_leaves_where_history_shows_the_exit(ws: Workspace, some: list[Case], segment: Segment) -> None:
    """Contacts at the instant and a microsecond before: as they move in and out in `history`."""
    [own] = ws._plans([segment], None)
    until = own.at.as_of + dt.timedelta(days=45)
    members = set(ws.members(segment)["contact_id"])
    found = {case.key: course(own, case, {}, lambda then: [then.where], until).whole for case in some}
    moments = {at for at in found.values() if at is not None}
    assert moments
    points = sorted({own.at.as_of, until, *moments, *(at - dt.timedelta(microseconds=1) for at in moments)})
    known = spells.spells(ws.engine, ws._courses([segment], None, None, points))
    first = {
        contact: (entered, left)
        for contact, entered, left in zip(known.contact[::-1], known.entered[::-1], known.left[::-1], strict=True)
    }
    for key, at in found.items():
        entered, left = first.get(key, (len(points), len(points)))
        moved = left if key in members else entered
        assert (points[moved] if moved < len(points) else None) == at, (segment.name, key)
    history = ws.history([segment], every=points).set_index("at")
    for at in moments:
        leaving = sum(other == at and key in members for key, other in found.items())
        assert history.loc[at, "exits"] >= leaving
