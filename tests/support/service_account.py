"""A ServiceAccount of a real cluster that may do exactly what a file of `deploy/` lets it do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import (
    ApiClient,
    AuthorizationV1Api,
    Configuration,
    CoreV1Api,
    RbacAuthorizationV1Api,
)

from tests.support.kubernetes import eventually

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
NAME = "tocsin"

Rules = Sequence[Mapping[str, Any]]


def shipped_rules() -> Rules:
    """The rules of the Role that is shipped."""
    role = yaml.safe_load((DEPLOY / "runbooks" / "role.yaml").read_text(encoding="utf-8"))
    rules: Rules = role["rules"]
    return rules


def component_rules(name: str) -> Rules:
    """The rules that a component adds to the Role."""
    place = DEPLOY / "components" / name / "kustomization.yaml"
    component = yaml.safe_load(place.read_text(encoding="utf-8"))
    patches = (yaml.safe_load(patch["patch"]) for patch in component.get("patches", ()))
    return [operation["value"] for patch in patches for operation in patch]


def cluster_rules(name: str) -> Rules:
    """The rules of the ClusterRole that a component brings; none for most."""
    place = DEPLOY / "components" / name / "cluster-role.yaml"
    if not place.exists():
        return []
    role = next(yaml.safe_load_all(place.read_text(encoding="utf-8")))
    rules: Rules = role["rules"]
    return rules


def without(rules: Rules, resource: str, verb: str) -> Rules:
    """The rules but for one verb on one resource."""
    return [
        {**rule, "verbs": verbs}
        for rule in rules
        if (verbs := [it for it in rule["verbs"] if (it, rule["resources"]) != (verb, [resource])])
    ]


@dataclass(frozen=True)
class ServiceAccount:
    """An account in a namespace, and the client that signs in with its token."""

    client: ApiClient

    @classmethod
    def create(cls, admin: ApiClient, namespace: str, rules: Rules) -> ServiceAccount:
        """Make the account, the Role and its binding; they go with the namespace."""
        core: Any = CoreV1Api(admin)  # as kubectl, with plain JSON and not the client's models
        rbac: Any = RbacAuthorizationV1Api(admin)
        core.create_namespaced_service_account(namespace, _named())
        rbac.create_namespaced_role(namespace, {**_named(), "rules": list(rules)})
        subject = {"kind": "ServiceAccount", "name": NAME, "namespace": namespace}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME}
        binding = {**_named(), "roleRef": role, "subjects": [subject]}
        rbac.create_namespaced_role_binding(namespace, binding)
        return cls(_signed_in(admin, _token(core, namespace)))

    def also(self, admin: ApiClient, namespace: str, rules: Rules) -> Callable[[], None]:
        """Give the account these rights in the whole cluster; the returned call takes them back."""
        rbac: Any = RbacAuthorizationV1Api(admin)
        name = {"metadata": {"name": f"{NAME}-{namespace}"}}
        subject = {"kind": "ServiceAccount", "name": NAME, "namespace": namespace}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole"}
        role |= {"name": name["metadata"]["name"]}
        rbac.create_cluster_role({**name, "rules": list(rules)})
        rbac.create_cluster_role_binding({**name, "roleRef": role, "subjects": [subject]})

        def take_back() -> None:
            rbac.delete_cluster_role_binding(role["name"])
            rbac.delete_cluster_role(role["name"])

        return take_back


def _named() -> dict[str, Any]:
    return {"metadata": {"name": NAME}}


def _token(core: Any, namespace: str) -> str:
    """A token by the TokenRequest API, as the kubelet gets one for a pod."""
    request = {"spec": {"expirationSeconds": 3600}}
    made = core.create_namespaced_service_account_token(NAME, namespace, request)
    token: str = made.status.token
    return token


def _signed_in(admin: ApiClient, token: str) -> ApiClient:
    configuration = Configuration()
    configuration.host = admin.configuration.host
    configuration.ssl_ca_cert = admin.configuration.ssl_ca_cert
    configuration.api_key = {"authorization": f"Bearer {token}"}
    configuration.retries = False
    return ApiClient(configuration)


def kubeconfig(server: Configuration, token: str) -> dict[str, Any]:
    """What signs in with that token where `server` leads to."""
    place = {"server": server.host, "certificate-authority": server.ssl_ca_cert}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": place}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": NAME}}],
        "current-context": "test",
    }


def in_force(client: ApiClient, namespace: str) -> None:
    """Wait until the API server lets the account list Services, which all of these roles may."""
    attributes = {"namespace": namespace, "verb": "list", "resource": "services"}
    review = {"spec": {"resourceAttributes": attributes}}
    api: Any = AuthorizationV1Api(client)
    ask = api.create_self_subject_access_review
    eventually(lambda: bool(ask(review).status.allowed), bool)
