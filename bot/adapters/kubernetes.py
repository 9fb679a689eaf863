"""The `Cluster` port on the official Kubernetes client."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC

from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config
from yaml import YAMLError

from bot.adapters import kubernetes_values as values
from bot.adapters.kubernetes_api import KubernetesApi
from bot.adapters.kubernetes_blast_radius import active_pods, blast_radius
from bot.adapters.kubernetes_values import Json
from bot.domain.cluster import (
    MARKER_ANNOTATION,
    BlastRadius,
    Deployment,
    Marker,
    ObjectRef,
    Pod,
    Revision,
    Service,
)
from bot.domain.errors import Conflict, NotFound, PermanentError, TemporaryError
from bot.domain.nearest import guess

TRIES = 5
"""Tries of a change while controllers write the object's status in between."""


def connect(kubeconfig: str | None, host: str | None, context: str = "") -> ApiClient:
    """Connect by a kubeconfig file, else to `host` (plain http), else from within a pod.

    `context` is one of the kubeconfig's; its current one, if none is named.

    The client's own retries are off: whether a call is repeated is decided elsewhere.

    Raises:
        PermanentError: the file or the pod's service account can't be used.
    """
    configuration = Configuration()
    if context and not kubeconfig:
        raise PermanentError(f"Only a kubeconfig has other clusters, such as {context}.")
    if kubeconfig or not host:
        _authenticate(configuration, kubeconfig, context)
    else:
        configuration.host = host
        configuration.proxy = None  # a server on loopback is not behind the environment's proxy
    configuration.retries = False
    return ApiClient(configuration)


def _authenticate(configuration: Configuration, kubeconfig: str | None, context: str) -> None:
    source = f"The kubeconfig {kubeconfig}" if kubeconfig else "The pod's service account"
    try:
        if kubeconfig:
            load_kube_config(  # type: ignore[no-untyped-call]
                kubeconfig,
                context=context or None,
                client_configuration=configuration,
                persist_config=False,
            )
        else:
            load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError, YAMLError) as error:
        reason = " ".join(str(error).split())
        raise PermanentError(f"{source} can't be used: {reason}") from error
    except (TypeError, AttributeError, LookupError) as error:
        raise PermanentError(f"{source} can't be used: it has not the right form") from error


class KubernetesCluster:
    """The cluster behind `client`; a request is given up after `timeout` seconds."""

    def __init__(self, client: ApiClient, timeout: float) -> None:
        self._api = KubernetesApi(client, timeout)

    def deployment(self, ref: ObjectRef) -> Deployment:
        return values.deployment(self._read(ref))

    def deployments(self, namespace: str | None = None) -> Sequence[Deployment]:
        if namespace is None:
            found = self._api.find_all_deployments()
        else:
            found = self._api.find("deployments", namespace, {})
        return tuple(map(values.deployment, found))

    def revisions(self, ref: ObjectRef) -> Sequence[Revision]:
        live = self._api.read(ref)
        history = self._history(live)
        current = values.revision_number(live)
        newest_first = sorted(history, reverse=True)
        return tuple(values.revision(history[number], current) for number in newest_first)

    def restart(self, ref: ObjectRef, marker: Marker, *, dry_run: bool = False) -> Deployment:
        restarted_at = marker.at.astimezone(UTC).isoformat()
        template = {"metadata": {"annotations": {values.RESTART_ANNOTATION: restarted_at}}}

        def change(live: Json) -> Json:
            _refuse_paused(live, "restarted")
            metadata = {
                "annotations": {MARKER_ANNOTATION: str(marker)},
                "resourceVersion": live["metadata"]["resourceVersion"],
            }
            patch = {"metadata": metadata, "spec": {"template": template}}
            return self._api.strategic_merge(ref, patch, dry_run)

        return values.deployment(self._onto_the_same(ref, change))

    def roll_back(
        self, ref: ObjectRef, revision: int, marker: Marker, *, dry_run: bool = False
    ) -> Deployment:
        def change(live: Json) -> Json:
            if values.marker_of(live) == str(marker):
                return live  # done before: the revision has a new number since
            _refuse_paused(live, "rolled back")
            template = self._template(live, revision)
            patch = [
                _only_this_version(live),
                _marked(live, marker),
                {"op": "replace", "path": "/spec/template", "value": template},
            ]
            return self._api.json_patch(ref, patch, dry_run)

        return values.deployment(self._onto_the_same(ref, change))

    def _onto_the_same(self, ref: ObjectRef, change: Callable[[Json], Json]) -> Json:
        """Change the object as it was read; a new status meanwhile is no other object."""
        live = first = self._api.read(ref)
        for _ in range(TRIES):
            try:
                return change(live)
            except Conflict:
                live = self._api.read(ref)
                if _wanted(live) != _wanted(first):
                    raise
        return change(live)

    def service(self, ref: ObjectRef) -> Service:
        return values.service(self._read(ref))

    def switch_service(
        self,
        ref: ObjectRef,
        selector: Mapping[str, str],
        marker: Marker,
        *,
        dry_run: bool = False,
    ) -> Service:
        live = self._api.read(ref)
        patch = [
            _only_this_version(live),
            _marked(live, marker),
            {"op": "add", "path": "/spec/selector", "value": dict(selector)},
        ]
        return values.service(self._api.json_patch(ref, patch, dry_run))

    def pods(self, namespace: str, selector: Mapping[str, str]) -> Sequence[Pod]:
        return tuple(map(values.pod, active_pods(self._api, namespace, selector)))

    def blast_radius(self, namespace: str, selector: Mapping[str, str]) -> BlastRadius:
        return blast_radius(self._api, namespace, selector)

    def _read(self, ref: ObjectRef) -> Json:
        try:
            return self._api.read(ref)
        except NotFound as error:
            raise NotFound(f"{error}.{guess(ref.name, self._names_beside(ref))}") from error

    def _names_beside(self, ref: ObjectRef) -> list[str]:
        """The names of that kind in the same namespace; none when they can't be listed."""
        try:
            found = self._api.find(f"{ref.kind}s", ref.namespace, {})
        except (TemporaryError, PermanentError):
            return []
        return [values.name_of(raw) for raw in found]

    def _template(self, live: Json, revision: int) -> Json:
        """Return the pod template of `revision`, as it was before its ReplicaSet got it."""
        history = self._history(live)
        if revision not in history:
            there_are = ", ".join(map(str, sorted(history))) or "none"
            raise NotFound(f"{_called(live)} has no revision {revision}; there are: {there_are}")
        template: Json = deepcopy(history[revision]["spec"]["template"])
        template["metadata"]["labels"].pop(values.TEMPLATE_HASH_LABEL, None)
        return template

    def _history(self, live: Json) -> Mapping[int, Json]:
        """Return the ReplicaSets that the Deployment `live` still keeps, by revision."""
        metadata = live["metadata"]
        found = self._api.find("replicasets", metadata["namespace"], values.match_labels(live))
        owned = [raw for raw in found if values.is_owned(raw, metadata["uid"])]
        return {values.revision_number(raw): raw for raw in owned}


def _refuse_paused(live: Json, action: str) -> None:
    if live["spec"].get("paused"):
        raise PermanentError(f"{_called(live)} is paused; resume it before it is {action}")


def _called(live: Json) -> str:
    return f"Deployment {live['metadata']['namespace']}/{values.name_of(live)}"


def _only_this_version(live: Json) -> Json:
    """Return the operation by which the server refuses the patch if `live` is not the newest."""
    version = live["metadata"]["resourceVersion"]
    return {"op": "replace", "path": "/metadata/resourceVersion", "value": version}


def _wanted(live: Json) -> tuple[str, str, str]:
    """What tells an object from another one, or from one that somebody changed."""
    return live["metadata"]["uid"], values.spec_digest(live), values.marker_of(live)


def _marked(live: Json, marker: Marker) -> Json:
    """Return the operation that adds `marker` to the object `live`."""
    if values.annotations_of(live):
        key = MARKER_ANNOTATION.replace("/", "~1")  # as JSON pointers escape it
        return {"op": "add", "path": f"/metadata/annotations/{key}", "value": str(marker)}
    annotations = {MARKER_ANNOTATION: str(marker)}
    return {"op": "add", "path": "/metadata/annotations", "value": annotations}
