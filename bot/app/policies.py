"""Policies in use: each version is kept, and one that can't be used is made known."""

from __future__ import annotations

from collections.abc import Callable

from bot.app.heartbeats import own
from bot.domain.alert import Alert, AlertStatus, Delivery, fingerprint_of
from bot.ports import Clock, Store

Put = Callable[[Delivery], None]
"""Keeps a delivery where intake finds it."""


class PolicyWatch:
    """What is done when the policy file of that name changes."""

    def __init__(self, name: str, store: Store, put: Put, clock: Clock) -> None:
        """`name` is the file's, such as ``severity.yaml``."""
        self._name = name
        self._store = store
        self._put = put
        self._clock = clock
        self._refused = False

    def keep(self, digest: str, text: str) -> None:
        """Keep the version that is used from now on; whoever was told of a bad one hears it."""
        resolved = self._alert(AlertStatus.RESOLVED, f"{self._name} is valid again.", "")
        with self._store.transaction() as tx:
            tx.keep_policy(digest, self._name, text, self._clock.now())
            known = tx.known_alerts([resolved]).get(resolved.fingerprint)
        fires = known is not None and known.alert.status is AlertStatus.FIRING
        # What was just refused may still wait in the inbox.
        if fires or self._refused:
            self._refused = False
            self._put(own(resolved))

    def spare(self) -> bytes | None:
        """The version that was in use last, for a start with a file that can't be used."""
        with self._store.read() as reader:
            text = reader.last_policy(self._name)
        return None if text is None else text.encode()

    def refused(self, problem: str) -> None:
        """Say loudly that the file can't be used, and that the old version stays in use."""
        self._refused = True
        first = problem.partition("\n")[0]
        summary = f"{self._name} can't be used, the version before stays in use: {first}"
        self._put(own(self._alert(AlertStatus.FIRING, summary, problem)))

    def _labels(self) -> dict[str, str]:
        return {
            "alertname": "TocsinPolicyRefused",
            "service": "tocsin",
            "severity": "warning",
            "file": self._name,
        }

    def _alert(self, status: AlertStatus, summary: str, description: str) -> Alert:
        now = self._clock.now()
        labels = self._labels()
        annotations = {"summary": summary, "description": description}
        ended = now if status is AlertStatus.RESOLVED else None
        return Alert(fingerprint_of(labels), status, labels, annotations, now, ended)
