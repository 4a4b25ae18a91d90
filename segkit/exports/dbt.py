"""Models of dbt: a SQL file each, and one `schema.yml` with their descriptions, tests and sources.

Nothing in a name, a text or a note is read as Jinja: what dbt would take for it is written as the text that it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segkit import nodes, rendering
from segkit.catalog import Catalog
from segkit.codec import fingerprint
from segkit.compile import statements
from segkit.errors import SegkitError
from segkit.exports import files
from segkit.exports.statements import (
    Model,
    about,
    columns,
    distinct_columns,
    model_name,
    names_of,
    of_members,
    plain,
    refuse_frozen,
)  # fmt: skip
from segkit.header import MADE_BY, told
from segkit.plan import Plan
from segkit.version import VERSION

_FOLDER = "segkit"
_HERE = "{{ target.schema }}"
_IN_BACKTICKS = ("bigquery", "databricks", "mysql", "spark")
_JINJA = re.compile(r"\{[{%#]")


@dataclass(frozen=True)
class Source:
    """A table of the catalog as a source of dbt: the names that dbt knows it by, and where it is."""

    group: str
    name: str
    table: str
    schema: str | None
    database: str | None

    @property
    def place(self) -> str:
        return f"{{{{ source('{self.group}', '{self.name}') }}}}"


@dataclass(frozen=True)
class DbtModel:
    """A model, its SQL, what `schema.yml` says of it, and its test that each member stands there once, if it needs one."""

    model: Model
    sql: str
    described: Mapping[str, Any]
    once: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        return columns(self.model)


def models(
    plans: Sequence[Plan], name: str | None, layout: str | None, dialect: str, known: Mapping[str, nodes.Predicate]
) -> list[DbtModel]:
    """A model for each segment; one for all of them where it is given a name or a layout."""
    refuse_frozen(plans, "dbt", execute=False)
    names = names_of(plans)
    if name is not None or layout is not None or len(plans) == 1:
        own = [Model(plain(name or model_name(plans)), tuple(plans), tuple(names), layout, known)]
    else:
        called = distinct_columns(names, ())
        own = [Model(c, (p,), (n,), None, known) for c, p, n in zip(called, plans, names, strict=True)]
    return [_model(model, dialect) for model in own]


def _model(model: Model, dialect: str) -> DbtModel:
    places = {own.table: own.place for own in sources(model.plans[0].catalog)}
    query = statements.in_sources(of_members(model), {table: _held(table) for table in places})
    text = _filled("\n".join([*about(model, dialect), rendering.render(query, dialect, pretty=True)]), places)
    once = None
    if model.shape == "long":
        repeated = statements.repeated(columns(model), _held(model.name))
        once = _filled(rendering.render(repeated, dialect, pretty=True), {model.name: f"{{{{ ref('{model.name}') }}}}"})
        once = f"-- {MADE_BY} {VERSION}\n{once}\n"
    return DbtModel(model, f"{{{{ config(materialized='view') }}}}\n{text}\n", _described(model, dialect), once)


def _held(name: str) -> str:
    """Where a name is put later: no text of an analyst's holds a NUL."""
    return f"\0{name}\0"


def _filled(text: str, places: Mapping[str, str]) -> str:
    """A text in which dbt finds no Jinja but that of some places."""
    text = _escaped(text)
    for name, place in places.items():
        text = text.replace(_escaped(_held(name)), place)
    return text


def sources(catalog: Catalog) -> list[Source]:
    """The tables of a catalog, grouped by their schemas; one without a schema lies where dbt writes to."""
    own = [catalog.contacts.table, *(t.table for t in catalog.events), *(t.table for t in catalog.history)]
    own += [catalog.lists.table] if catalog.lists is not None else []
    tables = list(dict.fromkeys(own))
    groups = [_group(table) for table in tables]
    found, taken = [], dict[str, list[str]]()
    for table, group in zip(tables, groups, strict=True):
        *above, last = table.split(".")
        [name] = distinct_columns([last], taken.setdefault(group, []))
        taken[group].append(name)
        schema, database = (*reversed(above), None, None)[:2]
        found.append(Source(group, name, last, schema, database))
    return [Source(s.group, s.name, t, s.schema, s.database) for s, t in zip(found, tables, strict=True)]


def _group(table: str) -> str:
    above = table.split(".")[:-1]
    name = plain("_".join(above))
    return _FOLDER if not above else f"{name}_tables" if name == _FOLDER else name


def _described(model: Model, dialect: str) -> dict[str, Any]:
    """What `schema.yml` says of a model."""
    notes = [own.definition.notes for own in model.plans if own.definition.notes]
    owners = list(dict.fromkeys(own.definition.owner for own in model.plans if own.definition.owner))
    words = [told(own, model.known) for own in model.plans]
    text = (
        "\n".join([*notes, *words]) if model.shape == "keys" else "\n".join(map(": ".join, zip(model.names, words, strict=True)))
    )
    key = model.plans[0].catalog.contacts.key
    is_unique = model.shape != "long"
    described = []
    for column in columns(model):
        tests = ["unique", "not_null"] if column == key and is_unique else ["not_null"]
        described.append({"name": _quoted(column, dialect), "quote": True, "data_tests": tests})
    meta: dict[str, Any] = {"segkit": {"version": VERSION, "definitions": [fingerprint(own.definition) for own in model.plans]}}
    if owners:
        meta["owner"] = _escaped(", ".join(owners))
    return {"name": model.name, "description": _escaped(text), "config": {"meta": meta}, "columns": described}


def _quoted(name: str, dialect: str) -> str:
    """A name that dbt puts between quotes as it is."""
    return _escaped(name if dialect in _IN_BACKTICKS else name.replace('"', '""'))


def _escaped(text: str) -> str:
    """A text in which dbt finds no Jinja."""
    return _JINJA.sub(lambda found: f'{{{{ "{found[0]}" }}}}', text)


# ---------------------------------------------------------------- files


def written(made: Sequence[DbtModel], catalog: Catalog, dialect: str, project: Path, *, replace: bool) -> tuple[Path, ...]:
    """Writes models into a project, which is made where there is none.

    Raises:
        SegkitError: the project cannot be read or written, or a file stands in the way that segkit did not make.
    """
    description = project / "dbt_project.yml"
    texts: dict[Path, str] = {}
    settings = _read(description) if description.exists() else {}
    if not settings:
        name = f"_{plain(project.name)}" if project.name[:1].isdigit() else plain(project.name)
        settings = {"name": name, "version": "1.0.0", "profile": name, "model-paths": ["models"], "test-paths": ["tests"]}
        texts[description] = _yaml(settings)
    folder = project / _first(settings, "model-paths", "models") / _FOLDER
    schema = folder / "schema.yml"
    before = _read(schema) if files.is_ours(schema) else {}
    models = _models(before, made, folder)
    texts[schema] = _yaml({"version": 2, "sources": _sources(before, catalog, dialect), "models": models})
    for own in made:
        texts[folder / f"{own.model.name}.sql"] = own.sql
        if own.once is not None:
            tests = project / _first(settings, "test-paths", "tests") / _FOLDER
            texts[tests / f"{own.model.name}_holds_each_member_once.sql"] = own.once
    return files.written(texts, replace=replace)


def _first(settings: Mapping[str, Any], key: str, default: str) -> str:
    paths = settings.get(key)
    return str(paths[0]) if isinstance(paths, list) and paths else default


def _models(before: Mapping[str, Any], made: Iterable[DbtModel], folder: Path) -> list[dict[str, Any]]:
    """These models, and those of earlier exports that are still there."""
    named = {own["name"]: own for own in before.get("models", []) if (folder / f"{own['name']}.sql").exists()}
    return list({**named, **{own.model.name: dict(own.described) for own in made}}.values())


def _sources(before: Mapping[str, Any], catalog: Catalog, dialect: str) -> list[dict[str, Any]]:
    """The tables of the catalog, and those of earlier exports."""
    groups = {own["name"]: own for own in before.get("sources", [])}
    tables = sources(catalog)
    for group in dict.fromkeys(own.group for own in tables):
        inside = [own for own in tables if own.group == group]
        named = {own["name"]: own for own in groups.get(group, {}).get("tables", [])}
        named |= {own.name: _table(own, catalog, dialect) for own in inside}
        first = inside[0]
        where = {"database": _quoted(first.database, dialect)} if first.database else {}
        where["schema"] = _quoted(first.schema, dialect) if first.schema else _HERE
        quoting = dict.fromkeys(("database", "schema", "identifier"), True)
        groups[group] = {"name": group, **where, "quoting": quoting, "tables": list(named.values())}
    return list(groups.values())


def _table(own: Source, catalog: Catalog, dialect: str) -> dict[str, Any]:
    last = own.table.rsplit(".", 1)[-1]
    found: dict[str, Any] = {"name": own.name} if last == own.name else {"name": own.name, "identifier": _quoted(last, dialect)}
    if own.table == catalog.contacts.table:
        found["columns"] = [{"name": _quoted(catalog.contacts.key, dialect), "quote": True, "data_tests": ["unique", "not_null"]}]
    return found


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise SegkitError(f"cannot read {str(path)!r}: {str(error).splitlines()[0]:.160}", fix="correct the file") from None
    if not isinstance(document, dict):
        raise SegkitError(f"{str(path)!r} is no mapping", fix="correct the file")
    return document


def _yaml(document: Mapping[str, Any]) -> str:
    import yaml

    return f"# {MADE_BY} {VERSION}\n" + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
