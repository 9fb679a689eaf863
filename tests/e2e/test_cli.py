"""The command line, as a person or a script meets it."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.installation import REPOSITORY, TIMEOUT, TOKENS, Tocsin, command_line, kept
from tests.support.vendors import BOT_TOKEN, Vendors
from tests.support.waiting import eventually
from tests.support.webhook import alert, webhook

SHIPPED = {
    "TOCSIN_RUNBOOKS": str(REPOSITORY / "runbooks"),
    "TOCSIN_POLICY": str(REPOSITORY / "policy"),
}
SAMPLE = str(REPOSITORY / "tests/samples/alertmanager/firing.json")


# What it refuses


def test_it_says_at_once_all_that_is_missing(tmp_path: Path) -> None:
    refused = command_line("serve", folder=tmp_path, **SHIPPED)
    assert refused.returncode == 1
    missing = [line.split(":")[0] for line in refused.stderr.splitlines()[1:]]
    assert missing == [
        "- TOCSIN_WEBHOOK_TOKEN",
        "- TOCSIN_API_TOKEN",
        "- SLACK_BOT_TOKEN",
        "- PAGERDUTY_ROUTING_KEY",
        "- KUBECONFIG",
    ]
    assert list(tmp_path.iterdir()) == []


def test_it_says_at_once_all_that_is_wrong(tmp_path: Path) -> None:
    wrong = {"TOCSIN_PORT": "http", "TOCSIN_METRICS_PORT": "70000", "TOCSIN_SANDBOX": "maybe"}
    refused = command_line("serve", folder=tmp_path, **wrong)
    assert refused.returncode == 1
    assert {line.split(":")[0] for line in refused.stderr.splitlines()} == set(wrong)


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    refused = command_line("serve", folder=tmp_path, SLACK_BOT_TOKEN_FILE="nowhere")
    assert refused.returncode == 1
    assert "SLACK_BOT_TOKEN_FILE: nowhere" in refused.stderr


def test_slack_without_a_way_to_believe_it(tmp_path: Path) -> None:
    settings = {**TOKENS, "TOCSIN_SANDBOX": "1", "SLACK_BOT_TOKEN": "xoxb-1"}
    refused = command_line("serve", folder=tmp_path, **settings)
    assert refused.returncode == 1
    assert "- SLACK_SIGNING_SECRET (or SLACK_APP_TOKEN" in refused.stderr


@pytest.fixture
def broken(tmp_path: Path) -> dict[str, str]:
    """The shipped runbooks and policies, with four faults."""
    settings = {}
    for variable, folder in SHIPPED.items():
        shutil.copytree(folder, tmp_path / Path(folder).name)
        settings[variable] = str(tmp_path / Path(folder).name)
    break_line(tmp_path / "runbooks/restart/1.0.0.yaml", "kind: kubernetes.status", "kind: bash")
    break_line(tmp_path / "runbooks/rollback/1.0.0.yaml", "risk: medium", "risk: tiny")
    break_line(tmp_path / "policy/severity.yaml", "level: P0", "level: P9")
    break_line(tmp_path / "policy/severity.yaml", "level: P3", "levle: P3")
    return settings


def break_line(file: Path, right: str, wrong: str) -> None:
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong, 1))


def place_of(file: Path, text: str) -> str:
    """``FILE:LINE:`` of the line that holds the text."""
    lines = file.read_text().splitlines()
    (number,) = (number for number, line in enumerate(lines, start=1) if text in line)
    return f"{file.name}:{number}:"


def test_broken_files_are_refused_with_all_errors_and_their_places(
    tmp_path: Path, broken: dict[str, str]
) -> None:
    refused = command_line("serve", folder=tmp_path, **broken, TOCSIN_SANDBOX="1")
    assert refused.returncode == 1
    policy = tmp_path / "policy/severity.yaml"
    said = refused.stderr
    for place in (
        "restart/" + place_of(tmp_path / "runbooks/restart/1.0.0.yaml", "kind: bash"),
        "rollback/" + place_of(tmp_path / "runbooks/rollback/1.0.0.yaml", "risk: tiny"),
        place_of(policy, "level: P9"),
        place_of(policy, "levle: P3"),
    ):
        assert place in said
    assert said.count("was released with the digest") == 2
    assert "Traceback" not in said

    linted = command_line("runbook", "lint", "--json", folder=tmp_path, **broken)
    assert linted.returncode == 1
    assert len(json.loads(linted.stdout)["problems"]) == 4


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        settings = {**SHIPPED, "TOCSIN_SANDBOX": "1", "TOCSIN_PORT": port}
        refused = command_line("serve", folder=tmp_path, **settings)
    assert refused.returncode == 1
    assert f"Port {port} on 127.0.0.1 can’t be had" in refused.stderr


# What it prints


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["version", "--json"], {"version": "0.1.0"}),
        (["slack", "manifest"], {}),
        (["incident", "list", "--json"], []),
        (["runbook", "lint", "--json"], {"problems": []}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_it_prints_json(tmp_path: Path, arguments: list[str], part: Any) -> None:
    done = command_line(*arguments, folder=tmp_path, **SHIPPED)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data == part or (isinstance(part, dict) and part.items() <= data.items())


def test_it_lists_the_runbooks(tmp_path: Path) -> None:
    listed = command_line("runbook", "list", "--json", folder=tmp_path, **SHIPPED)
    runbooks = {one["name"]: one for one in json.loads(listed.stdout)}
    assert {"restart", "rollback", "failover"} <= runbooks.keys()
    assert runbooks["restart"]["versions"] == ["1.0.0"]
    assert runbooks["restart"]["risk"] == "low"


def test_it_explains_a_severity(tmp_path: Path) -> None:
    explained = command_line("severity", "explain", SAMPLE, "--json", folder=tmp_path, **SHIPPED)
    (one,) = json.loads(explained.stdout)
    assert one["alertname"] == "Single"
    assert one["classification"]["level"] == "P1"
    assert len(one["classification"]["policy_digest"]) == 64


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["severity", "explain", "nowhere.json"], "nowhere.json can’t be read"),
        (["incident", "show", "9" * 30], "is not a number"),
        (["incident", "show", "7"], "There is no incident INC-7."),
        (["incident", "timeline", "7", "--format", "xml"], "--format must be md or json"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_a_mistake_is_said_in_words(tmp_path: Path, arguments: list[str], words: str) -> None:
    refused = command_line(*arguments, folder=tmp_path, **SHIPPED)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""


# What it checks


def checked(tocsin: Tocsin, **settings: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit status of ``tocsin check``, and its findings by what was checked."""
    done = tocsin.run("check", "--json", **settings)
    return done.returncode, {one["what"]: one for one in json.loads(done.stdout)}


def test_check_reads_secrets_from_files(tocsin: Tocsin, served: Vendors, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(f"{BOT_TOKEN}\n")
    status, findings = checked(tocsin, SLACK_BOT_TOKEN="", SLACK_BOT_TOKEN_FILE=str(token))
    assert findings["Slack"]["says"] == "signed in as tocsin in Tocsin sandbox"
    assert (status, [one for one in findings.values() if not one["ok"]]) == (0, [])


def test_check_reports_a_token_that_slack_refuses(tocsin: Tocsin, served: Vendors) -> None:
    status, findings = checked(tocsin, SLACK_BOT_TOKEN="xoxb-wrong")
    assert status == 1
    assert [what for what, one in findings.items() if not one["ok"]] == ["Slack"]
    assert "invalid_auth" in findings["Slack"]["says"]
    assert "xoxb" not in json.dumps(findings)


# The sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Tocsin]:
    """What `make run` starts, on ports of its own; its data lie in ./var."""
    tocsin = Tocsin(tmp_path, {"TOCSIN_SANDBOX": "1", "TOCSIN_DATABASE_URL": ""})
    with kept(tocsin):
        yield tocsin
        print(tocsin.log.read_text())


@pytest.mark.slow
def test_the_sandbox_keeps_what_happened(sandbox: Tocsin) -> None:
    sandbox.start()
    said = sandbox.log.read_text()
    assert "SANDBOX: Slack, PagerDuty, Kubernetes, Prometheus are stand-ins" in said
    assert f"Open the workspace page: {sandbox.url}/" in said
    page = requests.get(sandbox.url, timeout=TIMEOUT)
    assert page.headers["content-type"].startswith("text/html")
    assert "SANDBOX" in page.text

    assert sandbox.post(webhook(alert("Lasting"))).status_code == 200
    before = eventually(lambda: seen(sandbox), lambda seen: seen["page"] and seen["messages"])
    assert before["title"].startswith("Lasting")
    sandbox.stop()
    sandbox.start()
    assert seen(sandbox) == before
    assert sandbox.json("incident", "list", "--json")[0]["title"] == before["title"]
    assert sandbox.json("incident", "show", "1", "--json")["state"] == "triggered"
    sandbox.stop()


def seen(tocsin: Tocsin) -> dict[str, Any]:
    """The first incident, here and in the vendors' stand-ins."""
    incidents = tocsin.api("incidents")
    url = f"{tocsin.url}/sandbox/workspace/state"
    workspace = requests.get(url, timeout=TIMEOUT).json()
    return {
        "title": incidents[0]["title"] if incidents else "",
        "page": incidents[0]["page"] if incidents else None,
        "messages": [
            message["ts"]
            for channel in workspace["slack"]["channels"]
            for message in channel["messages"]
        ],
        "pages": [page["dedup_key"] for page in workspace["pagerduty"]["incidents"]],
    }
