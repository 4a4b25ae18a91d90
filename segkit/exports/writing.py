"""Carrying an export out: all of it in one transaction, and nothing replaced that segkit did not make."""

from __future__ import annotations

from dataclasses import dataclass

from segkit.compile import statements
from segkit.engines import Engine, Writes
from segkit.engines.written import Writer
from segkit.errors import EngineError
from segkit.exports.statements import Model, columns, of_members, statement
from segkit.header import MADE_BY, mark
from segkit.rendering import render

_REPLACED = ("TABLE", "VIEW", "MATERIALIZED VIEW")


@dataclass(frozen=True)
class Written:
    """What was done."""

    did: tuple[str, ...]
    statements: tuple[str, ...]
    rows: int
    is_committed: bool


def written(model: Model, form: str, dialect: str, engine: Engine, *, replace: bool) -> Written:
    """Writes a view, a table, or rows of a table.

    Raises:
        EngineError: the engine cannot write or refused to, or what stands under the name is not segkit's. Nothing changed.
    """
    if not isinstance(engine, Writes):
        raise EngineError(
            f"segkit writes to DuckDB, SQLite and PostgreSQL, not to {engine.dialect}",
            fix="run the SQL there: leave execute=True out",
        )

    def work(writer: Writer) -> tuple[list[str], list[str], int]:
        if form == "insert":
            return _inserted(model, dialect, writer)
        return _made(model, form, dialect, writer, replace=replace)

    try:
        (did, commands, rows), is_committed = engine.writing(work)
    except EngineError as error:
        raise EngineError(f"{model.name!r:.120} was not written, nothing changed: {error.what}", fix=error.fix) from None
    return Written(tuple(did), tuple(commands), rows, is_committed)


def _inserted(model: Model, dialect: str, writer: Writer) -> tuple[list[str], list[str], int]:
    if writer.standing(model.name.split(".")) is None:
        raise EngineError(f"there is no table {model.name!r:.120}", fix='make it first: as_="table"')
    before = _rows(model, dialect, writer)
    command = render(statement(model, "insert", dialect), dialect)
    writer.run(command)
    added = _rows(model, dialect, writer) - before
    return [f"added rows to {model.name}"], [command], added


def _made(model: Model, form: str, dialect: str, writer: Writer, *, replace: bool) -> tuple[list[str], list[str], int]:
    there = writer.standing(model.name.split("."))
    commands = []
    if there is not None:
        if there.kind not in _REPLACED:
            raise EngineError(f"{model.name!r:.120} is the name of a {there.kind.lower()}", fix="choose another name")
        if MADE_BY not in there.about and not replace:
            raise EngineError(
                f"there is a {there.kind.lower()} {model.name!r:.120}, which segkit did not make",
                fix="choose another name, or replace=True",
            )
        commands.append(render(statements.drop(model.name, there.kind), dialect))
    commands += _making(model, form, dialect)
    for command in commands:
        writer.run(command)
    verb = "created" if there is None else "replaced"
    return [f"{verb} {form} {model.name}"], commands, _rows(model, dialect, writer)


def _making(model: Model, form: str, dialect: str) -> list[str]:
    """The commands that make a view or a table with segkit's mark: a comment on it, or inside of its text on SQLite."""
    about = mark(model.plans)
    if dialect != "sqlite":
        made = [statement(model, form, dialect), statements.comment(model.name, form.upper(), about)]
    elif form == "view":
        made = [statements.view(model.name, of_members(model), about)]
    else:
        made = [statements.empty_table(model.name, columns(model), about), statement(model, "insert", dialect)]
    return [render(own, dialect) for own in made]


def _rows(model: Model, dialect: str, writer: Writer) -> int:
    [(rows,)] = writer.run(render(statements.number_of_rows(model.name), dialect))
    return int(rows)
