from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters import codec, database
from bot.adapters.store import SqlStore
from bot.app.attachments import Attachments, keep_attachments
from bot.domain.errors import NotFound
from bot.domain.plan import Attachment, StepOutcome
from bot.domain.run_events import RunEvent, StepFailed, StepFinished, UndoFinished
from tests.support.databases import sqlite_database
from tests.support.examples import NOW

PICTURE = Attachment("graph.png", "image/png", b"\x89PNG\x00\xff")
PAGE = Attachment("page.html", "text/html", b"<script>")


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return SqlStore(database.create(sqlite_database(tmp_path)), lambda *_: None)


def kept(store: SqlStore, event: RunEvent) -> RunEvent:
    with store.transaction() as tx:
        return keep_attachments(tx, 3, event, NOW)


@pytest.mark.parametrize("kind", [StepFinished, UndoFinished])
def test_the_event_keeps_the_name_and_the_store_the_content(
    store: SqlStore, kind: type[StepFinished | UndoFinished]
) -> None:
    event = kept(store, kind("graph", StepOutcome("Drawn.", attachments=(PICTURE, PAGE))))
    assert isinstance(event, kind)
    found = event.outcome.attachments
    assert [(one.name, one.content, one.id) for one in found] == [
        ("graph.png", b"", 1),
        ("page.html", b"", 2),
    ]
    assert codec.load(codec.dump(event), kind) == event
    assert Attachments(store).shown(1).content == PICTURE.content


@pytest.mark.parametrize(
    "event", [StepFinished("look", StepOutcome("Seen.")), StepFailed("look", "It hangs.")]
)
def test_an_event_with_nothing_attached_stays_as_it_is(store: SqlStore, event: RunEvent) -> None:
    assert kept(store, event) is event


@pytest.mark.parametrize("attachment_id", [2, 3])
def test_what_is_no_picture_is_not_shown(store: SqlStore, attachment_id: int) -> None:
    kept(store, StepFinished("graph", StepOutcome("Drawn.", attachments=(PICTURE, PAGE))))
    with pytest.raises(NotFound):
        Attachments(store).shown(attachment_id)
