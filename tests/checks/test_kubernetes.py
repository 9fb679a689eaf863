"""The check of the cluster, on a real one, signed in with exactly the Role that is shipped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes.client import ApiClient

from bot.adapters.kubernetes import connect
from bot.checks.everything import run_checks
from bot.checks.kubernetes import check_kubernetes
from bot.domain.errors import PermanentError
from bot.settings import Settings, load
from tests.support.kubernetes import Namespace
from tests.support.service_account import Rules, ServiceAccount, in_force, kubeconfig, shipped_rules

pytestmark = pytest.mark.cluster


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    made = Namespace.create(connect(os.environ["TOCSIN_TEST_KUBECONFIG"], None))
    yield made
    made.delete()


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for the settings; access.yaml in it names no namespace."""
    monkeypatch.setenv("TOCSIN_POLICY", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.delenv("TOCSIN_SANDBOX", raising=False)
    (tmp_path / "access.yaml").write_text('roles: {responder: ["*"]}\n')
    return tmp_path


def signed_in(client: ApiClient, path: Path) -> Settings:
    """The settings of an installation whose kubeconfig signs in as `client` does."""
    of = client.configuration
    token = of.api_key["authorization"].removeprefix("Bearer ")
    (path / "kubeconfig").write_text(json.dumps(kubeconfig(of, token)))
    return load()


def account(namespace: Namespace, rules: Rules) -> ApiClient:
    made = ServiceAccount.create(namespace.client, namespace.name, rules).client
    in_force(made, namespace.name)
    return made


def test_an_installation_with_least_privilege_is_fine(namespace: Namespace, path: Path) -> None:
    settings = signed_in(account(namespace, shipped_rules()), path)
    me = f"signed in as system:serviceaccount:{namespace.name}:tocsin; "
    assert check_kubernetes(settings).removeprefix(me) == (
        "no rights in all namespaces; what its Roles lack in one, the plan of a run names"
    )
    (path / "access.yaml").write_text(
        f'roles: {{}}\nenvironments: {{all: ["{namespace.name}", "kube-system", "*-staging"]}}\n'
    )
    may = f"may change Deployments in {namespace.name}"
    assert check_kubernetes(settings).removeprefix(me) == may


def test_an_administrator_may_everywhere(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", os.environ["TOCSIN_TEST_KUBECONFIG"])
    assert check_kubernetes(load()).endswith("may change Deployments in all namespaces")


def test_each_other_cluster_is_looked_at_under_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", os.environ["TOCSIN_TEST_KUBECONFIG"])
    monkeypatch.setenv("TOCSIN_CLUSTERS", "recovery=t,lost=nowhere")
    found = {one.what: one for one in run_checks(load())}
    assert found["Kubernetes recovery"].says.endswith("may change Deployments in all namespaces")
    assert not found["Kubernetes lost"].ok
    assert "nowhere" in found["Kubernetes lost"].says


def test_a_token_that_is_not_accepted_is_said(namespace: Namespace, path: Path) -> None:
    client = account(namespace, shipped_rules())
    client.configuration.api_key["authorization"] += "x"
    with pytest.raises(PermanentError, match="Kubernetes refused the credentials"):
        check_kubernetes(signed_in(client, path))
