"""Why a segment does not update, has members that nobody expected, or is too small or too large.

definition -> refused?          names and kinds (`refused`)
           -> plan -> spots     where its conditions stand, what NOT means for each
                   -> asking    what to count -> seen: a few queries
           -> causes | unexpected | sizes -> findings
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from segkit import nodes
from segkit.catalog import Catalog
from segkit.engines import Engine
from segkit.errors import DefinitionError, DialectError
from segkit.findings.diagnosis import asking, causes, sizes, spots, unexpected
from segkit.findings.diagnosis.case import Case
from segkit.findings.diagnosis.refused import refused, unsaid
from segkit.findings.diagnosis.seen import look
from segkit.findings.finding import Finding, table
from segkit.measures.waterfall import conditions, tree
from segkit.metrics import label
from segkit.plan import Moment, Plan, plan

if TYPE_CHECKING:
    import pandas as pd


def diagnose(
    engine: Engine,
    definition: nodes.Definition,
    catalog: Catalog,
    at: Moment,
    segments: Mapping[str, nodes.Predicate],
    *,
    latest: dt.datetime,
    hand_over: Callable[[list[Plan]], None],
) -> pd.DataFrame:
    """The findings about a definition. `Workspace.diagnose` says what the columns mean.

    Args:
        engine: where the data is.
        definition: what to diagnose.
        catalog: what may be named.
        at: the moment of the evaluation.
        segments: those that may be referred to.
        latest: the instant that the data is of: before it, what is later is no future.
        hand_over: makes the lists that a plan names known to the engine.
    """

    def planned(where: nodes.Predicate) -> Plan:
        return plan(nodes.Definition(definition.name, where), catalog, at, segments)

    try:
        own = plan(definition, catalog, at, segments)
    except DefinitionError as error:
        return _framed(refused(definition, error, planned), {})
    hand_over([own])
    try:
        case = _examined(engine, own, (latest - at.as_of).total_seconds() <= 60)
    except DialectError as error:
        return _framed(unsaid(definition, error), {})
    return _framed(_findings(case), {"size": case.size, "everyone": case.everyone, "windows": dict(own.windows)})


def _findings(case: Case) -> Iterator[Finding]:
    if case.everyone:
        yield from causes.findings(case)
        yield from unexpected.findings(case)
    yield from sizes.findings(case)


def _examined(engine: Engine, own: Plan, is_present: bool) -> Case:
    root = spots.root(tree(own))
    conditions(root.place)
    leaves = list(spots.leaves(root))
    wanted = [condition for spot in leaves for condition in asking.asked(spot, own)]
    features = [feature for spot in leaves for condition in asking.asked(spot, own) for feature in asking.features(condition)]
    ordered = list(dict.fromkeys(term for spot in leaves for term in asking.ordered(spot.condition)))
    return Case(label(own), own, root, look(engine, own, wanted, features, ordered), is_present)


def _framed(found: Iterator[Finding], told: Mapping[str, object]) -> pd.DataFrame:
    frame = table(dict.fromkeys(found))
    frame.attrs.update(told)
    return frame
