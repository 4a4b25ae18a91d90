"""What the panel is looked at with: by the tests of its layout, and in the pictures of its document."""

from __future__ import annotations

import segkit
from segkit import E, F, Segment, all_of, any_of, connect, in_list, in_segment, sample
from segkit.builder import Predicate
from segkit.panel.handed import Handed, handed
from segkit.plan import moment

TWENTY = all_of(
    F.country != "Japan", F.opens >= 3, F.subscribed.older_than(days=30), F.previous_customer == True,  # noqa: E712
    any_of(
        F.state.is_in(["CA", "NY", "TX"]), F.timezone == "GMT", ~F.customer_tier.is_in(["Silver", "Bronze"]),
        F.job_title.contains("manager", ignore_case=True), F.birthday.month() == segkit.TODAY.month(),
    ),
    all_of(
        E.purchased.where((F.amount > 20) & (F.category == "Software")).within(days=365).sum("amount") > 50,
        F.last_purchase.older_than(days=7), F.total_spent.between(10, 5000),
        any_of(
            F.last_open.in_period("month", -1), E.clicked.window(days=(90, 30)).count() >= 1,
            F.signup_date.anniversary(within_days=7), F.last_visit.is_missing(),
        ),
    ),
    ~any_of(in_list("VIP Customers"), in_segment("At risk"), F.cart_value > 400),
    sample(percent=80, seed="launch"),
)  # fmt: skip
"""20 conditions in 4 nested groups: good customers of software to win back."""

SCENES: dict[str, tuple[Predicate | None, str | None, int]] = {
    "empty": (None, None, 1100),
    "one": (F.country == "USA", "From the USA", 1100),
    "twenty": (TWENTY, "Win back the good ones", 1100),
    "invalid": ((F.country == "USA") & (F.contry == "x") & (F.opens > 5), "Broken", 1100),
    "long": (
        (F.country == "x" * 120) & F.country.is_in([f"United States of America and its outlying islands {i}" for i in range(9)])
        & (F["a field with a really long name that nobody would like to read in a row"] > 5),
        'A very long segment name that goes on and on, with <b>markup</b> & "quotes"' * 2,
        1100,
    ),
    "narrow": (TWENTY, "Win back the good ones", 600),
}  # fmt: skip
"""A condition, the segment's name, and the width of the page."""


README = {
    "at-risk": (
        (E.opened.within(days=60).count() < 2) & (E.opened.count() > 5) & F.subscribed.older_than(days=90),
        "At Risk",
        1100,
    )
}
"""The README's first picture."""


def given() -> Handed:
    """The sample data, and one saved segment."""
    ws = connect(home=None)
    ws._checked()
    ws.define(Segment("At risk", (E.opened.within(days=60).count() < 2) & (E.opened.count() > 5)))
    at = moment(ws._as_of, "UTC")
    return handed(
        ws.engine, at, lambda: ws._catalog, lambda: ws._segments, ws._hand_over_those_of, ws.save, ws.diagnose, ws.explain
    )
