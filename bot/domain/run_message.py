"""What the chat shows of a run: its plan before, its steps while, its result after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bot.domain.approval import Requirement, in_words, missing
from bot.domain.excerpt import one_line
from bot.domain.findings import are_the_point, report
from bot.domain.message import (
    Button,
    ButtonStyle,
    Field,
    Message,
    PageLink,
    Subject,
    SubjectKind,
)
from bot.domain.plan import Plan
from bot.domain.plan_text import (
    LONGEST_LINE,
    NOBODY_KNOWN,
    Givers,
    estimated,
    givers_in_words,
    outline,
    plan_excerpt,
)
from bot.domain.run import NEEDS_UNKNOWN, Run, RunCommand, StepRecord, StepState
from bot.domain.run_events import RunState
from bot.domain.run_unclear import what_is_known
from bot.domain.runbook import Runbook
from bot.domain.runbook_text import cautions
from bot.domain.web_link import web_link

RUN_ACTION = "run."
"""How the actions of a run's buttons begin; a `RunCommand` follows.

The value is the run's id, a colon, and what was shown: the plan's digest, or the step that asks.
"""

CALL_OFF = "Call it off"

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


def run_message(run: Run, public_url: str = "") -> Message:
    """The one message about a run; with Tocsin's public address it links to the run's page."""
    return Message(
        subject=Subject(SubjectKind.RUN, run.id),
        headline=f"{_MARKS[run.state]} {run.title}",
        fields=tuple(_fields(run)),
        body=_body(run),
        preformatted="\n".join((*_planned(run), *_steps(run))),
        buttons=run_buttons(run),
        footer=f"Incident INC-{run.incident_id}" if run.incident_id else "",
        pages=tuple(_pages(run, public_url)) if public_url else (),
        whole=_page(run),
    )


def _page(run: Run) -> str:
    """The path of the run's page."""
    return f"/runs/{run.id}"


def _pages(run: Run, public_url: str) -> Iterator[PageLink]:
    """The run's page, and the pictures and logs that its steps made."""
    places = [("Everything about this run", _page(run))]
    places += [(f"📎 {one.name}", f"/attachments/{one.id}") for one in run.attachments if one.shown]
    for label, path in places:
        link = web_link(public_url.rstrip("/") + path)
        if link is not None:
            yield PageLink(label, link)


def _fields(run: Run) -> Iterator[Field]:
    yield Field("Run", str(run.id))
    yield Field("State", run.state.value.replace("_", " "))
    yield Field("Asked for by", run.requested_by.name)
    yield Field("Risk", run.runbook.risk.value)
    if run.state is RunState.AWAITING_APPROVAL:
        given = (f"{name}={value}" for name, value in run.parameters.items() if value)
        yield Field("Parameters", " ".join(given))


def _body(run: Run) -> str:
    """What matters now, below the alarm that somebody broke the glass."""
    return "\n".join(filter(None, (_override(run), cautions(run.runbook), _now(run))))


def _override(run: Run) -> str:
    if not run.overridden:
        return ""
    who = run.approved_by.name if run.approved_by else "somebody"
    return f"🚨 Approval overridden by {who}: {run.overridden}"


def _now(run: Run) -> str:
    """The end, what is waited for, or what the runbook is for."""
    if are_the_point(run):
        return report(run)
    if run.state is RunState.UNCERTAIN:
        return f"{run.result}\n{what_is_known(run)}"
    if run.result:
        return run.result
    if run.delay:
        return f"Not possible yet, tried again: {run.delay}"
    if run.state is RunState.AWAITING_APPROVAL:
        planned = _in_short(run.plan) if run.plan else ()
        return "\n".join((run.runbook.summary, *planned, _permission(run)))
    if run.state is RunState.WAITING:
        return _waiting(run)
    return run.runbook.summary


def _in_short(plan: Plan) -> Sequence[str]:
    return tuple(filter(None, (outline(plan), estimated(plan.estimate))))


def _permission(run: Run) -> str:
    until = f"until {run.deadline:%d %b %H:%M} UTC" if run.deadline else "for a while"
    needs = run.requirement
    if needs is None:
        return NEEDS_UNKNOWN
    if not needs.needs:
        return f"Nobody has to approve it: read the plan, then run it. It holds {until}."
    said = (
        f"It needs {in_words(run.missing)} by others than {run.requested_by.name}"
        f" (rule {needs.rule}); the plan holds {until}."
    )
    if run.approvals:
        said += f" Approved by {', '.join(one.by.name for one in run.approvals)}."
    return f"{said}{_who(needs.givers, run.missing)}"


def _who(givers: Givers, kinds: Iterable[str]) -> str:
    """A line that says who can give the approvals that are missing."""
    who = givers_in_words(givers, kinds)
    return f"\nWho can approve: {who}." if who else ""


def givers_of(run: Run) -> Givers:
    """Who could give which approvals when the run was planned."""
    return run.requirement.givers if run.requirement else NOBODY_KNOWN


def _waiting(run: Run) -> str:
    if run.asked is None:
        return "Paused: nothing new is begun until somebody lets it go on."
    question = run.question(run.asked.id)
    lacking = missing(question.needs, run.asked.approvals)
    if not lacking:
        return question.text
    wanted = f"It needs {in_words(lacking)} by others than {run.requested_by.name}."
    return f"{question.text}\n{wanted}{_who(givers_of(run), lacking)}"


def run_line(run: Run) -> str:
    """A run in one line, for lists."""
    state = run.state.value.replace("_", " ")
    return f"{_MARKS[run.state]} run {run.id} {state}: {run.title} {run.result}".rstrip()


def plan_message(runbook: Runbook, plan: Plan, needs: Requirement) -> Message:
    """A plan that nobody has asked to run."""
    problems = "\n".join(f"✗ {problem}" for problem in plan.problems)
    short = "\n".join((runbook.summary, *_in_short(plan)))
    said = f"It would be refused:\n{problems}" if problems else short
    return Message(
        headline=f"📋 Plan of {runbook.reference}",
        fields=(
            Field("Risk", runbook.risk.value),
            Field("Changes now", "nothing"),
            *_wanted(needs),
        ),
        body="\n".join(filter(None, (cautions(runbook), said))),
        preformatted="\n".join(plan_excerpt(plan, givers=needs.givers)),
        footer="Planned by reading and by dry runs on the server.",
    )


def _wanted(needs: Requirement) -> Iterator[Field]:
    """What a run would need before it may begin, and who could give that."""
    if not needs.needs:
        yield Field("To run it", "no approval")
        return
    yield Field("To run it", f"{in_words(needs.needs)}, rule {needs.rule}")
    who = givers_in_words(needs.givers, needs.needs)
    if who:
        yield Field("Who can approve", f"{who}; not whoever asks for it")


def _planned(run: Run) -> Sequence[str]:
    if run.plan is None or run.state is not RunState.AWAITING_APPROVAL:
        return ()
    return plan_excerpt(run.plan, _page(run), givers_of(run))


def _steps(run: Run) -> Sequence[str]:
    if run.state in (RunState.PLANNING, RunState.AWAITING_APPROVAL, RunState.REFUSED):
        return ()
    if are_the_point(run):
        return ()
    return [_step(run, record) for record in run.steps]


def _step(run: Run, record: StepRecord) -> str:
    line = f"{_STEP_MARKS[record.state]} {run.runbook.step(record.id).title}"
    said = record.reason or (record.outcome.summary if record.outcome else record.progress)
    return one_line(f"{line} - {said}" if said else line, LONGEST_LINE)


_UNDER_WAY = (RunState.RUNNING, RunState.VERIFYING)


def run_buttons(run: Run) -> tuple[Button, ...]:
    """What people can do to it now."""
    if run.state is RunState.AWAITING_APPROVAL and run.plan is not None:
        return _permission_buttons(run, f"{run.id}:{run.plan.digest}")
    value = f"{run.id}:{run.asked.id if run.asked else ''}"
    if run.delay:
        return (_button(RunCommand.CANCEL, value, CALL_OFF),)
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
    call_off = _button(RunCommand.CANCEL, value, CALL_OFF)
    if run.requirement is None:
        return (call_off,)
    label = "Approve" if run.missing else "Run it"
    return (_button(RunCommand.APPROVE, value, label, ButtonStyle.PRIMARY), call_off)


def _abort_buttons(value: str) -> tuple[Button, ...]:
    return (
        _button(RunCommand.ABORT, value, "Abort and undo", ButtonStyle.DANGER),
        _button(RunCommand.STOP, value, "Stop here"),
    )
