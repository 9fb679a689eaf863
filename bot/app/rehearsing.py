"""Rehearses runs: asks for one, does it, says of its questions what the rehearsal says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.app.runner import Runner
from bot.app.runs import Runs
from bot.domain.access_policy import EVERYBODY, AccessPolicy, ApprovalRule, Role
from bot.domain.actor import Actor, ActorKind
from bot.domain.rehearsal import START
from bot.domain.run import Run
from bot.domain.run_events import RunState

ASKER = Actor(ActorKind.PERSON, "rehearsal", "Rehearsal")


@dataclass(frozen=True, slots=True)
class Rehearsing:
    """One rehearsal's way from being asked for to its end; `reach` is told each moment."""

    runs: Runs
    runner: Runner
    reach: Callable[[str], None]
    answers: Mapping[str, bool]

    def play(self, reference: str, parameters: Mapping[str, str]) -> Run:
        """The run when nothing more happens to it."""
        words = [f"{name}={value}" for name, value in parameters.items()]
        run_id = self.runs.request(reference, words, ASKER, start_when_planned=True).id
        while self.runner.advance(run_id) or self._answered(run_id):
            if self.runs.get(run_id).state is RunState.READY:
                self.reach(START)
        return self.runs.get(run_id)

    def _answered(self, run_id: int) -> bool:
        """Answer the step that asks, as one more person each time; whether there was one."""
        run = self.runs.get(run_id)
        if run.state is not RunState.WAITING or run.asked is None:
            return False
        number = len(run.asked.approvals) + 1
        person = Actor(ActorKind.PERSON, f"rehearsal-{number}", f"Approver {number}")
        done = self.answers.get(run.asked.id, True)
        self.runs.answer(run_id, person, done=done)
        return True


def rehearsal_policy(kinds: frozenset[str]) -> AccessPolicy:
    """Everybody may do everything: rehearsals are about runbooks, not about who may run them."""
    return AccessPolicy(
        roles=dict.fromkeys(Role, (EVERYBODY,)),
        kinds=dict.fromkeys(kinds, (EVERYBODY,)),
        rules=(ApprovalRule("a rehearsal", {}),),
    )
