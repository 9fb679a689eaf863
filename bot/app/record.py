"""How anything is written down: the event, the projection, and the effects that follow."""

from __future__ import annotations

from datetime import datetime

from bot.app.attachments import keep_attachments
from bot.domain import incident as incidents
from bot.domain import run_evolution as runs
from bot.domain.actor import TOCSIN, Actor
from bot.domain.effects import Effect, ExpireRun, SettleIncident, first_delay
from bot.domain.incident import Incident
from bot.domain.incident_events import IncidentEvent, IncidentOpened, Suppressed
from bot.domain.incident_evolution import evolve
from bot.domain.reactions import after_incident, after_run
from bot.domain.run import Run
from bot.domain.run_events import RunEvent, RunRequested
from bot.ports import Transaction


def open_incident(
    tx: Transaction,
    events: tuple[IncidentOpened, *tuple[IncidentEvent, ...]],
    actor: Actor,
    now: datetime,
) -> Incident:
    """Write down a new incident, and what came with its opening."""
    opened, *others = events
    incident = tx.new_incident(opened, now)
    return record_incident(tx, incident, (opened, *others), actor, now)


def record_incident(
    tx: Transaction,
    incident: Incident,
    events: tuple[IncidentEvent, ...],
    actor: Actor,
    now: datetime,
) -> Incident:
    """Write down what happened to an incident, and the ticket that this may call for.

    Returns the incident as it is afterwards.
    """
    for event in events:
        incident = evolve(incident, event, actor, now)
        tx.append(event, actor, now, incident_id=incident.id)
        if isinstance(event, Suppressed):
            tx.hide(event.window_id, incident.id)
    for ticket in incidents.ticket(incident, now):
        incident = evolve(incident, ticket, TOCSIN, now)
        tx.append(ticket, TOCSIN, now, incident_id=incident.id)
        events = (*events, ticket)
    tx.save_incident(incident)
    for effect in after_incident(incident, events):
        tx.enqueue(effect, _delay(incident, effect, now))
    return incident


def _delay(incident: Incident, effect: Effect, now: datetime) -> float:
    """Seconds until the effect is to be done for the first time."""
    if isinstance(effect, SettleIncident) and incident.quiet_until is not None:
        return (incident.quiet_until - now).total_seconds()
    return first_delay(effect)


def open_run(tx: Transaction, draft: Run, actor: Actor, now: datetime) -> Run:
    """Write down that somebody asked for a run; planning follows."""
    run = tx.new_run(draft)
    requested = RunRequested(run.runbook.reference, run.parameters)
    tx.append(requested, actor, now, incident_id=run.incident_id, run_id=run.id)
    for effect in after_run(run, (requested,)):
        tx.enqueue(effect, first_delay(effect))
    return run


def record_run(
    tx: Transaction, run: Run, events: tuple[RunEvent, ...], actor: Actor, now: datetime
) -> Run:
    """Write down what happened to a run; returns it as it is afterwards."""
    for given in events:
        event = keep_attachments(tx, run.id, given, now)
        run = runs.evolve(run, event, actor, now)
        tx.append(event, actor, now, incident_id=run.incident_id, run_id=run.id)
    tx.save_run(run)
    for effect in after_run(run, events):
        tx.enqueue(effect, _run_delay(run, effect, now))
    return run


def _run_delay(run: Run, effect: Effect, now: datetime) -> float:
    if isinstance(effect, ExpireRun) and run.deadline is not None:
        return max(0.0, (run.deadline - now).total_seconds())
    return first_delay(effect)
