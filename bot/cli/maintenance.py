"""``tocsin maintenance``: windows in which nobody is woken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from bot.cli.installation import open_core
from bot.cli.output import AsJson, plain_errors, print_as
from bot.cli.person import operator
from bot.cli.terminal import plain, printable
from bot.domain.maintenance_command import plan_window
from bot.domain.matcher_text import written
from bot.domain.typed import number

if TYPE_CHECKING:
    from bot.domain.incident import Incident
    from bot.domain.maintenance import Window

maintenance = typer.Typer(no_args_is_help=True, help="Maintenance windows: nobody is woken.")


@maintenance.command("add")
def maintenance_add(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="DURATION [from=TIME|in=DURATION] MATCHER... REASON...",
            help="Such as: 2h from=2026-12-01T22:00Z namespace=payments Database upgrade. "
            "Times are UTC.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Plan a window: wake nobody for the alerts that all matchers hold for."""
    from bot.domain.maintenance_message import window_message

    with plain_errors():
        asked = plan_window(words)
        core = open_core()
        now = core.clock.now()
        made = core.maintenance.plan(
            asked.matchers, asked.starts_at(now), asked.lasts, asked.reason, operator()
        )
    print_as(window_data(made), as_json, plain(window_message(made, now)))


@maintenance.command("list")
def maintenance_list(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the windows that are active or planned, the newest first."""
    from bot.domain.maintenance_message import window_line

    with plain_errors():
        core = open_core()
        found = core.maintenance.newest(everything=everything)
        now = core.clock.now()
    lines = [window_line(one, now) for one in found] or ["No maintenance windows."]
    print_as([window_data(one) for one in found], as_json, printable("\n".join(lines)))


@maintenance.command("show")
def maintenance_show(window_id: str, as_json: AsJson = False) -> None:
    """Show one window, and each incident that it hid."""
    from bot.domain.maintenance_message import window_message

    with plain_errors():
        core = open_core()
        window, hidden = core.maintenance.show(number(window_id, "mw-"))
        now = core.clock.now()
    hides = [one.incident for one in hidden if one.still]
    hid = [one.incident for one in hidden if not one.still]
    data = {**window_data(window), "hides": _references(hides), "hid": _references(hid)}
    print_as(data, as_json, plain(window_message(window, now, hides, hid)))


@maintenance.command("end")
def maintenance_end(window_id: str, as_json: AsJson = False) -> None:
    """End a window now, or call it off; what still fires is looked at again."""
    with plain_errors():
        ended = open_core().maintenance.end(number(window_id, "mw-"), operator())
    print_as(window_data(ended), as_json, printable(f"{ended.reference} has ended."))


def window_data(window: Window) -> dict[str, object]:
    """The window for JSON; matchers as people write them."""
    matchers = [written(one) for one in window.matchers]
    data = msgspec.to_builtins(replace(window, matchers=()))
    return {"reference": window.reference, **data, "matchers": matchers}


def _references(incidents: list[Incident]) -> list[str]:
    return [one.reference for one in incidents]
