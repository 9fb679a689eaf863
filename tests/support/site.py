"""A Tocsin that two Alertmanagers deliver to, which know nothing of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support.alertmanager import Alertmanager, Route, alertmanager
from tests.support.forward import way_to
from tests.support.gate import Gate
from tests.support.installation import TIMEOUT, TOKENS, Tocsin, kept
from tests.support.policies import policies
from tests.support.serve import serve
from tests.support.vendors import Vendors, vendors
from tests.support.waiting import eventually

RECONCILE = {
    "TOCSIN_RECONCILE_EVERY": "0.5",
    "TOCSIN_RECONCILE_GRACE": "2",
    "TOCSIN_RECONCILE_SETTLED": "1",
}
"""Soon enough for a test, and later than the webhooks."""


@dataclass(frozen=True)
class Site:
    """A running Tocsin with its vendors, its Alertmanagers, and the gates between them."""

    tocsin: Tocsin
    vendors: Vendors
    alertmanagers: Sequence[Alertmanager]
    gates: Sequence[Gate]

    def incidents(self, name: str) -> list[dict[str, Any]]:
        """The incidents about alerts of that name, the newest first."""
        found: list[dict[str, Any]] = self.tocsin.api("incidents?limit=500")
        return [one for one in found if one["title"].startswith(f"{name}:")]

    def incident(self, name: str, **wanted: object) -> dict[str, Any]:
        """The only incident about alerts of that name, once it is as wanted."""
        (found,) = eventually(
            lambda: self.incidents(name),
            lambda some: len(some) == 1 and wanted.items() <= some[0].items(),
        )
        return found

    def story(self, incident: Mapping[str, Any]) -> str:
        """The incident's timeline, a line an entry."""
        entries = self.tocsin.api(f"incidents/{incident['id']}/timeline")
        return "\n".join(f"{entry['kind']}: {entry['text']}" for entry in entries)

    def paged(self, incident: Mapping[str, Any]) -> list[str]:
        """What PagerDuty was told about the incident, in order."""
        bodies = (received.body for received in self.vendors.pagerduty.ledger)
        key = incident["dedup_key"]
        return [body["event_action"] for body in bodies if body.get("dedup_key") == key]

    def pages(self, incident: Mapping[str, Any]) -> list[str]:
        """The states of PagerDuty's incidents about it, the oldest first."""
        key = incident["dedup_key"]
        return [page["status"] for page in self.vendors.pages() if page["dedup_key"] == key]

    def alerts(self, incident: Mapping[str, Any]) -> dict[str, str]:
        """Whether they fire, by fingerprint."""
        found = self.tocsin.api(f"alerts?limit=500&incident_id={incident['id']}")
        return {one["fingerprint"]: one["status"] for one in found}

    def worked_in(self) -> None:
        """Wait until nothing is in the inbox."""
        eventually(
            lambda: requests.get(f"{self.tocsin.url}/healthz", timeout=TIMEOUT).json()["inbox"] == 0
        )


@contextmanager
def site(folder: Path, *routes: Route, **settings: str) -> Iterator[Site]:
    """Start all of it in `folder`; `settings` override."""
    tocsin = Tocsin(folder)
    with ExitStack() as stack:
        served = stack.enter_context(vendors(tocsin.url, folder))
        gates = [Gate(way_to(tocsin.url)) for _ in range(2)]
        running = []
        for number, gate in enumerate(gates):
            own = folder / f"alertmanager-{number}"
            own.mkdir()
            url = stack.enter_context(serve(gate))
            running.append(stack.enter_context(alertmanager(own, url, *routes)))
        tocsin.settings = {
            **TOKENS,
            **served.settings,
            **RECONCILE,
            "TOCSIN_POLICY": str(policies(folder)),
            "ALERTMANAGER_URL": ",".join(one.url for one in running),
            **settings,
        }
        stack.enter_context(kept(tocsin))
        tocsin.start()
        yield Site(tocsin, served, running, gates)
