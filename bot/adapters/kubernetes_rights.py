"""What the account that Tocsin signs in as may do, by the API server's own word.

Every account may ask about itself (`system:basic-user`), so this needs no Role.
"""

from __future__ import annotations

from kubernetes.client import ApiClient

from bot.adapters.kubernetes_errors import Request
from bot.adapters.kubernetes_requests import Call, KubernetesRequests
from bot.adapters.kubernetes_values import Json
from bot.domain.errors import PermanentError


class KubernetesRights:
    """The account of `client`; a request is given up after `timeout` seconds.

    Every method raises the errors of `sorted_errors`.
    """

    def __init__(self, client: ApiClient, timeout: float) -> None:
        self._requests = KubernetesRequests(client, timeout)

    def account(self) -> str:
        """The account's name; empty where it can't be asked for, as before Kubernetes 1.28."""
        try:
            review = self._review("authentication.k8s.io/v1", "SelfSubjectReview", {})
        except PermanentError:
            return ""
        return str(review["status"]["userInfo"].get("username", ""))

    def may(self, asked: Request, group: str) -> bool:
        """Whether the account may do that with the resource of this API group."""
        attributes = {
            "verb": asked.verb,
            "group": group,
            "resource": asked.resource,
            "namespace": asked.namespace or "",
        }
        spec = {"resourceAttributes": attributes}
        review = self._review("authorization.k8s.io/v1", "SelfSubjectAccessReview", {"spec": spec})
        return bool(review["status"]["allowed"])

    def _review(self, version: str, kind: str, content: Json) -> Json:
        resource = f"{kind.lower()}s"
        body = {"apiVersion": version, "kind": kind, **content}
        call = Call("POST", f"/apis/{version}/{resource}", body=body)
        return self._requests.json(call, Request("create", resource, None))
