"""Which of our incidents an event of the pager is about, when the event does not say it."""

from __future__ import annotations

from collections.abc import Callable

from bot.app.pager_events import PagerEventReason, apply_event, no_page
from bot.app.retry import ask_again
from bot.domain.effects import MatchPagerEvent
from bot.domain.errors import PermanentError, TemporaryError
from bot.ports import Clock, Counters, PagerRecords, Store


class PagerMatching:
    """Asks the pager for the keys of the pages that its incident holds."""

    def __init__(
        self,
        store: Store,
        records: PagerRecords | None,
        clock: Clock,
        counters: Counters,
        jitter: Callable[[], float],
    ) -> None:
        self._store = store
        self._records = records
        self._clock = clock
        self._counters = counters
        self._jitter = jitter

    def match(self, effect: MatchPagerEvent) -> None:
        """Apply the event to the incidents that it is about; later when the pager is away."""
        try:
            reason = self._matched(effect)
        except TemporaryError as error:
            with self._store.transaction() as tx:
                ask_again(tx, effect, error.retry_after, self._jitter())
            return
        except PermanentError:
            self._count(PagerEventReason.REFUSED)
            raise
        self._count(reason)

    def _matched(self, effect: MatchPagerEvent) -> PagerEventReason:
        if self._records is None:
            return PagerEventReason.NO_KEY
        event = effect.event
        keys = self._records.keys_of(event.incident_id)
        with self._store.transaction() as tx:
            found = [one for key in keys if (one := tx.incident_of_page(key))]
            if not found:
                return no_page(keys)
            return apply_event(tx, event, found, self._clock.now())

    def _count(self, reason: PagerEventReason) -> None:
        self._counters.count("pager_events", reason=reason.value)
