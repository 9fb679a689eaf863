"""Maintenance windows: made, listed, ended; what each hid; and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.app import suppression
from bot.app.incidents import OPEN
from bot.app.record import record_incident
from bot.app.retry import ask_again
from bot.domain.actor import TOCSIN, Actor
from bot.domain.effects import ReviewWindow, UpdateSilence
from bot.domain.errors import IllegalTransition, PermanentError, TemporaryError
from bot.domain.incident import Incident
from bot.domain.incident_events import SilenceCreated, SilenceRefused
from bot.domain.maintenance import Silence, Window, checked, silence_matchers
from bot.domain.matcher import Matcher
from bot.ports import AlertSource, Clock, Store, Transaction

OPEN_REVIEWED = 10_000
"""Open incidents looked at when a window begins or ends."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What a window hid: an incident that it covered, or still does."""

    incident: Incident
    still: bool


class Maintenance:
    """What people do with maintenance windows."""

    def __init__(self, store: Store, clock: Clock, *, silences: bool) -> None:
        """`silences`: whether an Alertmanager is configured that can be silenced as well."""
        self._store = store
        self._clock = clock
        self._silences = silences

    def plan(
        self,
        matchers: Sequence[Matcher],
        starts_at: datetime | None,
        lasts: timedelta,
        reason: str,
        actor: Actor,
    ) -> Window:
        """A window from `starts_at` (None: now) on. Raises `InvalidInput` for a useless one."""
        now = self._clock.now()
        begins = starts_at or now
        draft = Window(0, tuple(matchers), begins, begins + lasts, reason, actor, now)
        with self._store.transaction() as tx:
            return self._opened(tx, checked(draft, now), now)

    def silence(self, incident_id: int, lasts: timedelta, reason: str, actor: Actor) -> Window:
        """A window about the alerts of an incident, in Alertmanager too where there is one."""
        now = self._clock.now()
        with self._store.transaction() as tx:
            incident = tx.incident(incident_id)
            if incident.state.over:
                raise IllegalTransition(f"{incident.reference} is {incident.state}; nothing fires.")
            matchers = silence_matchers([one.alert for one in tx.firing_alerts(incident_id)])
            draft = Window(
                0,
                matchers,
                now,
                now + lasts,
                reason.strip() or f"Silenced from {incident.reference}.",
                actor,
                now,
                incident_id,
                Silence() if self._silences else None,
            )
            return self._opened(tx, checked(draft, now), now)

    def end(self, window_id: int, actor: Actor) -> Window:
        """End a window early, or call one off that has not begun."""
        now = self._clock.now()
        with self._store.transaction() as tx:
            window = tx.window(window_id)
            if window.ends_at <= now:
                raise IllegalTransition(f"{window.reference} is over already.")
            ended = replace(
                window,
                starts_at=min(window.starts_at, now),
                ends_at=now,
                reason=f"{window.reason} (ended early by {actor.name})",
            )
            tx.save_window(ended)
            tx.enqueue(ReviewWindow(window.id))
            if ended.silence is not None:
                tx.enqueue(UpdateSilence(window.id))
            return ended

    def newest(self, *, everything: bool = False) -> Sequence[Window]:
        """The windows that are active or to come, or all of them; the newest first."""
        with self._store.read() as reader:
            return reader.windows(None if everything else self._clock.now())

    def show(self, window_id: int) -> tuple[Window, Sequence[Hidden]]:
        """A window, and the incidents that it hid."""
        with self._store.read() as reader:
            window = reader.window(window_id)
            hidden = [reader.incident(number) for number in reader.hidden_by(window_id)]
        return window, [Hidden(one, one.suppressed_by == window_id) for one in hidden]

    def _opened(self, tx: Transaction, draft: Window, now: datetime) -> Window:
        window = tx.new_window(draft)
        tx.enqueue(ReviewWindow(window.id), max(0.0, (window.starts_at - now).total_seconds()))
        if window.silence is not None:
            tx.enqueue(UpdateSilence(window.id))
        return window


class WindowReview:
    """Does what a window calls for when it begins and when it ends."""

    def __init__(
        self,
        store: Store,
        silences: AlertSource | None,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self._store = store
        self._silences = silences
        self._clock = clock
        self._jitter = jitter

    def review(self, effect: ReviewWindow) -> None:
        """Suppress what the window covers by now, wake what it no longer does, look again later."""
        now = self._clock.now()
        with self._store.transaction() as tx:
            window = tx.window(effect.window_id)
            windows = tx.windows(ending_after=now)
            for incident in tx.incidents(OPEN, OPEN_REVIEWED):
                suppression.review(tx, incident, windows, now)
            later = [at for at in (window.starts_at, window.ends_at) if at > now]
            if later:
                tx.enqueue(ReviewWindow(window.id), (min(later) - now).total_seconds())

    def update_silence(self, effect: UpdateSilence) -> None:
        """Make the window's silence in Alertmanager, or expire it when the window is over."""
        with self._store.read() as reader:
            window = reader.window(effect.window_id)
        try:
            silence = self._brought_up_to_date(window)
        except TemporaryError as error:
            with self._store.transaction() as tx:
                ask_again(tx, effect, error.retry_after, self._jitter())
        except PermanentError as error:
            self._write(window, Silence(refused=str(error)))
        else:
            if silence is not None:
                self._write(window, silence)

    def _brought_up_to_date(self, window: Window) -> Silence | None:
        """What the silence is now; None where nothing is to be said of it."""
        silence, silences = window.silence, self._silences
        if silence is None or silences is None or silence.refused:
            return None
        over = window.ends_at <= self._clock.now()
        if silence.id and over and not silence.expired:
            silences.expire_silence(silence.id)
            return replace(silence, expired=True)
        if silence.id or over:
            return None
        comment = f"{window.reference} of Tocsin: {window.reason}"
        made = silences.silence(
            window.matchers, window.starts_at, window.ends_at, window.created_by.name, comment
        )
        return Silence(made)

    def _write(self, window: Window, silence: Silence) -> None:
        now = self._clock.now()
        with self._store.transaction() as tx:
            current = tx.window(window.id)
            tx.save_window(replace(current, silence=silence))
            if window.incident_id is not None and not silence.expired:
                event = (
                    SilenceRefused(silence.refused)
                    if silence.refused
                    else SilenceCreated(silence.id, window.ends_at)
                )
                record_incident(tx, tx.incident(window.incident_id), (event,), TOCSIN, now)
            if current.ends_at != window.ends_at:
                tx.enqueue(UpdateSilence(window.id))
