"""Rehearsals as their file has them, and what is said of one with mistakes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.rehearsal_file import load_rehearsals
from bot.adapters.yaml_lines import FileProblems
from bot.domain.run import StepState
from bot.domain.run_events import RunState

GOOD = """\
cluster:
  - {apiVersion: v1, kind: Namespace, metadata: {name: web}}
parameters: {workload: web/shop, replicas: 3}
metrics: {up: 1}
rehearsals:
  - name: goes well
    parameters: {replicas: 5}
    cluster:
      - {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
    metrics: {errors < 0.01: 0.001}
    faults:
      - before: wait
        after: 90s
        unreachable: 1m
        metrics: {up: 0}
      - before: start
        delete: {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
    answers: {agreed: false}
    expect:
      state: compensated
      steps: {change: undone}
      says: [put back]
  - name: is refused
    expect: {state: refused}
"""


def _load(folder: Path, text: str) -> list[str]:
    path = folder / "rehearsal.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileProblems) as caught:
        load_rehearsals(path)
    return [f"{problem.line}: {problem.sentence}" for problem in caught.value.problems]


def test_what_stands_at_the_top_holds_for_each_rehearsal(tmp_path: Path) -> None:
    path = tmp_path / "rehearsal.yaml"
    path.write_text(GOOD, encoding="utf-8")
    first, second = load_rehearsals(path)
    assert first.parameters == {"workload": "web/shop", "replicas": "5"}
    assert second.parameters == {"workload": "web/shop", "replicas": "3"}
    assert [one["metadata"]["name"] for one in first.cluster] == ["web", "shop"]
    assert first.metrics == {"up": 1.0, "errors < 0.01": 0.001}
    assert first.answers == {"agreed": False}
    assert first.expect.state is RunState.COMPENSATED
    assert first.expect.steps == {"change": StepState.UNDONE}
    outage, deletion = first.faults
    assert (outage.before, outage.after) == ("wait", timedelta(seconds=90))
    assert (outage.unreachable, outage.metrics) == (timedelta(minutes=1), {"up": 0.0})
    assert deletion.delete is not None


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("state: refused", "state: happy", 24),
        ("    answers:", "    answer:", 18),
        ("metadata: {name: web}", "metadata: {}", 2),
        ("after: 90s", "after: soon", 13),
        ("steps: {change: undone}", "steps: {change: gone}", 21),
        ("before: start", "when: start", 16),
        ("metrics: {up: 1}", "metrics: {up: high}", 4),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    problems = _load(tmp_path, GOOD.replace(old, new))
    assert any(problem.startswith(f"{line}: ") for problem in problems), problems


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("state: refused", "state: happy").replace("after: 90s", "after: soon")
    assert len(_load(tmp_path, text)) == 2


def test_a_file_without_rehearsals_is_refused(tmp_path: Path) -> None:
    assert _load(tmp_path, "rehearsals: []\n")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match="No such file"):
        load_rehearsals(tmp_path / "rehearsal.yaml")
