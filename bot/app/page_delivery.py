"""Keeps the pager up to date about incidents.

A job looks at the present, makes at most one call, and writes the outcome down; when
the pager is out of reach it asks for the same effect again, later. Nothing here
remembers anything between two jobs.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.app.record import record_incident
from bot.app.retry import ask_again
from bot.app.triggering import trigger
from bot.app.turns import Turns
from bot.domain.actor import TOCSIN
from bot.domain.declaration import declared_service
from bot.domain.effects import UpdatePage
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.incident import Incident
from bot.domain.incident_events import IncidentEvent
from bot.domain.page import Page
from bot.domain.page_events import PageAction, PageDelayed, PageRefused, PageSent, PageShrunk
from bot.domain.paging import next_page
from bot.ports import Clock, Pager, Reader, Store

EVERY_NTH = 10
"""After the first `EVERY_NTH` failed tries, the timeline names every tenth only."""


class PageDelivery:
    """Keeps the pager up to date about an incident."""

    def __init__(
        self,
        store: Store,
        pager: Pager,
        clock: Clock,
        jitter: Callable[[], float],
        public_url: str = "",
    ) -> None:
        """`public_url` is where people reach Tocsin; empty: pages link to no incident."""
        self._store = store
        self._pager = pager
        self._clock = clock
        self._jitter = jitter
        self._public_url = public_url.rstrip("/")
        self._turns = Turns()

    def update(self, effect: UpdatePage) -> None:
        """Tell the pager the one thing that it has to know now, if anything."""
        # A raised incident has jobs in two lanes; a trigger must not overtake its resolution.
        with self._turns.of(effect.incident_id):
            self._update(effect)

    def _update(self, effect: UpdatePage) -> None:
        with self._store.read() as reader:
            incident = reader.incident(effect.incident_id)
            page = page_of(reader, incident, self._public_url)
        action = next_page(incident, tried=effect.attempt > 1).action
        if action is None:
            return
        try:
            shrunk = self._tell(action, page)
        except TemporaryError as error:
            self._again(effect, action, error)
        except PermanentError as error:
            self._write(effect, PageRefused(action, str(error)))
        else:
            self._write(effect, *shrunk, PageSent(action, incident.severity))

    def _tell(self, action: PageAction, page: Page) -> tuple[PageShrunk, ...]:
        """Tell the pager, if need be in fewer words, and then that it was so."""
        match action:
            case PageAction.TRIGGER:
                unusable = trigger(self._pager, page)
                return (PageShrunk(unusable),) if unusable else ()
            case PageAction.ACKNOWLEDGE:
                self._pager.acknowledge(page.dedup_key)
            case PageAction.RESOLVE:
                self._pager.resolve(page.dedup_key)
        return ()

    def _write(self, effect: UpdatePage, *events: IncidentEvent) -> None:
        """Write the outcome down, and look again: more may have happened meanwhile."""
        with self._store.transaction() as tx:
            incident = tx.incident(effect.incident_id)
            incident = record_incident(tx, incident, events, TOCSIN, self._clock.now())
            if next_page(incident).action is not None:
                tx.enqueue(UpdatePage(incident.id, incident.severity))

    def _again(self, effect: UpdatePage, action: PageAction, error: TemporaryError) -> None:
        with self._store.transaction() as tx:
            delay = ask_again(tx, effect, error.retry_after, self._jitter())
            if effect.attempt <= EVERY_NTH or effect.attempt % EVERY_NTH == 0:
                event = PageDelayed(action, str(error), effect.attempt, delay)
                incident = tx.incident(effect.incident_id)
                record_incident(tx, incident, (event,), TOCSIN, self._clock.now())


def _source(incident: Incident) -> str:
    """Where it comes from, when no alert says so."""
    return declared_service(incident.group_key) or incident.group_key


def page_of(reader: Reader, incident: Incident, public_url: str) -> Page:
    """The page about an incident, with the labels of its newest alert."""
    alerts = reader.alerts(incident.id, limit=1)
    labels = alerts[0].alert.labels if alerts else {}
    runbook = alerts[0].alert.annotations.get("runbook_url", "") if alerts else ""
    own = f"{public_url}/incidents/{incident.id}" if public_url else ""
    return Page(
        dedup_key=incident.dedup_key,
        summary=f"{incident.severity} {incident.title}: {incident.summary}",
        severity=incident.severity,
        source=labels.get("instance") or labels.get("service") or _source(incident),
        at=incident.opened_at,
        details={
            **labels,
            "incident": incident.reference,
            "why": f"{incident.classification.rule}: {incident.classification.reason}",
            "alerts firing": str(incident.firing),
            **({"runbook": runbook} if runbook else {}),
        },
        link=own or runbook,
    )
