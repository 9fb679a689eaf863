"""Domain values for tests; each is complete, and a test names only what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from bot.domain.actor import Actor, ActorKind
from bot.domain.alert import Alert, AlertStatus
from bot.domain.approval import Approval, Requirement
from bot.domain.chat_events import InvitationRefused, MessagePosted, MessageRefused, OnCallInvited
from bot.domain.classify import Classification, Severity
from bot.domain.cluster import (
    DEPLOYMENT,
    Autoscaler,
    BlastRadius,
    DisruptionBudget,
    ObjectRef,
)
from bot.domain.contact import Mention, notifier, slack
from bot.domain.escalation_policy import EscalationPolicy, default_response_times
from bot.domain.incident import Incident
from bot.domain.incident_events import (
    Absorbed,
    Acknowledged,
    AlertsChanged,
    AlertsTakenOver,
    ClockPutBack,
    Closed,
    IncidentEvent,
    IncidentOpened,
    Mitigated,
    NoteAdded,
    Quieted,
    Reopened,
    Resolved,
    RunbooksSuggested,
    SeverityOverridden,
    SeverityRaised,
    SilenceCreated,
    SilenceRefused,
    Suppressed,
    Unacknowledged,
    Unsuppressed,
)
from bot.domain.oncall import PagerActionKind
from bot.domain.page import PagerEvent
from bot.domain.page_events import (
    DoneAtPager,
    Escalated,
    EscalationPlanned,
    FallbackUsed,
    PageAction,
    PageConfirmed,
    PageDelayed,
    PageRefused,
    PageSent,
    PageShrunk,
    ResponseOverdue,
    SecondPageClosed,
    StillOnItAsked,
)
from bot.domain.parameter import Parameter, ParameterType
from bot.domain.plan import Plan, Question, StepOutcome, StepPlan, Target, make_plan
from bot.domain.run import Run, StepState, blank_records
from bot.domain.run_events import (
    CompensationStarted,
    RunAborted,
    RunApproved,
    RunCancelled,
    RunDelayed,
    RunEvent,
    RunExpired,
    RunFinished,
    RunOverridden,
    RunPaused,
    RunPlanned,
    RunRefused,
    RunRequested,
    RunResumed,
    RunSettled,
    RunStarted,
    RunState,
    StepAnswered,
    StepApproved,
    StepAsked,
    StepFailed,
    StepFinished,
    StepProgressed,
    StepStarted,
    UndoFailed,
    UndoFinished,
    UndoStarted,
    VerificationStarted,
)
from bot.domain.runbook import Risk, Runbook, Step
from bot.domain.suggestion import Suggestion
from bot.domain.ticket import TicketAction, TicketRef
from bot.domain.ticket_events import (
    FollowUpAdded,
    FollowUpDone,
    FollowUpReopened,
    TicketDelayed,
    TicketOpened,
    TicketRefused,
    TicketTold,
)
from bot.domain.timeline import Event

NOW = datetime(2026, 3, 1, 3, 0, 0, 123456, tzinfo=UTC)
ANA = Actor(ActorKind.PERSON, "U00000ANA", "ana")
BEN = Actor(ActorKind.PERSON, "U00000BEN", "ben")
CHEN = Actor(ActorKind.PERSON, "U0000CHEN", "chen")
PAGER_EVENT = PagerEvent(
    event_id="E1",
    event_type="incident.acknowledged",
    occurred_at=NOW,
    dedup_key="key",
    actor_name="Dana Doe",
    actor_id="PDANA",
    incident_id="Q1",
)
PAGERDUTY = Actor(ActorKind.PAGERDUTY, "PABC123", "Dana On-Call")


def classification(level: Severity = Severity.P1) -> Classification:
    return Classification(level, f"rule-{level}", f"It is {level}.", "digest")


def incident(level: Severity = Severity.P1, **changes: Any) -> Incident:
    """A triggered incident of that level; nobody has been paged yet."""
    plain = Incident(
        id=7,
        group_key="cluster=c1,namespace=payments,service=checkout,alertname=HighErrorRate",
        title="HighErrorRate: checkout in payments (c1)",
        summary="Errors above 5 %",
        classification=classification(level),
        dedup_key="tocsin-0123456789abcdef",
        opened_at=NOW,
        firing=1,
    )
    return replace(plain, **changes)


def alert(
    status: AlertStatus = AlertStatus.FIRING, fingerprint: str = "f1", **changes: Any
) -> Alert:
    plain = Alert(
        fingerprint=fingerprint,
        status=status,
        labels={"alertname": "HighErrorRate", "namespace": "payments", "service": "checkout"},
        annotations={"summary": "Errors above 5 %"},
        starts_at=NOW,
    )
    return replace(plain, **changes)


def change(*, fired: int = 0, resolved: int = 0, firing: int = 0, unseen: int = 0) -> AlertsChanged:
    """A change of that many alerts."""
    return AlertsChanged(
        fired=("an alert",) * min(fired, 5),
        fired_count=fired,
        resolved=("an alert",) * min(resolved, 5),
        resolved_count=resolved,
        firing=firing,
        unseen=unseen,
    )


CHECKOUT = ObjectRef(DEPLOYMENT, "payments", "checkout")
BLAST_RADIUS = BlastRadius(
    pods=3,
    ready=2,
    services=("checkout",),
    budgets=(DisruptionBudget("checkout", 1),),
    autoscalers=(Autoscaler("checkout", 3, 10),),
    unknown=("no policy API",),
)


def step(step_id: str) -> Step:
    return Step(step_id, "test.step", f"Do {step_id}", {"workload": "${parameters.workload}"})


def runbook(
    steps: tuple[str, ...] = ("look", "change", "wait"), verification: tuple[str, ...] = ("verify",)
) -> Runbook:
    return Runbook(
        name="restart",
        version="1.0.0",
        summary="Restart it.",
        risk=Risk.LOW,
        parameters=(
            Parameter("workload", ParameterType.WORKLOAD, "What to restart."),
            Parameter("soak", ParameterType.DURATION, "How long.", default="30s"),
        ),
        steps=tuple(map(step, steps)),
        verification=tuple(map(step, verification)),
        text="name: restart\n",
        digest="d" * 64,
    )


def plan_of(book: Runbook, reversible: tuple[str, ...] = ()) -> Plan:
    """A plan in which the steps named can be put back."""
    steps = {
        each.id: StepPlan(
            f"{each.title}.",
            changes=("+ annotation",) if each.id in ("change", *reversible) else (),
            targets=(Target(CHECKOUT, "uid-1", "spec-1"),) if each.id == "change" else (),
            blast_radius=BLAST_RADIUS if each.id == "change" else None,
            decided={"revision": "2"} if each.id == "change" else {},
            reversible=each.id in reversible,
        )
        for each in (*book.steps, *book.verification)
    }
    return make_plan(book.digest, {"workload": "payments/checkout"}, steps)


NO_NEEDS = Requirement("nothing needs approval", {}, timedelta(hours=1))


def run(state: RunState = RunState.PLANNING, **changes: Any) -> Run:
    """A run in that state, with a plan, which needs no approval, from when there is one."""
    book = changes.pop("runbook", runbook())
    plain = Run(
        id=3,
        runbook=book,
        parameters={"workload": "payments/checkout", "soak": "30s"},
        requested_by=ANA,
        requested_at=NOW,
        incident_id=7,
        state=state,
        plan=None if state is RunState.PLANNING else plan_of(book),
        requirement=None if state is RunState.PLANNING else NO_NEEDS,
        steps=blank_records(book),
    )
    return replace(plain, **changes)


def approval(name: str, *kinds: str) -> Approval:
    """An approval by ana, ben or chen, given now."""
    (actor,) = (one for one in (ANA, BEN, CHEN) if one.name == name)
    return Approval(actor, kinds, NOW)


def asking(question: Question, **changes: Any) -> Run:
    """A run that waits for an answer to its step ``change``, which has just asked."""
    book = runbook()
    plan = plan_of(book)
    steps = {**plan.steps, "change": replace(plan.steps["change"], asks=question)}
    records = tuple(
        replace(one, state=StepState.ASKED, started_at=NOW) if one.id == "change" else one
        for one in blank_records(book)
    )
    plain = run(
        RunState.WAITING,
        plan=replace(plan, steps=steps),
        steps=records,
        paused_in=RunState.RUNNING,
    )
    return replace(plain, **changes)


TICKET = TicketRef("memory", "1", "memory#1", "https://memory.example/1")
_OUTCOME = StepOutcome("It is done.", {"revision": "2"})

INCIDENT_EVENTS: tuple[IncidentEvent, ...] = (
    IncidentOpened("group", "Title", "Summary", classification(), "key"),
    change(fired=7, resolved=1, firing=6, unseen=2),
    SeverityRaised(Severity.P2, classification(Severity.P0)),
    SeverityOverridden(Severity.P1, Severity.P2, "Only one customer."),
    Suppressed(3, "Moving the database."),
    Unsuppressed("The window is over."),
    Quieted(NOW),
    Absorbed(5, "NodeDown: n1"),
    AlertsTakenOver(8, "PodCrashLooping: api", 4),
    SilenceCreated("a-b-c", NOW),
    SilenceRefused("It is read-only."),
    RunbooksSuggested((Suggestion("rule", "restart", {"workload": "payments/checkout"}),)),
    Acknowledged(),
    Unacknowledged(),
    Mitigated(),
    Resolved("All its alerts are resolved."),
    Reopened("Its alerts are firing again."),
    Closed(),
    NoteAdded("Looking at the database."),
    ClockPutBack(timedelta(minutes=10)),
    FollowUpAdded(1, "Alert on the slope of the disk, not on its end."),
    FollowUpDone(1),
    FollowUpReopened(1),
    TicketOpened(NOW),
    TicketTold(TicketAction.CREATE, TICKET, "digest"),
    TicketDelayed(TicketAction.UPDATE, "It timed out.", 3, 4.5),
    TicketRefused(TicketAction.CLOSE, "Bad credentials", "digest"),
    DoneAtPager(PagerActionKind.REASSIGNED, "Dana Doe"),
    PageSent(PageAction.TRIGGER, Severity.P1),
    PageConfirmed("by PagerDuty’s webhook"),
    FallbackUsed(notifier("sms"), 92.5, "It timed out."),
    EscalationPlanned(EscalationPolicy().plan({}), default_response_times()),
    Escalated(slack(Mention.CHANNEL), Severity.P0, 3),
    StillOnItAsked(),
    ResponseOverdue(Severity.P1, timedelta(hours=1)),
    SecondPageClosed(),
    PageDelayed(PageAction.TRIGGER, "It timed out.", 3, 4.5),
    PageShrunk("Event object is invalid."),
    PageRefused(PageAction.RESOLVE, "Invalid routing key"),
    MessagePosted("#incidents"),
    OnCallInvited(("Ana Lopez", "Ben Okafor")),
    InvitationRefused("Ana Lopez", "The scope is missing."),
    MessageRefused("channel_not_found"),
)
"""One of every type, in the order of `IncidentEvent`."""

RUN_EVENTS: tuple[RunEvent, ...] = (
    RunRequested("restart@1.0.0", {"workload": "payments/checkout", "health_url": ""}),
    RunPlanned(plan_of(runbook(), ("change",))),
    RunDelayed("API server away"),
    RunRefused(("It is paused.", "It is gone.")),
    RunApproved("digest", ("approver",)),
    RunOverridden("Nobody else is awake.", {"approver": 1}),
    RunExpired(),
    RunCancelled(),
    RunPaused(),
    RunResumed(),
    RunAborted("by Ana: the wrong cluster", undo=True),
    RunStarted(),
    StepStarted("change"),
    StepAsked("change", "Is the partner told?", {"operations": 1}, timedelta(hours=4)),
    StepApproved("change", ("operations",)),
    StepAnswered("change", done=False, words="They don’t answer."),
    StepProgressed("change", "1 of 3 pods updated"),
    StepFinished("change", _OUTCOME, observed=True),
    StepFailed("change", "It is stuck."),
    UndoStarted("change"),
    UndoFinished("change", _OUTCOME),
    UndoFailed("change", "It was changed since."),
    VerificationStarted(),
    CompensationStarted("A step failed."),
    RunFinished(RunState.SUCCEEDED, "Done and verified."),
    RunSettled(done=True, words="The pods are all new."),
)
"""One of every type, in the order of `RunEvent`."""

EVENTS: Mapping[type[Event], Event] = {
    type(event): event for event in (*INCIDENT_EVENTS, *RUN_EVENTS)
}
assert list(EVENTS) == list(get_args(Event)), "an event type has no example, or two"
