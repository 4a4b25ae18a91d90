"""The sample data: reproducible, of the stated schema, consistent with itself, and every documented segment answered.

`SEGMENTS` is written by hand from the product page and `semantics`, without segkit: an independent oracle. It reads
three views: `people` (contacts that exist at as_of), `acts` (events that count) and `members` (lists at as_of).
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "sample_data"
TABLES = ("contacts", "events", "list_members", "tier_history")
AS_OF = "TIMESTAMP '2025-11-30 12:00:00'"

VIEWS = f"""
CREATE VIEW people AS SELECT * FROM contacts WHERE created_at <= {AS_OF};
CREATE VIEW acts AS
    WITH once AS (
        SELECT *, row_number() OVER (PARTITION BY event_id ORDER BY occurred_at) AS copy
        FROM events WHERE occurred_at IS NOT NULL
    )
    SELECT * FROM once
    WHERE copy = 1 AND occurred_at <= {AS_OF} AND contact_id IN (SELECT contact_id FROM contacts);
CREATE VIEW members AS
    SELECT DISTINCT list_name, contact_id FROM list_members
    WHERE joined_at <= {AS_OF} AND (left_at IS NULL OR left_at > {AS_OF});
"""


def _happened(event: str, days: int | None = None) -> str:
    """How often the contact `p` did something, in the last days or ever."""
    window = "" if days is None else f" AND a.occurred_at > {AS_OF} - INTERVAL {24 * days} HOUR"
    return f"(SELECT count(*) FROM acts a WHERE a.contact_id = p.contact_id AND a.event = '{event}'{window})"


def _people(where: str) -> str:
    return f"SELECT p.contact_id FROM people p WHERE {where}"


def _ago(hours: int) -> str:
    return f"({AS_OF} - INTERVAL {hours} HOUR)"


def _within(column: str, hours: int) -> str:
    return f"{column} > {_ago(hours)} AND {column} <= {AS_OF}"


SEGMENTS: dict[str, str] = {
    "Email Contains": _people("contains(p.email, '@company.com')"),
    "Advanced Example": _people(
        f"p.location IN ('USA', 'Canada') AND p.last_purchase < {_ago(30 * 24)} AND p.total_spent > 500 AND p.email_opens > 5"
    ),
    "Highly Engaged": _people(f"{_happened('opened', 30)} >= 5 AND {_happened('clicked', 30)} >= 2"),
    "At Risk": _people(f"{_happened('opened', 60)} < 2 AND {_happened('opened')} > 5 AND p.subscribed < {_ago(90 * 24)}"),
    "Never Engaged": _people(f"p.opens = 0 AND p.subscribed < {_ago(30 * 24)}"),
    "Recent Purchasers": _people(_within("p.last_purchase", 7 * 24)),
    "Cart Abandoners": _people(f"p.cart_value > 0 AND p.last_purchase IS NULL AND {_within('p.last_activity', 24)}"),
    "Browse Abandoners": _people(f"p.products_viewed > 3 AND p.cart_items = 0 AND {_within('p.last_visit', 48)}"),
    "Geographic Targeting": _people("p.country = 'USA' AND p.state IN ('CA', 'NY', 'TX') AND p.timezone = 'PST'"),
    "Birthday Month": _people("month(p.birthday) = 11"),
    "Customer Lifecycle": _people("p.account_age > 365 AND p.customer_tier = 'Gold'"),
    "Nested Conditions": _people(
        "((p.product_interest = 'Software' AND contains(p.job_title, 'Developer'))"
        " OR (p.product_interest = 'Marketing' AND contains(p.job_title, 'Marketing')))"
        " AND (p.company_size > 100 OR p.budget > 10000)"
    ),
    "Rolling Windows": _people("p.last_activity > TIMESTAMP '2025-10-31 00:00:00'"),
    "Anniversary Dates": _people("month(p.signup_date) = 11 AND day(p.signup_date) = 30"),
    "Seasonal": _people(f"month({AS_OF}) IN (11, 12)"),
    "Engaged VIPs": _people(
        "p.contact_id IN (SELECT contact_id FROM members WHERE list_name = 'VIP Customers')"
        f" AND {_within('p.last_activity', 30 * 24)}"
    ),
    "Non-purchasers only": _people(
        "p.contact_id IN (SELECT contact_id FROM members WHERE list_name = 'All Subscribers')"
        f" AND {_happened('purchased', 7)} = 0"
    ),
    "Welcome Series": _people(f"{_within('p.subscribed', 7 * 24)} AND p.welcome_email_sent = FALSE"),
    "Win-Back": _people(f"p.last_purchase < {_ago(180 * 24)} AND p.previous_customer = TRUE"),
    # DuckDB holds NaN greater than every number; here a NaN is a missing value
    "Top Tier": _people("p.lifetime_value > 1000 OR (p.purchase_frequency > 5 AND NOT isnan(p.purchase_frequency))"),
    "Inactive": _people(f"p.last_open < {_ago(90 * 24)} AND p.subscription_status = 'Active'"),
    "High Value Active": _people(f"p.lifetime_value > 500 AND {_within('p.last_activity', 30 * 24)}"),
}

SIZES: dict[str, int] = {
    "Email Contains": 13,
    "Advanced Example": 61,
    "Highly Engaged": 137,
    "At Risk": 833,
    "Never Engaged": 646,
    "Recent Purchasers": 251,
    "Cart Abandoners": 151,
    "Browse Abandoners": 231,
    "Geographic Targeting": 434,
    "Birthday Month": 258,
    "Customer Lifecycle": 116,
    "Nested Conditions": 218,
    "Rolling Windows": 2517,
    "Anniversary Dates": 17,
    "Seasonal": 3999,
    "Engaged VIPs": 116,
    "Non-purchasers only": 3100,
    "Welcome Series": 33,
    "Win-Back": 698,
    "Top Tier": 796,
    "Inactive": 608,
    "High Value Active": 202,
}

ATTRIBUTES = """
WITH facts AS (
    SELECT contact_id,
        count(*) FILTER (event = 'opened') AS opens,
        count(*) FILTER (event = 'clicked') AS clicks,
        count(*) FILTER (event = 'purchased') AS purchases,
        count(*) FILTER (event = 'viewed') AS products_viewed,
        sum(amount) FILTER (event = 'purchased') AS spent,
        sum(amount) FILTER (event = 'refunded') AS refunded,
        max(occurred_at) FILTER (event = 'purchased') AS last_purchase,
        max(occurred_at) FILTER (event = 'opened') AS last_open,
        max(occurred_at) FILTER (event = 'visited') AS last_visit,
        max(occurred_at) FILTER (event IN ('opened', 'clicked', 'visited', 'viewed', 'carted', 'purchased'))
            AS last_activity,
        min(occurred_at) FILTER (event = 'subscribed') AS subscribed,
        bool_or(event = 'bounced') AS bounced,
        bool_or(event = 'unsubscribed') AS unsubscribed,
        bool_or(event = 'sent' AND campaign = 'welcome') AS welcomed,
        max(occurred_at) FILTER (event = 'carted') AS cart_at,
        arg_max(amount, (occurred_at, event_id)) FILTER (event = 'carted') AS cart_value,
        arg_max(quantity, (occurred_at, event_id)) FILTER (event = 'carted') AS cart_items
    FROM acts GROUP BY contact_id
)
SELECT c.contact_id, c.{column}, {expected} AS expected
FROM contacts c LEFT JOIN facts f USING (contact_id)
WHERE c.{column} IS DISTINCT FROM ({expected}) {unless}
"""
IN_CART = "f.cart_at IS NOT NULL AND (f.last_purchase IS NULL OR f.last_purchase < f.cart_at)"
TENURE = "date_diff('day', c.signup_date, DATE '2025-11-30')"
EXPECTED: dict[str, str] = {
    "signup_date": "CAST(c.created_at AS DATE)",
    "account_age": TENURE,
    "opens": "coalesce(f.opens, 0)",
    "email_opens": "coalesce(f.opens, 0)",
    "clicks": "coalesce(f.clicks, 0)",
    "purchases": "coalesce(f.purchases, 0)",
    "order_count": "coalesce(f.purchases, 0)",
    "previous_customer": "coalesce(f.purchases, 0) > 0",
    "total_spent": "coalesce(f.spent, 0)",
    "total_revenue": "coalesce(f.spent, 0) - coalesce(f.refunded, 0)",
    "lifetime_value": "coalesce(f.spent, 0) - coalesce(f.refunded, 0)",
    "purchase_frequency": (
        f"CASE WHEN {TENURE} > 0 THEN coalesce(f.purchases, 0) / ({TENURE} / 365.25::DOUBLE) ELSE 'NaN'::DOUBLE END"
    ),
    "last_purchase": "f.last_purchase",
    "last_purchase_date": "CAST(f.last_purchase AS DATE)",
    "last_open": "f.last_open",
    "last_visit": "f.last_visit",
    "last_activity": "f.last_activity",
    "products_viewed": "coalesce(f.products_viewed, 0)",
    "cart_value": f"CASE WHEN {IN_CART} THEN f.cart_value ELSE 0 END",
    "cart_items": f"CASE WHEN {IN_CART} THEN f.cart_items ELSE 0 END",
    "subscribed": "f.subscribed",
    "subscription_status": (
        "CASE WHEN f.subscribed IS NULL THEN NULL WHEN f.bounced THEN 'Bounced'"
        " WHEN f.unsubscribed THEN 'Unsubscribed' ELSE 'Active' END"
    ),
    "welcome_email_sent": "coalesce(f.welcomed, FALSE)",
}

SCHEMA: dict[str, dict[str, str]] = {
    "contacts": {
        "contact_id": "BIGINT", "email": "VARCHAR", "first_name": "VARCHAR", "last_name": "VARCHAR",
        "country": "VARCHAR", "location": "VARCHAR", "state": "VARCHAR", "timezone": "VARCHAR",
        "birthday": "DATE", "job_title": "VARCHAR", "company_size": "INTEGER", "budget": "DECIMAL(12,2)",
        "product_interest": "VARCHAR", "signup_date": "DATE", "created_at": "TIMESTAMP",
        "subscribed": "TIMESTAMP", "subscription_status": "VARCHAR", "customer_tier": "VARCHAR",
        "account_age": "INTEGER", "welcome_email_sent": "BOOLEAN", "previous_customer": "BOOLEAN",
        "opens": "INTEGER", "email_opens": "INTEGER", "clicks": "INTEGER", "purchases": "INTEGER",
        "order_count": "INTEGER", "total_spent": "DECIMAL(12,2)", "total_revenue": "DECIMAL(12,2)",
        "lifetime_value": "DECIMAL(12,2)", "purchase_frequency": "DOUBLE", "last_purchase": "TIMESTAMP",
        "last_purchase_date": "DATE", "last_open": "TIMESTAMP", "last_activity": "TIMESTAMP",
        "last_visit": "TIMESTAMP", "products_viewed": "INTEGER", "cart_value": "DECIMAL(10,2)",
        "cart_items": "INTEGER",
    },
    "events": {
        "event_id": "BIGINT", "contact_id": "BIGINT", "event": "VARCHAR", "occurred_at": "TIMESTAMP",
        "campaign": "VARCHAR", "product": "VARCHAR", "category": "VARCHAR", "page": "VARCHAR",
        "amount": "DECIMAL(10,2)", "quantity": "INTEGER",
    },
    "list_members": {
        "list_name": "VARCHAR", "contact_id": "BIGINT", "joined_at": "TIMESTAMP", "left_at": "TIMESTAMP",
    },
    "tier_history": {
        "contact_id": "BIGINT", "customer_tier": "VARCHAR", "valid_from": "TIMESTAMP",
        "valid_to": "TIMESTAMP",
    },
}  # fmt: skip


def database(folder: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    for table in TABLES:
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{folder / table}.parquet')")
    connection.execute(VIEWS)
    return connection


def regenerate(folder: Path, *options: str) -> Path:
    command = [sys.executable, "-B", str(SAMPLE / "generate.py"), "--out", str(folder), *options]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with database(SAMPLE) as connection:
        yield connection


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return regenerate(tmp_path_factory.mktemp("again"))


def one(db: duckdb.DuckDBPyConnection, query: str) -> tuple[object, ...]:
    row = db.execute(query).fetchone()
    assert row is not None
    return row


def readme_rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the README, without its head."""
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    section = re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


# ------------------------------------------------------------------------------------------ reproducible


def created_by(path: Path) -> str:
    return str(pq.ParquetFile(path).metadata.created_by)


@pytest.mark.parametrize("table", TABLES)
def test_regenerating_gives_the_committed_rows(table: str, again: Path) -> None:
    made, committed = again / f"{table}.parquet", SAMPLE / f"{table}.parquet"
    ours, theirs = pq.read_table(made), pq.read_table(committed)
    assert ours.schema == theirs.schema
    for name in ours.column_names:
        if pa.types.is_floating(ours[name].type):  # Arrow holds NaN unequal to itself
            assert ours[name].to_pandas().equals(theirs[name].to_pandas()), name
        else:
            assert ours[name].equals(theirs[name]), name
    if created_by(made) == created_by(committed):
        assert made.read_bytes() == committed.read_bytes()


def test_another_seed_gives_other_data_and_the_same_edges(tmp_path: Path) -> None:
    with database(regenerate(tmp_path, "--contacts", "1000", "--seed", "8")) as other:
        assert one(other, "SELECT count(*) FROM contacts") == (1000,)
        query = "SELECT count(*) FROM events WHERE event_id > 900000000"
        assert one(other, query)[0] == len(edge_event_ids())
        for contact, segment, inside in edge_claims():
            assert in_segment(other, contact, segment) is inside, (contact, segment)


def test_files_are_small() -> None:
    assert all((SAMPLE / f"{t}.parquet").stat().st_size < 3_000_000 for t in TABLES)


# ------------------------------------------------------------------------------------ schema and integrity


@pytest.mark.parametrize("table", TABLES)
def test_schema(table: str, db: duckdb.DuckDBPyConnection) -> None:
    found = {r[0]: r[1] for r in db.execute(f"DESCRIBE {table}").fetchall()}
    assert found == SCHEMA[table]


def test_contact_ids_are_unique(db: duckdb.DuckDBPyConnection) -> None:
    assert one(db, "SELECT count(*) = count(DISTINCT contact_id) AND count(*) = 4000 FROM contacts") == (True,)


@pytest.mark.parametrize("column", EXPECTED)
def test_attributes_follow_from_the_events(column: str, db: duckdb.DuckDBPyConnection) -> None:
    unless = "AND c.welcome_email_sent IS NOT NULL" if column == "welcome_email_sent" else ""
    if column == "purchase_frequency":  # the last bit of a division is nobody's promise
        unless = f"AND (isnan(c.{column}) OR abs(c.{column} - ({EXPECTED[column]})) > 1e-9)"
    query = ATTRIBUTES.format(column=column, expected=EXPECTED[column], unless=unless)
    assert db.execute(query).fetchall()[:5] == []


def test_tier_history_is_gapless_and_ends_in_the_current_tier(db: duckdb.DuckDBPyConnection) -> None:
    broken = """
        WITH h AS (SELECT *, lead(valid_from) OVER w AS next_from, lead(customer_tier) OVER w AS next_tier,
                          row_number() OVER w AS nth
                   FROM tier_history WINDOW w AS (PARTITION BY contact_id ORDER BY valid_from))
        SELECT h.* FROM h JOIN contacts c USING (contact_id)
        WHERE valid_to IS DISTINCT FROM next_from OR next_tier = h.customer_tier
           OR (nth = 1 AND valid_from <> c.created_at) OR valid_to <= valid_from
           OR (valid_to IS NULL AND h.customer_tier <> c.customer_tier)"""
    assert db.execute(broken).fetchall() == []
    query = "SELECT (SELECT count(DISTINCT contact_id) FROM tier_history), (SELECT count(*) FROM contacts)"
    with_history, contacts = one(db, query)
    assert with_history == contacts


def test_tiers_follow_from_what_was_spent(db: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        WITH spent AS (
            SELECT contact_id, sum(amount) AS total FROM acts
            WHERE event = 'purchased' AND occurred_at < TIMESTAMP '2025-11-01'
              AND occurred_at >= TIMESTAMP '2025-11-01' - INTERVAL 365 DAY
            GROUP BY contact_id
        )
        SELECT c.contact_id, c.customer_tier, total FROM contacts c LEFT JOIN spent USING (contact_id)
        WHERE customer_tier <> CASE WHEN c.created_at >= TIMESTAMP '2025-11-01' THEN 'Bronze'
            WHEN total >= 1200 THEN 'Platinum' WHEN total >= 400 THEN 'Gold' WHEN total >= 150 THEN 'Silver'
            ELSE 'Bronze' END"""
    assert db.execute(wrong).fetchall() == []


def test_addresses_are_on_example_domains(db: duckdb.DuckDBPyConnection) -> None:
    real = r"""SELECT email FROM contacts WHERE email <> ''
               AND NOT regexp_matches(email, '@(.*\.)?(example\.(com|org|net)|company\.com)$')"""
    assert db.execute(real).fetchall() == []


def test_events_carry_only_properties_that_make_sense(db: duckdb.DuckDBPyConnection) -> None:
    odd = """SELECT event FROM events
             WHERE (amount IS NOT NULL AND event NOT IN ('carted', 'purchased', 'refunded'))
                OR (product IS NOT NULL AND event NOT IN ('viewed', 'carted', 'purchased', 'refunded'))
                OR (page IS NOT NULL AND event NOT IN ('visited', 'viewed', 'clicked'))"""
    assert db.execute(odd).fetchall() == []


# ----------------------------------------------------------------------------------- segments and figures


@pytest.mark.parametrize("name", SEGMENTS)
def test_documented_segment(name: str, db: duckdb.DuckDBPyConnection) -> None:
    size = len(db.execute(SEGMENTS[name]).fetchall())
    assert size >= 10
    assert size == SIZES[name]


def test_every_segment_has_a_size_and_a_line_in_the_readme() -> None:
    lines = {name: int(size) for name, size, *_ in readme_rows("Segment sizes")}
    assert lines == SIZES
    assert SIZES.keys() == SEGMENTS.keys()


def test_figures_of_the_readme(db: duckdb.DuckDBPyConnection) -> None:
    rows = readme_rows("Figures")
    assert len(rows) >= 30
    for what, value, query in rows:
        found = one(db, query.strip("`").replace("\\|", "|"))[0]
        shown = f"{float(found):.2%}" if value.endswith("%") else str(found)  # type: ignore[arg-type]
        assert shown == value, what


def test_calibration(db: duckdb.DuckDBPyConnection) -> None:
    def share(query: str) -> float:
        return float(one(db, query)[0])  # type: ignore[arg-type]

    per = "SELECT count(*) FILTER (event = '{}') / count(*) FILTER (event = '{}') FROM acts"
    assert share(per.format("opened", "sent")) == pytest.approx(0.214, abs=0.01)
    assert share(per.format("clicked", "opened")) == pytest.approx(0.20, abs=0.01)
    assert share(per.format("refunded", "purchased")) == pytest.approx(0.06, abs=0.01)
    assert share("SELECT avg((purchases = 0)::INT) FROM contacts") == pytest.approx(0.45, abs=0.02)
    missing = {"birthday": 0.29, "job_title": 0.33, "country": 0.09, "email": 0.01}
    for column, wanted in missing.items():
        query = f"SELECT avg(({column} IS NULL)::INT) FROM contacts"
        assert share(query) == pytest.approx(wanted, abs=0.02)


# -------------------------------------------------------------------------------------------- edge rows


def edge_claims() -> list[tuple[int, str, bool]]:
    """What the README's table says of edge contacts: (contact, segment, in or out)."""
    claims = []
    for contact, _, why in readme_rows("Edge contacts"):
        for word, segment in re.findall(rf"\b(in|out of) ({'|'.join(map(re.escape, SEGMENTS))})\b", why):
            claims.append((int(contact), segment, word == "in"))
    return claims


def edge_event_ids() -> list[int]:
    ids: list[int] = []
    for cells in (*readme_rows("Edge contacts"), *readme_rows("Stray events")):
        for low, high in re.findall(r"(9000000\d\d|9000001\d\d|9000002\d\d)(?:-(\d+))?", cells[1]):
            ids += range(int(low), int(high or low) + 1)
    return ids


def in_segment(db: duckdb.DuckDBPyConnection, contact: int, segment: str) -> bool:
    query = f"SELECT count(*) FROM ({SEGMENTS[segment]}) WHERE contact_id = {contact}"
    return bool(one(db, query)[0])


def test_edge_contacts_are_where_the_readme_says(db: duckdb.DuckDBPyConnection) -> None:
    claims = edge_claims()
    assert len(claims) >= 57
    wrong = [(c, s, inside) for c, s, inside in claims if in_segment(db, c, s) is not inside]
    assert wrong == []


def test_edge_events_are_those_of_the_readme(db: duckdb.DuckDBPyConnection) -> None:
    found = db.execute("SELECT event_id FROM events WHERE event_id > 900000000 ORDER BY 1").fetchall()
    assert [r[0] for r in found] == sorted(edge_event_ids())


EDGE_VALUES: dict[str, str] = {
    "only a future purchase": "SELECT last_purchase IS NULL FROM contacts WHERE contact_id = 9000004",
    "created after as_of": "SELECT max(created_at) = '2025-11-30 12:00:00.000001' FROM contacts",
    "no purchase counts": "SELECT purchases = 0 FROM contacts WHERE last_name = 'Case 43'",
    "the earliest copy wins": "SELECT total_spent = 40 FROM contacts WHERE last_name = 'Case 44'",
    "a copy in the future": "SELECT opens = 1 FROM contacts WHERE last_name = 'Case 45'",
    "unknown amount": "SELECT order_count = 2 AND total_spent = 80 FROM contacts WHERE last_name = 'Case 36'",
    "before signup": """SELECT count(*) > 0 FROM acts a JOIN contacts c USING (contact_id)
                        WHERE a.occurred_at < c.created_at""",
    "29 February": "SELECT count(*) > 0 FROM contacts WHERE birthday = '2000-02-29'",
    "1900-01-01": "SELECT count(*) > 0 FROM contacts WHERE birthday = '1900-01-01'",
    "dirty countries": "SELECT count(DISTINCT country) = 3 FROM contacts WHERE country IN ('usa', ' USA', 'USA')",
    "apostrophe": "SELECT count(*) > 0 FROM contacts WHERE last_name = 'O''Brien'",
    "wildcards": "SELECT count(*) = 2 FROM contacts WHERE first_name IN ('100%', '_')",
    "empty strings": "SELECT count(*) > 0 FROM contacts WHERE email = '' AND job_title = '' AND state = ''",
    "CJK and emoji": "SELECT count(*) = 2 FROM contacts WHERE first_name IN ('花子', '🦊')",
    "two Josés": "SELECT count(DISTINCT first_name) = 2 FROM contacts WHERE nfc_normalize(first_name) = 'José'"
    " AND contact_id > 9000000",
    "NaN": "SELECT count(*) BETWEEN 2 AND 40 FROM contacts WHERE isnan(purchase_frequency)",
    "no contact": "SELECT count(*) = 3 FROM events WHERE contact_id IS NULL",
    "unknown contact": "SELECT count(*) = 3 FROM events WHERE contact_id = 99999999",
    "no time": "SELECT count(*) = 1 FROM events WHERE occurred_at IS NULL",
    "the future": "SELECT count(*) = 3 FROM events WHERE occurred_at > TIMESTAMP '2025-11-30 12:00:00'",
    "repeated ids": "SELECT count(*) - count(DISTINCT event_id) = 45 FROM events",
    "a nasty list": """SELECT count(*) >= 20 FROM list_members WHERE list_name = 'O''Brien''s "50%" list'""",
    "half-open lists": """SELECT list(contact_id ORDER BY contact_id) = [9000002, 9000022] FROM members
                          WHERE list_name = 'VIP Customers' AND contact_id > 9000000""",
}


@pytest.mark.parametrize("what", EDGE_VALUES)
def test_edge_value(what: str, db: duckdb.DuckDBPyConnection) -> None:
    assert one(db, EDGE_VALUES[what]) == (True,)
