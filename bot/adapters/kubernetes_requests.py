"""Requests to any path of the API server, over the Kubernetes client's own connection.

The client's typed methods know only the kinds of its own release; custom resources are
read and written by their path, which `kubernetes_discovery` knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubernetes.client import ApiClient, ApiException

from bot.adapters.kubernetes_errors import Request, sorted_errors
from bot.adapters.kubernetes_values import Json

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request: the path is the server's, already checked and quoted."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    content_type: str = JSON


class KubernetesRequests:
    """The API server behind `client`; a request is given up after `timeout` seconds.

    Every method raises the errors of `sorted_errors`.
    """

    def __init__(self, client: ApiClient, timeout: float) -> None:
        self._client = client
        self._timeout = timeout

    def json(self, call: Call, asked: Request) -> Json:
        """Make the call; the answer is a Kubernetes object or list."""
        with sorted_errors(asked):
            value = json.loads(self._send(call))
            if not isinstance(value, dict) or "kind" not in value:
                raise json.JSONDecodeError("not a Kubernetes object", "", 0)
            return value

    def text(self, call: Call, asked: Request) -> str:
        """Make the call; the answer is plain text."""
        with sorted_errors(asked):
            return self._send(call).decode("utf-8", "replace")

    def _send(self, call: Call) -> bytes:
        serialized = self._client.param_serialize(
            call.method,
            call.path,
            query_params=list(call.query.items()),
            header_params={"Accept": "*/*", "Content-Type": call.content_type},
            body=call.body,
            auth_settings=["BearerToken"],
        )
        response = self._client.call_api(*serialized, _request_timeout=self._timeout)
        data: bytes = response.read() or b""  # type: ignore[no-untyped-call]
        if not 200 <= response.status < 300:
            text = data.decode("utf-8", "replace")
            raise ApiException.from_response(http_resp=response, body=text, data=None)
        return data
