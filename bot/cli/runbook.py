"""``tocsin runbook``: list, check and release runbooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, plain_errors, print_as
from bot.domain.errors import InvalidInput
from bot.settings import Settings, load

if TYPE_CHECKING:
    from bot.adapters.runbooks import RunbookFolder

runbook = typer.Typer(no_args_is_help=True, help="The runbooks.")


@runbook.command("list")
def runbook_list(as_json: AsJson = False) -> None:
    """List the runbooks and their versions."""
    with plain_errors():
        library = _library(load())
        found = [(library.get(name), library.versions(name)) for name in library.names()]
    data = [
        {"name": one.name, "versions": list(versions), "summary": one.summary, "risk": one.risk}
        for one, versions in found
    ]
    lines = [f"{one.name} ({', '.join(versions)}): {one.summary}" for one, versions in found]
    print_as(data, as_json, "\n".join(lines))


@runbook.command("lint")
def runbook_lint(as_json: AsJson = False) -> None:
    """Check every runbook and the LOCK; exit 1 with all problems, by file and line."""
    problems: Sequence[str] = ()
    try:
        library = _library(load())
    except InvalidInput as error:
        problems = str(error).splitlines()
    said = "\n".join(problems) if problems else f"{len(library.names())} runbooks are fine."
    print_as({"problems": list(problems)}, as_json, said)
    raise typer.Exit(1 if problems else 0)


@runbook.command("schema")
def runbook_schema(
    check_only: Annotated[
        bool, typer.Option("--check", help="Only say whether it is fresh.")
    ] = False,
) -> None:
    """Write runbooks/schema.json, the JSON Schema of the runbook format."""
    from bot.adapters.runbook_model import schema_text
    from bot.steps.registry import step_kinds

    with plain_errors():
        path = load().runbooks / "schema.json"
        text = schema_text(step_kinds())
        if not check_only:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            raise InvalidInput(f"{path} is out of date; run: tocsin runbook schema")


@runbook.command("lock")
def runbook_lock() -> None:
    """Enter new runbook versions into the LOCK; a released one is never changed."""
    from bot.adapters.runbook_lock import write_lock

    with plain_errors():
        added = write_lock(load().runbooks)
    print("\n".join(f"locked {name}" for name in added) or "nothing new")


def _library(settings: Settings) -> RunbookFolder:
    from bot.adapters.runbooks import RunbookFolder
    from bot.steps.registry import step_kinds

    return RunbookFolder(settings.runbooks, step_kinds())
