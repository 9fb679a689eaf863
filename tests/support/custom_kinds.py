"""Kinds of custom resources, made in a real cluster for the time of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from kubernetes.client import ApiClient, ApiextensionsV1Api
from kubernetes.client.exceptions import ApiException

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


@contextmanager
def served(client: ApiClient, *kinds: CustomKind) -> Iterator[None]:
    """The cluster serves these kinds; those that it did not serve before are removed again."""
    api = ApiextensionsV1Api(client)
    made = [kind for kind in kinds if _made(api, kind)]
    try:
        for kind in kinds:
            eventually(lambda name=kind.name: _established(api, name), bool)  # type: ignore[misc]
        yield
    finally:
        for kind in made:
            api.delete_custom_resource_definition(kind.name)


def _made(api: ApiextensionsV1Api, kind: CustomKind) -> bool:
    with suppress(ApiException):
        api.read_custom_resource_definition(kind.name)
        return False
    api.create_custom_resource_definition(kind.definition)  # type: ignore[arg-type]
    return True


def _established(api: ApiextensionsV1Api, name: str) -> bool:
    status = api.read_custom_resource_definition(name).status
    conditions = (status.conditions if status else None) or ()
    return any(one.type == "Established" and one.status == "True" for one in conditions)
