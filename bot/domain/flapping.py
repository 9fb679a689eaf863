"""How an incident is kept whole while its alerts come and go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Flapping:
    """How long an incident waits for its alerts to fire again, before and after its end.

    `rejoin` is three times Prometheus' usual ``for: 5m``, so that a condition that comes
    and goes around its threshold stays one incident, and one page. `first_wait` is two of
    Prometheus' default evaluations (a minute apart). It doubles with every flap, so an
    alert that came back once is soon believed again, and one that does so all the time
    isn't: by the third flap (8 min) the wait outlasts Alertmanager's default
    `group_interval` of 5 min, faster than which it tells of no change. `longest_wait` is
    as long as `rejoin`: who waits longer waits for something that would rejoin anyway.
    """

    rejoin: timedelta = timedelta(minutes=15)
    first_wait: timedelta = timedelta(minutes=2)
    longest_wait: timedelta = timedelta(minutes=15)

    def rejoins(self, resolved_at: datetime, now: datetime) -> bool:
        """Whether an alert that fires now belongs to the incident resolved at that time."""
        return now - resolved_at <= self.rejoin

    def quiet(self, flaps: int) -> timedelta:
        """How long nothing may fire before an incident with so many flaps is resolved.

        A flap is an alert that fires again after all had been resolved. What has never
        come back is believed at once; then the waits are 2, 4, 8, 15, 15 … minutes.
        """
        if flaps == 0:
            return timedelta(0)
        wait = self.first_wait
        for _ in range(flaps - 1):
            if wait >= self.longest_wait:
                break
            wait *= 2
        return min(wait, self.longest_wait)
