"""The check of the cluster: whether it answers, as whom Tocsin signs in, and what that may do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.adapters.access import AccessFile
from bot.adapters.kubernetes import connect
from bot.adapters.kubernetes_errors import Request
from bot.adapters.kubernetes_rights import KubernetesRights
from bot.domain.access_policy import AccessPolicy
from bot.domain.errors import InvalidInput
from bot.settings import Settings
from bot.vendors import vendors

TIMEOUT = 10.0
"""Seconds that the API server has to answer."""

APPS = "apps"
"""The API group of Deployments."""


def check_kubernetes(settings: Settings, context: str = "") -> str:
    """As whom Tocsin signs in, and where it may change Deployments.

    `context` is the kubeconfig's; its current one, if none is named.

    What a Role lets it do in a namespace can be asked only of namespaces that are known: those
    that the access policy names in full. What another one lacks, the plan of a run names.
    """
    if not settings.kubernetes_configured:
        raise InvalidInput("not configured: set KUBECONFIG, or run in a pod.")
    where = vendors(settings)
    rights = KubernetesRights(connect(where.kubeconfig, where.kubernetes_url, context), TIMEOUT)
    account = rights.account()
    may = _where_it_may(rights, settings)
    return f"signed in as {account}; {may}" if account else may


def _where_it_may(rights: KubernetesRights, settings: Settings) -> str:
    if rights.may(Request("patch", "deployments", None), APPS):
        return "may change Deployments in all namespaces"
    named = _named(AccessFile(settings.policy / "access.yaml").current())
    found = [one for one in named if rights.may(Request("patch", "deployments", one), APPS)]
    if found:
        return f"may change Deployments in {', '.join(found)}"
    return "no rights in all namespaces; what its Roles lack in one, the plan of a run names"


def _named(policy: AccessPolicy) -> Sequence[str]:
    """The namespaces that the policy names in full, not by a pattern."""
    return sorted({one for one in _patterns(policy) if not {*one} & {*"*?["}})


def _patterns(policy: AccessPolicy) -> Iterator[str]:
    for patterns in policy.environments.values():
        yield from patterns
    for rule in policy.rules:
        yield from rule.namespaces
