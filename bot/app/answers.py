"""Answers to slash commands and buttons: one request in, one message out.

Slack, the web page and whatever comes later ask here, so that they all do the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.app.incidents import Incidents
from bot.app.runs import Runs
from bot.domain import commands as asked
from bot.domain.actor import Actor
from bot.domain.commands import Request, usage
from bot.domain.effects import AnswerPlan
from bot.domain.errors import InvalidInput
from bot.domain.incident import Command
from bot.domain.incident_message import INCIDENT_ACTION, incident_line, incident_message
from bot.domain.message import Message
from bot.domain.run_message import RUN_APPROVE, RUN_CANCEL, run_line, run_message
from bot.domain.runbook import Runbook
from bot.ports import Store

SHOWN_ENTRIES = 40
"""Timeline entries in one chat message; the newest are the ones wanted at night."""

_COMMANDS = {f"{INCIDENT_ACTION}{command.value}": command for command in Command}


class Answers:
    """Does what was asked, and says what came of it."""

    def __init__(self, incidents: Incidents, runs: Runs, store: Store) -> None:
        self._incidents = incidents
        self._runs = runs
        self._store = store

    def to(self, request: Request, actor: Actor, response_url: str) -> Message:
        """The answer, for the one who asked. Raises `InvalidInput` for what can't be done.

        `response_url` is where a later answer goes, for requests that need the cluster.
        """
        match request:
            case asked.ListIncidents(everything):
                return self._list(everything)
            case asked.ShowIncident(incident_id):
                return self._show(incident_id)
            case asked.ActOnIncident(incident_id, command):
                return self.act(incident_id, command, actor)
            case asked.AddNote(incident_id, text):
                incident = self._incidents.note(incident_id, text, actor)
                return Message(headline=f"Noted on {incident.reference}.")
            case asked.ShowTimeline(incident_id):
                return self._timeline(incident_id)
            case asked.Help(command):
                return Message(headline=f"What {command} can do", preformatted=usage(command))
            case _:
                return self._runbook(request, actor, response_url)

    def press(self, action: str, value: str, actor: Actor) -> Message | None:
        """What a button does; None when there is nothing to say beyond the updated message."""
        number, _, plan_digest = value.partition(":")
        if action not in (*_COMMANDS, RUN_APPROVE, RUN_CANCEL) or not number.isdecimal():
            raise InvalidInput("This button belongs to another version of Tocsin; use the command.")
        if action == RUN_APPROVE:
            self._runs.approve(int(number), plan_digest, actor)
        elif action == RUN_CANCEL:
            self._runs.cancel(int(number), actor)
        else:
            self._incidents.command(int(number), _COMMANDS[action], actor)
        return None

    def act(self, incident_id: int, command: Command, actor: Actor) -> Message:
        """Do something to an incident."""
        incident = self._incidents.command(incident_id, command, actor)
        return Message(headline=f"{incident.reference} is {incident.state.value}: {incident.title}")

    def _list(self, everything: bool) -> Message:
        incidents = self._incidents.newest(only_open=not everything)
        which = "Incidents" if everything else "Open incidents"
        if not incidents:
            return Message(headline="No incidents." if everything else "No open incidents.")
        return Message(
            headline=f"{which}: {len(incidents)}",
            preformatted="\n".join(incident_line(incident) for incident in incidents),
        )

    def _show(self, incident_id: int) -> Message:
        incident = self._incidents.get(incident_id)
        shown = incident_message(incident)
        alerts = self._incidents.alerts(incident_id, limit=20)
        lines = [f"{known.alert.status.value}: {known.alert.summary}" for known in alerts]
        return Message(
            headline=shown.headline,
            fields=shown.fields,
            body=shown.body,
            buttons=shown.buttons,
            preformatted="\n".join(lines),
            footer=shown.footer,
        )

    def _timeline(self, incident_id: int) -> Message:
        incident, story = self._incidents.timeline(incident_id)
        shown = story[-SHOWN_ENTRIES:]
        left_out = len(story) - len(shown)
        lines = [f"{one.at:%H:%M:%S} {one.actor}: {one.text}" for one in shown]
        return Message(
            headline=f"Timeline of {incident.reference} (UTC)",
            preformatted="\n".join([f"… {left_out} earlier", *lines] if left_out else lines),
        )

    def _runbook(self, request: Request, actor: Actor, response_url: str) -> Message:
        match request:
            case asked.ListRunbooks():
                lines = [f"{one.usage}\n    {one.summary}" for one in self._runs.runbooks()]
                return Message(headline="Runbooks", preformatted="\n".join(lines))
            case asked.ShowRunbook(reference):
                return _show_runbook(*self._runs.runbook(reference))
            case asked.PlanRunbook(reference, words):
                return self._plan(reference, words, response_url)
            case asked.StartRun(reference, words, now):
                run = self._runs.request(reference, words, actor, start_when_planned=now)
                where = f", on the timeline of INC-{run.incident_id}" if run.incident_id else ""
                return Message(headline=f"Run {run.id} is being planned: {run.title}{where}")
            case asked.ShowRuns(None):
                lines = [run_line(run) for run in self._runs.newest()]
                return Message(headline="Newest runs", preformatted="\n".join(lines) or "none yet")
            case asked.ShowRuns(int() as run_id):
                return run_message(self._runs.get(run_id))
            case _:
                raise AssertionError(f"nobody answers {type(request).__name__}")

    def _plan(self, reference: str, words: tuple[str, ...], response_url: str) -> Message:
        runbook = self._runs.check(reference, words)
        with self._store.transaction() as tx:
            tx.enqueue(AnswerPlan(response_url, runbook.reference, words))
        return Message(headline=f"Planning {runbook.reference}; the plan follows here.")


def _show_runbook(runbook: Runbook, versions: Sequence[str]) -> Message:
    parameters = [
        f"{one.name} ({one.type.value}"
        + (f", default {one.default or 'none'}" if one.default is not None else "")
        + f"): {one.description}"
        for one in runbook.parameters
    ]
    steps = [
        f"{number}. {step.title}  [{step.kind}]"
        for number, step in enumerate((*runbook.steps, *runbook.verification), start=1)
    ]
    return Message(
        headline=runbook.reference,
        body=f"{runbook.summary} Risk: {runbook.risk.value}.",
        preformatted="\n".join([runbook.usage, "", *parameters, "", *steps]),
        footer=f"Versions: {', '.join(versions)} · SHA-256 {runbook.digest[:12]}",
    )
