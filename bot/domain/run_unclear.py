"""What is known of a run that ended uncertain, for whoever has to find out the rest."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.cluster import MARKER_ANNOTATION
from bot.domain.run import Run, StepRecord, StepState

_OPEN = {
    StepState.STARTED: "began",
    StepState.UNDOING: "was being put back since",
    StepState.UNDO_FAILED: "could not be put back; that began",
}
"""The states of steps of which the record does not have the end."""


def what_is_known(run: Run) -> str:
    """The steps without an end, what each was to do, what was seen last, and where to look."""
    lines = [line for record in run.steps if record.state in _OPEN for line in _known(run, record)]
    lines.append("Nothing more is done by itself. A new run plans anew, from what is there then.")
    lines.append(f"Once you know: /runbook done {run.id} WORDS, or /runbook failed {run.id} WORDS.")
    return "\n".join(lines)


def _known(run: Run, record: StepRecord) -> Iterator[str]:
    since = f" at {record.started_at:%Y-%m-%d %H:%M:%S} UTC" if record.started_at else ""
    yield f"Step “{run.runbook.step(record.id).title}” {_OPEN[record.state]}{since}."
    if run.plan is None:
        return
    plan = run.plan.steps[record.id]
    yield f"It was to do this: {plan.summary}"
    if record.progress:
        yield f"Seen last: {record.progress}"
    for target in plan.targets:
        mark = f"{MARKER_ANNOTATION}: run-{run.id}/{record.id}"
        yield f"Look at {target.ref}: if the step changed it, it carries the annotation {mark}."
