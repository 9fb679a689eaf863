"""All kinds of step. A new kind is a file of its own and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from bot.ports import StepKind
from bot.steps.announcements import PagerDutyNote, SlackMessage
from bot.steps.argo_rollout_actions import RolloutAbort, RolloutPromote, RolloutRetry
from bot.steps.argo_rollout_undo import ArgoRolloutUndo
from bot.steps.argo_wait_rollout import ArgoWaitRollout
from bot.steps.argocd_automation import ArgoCdResume, ArgoCdSuspend
from bot.steps.argocd_rollback import ArgoCdRollback
from bot.steps.argocd_wait import ArgoCdWait
from bot.steps.autoscale_bounds import AutoscaleBounds
from bot.steps.backup_resources import BackupResources
from bot.steps.certificates import Certificates
from bot.steps.cordon import Cordon
from bot.steps.delete import Delete
from bot.steps.drain import Drain
from bot.steps.events import Events
from bot.steps.flux import FluxReconcile, FluxResume, FluxSuspend, FluxWait
from bot.steps.http_check import HttpCheck
from bot.steps.job import Job
from bot.steps.logs import Logs
from bot.steps.patch import PatchObject
from bot.steps.people import Approval, Manual
from bot.steps.prometheus_check import PrometheusCheck
from bot.steps.prometheus_snapshot import PrometheusSnapshot
from bot.steps.ready_pods import ReadyPods
from bot.steps.recent_changes import RecentChanges
from bot.steps.recovery import RecoveryMeasure
from bot.steps.rollout_restart import RolloutRestart
from bot.steps.rollout_undo import RolloutUndo
from bot.steps.scale import Scale
from bot.steps.set_image import SetImage
from bot.steps.status import Status
from bot.steps.switch_service import SwitchService
from bot.steps.uncordon import Uncordon
from bot.steps.wait import Wait
from bot.steps.wait_condition import WaitCondition
from bot.steps.wait_rollout import WaitRollout


def step_kinds() -> Mapping[str, StepKind]:
    """Every kind by the name that runbooks use."""
    kinds: tuple[StepKind, ...] = (
        ArgoCdResume(),
        ArgoCdRollback(),
        ArgoCdSuspend(),
        ArgoCdWait(),
        ArgoRolloutUndo(),
        ArgoWaitRollout(),
        RolloutAbort(),
        RolloutPromote(),
        RolloutRetry(),
        FluxReconcile(),
        FluxResume(),
        FluxSuspend(),
        FluxWait(),
        HttpCheck(),
        PagerDutyNote(),
        PrometheusCheck(),
        PrometheusSnapshot(),
        ReadyPods(),
        RecoveryMeasure(),
        RolloutRestart(),
        RolloutUndo(),
        SlackMessage(),
        Status(),
        SwitchService(),
        Certificates(),
        Cordon(),
        Uncordon(),
        Drain(),
        Events(),
        Job(),
        Logs(),
        RecentChanges(),
        WaitRollout(),
        AutoscaleBounds(),
        BackupResources(),
        Delete(),
        PatchObject(),
        Scale(),
        SetImage(),
        WaitCondition(),
        Approval(),
        Manual(),
        Wait(),
    )
    return {kind.name: kind for kind in kinds}
