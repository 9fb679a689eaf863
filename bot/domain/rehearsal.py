"""A rehearsal: a runbook on a made-up cluster, with faults, and what has to come of it.

It is to a runbook what a test is to a program. `shortfalls` compares what came of it with
what was expected, and says every difference in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.merge_patch import holds
from bot.domain.resource import Manifest
from bot.domain.run import Run, StepState
from bot.domain.run_events import RunState

START = "start"
"""The moment between the plan and the run, at which somebody may change the target."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, or simply happens, while a runbook runs.

    It happens `after` a while in the step `before` which it stands (or `START`).
    """

    before: str
    after: timedelta = timedelta(0)
    change: Manifest | None = None
    """An object with what changes in it (merged into what is there, or made anew)."""
    delete: Manifest | None = None
    unreachable: timedelta | None = None
    """How long the cluster's API answers nothing."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    http: Mapping[str, int] = field(default_factory=dict)
    abort: bool = False
    """Somebody aborts the run."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What has to come of a rehearsal; only what is named is compared."""

    state: RunState
    steps: Mapping[str, StepState] = field(default_factory=dict)
    says: tuple[str, ...] = ()
    """Texts that the run's result or its steps' outcomes must hold."""
    objects: tuple[Manifest, ...] = ()
    """Objects that must be there, with at least these fields."""
    absent: tuple[Manifest, ...] = ()
    """Objects that must not be there."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One of a runbook's rehearsals.

    `cluster` is set up one object after the other; the same object twice is a change to it
    (so a Deployment gets a past). `metrics` are the values of queries, `http` the statuses of
    addresses, `answers` what people say of the steps that ask them (done, or not).
    """

    name: str
    expect: Expectation
    parameters: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    cluster: tuple[Manifest, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    http: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    answers: Mapping[str, bool] = field(default_factory=dict)


Find = Callable[[Manifest], Manifest | None]
"""The object that a manifest is about, as it is in the rehearsal's cluster."""


def shortfalls(expected: Expectation, run: Run, find: Find) -> Iterator[str]:
    """Everything that came out otherwise than expected."""
    if run.state is not expected.state:
        yield f"it ended {run.state.value}, not {expected.state.value}: {run.result}"
    states = {record.id: record.state for record in run.steps}
    for step, state in expected.steps.items():
        if step not in states:
            yield f"there is no step {step}"
        elif states[step] is not state:
            yield f"step {step} is {states[step].value}, not {state.value}: {_said(run, step)}"
    told = "\n".join([run.result, *(_said(run, record.id) for record in run.steps)])
    for text in expected.says:
        if text not in told:
            yield f"nowhere is it said that “{text}”; it is said:\n{told}"
    yield from _objects(expected, find)


def _objects(expected: Expectation, find: Find) -> Iterator[str]:
    for wanted in expected.objects:
        there = find(wanted)
        if there is None:
            yield f"{named(wanted)} is not there"
        elif not holds(there, wanted):
            yield f"{named(wanted)} is not as expected: {_excerpt(there, wanted)}"
    for unwanted in expected.absent:
        if find(unwanted) is not None:
            yield f"{named(unwanted)} is there"


def named(manifest: Manifest) -> str:
    """How people name an object: ``Deployment payments/checkout``."""
    metadata = manifest.get("metadata") or {}
    place = "/".join(filter(None, (metadata.get("namespace"), metadata.get("name"))))
    return f"{manifest.get('kind')} {place}"


def _excerpt(there: object, wanted: object) -> object:
    """What is there, as far as something was expected of it."""
    if not isinstance(there, Mapping) or not isinstance(wanted, Mapping):
        return there
    return {key: _excerpt(there.get(key), value) for key, value in wanted.items()}


def _said(run: Run, step: str) -> str:
    record = run.record(step)
    return record.reason or (record.outcome.summary if record.outcome else "")
