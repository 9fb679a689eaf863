"""What the `Objects` adapter makes of answers that no real API server gives on demand."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.adapters.kubernetes import connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.domain.errors import TemporaryError
from tests.support.kubernetes import marker
from tests.support.serve import serve

SECONDS = 5.0
JOBS = "/apis/batch/v1/namespaces/payments/jobs"
RACE = 'Operation cannot be fulfilled on resourcequotas "compute": please apply your changes again'


def a_quota_is_raced_for() -> Starlette:
    """As the API server answers when two creations count against one quota at once."""

    def status(code: int, message: str, name: str) -> JSONResponse:
        return JSONResponse({"kind": "Status", "message": message, "details": {"name": name}}, code)

    def kinds(_request: Request) -> JSONResponse:
        served = {"name": "jobs", "kind": "Job", "namespaced": True}
        return JSONResponse({"kind": "APIResourceList", "resources": [served]})

    def create(_request: Request) -> JSONResponse:
        return status(409, RACE, "compute")

    def read(_request: Request) -> JSONResponse:
        return status(404, 'jobs.batch "it" not found', "it")

    return Starlette(
        routes=[
            Route("/apis/batch/v1", kinds),
            Route(JOBS, create, methods=["POST"]),
            Route(f"{JOBS}/it", read),
        ]
    )


def test_a_creation_that_lost_a_race_for_a_quota_is_tried_again() -> None:
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "it", "namespace": "payments"},
    }
    with serve(a_quota_is_raced_for()) as url:
        objects = KubernetesObjects(connect(None, url), SECONDS)
        with pytest.raises(TemporaryError, match="resourcequotas"):
            objects.create(job, marker())
