"""What Tocsin may do, asked of a stand-in that lets everybody do everything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.adapters.kubernetes import connect
from bot.adapters.kubernetes_errors import Request
from bot.adapters.kubernetes_rights import KubernetesRights
from bot.sandbox.kubernetes import SandboxCluster, kubernetes_app
from tests.support.kubernetes import SECONDS
from tests.support.serve import serve


@pytest.fixture
def rights() -> Iterator[KubernetesRights]:
    cluster = SandboxCluster(lambda: datetime.now(UTC), ready_after=0.1)
    with serve(kubernetes_app(cluster)) as url:
        yield KubernetesRights(connect(None, url), SECONDS)
    assert not cluster.unknown_requests


def test_the_stand_in_tells_who_asks(rights: KubernetesRights) -> None:
    assert rights.account() == "sandbox"


@pytest.mark.parametrize("namespace", [None, "payments"])
def test_the_stand_in_lets_everybody_do_everything(
    rights: KubernetesRights, namespace: str | None
) -> None:
    assert rights.may(Request("patch", "deployments", namespace), "apps")
