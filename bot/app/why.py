"""Why an incident has its level and was paged or not: everything that the answer rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.alert import Alert
from bot.domain.classify import Policy
from bot.domain.declaration import DECLARED_RULE
from bot.domain.errors import InvalidInput
from bot.domain.incident import Incident
from bot.domain.incident_events import Suppressed
from bot.domain.maintenance import Window
from bot.domain.timeline import Recorded
from bot.domain.why import Judged, Ruling, Why, judge_again, last_ruling, overrides
from bot.domain.why_paged import why_paged
from bot.ports import Reader, Store

PolicyOf = Callable[[str, str], Policy]
"""The policy of a digest and its text; raises `InvalidInput` where the text is no policy now."""

CONSIDERED = 500
"""Alerts among which the one that decided is looked for; the newest."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is stored about an incident."""

    incident: Incident
    recorded: Sequence[Recorded]
    alerts: Sequence[Alert]
    windows: Mapping[int, Window]


class Explanations:
    """Explains incidents, by the policy that decided about each."""

    def __init__(self, store: Store, policy_of: PolicyOf) -> None:
        self._store = store
        self._policy_of = policy_of

    def why(self, incident_id: int) -> Why:
        """Raises `NotFound`."""
        with self._store.read() as reader:
            known = _read(reader, incident_id)
            ruling = last_ruling(known.incident, known.recorded)
            text = reader.policy_text(ruling.classification.policy_digest)
        judged, note = self._judged(ruling, text, known)
        return Why(
            known.incident,
            ruling,
            judged,
            note,
            overrides(known.recorded),
            why_paged(known.incident, known.recorded, known.windows),
        )

    def _judged(self, ruling: Ruling, text: str | None, known: _Known) -> tuple[Judged | None, str]:
        """The deciding alert judged again, and what has to be said of that."""
        if ruling.classification.rule == DECLARED_RULE:
            return None, "A person opened it and chose its level; it has no alerts."
        if text is None:
            return None, "The text of the policy that decided is gone, and with it its rules."
        try:
            policy = self._policy_of(ruling.classification.policy_digest, text)
        except InvalidInput as error:
            return None, f"The policy that decided can’t be read any more: {error}"
        judged = judge_again(policy, ruling, known.alerts)
        if judged is None:
            return None, _where_alerts_are(known.incident)
        if not judged.decided:
            return judged, "No alert, as it is now, gives this rule again; the newest is shown."
        return judged, ""


def _read(reader: Reader, incident_id: int) -> _Known:
    recorded = reader.recorded(incident_id=incident_id)
    ids = {one.event.window_id for one in recorded if isinstance(one.event, Suppressed)}
    return _Known(
        reader.incident(incident_id),
        recorded,
        [known.alert for known in reader.alerts(incident_id, CONSIDERED)],
        {number: reader.window(number) for number in ids},
    )


def _where_alerts_are(incident: Incident) -> str:
    if incident.absorbed_by is not None:
        number = incident.absorbed_by
        return f"Its alerts belong to INC-{number} now; /incident why {number} tells of them."
    return "Its alerts belong to a later incident now, so they can’t be judged again."
