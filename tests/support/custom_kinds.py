"""Kinds of custom resources, as their operators define them in a real cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from kubernetes.client import ApiClient, ApiextensionsV1Api

from tests.support.kubernetes import eventually


@dataclass(frozen=True)
class CustomKind:
    """A kind whose objects may hold anything; `has_status` gives them that subresource."""

    group: str
    version: str
    kind: str
    plural: str
    has_status: bool = True

    @property
    def name(self) -> str:
        return f"{self.plural}.{self.group}"

    @property
    def definition(self) -> dict[str, Any]:
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {
            "name": self.version,
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}} if self.has_status else {},
        }
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": self.name},
            "spec": {
                "group": self.group,
                "scope": "Namespaced",
                "names": {
                    "kind": self.kind,
                    "plural": self.plural,
                    "singular": self.kind.lower(),
                },
                "versions": [version],
            },
        }


def define(client: ApiClient, *kinds: CustomKind) -> None:
    """Let the cluster serve these kinds, as their operators would; others may use them too, so
    they stay."""
    api = ApiextensionsV1Api(client)
    for kind in kinds:
        _define(api, kind)
        eventually(partial(_established, api, kind.name), bool)


def _define(api: ApiextensionsV1Api, kind: CustomKind) -> None:
    known = {
        one.metadata.name for one in api.list_custom_resource_definition().items if one.metadata
    }
    write: Callable[..., object] = api.create_custom_resource_definition
    if kind.name in known:
        write = partial(api.patch_custom_resource_definition, kind.name)
    write(body=kind.definition)


def _established(api: ApiextensionsV1Api, name: str) -> bool:
    status = api.read_custom_resource_definition(name).status
    conditions = (status.conditions if status else None) or ()
    return any(one.type == "Established" and one.status == "True" for one in conditions)
