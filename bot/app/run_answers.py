"""Answers to what is asked about runbooks and runs."""

from __future__ import annotations

from collections.abc import Sequence

from bot.app.runs import Runs
from bot.app.suggestions import Suggestions
from bot.domain import requests as asked
from bot.domain.actor import Actor
from bot.domain.effects import AnswerPlan
from bot.domain.excerpt import one_line
from bot.domain.message import Message
from bot.domain.requests import ActOnRun, RunbookRequest
from bot.domain.run import Run, RunCommand
from bot.domain.run_message import run_line, run_message
from bot.domain.runbook import Runbook
from bot.domain.runbook_text import cautions, described
from bot.ports import Store


class RunAnswers:
    """Plans, starts and shows runs, and says what came of it."""

    def __init__(
        self, runs: Runs, store: Store, suggestions: Suggestions, public_url: str = ""
    ) -> None:
        """`public_url` is where people reach Tocsin; empty: answers link to no page."""
        self._public_url = public_url
        self._suggestions = suggestions
        self._runs = runs
        self._store = store

    def to(self, request: RunbookRequest, actor: Actor, response_url: str) -> Message:
        """The answer; `response_url` is where one goes that needs the cluster."""
        match request:
            case asked.ListRunbooks():
                lines = [one_line(f"{it.name}: {it.summary}", 110) for it in self._runs.runbooks()]
                return Message(headline="Runbooks", preformatted="\n".join(lines))
            case asked.ShowRunbook(reference):
                return _show_runbook(*self._runs.runbook(reference))
            case asked.PlanRunbook(reference, words):
                return self._plan(reference, words, actor, response_url)
            case asked.StartRun(reference, words, now):
                run = self._runs.request(reference, words, actor, start_when_planned=now)
                return _being_planned(run)
            case asked.ShowRuns(None):
                lines = [run_line(run) for run in self._runs.newest()]
                return Message(headline="Newest runs", preformatted="\n".join(lines) or "none yet")
            case asked.ShowRuns(int() as run_id):
                return run_message(self._runs.get(run_id), self._public_url)
            case ActOnRun():
                return run_message(self._act(request, actor), self._public_url)
            case _:
                raise AssertionError(f"nobody answers {type(request).__name__}")

    def suggested(self, incident_id: int, key: str, actor: Actor) -> Message:
        """Have a suggested runbook planned, as `/runbook run` without `--yes` does."""
        return _being_planned(self._suggestions.plan(incident_id, key, actor))

    def press(self, command: RunCommand, run_id: int, shown: str, actor: Actor) -> None:
        """What a button does; it holds for the plan, or the question, that it stood under."""
        if command in (RunCommand.DONE, RunCommand.FAILED):
            self._runs.answer(run_id, actor, done=command is RunCommand.DONE, step=shown)
        elif command is RunCommand.APPROVE:
            self._runs.approve(run_id, actor, shown)
        else:
            self._act(ActOnRun(run_id, command), actor)

    def _act(self, request: ActOnRun, actor: Actor) -> Run:
        runs, run_id, words = self._runs, request.run_id, request.words
        match request.command:
            case RunCommand.APPROVE:
                return runs.approve(run_id, actor)
            case RunCommand.CANCEL:
                return runs.cancel(run_id, actor)
            case RunCommand.PAUSE:
                return runs.pause(run_id, actor)
            case RunCommand.RESUME:
                return runs.resume(run_id, actor)
            case RunCommand.ABORT | RunCommand.STOP:
                undo = request.command is RunCommand.ABORT
                return runs.abort(run_id, actor, words, undo=undo)
            case RunCommand.DONE | RunCommand.FAILED:
                return runs.answer(run_id, actor, words, done=request.command is RunCommand.DONE)
            case RunCommand.OVERRIDE:
                return runs.override(run_id, words, actor)

    def _plan(
        self, reference: str, words: tuple[str, ...], actor: Actor, response_url: str
    ) -> Message:
        runbook = self._runs.check_plan(reference, words, actor)
        with self._store.transaction() as tx:
            tx.enqueue(AnswerPlan(response_url, runbook.reference, words))
        return Message(headline=f"Planning {runbook.reference}; the plan follows here.")


def _being_planned(run: Run) -> Message:
    where = f", on the timeline of INC-{run.incident_id}" if run.incident_id else ""
    return Message(headline=f"Run {run.id} is being planned: {run.title}{where}")


def _show_runbook(runbook: Runbook, versions: Sequence[str]) -> Message:
    said = (cautions(runbook), f"{runbook.summary} Risk: {runbook.risk.value}.")
    return Message(
        headline=runbook.reference,
        body="\n".join(filter(None, said)),
        preformatted=described(runbook),
        footer=f"Versions: {', '.join(versions)} · SHA-256 {runbook.digest[:12]}",
    )
