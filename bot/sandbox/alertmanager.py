"""A stand-in for Alertmanager, with a few alerts that a person can let fire.

It sends what Alertmanager 0.25 sends (its documentation, "webhook_config"), one alert
a group, and keeps an alert's start for as long as it fires, so that sending it twice is
a repeat of the same alert, as Alertmanager repeats it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx2

from bot.domain.alert import fingerprint_of
from bot.domain.errors import InvalidInput, NotFound, TemporaryError
from bot.sandbox.addresses import SandboxAddresses

Json = dict[str, Any]

NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time: how Alertmanager writes that an alert has not ended."""

TIMEOUT_SECONDS = 5.0

GROUP_BY = ("alertname", "cluster", "namespace", "service")


@dataclass(frozen=True, slots=True)
class SampleAlert:
    """An alert that may fire; `title` is how a page offers it."""

    id: str
    title: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    expression: str


def _sample(id: str, title: str, labels: str, expression: str, annotations: Json) -> SampleAlert:
    """Labels are given as ``alertname severity namespace service``."""
    names = ("alertname", "severity", "namespace", "service")
    given = dict(zip(names, labels.split(), strict=True))
    return SampleAlert(id, title, {**given, "cluster": "sandbox"}, annotations, expression)


SAMPLES = (
    _sample(
        "service-down",
        "P0: checkout is down",
        "ServiceDown critical payments checkout",
        'sum(up{namespace="payments",service="checkout"}) == 0',
        {
            "summary": "checkout is completely down: none of its pods answers",
            "description": "All targets of payments/checkout have failed for 1 minute. "
            "Nobody can pay.",
        },
    ),
    _sample(
        "high-error-rate",
        "P1: checkout answers with errors",
        "HighErrorRate critical payments checkout",
        'job:http_errors:ratio5m{namespace="payments",service="checkout"} > 0.05',
        {
            "summary": "12 % of checkout's requests fail",
            "description": "The share of 5xx answers of payments/checkout has been above 5 % "
            "for 5 minutes. It began right after the release of 1.9.0.",
        },
    ),
    _sample(
        "crash-looping",
        "P2: a pod of web/broken crash-loops",
        "PodCrashLooping warning web broken",
        'increase(kube_pod_container_status_restarts_total{namespace="web"}[15m]) > 3',
        {
            "summary": "A new pod of web/broken restarts again and again",
            "description": "The rollout of web/broken does not get on; the pods of the "
            "earlier release still serve.",
        },
    ),
    _sample(
        "certificate-expiring",
        "P3: a certificate expires in 21 days",
        "CertificateExpiresSoon info web frontend",
        "x509_cert_not_after - time() < 21 * 86400",
        {
            "summary": "The certificate of frontend expires in 21 days",
            "description": "Its renewal was due a week ago.",
        },
    ),
)


class SandboxAlertmanager:
    """Sends the sample alerts to Tocsin; `token` is its bearer token, if it wants one."""

    def __init__(
        self, addresses: SandboxAddresses, token: str | None, now: Callable[[], datetime]
    ) -> None:
        self._addresses = addresses
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._now = now
        self._firing_since: dict[str, str] = {}

    def overview(self) -> Json:
        """Whether each sample fires."""
        return {sample.id: sample.id in self._firing_since for sample in SAMPLES}

    def dump(self) -> Json:
        """What fires and since when, for `load`."""
        return dict(self._firing_since)

    def load(self, state: Json) -> None:
        """Take up the state that `dump` gave."""
        self._firing_since = {id: str(since) for id, since in state.items()}

    def fire(self, sample_id: str) -> bool:
        """Send an alert as firing; whether it is new, and no repeat.

        Raises:
            NotFound: there is no such sample.
            TemporaryError: Tocsin did not accept it.
        """
        sample = _named(sample_id)
        new = sample_id not in self._firing_since
        since = self._firing_since.get(sample_id, _rfc3339(self._now()))
        self._send(_webhook(sample, since, NEVER, self._addresses))
        self._firing_since[sample_id] = since
        return new

    def resolve(self, sample_id: str) -> None:
        """Send an alert as resolved.

        Raises:
            NotFound: there is no such sample.
            InvalidInput: it does not fire.
            TemporaryError: Tocsin did not accept it.
        """
        sample = _named(sample_id)
        since = self._firing_since.get(sample_id)
        if since is None:
            name = sample.labels["alertname"]
            raise InvalidInput(f"{name} does not fire; send it first.")
        self._send(_webhook(sample, since, _rfc3339(self._now()), self._addresses))
        del self._firing_since[sample_id]

    def _send(self, body: Json) -> None:
        try:
            answer = httpx2.post(
                self._addresses.alertmanager_webhook_url,
                json=body,
                headers={"User-Agent": "Alertmanager/0.25.0", **self._headers},
                timeout=TIMEOUT_SECONDS,
                trust_env=False,
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise TemporaryError(f"Tocsin did not answer the alert ({error}).") from error
        if not answer.is_success:
            raise TemporaryError(f"Tocsin answered the alert with {answer.status_code}.")


def _named(sample_id: str) -> SampleAlert:
    for sample in SAMPLES:
        if sample.id == sample_id:
            return sample
    raise NotFound(f"There is no sample alert {sample_id!r}.")


def _webhook(sample: SampleAlert, starts_at: str, ends_at: str, where: SandboxAddresses) -> Json:
    status = "firing" if ends_at == NEVER else "resolved"
    group = {name: sample.labels[name] for name in GROUP_BY}
    alert = {
        "status": status,
        "labels": sample.labels,
        "annotations": sample.annotations,
        "startsAt": starts_at,
        "endsAt": ends_at,
        "generatorURL": f"{where.prometheus_url}/graph?g0.expr={quote(sample.expression)}&g0.tab=1",
        "fingerprint": fingerprint_of(sample.labels),
    }
    return {
        "receiver": "tocsin",
        "status": status,
        "alerts": [alert],
        "groupLabels": group,
        "commonLabels": sample.labels,
        "commonAnnotations": sample.annotations,
        "externalURL": where.page_url,
        "version": "4",
        "groupKey": "{}:{" + ", ".join(f'{name}="{group[name]}"' for name in GROUP_BY) + "}",
        "truncatedAlerts": 0,
    }


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
