"""The one place where the Kubernetes client's errors are sorted.

The client's own texts run over several lines and hold headers and bodies; what is
raised here is one sentence, with the API server's own words where it gave some.
"""

from __future__ import annotations

import json
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


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the API server, in the words of RBAC."""

    verb: str
    resource: str
    namespace: str | None
    name: str = ""

    def __str__(self) -> str:
        place = f"in namespace {self.namespace}" if self.namespace else "in all namespaces"
        return " ".join(filter(None, (self.verb, self.resource, self.name, place)))


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success: the HTTP status and what its `Status` object says."""

    status: int
    sentence: str
    object_name: str = ""
    retry_after: float | None = None

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
        )


@contextmanager
def sorted_errors(request: Request) -> Iterator[None]:
    """Turn whatever the client raises into an error of `bot.domain.errors`.

    Raises:
        NotFound: the named object does not exist.
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
        case 409:
            return Conflict(refusal.sentence)
        case status if status == 429 or status >= 500:
            return TemporaryError(refusal.sentence, refusal.retry_after)
    return PermanentError(f"Kubernetes refused to {request}: {refusal.sentence}")


def _not_found(refusal: Refusal, request: Request) -> TocsinError:
    """Tell an object that isn't there from an API that the cluster does not serve.

    Only the former's `Status` has the object's name among its details.
    """
    if refusal.object_name:
        place = f"the {request.resource} in namespace {request.namespace}"
        return NotFound(f"There is no {request.name} among {place}")
    return PermanentError(f"This cluster does not serve {request.resource}")


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
