"""The sizes benchmark in SQL as a careful analyst would write it for DuckDB: three ways to shape it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from marketing import AS_OF, BY_NAME, FEATURES, Feature, Group, Has, Not, Rule, by_event, features_of, widest


def one_query(rules: Sequence[Rule]) -> str:
    """One pruned GROUP BY for each event type, LEFT JOINed, counted at the end."""
    return _sizes(rules, FEATURES)


def separate_queries(rules: Sequence[Rule]) -> list[str]:
    """A query for each segment, with only the event types, windows and features that it needs."""
    return [_sizes([rule], tuple(dict.fromkeys(features_of(rule)))) for rule in rules]


def members(rule: Rule) -> str:
    """The contacts that a rule holds for."""
    features = tuple(dict.fromkeys(features_of(rule)))
    return f"{_with(features)}SELECT contact_id FROM contacts {_joined(features)} WHERE {_condition(rule)}"


def one_wide_query(rules: Sequence[Rule]) -> str:
    """One GROUP BY over all events, a FILTER for each feature."""
    columns = ", ".join(f"{_bare(f)} FILTER (event = '{f.event}'{_after(f, ' AND ')}) AS {f.name}" for f in FEATURES)
    wide = f"SELECT contact_id, {columns} FROM events WHERE occurred_at <= TIMESTAMP '{AS_OF}' GROUP BY contact_id"
    return f"WITH wide AS ({wide}) SELECT {_counts(rules)} FROM contacts LEFT JOIN wide USING (contact_id)"


def _sizes(rules: Sequence[Rule], features: tuple[Feature, ...]) -> str:
    return f"{_with(features)}SELECT {_counts(rules)} FROM contacts {_joined(features)}"


def _with(features: tuple[Feature, ...]) -> str:
    parts = ", ".join(f"{event} AS ({_grouped(event, group)})" for event, group in by_event(features).items())
    return f"WITH {parts} " if parts else ""


def _joined(features: tuple[Feature, ...]) -> str:
    return " ".join(f"LEFT JOIN {event} USING (contact_id)" for event in by_event(features))


def _grouped(event: str, features: list[Feature]) -> str:
    """One event type's features: only its rows, and only since the widest window begins."""
    start = widest(features)
    columns = ", ".join(f"{_measured(f, start)} AS {f.name}" for f in features)
    since = f"occurred_at > TIMESTAMP '{start}' AND " if start else ""
    where = f"event = '{event}' AND {since}occurred_at <= TIMESTAMP '{AS_OF}'"
    return f"SELECT contact_id, {columns} FROM events WHERE {where} GROUP BY contact_id"


def _measured(feature: Feature, start: object) -> str:
    """An aggregate; a window narrower than the query's own is a CASE."""
    if feature.since == start:
        return _bare(feature)
    own = {"count": "1", "sum": "amount", "last": "occurred_at"}[feature.measure]
    name = {"count": "COUNT", "sum": "SUM", "last": "MAX"}[feature.measure]
    return f"{name}(CASE WHEN {_after(feature)} THEN {own} END)"


def _bare(feature: Feature) -> str:
    return {"count": "COUNT(*)", "sum": "SUM(amount)", "last": "MAX(occurred_at)"}[feature.measure]


def _after(feature: Feature, before: str = "") -> str:
    return f"{before}occurred_at > TIMESTAMP '{feature.since}'" if feature.since else ""


def _counts(rules: Iterable[Rule]) -> str:
    return ", ".join(f"COUNT(CASE WHEN {_condition(rule)} THEN 1 END)" for rule in rules)


def _condition(rule: Rule) -> str:
    match rule:
        case Has(what, "older", value):
            return f"{what} < TIMESTAMP '{AS_OF}' - INTERVAL {value} DAY"
        case Has(what, op, value):
            own = f"COALESCE({what}, 0)" if what in BY_NAME else what
            return f"{own} {'=' if op == '==' else op} {value!r}"
        case Group(how, rules):
            word = " AND " if how == "all" else " OR "
            return f"({word.join(_condition(inner) for inner in rules)})"
        case Not(inner):
            return f"({_condition(inner)}) IS NOT TRUE"
