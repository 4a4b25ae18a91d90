"""How fields are filled and spread among the members of a plan and among the other contacts: one query for each question.

    known:   one row: how many know each field          values:  the commonest texts of each field
    ordered: one row a field: quantiles, means and order of numbers, dates or timestamps
    extremes: one row: the least and greatest of each field

A query reads each contact once: its fields stand beside one another, and then, each with its number, below one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from segkit.catalog import Kind
from segkit.compile import conditions, events, sql
from segkit.compile.joined import Base, base_of
from segkit.compile.sql import Sql
from segkit.plan import Plan
from segkit.plan.clock import today
from segkit.plan.tree import Comparison, Complement, Condition, Constant, FeatureTerm, IsMissing, Term

QUARTERS = (0, 1, 2, 3, 4)
"""The quantiles, in quarters: the smallest value that so many quarters of the contacts do not exceed, and the least of all."""
_FIELD, _VALUE, _IN, _OUT = "field", "value", "inside", "outside"


@dataclass(frozen=True)
class Asked:
    """A field: a plan that holds what stands behind its term."""

    plan: Plan
    term: Term

    @property
    def missing(self) -> Condition:
        return IsMissing(self.term)

    @property
    def is_always_known(self) -> bool:
        """How often something happened is known of everyone: the events need not be read to say so."""
        return isinstance(self.term, FeatureTerm) and self.term.feature.measure in events.COUNTS


def known(plan: Plan, fields: Sequence[Asked]) -> exp.Select:
    """One row: how many contacts there are (`everyone`) and how many members (`members`), how many of them know each field
    (`everyone_0`, `members_0`, ...), and for fields of truth values, of how many it is true (`everyone_true_0`, ...)."""
    doubtful = [own for own in fields if not own.is_always_known]
    base = base_of([plan, *(own.plan for own in doubtful)])
    member = conditions.condition(plan.where, base.names)
    everyone, members = exp.Count(this=exp.Star()), _count(member)
    counts: list[Sql] = [sql.aliased(everyone, "everyone"), sql.aliased(members, "members")]
    for i, own in enumerate(fields):
        if own.is_always_known:
            counts += [sql.aliased(everyone.copy(), f"everyone_{i}"), sql.aliased(members.copy(), f"members_{i}")]
            continue
        wanted: list[tuple[str, Condition]] = [("", Complement(own.missing))]
        if own.term.kind is Kind.BOOLEAN:
            wanted.append(("true_", Comparison("==", own.term, Constant(True, Kind.BOOLEAN))))
        for what, condition in wanted:
            holds = conditions.condition(condition, base.names)
            both = exp.And(this=sql.operand(member.copy()), expression=sql.operand(holds.copy()))
            counts += [sql.aliased(_count(holds), f"everyone_{what}{i}"), sql.aliased(_count(both), f"members_{what}{i}")]
    return base.select(counts, None, [plan.where, *(own.missing for own in doubtful)])


def values(plan: Plan, fields: Sequence[Asked], top: int, least: int) -> exp.Select:
    """The commonest values of fields of text.

    Returns:
        field (its position), value, inside and outside (how many members and others have it), candidates (how many values of
        the field at least `least` contacts have): of those, the `top` that most members have and the `top` that most contacts
        have, by field, the most frequent among members first, equal ones by value.
    """
    base, grouped = _grouped(plan, fields)
    both: Sql = exp.Paren(this=exp.Add(this=sql.column(_IN, grouped), expression=sql.column(_OUT, grouped)))
    enough = exp.GTE(this=both, expression=sql.number(least))
    by_value = sql.by_code_point(sql.column(_VALUE, grouped))
    columns: list[Sql] = [sql.column(name, grouped) for name in (_FIELD, _VALUE, _IN, _OUT)]
    columns += [
        sql.aliased(_place(sql.column(_IN, grouped), by_value, grouped), "place_inside"),
        sql.aliased(_place(both, by_value, grouped), "place"),
        sql.aliased(_over(exp.Count(this=sql.case_when(enough, sql.number(1))), grouped), "candidates"),
    ]
    placed = _add(base, "placed", exp.Select(expressions=columns).from_(sql.table(grouped), copy=False))
    chosen = [sql.column(name, placed) for name in (_FIELD, _VALUE, _IN, _OUT, "candidates")]
    query = exp.Select(expressions=chosen).from_(sql.table(placed), copy=False)
    is_some = exp.GT(this=sql.column(_IN, placed), expression=sql.number(0))
    is_top_inside = exp.And(this=is_some, expression=_at_most("place_inside", top, placed))
    is_top = exp.Or(this=_at_most("place", top, placed), expression=exp.Paren(this=is_top_inside))
    held_by = exp.Add(this=sql.column(_IN, placed), expression=sql.column(_OUT, placed))
    is_held = exp.GTE(this=exp.Paren(this=held_by), expression=sql.number(least))
    query.set("where", exp.Where(this=exp.And(this=is_held, expression=exp.Paren(this=is_top))))
    most_first = exp.Ordered(this=sql.column(_IN, placed), desc=True)
    query.order_by(sql.column(_FIELD, placed), most_first, sql.by_code_point(sql.column(_VALUE, placed)), copy=False)
    return _with(query, base)


def ordered(plan: Plan, fields: Sequence[Asked]) -> exp.Select:
    """The spread of fields of one kind of values that have an order: numbers, dates, or timestamps (shown by UTC's clock).

    Returns:
        One row a field that anybody knows: field (its position), members and others (who know it), `inside_0` to `inside_4`
        and `everyone_0` to `everyone_4` (the quantiles), twice_higher (of all pairs of a member and another, how many have
        the member higher, times two, and once those that are equal), squares_inside and squares_outside (the squares of the
        share of others that a member exceeds, and of members that another exceeds, added up: equal ones count half), ties
        (t**3 - t, added up over how many share each value). For numbers also mean_inside, mean_outside, and deviations_inside
        and deviations_outside: the squares of how far each is from that mean, added up.
    """
    base, grouped = _grouped(plan, fields)
    is_number = fields[0].term.kind.is_number
    order = [sql.column(_VALUE, grouped)]
    columns: list[Sql] = [sql.column(name, grouped) for name in (_FIELD, _VALUE, _IN, _OUT)]
    for side, total in ((_IN, "members"), (_OUT, "others")):
        count = sql.column(side, grouped)
        columns.append(sql.aliased(_over(exp.Sum(this=count), grouped, order), f"{side}_to"))
        columns.append(sql.aliased(_over(exp.Sum(this=count.copy()), grouped), total))
        if is_number:
            added = _over(exp.Sum(this=exp.Mul(this=count.copy(), expression=sql.column(_VALUE, grouped))), grouped)
            mean = _divided(added, _over(exp.Sum(this=count.copy()), grouped))
            columns.append(sql.aliased(mean, f"mean_{side}"))
    ranked = _add(base, "ranked", exp.Select(expressions=columns).from_(sql.table(grouped), copy=False))
    query = exp.Select(expressions=_summary(ranked, is_number)).from_(sql.table(ranked), copy=False)
    query.group_by(sql.column(_FIELD, ranked), copy=False).order_by(sql.column(_FIELD, ranked), copy=False)
    return _with(query, base)


def extremes(plan: Plan, terms: Sequence[Term]) -> exp.Select:
    """One row: the least and greatest of some numbers, dates and timestamps (by UTC's clock) of the contacts: `low_0`,
    `high_0`, ... For times also how many are known (`known_0`), how many lie after the moment of the plan (`ahead_0`), and
    the greatest of the others (`past_0`)."""
    base = base_of([plan])
    columns: list[Sql] = []
    for i, term in enumerate(terms):
        columns += [sql.aliased(exp.Min(this=_written(term, base)), f"low_{i}")]
        columns += [sql.aliased(exp.Max(this=_written(term, base)), f"high_{i}")]
        if not term.kind.is_number:
            ahead = conditions.condition(Comparison(">", term, _now(plan, term)), base.names)
            past = conditions.condition(Comparison("<=", term, _now(plan, term)), base.names)
            columns += [sql.aliased(exp.Count(this=_written(term, base)), f"known_{i}"), sql.aliased(_count(ahead), f"ahead_{i}")]
            columns += [sql.aliased(exp.Max(this=sql.case_when(past, _written(term, base))), f"past_{i}")]
    return base.select(columns, None, [IsMissing(term) for term in terms])


def _now(plan: Plan, term: Term) -> Constant:
    return Constant(today(plan.at), Kind.DATE) if term.kind is Kind.DATE else Constant(plan.at.as_of, Kind.TIMESTAMPTZ)


def _summary(ranked: str, is_number: bool) -> list[Sql]:
    def read(name: str) -> Sql:
        return sql.column(name, ranked)

    columns: list[Sql] = [read(_FIELD), *(sql.aliased(exp.Max(this=read(name)), name) for name in ("members", "others"))]
    everyone = (_sum(read(_IN), read(_OUT)), _sum(read("inside_to"), read("outside_to")), _sum(read("members"), read("others")))
    for side, (own, up_to, total) in (
        (_IN, (read(_IN), read("inside_to"), read("members"))),
        ("everyone", everyone),
    ):
        columns += [sql.aliased(_quantile(read(_VALUE), own, up_to, total, k), f"{side}_{k}") for k in QUARTERS]
    above = {_IN: _twice_below("outside_to", _OUT, ranked), _OUT: _twice_below("inside_to", _IN, ranked)}
    columns.append(sql.aliased(exp.Sum(this=exp.Mul(this=read(_IN), expression=above[_IN].copy())), "twice_higher"))
    for side, other in ((_IN, "others"), (_OUT, "members")):
        share = exp.Paren(this=_divided(above[side], exp.Paren(this=exp.Mul(this=sql.number(2), expression=read(other)))))
        columns.append(sql.aliased(exp.Sum(this=_times(read(side), share, share.copy())), f"squares_{side}"))
    size = sql.cast(_sum(read(_IN), read(_OUT)), "double")
    cube = exp.Sub(this=_times(size, size.copy(), size.copy()), expression=size.copy())
    columns.append(sql.aliased(exp.Sum(this=cube), "ties"))
    if is_number:
        for side in (_IN, _OUT):
            away = exp.Paren(this=exp.Sub(this=read(_VALUE), expression=read(f"mean_{side}")))
            columns.append(sql.aliased(exp.Max(this=read(f"mean_{side}")), f"mean_{side}"))
            columns.append(sql.aliased(exp.Sum(this=_times(read(side), away, away.copy())), f"deviations_{side}"))
    return columns


# ---------------------------------------------------------------- the contacts, field by field


def _grouped(plan: Plan, fields: Sequence[Asked]) -> tuple[Base, str]:
    """The base with a CTE of how many members (`inside`) and others (`outside`) have each value of each field."""
    base = base_of([plan, *(own.plan for own in fields)])
    is_member = conditions.truth(plan.where, base.names)
    beside: list[Sql] = [sql.aliased(is_member, "is_member")]
    beside += [sql.aliased(_written(own.term, base), f"value_{i}") for i, own in enumerate(fields)]
    contacts = _add(base, "profiled", base.of_contacts(beside, [], [plan.where, *(own.missing for own in fields)]))
    numbers = _add(base, "fields", _numbers(len(fields)))
    cases = [exp.If(this=sql.number(i), true=sql.column(f"value_{i}", contacts)) for i in range(len(fields))]
    value = exp.Case(this=sql.column(_FIELD, numbers), ifs=cases)
    below: list[Sql] = [sql.column(_FIELD, numbers), sql.aliased(value, _VALUE), sql.column("is_member", contacts)]
    tall_query = exp.Select(expressions=below).from_(sql.table(contacts), copy=False)
    tall = _add(base, "tall", tall_query.join(sql.table(numbers), join_type="cross", copy=False))
    keys = [sql.column(_FIELD, tall), sql.column(_VALUE, tall)]
    counts = [
        sql.aliased(_count(exp.EQ(this=sql.column("is_member", tall), expression=sql.number(side))), name)
        for side, name in ((1, _IN), (0, _OUT))
    ]
    query = exp.Select(expressions=[*keys, *counts]).from_(sql.table(tall), copy=False)
    query.set("where", exp.Where(this=exp.Not(this=exp.Paren(this=sql.is_null(_VALUE, tall)))))
    return base, _add(base, "grouped", query.group_by(*(key.copy() for key in keys), copy=False))


def _written(term: Term, base: Base) -> Sql:
    own = conditions.term(term, base.names)
    if term.kind.is_number:
        return sql.cast(own, "double")
    return sql.on_wall(own, term.clock, "UTC") if term.kind.is_timestamp else own


def _numbers(count: int) -> exp.Query:
    """A row for each field, its position; the first row names the column."""
    own: exp.Query = exp.Select(expressions=[sql.aliased(sql.number(0), _FIELD)])
    for i in range(1, count):
        own = exp.Union(this=own, expression=exp.Select(expressions=[sql.number(i)]), distinct=False)
    return own


def _add(base: Base, wish: str, query: exp.Query) -> str:
    name = sql.fresh(wish, base.taken)
    base.ctes.append((name, query))  # type: ignore[arg-type]
    return name


def _with(query: exp.Select, base: Base) -> exp.Select:
    query.set("with_", exp.With(expressions=[sql.cte(name, own) for name, own in base.ctes]))
    return query


# ---------------------------------------------------------------- small forms


def _count(condition: Sql) -> Sql:
    return exp.Count(this=sql.case_when(condition, sql.number(1)))


def _over(aggregate: Sql, table: str, order: Sequence[Sql] = ()) -> exp.Window:
    """An aggregate over the rows of a field; with an order, over those up to the row."""
    sorted_by = exp.Order(expressions=[own.copy() for own in order]) if order else None
    return exp.Window(this=aggregate, partition_by=[sql.column(_FIELD, table)], order=sorted_by)


def _place(most_first: Sql, then_by: Sql, table: str) -> exp.Window:
    order = [exp.Ordered(this=most_first.copy(), desc=True), then_by.copy()]
    return sql.row_number([sql.column(_FIELD, table)], order)


def _at_most(name: str, most: int, table: str) -> Sql:
    return exp.LTE(this=sql.column(name, table), expression=sql.number(most))


def _sum(a: Sql, b: Sql) -> Sql:
    return exp.Paren(this=exp.Add(this=a, expression=b))


def _times(first: Sql, *others: Sql) -> Sql:
    own = first
    for other in others:
        own = exp.Mul(this=own, expression=other)
    return own


def _divided(a: Sql, b: Sql) -> Sql:
    return exp.Div(this=sql.cast(a, "double"), expression=sql.divisor(b), typed=True)


def _twice_below(up_to: str, count: str, table: str) -> Sql:
    """Twice how many of the other side are below a value, and once how many equal it."""
    twice = exp.Mul(this=sql.number(2), expression=sql.column(up_to, table))
    return exp.Paren(this=exp.Sub(this=twice, expression=sql.column(count, table)))


def _quantile(value: Sql, count: Sql, up_to: Sql, total: Sql, quarters: int) -> Sql:
    """The smallest value that somebody has and that so many quarters do not exceed."""
    somebody = exp.GT(this=count.copy(), expression=sql.number(0))
    reached = exp.GTE(
        this=exp.Mul(this=sql.number(4), expression=up_to.copy()),
        expression=exp.Mul(this=sql.number(quarters), expression=total.copy()),
    )
    return exp.Min(this=sql.case_when(exp.And(this=somebody, expression=reached), value.copy()))
