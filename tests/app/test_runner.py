"""The runner, when its process dies, when the cluster gives trouble, and when people step in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app.run_log import RETRY_DELAYS
from bot.domain.access_policy import ApprovalRule
from bot.domain.cluster import DEPLOYMENT
from bot.domain.effects import ExpireRun
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.plan import Question
from bot.domain.run import Run
from bot.domain.run_events import RunState
from tests.support.access import OPEN_TO_ALL
from tests.support.examples import ANA, BEN, CHEN
from tests.support.scripted_runs import Died, Place, book


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.engine.dispose()


def test_a_run_does_each_step_once(place: Place) -> None:
    place.ask()
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", "execute"]
    assert "Step change: at it" in place.story()
    assert "Step change done: Did payments/checkout." in place.story()


def test_a_run_that_nobody_approved_stops_at_its_plan(place: Place) -> None:
    place.ask(approved=False)
    waiting = place.go()
    assert waiting.state is RunState.AWAITING_APPROVAL
    assert waiting.plan is not None
    place.runs.approve(1, ANA, waiting.plan.digest)
    assert place.go().state is RunState.SUCCEEDED


# The process dies


def test_a_change_that_took_effect_before_the_death_is_found_and_not_done_again(
    place: Place,
) -> None:
    place.ask()
    place.script.after["execute change"] = [Died()]
    with pytest.raises(Died):
        place.go()
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", "execute", "observe"]
    assert "Step change done (found done after an interruption): It was done." in place.story()


def test_a_change_that_did_not_take_effect_is_done(place: Place) -> None:
    place.ask()
    place.script.before["execute change"] = [Died()]
    with pytest.raises(Died):
        place.go()
    place.clock.advance(60)
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", "execute", "observe", "execute"]
    began = place.runs.get(1).record("change").started_at
    assert began is not None
    assert began < place.clock.now()


def test_a_step_that_only_reads_is_done_again(place: Place) -> None:
    place.ask()
    place.script.after["execute look"] = [Died()]
    with pytest.raises(Died):
        place.go()
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("look") == ["plan", "execute", "execute"]


def test_an_undo_that_was_interrupted_is_done_again(place: Place) -> None:
    place.ask()
    place.script.before["execute verify"] = [PermanentError("Not ready.")]
    place.script.before["undo change.undo"] = [Died()]
    with pytest.raises(Died):
        place.go()
    assert place.go().state is RunState.COMPENSATED
    assert place.calls("change")[-2:] == ["undo", "undo"]


# The cluster gives trouble


def test_trouble_that_passes_is_waited_out(place: Place) -> None:
    place.ask()
    began = place.clock.now()
    place.script.before["execute change"] = [TemporaryError("API server away")] * 3
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", *["execute"] * 4]
    assert (place.clock.now() - began).total_seconds() == sum(RETRY_DELAYS[:3])
    told = "Step change: not possible yet, tried again: API server away"
    assert place.story().count(told) == 1


def test_a_plan_that_takes_long_says_why(place: Place) -> None:
    place.ask()
    place.script.before["plan look"] = [
        *[TemporaryError("API server away")] * 2,
        TemporaryError("leader election"),
        Died(),
    ]
    with pytest.raises(Died):
        place.go()
    late = place.runs.get(1)
    assert (late.state, late.delay) == (RunState.PLANNING, "leader election")
    assert place.story().count("Not possible yet, tried again: API server away") == 1
    ended = place.go()
    assert (ended.state, ended.delay) == (RunState.SUCCEEDED, "")


def test_a_plan_that_takes_long_can_be_called_off(place: Place) -> None:
    place.ask()
    place.script.meanwhile["plan look"] = lambda: place.runs.cancel(1, ANA)
    place.script.after["plan look"] = [TemporaryError("API server away")]
    assert place.go().state is RunState.CANCELLED


def test_a_start_that_takes_long_says_why(place: Place) -> None:
    place.ask(approved=False)
    waiting = place.go()
    assert waiting.plan is not None
    place.runs.approve(1, ANA, waiting.plan.digest)
    place.cluster.failure = TemporaryError("API server away")
    ended = place.go()
    assert (ended.state, ended.delay) == (RunState.REFUSED, "")
    assert place.story().count("Not possible yet, tried again: API server away") == 1


def test_a_try_that_arrived_although_its_answer_did_not_is_not_repeated(place: Place) -> None:
    place.ask()
    place.script.after["execute change"] = [TemporaryError("answer lost")]
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", "execute", "execute"]
    assert place.script.changes == ["run-1/change"]


def test_a_change_of_which_nobody_knows_is_left_to_a_person(place: Place) -> None:
    place.ask()
    tries = len(RETRY_DELAYS) + 1
    place.script.before["execute change"] = [TemporaryError("API server away")] * tries
    ended = place.go()
    assert ended.state is RunState.UNCERTAIN
    assert ended.result == "Step change may have taken effect: API server away"


def test_a_read_that_never_succeeds_fails_the_run(place: Place) -> None:
    place.ask()
    tries = len(RETRY_DELAYS) + 1
    place.script.before["execute look"] = [TemporaryError("API server away")] * tries
    ended = place.go()
    assert (ended.state, ended.result) == (RunState.FAILED, "Do look failed: API server away")


def test_a_failed_verification_puts_the_change_back(place: Place) -> None:
    place.ask()
    place.script.before["execute verify"] = [PermanentError("Not ready.")]
    ended = place.go()
    assert ended.state is RunState.COMPENSATED
    assert ended.result == "Do verify failed: Not ready. What was changed has been put back."
    assert "Step change undone: Undid: Did payments/checkout." in place.story()


def test_a_change_that_cannot_be_put_back_is_left_to_a_person(place: Place) -> None:
    place.ask()
    place.script.before["execute verify"] = [PermanentError("Not ready.")]
    place.script.before["undo change.undo"] = [PermanentError("It was changed since.")]
    ended = place.go()
    assert ended.state is RunState.UNCERTAIN
    assert "Putting it back failed too: It was changed since." in ended.result


def test_what_cannot_be_planned_is_refused(place: Place) -> None:
    place.ask()
    tries = len(RETRY_DELAYS) + 1
    place.script.before["plan look"] = [TemporaryError("API server away")] * tries
    ended = place.go()
    assert (ended.state, ended.result) == (
        RunState.REFUSED,
        "It could not be planned: API server away",
    )
    assert place.calls("change") == []


# Between the plan and the run


def test_what_was_let_go_before_it_was_known_what_it_needs_is_refused(place: Place) -> None:
    """As an old release may have left it."""
    place.ask()
    place.runner.advance(1)
    with place.store.transaction() as tx:
        tx.save_run(replace(tx.run(1), requirement=None))
    refused = place.go()
    assert refused.state is RunState.REFUSED
    assert "ask for it anew" in refused.result
    assert place.calls("change") == ["plan"]


def test_a_target_that_was_made_anew_is_refused(place: Place) -> None:
    place.ask(approved=False)
    waiting = place.go()
    assert waiting.plan is not None
    assert [target.ref.kind for target in waiting.plan.targets] == [DEPLOYMENT]
    place.cluster.add_deployment("payments/checkout", ["a:3"])
    place.runs.approve(1, ANA, waiting.plan.digest)
    ended = place.go()
    assert ended.state is RunState.REFUSED
    assert "since it was planned" in ended.result
    assert place.calls("change") == ["plan"]


def test_a_target_that_cannot_be_read_any_more_is_refused(place: Place) -> None:
    place.ask(approved=False)
    waiting = place.go()
    assert waiting.plan is not None
    place.cluster.failure = PermanentError("RBAC says no")
    place.runs.approve(1, ANA, waiting.plan.digest)
    assert "can’t be read any more: RBAC says no" in place.go().result


def test_a_run_that_is_abandoned_is_uncertain_and_one_that_is_over_stays_so(place: Place) -> None:
    place.ask()
    place.runner.abandon(1, "KeyError('x')")
    assert place.runs.get(1).result == "The runner failed: KeyError('x')"
    place.ask()
    done = place.go(2)
    place.runner.abandon(2, "KeyError('x')")
    assert place.runs.get(2) == done


# What an interrupted step did can't be found out


@pytest.mark.parametrize("aborted", [True, False])
@pytest.mark.parametrize(
    "trouble", [[PermanentError("Forbidden")], [TemporaryError("away")] * (len(RETRY_DELAYS) + 1)]
)
def test_what_cannot_be_observed_is_left_to_a_person(
    place: Place, trouble: list[BaseException], aborted: bool
) -> None:
    interrupted(place)
    if aborted:
        place.runs.abort(1, ANA)
    place.script.before["observe change"] = list(trouble)
    ended = place.go()
    assert ended.state is RunState.UNCERTAIN
    assert ended.result == f"Step change may have taken effect: {trouble[0]}"


def interrupted(place: Place, *, took_effect: bool = True) -> None:
    """A run whose runner died in the middle of its change."""
    place.ask()
    when = place.script.after if took_effect else place.script.before
    when["execute change"] = [Died()]
    with pytest.raises(Died):
        place.go()


# Pause and resume


def test_a_step_under_way_ends_in_a_pause_and_none_begins(place: Place) -> None:
    place.ask()
    place.script.meanwhile["execute change"] = lambda: place.runs.pause(1, BEN)
    paused = place.go()
    assert paused.state is RunState.WAITING
    assert place.calls("change") == ["plan", "execute"]
    assert place.calls("verify") == ["plan"]
    place.runs.resume(1, BEN)
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", "execute"]


def test_a_step_that_fails_in_a_pause_is_put_back_after_it(place: Place) -> None:
    place.ask()
    place.script.meanwhile["execute verify"] = lambda: place.runs.pause(1, BEN)
    place.script.after["execute verify"] = [PermanentError("Not ready.")]
    assert place.go().state is RunState.WAITING
    place.runs.resume(1, BEN)
    assert place.go().state is RunState.COMPENSATED


def test_a_runner_that_dies_in_a_pause_is_found_out_about_after_it(place: Place) -> None:
    interrupted(place)
    place.runs.pause(1, BEN)
    assert place.go().state is RunState.WAITING
    place.runs.resume(1, BEN)
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("change") == ["plan", "execute", "observe"]


# Abort


def test_an_abort_while_a_step_waits_ends_it_and_puts_the_change_back(place: Place) -> None:
    place.ask()
    place.script.meanwhile["execute verify"] = lambda: place.runs.abort(1, BEN, "wrong one")
    place.script.after["execute verify"] = [PermanentError("The run is being aborted.")]
    ended = place.go()
    assert ended.state is RunState.COMPENSATED
    assert ended.result == "Aborted by ben: wrong one. What was changed has been put back."
    assert place.calls("change") == ["plan", "execute", "undo"]


def test_a_change_that_is_under_way_when_it_is_aborted_is_put_back(place: Place) -> None:
    place.ask()
    place.script.meanwhile["execute change"] = lambda: place.runs.abort(1, BEN)
    assert place.go().state is RunState.COMPENSATED
    assert place.calls("change") == ["plan", "execute", "undo"]
    assert place.calls("verify") == ["plan"]


def test_a_stop_leaves_the_change(place: Place) -> None:
    place.ask()
    place.script.meanwhile["execute change"] = lambda: place.runs.abort(1, BEN, undo=False)
    ended = place.go()
    assert (ended.state, place.calls("change")) == (RunState.CANCELLED, ["plan", "execute"])
    assert ended.result == "Aborted by ben. What these steps changed stays: change."


def test_an_abort_before_the_first_change_changes_nothing(place: Place) -> None:
    place.ask()
    place.script.meanwhile["execute look"] = lambda: place.runs.abort(1, BEN)
    ended = place.go()
    assert ended.state is RunState.CANCELLED
    assert ended.result == "Aborted by ben. Nothing was changed."
    assert place.calls("change") == ["plan"]


@pytest.mark.parametrize(
    ("took_effect", "state", "calls"),
    [
        (True, RunState.COMPENSATED, ["plan", "execute", "observe", "undo"]),
        (False, RunState.CANCELLED, ["plan", "execute", "observe", "stop"]),
    ],
)
def test_an_abort_after_a_crash_finds_out_first_and_does_nothing_anew(
    place: Place, took_effect: bool, state: RunState, calls: list[str]
) -> None:
    interrupted(place, took_effect=took_effect)
    place.runs.abort(1, BEN)
    assert place.go().state is state
    assert place.calls("change") == calls


def test_what_cannot_be_stopped_after_an_abort_is_left_to_a_person(place: Place) -> None:
    interrupted(place, took_effect=False)
    place.runs.abort(1, BEN)
    place.script.before["stop change"] = [PermanentError("we may not delete it")]
    ended = place.go()
    assert ended.state is RunState.UNCERTAIN
    assert "we may not delete it" in ended.result


def test_an_abort_of_a_pause_is_an_abort(place: Place) -> None:
    place.ask()
    place.script.meanwhile["execute change"] = lambda: place.runs.pause(1, BEN)
    place.go()
    place.runs.abort(1, BEN)
    assert place.go().state is RunState.COMPENSATED


# Steps of people


def asks(place: Place, **needs: int) -> Run:
    """A run that waits for an answer, or for these approvals, within two hours."""
    place.script.question = Question("Is the partner told?", needs, timedelta(hours=2))
    place.ask(runbook=book(asks=True))
    waiting = place.go()
    assert waiting.state is RunState.WAITING
    assert place.calls("change") == ["plan"]
    return waiting


def test_a_step_of_people_is_waited_for_and_never_executed(place: Place) -> None:
    asks(place)
    assert (ExpireRun(1), 7200.0) in place.enqueued
    place.runs.answer(1, BEN, "They know.", step="ask")
    assert place.go().state is RunState.SUCCEEDED
    assert place.calls("ask") == ["plan"]
    assert "Step ask is done: They know." in place.story()


def test_what_people_could_not_do_fails_the_run(place: Place) -> None:
    asks(place)
    place.runs.answer(1, BEN, "Nobody answers.", done=False)
    ended = place.go()
    assert ended.state is RunState.FAILED
    assert ended.result == "Do ask failed: ben could not: Nobody answers."
    assert place.calls("change") == ["plan"]


def test_a_question_that_nobody_answers_fails_the_run_in_time(place: Place) -> None:
    asks(place)
    place.clock.advance(7200)
    place.runs.expire(1)
    ended = place.go()
    assert ended.result == "Do ask failed: Tocsin could not: nobody answered in time."


def test_a_question_that_needs_two_waits_for_two(place: Place) -> None:
    asks(place, approver=2)
    place.runs.answer(1, BEN)
    assert place.go().state is RunState.WAITING
    place.runs.answer(1, CHEN)
    assert place.go().state is RunState.SUCCEEDED
    assert "Step ask done" not in place.story()
    assert place.runs.get(1).record("ask").outcome is not None


def test_an_abort_ends_a_question_and_its_deadline_means_nothing_then(place: Place) -> None:
    asks(place)
    place.runs.abort(1, BEN)
    ended = place.go()
    assert ended.state is RunState.CANCELLED
    place.clock.advance(7200)
    place.runs.expire(1)
    assert place.runs.get(1) == ended


# Approvals that came too late


def test_a_plan_that_nobody_lets_run_expires(place: Place) -> None:
    place.ask(approved=False)
    place.go()
    place.clock.advance(3600)
    place.runs.expire(1)
    ended = place.runs.get(1)
    assert (ended.state, ended.result) == (RunState.CANCELLED, "Nobody let it run in time.")


@pytest.mark.parametrize(
    ("seconds", "state"), [(3600, RunState.SUCCEEDED), (3601, RunState.CANCELLED)]
)
def test_an_approval_holds_only_so_long_before_the_start(
    place: Place, seconds: int, state: RunState
) -> None:
    place.ask(approved=False)
    place.go()
    place.runs.approve(1, BEN)
    place.clock.advance(seconds)
    assert place.go().state is state


def test_the_oldest_approval_has_to_hold_at_the_start(place: Place) -> None:
    place.policy = replace(OPEN_TO_ALL, rules=(ApprovalRule("two", {"approver": 2}),))
    place.ask()
    place.go()
    place.runs.approve(1, BEN)
    place.clock.advance(3000)
    place.runs.approve(1, CHEN)
    place.clock.advance(601)
    assert place.go().state is RunState.CANCELLED
    assert place.calls("change") == ["plan"]
