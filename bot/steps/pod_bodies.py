"""What pods say about themselves, read from their JSON as the API server sent it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain.resource import Manifest
from bot.steps.text import sentence

POD = "pod"

_ON_ITS_WAY = ("ContainerCreating", "PodInitializing")


def controller_of(body: Manifest) -> Mapping[str, Any] | None:
    """The owner that makes the pod anew when it goes, if it has one."""
    owners = body["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), None)


def is_finished(body: Manifest) -> bool:
    """Whether its containers have ended for good."""
    return phase(body) in ("Succeeded", "Failed")


def is_leaving(body: Manifest) -> bool:
    """Whether it is being deleted."""
    return "deletionTimestamp" in body["metadata"]


def is_ready(body: Manifest) -> bool:
    """Whether it takes traffic."""
    return any(it["type"] == "Ready" and it["status"] == "True" for it in _conditions(body))


def empty_dirs(body: Manifest) -> Sequence[str]:
    """The names of its volumes whose data goes with the pod."""
    volumes = body["spec"].get("volumes") or ()
    return [volume["name"] for volume in volumes if "emptyDir" in volume]


def phase(body: Manifest) -> str:
    """``Pending``, ``Running``, ``Succeeded``, ``Failed``."""
    return str(_status(body).get("phase", "Pending"))


def trouble(body: Manifest) -> str:
    """What keeps the pod from running, or ended it, in the cluster's words; or empty."""
    return next(_troubles(body), "")


def _troubles(body: Manifest) -> Iterator[str]:
    for condition in _conditions(body):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield _said(condition)
    for container in _containers(body):
        state = container.get("state") or {}
        ended = state.get("terminated") or {}
        if ended.get("exitCode"):
            yield f"{_said(ended)} (exit code {ended['exitCode']})"
        waiting = state.get("waiting") or {}
        if waiting.get("reason") and waiting["reason"] not in _ON_ITS_WAY:
            yield _said(waiting)
    if _status(body).get("reason"):
        yield _said(_status(body))


def _said(state: Mapping[str, Any]) -> str:
    """``ImagePullBackOff: Back-off pulling image …``."""
    texts = (state.get("reason") or "no reason given", state.get("message"))
    return sentence(": ".join(filter(None, texts)))


def _status(body: Manifest) -> Mapping[str, Any]:
    return body.get("status") or {}


def _conditions(body: Manifest) -> list[Mapping[str, Any]]:
    return _status(body).get("conditions") or []


def _containers(body: Manifest) -> list[Mapping[str, Any]]:
    status = _status(body)
    kinds = ("initContainerStatuses", "containerStatuses")
    return [container for kind in kinds for container in status.get(kind) or ()]
