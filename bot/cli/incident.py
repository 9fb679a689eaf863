"""``tocsin incident``: read the incidents in the database, and work them."""

from __future__ import annotations

import secrets
from typing import Annotated

import msgspec
import typer

from bot.cli.installation import open_core
from bot.cli.maintenance import window_data
from bot.cli.output import AsJson, plain_errors, print_as
from bot.cli.person import operator
from bot.cli.terminal import plain, printable
from bot.domain.declaration import Declaration
from bot.domain.durations import length
from bot.domain.errors import InvalidInput
from bot.domain.typed import level, number

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
        found = open_core().incidents.newest(only_open=not everything)
    print_as(
        [msgspec.to_builtins(one) for one in found],
        as_json,
        printable("\n".join(map(incident_line, found))) or "No open incidents.",
    )


@incident.command("show")
def incident_show(incident_id: str, as_json: AsJson = False) -> None:
    """Show one incident, and why it has its level."""
    from bot.domain.incident_message import incident_message

    with plain_errors():
        found, window = open_core().incidents.with_window(_number(incident_id))
    message = incident_message(found, window)
    lines = [message.headline, message.body, *(f"{f.name}: {f.value}" for f in message.fields)]
    print_as(msgspec.to_builtins(found), as_json, printable("\n".join(lines)))


@incident.command("why")
def incident_why(incident_id: str, as_json: AsJson = False) -> None:
    """Explain an incident's level, and why somebody or nobody was paged."""
    from bot.domain.why_message import why_message

    with plain_errors():
        why = open_core().explanations.why(_number(incident_id))
    print_as(msgspec.to_builtins(why), as_json, plain(why_message(why)))


@incident.command("declare")
def incident_declare(
    at: Annotated[str, typer.Argument(metavar="LEVEL", help="P0, P1, P2 or P3.")],
    title: Annotated[list[str], typer.Argument(help="What is wrong, in a few words.")],
    service: Annotated[str, typer.Option(help="The service that it is about.")] = "",
    as_json: AsJson = False,
) -> None:
    """Open an incident by hand; P0 and P1 page at once. It is over when a person resolves it."""
    from bot.adapters.metrics import PrometheusCounters
    from bot.bootstrap.core import declarations

    with plain_errors():
        wanted = Declaration(level(at), " ".join(title), service)
        declare = declarations(open_core(), PrometheusCounters()).declare
        made = declare(wanted, secrets.token_hex(16), operator())
    said = f"{made.reference} declared as {made.severity}: {made.title}"
    print_as(msgspec.to_builtins(made), as_json, printable(said))


@incident.command("severity")
def incident_severity(
    incident_id: str,
    to: Annotated[str, typer.Argument(metavar="LEVEL", help="P0, P1, P2 or P3.")],
    reason: Annotated[list[str], typer.Argument(help="Why, for whoever is on call.")],
    as_json: AsJson = False,
) -> None:
    """Set an incident's level by hand; rules leave it alone until the incident is closed."""
    with plain_errors():
        before, after = open_core().incidents.override(
            _number(incident_id), level(to), " ".join(reason), operator()
        )
    said = f"{after.reference}: {before} → {after.severity}."
    print_as({"previous": before, **msgspec.to_builtins(after)}, as_json, said)


@incident.command("silence")
def incident_silence(
    incident_id: str,
    duration: Annotated[str, typer.Argument(help="How long, such as 90m, 2h or 1d.")],
    reason: Annotated[list[str] | None, typer.Argument(help="Why.")] = None,
    as_json: AsJson = False,
) -> None:
    """Wake nobody for an incident's alerts for a while, in Alertmanager too where there is one."""
    from bot.domain.maintenance_message import window_message

    with plain_errors():
        core = open_core()
        made = core.maintenance.silence(
            _number(incident_id), length(duration), " ".join(reason or ()), operator()
        )
    print_as(window_data(made), as_json, plain(window_message(made, core.clock.now())))


@incident.command("follow-up")
def incident_follow_up(
    incident_id: str,
    text: Annotated[list[str], typer.Argument(help="What is to be done, in a sentence.")],
    as_json: AsJson = False,
) -> None:
    """Write down what is to be done after an incident; it gets a ticket."""
    with plain_errors():
        after = open_core().follow_ups.add(_number(incident_id), " ".join(text), operator())
    said = f"{after.reference}, follow-up {after.follow_ups[-1].number}: noted."
    print_as(msgspec.to_builtins(after.follow_ups[-1]), as_json, said)


@incident.command("done")
def incident_done(
    incident_id: str,
    follow_up: Annotated[str, typer.Argument(metavar="NUMBER", help="The follow-up's number.")],
    undo: Annotated[bool, typer.Option("--undo", help="It is not done after all.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that a follow-up is done."""
    with plain_errors():
        which = number(follow_up, "follow-up-")
        after = open_core().follow_ups.mark(_number(incident_id), which, operator(), done=not undo)
    state = "is to be done" if undo else "is done"
    said = f"{after.reference}, follow-up {which} {state}."
    print_as(msgspec.to_builtins(after.follow_ups[which - 1]), as_json, said)


@incident.command("tickets")
def incident_tickets(as_json: AsJson = False) -> None:
    """List what is left to do, what is due first: open tickets and follow-ups."""
    from bot.domain.ticket_task import task_line

    with plain_errors():
        core = open_core()
        tasks = core.follow_ups.tickets()
    lines = [task_line(task, core.clock.now()) for task in tasks]
    shown = printable("\n".join(lines)) or "Nothing is left to do."
    print_as([msgspec.to_builtins(task) for task in tasks], as_json, shown)


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
        found, story = open_core().incidents.timeline(_number(incident_id))
    data = {
        "incident": found.reference,
        "title": found.title,
        "state": found.state.value,
        "entries": [msgspec.to_builtins(entry) for entry in story],
    }
    told = markdown(f"{found.reference}: {found.title}", story).rstrip()
    print_as(data, as_json or form == "json", told)


def _number(incident_id: str) -> int:
    return number(incident_id, "inc-")
