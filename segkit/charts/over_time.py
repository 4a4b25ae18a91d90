"""Segments over time, a panel each: how large they were and will be, who came and went, and how much stayed the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segkit.charts import drawing
from segkit.charts.chart import Chart
from segkit.display import number, percent, seen

if TYPE_CHECKING:
    import pandas as pd

MOST_PANELS = 24
MOST_POINTS = 400
_MOST_BARS = 92
_MOST_DOTS = 60
_FLOW = "above zero: entries; below: exits; line: the net"
WIDE, NARROW = 480, 230
"""The width of a lone panel, and of one beside another."""
_HEIGHT = 220
_LOW = 110
COMPUTED, TRACKED = "computed", "tracked"
_WHOLE = "datum.value % 1 ? '' : format(datum.value, ',d')"
"""Labels at whole numbers alone: where layers share an axis, Vega-Lite forgets the least step."""
_LOCAL = "%Y-%m-%dT%H:%M:%S"


def history(frame: pd.DataFrame) -> Chart:
    """How large segments were at each instant: an area a segment, each on a scale of its own from zero.

    Args:
        frame: what `Workspace.history` gives, also with what was tracked, or `Workspace.tracked_sizes`: what refreshes saw is
            dashed, and dotted lines show where a definition changed. At most 24 segments are shown, and of more than 400
            instants every so-manieth.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import E, Segment, charts, connect
    >>> own = Segment("Readers", E.opened.within(days=30).any())
    >>> charts.history(connect().history([own], start="2025-11-01")).title
    'Contacts over time'
    """
    drawing.expect(frame, ("segment", "at", "size"), "history", "ws.history([...], start=...)")
    return _panels(frame, "Contacts over time", "history", [])


def forecast(frame: pd.DataFrame) -> Chart:
    """Who leaves and enters at instants that lie ahead, if nothing happens: entries above zero, exits below, a line for both.

    Args:
        frame: what `Workspace.forecast` gives, whose sizes `charts.history` draws. At most 24 segments are shown.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import E, Segment, charts, connect
    >>> charts.forecast(connect().forecast([Segment("Readers", E.opened.within(days=30).any())], days=7))
    <Chart: Contacts who will leave and enter, if nothing happens, 8 rows>
    """
    drawing.expect(frame, ("segment", "at", "size", "entries", "exits"), "forecast", "ws.forecast([...])")
    about = [_FLOW]
    if len(frame) and frame["segment"].nunique() == 1:
        about.append(f"{number(int(frame['size'].iloc[0]))} members now, {number(int(frame['size'].iloc[-1]))} in the end")
    title = "Contacts who will leave and enter, if nothing happens"
    return _panels(frame[frame["entries"].notna()], title, "flow", about, whole=frame)


def flow(frame: pd.DataFrame) -> Chart:
    """Who came and went between two instants: entries above zero, exits below, and a line of the two together.

    Args:
        frame: what `Workspace.history` gives, also with what was tracked, or `Workspace.tracked_sizes`; the first instant has
            no flow. At most 24 segments are shown; of more than 92 instants the flows of neighbours are added up.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import E, Segment, charts, connect
    >>> own = Segment("Readers", E.opened.within(days=30).any())
    >>> charts.flow(connect().history([own], start="2025-11-01")).title
    'Contacts who came and went'
    """
    drawing.expect(frame, ("segment", "at", "entries", "exits"), "flow", "ws.history([...], start=...)")
    shown = frame[frame["entries"].notna()]
    return _panels(shown, "Contacts who came and went", "flow", [_FLOW], whole=frame)


def stability(frame: pd.DataFrame) -> Chart:
    """Of the members at each instant, the share that still is at the next one.

    Args:
        frame: what `Workspace.stability` gives. At most 24 segments are shown.

    Raises:
        SegkitError: the frame has other columns.

    >>> from segkit import E, Segment, charts, connect
    >>> own = Segment("Readers", E.opened.within(days=30).any())
    >>> charts.stability(connect().stability([own], start="2025-11-01")).title
    'Members who stayed from one instant to the next'
    """
    drawing.expect(frame, ("segment", "at", "size", "kept", "stability"), "stability", "ws.stability([...], start=...)")
    about = ["of the members at the instant before"]
    return _panels(frame, "Members who stayed from one instant to the next", "stability", about)


# ---------------------------------------------------------------- panels


def _panels(frame: pd.DataFrame, title: str, kind: str, about: list[str], whole: pd.DataFrame | None = None) -> Chart:
    whole = frame if whole is None else whole
    segments = list(dict.fromkeys(frame["segment"]))
    shown = segments[:MOST_PANELS]
    lines = [*about, drawing.left_out(len(shown), len(segments), "segments"), *notes(whole), *_of_sources(whole, kind)]
    if not segments:
        return drawing.nothing(whole, title, lines)
    if len(segments) == 1:
        lines.insert(0, f"of {seen(str(segments[0]), 80)}")
    values, step = _values(frame, shown, kind)
    if step > 1:
        lines.append(f"every {number(step)} instants " + ("are added up" if kind == "flow" else "one is drawn"))
    headers = drawing.names(shown)
    return drawing.finished(_drawn(values, headers, kind), whole, title, lines)


def notes(frame: pd.DataFrame) -> list[str]:
    """What was seen when, and which values of today stand in for those of then."""
    names = [own for own in frame["today_values"] if own] if "today_values" in frame else []
    told = dict.fromkeys([str(frame.attrs.get("today_values") or ""), *names])
    found = dict.fromkeys(name for names in told for name in names.split(", ") if name)
    today = f"as they are today, not as they were: {seen(', '.join(found), drawing.LONGEST_NOTE)}" if found else ""
    return [own for own in (drawing.span(frame), today) if own]


def _sources(frame: pd.DataFrame) -> pd.Series[str]:
    """Of each row, whether it was computed or seen at a refresh."""
    import pandas as pd

    if "source" in frame:
        return frame["source"].where(frame["source"] == TRACKED, COMPUTED)
    return pd.Series(TRACKED if "version" in frame else COMPUTED, index=frame.index)


def _of_sources(frame: pd.DataFrame, kind: str) -> list[str]:
    """How the picture tells what was computed from what refreshes saw, and how much these differ."""
    found = set(_sources(frame))
    told = ["dashed: as refreshes saw it"]
    if COMPUTED in found:
        ours, theirs = ("bars and solid", "strokes and dashed") if kind == "flow" else ("solid", "dashed")
        told = [f"{ours}: as the events of today say; {theirs}: as refreshes saw it"]
    if "difference" in frame:
        both = frame["difference"].dropna()
        differ = both[both != 0]
        most = f", by up to {number(int(differ.abs().max()))}" if len(differ) else ""
        told.append(f"different at {number(len(differ))} of {number(len(both))} refreshes{most}")
    told += ["dotted: the definition changed"] if any(_begins(own) for _, own in frame.groupby("segment")) else []
    return told if TRACKED in found else []


def _begins(frame: pd.DataFrame) -> dict[Any, int]:
    """The rows of a segment at which another version of its definition is seen first, with its number."""
    known = frame["version"].dropna() if "version" in frame else frame["segment"][:0]
    return {index: int(own) for index, own in known[(known != known.shift()) & known.shift().notna()].items()}


def _values(frame: pd.DataFrame, segments: Sequence[str], kind: str) -> tuple[list[dict[str, Any]], int]:
    """The rows to draw, thinned, and how many instants each stands for."""
    headers = dict(zip(segments, drawing.names(segments), strict=True))
    found: list[dict[str, Any]] = []
    most, longest, has_tracked = _MOST_BARS if kind == "flow" else MOST_POINTS, 1, TRACKED in set(_sources(frame))
    for segment in segments:
        own = frame[frame["segment"] == segment]
        begins, place = _begins(own), own["at"].rank(method="dense").astype(int) - 1
        step = -(-int(place.max() + 1) // most) if len(own) else 1
        longest = max(step, longest)
        for (source, _), part in own.groupby([_sources(own), place // step], sort=False):
            row = part.iloc[-1] if kind == "flow" else part.iloc[0]
            value = {"segment": headers[segment], "order": segments.index(segment), "at": f"{row['at']:{_LOCAL}}"}
            value |= {"source": str(source)} if has_tracked else {}
            if begun := [begins[index] for index in part.index if index in begins]:
                value["version"] = f"v{begun[-1]}"
            if "size" in frame:
                value["size"] = int(row["size"])
            if kind == "flow":
                entries, exits = int(part["entries"].fillna(0).sum()), int(part["exits"].fillna(0).sum())
                value |= {"entries": entries, "exits": exits, "out": -exits, "net": entries - exits}
            if kind == "stability":
                share = round(float(row["stability"]), drawing.DIGITS)
                value |= {"stability": share if share == share else None, "kept": int(row["kept"]), "told": percent(share)}
            found.append(value)
    return found, longest


def _drawn(values: list[dict[str, Any]], headers: Sequence[str], kind: str) -> Any:
    import altair as alt

    layers = alt.layer(*_layers(values, kind)).properties(
        width=WIDE if len(headers) == 1 else NARROW, height=_HEIGHT if len(headers) == 1 else _LOW
    )
    if len(headers) == 1:
        return layers.properties(data={"values": values})
    return faceted(layers, values, shares_scale=kind == "stability")


def faceted(layers: Any, values: list[dict[str, Any]], *, shares_scale: bool) -> Any:
    """A panel for each segment, two beside each other, in the order of the frame."""
    import altair as alt

    header = alt.Header(title=None, labelLimit=NARROW, labelAnchor="start")
    sort = alt.EncodingSortField(field="order", op="min", order="ascending")
    panels = layers.facet(facet=alt.Facet("segment:N", sort=sort, header=header), columns=2, data={"values": values})
    return (panels if shares_scale else panels.resolve_scale(y="independent")).properties(spacing=14)


def _layers(values: list[dict[str, Any]], kind: str) -> list[Any]:
    import altair as alt

    is_lone = len({own["segment"] for own in values}) == 1
    x = alt.X("at:T", title=None, axis=alt.Axis(tickCount=6 if is_lone else 3, labelOverlap=True, format=_date_format(values)))
    when = alt.Tooltip("at:T", title="at", format="%Y-%m-%d %H:%M")
    base = alt.Chart().encode(x=x)
    counts = alt.Axis(labelExpr=_WHOLE, tickCount=4)
    told = [alt.Tooltip("segment:N", title="segment"), when]
    told += [alt.Tooltip("source:N", title="source")] if values and "source" in values[0] else []
    match kind:
        case "stability":
            y = alt.Y("stability:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="~%", tickCount=4))
            told += [alt.Tooltip("told:N", title="stayed"), alt.Tooltip("kept:Q", title="contacts", format=",")]
            drawn = base.encode(y=y, tooltip=told)
            return [drawn.mark_line(color=drawing.BLUE, strokeWidth=1.5), dots(drawn, values)]
        case "flow":
            told += [alt.Tooltip(f"{name}:Q", title=name, format=",") for name in ("entries", "exits", "net")]
            width = max(1, min(14, int((WIDE if is_lone else NARROW) / max(1, len({own["at"] for own in values})) * 0.7)))
            both = len({own.get("source") for own in values}) > 1
            bars = [
                _only(base, COMPUTED if both else None)
                .mark_bar(color=color, size=width)
                .encode(y=alt.Y(f"{name}:Q", title="contacts" if is_lone else None, axis=counts), tooltip=told)
                for color, name in ((drawing.BLUE, "entries"), (drawing.ORANGE, "out"))
            ]
            if both:
                bars += [
                    _only(base, TRACKED)
                    .mark_tick(color=drawing.GREY, orient="horizontal", size=width + 2, thickness=2)
                    .encode(y=f"{name}:Q", tooltip=told)
                    for name in ("entries", "out")
                ]
            net = base.mark_line(color=drawing.GREY, strokeWidth=1).encode(y="net:Q", tooltip=told, **_dashes(values))
            return [*bars, net, *_versions(base, values)]
        case _:
            is_empty = not any(own["size"] for own in values)
            scale = alt.Scale(domain=[0, 1]) if is_empty else alt.Scale(zero=True)
            axis = alt.Axis(values=[0], format="d") if is_empty else counts
            y = alt.Y("size:Q", title="contacts" if is_lone else None, scale=scale, axis=axis)
            drawn = base.encode(y=y, tooltip=[*told, alt.Tooltip("size:Q", title="contacts", format=",")])
            area = drawn.mark_area(color=drawing.BLUE, opacity=0.2)
            if "source" not in values[0]:
                return [area, drawn.mark_line(color=drawing.BLUE, strokeWidth=2), dots(drawn, values)]
            line = drawn.mark_line(strokeWidth=2).encode(**_dashes(values), **_colours(values))
            return [_only(area, COMPUTED), line, dots(drawn, values).encode(**_colours(values)), *_versions(base, values)]


def _only(chart: Any, source: str | None) -> Any:
    """A chart of the values of one source; of all, without one."""
    return chart.transform_filter(f"datum.source === '{source}'") if source else chart


def _dashes(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What draws a line dashed as refreshes saw it, where they saw any."""
    import altair as alt

    named = {COMPUTED: [1, 0], TRACKED: [5, 3]}
    return {"strokeDash": alt.StrokeDash("source:N", **_named(named, values))} if "source" in values[0] else {}


def _colours(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    import altair as alt

    return {"color": alt.Color("source:N", **_named({COMPUTED: drawing.BLUE, TRACKED: drawing.ORANGE}, values))}


def _named(looks: Mapping[str, Any], values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A scale and a legend of the sources that there are."""
    import altair as alt

    found = {own["source"] for own in values}
    domain = [name for name in looks if name in found]
    legend = alt.Legend(title=None, orient="top", offset=4, symbolType="stroke", symbolSize=300)
    return {"scale": alt.Scale(domain=domain, range=[looks[name] for name in domain]), "legend": legend}


def _versions(base: Any, values: Sequence[Mapping[str, Any]]) -> list[Any]:
    """A dotted line where each version of a definition begins, and its number."""
    import altair as alt

    if not any("version" in own for own in values):
        return []
    begins = base.transform_filter("isValid(datum.version)").encode(
        tooltip=["version:N", alt.Tooltip("at:T", format="%Y-%m-%d %H:%M")]
    )
    rule = begins.mark_rule(color=drawing.GREY, strokeDash=[1, 3])
    return [rule, begins.mark_text(align="left", baseline="top", dx=3, fontSize=10).encode(y=alt.value(0), text="version:N")]


def _date_format(values: Sequence[Mapping[str, Any]]) -> str:
    """How instants are written below a panel: as short as tells them apart.

    >>> _date_format([{"at": "2025-01-31T00:00:00"}, {"at": "2025-03-31T00:00:00"}])
    '%b %d'
    """
    ends = (dt.datetime.fromisoformat(end(own["at"] for own in values)) for end in (min, max))
    days = abs((next(ends) - next(ends)).days)
    return "%b %d %H:%M" if days < 3 else "%b %d" if days < 400 else "%b %Y"


def dots(drawn: Any, values: Sequence[Mapping[str, Any]]) -> Any:
    """Where the tooltip is found; seen where there are few, such as a lone instant."""
    segments = len({own["segment"] for own in values})
    is_seen = len(values) <= _MOST_DOTS * segments
    return drawn.mark_point(color=drawing.BLUE, filled=True, size=14, opacity=1 if is_seen else 0)
