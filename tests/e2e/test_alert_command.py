"""``tocsin alert``, as a person or a script meets it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bot.adapters.inbox import Inbox, Row
from bot.ports import Source
from tests.support.installation import REPOSITORY, command_line

SAMPLE = REPOSITORY / "tests/samples/alertmanager/grouped_partial_resolved.json"
ONE = {"labels": {"alertname": "DiskFull"}}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command_line("alert", *arguments, folder=folder, TOCSIN_DATABASE_URL=database(folder))


def database(folder: Path) -> str:
    return f"sqlite:///{folder}/tocsin.db"


def rows(folder: Path) -> list[Row]:
    inbox = Inbox(database(folder))
    try:
        return inbox.read(limit=10)
    finally:
        inbox.close()


def test_a_file_of_alerts_goes_into_the_inbox(tmp_path: Path) -> None:
    file = tmp_path / "alerts.json"
    file.write_text(json.dumps(ONE))

    done = run(tmp_path, str(file))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].startswith("firing: DiskFull (")
    assert "the worker takes them up" in done.stdout
    (row,) = rows(tmp_path)
    assert (row.source, json.loads(row.body)) == (Source.API, [ONE])


def test_a_webhook_is_taken_and_told_as_json(tmp_path: Path) -> None:
    done = run(tmp_path, str(SAMPLE), "--json")

    told = json.loads(done.stdout)
    sent = json.loads(SAMPLE.read_text())["body"]["alerts"]
    assert [one["fingerprint"] for one in told["accepted"]] == [one["fingerprint"] for one in sent]
    assert [one["status"] for one in told["accepted"]] == [one["status"] for one in sent]
    assert len(rows(tmp_path)) == 1


def test_the_standard_input_is_a_file_too(tmp_path: Path) -> None:
    done = run(tmp_path, "-")  # it is empty here

    assert done.returncode == 1
    assert done.stderr.startswith("This is not JSON")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "This is not JSON"),
        ("[]", "The body must be a JSON list of 1 to 10,000 alerts"),
        ('[{"labels": {"a": "b"}}, {}]', "[1].labels is missing"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "alerts.json"
    file.write_text(content)

    done = run(tmp_path, str(file))

    assert done.returncode == 1
    assert done.stderr.startswith(says)
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "tocsin.inbox.db").exists()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "nowhere.json")

    assert done.returncode == 1
    assert done.stderr.startswith("nowhere.json can’t be read")


def test_a_database_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    done = command_line(
        "alert",
        str(SAMPLE),
        folder=tmp_path,
        TOCSIN_DATABASE_URL=f"sqlite:///{tmp_path}/missing/tocsin.db",
    )

    assert done.returncode == 1
    assert "unable to open" in done.stderr


def test_another_tocsin_that_does_not_answer_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, str(SAMPLE), "--to", "http://127.0.0.1:9")

    assert done.returncode == 1
    assert done.stderr.startswith("http://127.0.0.1:9 does not answer")
