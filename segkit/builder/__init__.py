"""The fluent spelling: `(F.country == "USA") & (E.opened.within(days=30).count() >= 5)`.

Wrappers carry the operators, nodes stay data. A `Value` compared becomes a `Predicate`; predicates combine with
`&`, `|`, `-` and `~`. Names stay unresolved until a catalog is at hand.

`words` are what a definition begins with, `value`, `stream` and `predicate` what they become; `spans` and `paths` read
lengths of time and paths into JSON.
"""

from __future__ import annotations

from segkit.builder.paths import steps_of
from segkit.builder.predicate import Predicate, all_of, any_of, no_truth_value, not_a_predicate
from segkit.builder.stream import EventStream
from segkit.builder.value import Value
from segkit.builder.words import (
    NOW,
    TODAY,
    E,
    F,
    Names,
    constant,
    days,
    event,
    everyone,
    field,
    hours,
    in_group,
    in_list,
    in_segment,
    minutes,
    months,
    per,
    raw_sql,
    sample,
    weeks,
    word,
    years,
)

__all__ = [
    "NOW",
    "TODAY",
    "E",
    "EventStream",
    "F",
    "Names",
    "Predicate",
    "Value",
    "all_of",
    "any_of",
    "constant",
    "days",
    "event",
    "everyone",
    "field",
    "hours",
    "in_group",
    "in_list",
    "in_segment",
    "minutes",
    "months",
    "no_truth_value",
    "not_a_predicate",
    "per",
    "raw_sql",
    "sample",
    "steps_of",
    "weeks",
    "word",
    "years",
]
