"""``tocsin runbook kinds``: what steps of runbooks can be."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.output import AsJson, plain_errors, print_as
from bot.cli.runbook import runbook as runbook
from bot.domain.errors import NotFound
from bot.domain.nearest import guess


@runbook.command("kinds")
def runbook_kinds(
    name: Annotated[str, typer.Argument(help="A kind, to see its arguments; else all.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the kinds of step, or tell what one does and which arguments it takes."""
    from bot.steps.kind_text import kind_data, kind_line, kind_text
    from bot.steps.registry import step_kinds

    kinds = dict(sorted(step_kinds().items()))
    with plain_errors():
        if name and name not in kinds:
            raise NotFound(f"There is no kind of step “{name}”.{guess(name, list(kinds))}")
    if name:
        print_as(kind_data(kinds[name]), as_json, kind_text(kinds[name]))
        return
    lines = "\n".join(map(kind_line, kinds.values()))
    print_as([kind_data(kind) for kind in kinds.values()], as_json, lines)
