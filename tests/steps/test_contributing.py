"""The step kind that CONTRIBUTING.md shows works as it is written there."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bot.domain.cluster import Marker
from bot.ports import StepContext
from tests.support.step_bench import Bench, Step

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "payments/checkout"


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example, as a module."""
    (code,) = re.findall(
        r"```python\n(.*?)```", (REPOSITORY / "CONTRIBUTING.md").read_text(), re.DOTALL
    )
    path = tmp_path / "pause.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("pause", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "pause", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def step(bench: Bench, shown: ModuleType) -> Step:
    metadata = {"namespace": "payments", "name": "checkout"}
    bench.objects.put(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {}}
    )
    kind = shown.Pause()
    context = StepContext(
        cluster=bench.cluster,
        probe=bench.probe,
        clock=bench.clock,
        marker=Marker(7, "it", bench.clock.now()),
        decided={},
        progress=bench.progress.append,
        objects=bench.objects,
    )
    return Step(kind, kind.arguments.read({"workload": NAME}), context)


def _paused(step: Step) -> object:
    seen = step.context.objects.find("deployment", "payments", {})
    return seen[0].body["spec"].get("paused")


def test_it_plans_pauses_is_observed_and_undone(step: Step) -> None:
    plan = step.plan()
    assert (plan.problems, plan.reversible) == ((), True)
    assert set(plan.decided) == step.kind.decides
    assert not _paused(step)
    assert step.observe() is None
    outcome = step.execute()
    assert _paused(step) is True
    assert step.observe() == outcome
    assert step.undo(outcome).summary == f"{NAME} may roll out again."
    assert not _paused(step)
