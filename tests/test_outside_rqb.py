"""react-querybuilder's own test cases: their members, and what their SQL selects.

The cases are facts taken from its public test suite (MIT, (c) 2024 Jake Boone and contributors). They are not in this
repository: `SEGKIT_CASES` names the folder that holds `rqb_members.json` and `rqb_format_sql.json`.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import sqlglot
from sqlglot import exp

from segkit import DefinitionError, Segment, connect, from_react_querybuilder

FOLDER = os.environ.get("SEGKIT_CASES", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="SEGKIT_CASES names no folder with rqb_members.json")


@cache
def document(name: str) -> dict[str, Any]:
    if not FOLDER:
        return {"cases": [], "contacts": []}
    return json.loads((Path(FOLDER) / name).read_text(encoding="utf-8"))


def cases(name: str) -> Any:
    return pytest.mark.parametrize("case", document(name)["cases"], ids=lambda case: case["id"])


# ---------------------------------------------------------------- members

REFUSED = {
    "rqb-db-f2f_<": "text has no order",
}
"""What segkit has no meaning for."""
OTHERWISE = {"rqb-db-preserveValueOrder": ["Captain America", "Spider-Man", "Superman"]}
"""An option of their export, not of the query: `between` is read by its default, the smaller number first."""


LISTS = ("nicknames", "earlyPencilers")


def contacts() -> list[dict[str, Any]]:
    """Their contacts, lists as JSON text; a list of texts may come as one text with commas."""
    rows = document("rqb_members.json")["contacts"]
    return [{key: json.dumps(_list(value)) if key in LISTS else value for key, value in row.items()} for row in rows]


def _list(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


CATALOG = {"contacts": {"table": "contacts", "key": "madeUpName", "fields": dict.fromkeys(LISTS, "json")}}


def refusal(case: dict[str, Any]) -> str | None:
    return REFUSED.get(case["id"])


def evaluated(segment: Segment) -> list[str]:
    kinds = {"powerUpAge": "integer", "enhanced": "boolean", **dict.fromkeys(LISTS, "json")}
    fields = {name: {"kind": kinds.get(name, "text")} for name in contacts()[0]}
    catalog = {"contacts": {**CATALOG["contacts"], "fields": fields}}
    return sorted(row["madeUpName"] for row in contacts() if segment.matches(row, catalog=catalog))


def on_duckdb(segment: Segment) -> list[str]:
    with connect({"contacts": pd.DataFrame(contacts()).astype({"powerUpAge": "Int64"})}, catalog=CATALOG) as workspace:
        return workspace.members(segment)["madeUpName"].tolist()


@pytest.mark.parametrize("members", [evaluated, on_duckdb])
@cases("rqb_members.json")
def test_their_members(case: dict[str, Any], members: Callable[[Segment], list[str]]) -> None:
    reason = refusal(case)
    if reason is None:
        found = members(from_react_querybuilder(case["definition"]))
        assert found == sorted(OTHERWISE.get(case["id"], case["expected"]))
    else:
        with pytest.raises(DefinitionError) as caught:
            members(from_react_querybuilder(case["definition"]))
        assert reason in str(caught.value)


def test_how_many_of_their_members_are_left_out() -> None:
    reasons = Counter(refusal(case) for case in document("rqb_members.json")["cases"])
    assert reasons == {
        None: 45,  # 44 as they expect, and OTHERWISE
        "text has no order": 1,
    }


# ---------------------------------------------------------------- SQL

NUMERIC = ("age", "iq", "f", "f1", "f2")
BOOLEAN = ("isMusician", "isLucky", "isCreative")
NOT_COMPARED = {
    "rqb-format-003": "-1 elements, which they leave out",
    "rqb-format-004": "-1 elements, which they leave out",
    "rqb-format-005": "elements of elements",
    "rqb-format-006": "elements of elements",
    "rqb-format-011": "-1 elements, which they leave out",
    "rqb-format-012": "-1 elements, which they leave out",
    "rqb-format-030": "their SQL is not SQL, but an option's text",
    "rqb-format-108": "an option of their export, to keep the larger number first",
    "rqb-format-118": "the combinator xor",
}
"""Cases of which nothing is compared, and why."""


UNFINISHED = ("an unfinished rule", "needs two values", "in needs a list")


def finished(group: dict[str, Any]) -> dict[str, Any]:
    """The query without the rules that they leave out in silence and we refuse."""
    kept = (rule for rule in group["rules"] if not left_out(rule))
    return {**group, "rules": [finished(rule) if isinstance(rule, dict) and "rules" in rule else rule for rule in kept]}


def left_out(rule: Any) -> bool:
    if isinstance(rule, str) or "rules" in rule:
        return False
    try:
        from_react_querybuilder({"rules": [rule]})
    except DefinitionError as error:
        return any(part in str(error) for part in UNFINISHED)
    return False


def fields_of(definition: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "inputType": "number"} for name in fields_in(definition) if kind_of(name, definition) == "DOUBLE"]


def fields_in(definition: dict[str, Any]) -> list[str]:
    found: dict[str, None] = {}
    for rule in rules_in(definition):
        found[rule["field"]] = None
        if rule.get("valueSource") == "field" and isinstance(rule["value"], str | list):
            names = rule["value"].split(",") if isinstance(rule["value"], str) else rule["value"]
            found |= dict.fromkeys(name.strip() for name in names if name)
    return [name for name in found if name != "~"]


def rules_in(definition: Any) -> Iterator[dict[str, Any]]:
    if isinstance(definition, dict):
        if "rules" in definition:
            for item in definition["rules"]:
                yield from rules_in(item)
        else:
            yield definition


def kind_of(name: str, definition: dict[str, Any]) -> str:
    """The kind of a column, from the values that the query compares it with."""
    values = [rule["value"] for rule in rules_in(definition) if rule["field"] == name and rule.get("valueSource") != "field"]
    if name in BOOLEAN:
        return "BOOLEAN"
    if name in ("age", "iq") or any(re.match(r"\s*-?[\d.]+", str(value).strip("[] ")) for value in values):
        return "DOUBLE"
    return "VARCHAR"


def with_values(case: dict[str, Any]) -> exp.Expression:
    """Their SQL, its parameters replaced by the values."""
    options = case["options"] if isinstance(case["options"], dict) else {}
    sql, params = case["expected_sql"], case.get("expected_params")
    if isinstance(params, dict):
        for name in sorted(params, key=len, reverse=True):
            sql = re.sub(rf"[:$]{name.lstrip(':$')}\b", lambda _, name=name: literal(params[name]), sql)
    elif params:
        marks = iter(params)
        sql = re.sub(r"\?|[:$]\d+", lambda _: literal(next(marks)), sql)
    if options.get("quoteValuesWith") == '"':
        sql = sql.replace('"', "'")
    dialect = {"[": "tsql", "`": "mysql"}.get(str(options.get("quoteFieldNamesWith", [""])[0]), "duckdb")
    if options.get("concatOperator") == "+":
        sql = sql.replace(" + ", " || ")
    if options.get("concatOperator") == "CONCAT":
        dialect = "mysql"  # where it stands for ||, and a missing part makes the whole missing
    return sqlglot.parse_one(sql.replace("[musicians].[", "[musicians."), read=dialect)


def literal(value: Any) -> str:
    return exp.convert(value).sql("duckdb")


def conjuncts(tree: exp.Expression) -> list[exp.Expression]:
    """The parts that their SQL joins by AND."""
    tree = tree.unnest()
    return list(tree.flatten()) if isinstance(tree, exp.And) else [tree]


def two_valued(tree: exp.Expression) -> exp.Expression:
    """Their condition with each comparison false where a value is missing, and each negative one its complement."""

    def known(node: exp.Expression) -> exp.Expression:
        match node:
            case exp.NEQ():
                return exp.not_(false_if_unknown(exp.EQ(this=node.this, expression=node.expression)))
            case exp.Like() if node.args.get("negate"):
                return exp.not_(false_if_unknown(exp.Like(this=node.this, expression=node.expression)))
            case exp.EQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE() | exp.In() | exp.Between() | exp.Like():
                return false_if_unknown(node)
        return node

    return tree.copy().transform(known)


def false_if_unknown(node: exp.Expression) -> exp.Expression:
    return exp.Paren(this=exp.Coalesce(this=exp.Paren(this=node.copy()), expressions=[exp.false()]))


def pool(name: str, definition: dict[str, Any]) -> list[Any]:
    """The constants of a column with their neighbours, and no value."""
    constants = [
        str(part).strip()
        for rule in rules_in(definition)
        if rule["field"] == name and rule.get("valueSource") != "field"
        for part in (rule["value"] if isinstance(rule["value"], list) else str(rule["value"]).split(","))
    ]
    match kind_of(name, definition):
        case "BOOLEAN":
            return [None, True, False]
        case "DOUBLE":
            numbers = [float(text) for text in constants if re.fullmatch(r"-?[\d.]+", text)] or [1.0, 2.0]
            return [None, *sorted({near for number in numbers for near in (number - 0.5, number, number + 0.5)})]
    texts = [near for text in constants if text not in ("", "None") for near in (text, f"x{text}", f"{text}x", text.swapcase())]
    return [None, "", "x", *dict.fromkeys(texts or ["xy", "yx"])]


def mixes(names: list[str], definition: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Every mix of the columns' values; the longest pools are cut where that were too many."""
    pools = [pool(name, definition) for name in names]
    while math.prod(map(len, pools)) > 20_000:
        longest = max(pools, key=len)
        del longest[len(longest) // 2 + 1 :]
    return list(product(*pools))


class Database:
    """A table of every mix of the columns' values, asked by their condition and by a segment."""

    def __init__(self, names: list[str], definition: dict[str, Any]) -> None:
        self.connection = duckdb.connect(":memory:", config={"threads": "1"})
        columns = ", ".join(f'"{name}" {kind_of(name, definition)}' for name in names)
        self.connection.execute(f"CREATE TABLE contacts (contact_id INTEGER{', ' if columns else ''}{columns})")
        rows = [(key, *row) for key, row in enumerate(mixes(names, definition))]
        self.connection.register("frame", pd.DataFrame(rows, columns=["contact_id", *names], dtype=object))
        self.connection.execute("INSERT INTO contacts SELECT * FROM frame")
        self.connection.unregister("frame")
        self.complete = {key for key, *row in rows if None not in row}

    def theirs(self, condition: exp.Expression) -> set[int]:
        sql = condition.sql("duckdb")
        return {row[0] for row in self.connection.execute(f"SELECT contact_id FROM contacts WHERE {sql}").fetchall()}

    def ours(self, segment: Segment) -> set[int]:
        with connect(self.connection) as workspace:
            return set(workspace.members(segment)["contact_id"].tolist())


def parts(case: dict[str, Any]) -> list[tuple[dict[str, Any], exp.Expression]]:
    """Each rule of a query whose rules must all hold, with their condition for it; else the whole of both."""
    query, tree = finished(case["definition"]), with_values(case)
    if query.get("combinator") != "and" or query.get("not"):
        return [(query, tree)]
    conditions = conjuncts(tree)
    assert len(conditions) == len(query["rules"])
    return [({"combinator": "and", "rules": [rule]}, part) for rule, part in zip(query["rules"], conditions, strict=True)]


@cache
def outcomes(id: str) -> list[tuple[str, str]]:
    """What comes of each part of a case, and its rules in short."""
    case = next(case for case in document("rqb_format_sql.json")["cases"] if case["id"] == id)
    return [(outcome(case, query, condition), short(query)) for query, condition in parts(case)]


def outcome(case: dict[str, Any], query: dict[str, Any], condition: exp.Expression) -> str:
    database = Database(fields_in(query), case["definition"])
    try:
        ours = database.ours(from_react_querybuilder(query, fields=fields_of(case["definition"])))
    except DefinitionError as error:
        return next((reason for reason in REASONS if reason in str(error)), str(error))
    theirs = database.theirs(condition)
    if ours == theirs:
        return "same"
    assert ours & database.complete == theirs & database.complete, query
    assert ours == database.theirs(two_valued(condition)), query
    return "missing values"


def short(query: dict[str, Any]) -> str:
    words = (item if isinstance(item, str) else item.get("operator", "group") for item in query["rules"])
    return " ".join(words)


REASONS = ("text has no order", "is no number", "expected one value")
COMPARED = [case for case in document("rqb_format_sql.json")["cases"] if case["id"] not in NOT_COMPARED]


@pytest.mark.parametrize("id", [case["id"] for case in COMPARED])
def test_their_sql_selects_the_same(id: str) -> None:
    assert {result for result, _ in outcomes(id)} <= {"same", "missing values", *REASONS}


def test_how_much_of_their_sql_selects_the_same() -> None:
    assert Counter(result for case in COMPARED for result, _ in outcomes(case["id"])) == {
        "same": 146,
        "missing values": 36,
        "text has no order": 30,
        "is no number": 9,
        "expected one value": 3,
    }


MISSING: dict[str, dict[str, int]] = {
    **{id: {"notIn": 1, "group": 2} for id in ("000", "001", "007", "008", "009", "010", "013", "014", "027", "028")},
    **{id: {"!=": 1} for id in ("023", "024", "025", "026")},
    "031": {"group": 1},
    "106": {"notBetween": 1},
}
"""Where their SQL leaves out contacts with a missing value and we keep them: `not in`, `not between`, `!=`, `not like` and
NOT are unknown for them in SQL's three-valued logic, and complements here. A group stands for such rules in it."""


def test_where_missing_values_make_a_difference() -> None:
    found = {
        case["id"]: Counter(rule for result, rule in outcomes(case["id"]) if result == "missing values") for case in COMPARED
    }
    assert {id.removeprefix("rqb-format-"): counted for id, counted in found.items() if counted} == MISSING


@pytest.mark.parametrize("id", [id for id, reason in NOT_COMPARED.items() if "option" not in reason])
def test_what_is_not_compared_is_refused(id: str) -> None:
    case = next(case for case in document("rqb_format_sql.json")["cases"] if case["id"] == id)
    with pytest.raises(DefinitionError, match=r"-1 elements|elements of elements|xor"):
        from_react_querybuilder(case["definition"])
