"""The stage of one rehearsal: what the cluster, Prometheus and health addresses answer."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from bot.domain.errors import PermanentError
from bot.domain.graph import Graph, Picture
from bot.domain.merge_patch import merged
from bot.domain.rehearsal import Fault, Rehearsal
from bot.domain.resource import Manifest
from bot.ports import HealthAnswer
from bot.sandbox.kubernetes import SandboxCluster, kubernetes_app
from bot.sandbox.kubernetes.refusals import Refusal
from bot.sandbox.kubernetes.store import NAMESPACES, RESOURCES, Json, Resource
from bot.sandbox.rehearsal.clock import VirtualClock

BLANK = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
"""A PNG of one pixel."""

SETTLING = 30.0
"""Seconds that pass after each object is set up, so that it is rolled out."""


class Stage:
    """Implements the ports `Metrics`, `Graphs` and `HealthProbe`, as the rehearsal says."""

    def __init__(self, rehearsal: Rehearsal, clock: VirtualClock) -> None:
        self._rehearsal = rehearsal
        self._clock = clock
        self._metrics = dict(rehearsal.metrics)
        self._http = dict(rehearsal.http)
        self._away_until: datetime | None = None
        self._done: set[int] = set()
        empty: Json = {"resourceVersion": 0, "objects": {}}
        self._cluster = SandboxCluster(clock.now, state=empty)
        for manifest in rehearsal.cluster:
            self.put(manifest)
            clock.sleep(SETTLING)

    def app(self) -> ASGIApp:
        """The cluster's API server; while it is away every request is answered with 503."""
        api = kubernetes_app(self._cluster)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and self._away():
                await send({"type": "http.response.start", "status": 503, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
            await api(scope, receive, send)

        return answer

    def reach(self, moment: str, abort: Callable[[], None]) -> None:
        """Let the faults happen that stand before this step, each of them once."""
        for number, fault in enumerate(self._rehearsal.faults):
            if fault.before == moment and number not in self._done:
                self._done.add(number)
                self._clock.after(fault.after, partial(self._happen, fault, abort))

    def put(self, manifest: Manifest) -> None:
        """Make an object, or merge the manifest into the one that is there."""
        resource, namespace, name = _place(manifest)
        if namespace and self._get(NAMESPACES, "", namespace) is None:
            self._cluster.create(NAMESPACES, "", {"metadata": {"name": namespace}})
        if self._get(resource, namespace, name) is None:
            self._cluster.create(resource, namespace, self._owned(manifest))
        else:
            self._cluster.change(resource, namespace, name, lambda old: merged(old, manifest))

    def _owned(self, manifest: Manifest) -> Json:
        """A copy in which owners have the uids that they were given here."""
        body = deepcopy(dict(manifest))
        for owner in body["metadata"].get("ownerReferences", ()):
            place = {"name": owner["name"], "namespace": body["metadata"].get("namespace", "")}
            there = self.find({**owner, "metadata": place})
            if there is None:
                raise PermanentError(f"{owner['kind']} {owner['name']} has to be set up before.")
            owner["uid"] = there["metadata"]["uid"]
        return body

    def find(self, manifest: Manifest) -> Manifest | None:
        """The object that a manifest is about, as it is now."""
        return self._get(*_place(manifest))

    def query(self, expression: str, timeout: float) -> Sequence[tuple[Mapping[str, str], float]]:
        if expression not in self._metrics:
            raise PermanentError(f"The rehearsal says nothing about the query “{expression}”.")
        return [({}, self._metrics[expression])]

    def draw(self, graph: Graph, timeout: float) -> Picture:
        """A picture of nothing; that there would be one is all that a rehearsal is about."""
        return Picture(BLANK, len(self.query(graph.expression, timeout)))

    def check(self, url: str) -> None:
        """Every address may be asked; only those that the rehearsal knows answer."""

    def get(self, url: str, timeout: float) -> HealthAnswer:
        if url not in self._http:
            raise PermanentError(f"The rehearsal says nothing about the address {url}.")
        return HealthAnswer(self._http[url])

    def _happen(self, fault: Fault, abort: Callable[[], None]) -> None:
        if fault.change is not None:
            self.put(fault.change)
        if fault.delete is not None:
            self._cluster.delete(*_place(fault.delete))
        if fault.unreachable is not None:
            self._away_until = self._clock.now() + fault.unreachable
        if fault.abort:
            abort()
        self._metrics |= fault.metrics
        self._http |= fault.http

    def _away(self) -> bool:
        return self._away_until is not None and self._clock.now() < self._away_until

    def _get(self, resource: Resource, namespace: str, name: str) -> Json | None:
        try:
            return self._cluster.get(resource, namespace, name)
        except Refusal:
            return None


def _place(manifest: Manifest) -> tuple[Resource, str, str]:
    """Where an object is kept. Raises `PermanentError` for a kind that the stage has not."""
    metadata = manifest["metadata"]
    for resource in RESOURCES:
        if (resource.api_version, resource.kind) == (manifest["apiVersion"], manifest["kind"]):
            return resource, metadata.get("namespace", ""), metadata["name"]
    raise PermanentError(
        f"The sandbox has no {manifest['kind']} of {manifest['apiVersion']} to rehearse with."
    )
