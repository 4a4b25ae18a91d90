"""Makes the sample data: invented contacts, what they did in two years, the lists they are on, their tiers.

    python sample_data/generate.py [--contacts 4000] [--seed 7] [--out sample_data]

The data flows one way: people -> hidden traits -> events (mail, sessions) -> what the events say about each
contact (`attributes`, `tiers`, `lists`) -> Parquet. Every step draws from its own random stream, so that
changing one step leaves the draws of the others alone. Times are integers, microseconds since 1970 in UTC;
money is an integer number of cents; -1 (`NONE`) is a missing code, contact, amount or quantity, `NO_TIME` a
missing time.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from edge_rows import (
    AS_OF,
    EDGE_CONTACTS,
    EDGE_MEMBERS,
    FIRST_EDGE_CONTACT,
    FIRST_EDGE_EVENT,
    NASTY_LIST,
    STRAY_EVENTS,
    EdgeEvent,
)
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[Any]
Rows = dict[str, Array]  # columns of equal length

NONE = -1
NO_TIME = int(np.iinfo(np.int64).min)
SECOND = 1_000_000
DAY = 86_400 * SECOND
START = dt.datetime(2023, 11, 30)  # two years and a day, so that three 30 Novembers have signups

EVENTS = (
    "sent",
    "opened",
    "clicked",
    "visited",
    "viewed",
    "carted",
    "purchased",
    "refunded",
    "subscribed",
    "unsubscribed",
    "bounced",
)
CODE = {name: i for i, name in enumerate(EVENTS)}
ACTIVITY = ("opened", "clicked", "visited", "viewed", "carted", "purchased")

# Signups and shopping by month (January first), weekday (Monday first) and hour (UTC): a steep November.
MONTHLY = (0.75, 0.79, 0.96, 1.02, 1.07, 1.0, 0.95, 0.9, 1.19, 1.4, 1.79, 1.3)
WEEKDAYS = (1.1, 1.15, 1.12, 1.1, 1.0, 0.75, 0.78)
HOURS = (4, 3, 2, 2, 2, 2, 3, 4, 5, 6, 7, 7, 7, 8, 9, 10, 10, 10, 10, 9, 8, 8, 7, 6)
CYBER_DAYS = (dt.date(2024, 11, 29), dt.date(2024, 12, 2), dt.date(2025, 11, 28), dt.date(2025, 11, 29))
GROWTH = 2.2  # signups a day at the end over those at the start

CATEGORIES = ("Software", "Marketing", "Design", "Analytics", "Hardware", "Training")
CATEGORY_SHARES = (0.3, 0.22, 0.15, 0.13, 0.1, 0.1)
PRODUCT_WORDS = ("Starter", "Plus", "Studio", "Toolkit", "Guide", "Bundle")
PRODUCTS = tuple(f"{c} {w}" for c in CATEGORIES for w in PRODUCT_WORDS)
PRODUCT_PAGES = tuple("/products/" + p.lower().replace(" ", "-") for p in PRODUCTS)
LANDING_PAGES = ("/", "/pricing", "/blog", "/products", "/offers", "/about")
PAGES = PRODUCT_PAGES + LANDING_PAGES

ROLES = {
    "Software": ("Developer", "Software Engineer", "Web Developer", "CTO", "Product Manager"),
    "Marketing": ("Marketing Manager", "Head of Marketing", "Marketing Analyst", "Copywriter", "Founder"),
    "Design": ("Designer", "UX Researcher", "Art Director", "Illustrator", "Founder"),
    "Analytics": ("Data Analyst", "Data Scientist", "Developer", "Marketing Analyst", "CFO"),
    "Hardware": ("Technician", "IT Manager", "Buyer", "Developer", "Engineer"),
    "Training": ("Teacher", "HR Manager", "Coach", "Student", "Marketing Manager"),
}
SENIORITY = ("", "", "", "Senior ", "Junior ", "Lead ")

# country: share, (state, timezone, share within the country)...
PLACES: tuple[tuple[str, float, tuple[tuple[str | None, str, float], ...]], ...] = (
    (
        "USA",
        0.56,
        (
            ("CA", "PST", 0.25),
            ("WA", "PST", 0.07),
            ("NY", "EST", 0.16),
            ("NY", "PST", 0.01),
            ("FL", "EST", 0.12),
            ("MA", "EST", 0.07),
            ("TX", "CST", 0.16),
            ("TX", "PST", 0.01),
            ("IL", "CST", 0.08),
            ("CO", "MST", 0.07),
        ),
    ),
    ("Canada", 0.12, (("ON", "EST", 0.5), ("QC", "EST", 0.2), ("BC", "PST", 0.2), ("AB", "MST", 0.1))),
    ("UK", 0.11, ((None, "GMT", 1.0),)),
    ("Germany", 0.06, ((None, "CET", 1.0),)),
    ("France", 0.04, ((None, "CET", 1.0),)),
    ("Italy", 0.04, ((None, "CET", 1.0),)),
    ("Japan", 0.03, ((None, "JST", 1.0),)),
    ("Australia", 0.04, ((None, "AEST", 1.0),)),
)
FIRST_NAMES = (
    "Ada Alex Amara Anna Ben Carla Chen Chloé Dana David Elena Emil Emma Erik Fatima Grace Hana Hugo Ines "
    "Ivan Jack James Jonas José Julia Kai Karim Laura Leo Liam Lina Lucía Maja Marco Maria Mei Mia Nadia "
    "Nina Noah Nora Olga Oliver Omar Pablo Petra Priya Ravi Rosa Ruth Sam Sara Sofia Søren Tara Theo Tom "
    "Vera Yuki Zoë"
).split()
LAST_NAMES = (
    "Adams Baker Barros Bauer Berg Bianchi Brown Carter Chan Costa Dubois Evans Fischer Garcia Gray Haddad "
    "Hill Ito Jensen Jones Kaur Keller Khan Kim Klein Kovacs Larsen Lee Lopez Martin Mehta Meyer Miller "
    "Moreau Mori Müller Nakamura Nguyen Novak Okafor Olsen Park Patel Perez Popov Reed Ricci Rossi Sato "
    "Schmidt Silva Singh Smith Suzuki Tanaka Taylor Weber White Wilson Wong"
).split()
PLAIN = str.maketrans("éíøëü", "eioeu")
MAIL_DOMAINS = ("example.com", "example.org", "example.net")
EMPLOYEES = 12  # invented people at the page's literal `company.com`
TIERS = ("Bronze", "Silver", "Gold", "Platinum")
TIER_CENTS = (15_000, 40_000, 120_000)  # spent in 365 days, reviewed on the first of each month
LIST_SHARES = {"VIP Customers": 0.04, "Beta Testers": 0.03, "Webinar March 2025": 0.05, NASTY_LIST: 0.006}
REPEATED_EVENTS = 40  # webhooks delivered twice

# ---------------------------------------------------------------------------------------------------- time


def micros(at: dt.datetime) -> int:
    """Microseconds since 1970 of a naive UTC instant."""
    return (at - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)


BEGIN, END = micros(START), micros(AS_OF)


def whole(at: Array) -> Array:
    """Instants cut to whole seconds (smaller files)."""
    return np.asarray(at.astype(np.int64) // SECOND * SECOND)


def intensity() -> tuple[Array, Array]:
    """Hour edges from `START` to `AS_OF`, and how busy each hour is (month x weekday x hour x cyber days)."""
    edges = np.arange(BEGIN, END + 1, 3600 * SECOND, dtype=np.int64)
    hours = [START + dt.timedelta(hours=i) for i in range(len(edges) - 1)]
    busy = [MONTHLY[h.month - 1] * WEEKDAYS[h.weekday()] * HOURS[h.hour] * (1.8 if h.date() in CYBER_DAYS else 1) for h in hours]
    return edges, np.array(busy, dtype=float)


def warp(edges: Array, busy: Array) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Two functions: an instant to all busyness so far (in average days), and back, to a whole second."""
    total = np.concatenate([[0.0], np.cumsum(busy)])
    total *= (END - BEGIN) / DAY / total[-1]

    def into(at: Array) -> Array:
        return np.asarray(np.interp(at, edges, total))

    def back(busy_days: Array) -> Array:
        return whole(np.interp(busy_days, total, edges))

    return into, back


def ranks(group: Array) -> Array:
    """The position of each row within its group, for rows sorted by group.

    >>> ranks(np.array([4, 4, 4, 7, 9, 9])).tolist()
    [0, 1, 2, 0, 0, 1]
    """
    firsts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]])) if len(group) else group
    return np.arange(len(group)) - np.repeat(firsts, np.diff(np.append(firsts, len(group))))


def moments(rng: Generator, per_day: Array, since: Array, until: Array) -> tuple[Array, Array]:
    """Seasonal Poisson moments of each person between two instants: (person, time), sorted by both."""
    into, back = warp(*intensity())
    low, high = into(since), into(until)
    person = np.repeat(np.arange(len(since)), rng.poisson(per_day * np.maximum(high - low, 0)))
    at = back(low[person] + rng.random(len(person)) * (high - low)[person])
    order = np.lexsort((at, person))
    return person[order], at[order]


# -------------------------------------------------------------------------------------------------- people


def pick(rng: Generator, options: Sequence[Any], size: int, shares: Sequence[float] | None = None) -> Array:
    p = None if shares is None else np.array(shares) / np.sum(shares)
    return np.array(options, dtype=object)[rng.choice(len(options), size, p=p)]


def without(values: Array, missing: Array) -> Array:
    """The values as objects, `None` where missing."""
    objects: Array = values.astype(object)
    objects[missing] = None
    return objects


def with_gaps(rng: Generator, values: Array, share: float) -> Array:
    """The values as objects, that share of them missing."""
    return without(values, rng.random(len(values)) < share)


def signups(rng: Generator, size: int) -> Array:
    """When each contact signs up, ascending: seasonal, and growing over the two years."""
    edges, busy = intensity()
    _, back = warp(edges, busy * np.linspace(1, GROWTH, len(busy)))
    return np.sort(back(rng.random(size) * (END - BEGIN) / DAY))


def places(rng: Generator, size: int) -> Rows:
    """Where people are: `location` is clean, `country` is as typed (9 % nothing, some ` USA` and `usa`)."""
    flat = [(c, s, z, share * part) for c, share, states in PLACES for s, z, part in states]
    row = rng.choice(len(flat), size, p=np.array([f[3] for f in flat]) / sum(f[3] for f in flat))
    location, state, zone = (np.array([f[i] for f in flat], dtype=object)[row] for i in range(3))
    typed = np.where((location == "USA") & (rng.random(size) < 0.04), pick(rng, ("usa", " USA"), size), location)
    return {
        "country": with_gaps(rng, typed, 0.09),
        "location": with_gaps(rng, location, 0.04),
        "state": with_gaps(rng, state, 0.05),
        "timezone": with_gaps(rng, zone, 0.05),
    }


def people(rng: Generator, size: int) -> Rows:
    """The profile columns of the simulated contacts, in order of signup (ids are given out in that order)."""
    ids = np.arange(1, size + 1)
    first, last = pick(rng, FIRST_NAMES, size), pick(rng, LAST_NAMES, size)
    domain = pick(rng, MAIL_DOMAINS, size)
    domain[rng.choice(size, EMPLOYEES, replace=False)] = "company.com"
    email = np.array(
        [f"{f}.{n}{i}@{d}".lower().translate(PLAIN) for f, n, i, d in zip(first, last, ids, domain, strict=True)],
        dtype=object,
    )
    interest = pick(rng, CATEGORIES, size, CATEGORY_SHARES)
    role = rng.choice(5, size, p=[0.35, 0.25, 0.18, 0.12, 0.1])
    title = np.array(
        [s + ROLES[i][r] for s, i, r in zip(pick(rng, SENIORITY, size), interest, role, strict=True)],
        dtype=object,
    )
    born = np.datetime64("1950-01-01") + (rng.beta(2.5, 2, size) * 56 * 365.25).astype(int)
    budget = np.maximum(np.round(rng.lognormal(8.3, 1.2, size) / 50), 1).astype(np.int64) * 5000
    created = signups(rng, size)
    return {
        "contact_id": ids,
        "email": without(email, (rng.random(size) < 0.01) & (domain != "company.com")),
        "first_name": with_gaps(rng, first, 0.03),
        "last_name": with_gaps(rng, last, 0.05),
        **places(rng, size),
        "birthday": with_gaps(rng, born, 0.29),
        "job_title": with_gaps(rng, title, 0.33),
        "company_size": with_gaps(rng, np.ceil(rng.lognormal(3.8, 1.6, size)).astype(int), 0.38),
        "budget": np.where(rng.random(size) < 0.55, NONE, budget),
        "product_interest": with_gaps(rng, interest, 0.08),
        "created_at": created,
    }


def traits(rng: Generator, contacts: Rows) -> Rows:
    """What drives each person and is never written out.

    Opens Beta(1.2, 3) with 8 % fans and 12 % who never open gives the measured 21 % once interest fades
    (lifetimes exponential with a Gamma rate, median about 19 months). Clicks per open are Beta(1.35, 8),
    fans more: 20 % overall. Buying is BG/NBD-like: Gamma(.6) rates, after each purchase a Beta-distributed
    chance to be gone, and 19 % who only read; with the young accounts about 45 % have not bought.
    """
    size = len(contacts["contact_id"])
    created = contacts["created_at"]
    kind = rng.random(size)
    fan, deaf = kind < 0.08, kind > 0.88
    opens = np.where(fan, rng.beta(16, 3, size), np.where(deaf, 0, rng.beta(1.2, 3, size)))
    lifetime = rng.exponential(1, size) / rng.gamma(2, 1 / 1400, size)
    late = np.where(rng.random(size) < 0.12, rng.exponential(20, size) * DAY, rng.integers(5, 600, size) * SECOND)
    joined = created + late.astype(np.int64) // SECOND * SECOND
    never = (rng.random(size) < 0.025) | np.array([e is None for e in contacts["email"]])
    gone_from = np.where(rng.random(size) < 0.7, created, created + (rng.random(size) * (END - created)).astype(np.int64))
    interest = [
        CATEGORIES.index(i) if i else int(k)
        for i, k in zip(contacts["product_interest"], rng.integers(0, len(CATEGORIES), size), strict=True)
    ]
    return {
        "open": opens,
        "click": np.where(fan, rng.beta(4, 5.5, size), rng.beta(1.35, 8, size)),
        "fades": created + (np.minimum(lifetime, 5000) * DAY).astype(np.int64),
        "subscribes": np.where(never | (joined > END), NO_TIME, joined),
        "address_dies": np.where(rng.random(size) < 0.025, gone_from, END + DAY),
        "buys_per_day": np.where(rng.random(size) < 0.19, 0, rng.gamma(0.6, 0.028, size)),
        "leaves_after_purchase": rng.beta(0.8, 4, size),
        "visits_per_day": rng.gamma(0.8, 1 / 32, size),
        "basket": rng.gamma(2.5, 2200, size),
        "interest": np.array(interest),
    }


# -------------------------------------------------------------------------------------------------- events


def rows(event: str, contact: Array, time: Array, **properties: Array | int) -> Rows:
    """Event rows of one kind; properties not given are missing."""
    codes = {
        p: np.broadcast_to(np.asarray(properties.get(p, NONE)), contact.shape).astype(np.int16)
        for p in ("campaign", "product", "page", "quantity")
    }
    amount = np.broadcast_to(np.asarray(properties.get("amount", NONE)), contact.shape).astype(np.int64)
    return {
        "contact": contact.astype(np.int64),
        "event": np.full(contact.shape, CODE[event], np.int8),
        "time": time.astype(np.int64),
        "amount": amount,
        **codes,
    }


def stack(parts: Sequence[Rows]) -> Rows:
    return {c: np.concatenate([p[c] for p in parts]) for c in parts[0]}


def only(table: Rows, keep: Array) -> Rows:
    return {c: v[keep] for c, v in table.items()}


def calendar(rng: Generator) -> list[tuple[dt.datetime, str]]:
    """All mailings, by time.

    Newsletters go out every 3 to 5 days, counted back from the day before `AS_OF` (weekly mail would leave
    nobody with 5 opens in 30 days); the welcome mail on Tuesdays and Fridays, to those who came since the
    last one.
    """
    mailings = []
    day = AS_OF.replace(hour=0) - dt.timedelta(days=1)
    while day > START:
        mailings.append((day + dt.timedelta(hours=int(rng.choice([9, 13, 14, 15]))), f"newsletter {day:%Y-%m-%d}"))
        day -= dt.timedelta(days=int(rng.choice([3, 4, 4, 5])))
    every_day = (START + dt.timedelta(days=i, hours=8) for i in range((AS_OF - START).days + 1))
    mailings += [(d, "welcome") for d in every_day if d.weekday() in (1, 4)]
    return sorted(mailings)


def whole_seconds(rng: Generator, size: int, median: float, sigma: float, most: float) -> Array:
    """Lognormal delays in microseconds, whole seconds, at least one."""
    seconds = np.clip(rng.lognormal(np.log(median), sigma, size), 1, most)
    return seconds.astype(np.int64) * SECOND


def mail(rng: Generator, trait: Rows, mailings: Sequence[tuple[dt.datetime, str]], campaigns: Sequence[str]) -> Iterator[Rows]:
    """Sent, bounced, opened, clicked and unsubscribed rows, one mailing after the other.

    The one loop of the generator, over some 400 mailings: who is still reachable depends on those before.
    An open comes after a median of 3 hours; 6 in 1,000 opens end the subscription (8 % of the contacts).
    """
    ends = np.full(len(trait["open"]), END + DAY)
    yield rows(
        "subscribed",
        *(v[trait["subscribes"] != NO_TIME] for v in (np.arange(len(ends)), trait["subscribes"])),
    )
    welcomed_to = BEGIN
    for at, name in mailings:
        start, campaign = micros(at), campaigns.index(name)
        wanted = (trait["subscribes"] != NO_TIME) & (trait["subscribes"] < start) & (ends > start)
        if name == "welcome":
            wanted &= (trait["subscribes"] >= welcomed_to) & (rng.random(len(ends)) > 0.05)
            welcomed_to = start
        who = np.flatnonzero(wanted)
        sent = start + np.arange(len(who)) // 20 * SECOND  # twenty a second
        yield rows("sent", who, sent, campaign=campaign)
        dead = trait["address_dies"][who] <= start
        bounce = sent[dead] + rng.integers(1, 90, dead.sum()) * SECOND
        ends[who[dead]] = bounce
        yield rows("bounced", who[dead], bounce, campaign=campaign)
        who, sent = who[~dead], sent[~dead]
        chance = np.where(trait["fades"][who] > start, trait["open"][who], trait["open"][who] * 0.03)
        open_ = rng.random(len(who)) < chance * (1.25 if name == "welcome" else 1)
        who, opened = (
            who[open_],
            sent[open_] + whole_seconds(rng, int(open_.sum()), 3 * 3600, 1.5, 12 * 86400),
        )
        yield rows("opened", who, opened, campaign=campaign)
        click = rng.random(len(who)) < trait["click"][who]
        clicked = opened + whole_seconds(rng, len(who), 40, 1.0, 3600)
        yield rows(
            "clicked",
            who[click],
            clicked[click],
            campaign=campaign,
            page=len(PRODUCT_PAGES) + rng.integers(0, len(LANDING_PAGES), int(click.sum())),
        )
        leave = (rng.random(len(who)) < 0.006) & (opened + 60 * SECOND <= END) & (ends[who] > END)
        ends[who[leave]] = opened[leave] + 60 * SECOND
        yield rows("unsubscribed", who[leave], ends[who[leave]], campaign=campaign)


def purchases(rng: Generator, trait: Rows, created: Array) -> tuple[Array, Array]:
    """When each person comes to buy: a seasonal Poisson stream, cut off after a geometric number."""
    person, at = moments(rng, trait["buys_per_day"], created, np.full(len(created), END))
    most = rng.geometric(np.maximum(trait["leaves_after_purchase"], 0.005))
    keep = ranks(person) < most[person]
    return person[keep], at[keep]


def sessions(rng: Generator, trait: Rows, created: Array, clicked: Rows) -> Rows:
    """Site sessions: on their own account, from a click in a mail (four clicks in five), and to buy."""
    own, own_at = moments(rng, trait["visits_per_day"], created, np.minimum(trait["fades"], END))
    buyer, buyer_at = purchases(rng, trait, created)
    lands = only(clicked, rng.random(len(clicked["time"])) < 0.8)
    contact = np.concatenate([own, lands["contact"], buyer])
    size = len(contact)
    category = np.where(rng.random(size) < 0.6, trait["interest"][contact], rng.integers(0, len(CATEGORIES), size))
    buys = np.arange(size) >= size - len(buyer)
    views = np.where(buys, 1 + rng.poisson(1.0, size), rng.poisson(1.2, size))
    return {
        "contact": contact,
        "time": np.concatenate([own_at, lands["time"] + 5 * SECOND, buyer_at]),
        "campaign": np.concatenate([np.full(len(own), NONE), lands["campaign"], np.full(len(buyer), NONE)]),
        "buys": buys,
        "views": views,
        "carts": buys | ((views > 0) & (rng.random(size) < 0.12)),
        "product": category * len(PRODUCT_WORDS) + rng.integers(0, len(PRODUCT_WORDS), size),
        "amount": np.maximum(np.round(trait["basket"][contact] * rng.lognormal(0, 0.5, size)), 200),
        "quantity": 1 + rng.poisson(0.7, size),
    }


def browse(rng: Generator, session: Rows) -> list[Rows]:
    """Visited, viewed, carted, purchased and refunded rows of the sessions.

    A `carted` row says what then lies in the cart (all of it). 6 % of purchases are refunded within a month,
    four of five in full.
    """
    size = len(session["time"])
    landing = len(PRODUCT_PAGES) + rng.integers(0, len(LANDING_PAGES), size)
    visited = rows("visited", session["contact"], session["time"], campaign=session["campaign"], page=landing)
    of = np.repeat(np.arange(size), session["views"])
    nth = ranks(of)
    product = np.where(nth == 0, session["product"][of], rng.integers(0, len(PRODUCTS), len(of)))
    viewed = rows(
        "viewed",
        session["contact"][of],
        session["time"][of] + (nth * 90 + rng.integers(5, 85, len(of))) * SECOND,
        product=product,
        page=product,
    )
    goods = {k: session[k] for k in ("product", "amount", "quantity")}
    cart_at = session["time"] + (session["views"] * 90 + rng.integers(5, 60, size)) * SECOND
    pay_at = cart_at + rng.integers(40, 600, size) * SECOND
    refund = session["buys"] & (rng.random(size) < 0.065)
    back = np.where(rng.random(size) < 0.8, 1, rng.uniform(0.2, 0.8, size)) * session["amount"]
    return [
        visited,
        viewed,
        only(rows("carted", session["contact"], cart_at, **goods), session["carts"]),
        only(rows("purchased", session["contact"], pay_at, **goods), session["buys"]),
        only(
            rows(
                "refunded",
                session["contact"],
                pay_at + whole_seconds(rng, size, 6 * 86400, 0.7, 30 * 86400),
                product=session["product"],
                quantity=session["quantity"],
                amount=np.round(back),
            ),
            refund,
        ),
    ]


def numbered(table: Rows) -> Rows:
    """Sorted by time, then contact, and given event ids in that order."""
    order = np.lexsort((table["event"], table["contact"], table["time"]))
    return {"event_id": np.arange(1, len(order) + 1), **only(table, order)}


def simulated_events(seed: int, contacts: Rows) -> tuple[Rows, list[str]]:
    """All events of the simulated contacts up to `AS_OF`, and the campaign names their codes stand for."""

    def stream(step: int) -> Generator:
        return np.random.default_rng([seed, step])

    trait = traits(stream(2), contacts)
    mailings = calendar(stream(3))
    campaigns = sorted({name for _, name in mailings})
    mailed = stack(list(mail(stream(4), trait, mailings, campaigns)))
    clicked = only(mailed, (mailed["event"] == CODE["clicked"]) & (mailed["time"] <= END))
    browsed = browse(stream(6), sessions(stream(5), trait, contacts["created_at"], clicked))
    table = stack([mailed, *browsed])
    table = only(table, table["time"] <= END)
    return numbered({**table, "contact": contacts["contact_id"][table["contact"]]}), campaigns


def repeated(rng: Generator, table: Rows) -> Rows:
    """Copies of a few events as a webhook delivers them twice: half at once, half some seconds later."""
    copy = only(table, np.sort(rng.choice(len(table["time"]) - 1000, REPEATED_EVENTS, replace=False)))
    return {
        **copy,
        "time": copy["time"] + np.arange(REPEATED_EVENTS) % 2 * rng.integers(1, 60, REPEATED_EVENTS) * SECOND,
    }


# ----------------------------------------------------------------------------------------------- edge rows


def cents_of(amount: str | None) -> int:
    return NONE if amount is None else int(Decimal(amount) * 100)


def edge_people() -> Rows:
    """The profile columns of the edge contacts."""

    def profile(n: int) -> dict[str, Any]:
        edge = EDGE_CONTACTS[n]
        base = {
            "email": f"edge{n + 1}@example.net",
            "first_name": "Edge",
            "last_name": f"Case {n + 1}",
            "country": "Canada",
            "location": "Canada",
            "state": "ON",
            "timezone": "EST",
            "birthday": dt.date(1980, 6, 15),
            "job_title": None,
            "company_size": None,
            "budget": None,
            "product_interest": None,
        } | {k: v for k, v in edge.profile.items() if k != "welcome_email_sent"}
        budget = cents_of(edge.profile.get("budget"))
        return {
            "contact_id": FIRST_EDGE_CONTACT + n,
            **base,
            "budget": budget,
            "created_at": micros(edge.created),
        }

    profiles = [profile(n) for n in range(len(EDGE_CONTACTS))]
    numbers = ("contact_id", "budget", "created_at")
    return {c: np.array([p[c] for p in profiles], dtype=np.int64 if c in numbers else object) for c in profiles[0]}


def edge_events(vocabulary: dict[str, list[str]]) -> Rows:
    """The planted events; texts that are new are added to the vocabulary."""
    planted: list[tuple[int, EdgeEvent, int]] = []  # contact, event, id
    next_id = FIRST_EDGE_EVENT
    for n, edge in enumerate(EDGE_CONTACTS):
        ids: list[int] = []
        for event in edge.events:
            ids.append(next_id if event.same_as is None else ids[event.same_as])
            planted.append((FIRST_EDGE_CONTACT + n, event, ids[-1]))
            next_id += event.same_as is None
    planted += [(NONE if c is None else c, e, next_id + i) for i, (c, e) in enumerate(STRAY_EVENTS)]

    def code(kind: str, text: str | None) -> int:
        if text is None:
            return NONE
        if text not in vocabulary[kind]:
            vocabulary[kind].append(text)
        return vocabulary[kind].index(text)

    events = [e for _, e, _ in planted]
    return {
        "event_id": np.array([i for _, _, i in planted]),
        "contact": np.array([c for c, _, _ in planted]),
        "event": np.array([CODE[e.event] for e in events], np.int8),
        "time": np.array([NO_TIME if e.at is None else micros(e.at) for e in events]),
        "amount": np.array([cents_of(e.amount) for e in events]),
        "quantity": np.array([NONE if e.quantity is None else e.quantity for e in events], np.int16),
        **{p: np.array([code(p, getattr(e, p)) for e in events], np.int16) for p in ("campaign", "product", "page")},
    }


def by_time(table: Rows) -> Rows:
    """Sorted by time (missing last), then event id."""
    return only(table, np.lexsort((table["event_id"], table["time"], table["time"] == NO_TIME)))


# ---------------------------------------------------------------------------------- what the events say


def counted(table: Rows, ids: Array) -> Rows:
    """The events that count: known contact, a time, not after `AS_OF`, the earliest row of each event id.

    `contact` becomes the position of the contact.
    """
    table = only(table, table["time"] != NO_TIME)
    _, first = np.unique(table["event_id"], return_index=True)  # the first row is the earliest: sorted by time
    table = only(table, np.sort(first))
    place = np.minimum(np.searchsorted(ids, table["contact"]), len(ids) - 1)
    return only({**table, "contact": place}, (ids[place] == table["contact"]) & (table["time"] <= END))


def attributes(contacts: Rows, events: Rows, campaigns: Sequence[str]) -> Rows:
    """The columns of a contact that follow from what it did, as of `AS_OF`."""
    size = len(contacts["contact_id"])

    def of(*names: str) -> Rows:
        return only(events, np.isin(events["event"], [CODE[n] for n in names]))

    def count(table: Rows) -> Array:
        return np.bincount(table["contact"], minlength=size)

    def cents(table: Rows) -> Array:
        return np.bincount(table["contact"], np.maximum(table["amount"], 0), size).astype(np.int64)

    def last(table: Rows) -> Array:
        newest = np.full(size, NO_TIME)
        np.maximum.at(newest, table["contact"], table["time"])
        return newest

    bought, carted, left, bounced = (
        of("purchased"),
        of("carted"),
        last(of("unsubscribed")),
        last(of("bounced")),
    )
    subscribed = last(of("subscribed"))
    status = np.where(bounced != NO_TIME, "Bounced", np.where(left != NO_TIME, "Unsubscribed", "Active"))
    spent, orders = cents(bought), count(bought)
    net = spent - cents(of("refunded"))
    age = END // DAY - contacts["created_at"] // DAY
    with np.errstate(divide="ignore", invalid="ignore"):
        frequency = np.where(age > 0, orders / (age / 365.25), np.nan)
    welcomed = np.bincount(only(events, events["campaign"] == campaigns.index("welcome"))["contact"], minlength=size) > 0
    last_purchase, last_cart = last(bought), np.full(size, NONE)
    last_cart[carted["contact"]] = np.arange(len(carted["time"]))  # sorted by time: the last one stays
    in_cart = (last_cart != NONE) & (last(carted) > last_purchase)
    return {
        "signup_date": contacts["created_at"] // DAY,
        "subscribed": subscribed,
        "subscription_status": without(status, subscribed == NO_TIME),
        "account_age": age,
        "welcome_email_sent": welcomed,
        "previous_customer": orders > 0,
        "opens": count(of("opened")),
        "clicks": count(of("clicked")),
        "purchases": orders,
        "total_spent": spent,
        "total_revenue": net,
        "purchase_frequency": frequency,
        "last_purchase": last_purchase,
        "last_open": last(of("opened")),
        "last_activity": last(of(*ACTIVITY)),
        "last_visit": last(of("visited")),
        "products_viewed": count(of("viewed")),
        "cart_value": np.where(in_cart, carted["amount"][last_cart], 0),
        "cart_items": np.where(in_cart, carted["quantity"][last_cart], 0),
        "ended": np.maximum(left, bounced),
    }


def tiers(contacts: Rows, events: Rows) -> Rows:
    """The tier of each contact through time, one row per change, half-open.

    Bronze at creation, reviewed on the first of each month by what was spent in the 365 days before.
    """
    created, size = contacts["created_at"], len(contacts["contact_id"])
    bought = only(events, events["event"] == CODE["purchased"])
    months = [dt.datetime(y, m, 1) for y in (2023, 2024, 2025) for m in range(1, 13)]
    reviews = [micros(m) for m in months if START <= m <= AS_OF]
    tier = np.zeros((size, len(reviews) + 1), np.int8)
    for i, at in enumerate(reviews, 1):
        year = only(bought, (bought["time"] < at) & (bought["time"] >= at - 365 * DAY))
        spent = np.bincount(year["contact"], np.maximum(year["amount"], 0), size)
        tier[:, i] = np.where(created < at, np.searchsorted(TIER_CENTS, spent, side="right"), 0)
    new = np.ones(tier.shape, bool)
    new[:, 1:] = tier[:, 1:] != tier[:, :-1]
    person, review = np.nonzero(new)
    since = np.where(review == 0, created[person], np.array([0, *reviews])[review])
    is_last = np.append(person[1:] != person[:-1], True)
    return {
        "person": person,
        "tier": tier[person, review],
        "from": since,
        "current": is_last,
        "to": np.where(is_last, NO_TIME, np.append(since[1:], 0)),
    }


def lists(rng: Generator, ids: Array, facts: Rows) -> Rows:
    """Who is on which static list. VIPs are mostly the best customers, plus some picked by hand."""
    created, size = facts["created_at"], len(ids)

    def some(name: str, weight: Array) -> Array:
        return np.sort(rng.choice(size, max(12, int(size * LIST_SHARES[name])), replace=False, p=weight / weight.sum()))

    def between(low: Array, high: Array) -> Array:
        return whole(low + rng.random(len(low)) * (high - low))

    def rows_of(name: str, who: Array, joined: Array, left: Array) -> Rows:
        return {"list": np.full(len(who), name, object), "contact": ids[who], "joined": joined, "left": left}

    def gone(joined: Array, share: float) -> Array:
        return np.where(rng.random(len(joined)) < share, between(joined, np.full(len(joined), END)), NO_TIME)

    subscribers = np.flatnonzero(facts["subscribed"] != NO_TIME)
    parts = [rows_of("All Subscribers", subscribers, facts["subscribed"][subscribers], facts["ended"][subscribers])]
    weights = {
        "VIP Customers": np.maximum(facts["total_revenue"], 100) ** 1.5,
        "Beta Testers": 1.0 + facts["clicks"],
        NASTY_LIST: np.ones(size),
    }
    for name, weight in weights.items():
        who = some(name, weight)
        joined = between(created[who], np.full(len(who), END))
        parts.append(rows_of(name, who, joined, gone(joined, 0.05)))
    webinar = micros(dt.datetime(2025, 3, 20, 16))
    who = some("Webinar March 2025", ((created < webinar - 30 * DAY) & (facts["opens"] > 0)).astype(float))
    parts.append(
        rows_of(
            "Webinar March 2025",
            who,
            between(*(np.full(len(who), webinar - d * DAY) for d in (19, 0))),
            np.full(len(who), NO_TIME),
        )
    )
    edges = [(name, FIRST_EDGE_CONTACT + n - 1, micros(j), NO_TIME if w is None else micros(w)) for name, n, j, w in EDGE_MEMBERS]
    parts.append(
        {
            c: np.array(v, dtype=object if c == "list" else np.int64)
            for c, v in zip(("list", "contact", "joined", "left"), zip(*edges, strict=True), strict=True)
        }
    )
    table = stack(parts)
    return only(table, np.lexsort((table["joined"], table["contact"], table["list"].astype(str))))


# ------------------------------------------------------------------------------------------------- Parquet


def integers(values: Array, kind: pa.DataType, missing: int = NONE) -> pa.Array:
    return pa.array(values.astype(np.int64), pa.int64(), mask=values == missing).cast(kind)


def instants(values: Array) -> pa.Array:
    return integers(values, pa.timestamp("us"), NO_TIME)


def money(cents: Array, precision: int) -> pa.Array:
    """Cents to DECIMAL(precision, 2), -1 is missing."""
    whole = integers(cents, pa.int64()).cast(pa.decimal128(19, 0))
    return pc.multiply(whole, pa.scalar(Decimal("0.01"))).cast(pa.decimal128(precision, 2))


def texts(values: Array) -> pa.Array:
    return pa.array(values, pa.string(), from_pandas=True)


def coded(codes: Array, words: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=codes == NONE), pa.array(words, pa.string()))


def contacts_table(contacts: Rows, facts: Rows, tier: Array) -> pa.Table:
    welcomed = pa.array(facts["welcome_email_sent"], mask=facts["welcome_unknown"])
    spent, net, day = money(facts["total_spent"], 12), money(facts["total_revenue"], 12), pa.date32()
    orders, opens = integers(facts["purchases"], pa.int32()), integers(facts["opens"], pa.int32())
    purchase_day = np.where(facts["last_purchase"] == NO_TIME, NONE, facts["last_purchase"] // DAY)
    named = {c: texts(contacts[c]) for c in ("email", "first_name", "last_name", "country", "location", "state", "timezone")}
    return pa.table(
        {
            "contact_id": pa.array(contacts["contact_id"]),
            **named,
            "birthday": pa.array(contacts["birthday"], day),
            "job_title": texts(contacts["job_title"]),
            "company_size": pa.array(contacts["company_size"], pa.int32()),
            "budget": money(contacts["budget"], 12),
            "product_interest": texts(contacts["product_interest"]),
            "signup_date": pa.array(facts["signup_date"].astype(np.int32), day),
            "created_at": instants(contacts["created_at"]),
            "subscribed": instants(facts["subscribed"]),
            "subscription_status": texts(facts["subscription_status"]),
            "customer_tier": coded(tier, TIERS),
            "account_age": integers(facts["account_age"], pa.int32()),
            "welcome_email_sent": welcomed,
            "previous_customer": pa.array(facts["previous_customer"]),
            "opens": opens,
            "email_opens": opens,
            "clicks": integers(facts["clicks"], pa.int32()),
            "purchases": orders,
            "order_count": orders,
            "total_spent": spent,
            "total_revenue": net,
            "lifetime_value": net,
            "purchase_frequency": pa.array(facts["purchase_frequency"], pa.float64(), from_pandas=False),
            "last_purchase": instants(facts["last_purchase"]),
            "last_purchase_date": integers(purchase_day, pa.int32()).cast(day),
            "last_open": instants(facts["last_open"]),
            "last_activity": instants(facts["last_activity"]),
            "last_visit": instants(facts["last_visit"]),
            "products_viewed": integers(facts["products_viewed"], pa.int32()),
            "cart_value": money(facts["cart_value"], 10),
            "cart_items": integers(facts["cart_items"], pa.int32()),
        }
    )


def events_table(table: Rows, vocabulary: dict[str, list[str]]) -> pa.Table:
    per_category = len(PRODUCT_WORDS)
    known = (table["product"] != NONE) & (table["product"] < len(PRODUCTS))
    return pa.table(
        {
            "event_id": pa.array(table["event_id"]),
            "contact_id": integers(table["contact"], pa.int64()),
            "event": coded(table["event"], EVENTS),
            "occurred_at": instants(table["time"]),
            "campaign": coded(table["campaign"], vocabulary["campaign"]),
            "product": coded(table["product"], vocabulary["product"]),
            "category": coded(np.where(known, table["product"] // per_category, NONE), CATEGORIES),
            "page": coded(table["page"], vocabulary["page"]),
            "amount": money(table["amount"], 10),
            "quantity": integers(table["quantity"], pa.int32()),
        }
    )


def write(table: pa.Table, path: Path) -> None:
    """Writes plain Parquet: no Arrow schema inside (dictionaries read back as text), no clock, no paths."""
    steady = [c for c in ("event_id", "contact_id", "occurred_at", "joined_at") if c in table.column_names]
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=15,
        store_schema=False,
        store_decimal_as_integer=True,
        use_dictionary=[c for c in table.column_names if c not in steady],
        column_encoding=dict.fromkeys(steady, "DELTA_BINARY_PACKED"),
        write_statistics=True,
    )


def generate(size: int, seed: int) -> dict[str, pa.Table]:
    """All tables, by name. `size` counts the edge contacts too."""
    simulated = people(np.random.default_rng([seed, 1]), size - len(EDGE_CONTACTS))
    happened, campaigns = simulated_events(seed, simulated)
    vocabulary = {"campaign": list(campaigns), "product": list(PRODUCTS), "page": list(PAGES)}
    copies = repeated(np.random.default_rng([seed, 7]), happened)
    events = by_time(stack([happened, copies, edge_events(vocabulary)]))
    del happened
    contacts = stack([simulated, edge_people()])
    counts = counted(events, contacts["contact_id"])
    edge_start = size - len(EDGE_CONTACTS)
    unknown = np.zeros(size, bool)
    unknown[edge_start:] = ["welcome_email_sent" in e.profile for e in EDGE_CONTACTS]
    facts = {**attributes(contacts, counts, campaigns), "welcome_unknown": unknown}
    history = tiers(contacts, counts)
    members = lists(
        np.random.default_rng([seed, 8]),
        simulated["contact_id"],
        only({**facts, "created_at": contacts["created_at"]}, np.arange(size) < edge_start),
    )
    return {
        "contacts": contacts_table(contacts, facts, history["tier"][history["current"]]),
        "events": events_table(events, vocabulary),
        "list_members": pa.table(
            {
                "list_name": texts(members["list"]),
                "contact_id": pa.array(members["contact"]),
                "joined_at": instants(members["joined"]),
                "left_at": instants(members["left"]),
            }
        ),
        "tier_history": pa.table(
            {
                "contact_id": pa.array(contacts["contact_id"][history["person"]]),
                "customer_tier": coded(history["tier"], TIERS),
                "valid_from": instants(history["from"]),
                "valid_to": instants(history["to"]),
            }
        ),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Makes the sample data: contacts, events, lists and tiers as Parquet.")
    parser.add_argument("--contacts", type=int, default=4000, help="how many contacts, at least 1000 (default 4000)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="a folder, made if it is not there")
    options = parser.parse_args(arguments)
    if options.contacts < 1000:
        parser.error("--contacts must be at least 1000: a tenth of that would leave documented segments empty")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, table in generate(options.contacts, options.seed).items():
        write(table, options.out / f"{name}.parquet")
        print(f"{name}: {table.num_rows:,} rows")


if __name__ == "__main__":
    main()
