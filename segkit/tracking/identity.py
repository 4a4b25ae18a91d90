"""What a definition means, written out: with the segments and calculated fields that it refers to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from segkit import codec, nodes
from segkit.catalog import Catalog


def written_out(where: nodes.Predicate, catalog: Catalog, segments: Mapping[str, nodes.Predicate], zone: str) -> str:
    """A definition as JSON, with all that a change of would give it other members on the same data.

    >>> from segkit.catalog import ASSUMED
    >>> vips = nodes.Missing(nodes.Field("vip_since"))
    >>> written_out(nodes.InSegment("VIP"), ASSUMED, {"VIP": vips}, "UTC").count("vip_since")
    1
    """
    found: dict[tuple[str, str], Any] = {}
    rest: list[nodes.Node] = [where]
    while rest:
        for kind, name in _names(rest.pop()):
            for exact, meant in _meant(kind, name, catalog, segments):
                if (kind, exact) not in found:
                    found[kind, exact] = codec.to_dict(nodes.Definition(None, meant))["where"]
                    rest.append(meant)
    refers = {f"{kind} {name}": found[kind, name] for kind, name in sorted(found)}
    own = {"where": codec.to_dict(nodes.Definition(None, where))["where"], "refers_to": refers, "timezone": zone}
    return json.dumps(own, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _names(node: nodes.Node) -> Iterator[tuple[str, str]]:
    for level in nodes.levels(node):
        for own in level:
            match own:
                case nodes.InSegment(name) | nodes.InGroup(name):
                    yield "segment", name
                case nodes.Field(name) | nodes.Word(name):
                    yield "field", name


def _meant(
    kind: str, name: str, catalog: Catalog, segments: Mapping[str, nodes.Predicate]
) -> Iterator[tuple[str, nodes.Predicate]]:
    """What a name means, in any case of letters: a segment's predicate, or that a calculated field is missing."""
    known: Mapping[str, Any] = segments if kind == "segment" else catalog.calculated
    for exact in [name] if name in known else [own for own in known if own.casefold() == name.casefold()]:
        yield exact, known[exact] if kind == "segment" else nodes.Missing(_value(known[exact]))


def _value(calculated: Any) -> Any:
    if not isinstance(calculated, str):
        return calculated
    from segkit.language import formula  # its parser is loaded where there is text to read

    return formula(calculated)
