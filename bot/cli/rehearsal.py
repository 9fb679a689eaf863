"""``tocsin runbook test`` and ``record``: rehearse runbooks on the sandbox's cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.installation import open_core
from bot.cli.output import AsJson, plain_errors, print_as
from bot.cli.step_kinds import runbook as runbook
from bot.settings import load

if TYPE_CHECKING:
    from bot.bootstrap.rehearsing import Played
    from bot.domain.rehearsal import Rehearsal
    from bot.ports import RunbookLibrary

FILE = "rehearsal.yaml"


@runbook.command("test")
def runbook_test(
    names: Annotated[
        list[str] | None, typer.Argument(help="Runbooks; without any, all that have rehearsals.")
    ] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Rehearse the drafts of the runbooks that have one.")
    ] = False,
    only: Annotated[str, typer.Option(help="Rehearsals whose name holds this text.")] = "",
    as_json: AsJson = False,
) -> None:
    """Rehearse runbooks on a cluster in memory; exit 1 if any falls short."""
    from bot.bootstrap.rehearsing import rehearse
    from bot.bootstrap.runbooks import runbooks

    with plain_errors():
        settings = load()
        library: RunbookLibrary = runbooks(settings)
        if draft:
            library = _with_drafts(settings.runbooks, names or [], library)
        played = [
            (name, rehearsal.name, rehearse(name, rehearsal, library))
            for name, rehearsal in _rehearsals(settings.runbooks, names or [])
            if only in rehearsal.name
        ]
    failed = sum(bool(one.problems) for _, _, one in played)
    lines = [line for entry in played for line in _lines(*entry)]
    lines.append(f"{len(played) - failed} of {len(played)} rehearsals went as expected.")
    print_as([_data(*entry) for entry in played], as_json, "\n".join(lines))
    raise typer.Exit(1 if failed or not played else 0)


@runbook.command("record")
def runbook_record(run_id: Annotated[int, typer.Argument(metavar="RUN", min=1)]) -> None:
    """Print a rehearsal made of a run that has ended, on its targets as they are now."""
    from bot import bootstrap
    from bot.adapters.rehearsal_text import rehearsal_text
    from bot.app.recording import Recording
    from bot.vendors import vendors

    with plain_errors():
        objects = bootstrap.site(vendors(load())).objects
        recorded = Recording(open_core().runs, objects).record(run_id)
    print(rehearsal_text(recorded), end="")


def _with_drafts(folder: Path, names: Sequence[str], library: RunbookLibrary) -> RunbookLibrary:
    from bot.adapters.runbook_author import draft_names, read_draft
    from bot.adapters.runbook_drafts import WithDrafts
    from bot.adapters.runbook_file import RunbookReader
    from bot.steps.registry import step_kinds

    reader = RunbookReader(step_kinds())
    wanted = names or draft_names(folder)
    return WithDrafts(library, {name: read_draft(folder, name, reader) for name in wanted})


def _rehearsals(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, Rehearsal]]:
    from bot.adapters.rehearsal_file import load_rehearsals

    wanted = names or [path.parent.name for path in sorted(folder.glob(f"*/{FILE}"))]
    for name in wanted:
        for rehearsal in load_rehearsals(folder / name / FILE):
            yield name, rehearsal


def _lines(name: str, rehearsal: str, played: Played) -> Iterator[str]:
    mark = "✗" if played.problems else "✓"
    yield f"{mark} {name}: {rehearsal} ({played.run.state.value} after {played.seconds:.0f} s)"
    yield from (f"    {problem}" for problem in played.problems)


def _data(name: str, rehearsal: str, played: Played) -> dict[str, object]:
    return {
        "runbook": name,
        "rehearsal": rehearsal,
        "state": played.run.state.value,
        "seconds": played.seconds,
        "problems": list(played.problems),
    }
