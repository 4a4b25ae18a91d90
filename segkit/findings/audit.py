"""What is wrong with a set of segments: each by itself, each beside the others, and what they name.

    definitions  ->  resolved at some moments, each by itself  ->  what follows from the conditions  ->  findings
                                                              ->  sizes and overlaps, in one query where there is data

A definition that is refused is a finding, and hides none of the others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

from segkit import metrics, nodes
from segkit.catalog import Catalog
from segkit.display import number, percent, seen
from segkit.engines import Engine
from segkit.errors import DefinitionError, UnknownName
from segkit.findings.effects import effects
from segkit.findings.finding import Finding, Severity
from segkit.findings.logic import Segments, always, implies, never, segments_of, subjects
from segkit.findings.places import levels, node_at, root
from segkit.measures.overlap import overlap
from segkit.measures.waterfall import told
from segkit.plan import Moment, Plan, plan
from segkit.plan.tree import AllOf, Condition
from segkit.spelling import spell

_OTHER_MOMENTS = ((97, 3), (211, 7))
"""How many days and hours later conditions are looked at again, so that no claim hangs on where today lies."""
_LISTED, _NAMED = 10, 3


@dataclass(frozen=True)
class Limits:
    """From where on advice is given.

    Attributes:
        conditions: the most conditions of a segment.
        levels: the most groups of conditions in each other.
        smallest: the fewest members of a segment.
        overlap: the largest share that two segments have in common of those in at least one of them.
    """

    conditions: int = 20
    levels: int = 5
    smallest: int = 30
    overlap: float = 0.9

    def __post_init__(self) -> None:
        for name in ("conditions", "levels", "smallest"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise DefinitionError(f"{name}={value!r:.40}", fix=f"pass a whole number, such as {name}=20")
        if isinstance(self.overlap, bool) or not isinstance(self.overlap, int | float) or not 0 < self.overlap <= 1:
            raise DefinitionError(f"overlap={self.overlap!r:.40}", fix="pass a share above 0 and up to 1, such as 0.9")


@dataclass(frozen=True)
class Resolved:
    """A definition and its plans, the first at the instant of the audit; none where it is refused."""

    label: str
    definition: nodes.Definition
    plans: tuple[Plan, ...] = ()
    refused: DefinitionError | None = None


def resolve(
    definitions: Iterable[nodes.Definition], catalog: Catalog, at: Moment, known: Mapping[str, nodes.Predicate]
) -> list[Resolved]:
    """Definitions beside their plans. `known` are the segments that they may refer to, by name."""
    return [_resolved(own, catalog, at, known) for own in definitions]


def _resolved(own: nodes.Definition, catalog: Catalog, at: Moment, known: Mapping[str, nodes.Predicate]) -> Resolved:
    try:
        first = plan(own, catalog, at, known)
    except DefinitionError as error:
        return Resolved(own.name or seen(spell(own.where), 80), own, refused=error)
    plans = [first]
    for days, hours in _OTHER_MOMENTS:
        later = Moment(at.as_of + dt.timedelta(days=days, hours=hours), at.zone)
        try:
            plans.append(plan(own, catalog, later, known))
        except DefinitionError:
            break
    return Resolved(metrics.label(first), own, tuple(plans))


def findings(given: Sequence[Resolved], limits: Limits, engine: Engine | None = None) -> Iterator[Finding]:
    """What is wrong with each segment, and with two of them; what the data says where there is an engine.

    Raises:
        DefinitionError: there are too many segments to be counted together.
    """
    sound = [own for own in given if own.refused is None]
    refused = [own.definition.name for own in given if own.refused is not None]
    for own in given:
        yield from _of_names(own)
        if own.refused is not None:
            yield _of_refusal(own, own.refused, refused)
            continue
        yield from _of_shape(own, limits)
        yield from effects(own.label, own.plans)
    counted = _Counted.of(engine, sound) if engine is not None and sound else None
    within = _within(sound, counted)
    same = list(_duplicates(sound, within))
    twins = {(a, b) for a, b, _ in same}
    yield from (finding for _, _, finding in same)
    yield from _contained(sound, within, {b for _, b in twins}, counted)
    if counted is not None:
        yield from _of_sizes(sound, counted, limits)
        yield from _of_overlap(sound, counted, limits, twins)


# ---------------------------------------------------------------- one segment


def _about(own: Resolved, kind: str, severity: Severity, what: str, evidence: str, fix: str) -> Finding:
    return Finding(own.label, kind, severity, "", "", what, evidence, fix)


def _of_names(own: Resolved) -> Iterator[Finding]:
    about = {"name": own.definition.name, "notes": own.definition.notes, "owner": own.definition.owner}
    lacking = [word for word, value in about.items() if not (value or "").strip()]
    if lacking:
        what = "it has " + " and ".join(f"no {word}" for word in lacking)
        evidence = f"{', '.join(lacking)}: empty"
        yield _about(own, "undocumented", Severity.ADVICE, what, evidence, "say what it is for, and who answers for it")


def _of_refusal(own: Resolved, error: DefinitionError, refused: Sequence[str | None]) -> Finding:
    through = [name for name in _referred(own.definition.where) if name in refused and name != own.definition.name]
    if through:
        what, kind = f"it refers to {through[0]!r:.80}, which cannot be used", "missing reference"
    else:
        what = error.what
        kind = "unknown name" if isinstance(error, UnknownName) else "unfit condition"
        kind = "missing reference" if what.startswith(_REFERENCES) else kind
    evidence = f"the definition is refused: {seen(error.what, 160)}" if through else "the definition is refused"
    path, node = node_at(own.definition.where, error.where.removeprefix("$."))
    fix = error.fix or "correct the definition"
    return Finding(own.label, kind, Severity.ERROR, path, told(node), what, evidence, fix)


_REFERENCES = ("unknown segment", "unknown list", "no lists are known")


def _of_shape(own: Resolved, limits: Limits) -> Iterator[Finding]:
    place = root(own.plans[:1])
    conditions, deep = sum(1 for _ in place.leaves()), levels(place)
    fix = "name a part as a segment of its own, and refer to it"
    if conditions > limits.conditions:
        what = f"it has more than {number(limits.conditions)} conditions"
        yield _about(own, "many conditions", Severity.ADVICE, what, f"{number(conditions)} conditions", fix)
    if deep > limits.levels:
        what = f"its conditions are more than {limits.levels} levels deep"
        yield _about(own, "deep conditions", Severity.ADVICE, what, f"{deep} levels", fix)


# ---------------------------------------------------------------- one beside another


@dataclass(frozen=True)
class _Counted:
    """The size of each segment, of each two together, and of everyone."""

    everyone: int
    sizes: Sequence[int]
    both: Mapping[tuple[int, int], int]

    @classmethod
    def of(cls, engine: Engine, own: Sequence[Resolved]) -> _Counted:
        first = own[0].plans[0]
        everyone = plan(nodes.Definition(None, nodes.Everyone()), first.catalog, first.at)
        plans = [*(each.plans[0] for each in own), everyone]
        frame = overlap(engine, plans)
        pairs = dict(
            zip(combinations(range(len(plans)), 2), zip(*(frame[name].tolist() for name in _SIZES), strict=True), strict=True)
        )
        last = len(own)
        sizes = [pairs[i, last][0] for i in range(last)]
        return cls(pairs[0, last][1], sizes, {pair: each[2] for pair, each in pairs.items()})

    def told(self, i: int) -> str:
        return f"{number(self.sizes[i])} of {number(self.everyone)} contacts are members"

    def jaccard(self, i: int, j: int) -> float:
        either = self.sizes[i] + self.sizes[j] - self.both[i, j]
        return self.both[i, j] / either if either else 0.0


_SIZES = ("size_a", "size_b", "both")


@dataclass(frozen=True)
class _Meant:
    """What a segment means at each moment, with the segments that it refers to.

    `about` is what each of its conditions that must hold is about; nothing, where nobody or everyone meets it.
    """

    plans: tuple[Plan, ...]
    segments: tuple[Segments, ...]
    about: tuple[frozenset[object], ...]
    anything: frozenset[object]

    @classmethod
    def of(cls, own: Resolved) -> _Meant:
        segments = tuple(segments_of([each]) for each in own.plans)
        first = own.plans[0].where
        if never(first, segments[0]) or always(first, segments[0]):
            return cls(own.plans, segments, (), frozenset())
        needed = [each for each in _needed(first) if not always(each, segments[0])]
        about = tuple(subjects(each, segments[0]) for each in needed)
        return cls(own.plans, segments, about, frozenset().union(*about))

    def is_within(self, other: _Meant) -> bool:
        """Whether its members are members of the other one at each moment, whatever the data."""
        if not self.about or not other.about or len(self.plans) != len(other.plans):
            return False
        return all(self.anything & own for own in other.about) and all(
            implies(a.where, b.where, {**known, **others})
            for a, b, known, others in zip(self.plans, other.plans, self.segments, other.segments, strict=True)
        )


def _needed(condition: Condition) -> Iterator[Condition]:
    """The conditions that all must hold."""
    if isinstance(condition, AllOf):
        for item in condition.items:
            yield from _needed(item)
    else:
        yield condition


def _within(own: Sequence[Resolved], counted: _Counted | None) -> set[tuple[int, int]]:
    """The pairs of which the members of the one are members of the other, whatever the data."""
    meant = [_Meant.of(each) for each in own]
    pairs = permutations(range(len(own)), 2)
    return {(i, j) for i, j in pairs if _may_be_within(i, j, counted) and meant[i].is_within(meant[j])}


def _may_be_within(i: int, j: int, counted: _Counted | None) -> bool:
    return counted is None or counted.both[min(i, j), max(i, j)] == counted.sizes[i]


def _duplicates(own: Sequence[Resolved], within: set[tuple[int, int]]) -> Iterator[tuple[int, int, Finding]]:
    """Segments that mean the same as an earlier one."""
    taken: set[int] = set()
    for i, j in combinations(range(len(own)), 2):
        if i in taken or j in taken:
            continue
        is_equal = own[i].plans[0].where == own[j].plans[0].where
        if is_equal or {(i, j), (j, i)} <= within:
            taken.add(j)
            what = f"it means the same as {own[i].label!r}"
            evidence = "their conditions are the same" if is_equal else "each follows from the other, whatever the data"
            yield i, j, _about(own[j], "duplicate", Severity.WARNING, what, evidence, "keep one of them")


def _contained(
    own: Sequence[Resolved], within: set[tuple[int, int]], taken: set[int], counted: _Counted | None
) -> Iterator[Finding]:
    """Segments whose members are all members of others: the next larger ones, unless one is built upon the other."""
    names = [_referred(each.definition.where) for each in own]
    left = [i for i in range(len(own)) if i not in taken]
    above = {i: [j for j in left if (i, j) in within] for i in left}
    for i, larger in above.items():
        nearest = [j for j in larger if not any((k, j) in within for k in larger if k != j)]
        apart = [j for j in nearest if own[j].definition.name not in names[i] and own[i].definition.name not in names[j]]
        if apart:
            others = f" and of {number(len(apart) - _NAMED)} more" if len(apart) > _NAMED else ""
            what = f"all of its members are members of {' and of '.join(repr(own[j].label) for j in apart[:_NAMED])}{others}"
            evidence = "it follows from the conditions, whatever the data"
            if counted is not None:
                sizes = " and ".join(number(counted.sizes[j]) for j in apart[:_NAMED])
                evidence += f": {number(counted.sizes[i])} of {sizes}"
            yield _about(own[i], "contained", Severity.ADVICE, what, evidence, "see that nobody is written to twice")


def _of_sizes(own: Sequence[Resolved], counted: _Counted, limits: Limits) -> Iterator[Finding]:
    for i, each in enumerate(own):
        size, evidence = counted.sizes[i], counted.told(i)
        first = each.plans[0]
        known = segments_of([first])
        if size == 0:
            if not never(first.where, known):
                what = "nobody is a member"
                yield _about(each, "nobody", Severity.WARNING, what, evidence, "look what keeps all out: ws.waterfall(segment)")
        elif size == counted.everyone:
            if not always(first.where, known):
                yield _of_everyone(each, evidence)
        elif size < limits.smallest:
            what = f"it has fewer than {number(limits.smallest)} members"
            yield _about(each, "small", Severity.ADVICE, what, evidence, "loosen a condition, or join it with another segment")


def _of_everyone(own: Resolved, evidence: str) -> Finding:
    first = own.plans[0]
    if first.fields or first.features or first.lists or first.parts:
        fix = "look what lets all in: ws.waterfall(segment)"
        return _about(own, "everyone", Severity.WARNING, "everyone is a member", evidence, fix)
    what = "everyone is a member: the date alone decides"
    return _about(own, "everyone", Severity.ADVICE, what, evidence, "add a condition on the contact if one is meant")


def _of_overlap(own: Sequence[Resolved], counted: _Counted, limits: Limits, twins: set[tuple[int, int]]) -> Iterator[Finding]:
    for i, j in combinations(range(len(own)), 2):
        share = counted.jaccard(i, j)
        if (i, j) in twins or share < limits.overlap or counted.everyone in (counted.sizes[i], counted.sizes[j]):
            continue
        evidence = (
            f"{number(counted.both[i, j])} contacts are in both of {number(counted.sizes[j])} and {number(counted.sizes[i])}: "
            f"{percent(share)} of those in one of them"
        )
        if share == 1:
            what, severity = f"it has the same members as {own[i].label!r} in this data", Severity.WARNING
        else:
            what, severity = f"it has nearly the same members as {own[i].label!r}", Severity.ADVICE
        yield _about(own[j], "overlap", severity, what, evidence, "keep one of them, or tell them apart")


# ---------------------------------------------------------------- what they name


def unused(given: Sequence[Resolved], catalog: Catalog, known: Mapping[str, nodes.Predicate]) -> Iterator[Finding]:
    """What there is but none of the segments uses: other segments, lists, calculated fields."""
    names = _Names.of([own.definition.where for own in given], catalog, known)
    audited = {own.definition.name for own in given}
    lists = () if catalog.lists is None else catalog.lists.observed or ()
    for what, whole, used in (
        ("segments", [name for name in known if name not in audited], names.groups),
        ("lists", [*lists, *catalog.frozen_names()], names.groups),
        ("calculated fields", list(catalog.calculated), names.fields),
    ):
        left = [name for name in whole if name.casefold() not in used]
        if left:
            shown = ", ".join(seen(name, 60) for name in left[:_LISTED]) + (", ..." if len(left) > _LISTED else "")
            fix = "remove what nobody needs, or audit what needs it, too"
            text = f"{number(len(left))} of {number(len(whole))} {what} are used by none of these segments"
            yield Finding("", f"unused {what}", Severity.ADVICE, "", "", text, shown, fix)


@dataclass(frozen=True)
class _Names:
    """The names of lists and segments, and of fields, that definitions need, those of what they refer to included."""

    groups: set[str]
    fields: set[str]

    @classmethod
    def of(cls, definitions: Iterable[nodes.Node], catalog: Catalog, known: Mapping[str, nodes.Predicate]) -> _Names:
        own = cls(set(), set())
        formulas: dict[str, nodes.Node | str] = {name.casefold(): value for name, value in catalog.calculated.items()}
        segments: dict[str, nodes.Node | str] = {name.casefold(): node for name, node in known.items()}
        todo = list(definitions)
        while todo:
            for level in nodes.levels(todo.pop()):
                for node in level:
                    match node:
                        case nodes.InSegment(name) | nodes.InGroup(name) | nodes.InList(name):
                            place, source = own.groups, segments
                        case nodes.Field(name) | nodes.Word(name):
                            place, source = own.fields, formulas
                        case _:
                            continue
                    folded = name.casefold()
                    if folded not in place:
                        place.add(folded)
                        if folded in source:
                            todo.append(_node(source[folded]))
        return own


def _node(own: nodes.Node | str) -> nodes.Node:
    if not isinstance(own, str):
        return own
    from segkit.language import formula  # its parser is loaded where there is text to read

    try:
        return formula(own)
    except DefinitionError:
        return nodes.Everyone()


def _referred(where: nodes.Predicate) -> list[str]:
    """The names of the segments or lists that a definition refers to."""
    found = (node for level in nodes.levels(where) for node in level)
    return [node.name for node in found if isinstance(node, nodes.InSegment | nodes.InGroup)]
