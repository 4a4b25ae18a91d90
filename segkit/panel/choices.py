"""What can be chosen in the panel: operators by the kind of value, measures of events, units of time, dialects' names.

The operators are those of `segkit.operators`; the windows that are one row a unit there are one row here, with a unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args
from typing import Literal as OneOfThese

from segkit import nodes
from segkit.catalog import Catalog, Column, Kind
from segkit.nodes import Predicate
from segkit.operators import OPERATORS, TIMES

Arguments: TypeAlias = OneOfThese["none", "value", "values", "pair", "text", "stretch", "period", "days", "day", "members"]

UNITS: tuple[str, ...] = get_args(nodes.Unit)
PERIODS: tuple[str, ...] = get_args(nodes.PeriodUnit)
_AT_TIMES = {
    "greater_than": "is after",
    "greater_than_or_equal": "is at or after",
    "less_than": "is before",
    "less_than_or_equal": "is at or before",
}


@dataclass(frozen=True)
class Choice:
    """An operator as the panel offers it: `stretch` names the kind of a window, `build` makes the rest."""

    key: str
    label: str
    kinds: tuple[Kind, ...]
    arguments: Arguments
    build: Callable[..., Predicate] | None = None
    stretch: str = ""

    def shown(self) -> dict[str, Any]:
        """What the browser needs of it."""
        return {
            "key": self.key,
            "label": self.label,
            "time_label": _AT_TIMES.get(self.key, self.label),
            "kinds": [str(kind) for kind in self.kinds],
            "arguments": self.arguments,
            "stretch": self.stretch,
        }


def _plain() -> list[Choice]:
    """The rows without a window: `before` and `after` are said by the comparisons already."""
    return [
        Choice(row.key, row.label, row.kinds, row.arguments, row.build)  # type: ignore[arg-type]
        for row in OPERATORS
        if row.arguments not in ("amount", "optional amount") and row.key not in ("before", "after", "on")
    ]


CHOICES: tuple[Choice, ...] = (
    Choice("within", "is in the last", TIMES, "stretch", stretch="last"),
    Choice("older_than", "is more than ... ago", TIMES, "stretch", stretch="before"),
    Choice("in_next", "is in the next", TIMES, "stretch", stretch="next"),
    Choice("window", "is between ... ago", TIMES, "stretch", stretch="between"),
    Choice("in_period", "is in", TIMES, "period", stretch="period"),
    Choice("on", "is on the day", TIMES, "day"),
    Choice("anniversary", "has anniversary", TIMES, "days", stretch="anniversary"),
    *_plain(),
    Choice("is_member", "is in it", (), "members"),
    Choice("is_not_member", "is not in it", (), "members"),
)
CHOICE = {choice.key: choice for choice in CHOICES}
_POSITIVE = {"is_not_null": "is_null", "is_not_member": "is_member"}
OPPOSITES = {
    positive: choice.key
    for choice in CHOICES
    if (positive := _POSITIVE.get(choice.key, choice.key.replace("not_", "", 1))) != choice.key and positive in CHOICE
}
"""The operator that is the exact complement of another, such as `not_equals` of `equals`."""

MEASURES: tuple[tuple[str, str, bool], ...] = (
    ("count", "how often", False),
    ("sum", "sum of", True),
    ("avg", "average of", True),
    ("min", "smallest", True),
    ("max", "largest", True),
    ("distinct", "different values of", True),
    ("latest", "latest", True),
    ("first", "first time", False),
    ("last", "last time", False),
    ("days", "active days", False),
    ("weeks", "active weeks", False),
    ("months", "active months", False),
)
"""Measures of events: key, label, and whether they are of a property."""


def catalog_choices(catalog: Catalog) -> dict[str, Any]:
    """What may be named: fields with kinds, events, their properties, lists."""
    past = {name: column for table in catalog.history for name, column in table.fields.items()}
    fields = {**catalog.contacts.fields, **past}
    lists = (*catalog.frozen_names(), *((catalog.lists.observed or ()) if catalog.lists else ()))
    properties = {name: column for table in catalog.events for name, column in table.properties.items()}
    hidden = {name for table in catalog.events for name in (table.contact, table.event, table.id)}
    return {
        "fields": [_named(name, column, "field") for name, column in fields.items()]
        + [{"name": name, "kind": "number", "from": "calculated"} for name in catalog.calculated],
        "events": catalog.event_names(),
        "properties": [_named(name, column, "property") for name, column in properties.items() if name not in hidden],
        "lists": sorted(lists),
    }


def fixed_choices() -> dict[str, Any]:
    """What is the same for every catalog."""
    return {
        "operators": [choice.shown() for choice in CHOICES],
        "measures": [{"key": key, "label": label, "of": of} for key, label, of in MEASURES],
        "units": list(UNITS),
        "periods": list(PERIODS),
    }


def _named(name: str, column: Column, origin: str) -> dict[str, str]:
    return {"name": name, "kind": str(column.kind), "from": origin}
