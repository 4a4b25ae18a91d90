"""What may befall tracking: each has the outcome and the message that docs/tracking.md lists.

Two at once, killed ones, readers and flipped bits are made in `tracking_faults.py`, what a damaged or a newer file is told in
`test_tracking.py`.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from test_tracking import READERS, US, database, day

from segkit import CatalogError, DataError, DefinitionError, F, SegkitError, Segment, Workspace, connect, in_list, in_segment
from segkit.tracking import log

OUTCOMES = Path(__file__).parents[1] / "docs" / "tracking.md"


@pytest.fixture
def data() -> Any:
    with database() as connection:
        yield connection


@pytest.fixture
def ws(data: Any, tmp_path: Path) -> Workspace:
    return begun(connect(data, home=tmp_path / "home"))


def begun(ws: Workspace, *more: Segment) -> Workspace:
    ws.track([US, READERS, *more])
    ws.refresh(as_of=day(5))
    return ws


def outcomes(frame: pd.DataFrame) -> dict[str, str]:
    return dict(zip(frame["segment"], frame["outcome"], strict=True))


def listed(message: str) -> str:
    """A message, which the table of outcomes has to quote."""
    assert f"`{message}`" in OUTCOMES.read_text(encoding="utf-8"), message
    return message


def again(ws: Workspace, data: Any) -> Workspace:
    return connect(data, home=ws._home)


# ---------------------------------------------------------------- the home


def test_a_home_that_is_gone_tracks_nothing_and_begins_anew(ws: Workspace, data: Any) -> None:
    assert ws._home is not None
    shutil.rmtree(ws._home)
    assert ws.tracked == ()
    assert ws.tracked_sizes().empty
    with pytest.raises(DefinitionError, match=listed("no segment is tracked") + "\n.*whether this is their home"):
        ws.refresh(as_of=day(6))
    ws.track([US])
    assert outcomes(ws.refresh(as_of=day(4))) == {"US": "first"}


def test_a_home_that_cannot_be_written_to_is_told(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = sqlite3.connect

    def only_read(path: Path, **given: Any) -> sqlite3.Connection:
        return opened(f"file:{path}?mode=ro", uri=True, **given)

    with monkeypatch.context() as patched:
        patched.setattr(log.sqlite3, "connect", only_read)
        with pytest.raises(SegkitError, match=listed("attempt to write a readonly database") + "\n.*leave to write in"):
            ws.refresh(as_of=day(6))
        assert outcomes(ws.refresh(as_of=day(6), dry_run=True)) == {"US": "refreshed", "Readers": "refreshed"}
        assert len(ws.tracked_sizes()) == 2
    assert outcomes(ws.refresh(as_of=day(6))) == {"US": "refreshed", "Readers": "refreshed"}


def test_a_full_disk_keeps_what_was_kept(ws: Workspace, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = sqlite3.connect
    ws.track([Segment(f"s{i}", F.contact_id < i) for i in range(300)])

    def full(*given: Any, **named: Any) -> sqlite3.Connection:
        connection = opened(*given, **named)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    before = ws.tracked_sizes()
    with monkeypatch.context() as patched:
        patched.setattr(log.sqlite3, "connect", full)
        with pytest.raises(SegkitError, match=listed("database or disk is full") + "\n.*what was kept before is still there"):
            ws.refresh(as_of=day(6))
        pd.testing.assert_frame_equal(ws.tracked_sizes(), before)
    assert set(ws.refresh(as_of=day(6))["outcome"]) == {"first", "refreshed"}


def test_who_writes_is_waited_for(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ws._home is not None
    monkeypatch.setattr(log, "_WAITS", 0.2)
    other = sqlite3.connect(ws._home / "tracking" / "history.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SegkitError, match=listed("another process has been writing") + ".* for a minute"):
        ws.refresh(as_of=day(6))
    assert len(ws.tracked_sizes()) == 2
    other.execute("ROLLBACK")
    other.close()
    assert len(ws.refresh(as_of=day(6))) == 2


def test_a_clock_that_ran_ahead_is_told(ws: Workspace) -> None:
    with pytest.raises(DataError, match=listed("which is later than") + "(.|\n)*if it ran ahead then, put back"):
        ws.refresh(as_of=day(4))
    with pytest.raises(DefinitionError, match=listed("is yet to come")):
        ws.refresh(as_of="2999-01-01")


# ---------------------------------------------------------------- definitions


def test_a_renamed_segment_is_another_one(ws: Workspace) -> None:
    ws.track([Segment("America", US.where)])
    ws.untrack("US")
    assert outcomes(ws.refresh(as_of=day(6))) == {"Readers": "refreshed", "America": "first"}
    assert ws.tracked_sizes(["US", "America"])["size"].tolist() == [14, 14]
    with pytest.raises(DefinitionError, match=listed("unknown tracked segment") + " 'USA'"):
        ws.tracked_sizes(["USA"])


@pytest.mark.parametrize("message", ["unknown segment", "no lists are known"])
def test_what_a_segment_refers_to_may_be_gone(ws: Workspace, data: Any, message: str) -> None:
    base = Segment("Base", F.country == "USA")
    if message == "unknown segment":
        path = ws.save(base)
        begun(ws, Segment("Ref", in_segment("Base")))
        path.unlink()
    else:
        ws.freeze(base, "Base")
        begun(ws, Segment("Ref", in_list("Base")))
        ws.unfreeze("Base")
    for n in (6, 7):
        ws = again(ws, data)
        frame = ws.refresh(as_of=day(n)).set_index("segment")
        assert frame["outcome"].to_dict() == {"US": "refreshed", "Readers": "refreshed", "Ref": "failed"}
        assert listed(message) in frame.loc["Ref", "error"]
    if message == "unknown segment":
        ws.save(base)
    else:
        assert "freeze one" in frame.loc["Ref", "error"]
        ws.freeze(base, "Base")
    assert outcomes(ws.refresh(as_of=day(8)))["Ref"] in ("refreshed", "first")


# ---------------------------------------------------------------- the data


def test_emptied_contacts_leave_and_an_alert_says_so(ws: Workspace, data: Any) -> None:
    data.execute("DELETE FROM contacts")
    frame = ws.refresh(as_of=day(6), dry_run=True)
    heard: list[Any] = []
    pd.testing.assert_frame_equal(ws.refresh(as_of=day(6), hook=lambda *told: heard.append(told)), frame)
    assert frame["alert"].tolist() == [listed("empty, after 14 members"), "empty, after 16 members"]
    assert [(name, adds, len(removes)) for name, adds, removes in heard] == [("US", [], 14), ("Readers", [], 16)]
    assert again(ws, data).refresh(as_of=day(7))["size"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("change", "now", "later"),
    [
        (
            "INSERT INTO contacts SELECT * FROM contacts WHERE contact_id = 3",
            "keys of contacts are missing or stand on more",
            DataError,
        ),
        (
            "UPDATE contacts SET contact_id = NULL WHERE contact_id = 0",
            "keys of contacts are missing or stand on more",
            DataError,
        ),
        ("ALTER TABLE contacts RENAME contact_id TO id", "contact_id", CatalogError),
        ("DROP TABLE contacts", "Table with name contacts does not exist", CatalogError),
    ],
)
def test_contacts_that_cannot_be_told_apart_or_read_keep_nothing_wrong(
    ws: Workspace, data: Any, change: str, now: str, later: type[SegkitError]
) -> None:
    data.execute(change)
    frame = ws.refresh(as_of=day(6)).set_index("segment")
    assert frame.loc["US", "outcome"] == "failed"
    assert now in frame.loc["US", "error"]
    assert ws.tracked_sizes(["US"])["at"].tolist() == [day(5)]
    with pytest.raises(later):
        again(ws, data).refresh(as_of=day(7))


def test_a_table_that_is_gone_fails_what_needs_it(ws: Workspace, data: Any) -> None:
    data.execute("DROP TABLE events")
    for now, message in ((ws, "Table with name events does not exist"), (again(ws, data), listed("no events are known"))):
        frame = now.refresh(as_of=day(6 if now is ws else 7)).set_index("segment")
        assert frame["outcome"].to_dict() == {"US": "refreshed", "Readers": "failed"}
        assert message in frame.loc["Readers", "error"]


def test_keys_of_another_kind_keep_nothing(ws: Workspace, data: Any) -> None:
    for table in ("contacts", "events"):
        data.execute(f"ALTER TABLE {table} ALTER contact_id TYPE TEXT")
    before = ws.tracked_moves()
    for dry_run in (True, False):
        with pytest.raises(DataError, match=listed("were whole numbers at the last refresh, and are text now")):
            again(ws, data).refresh(as_of=day(6), dry_run=dry_run)
    pd.testing.assert_frame_equal(ws.tracked_moves(), before)


def test_a_column_of_another_kind_fails_its_segment(ws: Workspace, data: Any) -> None:
    data.execute("ALTER TABLE contacts ADD COLUMN n INTEGER DEFAULT 3")
    begun_again = begun(again(ws, data), Segment("N", F.n > 2))
    data.execute("ALTER TABLE contacts ALTER n TYPE TEXT")
    for now, message in ((begun_again, "VARCHAR"), (again(ws, data), "F.n is text, but 2 is integer")):
        frame = now.refresh(as_of=day(6 if now is begun_again else 7)).set_index("segment")
        assert frame["outcome"].to_dict() == {"US": "refreshed", "Readers": "refreshed", "N": "failed"}
        assert message in frame.loc["N", "error"]


def test_a_connection_that_is_closed_fails_all_and_keeps_nothing(ws: Workspace, data: Any) -> None:
    data.close()
    frame = ws.refresh(as_of=day(6))
    assert set(frame["outcome"]) == {"failed"}
    assert frame["error"].str.contains("closed").all()
    assert len(ws.tracked_sizes()) == 2
