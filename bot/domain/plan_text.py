"""A plan as people read it before they approve it: what changes, whom it touches, what stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.domain.access_policy import EVERYBODY
from bot.domain.approval import in_words
from bot.domain.cluster import BlastRadius
from bot.domain.durations import span
from bot.domain.excerpt import ELLIPSIS, counted, more_lines
from bot.domain.plan import Estimate, Plan, Question, StepPlan

EXCERPT = 2_400
"""Characters of a plan in a chat message: what Slack shows in one block is 3,000, escaped."""

LONGEST_LINE = 200
"""Characters of one line in a chat message."""

MOST_CHANGES = (60, 30, 15, 8, 4, 2, 1)
"""Changed lines of each step in a chat message; tried in turn, until the plan fits."""


MOST_NAMED = 5
"""People and groups that are named one by one as those who can approve."""

Givers = Mapping[str, Sequence[str]]
"""By kind of approval, who can give it (`access.Requirement.givers`)."""

NOBODY_KNOWN: Givers = {}


def outline(plan: Plan) -> str:
    """Which of the steps change something, and how many have nothing left to change."""
    steps = enumerate(plan.steps.values(), start=1)
    changing = [str(number) for number, step in steps if step.changing]
    as_wanted = sum(step.as_wanted for step in plan.steps.values())
    said = _changing(changing, len(plan.steps))
    if not as_wanted:
        return f"{said}."
    verb = "is" if as_wanted == 1 else "are"
    return f"{said}; {as_wanted} {verb} already as wanted."


def _changing(numbers: Sequence[str], total: int) -> str:
    if not numbers:
        return "None of its steps changes anything"
    noun, verb = ("step", "changes") if len(numbers) == 1 else ("steps", "change")
    return f"Only {noun} {', '.join(numbers)} of {total} {verb} something"


def estimated(estimate: Estimate | None) -> str:
    """How long it will take; empty where that was not estimated.

    ``It usually takes about 40 s (7 earlier runs), at most 12 min (the steps’ time limits).``
    """
    if estimate is None:
        return ""
    takes = ", ".join(_takes(estimate)) or "takes a few seconds: none of its steps waits"
    people = f" People’s answers are waited for {span(estimate.people)} at most, besides."
    return f"It {takes}.{people if estimate.people else ''}"


def _takes(estimate: Estimate) -> Iterator[str]:
    if estimate.usual is not None:
        earlier = counted(estimate.earlier, "earlier run")
        yield f"usually takes about {span(estimate.usual)} ({earlier})"
    if estimate.longest:
        takes = "" if estimate.earlier else "takes "
        yield f"{takes}at most {span(estimate.longest)} (the steps’ time limits)"
    if estimate.soak:
        yield f"soak of {span(estimate.soak)} included"


def plan_lines(plan: Plan, givers: Givers = NOBODY_KNOWN) -> Sequence[str]:
    """The plan, a line a step, with the changes and whom they touch below."""
    return list(_lines(plan, givers, None, ""))


def plan_excerpt(plan: Plan, where: str = "", givers: Givers = NOBODY_KNOWN) -> Sequence[str]:
    """The plan, short enough for a chat message: every step, and of its changes the first.

    What is left out is counted; `where` says where it stands, such as ``/runs/12``.
    """
    for most in MOST_CHANGES:
        lines = [_short(line) for line in _lines(plan, givers, most, where)]
        if sum(len(line) + 1 for line in lines) <= EXCERPT:
            break
    return lines


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + ELLIPSIS


def _lines(plan: Plan, givers: Givers, most: int | None, where: str) -> Iterator[str]:
    for number, step in enumerate(plan.steps.values(), start=1):
        yield f"{number}. {step.title or step.summary}"
        summary = (step.summary,) if step.title not in ("", step.summary) else ()
        below = (*summary, *_changes(step, most, where), *step_notes(step, givers))
        yield from (f"   {line}" for line in below)


def step_notes(step: StepPlan, givers: Givers = NOBODY_KNOWN) -> Sequence[str]:
    """What is to be known of a step besides its changes, a sentence a line."""
    return (
        *blast_lines(step.blast_radius),
        *undo_lines(step),
        *asks_lines(step.asks, givers),
    )


def asks_lines(asks: Question | None, givers: Givers = NOBODY_KNOWN) -> Sequence[str]:
    """For what answers of people a step waits, for how long, and whose they can be."""
    if asks is None:
        return ()
    patience = f"waits up to {span(asks.patience)}"
    if not asks.needs:
        return (f"{patience} for a word that it is done",)
    lines = [f"{patience} for {in_words(asks.needs)}, not of whoever asked for the run"]
    who = givers_in_words(givers, asks.needs)
    return [*lines, f"who can approve: {who}"] if who else lines


def givers_in_words(givers: Givers, kinds: Iterable[str]) -> str:
    """Who can give approvals of these kinds; empty where the record does not tell."""
    known = [(kind, givers[kind]) for kind in kinds if kind in givers]
    return "; ".join(f"{_members(them)} ({kind.replace('_', ' ')})" for kind, them in known)


def _members(members: Sequence[str]) -> str:
    named = ["everybody" if one == EVERYBODY else one for one in members[:MOST_NAMED]]
    more = len(members) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "") or "nobody"


def _changes(step: StepPlan, most: int | None, where: str) -> Iterator[str]:
    yield from step.changes[:most]
    left_out = len(step.changes[most:]) if most is not None else 0
    if left_out:
        yield more_lines(left_out, where)


def undo_lines(step: StepPlan) -> Sequence[str]:
    """Whether what the step changes can be put back; nothing of a step that changes nothing."""
    if not step.changing:
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
