"""The graphs of a run stand below its message once, in the stand-in for Slack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.slack import SlackChat
from bot.app.picture_delivery import PictureDelivery
from bot.app.record import record_run
from bot.domain.actor import TOCSIN
from bot.domain.effects import SharePictures
from bot.domain.errors import PermanentError
from bot.domain.message import Message, Subject, SubjectKind
from bot.domain.plan import PICTURE, TEXT, Attachment, StepOutcome
from bot.domain.run_events import RunFinished, RunState, StepFinished, StepStarted
from bot.ports import PostedMessage
from bot.sandbox.slack import SandboxSlack, slack_app
from tests.support.core import Core
from tests.support.databases import sqlite_database
from tests.support.examples import run
from tests.support.serve import serve

TOKEN = "xoxb-pictures"
PNG = b"\x89PNG\r\n\x1a\npicture"
OUTCOME = StepOutcome(
    "Graph of CPU over 1h.",
    attachments=(Attachment("cpu.png", PICTURE, PNG), Attachment("job.log", TEXT, b"log")),
)


class World:
    """A run that drew a graph, and ended."""

    def __init__(self, core: Core, workspace: SandboxSlack, url: str) -> None:
        self.core = core
        self.workspace = workspace
        self.chat = SlackChat(TOKEN, f"{url}/api/")
        with core.store.transaction() as tx:
            found = tx.new_run(run(RunState.RUNNING, incident_id=None))
            end = RunFinished(RunState.SUCCEEDED, "Done.")
            events = (StepStarted("change"), StepFinished("change", OUTCOME), end)
            self.run = record_run(tx, found, events, TOCSIN, core.clock.now())
        self.subject = Subject(SubjectKind.RUN, self.run.id)

    def post(self) -> None:
        ref = self.chat.post("#incidents", Message("The run", subject=self.subject))
        with self.core.store.transaction() as tx:
            tx.save_message(self.subject, PostedMessage(ref, ""))

    def share(self) -> None:
        uses = PictureDelivery(self.core.store, self.chat, lambda: 1.0)
        uses.share(SharePictures(self.run.id))

    @property
    def waiting(self) -> list[SharePictures]:
        return [one for one in self.core.queue.waiting() if isinstance(one, SharePictures)]

    @property
    def replies(self) -> list[tuple[str, list[str]]]:
        (channel,) = (
            one for one in self.workspace.overview()["channels"] if one["name"] == "incidents"
        )
        replies = (one for one in channel["messages"] if one["thread_ts"])
        return [(one["text"], [file["title"] for file in one["files"]]) for one in replies]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    core = Core(engine)
    workspace = SandboxSlack(
        events_url="",
        base_url="",
        signing_secret="unused",
        bot_token=TOKEN,
        now=core.clock.now,
    )
    with serve(slack_app(workspace)) as url:
        workspace.base_url = url
        yield World(core, workspace, url)
    engine.dispose()


SHOWN = ("Graphs of run 1: restart@1.0.0 payments/checkout", ["Graph of CPU over 1h."])


def test_they_are_asked_for_once_and_shown_once(world: World) -> None:
    world.post()
    assert world.waiting == [SharePictures(1)]
    world.share()
    world.share()
    assert world.replies == [SHOWN]
    (call,) = (one for one in world.workspace.calls if one.method == "upload")
    assert world.workspace.file(call.arguments["file"]) == PNG


def test_a_message_that_is_not_posted_yet_is_waited_for(world: World) -> None:
    world.share()
    assert world.waiting[-1] == SharePictures(1, attempt=2)
    assert world.replies == []


@pytest.mark.parametrize(
    "method",
    [
        "conversations.replies",
        "files.getUploadURLExternal",
        "upload",
        "files.completeUploadExternal",
    ],
)
def test_a_slack_that_is_away_is_asked_again(world: World, method: str) -> None:
    world.post()
    world.workspace.fail_next(method, 503)
    world.share()
    assert world.waiting[-1] == SharePictures(1, attempt=2)
    world.share()
    assert world.replies == [SHOWN]


def test_an_answer_that_was_lost_shows_nothing_twice(world: World) -> None:
    world.post()
    world.workspace.fail_next("files.completeUploadExternal", 503, applied=True)
    world.share()
    world.share()
    assert world.replies == [SHOWN]


def test_a_bot_that_was_not_invited_joins(world: World) -> None:
    world.post()
    world.workspace.leave("tocsin", "#incidents")
    world.share()
    assert world.replies == [SHOWN]


def test_who_may_not_read_the_thread_still_shares(world: World) -> None:
    world.post()
    world.workspace.fail_next("conversations.replies", "missing_scope")
    world.share()
    assert world.replies == [SHOWN]


def test_a_refusal_names_the_fix(world: World) -> None:
    world.post()
    world.workspace.fail_next("files.getUploadURLExternal", "missing_scope")
    with pytest.raises(PermanentError, match="tocsin slack manifest"):
        world.share()
