"""`kubernetes.job`: run a program to its end, in a container of the cluster.

The Job's name follows from the run and the step, so whoever repeats the step after a
crash finds the running Job and goes on waiting for it. Texts are passed to the program
as they are: no shell reads them, and Kubernetes expands nothing in them.
"""

from __future__ import annotations

from dataclasses import replace

from bot.domain.cluster import ObjectRef
from bot.domain.errors import NotFound
from bot.domain.plan import Limit, StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.base import NO_EFFECT, MutatingStep
from bot.steps.job_manifest import JobArguments, Program, describe, job_manifest, job_name
from bot.steps.job_run import JobRun, condition, patience

JOB = "job"


class Job(MutatingStep[JobArguments]):
    """Runs an image to completion; undone by another program, if the runbook names one."""

    name = "kubernetes.job"
    arguments = JobArguments

    def intent(self, arguments: JobArguments) -> str:
        return (
            f"Run {arguments.image} in namespace {arguments.namespace} to its end, "
            f"for {arguments.timeout} at most."
        )

    def limit(self, arguments: JobArguments) -> Limit:
        return patience(arguments.timeout).limit

    def prepare(self, arguments: JobArguments, context: StepContext) -> StepPlan:
        manifest = job_manifest(arguments, arguments, context.marker)
        context.objects.create(manifest, context.marker, dry_run=True)
        changes = [*describe(manifest)]
        if arguments.undo:
            undoing = replace(context.marker, step=f"{context.marker.step}.undo")
            manifest = job_manifest(arguments, arguments.undo, undoing)
            context.objects.create(manifest, undoing, dry_run=True)
            changes += ["to take it back:", *describe(manifest)]
        return StepPlan(
            self.intent(arguments), tuple(changes), reversible=arguments.undo is not None
        )

    def observe(self, arguments: JobArguments, context: StepContext) -> StepOutcome | None:
        """The outcome if the Job has completed; one that runs or failed is for `apply`."""
        found = _created_before(arguments, context)
        if found is None or not condition(found.created, "Complete"):
            return None
        return found.outcome()

    def stop(self, arguments: JobArguments, context: StepContext) -> str:
        """A Job goes on without its run, so it is deleted."""
        found = _created_before(arguments, context)
        if found is None:
            return NO_EFFECT
        if failed := condition(found.created, "Failed"):
            return found.failure(failed)
        return found.stop()

    def apply(self, arguments: JobArguments, context: StepContext) -> StepOutcome:
        return _run(arguments, arguments, context)

    def undo(
        self, arguments: JobArguments, outcome: StepOutcome, context: StepContext
    ) -> StepOutcome:
        if arguments.undo is None:
            return StepOutcome("The runbook names nothing that would take back what the Job did.")
        return _run(arguments, arguments.undo, context)


def _created_before(arguments: JobArguments, context: StepContext) -> JobRun | None:
    """The Job that this very step created, if it did and the Job is still there."""
    try:
        job = context.objects.read(ObjectRef(JOB, arguments.namespace, job_name(context.marker)))
    except NotFound:
        return None
    if job.marker != str(context.marker):
        return None
    return JobRun(job, arguments.timeout, arguments.start_timeout, context)


def _run(arguments: JobArguments, program: Program, context: StepContext) -> StepOutcome:
    """Create the Job, or find the one that this very step created, and wait for its end."""
    manifest = job_manifest(arguments, program, context.marker)
    created = context.objects.create(manifest, context.marker)
    return JobRun(created, arguments.timeout, arguments.start_timeout, context).finish()
