"""Any Kubernetes object, as a value: for the steps that work on whatever kind a runbook names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.cluster import ObjectRef

Manifest = Mapping[str, Any]
"""An object as its JSON values, such as ``{"apiVersion": …, "kind": …, "metadata": …}``."""


@dataclass(frozen=True, slots=True)
class Resource:
    """An object as one read returned it.

    `spec_digest` identifies its desired state: everything but ``metadata``, ``status`` and
    ``spec.replicas`` (docs/adr/0004); for a Deployment or a Service it is the same as in
    `Deployment` and `Service`. `version` is its ``resourceVersion``. `marker` is the run and
    step that wrote it last, or empty.
    """

    ref: ObjectRef
    uid: str
    version: str
    spec_digest: str
    marker: str
    body: Manifest
