"""Runs in a site's store, as their record has them in each situation that a page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.app.record import open_run, record_run
from bot.domain.actor import TOCSIN, Actor
from bot.domain.approval import Requirement
from bot.domain.estimate import estimate
from bot.domain.plan import Attachment, Plan, StepOutcome, StepPlan, Target, make_plan
from bot.domain.run import Run, blank_records
from bot.domain.run_events import (
    CompensationStarted,
    RunApproved,
    RunEvent,
    RunFinished,
    RunPlanned,
    RunStarted,
    RunState,
    StepFailed,
    StepFinished,
    StepProgressed,
    StepStarted,
    UndoFinished,
    UndoStarted,
    VerificationStarted,
)
from bot.domain.runbook import Runbook
from tests.support.examples import ANA, BEN, BLAST_RADIUS, CHECKOUT
from tests.support.incident_pages import Site

FAILOVER = {"service": "payments/checkout", "to": "standby", "soak": "30s", "query": ""}
NOBODY = Requirement("up-to-medium-risk", {}, timedelta(hours=1))
TWO = Requirement(
    "high-risk",
    {"approver": 1, "security": 1},
    timedelta(hours=1),
    {"approver": ("*",), "security": ("@sec",)},
)
SECONDS = 7
"""Between one event of a run and the next."""


def planning(site: Site) -> Run:
    """A run that was only asked for."""
    return _new(site, _failover(site), FAILOVER)


def awaiting(site: Site) -> Run:
    """A failover that one has approved and another must."""
    run = planning(site)
    plan = _plan(run.runbook)
    _happens(site, run, TOCSIN, RunPlanned(plan, TWO))
    return _happens(site, run, BEN, RunApproved(plan.digest, ("approver",)))


def succeeded(site: Site) -> Run:
    """A failover that went well; a step has a log."""
    run = _begun(site)
    log = Attachment("job.log", "text/plain", b"3 pods moved\n")
    for step in run.runbook.steps:
        _step(site, run, step.id, StepOutcome("It is so.", attachments=(log,)))
    _happens(site, run, TOCSIN, VerificationStarted())
    for step in run.runbook.verification:
        _step(site, run, step.id, StepOutcome("Checked."))
    end = RunFinished(RunState.SUCCEEDED, "Done and verified.")
    return _happens(site, run, TOCSIN, end)


def compensated(site: Site) -> Run:
    """A failover whose verification failed, so that it was put back."""
    run = _begun(site)
    for step in run.runbook.steps:
        _step(site, run, step.id, StepOutcome("It is so."))
    return _happens(
        site,
        run,
        TOCSIN,
        VerificationStarted(),
        StepStarted("ready"),
        StepFailed("ready", "checkout-7 is not ready; the end of its log:\nerror: no memory"),
        CompensationStarted("The check failed."),
        UndoStarted("switch"),
        UndoFinished("switch", StepOutcome("The traffic is where it was.")),
        RunFinished(RunState.COMPENSATED, "The check failed. What was changed has been put back."),
    )


def uncertain(site: Site) -> Run:
    """A failover of which nobody knows whether it was switched."""
    run = _begun(site)
    return _happens(
        site,
        run,
        TOCSIN,
        StepStarted("switch"),
        StepProgressed("switch", "the cluster does not answer"),
        RunFinished(RunState.UNCERTAIN, "Step switch may have taken effect: it timed out."),
    )


def hostile(site: Site, bad: str) -> Run:
    """A run in which all that comes from outside is that text."""
    run = _new(site, _failover(site), {"service": bad, "to": bad})
    plan = _plan(run.runbook, bad)
    log = Attachment(bad, "text/plain", bad.encode())
    return _happens(
        site,
        run,
        Actor(ANA.kind, "U1", bad),
        RunPlanned(plan, Requirement(bad, {bad: 1}, timedelta(hours=1), {bad: (bad,)})),
        RunApproved(plan.digest, (bad,)),
        RunStarted(),
        StepStarted("status"),
        StepFinished("status", StepOutcome(bad, attachments=(log,))),
        StepStarted("switch"),
        StepProgressed("switch", bad),
    )


def _failover(site: Site) -> Runbook:
    return site.ask.runs.runbook("failover@1.0.0")[0]


def _new(site: Site, runbook: Runbook, parameters: Mapping[str, str]) -> Run:
    draft = Run(
        id=0,
        runbook=runbook,
        parameters=parameters,
        requested_by=ANA,
        requested_at=site.clock.now(),
        incident_id=1,
        steps=blank_records(runbook),
    )
    with site.store.transaction() as tx:
        return open_run(tx, draft, ANA, draft.requested_at)


def _begun(site: Site) -> Run:
    run = planning(site)
    plan = _plan(run.runbook)
    events = (RunPlanned(plan, NOBODY), RunApproved(plan.digest), RunStarted())
    return _happens(site, run, BEN, *events)


def _plan(runbook: Runbook, said: str = "") -> Plan:
    """A plan in which the step `switch` changes something."""
    all_steps = (*runbook.steps, *runbook.verification)
    steps = {one.id: StepPlan(said or f"{one.title}.") for one in all_steps}
    steps["switch"] = StepPlan(
        said or "Send the traffic of Service payments/checkout to the pods with role=standby.",
        changes=(
            "- spec.selector.role: active",
            "+ spec.selector.role: standby",
            *([said] if said else []),
        ),
        problems=(said,) if said else (),
        targets=(Target(CHECKOUT, "uid-1", "spec-1"),),
        blast_radius=BLAST_RADIUS,
        reversible=True,
    )
    plan = make_plan(runbook.digest, FAILOVER, steps)
    return replace(plan, estimate=estimate(steps.values(), (timedelta(seconds=40),)))


def _step(site: Site, run: Run, step: str, outcome: StepOutcome) -> None:
    _happens(site, run, TOCSIN, StepStarted(step), StepFinished(step, outcome))


def _happens(site: Site, run: Run, actor: Actor, *events: RunEvent) -> Run:
    for event in events:
        site.clock.sleep(SECONDS)
        with site.store.transaction() as tx:
            run = record_run(tx, tx.run(run.id), (event,), actor, site.clock.now())
    return run
