"""The rows planted on purpose: contacts, events and list rows that sit exactly on an edge of the rules.

Everything here is data. The simulated contacts of `generate.py` never touch these ids, whatever their
number, so a test may name an edge contact and expect the same answer on any number of contacts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AS_OF = dt.datetime(2025, 11, 30, 12)
FIRST_EDGE_CONTACT = 9_000_001
FIRST_EDGE_EVENT = 900_000_001
UNKNOWN_CONTACT = 99_999_999
DEFAULT_CREATED = dt.datetime(2025, 1, 15, 10)
AFTER = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class EdgeEvent:
    """One planted event. `same_as` repeats the id of an earlier event of the same contact, counted from 0."""

    event: str
    at: dt.datetime | None
    amount: str | None = None
    quantity: int | None = None
    campaign: str | None = None
    product: str | None = None
    page: str | None = None
    same_as: int | None = None


@dataclass(frozen=True)
class EdgeContact:
    """One planted contact: why it is there, what differs from the default profile, and its events."""

    why: str
    profile: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[EdgeEvent, ...] = ()
    created: dt.datetime = DEFAULT_CREATED


def ago(days: int = 0, hours: int = 0, plus: dt.timedelta = dt.timedelta()) -> dt.datetime:
    """The instant that long before `AS_OF`, shifted by `plus`.

    >>> ago(days=7, plus=AFTER).isoformat()
    '2025-11-23T12:00:00.000001'
    """
    return AS_OF - dt.timedelta(days=days, hours=hours) + plus


def bought(at: dt.datetime | None, amount: str | None = "20.00", quantity: int | None = 1) -> EdgeEvent:
    return EdgeEvent("purchased", at, amount, quantity)


def carted(at: dt.datetime) -> EdgeEvent:
    return EdgeEvent("carted", at, "35.00", 2)


def each(event: str, *times: dt.datetime) -> tuple[EdgeEvent, ...]:
    return tuple(EdgeEvent(event, t) for t in times)


def opened_days_ago(*days: int) -> tuple[EdgeEvent, ...]:
    return each("opened", *(ago(days=d) for d in days))


def subscribed(at: dt.datetime) -> EdgeEvent:
    return EdgeEvent("subscribed", at)


SIX_OPENS = opened_days_ago(200, 190, 180, 170, 160, 150)
LONG_AGO = subscribed(dt.datetime(2025, 1, 15, 10, 5))
USA = {"location": "USA", "country": "USA"}
DEVELOPER = {"job_title": "Senior Developer", "product_interest": "Software"}
NEW_YORKER = {"location": "USA", "state": "NY", "timezone": "PST"}

EDGE_CONTACTS: tuple[EdgeContact, ...] = (
    # last purchase, rolling windows
    EdgeContact("last purchase exactly 7 days ago: out of Recent Purchasers", {}, (bought(ago(7)),)),
    EdgeContact(
        "last purchase 1 microsecond less than 7 days ago: in Recent Purchasers",
        {},
        (bought(ago(7, plus=AFTER)),),
    ),
    EdgeContact("last purchase exactly at as_of: in Recent Purchasers", {}, (bought(AS_OF),)),
    EdgeContact(
        "only purchase 1 microsecond after as_of: it does not exist, last_purchase is missing",
        {},
        (bought(ago(plus=AFTER)),),
    ),
    EdgeContact(
        "last purchase exactly 30 days ago: out of Advanced Example",
        USA,
        (LONG_AGO, *SIX_OPENS, bought(ago(30), "600.00")),
    ),
    EdgeContact(
        "last purchase 1 microsecond more than 30 days ago: in Advanced Example",
        USA,
        (LONG_AGO, *SIX_OPENS, bought(ago(30, plus=-AFTER), "600.00")),
    ),
    EdgeContact(
        "total_spent exactly 500.00: out of Advanced Example (`> 500`)",
        USA,
        (LONG_AGO, *SIX_OPENS, bought(ago(60), "250.00"), bought(ago(50), "250.00")),
    ),
    EdgeContact("last purchase exactly 180 days ago: out of Win-Back", {}, (bought(ago(180)),)),
    EdgeContact(
        "last purchase 1 microsecond more than 180 days ago: in Win-Back",
        {},
        (bought(ago(180, plus=-AFTER)),),
    ),
    # opens and clicks counted in windows, duplicate ids
    EdgeContact(
        "5 opens, one exactly 30 days ago (outside the window): out of Highly Engaged",
        {},
        (LONG_AGO, *opened_days_ago(30, 20, 15, 10, 5), *each("clicked", ago(15), ago(5))),
    ),
    EdgeContact(
        "5 opens, one 1 microsecond inside the 30 days: in Highly Engaged",
        {},
        (
            LONG_AGO,
            *each("opened", ago(30, plus=AFTER)),
            *opened_days_ago(20, 15, 10, 5),
            *each("clicked", ago(15), ago(5)),
        ),
    ),
    EdgeContact(
        "5 open rows, two of them one event sent twice: 4 opens, out of Highly Engaged",
        {},
        (
            LONG_AGO,
            *opened_days_ago(20, 15, 10, 5),
            EdgeEvent("opened", ago(5), same_as=4),
            *each("clicked", ago(15), ago(5)),
        ),
    ),
    EdgeContact(
        "a repeated open whose first copy is 40 days old: the first counts, out of Highly Engaged",
        {},
        (
            LONG_AGO,
            *opened_days_ago(40, 15, 10, 5, 4),
            EdgeEvent("opened", ago(3), same_as=1),
            *each("clicked", ago(15), ago(5)),
        ),
    ),
    EdgeContact("subscribed exactly 90 days ago: out of At Risk", {}, (subscribed(ago(90)), *SIX_OPENS)),
    EdgeContact(
        "subscribed 1 microsecond more than 90 days ago, opens at exactly 60 days (outside) and inside: in At Risk",
        {},
        (subscribed(ago(90, plus=-AFTER)), *SIX_OPENS, *opened_days_ago(60, 59)),
    ),
    EdgeContact(
        "exactly 5 opens in all, after removing a repeated id: out of At Risk (`> 5`)",
        {},
        (LONG_AGO, *SIX_OPENS[:5], EdgeEvent("opened", ago(140), same_as=5)),
    ),
    EdgeContact("subscribed exactly 30 days ago, no opens: out of Never Engaged", {}, (subscribed(ago(30)),)),
    EdgeContact(
        "subscribed 1 microsecond more than 30 days ago, no opens: in Never Engaged",
        {},
        (subscribed(ago(30, plus=-AFTER)),),
    ),
    EdgeContact("last open exactly 90 days ago: out of Inactive", {}, (LONG_AGO, *opened_days_ago(90))),
    EdgeContact(
        "last open 1 microsecond more than 90 days ago: in Inactive",
        {},
        (LONG_AGO, *each("opened", ago(90, plus=-AFTER))),
    ),
    # carts and visits
    EdgeContact("last activity exactly 24 hours ago: out of Cart Abandoners", {}, (carted(ago(hours=24)),)),
    EdgeContact(
        "last activity 1 microsecond less than 24 hours ago: in Cart Abandoners",
        {},
        (carted(ago(hours=24, plus=AFTER)),),
    ),
    EdgeContact(
        "a cart emptied by a purchase at the very same instant: out of Cart Abandoners",
        {},
        (carted(ago(hours=3)), bought(ago(hours=3), "35.00", 2)),
    ),
    EdgeContact(
        "last visit exactly 48 hours ago: out of Browse Abandoners",
        {},
        (*each("visited", ago(hours=48)), *each("viewed", *(ago(hours=48),) * 4)),
    ),
    EdgeContact(
        "last visit 1 microsecond less than 48 hours ago: in Browse Abandoners",
        {},
        (*each("visited", ago(hours=48, plus=AFTER)), *each("viewed", *(ago(hours=47),) * 4)),
    ),
    EdgeContact(
        "exactly 3 product views: out of Browse Abandoners (`> 3`)",
        {},
        (*each("visited", ago(hours=5)), *each("viewed", *(ago(hours=4),) * 3)),
    ),
    # welcome
    EdgeContact("subscribed exactly 7 days ago: out of Welcome Series", {}, (subscribed(ago(7)),), ago(8)),
    EdgeContact(
        "subscribed 1 microsecond less than 7 days ago: in Welcome Series",
        {},
        (subscribed(ago(7, plus=AFTER)),),
        ago(8),
    ),
    EdgeContact(
        "welcome_email_sent is unknown (NULL, not false): out of Welcome Series",
        {"welcome_email_sent": None},
        (subscribed(ago(2)),),
        ago(2),
    ),
    # tenure, tier, value
    EdgeContact(
        "account age exactly 365 days, Gold: out of Customer Lifecycle; in Anniversary Dates",
        {},
        (bought(ago(100), "600.00"),),
        ago(365),
    ),
    EdgeContact(
        "account age 366 days, Gold: in Customer Lifecycle; out of Anniversary Dates",
        {},
        (bought(ago(100), "600.00"),),
        ago(366),
    ),
    EdgeContact("lifetime_value exactly 1000.00: out of Top Tier", {}, (bought(ago(100), "1000.00"),)),
    EdgeContact("lifetime_value 1000.01: in Top Tier", {}, (bought(ago(100), "1000.01"),)),
    EdgeContact(
        "spent 1100.00, refunded 150.00, so lifetime_value is 950.00: out of Top Tier",
        {},
        (bought(ago(100), "1100.00"), EdgeEvent("refunded", ago(95), "150.00", 1)),
    ),
    EdgeContact("lifetime_value exactly 500.00 and active: out of High Value Active", {}, (bought(ago(20), "500.00"),)),
    EdgeContact(
        "a purchase of unknown amount (NULL) beside one of 80.00: order_count 2, total_spent 80.00",
        {},
        (bought(ago(50), "80.00"), bought(ago(45), None)),
    ),
    EdgeContact(
        "a purchase of 0.00 with no quantity: it is a purchase all the same",
        {},
        (bought(ago(50), "0.00", None),),
    ),
    EdgeContact(
        "last activity at midnight of 31 October exactly: out of Rolling Windows",
        {},
        each("visited", dt.datetime(2025, 10, 31)),
    ),
    EdgeContact(
        "last activity 1 microsecond after midnight of 31 October: in Rolling Windows, though more than "
        "30 x 24 hours ago: out of High Value Active",
        {},
        (bought(ago(80), "700.00"), *each("visited", dt.datetime(2025, 10, 31) + AFTER)),
    ),
    # existence and order
    EdgeContact("created exactly at as_of: exists; in Anniversary Dates", {}, (), AS_OF),
    EdgeContact(
        "created 1 microsecond after as_of: does not exist (signup_date is as_of's own date); out of Anniversary Dates",
        {},
        (),
        ago(plus=AFTER),
    ),
    EdgeContact(
        "an open 10 days before signup: it counts, opens is 1; out of Never Engaged",
        {},
        (LONG_AGO, *each("opened", dt.datetime(2025, 1, 5, 10))),
    ),
    EdgeContact(
        "a purchase without time, and one 2 days after as_of: neither counts; purchases is 0",
        {},
        (bought(None, "99.00"), bought(ago(-2), "77.00")),
    ),
    EdgeContact(
        "a repeated purchase id whose later copy says another amount: the earlier row wins, total_spent is 40.00",
        {},
        (bought(ago(60), "40.00"), EdgeEvent("purchased", ago(59), "400.00", 1, same_as=0)),
    ),
    EdgeContact(
        "a repeated open id whose later copy lies after as_of: counts once, opens is 1",
        {},
        (LONG_AGO, *opened_days_ago(3), EdgeEvent("opened", ago(-1), same_as=1)),
    ),
    EdgeContact(
        "everything that may be missing is missing",
        dict.fromkeys(("email", "first_name", "last_name", "location", "country", "state", "timezone", "birthday")),
    ),
    EdgeContact("signed up on 29 February", {}, (), dt.datetime(2024, 2, 29, 9)),
    # places
    EdgeContact("country `usa`: out of Geographic Targeting", {**NEW_YORKER, "country": "usa"}),
    EdgeContact("country ` USA`: out of Geographic Targeting", {**NEW_YORKER, "country": " USA"}),
    EdgeContact("state NY with timezone PST: in Geographic Targeting", {**NEW_YORKER, "country": "USA"}),
    EdgeContact(
        "state `ca` in lower case: out of Geographic Targeting",
        {**NEW_YORKER, "country": "USA", "state": "ca"},
    ),
    # birthdays
    EdgeContact("born on 29 February", {"birthday": dt.date(2000, 2, 29)}),
    EdgeContact("born on 1900-01-01, the favourite date of forms that insist", {"birthday": dt.date(1900, 1, 1)}),
    EdgeContact("born on 1 November: in Birthday Month", {"birthday": dt.date(1990, 11, 1)}),
    EdgeContact("born on 31 October: out of Birthday Month", {"birthday": dt.date(1990, 10, 31)}),
    EdgeContact("born on 1 December: out of Birthday Month", {"birthday": dt.date(1990, 12, 1)}),
    # nested conditions
    EdgeContact(
        "company_size exactly 100 and budget exactly 10000.00: out of Nested Conditions",
        {**DEVELOPER, "company_size": 100, "budget": "10000.00"},
    ),
    EdgeContact("budget 10000.01: in Nested Conditions", {**DEVELOPER, "company_size": 100, "budget": "10000.01"}),
    EdgeContact("budget missing, company_size 101: in Nested Conditions", {**DEVELOPER, "company_size": 101}),
    EdgeContact(
        "job title in lower case: out of Nested Conditions (text is case-sensitive)",
        {**DEVELOPER, "job_title": "senior developer", "company_size": 500},
    ),
    # addresses
    EdgeContact("`@company.com` inside a longer domain: in Email Contains", {"email": "pat@company.com.example.org"}),
    EdgeContact("`company.com` before the @: out of Email Contains", {"email": "company.com@example.org"}),
    EdgeContact("a dot is not a wildcard: out of Email Contains", {"email": "sam@company-com.example.org"}),
    EdgeContact("capitals: out of Email Contains", {"email": "KIM@COMPANY.COM.example.org"}),
    # text that breaks careless code
    EdgeContact("an apostrophe", {"first_name": "Sinéad", "last_name": "O'Brien", "email": "o'brien@example.org"}),
    EdgeContact("the LIKE wildcard `%`", {"first_name": "100%", "last_name": "50% off", "job_title": "100% Remote"}),
    EdgeContact("the LIKE wildcard `_`", {"first_name": "_", "last_name": "a_b", "job_title": "_"}),
    EdgeContact(
        "empty strings, which are values and not missing",
        {
            "first_name": "",
            "last_name": "",
            "email": "",
            "job_title": "",
            "state": "",
            "product_interest": "",
        },
    ),
    EdgeContact(
        "CJK",
        {
            "first_name": "花子",
            "last_name": "山田",
            "location": "Japan",
            "country": "Japan",
            "state": None,
            "timezone": "JST",
            "job_title": "開発者 Developer",
        },
    ),
    EdgeContact(
        "emoji, one made of several code points",
        {"first_name": "🦊", "last_name": "👩‍💻", "job_title": "🚀 Founder"},
    ),
    EdgeContact("right to left", {"first_name": "نور", "last_name": "חיים"}),
    EdgeContact("José in one code point per letter (NFC)", {"first_name": "Jos\u00e9"}),
    EdgeContact("José with a combining accent (NFD): a different text", {"first_name": "Jose\u0301"}),
    EdgeContact("HTML", {"first_name": "<b>Bo</b>", "last_name": "<script>alert(1)</script>"}),
    EdgeContact("SQL", {"first_name": "Robert'); DROP TABLE contacts; --", "last_name": '"quoted"'}),
    EdgeContact(
        "a backslash, a tab, a line break",
        {"first_name": "back\\slash", "last_name": "tab\there", "job_title": "two\nlines"},
    ),
    EdgeContact("spaces around the text", {"first_name": " Ada ", "last_name": "Space ", "country": "Canada "}),
    EdgeContact(
        "event properties with wildcards, quotes, nothing and emoji",
        {},
        (
            LONG_AGO,
            EdgeEvent("opened", ago(100), campaign="100%"),
            EdgeEvent("opened", ago(99), campaign="_"),
            EdgeEvent("opened", ago(98), campaign=""),
            EdgeEvent("opened", ago(97), campaign="O'Brien's \"50%\" \\_sale"),
            EdgeEvent("opened", ago(96), campaign="冬のセール ❄️"),
            EdgeEvent("opened", ago(95), campaign=None),
            EdgeEvent("viewed", ago(94), product="", page="/search?q=100%25_off&x='y'"),
        ),
    ),
)

# events that belong to nobody: no contact, or a contact that is not in the table
STRAY_EVENTS: tuple[tuple[int | None, EdgeEvent], ...] = (
    (None, EdgeEvent("visited", ago(3), page="/")),
    (None, bought(ago(2), "120.00")),
    (None, EdgeEvent("opened", ago(1), campaign="newsletter 2025-11-29")),
    (UNKNOWN_CONTACT, EdgeEvent("opened", ago(1), campaign="newsletter 2025-11-29")),
    (UNKNOWN_CONTACT, bought(ago(2), "64.00")),
    (UNKNOWN_CONTACT, EdgeEvent("unsubscribed", ago(1))),
)

NASTY_LIST = "O'Brien's \"50%\" list"
RECENT = ago(10)

# list, position of the edge contact (1 is the first), joined, left
EDGE_MEMBERS: tuple[tuple[str, int, dt.datetime, dt.datetime | None], ...] = (
    ("VIP Customers", 2, AS_OF, None),
    ("VIP Customers", 3, ago(plus=AFTER), None),
    ("VIP Customers", 11, RECENT, AS_OF),
    ("VIP Customers", 22, RECENT, ago(plus=AFTER)),
    ("Beta Testers", 11, ago(200), ago(100)),
    ("Beta Testers", 11, ago(50), None),
    ("Beta Testers", UNKNOWN_CONTACT - FIRST_EDGE_CONTACT + 1, ago(50), None),
    (NASTY_LIST, 65, ago(40), None),
)
EDGE_MEMBER_REASONS: tuple[str, ...] = (
    "joined exactly at as_of: on the list",
    "joined 1 microsecond after as_of: not yet on it",
    "left exactly at as_of: no longer on it (memberships are half-open)",
    "leaves 1 microsecond after as_of: still on it",
    "left and came back: on it, once (first row)",
    "left and came back: on it, once (second row)",
    "a contact that is not in contacts: never a member",
    "O'Brien on O'Brien's list",
)
