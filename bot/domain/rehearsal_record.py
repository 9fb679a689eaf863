"""A rehearsal made of a real run: what was asked for, what it was about, what came of it.

What went wrong around the run is not on record, and the objects are read when the rehearsal is
made. So it is a beginning, which whoever keeps it completes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.domain.rehearsal import Expectation, Rehearsal
from bot.domain.resource import Manifest, Resource
from bot.domain.resource_changes import manifest_of
from bot.domain.run import Run, StepState

_SECRET = "secret"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True)
class Recorded:
    """A rehearsal with the run that it was made of, and the targets that are not there any more."""

    run: Run
    rehearsal: Rehearsal
    gone: tuple[str, ...]


def rehearsal_of(run: Run, targets: Sequence[Resource]) -> Rehearsal:
    """The rehearsal in which the run should go as it went, on its targets as they are now."""
    return Rehearsal(
        name=f"goes as run {run.id} went",
        version=run.runbook.version,
        parameters=run.parameters,
        cluster=tuple(map(_without_values, targets)),
        http=dict.fromkeys(_of_done_steps(run, "url"), 200),
        metrics=dict.fromkeys(_of_done_steps(run, "query"), 1.0),
        answers=_answers(run),
        expect=Expectation(run.state, {record.id: record.state for record in run.steps}),
    )


def _without_values(resource: Resource) -> Manifest:
    """The object's manifest; of a Secret only the keys."""
    manifest = manifest_of(resource)
    if resource.ref.kind != _SECRET:
        return manifest
    kept = {key: value for key, value in manifest.items() if key != "stringData"}
    return {**kept, "data": dict.fromkeys(manifest.get("data") or {}, "")}


def _of_done_steps(run: Run, argument: str) -> Iterator[str]:
    """What this argument was, wherever it was given and the step could be done."""
    decided = {step: plan.decided for step, plan in run.plan.steps.items()} if run.plan else {}
    for record in run.steps:
        if record.state is StepState.DONE:
            given = run.runbook.arguments(run.runbook.step(record.id), run.parameters, decided)
            if given.get(argument):
                yield str(given[argument])


def _answers(run: Run) -> dict[str, bool]:
    """What people said of the steps that asked them."""
    plans = run.plan.steps if run.plan else {}
    asked = (it for it in run.steps if it.id in plans and plans[it.id].asks is not None)
    ended = (StepState.DONE, StepState.FAILED)
    return {it.id: it.state is StepState.DONE for it in asked if it.state in ended}
