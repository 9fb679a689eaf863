"""``tocsin severity``: explain, test and back-test the policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from bot.cli.output import AsJson, plain_errors, print_as
from bot.settings import load

severity = typer.Typer(no_args_is_help=True, help="The severity policy.")


@severity.command("explain")
def severity_explain(file: Path, as_json: AsJson = False) -> None:
    """Explain the level of each alert in FILE: a webhook, an alert, or one alert a line."""
    from bot.adapters.alert_files import read_alerts
    from bot.adapters.policy import load_policy
    from bot.domain.classify import explain

    with plain_errors():
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
    print_as(data, as_json, "\n".join(lines))


@severity.command("test")
def severity_test(as_json: AsJson = False) -> None:
    """Run the policy's tests, severity_test.yaml; exit 1 with each that fails, by line."""
    from bot.adapters.policy import load_policy
    from bot.adapters.policy_tests import load_policy_tests

    with plain_errors():
        folder = load().policy
        tests = load_policy_tests(folder / "severity_test.yaml")
        problems = [str(one) for one in tests.failures(load_policy(folder / "severity.yaml"))]
    said = "\n".join(problems) or f"{len(tests)} tests of the severity policy hold."
    print_as({"problems": problems}, as_json, said)
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

    with plain_errors():
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
