"""The facts of the severity policy that is shipped: their queries, and what rests on them."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bot.adapters.alert_files import read_recorded
from bot.adapters.policy import load_policy
from bot.domain.classify import Policy, Severity, classify, wanted
from bot.domain.facts import Context, FactValue

FOLDER = Path(__file__).resolve().parent.parent / "policy"
NOW = datetime(2025, 3, 1, 3, 0, tzinfo=UTC)
WARNING = {"alertname": "Slow", "severity": "warning", "namespace": "shop", "service": "web"}
PRODUCTION = {**WARNING, "namespace": "payments"}


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(FOLDER / "severity.yaml")


def known(firing: int = 1, flaps: int = 0, **facts: float) -> Context:
    named = {name.replace("_", "-"): value for name, value in facts.items()}
    values = {name: FactValue(name, value, NOW, "measured") for name, value in named.items()}
    return Context(values, firing, flaps)


def test_without_facts_it_decides_as_if_there_were_no_rules_about_them(
    policy: Policy, shared: Path
) -> None:
    file = shared / "samples" / "severity" / "labelled-alerts.jsonl"
    if not file.is_file():
        pytest.skip(f"the labelled alerts are missing: {file}")
    rules = tuple(rule for rule in policy.rules if not rule.asks_beyond_the_alert)
    bare = replace(policy, rules=rules, facts=())
    assert len(rules) < len(policy.rules)
    for alert in read_recorded(file):
        chosen = classify(policy, alert.labels, alert.annotations)
        assert chosen == classify(bare, alert.labels, alert.annotations)


@pytest.mark.parametrize(
    ("labels", "context", "level"),
    [
        (WARNING, known(), "P2"),
        (WARNING, known(pods_not_ready=0.25, targets_down=0.5, error_budget_burn=14), "P2"),
        (WARNING, known(pods_not_ready=0.5), "P1"),
        (WARNING, known(pods_not_ready=1), "P1"),
        (PRODUCTION, known(pods_not_ready=1), "P0"),
        (WARNING, known(targets_down=1), "P1"),
        (WARNING, known(error_budget_burn=14.4), "P1"),
        (WARNING, known(firing=500), "P2"),
        (PRODUCTION, known(firing=19), "P2"),
        (PRODUCTION, known(firing=20), "P1"),
        ({**PRODUCTION, "severity": "info"}, known(firing=99, pods_not_ready=1), "P3"),
        ({**WARNING, "alertname": "CloudCostHigh"}, known(), "P3"),
        ({**WARNING, "alertname": "CloudCostHigh"}, known(flaps=3), "P2"),
    ],
)
def test_facts_raise_the_level(
    policy: Policy, labels: dict[str, str], context: Context, level: str
) -> None:
    assert classify(policy, labels, {}, context).level == level


def test_no_fact_ever_lowers_the_level(policy: Policy, shared: Path) -> None:
    file = shared / "samples" / "severity" / "labelled-alerts.jsonl"
    if not file.is_file():
        pytest.skip(f"the labelled alerts are missing: {file}")
    worst = known(99, 9, pods_not_ready=1, targets_down=1, error_budget_burn=1000)
    for alert in read_recorded(file):
        for labels in (alert.labels, {**alert.labels, "namespace": "payments"}):
            alone = classify(policy, labels, alert.annotations).level
            for context in (worst, known(99), known(flaps=9), known(pods_not_ready=1)):
                found = classify(policy, labels, alert.annotations, context).level
                assert not alone.worse_than(found)


def test_nothing_is_asked_where_it_could_change_nothing(policy: Policy) -> None:
    assert wanted(policy, {**WARNING, "severity": "info"}, {}) == ()
    assert wanted(policy, WARNING, {"summary": "the service is completely down"}) != ()
    critical = {**WARNING, "severity": "critical"}
    assert wanted(policy, critical, {"summary": "the service is completely down"}) == ()
    assert classify(policy, critical, {"summary": "the service is completely down"}).level is (
        Severity.P0
    )


# --- the queries, asked of Prometheus' own evaluation -----------------------------------

LABELS = {"namespace": 'a"b\\c', "service": "web", "job": "api"}
WHERE = r'''namespace="a\"b\\c"'''


def series(name: str, labels: str, values: str) -> dict[str, str]:
    return {"series": f"{name}{{{labels}}}", "values": values}


def workload(kind: str, wanted: str, ready: int, of: int) -> list[dict[str, str]]:
    labels = f'{WHERE},{kind}="web"'
    return [
        series(f"kube_{kind}_status_replicas_ready", labels, f"{ready}x120"),
        series(f"kube_{kind}_{wanted}", labels, f"{of}x120"),
        series(f"kube_{kind}_{wanted}", f'namespace="other",{kind}="web"', "9x120"),
    ]


def requests(good: str, bad: str) -> list[dict[str, str]]:
    labels = f'{WHERE},service="web"'
    name = "http_requests_total"
    found = [series(name, f'{labels},code="200"', good)]
    return [*found, series(name, f'{labels},code="503"', bad)] if bad else found


QUERIES = [
    ("pods-not-ready", workload("deployment", "spec_replicas", 1, 4), 0.75),
    ("pods-not-ready", workload("deployment", "spec_replicas", 4, 4), 0.0),
    ("pods-not-ready", workload("statefulset", "replicas", 0, 2), 1.0),
    ("pods-not-ready", [], None),
    (
        "targets-down",
        [
            series("up", f'job="{job}",instance="{n}"', f"{n}x120")
            for n in (0, 1)
            for job in ("api",)
        ]
        + [series("up", 'job="other",instance="0"', "0x120")],
        0.5,
    ),
    # Half of the requests fail, for an hour: 0.5 / 0.001.
    ("error-budget-burn", requests("0+10x120", "0+10x120"), 500.0),
    # They failed until half an hour ago: it is over.
    ("error-budget-burn", requests("0+10x120", "0+10x90 900x30"), 0.0),
    # They fail since 5 minutes only, 50 of the hour's 650: the hour says how serious that is.
    ("error-budget-burn", requests("0+10x120", "0x115 10+10x4"), 77.0),
    ("error-budget-burn", requests("0+10x120", ""), None),
]


@pytest.mark.parametrize(("fact_id", "given", "value"), QUERIES)
def test_the_queries_yield_what_they_mean(
    policy: Policy,
    tmp_path: Path,
    fact_id: str,
    given: list[dict[str, str]],
    value: float | None,
) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (of Prometheus) is missing")
    (fact,) = (fact for fact in policy.facts if fact.id == fact_id)
    query = f"round({fact.filled(LABELS)}, {0.01 if value and value < 1 else 1})"
    samples = [] if value is None else [{"labels": "{}", "value": value}]
    test = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": given,
                "promql_expr_test": [{"expr": query, "eval_time": "120m", "exp_samples": samples}],
            }
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(test))
    done = subprocess.run(
        [promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, json.dumps(test, indent=1) + done.stdout + done.stderr
