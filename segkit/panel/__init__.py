"""The panel: a segment built by clicking, with the live size of every part.

    Definition -> projection -> Draft (rows) -> written -> the browser: panel.js draws it and edits it at once
                                  |    ^
                                  |    +------- read <- its next draft
                                  v
    meaning -> Definition -> handed functions -> answers: reasons, bounds, sizes, SQL ... -> the browser

`edits` are the browser's edits as pure functions; `static` is what an exported notebook shows. The panel holds no
connection: it is handed functions. `widget` is the one file that needs anywidget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segkit import nodes
from segkit.errors import SegkitError
from segkit.panel.handed import Handed, handed

if TYPE_CHECKING:
    from segkit.panel.widget import Panel

__all__ = ["Handed", "handed", "opened"]


def opened(definition: nodes.Definition | None, given: Handed) -> Panel:
    """A panel for a definition, or for a new one.

    Raises:
        SegkitError: anywidget is not installed.
    """
    try:
        from segkit.panel.widget import Panel
    except ModuleNotFoundError as error:
        if error.name not in ("anywidget", "ipywidgets", "traitlets"):
            raise
        raise SegkitError("the panel needs anywidget", fix="pip install 'segkit[lab]'") from None
    return Panel(definition or nodes.Definition(None, nodes.Everyone()), given)
