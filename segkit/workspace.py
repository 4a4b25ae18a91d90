"""The object an analyst holds: one engine, one catalog, one time zone. Every method is one call downstairs."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from segkit import (
    bundled,
    display,
    exports,
    lists,
    metrics,
    nodes,
    panel,
    report,
    store,
    tracking,
    verification,
    views,
)
from segkit.builder import Names, Predicate, Value, event, field
from segkit.catalog import Catalog, completed, conventional, find
from segkit.describe import describe
from segkit.engines import ChecksZones, Engine, open_engine
from segkit.errors import DefinitionError, SegkitError, SegkitWarning
from segkit.explanation.explanation import Explanation, explained
from segkit.findings import audit, diagnosis, finding
from segkit.journey import Journey, checked_journey, counted, partition
from segkit.lists import StaticList
from segkit.measures import (
    composition,
    difference,
    history,
    overlap,
    patterns,
    performance,
    profiling,
    reasons,
    rfm_cells,
    spells,
    stages,
    stays,
    thresholds,
    upcoming,
    waterfall,
)
from segkit.measures.rfm_cells import Rfm
from segkit.plan import Moment, Plan, clock, moment, plan, plan_at_each
from segkit.plan import evergreen as plan_evergreen
from segkit.plan.course import without_history
from segkit.segment import Audience, Segment, as_catalog, as_segment, by_name, displayed, unpinned, zone_of
from segkit.spelling import spell

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from segkit.panel.widget import Panel


def connect(
    source: Any = None,
    *,
    dialect: str | None = None,
    catalog: Catalog | Mapping[str, Any] | str | Path | None = None,
    timezone: str | None = None,
    as_of: Any = None,
    home: str | Path | None = ".segkit",
    history: str | None = None,
) -> Workspace:
    """Connects to data.

    Args:
        source: a DuckDB or SQLite file, a folder of Parquet or CSV files, `:memory:`, `sqlite:///path`, a mapping from table
            names to pandas, polars or Arrow tables, a database URL (`postgresql://...`), an engine of SQLAlchemy, a connection
            of any driver, a SparkSession, or a SessionContext of DataFusion. Without one: the bundled sample data.
        dialect: which SQL a connection speaks (`"snowflake"`), where its driver does not tell.
        catalog: what the tables mean, as a `Catalog`, a mapping or the path of a `catalog.yml`; by convention
            `contacts(contact_id, ...)`, `events(event_id, contact_id, event, occurred_at, ...)` and
            `list_members(list_name, contact_id)`.
        timezone: the zone of local dates, and of datetimes written without a zone (default: the catalog's, else UTC).
        as_of: the default instant of evaluation (default: the catalog's, else now at each call).
        home: the folder where saved segments, frozen lists and tracked history are kept, made when the first is; None keeps
            nothing.
        history: the schema of the warehouse where tracked history is kept instead, in tables that `history_tables` makes. A file
            is then opened to be written to, which for DuckDB shuts out other processes.

    Raises:
        EngineError: the source cannot be opened, or keeps no history.
        CatalogError: the catalog does not fit the tables.

    >>> from segkit import F
    >>> connect().size(F.country == "USA") > 0
    True
    """
    if source is None:
        source = bundled.folder()
        catalog = bundled.folder() / "catalog.yml" if catalog is None else catalog
    engine = open_engine(source, dialect, "ro" if history is None else "rw")
    tables = engine.tables()
    given = conventional(tables) if catalog is None else replace(as_catalog(catalog), assumed=False)
    own = completed(given, tables)
    if isinstance(engine, ChecksZones):
        engine.check_zones((zone_of(timezone, own), *own.zones()))
    return Workspace(engine, own, timezone=timezone, as_of=as_of, home=home, history=history)


class Workspace:
    """Segments, run. Made by `connect`; use it with `with`, or `close()` it.

    `F` and `E` of a workspace complete the names of its catalog.

    >>> with connect() as ws:
    ...     ws.size(ws.F.country == "USA")
    1852
    """

    def __init__(
        self,
        engine: Engine,
        catalog: Catalog,
        *,
        timezone: str | None = None,
        as_of: Any = None,
        home: str | Path | None = None,
        history: str | None = None,
    ) -> None:
        self.engine = engine
        self._warehouse = None if history is None else tracking.warehouse.opened(engine, history, catalog)
        self._catalog = catalog
        self._is_checked = False
        self._zone = zone_of(timezone, catalog)
        self._as_of = as_of if as_of is not None else catalog.as_of
        self._home = None if home is None else store.place(home)
        self._segments = {} if self._home is None else store.saved(self._home / "segments")
        self._lists = {} if self._home is None else lists.frozen(self._home / "lists")
        self._handed: dict[str, StaticList] = {}
        if self._lists:
            self._hand_over({}, self._lists)
        moment(self._as_of, self._zone)
        self.F = Names(field, lambda: (*self._catalog.contacts.fields, *self._catalog.calculated))
        self.E = Names(event, lambda: self._catalog.event_names())

    @property
    def catalog(self) -> Catalog:
        """What may be named here."""
        return self._catalog

    @property
    def timezone(self) -> str:
        """The zone of local dates."""
        return self._zone

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The segments saved in the home, then those defined here, in the order of their definition."""
        return tuple(self._segments.values())

    @property
    def lists(self) -> tuple[StaticList, ...]:
        """The lists frozen in the home, beside those of the connection's own table."""
        return tuple(self._lists.values())

    def define(self, *segments: Segment, **calculated: Value) -> None:
        """Makes segments known by name to `in_segment`, and calculated fields known to `F`.

        Args:
            segments: segments with names.
            calculated: values by the names of their fields.

        Raises:
            DefinitionError: a name is taken by a column, or the definition does not fit the catalog.

        >>> from segkit import F
        >>> ws = connect()
        >>> ws.define(average_order_value=F.total_revenue / F.order_count)
        >>> ws.size(F.average_order_value > 50) > 0
        True
        """
        for name, value in calculated.items():
            self._check_calculated(name, value)
        nodes_by_name = {name: value.node for name, value in calculated.items()}
        catalog = replace(self._catalog, calculated={**self._catalog.calculated, **nodes_by_name})
        wanted = {**self._segments, **{_named(segment): segment for segment in segments}}
        self._try_out(catalog, nodes_by_name, segments, by_name(wanted))
        self._catalog, self._segments = catalog, wanted

    def save(self, segment: Segment) -> Path:
        """Keeps a segment as a file of the home, where every later connection finds it, and makes it known by name.

        A segment of the same name is replaced.

        Returns:
            The file: segkit's own JSON form, to be read, reviewed and kept in version control.

        Raises:
            DefinitionError: the segment has no name, or does not fit the catalog; nothing is written then.
            SegkitError: the folder cannot be written to.

        >>> from segkit import F
        >>> folder = getfixture("tmp_path")
        >>> file = connect(home=folder).save(Segment("Big spenders", F.total_spent > 500))
        >>> connect(home=folder).segments
        (Segment('Big spenders', F.total_spent > 500),)
        """
        wanted = {**self._segments, _named(segment): segment}
        self._try_out(self._catalog, {}, [segment], by_name(wanted))
        file = store.save(self._folder("segments"), segment)
        self._segments = wanted
        return file

    def load(self, path: str | Path, *more: str | Path) -> list[Segment]:
        """Reads the segments of files and folders (`.json`, `.yaml`, `.yml`), and makes them known by name, all or none.

        They may refer to each other in any order. A segment of the same name is replaced.

        Returns:
            The segments, in the order of their names.

        Raises:
            DefinitionError: what is wrong, in each file that cannot be used; nothing is loaded then.

        >>> from segkit import F
        >>> file = getfixture("tmp_path") / "rich.yml"
        >>> _ = file.write_text("name: Rich\\nconditions: [{field: total_spent, operator: greater_than, value: 500}]")
        >>> connect().load(file)
        [Segment('Rich', F.total_spent > 500)]
        """
        found = store.read(*map(store.place, (path, *more)))
        wanted = {**self._segments, **{_named(own.segment): own.segment for own in found}}
        known = by_name(wanted)
        store.in_each(
            ((own.path, own.segment) for own in found), lambda segment: self._try_out(self._catalog, {}, [segment], known)
        )
        self._segments = wanted
        return [own.segment for own in found]

    def freeze(self, segment: Audience | Predicate, name: str, *, as_of: Any = None) -> StaticList:
        """Keeps the members as they are now as a static list, in the home: `in_list(name)` means them from then on.

        Args:
            segment: a segment, a frozen list or a condition.
            name: what the list is called.
            as_of: the instant of evaluation (default: the workspace's, else now).

        Raises:
            DefinitionError: there is a list of that name; `unfreeze` removes one that was frozen.
            DataError: the contacts' keys are neither whole numbers nor text.

        >>> from segkit import F
        >>> ws = connect(home=getfixture("tmp_path"))
        >>> launch = ws.freeze(F.country == "USA", "Launch")
        >>> ws.size(launch) == launch.size == ws.size(F.country == "USA")
        True
        """
        folder = self._folder("lists")
        catalog = self._checked()
        lists.free_name(name, catalog)
        members = self.members(segment, as_of=as_of)
        at = moment(members.attrs["as_of"], self._zone)
        own = StaticList(name, len(members), at.as_of, catalog.contacts.key)
        lists.write(folder, own, members.iloc[:, 0].tolist())
        try:
            self._hand_over(self._handed, {**self._lists, name: own})
        except BaseException:
            lists.remove(folder, name)
            raise
        return own

    def unfreeze(self, name: str) -> None:
        """Removes a frozen list.

        Raises:
            DefinitionError: there is no frozen list of that name.

        >>> from segkit import F
        >>> ws = connect(home=getfixture("tmp_path"))
        >>> launch = ws.freeze(F.country == "USA", "Launch")
        >>> ws.unfreeze("Launch")
        >>> ws.lists
        ()
        """
        lists.known(self._lists, name)
        handed, known = ({other: own for other, own in those.items() if other != name} for those in (self._handed, self._lists))
        self._hand_over(handed, known)
        lists.remove(self._folder("lists"), name)

    def track(
        self,
        segments: Iterable[Segment],
        *,
        at_least: int | None = None,
        at_most: int | None = None,
        moved: float | None = None,
    ) -> None:
        """Keeps the membership of segments from the next `refresh` on. Nothing is evaluated yet.

        A segment of a name that is tracked replaces it. Where its meaning changed, the next refresh begins a new version of
        it; the history of the old one stays.

        Args:
            segments: segments with names.
            at_least: `refresh` alerts where there are fewer members.
            at_most: or where there are more.
            moved: or where more than this share of the members before (0.2 is a fifth) came or went.

        Raises:
            DefinitionError: a segment has no name, or does not fit the catalog; none is tracked then.
            DataError: the tracked history is damaged.

        >>> from segkit import F
        >>> ws = connect(home=getfixture("tmp_path"))
        >>> ws.track([Segment("US", F.country == "USA")], at_least=100)
        >>> ws.refresh()[["segment", "size", "outcome"]].values.tolist()
        [['US', 1852, 'first']]
        """
        if isinstance(segments, Audience | Predicate):
            raise DefinitionError("expected a list of segments", fix="put it in [ ]")
        given = nodes.checked_list(segments, "segments")
        own = {_named(segment): segment for segment in given}
        self._try_out(self._checked(), {}, own.values(), by_name({**self._segments, **self._tracked(), **own}))
        tracking.track(self._history_place(), given, tracking.Alerts(at_least, at_most, moved))

    def untrack(self, *names: str) -> None:
        """Keeps the membership of segments no longer. Their history stays.

        Raises:
            DefinitionError: one is not tracked.

        >>> from segkit import F
        >>> ws = connect(home=getfixture("tmp_path"))
        >>> ws.track([Segment("US", F.country == "USA")])
        >>> ws.untrack("US")
        >>> ws.tracked
        ()
        """
        tracking.untrack(self._history_place(), names)

    def history_tables(self, *, execute: bool = False) -> str:
        """The tables of a history that is kept in the warehouse: the commands that make those which are not there.

        Nothing else ever makes a table; `refresh` and `track` write to these.

        Args:
            execute: make them now. Otherwise hand the commands to who may.

        Raises:
            DefinitionError: this connection keeps its history in the home.
            EngineError: the engine was opened to be read only, or refused a command.

        >>> from segkit import F
        >>> ws = connect(history="main")
        >>> "segkit_membership" in ws.history_tables(execute=True)
        True
        >>> ws.track([Segment("US", F.country == "USA")])
        >>> ws.refresh()[["segment", "size", "outcome"]].values.tolist()
        [['US', 1852, 'first']]
        """
        if self._warehouse is None:
            raise DefinitionError("the history is kept in the home", fix='name a schema: connect(..., history="marketing")')
        commands = tracking.warehouse.statements(self._warehouse)
        if execute:
            tracking.warehouse.make(self._warehouse, commands)
        return ";\n".join([*commands, ""])

    @property
    def tracked(self) -> tuple[Segment, ...]:
        """The segments whose membership is kept."""
        return tuple(self._tracked().values())

    def refresh(
        self,
        *,
        as_of: Any = None,
        full: bool = False,
        check: bool = False,
        dry_run: bool = False,
        hook: tracking.Hook | None = None,
    ) -> pd.DataFrame:
        """Looks who is a member of each tracked segment, and keeps who came and went since the last time.

        All segments are evaluated as of one instant, and written in one transaction: whatever stops a refresh, it is kept
        whole or not at all. A segment that cannot be evaluated does not stop the others. Running it again as of the same
        instant, or in two processes at once, changes nothing. In DuckDB only contacts that could have changed since the last
        refresh are looked at: those with other rows, and those that an instant of a definition has passed.

        Args:
            as_of: the instant of evaluation (default: the workspace's, else now); not before the last refresh.
            full: look at all contacts.
            check: look both ways. Where they differ, what all contacts say is kept, and `error` tells who differs.
            dry_run: only tell what would be kept.
            hook: is called as `hook(segment, adds, removes)` with the name and two lists of contact keys for each segment
                that moved, after all is kept, to change a copy elsewhere. One that fails does not stop the others.

        Returns:
            A row for each tracked segment: segment, version (of its definition), size, entries, exits (since the last refresh,
            missing at the first), outcome (`first`, `refreshed`, `new version`: its meaning changed, `already there`: of this
            instant, `overtaken`: another process has refreshed as of a later one meanwhile, `failed`: size is that of the last
            refresh), looked_at (how many contacts; missing: all), alert (what about its size needs a look), note (warnings,
            and why all contacts were looked at again), error. `attrs["as_of"]` is the instant.

        Raises:
            DefinitionError: nothing is tracked, or the instant is yet to come.
            DataError: the instant lies before the last refresh, the contacts' keys cannot be kept, or the history is damaged.

        >>> from segkit import E
        >>> ws = connect(home=getfixture("tmp_path"))
        >>> ws.track([Segment("Readers", E.opened.within(days=30).count() >= 5)])
        >>> _ = ws.refresh(as_of="2025-11-01")
        >>> ws.refresh(as_of="2025-11-08")[["segment", "size", "entries", "exits"]].values.tolist()
        [['Readers', 235, 22, 92]]
        """
        at = self._moment(as_of)
        place, source = self._history_place(), self._tracked_source(full, check)
        if dry_run:
            return tracking.foreseen(place, source, at.as_of)
        return tracking.refreshed(place, source, at.as_of, hook)

    def tracked_sizes(self, segments: Iterable[str] | None = None) -> pd.DataFrame:
        """How large tracked segments were at each refresh, as it was seen then.

        Args:
            segments: names (default: all that were ever refreshed).

        Returns:
            segment, version (of its definition), at, size, entries, exits (since the refresh before; missing in the first row).

        Raises:
            DefinitionError: a name was never tracked.
            DataError: the history is damaged.
        """
        return tracking.sizes(self._history_place(), _names(segments), self._zone)

    def tracked_moves(self, segments: Iterable[str] | None = None, *, since: Any = None) -> pd.DataFrame:
        """Who came to tracked segments and who left them.

        Args:
            segments: names (default: all that were ever refreshed).
            since: tell what refreshes after this instant saw (default: what the last one saw).

        Returns:
            segment, version, at (the refresh that saw it), the contact key under its own name, move (`entered`, `exited`, or
            `present`: a member at the first refresh already): by segment, time, move and key.

        Raises:
            DefinitionError: a name was never tracked.
            DataError: the history is damaged.

        >>> from segkit import E
        >>> ws = connect(home=getfixture("tmp_path"))
        >>> ws.track([Segment("Readers", E.opened.within(days=30).count() >= 5)])
        >>> _ = ws.refresh(as_of="2025-11-01"), ws.refresh(as_of="2025-11-08")
        >>> ws.tracked_moves().groupby("move").size().to_dict()
        {'entered': 22, 'exited': 92}
        """
        after = None if since is None else tracking.stamp(moment(since, self._zone).as_of)
        key = self._catalog.contacts.key
        return tracking.moves(self._history_place(), _names(segments), after, key, self._zone)

    def tracked_spells(self, segments: Iterable[str] | None = None) -> pd.DataFrame:
        """Who was a member of tracked segments from when to when, as refreshes saw it.

        Args:
            segments: names (default: all that were ever refreshed).

        Returns:
            segment, version, the contact key under its own name, entered_at (the first refresh that saw the contact inside),
            exited_at (the first that saw it outside again, or the beginning of the next version; missing where it is still
            inside), already_in (inside when the version began: nobody knows since when), by segment, version, key and time.

        Raises:
            DefinitionError: a name was never tracked.
            DataError: the history is damaged.
        """
        return tracking.spells(self._history_place(), _names(segments), self._catalog.contacts.key, self._zone)

    def size(self, segment: Audience | Predicate, *, as_of: Any = None) -> int:
        """How many contacts are members.

        Args:
            segment: a segment, a frozen list or a condition.
            as_of: the instant of evaluation, a datetime or ISO text (default: the workspace's, else now).

        Raises:
            DefinitionError: a name or kind does not fit the catalog.
            EngineError: the engine refused the query.

        >>> from segkit import F
        >>> connect().size(F.country == "USA")
        1852
        """
        return int(self.sizes([segment], as_of=as_of)["size"].iloc[0])

    def sizes(self, segments: Iterable[Audience | Predicate], *, as_of: Any = None) -> pd.DataFrame:
        """How many contacts are members of each segment, all counted in one query.

        Args:
            segments: segments, frozen lists or conditions; any number of them.
            as_of: the instant of evaluation (default: the workspace's, else now).

        Returns:
            segment, size, share (of all contacts, 0 to 1), in the given order; `attrs["as_of"]` is the instant used.
            At an instant before the workspace's own also note: which fields are today's values.

        Raises:
            DefinitionError: a name or kind does not fit the catalog.
            EngineError: the engine refused the query.

        >>> from segkit import F, Segment
        >>> connect().sizes([Segment("US", F.country == "USA"), F.opens > 5])["size"].tolist()
        [1852, 2065]
        """
        plans = self._plans(segments, as_of)
        frame = metrics.sizes(self.engine, plans)
        if any(notes := [self._todays_fields(p, as_of) for p in plans]):
            frame["note"] = [f"today's values of {', '.join(names)}" if names else "" for names in notes]
        return self._stamped(frame, plans, as_of)

    def members(self, segment: Audience | Predicate, columns: Iterable[str] = (), *, as_of: Any = None) -> pd.DataFrame:
        """The members.

        Args:
            segment: a segment, a frozen list or a condition.
            columns: further columns of the contact, by name.
            as_of: the instant of evaluation (default: the workspace's, else now).

        Returns:
            The contact key under its own name, sorted, then the wanted columns of the contact.

        Raises:
            DefinitionError: a name or kind does not fit the catalog, or there is no such column.
            EngineError: the engine refused the query.

        >>> from segkit import F
        >>> connect().members(F.country == "USA", columns=["country", "opens"]).head(2)
           contact_id country  opens
        0           1     USA    109
        1           3     USA      0
        """
        [own] = plans = self._plans([segment], as_of)
        wanted = [nodes.checked_name(name, "column") for name in nodes.checked_list(columns, "columns")]
        return self._stamped(metrics.members(self.engine, own, wanted), plans, as_of)

    def preview(self, segment: Audience | Predicate, n: int = 10, *, mask: bool = False, as_of: Any = None) -> pd.DataFrame:
        """The first members in the order of their keys, with all their columns.

        Args:
            segment: a segment, a frozen list or a condition.
            n: how many.
            mask: whether e-mail addresses are hidden.
            as_of: the instant of evaluation (default: the workspace's, else now).

        Returns:
            The columns of the contact, the key first.

        Raises:
            DefinitionError: `n` is no whole number, or a name or kind does not fit the catalog.
            EngineError: the engine refused the query.

        >>> from segkit import F
        >>> connect().preview(F.country == "USA", 1, mask=True)["email"].tolist()
        ['***@***']
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 0:
            raise DefinitionError(f"n must be a whole number, not {n!r:.40}", fix="write preview(segment, n=10)")
        [own] = plans = self._plans([segment], as_of)
        frame = metrics.preview(self.engine, own, n)
        return self._stamped(metrics.masked(frame) if mask else frame, plans, as_of)

    def composition(
        self,
        segments: Audience | Predicate | Iterable[Audience | Predicate],
        by: str | Value,
        *,
        top: int = 10,
        as_of: Any = None,
    ) -> pd.DataFrame:
        """What segments consist of: their members by the values of a field, counted in one query.

        Args:
            segments: one segment, or several.
            by: the name of a field, or any value, such as `F.created_at.year()`.
            top: how many values to tell apart (1 to 1,000): those that most members have. The rest is `other`.
            as_of: the instant of evaluation.

        Returns:
            segment, value, size, share (of the segment's members, 0 to 1), part: the same values for each segment, the
            commonest first, then `other` and `missing` where there are any, so that each segment's sizes add up. `part` is
            `value`, `other` or `missing`, and tells the rest from a value that is called so. `attrs["by"]` is the field.

        Raises:
            DefinitionError: the field does not exist.

        >>> from segkit import F
        >>> frame = connect().composition(F.opens > 5, by="country", top=2)
        >>> frame["value"].tolist(), float(frame["share"].sum())
        (['USA', 'Canada', 'other', 'missing'], 1.0)
        """
        several = [segments] if isinstance(segments, Audience | Predicate) else list(segments)
        value = by if isinstance(by, Value) else field(by)
        *own, grouped = plans = self._plans([*several, value.is_missing()], as_of)
        frame = composition.composition(self.engine, own, grouped, composition.checked_top(top))
        frame.attrs["by"] = by if isinstance(by, str) else spell(value.node).removeprefix("F.")
        return self._stamped(frame, plans, as_of)

    def profile(
        self,
        segment: Audience | Predicate,
        fields: str | Value | Iterable[str | Value] | None = None,
        *,
        top: int = 5,
        least: int = 5,
        sparse_below: float = 0.5,
        mask: bool = False,
        as_of: Any = None,
    ) -> pd.DataFrame:
        """Each field inside a segment against everyone: the share known, values or distribution, and what sets it apart.

        Args:
            segment: whom to profile.
            fields: names of fields, or any values, such as `E.opened.within(days=30).count()`. Without: all fields but the
                key, calculated ones, and how often each event happened in the last 90 days.
            top: how many values of a text to tell apart: those that most members have, and those that most contacts have.
            least: values that fewer contacts have are never shown: they describe no group, and may tell who somebody is.
            sparse_below: a field that a smaller share of everyone (0 to 1) knows is `sparse`: too empty to segment on.
            mask: hides e-mail addresses.
            as_of: the instant of evaluation.

        Returns:
            Some rows a field, the fields in order: field, kind, what, value; inside, everyone and others (who are no members).
            By `what` these are, for `known`, the share of contacts that know the field; for `value`, of those who know it the
            share that has the value, and for `other` any other value; for `min`, `25%`, `50%`, `75%` and `max` the smallest
            value that such a share does not exceed, in the field's own unit, times in days before `as_of` (and as text in
            inside_at and everyone_at); for `mean` the mean; for `higher` how often a member has the higher (later) value than
            one of the others, equal ones counting half. index is inside of everyone, 100 if alike. count, of,
            count_of_everyone, of_everyone: what the shares are shares of.

            difference: inside less others, of `higher` Cliff's delta (-1 to 1); low, high: its 95% interval (Newcombe's for
            shares, Welch's for means, DeLong's for `higher`). p_value is that of the score test of two shares, or of Mann and
            Whitney; p_adjusted is corrected for all that was tested (Holm). rank: 1 is what sets the segment apart most:
            first what p_adjusted < 0.05 shows, by the size of difference. sparse; defining: the segment's own definition reads
            the field, so that it differs by itself. `attrs["members"]`, `attrs["everyone"]` are sizes.

        Raises:
            DefinitionError: a field does not exist, or an argument is out of range.

        >>> from segkit import F
        >>> frame = connect().profile(F.country == "USA", ["customer_tier", "timezone", "opens"])
        >>> frame.sort_values("rank")[["field", "what", "value"]].head(2).values.tolist()
        [['timezone', 'value', 'CET'], ['timezone', 'value', 'PST']]
        """
        wanted = profiling.Wanted(top, least, sparse_below, mask)
        asked = profiling.usual_fields(self._checked()) if fields is None else profiling.given_fields(fields)
        own, *several = plans = self._plans([segment, *(value.is_missing() for _, value in asked)], as_of)
        named = [profiling.Profiled(name, each) for (name, _), each in zip(asked, several, strict=True)]
        return self._stamped(profiling.profile(self.engine, own, named, wanted), plans, as_of)

    def diff(
        self,
        old: Audience | Predicate,
        new: Audience | Predicate,
        *,
        as_of: Any = None,
        old_as_of: Any = None,
    ) -> pd.DataFrame:
        """Who is a member of one of two definitions only, and which conditions moved them.

        Args:
            old: a definition.
            new: another; or the same, to see who came and went between two instants.
            as_of: the instant of evaluation.
            old_as_of: that of the old definition, where it is another.

        Returns:
            The contact key under its own name, moved (`gained` or `lost`), because; those gained first, by key. `because`
            names the conditions that let a contact in or keep it out now: `added:` to the new definition, or `removed:` from
            the old one; of those added to an OR or removed from an AND for who was gained, of those added to an AND or removed
            from an OR for who was lost. `became true:` or `became false:` is one that is written in both and holds at one
            instant only. Where no condition was added or removed, they are `combined otherwise:`. Who did not exist at the old
            instant is a `new contact`. Of an AND that does not hold only the conditions that do not are named, and of an OR
            that holds only those that do.

            `attrs` has `old_size`, `new_size`, `gained`, `lost`, `kept`; `same`, which certifies that both have the same
            members on this data; `says`, that in words; and `reasons`: for each how many contacts it moved, and examples.

        Raises:
            DataError: the data changed while it was asked.

        >>> from segkit import F
        >>> ws = connect()
        >>> frame = ws.diff(F.opens > 6, F.opens > 5)
        >>> frame["because"].unique().tolist(), frame.attrs["lost"]
        (['removed: F.opens > 6'], 0)
        >>> ws.diff(F.opens > 5, ~(F.opens <= 5) & ~F.opens.is_missing()).attrs["same"]
        True
        """
        segments = [as_segment(old), as_segment(new)]
        at = self._moment(as_of).as_of
        others = [] if segments[0].name == segments[1].name else [own for own in segments if own.name is not None]
        [then] = self._plans(segments[:1], at if old_as_of is None else old_as_of, others)
        [now] = self._plans(segments[1:], at, others)
        frame = difference.difference(self.engine, then, now)
        if old_as_of is not None:
            frame.attrs["old_as_of"] = self._stamped(frame, [then], old_as_of).attrs["as_of"]
        return self._stamped(frame, [now] if old_as_of is not None else [now, then], as_of)

    def thresholds(
        self,
        segment: Audience | Predicate,
        condition: Predicate | str | None = None,
        *,
        values: Iterable[Any] | None = None,
        as_of: Any = None,
    ) -> pd.DataFrame:
        """How large a segment is at every threshold of one of its conditions, everything else held, counted in one query.

        Args:
            segment: the segment, with the condition anywhere in it, also below NOT and OR.
            condition: the one to vary, a comparison by <, <=, > or >= with a constant: itself, or its path, such as
                `"where.items[0]"`. Without one, the only one of the segment.
            values: the thresholds to count at (up to 1,000), which times need; by default every value that a contact has, and
                one beyond, where the curve ends. So with `>` and `<=` the size stays as it is from a threshold up to the next
                one, with `>=` and `<` from the one before up to a threshold.
            as_of: the instant of evaluation.

        Returns:
            threshold (as the definition writes it), size, share (of all contacts, 0 to 1), is_current (the definition's own),
            by threshold. `attrs` has `segment`, `condition`, `varies`, `unit`, and `op`, empty where thresholds were given.

        Raises:
            DefinitionError: the condition is not one of the segment's, stands in it twice, or has no thresholds.

        >>> from segkit import F
        >>> frame = connect().thresholds((F.country == "USA") & (F.opens > 5))
        >>> frame[frame["is_current"]][["threshold", "size"]].values.tolist()
        [[5, 989]]
        """
        varied = thresholds.of_threshold(as_segment(segment), condition)
        if values is None:
            plans = self._plans(thresholds.asked(varied), as_of)
            return self._stamped(thresholds.every_threshold(self.engine, varied, plans), plans[:1], as_of)
        steps = thresholds.at_values(varied, values)
        plans = self._plans(steps.asked(), as_of)
        return self._stamped(thresholds.stepped(self.engine, steps, plans), plans[:1], as_of)

    def windows(
        self,
        segment: Audience | Predicate,
        condition: Predicate | str | None = None,
        *,
        lengths: Iterable[int] | None = None,
        as_of: Any = None,
    ) -> pd.DataFrame:
        """How large a segment is at every length of one window or age, everything else held, counted in one query.

        Args:
            segment: the segment, with the condition anywhere in it, also below NOT and OR.
            condition: the one to vary, itself or its path: a count of events in a window compared with a number
                (`E.opened.within(days=30).count() >= 5`), `.any()`, a time `.within`, `.older_than` or `.in_next`, or a time
                compared with `TODAY - days(30)`. Without one, the only one of the segment.
            lengths: the lengths (up to 1,000) in the unit of the definition; by default 1 to 365 days, 240 minutes, 168 hours,
                104 weeks, 36 months or 10 years.
            as_of: the instant of evaluation.

        Returns:
            threshold (the length), size, share (of all contacts, 0 to 1), is_current (the definition's own length), by
            threshold. `attrs` has `segment`, `condition`, `varies`, `unit`, and `op`, which is empty.

        Raises:
            DefinitionError: the condition is not one of the segment's, stands in it twice, or has no such window: a sum may
                fall as its window grows.

        >>> from segkit import E
        >>> frame = connect().windows(E.opened.within(days=30).count() >= 5, lengths=[7, 30, 90])
        >>> frame[["threshold", "size", "is_current"]].values.tolist()
        [[7, 0, False], [30, 316, True], [90, 1039, False]]
        """
        steps = thresholds.at_lengths(thresholds.of_window(as_segment(segment), condition), lengths)
        plans = self._plans(steps.asked(), as_of)
        return self._stamped(thresholds.stepped(self.engine, steps, plans), plans[:1], as_of)

    def rfm(self, scheme: Rfm | None = None, *, as_of: Any = None) -> pd.DataFrame:
        """The customers by recency, frequency and monetary value: how many stand in each cell, and what they brought.

        Args:
            scheme: what `rfm(...)` makes; by default all purchases and fifths.
            as_of: the instant of evaluation.

        Returns:
            r, f, m (1 the lowest; r 5 bought most recently), group (its name, empty where there are not five parts), size,
            share (of all with a purchase), orders, revenue, revenue_share: a row for each cell, the empty ones too.
            `attrs["certificate"]` shows the partition: `covered` (contacts in a cell), `none` (without a purchase), `total`,
            `sums`.

        Raises:
            DefinitionError: the event or the property does not exist.

        >>> frame = connect().rfm()
        >>> len(frame), int(frame["size"].sum()) == frame.attrs["certificate"]["covered"], frame.attrs["certificate"]["sums"]
        (125, True, True)
        """
        own = scheme if scheme is not None else Rfm()
        [scored, everyone] = plans = self._plans(own.asked(), as_of)
        return self._stamped(rfm_cells.counted(self.engine, own, scored, everyone), plans, as_of)

    def overlap(self, segments: Iterable[Audience | Predicate], *, as_of: Any = None) -> pd.DataFrame:
        """How many contacts each two segments have in common, of up to 500 segments, all counted at one instant.

        Returns:
            a, b (the two segments), size_a, size_b, both (members of both), share_of_a, share_of_b (`both` as a share of
            each, 0 to 1), jaccard (`both` as a share of those in at least one of them): a row for each pair, in the given
            order. A share of nobody is NaN. `attrs["as_of"]` is the instant used.

        Raises:
            DefinitionError: there are more than 500 segments.

        >>> from segkit import F
        >>> frame = connect().overlap([Segment("US", F.country == "USA"), Segment("Readers", F.opens > 5)])
        >>> frame[["a", "b"]].values.tolist(), bool((frame["both"] <= frame["size_a"]).all())
        ([['US', 'Readers']], True)
        """
        plans = self._plans(segments, as_of)
        return self._stamped(overlap.overlap(self.engine, plans), plans, as_of)

    def intersections(self, segments: Iterable[Audience | Predicate], *, as_of: Any = None) -> pd.DataFrame:
        """The exact regions that segments divide the contacts into, counted in one query: who is in which and in no other.

        Returns:
            One boolean column a segment, then size (contacts in these segments and in none of the others), share (of all
            contacts, 0 to 1): the largest region first, of equal ones those of earlier segments. Regions without contacts are
            left out; the one of contacts in none of the segments is a row like the others, so that the sizes add up to all
            contacts. A segment called `size` or `share` is numbered (`size (2)`). `attrs["as_of"]` is the instant used.

        Raises:
            DefinitionError: there are more than 500 segments, or too many for one query of the engine.

        >>> from segkit import F, everyone
        >>> ws = connect()
        >>> frame = ws.intersections([Segment("US", F.country == "USA"), Segment("Readers", F.opens > 5)])
        >>> len(frame), int(frame["size"].sum()) == ws.size(everyone())
        (4, True)
        """
        plans = self._plans(segments, as_of)
        return self._stamped(overlap.intersections(self.engine, plans), plans, as_of)

    def waterfall(self, segment: Audience | Predicate, *, as_of: Any = None) -> pd.DataFrame:
        """What each condition of a segment does to its size: every node of its tree, counted in one query.

        A row is a condition, or a group (`all of`, `any of`, `none of`, `not all of`) with its conditions in the rows below
        it. NOT belongs to what it negates. A reference to another segment is one condition.

        Returns:
            path (where the node stands: `where` is the whole, `where.items[0]` its first item), condition (in the text
            language, or in Python where the language cannot say it), alone (how many contacts meet the node by itself),
            running (how many meet it and its siblings before it, joined as their group joins them: by AND or by OR, before a
            NOT of the group), without (the size of the whole segment if the node were dropped), gain (`without` less the size
            of the segment: what dropping gives back, or takes away where the node is an alternative), share (`alone` of all
            contacts, 0 to 1). A group goes with its only item, and without the whole nothing is asked: everyone remains.

        Raises:
            DefinitionError: the segment has more than 500 different conditions.

        >>> from segkit import F
        >>> frame = connect().waterfall((F.country == "USA") & (F.opens > 5))
        >>> frame["condition"].tolist()
        ['all of', 'country = "USA"', 'opens > 5']
        >>> bool(frame["running"].iloc[-1] == frame["alone"].iloc[0])
        True
        """
        [own] = plans = self._plans([segment], as_of)
        return self._stamped(waterfall.waterfall(self.engine, own), plans, as_of)

    def audit(
        self,
        segments: Iterable[Audience | Predicate],
        *,
        conditions: int = 20,
        levels: int = 5,
        smallest: int = 30,
        overlap: float = 0.9,
        as_of: Any = None,
    ) -> pd.DataFrame:
        """What is wrong with a set of segments: each by itself, one beside another, and what they name.

        Looked for are definitions that are refused, contradictions, conditions without effect, segments that mean the same
        as another or lie in one (whatever the data), that are empty, hold everyone or few, that overlap heavily, that have
        many conditions or deep ones, no name, notes or owner; and lists, calculated fields and other known segments that
        none of them uses. docs/audit.md lists the kinds. All sizes are counted in one query.

        Args:
            segments: segments or predicates, up to 499. One that is refused is a finding, and hides none of the others.
            conditions: from more than so many conditions on there is advice.
            levels: the same of groups of conditions in each other.
            smallest: the same of fewer members.
            overlap: the same of two segments that have this share in common of those in at least one of them.
            as_of: the instant (default: the workspace's).

        Returns:
            segment, kind, severity (`error`, `warning` or `advice`), path (where in the definition), condition, what,
            evidence, fix: a row a finding, the gravest of each segment first. `attrs["as_of"]` is the instant used.

        Raises:
            DefinitionError: there are more than 499 segments, or a limit is none.

        >>> from segkit import F
        >>> found = connect().audit([Segment("Dormant", (F.opens > 5) & (F.opens < 3), notes="to win back", owner="CRM")])
        >>> found.loc[0, ["kind", "severity", "what"]].tolist()
        ['contradiction', 'error', 'opens > 5 and opens < 3 exclude one another']
        """
        limits = audit.Limits(conditions, levels, smallest, overlap)
        if isinstance(segments, Audience | Predicate):
            raise DefinitionError("expected a list of segments", fix="put it in [ ]")
        own = [as_segment(segment) for segment in nodes.checked_list(segments, "segments")]
        known = {**by_name(self._segments), **by_name(s for s in own if s.name is not None)}
        at = self._moment(as_of)
        resolved = audit.resolve([segment.definition for segment in own], self._checked(), at, known)
        plans = [each for one in resolved for each in one.plans[:1]]
        self._hand_over_those_of(plans)
        found = [*audit.findings(resolved, limits, self.engine), *audit.unused(resolved, self._catalog, known)]
        frame = self._stamped(finding.table(found), plans, as_of)
        frame.attrs["as_of"] = at.as_of.isoformat()
        return frame

    def diagnose(self, segment: Audience | Predicate, *, as_of: Any = None) -> pd.DataFrame:
        """What is wrong with a segment, or should be looked at twice: why it does not update, has members that nobody
        expected, or is too small or too large. A definition that is refused is told as a finding, too.

        Returns:
            segment, kind (what sort of problem), severity (`error`: nobody can be a member, or it means nothing;
            `warning`: the members are probably not those that are meant; `advice`: worth a look), path (where in the
            definition, as in `waterfall`), condition, what (in one sentence), evidence (with figures), fix (what to do): the
            gravest first, no row where nothing is wrong. Of the data only values are told that the definition names or that
            look like these, and no addresses. `attrs` has as_of, and of what is not refused size, everyone, and windows (the
            bounds of relative dates).

        Raises:
            DefinitionError: the segment has more than 500 different conditions.
            EngineError: the engine refused a query.

        >>> from segkit import F
        >>> found = connect().diagnose((F.location == "usa") & (F.opens > 5))
        >>> found[["kind", "severity", "path"]].values.tolist()[:2]
        [['nobody', 'error', 'where'], ['value never seen', 'error', 'where.items[0]']]
        >>> found["fix"][1]
        "did you mean 'USA'?"
        """
        own = as_segment(segment)
        catalog, latest = self._checked(), moment(self._as_of, self._zone)
        at = latest if as_of is None else moment(as_of, self._zone)
        known = {**by_name(self._segments), **by_name([own] if own.name is not None else [])}
        frame = diagnosis.diagnose(
            self.engine, own.definition, catalog, at, known, latest=latest.as_of, hand_over=self._hand_over_those_of
        )
        frame.attrs["as_of"] = at.as_of.isoformat()
        return frame

    def explain(
        self, segment: Audience | Predicate, contact: Any, *, days: int = 366, mask: bool = False, as_of: Any = None
    ) -> Explanation:
        """Why one contact is in a segment or not: what each condition found, what would turn it, and when it turns by itself.

        Only the contact's own rows are fetched, one query for each table; the plain-Python evaluator, which is the reference
        meaning, says the rest. Of a rank and of SQL the engine says what holds for the contact; both are taken to stay so.

        Args:
            segment: a segment, a frozen list or a condition.
            contact: the contact's key.
            days: how far ahead to look for what changes by itself.
            mask: whether e-mail addresses are hidden.
            as_of: the instant of evaluation (default: the workspace's, else now).

        Returns:
            An `Explanation`: `member`, `change` (the smallest change that turns the result, as data), `changes_at`, `text`,
            `events`, and `frame`, with a row for each condition and group, in the order of `waterfall`: path, condition, holds,
            value (what was found), threshold (what is asked for, dates resolved), events (how many are counted), decides
            (whether it accounts for the result: for one who is not a member, what keeps it out), flips (whether turning it
            alone would turn the whole), change (the smallest change that turns this condition), changes_at (when it turns by
            itself), note. The conditions of a segment that is referred to follow the reference.

        Raises:
            DefinitionError: there is no such contact; a name or kind does not fit the catalog.

        >>> from segkit import F, Segment
        >>> print(connect().explain(Segment("Readers", (F.country == "USA") & (F.opens > 5)), 3))
        Contact 3 is not in Readers, as of 2025-11-30 12:00 UTC.
        Kept out by: opens > 5 (found 0).
        It would come in with: opens at least 6 instead of 0.
        If nothing happens, this stays so until 2026-12-01 12:00 UTC at least.
        """
        [own] = plans = self._plans([segment], as_of)
        found = explained(self.engine, own, by_name(self._segments), contact, days, mask)
        self._stamped(found.frame, plans, as_of)
        return found

    def performance(
        self,
        segments: Iterable[Audience | Predicate],
        *,
        start: Any,
        end: Any = None,
        every: str | None = None,
        baseline: str | Audience | Predicate | None = None,
        membership: str = "start",
        confidence: float = 0.95,
        as_of: Any = None,
    ) -> pd.DataFrame:
        """What the members of each segment did in a period, and which differences are real: one query a period.

        Args:
            segments: whose members.
            start: when the period begins: a date, a datetime or ISO text.
            end: until before when it lasts (default: `as_of`).
            every: `day`, `week`, `month`, `quarter` or `year`, to split it into periods, on the workspace's clock.
            baseline: a segment, or the name of one, to compare the others with, beside the rest of the contacts. It has a
                row of its own, the last one where it is not among the segments.
            membership: `start` or `end`: at which end of each period one must be a member. At the end, contacts are members
                by what they did in the period, so that figures often say no more than the definition.
            confidence: of the intervals; a difference is significant where its adjusted p-value is at most one less that.
            as_of: the instant after which nothing is known (default: the workspace's).

        Returns:
            segment, period (its beginning; only with `every`), contacts, sends, opens, clicks, conversions, revenue,
            converted (contacts with a conversion), the catalog's own metrics; then with `_low` and `_high` open_rate (of
            sends), click_rate (of sends), click_to_open_rate (clicks of opens), conversion_rate (converted of contacts),
            average_order_value (revenue / conversions), revenue_per_contact, and the catalog's own ratios; circular (the
            rates whose events or fields also define the segment, with commas); then each rate less that of the contacts who
            are no members, `open_rate_vs_rest` with `_low`, `_high`, `_p`, `_p_adjusted` (Holm, over all comparisons in the
            frame) and `_significant`, and with a baseline `open_rate_vs_baseline` and so on. What the catalog has no event
            for is missing. `attrs` hold start, end, membership, confidence, baseline and `denominators`; docs/performance.md
            has the formulas, their sources and limits.

        Raises:
            DefinitionError: an empty period or one in the future, an unknown name, or a metric that names what does not exist.

        >>> from segkit import E, F, Segment
        >>> ws = connect()
        >>> carted = Segment("Carted", E.carted.any())
        >>> frame = ws.performance([carted], start="2025-09-01", end="2025-10-01")
        >>> frame[["sends", "opens"]].values.tolist(), bool(frame["open_rate_low"][0] < frame["open_rate"][0])
        ([[10535, 2189]], True)
        """
        until = self._moment(as_of)
        first, last = moment(start, self._zone), until if end is None else moment(end, self._zone)
        level, at = performance.checked_confidence(confidence), performance.checked_membership(membership)
        spans = performance.stretches(first, last, every, until)
        own, base = self._compared(segments, baseline)
        parts = [
            performance.Stretch(begin, stop, until, self._plans(own, begin if at == "start" else min(stop, until.as_of)))
            for begin, stop in spans
        ]
        if own:
            frame, notes = performance.performance(self.engine, parts, base, level, every)
        else:
            frame, notes = performance.empty(self._checked(), base, every), []
        if last.as_of > until.as_of:
            notes.append(f"the period ends at {last.as_of}, and nothing after {until.as_of} is known")
        for note in notes:
            warnings.warn(note, SegkitWarning, stacklevel=2)
        about = {"start": first.as_of.isoformat(), "end": last.as_of.isoformat(), "membership": at, "confidence": level}
        named = None if base is None else str(frame["segment"].iloc[base])
        frame.attrs |= {**about, "baseline": named, "denominators": performance.denominators(self._catalog)}
        return self._stamped(frame, [own for part in parts for own in part.plans], first.as_of.date())

    def history(
        self,
        segments: Iterable[Audience | Predicate],
        start: Any = None,
        end: Any = None,
        every: str | Iterable[Any] = "day",
        *,
        tracked: bool = False,
    ) -> pd.DataFrame:
        """How large segments were at each of many instants, and who came and went: computed from the events in a few scans.

        Args:
            segments: whose size.
            start: the first instant: a date (its local midnight), a datetime or ISO text.
            end: the last one (default: the workspace's `as_of`, else now).
            every: `hour`, `day`, `week`, `month`, `quarter` or `year`, steps from `start` on the workspace's clock up to `end`;
                or the instants themselves, without start and end.
            tracked: tell also what refreshes saw of segments of these names, at the last refresh in each step: that is the
                instant then, for both. A segment that cannot be computed any more is told of all the same.

        Returns:
            segment, at, size (`ws.size(segment, as_of=at)`), entries, exits (contacts who were no members at the instant
            before and are now, and the other way round; missing in a segment's first row), growth (size / previous size - 1),
            churn (exits / previous size), method (`swept`: computed from the events at once; `asked`: one query an instant),
            today_values (the fields and lists without history that were read as they are today), for each segment by time.
            With `tracked` also source (`computed`, `tracked`: the rows of a segment that refreshes saw come after those that
            were computed, with method `kept`), difference (the tracked size less the one computed as of the same instant) and
            version (of the tracked definition).

        Raises:
            DefinitionError: there is no instant, or there are more than 10,000.

        >>> from segkit import E, Segment
        >>> ws = connect()
        >>> readers = Segment("Readers", E.opened.within(days=30).count() >= 5)
        >>> frame = ws.history([readers], start="2025-10-01", end="2025-11-30")
        >>> bool((frame["size"].diff() == frame["entries"] - frame["exits"])[1:].all())
        True
        >>> int(frame["size"].iloc[-1]) == ws.size(readers, as_of="2025-11-30")
        True
        """
        if not tracked:
            return self._history(self._courses(segments, start, end, every))
        own, others, names, points = self._at_refreshes(segments, start, end, every)
        frame = self._history(self._courses(own, None, None, points, others))
        return tracking.beside(self._history_place(), frame, names, points, self._zone)

    def dynamics(
        self,
        segments: Iterable[Audience | Predicate],
        start: Any = None,
        end: Any = None,
        every: str | Iterable[Any] = "day",
    ) -> pd.DataFrame:
        """How long contacts stay in segments, how often they come back, and how much of a segment stays the same.

        All is seen at the instants of the grid alone: what comes and goes between two of them is not, and a length is right to
        within a step at either end. Stays that go on at the last instant are censored (Kaplan-Meier). Those that began before
        the first have no known length and are left out of mean, median and survival: choose a start that lies well before.

        Args:
            segments: as for `history`.
            start: as for `history`.
            end: as for `history`.
            every: as for `history`.

        Returns:
            segment, contacts (ever in), spells (unbroken stays), already_in (spells that began before the first instant),
            entries, exits, still_in (spells that go on at the last), mean_days (up to mean_up_to days, the longest stay seen:
            less than the whole mean where that one goes on), mean_up_to, median_days, median_low, median_high (a 95 %
            interval; missing where half have not left within what is seen), returned (contacts with more than one spell),
            returned_share, re_entries (spells after a contact's first), changes_per_contact (entries and exits for each
            contact ever in), stability (of the members at an instant, the share that still is at the next) and jaccard (of all
            who are members at either of two neighbours, the share that is at both): means over the grid. A row a segment.

        Raises:
            DefinitionError: there is no instant, or there are more than 10,000.

        >>> from segkit import E, Segment
        >>> readers = Segment("Readers", E.opened.within(days=30).count() >= 5)
        >>> frame = connect().dynamics([readers], start="2025-10-01", end="2025-11-30")
        >>> bool((frame["already_in"] + frame["entries"] == frame["spells"]).all())
        True
        """
        courses = self._courses(segments, start, end, every)
        frame = stays.dynamics(spells.spells(self.engine, courses), self._zone)
        return self._of_grid(frame, courses)

    def survival(
        self,
        segments: Iterable[Audience | Predicate],
        start: Any = None,
        end: Any = None,
        every: str | Iterable[Any] = "day",
        *,
        days: Iterable[float] | None = None,
    ) -> pd.DataFrame:
        """The share of stays that last longer than some number of days (Kaplan-Meier), of those that began after `start`.

        Args:
            segments: as for `history`.
            start: as for `history`.
            end: as for `history`.
            every: as for `history`.
            days: at which lengths; without them at each that was seen, and 0.

        Returns:
            segment, days, at_risk (stays that last as long or longer), exits and still_in (stays that ended, or were last seen
            going on, after the row before and not after this one), survival, low, high: the 95 % interval by Greenwood's
            variance on the log(-log) scale, which takes each stay as independent. Missing beyond the longest stay seen.

        Raises:
            DefinitionError: there is no instant, or there are more than 10,000.

        >>> from segkit import E, Segment
        >>> readers = Segment("Readers", E.opened.within(days=30).count() >= 5)
        >>> frame = connect().survival([readers], start="2025-09-01", end="2025-11-30", days=[7, 30])
        >>> frame["days"].tolist(), bool(frame["survival"].is_monotonic_decreasing)
        ([7.0, 30.0], True)
        """
        courses = self._courses(segments, start, end, every)
        lengths = None if days is None else [float(own) for own in nodes.checked_list(days, "days")]
        return self._of_grid(stays.survival(spells.spells(self.engine, courses), self._zone, lengths), courses)

    def stability(
        self,
        segments: Iterable[Audience | Predicate],
        start: Any = None,
        end: Any = None,
        every: str | Iterable[Any] = "day",
    ) -> pd.DataFrame:
        """How much of a segment is the same from each instant to the next.

        Args:
            segments: as for `history`.
            start: as for `history`.
            end: as for `history`.
            every: as for `history`.

        Returns:
            segment, at, size, kept (members at the instant before who still are), stability (kept / size before), jaccard
            (kept / contacts who are members at either): for each segment by time, from the second instant on.

        Raises:
            DefinitionError: there is no instant, or there are more than 10,000.

        >>> from segkit import E, Segment
        >>> readers = Segment("Readers", E.opened.within(days=30).count() >= 5)
        >>> frame = connect().stability([readers], start="2025-10-01", every="month")
        >>> bool((frame["jaccard"] <= frame["stability"]).all())
        True
        """
        courses = self._courses(segments, start, end, every)
        points = [plan.at.as_of for plan in courses[0]] if courses else []
        return self._of_grid(stays.stability(spells.flows(self.engine, courses), points, self._zone), courses)

    def patterns(
        self,
        segments: Iterable[Audience | Predicate],
        start: Any = None,
        end: Any = None,
        every: str | Iterable[Any] = "day",
    ) -> pd.DataFrame:
        """When contacts come into segments and leave them.

        Args:
            segments: as for `history`.
            start: as for `history`.
            end: as for `history`.
            every: as for `history`.

        Returns:
            segment, move (`entry`, `exit`), by, value, moves, share (of the segment's moves of that kind): by `weekday` (of the
            local day that holds the time just before the instant; where instants are at most a day apart), entries by
            `absence` (how long a contact had been away) and exits by `tenure` (how long it had been in).

        Raises:
            DefinitionError: there is no instant, or there are more than 10,000.

        >>> from segkit import E, Segment
        >>> readers = Segment("Readers", E.opened.within(days=30).count() >= 5)
        >>> frame = connect().patterns([readers], start="2025-10-01")
        >>> frame["by"].unique().tolist()
        ['weekday', 'absence', 'tenure']
        """
        courses = self._courses(segments, start, end, every)
        return self._of_grid(patterns.patterns(spells.spells(self.engine, courses), self._zone), courses)

    def reasons(
        self, segment: Audience | Predicate, start: Any = None, end: Any = None, every: str | Iterable[Any] = "day"
    ) -> pd.DataFrame:
        """Which conditions let contacts into a segment and put them out: those that turned as a contact moved, as `diff` tells.

        Args:
            segment: whose members.
            start: as for `history`.
            end: as for `history`.
            every: as for `history`.

        Returns:
            move (`entry`, `exit`), because (what became true or false; `new contact` for one that did not exist before),
            moves, contacts, share (of the moves of that kind), the commonest first.

        Raises:
            DefinitionError: there is no instant, or there are more than 10,000.

        >>> from segkit import E, Segment
        >>> readers = Segment("Readers", (E.opened.within(days=30).count() >= 5) & E.purchased.any())
        >>> frame = connect().reasons(readers, start="2025-10-01")
        >>> frame["because"].iloc[0]
        'became true: E.opened.within(days=30).count() >= 5'
        """
        courses = self._courses([segment], start, end, every)
        return self._of_grid(reasons.reasons(self.engine, courses[0]), courses)

    def forecast(self, segments: Iterable[Audience | Predicate], days: int = 30, every: str = "day") -> pd.DataFrame:
        """How large segments will be if nothing happens: `history` at instants that lie ahead, with the events of the data.

        An instant ahead is evaluated like any other: windows move on, dates come, and what the data already holds of the time
        up to it counts, such as an appointment entered in advance. Now is the workspace's `as_of`; ahead of one that is set in
        the past lies what has happened since, and that is then told, not foreseen.

        Args:
            segments: whose size.
            days: how far ahead.
            every: `hour`, `day` or `week`.

        Returns:
            segment, at, size, entries, exits, growth, churn, method, today_values as `history`: the first row is now.

        Raises:
            DefinitionError: no days, or more than 10,000 instants.

        >>> from segkit import E, Segment
        >>> readers = Segment("Readers", E.opened.within(days=30).count() >= 5)
        >>> frame = connect().forecast([readers], days=60)
        >>> int(frame["size"].iloc[-1]), int(frame["entries"].sum())
        (0, 0)
        """
        courses = self._ahead(segments, days, every)
        now = moment(self._as_of, self._zone).as_of
        return self._of_grid(history.history(spells.flows(self.engine, courses), courses, now), courses)

    def upcoming(self, segment: Audience | Predicate, days: int = 30, every: str = "day") -> pd.DataFrame:
        """When each member of a segment leaves, and who enters, if nothing happens; see `forecast`.

        Args:
            segment: whose members.
            days: as for `forecast`.
            every: as for `forecast`.

        Returns:
            The contact key, is_member (now), leaves_at (the first instant outside; missing for those who stay), enters_at (the
            first instant inside again, or at all): the members by when they leave, then those who enter by when they do.

        Raises:
            DefinitionError: no days, or more than 10,000 instants.

        >>> from segkit import E, Segment
        >>> ws = connect()
        >>> readers = Segment("Readers", E.opened.within(days=30).count() >= 5)
        >>> frame = ws.upcoming(readers, days=60)
        >>> int(frame["leaves_at"].notna().sum()) == ws.size(readers)
        True
        """
        courses = self._ahead([segment], days, every)
        found = spells.spells(self.engine, courses)
        frame = upcoming.upcoming(found, courses[0][0].catalog.contacts.key, self._zone)
        frame.attrs["segment"] = found.names[0]
        return self._of_grid(frame, courses)

    def journey(self, journey: Journey, *, as_of: Any = None) -> pd.DataFrame:
        """How many contacts are in each stage of a journey, all counted in one query.

        Args:
            journey: the stages, in order; a contact is in the last whose condition holds, or in none.
            as_of: the instant of evaluation (default: the workspace's, else now).

        Returns:
            stage, size, share (of all contacts, 0 to 1), the stages in order and `(in no stage)` last;
            `attrs["certificate"]` says what was counted to show that each contact is in one row: `disjoint` (nobody is in
            two stages), `covered` (contacts in a stage), `total` (all contacts), `sums` (the rows add up to the total).

        Raises:
            DataError: the counts contradict each other.
            DefinitionError: it is no journey; a name or kind does not fit the catalog.

        >>> from segkit import E, Journey
        >>> stages = [Segment("Opened", E.opened.any()), Segment("Purchased", E.purchased.any())]
        >>> frame = connect().journey(Journey(stages))
        >>> frame["stage"].tolist(), frame.attrs["certificate"]["sums"]
        (['Opened', 'Purchased', '(in no stage)'], True)
        """
        plans = self._plans(partition(journey), as_of, journey.defined())
        sizes = metrics.sizes(self.engine, plans)["size"].tolist()
        return self._stamped(counted(journey, sizes), plans, as_of)

    def stages(self, journey: Journey, start: Any = None, end: Any = None, every: str | Iterable[Any] = "day") -> pd.DataFrame:
        """How many contacts were in each stage of a journey at each of many instants.

        Args:
            journey: the stages, in order.
            start: as for `history`.
            end: as for `history`.
            every: as for `history`.

        Returns:
            stage, at, size and share (as `ws.journey(journey, as_of=at)`), entries, exits: for each stage by time, in order,
            and `(in no stage)` last.

        Raises:
            DefinitionError: there is no instant, or there are more than 10,000.

        >>> from segkit import E, Journey, Segment
        >>> life = Journey([Segment("Reader", E.opened.any()), Segment("Buyer", E.purchased.any())])
        >>> connect().stages(life, start="2025-09-30", every="month").columns.tolist()
        ['stage', 'at', 'size', 'share', 'entries', 'exits']
        """
        own = [*(journey.stage(name) for name in checked_journey(journey).names), journey.none()]
        courses = self._courses(own, start, end, every, journey.defined())
        frame = stages.stages(self._flows(courses), journey.names, len(courses[0]))
        return self._of_grid(frame, courses)

    def transitions(
        self, journey: Journey, start: Any = None, end: Any = None, every: str | Iterable[Any] = "day"
    ) -> pd.DataFrame:
        """Who moved from which stage of a journey to which, between any two neighbouring instants.

        Args:
            journey: the stages, in order.
            start: as for `history`.
            end: as for `history`.
            every: as for `history`.

        Returns:
            from_stage, to_stage, kind (`forward`, `back`, `leak`: out of the journey, `start`: into it), moves, contacts, share
            (of all moves out of from_stage), mean_days and median_days (in from_stage before moving on, of the moves whose stay
            began after the first instant; those who have not moved yet are in no row: `ws.survival([journey.stage(name)],
            ...)` reckons with them). Only what occurred has a row, in the order of stages.

        Raises:
            DefinitionError: there is no instant, or there are more than 10,000.

        >>> from segkit import E, Journey, Segment
        >>> life = Journey([Segment("Reader", E.opened.any()), Segment("Buyer", E.purchased.any())])
        >>> frame = connect().transitions(life, start="2025-09-30")
        >>> frame["kind"].tolist()
        ['forward', 'start', 'start']
        """
        own = [journey.stage(name) for name in checked_journey(journey).names]
        courses = self._courses(own, start, end, every, journey.defined())
        frame = stages.transitions(spells.spells(self.engine, courses), journey.names, self._zone)
        frame.attrs["stages"] = list(journey.names)
        return self._of_grid(frame, courses)

    def verify(
        self,
        segments: Iterable[Audience | Predicate],
        engines: Iterable[Any] | Mapping[str, Any] | None = None,
        *,
        as_of: Any = None,
    ) -> pd.DataFrame:
        """Shows that engines find the same members: contacts are invented at the boundaries of each segment, with values
        and events at either side of every threshold and window edge, or missing, and each condition is compared with what
        segkit's evaluator in plain Python says of them. The rows stand in the query: nothing is written anywhere.

        Args:
            segments: what to verify.
            engines: names (`"this"` is this connection; `"duckdb"`, `"sqlite"` are fresh), whatever `connect` can open, or a
                mapping from names of your own to these. By default this connection, DuckDB and SQLite.
            as_of: the instant of evaluation.

        Returns:
            segment, engine, contacts (how many exist of those invented), members, conditions (how many were compared, the
            whole included), both_ways (how many of them hold for some contacts and not for others), differences, agrees,
            note (why an engine could not be asked). `attrs["differences"]` is a frame of up to 100 differences: segment,
            engine, condition, contact, expected, found.

        Raises:
            EngineError: an engine cannot be opened.

        >>> from segkit import E, F
        >>> frame = connect().verify([Segment("Readers", (F.opens > 5) & (E.opened.within(days=30).count() >= 2))])
        >>> frame[["engine", "conditions", "both_ways", "differences"]].values.tolist()
        [['duckdb', 3, 3, 0], ['sqlite', 3, 3, 0]]
        >>> assert frame["agrees"].all()
        """
        plans = self._plans(segments, as_of)
        with ExitStack() as using:
            frame = verification.verified(plans, verification.opened(self.engine, engines, using))
        return self._stamped(frame, plans, as_of)

    def sql(
        self, segment: Audience | Predicate, dialect: str | None = None, *, as_of: Any = None, evergreen: bool = False
    ) -> str:
        """The query of the members' keys for this catalog, to be read or handed to a warehouse.

        Args:
            segment: a segment, a frozen list or a condition.
            dialect: a dialect by sqlglot's name, such as `snowflake` (default: the engine's own).
            as_of: the instant of evaluation (default: the workspace's, else now).
            evergreen: let dates follow the warehouse's own clock; there is no `as_of` then.

        Raises:
            DefinitionError: a name or kind does not fit the catalog, or `evergreen` stands beside `as_of`.
            DialectError: the dialect has no faithful form of a condition, or no clock.

        >>> from segkit import F
        >>> "WHERE" in connect().sql(F.country == "USA", "bigquery")
        True
        """
        [own] = self._plans([segment], as_of, evergreen=evergreen)
        return displayed(own, dialect or self.engine.dialect, by_name(self._segments))

    def export(
        self,
        segments: Audience | Predicate | Iterable[Audience | Predicate],
        as_: str = "select",
        *,
        dialect: str | None = None,
        name: str | None = None,
        layout: str | None = None,
        evergreen: bool | None = None,
        path: str | Path | None = None,
        execute: bool = False,
        replace: bool = False,
        as_of: Any = None,
    ) -> exports.Export:
        """Hands segments to a warehouse: as a query, a view, a table, rows of a table, or models of dbt.

        Nothing is written unless `path` names a file or `execute=True` asks for it. What is written to a warehouse is written
        in one transaction, and only what segkit itself made is ever replaced, unless `replace=True`.

        Args:
            segments: a segment, a frozen list or a condition, or a list of such.
            as_: `select`, `view`, `table`, `insert` (the rows alone, into a table that is there) or `dbt`.
            dialect: a dialect by sqlglot's name (default: the engine's own).
            name: the view or table, with its schema and catalog before it: `marketing.at_risk` (default: the segment's name,
                `segments` for several). It is quoted, whatever is in it; only dots separate.
            layout: `long` (columns `segment` and the contact's key, the default for several) or `wide` (the key, and a boolean
                for each segment; all contacts).
            evergreen: let dates follow the warehouse's own clock; there is no `as_of` then (default: for dbt alone).
            path: the file to write; for dbt the folder of the project, which is made where there is none.
            execute: write the view, the table or the rows to this workspace's engine: DuckDB, SQLite or PostgreSQL.
            replace: also replace a view, a table or a file that segkit did not make.
            as_of: the instant of evaluation (default: the workspace's, else now).

        Returns:
            An `Export`: as text its SQL; `files`, `did`, `statements` and `rows` say what was written.

        Raises:
            DefinitionError: a name or kind does not fit the catalog, or the arguments contradict each other.
            DialectError: the dialect has no faithful form of a condition.
            EngineError: the engine cannot write, refused to, or holds something of that name that segkit did not make.
            SegkitError: a file cannot be written, or is not segkit's.

        >>> from segkit import F, Segment
        >>> with connect() as ws:
        ...     ws.export(Segment("Americans", F.country == "USA"), "view", execute=True)
        Export(view, duckdb: created view americans; 1,852 rows)
        """
        own = [segments] if isinstance(segments, Audience | Predicate) else nodes.checked_list(segments, "segments")
        plans = self._plans(own, as_of, evergreen=as_ == "dbt" if evergreen is None else evergreen)
        where = None if path is None else store.place(path)
        wish = exports.Wish(as_, dialect, name, layout, where, execute, replace)
        known = {**by_name(self._segments), **by_name(s for s in map(as_segment, own) if s.name is not None)}
        return exports.exported(plans, wish, self.engine, known)

    def describe(self, segment: Audience | Predicate, *, as_of: Any = None) -> str:
        """The definition in one English paragraph, its names looked up and its relative dates resolved.

        Args:
            segment: a segment, a frozen list or a condition.
            as_of: the instant that dates are resolved at (default: the workspace's, else now).

        Raises:
            DefinitionError: a name or kind does not fit the catalog.

        >>> from segkit import E
        >>> connect().describe(E.opened.within(days=7).count() < 2, as_of="2025-11-30").partition(" (after")[0]
        'Contacts who opened fewer than 2 times (or never) in the last 7 days'
        """
        [own] = self._plans([segment], as_of)
        return describe(own.definition.where, own.catalog, own.at, by_name(self._segments))

    def report(
        self,
        segments: Iterable[Audience | Predicate],
        *,
        start: Any = None,
        every: str = "day",
        as_of: Any = None,
        mask: bool = True,
    ) -> report.Report:
        """Sizes, flow, overlap, performance, findings of some segments, and each by itself, on one page.

        A part that cannot be measured is a note in its place. In a notebook, pickers above it choose other segments (also those
        defined or saved here), another instant or period.

        Args:
            segments: what to report on.
            start: when flow and performance begin (default: 30 days before `as_of`).
            every: the steps of the flow.
            as_of: the one instant of the report, and the end of its period (default: the workspace's, else now).
            mask: whether e-mail addresses are hidden, also those that definitions and their SQL name.

        Returns:
            A report that a cell shows and `save("report.html")` writes as one file, without script or network. It holds no row
            of a contact; values in definitions stand as they were written, but for addresses.

        Raises:
            DefinitionError: what is no list of segments, or an instant that is none.

        >>> from segkit import F, Segment
        >>> connect().report([Segment("US", F.country == "USA")])
        <Report: 1 segments, as of 2025-11-30T12:00:00+00:00>
        """
        at = self._moment(as_of)
        first = clock.days_away(at, -30) if start is None else moment(start, self._zone).as_of
        own, _ = self._compared(segments, None)
        measures = report.Measures(
            self.sizes,
            self.history,
            self.overlap,
            self.performance,
            self.audit,
            self.waterfall,
            self.diagnose,
            self.describe,
            self.sql,
        )
        return report.Report(report.Asked(tuple(own), at, first, every, mask), measures, self.segments)

    def builder(self, segment: Audience | Predicate | None = None, *, as_of: Any = None) -> Panel:
        """The panel: a segment built by clicking, with the live size of every part.

        Its `segment`, `sql` and `df()` say what was built; `segment` can be set, too.

        Args:
            segment: what to begin with; without one, everyone.
            as_of: the instant that everything in the panel is counted at.

        Raises:
            SegkitError: anywidget is not installed.

        >>> from segkit import F, Segment
        >>> connect().builder(Segment("US", F.country == "USA"))
        Panel of US: 1,852 of 3,999 contacts (46.3%), as of 2025-11-30 12:00 UTC
          country = "USA"  1,852
        """
        at = self._moment(as_of)
        self._checked()
        functions = panel.handed(
            self.engine,
            at,
            lambda: self._catalog,
            lambda: self._segments,
            self._hand_over_those_of,
            self.save,
            partial(self.diagnose, as_of=at.as_of),
            partial(self.explain, as_of=at.as_of),
        )
        return panel.opened(None if segment is None else as_segment(segment).definition, functions)

    def close(self) -> None:
        """Gives back what `connect` opened."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        fields, events = len(self._catalog.contacts.fields), len(self._catalog.event_names())
        return f"Workspace({self.engine.dialect}, {fields} fields, {events} events, timezone={self._zone!r})"

    def _repr_html_(self) -> str:
        as_of = "now" if self._as_of is None else views.instant(moment(self._as_of, self._zone).as_of)
        known = [segment.definition for segment in self.segments]
        frozen = {name: own.size for name, own in self._lists.items()}
        return display.html(views.workspace(self.engine.dialect, self._catalog, self._zone, as_of, known, frozen))

    # ------------------------------------------------------------ from segments to plans

    def _plans(
        self,
        segments: Iterable[Audience | Predicate],
        as_of: Any,
        others: Iterable[Segment] = (),
        *,
        evergreen: bool = False,
    ) -> list[Plan]:
        """The plans of one call: one instant, one catalog, and the given segments, and others, known by name."""
        if evergreen:
            at, planned = unpinned(as_of, self._zone), plan_evergreen
        else:
            at, planned = self._moment(as_of), plan
        own, catalog, known = self._read(segments, others)
        plans = [planned(segment.definition, catalog, at, known) for segment in own]
        self._hand_over_those_of(plans)
        for warning in dict.fromkeys(w for p in plans for w in p.warnings):
            warnings.warn(warning, SegkitWarning, stacklevel=4)
        return plans

    def _read(
        self, segments: Iterable[Audience | Predicate], others: Iterable[Segment]
    ) -> tuple[list[Segment], Catalog, dict[str, nodes.Predicate]]:
        """Some segments, the catalog, and all segments that are known by name: those, others, and the workspace's own."""
        if isinstance(segments, Audience | Predicate):
            raise DefinitionError("expected a list of segments", fix="put it in [ ]")
        own = [as_segment(segment) for segment in nodes.checked_list(segments, "segments")]
        return own, self._checked(), {**by_name(self._segments), **by_name((*others, *(s for s in own if s.name is not None)))}

    def _courses(
        self,
        segments: Iterable[Audience | Predicate],
        start: Any,
        end: Any,
        every: str | Iterable[Any],
        others: Iterable[Segment] = (),
    ) -> list[list[Plan]]:
        """The plans of each segment, one for each point of a grid."""
        moments = [Moment(at, self._zone) for at in self._points(start, end, every)]
        own, catalog, known = self._read(segments, others)
        courses = [plan_at_each(segment.definition, catalog, moments, known) for segment in own]
        self._hand_over_those_of(chain.from_iterable(courses))
        for warning in dict.fromkeys(w for course in courses for p in course for w in p.warnings):
            warnings.warn(warning, SegkitWarning, stacklevel=3)
        return courses

    def _points(self, start: Any, end: Any, every: str | Iterable[Any]) -> tuple[datetime, ...]:
        """The points of a grid."""
        if isinstance(every, Iterable) and not isinstance(every, str):
            if start is not None or end is not None:
                raise DefinitionError("instants have no start and no end", fix='leave these out, or write every="day"')
            return clock.instants(nodes.checked_list(every, "instants"), self._zone)
        if start is None:
            raise DefinitionError("history needs a start", fix='write ws.history([...], start="2025-01-01")')
        last = moment(end if end is not None else self._as_of, self._zone)
        return clock.points(moment(start, self._zone).as_of, last.as_of, every, self._zone)

    def _ahead(self, segments: Iterable[Audience | Predicate], days: int, every: str) -> list[list[Plan]]:
        """The plans of each segment, one for each point from now on."""
        if isinstance(days, bool) or not isinstance(days, int) or days < 1:
            raise DefinitionError(f"{days!r:.60} days ahead", fix="pass a whole number of days, such as 30")
        now = moment(self._as_of, self._zone)
        return self._courses(segments, now.as_of, clock.days_away(now, days), every)

    def _of_grid(self, frame: pd.DataFrame, courses: list[list[Plan]]) -> pd.DataFrame:
        """The frame with what it was seen at, and whether values of today stand in for those of then."""
        today = moment(self._as_of, self._zone).as_of
        past = [own for course in courses for own in course if (today - own.at.as_of).total_seconds() > 60]
        told = list(dict.fromkeys(name for own in past for name in without_history(own)))
        if courses:
            ends = (courses[0][0].at.as_of, courses[0][-1].at.as_of)
            frame.attrs |= {"start": ends[0].isoformat(), "end": ends[1].isoformat(), "points": len(courses[0])}
        if told:
            frame.attrs["today_values"] = ", ".join(told)
            message = f"no history of {', '.join(told)}: read as they are today, at each instant"
            warnings.warn(message, SegkitWarning, stacklevel=3)
        return frame

    def _flows(self, courses: list[list[Plan]]) -> pd.DataFrame:
        today = moment(self._as_of, self._zone).as_of  # before the data is asked, which may take its time
        return history.history(spells.flows(self.engine, courses), courses, today)

    def _history(self, courses: list[list[Plan]]) -> pd.DataFrame:
        frame = self._flows(courses)
        told = [names for names in frame["today_values"].unique() if names]
        if names := ", ".join(dict.fromkeys(name for names in told for name in names.split(", "))):
            message = f"no history of {names}: read as they are today, at each instant"
            warnings.warn(message, SegkitWarning, stacklevel=3)
        return frame

    def _at_refreshes(
        self, segments: Iterable[Audience | Predicate], start: Any, end: Any, every: str | Iterable[Any]
    ) -> tuple[list[Segment], list[Segment], list[str], tuple[datetime, ...]]:
        """For a history beside what refreshes saw: segments to compute, others they may refer to, names, and the points."""
        if isinstance(segments, Audience | Predicate):
            raise DefinitionError("expected a list of segments", fix="put it in [ ]")
        own = [as_segment(segment) for segment in nodes.checked_list(segments, "segments")]
        names = list(dict.fromkeys(segment.name for segment in own if segment.name is not None))
        others = [segment for name, segment in self._tracked().items() if name not in names]
        looks = tracking.looks(self._history_place(), names)
        points = self._points(start, end, every)
        if isinstance(every, str):
            points = tracking.at_refreshes(points, looks.values())
        known = {**by_name(self._segments), **by_name((*others, *(s for s in own if s.name is not None)))}
        computed = []
        for segment in own:
            try:
                self._try_out(self._checked(), {}, [segment], known)
                computed.append(segment)
            except SegkitError as error:
                if segment.name not in looks:
                    raise
                message = f"{segment.name} cannot be computed, only what refreshes saw of it is told: {error}"
                warnings.warn(message, SegkitWarning, stacklevel=3)
        return computed, others, names, points

    def _compared(
        self, segments: Iterable[Audience | Predicate], baseline: str | Audience | Predicate | None
    ) -> tuple[list[Segment], int | None]:
        """The segments, the one they are compared with among them, and its place."""
        if isinstance(segments, Audience | Predicate):
            raise DefinitionError("expected a list of segments", fix="put it in [ ]")
        own = [as_segment(segment) for segment in nodes.checked_list(segments, "segments")]
        if baseline is None:
            return own, None
        if isinstance(baseline, str):
            named = {segment.name: segment for segment in (*self.segments, *own) if segment.name is not None}
            baseline = named[find("segment", baseline, named)]
        wanted = as_segment(baseline)
        return ([*own, wanted], len(own)) if wanted not in own else (own, own.index(wanted))

    def _checked(self) -> Catalog:
        """The catalog with what the data tells, asked once a connection."""
        if not self._is_checked:
            self._catalog = metrics.checked(self.engine, self._catalog)
            self._is_checked = True
        return self._catalog

    def _todays_fields(self, own: Plan, as_of: Any) -> tuple[str, ...]:
        """The fields read as they are today although the instant that was asked for lies before the workspace's own."""
        if as_of is None:
            return ()
        latest = moment(self._as_of, self._zone).as_of
        return own.fields if (latest - own.at.as_of).total_seconds() > 60 else ()

    def _moment(self, as_of: Any) -> Moment:
        """The instant of an evaluation: the one given, else the workspace's, else now."""
        return moment(self._as_of if as_of is None else as_of, self._zone)

    def _stamped(self, frame: pd.DataFrame, plans: list[Plan], as_of: Any) -> pd.DataFrame:
        if plans:
            frame.attrs["as_of"] = plans[0].at.as_of.isoformat()
        if names := list(dict.fromkeys(name for p in plans for name in self._todays_fields(p, as_of))):
            message = f"no history of {', '.join(names)}: read as they are today, not as of {as_of}"
            warnings.warn(message, SegkitWarning, stacklevel=3)
        return frame

    # ------------------------------------------------------------ the home

    def _tracked(self) -> dict[str, Segment]:
        if self._home is None and self._warehouse is None:
            return {}
        return {str(own.name): own for own in tracking.tracked(self._history_place())}

    def _tracked_source(self, full: bool, check: bool) -> tracking.Source:
        """What evaluates tracked segments, all of one catalog and among the same others, and writes out what they mean."""
        catalog, known = self._checked(), by_name({**self._segments, **self._tracked()})

        def planned(own: tracking.Tracked, at: dt.datetime) -> Plan:
            made = plan(own.definition, catalog, Moment(at, self._zone), known)
            self._hand_over_those_of([made])
            return made

        def written(own: tracking.Tracked) -> str:
            return tracking.written_out(own.definition.where, catalog, known, self._zone)

        return tracking.Source(self.engine, planned, written, full=full, check=check)

    def _history_place(self) -> tracking.Place:
        """Where tracked history is kept."""
        return self._folder("tracking") if self._warehouse is None else self._warehouse

    def _folder(self, name: str) -> Path:
        if self._home is None:
            raise DefinitionError("this connection keeps nothing on disk", fix='connect(..., home=".segkit")')
        return self._home / name

    def _hand_over_those_of(self, plans: Iterable[Plan]) -> None:
        """Hands the engine the frozen lists that plans name, each when it is first needed."""
        named = {name: self._lists[name] for own in plans for name in own.lists if name in self._lists}
        if not named.keys() <= self._handed.keys():
            self._hand_over({**self._handed, **named}, self._lists)

    def _hand_over(self, wanted: Mapping[str, StaticList], known: Mapping[str, StaticList]) -> None:
        """Hands the engine some frozen lists, in place of those it has, and makes the names of all known."""
        table = lists.handed(self.engine, self._catalog, self._folder("lists"), wanted.values())
        self._catalog = replace(self._catalog, frozen=replace(table, observed=tuple(known)))
        self._handed, self._lists = dict(wanted), dict(known)

    # ------------------------------------------------------------ definitions

    def _check_calculated(self, name: str, value: object) -> None:
        nodes.checked_name(name, "field name")
        if not isinstance(value, Value):
            raise DefinitionError(f"{name} = {value!r:.60} is no value", fix="define a calculation such as F.total / F.orders")
        if any(name.casefold() == other.casefold() for other in self._catalog.contacts.fields):
            raise DefinitionError(f"{name!r} is a column already", fix="give the calculated field another name")

    def _try_out(
        self,
        catalog: Catalog,
        calculated: Mapping[str, nodes.Value],
        segments: Iterable[Segment],
        known: Mapping[str, nodes.Predicate],
    ) -> None:
        """Plans what is being defined, so that a mistake shows here and changes nothing."""
        at = moment(self._as_of, self._zone)
        for name in calculated:
            plan(nodes.Definition(None, nodes.Missing(nodes.Field(name))), catalog, at)
        for segment in segments:
            plan(segment.definition, catalog, at, known)


def _named(segment: object) -> str:
    if not isinstance(segment, Segment):
        raise DefinitionError(
            f"{segment!r:.60} is no segment", fix="write define(Segment('name', ...)) or define(name=F.a / F.b)"
        )
    if segment.name is None:
        raise DefinitionError(f"{segment!r:.80} has no name", fix="write Segment('name', it)")
    return segment.name


def _names(given: Iterable[str] | None) -> list[str] | None:
    if isinstance(given, str):
        raise DefinitionError("expected a list of names", fix="put it in [ ]")
    return None if given is None else nodes.checked_list(given, "names")
