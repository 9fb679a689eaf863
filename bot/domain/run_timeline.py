"""What the timeline says of a run's events: one sentence for each."""

from __future__ import annotations

from bot.domain.approval import in_words
from bot.domain.incident_events import IncidentEvent
from bot.domain.plan_text import outline
from bot.domain.run_events import (
    CompensationStarted,
    RunAborted,
    RunApproved,
    RunCancelled,
    RunDelayed,
    RunEvent,
    RunExpired,
    RunFinished,
    RunOverridden,
    RunPaused,
    RunPlanned,
    RunRefused,
    RunRequested,
    RunResumed,
    RunSettled,
    RunStarted,
    StepAnswered,
    StepApproved,
    StepAsked,
    StepFailed,
    StepFinished,
    StepProgressed,
    StepStarted,
    UndoFailed,
    UndoFinished,
    UndoStarted,
    VerificationStarted,
)


def run_sentence(event: IncidentEvent | RunEvent) -> str:
    """What happened, in a sentence."""
    match event:
        case RunRequested(runbook, parameters):
            given = " ".join(f"{name}={value}" for name, value in parameters.items() if value)
            return f"Asked for {runbook} {given}".rstrip() + "."
        case RunPlanned(plan, needs):
            wanted = f" It needs {in_words(needs.needs)}." if needs and needs.needs else ""
            return f"Planned. {outline(plan)}{wanted}"
        case RunDelayed(reason):
            return f"Not possible yet, tried again: {reason}"
        case RunRefused(reasons):
            return f"Refused: {' '.join(reasons)}"
        case RunStarted():
            return "Started."
        case VerificationStarted():
            return "All steps done; verifying."
        case CompensationStarted(reason):
            return f"Putting the changes back. {reason}"
        case RunFinished(state, result):
            return f"Ended {state.value}. {result}"
        case _:
            return _people(event)


def _people(event: IncidentEvent | RunEvent) -> str:
    """What people did to the run."""
    match event:
        case RunApproved(_, kinds):
            return f"Approved the plan ({', '.join(kinds)})." if kinds else "Let the plan run."
        case RunOverridden(reason, lacking):
            without = f" that lacked {in_words(lacking)}" if lacking else ""
            return f"Emergency override 🚨: let a run go{without}. {reason}"
        case RunExpired():
            return "Nobody let it run in time."
        case RunCancelled():
            return "Called off."
        case RunPaused():
            return "Paused."
        case RunResumed():
            return "Let it go on."
        case RunSettled(done, words):
            return f"Found out that it {'ended well' if done else 'failed'}: {words}"
        case RunAborted(reason, undo):
            then = "what it changed is put back" if undo else "what it changed stays"
            return f"Aborted {reason}; {then}."
        case _:
            return _question(event)


def _question(event: IncidentEvent | RunEvent) -> str:
    match event:
        case StepAsked(step, question, needs):
            wanted = f" It needs {in_words(needs)}." if needs else ""
            return f"Step {step} waits for people: {question}{wanted}"
        case StepApproved(step):
            return f"Approved step {step}."
        case StepAnswered(step, done, words):
            said = "is done" if done else "can’t be done"
            return f"Step {step} {said}: {words}" if words else f"Step {step} {said}."
        case _:
            return _step(event)


def _step(event: IncidentEvent | RunEvent) -> str:
    match event:
        case StepStarted(step):
            return f"Step {step} began."
        case StepProgressed(step, text):
            return f"Step {step}: {text}"
        case StepFinished(step, outcome, observed):
            found = " (found done after an interruption)" if observed else ""
            return f"Step {step} done{found}: {outcome.summary}"
        case StepFailed(step, reason):
            return f"Step {step} failed: {reason}"
        case UndoStarted(step):
            return f"Undoing step {step}."
        case UndoFinished(step, outcome):
            return f"Step {step} undone: {outcome.summary}"
        case UndoFailed(step, reason):
            return f"Step {step} could not be undone: {reason}"
        case _:
            raise AssertionError(f"no sentence for {type(event).__name__}")
