"""The manifests of `deploy/`: they build, they are locked down, what they set is a setting."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent.parent
DEPLOY = REPOSITORY / "deploy"
CLIENT = shutil.which("kubectl")
COMPONENTS = sorted(path.name for path in (DEPLOY / "components").iterdir())

needs_client = pytest.mark.skipif(CLIENT is None, reason="kubectl is not installed")


def build(folder: Path) -> list[dict[str, Any]]:
    """The objects that kustomize makes of the folder."""
    made = subprocess.run(
        [str(CLIENT), "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return list(yaml.safe_load_all(made.stdout))


def container() -> Mapping[str, Any]:
    text = (DEPLOY / "base" / "deployment.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"][0]
    return found


@cache
def variables() -> frozenset[str]:
    names = (str(field.validation_alias) for field in Settings.model_fields.values())
    return frozenset(names)


def test_every_variable_that_is_set_is_a_setting() -> None:
    names = {one["name"].removesuffix("_FILE") for one in container()["env"]}
    assert names - variables() == set()


def test_no_secret_is_in_the_environment() -> None:
    """They are files, of the volume that is mounted where they are looked for."""
    files = [one for one in container()["env"] if one["name"].endswith("_FILE")]
    (mounted,) = (one for one in container()["volumeMounts"] if one["name"] == "secrets")
    assert files
    assert all(one["value"].startswith(f"{mounted['mountPath']}/") for one in files)


def test_the_container_may_do_next_to_nothing() -> None:
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_probes_ask_what_is_served() -> None:
    probes = ("startupProbe", "livenessProbe", "readinessProbe")
    asked = [container()[name]["httpGet"]["path"] for name in probes]
    assert asked == ["/live", "/live", "/healthz"]


@needs_client
def test_the_example_builds_and_tocsin_knows_where_it_runs_itself() -> None:
    made = build(DEPLOY / "overlays" / "example")
    (own,) = (one for one in made if one["kind"] == "Deployment")
    env = own["spec"]["template"]["spec"]["containers"][0]["env"]
    values = {one["name"]: one["value"] for one in env}
    place = own["metadata"]
    assert values["TOCSIN_OWN_WORKLOAD"] == f"{place['namespace']}/{place['name']}"
    assert {one.removesuffix("_FILE") for one in values} - variables() == set()
    (binding,) = (one for one in made if one["kind"] == "RoleBinding")
    account = {"kind": "ServiceAccount", "name": "tocsin", "namespace": "tocsin"}
    assert (binding["metadata"]["namespace"], binding["subjects"]) == ("payments", [account])


@needs_client
@pytest.mark.parametrize("name", COMPONENTS)
def test_each_component_adds_to_the_role_and_lets_nobody_read_secrets(
    name: str, tmp_path: Path
) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    parts = {"resources": ["../deploy/runbooks"], "components": [f"../deploy/components/{name}"]}
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(parts), encoding="utf-8")
    roles = [one for one in build(overlay) if one["kind"] in ("Role", "ClusterRole")]
    rules = [rule for role in roles for rule in role["rules"]]
    shipped = yaml.safe_load((DEPLOY / "runbooks" / "role.yaml").read_text(encoding="utf-8"))
    assert len(rules) > len(shipped["rules"])
    granted = {word for rule in rules for key in ("resources", "verbs") for word in rule[key]}
    assert granted & {"*", "secrets", "deletecollection", "escalate", "bind"} == set()
    deleted = {word for rule in rules if "delete" in rule["verbs"] for word in rule["resources"]}
    assert deleted <= {"jobs"}  # a Job that did not start in time
