"""Watching a Job until it has ended, and telling why it failed or does not begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.errors import NotFound, PermanentError, TemporaryError
from bot.domain.parameter import seconds
from bot.domain.plan import Attachment, StepOutcome
from bot.domain.resource import Resource
from bot.ports import StepContext
from bot.steps.job_manifest import CONTAINER
from bot.steps.pod_bodies import POD, phase, trouble
from bot.steps.polling import Look, NotReached, Patience, watch
from bot.steps.text import LOG_LINES, log_end, sentence
from bot.steps.warnings import Subject, recent_warnings

_GRACE = 30
"""Seconds after its own deadline in which Kubernetes has to have ended the Job."""

_FAILURE_LINES, _FAILURE_CHARACTERS = 15, 1500
"""How much of the log is part of the sentence that says why a Job failed."""


def patience(timeout: str) -> Patience:
    """How long to wait for the end of a Job that has this timeout."""
    return Patience(f"{int(seconds(timeout)) + _GRACE}s")


@dataclass(frozen=True)
class JobRun:
    """One Job as it was created (or found); durations are texts such as ``120s``."""

    created: Resource
    timeout: str
    start_timeout: str
    context: StepContext

    def finish(self) -> StepOutcome:
        """Wait for its end.

        Raises `PermanentError` if it fails, is deleted, never starts, or is stopped with the run.
        """
        # The deadline counts from the Job's creation, as Kubernetes' own does.
        marker = replace(self.context.marker, at=_created_at(self.created))
        try:
            watch(replace(self.context, marker=marker), self._look, patience(self.timeout))
        except NotReached as late:
            if not self.context.stopped():
                raise
            raise PermanentError(self.stop()) from late
        return self.outcome()

    def outcome(self) -> StepOutcome:
        """What to say of a Job that completed."""
        log = Attachment(f"{self.created.ref.name}.log", "text/plain", self._log().encode())
        return StepOutcome(f"{self.title} completed.", attachments=(log,))

    def stop(self) -> str:
        """Delete it, as it would go on by itself; returns what to say of it."""
        said = self._last_words()
        self.context.objects.delete(self.created.ref, self.created.uid)
        return (
            f"{self.title} was stopped with the run and deleted; "
            f"what its program had done by then stays. {said}"
        )

    def failure(self, failed: Mapping[str, Any]) -> str:
        """Why it failed, from its condition, its pod and the end of its log."""
        why = sentence(": ".join(filter(None, (failed.get("reason"), failed.get("message")))))
        pods = self._pods()
        told = trouble(pods[-1].body) if pods else ""
        pod = f" Its pod: {told}." if told else ""
        return f"{self.title} failed ({why}).{pod} {self._last_words()}"

    @property
    def title(self) -> str:
        return f"Job {self.created.ref.namespace}/{self.created.ref.name}"

    def _look(self) -> Look:
        job = self._read()
        if condition(job, "Complete"):
            return Look(True, f"{self.title} completed")
        if failed := condition(job, "Failed"):
            raise PermanentError(self.failure(failed))
        pods = self._pods()
        says = self._progress(pods)
        if not any(phase(pod.body) != "Pending" for pod in pods):
            self._require_start(pods, says)
        return Look(False, says)

    def _read(self) -> Resource:
        try:
            job = self.context.objects.read(self.created.ref)
        except NotFound:
            job = None
        if job is None or job.uid != self.created.uid:
            raise PermanentError(f"{self.title} was deleted before it ended.")
        return job

    def _pods(self) -> Sequence[Resource]:
        """Its pods, the newest last: there is one for each try."""
        ref = self.created.ref
        pods = self.context.objects.find(POD, ref.namespace, {"job-name": ref.name})
        return sorted(pods, key=_created_at)

    def _progress(self, pods: Sequence[Resource]) -> str:
        if not pods:
            return f"{self.title} has no pod yet{self._obstacle}"
        newest = pods[-1]
        why = trouble(newest.body)
        return f"pod {newest.ref.name}: {phase(newest.body)}{f', {why}' if why else ''}"

    @property
    def _obstacle(self) -> str:
        """Why Kubernetes can't make the pod, such as a quota or a missing service account."""
        ref = self.created.ref
        about = Subject(ref.namespace, frozenset({ref.name}))
        try:
            found = recent_warnings(self.context.objects, about, _created_at(self.created))
        except (PermanentError, TemporaryError):
            return ""  # it only explains; whoever may not read events can still run a Job
        return f": {found[0].reason}: {found[0].message}" if found else ""

    def _require_start(self, pods: Sequence[Resource], says: str) -> None:
        """Give up on a pod that does not start; a Job that began later would surprise."""
        since = _created_at(pods[-1] if pods else self.created)
        if self.context.clock.now() - since < timedelta(seconds=seconds(self.start_timeout)):
            return
        self.context.objects.delete(self.created.ref, self.created.uid)
        raise PermanentError(
            f"{self.title} did not start within {self.start_timeout} and was deleted; {says}."
        )

    def _last_words(self) -> str:
        end = log_end(self._log(), _FAILURE_LINES, _FAILURE_CHARACTERS)
        return f"The end of its log:\n{end}"

    def _log(self) -> str:
        """The end of the newest pod's log; why it can't be read is said in its place."""
        try:
            pods = self._pods()
            text = self.context.objects.log(pods[-1].ref, CONTAINER, LOG_LINES) if pods else ""
        except (TemporaryError, PermanentError, NotFound) as error:
            return f"(it can't be read: {error})"
        return log_end(text) or "(it is empty)"


def condition(job: Resource, kind: str) -> Mapping[str, Any]:
    """The Job's condition of this kind, empty unless it is true."""
    conditions = (job.body.get("status") or {}).get("conditions") or ()
    true = (one for one in conditions if one["status"] == "True")
    return next((one for one in true if one["type"] == kind), {})


def _created_at(resource: Resource) -> datetime:
    return datetime.fromisoformat(resource.body["metadata"]["creationTimestamp"])
