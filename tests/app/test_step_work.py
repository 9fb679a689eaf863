"""A step whose runner slept while others went on, or whose target was replaced meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.run_events import RunState
from tests.support.scripted_runs import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.engine.dispose()


def test_who_slept_between_two_tries_does_not_change_anything_after_the_end(place: Place) -> None:
    place.ask()
    other = place.another_runner()

    def sleep() -> None:
        """Another runner takes the run to its end, and puts the change back."""
        place.script.before["execute verify"] = [PermanentError("Not ready.")]
        while other.advance(1):
            pass
        place.script.after["execute change"] = [TemporaryError("answer lost")]

    place.script.meanwhile["execute change"] = sleep
    ended = place.go()
    assert ended.state is RunState.COMPENSATED
    assert place.calls("change") == ["plan", "execute", "observe", "execute", "undo"]


@pytest.mark.parametrize("at", ["execute look", "execute verify"])
def test_what_replaced_the_target_is_not_touched(place: Place, at: str) -> None:
    place.ask()
    place.script.meanwhile[at] = lambda: place.cluster.edit(place.target, uid="another")
    place.script.after["execute verify"] = [PermanentError("Not ready.")]
    ended = place.go()
    assert "was deleted and made anew since it was planned." in ended.result
    undone = at == "execute verify"
    assert ended.state is (RunState.UNCERTAIN if undone else RunState.FAILED)
    assert place.calls("change") == (["plan", "execute"] if undone else ["plan"])
