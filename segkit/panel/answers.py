"""What the panel shows of a draft, as JSON: reasons, resolved bounds and sizes; and answers to what its tabs ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from segkit import codec, nodes
from segkit.catalog import Kind
from segkit.counting import Counted
from segkit.describe import describe
from segkit.errors import DefinitionError, SegkitError
from segkit.panel.choices import catalog_choices, fixed_choices
from segkit.panel.draft import Draft, OfValue, Row, Rule, rows
from segkit.panel.handed import Handed
from segkit.panel.meaning import Made, definition, made, value_of
from segkit.panel.projection import drafted
from segkit.plan import Plan
from segkit.plan.tree import IsMissing
from segkit.segment import displayed
from segkit.spelling import spell

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 10
_OF_FINDING = ("severity", "condition", "what", "evidence", "fix")
_PYTHON_NAMES = (
    "F", "E", "NOW", "TODAY", "all_of", "any_of", "constant", "days", "everyone", "hours", "in_group", "in_list", "in_segment",
    "minutes", "months", "per", "raw_sql", "sample", "weeks", "word", "years",
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """A draft, looked at without asking data: what it means so far, and what there is to say about each row."""

    made: Made
    rows: Mapping[str, Mapping[str, Any]]
    problem: SegkitError | None = None
    name_problem: SegkitError | None = None

    @property
    def is_sound(self) -> bool:
        """Whether it is a definition that can be counted as a whole."""
        return not self.made.faults and self.problem is None


def looked(draft: Draft, handed: Handed) -> Look:
    """Reasons for invalid rows, resolved bounds of relative dates, and warnings."""
    notes: dict[str, dict[str, Any]] = {}
    name, name_problem = _checked_name(draft)

    def check(row: Row, node: nodes.Predicate) -> None:
        resolved = handed.plan(nodes.Definition(name, node))
        notes[row.id] = {"bounds": _shortly("; ".join(dict.fromkeys(resolved.windows.values()))), "hint": _hint(row, resolved)}

    found = made(draft, check)
    for row in rows(draft.root):
        if row.id in found.faults:
            notes[row.id] = {"reason": _refusal(found.faults[row.id])}
        if isinstance(row, Rule) and isinstance(row.subject, OfValue):
            notes.setdefault(row.id, {})["kind"] = str(_kind(value_of(row.subject), handed))
    problem: SegkitError | None = None
    if not found.faults:
        try:
            handed.plan(nodes.Definition(name, found.where))
        except SegkitError as error:
            problem = error
    return Look(found, notes, problem, name_problem)


def _checked_name(draft: Draft) -> tuple[str | None, SegkitError | None]:
    name = draft.name.strip() or None
    try:
        nodes.Definition(name, nodes.Everyone(), draft.notes)
    except SegkitError as error:
        return None, error
    return name, None


def _shortly(bounds: str) -> str:
    """Bounds without seconds where there are none, and with the time zone said once.

    >>> _shortly("after 2025-10-31 12:00:00 UTC, up to 2025-11-30 12:00:00 UTC")
    'after 2025-10-31 12:00, up to 2025-11-30 12:00 UTC'
    """
    return re.sub(r" UTC(?=.* UTC)", "", bounds.replace(":00 UTC", " UTC"))


def _hint(row: Row, resolved: Plan) -> str:
    if isinstance(row, Rule) and row.operator in ("in", "not_in") and not row.values:
        return "no values yet: it is one of nothing"
    return "; ".join(resolved.warnings)


def _kind(value: nodes.Value, handed: Handed) -> Kind:
    try:
        where = handed.plan(nodes.Definition(None, nodes.Missing(value))).where
    except SegkitError:
        return Kind.UNKNOWN
    return where.term.kind if isinstance(where, IsMissing) else Kind.UNKNOWN


@dataclass(frozen=True)
class Tally:
    """What came of counting: sizes, and why some parts (by their paths) or all of them could not be counted."""

    counted: Counted | None = None
    reasons: Mapping[str, SegkitError] = field(default_factory=dict)
    trouble: SegkitError | None = None


def tallied(look: Look, handed: Handed) -> Tally:
    """The sizes of the sound parts; whatever goes wrong is told, as nobody else would tell it."""
    if look.problem is not None:
        return Tally(trouble=look.problem)
    try:
        return Tally(*handed.count(nodes.Definition(None, look.made.where)))
    except SegkitError as error:
        return Tally(trouble=error)
    except Exception as error:
        return Tally(trouble=SegkitError(f"counting failed: {type(error).__name__}: {error}"))


def view(draft: Draft, look: Look, tally: Tally | None) -> dict[str, Any]:
    """What the browser shows beside the rows themselves.

    Args:
        draft: the rows.
        look: what was found without asking data.
        tally: what came of counting; None while it goes on.
    """
    tally, is_waiting = tally or Tally(), tally is None
    counted, reasons = tally.counted, _by_row(look.made, tally.reasons)
    sizes = _sizes(look.made, counted) if counted is not None else {}
    whole = reasons.pop(draft.root.id, None)
    problem = look.problem or tally.trouble or whole or look.name_problem
    notes = {own: dict(told) for own, told in look.rows.items()}
    for own, error in reasons.items():
        notes[own] = {**notes.get(own, {}), "reason": _refusal(error)}
    return {
        "revision": draft.revision,
        "waiting": is_waiting,
        "everyone": counted.everyone if counted is not None else None,
        "size": sizes.get(draft.root.id),
        "sizes": sizes,
        "rows": notes,
        "faults": len(look.made.faults) + len(reasons),
        "problem": _refusal(problem) if problem is not None else None,
    }


def _sizes(found: Made, counted: Counted) -> dict[str, int]:
    return {own: counted.sizes[path] for own, path in found.places.items() if path in counted.sizes}


def _by_row(found: Made, reasons: Mapping[str, SegkitError]) -> dict[str, SegkitError]:
    """Reasons by the row that they are about: the innermost one around the path."""
    around = {
        path: [own for own, place in found.places.items() if path == place or path.startswith((f"{place}.", f"{place}["))]
        for path in reasons
    }
    return {max(reversed(own), key=lambda row: len(found.places[row])): reasons[path] for path, own in around.items() if own}


def options(handed: Handed) -> dict[str, Any]:
    """What can be chosen: names of the catalog with their kinds, segments, operators, dialects."""
    own = first_options(handed)
    fields = [
        {**field, "kind": str(_kind(nodes.Field(field["name"]), handed))} if field["from"] == "calculated" else field
        for field in own["fields"]
    ]
    return {**own, "fields": fields}


def first_options(handed: Handed) -> dict[str, Any]:
    """What can be chosen, calculated fields taken for numbers: finding the kind of a formula may take its parser."""
    from segkit.rendering import dialects

    named = catalog_choices(handed.catalog())
    return {
        **fixed_choices(),
        **named,
        "segments": sorted(handed.segments()),
        "as_of": f"{handed.at.as_of:%Y-%m-%d %H:%M} UTC",
        "dialect": handed.dialect,
        "dialects": [
            {"name": name, "level": level}
            for name, level in sorted(dialects().items(), key=lambda own: own[1].startswith("unverified"))
        ],
    }


# ---------------------------------------------------------------- answers


def answer(asked: Mapping[str, Any], draft: Draft, handed: Handed) -> dict[str, Any]:
    """The answer to a question of the browser; a refusal or a failure is an answer, too.

    Args:
        asked: what is asked: `ask` names the question, its other keys say more.
        draft: the rows as they are.
        handed: what answers.
    """
    try:
        question = QUESTIONS.get(str(asked.get("ask")))
        if question is None:
            raise DefinitionError(f"nobody can answer {asked.get('ask')!r:.40}", fix=f"ask for {', '.join(QUESTIONS)}")
        return question(asked, draft, handed)
    except SegkitError as error:
        return {"error": _refusal(error)}
    except Exception as error:
        return {"error": {"what": f"{type(error).__name__}: {error}", "fix": "", "where": ""}}


def _refusal(error: SegkitError) -> dict[str, str]:
    where = error.where if error.where.startswith("line ") else ""
    return {"what": error.what, "fix": error.fix, "where": where}


def _suggest(asked: Mapping[str, Any], _: Draft, handed: Handed) -> dict[str, Any]:
    event = asked.get("event")
    found = handed.suggest(str(asked.get("name", "")), None if event is None else str(event))
    return {"values": [{"text": text, "count": count} for text, count in found.values], "note": found.note}


def _preview(asked: Mapping[str, Any], draft: Draft, handed: Handed) -> dict[str, Any]:
    frame = handed.preview(definition(draft), _SHOWN, asked.get("masked") is not False)
    return {"columns": [str(name) for name in frame.columns], "numeric": _numeric(frame), "rows": _cells(frame)}


def _numeric(frame: pd.DataFrame) -> list[bool]:
    return [kind.kind in "iuf" for kind in frame.dtypes]


def _cells(frame: pd.DataFrame) -> list[list[str]]:
    columns = [_column(frame.iloc[:, at]) for at in range(frame.shape[1])]
    return [list(row) for row in zip(*columns, strict=True)]


def _column(values: pd.Series) -> list[str]:
    """The values as text; days, which pandas keeps as times, without a time."""
    known = values.dropna()
    are_days = values.dtype.kind == "M" and values.dt.tz is None and bool((known == known.dt.normalize()).all())
    shown = values.dt.date if are_days else values
    return [str(value) if is_known else "" for value, is_known in zip(shown, values.notna(), strict=True)]


def _diagnose(_: Mapping[str, Any], draft: Draft, handed: Handed) -> dict[str, Any]:
    frame = handed.diagnose(definition(draft))
    return {"findings": [{name: str(own[name]) for name in _OF_FINDING} for own in frame.to_dict("records")]}


def _explain(asked: Mapping[str, Any], draft: Draft, handed: Handed) -> dict[str, Any]:
    contact = str(asked.get("contact") or "").strip()
    if not contact:
        return {"rows": None}
    own = handed.explain(definition(draft), contact, asked.get("masked") is not False)
    rows = [_explained(row) for row in own.frame.to_dict("records")]
    return {"member": own.member, "lines": own.text.splitlines(), "rows": rows}


def _explained(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """A condition or group, as far below others as its path has steps."""
    path, at = str(row["path"]), row["changes_at"]
    return {
        "depth": path.count(".items[") + path.count(">"),
        "condition": str(row["condition"]),
        "holds": bool(row["holds"]),
        "decides": bool(row["decides"]),
        "found": "" if not row["threshold"] else "missing" if row["value"] is None else str(row["value"]),
        "asked": str(row["threshold"]),
        "change": str(row["change"]),
        "changes": "" if at is None or at != at else f"{at:%Y-%m-%d %H:%M}",
    }


def _sql(asked: Mapping[str, Any], draft: Draft, handed: Handed) -> dict[str, Any]:
    return {"text": sql(definition(draft), handed, str(asked.get("dialect") or handed.dialect))}


def sql(own: nodes.Definition, handed: Handed, dialect: str) -> str:
    """The query of the members' keys."""
    return displayed(handed.plan(own), dialect, {name: other.where for name, other in handed.segments().items()})


def _python(_: Mapping[str, Any], draft: Draft, __: Handed) -> dict[str, Any]:
    return {"text": python(definition(draft))}


def python(own: nodes.Definition) -> str:
    """A definition as a program that makes it.

    >>> print(python(nodes.Definition("VIP", nodes.Compare(">", nodes.Field("opens"), nodes.literal(5)))))
    from segkit import F, Segment
    <BLANKLINE>
    segment = Segment('VIP', F.opens > 5)
    """
    where = spell(own.where)
    about = {"notes": own.notes, "owner": own.owner, "tags": list(own.tags)}
    given = "".join(f", {key}={value!r}" for key, value in about.items() if value)
    outside_of_text = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "", where)
    names = [name for name in _PYTHON_NAMES if re.search(rf"\b{name}\b(?!\s*=[^=])", outside_of_text)]
    lines = [
        *(["from datetime import date, datetime"] if re.search(r"\bdate(time)?\b", outside_of_text) else []),
        *(["from decimal import Decimal"] if "Decimal(" in outside_of_text else []),
        f"from segkit import {', '.join(sorted([*names, 'Segment'], key=str.casefold))}",
    ]
    return "\n".join([*lines, "", f"segment = Segment({own.name!r}, {where}{given})"])


def _text(_: Mapping[str, Any], draft: Draft, __: Handed) -> dict[str, Any]:
    from segkit import language  # its parser is loaded where there is text

    where = definition(draft).where
    return {"text": "" if isinstance(where, nodes.Everyone) else language.to_text(where)}


def _json(_: Mapping[str, Any], draft: Draft, __: Handed) -> dict[str, Any]:
    return {"text": codec.to_json(definition(draft))}


def _description(_: Mapping[str, Any], draft: Draft, handed: Handed) -> dict[str, Any]:
    own = definition(draft)
    return {"text": describe(own.where, handed.catalog(), handed.at, {name: d.where for name, d in handed.segments().items()})}


def _parse(asked: Mapping[str, Any], draft: Draft, _: Handed) -> dict[str, Any]:
    return {"draft": parsed(str(asked.get("text", "")), draft)}


def parsed(text: str, draft: Draft) -> Draft:
    """A draft of what the text says, under the name and notes of another draft; no text is everyone.

    Raises:
        DefinitionError: with the line and a caret.
    """
    from segkit import language  # its parser is loaded where there is text

    own = language.definition(text) if text.strip() else nodes.Definition(None, nodes.Everyone())
    read = drafted(own, draft.revision + 1)
    return replace(draft, root=read.root, name=read.name or draft.name, revision=read.revision)


def _save(_: Mapping[str, Any], draft: Draft, handed: Handed) -> dict[str, Any]:
    own = definition(draft)
    if own.name is None:
        raise DefinitionError("the segment has no name", fix="type one above")
    handed.save(own)
    return {"saved": own.name, "muted": sum(row.muted for row in rows(draft.root)), "segments": sorted(handed.segments())}


def _load(asked: Mapping[str, Any], draft: Draft, handed: Handed) -> dict[str, Any]:
    known = handed.segments()
    name = str(asked.get("name"))
    if name not in known:
        raise DefinitionError(f"no segment {name!r:.60} is saved", fix="choose another one")
    return {"draft": drafted(known[name], draft.revision + 1)}


QUESTIONS: dict[str, Callable[[Mapping[str, Any], Draft, Handed], dict[str, Any]]] = {
    "suggest": _suggest,
    "preview": _preview,
    "diagnose": _diagnose,
    "explain": _explain,
    "sql": _sql,
    "python": _python,
    "text": _text,
    "json": _json,
    "description": _description,
    "parse": _parse,
    "save": _save,
    "load": _load,
}
ASKS_DATA = frozenset({"suggest", "preview", "diagnose", "explain"})
"""The questions that take a query."""
OF_ONE_DRAFT = frozenset({"preview", "diagnose", "explain"})
"""Those whose answer nobody wants once there is another draft."""
