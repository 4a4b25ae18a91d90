"""A folder of segments, one file each: to be read, compared, reviewed and kept in version control.

A file holds either JSON form or the same as YAML; its `where` may also be text of the language. What is written is
segkit's own JSON form. A file is written beside its place and then put there, so that a crash leaves the old or the new
one. Segments are read all together: a mistake in one, or in several, refuses the folder and says what is wrong in each.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from segkit import documents
from segkit.errors import DefinitionError, SegkitError, SegkitWarning
from segkit.segment import Segment

ENDINGS = (".json", ".yaml", ".yml")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.ASCII)
_PLAIN = re.compile(r"[a-z0-9_]{1,60}", re.ASCII)
_G = TypeVar("_G")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Saved:
    """A segment and the file it stands in."""

    path: Path
    segment: Segment


def place(given: str | os.PathLike[str]) -> Path:
    """A path as it was given, from the root on.

    Raises:
        SegkitError: it is no path.
    """
    try:
        path = Path(given).expanduser().absolute()
        os.fsencode(path)
    except (TypeError, RuntimeError, UnicodeError) as error:
        raise SegkitError(f"{given!r:.80} is no path: {error}", fix="write a path, such as 'segments/'") from None
    return path


# ---------------------------------------------------------------- reading


def read(*given: Path) -> list[Saved]:
    """The segments of files, and of the `.json`, `.yaml` and `.yml` files of folders, in the order of their names.

    Raises:
        DefinitionError: one message for all files that hold no segment, and for names that stand in two files.
    """
    paths = dict.fromkeys(path for own in given for path in files_at(own))
    found = in_each(((path, path) for path in paths), read_file)
    _check_names(found)
    return sorted(found, key=lambda saved: str(saved.segment.name))


def files_at(path: Path) -> list[Path]:
    """A file by itself, or the files of segments of a folder, of which there must be some."""
    paths = files(path) if _is_folder(path) else [path]
    if not paths:
        raise DefinitionError(f"no file of a segment in {str(path)!r}", fix=f"put {', '.join(ENDINGS)} files there")
    return paths


def saved(folder: Path) -> dict[str, Segment]:
    """The segments of a folder by their names; a file that cannot be read is warned of, and left out."""
    found, refused = tried(((path, path) for path in files(folder)), read_file)
    if refused:
        warnings.warn("left out of the saved segments:\n  " + "\n  ".join(refused), SegkitWarning, stacklevel=4)
    _check_names(found)
    return {str(own.segment.name): own.segment for own in found}


def files(folder: Path) -> list[Path]:
    """The files of segments in a folder, none where there is no folder; hidden ones and those of subfolders are none.

    Raises:
        SegkitError: the folder cannot be read.
    """
    try:
        every = list(folder.iterdir()) if _is_folder(folder) else []
        return sorted(p for p in every if p.suffix.lower() in ENDINGS and not p.name.startswith(".") and p.is_file())
    except OSError as error:
        raise SegkitError(f"cannot read {folder}: {error.strerror}", fix="check the folder: its permissions") from None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise SegkitError(f"cannot read {path}: {error.strerror}", fix="check the folder: its permissions") from None


def read_file(path: Path) -> Saved:
    """The segment of one file.

    Raises:
        DefinitionError: the file cannot be read, or holds no segment with a name.
    """
    segment = segment_of(document_at(path))
    if segment.name is None:
        raise DefinitionError("the segment has no name", fix='add "name"')
    return Saved(path, segment)


def segment_of(document: Any) -> Segment:
    """The segment of a document: own form, API form, or one whose `where` is text of the language.

    >>> segment_of({"name": "Rich", "conditions": [{"field": "spent", "operator": "greater_than", "value": 500}]})
    Segment('Rich', F.spent > 500)
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("where"), str):
        return Segment.from_dict(document)
    from segkit.language import parse

    where = documents.at("$.where, ", lambda: parse(document["where"]))
    about = Segment.from_dict({"segkit": 1, **document, "where": {"type": "everyone"}})
    return Segment(about.name, where, notes=about.notes, owner=about.owner, tags=about.tags, examples=about.examples)


def tried(given: Iterable[tuple[Path, _G]], work: Callable[[_G], _T]) -> tuple[list[_T], list[str]]:
    """What `work` makes of what each file gives, and what it refuses."""
    done: list[_T] = []
    refused: list[str] = []
    for path, own in given:
        try:
            done.append(work(own))
        except SegkitError as error:
            refused.append(f"{path}: {error}".replace("\n", "\n  "))
    return done, refused


def in_each(given: Iterable[tuple[Path, _G]], work: Callable[[_G], _T]) -> list[_T]:
    """What `work` makes of what each file gives; all that it refuses is reported together, by file."""
    done, refused = tried(given, work)
    if refused:
        count = f"{len(refused)} files" if len(refused) > 1 else "a file"
        raise DefinitionError(f"cannot use {count}\n  " + "\n  ".join(refused), fix="correct what is listed; nothing was loaded")
    return done


def document_at(path: Path) -> Any:
    """What a file holds, not yet as a segment.

    Raises:
        DefinitionError: the file cannot be read, or is neither JSON nor YAML.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS and path.is_file():
        raise DefinitionError(f"a file that ends in {ending or 'nothing'}", fix=f"use one of {', '.join(ENDINGS)}")
    text = _text(path)
    return documents.parsed(text) if ending == ".json" else _yaml(text)


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise DefinitionError("no such file or folder", fix="check the path")
        if path.stat().st_size > documents.MAX_DOCUMENT:
            raise DefinitionError(f"the file has {path.stat().st_size:,} bytes", fix=f"use at most {documents.MAX_DOCUMENT:,}")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DefinitionError(f"the file cannot be read: {error.strerror}", fix="check its permissions") from None
    except UnicodeDecodeError as error:
        raise DefinitionError(f"the file is not UTF-8: {error.reason} at byte {error.start}", fix="save it as UTF-8") from None


def _yaml(text: str) -> Any:
    from segkit import yaml_document

    return yaml_document.parsed(text)


def _check_names(found: Iterable[Saved]) -> None:
    by_name: dict[str | None, list[str]] = {}
    for saved in found:
        by_name.setdefault(saved.segment.name, []).append(str(saved.path))
    twice = [f"{name!r:.80} in {' and '.join(paths)}" for name, paths in by_name.items() if len(paths) > 1]
    if twice:
        raise DefinitionError(f"names that stand in several files: {'; '.join(twice)}", fix="rename all but one of each")


# ---------------------------------------------------------------- writing


def save(folder: Path, segment: Segment) -> Path:
    """Writes a segment to its file in a folder and gives the file; one of the same name is replaced.

    Raises:
        DefinitionError: the segment has no name, another file of the folder holds one of that name, or the file of that
            name holds another one, or something that cannot be read.
        SegkitError: the folder cannot be read or written to.
    """
    if segment.name is None:
        raise DefinitionError(f"{segment!r:.80} has no name", fix="write Segment('name', it)")
    path = folder / f"{file_name(segment.name)}.json"
    for other in files(folder):
        name, is_its_own = _name_in(other), _is_same(other, path)
        if name is None and is_its_own:
            fix = "correct or remove it: what stands there would be lost"
            raise DefinitionError(f"{other} holds no segment that can be read", fix=fix, where=str(path))
        if name is not None and is_its_own != (name == segment.name):
            raise DefinitionError(f"{other} holds the segment {name!r:.80}", fix="rename or remove that file", where=str(path))
    write(path, segment.to_json() + "\n")
    return path


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file; a file that is gone is no other."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def _name_in(path: Path) -> object:
    """The name that stands in a file, None if there is none."""
    try:
        document = document_at(path)
    except SegkitError:
        return None
    return document.get("name") if isinstance(document, Mapping) else None


def file_name(name: str) -> str:
    """A file name for a name, safe on every file system, different for different names.

    Lower-case letters, digits and `_` stay as they are; any other name is written in them as far as it goes, followed by
    a mark of the exact name.

    >>> file_name("at_risk"), file_name("At Risk"), file_name("../At risk?")
    ('at_risk', 'at-risk-368f66a82a', 'at-risk-36593d093c')
    """
    if _PLAIN.fullmatch(name) and not _RESERVED.fullmatch(name):
        return name
    words = re.sub(r"[^a-z0-9_]+", "-", name.lower(), flags=re.ASCII).strip("-")[:40].strip("-")
    mark = hashlib.sha256(name.encode()).hexdigest()[:10]
    return f"{words or 'name'}-{mark}"


def write(path: Path, text: str) -> None:
    """Puts a text at a path: whatever happens meanwhile, the old file is there or the whole new one.

    Raises:
        SegkitError: the folder cannot be written to.
    """
    write_bytes(path, text.encode())


def write_bytes(path: Path, own: bytes) -> None:
    """Puts bytes at a path, in the same way.

    Raises:
        SegkitError: the folder cannot be written to.
    """
    beside = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("xb") as file:
            file.write(own)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
        _settle(path.parent)
    except OSError as error:
        raise SegkitError(f"cannot write {path}: {error.strerror}", fix="check the folder: its permissions, its space") from None
    finally:
        with suppress(OSError):
            beside.unlink()


def _settle(folder: Path) -> None:
    """Has the file system keep the folder's entries, where folders can be told to."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
