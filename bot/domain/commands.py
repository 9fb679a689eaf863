"""The slash commands: words in, a request out.

A mistake raises `InvalidInput` with the nearest command that exists and its usage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bot.domain.declaration import Declaration, checked
from bot.domain.durations import length
from bot.domain.errors import InvalidInput
from bot.domain.incident import Command
from bot.domain.maintenance_command import plan_window
from bot.domain.nearest import guess
from bot.domain.requests import (
    ActOnIncident,
    ActOnRun,
    AddFollowUp,
    AddNote,
    DeclareIncident,
    EndWindow,
    ExplainIncident,
    Help,
    ListIncidents,
    ListRunbooks,
    ListTickets,
    ListWindows,
    MarkFollowUp,
    OverrideSeverity,
    PlanRunbook,
    Request,
    ShowIncident,
    ShowOnCall,
    ShowRunbook,
    ShowRuns,
    ShowTimeline,
    ShowWindow,
    SilenceIncident,
    StartRun,
)
from bot.domain.run import RunCommand
from bot.domain.typed import head, level, loose_words, number, words

USAGE: Mapping[str, Mapping[str, str]] = {
    "/incident": {
        "list": "list [all]: the open incidents, or all",
        "declare": "declare LEVEL TITLE [service=NAME]: open one by hand; P0 and P1 page at once",
        "show": "show ID: one incident, its alerts, and why it has its level",
        "why": "why ID: why this level, and why somebody or nobody was paged",
        "ack": "ack ID: you have it",
        "unack": "unack ID: give it back",
        "mitigate": "mitigate ID: the harm has stopped",
        "resolve": "resolve ID: it is over",
        "reopen": "reopen ID: it is not over",
        "close": "close ID: the review is done",
        "severity": "severity ID LEVEL REASON: set its level, P0 to P3; rules leave it alone then",
        "silence": "silence ID DURATION [REASON]: wake nobody for its alerts, for 2h or 1d",
        "note": "note ID TEXT: write something on the timeline",
        "follow-up": "follow-up ID TEXT: what is to be done so that it doesn’t come back",
        "done": "done ID NUMBER: that follow-up is done",
        "undone": "undone ID NUMBER: it is not",
        "tickets": "tickets: what is left to do, follow-ups included",
        "timeline": "timeline ID: the story so far",
        "help": "help: this list",
    },
    "/maintenance": {
        "add": "add DURATION [from=TIME] MATCHER … REASON: wake nobody for these alerts, such as "
        'add 2h from=2026-12-01T22:00Z namespace=payments service=~"api|web" Database upgrade; '
        "in=30m begins it later, and times are UTC",
        "list": "list [all]: the windows that are active or planned, or all",
        "show": "show ID: one window, and each incident that it hid",
        "end": "end ID: end it now, or call it off",
        "help": "help: this list",
    },
    "/runbook": {
        "list": "list: the runbooks",
        "show": "show NAME[@VERSION]: parameters and steps",
        "plan": "plan NAME [PARAMETER=]VALUE …: what it would do; changes nothing",
        "run": "run NAME [PARAMETER=]VALUE … [--yes]: plan it, and run it once approved",
        "approve": "approve RUN: let somebody else’s plan run, or start one that needs no approval",
        "cancel": "cancel RUN: call it off before it begins",
        "pause": "pause RUN: finish the step under way, begin no other",
        "resume": "resume RUN: go on after a pause",
        "abort": "abort RUN [REASON]: stop at the next safe point, and undo what it changed",
        "stop": "stop RUN [REASON]: the same, but leave what it changed",
        "done": "done RUN [WORDS]: the step that waits for people is done",
        "failed": "failed RUN WORDS: the step that waits for people can’t be done",
        "override": "override RUN REASON: in a P0, run without the approvals that it lacks",
        "status": "status [RUN]: one run, or the newest",
        "help": "help: this list",
    },
}
SHORT_FORMS = ("restart", "failover", "rollback")
"""Runbooks with a slash command of their own: ``/restart …`` is ``/runbook run restart …``."""

ON_CALL = "/oncall"
"""The command that has no verbs but ``help``: what follows it is a service's name."""

COMMANDS = (*USAGE, ON_CALL, *(f"/{short}" for short in SHORT_FORMS))
"""All slash commands."""

YES = "--yes"
"""The word that approves the plan in advance, unless a precondition fails."""

_ACTIONS = {
    "ack": Command.ACKNOWLEDGE,
    "unack": Command.UNACKNOWLEDGE,
    "mitigate": Command.MITIGATE,
    "resolve": Command.RESOLVE,
    "reopen": Command.REOPEN,
    "close": Command.CLOSE,
}
_SYNONYMS = {
    "acknowledge": "ack",
    "unacknowledge": "unack",
    "followup": "follow-up",
    "ls": "list",
    "": "help",
}


def parse(command: str, text: str) -> Request:
    """The request that a slash command makes; `text` is what follows the command."""
    name = command.strip().lower()
    word, rest = head(text)
    verb = _SYNONYMS.get(word.lower(), word.lower())
    if name.lstrip("/") in SHORT_FORMS:
        return Help(name) if word == "help" else _run((name.lstrip("/"), *words(text)))
    if name == ON_CALL:
        return Help(name) if text.strip().lower() == "help" else ShowOnCall(text.strip())
    if name not in USAGE:
        raise InvalidInput(_unknown(name, COMMANDS))
    if verb not in USAGE[name]:
        raise InvalidInput(f"{_unknown(verb, list(USAGE[name]))}\n{usage(name)}")
    if verb == "help":
        return Help(name)
    try:
        return _PARSERS[name](verb, rest)
    except InvalidInput as error:
        raise InvalidInput(f"{error} Usage: {name} {USAGE[name][verb]}") from error


def usage(command: str) -> str:
    """All that the command can do, a line each."""
    if command.lstrip("/") in SHORT_FORMS:
        return f"{command} is short for /runbook run {command.lstrip('/')}"
    if command == ON_CALL:
        return (
            f"{ON_CALL}: who is on call now for the service that Tocsin pages\n"
            f"{ON_CALL} SERVICE: who is on call now for that service of PagerDuty\n"
            f"{ON_CALL} help: this list"
        )
    return "\n".join(f"{command} {line}" for line in USAGE[command].values())


def _unknown(word: str, known: Sequence[str]) -> str:
    return f"There is no “{word[:60]}”.{guess(word, known)}"


def _all(rest: str) -> bool:
    return rest.strip().lower() == "all"


def _incident(verb: str, rest: str) -> Request:
    if verb == "list":
        return ListIncidents(everything=_all(rest))
    if verb == "tickets":
        return ListTickets()
    if verb == "declare":
        return DeclareIncident(_declaration(rest))
    word, text = head(rest)
    incident_id = number(word, "inc-")
    if verb in _ACTIONS:
        return ActOnIncident(incident_id, _ACTIONS[verb])
    return _ABOUT_INCIDENT[verb](incident_id, text)


_SERVICE = "service="
"""How the word begins that names the service; all others of a declaration are its title."""


def _declaration(text: str) -> Declaration:
    word, rest = head(text)
    others = loose_words(rest)
    services = [one for one in others if one.lower().startswith(_SERVICE)]
    title = " ".join(one for one in others if one not in services)
    named = services[-1][len(_SERVICE) :].strip('"') if services else ""
    return checked(Declaration(level(word.rstrip(":,")), title, named))


def _override(incident_id: int, text: str) -> Request:
    word, reason = head(text)
    return OverrideSeverity(incident_id, level(word), reason.strip())


def _silence(incident_id: int, text: str) -> Request:
    word, reason = head(text)
    return SilenceIncident(incident_id, length(word), reason.strip())


def _marked(incident_id: int, text: str, *, done: bool) -> Request:
    return MarkFollowUp(incident_id, number(head(text)[0], "follow-up-"), done)


_ABOUT_INCIDENT: Mapping[str, Callable[[int, str], Request]] = {
    "show": lambda incident_id, _: ShowIncident(incident_id),
    "why": lambda incident_id, _: ExplainIncident(incident_id),
    "timeline": lambda incident_id, _: ShowTimeline(incident_id),
    "note": lambda incident_id, text: AddNote(incident_id, text.strip()),
    "follow-up": lambda incident_id, text: AddFollowUp(incident_id, text.strip()),
    "done": partial(_marked, done=True),
    "undone": partial(_marked, done=False),
    "severity": _override,
    "silence": _silence,
}


def _maintenance(verb: str, rest: str) -> Request:
    if verb == "add":
        return plan_window(loose_words(rest))
    if verb == "list":
        return ListWindows(everything=_all(rest))
    window_id = number(head(rest)[0], "mw-")
    return ShowWindow(window_id) if verb == "show" else EndWindow(window_id)


def _runbook(verb: str, rest: str) -> Request:
    given = words(rest)
    if verb == "list":
        return ListRunbooks()
    if verb == "status":
        return ShowRuns(number(given[0], "run-") if given else None)
    if verb in set(RunCommand):
        return _act_on_run(RunCommand(verb), rest)
    if not given:
        raise InvalidInput("Which runbook?")
    if verb == "show":
        return ShowRunbook(given[0])
    if verb == "plan":
        return PlanRunbook(given[0], given[1:])
    return _run(given)


def _act_on_run(command: RunCommand, rest: str) -> ActOnRun:
    run, text = head(rest)
    return ActOnRun(number(run, "run-"), command, text.strip())


def _run(given: tuple[str, ...]) -> StartRun:
    others = tuple(word for word in given[1:] if word != YES)
    return StartRun(given[0], others, now=YES in given[1:])


_PARSERS: Mapping[str, Callable[[str, str], Request]] = {
    "/incident": _incident,
    "/maintenance": _maintenance,
    "/runbook": _runbook,
}
