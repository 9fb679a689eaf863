"""The worker: works in the inbox, and does the effects.

Whatever goes wrong in an effect, it is not lost: an error that nobody foresaw is
logged, and the same effect is asked for again, later.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

import structlog

from bot.app.announcements import Announcements
from bot.app.attendance import Attendance
from bot.app.chat_delivery import ChatDelivery
from bot.app.intake import Intake
from bot.app.invitations import Invitations
from bot.app.maintenance import WindowReview
from bot.app.oncall import OnCallAnswers
from bot.app.page_delivery import PageDelivery
from bot.app.pager_amendments import PagerAmendments
from bot.app.pager_matching import PagerMatching
from bot.app.picture_delivery import PictureDelivery
from bot.app.plan_answers import PlanAnswers
from bot.app.retry import ask_again
from bot.app.runner import Runner
from bot.app.runs import Runs
from bot.app.suggestions import Suggestions
from bot.app.ticket_delivery import TicketDelivery
from bot.app.upkeep import Upkeep
from bot.domain.effects import (
    AdvanceRun,
    Announce,
    AnswerOnCall,
    AnswerPlan,
    Attend,
    Effect,
    ExpireRun,
    InviteOnCall,
    MatchPagerEvent,
    ReviewSeverity,
    ReviewWindow,
    RunSuggested,
    SendAnswer,
    SettleIncident,
    SetUrgency,
    SharePictures,
    UpdateMessage,
    UpdatePage,
    UpdateSilence,
    UpdateTicket,
    WriteNote,
)
from bot.domain.errors import PermanentError, TemporaryError
from bot.ports import Store

IDLE = 0.25
"""Seconds between two looks into the inbox when nobody said that there is something."""

BREATH = 0.025
"""Seconds after a batch behind which nothing waited: the first alert is worked in at once,
and those that follow share commits, whose fsyncs compete with the inbox's own."""

UNFORESEEN_PAUSE = 1.0
"""Seconds before work goes on after an error that nobody foresaw."""

_Told = (
    UpdateMessage | SendAnswer | AnswerPlan | AnswerOnCall | Announce | SharePictures | InviteOnCall
)
_Upkeep = (
    SettleIncident
    | ReviewSeverity
    | ReviewWindow
    | UpdateSilence
    | MatchPagerEvent
    | SetUrgency
    | WriteNote
    | UpdateTicket
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class UseCases:
    """The use cases that do effects."""

    pages: PageDelivery
    attendance: Attendance
    chat: ChatDelivery
    plans: PlanAnswers
    runs: Runs
    upkeep: Upkeep
    windows: WindowReview
    on_call: OnCallAnswers
    invitations: Invitations
    matching: PagerMatching
    amendments: PagerAmendments
    tickets: TicketDelivery
    announcements: Announcements
    pictures: PictureDelivery
    suggestions: Suggestions


class EffectWorker:
    """Does effects, one call each; knows which use case does which."""

    def __init__(
        self, store: Store, use_cases: UseCases, took: Callable[[str, str, float], None]
    ) -> None:
        self._store = store
        self._use_cases = use_cases
        self._took = took

    def perform(self, effect: Effect) -> None:
        """Do the effect; never raises, and never forgets."""
        kind = type(effect).__name__
        begun = time.monotonic()
        try:
            self._do(effect)
        except PermanentError as error:
            # Pages and messages write their refusals down themselves; this is an answer.
            _log.error("effect refused", effect=kind, reason=str(error))
            self._took(kind, "refused", time.monotonic() - begun)
        except Exception:
            _log.exception("effect failed", effect=kind)
            self._took(kind, "failed", time.monotonic() - begun)
            self._ask_again(effect)
        else:
            self._took(kind, "done", time.monotonic() - begun)

    def _do(self, effect: Effect) -> None:
        does = self._use_cases
        match effect:
            case UpdatePage():
                does.pages.update(effect)
            case Attend():
                does.attendance.attend(effect)
            case ExpireRun(run_id):
                does.runs.expire(run_id)
            case RunSuggested():
                does.suggestions.run(effect)
            case AdvanceRun():
                raise AssertionError("runs are advanced by their own workflow")
            case (
                UpdateMessage()
                | SendAnswer()
                | AnswerPlan()
                | AnswerOnCall()
                | Announce()
                | SharePictures()
                | InviteOnCall()
            ):
                self._tell(effect)
            case _:
                self._tend(effect)

    def _tell(self, effect: _Told) -> None:
        does = self._use_cases
        match effect:
            case UpdateMessage():
                does.chat.update(effect)
            case SendAnswer():
                does.chat.answer(effect)
            case AnswerPlan():
                does.plans.answer(effect)
            case AnswerOnCall():
                does.on_call.answer(effect)
            case Announce():
                does.announcements.announce(effect)
            case SharePictures():
                does.pictures.share(effect)
            case InviteOnCall():
                does.invitations.invite(effect)

    def _tend(self, effect: _Upkeep) -> None:
        does = self._use_cases
        match effect:
            case SettleIncident():
                does.upkeep.settle(effect)
            case ReviewSeverity():
                does.upkeep.review_severity(effect)
            case ReviewWindow():
                does.windows.review(effect)
            case UpdateSilence():
                does.windows.update_silence(effect)
            case MatchPagerEvent():
                does.matching.match(effect)
            case SetUrgency():
                does.amendments.set_urgency(effect)
            case WriteNote():
                does.amendments.write_note(effect)
            case UpdateTicket():
                does.tickets.update(effect)

    def _ask_again(self, effect: Effect) -> None:
        """Enqueue the same effect for later; a database that is away is waited for."""
        while True:
            try:
                with self._store.transaction() as tx:
                    tx.begin(effect)
                    ask_again(tx, effect, None, random.random())  # noqa: S311
                return
            except TemporaryError:
                _log.exception("effect could not be put back")
                time.sleep(UNFORESEEN_PAUSE)


class RunWorker:
    """Advances runs; an error that nobody foresaw ends the run as uncertain."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def advance(self, run_id: int) -> bool:
        """Do the run's next action; returns whether there is more to do."""
        try:
            return self._runner.advance(run_id)
        except TemporaryError:
            _log.exception("the run's record could not be reached", run=run_id)
            time.sleep(UNFORESEEN_PAUSE)
            return True
        except Exception as error:
            _log.exception("the runner failed", run=run_id)
            return self._abandon(run_id, repr(error))

    def _abandon(self, run_id: int, problem: str) -> bool:
        """End the run; a record that can't be reached now is tried again with the next action."""
        try:
            self._runner.abandon(run_id, problem)
        except TemporaryError:
            _log.exception("the run's end could not be written down", run=run_id)
            time.sleep(UNFORESEEN_PAUSE)
            return True
        return False


class IntakeLoop:
    """Works in the inbox whenever there is something in it."""

    def __init__(self, intake: Intake, wait: Callable[[float], None]) -> None:
        self._intake = intake
        self._wait = wait
        self._stopping = Event()

    def run(self) -> None:
        """Go on until `stop`; errors are logged and waited out, rows stay in the inbox."""
        while not self._stopping.is_set():
            try:
                worked_in = self._intake.drain()
                if worked_in == 0:
                    self._wait(IDLE)
                elif not self._intake.more_waits:
                    self._stopping.wait(BREATH)
            except Exception:
                _log.exception("intake failed")
                self._stopping.wait(UNFORESEEN_PAUSE)

    def stop(self) -> None:
        """Finish the batch under way, then return from `run`."""
        self._stopping.set()
