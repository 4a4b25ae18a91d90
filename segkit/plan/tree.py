"""The resolved definition: every name is a column or a feature, every relative date a constant.

What `plan` makes and the two meanings (`evaluate`, `compile`) read. A term has a value, maybe missing; a condition is
true or false. A timestamp constant is an instant in UTC; `clock` says how a timestamp column is written: the zone of
a column without zone, None for one that holds instants.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal as OneOfThese
from typing import TypeAlias

from segkit.catalog import Kind
from segkit.nodes import Aggregate, DatePart, During, FunctionName, Measure, Scalar, TextCheck

# ---------------------------------------------------------------- terms


@dataclass(frozen=True, slots=True)
class Constant:
    value: Scalar
    kind: Kind
    clock: None = None


@dataclass(frozen=True, slots=True)
class ColumnTerm:
    """A column of the row at hand: of the contact, or of the event inside a feature's filter."""

    name: str
    kind: Kind
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class PastColumn:
    """A column of the row of a table of history (by its position in the catalog) that is valid at the moment."""

    table: int
    name: str
    kind: Kind
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class ElementTerm:
    """The element of an array that is being looked at."""


@dataclass(frozen=True, slots=True)
class JsonTerm:
    """A property inside a JSON column or an element (with no path: the element), read as the kind that its use asks for."""

    column: ColumnTerm | PastColumn | ElementTerm
    path: tuple[str | int, ...]
    kind: Kind = Kind.UNKNOWN
    clock: None = None


@dataclass(frozen=True, slots=True)
class ElementCount:
    """How many elements of an array inside a JSON column meet a condition on them; missing where there is no array."""

    column: ColumnTerm | PastColumn
    path: tuple[str | int, ...]
    where: Condition | None
    kind: Kind = Kind.INTEGER
    clock: None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A contact's standing in a rank: its place from 1, how many there are in all, or its group (`tile`)."""

    rank: Rank
    what: OneOfThese["place", "total", "tile"]
    kind: Kind = Kind.INTEGER
    clock: None = None


@dataclass(frozen=True, slots=True)
class FeatureTerm:
    """The outcome of a feature for the contact at hand."""

    feature: Feature
    kind: Kind
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Calculation:
    """Numbers combined; missing if one is missing, or on division by zero."""

    op: OneOfThese["+", "-", "*", "/"]
    left: Term
    right: Term
    kind: Kind
    clock: None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """A function of values; `digits` is what `round` rounds to."""

    function: FunctionName
    arguments: tuple[Term, ...]
    kind: Kind
    clock: str | None = None
    digits: int = 0


@dataclass(frozen=True, slots=True)
class DayCount:
    """Whole days from one date to a later one."""

    later: Term
    earlier: Term
    kind: Kind = Kind.INTEGER
    clock: None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A date moved by days or months, or a timestamp moved by minutes or months; months clip to the month's end."""

    moment: Term
    amount: int
    unit: OneOfThese["minutes", "days", "months"]
    kind: Kind
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A timestamp on the wall clock of a zone."""

    moment: Term
    zone: str
    kind: Kind = Kind.TIMESTAMP

    @property
    def clock(self) -> str:
        return self.zone


@dataclass(frozen=True, slots=True)
class LocalDate:
    """The date a timestamp has on the wall clock of a zone."""

    moment: Term
    zone: str
    kind: Kind = Kind.DATE
    clock: None = None


@dataclass(frozen=True, slots=True)
class Midnight:
    """The beginning of a date, on the wall clock of a zone."""

    date: Term
    zone: str
    kind: Kind = Kind.TIMESTAMP

    @property
    def clock(self) -> str:
        return self.zone


@dataclass(frozen=True, slots=True)
class PartOf:
    """A number out of a date or of a local time."""

    part: DatePart
    moment: Term
    kind: Kind = Kind.INTEGER
    clock: None = None


Term: TypeAlias = (
    Constant | ColumnTerm | PastColumn | JsonTerm | ElementCount | FeatureTerm | Standing | Calculation | Applied | DayCount
    | Moved | LocalTime | LocalDate | Midnight | PartOf
)  # fmt: skip

# ---------------------------------------------------------------- conditions


@dataclass(frozen=True, slots=True)
class Always:
    truth: bool


@dataclass(frozen=True, slots=True)
class AllOf:
    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Complement:
    item: Condition


@dataclass(frozen=True, slots=True)
class Comparison:
    op: OneOfThese["==", "<", "<=", ">", ">="]
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Among:
    term: Term
    options: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class TextSearch:
    test: TextCheck
    term: Term
    text: str | Term
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class IsMissing:
    term: Term


@dataclass(frozen=True, slots=True)
class OnList:
    name: str


@dataclass(frozen=True, slots=True)
class Reference:
    """In a segment of that name, whose condition is one of the plan's parts."""

    name: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """The first 8 hex digits of the MD5 of seed, colon and contact key are a number below `below`."""

    seed: str
    below: int


@dataclass(frozen=True, slots=True)
class Raw:
    """A condition in SQL of a dialect."""

    sql: str
    dialect: str


Condition: TypeAlias = (
    Always | AllOf | AnyOf | Complement | Comparison | Among | TextSearch | IsMissing | OnList | Reference | Drawn | Raw
)

# ---------------------------------------------------------------- parts: computed once, before the conditions that need them


@dataclass(frozen=True, slots=True)
class Rank:
    """The contacts of a population in the order of a value (equal ones by key), in `tiles` groups if asked for."""

    value: Term
    of: Condition | None
    highest_first: bool
    tiles: int | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """The condition of a segment that is referred to."""

    name: str
    where: Condition


Part: TypeAlias = Rank | Named

# ---------------------------------------------------------------- features


@dataclass(frozen=True, slots=True)
class Bounds:
    """From `low` to `high`, either of which may be open (None) and may itself be in or out."""

    low: dt.datetime | dt.date | None = None
    low_in: bool = False
    high: dt.datetime | dt.date | None = None
    high_in: bool = True


Spanned: TypeAlias = During | Aggregate
"""What of a definition has a relative date."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One distinct aggregate over events, shared by all conditions that need it.

    `tables` are positions in the catalog's event tables; `event` None is any event; `of` is the property measured;
    `zone` is where a day begins for the measures that count days, weeks and months; with `then` only events count that
    another one follows; `nth` of the measure `last` is the time of the second newest event, the third newest and so on.
    """

    tables: tuple[int, ...]
    event: str | None
    time: ColumnTerm
    where: Condition | None
    bounds: Bounds
    measure: Measure
    of: ColumnTerm | None
    zone: str
    then: Following | None = None
    nth: int = 1


@dataclass(frozen=True, slots=True)
class Following:
    """The event that must follow: strictly later, and at most so many minutes later (days, where times are dates)."""

    event: Feature
    length: int | None


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant of an evaluation and the zone it is read in."""

    as_of: dt.datetime
    zone: str
