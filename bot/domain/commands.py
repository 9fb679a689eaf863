"""The slash commands: words in, a request out. What they do is `app/answers.py`'s.

A mistake raises `InvalidInput` with the nearest command that exists and its usage.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.errors import InvalidInput
from bot.domain.incident import Command
from bot.domain.nearest import guess


@dataclass(frozen=True, slots=True)
class ListIncidents:
    """The open incidents, or all of them."""

    everything: bool = False


@dataclass(frozen=True, slots=True)
class ShowIncident:
    """One incident, with its alerts and why it has its level."""

    incident_id: int


@dataclass(frozen=True, slots=True)
class ActOnIncident:
    """Acknowledge, resolve and the like."""

    incident_id: int
    command: Command


@dataclass(frozen=True, slots=True)
class AddNote:
    """Write something on the timeline."""

    incident_id: int
    text: str


@dataclass(frozen=True, slots=True)
class ShowTimeline:
    """The story of an incident."""

    incident_id: int


@dataclass(frozen=True, slots=True)
class Help:
    """What there is; `command` is the slash command it was asked of."""

    command: str


@dataclass(frozen=True, slots=True)
class ListRunbooks:
    """The runbooks."""


@dataclass(frozen=True, slots=True)
class ShowRunbook:
    """One runbook: versions, parameters, steps."""

    reference: str


@dataclass(frozen=True, slots=True)
class PlanRunbook:
    """What it would do, changing nothing."""

    reference: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StartRun:
    """Plan, then run: at once (`now`), or when somebody has approved the plan."""

    reference: str
    words: tuple[str, ...]
    now: bool


@dataclass(frozen=True, slots=True)
class ShowRuns:
    """One run, or the newest ones."""

    run_id: int | None


Request = (
    ListIncidents
    | ShowIncident
    | ActOnIncident
    | AddNote
    | ShowTimeline
    | Help
    | ListRunbooks
    | ShowRunbook
    | PlanRunbook
    | StartRun
    | ShowRuns
)

USAGE: Mapping[str, Mapping[str, str]] = {
    "/incident": {
        "list": "list [all]: the open incidents, or all",
        "show": "show ID: one incident, its alerts, and why it has its level",
        "ack": "ack ID: you have it",
        "unack": "unack ID: give it back",
        "mitigate": "mitigate ID: the harm has stopped",
        "resolve": "resolve ID: it is over",
        "reopen": "reopen ID: it is not over",
        "close": "close ID: the review is done",
        "note": "note ID TEXT: write something on the timeline",
        "timeline": "timeline ID: the story so far",
        "help": "help: this list",
    },
    "/runbook": {
        "list": "list: the runbooks",
        "show": "show NAME[@VERSION]: parameters and steps",
        "plan": "plan NAME [PARAMETER=]VALUE …: what it would do; changes nothing",
        "run": "run NAME [PARAMETER=]VALUE … [--yes]: plan it, and run it once approved",
        "status": "status [RUN]: one run, or the newest",
        "help": "help: this list",
    },
}
SHORT_FORMS = ("restart", "failover", "rollback")
"""Runbooks with a slash command of their own: ``/restart …`` is ``/runbook run restart …``."""

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
_SYNONYMS = {"acknowledge": "ack", "unacknowledge": "unack", "ls": "list", "": "help"}


def parse(command: str, text: str) -> Request:
    """The request that a slash command makes; `text` is what follows the command."""
    name = command.strip().lower()
    word, rest = _head(text)
    verb = _SYNONYMS.get(word.lower(), word.lower())
    if name.lstrip("/") in SHORT_FORMS:
        return Help(name) if word == "help" else _run((name.lstrip("/"), *_words(text)))
    if name not in USAGE:
        raise InvalidInput(_unknown(name, [*USAGE, *(f"/{short}" for short in SHORT_FORMS)]))
    if verb not in USAGE[name]:
        raise InvalidInput(f"{_unknown(verb, list(USAGE[name]))}\n{usage(name)}")
    if verb == "help":
        return Help(name)
    return _incident(verb, rest) if name == "/incident" else _runbook(verb, rest)


def usage(command: str) -> str:
    """All that the command can do, a line each."""
    if command.lstrip("/") in SHORT_FORMS:
        return f"{command} is short for /runbook run {command.lstrip('/')}"
    return "\n".join(f"{command} {line}" for line in USAGE[command].values())


def _unknown(word: str, known: Sequence[str]) -> str:
    return f"There is no “{word[:60]}”.{guess(word, known)}"


def _incident(verb: str, rest: str) -> Request:
    if verb == "list":
        return ListIncidents(everything=rest.strip().lower() == "all")
    word, text = _head(rest)
    incident_id = _id(word, "/incident", verb)
    simple: Mapping[str, Callable[[int], Request]] = {
        "show": ShowIncident,
        "timeline": ShowTimeline,
    }
    if verb == "note":
        return AddNote(incident_id, text.strip())
    if verb in simple:
        return simple[verb](incident_id)
    return ActOnIncident(incident_id, _ACTIONS[verb])


def _runbook(verb: str, rest: str) -> Request:
    words = _words(rest)
    if verb == "list":
        return ListRunbooks()
    if verb == "status":
        return ShowRuns(_id(words[0], "/runbook", verb) if words else None)
    if not words:
        raise InvalidInput(f"Which runbook? Usage: /runbook {USAGE['/runbook'][verb]}")
    if verb == "show":
        return ShowRunbook(words[0])
    if verb == "plan":
        return PlanRunbook(words[0], words[1:])
    return _run(words)


def _run(words: tuple[str, ...]) -> StartRun:
    others = tuple(word for word in words[1:] if word != YES)
    return StartRun(words[0], others, now=YES in words[1:])


def _id(word: str, command: str, verb: str) -> int:
    match = re.fullmatch(r"(?:inc-|run-|#)?([0-9]{1,9})", word.lower())
    if match is None:
        given = f"“{word[:40]}” is not a number" if word else "The number is missing"
        raise InvalidInput(f"{given}. Usage: {command} {USAGE[command][verb]}")
    return int(match[1])


def _head(text: str) -> tuple[str, str]:
    """The first word, and what follows it."""
    word, rest = [*text.split(maxsplit=1), "", ""][:2]
    return word, rest


_TYPOGRAPHY = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "—": "--"})


def _words(text: str) -> tuple[str, ...]:
    """Words as a shell splits them; phones type curly quotes and long dashes."""
    try:
        return tuple(shlex.split(text.translate(_TYPOGRAPHY)))
    except ValueError as error:
        raise InvalidInput("A quotation mark has no partner; close it or leave it out.") from error
