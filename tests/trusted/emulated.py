"""Random definitions on Snowflake, emulated: what `agreement` asks of engines that can be had."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import Any

from engine_world import Asked
from strategies import TABLES
from test_snowflake import RUNNER, required

from segkit import compile
from segkit.engines.kinds import kind
from segkit.rendering import render
from trusted.agreement import FEW, Question, careless, drawn, expected, world_of
from trusted.figure import Figure


def random_definitions(wanted: int, _: list[str]) -> Iterator[Figure]:
    """So many definitions; none of JSON, whose types fakesnow names otherwise, and all in numbers that are exact in binary."""
    python = required()
    tried, wrong = compared(python, wanted)
    with careless():
        _, caught = compared(python, FEW)
    told = subprocess.run([python, "-c", _VERSION], capture_output=True, text=True, check=True).stdout.strip()
    yield Figure(
        "Random definitions: the engine's members are the evaluator's",
        f"Snowflake's SQL, emulated (fakesnow) {told}",
        tried,
        len(wrong),
        f">= compiled to > and <= to <, {FEW} definitions",
        len(caught),
    )


_VERSION = "from importlib.metadata import version; print(version('fakesnow'))"


def compared(python: str, wanted: int) -> tuple[int, list[Question]]:
    """How many definitions fakesnow was asked, and those of which it found other members."""
    databases: list[dict[str, Any]] = []
    asked: list[tuple[int, list[Question]]] = []
    left = wanted
    for number in count(1):
        questions = [question for question in drawn(number) if "props" not in repr(question)][:left]
        if not questions:
            break
        databases.append(_database(number, questions))
        asked.append((number, questions))
        left -= len(questions)
    done = subprocess.run([python, RUNNER], input=json.dumps(databases, default=str), capture_output=True, text=True, check=True)
    wrong = [
        question
        for (number, questions), answers in zip(asked, json.loads(done.stdout), strict=True)
        for question, found in zip(questions, answers, strict=True)
        if found != expected(number, is_binary=True)[question]
    ]
    return wanted, wrong


def _database(number: int, questions: list[Question]) -> dict[str, Any]:
    """A database and queries as `fakesnow_runner` takes them."""
    with closing(Asked(world_of(number), "sqlite")) as world:
        plans = [world.plan(world.said(where), at) for where, at in questions]
        return {
            "tables": {
                table: {
                    "columns": {name: kind(own, 2).value for name, own in columns.items()},
                    "rows": [[row.get(name) for name in columns] for row in world.rows[table]],
                }
                for table, columns in TABLES.items()
            },
            "queries": [render(compile.contacts(own, [own.catalog.contacts.key], None), "snowflake") for own in plans],
        }
