"""Static lists that segkit keeps itself: the members of a segment at one instant, never evaluated again.

A list is a file of lines: the first says what the list is, each further one is a contact key, in JSON, so that numbers
stay numbers and any text stays what it is. The lists that a question names are handed to the engine as a temporary
table, where they stand beside the lists of the connection's own table.
"""

from __future__ import annotations

import datetime as dt
import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segkit import display, documents, nodes, store, views
from segkit.builder import Predicate, in_list
from segkit.catalog import Catalog, Kind, ListTable
from segkit.engines import Engine
from segkit.errors import DataError, DefinitionError, SegkitError, SegkitWarning, unknown
from segkit.segment import Audience

ENDING = ".jsonl"
TABLE = "segkit_lists"
_HEADER = ("segkit", "list", "as_of", "key", "size")


@dataclass(frozen=True)
class StaticList(Audience):
    """A list made by `Workspace.freeze`; it combines with segments and conditions like one of them.

    `size` is how many contacts it holds, `as_of` the instant of their membership, `key` the column of their keys.

    >>> from segkit import F
    >>> vip = StaticList("VIP", 2, dt.datetime(2025, 11, 30, tzinfo=dt.UTC), "contact_id")
    >>> vip - (F.country == "USA")
    Segment(None, in_list('VIP') & (F.country != 'USA'))
    """

    name: str
    size: int
    as_of: dt.datetime
    key: str

    @property
    def where(self) -> Predicate:
        """Being on the list, as a predicate."""
        return in_list(self.name)

    def _repr_html_(self) -> str:
        return display.html(views.static_list(self.name, self.size, self.as_of))


# ---------------------------------------------------------------- files


def write(folder: Path, own: StaticList, keys: list[Any]) -> None:
    """Writes a list; the file is whole or not there.

    Raises:
        DefinitionError: another connection has frozen a list of that name.
        DataError: a key is neither a whole number nor text.
        SegkitError: the folder cannot be written to.
    """
    path = _path(folder, own.name)
    if path.exists():
        raise DefinitionError(f"there is a list {own.name!r:.80} ({path})", fix="connect again to see it, or choose another name")
    plain = [key if isinstance(key, int | str) and not isinstance(key, bool) else _plain(key, own) for key in keys]
    header = {"segkit": 1, "list": own.name, "as_of": own.as_of.isoformat(), "key": own.key, "size": len(plain)}
    body = json.dumps(plain, separators=("\n", ":"))[1:-1]
    store.write(path, f"{json.dumps(header)}\n{body}\n")


def _plain(key: object, own: StaticList) -> str:
    from uuid import UUID

    if isinstance(key, UUID):
        return str(key)
    raise DataError(
        f"the key {key!r:.60} of {own.key} is a {type(key).__name__}", fix="freeze contacts whose key is text or a whole number"
    )


def read(path: Path) -> StaticList:
    """What a file says of its list, without its members."""
    try:
        with path.open("rb") as file:
            header = documents.parsed(file.readline(100_000))
    except OSError as error:
        raise DefinitionError(f"the file cannot be read: {error.strerror}", fix="check its permissions") from None
    if not isinstance(header, Mapping):
        raise DefinitionError("the first line says nothing of a list", fix="freeze the list again")
    documents.only_keys(header, _HEADER)
    match header:
        case {"segkit": 1, "list": str(name), "as_of": str(as_of), "key": str(key), "size": int(size)}:
            return StaticList(nodes.checked_name(name, "list name"), size, _instant(as_of), key)
    raise DefinitionError("the first line does not say all of a list", fix="freeze the list again")


def _instant(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise DefinitionError(f"as_of {text!r:.60} is no instant", fix="freeze the list again") from None


def frozen(folder: Path) -> dict[str, StaticList]:
    """The lists of a folder by their names; a file that cannot be read is warned of, and left out."""
    paths = sorted(folder.glob(f"[!.]*{ENDING}"))
    found, refused = store.tried(((path, path) for path in paths), read)
    if refused:
        warnings.warn("left out of the frozen lists:\n  " + "\n  ".join(refused), SegkitWarning, stacklevel=4)
    return {own.name: own for own in found}


def keys(folder: Path, own: StaticList) -> list[Any]:
    """The members' keys.

    Raises:
        DataError: the file is not what was written.
    """
    path = _path(folder, own.name)
    try:
        body = path.read_text(encoding="utf-8").split("\n", 1)[1].rstrip("\n")
        found: list[Any] = json.loads(f"[{body.replace(chr(10), ',')}]")
    except (OSError, ValueError, IndexError, RecursionError) as error:
        raise DataError(f"the list {own.name!r:.80} cannot be read: {error}", fix=f"freeze it again ({path})") from None
    if len(found) != own.size or {type(key) for key in found} not in ({int}, {str}, set()):
        raise DataError(
            f"the list {own.name!r:.80} holds {len(found):,} keys, not {own.size:,} of one kind", fix=f"freeze it again ({path})"
        )
    return found


def remove(folder: Path, name: str) -> None:
    """Removes the file of a list.

    Raises:
        SegkitError: the file cannot be removed.
    """
    path = _path(folder, name)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise SegkitError(f"cannot remove {path}: {error.strerror}", fix="check the folder: its permissions") from None


def _path(folder: Path, name: str) -> Path:
    return folder / f"{store.file_name(name)}{ENDING}"


# ---------------------------------------------------------------- tables


def free_name(name: str, catalog: Catalog) -> str:
    """`name`, if no list bears it, in any case of letters.

    Raises:
        DefinitionError: a list of that name exists.
    """
    nodes.checked_name(name, "list name")
    own = catalog.lists.observed or () if catalog.lists is not None else ()
    for other in (*catalog.frozen_names(), *own):
        if other.casefold() == name.casefold():
            is_frozen = other in catalog.frozen_names()
            fix = f"ws.unfreeze({other!r:.80}) first, or choose another name" if is_frozen else "choose another name"
            raise DefinitionError(f"there is a list {other!r:.80}", fix=fix)
    return name


def known(frozen: Mapping[str, StaticList], name: str) -> StaticList:
    """The frozen list of that name."""
    if name not in frozen:
        raise unknown("frozen list", name, frozen)
    return frozen[name]


def _table_name(engine: Engine, catalog: Catalog) -> str:
    """The name of the temporary table: that of the one in use, else one that no table of the connection has."""
    if catalog.frozen is not None:
        return catalog.frozen.table.rsplit(".", 1)[-1]
    taken = {name.rsplit(".", 1)[-1].casefold() for name in engine.tables()}
    return next(name for n in range(len(taken) + 1) if (name := f"{TABLE}_{n + 1}" if n else TABLE) not in taken)


def handed(engine: Engine, catalog: Catalog, folder: Path, wanted: Iterable[StaticList]) -> ListTable:
    """Hands lists to the engine as one temporary table, in place of those handed before.

    Raises:
        DataError: a list has keys of another kind than the contacts.
    """
    import pandas as pd

    by_name = {own.name: keys(folder, own) for own in wanted}
    is_text = _has_text_keys(catalog)
    for own, found in by_name.items():
        if found and isinstance(found[0], str) != is_text:
            raise DataError(
                f"the keys of the list {own!r:.80} are {'numbers' if is_text else 'text'}, those of the contacts are not",
                fix="use the home of the data that it was frozen from",
            )
    flat = [key for found in by_name.values() for key in found]
    names = [own for own, found in by_name.items() for _ in found]
    key_column = pd.Series(flat, dtype="string" if is_text else None if flat else "int64")
    rows = pd.DataFrame({"list_name": pd.Series(names, dtype="string"), "contact_id": key_column})
    return ListTable(engine.keep(_table_name(engine, catalog), rows), "list_name", "contact_id")


def _has_text_keys(catalog: Catalog) -> bool:
    contacts = catalog.contacts
    column = next((own for own in contacts.fields.values() if own.name == contacts.key), None)
    return column is None or column.kind in (Kind.TEXT, Kind.UNKNOWN)
