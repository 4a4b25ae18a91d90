"""Database URLs and engines of SQLAlchemy, as raw connections; and secrets kept out of what is shown."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from segkit.errors import EngineError

if TYPE_CHECKING:
    import sqlalchemy

DIALECTS = {"postgresql": "postgres", "mariadb": "mysql", "mssql": "tsql", "awsathena": "athena", "clickhousedb": "clickhouse"}
"""Dialects of SQLAlchemy that sqlglot calls otherwise."""
_PREFERRED = {"postgresql": ("psycopg", "psycopg2"), "mysql": ("pymysql", "MySQLdb"), "mariadb": ("pymysql", "MySQLdb")}
"""The drivers tried for a URL that names none, the best first."""
_INSTALLED_BY = {
    "postgresql": "psycopg[binary]",
    "mysql": "pymysql",
    "mariadb": "pymysql",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
    "redshift": "sqlalchemy-redshift redshift_connector",
    "databricks": "databricks-sqlalchemy",
    "trino": "trino[sqlalchemy]",
    "mssql": "pyodbc",
    "oracle": "oracledb",
}
_SECRET = re.compile(r"pass|pwd|secret|token|key|credential", re.IGNORECASE)
_IN_TEXT = re.compile(
    r"((?:^|[\s'\"/:])[^\s:/@'\"]*:(?!/))\S{,1000}(?=@)|((?:password|passwd|pwd|token|secret)\s*=\s*)(?:'[^']*'|[^\s;&,'\"]+)",
    re.IGNORECASE,
)
"""What stands behind a login in a URL, also in one that was mistyped, and behind words such as password= in any text."""
HIDDEN = "***"


def is_url(source: Any) -> bool:
    """Whether something looks like a URL."""
    return isinstance(source, str) and re.match(r"[A-Za-z][\w+.-]*://", source) is not None


def is_sqlalchemy(source: Any) -> bool:
    """Whether something is an engine or a connection of SQLAlchemy."""
    return type(source).__module__.startswith("sqlalchemy.engine")


def hidden(text: str, secrets: tuple[str, ...] = ()) -> str:
    """A text without passwords.

    >>> hidden("cannot reach postgresql://ann:s3cret@db/crm?password=s3cret")
    'cannot reach postgresql://ann:***@db/crm?password=***'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _IN_TEXT.sub(lambda match: f"{match[1] or match[2]}{HIDDEN}", text)


def engine_of(url: str) -> sqlalchemy.Engine:
    """The engine of a URL; a driver is chosen where it names none.

    Raises:
        EngineError: it is no URL, or a library is missing.
    """
    try:
        import sqlalchemy
        from sqlalchemy.pool import NullPool
    except ImportError:
        raise EngineError("a database URL needs SQLAlchemy", fix='pip install "segkit[sqlalchemy]"') from None

    try:
        made = sqlalchemy.make_url(re.sub(r"^postgres(?=[:+])", "postgresql", url))
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise EngineError("this is no database URL", fix="write postgresql://user@host/database") from None
    name = made.drivername.partition("+")[0]
    if made.drivername == name:
        driver = next((own for own in _PREFERRED.get(name, ()) if find_spec(own) is not None), None)
        made = made if driver is None else made.set(drivername=f"{name}+{driver.lower()}")
    package = _INSTALLED_BY.get(name, f"its SQLAlchemy dialect ({name})")
    try:
        return sqlalchemy.create_engine(made, poolclass=NullPool)
    except ImportError as error:
        raise EngineError(f"the driver for {name} is missing: {error}", fix=f'pip install "{package}"') from None
    except sqlalchemy.exc.NoSuchModuleError:
        raise EngineError(f"nothing installed knows {name}:// URLs", fix=f'pip install "{package}"') from None
    except sqlalchemy.exc.ArgumentError as error:
        raise EngineError(f"this URL cannot be used: {hidden(str(error), secrets_of(made))}", fix="check the URL") from None


def connection_of(engine: sqlalchemy.Engine) -> Any:
    """A connection of the driver's own, taken out of the engine's pool for good.

    Raises:
        EngineError: the database cannot be reached.
    """
    try:
        pooled = engine.raw_connection()
        raw = pooled.driver_connection
        pooled.detach()
        return raw
    except Exception as error:  # the driver's own, which differ
        told = hidden(str(getattr(error, "orig", error)).strip(), secrets_of(engine.url))
        fix = "check the URL, the network and the login"
        raise EngineError(f"cannot connect to {shown(engine.url)}: {told:.1000}", fix=fix) from None


def secrets_of(url: sqlalchemy.URL) -> tuple[str, ...]:
    """What must never be shown, in every spelling."""
    values = [str(url.password)] if url.password else []
    for name, value in url.query.items():
        if _SECRET.search(name):
            values += [value] if isinstance(value, str) else list(value)
    return tuple({spelled for value in values if value for spelled in (value, quote(value, safe=""), quote_plus(value))})


def shown(url: sqlalchemy.URL) -> str:
    """A URL without its secrets."""
    secret = [name for name in url.query if _SECRET.search(name)]
    return url.difference_update_query(secret).render_as_string(hide_password=True)
