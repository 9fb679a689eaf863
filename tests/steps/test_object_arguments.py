"""What the arguments of the steps on any object take, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.errors import InvalidInput
from bot.steps.registry import step_kinds

CONFIG_MAP = {"kind": "v1 ConfigMap", "object": "a/b"}


@pytest.mark.parametrize(
    ("kind", "arguments", "sentence"),
    [
        ("patch", CONFIG_MAP, "Give either apply or merge"),
        ("patch", {**CONFIG_MAP, "apply": {"a": 1}, "merge": {"a": 1}}, "Give either apply or"),
        ("patch", {**CONFIG_MAP, "merge": {}}, "with fields in it"),
        ("patch", {**CONFIG_MAP, "merge": {"metadata": {"name": "c"}}}, "set metadata.name"),
        ("patch", {**CONFIG_MAP, "merge": {"kind": "Secret", "status": {}}}, "set kind, status"),
        ("patch", {**CONFIG_MAP, "merge": {"metadata": None}}, "may not set metadata"),
        ("patch", {"kind": "ConfigMap", "object": "a/b", "merge": {"a": 1}}, "API version and a"),
        ("patch", {"kind": "v1 ConfigMap", "object": "../b", "merge": {"a": 1}}, "namespace/name"),
        ("delete", {"kind": "v1 Pod"}, "Give either object, or namespace and labels"),
        ("delete", {"kind": "v1 Pod", "namespace": "a"}, "Give either object, or namespace"),
        ("delete", {"kind": "v1 Pod", "namespace": "a", "labels": {}}, "Give either object"),
        ("delete", {**CONFIG_MAP, "labels": {"a": "b"}}, "Give either object"),
        ("delete", {"kind": "v1 Namespace", "object": "a"}, "No runbook may delete a Namespace"),
        (
            "delete",
            {"kind": "apiextensions.k8s.io/v1 CustomResourceDefinition", "object": "a.b"},
            "No runbook may delete a CustomResourceDefinition",
        ),
        ("wait_condition", CONFIG_MAP, "Give either condition or path"),
        ("wait_condition", {**CONFIG_MAP, "path": "a.b"}, "Give value together with path"),
        ("wait_condition", {**CONFIG_MAP, "path": "a b", "value": "c"}, "status.phase"),
        ("wait_condition", {**CONFIG_MAP, "condition": "Ready", "status": "yes"}, "status"),
        ("scale", {"workload": "a/b", "replicas": -1}, "replicas"),
        ("scale", {"workload": "a/b", "replicas": 1, "kind": "Pod"}, "kind"),
        ("autoscale_bounds", {"autoscaler": "a/b"}, "Give minimum or maximum"),
        ("autoscale_bounds", {"autoscaler": "a/b", "minimum": 0}, "minimum"),
        ("backup_resources", {"name": "b", "namespace": "a", "kinds": []}, "kinds"),
        ("set_image", {"workload": "a/b", "image": "a b"}, "image"),
    ],
)
def test_what_is_refused(kind: str, arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        step_kinds()[f"kubernetes.{kind}"].arguments.read(arguments)


def test_placeholders_that_became_texts_are_read_as_numbers() -> None:
    scale = step_kinds()["kubernetes.scale"].arguments
    assert scale.read({"workload": "a/b", "replicas": "3"}).replicas == 3
