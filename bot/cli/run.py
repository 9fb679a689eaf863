"""``tocsin runbook plan``, ``run``, ``approve`` and the like: runs, from the command line.

A run that is asked for here is done by the worker, as every other; these commands only write
down what somebody wants, and show how it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from bot.cli.installation import open_core
from bot.cli.output import AsJson, plain_errors, print_as
from bot.cli.person import operator
from bot.cli.rehearsal import runbook as runbook
from bot.cli.runbook import Reference
from bot.cli.terminal import plain, printable
from bot.domain.typed import number
from bot.settings import load

if TYPE_CHECKING:
    from bot.app.runs import Runs
    from bot.domain.actor import Actor
    from bot.domain.run import Run

Words = Annotated[
    list[str] | None, typer.Argument(help="Its parameters, in order or as NAME=VALUE.")
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The number of the run.")]
Said = Annotated[list[str] | None, typer.Argument(help="What you have to say about it.")]


@runbook.command("plan")
def runbook_plan(reference: Reference, words: Words = None, as_json: AsJson = False) -> None:
    """Show what a runbook would do to the cluster as it is now; exit 1 if it would be refused."""
    from bot.bootstrap import running

    with plain_errors():
        core = open_core()
        core.runs.check_plan(reference, words or (), operator())
        made = running(load(), core).plans.planned(reference, tuple(words or ()))
    data = {
        "runbook": made.runbook.reference,
        "plan": msgspec.to_builtins(made.plan),
        "needs": dict(made.needs.needs),
        "rule": made.needs.rule,
        "problems": list(made.plan.problems),
    }
    print_as(data, as_json, plain(made.message))
    raise typer.Exit(1 if made.plan.problems else 0)


@runbook.command("run")
def runbook_run(
    reference: Reference,
    words: Words = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Start it once it is planned, unless it needs approval."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask for a run; the worker plans it, and it runs when that is approved."""
    with plain_errors():
        runs = open_core().runs
        made = runs.request(reference, words or (), operator(), start_when_planned=yes)
    said = f"Run {made.id} is being planned: {made.title}"
    print_as(run_data(made), as_json, printable(said))


@runbook.command("runs")
def runbook_runs(as_json: AsJson = False) -> None:
    """List the newest runs."""
    from bot.domain.run_message import run_line

    with plain_errors():
        found = open_core().runs.newest()
    lines = "\n".join(map(run_line, found)) or "No runs yet."
    print_as([run_data(one) for one in found], as_json, printable(lines))


@runbook.command("status")
def runbook_status(run: RunId, as_json: AsJson = False) -> None:
    """Show how a run stands; exit 1 if it ended badly."""
    with plain_errors():
        found = open_core().runs.get(_number(run))
    _show(found, as_json)
    raise typer.Exit(1 if found.state.final and found.state != "succeeded" else 0)


@runbook.command("approve")
def runbook_approve(run: RunId, as_json: AsJson = False) -> None:
    """Approve a run of somebody else's, or start one that nobody has to approve."""
    _act(run, as_json, lambda runs, number, who: runs.approve(number, who))


@runbook.command("cancel")
def runbook_cancel(run: RunId, as_json: AsJson = False) -> None:
    """Call a run off that has not begun."""
    _act(run, as_json, lambda runs, number, who: runs.cancel(number, who))


@runbook.command("pause")
def runbook_pause(run: RunId, as_json: AsJson = False) -> None:
    """Let the step under way end, and begin no other."""
    _act(run, as_json, lambda runs, number, who: runs.pause(number, who))


@runbook.command("resume")
def runbook_resume(run: RunId, as_json: AsJson = False) -> None:
    """Let a paused run go on."""
    _act(run, as_json, lambda runs, number, who: runs.resume(number, who))


@runbook.command("abort")
def runbook_abort(
    run: RunId,
    reason: Said = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave what it changed; else that is put back.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Stop a run at the next safe point, and put back what it changed."""
    said = " ".join(reason or ())
    _act(run, as_json, lambda runs, number, who: runs.abort(number, who, said, undo=not keep))


@runbook.command("done")
def runbook_done(run: RunId, words: Said = None, as_json: AsJson = False) -> None:
    """Say that the step that waits for people is done, or approve it."""
    said = " ".join(words or ())
    _act(run, as_json, lambda runs, number, who: runs.answer(number, who, said))


@runbook.command("failed")
def runbook_failed(run: RunId, words: Said = None, as_json: AsJson = False) -> None:
    """Say that the step that waits for people can't be done."""
    said = " ".join(words or ())
    _act(run, as_json, lambda runs, number, who: runs.answer(number, who, said, done=False))


@runbook.command("override")
def runbook_override(
    run: RunId,
    reason: Annotated[list[str], typer.Argument(help="Why; it stands on the timeline.")],
    as_json: AsJson = False,
) -> None:
    """Break the glass: let a run of an open P0 go without the approvals that it lacks."""
    said = " ".join(reason)
    _act(run, as_json, lambda runs, number, who: runs.override(number, said, who))


def _act(run: str, as_json: bool, act: Callable[[Runs, int, Actor], Run]) -> None:
    with plain_errors():
        changed = act(open_core().runs, _number(run), operator())
    _show(changed, as_json)


def _show(run: Run, as_json: bool) -> None:
    from bot.domain.run_message import run_message

    print_as(run_data(run), as_json, plain(run_message(run)))


def run_data(run: Run) -> dict[str, Any]:
    """A run as JSON has it; its runbook by name, version and digest only."""
    data = msgspec.to_builtins(run)
    book = {"runbook": run.runbook.reference, "runbook_digest": run.runbook.digest}
    return {**data, **book, "missing": dict(run.missing), "deadline": run.deadline}


def _number(text: str) -> int:
    return number(text, "run-")
