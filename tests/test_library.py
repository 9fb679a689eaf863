"""What is shipped: the runbooks, their LOCK and schema, and the severity policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bot.adapters.policy import load_policy
from bot.adapters.runbook_model import schema_text
from bot.adapters.runbooks import RunbookFolder
from bot.domain.classify import Severity, classify
from bot.domain.runbook import bind
from bot.steps.registry import step_kinds
from tests.support.runbook_folder import good

REPOSITORY = Path(__file__).resolve().parent.parent
RUNBOOKS = REPOSITORY / "runbooks"
SHIPPED = sorted(RUNBOOKS.glob("*/[0-9]*.yaml"))

SEED = {
    "backup-database",
    "backup-state",
    "decommission",
    "failover",
    "failover-database-cnpg",
    "failover-database-zalando",
    "failover-region",
    "restart",
    "restore-data",
    "rollback",
    "rollback-promoted-release",
    "rollback-release",
}
"""The runbooks of the procedures in the operations guide that this file is about."""


@pytest.fixture(scope="module")
def library() -> RunbookFolder:
    return RunbookFolder(RUNBOOKS, step_kinds())


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    described = json.loads((RUNBOOKS / "schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(described)
    return Draft202012Validator(described)


# --- runbooks -------------------------------------------------------------------------


def test_the_seed_s_procedures_are_shipped_and_locked(library: RunbookFolder) -> None:
    assert library.problems == ()
    assert set(library.names()) == {path.parent.name for path in SHIPPED}
    assert set(library.names()) >= SEED


@pytest.mark.parametrize("name", ["restart", "rollback", "failover"])
def test_a_target_is_all_that_has_to_be_given(library: RunbookFolder, name: str) -> None:
    values = bind(library.get(name), ["payments/checkout"])
    assert next(iter(values.values())) == "payments/checkout"
    assert (values["soak"], values["health_url"]) == ("30s", "")


@pytest.mark.parametrize("name", ["restart", "rollback", "failover"])
def test_what_changes_something_is_verified(library: RunbookFolder, name: str) -> None:
    runbook = library.get(name)
    kinds = step_kinds()
    assert any(kinds[step.kind].mutates for step in runbook.steps)
    assert [step.kind for step in runbook.verification] == [
        "kubernetes.ready_pods",
        "http.check",
        "prometheus.check",
    ]


def test_the_restart_does_what_the_seed_s_runbook_does(library: RunbookFolder) -> None:
    runbook = library.get("restart")
    assert [step.kind for step in (*runbook.steps, *runbook.verification)] == [
        "kubernetes.status",
        "http.check",
        "kubernetes.rollout_restart",
        "kubernetes.wait_rollout",
        "kubernetes.ready_pods",
        "http.check",
        "prometheus.check",
    ]
    assert bind(runbook, ["payments/checkout"])["timeout"] == "600s"


# --- the schema -----------------------------------------------------------------------


def test_the_schema_is_fresh() -> None:
    written = (RUNBOOKS / "schema.json").read_text(encoding="utf-8")
    assert written == schema_text(step_kinds()), "write it anew: tocsin runbook schema"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_schema_takes_what_is_shipped(schema: Draft202012Validator, path: Path) -> None:
    schema.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def _with(path: list[str | int], value: Any) -> Any:
    data = yaml.safe_load(good())
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["owner"], "me"),
        (["risk"], "mild"),
        (["steps", 0, "kind"], "shell"),
        (["steps", 0, "with", "workload"], "checkout"),
        (["steps", 0, "with", "timeout"], "30s"),
        (["steps", 0, "title"], ""),
        (["parameters", "soak", "type"], "moment"),
        (["parameters", "soak", "values"], ["30s"]),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(
    schema: Draft202012Validator, path: list[str | int], value: Any
) -> None:
    assert schema.is_valid(yaml.safe_load(good()))
    assert not schema.is_valid(_with(path, value))


# --- the severity policy --------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "summary", "rule", "level"),
    [
        ({"severity": "critical"}, "checkout is completely down", "outage", "P0"),
        ({}, "The payments service is down", "outage", "P0"),
        ({"severity": "critical"}, "No healthy backends for checkout", "nothing-left", "P0"),
        ({"severity": "critical"}, "The cluster lost quorum", "no-quorum", "P0"),
        ({"severity": "warning"}, "Possible data loss on volume 7", "data-loss", "P0"),
        ({"severity": "emergency"}, "", "emergency", "P0"),
        ({"severity": "critical"}, "High rate of errors", "critical", "P1"),
        ({"severity": "Page"}, "High latency", "critical", "P1"),
        ({"severity": "warning", "customer_facing": "true"}, "p99 latency > 2 s",
         "customers-affected", "P1"),
        ({"severity": "warning"}, "The disk is out of space: out of disk", "out-of-space", "P1"),
        ({"severity": "warning"}, "Expected to be out of disk in 4 h", "warning", "P2"),
        ({"severity": "warning"}, "One replica is down", "warning", "P2"),
        ({"severity": "warning"}, "p99 latency > 2 s", "warning", "P2"),
        ({"severity": "info"}, "The service is down for maintenance", "info", "P3"),
        ({"severity": "none"}, "Always firing", "info", "P3"),
        ({"severity": "purple"}, "?", "default", "P1"),
        ({}, "", "default", "P1"),
    ],
)  # fmt: skip
def test_the_shipped_policy_decides(
    labels: dict[str, str], summary: str, rule: str, level: str
) -> None:
    policy = load_policy(REPOSITORY / "policy" / "severity.yaml")
    decided = classify(policy, labels, {"summary": summary})
    assert (decided.rule, decided.level) == (rule, Severity(level))


def test_every_reason_is_a_sentence() -> None:
    policy = load_policy(REPOSITORY / "policy" / "severity.yaml")
    assert all(rule.reason[0].isupper() and rule.reason.endswith(".") for rule in policy.rules)


def test_labelled_alerts_are_mostly_classified_as_people_would(shared: Path) -> None:
    """A floor under the thin policy: at least nine in ten are defensible, and no P0 is an info."""
    policy = load_policy(REPOSITORY / "policy" / "severity.yaml")
    file = shared / "samples" / "severity" / "labelled-alerts.jsonl"
    if not file.is_file():
        pytest.skip(f"the labelled alerts are missing: {file}")
    alerts = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    levels = [classify(policy, alert["labels"], alert["annotations"]).level for alert in alerts]
    defensible = [
        level in (alert["expected"], *alert["also_defensible"])
        for alert, level in zip(alerts, levels, strict=True)
    ]
    assert sum(defensible) >= 0.9 * len(alerts)
