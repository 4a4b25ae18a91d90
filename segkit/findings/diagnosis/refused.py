"""What a definition says that means nothing here: names that do not exist, kinds that do not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from segkit import nodes
from segkit.errors import DefinitionError, DialectError, SegkitError, UnknownName
from segkit.findings.finding import Finding, Severity
from segkit.measures.waterfall import told


def refused(
    definition: nodes.Definition, whole: DefinitionError, try_out: Callable[[nodes.Predicate], object]
) -> Iterator[Finding]:
    """Each condition that is refused; where each means something by itself, what is wrong with the whole.

    Args:
        definition: what was refused.
        whole: with which error.
        try_out: raises the error of a part.
    """
    is_any = False
    for path, node in _conditions("where", definition.where):
        try:
            try_out(node)
        except DefinitionError as error:
            is_any = True
            yield _finding(definition, path, told(node), error)
    if not is_any:
        yield _finding(definition, "where", told(definition.where), whole)


def unsaid(definition: nodes.Definition, error: DialectError) -> Iterator[Finding]:
    """What the engine has no words for."""
    yield _finding(definition, "where", told(definition.where), error)


def _finding(definition: nodes.Definition, path: str, text: str, error: SegkitError) -> Finding:
    kind = "unknown name" if isinstance(error, UnknownName) else "unfit condition"
    evidence = "there is no such name here" if kind == "unknown name" else "the definition is refused: nothing of it is counted"
    return Finding(
        definition.name or "", kind, Severity.ERROR, path, text, error.what, evidence, error.fix or "correct the condition"
    )


def _conditions(path: str, where: nodes.Predicate) -> Iterator[tuple[str, nodes.Predicate]]:
    """The conditions of a definition, with the NOT before each, as `waterfall` names their places."""
    below, inner = path, where
    while isinstance(inner, nodes.Not):
        below, inner = below + ".item", inner.item
    match inner:
        case nodes.And(items) | nodes.Or(items):
            for i, item in enumerate(items):
                yield from _conditions(f"{below}.items[{i}]", item)
        case _:
            yield path, where
