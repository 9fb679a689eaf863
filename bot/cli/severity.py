"""``tocsin severity``: explain, test and back-test the policy."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from bot.cli.output import AsJson, plain_errors, print_as
from bot.domain.errors import InvalidInput
from bot.settings import load

if TYPE_CHECKING:
    from bot.domain.backtest import Occurrence, RecordedAlert, Verdict
    from bot.domain.classify import Policy
    from bot.domain.explain import Explanation

severity = typer.Typer(no_args_is_help=True, help="The severity policy.")

POLICY_FILE = "severity.yaml"


@severity.command("explain")
def severity_explain(file: Path, as_json: AsJson = False) -> None:
    """Explain the level of each alert in FILE: a webhook, an alert, or one alert a line.

    Prometheus is asked for the facts where PROMETHEUS_URL is set.
    """
    from bot.adapters.alert_files import read_recorded

    with plain_errors():
        alerts = read_recorded(file)
        explained = list(zip(alerts, _explained(_policy(), alerts), strict=True))
    data = [
        {"alertname": alert.labels.get("alertname", ""), **msgspec.to_builtins(why)}
        for alert, why in explained
    ]
    lines = [line for alert, why in explained for line in _told(alert, why)]
    print_as(data, as_json, "\n".join(lines))


@severity.command("test")
def severity_test(as_json: AsJson = False) -> None:
    """Run the policy's tests, severity_test.yaml; exit 1 with each that fails, by line."""
    from bot.adapters.policy_tests import load_policy_tests

    with plain_errors():
        tests = load_policy_tests(load().policy / "severity_test.yaml")
        problems = [str(one) for one in tests.failures(_policy())]
    said = "\n".join(problems) or f"{len(tests)} tests of the severity policy hold."
    print_as({"problems": problems}, as_json, said)
    raise typer.Exit(1 if problems else 0)


@severity.command("backtest")
def severity_backtest(
    file: Annotated[
        Path | None, typer.Argument(help="Recorded alerts, one JSON object a line.")
    ] = None,
    stored: Annotated[
        str | None, typer.Option(help="Take the alerts of the last 12h, 30d or 4w instead.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Another policy, its file or its folder, to compare with."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object an alert.")] = False,
) -> None:
    """Classify recorded or stored alerts, and compare with people, the past or another policy.

    Facts are left out: what Prometheus would have said then is not known.
    """
    from bot.domain.backtest import report

    with plain_errors():
        verdicts = _verdicts(file, stored, _policy(against) if against else None)
    for line in map(_as_json, verdicts) if as_json else report(verdicts):
        print(line)


def _policy(place: Path | None = None) -> Policy:
    """The policy in that file or folder; without one, that of the settings."""
    from bot.adapters.policy import load_policy

    place = place or load().policy
    return load_policy(place / POLICY_FILE if place.is_dir() else place)


def _explained(policy: Policy, alerts: Sequence[RecordedAlert]) -> list[Explanation]:
    from bot.adapters.clock import SystemClock
    from bot.adapters.prometheus import PrometheusMetrics
    from bot.app.facts import FactReader
    from bot.domain.classify import wanted
    from bot.domain.explain import explain
    from bot.domain.facts import Context

    url = load().prometheus_url
    reader = FactReader(PrometheusMetrics(url) if url else None, SystemClock())
    asked = {
        place: (wanted(policy, one.labels, one.annotations, one.expression), one.labels)
        for place, one in enumerate(alerts)
    }
    found = reader.read(asked)
    return [
        explain(
            policy,
            one.labels,
            one.annotations,
            Context(found[place], expression=one.expression),
        )
        for place, one in enumerate(alerts)
    ]


def _told(alert: RecordedAlert, why: Explanation) -> list[str]:
    chosen = why.classification
    return [
        f"{alert.labels.get('alertname', '')}: {chosen.level} by rule {chosen.rule}:"
        f" {chosen.reason}",
        *(f"    seen {one.signal}: {one.by}" for one in why.seen),
        *(f"    fact {one}, {one.at:%Y-%m-%d %H:%M:%S} UTC" for one in why.facts),
        *(f"    not {lost.rule} ({lost.level}): {lost.because}" for lost in why.passed),
    ]


def _verdicts(file: Path | None, stored: str | None, against: Policy | None) -> list[Verdict]:
    from bot.adapters.alert_files import read_recorded
    from bot.domain.backtest import backtest, backtest_stored

    if (file is None) is (stored is None):
        raise InvalidInput("Say which alerts to take: either a FILE, or --stored 30d.")
    if file is not None:
        return backtest(_policy(), read_recorded(file), against)
    occurrences = _occurrences(_duration(stored or ""))
    if against is None:
        return backtest_stored(_policy(), occurrences)
    return backtest(_policy(), [one.recorded for one in occurrences], against)


def _occurrences(ago: timedelta) -> Sequence[Occurrence]:
    from bot.adapters.schema import migrate
    from bot.bootstrap import core

    shared = core(load())
    migrate(shared.engine)
    with shared.store.read() as reader:
        return list(reader.occurrences(shared.clock.now() - ago))


_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,3})([hdw])", text)
    if found is None:
        raise InvalidInput(f"“{text}” is not a time that --stored takes; write 12h, 30d or 4w.")
    return int(found[1]) * _UNITS[found[2]]


def _as_json(verdict: Verdict) -> str:
    said = {
        "alertname": verdict.alert.name,
        "level": verdict.now.level,
        "rule": verdict.now.rule,
    }
    return json.dumps(said)
