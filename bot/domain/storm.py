"""How many incidents a storm of alerts may open.

When a network or a cluster fails, thousands of alerts of hundreds of groups fire at once.
A person can't work on hundreds of incidents, and as many pages hide the one that counts.
So what fires after the first few is gathered in one incident, and only the worst still
gets an incident of its own, for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.classify import Severity

STORM_KEY = "storm"
"""The group key of the storm's incident. Keys made of labels hold a ``=``, this doesn't."""


@dataclass(frozen=True, slots=True)
class StormLimits:
    """How many incidents may be opened `within` a time before the others are gathered.

    After `incidents` of any level, up to `critical` more of level P0. With the storm's own
    that makes 14 + 5 + 1 = 20, more than a team on call can tell apart. Five minutes,
    because a minute's storm takes time to arrive and to be worked in, and because
    Alertmanager sends its next wave after as long (its default `group_interval`).
    """

    incidents: int = 14
    critical: int = 5
    within: timedelta = timedelta(minutes=5)


class Home(StrEnum):
    """Where a group goes that has no incident yet."""

    OWN = "own"
    """Into a new incident of its own."""
    STORM = "storm"
    """Into the storm's incident, which is opened if there is none."""


def storm_home(
    opened: Sequence[tuple[datetime, Severity]],
    level: Severity,
    now: datetime,
    limits: StormLimits,
) -> Home:
    """Where a new group of this level goes.

    `opened` holds when the latest incidents were opened and with which level, without the
    storm's own; those older than ``limits.within`` don't count.
    """
    recent = sum(now - at < limits.within for at, _ in opened)
    room = limits.incidents + (limits.critical if level is Severity.P0 else 0)
    return Home.OWN if recent < room else Home.STORM


def storm_title(limits: StormLimits) -> str:
    """What the storm's incident is called: the first that a person reads when woken by it."""
    return f"Alert storm: more than {limits.incidents} new incidents at once"


def storm_summary(first: str, limits: StormLimits) -> str:
    """What it is and what to do; `first` is the title of the first group it gathers."""
    return (
        "Probably one cause: look first for what the newest incidents share (cluster, node, "
        f"network, release). What else fires is gathered here, “{first}” first; a P0 still "
        f"gets an incident of its own, up to {limits.critical} of them. Nothing is dropped."
    )
