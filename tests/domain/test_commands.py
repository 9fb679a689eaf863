from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.classify import Severity
from bot.domain.commands import COMMANDS, SHORT_FORMS, USAGE, parse, usage
from bot.domain.declaration import Declaration
from bot.domain.errors import InvalidInput
from bot.domain.incident import Command
from bot.domain.requests import (
    ActOnIncident,
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

WORKLOAD = "payments/checkout"


@pytest.mark.parametrize(
    ("command", "text", "request_"),
    [
        ("/incident", "", Help("/incident")),
        ("/incident", "help", Help("/incident")),
        ("/incident", "list", ListIncidents()),
        ("/incident", "ls", ListIncidents()),
        ("/incident", "list all", ListIncidents(everything=True)),
        ("/incident", "show 12", ShowIncident(12)),
        ("/incident", "show INC-12", ShowIncident(12)),
        ("/incident", "show #12", ShowIncident(12)),
        ("/incident", "ack 12", ActOnIncident(12, Command.ACKNOWLEDGE)),
        ("/incident", "  ACK   inc-12 ", ActOnIncident(12, Command.ACKNOWLEDGE)),
        ("/incident", "acknowledge 12", ActOnIncident(12, Command.ACKNOWLEDGE)),
        ("/incident", "unack 12", ActOnIncident(12, Command.UNACKNOWLEDGE)),
        ("/incident", "mitigate 12", ActOnIncident(12, Command.MITIGATE)),
        ("/incident", "resolve 12", ActOnIncident(12, Command.RESOLVE)),
        ("/incident", "reopen 12", ActOnIncident(12, Command.REOPEN)),
        ("/incident", "close 12", ActOnIncident(12, Command.CLOSE)),
        ("/incident", "note 12 It's the  database", AddNote(12, "It's the  database")),
        ("/incident", "note 12\nfirst line\nsecond", AddNote(12, "first line\nsecond")),
        ("/incident", "note 12", AddNote(12, "")),
        ("/incident", "follow-up INC-12 Add an index.", AddFollowUp(12, "Add an index.")),
        ("/incident", "followup 12 Add an index.", AddFollowUp(12, "Add an index.")),
        ("/incident", "done 12 2", MarkFollowUp(12, 2, done=True)),
        ("/incident", "undone 12 #2", MarkFollowUp(12, 2, done=False)),
        ("/incident", "tickets", ListTickets()),
        ("/incident", "timeline 12", ShowTimeline(12)),
        ("/incident", "why INC-12", ExplainIncident(12)),
        (
            "/incident",
            "severity 12 p2  It’s only “staging”",
            OverrideSeverity(12, Severity.P2, "It’s only “staging”"),
        ),
        ("/incident", "severity 12 P0", OverrideSeverity(12, Severity.P0, "")),
        (
            "/incident",
            "declare P1 Checkout is down",
            DeclareIncident(Declaration(Severity.P1, "Checkout is down")),
        ),
        (
            "/incident",
            "Declare p0: It’s  all\ndown Service=checkout",
            DeclareIncident(Declaration(Severity.P0, "It’s all down", "checkout")),
        ),
        (
            "/incident",
            "declare P2 service=“card payments” Slow",
            DeclareIncident(Declaration(Severity.P2, "Slow", "card payments")),
        ),
        ("/incident", "silence 12 2h", SilenceIncident(12, timedelta(hours=2), "")),
        (
            "/incident",
            "silence 12 90m Don't panic ",
            SilenceIncident(12, timedelta(minutes=90), "Don't panic"),
        ),
        ("/maintenance", "", Help("/maintenance")),
        ("/maintenance", "list", ListWindows()),
        ("/maintenance", "LIST All", ListWindows(everything=True)),
        ("/maintenance", "show MW-3", ShowWindow(3)),
        ("/maintenance", "end #3", EndWindow(3)),
        ("/incident", "timeline\u00a012", ShowTimeline(12)),
        ("/runbook", "", Help("/runbook")),
        ("/runbook", "list", ListRunbooks()),
        ("/runbook", "show restart@1.0.0", ShowRunbook("restart@1.0.0")),
        ("/runbook", f"plan restart {WORKLOAD}", PlanRunbook("restart", (WORKLOAD,))),
        ("/runbook", f"run restart {WORKLOAD}", StartRun("restart", (WORKLOAD,), now=False)),
        ("/runbook", f"run restart --yes {WORKLOAD}", StartRun("restart", (WORKLOAD,), now=True)),
        ("/runbook", "status", ShowRuns(None)),
        ("/runbook", "status run-3", ShowRuns(3)),
        ("/restart", WORKLOAD, StartRun("restart", (WORKLOAD,), now=False)),
        ("/restart", f"{WORKLOAD} —yes", StartRun("restart", (WORKLOAD,), now=True)),
        ("/restart", "", StartRun("restart", (), now=False)),
        ("/restart", "help", Help("/restart")),
        (
            "/failover",
            "a/b to=“the standby”",
            StartRun("failover", ("a/b", "to=the standby"), False),
        ),
        ("/ROLLBACK", "a/b", StartRun("rollback", ("a/b",), now=False)),
    ],
)
def test_what_is_understood(command: str, text: str, request_: Request) -> None:
    assert parse(command, text) == request_


EXAMPLES = {
    "ID": "7",
    "NUMBER": "2",
    "TEXT": "a few words",
    "TITLE": "checkout is down",
    "LEVEL": "p1",
    "DURATION": "2h",
    "TIME": "2026-12-01t22:00z",
    "MATCHER": "namespace=payments",
    "REASON": "because",
    "WORDS": "it is done",
    "NAME": "restart",
    "[PARAMETER=]VALUE": f"workload={WORKLOAD}",
    "RUN": "3",
    "@VERSION": "@1.0.0",
    "…": "soak=10s",
}


def examples_of(line: str) -> tuple[str, str]:
    """A usage line with values in the place of words: without what is optional, and with it."""
    typed = line.partition(":")[0]
    typed = typed.replace("[PARAMETER=]VALUE", EXAMPLES["[PARAMETER=]VALUE"])
    short = re.sub(r"\s?\[[^]]*\]", "", typed).replace(" …", "")
    full = typed.replace("[", "").replace("]", "")
    return _filled(short), _filled(full)


def _filled(typed: str) -> str:
    for word, value in EXAMPLES.items():
        typed = typed.replace(word, value)
    return typed


@pytest.mark.parametrize(
    ("command", "verb"), [(command, verb) for command, verbs in USAGE.items() for verb in verbs]
)
def test_every_usage_line_can_be_typed(command: str, verb: str) -> None:
    line = USAGE[command][verb]
    assert line.startswith(verb)
    assert f"{command} {line}" in usage(command)
    for typed in examples_of(line):
        assert not re.search("[A-Z…]", typed), "an example is missing"
        parse(command, typed)


@pytest.mark.parametrize(
    ("text", "service"), [("", ""), (" Checkout API ", "Checkout API"), ("helper", "helper")]
)
def test_all_that_follows_oncall_is_a_services_name(text: str, service: str) -> None:
    assert parse("/oncall", text) == ShowOnCall(service)


def test_oncall_explains_itself() -> None:
    assert parse("/oncall", " Help ") == Help("/oncall")
    assert "/oncall SERVICE: " in usage("/oncall")


@pytest.mark.parametrize("short", SHORT_FORMS)
def test_short_forms_explain_themselves(short: str) -> None:
    assert usage(f"/{short}") == f"/{short} is short for /runbook run {short}"
    assert parse(f"/{short}", WORKLOAD) == parse("/runbook", f"run {short} {WORKLOAD}")


@pytest.mark.parametrize(
    ("command", "text", "said"),
    [
        ("/incidnt", "list", "Did you mean “/incident”?"),
        ("/restrat", "a/b", "Did you mean “/restart”?"),
        ("/onkall", "", "Did you mean “/oncall”?"),
        ("/incident", "akc 12", "Did you mean “ack”?"),
        ("/incident", "resolv 12", "Did you mean “resolve”?"),
        ("/runbook", "statsu", "Did you mean “status”?"),
        ("/runbook", "plna restart", "Did you mean “plan”?"),
        ("/incident", "akc", "/incident ack ID: you have it"),
        ("/runbook", "xyzzy", "/runbook plan NAME"),
        ("/incident", "show", "The number is missing. Usage: /incident show ID"),
        ("/incident", "ack twelve", "“twelve” is not a number. Usage: /incident ack ID"),
        ("/incident", "ack 1e3", "is not a number"),
        ("/incident", "ack ١٢", "is not a number"),
        ("/incident", f"ack {'9' * 10}", "is not a number"),
        ("/runbook", "show", "Which runbook? Usage: /runbook show NAME"),
        ("/runbook", "run", "Which runbook? Usage: /runbook run NAME"),
        ("/runbook", "status x", "“x” is not a number. Usage: /runbook status [RUN]"),
        ("/restart", 'a/b "half', "A quotation mark has no partner"),
        ("/incident", "show run-3", "“run-3” is not a number"),
        ("/incident", "severity 1", "The level is missing; write P0, P1, P2 or P3. Usage: /inc"),
        ("/incident", "severity 1 high", "“high” is no level; write P0"),
        ("/incident", "severity P1 1", "“P1” is not a number. Usage: /incident severity ID"),
        ("/incident", "declare", "The level is missing; write P0, P1, P2 or P3. Usage: /inc"),
        ("/incident", "declare Checkout is down", "“Checkout” is no level; write P0"),
        ("/incident", "declare P1", "The title is missing; say in a few words what is wrong."),
        ("/incident", "declare P1 service=x", "The title is missing"),
        ("/incident", f"declare P1 {'x' * 201}", "longer than 200 characters"),
        ("/incident", "silence 1", "How long is missing; write it like 90m, 2h or 1d."),
        ("/incident", "silence 1 long", "“long” is no length of time"),
        ("/maintenance", "add", "How long is missing; write it like 90m, 2h or 1d. Usage:"),
        ("/maintenance", "add namespace=a 2h x", "“namespace=a” is no length of time"),
        ("/maintenance", "end", "The number is missing. Usage: /maintenance end ID"),
        ("/maintenance", "end INC-3", "“INC-3” is not a number"),
        ("/maintenance", "ad 2h", "Did you mean “add”?"),
        ("/maintenence", "list", "Did you mean “/maintenance”?"),
    ],
)
def test_what_is_not_understood_is_answered_with_what_would_be(
    command: str, text: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse(command, text)
    assert said in str(refusal.value)


def test_no_guess_is_made_where_nothing_is_near() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse("/incident", "xyzzy")
    assert str(refusal.value).startswith("There is no “xyzzy”.\n/incident list")


commands = st.one_of(st.sampled_from(COMMANDS), st.text(max_size=12))
verbs = st.sampled_from([verb for known in USAGE.values() for verb in known])
texts = st.one_of(st.text(), st.tuples(verbs, st.text()).map(" ".join))


@given(commands, texts)
@example("/incident", "ack " + "9" * 5_000)
@example("/incident", "x" * 10_000)
@example("/runbook", "run \\")
@example("/maintenance", "add 2h " + "x=" * 5_000)
@example("/maintenance", "add 2h " + '"' * 2_000)
def test_any_text_is_a_request_or_is_refused_in_plain_words(command: str, text: str) -> None:
    assert len(refusal_of(command, text)) < 1_500


def refusal_of(command: str, text: str) -> str:
    """Why it is refused, or nothing."""
    try:
        parse(command, text)
    except InvalidInput as refusal:
        return str(refusal)
    return ""
