"""What tells two definitions apart, or one definition at two instants: who came, who went, and which conditions moved them.

    old, new  ->  their conditions, negations at the single ones  ->  what was added and removed, and whether to an AND or an OR
              ->  who is in one only, and which conditions hold for them  ->  what of it accounts for that

A condition that is added to an OR or removed from an AND can only let contacts in; one that is added to an AND or removed from
an OR can only keep them out. What accounts for a definition that holds are all items of an AND, and those items of an OR that
hold; for one that does not hold those items of an AND that do not, and all items of an OR.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from segkit import metrics, nodes
from segkit.catalog import Kind
from segkit.compile import extent, moves
from segkit.compile.moves import KEY
from segkit.display import seen
from segkit.engines import Engine
from segkit.errors import DataError
from segkit.plan import Plan
from segkit.plan.tree import AllOf, Among, AnyOf, ColumnTerm, Complement, Condition, Constant
from segkit.rendering import render
from segkit.spelling import spell

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 5
"""How many contacts are named as examples of each reason."""
_LONGEST = 120
_KEYS_AT_ONCE = 5000


@dataclass(frozen=True)
class _Single:
    """A condition, or the negation of one."""

    node: nodes.Predicate
    condition: Condition
    negated: bool

    def text(self) -> str:
        """The condition in Python, with its negation."""
        return seen(spell(nodes.Not(self.node) if self.negated else self.node), _LONGEST)


@dataclass(frozen=True)
class _Group:
    """All (an AND) or one (an OR) of some must hold."""

    is_all: bool
    items: tuple[_Tree, ...]


_Tree: TypeAlias = "_Single | _Group"
_Key: TypeAlias = "tuple[Condition | nodes.Predicate, bool]"
Truths: TypeAlias = Mapping[Condition, bool]


def difference(engine: Engine, old: Plan, new: Plan) -> pd.DataFrame:
    """The contacts that are members of one of two plans only. `Workspace.diff` says what the columns mean.

    Raises:
        DataError: the counts contradict each other.
    """
    trees = tree_of(old.definition.where, old.where), tree_of(new.definition.where, new.where)
    moved = _Moved(engine, old, new, [_conditions(tree) for tree in trees])
    reason = Reasons(*trees, old.at == new.at)
    because = [reason.of(*truths) for truths in moved.truths]
    return _framed(moved, because, old, new)


def _framed(moved: _Moved, because: Sequence[str], old: Plan, new: Plan) -> pd.DataFrame:
    import pandas as pd

    key = new.catalog.contacts.key
    words = ["gained" if own else "lost" for own in moved.is_gained]
    frame = pd.DataFrame({key: moved.keys, "moved": pd.Series(words, dtype=str), "because": pd.Series(because, dtype=str)})
    frame = frame.sort_values("moved", kind="stable", ignore_index=True)
    gained, lost = words.count("gained"), words.count("lost")
    if moved.old_size - lost != moved.new_size - gained:
        raise DataError(
            f"{moved.old_size} less {lost} lost is not {moved.new_size} less {gained} gained",
            fix="ask again: the data changed meanwhile",
        )
    kept = moved.old_size - lost
    sizes = {"old_size": moved.old_size, "new_size": moved.new_size, "gained": gained, "lost": lost, "kept": kept}
    frame.attrs.update(old=metrics.label(old), new=metrics.label(new), **sizes)
    frame.attrs["same"] = not words
    frame.attrs["says"] = _said(sizes)
    frame.attrs["reasons"] = _reasons(frame, key)
    return frame


def _said(sizes: Mapping[str, int]) -> str:
    if not sizes["gained"] and not sizes["lost"]:
        return f"the same {sizes['kept']:,} members on this data"
    return f"{sizes['gained']:,} gained, {sizes['lost']:,} lost, {sizes['kept']:,} kept"


def _reasons(frame: pd.DataFrame, key: str) -> list[dict[str, Any]]:
    """How many contacts each reason moved, the commonest first, with the first few of them."""
    found = [
        {"moved": moved, "because": because, "contacts": len(own), "examples": own[key].head(EXAMPLES).tolist()}
        for (moved, because), own in frame.groupby(["moved", "because"], sort=True)
    ]
    return sorted(found, key=lambda own: -own["contacts"])


# ---------------------------------------------------------------- why


def tree_of(node: nodes.Predicate, condition: Condition, negated: bool = False) -> _Tree:
    """A definition with every negation at a single condition, and no AND in an AND or OR in an OR; everyone is an empty AND."""
    match node, condition:
        case nodes.Everyone(), _:
            return _Group(not negated, ())
        case (nodes.And(items), AllOf(own)) | (nodes.Or(items), AnyOf(own)):
            is_all = isinstance(node, nodes.And) != negated
            below = [tree_of(item, each, negated) for item, each in zip(items, own, strict=True)]
            parts = (each.items if isinstance(each, _Group) and each.is_all == is_all else (each,) for each in below)
            return _Group(is_all, tuple(chain.from_iterable(parts)))
        case nodes.Not(item), Complement(own):
            return tree_of(item, own, not negated)
        case _:
            return _Single(node, condition, negated)


def singles(tree: _Tree) -> Iterator[_Single]:
    match tree:
        case _Single():
            yield tree
        case _Group(_, items):
            for item in items:
                yield from singles(item)


def _conditions(tree: _Tree) -> list[Condition]:
    return list(dict.fromkeys(own.condition for own in singles(tree)))


def holds(tree: _Tree, truths: Truths) -> bool:
    """Whether a definition holds where its conditions do or do not."""
    match tree:
        case _Single(_, condition, negated):
            return truths[condition] != negated
        case _Group(is_all, items):
            return all(holds(own, truths) for own in items) if is_all else any(holds(own, truths) for own in items)


def accounting(tree: _Tree, truths: Truths) -> Iterator[_Single]:
    """The conditions without which the tree could hold or not hold otherwise."""
    match tree:
        case _Single():
            yield tree
        case _Group(is_all, items):
            whole = holds(tree, truths)
            for own in items:
                if whole == is_all or holds(own, truths) == whole:
                    yield from accounting(own, truths)


class Reasons:
    """Why a contact moved between two definitions, by the truth of their conditions; each case is thought of once.

    At one instant a condition is in both definitions if it asks the same, at two instants if it is written the same.
    """

    def __init__(self, old: _Tree, new: _Tree, same_moment: bool) -> None:
        self._old, self._new = old, new
        self._is_same_moment = same_moment
        self._in_old = {self._key(own): own for own in singles(old)}
        self._in_new = {self._key(own): own for own in singles(new)}
        self._told: dict[Any, str] = {}
        edits = _Edits(self._key)
        edits.between(old, new)
        self._removed, self._added = edits.removed, edits.added

    def of(self, old: Truths | None, new: Truths | None) -> str:
        """The reason, by what holds then and now; None where the contact did not exist."""
        if old is None or new is None:
            return "new contact" if old is None else "no contact yet"
        case = (*old.values(), *new.values())
        if case not in self._told:
            self._told[case] = self._reason(old, new)
        return self._told[case]

    def _reason(self, old: Truths, new: Truths) -> str:
        then, now = list(accounting(self._old, old)), list(accounting(self._new, new))
        is_gained = holds(self._new, new)
        removed = [own for own in then if (self._key(own), is_gained) in self._removed]
        added = [own for own in now if (self._key(own), not is_gained) in self._added]
        if not removed and not added:
            removed = [own for own in then if self._key(own) not in self._in_new]
            added = [own for own in now if self._key(own) not in self._in_old]
        words = [f"removed: {own.text()}" for own in removed] + [f"added: {own.text()}" for own in added]
        words += [f"became {'true' if is_gained else 'false'}: {own.text()}" for own in self._turned([*then, *now], old, new)]
        both = dict.fromkeys(own.text() for own in (*then, *now))
        return "; ".join(dict.fromkeys(words)) or f"combined otherwise: {', '.join(both)}"

    def _turned(self, accounting: Sequence[_Single], old: Truths, new: Truths) -> Iterator[_Single]:
        """The conditions of both definitions that hold at one instant only."""
        for key in dict.fromkeys(map(self._key, accounting)):
            if key in self._in_old and key in self._in_new:
                own = self._in_new[key]
                if holds(own, new) != holds(self._in_old[key], old):
                    yield own

    def _key(self, own: _Single) -> _Key:
        return (own.condition if self._is_same_moment else own.node, own.negated)


# ---------------------------------------------------------------- what was added and removed


class _Edits:
    """What leads from one tree to another: conditions added to and removed from an AND (with True) or an OR (with False)."""

    def __init__(self, key: Callable[[_Single], _Key]) -> None:
        self._key = key
        self.removed: set[tuple[_Key, bool]] = set()
        self.added: set[tuple[_Key, bool]] = set()

    def between(self, old: _Tree, new: _Tree) -> None:
        """A single condition is a group of one; a group inside of another is held beside one like it there."""
        match old, new:
            case _Single(), _Single():
                self._items((old,), (new,), True)
            case _Single(), _Group(is_all, items):
                self._items((old,), items, is_all)
            case _Group(is_all, items), _Single():
                self._items(items, (new,), is_all)
            case _Group(), _Group() if old.is_all == new.is_all:
                self._items(old.items, new.items, old.is_all)
            case _Group(), _Group() if not old.items or self._is_like_one_of(new, old.items):
                self._items(old.items, (new,), old.is_all)
            case _Group(), _Group() if not new.items or self._is_like_one_of(old, new.items):
                self._items((old,), new.items, new.is_all)

    def _items(self, olds: Sequence[_Tree], news: Sequence[_Tree], is_all: bool) -> None:
        shapes = {self._shape(own) for own in olds} & {self._shape(own) for own in news}
        rest, others = ([own for own in some if self._shape(own) not in shapes] for some in (olds, news))
        for own in list(rest):
            other = next((each for each in others if self._are_alike(own, each)), None)
            if other is not None:
                rest.remove(own)
                others.remove(other)
                self.between(own, other)
        self.removed |= {(self._key(single), is_all) for own in rest for single in singles(own)}
        self.added |= {(self._key(single), is_all) for own in others for single in singles(own)}

    def _are_alike(self, old: _Tree, new: _Tree) -> bool:
        match old, new:
            case _Group(), _Group():
                return old.is_all == new.is_all
            case (_Single() as own, _Group(_, items)) | (_Group(_, items), _Single() as own):
                return self._shape(own) in map(self._shape, items)
            case _:
                return False

    def _is_like_one_of(self, own: _Group, items: Sequence[_Tree]) -> bool:
        return any(self._are_alike(own, each) for each in items)

    def _shape(self, own: _Tree) -> Any:
        match own:
            case _Single():
                return self._key(own)
            case _Group(is_all, items):
                return (is_all, frozenset(map(self._shape, items)))


# ---------------------------------------------------------------- who


class _Moved:
    """Who moved, with the truth of the conditions of both definitions, and how many members each has."""

    def __init__(self, engine: Engine, old: Plan, new: Plan, conditions: Sequence[list[Condition]]) -> None:
        self._engine = engine
        wanted = list(dict.fromkeys(own for several in conditions for own in several))
        query = moves.moves(old, new, wanted)
        if old.at == new.at and engine.limits.allow(*extent(query)):
            self.old_size, self.new_size = (int(size) for size in metrics.sizes(engine, [old, new])["size"])
            frame = self._frame(query)
            self.keys: Any = frame[KEY]
            self.is_gained = [bool(own) for own in frame["is_new"]]
            found = [dict(zip(wanted, row, strict=True)) for row in _rows(frame, len(wanted))]
            self.truths: list[tuple[Truths | None, Truths | None]] = [
                tuple({own: bool(row[own]) for own in several} for several in conditions)  # type: ignore[misc]
                for row in found
            ]
        else:
            self._compare(old, new, conditions)

    def _compare(self, old: Plan, new: Plan, conditions: Sequence[list[Condition]]) -> None:
        """By the members of each, and then the truth of conditions for those who moved."""
        then, now = (metrics.members(self._engine, plan).iloc[:, 0] for plan in (old, new))
        import pandas as pd

        self.old_size, self.new_size = len(then), len(now)
        self.keys = pd.concat([now[~now.isin(then)], then[~then.isin(now)]], ignore_index=True)
        self.is_gained = [True] * int((~now.isin(then)).sum()) + [False] * int((~then.isin(now)).sum())
        sides = [self._truths(plan, several) for plan, several in zip((old, new), conditions, strict=True)]
        self.truths = [(sides[0].get(key), sides[1].get(key)) for key in self.keys.tolist()]

    def _truths(self, plan: Plan, wanted: list[Condition]) -> dict[Any, Truths]:
        """By their key, which conditions hold for those who moved and exist."""
        contacts = plan.catalog.contacts
        column = next((own for own in contacts.fields.values() if own.name == contacts.key), None)
        key = ColumnTerm(contacts.key, Kind.UNKNOWN if column is None else column.kind)
        keys = self.keys.tolist()
        found: dict[Any, Truths] = {}
        for begin in range(0, len(keys), _KEYS_AT_ONCE):
            of = Among(key, tuple(Constant(own, key.kind) for own in keys[begin : begin + _KEYS_AT_ONCE]))
            frames = list(self._asked(wanted, lambda some, of=of: moves.truths(plan, some, of)))  # type: ignore[misc]
            rows = zip(*(_rows(frame, len(some)) for some, frame in frames), strict=True)
            for own, parts in zip(frames[0][1][KEY].tolist(), rows, strict=True):
                found[own] = {each: bool(truth) for each, truth in zip(wanted, (t for part in parts for t in part), strict=True)}
        return found

    def _asked(
        self, wanted: list[Condition], write: Callable[[list[Condition]], Any]
    ) -> Iterator[tuple[list[Condition], pd.DataFrame]]:
        """The answers about some conditions: several queries where one would be too large."""
        query = write(wanted)
        if len(wanted) > 1 and not self._engine.limits.allow(*extent(query)):
            half = len(wanted) // 2
            yield from self._asked(wanted[:half], write)
            yield from self._asked(wanted[half:], write)
        else:
            yield wanted, self._frame(query)

    def _frame(self, query: Any) -> pd.DataFrame:
        return self._engine.frame(render(query, self._engine.renders_as))


def _rows(frame: pd.DataFrame, count: int) -> Iterator[tuple[Any, ...]]:
    """The truths of each contact, in the order of the conditions."""
    if not count:
        return iter([()] * len(frame))
    return zip(*(frame[f"is_{i}"].tolist() for i in range(count)), strict=True)
