"""The documents of the JSON API: what it shows of the domain's values, and under which names."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from bot.domain.approval import Requirement
from bot.domain.dedup import KnownAlert
from bot.domain.follow_up import FollowUp
from bot.domain.incident import Incident
from bot.domain.plan import Estimate, Plan, StepOutcome
from bot.domain.run import Run
from bot.domain.ticket import TicketState
from bot.domain.timeline import Entry


class TicketOut(BaseModel):
    """A ticket in a tracker: `place` is the tracker and the project, `url` null where it has none.

    `refused` says why the tracker would not take what it was told last, and is else empty.
    """

    place: str | None
    key: str | None
    name: str | None
    url: str | None
    open: bool
    refused: str

    @classmethod
    def of(cls, ticket: TicketState) -> TicketOut:
        """From the domain's value."""
        ref = ticket.ref
        return cls(
            place=ref.place if ref else None,
            key=ref.key if ref else None,
            name=ref.name if ref else None,
            url=(ref.url or None) if ref else None,
            open=ref is not None and ticket.open,
            refused=ticket.refused,
        )


class FollowUpOut(BaseModel):
    """What is to be done after an incident; `ticket` is null while it is on Tocsin's list only."""

    number: int
    text: str
    by: str
    at: datetime
    done: bool
    ticket: TicketOut | None

    @classmethod
    def of(cls, one: FollowUp) -> FollowUpOut:
        """From the domain's value."""
        return cls(
            number=one.number,
            text=one.text,
            by=one.by,
            at=one.at,
            done=one.done,
            ticket=TicketOut.of(one.ticket) if one.ticket else None,
        )


class IncidentOut(BaseModel):
    """An incident. Times are UTC; `page` is what the pager was told last.

    `ticket` is null while it is on Tocsin's own list only.
    """

    id: int
    reference: str
    title: str
    summary: str
    severity: str
    state: str
    rule: str
    reason: str
    policy_digest: str
    firing: int
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    ticket_due_at: datetime | None
    ticket: TicketOut | None
    follow_ups: list[FollowUpOut]
    dedup_key: str
    page: str | None

    @classmethod
    def of(cls, incident: Incident) -> IncidentOut:
        """From the domain's value."""
        by = incident.acknowledged_by
        return cls(
            id=incident.id,
            reference=incident.reference,
            title=incident.title,
            summary=incident.summary,
            severity=incident.severity.value,
            state=incident.state.value,
            rule=incident.classification.rule,
            reason=incident.classification.reason,
            policy_digest=incident.classification.policy_digest,
            firing=incident.firing,
            opened_at=incident.opened_at,
            acknowledged_at=incident.acknowledged_at,
            acknowledged_by=by.name if by else None,
            resolved_at=incident.resolved_at,
            ticket_due_at=incident.ticket_due_at,
            ticket=TicketOut.of(incident.ticket) if incident.ticket else None,
            follow_ups=[FollowUpOut.of(one) for one in incident.follow_ups],
            dedup_key=incident.dedup_key,
            page=incident.page.action.value if incident.page else None,
        )


class EntryOut(BaseModel):
    """One line of a timeline."""

    at: datetime
    kind: str
    actor: str
    text: str
    run_id: int | None

    @classmethod
    def of(cls, entry: Entry) -> EntryOut:
        """From the domain's value."""
        return cls(
            at=entry.at, kind=entry.kind, actor=entry.actor, text=entry.text, run_id=entry.run_id
        )


class AlertOut(BaseModel):
    """The last that is known of an alert, and the incident it belongs to."""

    fingerprint: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime
    ends_at: datetime | None
    incident_id: int | None

    @classmethod
    def of(cls, known: KnownAlert) -> AlertOut:
        """From the domain's value."""
        alert = known.alert
        return cls(
            fingerprint=alert.fingerprint,
            status=alert.status.value,
            labels=dict(alert.labels),
            annotations=dict(alert.annotations),
            starts_at=alert.starts_at,
            ends_at=alert.ends_at,
            incident_id=known.incident_id,
        )


class StepOut(BaseModel):
    """One step of a run; `attachments` are the ids of pictures, at /api/v1/attachments/ID."""

    id: str
    state: str
    title: str
    text: str
    attachments: list[int]


class ApprovalOut(BaseModel):
    """Somebody's approval of a run, with the kinds that it may count for."""

    by: str
    kinds: list[str]
    at: datetime


class EstimateOut(BaseModel):
    """How long a run will take, in seconds, as far as was known when it was planned.

    `longest` is the sum of all limits, `soak` what of it is waited in any case, `people` how long
    answers of people are waited for besides; `usual` is the median of `earlier` runs, or null.
    """

    usual: float | None
    earlier: int
    longest: float
    soak: float
    people: float

    @classmethod
    def of(cls, estimate: Estimate) -> EstimateOut:
        """From the domain's value."""
        return cls(
            usual=estimate.usual.total_seconds() if estimate.usual else None,
            earlier=estimate.earlier,
            longest=estimate.longest.total_seconds(),
            soak=estimate.soak.total_seconds(),
            people=estimate.people.total_seconds(),
        )


class RunOut(BaseModel):
    """A run of a runbook; `needs` and `missing` are approvals by kind, `deadline` their end.

    `approvers` are those who could give an approval of each kind when it was planned: people by
    their names or ids, groups, or ``*`` for everybody. `estimate` is null until it is planned.
    """

    id: int
    runbook: str
    digest: str
    parameters: dict[str, str]
    state: str
    result: str
    requested_by: str
    requested_at: datetime
    planned_at: datetime | None
    rule: str | None
    needs: dict[str, int]
    missing: dict[str, int]
    approvers: dict[str, list[str]]
    approvals: list[ApprovalOut]
    approved_by: str | None
    overridden: str
    deadline: datetime | None
    finished_at: datetime | None
    incident_id: int | None
    plan_digest: str | None
    estimate: EstimateOut | None
    steps: list[StepOut]

    @classmethod
    def of(cls, run: Run) -> RunOut:
        """From the domain's value."""
        steps = [
            StepOut(
                id=record.id,
                state=record.state.value,
                title=run.runbook.step(record.id).title,
                text=record.reason or (record.outcome.summary if record.outcome else ""),
                attachments=_attached(record.outcome),
            )
            for record in run.steps
        ]
        return cls(
            id=run.id,
            runbook=run.runbook.reference,
            digest=run.runbook.digest,
            parameters=dict(run.parameters),
            state=run.state.value,
            result=run.result,
            requested_by=run.requested_by.name,
            requested_at=run.requested_at,
            planned_at=run.planned_at,
            rule=run.requirement.rule if run.requirement else None,
            needs=dict(run.requirement.needs) if run.requirement else {},
            missing=dict(run.missing),
            approvers=_approvers(run.requirement),
            approvals=[
                ApprovalOut(by=one.by.name, kinds=list(one.kinds), at=one.at)
                for one in run.approvals
            ],
            approved_by=run.approved_by.name if run.approved_by else None,
            overridden=run.overridden,
            deadline=run.deadline,
            finished_at=run.finished_at,
            incident_id=run.incident_id,
            plan_digest=run.plan.digest if run.plan else None,
            estimate=_estimate(run.plan),
            steps=steps,
        )


def _attached(outcome: StepOutcome | None) -> list[int]:
    return [one.id for one in outcome.attachments if one.id is not None] if outcome else []


def _approvers(requirement: Requirement | None) -> dict[str, list[str]]:
    givers = requirement.givers if requirement else {}
    return {kind: list(names) for kind, names in givers.items()}


def _estimate(plan: Plan | None) -> EstimateOut | None:
    return EstimateOut.of(plan.estimate) if plan and plan.estimate else None
