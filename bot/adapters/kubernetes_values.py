"""Kubernetes API objects, as the JSON that the server sent, turned into domain values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.domain.cluster import (
    DEPLOYMENT,
    MARKER_ANNOTATION,
    SERVICE,
    Autoscaler,
    Deployment,
    DisruptionBudget,
    ObjectRef,
    Pod,
    Revision,
    Service,
)

Json = dict[str, Any]
REVISION_ANNOTATION = "deployment.kubernetes.io/revision"
RESTART_ANNOTATION = "kubectl.kubernetes.io/restartedAt"
TEMPLATE_HASH_LABEL = "pod-template-hash"


def deployment(raw: Json) -> Deployment:
    """Read a Deployment; `deadline_exceeded` speaks of the newest generation only."""
    spec, status = raw["spec"], raw.get("status") or {}
    generation = raw["metadata"].get("generation", 0)
    observed = status.get("observedGeneration", 0)
    return Deployment(
        ref=_ref(DEPLOYMENT, raw),
        uid=raw["metadata"]["uid"],
        generation=generation,
        observed_generation=observed,
        spec_digest=spec_digest(raw),
        marker=marker_of(raw),
        revision=revision_number(raw),
        paused=bool(spec.get("paused")),
        selector=match_labels(raw),
        images=_images(spec["template"]),
        desired=spec.get("replicas", 1),
        current=status.get("replicas", 0),
        updated=status.get("updatedReplicas", 0),
        ready=status.get("readyReplicas", 0),
        available=status.get("availableReplicas", 0),
        deadline_exceeded=observed >= generation and _deadline_exceeded(raw),
    )


def revision(raw: Json, current: int) -> Revision:
    """Read a ReplicaSet as one entry of its Deployment's history."""
    number = revision_number(raw)
    return Revision(
        number=number,
        name=name_of(raw),
        images=_images(raw["spec"]["template"]),
        created_at=datetime.fromisoformat(raw["metadata"]["creationTimestamp"]),
        current=number == current,
        template_digest=_template_digest(raw["spec"]["template"]),
    )


def service(raw: Json) -> Service:
    """Read a Service; one without a selector (its endpoints are kept by hand) has an empty one."""
    return Service(
        ref=_ref(SERVICE, raw),
        uid=raw["metadata"]["uid"],
        spec_digest=spec_digest(raw),
        marker=marker_of(raw),
        selector=raw["spec"].get("selector") or {},
    )


def pod(raw: Json) -> Pod:
    """Read a pod, with the first reason that keeps it from being ready."""
    status = raw.get("status") or {}
    ready = _condition(status, "Ready").get("status") == "True"
    return Pod(
        name=name_of(raw),
        ready=ready,
        phase=status.get("phase", "Pending"),
        restarts=sum(item["restartCount"] for item in status.get("containerStatuses") or ()),
        reason="" if ready else next(_reasons(status), "NotReady"),
    )


def budget(raw: Json) -> DisruptionBudget:
    """Read a PodDisruptionBudget."""
    allowed = (raw.get("status") or {}).get("disruptionsAllowed", 0)
    return DisruptionBudget(name_of(raw), allowed)


def autoscaler(raw: Json) -> Autoscaler:
    """Read a HorizontalPodAutoscaler; its minimum defaults to 1 (API reference, autoscaling/v1)."""
    spec = raw["spec"]
    return Autoscaler(name_of(raw), spec.get("minReplicas", 1), spec["maxReplicas"])


def is_active(raw: Json) -> bool:
    """Whether a pod still counts: neither finished nor being deleted.

    Source: `IsPodActive`, by which Kubernetes' controllers count replicas
    (kubernetes/pkg/controller/controller_utils.go).
    """
    phase = (raw.get("status") or {}).get("phase")
    return phase not in ("Succeeded", "Failed") and "deletionTimestamp" not in raw["metadata"]


def is_owned(raw: Json, uid: str) -> bool:
    """Whether the object's controller is the one with this uid."""
    owners = raw["metadata"].get("ownerReferences") or ()
    return any(owner["uid"] == uid and owner.get("controller") for owner in owners)


def spec_digest(raw: Json) -> str:
    """SHA-256 over the object's desired state, without the number of replicas.

    An autoscaler changes that number at any time; a plan made a minute ago still holds.
    """
    spec = raw.get("spec")
    if isinstance(spec, dict):
        return _digest({name: value for name, value in spec.items() if name != "replicas"})
    # What has no spec, such as a ConfigMap, holds its desired state beside its metadata.
    others = ("apiVersion", "kind", "metadata", "status")
    return _digest({name: value for name, value in raw.items() if name not in others})


def _digest(value: Any) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def name_of(raw: Json) -> str:
    """Return the object's name."""
    return str(raw["metadata"]["name"])


def match_labels(raw: Json) -> Mapping[str, str]:
    """Return the equality part of a Deployment's selector, which nearly all make do with."""
    return raw["spec"]["selector"].get("matchLabels") or {}


def marker_of(raw: Json) -> str:
    """Return what the last step of a runbook left on the object, or an empty text."""
    return annotations_of(raw).get(MARKER_ANNOTATION, "")


def annotations_of(raw: Json) -> Mapping[str, str]:
    """Return the object's annotations, none if it has no such field."""
    return raw["metadata"].get("annotations") or {}


def labels_of(raw: Json) -> Mapping[str, str]:
    """Return the object's labels, none if it has no such field."""
    return raw["metadata"].get("labels") or {}


def revision_number(raw: Json) -> int:
    """Return a Deployment's or ReplicaSet's revision, 0 before its controller has seen it."""
    return int(annotations_of(raw).get(REVISION_ANNOTATION, "0"))


def _template_digest(template: Json) -> str:
    metadata = template.get("metadata") or {}
    written_later = {TEMPLATE_HASH_LABEL, RESTART_ANNOTATION}
    texts = [*(metadata.get("labels") or {}).items(), *(metadata.get("annotations") or {}).items()]
    return _digest([sorted(it for it in texts if it[0] not in written_later), template["spec"]])


def _ref(kind: str, raw: Json) -> ObjectRef:
    return ObjectRef(kind, raw["metadata"]["namespace"], name_of(raw))


def _images(template: Json) -> tuple[str, ...]:
    return tuple(container["image"] for container in template["spec"]["containers"])


def _condition(status: Json, kind: str) -> Json:
    conditions = status.get("conditions") or ()
    return next((item for item in conditions if item["type"] == kind), {})


def _deadline_exceeded(raw: Json) -> bool:
    """Whether the newest template's rollout ran out of time.

    After a template was replaced, its condition stays for a moment (5 ms were seen on an
    idle cluster) although the new generation counts as observed. So a condition that is
    not younger than the template says nothing; times are RFC 3339 in UTC, whole seconds.
    """
    condition = _condition(raw.get("status") or {}, "Progressing")
    exceeded: bool = condition.get("reason") == "ProgressDeadlineExceeded"
    return exceeded and condition["lastUpdateTime"] > _template_written_at(raw)


def _template_written_at(raw: Json) -> str:
    """Return when the pod template was last written, by the server's own record of it."""
    entries = raw["metadata"].get("managedFields") or ()
    written = (
        entry.get("time", "")
        for entry in entries
        if "f:template" in (entry.get("fieldsV1") or {}).get("f:spec", {})
    )
    return max(written, default="")


def _reasons(status: Json) -> Iterator[str]:
    """Why a pod is not ready, the most telling first, as `kubectl get pods` orders it."""
    if status.get("reason"):
        yield status["reason"]
    containers = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    for container in containers:
        state = container.get("state") or {}
        stopped = state.get("waiting") or state.get("terminated") or {}
        if stopped.get("reason", "Completed") != "Completed":
            yield stopped["reason"]
    for kind in ("PodScheduled", "Ready"):
        condition = _condition(status, kind)
        if condition.get("status") == "False" and condition.get("reason"):
            yield condition["reason"]
