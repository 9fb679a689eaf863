"""What a run would do, as values: found out by reading and by dry runs, changing nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from bot.domain.cluster import BlastRadius, ObjectRef


@dataclass(frozen=True, slots=True)
class Target:
    """An object as the plan saw it; a run refuses when either digest differs."""

    ref: ObjectRef
    uid: str
    spec_digest: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a step asks of people: a word that it is done, or approvals by kind."""

    text: str
    needs: Mapping[str, int]
    patience: timedelta
    """How long it waits for them."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a step waits at most, and for how much of that in any case (its soak)."""

    most: timedelta = timedelta(0)
    soak: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class StepPlan:
    """What a step would do, found out by reading and by a dry run on the server.

    `problems` are preconditions that don't hold, as plain sentences; `decided` are the
    values that planning fixed (such as the number of the previous revision) and that
    the execution will use.
    """

    summary: str
    changes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    blast_radius: BlastRadius | None = None
    decided: Mapping[str, str] = field(default_factory=dict)
    reversible: bool = False
    """Whether what the step changes can be put back by its undo."""
    asks: Question | None = None
    """Set where the step is people's to do; then it is never executed."""
    as_wanted: bool = False
    """Whether all that the step would change is so already; `changes` then says that."""
    limit: Limit = Limit()
    title: str = ""
    """What the runbook's author calls the step; empty for what was planned before it was kept."""

    @property
    def changing(self) -> bool:
        """Whether anything will be another than before."""
        return bool(self.changes) and not self.as_wanted


def seen_before(planned: StepPlan, earlier: Mapping[str, StepPlan]) -> StepPlan:
    """The plan of a step, which says so if earlier steps will have changed its objects by then.

    It was made of the objects as they are now; so what is as wanted now may not be so then.
    """
    own = {target.ref for target in planned.targets}
    notes = tuple(
        f"! seen as it is now; step {number} changes {target.ref} before"
        for number, step in enumerate(earlier.values(), start=1)
        for target in step.targets
        if step.changing and target.ref in own
    )
    if not notes:
        return planned
    return replace(planned, changes=(*planned.changes, *notes), as_wanted=False)


PICTURE, TEXT = "image/png", "text/plain"
"""What is shown to people. Anything else, above all HTML and SVG, could run as a script in a
browser."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a step made, such as a picture of a graph.

    The record keeps names only: what was stored has an `id`, and its `content` is fetched by it.
    """

    name: str
    media_type: str
    content: bytes = b""
    id: int | None = None

    @property
    def is_picture(self) -> bool:
        """Whether it can be shown in a page."""
        return self.media_type == PICTURE

    @property
    def shown(self) -> bool:
        """Whether it is kept, and people may look at it."""
        return self.id is not None and self.media_type in (PICTURE, TEXT)


class Audience(StrEnum):
    """Who hears an announcement."""

    CHAT = "chat"
    PAGER = "pager"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a step wants to be said, as plain text from anywhere; it is said after the step.

    `channel` is the chat's, by name or id; empty for the one in which the run is shown.
    """

    audience: Audience
    text: str
    channel: str = ""


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What a step did: a sentence for the timeline, and values that its undo needs."""

    summary: str
    data: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    """At most one to each audience."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long a run will take from its start, as far as was known when it was planned.

    It is about a run that goes well: what is put back after a failure takes more.
    """

    longest: timedelta
    """All that its steps may wait, by their limits."""
    soak: timedelta
    """How much of `longest` is waited in any case."""
    people: timedelta
    """Besides, how long people's answers are waited for at most."""
    usual: timedelta | None = None
    """The median of earlier runs, without their waits for people; None when there were none."""
    earlier: int = 0
    """The number of these runs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps' plans by step id, and the hash that an approval binds to.

    The estimate is not part of the hash: another one makes no other plan.
    """

    steps: Mapping[str, StepPlan]
    digest: str
    estimate: Estimate | None = None
    """None for what was planned before there were any."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Every precondition that does not hold, each said once."""
        said = (problem for step in self.steps.values() for problem in step.problems)
        return tuple(dict.fromkeys(said))

    @property
    def targets(self) -> frozenset[Target]:
        """Everything that the run would change."""
        return frozenset(target for step in self.steps.values() for target in step.targets)


def make_plan(
    runbook_digest: str, parameters: Mapping[str, str], steps: Mapping[str, StepPlan]
) -> Plan:
    """The plan of these steps.

    Its digest covers all that an approval is about: the runbook's text, the parameters,
    what planning decided, and the objects as they are.
    """
    targets = sorted(
        {(str(t.ref), t.uid, t.spec_digest) for s in steps.values() for t in s.targets}
    )
    decided = {step: dict(plan.decided) for step, plan in steps.items()}
    covered = [runbook_digest, dict(parameters), decided, targets]
    text = json.dumps(covered, sort_keys=True, ensure_ascii=False)
    return Plan(steps, hashlib.sha256(text.encode()).hexdigest())
