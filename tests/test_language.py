# ruff: noqa: E712, SIM300
"""The text language: what a text means, what it refuses and how, that it is written back equal, and that it stays quick."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import random
import re
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lark import Lark, logger

import segkit
from segkit import (
    TODAY,
    DefinitionError,
    E,
    F,
    SegkitError,
    Segment,
    all_of,
    any_of,
    constant,
    days,
    everyone,
    hours,
    in_group,
    in_list,
    in_segment,
    months,
    nodes,
    parse,
    parse_fields,
    parse_segment,
    per,
    raw_sql,
    sample,
    to_text,
    word,
)
from segkit.builder import NOW, Predicate, Value
from segkit.language import definition, formula, reader, stages

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE: dict[str, str] = json.loads((Path(__file__).parent / "fixtures" / "product_page.json").read_text(encoding="utf-8"))

# ---------------------------------------------------------------- the product page, verbatim

CONDITIONS = {
    "Advanced Segment Example": ((F.Location == "USA") | (F.Location == "Canada"))
    & F.Last_Purchase.older_than(days=30)
    & (F.Total_Spent > 500)
    & (F.Email_Opens > 5),
    "Highly Engaged": (E.opened.within(days=30).count() >= 5) & (E.clicked.within(days=30).count() >= 2),
    "At Risk": (E.opened.within(days=60).count() < 2) & (E.opened.count() > 5) & word("Subscribed", "last").older_than(days=90),
    "Never Engaged": (F.Opens == 0) & word("Subscribed", "last").older_than(days=30),
    "Recent Purchasers": F.Last_Purchase.within(days=7),
    "Cart Abandoners": (F.Cart_Value > 0) & F.Last_Purchase.is_missing() & F.Last_Activity.within(hours=24),
    "Browse Abandoners": (F.Products_Viewed > 3) & (F.Cart_Items == 0) & F.Last_Visit.within(hours=48),
    "Geographic Targeting": (F.Country == "USA") & F.State.is_in(["CA", "NY", "TX"]) & (F.Timezone == "PST"),
    "Birthday Month": F.Birthday.month() == TODAY.month(),
    "Customer Lifecycle": (F.Account_Age > days(365)) & (F.Customer_Tier == "Gold"),
    "Complex Nested Example": (
        ((F.Product_Interest == "Software") & F.Job_Title.contains("Developer"))
        | ((F.Product_Interest == "Marketing") & F.Job_Title.contains("Marketing"))
    )
    & ((F.Company_Size > 100) | (F.Budget > 10000)),
    "Rolling Windows": F.Last_Activity > TODAY - days(30),
    "Anniversary Dates": F.Signup_Anniversary == TODAY,
    "Seasonal": TODAY.month().is_in([11, 12]),
    "Welcome Series": word("Subscribed", "last").within(days=7) & (F.Welcome_Email_Sent == False),
    "Win-Back": F.Last_Purchase.older_than(days=180) & (F.Previous_Customer == True),
    "Top Tier": (F.Lifetime_Value > 1000) | (F.Purchase_Frequency > per(5, "year")),
    "Inactive": F.Last_Open.older_than(days=90) & (F.Subscription_Status == "Active"),
}
NAMED = {
    "Simple Segment Example": Segment("All employees", F.Email.contains("@company.com")),
    "Combined Strategy": Segment("Engaged VIPs", in_list("VIP Customers") & in_segment("Active Last 30 Days")),
    "Exclusion Example": Segment("Non-purchasers only", in_group("All Subscribers") - in_segment("Purchased This Week")),
}
CALCULATIONS = "Calculation Examples"
JOURNEY = "Customer Journey"


def same(read: Predicate | Value, expected: Predicate | Value) -> bool:
    """Equal, also in the kinds of constants, which Python's `1 == 1.0` would hide."""
    return read.node == expected.node and repr(read) == repr(expected)


def test_every_block_of_the_page_is_expected() -> None:
    assert set(PAGE) == {*CONDITIONS, *NAMED, CALCULATIONS, JOURNEY}


@pytest.mark.parametrize("title", CONDITIONS)
def test_a_condition_of_the_page(title: str) -> None:
    assert same(parse(PAGE[title]), CONDITIONS[title])
    assert parse_segment(PAGE[title]) == Segment(None, CONDITIONS[title])


@pytest.mark.parametrize("title", NAMED)
def test_a_segment_of_the_page(title: str) -> None:
    assert parse_segment(PAGE[title]) == NAMED[title]


def test_the_calculations_of_the_page() -> None:
    fields = parse_fields(PAGE[CALCULATIONS])
    expected = {
        "Average_Order_Value": F.Total_Revenue / F.Order_Count,
        "Customer_Score": (F.Opens * 2) + (F.Clicks * 5) + (F.Purchases * 10),
        "Days_Since_Purchase": TODAY - F.Last_Purchase_Date,
    }
    assert list(fields) == list(expected)
    assert all(same(fields[name], expected[name]) for name in expected)


def test_the_calculations_of_the_page_can_be_defined() -> None:
    frames = {
        "contacts": __import__("pandas").DataFrame({"contact_id": [1, 2], "Total_Revenue": [10.0, 0.0], "Order_Count": [2, 0]})
    }
    with segkit.connect(frames) as ws:
        ws.define(**parse_fields(PAGE[CALCULATIONS].splitlines()[0]))
        assert ws.size(parse("average_order_value = 5")) == 1


def test_the_journey_of_the_page() -> None:
    assert stages(PAGE[JOURNEY]) == ("Prospect", "Lead", "Trial", "Customer", "Loyal", "Advocate")


def test_the_page_as_text_has_the_members_of_the_templates() -> None:
    made = {segment.name: segment for segment in segkit.templates.documented()}
    pairs = {title: made[SAME_AS.get(title, title)] for title in {*CONDITIONS, *NAMED}}
    with segkit.connect() as ws:
        bought = Segment("Purchased This Week", E.purchased.within(days=7).any())
        ws.define(made["Active Last 30 Days"], bought)
        for title, template in pairs.items():
            read = parse_segment(PAGE[title])
            assert ws.members(read)["contact_id"].tolist() == ws.members(template)["contact_id"].tolist(), title


SAME_AS = {
    "Simple Segment Example": "All employees",
    "Advanced Segment Example": "Big spenders at rest",
    "Complex Nested Example": "Interested professionals",
    "Rolling Windows": "Active Last 30 Days",
    "Anniversary Dates": "Signup Anniversary",
    "Seasonal": "Holiday Season",
    "Combined Strategy": "Engaged VIPs",
    "Exclusion Example": "Non-purchasers only",
}

# ---------------------------------------------------------------- what a text means

MEANINGS: dict[str, Predicate] = {
    # precedence and groups
    "a = 1 OR b = 2 AND NOT c = 3": (F.a == 1) | ((F.b == 2) & ~(F.c == 3)),
    "a = 1 and b = 2 And c = 3": (F.a == 1) & (F.b == 2) & (F.c == 3),
    "(a = 1 AND b = 2) AND c = 3": all_of(all_of(F.a == 1, F.b == 2), F.c == 3),
    "a = 1 AND (b = 2 AND c = 3)": (F.a == 1) & all_of(F.b == 2, F.c == 3),
    "((a = 1))": F.a == 1,
    "NOT NOT a = 1": ~~(F.a == 1),
    "a = 1 && b = 2 || c = 3": ((F.a == 1) & (F.b == 2)) | (F.c == 3),
    'LIST "a" ∩ SEGMENT "b" ∪ "c"': (in_list("a") & in_segment("b")) | in_group("c"),
    'LIST "a" EXCEPT SEGMENT "b"': in_list("a") - in_segment("b"),
    "a = 1 EXCLUDE b = 2 AND c = 3": (F.a == 1) & ~(F.b == 2) & (F.c == 3),
    "ALL_OF(a = 1) AND ANY_OF(b = 2, c = 3)": all_of(all_of(F.a == 1), any_of(F.b == 2, F.c == 3)),
    "EVERYONE": everyone(),
    '"All contacts" EXCEPT GROUP "everyone"': everyone() - in_group("everyone"),
    # arithmetic
    "a + b * 2 - c / 4 > 1": F.a + F.b * 2 - F.c / 4 > 1,
    "(a + b) × 2 ÷ (c − 1) ≥ 3": (F.a + F.b) * 2 / (F.c - 1) >= 3,
    "a - (b - c) < -2.5": F.a - (F.b - F.c) < -2.5,
    "-a <= 1": -F.a <= 1,
    "a - -5 = 1": F.a - -5 == 1,
    "5 <= opens": constant(5) <= F.opens,
    "opens >= clicks": F.opens >= F.clicks,
    # comparisons
    "a != 1 AND b <> 2 AND c ≠ 3 AND d == 4": (F.a != 1) & (F.b != 2) & (F.c != 3) & (F.d == 4),
    "a ≤ 1 AND b ≥ 2": (F.a <= 1) & (F.b >= 2),
    "a BETWEEN 1 AND 5 AND b NOT BETWEEN 2 AND 3": all_of(F.a.between(1, 5), ~F.b.between(2, 3)),
    'State NOT IN ("CA", "NY")': ~F.State.is_in(["CA", "NY"]),
    "a IN (-1, 2.5, TRUE)": F.a.is_in([-1, 2.5, True]),
    "ONE_OF(a)": F.a.is_in([]),
    "a CONTAINS 'x' AND a STARTS WITH “y” AND a ENDS  with ‘z’ AND a MATCHES '^a'": F.a.contains("x")
    & F.a.startswith("y")
    & F.a.endswith("z")
    & F.a.matches("^a"),
    'a NOT CONTAINS "x" IGNORING CASE': ~F.a.contains("x", ignore_case=True),
    'a CONTAINS b AND a NOT STARTS WITH LOWER(b) IGNORING CASE AND TEXT "x" ENDS WITH props -> "plan"': all_of(
        F.a.contains(F.b),
        ~F.a.startswith(F.b.lower(), ignore_case=True),
        constant("x").endswith(F.props.json("plan")),
    ),
    'a CONTAINS TEXT "b" OR a CONTAINS (b)': F.a.contains("b") | F.a.contains(F.b),
    'a = "ÄbC" IGNORING CASE OR a NOT IN ("X") IGNORING CASE': (F.a.lower() == "Äbc") | ~F.a.lower().is_in(["x"]),
    "a = NULL OR a IS NULL OR a IS missing OR a = Missing": F.a.is_missing()
    | F.a.is_missing()
    | F.a.is_missing()
    | F.a.is_missing(),
    "a != NULL OR a IS NOT NULL OR a IS KNOWN": ~F.a.is_missing() | ~F.a.is_missing() | ~F.a.is_missing(),
    "a IS TRUE AND b IS NOT FALSE AND c = true": (F.a == True) & (F.b != False) & (F.c == True),
    # constants
    "a = 1_000 AND b = 1.0 AND c = 1e3 AND d = .5": (F.a == 1000) & (F.b == 1.0) & (F.c == 1000.0) & (F.d == 0.5),
    "a > $500 AND b > $1,000.50 AND c > € 20 AND d < -$5": (F.a > 500) & (F.b > Decimal("1000.50")) & (F.c > 20) & (F.d < -5),
    'a = DECIMAL "19.990" AND b = 19.99': (F.a == Decimal("19.990")) & (F.b == 19.99),
    'a > -$12,345,678,901,234,567,890,123,456,789.5 OR a = -DECIMAL "12345678901234567890123456789.5"': (
        (F.a > Decimal("-12345678901234567890123456789.5")) | (F.a == Decimal("-12345678901234567890123456789.5"))
    ),
    'a = "say ""hi""" AND b = \'it\'\'s\'': (F.a == 'say "hi"') & (F.b == "it's"),
    'a = DATE "2026-03-31" AND b = "2026-03-31"': (F.a == dt.date(2026, 3, 31)) & (F.b == "2026-03-31"),
    'a < TIMESTAMP "2026-03-31T12:00:00+02:00"': F.a < dt.datetime(2026, 3, 31, 10, tzinfo=dt.UTC),
    'a >= "2026-03-31"': F.a >= "2026-03-31",
    'TEXT "x" = a': constant("x") == F.a,
    "rate > 5/year AND rate < 1.5 / Month": (F.rate > per(5, "year")) & (F.rate < per(1.5, "month")),
    "x > 5/`year`": F.x > constant(5) / F.year,
    # names
    "Days > 3 AND In = 1 AND Last = 2 AND List = 3 AND Result > 4": (F.Days > 3)
    & (F.In == 1)
    & (F.Last == 2)
    & (F.List == 3)
    & (F.Result > 4),
    "Date = 1 AND Then = 2 AND Sum = 3 AND Never = 4 AND Segment = 5": (F.Date == 1)
    & (F.Then == 2)
    & (F.Sum == 3)
    & (F.Never == 4)
    & (F.Segment == 5),
    "`Total Spent` > 5 AND `a``b` = 1 AND größe = 2": (F["Total Spent"] > 5) & (F["a`b"] == 1) & (F.größe == 2),
    "`today` = TODAY AND `null` = 1": (F.today == TODAY) & (F["null"] == 1),
    'props -> "plan" = "pro" AND props->"tags"->0 IS NULL': (F.props.json("plan") == "pro")
    & F.props.json("tags", 0).is_missing(),
    'ELEMENTS(tags WHERE element = "vip") >= 1 AND elements(tags) = 0': (F.tags.elements(F.element == "vip") >= 1)
    & (F.tags.elements() == 0),
    'ELEMENTS(props -> "a" -> 0 WHERE (price > 5 AND `opened` = 1)) = ELEMENTS(props -> "a" -> 0)': F.props.json("a", 0).elements(
        (F.price > 5) & (F.opened == 1)
    )
    == F.props.json("a", 0).elements(),
    "ELEMENTS(a WHERE element IS NULL) / ELEMENTS(a) > 0.5 OR ELEMENTS(`b c` WHERE opened >= 3) != 1": (
        F.a.elements(F.element.is_missing()) / F.a.elements() > 0.5
    )
    | (F["b c"].elements(word("opened") >= 3) != 1),
    "ELEMENTS(a WHERE b = 1 WHERE NOT c = 2) > 1": F.a.elements((F.b == 1) & ~(F.c == 2)) > 1,
    "Opened >= 2 times WHERE (ELEMENTS(tags WHERE element -> 0 = 1) >= 1)": E.opened.where(
        F.tags.elements(F.element.json(0) == 1) >= 1
    ).count()
    >= 2,
    # time
    "a > 30 days ago AND b >= 1 day ago": F.a.older_than(days=30) & F.b.older_than(days=1, edge=True),
    "a < 6 months ago AND b <= 2 Weeks AGO": F.a.within(months=6) & F.b.within(weeks=2, edge=True),
    "a IN LAST 30 days AND b in the last 1 year": F.a.within(days=30) & F.b.within(years=1),
    "a IN NEXT 7 days AND b NOT IN LAST 24 hours": F.a.in_next(days=7) & ~F.b.within(hours=24),
    "a BETWEEN 60 AND 30 days ago": F.a.window(days=(60, 30)),
    "a BETWEEN 30 days ago AND 60 days ago": F.a.window(days=(60, 30)),
    "a BETWEEN 1 year AND 7 days ago": F.a.window(segkit.years(1), days(7)),
    "a IN THIS WEEK AND b IN LAST MONTH AND c IN NEXT quarter": F.a.in_period("week")
    & F.b.in_period("month", -1)
    & F.c.in_period("quarter", 1),
    "a IN MONTH - 3 AND b IN DAY + 2": F.a.in_period("month", -3) & F.b.in_period("day", 2),
    'a ON "2026-03-31" AND b NOT ON TODAY - 1 day': F.a.on("2026-03-31") & ~F.b.on(TODAY - days(1)),
    "ANNIVERSARY(a) = TODAY AND anniversary(b) IN NEXT 2 weeks": F.a.anniversary() & F.b.anniversary(within_days=14),
    "ANNIVERSARY(a) != TODAY": ~F.a.anniversary(),
    "a < NOW - 24 hours AND NOW() > b + 1 day": (F.a < NOW - hours(24)) & (NOW > F.b + days(1)),
    "a + 2 months > TODAY": F.a + months(2) > TODAY,
    "YEAR(a) = CURRENT_YEAR() AND HOUR(b) < CURRENT_HOUR()": (F.a.year() == TODAY.year()) & (F.b.hour() < NOW.hour()),
    "WEEKDAY(a) IN (6, 7) AND QUARTER(a) = 1 AND WEEK(a) = 2 AND DAY(a) = 3": F.a.weekday().is_in([6, 7])
    & (F.a.quarter() == 1)
    & (F.a.week() == 2)
    & (F.a.day() == 3),
    # functions
    "DAYS_BETWEEN(a, b) > 3": F.b - F.a > 3,
    "ABS(a) + ROUND(b, 2) + ROUND(c) > LENGTH(d)": F.a.abs() + F.b.round(2) + F.c.round() > F.d.length(),
    'COALESCE(LOWER(a), UPPER(b), "x") = "x"': F.a.lower().coalesce(F.b.upper(), "x") == "x",
    # ranks and samples
    "a IN TOP 10% OR a IN TOP 2.5 percent OR a NOT IN TOP 100": F.a.top(percent=10) | F.a.top(percent=2.5) | ~F.a.top(n=100),
    'a IN TOP 10% OF (b = 1 AND c = 2) AND d IN TOP 5 OF LIST "x"': F.a.top(percent=10, of=(F.b == 1) & (F.c == 2))
    & F.d.top(n=5, of=in_list("x")),
    "QUANTILE(a, 5) = 5 AND QUANTILE(a, 4) OF (b > 1) >= 3": (F.a.quantile(5) == 5) & (F.a.quantile(4, of=F.b > 1) >= 3),
    'SAMPLE 10% AND NOT SAMPLE 0.5% SEED "launch"': sample(percent=10) & ~sample(percent=0.5, seed="launch"),
    # words
    "Clicked = 0 AND opened BETWEEN 1 AND 5 AND VISITED IN (1, 2)": all_of(
        word("Clicked") == 0, word("opened").between(1, 5), word("VISITED").is_in([1, 2])
    ),
    "Subscribed > 90 days ago AND Opened IN LAST 30 days AND Purchased ON TODAY": word("Subscribed", "last").older_than(days=90)
    & word("Opened", "last").within(days=30)
    & word("Purchased", "last").on(TODAY),
    "`Clicked` = 0 AND Clicked = opens AND Opened IS NULL AND Opened + 1 > 2": (F.Clicked == 0)
    & (F.Clicked == F.opens)
    & F.Opened.is_missing()
    & (F.Opened + 1 > 2),
    "WORD(downloads) = 0 AND WORD(seen, last) IN LAST 1 day": (word("downloads") == 0) & word("seen", "last").within(days=1),
    # events
    "Opened >= 5 emails in last 30 days": E.opened.within(days=30).count() >= 5,
    "OPENED != 1 email": E.opened.count() != 1,
    "Clicked = 2 times": E.clicked.count() == 2,
    "Opened >= 5 in last 30 days": E.opened.within(days=30).count() >= 5,
    "Opened BETWEEN 2 AND 5 emails in last month": E.opened.in_period("month", -1).count().between(2, 5),
    "Opened >= 2 emails between 60 and 30 days ago where campaign = 'news'": E.opened.where(F.campaign == "news")
    .window(days=(60, 30))
    .count()
    >= 2,
    "Opened >= 2 where campaign = 'news' in last 7 days AND x = 1": (
        E.opened.where(F.campaign == "news").within(days=7).count() >= 2
    )
    & (F.x == 1),
    "Opened >= 2 where (a = 1 AND b = 2) in last 7 days": E.opened.where((F.a == 1) & (F.b == 2)).within(days=7).count() >= 2,
    "Opened >= 2 where (a = 1) between 2 and 1 days ago": E.opened.where(F.a == 1).window(days=(2, 1)).count() >= 2,
    "Previously opened > 5 emails": E.opened.count() > 5,
    "Previously purchased AND PREVIOUSLY opened > 5 WHERE a = 1": (E.purchased.count() >= 1)
    & (E.opened.where(F.a == 1).count() > 5),
    "Never purchased": E.purchased.count() == 0,
    "Never purchased in last 90 days where amount > 50": E.purchased.within(days=90).where(F.amount > 50).count() == 0,
    "NOT Never signed_up": ~(E.signed_up.count() == 0),
    "Purchased where amount > 50": E.purchased.where(F.amount > 50).any(),
    "Opened in last 7 days where (a = 1 OR NOT b = 2)": E.opened.where((F.a == 1) | ~(F.b == 2)).within(days=7).any(),
    "Visited then purchased within 7 days": E.visited.then(E.purchased, days=7).any(),
    "Visited then purchased within 7 days in last 30 days": E.visited.within(days=30).then(E.purchased, days=7).any(),
    "(visited WHERE page = '/') THEN (purchased WHERE amount > 5)": E.visited.where(F.page == "/")
    .then(E.purchased.where(F.amount > 5))
    .any(),
    "COUNT(visited THEN purchased) >= 2": E.visited.then(E.purchased).count() >= 2,
    "Purchased sum(amount) > $500 in last 90 days": E.purchased.within(days=90).sum("amount") > 500,
    "Purchased avg(amount) > 5 AND Purchased distinct(`the sku`) = 2": (E.purchased.avg("amount") > 5)
    & (E.purchased.distinct("the sku") == 2),
    'Purchased latest(category) IN ("a") AND Purchased count > 3': E.purchased.latest("category").is_in(["a"])
    & (E.purchased.count() > 3),
    "Purchased last > 30 days ago AND Purchased first IN LAST 7 days": E.purchased.last().older_than(days=30)
    & E.purchased.first().within(days=7),
    "Opened on >= 3 days in last 30 days": E.opened.within(days=30).active("day") >= 3,
    "Opened ON != 2 weeks AND Opened active_months > 1": (E.opened.active("week") != 2) & (E.opened.active("month") > 1),
    "downloaded >= 2 files in last 7 days": E.downloaded.noun("files").within(days=7).count() >= 2,
    "`email open` >= 2 times AND `Opened` = 1 times": (E["email open"].count() >= 2) & (E.Opened.count() == 1),
    "COUNT(opened IN LAST 30 days) > 2 * COUNT(opened BETWEEN 60 AND 30 days ago)": E.opened.within(days=30).count()
    > 2 * E.opened.window(days=(60, 30)).count(),
    "SUM(amount OF purchased WHERE amount > 5) / COUNT(`*`) > 10": E.purchased.where(F.amount > 5).sum("amount") / E["*"].count()
    > 10,
    "LAST(opened) < 7 days ago AND LATEST(x OF opened) IS NULL": E.opened.last().within(days=7)
    & E.opened.latest("x").is_missing(),
    "COUNT(files OF downloaded) = 1": E.downloaded.noun("files").count() == 1,
    "COUNT(opened <= 30 days ago) = 1": Predicate(
        nodes.Compare(
            "==",
            nodes.Aggregate("count", nodes.Events("opened", span=nodes.Last(nodes.Duration(30, "days"), True))),
            nodes.literal(1),
        )
    ),
}


@pytest.mark.parametrize("text", MEANINGS)
def test_a_text_means(text: str) -> None:
    assert same(parse(text), MEANINGS[text])


@pytest.mark.parametrize("text", MEANINGS)
def test_what_it_means_is_written_and_read_back(text: str) -> None:
    assert same(parse(to_text(MEANINGS[text])), MEANINGS[text])


@pytest.mark.parametrize("change", [str.upper, str.lower], ids=["upper", "lower"])
def test_keywords_are_read_in_any_case(change: Any) -> None:
    text = "Opened >= 2 emails between 60 and 30 days ago where NOT x in (1) or y is not null and z in this month"
    assert repr(parse(change(text))).lower() == repr(parse(text)).lower()


def test_line_breaks_are_blanks() -> None:
    assert parse("\r\n a\n=\n1\nAND\n\tb\nIN\n(1,\n2)\n") == (F.a == 1) & F.b.is_in([1, 2])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Condition: a = 1", Segment(None, F.a == 1)),
        ("a = 1 Result: 'Ones'", Segment("Ones", F.a == 1)),
        ("condition : a = 1\nTARGET GROUP:\n  “The ones”", Segment("The ones", F.a == 1)),
        ("Send to: everyone Exclude: List 'a' Exclude: 'b'", Segment(None, everyone() & ~in_list("a") & ~in_group("b"))),
        ("Send to: a = 1 AND b = 2\nExclude: c = 3", Segment(None, (F.a == 1) & (F.b == 2) & ~(F.c == 3))),
        ("Send to: a = 1 OR b = 2\nExclude: c = 3\nResult: x: y", Segment("x: y", ((F.a == 1) | (F.b == 2)) & ~(F.c == 3))),
    ],
)
def test_forms_of_a_segment(text: str, expected: Segment) -> None:
    assert parse_segment(text) == expected
    assert definition(text) == expected.definition


def test_a_segment_is_written_as_its_condition() -> None:
    segment = Segment("Win back", F.last_purchase.older_than(days=180))
    assert segment.to_text() == "last_purchase > 180 days ago"
    assert parse_segment(segment.to_text() + "\nResult: Win back") == segment


def test_fields_may_run_over_lines_in_parentheses() -> None:
    fields = parse_fields('\n a = (b +\n c)\n\n `d e` = COALESCE(f,\n "x\ny") \r\n')
    assert list(fields) == ["a", "d e"]
    assert same(fields["a"], F.b + F.c)
    assert same(fields["d e"], F.f.coalesce("x\ny"))


def test_a_formula_is_one_value() -> None:
    assert formula("total_revenue / order_count") == (F.total_revenue / F.order_count).node


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a -> b => c", ("a", "b", "c")),
        ('\n\n "Big → small"', None),
        ("`New lead` → 'Old lead'", ("New lead", "Old lead")),
        ("a →\n b\n → c\n\nprose, with = and 'quotes", ("a", "b", "c")),
    ],
)
def test_stages(text: str, expected: tuple[str, ...] | None) -> None:
    if expected is None:
        expected = ('"Big', 'small"')
    assert stages(text) == expected


ROW = re.compile(r"^\| (`+) ?(.+?) ?\1 \| `([^`]+)` \|$", re.MULTILINE)
DOCUMENTED = [
    (text, python.replace(r"\|", "|")) for _, text, python in ROW.findall((DOCS / "language.md").read_text(encoding="utf-8"))
]
SAYS = {**{name: getattr(segkit, name) for name in segkit.__all__}, "Decimal": Decimal, "date": dt.date, "datetime": dt.datetime}


def test_the_page_of_the_language_has_its_tables() -> None:
    assert len(DOCUMENTED) > 60


@pytest.mark.parametrize(("text", "python"), DOCUMENTED)
def test_a_row_of_the_page_of_the_language(text: str, python: str) -> None:
    assert same(parse(text), eval(python, dict(SAYS)))


# ---------------------------------------------------------------- refusals

REFUSALS: list[tuple[str, int, int, str, str]] = [
    ("", 1, 1, "no text", "a field"),
    ("  \n ", 1, 1, "no text", "a field"),
    ("a =", 1, 4, "ends too early", "a field or a value"),
    ("5 = \n", 1, 4, "ends too early", "a field or a value"),
    ("a = 1 AND\n  b >", 2, 6, "ends too early", "a field or a value"),
    ("(a = 1", 1, 7, "ends too early", ")"),
    ("a = 1)", 1, 6, "closing parenthesis", "remove it"),
    ("a BETWEEN 1", 1, 12, "ends too early", "AND"),
    ("a = 1 AND OR b = 2", 1, 11, "found 'OR'", "a field or a value"),
    ("a = 1 b = 2", 1, 7, "no AND or OR", "AND or OR"),
    ('a = "x" b = 2', 1, 9, "no AND or OR", "AND or OR"),
    ('opens > 5\ncountry = "USA"', 2, 1, "no AND or OR", "AND or OR"),
    ("opens > 5\nemails in last 30 days", 2, 1, "no AND or OR", "AND or OR"),
    ("a = b\nc = d", 2, 1, "no AND or OR", "AND or OR"),
    ("a = b\ncount > 5", 2, 1, "no AND or OR", "AND or OR"),
    ("a = b\n AND c IN (1)\n d CONTAINS 'x'", 3, 2, "no AND or OR", "AND or OR"),
    ('a = "x" adn b = 2', 1, 9, "found 'adn'", "did you mean AND?"),
    ("a = 1 adn b = 2", 1, 7, "found 'adn'", "did you mean AND?"),
    ("Total Spent > 5", 1, 7, "Total Spent", "`Total Spent`"),
    ('"country" = "USA"', 1, 1, "in quotes is text", "`country`"),
    ('country LIKE "a%"', 1, 9, "found 'LIKE'", "CONTAINS"),
    ('country CONTAIN "a"', 1, 9, "found 'CONTAIN'", "did you mean CONTAINS?"),
    ("x IN LST 30 days", 1, 6, "found 'LST'", "did you mean LAST?"),
    ("x IN LAST moth", 1, 11, "found 'moth'", "did you mean MONTH?"),
    ("x IN LAST 30 dayz", 1, 11, "unknown unit 'dayz'", "did you mean 'days'?"),
    ("x > 30 dyas ago", 1, 5, "unknown unit 'dyas'", "did you mean 'days'?"),
    ("Account_Age > 365 dayz", 1, 15, "unknown unit 'dayz'", "did you mean 'days'?"),
    ("a + b > 5 emails", 1, 9, "unknown unit 'emails'", "units are"),
    ("x IS NUL", 1, 6, "'NUL'", "did you mean 'NULL'?"),
    ("MNTH(x) = 3", 1, 1, "unknown function 'MNTH'", "'MONTH'"),
    ("MONTH(x, y) = 3", 1, 1, "takes 1 value, not 2", "MONTH(birthday)"),
    ("SUM(purchased) > 3", 1, 1, "of what?", "SUM(amount OF purchased)"),
    ("x IN MONTH", 1, 11, "ends too early", "MONTH - 2"),
    ("x IS NOT", 1, 9, "ends too early", "NULL or KNOWN"),
    ("x IS = 3", 1, 6, "found '='", "NULL or KNOWN"),
    ("TRUE", 1, 1, "TRUE alone", "EVERYONE"),
    ("x IN TOP 10% OF country = 'USA'", 1, 17, "behind OF", "parentheses"),
    ("x IN (1,000, 2,000)", 1, 9, "begins with a zero", "1000"),
    ("zip = 00123", 1, 7, "begins with a zero", "in quotes"),
    ("a / Years > 5", 1, 5, "a rate is a number", "5/year"),
    ("Result: x", 1, 7, "a colon", "behind a condition"),
    ("Opened >= 5 emials in last 30 days", 1, 11, "'emials'", "did you mean 'emails'? Opened counts emails or times"),
    ("Clicked = 5 bananas", 1, 11, "'bananas'", "links or emails or times"),
    ("a > 30 days in last 5 days", 1, 5, "no unit", "ON >= 3 days"),
    ("opened >= 5 emails in last 5 days in last 3 days", 1, 38, "two windows", "keep one"),
    ("opened >= 5 in next 5 days", 1, 16, "in the past", "IN LAST"),
    ("a + 1 > 5 in last 5 days", 1, 14, "goes with an event", "name the event"),
    ("Previously opened > 5 emails in last 30 days", 1, 12, "all the time", "leave"),
    ("Never opened >= 3", 1, 7, "an event is expected", "IN LAST"),
    ("visited then purchased where amount > 5", 1, 30, "either", "(visited WHERE"),
    ("Opened >= 2 where (a = 1) not in last 3 days", 1, 20, "NOT inside", "before it"),
    ("state IN ()", 1, 1, "empty list", "at least one"),
    ('state IN ("a", NULL)', 1, 16, "NULL in a list", "IS NULL"),
    ('state IN ("a", b)', 1, 16, "only constants", "OR"),
    ("price IN ($100,200)", 1, 11, "comma", "$100200"),
    ('name > "abc"', 1, 8, "no order", "CONTAINS"),
    ('name BETWEEN "a" AND "b"', 1, 14, "no order", "CONTAINS"),
    ("x = 30 days ago", 1, 5, "exactly so long ago", "TODAY - 30 days"),
    ("x != 30 days ago", 1, 6, "exactly so long ago", "TODAY - 30 days"),
    ("30 days ago < x", 1, 1, "an age stands only", "TODAY - 30 days"),
    ("x > NULL", 1, 5, "no value", "IS NULL"),
    ("a < b < c", 1, 7, "comparison of a comparison", "BETWEEN"),
    ("a = (b = c)", 1, 6, "a condition stands", "AND"),
    ("a + b", 1, 1, "a value stands", "compare"),
    ("vip", 1, 1, "alone is no condition", "vip = TRUE"),
    ("Opened OR a = 1", 1, 1, "alone is no condition", "Opened >= 1 times"),
    ("x MATCHES y", 1, 11, "a pattern is a constant text", "quotes"),
    ("x CONTAINS 5", 1, 12, "only text", "quotes"),
    ("x CONTAINS NULL", 1, 12, "no value", "IS NULL"),
    ("x STARTS WITH (y = 1)", 1, 16, "a condition stands", "AND"),
    ("x > 5 IGNORING CASE", 1, 7, "IGNORING CASE", "CONTAINS"),
    ("a / year > 3", 1, 5, "a rate is", "`year`"),
    ('country = "USA', 1, 11, "never closed", "close it"),
    ("a = 1 AND `b", 1, 11, "never closed", "backtick"),
    ("a = 'it's'", 1, 9, "behind its closing quote", "twice"),
    ('props.plan = "x"', 1, 6, "point", 'props -> "plan"'),
    ("x > 10%", 1, 7, "percent", "0.1"),
    ("x > 1,000", 1, 6, "comma", "$1,000"),
    ("[a] = 1", 1, 1, "square bracket", "backticks"),
    ("a = 1; b = 2", 1, 6, "semicolon", "leave it out"),
    ("a = 1 & b = 2", 1, 7, "single &", "AND"),
    ("a = 👍", 1, 5, "no meaning", "quotes"),
    ("a = 99999999999999999999", 1, 5, "out of range", "64 bits"),
    ("a = 1e999", 1, 5, "not a number", "missing"),
    ('a = DATE "2026-02-30"', 1, 10, "no date", "2026-03-31"),
    ('a = DECIMAL "NaN"', 1, 5, "not a number", "missing"),
    ("x IN LAST 0 days", 1, 11, "holds nothing", "at least 1"),
    ("x IN LAST 1.5 days", 1, 11, "whole number", "hours"),
    ("x IN TOP 0", 1, 10, "top 0", "from 1"),
    ("SAMPLE 200%", 1, 1, "200 percent", "100"),
    ("ANNIVERSARY(x) IN NEXT 400 days", 1, 1, "400", "366"),
    ("ANNIVERSARY(x) > 3", 1, 1, "anniversary", "IN NEXT 7 days"),
    (f"{'a' * 1001} = 1", 1, 1, "1,001 characters", "1,000"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "column", "what", "fix"), REFUSALS, ids=lambda v: v[:30] if isinstance(v, str) else None
)
def test_a_refusal_shows_place_and_fix(text: str, line: int, column: int, what: str, fix: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(text)
    assert type(caught.value) is DefinitionError
    assert caught.value.where.startswith(f"line {line}, column {column}\n")
    assert what in caught.value.what
    assert fix in caught.value.fix


def test_an_error_shows_the_line_and_a_caret() -> None:
    with pytest.raises(DefinitionError) as caught:
        parse('country = "USA"\nAND\tstate ON "2026-01-01" opens > 5')
    assert str(caught.value).splitlines()[:5] == [
        "two conditions with no AND or OR between them",
        "  where: line 2, column 27",
        '    AND state ON "2026-01-01" opens > 5',
        "                              ^",
        "  fix: write AND or OR between them; a name with a blank stands in backticks: `Total Spent`",
    ]


@pytest.mark.parametrize(("text", "cells"), [("日本 ! 3", 5), ('a = "👍" ! 3', 9), ('a = "e\u0301" ! 3', 8), ("ab\t! 3", 3)])
def test_a_caret_stands_below_the_place_as_it_is_shown(text: str, cells: int) -> None:
    with pytest.raises(DefinitionError) as refusal:
        parse(text)
    assert (refusal.value.where or "").splitlines()[-1] == " " * (4 + cells) + "^"


def test_an_error_in_a_long_line_shows_a_part_of_it() -> None:
    with pytest.raises(DefinitionError) as caught:
        parse("a = 1 AND " * 2000 + "b >> 1")
    place, shown, caret = caught.value.where.splitlines()
    assert place == "line 1, column 20004"
    assert len(shown) < 120
    assert shown[caret.index("^")] == ">"


@pytest.mark.parametrize(
    ("read", "text", "line", "column", "what"),
    [
        (parse_fields, "", 1, 1, "no field"),
        (parse_fields, "a = 1\nb = c +\nd = 2", 2, 8, "ends too early"),
        (parse_fields, "a = 1\n\nb > 2", 3, 3, "defined with ="),
        (parse_fields, "a = 1\nA = 2\na = 3", 3, 1, "twice"),
        (parse_fields, "a = b = 2", 1, 5, "a condition"),
        (parse_fields, "a = (b > 2)", 1, 6, "a condition"),
        (parse_fields, "a = (1) b = 2", 1, 9, "no AND or OR"),
        (parse_fields, "5 = a", 1, 1, "found '5'"),
        (formula, "a > 5", 1, 1, "a condition"),
        (parse_segment, "Result: x", 1, 7, "colon"),
        (parse_segment, "Condition: a = 1 Result:", 1, 18, "is empty"),
        (parse_segment, "Condition: a = 1\nResult: x\ny = 2", 3, 1, ""),
        (parse_segment, "Condition: a = 1 Exclude: b = 2", 1, 18, "found"),
        (parse, "Condition: a = 1", 1, 10, ""),
        (stages, " ", 1, 1, "no journey"),
        (stages, "Prospect", 1, 1, "two stages"),
        (stages, "a → → b", 1, 5, "without a name"),
        (stages, "a → b\n→ b", 1, 1, "twice"),
        (stages, "a → b\nprose", 1, 5, "two lines"),
        (stages, "a → b\n\nc → d", 3, 2, "arrow behind"),
    ],
)
def test_refusals_of_the_other_functions(read: Any, text: str, line: int, column: int, what: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read(text)
    assert caught.value.where.startswith(f"line {line}, column {column}\n"), str(caught.value)
    assert what in caught.value.what


@pytest.mark.parametrize("given", [None, 5, b"a = 1", "a = '\0'", "a = '\ud800'", F.a == 1])
def test_what_is_no_text_is_refused(given: Any) -> None:
    for read in (parse, parse_segment, parse_fields, formula, stages):
        with pytest.raises(DefinitionError):
            read(given)


# ---------------------------------------------------------------- writing

QUIET = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def test_definitions_are_read_back_equal() -> None:
    refused: Counter[str] = Counter()
    seen = 0

    @QUIET
    @given(strategies.definitions())
    def run(condition: Predicate) -> None:
        nonlocal seen
        seen += 1
        try:
            text = to_text(condition)
        except DefinitionError as error:
            refused[error.what.split(":")[0]] += 1
        else:
            assert same(parse(text), condition), text

    run()
    assert seen >= 300
    assert set(refused) <= {"SQL has no form in the text language"}


NAMES = st.sampled_from((
    "a", "Total Spent", "year", "Opened", "opened", "times", "null", "TODAY", "AND", "or", "in", "`", "a``b", '"', "*", "size",
    "everyone", "All contacts", "größe", "last", "List", "Result:", "a\nb", "5", "x.y", "days", "ſ", "count", "sum", " ",
))  # fmt: skip
WORDS = st.sampled_from(
    ("", "x", '"', '""', "'", "it's", "`", "a\nb", "\r\n", "“x”", "50%_\\", "2026-03-31", "AND", "-- x", "👍")
)
_NUMBERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.decimals("-1e9", "1e9", places=3)
)
_TIMES = st.one_of(
    st.dates(), (st.datetimes() | st.datetimes(timezones=st.just(dt.UTC))).map(lambda moment: moment.replace(fold=0))
)
_CONSTANTS = st.one_of(_NUMBERS, WORDS, st.booleans(), _TIMES).map(nodes.literal)
_LENGTHS = st.builds(
    nodes.Duration, st.integers(1, 400), st.sampled_from(("minutes", "hours", "days", "weeks", "months", "years"))
)
_BETWEEN = _LENGTHS.map(lambda length: nodes.Between(length, nodes.Duration(0, length.unit))) | st.just(
    nodes.Between(nodes.Duration(2, "days"), nodes.Duration(3, "weeks"))
)
_PERIODS = st.builds(nodes.Period, st.sampled_from(("day", "week", "month", "quarter", "year")), st.integers(-3, 3))
_PAST = st.one_of(st.builds(nodes.Last, _LENGTHS, st.booleans()), _BETWEEN, _PERIODS)


_FIELDS = NAMES.map(nodes.Field)
_STEPS = st.lists(st.integers(0, 9) | st.sampled_from(("x", "it's", "a b", "-> 0", "5")), min_size=1, max_size=3).map(tuple)
_PARTS = st.sampled_from(("year", "quarter", "month", "week", "day", "weekday", "hour"))
_CONDITIONS: st.SearchStrategy[Any] = st.deferred(lambda: st.one_of(_LEAVES, _LEAVES, _TESTS, _TESTS, _GROUPS))
_VALUES: st.SearchStrategy[Any] = st.deferred(lambda: st.one_of(_ATOMS, _ATOMS, _ATOMS, _AGGREGATES, _CALCULATIONS))
_MAYBE = st.none() | st.none() | _CONDITIONS
_PLAIN = st.builds(lambda e, w, n: nodes.Events(e, w, None, None, n), NAMES, _MAYBE, st.none() | NAMES)
_AFTER = st.builds(nodes.Then, _PLAIN, st.none() | _LENGTHS.filter(lambda length: length.unit not in ("months", "years")))
_STREAMS = st.builds(nodes.Events, NAMES, _MAYBE, st.none() | _PAST, st.none(), st.none() | NAMES)
_SEQUENCES = st.builds(nodes.Events, NAMES, _MAYBE, st.none() | _PAST, _AFTER, st.none() | NAMES)
_ATOMS = st.one_of(
    _FIELDS, _FIELDS, _CONSTANTS, st.just(nodes.Today()), st.just(nodes.Now()), _LENGTHS,
    st.builds(nodes.Rate, _NUMBERS, st.sampled_from(("day", "week", "month", "year"))),
    st.builds(nodes.Word, NAMES, st.sampled_from(("count", "last"))), st.builds(nodes.Json, _FIELDS, _STEPS),
)  # fmt: skip
_AGGREGATES = st.one_of(
    st.builds(lambda events: nodes.Aggregate("count", events), _SEQUENCES),
    st.builds(nodes.Aggregate, st.sampled_from(("count", "first", "last", "days", "weeks", "months")), _STREAMS),
    st.builds(nodes.Aggregate, st.sampled_from(("sum", "avg", "min", "max", "distinct", "latest")), _STREAMS, NAMES),
)
_CALCULATIONS = st.one_of(
    st.builds(nodes.Arithmetic, st.sampled_from("+-*/"), _VALUES, _VALUES),
    st.builds(nodes.Part, _PARTS, _VALUES),
    st.builds(lambda f, v: nodes.Function(f, (v,)), st.sampled_from(("abs", "round", "lower", "upper", "length")), _VALUES),
    st.builds(lambda a, b: nodes.Function("coalesce", (a, b)), _VALUES, _VALUES),
    st.builds(nodes.Quantile, _VALUES, st.integers(2, 9), _MAYBE),
)
_SPANS = st.one_of(
    _PAST, st.builds(nodes.Before, _LENGTHS, st.booleans()), st.builds(nodes.Next, _LENGTHS), st.builds(nodes.OnDay, _VALUES),
    st.builds(nodes.Anniversary, st.integers(0, 366)),
)  # fmt: skip
_ORDERED = _VALUES.filter(lambda v: not isinstance(v, nodes.Literal) or v.sort != "text")
_NO_CONSTANTS = _VALUES.filter(lambda v: not isinstance(v, nodes.Literal))
_TESTS = st.one_of(
    st.builds(nodes.Compare, st.just("=="), _VALUES, _VALUES),
    st.builds(nodes.Compare, st.sampled_from(("<", "<=", ">", ">=")), _VALUES, _ORDERED),
    st.builds(lambda v, a, b: nodes.And((nodes.Compare(">=", v, a), nodes.Compare("<=", v, b))), _VALUES, _ORDERED, _ORDERED),
    st.builds(nodes.OneOf, _VALUES, st.lists(_CONSTANTS, max_size=3).map(tuple)),
    st.builds(nodes.TextTest, st.sampled_from(("contains", "startswith", "endswith", "matches")), _VALUES, WORDS, st.booleans()),
    st.builds(nodes.TextTest, st.sampled_from(("contains", "startswith", "endswith")), _VALUES, _NO_CONSTANTS, st.booleans()),
    st.builds(nodes.Missing, _VALUES),
    st.builds(nodes.During, _VALUES, _SPANS),
    st.builds(nodes.Top, _VALUES, st.integers(1, 9), st.none(), _MAYBE),
    st.builds(nodes.Top, _VALUES, st.none(), st.sampled_from((10, 2.5, Decimal("7.50"))), _MAYBE),
)
_LEAVES = st.one_of(
    st.just(nodes.Everyone()), NAMES.map(nodes.InList), NAMES.map(nodes.InSegment), NAMES.map(nodes.InGroup),
    st.builds(nodes.Sample, st.sampled_from((10, 0.5, Decimal("7.50"))), WORDS),
)  # fmt: skip
_ITEMS = st.lists(_CONDITIONS, min_size=1, max_size=3).map(tuple)
_GROUPS = st.one_of(_ITEMS.map(nodes.And), _ITEMS.map(nodes.Or), _CONDITIONS.map(nodes.Not))
"""Every kind of node, also where it means nothing: only the spelling is tried."""


@QUIET
@given(_CONDITIONS.filter(lambda node: nodes.depth(node) <= nodes.MAX_DEPTH))
def test_any_nodes_are_read_back_equal(node: Any) -> None:
    condition = Predicate(node)
    text = to_text(condition)
    assert same(parse(text), condition), text


@QUIET
@given(_VALUES.filter(lambda node: nodes.depth(node) <= nodes.MAX_DEPTH))
def test_any_value_is_read_back_equal(node: Any) -> None:
    assert repr(formula(to_text(Value(node)))) == repr(node)


def test_sql_has_no_text() -> None:
    with pytest.raises(DefinitionError, match="SQL has no form"):
        to_text((F.a == 1) & raw_sql("a = b", dialect="postgres"))


@pytest.mark.parametrize("given", [5, None, "a = 1", Segment("a", F.a == 1)])
def test_what_is_no_definition_has_no_text(given: Any) -> None:
    with pytest.raises(DefinitionError, match="no condition and no calculation"):
        to_text(given)


def test_text_has_no_order_to_write() -> None:
    with pytest.raises(DefinitionError, match="no order"):
        to_text(F.a > "abc")


def test_what_is_too_long_to_be_read_is_not_written() -> None:
    with pytest.raises(DefinitionError, match="characters"):
        to_text(F.a.is_in([f"value {i}" for i in range(10_000)]))


def test_a_long_group_is_written_over_lines() -> None:
    condition = all_of(*(F[f"a_field_with_a_long_name_{i}"] == i for i in range(5)))
    assert to_text(condition).count("\nAND ") == 4
    assert parse(to_text(condition)) == condition


# ---------------------------------------------------------------- safety


def test_the_grammar_has_only_the_conflict_it_speaks_of(caplog: pytest.LogCaptureFixture) -> None:
    grammar = Path(reader.__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    logger.setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG, logger=logger.name):
        logger.propagate = True
        Lark(grammar, parser="lalr", start=list(reader.STARTS), debug=True, maybe_placeholders=True)
    logger.setLevel(logging.CRITICAL)
    conflicts = {re.sub(r"\s+", " ", r.getMessage()) for r in caplog.records if "conflict" in r.getMessage()}
    assert {re.search(r"terminal (\w+)", c).group(1) for c in conflicts} <= {"_IN", "BETWEEN"}  # type: ignore[union-attr]


def answer(text: str) -> tuple[str, float]:
    """How a text is answered, and after how many seconds."""
    begin = time.perf_counter()
    try:
        parse(text)
    except DefinitionError as error:
        said = error.what
    else:
        said = "read"
    return said, time.perf_counter() - begin


HARD = {
    "a megabyte": ("x" * 1_000_000, "characters"),
    "a megabyte of an open quote": ('"' + "x" * 1_000_000, "characters"),
    "an open quote": ('"' + "x" * 99_000, "never closed"),
    "doubled quotes": ('"' * 99_999, "never closed"),
    "open quotes of all sorts": ("'“„‘`\"" * 16_000, ""),
    "10,000 NOTs": ("NOT " * 10_000 + "a = 1", "levels deep"),
    "opening parentheses": ("(" * 99_999, "ends too early"),
    "closing parentheses": (")" * 99_999, "closing parenthesis"),
    "balanced parentheses": ("(" * 49_990 + "a = 1" + ")" * 49_990, "read"),
    "nested calls": ("ABS(" * 20_000 + "a" + ")" * 19_000, "levels deep"),
    "nested groups": ("(a = 1 OR " * 8_000 + "b = 2" + ")" * 8_000, "levels deep"),
    "a long chain of ORs": (" OR ".join(["a=1"] * 14_000), "read"),
    "20,000 ORs": ("a=1||" * 19_999 + "a=1", "read"),
    "a long list": (f"a IN ({','.join(map(str, range(17_000)))})", "read"),
    "a long sum": ("a" + "+a" * 49_000 + " > 1", "levels deep"),
    "minus signs": ("-" * 99_000 + "a > 1", "levels deep"),
    "a long number": ("a = " + "9" * 99_000, "digits"),
    "a long name": ("a" * 99_000 + " = 1", "characters"),
    "line breaks": ("\n" * 99_000 + "a =", "ends too early"),
    "comparisons": ("a = " * 24_000, "comparison of a comparison"),
    "names": ("a " * 49_000, "two names"),
    "arrows": ("a" + '->"b"' * 19_000 + " = 1", "steps"),
    "wheres": ("a = 1 " + "where b = 2 " * 8_000, "levels deep"),
    "thens": ("a then " * 14_000 + "b", ""),
    "a noun to look for": ("opened > 5 " + "e" * 90_000, "counts no"),
    "a unit to look for": ("a in last 5 " + "d" * 90_000, "unknown unit"),
    "a function to look for": ("m" * 90_000 + "(x) = 1", "unknown function"),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_texts_are_answered_quickly(name: str) -> None:
    text, expected = HARD[name]
    said, seconds = answer(text)
    assert expected in said
    assert seconds < 10


@pytest.mark.parametrize(
    "text",
    [
        lambda n: " OR ".join(["a = 1"] * n),
        lambda n: " AND ".join(["Opened >= 5 emails in last 30 days"] * n),
        lambda n: f"a IN ({', '.join(['1'] * n)})",
        lambda n: "(" * n + "a = 1" + ")" * n,
        lambda n: "(" * n,
        lambda n: '"' + 'x""' * n,
        lambda n: "a = 1 AND " * n + "b b",
    ],
    ids=["or", "events", "in", "parentheses", "open", "quotes", "late error"],
)
def test_twice_the_text_takes_twice_the_time(text: Any) -> None:
    answer("a = 1")
    small = min(answer(text(700))[1] for _ in range(3))
    large = min(answer(text(2800))[1] for _ in range(3))
    assert large < 4 * 3 * small + 0.05


def test_long_chains_are_flat() -> None:
    node = parse(" OR ".join(["a = 1"] * 9_000)).node
    assert isinstance(node, nodes.Or)
    assert len(node.items) == 9_000


PIECES = (
    "(", ")", '"', "'", "`", "“", "=", "<", "->", "-", "/", "%", ",", ":", "$", "AND ", " OR ", "NOT ", " IN ", " LAST ", " 30 ",
    " days", " ago", "where ", " then ", "never ", "previously ", " OF ", "TOP ", "List ", "\n", "\t", "\0", "👍", "\u202e", "1e9",
    "Result:", "null", "5/year", "sum(", "COUNT(", "on ", "is ", "between ", "sample 5%", "\ud800", "TEXT ", "×", "_", "9" * 30,
)  # fmt: skip


def mutated(rng: random.Random, text: str) -> str:
    for _ in range(rng.randint(1, 4)):
        i, j = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        text = rng.choice((
            text[:i] + text[j:], text[:i] + rng.choice(PIECES) + text[i:], text[:i] + text[i:j] * 2 + text[j:],
            text[:i] + rng.choice(PIECES) + text[j:], text + rng.choice((" AND ", " OR ", " ")) + text[i:j], text[i:j],
        ))  # fmt: skip
    return text


def test_mutated_texts_are_read_or_refused() -> None:
    rng = random.Random(os.environ.get("SEGKIT_FUZZ_SEED", "language"))
    valid = [*PAGE.values(), *MEANINGS, *(text for text, *_ in REFUSALS)]
    until = time.monotonic() + float(os.environ.get("SEGKIT_FUZZ_SECONDS", "3"))
    answers: Counter[str] = Counter()
    unhelpful: list[str] = []
    while time.monotonic() < until or answers.total() < 1_000:
        text = mutated(rng, rng.choice(valid))
        read = rng.choice((parse, parse, parse, parse_segment, parse_fields, formula, stages))
        try:
            found = read(text)
        except SegkitError as error:
            answers["refused"] += 1
            unhelpful += [text] if not error.fix else []
        else:
            answers["read"] += 1
            if isinstance(found, Predicate):
                assert same(parse(to_text(found)), found), text
    assert not unhelpful
    assert answers["refused"] > 100
    assert answers["read"] > 100
