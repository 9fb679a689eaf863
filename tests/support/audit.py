"""What a real API server wrote down of one user's doings, and that user.

The audit policy of the test clusters leaves the administrator out, so whoever is to be
watched needs a name of its own: a service account that may do everything in its namespace.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from kubernetes.client import (
    ApiClient,
    AuthorizationV1Api,
    CoreV1Api,
    RbacAuthorizationV1Api,
)

from bot.adapters.kubernetes import connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.domain.cluster import ObjectRef
from bot.domain.errors import NotFound, PermanentError
from tests.support.kubernetes import SECONDS, Namespace, eventually
from tests.support.service_account import kubeconfig

USER = "tocsin"
GROUP = "rbac.authorization.k8s.io"
VERBS = frozenset({"get", "list", "watch", "create", "update", "patch", "delete"})
EVERYTHING = ({"apiGroups": ["*"], "resources": ["*"], "verbs": sorted(VERBS)},)
CHANGES = frozenset({"create", "update", "patch"})
"""The verbs that count. Whether a deletion was a dry run stands in its body, which the log has
not; but nothing is deleted twice."""
HOUR = 3600


def audit_log(kubeconfig: str) -> Path:
    """The cluster's audit log, which lies beside its kubeconfig; skips the test without one."""
    log = Path(kubeconfig).parent / "audit.log"
    if not log.is_file():
        pytest.skip(f"the cluster's audit log is missing: {log}")
    return log


@dataclass(frozen=True)
class ApiUser:
    """A service account of the namespace; `rules` of its Role say what it may do."""

    namespace: Namespace
    kubeconfig: Path

    @classmethod
    def create(cls, namespace: Namespace, folder: Path) -> ApiUser:
        user = cls(namespace, folder / f"{namespace.name}.json")
        core = CoreV1Api(namespace.client)
        core.create_namespaced_service_account(namespace.name, _plain({"metadata": {"name": USER}}))
        user._bind()
        wanted = _plain({"spec": {"audiences": [], "expirationSeconds": HOUR}})
        made: Any = core.create_namespaced_service_account_token(USER, namespace.name, wanted)
        config = kubeconfig(namespace.client.configuration, made.status.token)
        user.kubeconfig.write_text(json.dumps(config))
        objects = KubernetesObjects(user.client(), SECONDS)
        eventually(lambda: user._sees(objects), bool)
        return user

    def client(self, url: str = "") -> ApiClient:
        """The API server, as this user reaches it: at its own address, or at `url`."""
        if not url:
            return connect(str(self.kubeconfig), None)
        # A file of its own: the client reads the address anew with every token.
        config = json.loads(self.kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = url
        file = self.kubeconfig.with_name(f"{uuid4().hex}.json")
        file.write_text(json.dumps(config))
        return connect(str(file), None)

    @property
    def name(self) -> str:
        return f"system:serviceaccount:{self.namespace.name}:{USER}"

    def _bind(self) -> None:
        rbac, place = RbacAuthorizationV1Api(self.namespace.client), self.namespace.name
        role = {"metadata": {"name": USER}, "rules": list(EVERYTHING)}
        binding = {
            "metadata": {"name": USER},
            "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": USER},
            "subjects": [{"kind": "ServiceAccount", "name": USER, "namespace": place}],
        }
        rbac.create_namespaced_role(place, _plain(role))
        rbac.create_namespaced_role_binding(place, _plain(binding))

    def loses(self, verb: str) -> None:
        """From now on it may do that no more."""
        rbac, place = RbacAuthorizationV1Api(self.namespace.client), self.namespace.name
        left = sorted(VERBS - {verb})
        rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": left}]
        rbac.patch_namespaced_role(USER, place, _plain({"rules": rules}))
        eventually(lambda: self._may(verb), lambda may: not may)

    def _may(self, verb: str) -> bool:
        asked = {"namespace": self.namespace.name, "verb": verb, "resource": "configmaps"}
        review: Any = AuthorizationV1Api(self.client()).create_self_subject_access_review(
            _plain({"spec": {"resourceAttributes": asked}})
        )
        return bool(review.status.allowed)

    def _sees(self, objects: KubernetesObjects) -> bool:
        """Whether RBAC has come to know the role: then what isn't there is not found."""
        try:
            objects.read(ObjectRef("configmap", self.namespace.name, "nothing"))
        except NotFound:
            return True
        except PermanentError:
            return False
        return True


@dataclass(frozen=True)
class Audit:
    """The audit log from some moment on, as far as it is about one user."""

    log: Path
    user: str
    begin: int

    @classmethod
    def of(cls, user: ApiUser, log: Path) -> Audit:
        """From now on."""
        return cls(log, user.name, log.stat().st_size)

    def mutations(self) -> list[str]:
        """What was really changed, such as ``patch deployments shop``, in order."""
        return [_said(one) for one in self._entries() if _is_mutation(one)]

    def _entries(self) -> Iterator[dict[str, Any]]:
        with self.log.open("rb") as log:
            log.seek(self.begin)
            for line in log:
                if self.user.encode() in line and line.endswith(b"\n"):
                    yield json.loads(line)


def _is_mutation(entry: Mapping[str, Any]) -> bool:
    """Whether the request was to change something, and was not refused."""
    query = parse_qs(urlsplit(entry["requestURI"]).query)
    return (
        entry["stage"] == "ResponseComplete"
        and entry["verb"] in CHANGES
        and "objectRef" in entry
        and "dryRun" not in query
        and entry["responseStatus"]["code"] < 300
    )


def _said(entry: Mapping[str, Any]) -> str:
    ref = entry["objectRef"]
    plural = "/".join(filter(None, (ref["resource"], ref.get("subresource", ""))))
    return f"{entry['verb']} {plural} {ref.get('name', '')}"


def _plain(body: Mapping[str, Any]) -> Any:
    """Plain JSON, as kubectl sends it; the client's types ask for its models."""
    return body
