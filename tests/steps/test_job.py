from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.cluster import ObjectRef
from bot.domain.errors import InvalidInput, NotFound, PermanentError
from bot.domain.plan import StepOutcome
from tests.support.clock import START
from tests.support.node_objects import Json, pod, warning
from tests.support.step_bench import Bench, Step

JOB = ObjectRef("job", "payments", "tocsin-run-7-it")
POD = ObjectRef("pod", "payments", "tocsin-run-7-it-x1")
IMAGE = "registry.example/backup:1.0"


@pytest.fixture
def job(bench: Bench) -> Callable[..., Step]:
    def make(**arguments: Any) -> Step:
        given = {"namespace": "payments", "image": IMAGE, **arguments}
        return bench.step("kubernetes.job", **given)

    return make


def ends(bench: Bench, kind: str = "Complete", ref: ObjectRef = JOB, **condition: str) -> None:
    """Have the Job end, as its controller writes it."""
    body = dict(bench.objects.read(ref).body)
    body["status"] = {"conditions": [{"type": kind, "status": "True", **condition}]}
    bench.objects.put(body)


def has_pod(bench: Bench, name: str = POD.name, job: str = JOB.name, **status: object) -> None:
    body = pod(f"payments/{name}", owner="Job", labels={"job-name": job}, created=bench.clock.now())
    body["status"] = {"phase": "Pending", **status}
    bench.objects.put(body)
    bench.objects.logs[ObjectRef("pod", "payments", name)] = "starting\n\x1b[31mdone\x1b[0m\x07\n"


def container(**state: Json) -> list[Json]:
    return [{"name": "job", "state": state}]


def spec(bench: Bench) -> Json:
    found: Json = bench.objects.read(JOB).body["spec"]
    return found


def test_the_plan_shows_the_job_and_creates_none(bench: Bench, job: Callable[..., Step]) -> None:
    plan = job(
        command=["backup", "--to", "s3://x"],
        env={"LEVEL": "full"},
        secrets=["credentials"],
        service_account="backup",
    ).plan()
    assert plan.changes == (
        "+ Job payments/tocsin-run-7-it",
        "+   image: registry.example/backup:1.0",
        "+   limits: cpu 500m, memory 512Mi",
        '+   command: ["backup", "--to", "s3://x"]',
        "+   env LEVEL: full",
        "+   env from Secret credentials",
        "+   as service account backup",
    )
    assert (plan.problems, plan.reversible) == ((), False)
    assert bench.objects.changes == []


def test_it_waits_for_the_end_and_attaches_the_log(bench: Bench, job: Callable[..., Step]) -> None:
    step = job()
    assert step.observe() is None
    bench.later(2, lambda: has_pod(bench, phase="Running"))
    bench.later(5, lambda: ends(bench))
    outcome = step.execute()
    assert outcome.summary == "Job payments/tocsin-run-7-it completed."
    assert [it.content for it in outcome.attachments] == [b"starting\ndone"]
    assert bench.progress == [
        "Job payments/tocsin-run-7-it has no pod yet",
        "pod tocsin-run-7-it-x1: Running",
        "Job payments/tocsin-run-7-it completed",
    ]
    assert step.observe() == step.execute() == outcome
    assert bench.objects.changes == ["create job/payments/tocsin-run-7-it run-7/it"]


def test_what_the_job_is_made_of(bench: Bench, job: Callable[..., Step]) -> None:
    bench.later(1, lambda: ends(bench))
    job(retries="2", timeout="10m", keep="1h", command=["run", 5], env={"N": 1}).execute()
    assert spec(bench)["backoffLimit"] == 2
    assert spec(bench)["activeDeadlineSeconds"] == 600
    assert spec(bench)["ttlSecondsAfterFinished"] == 3600
    template = spec(bench)["template"]["spec"]
    assert template["automountServiceAccountToken"] is False
    assert template["restartPolicy"] == "Never"
    assert template["containers"][0]["command"] == ["run", "5"]
    assert template["containers"][0]["env"] == [{"name": "N", "value": "1"}]
    labels = bench.objects.read(JOB).body["metadata"]["labels"]
    assert labels == {
        "app.kubernetes.io/managed-by": "tocsin",
        "tocsin/run": "7",
        "tocsin/step": "it",
    }


def test_it_gains_no_rights_and_as_an_ordinary_user_it_has_none(
    bench: Bench, job: Callable[..., Step]
) -> None:
    """What the Pod Security Standard `restricted` asks for."""
    step = job(run_as_user="1000")
    assert "+   as user 1000" in step.plan().changes
    bench.later(1, lambda: ends(bench))
    step.execute()
    assert spec(bench)["template"]["spec"]["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "seccompProfile": {"type": "RuntimeDefault"},
        "runAsUser": 1000,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_without_a_user_the_image_decides(bench: Bench, job: Callable[..., Step]) -> None:
    bench.later(1, lambda: ends(bench))
    job().execute()
    assert spec(bench)["template"]["spec"]["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


@pytest.mark.parametrize("user", ["0", "-1", "root", "2147483648"])
def test_a_user_is_a_number_and_not_root(job: Callable[..., Step], user: str) -> None:
    with pytest.raises(InvalidInput, match="run_as_user"):
        job(run_as_user=user)


def test_a_value_is_one_argument_and_nothing_in_it_is_expanded(
    bench: Bench, job: Callable[..., Step]
) -> None:
    bench.later(1, lambda: ends(bench))
    hostile = "$(PASSWORD); rm -rf / $$ `id`"
    job(command=["run", hostile], env={"TEXT": hostile}).execute()
    main = spec(bench)["template"]["spec"]["containers"][0]
    escaped = "$$(PASSWORD); rm -rf / $$$$ `id`"
    assert main["command"] == ["run", escaped]
    assert main["env"] == [{"name": "TEXT", "value": escaped}]


@pytest.mark.parametrize(
    "command",
    [
        ["sh", "-c", "echo"],
        ["/bin/bash", "-ec", "echo"],
        ["env", "sh", "-c", "x"],
        ["bash", "-o", "pipefail", "-c", "x"],
        ["bash", "--norc", "-c", "x"],
    ],
)
def test_a_shell_s_command_line_is_refused(job: Callable[..., Step], command: list[str]) -> None:
    with pytest.raises(InvalidInput, match="must not run a shell's command line"):
        job(command=command)
    with pytest.raises(InvalidInput, match="must not run a shell's command line"):
        job(undo={"image": IMAGE, "command": command})


@pytest.mark.parametrize(
    "wrong",
    [{"image": "no image"}, {"cpu": "many"}, {"env": {"A B": "x"}}, {"retries": 11}, {"x": 1}],
)
def test_other_bad_arguments_are_refused(job: Callable[..., Step], wrong: Json) -> None:
    with pytest.raises(InvalidInput):
        job(**wrong)


def test_a_job_that_fails_says_why_with_the_end_of_its_log(
    bench: Bench, job: Callable[..., Step]
) -> None:
    died = container(terminated={"exitCode": 3, "reason": "Error"})
    bench.later(1, lambda: has_pod(bench, phase="Failed", containerStatuses=died))
    bench.later(2, lambda: ends(bench, "Failed", reason="BackoffLimitExceeded", message="limit"))
    with pytest.raises(PermanentError) as failure:
        job().execute()
    assert str(failure.value) == (
        "Job payments/tocsin-run-7-it failed (BackoffLimitExceeded: limit). "
        "Its pod: Error (exit code 3). The end of its log:\nstarting\ndone"
    )


def test_a_job_that_never_starts_is_said_at_once_and_deleted(
    bench: Bench, job: Callable[..., Step]
) -> None:
    pulling = container(waiting={"reason": "ImagePullBackOff", "message": "not found"})
    bench.later(1, lambda: has_pod(bench, containerStatuses=pulling))
    with pytest.raises(PermanentError) as failure:
        job(start_timeout="90s").execute()
    assert bench.progress[1] == ("pod tocsin-run-7-it-x1: Pending, ImagePullBackOff: not found")
    assert str(failure.value) == (
        "Job payments/tocsin-run-7-it did not start within 90s and was deleted; "
        "pod tocsin-run-7-it-x1: Pending, ImagePullBackOff: not found."
    )
    assert bench.clock.now() == START + timedelta(seconds=91)
    assert bench.objects.changes[-1] == "delete job/payments/tocsin-run-7-it"


def test_what_keeps_kubernetes_from_making_the_pod_is_said(
    bench: Bench, job: Callable[..., Step]
) -> None:
    told = warning("payments/tocsin-run-7-it", "FailedCreate", "exceeded quota", START)
    bench.objects.put(told)
    bench.later(5, lambda: ends(bench))
    job().execute()
    assert bench.progress[0] == (
        "Job payments/tocsin-run-7-it has no pod yet: FailedCreate: exceeded quota"
    )


def test_an_unschedulable_pod_is_said(bench: Bench, job: Callable[..., Step]) -> None:
    full = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]
    bench.later(1, lambda: has_pod(bench, conditions=full))
    bench.later(5, lambda: ends(bench))
    job().execute()
    assert "pod tocsin-run-7-it-x1: Pending, Unschedulable" in bench.progress


def test_a_job_that_is_deleted_in_mid_run_is_not_made_again(
    bench: Bench, job: Callable[..., Step]
) -> None:
    bench.later(3, lambda: bench.objects.remove(JOB))
    with pytest.raises(PermanentError, match="was deleted before it ended"):
        job().execute()
    assert len(bench.objects.changes) == 1


def test_a_job_that_hangs_is_given_up_after_its_deadline(
    bench: Bench, job: Callable[..., Step]
) -> None:
    bench.later(1, lambda: has_pod(bench, phase="Running"))
    with pytest.raises(PermanentError, match="Not within 90s: pod tocsin-run-7-it-x1: Running"):
        job(timeout="60s").execute()


def test_somebody_else_s_job_of_that_name_is_a_problem(
    bench: Bench, job: Callable[..., Step]
) -> None:
    bench.objects.put(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": JOB.name, "namespace": "payments"},
        }
    )
    assert "this run did not make it" in job().plan().problems[0]
    with pytest.raises(PermanentError, match="this run did not make it"):
        job().execute()


def test_nothing_is_put_back_unless_the_runbook_says_how(
    bench: Bench, job: Callable[..., Step]
) -> None:
    assert "names nothing" in job().undo(StepOutcome("")).summary
    assert bench.objects.changes == []


def test_the_undo_is_a_job_of_its_own(bench: Bench, job: Callable[..., Step]) -> None:
    step = job(command=["apply"], undo={"image": IMAGE, "command": ["revert", "$x"]})
    plan = step.plan()
    assert plan.reversible
    assert plan.changes[-3] == "+   image: registry.example/backup:1.0"
    assert "+ Job payments/tocsin-run-7-it-undo" in plan.changes
    bench.later(1, lambda: ends(bench))
    outcome = step.execute()
    undo = replace(JOB, name="tocsin-run-7-it-undo")
    bench.later(1, lambda: ends(bench, ref=undo))
    assert step.undo(outcome).summary == "Job payments/tocsin-run-7-it-undo completed."
    assert bench.objects.read(undo).marker == "run-7/it.undo"


def test_a_long_step_s_job_has_a_name_that_fits(bench: Bench, job: Callable[..., Step]) -> None:
    step = job()
    marker = replace(step.context.marker, step="a_" * 40)
    step.context = replace(step.context, marker=marker)
    name = step.plan().changes[0].rpartition("/")[2]
    assert len(name) == 63
    assert name.startswith("tocsin-run-7-a-a-a")


def test_it_needs_no_right_to_read_events(
    bench: Bench, job: Callable[..., Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Job has no pod at the first look; why not is then looked up, and may be forbidden."""
    find = bench.objects.find

    def forbidden(kind: str, *where: Any, **fields: Any) -> Any:
        if kind == "event":
            raise PermanentError("Kubernetes does not let us list events in namespace payments")
        return find(kind, *where, **fields)

    monkeypatch.setattr(bench.objects, "find", forbidden)
    bench.later(1, lambda: ends(bench))
    assert job().execute().summary == "Job payments/tocsin-run-7-it completed."


# The run is aborted


def test_an_abort_stops_the_job(bench: Bench, job: Callable[..., Step]) -> None:
    has_pod(bench, phase="Running")
    step = job()
    step.context = replace(step.context, stopped=lambda: True)
    with pytest.raises(PermanentError, match="stopped with the run and deleted") as stopped:
        step.execute()
    assert "what its program had done by then stays" in str(stopped.value)
    assert "done" in str(stopped.value).splitlines()[-1]
    with pytest.raises(NotFound):
        bench.objects.read(JOB)


def test_an_abort_after_a_crash_stops_the_job_that_goes_on(
    bench: Bench, job: Callable[..., Step]
) -> None:
    has_pod(bench, phase="Running")
    step = job()
    with pytest.raises(PermanentError, match="Not within"):
        step.execute()
    assert "stopped with the run and deleted" in step.stop()
    with pytest.raises(NotFound):
        bench.objects.read(JOB)
    assert step.stop() == "the run was aborted before it took effect."


def test_a_job_that_failed_before_the_abort_is_told_and_kept(
    bench: Bench, job: Callable[..., Step]
) -> None:
    has_pod(bench, phase="Failed")
    step = job()
    bench.later(5, lambda: ends(bench, "Failed", reason="BackoffLimitExceeded"))
    with pytest.raises(PermanentError):
        step.execute()
    assert "failed (BackoffLimitExceeded)" in step.stop()
    assert bench.objects.read(JOB)
