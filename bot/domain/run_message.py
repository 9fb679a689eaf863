"""What the chat shows of a run: its plan before, its steps while, its result after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.access import Requirement, in_words, missing
from bot.domain.cluster import BlastRadius
from bot.domain.findings import are_the_point, findings
from bot.domain.message import Button, ButtonStyle, Field, Message, Subject, SubjectKind
from bot.domain.plan import Plan
from bot.domain.run import Run, RunCommand, StepRecord, StepState
from bot.domain.run_events import RunState
from bot.domain.runbook import Runbook
from bot.domain.runbook_text import deprecation

RUN_ACTION = "run."
"""How the actions of a run's buttons begin; a `RunCommand` follows.

The value is the run's id, a colon, and what was shown: the plan's digest, or the step that asks.
"""

_MARKS = {
    RunState.PLANNING: "📋",
    RunState.AWAITING_APPROVAL: "✋",
    RunState.READY: "⏳",
    RunState.RUNNING: "⚙️",
    RunState.WAITING: "⏸️",
    RunState.VERIFYING: "🔎",
    RunState.CANCELLING: "🛑",
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
    StepState.ASKED: "✋",
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
        body=_body(run),
        preformatted="\n".join((*_planned(run), *_steps(run))),
        buttons=_buttons(run),
        footer=f"Incident INC-{run.incident_id}" if run.incident_id else "",
    )


def _body(run: Run) -> str:
    """What matters now, below the alarm that somebody broke the glass."""
    return "\n".join(filter(None, (_override(run), deprecation(run.runbook), _now(run))))


def _override(run: Run) -> str:
    if not run.overridden:
        return ""
    who = run.approved_by.name if run.approved_by else "somebody"
    return f"🚨 Approval overridden by {who}: {run.overridden}"


def _now(run: Run) -> str:
    """The end, what is waited for, or what the runbook is for."""
    if are_the_point(run):
        return f"{run.result}\n{findings(run)}".rstrip()
    if run.result:
        return run.result
    if run.state is RunState.AWAITING_APPROVAL:
        return f"{run.runbook.summary}\n{_permission(run)}"
    if run.state is RunState.WAITING:
        return _waiting(run)
    return run.runbook.summary


def _permission(run: Run) -> str:
    needs = run.requirement
    if needs is None or not needs.needs:
        return "Nobody has to approve it: read the plan, then run it."
    said = (
        f"It needs {in_words(run.missing)} by others than {run.requested_by.name}"
        f" (rule {needs.rule}), within {_length(needs.valid_for)}."
    )
    if not run.approvals:
        return said
    return f"{said} Approved by {', '.join(one.by.name for one in run.approvals)}."


def _waiting(run: Run) -> str:
    if run.asked is None:
        return "Paused: nothing new is begun until somebody lets it go on."
    question = run.question(run.asked.id)
    lacking = missing(question.needs, run.asked.approvals)
    return f"{question.text}\nIt needs {in_words(lacking)}." if lacking else question.text


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def run_line(run: Run) -> str:
    """A run in one line, for lists."""
    state = run.state.value.replace("_", " ")
    return f"{_MARKS[run.state]} run {run.id} {state}: {run.title} {run.result}".rstrip()


def plan_message(runbook: Runbook, plan: Plan, needs: Requirement) -> Message:
    """A plan that nobody has asked to run."""
    problems = "\n".join(f"✗ {problem}" for problem in plan.problems)
    said = f"It would be refused:\n{problems}" if problems else runbook.summary
    return Message(
        headline=f"📋 Plan of {runbook.reference}",
        fields=(
            Field("Risk", runbook.risk.value),
            Field("Changes now", "nothing"),
            Field(
                "To run it",
                f"{in_words(needs.needs)}, rule {needs.rule}" if needs.needs else "no approval",
            ),
        ),
        body="\n".join(filter(None, (deprecation(runbook), said))),
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
    if are_the_point(run):
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


_UNDER_WAY = (RunState.RUNNING, RunState.VERIFYING)


def _buttons(run: Run) -> tuple[Button, ...]:
    if run.state is RunState.AWAITING_APPROVAL and run.plan is not None:
        return _permission_buttons(run, f"{run.id}:{run.plan.digest}")
    value = f"{run.id}:{run.asked.id if run.asked else ''}"
    if run.state in _UNDER_WAY:
        return (_button(RunCommand.PAUSE, value, "Pause"), *_abort_buttons(value))
    if run.state is not RunState.WAITING:
        return ()
    if run.asked is None:
        resume = _button(RunCommand.RESUME, value, "Go on", ButtonStyle.PRIMARY)
        return (resume, *_abort_buttons(value))
    done = "Approve" if run.question(run.asked.id).needs else "Done"
    return (
        _button(RunCommand.DONE, value, done, ButtonStyle.PRIMARY),
        _button(RunCommand.FAILED, value, "It can’t be done"),
        *_abort_buttons(value),
    )


def _button(
    command: RunCommand, value: str, label: str, style: ButtonStyle = ButtonStyle.DEFAULT
) -> Button:
    return Button(f"{RUN_ACTION}{command.value}", value, label, style)


def _permission_buttons(run: Run, value: str) -> tuple[Button, ...]:
    label = "Approve" if run.missing else "Run it"
    return (
        _button(RunCommand.APPROVE, value, label, ButtonStyle.PRIMARY),
        _button(RunCommand.CANCEL, value, "Call it off"),
    )


def _abort_buttons(value: str) -> tuple[Button, ...]:
    return (
        _button(RunCommand.ABORT, value, "Abort and undo", ButtonStyle.DANGER),
        _button(RunCommand.STOP, value, "Stop here"),
    )
