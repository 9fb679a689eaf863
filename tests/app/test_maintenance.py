"""Windows as they are kept, and what Alertmanager is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters import database
from bot.adapters.store import SqlStore
from bot.app.maintenance import Maintenance, WindowReview
from bot.domain.dedup import KnownAlert
from bot.domain.effects import Effect, ReviewWindow, UpdateSilence
from bot.domain.errors import IllegalTransition, InvalidInput, PermanentError, TemporaryError
from bot.domain.incident_events import IncidentOpened
from bot.domain.maintenance import Silence
from bot.domain.matcher import Matcher
from bot.domain.matcher_text import parse_matcher
from bot.domain.observation import Observation
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_database
from tests.support.examples import ANA, BEN, NOW, alert, classification
from tests.support.windows import HOUR

MATCHERS = (parse_matcher("namespace=payments"), parse_matcher('service=~"api|web"'))


class Place:
    """A store whose effects are only written down, and an Alertmanager that can be silenced."""

    def __init__(self, folder: Path, *, silences: bool = True) -> None:
        self.effects: list[tuple[Effect, float]] = []
        self.clock = FakeClock(NOW)
        engine = database.create(sqlite_database(folder))
        self.store = SqlStore(engine, lambda _, effect, delay: self.effects.append((effect, delay)))
        self.alertmanager = FakeAlertmanager()
        self.maintenance = Maintenance(self.store, self.clock, silences=silences)
        self.review = WindowReview(self.store, self.alertmanager, self.clock, lambda: 1.0)

    def fire(self) -> None:
        """An incident with one alert."""
        with self.store.transaction() as tx:
            opened = IncidentOpened("g", "Title", "Summary", classification(), "key")
            incident = tx.new_incident(opened, NOW)
            tx.save_alerts([KnownAlert(alert(), incident.id)])

    def took(self) -> list[tuple[Effect, float]]:
        """The effects since the last time."""
        taken, self.effects[:] = list(self.effects), []
        return taken

    def events(self) -> list[str]:
        with self.store.read() as reader:
            return [type(one.event).__name__ for one in reader.recorded(incident_id=1)]


class FakeAlertmanager:
    """Implements `AlertSource` for silences; `fails` is raised instead of an answer."""

    def __init__(self) -> None:
        self.silences: dict[str, tuple[str, ...]] = {}
        self.comments: list[str] = []
        self.fails: Exception | None = None

    def alerts(self) -> Observation:
        raise AssertionError("nobody asks for alerts here")

    def silence(
        self,
        matchers: Sequence[Matcher],
        starts_at: datetime,
        ends_at: datetime,
        created_by: str,
        comment: str,
    ) -> str:
        if self.fails:
            raise self.fails
        assert starts_at < ends_at
        name = f"silence-{len(self.silences) + 1}"
        self.silences[name] = tuple(map(str, matchers))
        self.comments.append(f"{created_by}: {comment}")
        return name

    def expire_silence(self, silence_id: str) -> None:
        if self.fails:
            raise self.fails
        del self.silences[silence_id]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_window_is_kept_and_looked_at_when_it_begins(place: Place) -> None:
    made = place.maintenance.plan(MATCHERS, NOW + HOUR, 2 * HOUR, "Upgrade.", ANA)
    assert (made.id, made.starts_at, made.ends_at) == (1, NOW + HOUR, NOW + 3 * HOUR)
    assert (made.created_by, made.reason, made.silence) == (ANA, "Upgrade.", None)
    assert place.took() == [(ReviewWindow(1), 3600.0)]
    assert place.maintenance.show(1) == (made, [])
    assert [str(one) for one in place.maintenance.show(1)[0].matchers] == [
        'namespace="payments"',
        'service=~"api|web"',
    ]


@pytest.mark.parametrize("value", ['say "no"', "back\\slash", r"\n", "two\nlines", "ünïcode", ""])
def test_a_window_is_kept_whatever_its_matchers_hold(place: Place, value: str) -> None:
    escaped = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    matchers = (*MATCHERS, parse_matcher(f'job="{escaped}"'))
    made = place.maintenance.plan(matchers, None, HOUR, "Upgrade.", ANA)
    assert place.maintenance.show(1)[0].matchers == made.matchers == matchers


def test_a_useless_window_is_not_kept(place: Place) -> None:
    with pytest.raises(InvalidInput, match="needs a matcher"):
        place.maintenance.plan((), None, HOUR, "Upgrade.", ANA)
    assert place.maintenance.newest(everything=True) == []
    assert place.took() == []


def test_windows_that_are_over_are_listed_when_asked_for(place: Place) -> None:
    place.maintenance.plan(MATCHERS, None, HOUR, "First.", ANA)
    place.maintenance.plan(MATCHERS, NOW + 5 * HOUR, HOUR, "Second.", ANA)
    place.clock.advance(2 * 3600)
    assert [one.id for one in place.maintenance.newest()] == [2]
    assert [one.id for one in place.maintenance.newest(everything=True)] == [2, 1]


def test_a_window_is_ended_once(place: Place) -> None:
    place.maintenance.plan(MATCHERS, None, HOUR, "Upgrade.", ANA)
    place.clock.advance(60)
    place.took()
    ended = place.maintenance.end(1, BEN)
    assert ended.ends_at == NOW + timedelta(minutes=1)
    assert ended.reason == "Upgrade. (ended early by ben)"
    assert place.took() == [(ReviewWindow(1), 0.0)]
    with pytest.raises(IllegalTransition, match="MW-1 is over already"):
        place.maintenance.end(1, BEN)


def test_a_window_is_called_off_before_it_begins(place: Place) -> None:
    place.maintenance.plan(MATCHERS, NOW + HOUR, HOUR, "Upgrade.", ANA)
    ended = place.maintenance.end(1, ANA)
    assert ended.starts_at == ended.ends_at == NOW
    assert not ended.active(NOW)


def test_a_silence_reaches_alertmanager_and_is_expired_with_its_window(place: Place) -> None:
    place.fire()
    made = place.maintenance.silence(1, 2 * HOUR, "", ANA)
    assert (made.incident_id, made.silence) == (1, Silence())
    assert (UpdateSilence(1), 0.0) in place.took()
    place.review.update_silence(UpdateSilence(1))
    place.review.update_silence(UpdateSilence(1))
    assert place.alertmanager.silences == {
        "silence-1": ('namespace="payments"', 'service="checkout"', 'alertname="HighErrorRate"')
    }
    assert place.alertmanager.comments == ["ana: MW-1 of Tocsin: Silenced from INC-1."]
    assert place.maintenance.show(1)[0].silence == Silence("silence-1")
    assert place.events() == ["SilenceCreated"]
    place.maintenance.end(1, BEN)
    assert (UpdateSilence(1), 0.0) in place.took()
    place.review.update_silence(UpdateSilence(1))
    assert place.alertmanager.silences == {}
    assert place.maintenance.show(1)[0].silence == Silence("silence-1", expired=True)
    assert place.events() == ["SilenceCreated"]


def test_a_silence_is_asked_for_again_while_alertmanager_is_away(place: Place) -> None:
    place.fire()
    place.maintenance.silence(1, HOUR, "", ANA)
    place.took()
    place.alertmanager.fails = TemporaryError("connection refused", retry_after=7.0)
    place.review.update_silence(UpdateSilence(1))
    assert place.took() == [(UpdateSilence(1, attempt=2), 7.0)]
    place.alertmanager.fails = None
    place.review.update_silence(UpdateSilence(1, attempt=2))
    assert place.maintenance.show(1)[0].silence == Silence("silence-1")


def test_a_silence_that_alertmanager_refuses_is_said_to_be(place: Place) -> None:
    place.fire()
    place.maintenance.silence(1, HOUR, "", ANA)
    place.alertmanager.fails = PermanentError("bad matcher")
    place.review.update_silence(UpdateSilence(1))
    assert place.maintenance.show(1)[0].silence == Silence(refused="bad matcher")
    assert place.events() == ["SilenceRefused"]


def test_without_an_alertmanager_none_is_asked_for(tmp_path: Path) -> None:
    place = Place(tmp_path, silences=False)
    place.fire()
    assert place.maintenance.silence(1, HOUR, "", ANA).silence is None
    assert [effect for effect, _ in place.took()] == [ReviewWindow(1)]


def test_an_incident_without_firing_alerts_can_t_be_silenced(place: Place) -> None:
    with place.store.transaction() as tx:
        tx.new_incident(IncidentOpened("g", "T", "S", classification(), "key"), NOW)
    with pytest.raises(InvalidInput, match="no name in common"):
        place.maintenance.silence(1, HOUR, "", ANA)
    assert place.maintenance.newest(everything=True) == []
