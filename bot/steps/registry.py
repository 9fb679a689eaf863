"""All kinds of step. A new kind is a file of its own and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from bot.ports import StepKind
from bot.steps.http_check import HttpCheck
from bot.steps.prometheus_check import PrometheusCheck
from bot.steps.ready_pods import ReadyPods
from bot.steps.rollout_restart import RolloutRestart
from bot.steps.rollout_undo import RolloutUndo
from bot.steps.status import Status
from bot.steps.switch_service import SwitchService
from bot.steps.wait_rollout import WaitRollout


def step_kinds() -> Mapping[str, StepKind]:
    """Every kind by the name that runbooks use."""
    kinds: tuple[StepKind, ...] = (
        HttpCheck(),
        PrometheusCheck(),
        ReadyPods(),
        RolloutRestart(),
        RolloutUndo(),
        Status(),
        SwitchService(),
        WaitRollout(),
    )
    return {kind.name: kind for kind in kinds}
