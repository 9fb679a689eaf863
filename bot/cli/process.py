"""``tocsin process``: what the supervisor runs; not for people."""

from __future__ import annotations

import typer

from bot.cli.output import plain_errors
from bot.settings import load

process = typer.Typer(hidden=True)


@process.command("prepare")
def process_prepare() -> None:
    """Check the files and bring the database up to date; for the supervisor."""
    from bot.processes import prepare

    with plain_errors():
        prepare(load())


@process.command("listener")
def process_listener(lifeline: int, wake: int, http: int, metrics: int) -> None:
    """Run the listener; for the supervisor."""
    from bot.processes import listener

    with plain_errors():
        listener(load(), lifeline, wake, http, metrics)


@process.command("worker")
def process_worker(lifeline: int, wake: int) -> None:
    """Run the worker; for the supervisor."""
    from bot.processes import worker

    with plain_errors():
        worker(load(), lifeline, wake)
