"""How the stand-in says no: `Status` objects in the API server's own words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.sandbox.kubernetes.store import Json, Resource

REASONS = {
    400: "BadRequest",
    404: "NotFound",
    409: "Conflict",
    415: "UnsupportedMediaType",
    422: "Invalid",
}


class Refusal(Exception):
    """A request that the API server does not fulfil; `code` is its HTTP status."""

    def __init__(
        self, code: int, message: str, reason: str = "", details: Json | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message = code, message
        self.reason = reason or REASONS[code]
        self.details = details or {}

    def status(self) -> Json:
        """Return the object that is sent as the answer's body."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": self.details,
            "code": self.code,
        }


def unknown() -> Refusal:
    """A path or verb that is not served; unlike a missing object, it has no details."""
    return Refusal(404, "the server could not find the requested resource")


def not_found(resource: Resource, name: str) -> Refusal:
    """An object that does not exist."""
    message = f'{resource.qualified_name} "{name}" not found'
    return Refusal(404, message, details=_details(resource, name))


def already_exists(resource: Resource, name: str) -> Refusal:
    """An object that is created a second time."""
    message = f'{resource.qualified_name} "{name}" already exists'
    return Refusal(409, message, "AlreadyExists", _details(resource, name))


def conflict(resource: Resource, name: str) -> Refusal:
    """A patch that names another resourceVersion than the object's."""
    message = (
        f'Operation cannot be fulfilled on {resource.qualified_name} "{name}": the object has '
        "been modified; please apply your changes to the latest version and try again"
    )
    return Refusal(409, message, details=_details(resource, name))


def invalid(resource: Resource, name: str, field: str, problem: str) -> Refusal:
    """An object with a field that can't be so."""
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    message = f'{kind} "{name}" is invalid: {field}: {problem}'
    cause = {"reason": "FieldValueInvalid", "message": problem, "field": field}
    details = {**_details(resource, name), "kind": resource.kind, "causes": [cause]}
    return Refusal(422, message, details=details)


def field_conflict(resource: Resource, name: str, fields: Sequence[tuple[str, str]]) -> Refusal:
    """A server-side apply that would change fields of other managers: (manager, field) each."""
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{manager}" using {resource.api_version}',
            "field": field,
        }
        for manager, field in fields
    ]
    said = ", ".join(f'conflict with "{manager}": {field}' for manager, field in fields)
    noun = "conflict" if len(fields) == 1 else "conflicts"
    message = f"Apply failed with {len(fields)} {noun}: {said}"
    return Refusal(409, message, details={**_details(resource, name), "causes": causes})


def replaced(resource: Resource, name: str, uid: str, actual: str) -> Refusal:
    """A deletion that names another object's uid as its precondition."""
    message = (
        f'Operation cannot be fulfilled on {resource.qualified_name} "{name}": Precondition '
        f"failed: UID in precondition: {uid}, UID in object meta: {actual}"
    )
    return Refusal(409, message, details=_details(resource, name))


def patch_failed() -> Refusal:
    """A JSON patch that can't be applied; the API server does not say which part of it."""
    return Refusal(422, "the server rejected our request due to an error in our request")


def budget_refuses(budget: Json) -> Refusal:
    """An eviction that a budget does not allow now."""
    name, status = budget["metadata"]["name"], budget["status"]
    needs, has = status["desiredHealthy"], status["currentHealthy"]
    told = f"The disruption budget {name} needs {needs} healthy pods and has {has} currently"
    cause = {"reason": "DisruptionBudget", "message": told}
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return Refusal(429, message, "TooManyRequests", {"causes": [cause]})


def two_budgets() -> Refusal:
    """An eviction of a pod that two budgets guard."""
    message = (
        "This pod has more than one PodDisruptionBudget, "
        "which the eviction subresource does not support."
    )
    return Refusal(500, message, "InternalError")


def _details(resource: Resource, name: str) -> Json:
    group = {"group": resource.group} if resource.group else {}
    return {"name": name, **group, "kind": resource.name}


def read_json(body: bytes) -> Any:
    """What the body of a request says in JSON; raises `Refusal`."""
    try:
        return json.loads(body)
    except ValueError as error:
        raise Refusal(400, f"the body is not JSON: {error}") from None
