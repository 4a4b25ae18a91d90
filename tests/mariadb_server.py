"""MariaDB, started once for a run of the tests and thrown away after it: in a temporary folder, behind a socket, without network.

Its tables fold case, accents, trailing spaces and even emoji, and sessions are in New York's zone.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

ZONE = "America/New_York"
_SECONDS = 60
_numbers = count()


def is_installed() -> bool:
    return shutil.which("mariadbd") is not None and shutil.which("mariadb-install-db") is not None


@cache
def socket() -> str:
    """The server's socket; the first call starts it."""
    folder = Path(tempfile.mkdtemp(prefix="segkit-mariadb-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    user = ["--user=root"] if os.getuid() == 0 else []
    data = ["--no-defaults", *user, f"--datadir={folder / 'data'}"]
    _run(["mariadb-install-db", *data, "--auth-root-authentication-method=normal", "--skip-test-db"])
    path = str(folder / "socket")
    (folder / "tmp").mkdir()  # in a shared one, a server that starts removes the tables of another
    options = [
        f"--tmpdir={folder / 'tmp'}",
        "--skip-networking",
        f"--socket={path}",
        f"--pid-file={folder / 'pid'}",
        "--innodb-flush-log-at-trx-commit=0",
    ]
    log = (folder / "log").open("wb")
    server = subprocess.Popen(["mariadbd", *data, *options], stdout=log, stderr=log)
    atexit.register(_stop, server)
    _wait(server, path)
    zones = _run(["mariadb-tzinfo-to-sql", "--skip-write-binlog", _zoneinfo()])
    _run(["mariadb", "--no-defaults", "-uroot", f"--socket={path}", "mysql"], zones)
    return path


def _run(command: list[str], told: bytes = b"") -> bytes:
    return subprocess.run(command, input=told, check=True, capture_output=True).stdout


def _zoneinfo() -> str:
    """The machine's time zones, or those of the package `tzdata`."""
    if Path("/usr/share/zoneinfo/Europe/Rome").exists():
        return "/usr/share/zoneinfo"
    import tzdata

    return str(Path(tzdata.__file__).parent / "zoneinfo")


def _wait(server: subprocess.Popen[bytes], path: str) -> None:
    for _ in range(_SECONDS * 20):
        if server.poll() is not None:
            break
        if Path(path).exists():
            return
        time.sleep(0.05)
    raise RuntimeError(f"MariaDB did not start: {Path(path).with_name('log').read_text()[-2000:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait(_SECONDS)


def session(database: str | None = None) -> Any:
    """A new connection, in a database of its own or in one that there is."""
    import pymysql

    connection = pymysql.connect(unix_socket=socket(), user="root", charset="utf8mb4")
    with connection.cursor() as cursor:
        if database is None:
            database = f"d{next(_numbers)}"
            cursor.execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        cursor.execute(f"USE {database}")
        cursor.execute(f"SET time_zone = '{ZONE}'")
    return connection
