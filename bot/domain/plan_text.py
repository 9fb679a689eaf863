"""A plan as people read it before they approve it: what changes, whom it touches, what stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain.cluster import BlastRadius
from bot.domain.excerpt import ELLIPSIS, counted, more_lines
from bot.domain.plan import Plan, StepPlan

EXCERPT = 2_400
"""Characters of a plan in a chat message: what Slack shows in one block is 3,000, escaped."""

LONGEST_LINE = 200
"""Characters of one line in a chat message."""

MOST_CHANGES = (60, 30, 15, 8, 4, 2, 1)
"""Changed lines of each step in a chat message; tried in turn, until the plan fits."""


def outline(plan: Plan) -> str:
    """Which of the steps change something."""
    steps = enumerate(plan.steps.values(), start=1)
    changing = [str(number) for number, step in steps if step.changes]
    if not changing:
        return "None of its steps changes anything."
    noun, verb = ("step", "changes") if len(changing) == 1 else ("steps", "change")
    return f"Only {noun} {', '.join(changing)} of {len(plan.steps)} {verb} something."


def plan_lines(plan: Plan) -> Sequence[str]:
    """The plan, a line a step, with the changes and whom they touch below."""
    return list(_lines(plan, None, ""))


def plan_excerpt(plan: Plan, where: str = "") -> Sequence[str]:
    """The plan, short enough for a chat message: every step, and of its changes the first.

    What is left out is counted; `where` says where it stands, such as ``/runs/12``.
    """
    for most in MOST_CHANGES:
        lines = [_short(line) for line in _lines(plan, most, where)]
        if sum(len(line) + 1 for line in lines) <= EXCERPT:
            break
    return lines


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + ELLIPSIS


def _lines(plan: Plan, most: int | None, where: str) -> Iterator[str]:
    for number, step in enumerate(plan.steps.values(), start=1):
        yield f"{number}. {step.summary}"
        below = (*_changes(step, most, where), *blast_lines(step.blast_radius), *undo_lines(step))
        yield from (f"   {line}" for line in below)


def _changes(step: StepPlan, most: int | None, where: str) -> Iterator[str]:
    yield from step.changes[:most]
    left_out = len(step.changes[most:]) if most is not None else 0
    if left_out:
        yield more_lines(left_out, where)


def undo_lines(step: StepPlan) -> Sequence[str]:
    """Whether what the step changes can be put back; nothing of a step that changes nothing."""
    if not step.changes:
        return ()
    then = "is put back" if step.reversible else "stays"
    return (f"{then} if a later step or check fails",)


def blast_lines(radius: BlastRadius | None) -> Sequence[str]:
    """Whom a change touches, a sentence a line."""
    return list(_blast(radius)) if radius else ()


def _blast(radius: BlastRadius) -> Iterator[str]:
    ready = "all ready" if radius.ready == radius.pods else f"{radius.ready} of them ready"
    yield f"touches {counted(radius.pods, 'pod')}" + (f", {ready}" if radius.pods else "")
    if radius.services:
        noun = "service" if len(radius.services) == 1 else "services"
        yield f"behind {noun} {', '.join(radius.services)}"
    for budget in radius.budgets:
        allowed = counted(budget.disruptions_allowed, "more pod")
        yield f"disruption budget {budget.name} lets {allowed} go down now"
    for scaler in radius.autoscalers:
        yield f"autoscaler {scaler.name} keeps {scaler.minimum} to {scaler.maximum} pods"
    yield from (f"not known: {what}" for what in radius.unknown)
