"""Segments, handed to a warehouse: as a query, a view, a table, rows of a table, or models of dbt.

    plans  ->  query of the members  ->  text with a header  ->  a file | written to the engine | models

`statements` makes the SQL, `writing` carries it out in one transaction, `dbt` writes models. What segkit makes says so, and
only that is ever replaced without being told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from segkit import nodes
from segkit.engines import Engine
from segkit.errors import DefinitionError, unknown
from segkit.exports import dbt, files, writing
from segkit.exports.statements import Model, columns, model_name, names_of, refuse_frozen, shown
from segkit.plan import Plan

__all__ = ["FORMS", "Export", "exported"]

FORMS = ("select", "view", "table", "insert", "dbt")


@dataclass(frozen=True)
class Export:
    """What an export is, and what it did; as text, its SQL.

    Attributes:
        form: `select`, `view`, `table`, `insert` or `dbt`.
        dialect: the dialect of the SQL.
        name: the view or table; None for a query.
        columns: the columns of its rows.
        sql: the SQL, laid out to be read; for dbt, that of all models.
        files: the files that were written.
        did: what was done to the warehouse, in order, such as `created view at_risk`; empty where nothing was.
        statements: the SQL that was carried out.
        rows: how many rows the view or the table has; for `insert`, how many were added; None where nothing was done.
        is_committed: False where it is part of a transaction that the caller has open.
    """

    form: str
    dialect: str
    name: str | None
    columns: tuple[str, ...]
    sql: str
    files: tuple[Path, ...] = ()
    did: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    rows: int | None = None
    is_committed: bool = True

    def __str__(self) -> str:
        return self.sql

    def __repr__(self) -> str:
        told = [_counted(self.rows, "row")] if self.rows is not None else []
        told += [_counted(len(self.files), "file")] if self.files else []
        told += [] if self.is_committed else ["not committed: your transaction is open"]
        what = "; ".join((*self.did, *told)) or "nothing written"
        return f"Export({self.form}, {self.dialect}: {what})"


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


@dataclass(frozen=True)
class Wish:
    """What is asked for: the arguments of `Workspace.export`."""

    form: str
    dialect: str | None
    name: str | None
    layout: str | None
    path: Path | None
    execute: bool
    replace: bool


def exported(plans: Sequence[Plan], wish: Wish, engine: Engine, known: Mapping[str, nodes.Predicate]) -> Export:
    """Exports the members of some plans of one catalog and moment.

    Args:
        plans: of the segments.
        wish: what is asked for.
        engine: where it is written, and whose dialect it speaks if none is named.
        known: the segments that they may refer to.

    Raises:
        DefinitionError: the wish contradicts itself.
        DialectError: the dialect has no faithful form of a condition.
        EngineError: the engine cannot write, or something that segkit did not make stands in the way.
    """
    _check(wish, plans, engine)
    dialect = wish.dialect or engine.dialect
    written_as = engine.renders_as if dialect == engine.dialect and engine.renders_as != "sqlite+" else dialect
    if wish.form == "dbt":
        assert wish.path is not None
        models = dbt.models(plans, wish.name, wish.layout, written_as, known)
        made = dbt.written(models, plans[0].catalog, written_as, wish.path, replace=wish.replace)
        return Export("dbt", dialect, None, models[0].columns, "\n\n".join(own.sql for own in models), files=made)
    model = Model(wish.name or model_name(plans), tuple(plans), tuple(names_of(plans)), wish.layout, known)
    refuse_frozen(plans, wish.form, execute=wish.execute)
    sql = shown(model, wish.form, written_as)
    own = Export(wish.form, dialect, None if wish.form == "select" else model.name, columns(model), sql)
    if wish.path is not None:
        files.check([wish.path], replace=wish.replace)
    if wish.execute:
        done = writing.written(model, wish.form, written_as, engine, replace=wish.replace)
        own = replace(own, did=done.did, statements=done.statements, rows=done.rows, is_committed=done.is_committed)
    if wish.path is not None:
        own = replace(own, files=files.written({wish.path: sql + "\n"}, replace=wish.replace))
    return own


def _check(wish: Wish, plans: Sequence[Plan], engine: Engine) -> None:
    if wish.form not in FORMS:
        raise unknown("form", wish.form, FORMS)
    if wish.layout not in (None, "long", "wide"):
        raise unknown("layout", str(wish.layout), ("long", "wide"))
    if not plans:
        raise DefinitionError("there is no segment to export", fix="pass one, or a list of them")
    if wish.form == "dbt" and wish.path is None:
        raise DefinitionError("models of dbt are files", fix='name the folder of the project: path="warehouse"')
    if wish.name is not None:
        _check_name(wish.name)
    if wish.execute and wish.form in ("select", "dbt"):
        raise DefinitionError(f"as_={wish.form!r} writes nothing to a warehouse", fix='use as_="view", "table" or "insert"')
    if wish.execute and wish.dialect not in (None, engine.dialect):
        raise DefinitionError(
            f"this workspace speaks {engine.dialect}, not {wish.dialect}", fix="leave dialect out, or execute=True"
        )


def _check_name(name: str) -> None:
    parts = nodes.checked_name(name, "name").split(".")
    if len(parts) > 3:
        raise DefinitionError(f"{name!r:.120} has too many parts", fix="write catalog.schema.table, or less of it")
    if not all(parts):
        raise DefinitionError(f"{name!r:.120} has an empty part", fix="write catalog.schema.table, or less of it")
