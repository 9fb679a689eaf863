"""The words of a request for a run or a plan that are not the runbook's parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence

_INCIDENT = re.compile(r"incident=(?:INC-|#)?([0-9]{1,9})", re.IGNORECASE)


def belonging(incident_id: int) -> str:
    """The word that says to which incident a run belongs."""
    return f"incident=INC-{incident_id}"


def apart(words: Sequence[str]) -> tuple[tuple[str, ...], int | None]:
    """The words that are parameters, and the incident that another names (the first one)."""
    named = [match for word in words if (match := _INCIDENT.fullmatch(word))]
    others = tuple(word for word in words if not _INCIDENT.fullmatch(word))
    return others, int(named[0][1]) if named else None
