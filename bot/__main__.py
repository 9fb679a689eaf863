"""The command line: ``tocsin …`` or ``python -m bot …``."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Annotated, TextIO, cast

import msgspec
import structlog
import typer

from bot import __version__
from bot.cli.alert import alert
from bot.cli.incident import incident
from bot.cli.maintenance import maintenance
from bot.cli.oncall import oncall
from bot.cli.output import AsJson, plain_errors, print_as
from bot.cli.page import page
from bot.cli.process import process
from bot.cli.run import runbook
from bot.cli.severity import severity
from bot.cli.slack import slack
from bot.cli.terminal import printable
from bot.domain.errors import InvalidInput
from bot.required_settings import missing
from bot.settings import Settings, load, table

app = typer.Typer(
    name="tocsin",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Tocsin, the incident-response ChatOps bot.",
)
for name, commands in (
    ("severity", severity),
    ("runbook", runbook),
    ("incident", incident),
    ("maintenance", maintenance),
    ("page", page),
    ("slack", slack),
    ("process", process),
):
    app.add_typer(commands, name=name)


app.command()(alert)
app.command()(oncall)


@app.command()
def version(as_json: AsJson = False) -> None:
    """Print the version."""
    print_as({"version": __version__}, as_json, f"tocsin {__version__}")


@app.command()
def serve() -> None:
    """Serve until SIGTERM: webhooks, Slack, API, and the work behind them."""
    from bot.supervisor import Supervisor, prepare

    with plain_errors():
        settings = load()
        lacking = missing(settings)
        if lacking:
            raise InvalidInput(
                "Tocsin can’t start; set what is missing "
                "(or TOCSIN_SANDBOX=1 to try it out):\n"
                + "\n".join(f"- {text}" for text in lacking)
            )
        if not prepare():
            raise typer.Exit(1)
        raise typer.Exit(Supervisor(settings, _announce).run())


def _announce(settings: Settings, port: int, metrics_port: int) -> None:
    address = settings.address(port)
    served = settings.stood_in_for
    print(f"Tocsin {__version__} listens on {address}, metrics on port {metrics_port}.")
    if served:
        print(f"SANDBOX: {', '.join(served)} are stand-ins; nobody is really paged.")
    if settings.sandbox:
        print(f"Open the workspace page: {address}/")
    sys.stdout.flush()


@app.command()
def check(
    on_call: Annotated[
        bool, typer.Option("--oncall", help="Only whether somebody is on call at every level.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check settings, policies, runbooks, database and every vendor; exit 1 if one fails."""
    from bot.checks import check_on_call, run_checks

    with plain_errors():
        findings = (check_on_call if on_call else run_checks)(load())
    lines = [printable(f"{one.mark} {one.what}: {one.says}") for one in findings]
    print_as([msgspec.to_builtins(one) for one in findings], as_json, "\n".join(lines))
    raise typer.Exit(0 if all(one.ok for one in findings) else 1)


@app.command("settings")
def settings_table() -> None:
    """Print every setting with its documentation (Markdown)."""
    print(table())


class _StandardError:
    """Where the log goes; while it can't be written (a full disk), lines are lost, not work."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def main() -> None:
    """Run the command line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _StandardError())),
    )
    app()


if __name__ == "__main__":
    main()
