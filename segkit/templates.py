"""The documented segments of the product page, ready to use: one function each, with the page's figures as defaults.

>>> win_back(days=90).where
F.last_purchase.older_than(days=90) & (F.previous_customer == True)
>>> listed().loc[18, "template"]
'win_back(days=180)'
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from segkit.builder import TODAY, E, F, days, in_list, per
from segkit.segment import Segment

if TYPE_CHECKING:
    import pandas as pd


def employees(domain: str = "@company.com") -> Segment:
    """Contacts whose address is at a company's domain."""
    return Segment("All employees", F.email.contains(domain), notes="Internal announcements and tests.")


def big_spenders_at_rest(days: int = 30, spent: float = 500, opens: int = 5) -> Segment:
    """North Americans who spent much and read much, but have not bought lately."""
    return Segment(
        "Big spenders at rest",
        ((F.location == "USA") | (F.location == "Canada"))
        & F.last_purchase.older_than(days=days)
        & (F.total_spent > spent)
        & (F.email_opens > opens),
        notes="A reason to come back, for good customers who read but do not buy.",
    )


def highly_engaged(opens: int = 5, clicks: int = 2, days: int = 30) -> Segment:
    """Most active subscribers."""
    return Segment(
        "Highly Engaged",
        (E.opened.within(days=days).count() >= opens) & (E.clicked.within(days=days).count() >= clicks),
        notes="Premium content, special offers, beta testing invitations.",
    )


def at_risk(opens: int = 2, days: int = 60, previously: int = 5, subscribed_days: int = 90) -> Segment:
    """Declining engagement."""
    return Segment(
        "At Risk",
        (E.opened.within(days=days).count() < opens)
        & (E.opened.count() > previously)
        & F.subscribed.older_than(days=subscribed_days),
        notes="Re-engagement campaigns, win-back offers, survey requests.",
    )


def never_engaged(days: int = 30) -> Segment:
    """No interaction since they subscribed."""
    return Segment(
        "Never Engaged",
        (F.opens == 0) & F.subscribed.older_than(days=days),
        notes="Different content approach, preference center invitation, sunset policy candidates.",
    )


def recent_purchasers(days: int = 7) -> Segment:
    """Bought lately."""
    return Segment(
        "Recent Purchasers",
        F.last_purchase.within(days=days),
        notes="Thank you messages, product reviews, cross-sell opportunities.",
    )


def cart_abandoners(hours: int = 24) -> Segment:
    """A filled cart, a visit just now, and never a purchase."""
    return Segment(
        "Cart Abandoners",
        (F.cart_value > 0) & F.last_purchase.is_missing() & F.last_activity.within(hours=hours),
        notes="Reminder emails, discount offers, support outreach.",
    )


def browse_abandoners(products: int = 3, hours: int = 48) -> Segment:
    """Window shoppers."""
    return Segment(
        "Browse Abandoners",
        (F.products_viewed > products) & (F.cart_items == 0) & F.last_visit.within(hours=hours),
        notes="Product recommendations, limited-time offers, educational content.",
    )


def geographic(country: str = "USA", states: tuple[str, ...] = ("CA", "NY", "TX"), timezone: str = "PST") -> Segment:
    """Contacts of some states and one time zone."""
    return Segment(
        "Geographic Targeting",
        (F.country == country) & F.state.is_in(states) & (F.timezone == timezone),
        notes="Local events, regional offers, time-zone optimization.",
    )


def birthday_month() -> Segment:
    """Born in this month."""
    return Segment(
        "Birthday Month",
        F.birthday.month() == TODAY.month(),
        notes="Birthday wishes, special discounts, loyalty rewards.",
    )


def customer_lifecycle(age_days: int = 365, tier: str = "Gold") -> Segment:
    """Long-standing customers of a tier."""
    return Segment(
        "Customer Lifecycle",
        (F.account_age > days(age_days)) & (F.customer_tier == tier),
        notes="Loyalty programs, exclusive access, retention campaigns.",
    )


def interested_professionals(company_size: int = 100, budget: float = 10_000) -> Segment:
    """Developers after software and marketers after marketing, at companies with size or means."""
    return Segment(
        "Interested professionals",
        (
            ((F.product_interest == "Software") & F.job_title.contains("Developer"))
            | ((F.product_interest == "Marketing") & F.job_title.contains("Marketing"))
        )
        & ((F.company_size > company_size) | (F.budget > budget)),
        notes="Product news by interest and job, to companies that can buy.",
    )


def active_last_30_days(window: int = 30) -> Segment:
    """Any activity in a rolling window of dates."""
    return Segment(
        f"Active Last {window} Days",
        F.last_activity > TODAY - days(window),
        notes="Current audience: regular campaigns, and the base of other segments.",
    )


def signup_anniversary() -> Segment:
    """Signed up on this day of a year."""
    return Segment("Signup Anniversary", F.signup_date.anniversary(), notes="Congratulations on the day, each year.")


def holiday_season(months: tuple[int, ...] = (11, 12)) -> Segment:
    """Everyone, in some months of the year."""
    return Segment("Holiday Season", TODAY.month().is_in(months), notes="Seasonal campaigns: everyone, but only in season.")


def engaged_vips(list_name: str = "VIP Customers", window: int = 30) -> Segment:
    """A static list and a segment together."""
    return Segment(
        "Engaged VIPs",
        in_list(list_name) & active_last_30_days(window),
        notes="Hybrid targeting: the active part of a list.",
    )


def non_purchasers(list_name: str = "All Subscribers", days: int = 7) -> Segment:
    """All subscribers, without those who bought in the last days."""
    bought = Segment("Purchased This Week", E.purchased.within(days=days).any())
    return Segment("Non-purchasers only", in_list(list_name) - bought, notes="Suppression: no offer to those who just bought.")


def welcome_series(days: int = 7) -> Segment:
    """New subscribers who had no welcome yet."""
    return Segment(
        "Welcome Series",
        F.subscribed.within(days=days) & (F.welcome_email_sent == False),  # noqa: E712
        notes="The first messages to new subscribers.",
    )


def win_back(days: int = 180) -> Segment:
    """Customers of the past."""
    return Segment(
        "Win-Back",
        F.last_purchase.older_than(days=days) & (F.previous_customer == True),  # noqa: E712
        notes="Offers to customers who have gone quiet.",
    )


def top_tier(value: float = 1000, purchases_per_year: float = 5) -> Segment:
    """The most valuable customers."""
    return Segment(
        "Top Tier",
        (F.lifetime_value > value) | (F.purchase_frequency > per(purchases_per_year, "year")),
        notes="Early access and personal service.",
    )


def inactive(days: int = 90) -> Segment:
    """Subscribed, but not reading."""
    return Segment(
        "Inactive",
        F.last_open.older_than(days=days) & (F.subscription_status == "Active"),
        notes="Re-permission or a lower frequency.",
    )


def high_value_active(value: float = 500, days: int = 30) -> Segment:
    """Valuable and lately active: the page's API example."""
    return Segment(
        "High Value Active",
        (F.lifetime_value > value) & F.last_activity.within(days=days),
        notes="Loyalty offers to those who are valuable and around.",
    )


DOCUMENTED = (
    employees,
    big_spenders_at_rest,
    highly_engaged,
    at_risk,
    never_engaged,
    recent_purchasers,
    cart_abandoners,
    browse_abandoners,
    geographic,
    birthday_month,
    customer_lifecycle,
    interested_professionals,
    active_last_30_days,
    signup_anniversary,
    holiday_season,
    engaged_vips,
    non_purchasers,
    welcome_series,
    win_back,
    top_tier,
    inactive,
    high_value_active,
)


def documented() -> list[Segment]:
    """Every documented segment with its defaults, in the order of the page."""
    return [make() for make in DOCUMENTED]


def listed() -> pd.DataFrame:
    """All templates, in the order of the page.

    Returns:
        template (the call with its defaults), segment (its name), about (in a line), notes (what to use it for).
    """
    import pandas as pd

    rows = [
        {
            "template": f"{make.__name__}({', '.join(_defaults(make))})",
            "segment": make().name,
            "about": inspect.getdoc(make),
            "notes": make().notes,
        }
        for make in DOCUMENTED
    ]
    return pd.DataFrame(rows)


def _defaults(make: Callable[..., Segment]) -> Iterator[str]:
    return (f"{name}={parameter.default!r}" for name, parameter in inspect.signature(make).parameters.items())


def __dir__() -> list[str]:
    return [*(make.__name__ for make in DOCUMENTED), "documented", "listed"]
