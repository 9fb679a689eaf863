"""SIGKILL at every commit and every request between an alert and the end of its page.

`BOUNDARIES` names them all; that none is missing is a test of its own. A process is killed
right before or right after one (or with a request taken and not yet answered), another one
is started in its place, and then the receiver's ledger is looked at: there was one page, and
it has ended.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.adapters import database
from bot.adapters.inbox import Inbox
from bot.adapters.pagerduty_webhook import verify_signature
from bot.adapters.schema import migrate
from bot.entrypoints.listener import Listener, pages
from bot.entrypoints.webhooks import PagerDutyWebhook
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from bot.sandbox.pagerduty.events import Event
from tests.support.boundaries import Boundary, Moment
from tests.support.databases import copied_database, postgres_database, sqlite_database
from tests.support.paging_story import KEY, SECOND_KEY, STORIES, Stage, tell
from tests.support.serve import serve
from tests.support.swap import Swap
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SECRET = "boundaries-webhook-secret"
"""Of PagerDuty's webhooks."""

BOUNDARIES = {
    "confirmed": (
        "inbox: kept (firing)",
        "commit: IncidentOpened + EscalationPlanned + AlertsChanged",
        "inbox: removed",
        "job: UpdatePage",
        "pager: trigger",
        "commit: PageSent (trigger)",
        "commit: PageConfirmed",
        "commit: Acknowledged",
        "pager: acknowledge",
        "commit: PageSent (acknowledge)",
        "inbox: kept (resolved)",
        "commit: AlertsChanged + Resolved",
        "pager: resolve",
        "commit: PageSent (resolve)",
    ),
    "delayed": ("commit: PageDelayed (trigger)",),
    "refused": (
        "commit: PageRefused (trigger)",
        "commit: Attend asked for",
        "job: Attend",
        "commit: Attend begun",
        "second pager: trigger",
        "commit: FallbackUsed",
        "second pager: resolve",
        "commit: SecondPageClosed",
        "commit: PageRefused (resolve)",
    ),
}
"""Every boundary of the way of a page, by the story that it comes first in."""

OF_NO_CONSEQUENCE = "commit: nothing"
"""The pager's echo of what it was told is seen, and changes nothing."""


def moments(name: str) -> tuple[Moment, ...]:
    """When one can be killed there."""
    return tuple(Moment) if "pager: " in name else (Moment.BEFORE, Moment.AFTER)


CASES = [
    (story, Boundary(moment, name))
    for story, names in BOUNDARIES.items()
    for name in names
    for moment in moments(name)
]
TOGETHER = 4
"""Stories told at once: a process that pages does little but wait."""


class Receiver(SandboxPagerDuty):
    """PagerDuty; calls `killer` when it has done what `deadly` (such as trigger) asks for."""

    deadly = ""
    killer: Callable[[], None] = staticmethod(lambda: None)

    def apply(self, event: Event) -> str:
        key = super().apply(event)
        if event["event_action"] == self.deadly:
            self.deadly = ""
            self.killer()
        return key


@dataclass
class Play:
    """A stage, its receivers, and the processes that tell the story there."""

    stage: Stage
    first: Receiver
    second: Receiver
    _context: multiprocessing.context.ForkServerContext = field(
        default_factory=lambda: multiprocessing.get_context("forkserver")
    )

    def tell(self, story: str, kill_at: Boundary | None) -> int | None:
        """Let a process tell the story; returns how it ended."""
        process = self._context.Process(target=tell, args=(self.stage, story, kill_at))
        if kill_at is not None and kill_at.moment is Moment.UNDER_WAY:
            name, _, action = kill_at.name.partition(": ")
            receiver = self.first if name == "pager" else self.second
            receiver.deadly = action
            receiver.killer = lambda: os.kill(process.pid or 0, signal.SIGKILL)
        process.start()
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()
        return process.exitcode

    def reached(self) -> set[str]:
        """The names of all boundaries that were reached."""
        lines = self.stage.log.read_text().splitlines()
        return {line.partition(" ")[2] for line in lines} - {OF_NO_CONSEQUENCE}


Databases = Callable[[], AbstractContextManager[str]]
"""Gives databases with all tables and nothing in them, by their URLs."""


@pytest.fixture(scope="module", autouse=True)
def _forks() -> None:
    """Processes begin with all that they need already imported."""
    # httpx2 imports httpcore2 when the first client is made.
    preloaded = ["tests.support.paging_story", "httpcore2"]
    multiprocessing.get_context("forkserver").set_forkserver_preload(preloaded)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    if request.param == "sqlite":
        with _sqlite():  # It is migrated once, before many ask for it together.
            yield _sqlite
        return
    with postgres_database() as url:
        engine = database.create(url)
        migrate(engine)
        engine.dispose()
        yield lambda: copied_database(url)


@contextmanager
def _sqlite() -> Iterator[str]:
    with TemporaryDirectory() as folder:
        yield sqlite_database(Path(folder))


@contextmanager
def staged(databases: Databases, story: str) -> Iterator[Play]:
    """PagerDuty twice, and the listener that its webhooks come to; all that goes wrong, too."""
    swap = Swap()
    with ExitStack() as stack:
        url, here = stack.enter_context(databases()), stack.enter_context(serve(swap))
        inbox = Inbox(url)
        stack.callback(inbox.close)
        first = Receiver(
            now=_now,
            webhook_url=f"{here}/webhooks/pagerduty",
            webhook_secret=SECRET,
            routing_keys={"9" * 32 if story == "refused" else KEY},
        )
        stack.callback(first.close)
        if story == "delayed":
            first.fail_next(500)
        second = Receiver(now=_now, routing_keys={SECOND_KEY})
        routes = [
            Mount("/first", app=pagerduty_app(first)),
            Mount("/second", app=pagerduty_app(second)),
        ]
        listening = PagerDutyWebhook(inbox, SECRET, verify_signature, lambda _: None)
        swap.app = Listener({"/webhooks/pagerduty": listening}, pages(routes, Starlette()))
        log = Path(stack.enter_context(TemporaryDirectory())) / "boundaries"
        yield Play(Stage(url, f"{here}/first", f"{here}/second", log), first, second)


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("story", STORIES)
def test_the_boundaries_are_all_that_there_are(databases: Databases, story: str) -> None:
    with staged(databases, story) as play:
        assert play.tell(story, None) == 0
        named = {name for names in BOUNDARIES.values() for name in names}
        assert play.reached() <= named
        assert set(BOUNDARIES[story]) <= play.reached()
        check_one_page(play, story)


def test_killed_at_each_of_them(databases: Databases) -> None:
    with ThreadPoolExecutor(TOGETHER) as pool:
        problems = pool.map(lambda case: killed(databases, *case), CASES)
        assert [problem for problem in problems if problem] == []


TELLINGS = 3
"""Times that a story is told anew that went by its boundary: which of two lookers-on takes an
answer first is up to them, so not every telling comes by every record."""

NOT_REACHED = "it was not killed"


def killed(databases: Databases, story: str, boundary: Boundary) -> str:
    """As `killed_once`, told anew where the story went by the boundary."""
    for _ in range(TELLINGS):
        problem = killed_once(databases, story, boundary)
        if NOT_REACHED not in problem:
            break
    return problem


def killed_once(databases: Databases, story: str, boundary: Boundary) -> str:
    """Kill a process there, let another one go on; what is wrong then, or empty."""
    with staged(databases, story) as play:
        try:
            assert play.tell(story, boundary) == -signal.SIGKILL, NOT_REACHED
            assert play.tell(story, None) == 0, "the story did not end"
            check_one_page(play, story)
        except AssertionError as problem:
            return f"killed {boundary}: {problem}"
    return ""


def check_one_page(play: Play, story: str) -> None:
    """One page, which has ended; nothing was triggered after its resolution."""
    receiver, other = play.first, play.second
    if story == "refused":
        receiver, other = other, receiver
    assert [one.status for one in receiver.incidents()] == ["resolved"]
    assert other.incidents() == []
    told = [one.body["event_action"] for one in receiver.ledger]
    assert "trigger" not in told[told.index("resolve") :]
