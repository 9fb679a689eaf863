"""The command line: ``tocsin …`` or ``python -m bot …``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import structlog
import typer

from bot import __version__
from bot.domain.errors import InvalidInput, TocsinError
from bot.settings import Settings, load, missing, table

app = typer.Typer(
    name="tocsin",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Tocsin, the incident-response ChatOps bot.",
)
severity = typer.Typer(no_args_is_help=True, help="The severity policy.")
runbook = typer.Typer(no_args_is_help=True, help="The runbooks.")
incident = typer.Typer(no_args_is_help=True, help="The incidents.")
slack = typer.Typer(no_args_is_help=True, help="Slack.")
process = typer.Typer(hidden=True)
for name, commands in (
    ("severity", severity),
    ("runbook", runbook),
    ("incident", incident),
    ("slack", slack),
    ("process", process),
):
    app.add_typer(commands, name=name)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def version(as_json: AsJson = False) -> None:
    """Print the version."""
    _print({"version": __version__}, as_json, f"tocsin {__version__}")


@app.command()
def serve() -> None:
    """Serve until SIGTERM: webhooks, Slack, API, and the work behind them."""
    from bot.supervisor import Supervisor, prepare

    with _plain_errors():
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
def check(as_json: AsJson = False) -> None:
    """Check settings, policies, runbooks, database and every vendor; exit 1 if one fails."""
    from bot.checks import run_checks

    with _plain_errors():
        findings = run_checks(load())
    lines = [f"{'ok  ' if one.ok else 'FAIL'} {one.what}: {one.says}" for one in findings]
    _print([msgspec.to_builtins(one) for one in findings], as_json, "\n".join(lines))
    raise typer.Exit(0 if all(one.ok for one in findings) else 1)


@app.command("settings")
def settings_table() -> None:
    """Print every setting with its documentation (Markdown)."""
    print(table())


@severity.command("explain")
def severity_explain(file: Path, as_json: AsJson = False) -> None:
    """Explain the level of each alert in FILE: a webhook, an alert, or one alert a line."""
    from bot.adapters.alert_files import read_alerts
    from bot.adapters.policy import load_policy
    from bot.domain.classify import explain

    with _plain_errors():
        policy = load_policy(load().policy / "severity.yaml")
        explained = [
            (name, explain(policy, labels, annotations))
            for name, labels, annotations in read_alerts(file)
        ]
    data = [{"alertname": name, **msgspec.to_builtins(why)} for name, why in explained]
    lines: list[str] = []
    for name, why in explained:
        chosen = why.classification
        lines.append(f"{name}: {chosen.level} by rule {chosen.rule}: {chosen.reason}")
        lines.extend(f"    seen {one.signal}: {one.by}" for one in why.seen)
        lines.extend(f"    not {lost.rule} ({lost.level}): {lost.because}" for lost in why.passed)
    _print(data, as_json, "\n".join(lines))


@severity.command("test")
def severity_test(as_json: AsJson = False) -> None:
    """Run the policy's tests, severity_test.yaml; exit 1 with each that fails, by line."""
    from bot.adapters.policy import load_policy
    from bot.adapters.policy_tests import load_policy_tests

    with _plain_errors():
        folder = load().policy
        tests = load_policy_tests(folder / "severity_test.yaml")
        problems = [str(one) for one in tests.failures(load_policy(folder / "severity.yaml"))]
    said = "\n".join(problems) or f"{len(tests)} tests of the severity policy hold."
    _print({"problems": problems}, as_json, said)
    raise typer.Exit(1 if problems else 0)


@severity.command("backtest")
def severity_backtest(
    file: Path,
    against: Annotated[
        Path | None, typer.Option(help="The folder of another policy, to compare with.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object an alert.")] = False,
) -> None:
    """Classify the alerts in FILE, one JSON object a line, and compare with what was expected."""
    from bot.adapters.alert_files import read_recorded
    from bot.adapters.policy import load_policy
    from bot.domain.backtest import backtest, report

    with _plain_errors():
        policy = load_policy(load().policy / "severity.yaml")
        other = load_policy(against / "severity.yaml") if against else None
        verdicts = backtest(policy, read_recorded(file), other)
    lines = report(verdicts)
    if as_json:
        lines = [
            json.dumps(
                {"alertname": one.alert.name, "level": one.now.level, "rule": one.now.rule},
                ensure_ascii=False,
            )
            for one in verdicts
        ]
    print("\n".join(lines))


@runbook.command("list")
def runbook_list(as_json: AsJson = False) -> None:
    """List the runbooks and their versions."""
    with _plain_errors():
        library = _library(load())
        found = [(library.get(name), library.versions(name)) for name in library.names()]
    data = [
        {"name": one.name, "versions": list(versions), "summary": one.summary, "risk": one.risk}
        for one, versions in found
    ]
    lines = [f"{one.name} ({', '.join(versions)}): {one.summary}" for one, versions in found]
    _print(data, as_json, "\n".join(lines))


@runbook.command("lint")
def runbook_lint(as_json: AsJson = False) -> None:
    """Check every runbook and the LOCK; exit 1 with all problems, by file and line."""
    problems: Sequence[str] = ()
    try:
        library = _library(load())
    except InvalidInput as error:
        problems = str(error).splitlines()
    said = "\n".join(problems) if problems else f"{len(library.names())} runbooks are fine."
    _print({"problems": list(problems)}, as_json, said)
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

    with _plain_errors():
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

    with _plain_errors():
        added = write_lock(load().runbooks)
    print("\n".join(f"locked {name}" for name in added) or "nothing new")


@incident.command("list")
def incident_list(
    everything: Annotated[
        bool, typer.Option("--all", help="Closed and resolved ones too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the open incidents, the newest first."""
    from bot.domain.incident_message import incident_line

    with _plain_errors():
        found = _core().incidents.newest(only_open=not everything)
    _print(
        [msgspec.to_builtins(one) for one in found],
        as_json,
        "\n".join(incident_line(one) for one in found) or "No open incidents.",
    )


@incident.command("show")
def incident_show(incident_id: str, as_json: AsJson = False) -> None:
    """Show one incident, and why it has its level."""
    from bot.domain.incident_message import incident_message

    with _plain_errors():
        found = _core().incidents.get(_number(incident_id))
    message = incident_message(found)
    lines = [message.headline, message.body, *(f"{f.name}: {f.value}" for f in message.fields)]
    _print(msgspec.to_builtins(found), as_json, "\n".join(lines))


@incident.command("timeline")
def incident_timeline(
    incident_id: str,
    form: Annotated[str, typer.Option("--format", help="md or json.")] = "md",
    as_json: AsJson = False,
) -> None:
    """Tell an incident's story in order: times, actors, outcomes."""
    from bot.domain.timeline import markdown

    with _plain_errors():
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
    _print(data, as_json or form == "json", told)


@slack.command("manifest")
def slack_manifest(
    url: Annotated[
        str, typer.Option(help="Where Slack reaches Tocsin.")
    ] = "https://tocsin.example",
    socket_mode: Annotated[bool, typer.Option(help="Socket Mode: no public address.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="It is JSON anyway.")] = True,
) -> None:
    """Print the manifest to create the Slack app from (JSON)."""
    from bot.adapters.manifest import slack_manifest as manifest

    _print(manifest(url, socket_mode), as_json, "")


@process.command("prepare")
def process_prepare() -> None:
    """Check the files and bring the database up to date; for the supervisor."""
    from bot.processes import prepare

    with _plain_errors():
        prepare(load())


@process.command("listener")
def process_listener(lifeline: int, wake: int, http: int, metrics: int) -> None:
    """Run the listener; for the supervisor."""
    from bot.processes import listener

    with _plain_errors():
        listener(load(), lifeline, wake, http, metrics)


@process.command("worker")
def process_worker(lifeline: int, wake: int) -> None:
    """Run the worker; for the supervisor."""
    from bot.processes import worker

    with _plain_errors():
        worker(load(), lifeline, wake)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What a person can mend is said in words, without a traceback; exit status 1."""
    try:
        yield
    except TocsinError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


def _core() -> Any:
    from bot.adapters.schema import migrate
    from bot.bootstrap import core

    shared = core(load())
    migrate(shared.engine)
    return shared


def _library(settings: Settings) -> Any:
    from bot.adapters.runbooks import RunbookFolder
    from bot.steps.registry import step_kinds

    return RunbookFolder(settings.runbooks, step_kinds())


def _number(incident_id: str) -> int:
    digits = incident_id.upper().removeprefix("INC-").removeprefix("#")
    if not digits.isdecimal():
        raise InvalidInput(f"“{incident_id}” is not an incident; write 12 or INC-12.")
    return int(digits)


def _print(data: object, as_json: bool, text: str) -> None:
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str) if as_json else text)


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    app()


if __name__ == "__main__":
    main()
