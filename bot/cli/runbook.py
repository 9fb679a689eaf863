"""``tocsin runbook``: look at runbooks, check them, write and release them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, plain_errors, print_as
from bot.domain.errors import InvalidInput, NotFound
from bot.domain.excerpt import counted
from bot.domain.nearest import guess
from bot.settings import load

if TYPE_CHECKING:
    from bot.adapters.runbooks import Runbooks
    from bot.domain.parameter import Parameter
    from bot.domain.runbook import Runbook

runbook = typer.Typer(no_args_is_help=True, help="The runbooks.")

Reference = Annotated[str, typer.Argument(help="NAME for the newest version, or NAME@VERSION.")]


@runbook.command("list")
def runbook_list(as_json: AsJson = False) -> None:
    """List the runbooks and their versions; what is refused is said on standard error."""
    with plain_errors():
        library = _library()
        found = [(library.get(name), library.versions(name)) for name in library.names()]
    for problem in library.problems:
        print(f"Not listed: {problem}", file=sys.stderr)
    data = [
        {"name": one.name, "versions": list(versions), "summary": one.summary, "risk": one.risk}
        for one, versions in found
    ]
    lines = [f"{one.name} ({', '.join(versions)}): {one.summary}" for one, versions in found]
    print_as(data, as_json, "\n".join(lines))


@runbook.command("show")
def runbook_show(reference: Reference, as_json: AsJson = False) -> None:
    """Show a runbook: its usage, what its parameters take, and its steps."""
    from bot.domain.runbook_text import described

    with plain_errors():
        one = _library().get(reference)
    told = [f"{one.reference}: {one.summary} Risk: {one.risk}.", "", described(one)]
    if one.passed_over:
        told.insert(1, f"NOT THE NEWEST: {one.passed_over}")
    if one.deprecated:
        told.insert(1, f"DEPRECATED: {one.deprecated}")
    data = {
        "reference": one.reference,
        "digest": one.digest,
        "deprecated": one.deprecated,
        "usage": one.usage,
        "text": one.text,
    }
    print_as(data, as_json, "\n".join(told))


@runbook.command("diff")
def runbook_diff(before: Reference, after: Reference) -> None:
    """Show what differs between two versions; exit 1 if anything does."""
    from bot.domain.runbook_text import difference

    with plain_errors():
        library = _library()
        lines = list(difference(library.get(before), library.get(after)))
    if lines:
        print("\n".join(lines))
        raise typer.Exit(1)


@runbook.command("complete")
def runbook_complete(
    reference: Reference,
    parameter: str,
    prefix: Annotated[str, typer.Argument(help="How the value begins.")] = "",
    given: Annotated[
        list[str] | None, typer.Option("--with", help="A value chosen already: NAME=VALUE.")
    ] = None,
) -> None:
    """Print what PARAMETER can be in the cluster as it is now, one value a line."""
    from bot import bootstrap
    from bot.app.completion import Completion
    from bot.vendors import vendors

    with plain_errors():
        settings = load()
        chosen = dict(word.split("=", 1) for word in given or () if "=" in word)
        one = _library().get(reference)
        wanted = _parameter(one, parameter)
        site = bootstrap.site(vendors(settings))
        found = Completion(site.cluster, site.objects).candidates(one, wanted, chosen)
    print("\n".join(value for value in found if value.startswith(prefix)))


@runbook.command("lint")
def runbook_lint(as_json: AsJson = False) -> None:
    """Check every version, draft and the LOCK; exit 1 with all problems, by file and line."""
    from bot.adapters.runbook_author import draft_names, draft_problems
    from bot.adapters.runbook_file import RunbookReader
    from bot.steps.registry import step_kinds

    with plain_errors():
        library = _library()
        folder = load().runbooks
        drafts = draft_problems(folder, RunbookReader(step_kinds()))
        problems = [str(problem) for problem in (*library.problems, *drafts)]
        released, unreleased = len(library.names()), len(draft_names(folder))
    fine = f"{counted(released, 'runbook')} and {counted(unreleased, 'draft')} have no fault."
    said = "\n".join(problems) or fine
    print_as({"problems": problems}, as_json, said)
    raise typer.Exit(1 if problems else 0)


@runbook.command("new")
def runbook_new(name: str) -> None:
    """Write NAME/draft.yaml: the next version of a runbook that there is, or an example."""
    from bot.adapters.runbook_author import new_draft

    with plain_errors():
        library = _library()
        newest = library.get(name) if name in library.names() else None
        path = new_draft(load().runbooks, name, newest)
    print(f"{path}: edit it, check it with “tocsin runbook lint”, then release it.")


@runbook.command("release")
def runbook_release(name: str, version: str) -> None:
    """Make NAME/draft.yaml that version, and enter it into the LOCK; it never changes again."""
    from bot.adapters.runbook_author import release
    from bot.adapters.runbook_file import RunbookReader
    from bot.steps.registry import step_kinds

    with plain_errors():
        path = release(load().runbooks, name, version, RunbookReader(step_kinds()))
    print(f"{path} is released; restart Tocsin to use it.")


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
        _write_or_check(path, schema_text(step_kinds()), check_only)


@runbook.command("lock")
def runbook_lock() -> None:
    """Enter new runbook versions into the LOCK; a released one is never changed."""
    from bot.adapters.runbook_lock import write_lock

    with plain_errors():
        added = write_lock(load().runbooks)
    print("\n".join(f"locked {name}" for name in added) or "nothing new")


def _write_or_check(path: Path, text: str, check_only: bool) -> None:
    if not check_only:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        raise InvalidInput(f"{path} is out of date; run: tocsin runbook schema")


def _parameter(one: Runbook, name: str) -> Parameter:
    known = {parameter.name: parameter for parameter in one.parameters}
    if name not in known:
        raise NotFound(f"{one.reference} has no parameter “{name}”.{guess(name, list(known))}")
    return known[name]


def _library() -> Runbooks:
    from bot.bootstrap.runbooks import runbooks

    return runbooks(load())
