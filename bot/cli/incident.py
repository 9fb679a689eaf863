"""``tocsin incident``: read the incidents from the database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from bot.cli.output import AsJson, plain_errors, print_as
from bot.domain.errors import InvalidInput
from bot.settings import load

if TYPE_CHECKING:
    from bot.bootstrap import Core

incident = typer.Typer(no_args_is_help=True, help="The incidents.")


@incident.command("list")
def incident_list(
    everything: Annotated[
        bool, typer.Option("--all", help="Closed and resolved ones too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the open incidents, the newest first."""
    from bot.domain.incident_message import incident_line

    with plain_errors():
        found = _core().incidents.newest(only_open=not everything)
    print_as(
        [msgspec.to_builtins(one) for one in found],
        as_json,
        "\n".join(incident_line(one) for one in found) or "No open incidents.",
    )


@incident.command("show")
def incident_show(incident_id: str, as_json: AsJson = False) -> None:
    """Show one incident, and why it has its level."""
    from bot.domain.incident_message import incident_message

    with plain_errors():
        found = _core().incidents.get(_number(incident_id))
    message = incident_message(found)
    lines = [message.headline, message.body, *(f"{f.name}: {f.value}" for f in message.fields)]
    print_as(msgspec.to_builtins(found), as_json, "\n".join(lines))


@incident.command("timeline")
def incident_timeline(
    incident_id: str,
    form: Annotated[str, typer.Option("--format", help="md or json.")] = "md",
    as_json: AsJson = False,
) -> None:
    """Tell an incident's story in order: times, actors, outcomes."""
    from bot.domain.timeline import markdown

    with plain_errors():
        if form not in ("md", "json"):
            raise InvalidInput(f"--format must be md or json; it is “{form}”.")
        found, story = _core().incidents.timeline(_number(incident_id))
    data = {
        "incident": found.reference,
        "title": found.title,
        "state": found.state.value,
        "entries": [msgspec.to_builtins(entry) for entry in story],
    }
    told = markdown(f"{found.reference}: {found.title}", story).rstrip()
    print_as(data, as_json or form == "json", told)


def _core() -> Core:
    from bot.adapters.schema import migrate
    from bot.bootstrap import core

    shared = core(load())
    migrate(shared.engine)
    return shared


def _number(incident_id: str) -> int:
    match = re.fullmatch(r"(?:inc-|#)?([0-9]{1,9})", incident_id.lower())
    if match is None:
        raise InvalidInput(f"“{incident_id}” is not an incident; write 12 or INC-12.")
    return int(match[1])
