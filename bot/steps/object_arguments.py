"""How runbooks name any object: ``kind: apps/v1 StatefulSet`` and ``object: payments/db``."""

from __future__ import annotations

from typing import Annotated, Any

from bot.domain.cluster import ObjectRef, kind_of
from bot.domain.parameter import Form
from bot.domain.resource import Resource
from bot.steps.arguments import Arguments, Formed

_NAME = r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?"
_KIND = Form(
    r"([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?v[0-9][a-z0-9]{0,20} [A-Za-z]{1,63}",
    "an API version and a kind with a space between",
    "apps/v1 StatefulSet",
)
_OBJECT = Form(rf"([a-z0-9-]{{1,63}}/)?{_NAME}", "namespace/name, or a name alone", "payments/db")

Kind = Annotated[str, Formed(_KIND)]
ObjectPath = Annotated[str, Formed(_OBJECT)]

SECRET = "secret"  # noqa: S105 - the name of a kind
WORKLOADS = ("deployment", "statefulset", "daemonset")
"""The kinds whose pods a change of theirs touches."""


class ObjectArguments(Arguments):
    """One object; what is in no namespace, such as a node, has only a name."""

    kind: Kind
    object: ObjectPath

    @property
    def ref(self) -> ObjectRef:
        return object_ref(self.kind, self.object)

    @property
    def subject(self) -> str:
        """The object in words: ``StatefulSet payments/db``."""
        return f"{self.kind.partition(' ')[2]} {self.object}"


def kind_name(kind: str) -> str:
    """The kind as an `ObjectRef` has it."""
    api_version, _, word = kind.partition(" ")
    return kind_of(api_version, word)


def object_ref(kind: str, path: str) -> ObjectRef:
    """The object of a kind (``apps/v1 StatefulSet``) that a path (``payments/db``) means."""
    namespace, _, name = path.rpartition("/")
    return ObjectRef(kind_name(kind), namespace, name)


def selector(resource: Resource) -> dict[str, Any]:
    """The labels that a workload's pods must have; none for an object without pods."""
    if resource.ref.kind not in WORKLOADS:
        return {}
    spec = resource.body.get("spec") or {}
    labels: dict[str, Any] = (spec.get("selector") or {}).get("matchLabels") or {}
    return labels
