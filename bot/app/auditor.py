"""Auditor: checks every minute that somebody is being told of all that must not wait.

Only when that is so, the dead man's switch outside is told that Tocsin watches. Otherwise
it stays untold, which raises an alarm that needs nothing of Tocsin, and an alert of Tocsin's
own says what was found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from bot.app.attendance import LOOKED_AT
from bot.app.heartbeats import own
from bot.app.incidents import OPEN
from bot.app.policies import Put
from bot.domain.alert import Alert, AlertStatus, fingerprint_of
from bot.domain.attendance import page_record
from bot.domain.auditing import Finding, PageRecord, audit
from bot.domain.dedup import KnownAlert
from bot.domain.errors import TocsinError
from bot.domain.incident import Incident
from bot.domain.page_guard import GuardDecision
from bot.ports import Clock, Counters, Reader, Store
from bot.ports.dead_mans_switch import DeadMansSwitch

ALERT = "TocsinPageUnconfirmed"
"""The name of the alert that says what was found, one for each incident."""

Fallback = Callable[[Reader, Incident], GuardDecision]
"""What the fallback chain has to do for an incident, and when."""


class Auditor:
    """Looks at all open incidents from outside of queues and timers."""

    def __init__(
        self,
        store: Store,
        fallback: Fallback,
        put: Put,
        switch: DeadMansSwitch | None,
        counters: Counters,
        clock: Clock,
    ) -> None:
        """`put` keeps an alert where intake finds it; `switch` is None where none is set."""
        self._store = store
        self._fallback = fallback
        self._put = put
        self._switch = switch
        self._counters = counters
        self._clock = clock

    def round(self) -> None:
        """Audit once; called every minute."""
        now = self._clock.now()
        with self._store.read() as reader:
            found = audit(self._watched(reader), now)
            told = [one for one in reader.firing_alerts() if one.alert.name == ALERT]
            news = [one for one in found if not _is_own(reader, one)]
        self._count(found)
        self._tell(news, told)
        if not found:
            self._ping()

    def _watched(self, reader: Reader) -> Sequence[tuple[Incident, PageRecord]]:
        records = (
            (incident, page_record(incident, self._fallback(reader, incident).due_at))
            for incident in reader.incidents(OPEN, LOOKED_AT)
        )
        return [(incident, record) for incident, record in records if record is not None]

    def _count(self, found: Sequence[Finding]) -> None:
        self._counters.count("audits", result="found" if found else "clean")
        for reason, number in Counter(one.reason for one in found).items():
            self._counters.count("audit_findings", number, reason=reason.name.lower())

    def _tell(self, news: Sequence[Finding], told: Sequence[KnownAlert]) -> None:
        """An alert for each new finding, and the end of those that are gone."""
        wanted = {fingerprint_of(_labels(one)): one for one in news}
        firing = {one.alert.fingerprint: one.alert for one in told}
        for fingerprint in wanted.keys() - firing.keys():
            self._put(own(self._fires(wanted[fingerprint])))
        for fingerprint in firing.keys() - wanted.keys():
            self._put(own(self._ended(firing[fingerprint])))

    def _fires(self, finding: Finding) -> Alert:
        labels, reason = _labels(finding), finding.reason.value
        summary = f"INC-{finding.incident_id} may have reached nobody: {reason}."
        description = (
            f"So since {finding.since:%Y-%m-%d %H:%M:%S} UTC. Look at the incident, call whoever "
            "is on call by hand if need be, and then see what keeps pages from being sent."
        )
        annotations = {"summary": summary, "description": description}
        now, firing = self._clock.now(), AlertStatus.FIRING
        return Alert(fingerprint_of(labels), firing, labels, annotations, now)

    def _ended(self, alert: Alert) -> Alert:
        summary = {"summary": f"{alert.labels['incident']} is where it should be again."}
        # A clock that was put back may show less than when it began.
        end, resolved = max(self._clock.now(), alert.starts_at), AlertStatus.RESOLVED
        return Alert(alert.fingerprint, resolved, alert.labels, summary, alert.starts_at, end)

    def _ping(self) -> None:
        if self._switch is None:
            return
        try:
            self._switch.ping()
        except TocsinError:
            self._counters.count("heartbeats", result="failed")
        else:
            self._counters.count("heartbeats", result="sent")


def _labels(finding: Finding) -> dict[str, str]:
    return {
        "alertname": ALERT,
        "service": "tocsin",
        "severity": "critical",
        "incident": f"INC-{finding.incident_id}",
    }


def _is_own(reader: Reader, finding: Finding) -> bool:
    """Whether it is about the page of such a finding: one alert more would help nobody."""
    return any(one.alert.name == ALERT for one in reader.alerts(finding.incident_id, limit=1))
