"""Suggestions: which runbooks an incident's alerts suggest, and those that run by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.app.record import record_incident
from bot.app.runs import Runs
from bot.domain.actor import Actor
from bot.domain.alert import Alert
from bot.domain.effects import RunSuggested
from bot.domain.errors import InvalidInput, NotFound
from bot.domain.incident import Incident, suggest
from bot.domain.incident_events import IncidentEvent, NoteAdded
from bot.domain.run import Run
from bot.domain.run_words import belonging
from bot.domain.runbook import Runbook
from bot.domain.suggestion import Suggestion, SuggestionRule, runbook_link, suggestions
from bot.ports import Clock, RunbookLibrary, Store, Transaction

Suggest = Callable[[Incident, Sequence[Alert]], tuple[IncidentEvent, ...]]
"""What alerts that have fired suggest for their incident, as far as it is new."""


def no_suggestions(_incident: Incident, _alerts: Sequence[Alert]) -> tuple[IncidentEvent, ...]:
    """For an installation that suggests nothing."""
    return ()


def suggested_by(rules: Callable[[], Sequence[SuggestionRule]], library: RunbookLibrary) -> Suggest:
    """What the rules in force suggest, of the runbooks in the library."""

    def found(incident: Incident, alerts: Sequence[Alert]) -> tuple[IncidentEvent, ...]:
        names = frozenset(library.names())

        def runbook_of(reference: str) -> Runbook:
            # Most links lead elsewhere, and the library's own answer, which names the nearest
            # runbook for people, would take a third of all that intake does in a storm.
            if reference.partition("@")[0] not in names:
                raise NotFound(f"There is no runbook “{reference}”.")
            return library.get(reference)

        offered = suggestions(rules(), alerts, runbook_of)
        return suggest(incident, offered, runbook_link(alerts))

    return found


class Suggestions:
    """Has suggested runbooks planned, and run where the policy says so."""

    def __init__(self, store: Store, runs: Runs, clock: Clock) -> None:
        self._store = store
        self._runs = runs
        self._clock = clock

    def plan(self, incident_id: int, key: str, actor: Actor) -> Run:
        """Have one planned for its incident, by whoever asks; nothing is run.

        Raises `InvalidInput` when the incident has no such suggestion.
        """
        with self._store.transaction() as tx:
            incident = tx.incident(incident_id)
            wanted = _of(incident, key)
            if wanted is None:
                raise InvalidInput(f"{incident.reference} suggests that no longer.")
            return self._ask(tx, incident, wanted, actor, start=False)

    def run(self, effect: RunSuggested) -> None:
        """Ask for a run that starts by itself, once; what stands against it is a note."""
        now = self._clock.now()
        with self._store.transaction() as tx:
            incident = tx.incident(effect.incident_id)
            wanted = _of(incident, effect.key)
            if wanted is None or incident.state.over or incident.suppressed_by is not None:
                return
            if not tx.first_time(f"suggestion:{incident.id}:{wanted.key}", now):
                return
            try:
                self._ask(tx, incident, wanted, wanted.actor, start=True)
            except InvalidInput as error:
                note = NoteAdded(f"{wanted.title} was to run by itself. {error}")
                record_incident(tx, incident, (note,), wanted.actor, now)

    def _ask(
        self, tx: Transaction, incident: Incident, wanted: Suggestion, actor: Actor, *, start: bool
    ) -> Run:
        words = (belonging(incident.id), *wanted.words)
        return self._runs.ask(tx, wanted.runbook, words, actor, start_when_planned=start)


def _of(incident: Incident, key: str) -> Suggestion | None:
    return next((one for one in incident.suggestions if one.key == key), None)
