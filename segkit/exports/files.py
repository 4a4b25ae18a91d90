"""Files of exports: written all together, in the place of none that segkit did not make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from segkit.errors import SegkitError
from segkit.header import MADE_BY
from segkit.store import write

_BEGINNING = 200


def written(texts: Mapping[Path, str], *, replace: bool) -> tuple[Path, ...]:
    """Writes some files; where one cannot be written, those that are new are taken away again.

    Raises:
        SegkitError: a file stands in the way that segkit did not make, or one cannot be written.
    """
    check(texts, replace=replace)
    new: list[Path] = []
    try:
        for path, text in texts.items():
            is_new = not path.exists()
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, text)
            new += [path] if is_new else []
    except BaseException as error:
        for path in new:
            with suppress(OSError):
                path.unlink()
        told = error.what if isinstance(error, SegkitError) else str(error)
        if isinstance(error, OSError | SegkitError):
            raise SegkitError(f"the export was not written: {told}", fix="check the folder: its permissions, its space") from None
        raise
    return tuple(texts)


def check(paths: Iterable[Path], *, replace: bool) -> None:
    """Refuses to replace files that segkit did not make."""
    for path in paths:
        if not replace and path.exists() and not is_ours(path):
            raise SegkitError(
                f"there is {str(path)!r}, which segkit did not make; nothing was written",
                fix="choose another path, or replace=True",
            )


def is_ours(path: Path) -> bool:
    """Whether segkit made a file, as its beginning says."""
    try:
        with path.open(encoding="utf-8") as file:
            return MADE_BY in file.read(_BEGINNING)
    except (OSError, UnicodeError):
        return False
