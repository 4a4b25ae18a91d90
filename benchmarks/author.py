"""Authoring and rendering one condition tree as DuckDB SQL: 20 conditions on fields, 5 groups deep.

Compared: segkit, from `F` to text; the same tree as sqlglot nodes built by hand without copies (the reference, whose text
must equal segkit's), as an f-string, with pypika, SQLAlchemy core and ibis. Tables are declared before the clock starts.
Everybody's SQL must select the same contacts.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import ibis
import pypika
import pypika.functions
import sqlalchemy as sa
from pypika.dialects import PostgreSQLQuery
from pypika.terms import Criterion, CustomFunction
from report import Goal, Report, report
from sqlglot import exp
from timing import Contestant, race

from segkit import F, Segment, compile
from segkit.builder import Predicate
from segkit.catalog import ASSUMED
from segkit.nodes import Definition
from segkit.plan import moment, plan
from segkit.rendering import render

NOW = dt.datetime(2025, 11, 30, tzinfo=dt.UTC)
TEXTS = ("country", "consent", "status", "email", "city", "plan", "name", "language", "source", "level")
NUMBERS = ("age", "score", "orders", "spend", "visits", "clicks")
TIMES = ("last_purchase", "last_login", "signup", "last_open")

# ---------------------------------------------------------------- segkit


def predicate() -> Predicate:
    """The tree in segkit's spelling; every other function of this file says the same."""
    deepest = F.visits.between(2, 40) & ~(F.language == "de") & F.signup.within(days=365)
    modern = F.plan.is_in(["pro", "team"]) | (F.spend > 250.5) | F.name.contains("ann") | deepest
    local = (
        (F.city == "Berlin") & (F.orders >= 3) & F.last_login.within(days=14) & modern & ~((F.source == "ads") & (F.clicks < 2))
    )
    engaged = (F.score > 50) | F.last_purchase.within(days=30) | F.email.contains("@example.") | local
    return (
        F.country.is_in(["USA", "Canada", "Germany", "France"])
        & F.age.between(18, 70)
        & (F.consent == "yes")
        & ~F.status.is_in(["bounced", "blocked"])
        & engaged
        & (F.last_open.within(days=60) | (F.level != "none"))
    )


def segkit_text() -> str:
    """From `F` to plain SQL without a header."""
    at = moment(NOW, "UTC")
    return render(compile.members(plan(Definition(None, predicate().node), ASSUMED, at)), "duckdb", pretty=False)


def segkit_displayed() -> str:
    """What an analyst calls: laid out, with a header."""
    return Segment("Engaged", predicate()).sql("duckdb", as_of=NOW)


# ---------------------------------------------------------------- sqlglot nodes, built directly


def _name(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def _col(name: str) -> exp.Column:
    return exp.Column(this=_name(name), table=_name("contacts"))


def _lit(value: str | float) -> exp.Literal:
    return exp.Literal(this=str(value), is_string=isinstance(value, str))


def _in(name: str, *options: str) -> exp.In:
    return exp.In(this=_col(name), expressions=[_lit(option) for option in options])


def _eq(name: str, value: str) -> exp.EQ:
    return exp.EQ(this=_col(name), expression=_lit(value))


def _all(first: exp.Expression, *others: exp.Expression) -> exp.Expression:
    for other in others:
        first = exp.And(this=first, expression=other)
    return first


def _any(first: exp.Expression, *others: exp.Expression) -> exp.Paren:
    for other in others:
        first = exp.Or(this=first, expression=other)
    return exp.Paren(this=first)


def _between(name: str, low: float, high: float) -> exp.Expression:
    return _all(exp.GTE(this=_col(name), expression=_lit(low)), exp.LTE(this=_col(name), expression=_lit(high)))


def _not(node: exp.Expression) -> exp.EQ:
    case = exp.Case(ifs=[exp.If(this=node, true=_lit(0))], default=_lit(1))
    return exp.EQ(this=case, expression=_lit(1))


def _contains(name: str, text: str) -> exp.GT:
    return exp.GT(this=exp.Anonymous(this="STRPOS", expressions=[_col(name), _lit(text)]), expression=_lit(0))


def _time(time: dt.datetime) -> exp.Cast:
    to = exp.DataType(this=exp.DataType.Type.TIMESTAMP)
    return exp.Cast(this=_lit(time.replace(tzinfo=None).isoformat(" ")), to=to)


def _within(name: str, days: int) -> exp.Expression:
    low = exp.GT(this=_col(name), expression=_time(NOW - dt.timedelta(days=days)))
    return _all(low, exp.LTE(this=_col(name), expression=_time(NOW)))


def nodes_tree() -> exp.Select:
    """sqlglot's nodes, each made once and never copied."""
    deepest = _all(_between("visits", 2, 40), _not(_eq("language", "de")), _within("signup", 365))
    rich = exp.GT(this=_col("spend"), expression=_lit(250.5))
    modern = _any(_in("plan", "pro", "team"), rich, _contains("name", "ann"), exp.Paren(this=deepest))
    often = exp.GTE(this=_col("orders"), expression=_lit(3))
    ads = _not(_all(_eq("source", "ads"), exp.LT(this=_col("clicks"), expression=_lit(2))))
    local = exp.Paren(this=_all(_eq("city", "Berlin"), often, _within("last_login", 14), modern, ads))
    scored = exp.GT(this=_col("score"), expression=_lit(50))
    engaged = _any(scored, exp.Paren(this=_within("last_purchase", 30)), _contains("email", "@example."), local)
    where = _all(
        _in("country", "USA", "Canada", "Germany", "France"),
        _between("age", 18, 70),
        _eq("consent", "yes"),
        _not(_in("status", "bounced", "blocked")),
        engaged,
        _any(exp.Paren(this=_within("last_open", 60)), _not(_eq("level", "none"))),
    )
    table = exp.From(this=exp.Table(this=_name("contacts")))
    return exp.Select(expressions=[_col("contact_id")], from_=table, where=exp.Where(this=where))


def nodes_text() -> str:
    """sqlglot's nodes, rendered without a copy."""
    return nodes_tree().sql("duckdb", copy=False)


def nodes_pretty() -> str:
    """The same, laid out as `Segment.sql` lays it out."""
    return nodes_tree().sql("duckdb", copy=False, pretty=True)


# ---------------------------------------------------------------- f-string


def f_string() -> str:
    """No tree at all: text put together by hand, nothing quoted for anyone."""

    def c(name: str) -> str:
        return f'"contacts"."{name}"'

    def within(name: str, days: int) -> str:
        low, now = ((NOW - dt.timedelta(days=ago)).replace(tzinfo=None).isoformat(" ") for ago in (days, 0))
        return f"{c(name)} > CAST('{low}' AS TIMESTAMP) AND {c(name)} <= CAST('{now}' AS TIMESTAMP)"

    return (
        f"SELECT {c('contact_id')} FROM \"contacts\" WHERE {c('country')} IN ('USA', 'Canada', 'Germany', 'France')"
        f" AND {c('age')} >= 18 AND {c('age')} <= 70 AND {c('consent')} = 'yes'"
        f" AND CASE WHEN {c('status')} IN ('bounced', 'blocked') THEN 0 ELSE 1 END = 1"
        f" AND ({c('score')} > 50 OR ({within('last_purchase', 30)}) OR STRPOS({c('email')}, '@example.') > 0"
        f" OR ({c('city')} = 'Berlin' AND {c('orders')} >= 3 AND {within('last_login', 14)}"
        f" AND ({c('plan')} IN ('pro', 'team') OR {c('spend')} > 250.5 OR STRPOS({c('name')}, 'ann') > 0"
        f" OR ({c('visits')} >= 2 AND {c('visits')} <= 40"
        f" AND CASE WHEN {c('language')} = 'de' THEN 0 ELSE 1 END = 1 AND {within('signup', 365)}))"
        f" AND CASE WHEN {c('source')} = 'ads' AND {c('clicks')} < 2 THEN 0 ELSE 1 END = 1))"
        f" AND (({within('last_open', 60)}) OR CASE WHEN {c('level')} = 'none' THEN 0 ELSE 1 END = 1)"
    )


# ---------------------------------------------------------------- pypika

_PIKA = pypika.Table("contacts").as_("contacts")  # a name of its own makes it qualify columns
_strpos = CustomFunction("STRPOS", ["text", "part"])


def pypika_text() -> str:
    """pypika, with its terms and its CASE."""
    t = _PIKA

    def within(own: Any, days: int) -> Any:
        low, now = ((NOW - dt.timedelta(days=ago)).replace(tzinfo=None).isoformat(" ") for ago in (days, 0))
        return (own > pypika.functions.Cast(low, "TIMESTAMP")) & (own <= pypika.functions.Cast(now, "TIMESTAMP"))

    def negated(inner: Any) -> Any:
        return pypika.Case().when(inner, 0).else_(1) == 1

    deepest = t.visits.between(2, 40) & negated(t.language == "de") & within(t.signup, 365)
    modern = t.plan.isin(["pro", "team"]) | (t.spend > 250.5) | (_strpos(t.name, "ann") > 0) | deepest
    local = (
        (t.city == "Berlin") & (t.orders >= 3) & within(t.last_login, 14) & modern & negated((t.source == "ads") & (t.clicks < 2))
    )
    engaged = (t.score > 50) | within(t.last_purchase, 30) | (_strpos(t.email, "@example.") > 0) | local
    where = [
        t.country.isin(["USA", "Canada", "Germany", "France"]),
        t.age.between(18, 70),
        t.consent == "yes",
        negated(t.status.isin(["bounced", "blocked"])),
        engaged,
        within(t.last_open, 60) | negated(t.level == "none"),
    ]
    return PostgreSQLQuery.from_(t).select(t.contact_id).where(Criterion.all(where)).get_sql()


# ---------------------------------------------------------------- SQLAlchemy

_ALCHEMY = sa.Table(
    sa.quoted_name("contacts", True),
    sa.MetaData(),
    *(
        sa.Column(sa.quoted_name(name, True), kind, key=name)
        for kind, names in ((sa.BigInteger, ("contact_id",)), (sa.Text, TEXTS), (sa.Float, NUMBERS), (sa.DateTime, TIMES))
        for name in names
    ),
)


def sqlalchemy_text() -> str:
    """SQLAlchemy core, compiled with its values written out."""
    c = _ALCHEMY.c

    def within(own: Any, days: int) -> Any:
        low, now = ((NOW - dt.timedelta(days=ago)).replace(tzinfo=None) for ago in (days, 0))
        return sa.and_(own > sa.cast(low, sa.DateTime), own <= sa.cast(now, sa.DateTime))

    def negated(inner: Any) -> Any:
        return sa.case((inner, 0), else_=1) == 1

    deepest = sa.and_(c.visits.between(2, 40), negated(c.language == "de"), within(c.signup, 365))
    modern = sa.or_(c.plan.in_(["pro", "team"]), c.spend > 250.5, sa.func.strpos(c.name, "ann") > 0, deepest)
    ads = negated(sa.and_(c.source == "ads", c.clicks < 2))
    local = sa.and_(c.city == "Berlin", c.orders >= 3, within(c.last_login, 14), modern, ads)
    engaged = sa.or_(c.score > 50, within(c.last_purchase, 30), sa.func.strpos(c.email, "@example.") > 0, local)
    query = sa.select(c.contact_id).where(
        c.country.in_(["USA", "Canada", "Germany", "France"]),
        c.age.between(18, 70),
        c.consent == "yes",
        negated(c.status.in_(["bounced", "blocked"])),
        engaged,
        sa.or_(within(c.last_open, 60), negated(c.level == "none")),
    )
    return str(query.compile(compile_kwargs={"literal_binds": True})).replace("DATETIME", "TIMESTAMP")


# ---------------------------------------------------------------- ibis

_IBIS = ibis.table(
    {
        "contact_id": "int64",
        **dict.fromkeys(TEXTS, "string"),
        **dict.fromkeys(NUMBERS, "float64"),
        **dict.fromkeys(TIMES, "timestamp"),
    },
    name="contacts",
)
_IBIS_DUCKDB = ibis.duckdb.connect()


def ibis_text() -> str:
    """ibis, compiled by its DuckDB backend, not laid out."""
    t = _IBIS

    def within(own: Any, days: int) -> Any:
        low, now = ((NOW - dt.timedelta(days=ago)).replace(tzinfo=None) for ago in (days, 0))
        return (own > low) & (own <= now)

    def negated(inner: Any) -> Any:
        return ~inner.fill_null(False)

    deepest = t.visits.between(2, 40) & negated(t.language == "de") & within(t.signup, 365)
    modern = t.plan.isin(["pro", "team"]) | (t.spend > 250.5) | t.name.contains("ann") | deepest
    local = (
        (t.city == "Berlin") & (t.orders >= 3) & within(t.last_login, 14) & modern & negated((t.source == "ads") & (t.clicks < 2))
    )
    engaged = (t.score > 50) | within(t.last_purchase, 30) | t.email.contains("@example.") | local
    query = t.filter(
        t.country.isin(["USA", "Canada", "Germany", "France"]),
        t.age.between(18, 70),
        t.consent == "yes",
        negated(t.status.isin(["bounced", "blocked"])),
        engaged,
        within(t.last_open, 60) | negated(t.level == "none"),
    ).select("contact_id")
    return str(_IBIS_DUCKDB.compile(query))


# ---------------------------------------------------------------- the comparison

CONTESTANTS = [
    Contestant("sqlglot nodes", nodes_text, None),
    Contestant("segkit", segkit_text, None),
    Contestant("f-string", f_string, None),
    Contestant("pypika", pypika_text, None),
    Contestant("SQLAlchemy", sqlalchemy_text, None),
    Contestant("ibis", ibis_text, None),
    Contestant("sqlglot nodes, pretty", nodes_pretty, None),
    Contestant("Segment.sql (pretty, header)", segkit_displayed, None),
]


def run(rounds: int = 15) -> Report:
    """Checks that all select the same contacts, then times all from nothing to text."""
    members = _check()
    results = race(CONTESTANTS, rounds)
    about = f"CPU time to build 20 conditions, 5 groups deep, and render DuckDB SQL; medians of {rounds} interleaved rounds."
    goals = [Goal("segkit", "sqlglot nodes", 1.3), Goal("segkit", "ibis", 1 / 6)]
    own = report("Author and render", about, results, "sqlglot nodes", ["cpu"], goals)
    own.notes.append(f"checked: all {len(CONTESTANTS)} queries select the same {members} of 20,000 contacts")
    same = " ".join(segkit_text().split()) == " ".join(nodes_text().split())
    own.notes.append(f"checked: the text of segkit and of the nodes is {'identical' if same else 'NOT identical'}")
    return own


def _check() -> int:
    """Runs every query on contacts with many NULLs; returns how many contacts each of them selects."""
    connection = duckdb.connect()
    connection.execute(_contacts(20_000))
    answers = {c.name: sorted(connection.execute(str(c.run())).fetchall()) for c in CONTESTANTS}
    reference = answers["sqlglot nodes"]
    for name, answer in answers.items():
        assert answer == reference, f"{name} selects {len(answer)} contacts, sqlglot nodes {len(reference)}"
    return len(reference)


def _contacts(count: int) -> str:
    """Contacts whose fields take the values asked for often, and are NULL one time in ten."""
    values = {
        **{name: ["x", "y"] for name in TEXTS},
        "country": ["USA", "Germany", "Canada", "France", "Spain"],
        "consent": ["yes", "yes", "no"],
        "status": ["ok", "ok", "bounced"],
        "email": ["a@example.org", "b@mail.com", "c@mail.com"],
        "city": ["Berlin", "Berlin", "Rome"],
        "plan": ["pro", "free"],
        "name": ["joann", "bob"],
        "language": ["de", "en"],
        "source": ["ads", "web"],
        "level": ["none", "gold"],
    }
    columns = [f"{values[name]}[(1 + hash(i, '{name}') % {len(values[name])})::BIGINT] AS {name}" for name in TEXTS]
    columns += [f"(hash(i, '{name}') % 100)::DOUBLE AS {name}" for name in NUMBERS]
    columns += [f"TIMESTAMP '2025-12-10' - to_hours((hash(i, '{name}') % 9600)::INTEGER) AS {name}" for name in TIMES]
    kept = [f"CASE WHEN hash(i, '{n}', 1) % 10 > 0 THEN {n} END AS {n}" for n in (*TEXTS, *NUMBERS, *TIMES)]
    rows = f"SELECT i, {', '.join(columns)} FROM range({count}) AS r(i)"
    return f"CREATE TABLE contacts AS SELECT i AS contact_id, {', '.join(kept)} FROM ({rows})"
