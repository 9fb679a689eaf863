"""What the chat shows of a run: its plan before, its steps while, its result after."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.cluster import BlastRadius
from bot.domain.message import Button, ButtonStyle, Field, Message, Subject, SubjectKind
from bot.domain.plan import Plan
from bot.domain.run import Run, StepRecord, StepState
from bot.domain.run_events import RunState
from bot.domain.runbook import Runbook

RUN_APPROVE, RUN_CANCEL = "run.approve", "run.cancel"
"""The actions of a run's buttons; the value is the run's id, a colon, the plan's digest."""

_MARKS = {
    RunState.PLANNING: "📋",
    RunState.AWAITING_APPROVAL: "✋",
    RunState.READY: "⏳",
    RunState.RUNNING: "⚙️",
    RunState.VERIFYING: "🔎",
    RunState.COMPENSATING: "↩️",
    RunState.SUCCEEDED: "✅",
    RunState.FAILED: "❌",
    RunState.COMPENSATED: "↩️",
    RunState.CANCELLED: "⚪",
    RunState.REFUSED: "⛔",
    RunState.UNCERTAIN: "❓",
}
_STEP_MARKS = {
    StepState.PENDING: "·",
    StepState.STARTED: "…",
    StepState.DONE: "✓",
    StepState.FAILED: "✗",
    StepState.UNDOING: "↩",
    StepState.UNDONE: "↩",
    StepState.UNDO_FAILED: "✗",
}


def run_message(run: Run) -> Message:
    """The one message about a run."""
    return Message(
        subject=Subject(SubjectKind.RUN, run.id),
        headline=f"{_MARKS[run.state]} {run.title}",
        fields=(
            Field("Run", str(run.id)),
            Field("State", run.state.value.replace("_", " ")),
            Field("Asked for by", run.requested_by.name),
            Field("Risk", run.runbook.risk.value),
        ),
        body=run.result or run.runbook.summary,
        preformatted="\n".join((*_planned(run), *_steps(run))),
        buttons=_buttons(run),
        footer=f"Incident INC-{run.incident_id}" if run.incident_id else "",
    )


def run_line(run: Run) -> str:
    """A run in one line, for lists."""
    state = run.state.value.replace("_", " ")
    return f"{_MARKS[run.state]} run {run.id} {state}: {run.title} {run.result}".rstrip()


def plan_message(runbook: Runbook, plan: Plan) -> Message:
    """A plan that nobody has asked to run."""
    problems = "\n".join(f"✗ {problem}" for problem in plan.problems)
    return Message(
        headline=f"📋 Plan of {runbook.reference}",
        fields=(Field("Risk", runbook.risk.value), Field("Changes now", "nothing")),
        body=f"It would be refused:\n{problems}" if problems else runbook.summary,
        preformatted="\n".join(plan_lines(plan)),
        footer="Planned by reading and by dry runs on the server.",
    )


def plan_lines(plan: Plan) -> Sequence[str]:
    """The plan, a line a step, with the changes and whom they touch below."""
    lines: list[str] = []
    for number, step in enumerate(plan.steps.values(), start=1):
        lines.append(f"{number}. {step.summary}")
        lines.extend(f"   {change}" for change in step.changes)
        if step.blast_radius is not None:
            lines.extend(f"   {line}" for line in _blast(step.blast_radius))
    return lines


def _planned(run: Run) -> Sequence[str]:
    return plan_lines(run.plan) if run.plan and run.state is RunState.AWAITING_APPROVAL else ()


def _steps(run: Run) -> Sequence[str]:
    if run.state in (RunState.PLANNING, RunState.AWAITING_APPROVAL, RunState.REFUSED):
        return ()
    return [_step(run, record) for record in run.steps]


def _step(run: Run, record: StepRecord) -> str:
    line = f"{_STEP_MARKS[record.state]} {run.runbook.step(record.id).title}"
    said = record.reason or (record.outcome.summary if record.outcome else record.progress)
    return f"{line} - {said}" if said else line


def _blast(radius: BlastRadius) -> Sequence[str]:
    lines = [f"touches {radius.pods} pod(s), {radius.ready} of them ready"]
    if radius.services:
        lines.append(f"behind service(s) {', '.join(radius.services)}")
    for budget in radius.budgets:
        lines.append(f"budget {budget.name} allows {budget.disruptions_allowed} disruption(s) now")
    for scaler in radius.autoscalers:
        lines.append(f"autoscaler {scaler.name} keeps {scaler.minimum} to {scaler.maximum} pods")
    lines.extend(f"not known: {what}" for what in radius.unknown)
    return lines


def _buttons(run: Run) -> tuple[Button, ...]:
    if run.state is not RunState.AWAITING_APPROVAL or run.plan is None:
        return ()
    value = f"{run.id}:{run.plan.digest}"
    return (
        Button(RUN_APPROVE, value, "Run it", ButtonStyle.PRIMARY),
        Button(RUN_CANCEL, value, "Call it off"),
    )
