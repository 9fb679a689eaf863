from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.alert_files import read_recorded
from bot.domain.classify import Severity
from bot.domain.errors import InvalidInput

ALERT = {"labels": {"alertname": "A"}, "annotations": {"summary": "x"}}
LINE = json.dumps(ALERT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "alerts.jsonl"


def names(path: Path) -> list[str]:
    return [one.name for one in read_recorded(path)]


@pytest.mark.parametrize(
    "text",
    [
        LINE,
        f"{LINE}\n{LINE}\n",
        f"\n{LINE}\n\n{LINE}",
        json.dumps({"alerts": [ALERT, ALERT]}),
        json.dumps({"body": {"alerts": [ALERT]}}),
        json.dumps([ALERT, ALERT]),
    ],
)
@pytest.mark.parametrize("name", ["alerts.json", "alerts.jsonl"])
def test_alerts_are_read_in_all_their_shapes(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert set(names(path)) == {"A"}
    assert len(names(path)) == text.count('"alertname"')


def test_what_people_and_prometheus_said_is_read(file: Path) -> None:
    more = {
        "expr": "up == 0",
        "for": "5m",
        "expected": "P0",
        "also_defensible": ["P1"],
        "startsAt": "2025-03-01T03:00:00.123456789Z",
    }
    file.write_text(json.dumps({**ALERT, **more}))
    (alert,) = read_recorded(file)
    assert (alert.expected, alert.also_defensible) == (Severity.P0, frozenset({Severity.P1}))
    assert alert.expression == "up == 0"
    assert alert.at == datetime(2025, 3, 1, 3, 0, 0, 123456, UTC)


def test_what_is_not_said_is_not_there(file: Path) -> None:
    file.write_text(json.dumps({"labels": {"a": None, "b": 1}, "startsAt": "yesterday"}))
    (alert,) = read_recorded(file)
    assert alert.labels == {"a": "", "b": "1"}
    assert (alert.annotations, alert.expression, alert.at, alert.expected) == ({}, "", None, None)


def test_what_ends_lines_elsewhere_ends_none_here(file: Path) -> None:
    summary = "one\u2028two\x85three"
    alert = {"labels": {"alertname": "A"}, "annotations": {"summary": summary}}
    file.write_text(json.dumps(alert, ensure_ascii=False) + "\n" + LINE, encoding="utf-8")
    assert read_recorded(file)[0].annotations["summary"] == summary
    assert names(file) == ["A", "A"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{LINE}\n{{\n{LINE}", ":2: this is not JSON"),
        ("nonsense", ":1: this is not JSON"),
        (f"{LINE}\n5\n", ":2: an alert is an object with labels"),
        ("{}", ":1: an alert is an object with labels"),
        (f'{LINE}\n\n{{"labels": []}}', ":3: an alert is an object with labels"),
        ('{"labels": {}, "annotations": 5}', ":1: annotations must be an object"),
        ('{"labels": {}, "expected": "P9"}', ":1: “P9” is no level"),
        ('{"labels": {}, "also_defensible": "P1"}', ":1: also_defensible must be a list"),
        ('{"labels": {}, "also_defensible": [[]]}', ":1: “[]” is no level"),
        (f"{LINE}\n" + "[" * 100_000, ":2: this is not JSON"),
    ],
)
def test_a_malformed_line_is_named_by_its_number(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read_recorded(file)
    assert str(caught.value).startswith(f"{file}{said}")


def test_a_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"nowhere\.json can’t be read"):
        read_recorded(tmp_path / "nowhere.json")
    (tmp_path / "latin").write_bytes(b"\xe4")
    with pytest.raises(InvalidInput, match="latin can’t be read"):
        read_recorded(tmp_path / "latin")
