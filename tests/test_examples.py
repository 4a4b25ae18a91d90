"""Examples beside segments: kept in files, checked by Python, the shell and pytest, and invented at the boundaries."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cases_runner import all_cases, catalog_of, segment_of
from click.testing import CliRunner, Result

import segkit as sk
from segkit import DefinitionError, E, Example, F, Segment, cli, codec, connect, in_list, in_segment, store

pytest_plugins = ["pytester"]

AT_RISK = """\
name: At risk
where: |
  Opened < 2 emails in last 60 days
  AND Subscribed > 90 days ago
examples:
  - name: opened once
    as_of: 2025-11-30
    contact: {subscribed: 2024-01-01}
    events:
      - {event: opened, occurred_at: 2025-11-20T10:00:00}
    expected: true
  - name: opened twice
    as_of: 2025-11-30
    contact: {subscribed: 2024-01-01}
    events:
      - {event: opened, occurred_at: 2025-11-20T10:00:00}
      - {event: opened, occurred_at: 2025-10-02T10:00:00}
    expected: false
"""
TOP = Segment("Two best", F.spent.top(n=2))
MANY = tuple({"contact_id": key, "spent": spent} for key, spent in enumerate((5, 9, None, 7, 9)))
FULL = Example(
    name="of every kind",
    contact={
        "n": 1,
        "half": 0.5,
        "exact": Decimal("1.20"),
        "text": "é",
        "yes": True,
        "none": None,
        "day": dt.date(2025, 1, 2),
        "at": dt.datetime(2025, 1, 2, 3, 4, 5, 6),
        "there": dt.datetime(2025, 1, 2, 3, tzinfo=dt.UTC),
        "json": {"a": [1, None, {}], "type": "date"},
    },
    events=[{"event": "opened", "occurred_at": dt.datetime(2025, 1, 1), "tags": ["x"]}],
    lists=["VIP"],
    as_of=dt.date(2025, 1, 3),
    expected=False,
)
SEVERAL = Example(name="several", contacts=MANY, lists={"VIP": [1, 2]}, expected=[1, 4])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("CATALOG", "TIMEZONE", "AS_OF", "CONFIG"):
        monkeypatch.delenv(f"SEGKIT_{name}", raising=False)
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "at_risk.yml").write_text(AT_RISK)
    return tmp_path


def run(*words: str | Path) -> Result:
    result = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def answers(*examples: Example, of: Segment, **options: Any) -> list[tuple[bool, str, str]]:
    frame = sk.check_examples(of.with_examples(*examples), **options)
    return list(frame[["holds", "got", "because"]].itertuples(index=False, name=None))


# ---------------------------------------------------------------- beside a definition


def test_examples_are_read_back_as_they_were(tmp_path: Path) -> None:
    segment = Segment("Rich", F.n > 5, owner="Ann", examples=[FULL, SEVERAL])
    for again in (Segment.from_json(segment.to_json()), Segment.from_dict(segment.to_dict())):
        assert again == segment
        assert again.examples == segment.examples
    jsonschema.validate(segment.to_dict(), sk.json_schema())
    file = store.save(tmp_path, segment)
    assert store.read_file(file).segment.examples == segment.examples
    text = json.dumps({"name": "Rich", "where": "n > 5", "examples": segment.to_dict()["examples"]})
    (tmp_path / "text.yml").write_text(text)
    assert store.read_file(tmp_path / "text.yml").segment.examples == segment.examples


def test_a_segment_without_examples_is_written_as_ever() -> None:
    segment = Segment("Rich", F.n > 5)
    assert "examples" not in segment.to_dict()
    assert segment.to_json() == codec.to_json(segment.definition)


def test_examples_do_not_change_what_a_segment_is() -> None:
    plain, tested = Segment("Rich", F.n > 5), Segment("Rich", F.n > 5, examples=[FULL])
    assert plain == tested
    assert hash(plain) == hash(tested)
    assert codec.fingerprint(plain.definition) == codec.fingerprint(tested.definition)
    assert plain.sql(as_of="2025-11-30") == tested.sql(as_of="2025-11-30")
    assert tested.with_examples(SEVERAL).examples == (FULL, SEVERAL)
    assert tested.examples == (FULL,)
    assert (tested & plain).examples == ()


def test_examples_are_kept_by_a_workspace(tmp_path: Path) -> None:
    connect(home=tmp_path).save(Segment("Rich", F.total_spent > 5, examples=[Example(name="a", contact={}, expected=False)]))
    [again] = connect(home=tmp_path).segments
    assert [own.name for own in again.examples] == ["a"]


GOOD = {"name": "a", "contact": {"n": 1}, "expected": True}


@pytest.mark.parametrize(
    ("examples", "where", "part"),
    [
        (5, "$.examples", "must be a list"),
        ([5], "$.examples[0]", "expected an example"),
        ([{**GOOD, "evnts": []}], "$.examples[0]", "did you mean 'events'"),
        ([{"name": "a", "contact": {}}], "$.examples[0]", 'add "expected"'),
        ([{"contact": {}, "expected": True}], "$.examples[0]", 'add "name"'),
        ([{**GOOD, "name": ""}], "$.examples[0].name", "is empty"),
        ([GOOD, GOOD], "$.examples[1].name", "two examples are called 'a'"),
        ([{"name": "a", "expected": True}], "$.examples[0].contact", "either contact or contacts"),
        ([{**GOOD, "contacts": [{}]}], "$.examples[0].contact", "either contact or contacts"),
        ([{**GOOD, "contact": [1]}], "$.examples[0].contact", "expected an object"),
        ([{**GOOD, "contact": {"a": {"b": float("nan")}}}], "$.examples[0].contact.a.b", "is not a number"),
        ([{**GOOD, "contact": {"d": {"type": "date", "value": "soon"}}}], "$.examples[0].contact.d.value", "is no date"),
        ([{**GOOD, "events": [{"event": "a"}, 3]}], "$.examples[0].events[1]", "expected an object"),
        ([{**GOOD, "events": {"event": "a"}}], "$.examples[0].events", "must be a list"),
        ([{**GOOD, "lists": "VIP"}], "$.examples[0].lists", "must be a list"),
        ([{**GOOD, "expected": 1}], "$.examples[0].expected", "must be true or false"),
        ([{**GOOD, "as_of": "soon"}], "$.examples[0].as_of", "is no instant"),
        ([{"name": "a", "contacts": [{}], "expected": True}], "$.examples[0].expected", "must be a list"),
        ([{"name": "a", "contacts": [{}], "expected": [True]}], "$.examples[0].expected[0]", "no key of a contact"),
        ([{"name": "a", "contacts": [{}], "expected": [], "lists": ["VIP"]}], "$.examples[0].lists", "without their keys"),
        ([GOOD] * 1001, "$.examples", "1,001 examples"),
    ],
)
def test_malformed_examples_are_refused_with_their_place(examples: Any, where: str, part: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        Segment.from_dict({"segkit": 1, "name": "Rich", "where": {"type": "everyone"}, "examples": examples})
    assert refused.value.where == where
    assert part in str(refused.value)
    assert refused.value.fix


def test_deep_and_circular_values_are_refused() -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    with pytest.raises(DefinitionError, match="levels deep"):
        Example(name="circle", contact=circle, expected=True)


def test_what_is_given_may_change_afterwards() -> None:
    given = {"tags": ["a"]}
    example = Example(name="a", contact=given, expected=True)
    given["tags"].append("b")
    assert example.contact == {"tags": ["a"]}


# ---------------------------------------------------------------- checked


def test_each_example_is_decided_and_says_why() -> None:
    quiet = Segment("Quiet", (E.opened.within(days=60).count() < 2) & (F.country != "USA") & ~in_list("VIP"))
    opened = [{"event": "opened", "occurred_at": f"2025-11-{day}"} for day in (10, 20)]
    given: dict[str, Any] = {"as_of": "2025-11-30"}
    assert answers(
        Example(name="once", contact={"country": "Italy"}, events=opened[:1], expected=True, **given),
        Example(name="twice", contact={"country": "Italy"}, events=opened, expected=True, **given),
        Example(name="missing", contact={}, expected=True, **given),
        Example(name="both", contact={"country": "USA"}, lists=["VIP"], expected=False, **given),
        of=quiet,
    ) == [
        (True, "member", "E.opened.within(days=60).count() < 2 holds: it is 1; F.country != 'USA' holds: it is 'Italy'; ~in_list('VIP') holds"),
        (False, "no member", "E.opened.within(days=60).count() < 2 does not hold: it is 2"),
        (True, "member", "E.opened.within(days=60).count() < 2 holds: it is 0; F.country != 'USA' holds: it is missing; ~in_list('VIP') holds"),
        (True, "no member", "F.country != 'USA' does not hold: it is 'USA'; ~in_list('VIP') does not hold"),
    ]  # fmt: skip


def test_several_contacts_are_ranked_among_each_other() -> None:
    right = Example(name="ties by key", contacts=MANY, expected=[4, 1])
    wrong = Example(name="wrong", contacts=MANY, expected=[1, 3])
    assert answers(right, wrong, of=TOP) == [
        (True, "members 1, 4", ""),
        (False, "members 1, 4", "4: F.spent.top(n=2) holds: it is place 2; 3: F.spent.top(n=2) does not hold: it is place 3"),
    ]


def test_events_and_lists_of_several_contacts_are_their_own() -> None:
    segment = Segment("Active VIP", (E.opened.count() >= 2) & in_list("VIP"))
    events = [{"contact_id": key, "event": "opened", "occurred_at": "2025-01-01"} for key in (0, 1, 1, 2, 2)]
    own = Example(name="two", contacts=MANY, events=events, lists={"VIP": [0, 2, 3]}, expected=[2], as_of="2025-11-30")
    assert answers(own, of=segment) == [(True, "members 2", "")]


def test_segments_refer_to_each_other() -> None:
    rich = Segment("Rich", F.spent > 500)
    abroad = Segment("Abroad", in_segment("Rich") & (F.country != "USA"))
    tested = abroad.with_examples(Example(name="a", contact={"spent": 501}, expected=True))
    assert sk.check_examples([tested, rich])["holds"].tolist() == [True]
    assert sk.check_examples(tested, others=[rich])["holds"].tolist() == [True]
    with pytest.raises(DefinitionError, match="'Rich'"):
        sk.check_examples(tested)


def test_a_catalog_says_what_values_are() -> None:
    catalog = {"contacts": {"table": "c", "key": "id", "created": "since", "fields": {"seen": "date", "since": "date"}}}
    segment = Segment("Seen", F.seen.within(days=1))
    given: dict[str, Any] = {"as_of": "2025-11-30T23:30", "expected": True}
    seen = Example(name="seen", contact={"seen": "2025-11-30", "since": "2025-01-01"}, **given)
    later = Example(name="later", contact={"seen": "2025-11-30", "since": "2026-01-01"}, **given)
    assert [own[:2] for own in answers(seen, of=segment, catalog=catalog)] == [(True, "member")]
    assert [own[:2] for own in answers(seen, of=segment, catalog=catalog, timezone="Asia/Tokyo")] == [(True, "member")]
    assert answers(later, of=segment, catalog=catalog) == [(False, "no member", "the contact does not exist yet")]


AT = {"event": "a", "occurred_at": "2025-01-01"}


@pytest.mark.parametrize(
    ("where", "example", "part"),
    [
        (F.seen.within(days=3), {"contact": {}, "expected": True}, "names no instant"),
        (E.opened.any(), {"contact": {}, "expected": True}, "names no instant"),
        (TOP.where, {"contact": {"spent": 1}, "expected": True}, "needs several contacts"),
        (sk.raw_sql("1 = 1", dialect="duckdb"), {"contact": {}, "expected": True}, "raw SQL"),
        (F.n > 3, {"contact": {"n": "x"}, "expected": True}, "F.n is text"),
        (F.n > 3, {"contacts": [{"n": 1}], "expected": []}, "contact_id is None"),
        (F.n > 3, {"contacts": [{"contact_id": 1}, {"contact_id": 1}], "expected": []}, "of its own"),
        (F.n > 3, {"contacts": [{"contact_id": 1}], "expected": [2]}, "2 is no contact of the example"),
        (F.n > 3, {"contacts": [{"contact_id": 1}], "expected": [], "lists": {"VIP": [3]}}, "3 is no contact"),
        (
            F.n > 3,
            {"contacts": [{"contact_id": 1}], "expected": [], "events": [{"event": "a", "occurred_at": "2025-01-01"}]},
            "an event of no contact",
        ),
        (F.country == "x", {"contact": {"contry": "x"}, "expected": False}, "'country'? if it is missing"),
        (F.country == "x", {"contacts": [{"contact_id": 1, "countri": "x"}], "expected": []}, ".contacts[0].countri"),
        (E.a.where(F.url == "x").any(), {"contact": {}, "events": [{**AT, "ulr": "x"}], "expected": False}, ".events[0].ulr"),
        (
            E.a.any(),
            {"contact": {}, "events": [{"event": "a", "occured_at": "2025-01-01"}], "expected": False},
            "give it occurred_at",
        ),
    ],
)
def test_what_cannot_be_decided_is_refused_by_name(where: Any, example: dict[str, Any], part: str) -> None:
    segment = Segment("Some", where, examples=[Example(name="odd", **example)])
    with pytest.raises(DefinitionError) as refused:
        sk.check_examples(segment, as_of=None if "names no instant" in part else "2025-06-30")
    assert part in str(refused.value)
    assert refused.value.where.startswith("example 'odd' of segment 'Some'")


def test_names_that_nothing_reads_are_left_alone_where_none_is_misspelt() -> None:
    """What is like a name that is read is another field where both are given, or the catalog knows it."""
    french = Segment("French", F.country == "FR")
    both = {"country_code": "FR", "country": None}
    for given in (both, {"Country": "DE"}, {"language": "fr", "contact_id": 3}):
        assert answers(Example(name="a", contact=given, expected=False), of=french)[0][0]
    catalog = {"contacts": {"fields": {"country": "text", "country_code": "text"}}}
    assert answers(Example(name="a", contact={"country_code": "FR"}, expected=False), of=french, catalog=catalog)[0][0]
    paid = Segment("Paid", E.paid.where((F.amount > 5) & (F.event_name == "x")).any())
    other = {"event": "read", "occurred_at": "2025-01-01", "amounts": 9}
    few = {"event": "paid", "occurred_at": "2025-01-01", "amount": 1}
    assert answers(Example(name="a", contact={}, events=[other, few], expected=False), of=paid, as_of="2025-02-01")[0][0]


def test_an_instant_is_only_needed_where_the_clock_matters() -> None:
    opened = Example(name="a", contact={"n": 4}, events=[{"event": "opened", "occurred_at": "2025-01-01"}], expected=True)
    assert answers(opened, of=Segment("Many", F.n > 3))[0][0]
    assert answers(opened, of=Segment("Lately", E.opened.within(days=9).any()), as_of="2025-01-05")[0][0]


# ---------------------------------------------------------------- at the boundaries


def told(segment: Segment, **options: Any) -> dict[str, Any]:
    """What is expected of each example at the boundaries, by what follows the condition in its name."""
    return {own.name.partition(": ")[2]: own.expected for own in sk.boundary_examples(segment, as_of="2025-11-30", **options)}


def test_a_threshold_is_shown_on_both_sides() -> None:
    assert told(Segment("Rich", (F.spent >= 500) & (F.country == "USA"))) == {
        "spent 499, just below 500": False,
        "spent 500, exactly 500": True,
        "spent 501, just above 500": True,
        "spent missing": False,
        "country 'USA'": True,
        "country 'usa'": False,
        "country 'USA '": False,
        "country ' USA'": False,
        "country 'USAUSA'": False,
        "country 'US'": False,
        "country ''": False,
        "country missing": False,
    }


def test_a_window_is_shown_to_the_microsecond() -> None:
    purchases = E.purchased.where(F.amount > 100).window(days=(90, 30)).count()
    assert told(Segment("Twice", purchases >= 2)) == {
        "count 0, no events": False,
        "count 1, just below 2": False,
        "count 2, exactly 2": True,
        "count 3, just above 2": True,
        "the deciding event a microsecond before the window begins, 2025-08-31T23:59:59.999999": False,
        "the deciding event as the window begins, 2025-09-01T00:00:00": False,
        "the deciding event a microsecond after the window begins, 2025-09-01T00:00:00.000001": True,
        "the deciding event a microsecond before the window ends, 2025-10-30T23:59:59.999999": True,
        "the deciding event as the window ends, 2025-10-31T00:00:00": True,
        "the deciding event a microsecond after the window ends, 2025-10-31T00:00:00.000001": False,
        "the deciding event a microsecond before now, 2025-11-29T23:59:59.999999": False,
        "the deciding event now, 2025-11-30T00:00:00": False,
        "the deciding event a microsecond after now, 2025-11-30T00:00:00.000001": False,
        "the deciding event with amount 99, just below 100": False,
        "the deciding event with amount 100, exactly 100": False,
        "the deciding event with amount 101, just above 100": True,
        "another event instead of the deciding one": False,
    }


def test_dates_have_days_for_edges() -> None:
    catalog = {"contacts": {"table": "c", "fields": {"seen": "date"}}}
    assert told(Segment("Seen", F.seen.older_than(days=30)), catalog=catalog) == {
        "seen 2025-10-30, just before 2025-10-31": True,
        "seen 2025-10-31, exactly 2025-10-31": False,
        "seen 2025-11-01, just after 2025-10-31": False,
        "seen missing": False,
    }


def test_what_follows_is_shown_around_the_longest_time() -> None:
    found = told(Segment("Bought", E.visited.then(E.purchased, days=7).any()))
    assert {words: truth for words, truth in found.items() if "follows" in words} == {
        "nothing follows": False,
        "what follows comes together with it": False,
        "what follows comes just after it": True,
        "what follows comes just less than 7 days later": True,
        "what follows comes exactly 7 days later": True,
        "what follows comes just more than 7 days later": False,
    }


def test_lists_references_samples_and_json_are_shown_on_both_sides() -> None:
    assert told(Segment("VIP", in_list("VIP"))) == {"on the list 'VIP'": True, "not on the list 'VIP'": False}
    both = {"it holds": True, "it does not hold": False}
    assert told(Segment("Again", in_segment("Rich")), others=[Segment("Rich", F.spent > 5)]) == both
    assert told(Segment("Some", sk.sample(percent=10, seed="s"))) == both
    assert told(Segment("Deep", F.props.json("a.b") > 2)) == both


def test_only_examples_in_which_the_condition_decides_are_kept() -> None:
    segment = Segment("At risk", (E.opened.within(days=60).count() < 2) & (E.opened.count() > 5))
    found = {own.name: own.expected for own in sk.boundary_examples(segment, as_of="2025-11-30")}
    assert found["E.opened.within(days=60).count() < 2: the deciding event now, 2025-11-30T00:00:00"] is False
    assert "E.opened.count() > 5: the deciding event now, 2025-11-30T00:00:00" not in found
    assert found["E.opened.count() > 5: count 6, just above 5"] is True
    assert found["E.opened.count() > 5: count 5, exactly 5"] is False
    assert sk.boundary_examples(Segment("Dead", (F.n > 3) | sk.everyone()), as_of="2025-11-30") == []


def test_a_contact_is_taken_that_shows_both_sides() -> None:
    quiet = (E.opened.within(days=30).count() == 0) & (E.opened.window(days=(60, 30)).count() >= 2)
    sides: dict[str, set[Any]] = {}
    for own in sk.boundary_examples(Segment("Quiet", quiet), as_of="2025-11-30T12:00"):
        sides.setdefault(own.name.partition(": ")[0], set()).add(own.expected)
    assert list(sides.values()) == [{True, False}, {True, False}]


def test_a_rank_is_shown_by_several_contacts_with_both_sides() -> None:
    [example] = sk.boundary_examples(Segment("Top", F.spent.top(percent=10) & (F.country == "USA")), as_of="2025-11-30")
    assert example.name == f"{len(example.contacts)} contacts, ranked"
    assert 0 < len(example.expected) < len(example.contacts) <= 24


def test_boundaries_are_the_same_each_time_and_can_be_kept(tmp_path: Path) -> None:
    segment = Segment("Rich", (F.spent > 500) & (E.purchased.within(days=30).sum("amount") >= 99.5))
    first, second = (sk.boundary_examples(segment, as_of="2025-11-30T12:30") for _ in range(2))
    assert first == second
    again = store.read_file(store.save(tmp_path, segment.with_examples(*first))).segment
    assert again.examples == tuple(first)
    assert sk.check_examples(again)["holds"].all()
    edited = Segment("Rich", (F.spent >= 500) & (E.purchased.within(days=30).sum("amount") >= 99.5), examples=first)
    frame = sk.check_examples(edited)
    assert frame[~frame["holds"]]["example"].tolist() == ["F.spent > 500: spent 500, exactly 500"]


@pytest.mark.parametrize("segment", sk.templates.documented(), ids=lambda own: own.name)
def test_documented_segments_do_as_their_boundaries_say(segment: Segment) -> None:
    others = [own for own in sk.templates.documented() if own.name != segment.name]
    catalog = Path(sk.__file__).parents[1] / "sample_data" / "catalog.yml"
    found = sk.boundary_examples(segment, catalog=catalog, others=others)
    assert sk.check_examples(segment.with_examples(*found), catalog=catalog, others=others)["holds"].all()
    if segment.name != "Holiday Season":
        assert {own.expected for own in found} >= {True, False} or any(own.contacts for own in found)


def test_the_boundaries_of_cases_hold_when_read_again() -> None:
    tried = 0
    for case in all_cases()[::31]:
        try:
            segment, catalog = segment_of(case), catalog_of(case.given)
            found = sk.boundary_examples(segment, catalog=catalog, as_of=case.case.get("as_of", "2025-11-30"))
        except sk.SegkitError:
            continue
        again = Segment.from_json(Segment(case.id, segment, examples=found).to_json())
        assert again.examples == tuple(found), case.id
        assert sk.check_examples(again, catalog=catalog)["holds"].all(), case.id
        tried += len(found)
    assert tried > 150


def test_boundaries_of_unknown_kinds_ask_for_a_catalog() -> None:
    with pytest.raises(DefinitionError, match="pass a catalog"):
        sk.boundary_examples(Segment("More", F.a > F.b), as_of="2025-11-30")
    with pytest.raises(DefinitionError, match="raw SQL"):
        sk.boundary_examples(Segment("Raw", sk.raw_sql("1 = 1", dialect="duckdb")), as_of="2025-11-30")


# ---------------------------------------------------------------- in the shell


def test_the_shell_tells_what_holds(folder: Path) -> None:
    good = run("test", "segments")
    assert good.exit_code == 0
    assert "2 examples, all as expected" in good.stdout
    rows = json.loads(run("test", "segments", "--json").stdout)["rows"]
    assert [(row["example"], row["holds"], row["got"]) for row in rows] == [
        ("opened once", True, "member"),
        ("opened twice", True, "no member"),
    ]
    assert rows[0].keys() == {"segment", "example", "holds", "expected", "got", "because"}


def test_the_shell_fails_where_one_does_not_hold(folder: Path) -> None:
    (folder / "segments" / "at_risk.yml").write_text(AT_RISK.replace("< 2", "< 3"))
    wrong = run("test", "segments")
    assert wrong.exit_code == 1
    assert "2 examples, 1 of them not as expected" in wrong.stdout
    assert "opened twice" in wrong.stdout
    assert run("test", "segments", "--json").exit_code == 1
    (folder / "segments" / "at_risk.yml").write_text(AT_RISK.partition("  - name: opened twice")[0])
    assert "\n1 example, all as expected" in run("test", "segments").stdout


def test_the_shell_tells_faults_from_failures(folder: Path) -> None:
    file = folder / "segments" / "at_risk.yml"
    file.write_text(AT_RISK.replace("    as_of: 2025-11-30\n", ""))
    fault = run("test", "segments")
    assert (fault.exit_code, fault.stdout) == (2, "")
    assert "names no instant" in fault.stderr
    assert "at_risk.yml" in fault.stderr
    assert run("test", "segments", "--as-of", "2025-11-30").exit_code == 0
    file.write_text(AT_RISK.partition("examples:")[0])
    assert run("test", "segments").exit_code == 2
    file.write_text(AT_RISK.replace("expected: true", "expected: perhaps"))
    assert "$.examples[0].expected" in run("test", "segments").stderr


def test_the_shell_invents_examples_that_hold(folder: Path) -> None:
    written = json.loads(run("boundaries", "segments", "--as-of", "2025-11-30", "--json").stdout)["rows"]
    assert written[0]["segment"] == "At risk"
    assert len(written[0]["examples"]) > 10
    (folder / "kept.json").write_text(
        json.dumps(
            {
                "name": "Kept",
                "where": "Opened < 2 emails in last 60 days AND Subscribed > 90 days ago",
                "examples": written[0]["examples"],
            }
        )
    )
    assert run("test", "kept.json").exit_code == 0
    table = run("boundaries", "segments", "--as-of", "2025-11-30").stdout
    assert "as the window begins, 2025-10-01" in table
    assert "no member" in table


# ---------------------------------------------------------------- in pytest


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    folder = pytester.mkdir("segments")
    (folder / "at_risk.yml").write_text(AT_RISK)
    (folder / "quiet.json").write_text(
        json.dumps(
            {
                "name": "Quiet",
                "where": 'segment "At risk"',
                "examples": [{**GOOD, "as_of": "2025-11-30", "contact": {"subscribed": "2024-01-01"}}],
            }
        )
    )
    (folder / "package.json").write_text('{"name": "of something else"}')
    return folder


PLUGIN = ("-p", "segkit.pytest_plugin", "-p", "no:xdist", "-p", "no:cacheprovider")


def test_nothing_is_collected_unless_asked(pytester: pytest.Pytester, project: Path) -> None:
    assert pytester.runpytest("segments").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_each_example_is_a_test(pytester: pytest.Pytester, project: Path) -> None:
    result = pytester.runpytest(*PLUGIN, "segments", "-v")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*at_risk.yml::opened once*PASSED*"])
    pytester.runpytest(*PLUGIN, "segments", "-k", "twice").assert_outcomes(passed=1, deselected=2)


def test_a_failure_says_what_decided(pytester: pytest.Pytester, project: Path) -> None:
    (project / "at_risk.yml").write_text(AT_RISK.replace("< 2", "< 3"))
    result = pytester.runpytest(*PLUGIN, "segments")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*At risk: opened twice*", "expected no member, got member", "*because*it is 2;*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_file_that_is_no_segment_any_more_is_an_error(pytester: pytest.Pytester, project: Path) -> None:
    (project / "at_risk.yml").write_text("examples: [")
    result = pytester.runpytest(*PLUGIN, "segments/at_risk.yml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*not YAML*"])


def test_pytest_takes_a_catalog_and_a_zone_from_its_settings(pytester: pytest.Pytester, project: Path) -> None:
    (pytester.path / "catalog.yml").write_text("contacts: {table: c, key: id, fields: {seen: timestamp}}")
    (pytester.path / "today.yml").write_text(
        'name: Today\nwhere: "seen >= TODAY"\nexamples:\n- {name: a, as_of: "2025-03-31T20:00Z", contact: {seen: "2025-03-30T22:30"}, expected: true}\n'
    )
    pytester.makeini("[pytest]\nsegkit_catalog = catalog.yml\nsegkit_timezone = Europe/Rome\n")
    pytester.runpytest(*PLUGIN, "today.yml").assert_outcomes(passed=1)
    pytester.runpytest(*PLUGIN, "today.yml", "-o", "segkit_timezone=UTC").assert_outcomes(failed=1)
    (pytester.path / "catalog.yml").write_text("contacts: {table: c, key: id, fields: {seen: integer}}")
    pytester.runpytest(*PLUGIN, "today.yml").assert_outcomes(failed=1)
