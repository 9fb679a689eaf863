from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain.errors import TemporaryError
from bot.steps.polling import Look, NotReached, Patience, watch
from tests.support.step_bench import Bench

BLIND = None


class Scene:
    """What is to be seen, by the seconds since the start."""

    def __init__(self, bench: Bench, *changes: tuple[float, bool | None]) -> None:
        self.state: bool | None = False
        self.looks = 0
        for seconds, state in changes:
            bench.later(seconds, self._become(state))

    def _become(self, state: bool | None) -> Callable[[], None]:
        def become() -> None:
            self.state = state

        return become

    def look(self) -> Look:
        self.looks += 1
        if self.state is BLIND:
            raise TemporaryError("connection refused")
        return Look(self.state, "good" if self.state else "bad")


def watch_scene(bench: Bench, scene: Scene, timeout: str, soak: str = "0s") -> float:
    """Watch, and return how many seconds it took."""
    context = bench.step("http.check", url="").context
    start = bench.clock.now()
    watch(context, scene.look, Patience(timeout, soak))
    return (bench.clock.now() - start).total_seconds()


def test_what_is_good_already_needs_one_look(bench: Bench) -> None:
    scene = Scene(bench)
    scene.state = True
    assert watch_scene(bench, scene, "10s") == 0
    assert scene.looks == 1


def test_it_is_looked_at_until_it_is_good(bench: Bench) -> None:
    assert watch_scene(bench, Scene(bench, (7, True)), "10s") == 7


@pytest.mark.parametrize(("became", "noticed"), [(1.71, 1.75), (7.01, 7.125), (20.01, 21)])
def test_what_comes_soon_is_noticed_soon(bench: Bench, became: float, noticed: float) -> None:
    assert watch_scene(bench, Scene(bench, (became, True)), "30s") == noticed


def test_what_does_not_come_in_time_is_an_error_that_says_what_was_seen(bench: Bench) -> None:
    with pytest.raises(NotReached, match=r"Not within 10s: bad\."):
        watch_scene(bench, Scene(bench, (11, True)), "10s")


def test_it_has_to_stay_good_for_the_soak(bench: Bench) -> None:
    assert watch_scene(bench, Scene(bench, (5, True)), "60s", "30s") == 35


def test_a_relapse_begins_the_soak_anew(bench: Bench) -> None:
    scene = Scene(bench, (5, True), (20, False), (25, True))
    assert watch_scene(bench, scene, "60s", "30s") == 55


def test_a_soak_that_began_in_time_may_end_after_the_deadline(bench: Bench) -> None:
    assert watch_scene(bench, Scene(bench, (50, True)), "60s", "30s") == 80


def test_a_relapse_after_the_deadline_is_final(bench: Bench) -> None:
    with pytest.raises(NotReached, match="bad"):
        watch_scene(bench, Scene(bench, (50, True), (70, False), (72, True)), "60s", "30s")


def test_what_can_t_be_seen_for_a_while_ends_nothing(bench: Bench) -> None:
    scene = Scene(bench, (2, BLIND), (40, False), (45, True))
    assert watch_scene(bench, scene, "60s") == 45


def test_what_can_t_be_seen_proves_nothing(bench: Bench) -> None:
    scene = Scene(bench, (5, True), (10, BLIND))
    with pytest.raises(NotReached, match="can't look now: connection refused"):
        watch_scene(bench, scene, "20s", "30s")


def test_a_short_blindness_does_not_end_the_soak(bench: Bench) -> None:
    scene = Scene(bench, (5, True), (10, BLIND), (15, True))
    assert watch_scene(bench, scene, "60s", "30s") == 35


def test_the_deadline_counts_from_the_step_s_beginning(bench: Bench) -> None:
    context = bench.step("http.check", url="").context
    bench.clock.advance(50)  # the process died and came back
    scene = Scene(bench, (5, BLIND), (20, True))
    with pytest.raises(NotReached):
        watch(context, scene.look, Patience("60s"))
    assert (bench.clock.now() - context.marker.at).total_seconds() == 60


def test_what_came_while_nobody_looked_counts_even_after_the_deadline(bench: Bench) -> None:
    context = bench.step("http.check", url="").context
    bench.clock.advance(500)
    scene = Scene(bench)
    scene.state = True
    assert watch(context, scene.look, Patience("60s", "30s")).good
    assert (bench.clock.now() - context.marker.at).total_seconds() == 530


def test_progress_is_said_once_for_each_change(bench: Bench) -> None:
    watch_scene(bench, Scene(bench, (20, BLIND), (30, False), (40, True)), "60s", "10s")
    assert bench.progress == ["bad", "can't look now: connection refused", "bad", "good"]
