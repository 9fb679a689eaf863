"""``tocsin oncall``: who is on call now."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from bot.cli.output import AsJson, plain_errors, print_as
from bot.cli.terminal import plain
from bot.settings import load


def oncall(
    service: Annotated[
        list[str] | None,
        typer.Argument(help="A service of PagerDuty; without it the one that Tocsin pages."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say who is on call now, by escalation level."""
    # Imported here, so that commands that ask nobody start at once.
    from bot.adapters.clock import SystemClock
    from bot.bootstrap.paging import rosters
    from bot.domain.oncall_message import oncall_message
    from bot.vendors import vendors

    clock = SystemClock()
    with plain_errors():
        settings = load()
        roster = rosters(settings, vendors(settings), clock).of(" ".join(service or ()))
    data = {
        "service": {"id": roster.service.id, "name": roster.service.name},
        "escalation_policy": roster.service.escalation_policy_name,
        "on_call": msgspec.to_builtins(roster.on_call),
        "asked_at": roster.asked_at.isoformat(),
    }
    print_as(data, as_json, plain(oncall_message(roster, clock.now())))
