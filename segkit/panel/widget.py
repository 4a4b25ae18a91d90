"""The widget: one draft synced both ways, one view and one set of options synced to the browser."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from segkit import nodes
from segkit.builder import Predicate
from segkit.engines.interrupt import until
from segkit.errors import DefinitionError, SegkitError
from segkit.panel import static
from segkit.panel.answers import ASKS_DATA, OF_ONE_DRAFT, Look, Tally, answer, first_options, looked, options, sql, tallied, view
from segkit.panel.beside import Beside
from segkit.panel.draft import Draft, read, written
from segkit.panel.edits import EDITS
from segkit.panel.handed import Handed
from segkit.panel.meaning import definition
from segkit.panel.projection import drafted
from segkit.segment import Segment, as_segment

if TYPE_CHECKING:
    import pandas as pd

_HERE = Path(__file__).parent


class Panel(anywidget.AnyWidget):
    """A segment, built by clicking: made by `Workspace.builder`.

    `segment` is what the panel says, and can be set; `sql` is its query, `df()` its members.
    """

    _esm = _HERE / "panel.js"
    _css = _HERE / "panel.css"

    draft = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    options = traitlets.Dict().tag(sync=True)

    def __init__(self, given: nodes.Definition, handed: Handed) -> None:
        self._handed = handed
        self._beside = Beside(handed.beside)
        self._draft = drafted(given)
        self._unwanted = Event()
        self._look = looked(self._draft, handed)
        first = view(self._draft, self._look, tallied(self._look, handed))
        super().__init__(draft=written(self._draft), view=first, options=first_options(handed))
        self._offers_kinds = False
        self.observe(self._edited, "draft")
        self.on_msg(self._asked)

    # ------------------------------------------------------------ for the notebook

    @property
    def segment(self) -> Segment:
        """The segment that the panel says: muted and blank rows are left out.

        Raises:
            DefinitionError: a part is not finished.
        """
        own = definition(self._draft)
        return Segment(own.name, Predicate(own.where), notes=own.notes, owner=own.owner, tags=own.tags)

    @segment.setter
    def segment(self, segment: Any) -> None:
        self._show(drafted(as_segment(segment).definition, self._draft.revision + 1))

    @property
    def sql(self) -> str:
        """The query of the members' keys, in the engine's own dialect."""
        return sql(definition(self._draft), self._handed, self._handed.dialect)

    def df(self) -> pd.DataFrame:
        """The members."""
        return self._handed.members(definition(self._draft))

    def edit(self, edit: str, *arguments: Any, **named: Any) -> None:
        """Makes one of the edits of `segkit.panel.edits`, by its name: `panel.edit("negate", (0,))`.

        Raises:
            DefinitionError: the edit cannot be made; nothing is changed then.
        """
        if edit not in EDITS:
            raise DefinitionError(f"there is no edit {edit!r:.40}", fix=f"use one of {', '.join(EDITS)}")
        self._show(EDITS[edit](self._draft, *arguments, **named))

    def close(self) -> None:
        """Takes the panel away."""
        self._unwanted.set()
        self._beside.close()
        super().close()

    def __repr__(self) -> str:
        return static.text(self._draft, self.view, self.options["as_of"])

    def _repr_mimebundle_(self, **named: Any) -> Any:
        bundle = super()._repr_mimebundle_(**named)
        data, about = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        shown = static.html(self._draft, self.view, self._shown_sql(), self.options["as_of"])
        still = {"text/plain": repr(self), "text/html": shown}
        return {**data, **still}, about

    def _shown_sql(self) -> str:
        try:
            return self.sql
        except SegkitError as error:
            return f"-- {error.what}"

    # ------------------------------------------------------------ from the browser

    def _show(self, draft: Draft) -> None:
        self.draft = written(draft)

    def _edited(self, change: Any) -> None:
        try:
            self._draft = read(change["new"])
        except DefinitionError as error:
            self.view = {**self.view, "problem": {"what": error.what, "fix": error.fix, "where": error.where}}
            return
        self._unwanted.set()  # what is still asked about the draft before
        self._unwanted = Event()
        draft, handed = self._draft, self._handed
        self._look = look = looked(draft, handed)
        if handed.beside:
            self.view = {**view(draft, look, None), "everyone": self.view.get("everyone")}
        counted = until(self._unwanted)(partial(self._counted, draft, look))
        self._beside.run(counted, lambda found: self._deliver(draft, look, found))

    def _counted(self, draft: Draft, look: Look) -> Tally | None:
        """What comes of counting a draft; None where a later one has taken its place."""
        return tallied(look, self._handed) if draft is self._draft else None

    def _deliver(self, draft: Draft, look: Look, tally: Tally | None) -> None:
        if tally is not None and draft is self._draft:
            self.view = view(draft, look, tally)

    def _asked(self, _: Any, asked: Any, __: Any) -> None:
        if not isinstance(asked, dict):
            return
        draft, number = self._draft, asked.get("number")
        if (question := str(asked.get("ask"))) in ASKS_DATA:
            unwanted = self._unwanted if question in OF_ONE_DRAFT else Event()
            answered = until(unwanted)(partial(answer, asked, draft, self._handed))
            self._beside.run(answered, lambda found: self._reply(number, found))
        else:
            self._reply(number, answer(asked, draft, self._handed))
        if not self._offers_kinds:  # a browser asks when it has painted the panel: then there is time for it
            self._offers_kinds = True
            self._beside.run(lambda: options(self._handed), self._offer)

    def _offer(self, options: dict[str, Any]) -> None:
        self.options = options

    def _reply(self, number: Any, found: dict[str, Any]) -> None:
        """Sends an answer; a draft in it takes the place of the one that is shown."""
        draft = found.pop("draft", None)
        if "segments" in found:
            self.options = options(self._handed)
        self.send({"number": number, **found})
        if draft is not None:
            self._show(draft)
