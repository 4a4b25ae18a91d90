"""Passwords and e-mail addresses in all that is kept, shown, told and logged."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from engines import ENGINES
from test_warehouse import CONTACTS, EVENTS, url

import segkit as sk
from segkit import E, F, SegkitError, Segment, Workspace, connect, everyone
from trusted.figure import Figure, titled
from trusted.outputs import _exported

PASSWORD = "p@ss:w/rd'1 hush"
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+\w")
FORMS = (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), "hush")


def leaks(count: int, engines: list[str]) -> Iterator[Figure]:
    """Passwords of URLs, then addresses of contacts; reports are on so many segments."""
    if "postgres" in engines:
        yield _passwords(count)
    yield _addresses(count)


def _passwords(count: int) -> Figure:
    own = ENGINES["postgres"].loaded({"contacts": CONTACTS, "events": EVENTS})
    address = url(own, quote(PASSWORD, safe=""))
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.root.addHandler(handler)
    level = logging.root.level
    logging.root.setLevel(logging.DEBUG)
    try:
        with (
            TemporaryDirectory() as folder,
            contextlib.redirect_stdout(log),
            contextlib.redirect_stderr(log),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            with connect(address, as_of="2025-06-30", home=folder) as ws:
                told = [*_of_workspace(ws, [Segment("US", F.country == "USA"), Segment("Opened", E.opened.any())], count)]
                told += _errors(ws)
            for wrong in (
                address.replace("postgresql://", "postgresql://nobody"),
                f"postgresql://ann:{FORMS[1]}@127.0.0.1:1/crm?sslpassword=hush",
            ):
                told.append(_error(lambda wrong=wrong: connect(wrong, home=None)))
            told += [*_files(Path(folder)), log.getvalue()]
    finally:
        logging.root.removeHandler(handler)
        logging.root.setLevel(level)
        own.close()
    found = sum(any(form in text for form in FORMS) for text in told)
    caught = sum(any(form in text for form in FORMS) for text in (address, f"cannot connect to {address}"))
    on = f"{titled('postgres')}, files, reprs, errors, logs"
    return Figure("Passwords in what is kept, shown, told and logged", on, len(told), found, "a repr that holds the URL", caught)


def _addresses(count: int) -> Figure:
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with connect(home=folder) as ws:
            own = [Segment("US", F.country == "USA"), Segment("Readers", E.opened.within(days=30).any())]
            told = [*_of_workspace(ws, own, count)]
            key = ws.members(own[0]).iloc[0, 0]
            for shown in (ws.preview(own[0], mask=True), ws.explain(own[0], key, mask=True), ws.profile(own[0], mask=True)):  # fmt: skip
                told += [repr(shown), str(shown._repr_html_())]  # type: ignore[operator]
            told += [json.dumps(ws.builder(own[0]).get_state(), default=str), *_errors(ws)]
            told += [_exported(ws, own)] if find_spec("nbconvert") else []
            bare, addresses = ws.preview(own[0]), set(ws.members(everyone(), ["email"])["email"].dropna())
        told += _files(Path(folder))
    found = sum(len(addresses.intersection(_ADDRESS.findall(text))) for text in told)
    caught = len(addresses.intersection(_ADDRESS.findall(bare.to_csv())))
    what = "E-mail addresses in what is kept, masked or exported"
    return Figure(
        what, "the sample data, files, reprs, panel, report, notebook, errors", len(told), found, "a preview without mask", caught
    )


def _of_workspace(ws: Workspace, own: list[Segment], count: int) -> Iterator[str]:
    """What a workspace shows and writes of segments."""
    ws.define(*own)
    for one in own:
        ws.save(one)
    ws.freeze(own[0], "Launch")
    ws.track(own)
    ws.refresh()
    for thing in (ws, ws.engine, ws.catalog, *own, *ws.lists, ws.builder(own[0])):
        yield repr(thing)
    yield ws._repr_html_()
    yield str(ws.builder(own[0])._repr_mimebundle_()[0]["text/html"])
    yield from (ws.report([one]).html() for one in own[:count])
    yield str(sk.show_findings(ws.audit(own))._repr_html_())
    yield ws.sql(own[0])
    yield str(ws.export(own, "view", name="people"))


def _errors(ws: Workspace) -> list[str]:
    asked: list[Any] = [
        lambda: ws.size(F.nope == 1),
        lambda: ws.engine.frame("SELECT nope FROM contacts"),
        lambda: ws.engine.frame("SELECT CAST(country AS INTEGER) FROM contacts"),
        lambda: ws.size(sk.in_list("nobody")),
        lambda: ws.members(everyone(), ["nope"]),
    ]
    return [_error(ask) for ask in asked]


def _error(ask: Any) -> str:
    try:
        ask()
    except SegkitError as error:
        return f"{error!r} {error} {error.__cause__!r} {error.__context__ if not error.__suppress_context__ else ''}"
    return ""


def _files(folder: Path) -> list[str]:
    return [path.read_bytes().decode("utf-8", "replace") for path in sorted(folder.rglob("*")) if path.is_file()]
