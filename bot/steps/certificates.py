"""`kubernetes.certificates`: how long the certificates in the cluster's TLS Secrets still hold."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from cryptography import x509
from pydantic import Field

from bot.domain.errors import PermanentError
from bot.domain.excerpt import counted
from bot.domain.plan import StepOutcome, StepPlan
from bot.domain.resource import Resource
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Namespace
from bot.steps.base import ReadOnlyStep

KIND = "secret"
_TLS = {"type": "kubernetes.io/tls"}
_NAMED = 10


class CertificatesArguments(Arguments):
    """Where (all namespaces, if none is given), and the days that each has to hold yet.

    `expected` is how many there have to be at least: none at all can mean a wrong namespace.
    """

    namespace: Namespace | None = None
    minimum: Annotated[int, Field(ge=0, le=3650)] = 14
    expected: Annotated[int, Field(ge=0, le=10_000)] = 0


@dataclass(frozen=True, slots=True, order=True)
class Certificate:
    """A TLS Secret: `days` until the first of its chain expires; `problem` if it can't be read."""

    days: float
    secret: str
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return f"{self.secret} {self.problem}"
        if self.days < 0:
            return f"{self.secret} expired {counted(int(-self.days), 'day')} ago"
        return f"{self.secret} expires in {counted(int(self.days), 'day')}"


class Certificates(ReadOnlyStep[CertificatesArguments]):
    """Fails, naming them, when certificates expire too soon or can't be read."""

    name = "kubernetes.certificates"
    arguments = CertificatesArguments

    def intent(self, arguments: CertificatesArguments) -> str:
        return (
            f"Check that no certificate in {_where(arguments)} expires "
            f"within {counted(arguments.minimum, 'day')}."
        )

    def prepare(self, arguments: CertificatesArguments, context: StepContext) -> StepPlan:
        count = len(_secrets(arguments, context))
        if count < arguments.expected:
            raise PermanentError(
                f"There should be {counted(arguments.expected, 'certificate')} "
                f"in {_where(arguments)}, but there {'is' if count == 1 else 'are'} {count}."
            )
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: CertificatesArguments, context: StepContext) -> StepOutcome:
        now = context.clock.now()
        found = sorted(_certificate(secret, now) for secret in _secrets(arguments, context))
        due = [one for one in found if one.days < arguments.minimum]
        count = counted(len(found), "certificate")
        if due:
            raise PermanentError(f"{len(due)} of {count} in {_where(arguments)}: {_listed(due)}.")
        first = f"; the first: {found[0]}" if found else ""
        return StepOutcome(
            f"{count} in {_where(arguments)}, "
            f"none expires within {counted(arguments.minimum, 'day')}{first}."
        )


def _secrets(arguments: CertificatesArguments, context: StepContext) -> Sequence[Resource]:
    return context.objects.find(KIND, arguments.namespace or "", {}, fields=_TLS)


def _certificate(secret: Resource, now: datetime) -> Certificate:
    name = f"{secret.ref.namespace}/{secret.ref.name}"
    try:
        pem = base64.b64decode((secret.body.get("data") or {})["tls.crt"], validate=True)
        chain = x509.load_pem_x509_certificates(pem)
    except (KeyError, ValueError, binascii.Error):
        return Certificate(float("-inf"), name, "holds no certificate that can be read")
    left = min(one.not_valid_after_utc for one in chain) - now
    return Certificate(left.total_seconds() / 86400, name)


def _where(arguments: CertificatesArguments) -> str:
    return f"namespace {arguments.namespace}" if arguments.namespace else "all namespaces"


def _listed(certificates: Sequence[Certificate]) -> str:
    more = f"; and {len(certificates) - _NAMED} more" if len(certificates) > _NAMED else ""
    return "; ".join(map(str, certificates[:_NAMED])) + more
