"""`%load_ext segkit`, then `%%segment name`: a cell of the text language becomes a segment."""

from __future__ import annotations

import builtins
import keyword
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from segkit.display import seen
from segkit.errors import DefinitionError, SegkitError
from segkit.segment import Segment, parse_segment

USAGE = "%%segment [name] [--notes TEXT] [--ws VARIABLE]"


@dataclass(frozen=True)
class Asked:
    """What the line of `%%segment` asks for: the segment's name, its notes, and the workspace to define it in."""

    name: str | None = None
    notes: str = ""
    workspace: str | None = None


def register(shell: Any) -> None:
    """Makes `%%segment` known to an IPython shell; a second time changes nothing."""

    def segment(line: str, cell: str) -> Segment:
        """A cell of the text language becomes a segment: %%segment [name] [--notes TEXT] [--ws VARIABLE]

        A name with blanks stands in quotes; without one the cell gives it (`Result: name`). The segment becomes a
        variable, which is told. With --ws the workspace of that variable knows it by name; nothing is queried.
        """
        try:
            return defined(line, cell, shell.user_ns)
        except SegkitError as error:
            _told(error)

    shell.register_magic_function(segment, magic_kind="cell", magic_name="segment")


def defined(line: str, cell: str, variables: dict[str, Any]) -> Segment:
    """The segment of a cell, which becomes one of the variables.

    Raises:
        DefinitionError: the line or the cell cannot be read, the workspace is none or refuses the definition, or the name
            is that of a variable that is no segment; nothing is changed then.

    >>> variables = {}
    >>> defined('"Big spenders"', "total_spent > 500", variables)
    big_spenders is the segment 'Big spenders'
    Segment('Big spenders', F.total_spent > 500)
    """
    asked = read(line)
    definition = parse_segment(cell).definition
    name = asked.name or definition.name
    if name is None:
        raise DefinitionError("the segment has no name", fix=f"write {USAGE}")
    segment = Segment(name, Segment._of(definition), notes=asked.notes or definition.notes)
    variable = variable_of(name)
    if not isinstance(variables.get(variable, segment), Segment):
        raise DefinitionError(f"there is a variable {variable} that is no segment", fix="give the segment another name")
    if asked.workspace is not None:
        _workspace(asked.workspace, variables).define(segment)
    variables[variable] = segment
    print(f"{variable} is the segment {seen(name)!r}")
    return segment


def read(line: str) -> Asked:
    """What the line of `%%segment` asks for.

    Raises:
        DefinitionError: it is not of the form.

    >>> read('"At risk" --notes "Call them" --ws ws')
    Asked(name='At risk', notes='Call them', workspace='ws')
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise DefinitionError(f"the line cannot be read: {error}".lower(), fix=f"write {USAGE}") from None
    asked, rest = Asked(), iter(words)
    for word in rest:
        match word:
            case "--notes":
                asked = replace(asked, notes=_after(word, next(rest, None)))
            case "--ws":
                asked = replace(asked, workspace=_after(word, next(rest, None)))
            case _ if word.startswith("--"):
                raise DefinitionError(f"unknown option {word!r:.60}", fix=f"write {USAGE}")
            case _ if asked.name is not None:
                raise DefinitionError(f"two names: {asked.name!r:.60} and {word!r:.60}", fix="put a name with blanks in quotes")
            case _:
                asked = replace(asked, name=word)
    return asked


def _after(option: str, value: str | None) -> str:
    if value is None:
        raise DefinitionError(f"nothing stands after {option}", fix=f"write {USAGE}")
    return value


def variable_of(name: str) -> str:
    """The variable that a segment of a name becomes.

    >>> [variable_of(name) for name in ("vip", "VIP Customers", "30 days", "list", "class", "!")]
    ['vip', 'vip_customers', 'segment_30_days', 'list_', 'class_', 'segment']
    """
    plain = name if name.isidentifier() else re.sub(r"\W+", "_", name.casefold()).strip("_")
    if not plain.isidentifier():
        plain = f"segment_{plain}" if plain else "segment"
    return f"{plain}_" if keyword.iskeyword(plain) or hasattr(builtins, plain) else plain


def _workspace(variable: str, variables: Mapping[str, Any]) -> Any:
    workspace = variables.get(variable)
    if not callable(getattr(workspace, "define", None)):
        raise DefinitionError(f"{variable!r:.60} is no workspace", fix="write ws = connect(...) and --ws ws")
    return workspace


def _told(error: SegkitError) -> NoReturn:
    """A refusal as IPython tells one: without a traceback, and a run of all cells stops."""
    from IPython.core.error import UsageError

    raise UsageError(str(error)) from None
