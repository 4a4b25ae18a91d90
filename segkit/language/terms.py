"""What the parser hands up, piece by piece, before it is settled what a piece is.

`opened` may be a field, an event or a word for either; `5 emails` a number with a noun, `30 days` a length. The parts
around a term decide (`meaning`). A term knows where it begins in the text, for errors, and how deep it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal as OneOfThese
from typing import TypeAlias, TypeVar

from segkit import nodes
from segkit.errors import DefinitionError, SegkitError

_Made = TypeVar("_Made")
_DEEPEST = 2 * nodes.MAX_DEPTH
"""Where reading stops; what is a little less deep is measured exactly once it is read."""

TWO_CONDITIONS = (
    "two conditions with no AND or OR between them",
    "write AND or OR between them; a name with a blank stands in backticks: `Total Spent`",
)


class Refusal(SegkitError):
    """What a text may not say, at a position of it. `faults.located` makes the error that people see of it."""

    def __init__(self, at: int, what: str, fix: str) -> None:
        super().__init__(what, fix=fix)
        self.at = at


@dataclass(frozen=True, slots=True)
class Term:
    """Base of all terms: the position of its first character, and its depth, never more than that of its nodes."""

    at: int
    depth: int = field(default=1, kw_only=True)


@dataclass(frozen=True, slots=True)
class Name(Term):
    """A bare name, or one in backticks (`quoted`), on a line of the text."""

    text: str
    quoted: bool = False
    line: int = 1


@dataclass(frozen=True, slots=True)
class Text(Term):
    """Text in quotes, with no word before it that says of what kind it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Number(Term):
    """A number; `grouped` if it holds a comma."""

    value: int | float | Decimal
    grouped: bool = False


@dataclass(frozen=True, slots=True)
class Quantity(Term):
    """A number and the word behind it: `30 days`, `5 emails`."""

    amount: int | float
    word: str


@dataclass(frozen=True, slots=True)
class Age(Term):
    """A quantity `ago`."""

    length: Quantity


@dataclass(frozen=True, slots=True)
class Value(Term):
    """What is a value for sure."""

    node: nodes.Value


@dataclass(frozen=True, slots=True)
class Yearly(Term):
    """The anniversary of a date: half of a condition."""

    of: nodes.Value


@dataclass(frozen=True, slots=True)
class Measured(Term):
    """`purchased sum(amount)`: a measure of an event in a sentence."""

    name: Name
    measure: nodes.Measure
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Owned(Term):
    """`amount OF purchased`: properties or a noun of what follows."""

    names: tuple[str, ...]
    owner: Term


@dataclass(frozen=True, slots=True)
class Stretch(Term):
    """A span of time: `in last 30 days`."""

    span: nodes.Span


@dataclass(frozen=True, slots=True)
class Where(Term):
    """A filter on events."""

    node: nodes.Predicate


@dataclass(frozen=True, slots=True)
class Rank(Term):
    """The highest so many, or so many percent, of a population."""

    n: int | None
    percent: int | float | Decimal | None
    of: nodes.Predicate | None = None


@dataclass(frozen=True, slots=True)
class Condition(Term):
    """What is a condition for sure."""

    node: nodes.Predicate


Operator: TypeAlias = (
    nodes.TextCheck | OneOfThese["=", "<", "<=", ">", ">=", "between", "in", "null", "during", "on", "top", "then"]
)


@dataclass(frozen=True, slots=True)
class Test(Term):
    """A left side, an operator and the rest: a condition whose left side may still turn out to be an event."""

    left: Term
    operator: Operator
    others: tuple[Term, ...] = ()
    negated: bool = False
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Told(Term):
    """A sentence about events: what is counted, then windows and filters."""

    subject: Term
    tails: tuple[Stretch | Where, ...]


def deeper(at: int, *terms: Term) -> int:
    """The depth of what holds `terms`, refused when no definition may be that deep."""
    depth = 1 + max((term.depth for term in terms), default=0)
    if depth > _DEEPEST:
        fix = "name a part as a segment of its own, and refer to it"
        raise Refusal(at, f"the definition is more than {nodes.MAX_DEPTH} levels deep", fix)
    return depth


def made(at: int, make: Callable[..., _Made], *arguments: object) -> _Made:
    """`make(*arguments)`, whose refusal then has a position."""
    try:
        return make(*arguments)
    except DefinitionError as error:
        raise Refusal(at, error.what, error.fix) from None
