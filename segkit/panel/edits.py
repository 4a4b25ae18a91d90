"""Every edit of the panel as a function from a draft to a draft: all of it happens, or an error says why none did.

A row is found by its path: the positions that lead to it from the outermost group, which is `()`. The browser makes the
same edits at once, so that they show while the kernel is busy; a test holds both to the same results.

>>> from segkit.panel.draft import OfField
>>> draft = add(Draft(), (), Rule("", OfField("opens"), "is_null"))
>>> draft = wrap(duplicate(draft, (0,)), (1,))
>>> [type(row).__name__ for row in draft.root.items], draft.root.items[1].items[0].subject.name
(['Rule', 'Group'], 'opens')
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from segkit.errors import DefinitionError
from segkit.nodes import MAX_DEPTH
from segkit.panel.draft import Draft, Group, Kept, Logic, OfEvents, Row, Rule, fresh_id

Path: TypeAlias = tuple[int, ...]


def add(draft: Draft, into: Path, row: Row, at: int | None = None) -> Draft:
    """A row more in a group, before the row at a position, or last. It gets ids of its own."""
    group = _group(draft, into)
    return _changed(draft, into, _with(group, at, _renumbered(row, int(fresh_id(draft.root)))))


def remove(draft: Draft, path: Path) -> Draft:
    """A row less."""
    above, at = _place(path)
    row_at(draft, path)
    group = _group(draft, above)
    return _changed(draft, above, replace(group, items=group.items[:at] + group.items[at + 1 :]))


def duplicate(draft: Draft, path: Path) -> Draft:
    """A row once more, right behind itself."""
    above, at = _place(path)
    return add(draft, above, row_at(draft, path), at + 1)


def move(draft: Draft, path: Path, into: Path, at: int) -> Draft:
    """A row somewhere else: in the group at `into`, before the row that is now at `at` there.

    Raises:
        DefinitionError: a group cannot stand in itself.
    """
    above, position = _place(path)
    row = row_at(draft, path)
    _group(draft, into)
    if into[: len(path)] == path:
        raise DefinitionError("a group cannot stand in itself", fix="move it to another place")
    if into == above and at > position:
        at -= 1
    if len(into) >= len(path) and into[: len(above)] == above and into[len(above)] > position:
        into = (*above, into[len(above)] - 1, *into[len(path) :])
    rest = remove(draft, path)
    return _changed(rest, into, _with(_group(rest, into), at, row), draft.revision + 1)


def nudge(draft: Draft, path: Path, up: bool) -> Draft:
    """A row one step up or down: past a condition, into a group, or out of the group at its end.

    Raises:
        DefinitionError: it is the first or the last of all.
    """
    above, at = _place(path)
    group = _group(draft, above)
    row_at(draft, path)
    beside = at - 1 if up else at + 1
    if 0 <= beside < len(group.items):
        neighbour = group.items[beside]
        if isinstance(neighbour, Group):
            return move(draft, path, (*above, beside), len(neighbour.items) if up else 0)
        return move(draft, path, above, beside if up else beside + 1)
    if not above:
        raise DefinitionError(f"the row is the {'first' if up else 'last'}", fix="move it the other way")
    return move(draft, path, above[:-1], above[-1] + (0 if up else 1))


def wrap(draft: Draft, path: Path) -> Draft:
    """A row in a group of its own."""
    row = row_at(draft, path)
    _place(path)
    return _changed(draft, path, Group(fresh_id(draft.root), items=(row,)))


def unwrap(draft: Draft, path: Path) -> Draft:
    """The rows of a group in its place.

    Raises:
        DefinitionError: the group is negated, so that its rows alone would mean something else.
    """
    above, at = _place(path)
    group = _group(draft, path)
    if group.negated:
        raise DefinitionError("the group is negated", fix="take its NOT away first")
    outer = _group(draft, above)
    rows = tuple(replace(row, muted=True) for row in group.items) if group.muted else group.items
    return _changed(draft, above, replace(outer, items=(*outer.items[:at], *rows, *outer.items[at + 1 :])))


def negate(draft: Draft, path: Path) -> Draft:
    """The complement of a row; of its complement the row again."""
    row = row_at(draft, path)
    return _changed(draft, path, replace(row, negated=not row.negated))


def mute(draft: Draft, path: Path) -> Draft:
    """A row left out, but kept in sight; or back in."""
    _place(path)
    row = row_at(draft, path)
    return _changed(draft, path, replace(row, muted=not row.muted))


def join(draft: Draft, path: Path, logic: Logic) -> Draft:
    """A group of which all rows, or at least one, must hold."""
    return _changed(draft, path, replace(_group(draft, path), logic=logic))


def change(draft: Draft, path: Path, **parts: Any) -> Draft:
    """Other parts of a condition: its subject, operator, values, span or ignore_case."""
    row = row_at(draft, path)
    if not isinstance(row, Rule):
        raise DefinitionError("only a condition has a subject and an operator", fix="choose a condition")
    if unknown := set(parts) - {"subject", "operator", "values", "span", "ignore_case"}:
        raise DefinitionError(f"a condition has no {', '.join(sorted(unknown))}", fix="change its subject, operator or values")
    return _changed(draft, path, replace(row, **parts))


def rename(draft: Draft, name: str, notes: str | None = None) -> Draft:
    """Another name, and other notes if any are given."""
    return replace(draft, name=name, notes=draft.notes if notes is None else notes, revision=draft.revision + 1)


EDITS: dict[str, Callable[..., Draft]] = {
    edit.__name__: edit for edit in (add, remove, duplicate, move, nudge, wrap, unwrap, negate, mute, join, change, rename)
}


# ---------------------------------------------------------------- finding and replacing


def row_at(draft: Draft, path: Path) -> Row:
    """The row at a path.

    Raises:
        DefinitionError: there is none.
    """
    row: Row = draft.root
    for depth, at in enumerate(path, start=1):
        if not isinstance(row, Group) or not 0 <= at < len(row.items):
            raise DefinitionError(f"there is no row at {path[:depth]}", fix="choose a row that is there")
        row = row.items[at]
    return row


def _group(draft: Draft, path: Path) -> Group:
    row = row_at(draft, path)
    if not isinstance(row, Group):
        raise DefinitionError(f"the row at {path} is no group", fix="choose a group")
    return row


def _place(path: Path) -> tuple[Path, int]:
    """The path of the group that holds a row, and its position there."""
    if not path:
        raise DefinitionError("the outermost group stays where it is", fix="choose a row inside of it")
    return path[:-1], path[-1]


def _with(group: Group, at: int | None, row: Row) -> Group:
    position = len(group.items) if at is None else at
    if not 0 <= position <= len(group.items):
        raise DefinitionError(f"there is no position {position}", fix=f"use 0 to {len(group.items)}")
    return replace(group, items=(*group.items[:position], row, *group.items[position:]))


def _changed(draft: Draft, path: Path, row: Row, revision: int | None = None) -> Draft:
    """The draft with another row at a path."""
    root = _put(draft.root, path, row)
    if _depth(root) > MAX_DEPTH // 2:
        raise DefinitionError("the groups are nested too deep", fix="save a part as a segment of its own, and refer to it")
    return replace(draft, root=root, revision=draft.revision + 1 if revision is None else revision)


def _put(row: Row, path: Path, new: Row) -> Any:
    if not path:
        return new
    assert isinstance(row, Group)
    at = path[0]
    return replace(row, items=(*row.items[:at], _put(row.items[at], path[1:], new), *row.items[at + 1 :]))


def _depth(row: Row) -> int:
    return 1 + max(map(_depth, row.items), default=0) if isinstance(row, Group) else 1


def _renumbered(row: Row, first: int) -> Row:
    """The row with ids from `first` on, for itself and all in it."""
    numbers = iter(range(first, first + 10**9))

    def own(row: Row) -> Any:
        renamed = replace(row, id=str(next(numbers)))
        match renamed:
            case Group():
                return replace(renamed, items=tuple(map(own, renamed.items)))
            case Rule(subject=OfEvents() as subject):
                return replace(renamed, subject=replace(subject, filter=tuple(map(own, subject.filter))))
            case Rule() | Kept():
                return renamed

    return own(row)  # type: ignore[no-any-return]
