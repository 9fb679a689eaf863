"""The one place where the Kubernetes client's errors are sorted.

The client's own texts run over several lines and hold headers and bodies; what is
raised here is one sentence, with the API server's own words where it gave some.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kubernetes.client import ApiException
from kubernetes.config import ConfigException
from urllib3.exceptions import HTTPError, ReadTimeoutError

from bot.domain.errors import Conflict, NotFound, PermanentError, TemporaryError, TocsinError

LONGEST_SENTENCE = 500
"""Characters of the API server's sentence that are kept; a refused object may be quoted in it."""

MISFIT = "failed to create typed patch object"
"""How the API server begins its 500 for a server-side apply that does not fit the kind's schema
(apimachinery/pkg/util/managedfields/internal/structuredmerge.go); it is not the server's fault."""

_OWNER = re.compile(r'conflict with "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the API server, in the words of RBAC."""

    verb: str
    resource: str
    namespace: str | None
    name: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.verb, self.resource, self.name, self._place)))

    @property
    def _place(self) -> str:
        """Where; a single object without a namespace belongs to the whole cluster."""
        if self.namespace:
            return f"in namespace {self.namespace}"
        return "" if self.name else "in all namespaces"

    @property
    def missing(self) -> str:
        """What is said when the named object does not exist."""
        inside = f" in namespace {self.namespace}" if self.namespace else ""
        return f"There is no {self.name} among the {self.resource}{inside}"


class NotServed(PermanentError):
    """The cluster has no such API: neither this kind nor its objects."""


class FieldConflict(Conflict):
    """A server-side apply that would change fields which `managers` own."""

    def __init__(self, message: str, managers: frozenset[str]) -> None:
        super().__init__(message)
        self.managers = managers


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success: the HTTP status and what its `Status` object says."""

    status: int
    sentence: str
    object_name: str = ""
    retry_after: float | None = None
    field_owners: frozenset[str] = frozenset()

    @classmethod
    def read(cls, error: ApiException) -> Refusal:
        """Read the refusal out of the client's exception, whatever the body is."""
        body = _status_object(error.body)
        sentence = " ".join(str(body.get("message") or error.reason or "").split())
        return cls(
            status=error.status or 0,
            sentence=sentence[:LONGEST_SENTENCE] or f"HTTP {error.status}",
            object_name=_object_name(body),
            retry_after=_seconds((error.headers or {}).get("Retry-After", "")),
            field_owners=frozenset(_field_owners(body)),
        )


@contextmanager
def sorted_errors(request: Request) -> Iterator[None]:
    """Turn whatever the client raises into an error of `bot.domain.errors`.

    Raises:
        NotFound: the named object does not exist.
        NotServed: the API server has no such path.
        FieldConflict: others own fields that a server-side apply would change (409).
        Conflict: the object changed since it was read (409).
        TemporaryError: 429, 5xx, no connection, no answer in time.
        PermanentError: every other refusal; RBAC's names the verb and the resource.
    """
    try:
        yield
    except ApiException as error:
        raise _sorted(Refusal.read(error), request) from None
    except ReadTimeoutError as error:
        raise TemporaryError(f"Kubernetes did not answer in time ({request})") from error
    except (HTTPError, OSError) as error:
        raise TemporaryError(f"Kubernetes can't be reached ({request}): {error}") from error
    except ConfigException as error:
        raise PermanentError(f"Kubernetes' credentials can't be read: {error}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PermanentError(f"What answered is not Kubernetes' API ({request})") from error


def _sorted(refusal: Refusal, request: Request) -> TocsinError:
    match refusal.status:
        case 0:
            return _tls_error(refusal)
        case 401:
            return PermanentError(f"Kubernetes refused the credentials: {refusal.sentence}")
        case 403:
            return PermanentError(f"Kubernetes does not let us {request}: {refusal.sentence}")
        case 404:
            return _not_found(refusal, request)
        case 409 if refusal.field_owners:
            return FieldConflict(refusal.sentence, refusal.field_owners)
        case 409:
            return Conflict(refusal.sentence)
        case 500 if refusal.sentence.startswith(MISFIT):
            return PermanentError(f"Kubernetes refused to {request}: {refusal.sentence}")
        case status if status == 429 or status >= 500:
            return TemporaryError(refusal.sentence, refusal.retry_after)
    return PermanentError(f"Kubernetes refused to {request}: {refusal.sentence}")


def _not_found(refusal: Refusal, request: Request) -> TocsinError:
    """Tell an object that isn't there from an API that the cluster does not serve.

    Only the former's `Status` has the object's name among its details.
    """
    if refusal.object_name:
        return NotFound(_missing(refusal, request))
    return NotServed(f"This cluster does not serve {request.resource}")


def _missing(refusal: Refusal, request: Request) -> str:
    """What does not exist: what was asked for, or else the namespace for a new object."""
    return request.missing if refusal.object_name == request.name else refusal.sentence


def _field_owners(status: dict[str, Any]) -> Iterator[str]:
    """The managers named in a refused server-side apply, such as ``conflict with "helm" using v1``.

    Source: apimachinery/pkg/util/managedfields/internal/conflict.go.
    """
    match status:
        case {"details": {"causes": [*causes]}}:
            for cause in causes:
                match cause:
                    case {"reason": "FieldManagerConflict", "message": str(message)}:
                        found = _OWNER.match(message)
                        yield found[1] if found else "somebody"


def _tls_error(refusal: Refusal) -> TocsinError:
    sentence = f"No secure connection to Kubernetes: {refusal.sentence}"
    if "CERTIFICATE_VERIFY_FAILED" in sentence:
        return PermanentError(sentence)
    return TemporaryError(sentence)


def _status_object(body: str | None) -> dict[str, Any]:
    try:
        status = json.loads(body or "")
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}


def _object_name(status: dict[str, Any]) -> str:
    match status:
        case {"details": {"name": str(name)}}:
            return name
    return ""


def _seconds(header: str) -> float | None:
    """Kubernetes gives Retry-After in seconds; a date (from a proxy) counts as none."""
    return float(header) if header.isdecimal() else None
