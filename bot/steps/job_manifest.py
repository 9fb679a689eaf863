"""The Job that runs a program to its end, and how a runbook describes the program."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from bot.domain.cluster import Marker
from bot.domain.parameter import Form, seconds
from bot.domain.resource import Manifest
from bot.steps.arguments import (
    SENTENCE,
    Arguments,
    Duration,
    Formed,
    Image,
    Namespace,
    ObjectName,
    Word,
)

_CPU = Form(r"[0-9]{1,3}(\.[0-9]{1,3})?|[0-9]{1,6}m", "a number of CPUs such as 500m or 2", "500m")
_MEMORY = Form(r"[0-9]{1,6}(Ki|Mi|Gi)", "an amount of memory such as 512Mi", "512Mi")
_SHELL = re.compile(r"(.*/)?(ash|bash|dash|ksh|sh|zsh)")
_SHELL_COMMAND = re.compile(r"-[a-z]*c[a-z]*")

CONTAINER = "job"
"""The container that runs the program; admission webhooks may put others beside it."""

_HIGHEST_USER = 2_147_483_647
"""The highest number of a user that Kubernetes takes."""

_NAME_LENGTH = 63
"""Pods carry their Job's name as a label's value, which may have so many characters."""


def _no_shell(command: list[str]) -> list[str]:
    """Refuse ``sh -c``: there, a value that was put in would be read as commands."""
    for place, program in enumerate(command):
        if _SHELL.fullmatch(program) and any(map(_SHELL_COMMAND.fullmatch, command[place + 1 :])):
            raise PydanticCustomError(
                SENTENCE,
                "command must not run a shell's command line; "
                "name the program and its arguments, each an item of the list.",
            )
    return command


Command = Annotated[list[Word], AfterValidator(_no_shell)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
Cpu = Annotated[str, Formed(_CPU)]
Memory = Annotated[str, Formed(_MEMORY)]


class Program(BaseModel):
    """An image, what to run in it (nothing: what it runs by itself), and its environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: Image
    command: Command = Field(default_factory=list)
    env: dict[VariableName, Word] = Field(default_factory=dict)


class JobArguments(Arguments, Program):
    """Where, what and with which limits to run; `undo` is what takes it back, if anything does.

    `secrets` are Secrets whose keys become environment variables. A pod that has not
    started within `start_timeout` fails the step, and the Job is deleted. `keep` is how
    long Kubernetes keeps the Job when it has ended; where it can't, the Job stays.
    `run_as_user` is the number of the user it runs as, which a namespace that enforces the
    Pod Security Standard `restricted` asks for; without one, the image says who that is.
    """

    namespace: Namespace
    secrets: list[ObjectName] = Field(default_factory=list)
    service_account: ObjectName | None = None
    run_as_user: Annotated[int, Field(ge=1, le=_HIGHEST_USER)] | None = None
    timeout: Duration = "600s"
    start_timeout: Duration = "120s"
    retries: Annotated[int, Field(ge=0, le=10)] = 0
    cpu: Cpu = "500m"
    memory: Memory = "512Mi"
    keep: Duration = "24h"
    undo: Program | None = None


def job_name(marker: Marker) -> str:
    """The one name that the Job of this run's step has, so that it is found again."""
    name = re.sub(r"[^a-z0-9]+", "-", f"tocsin-run-{marker.run}-{marker.step}")
    if len(name) <= _NAME_LENGTH:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _NAME_LENGTH - 9]}-{digest}"


def job_manifest(arguments: JobArguments, program: Program, marker: Marker) -> Manifest:
    """The Job; its pods are never restarted in place, so that each try keeps its log."""
    labels = {
        "app.kubernetes.io/managed-by": "tocsin",
        "tocsin/run": str(marker.run),
        "tocsin/step": marker.step[:_NAME_LENGTH].rstrip("_."),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(marker),
            "namespace": arguments.namespace,
            "labels": labels,
        },
        "spec": {
            "backoffLimit": arguments.retries,
            "activeDeadlineSeconds": max(1, int(seconds(arguments.timeout))),
            "ttlSecondsAfterFinished": int(seconds(arguments.keep)),
            "template": {
                "metadata": {"labels": labels},
                "spec": _pod_spec(arguments, program),
            },
        },
    }


def _pod_spec(arguments: JobArguments, program: Program) -> dict[str, Any]:
    account = arguments.service_account
    return {
        "restartPolicy": "Never",
        # What does not call Kubernetes gets no token for it.
        "automountServiceAccountToken": account is not None,
        **({"serviceAccountName": account} if account else {}),
        "containers": [
            {
                "name": CONTAINER,
                "image": program.image,
                **({"command": list(map(_literal, program.command))} if program.command else {}),
                "env": [{"name": name, "value": _literal(it)} for name, it in program.env.items()],
                "envFrom": [{"secretRef": {"name": name}} for name in arguments.secrets],
                "resources": {"limits": {"cpu": arguments.cpu, "memory": arguments.memory}},
                "securityContext": _security(arguments.run_as_user),
            }
        ],
    }


def _security(user: int | None) -> dict[str, Any]:
    """Never more rights than it begins with; as an ordinary user it needs none at all.

    Source: the Pod Security Standards, `restricted`.
    """
    context = {"allowPrivilegeEscalation": False, "seccompProfile": {"type": "RuntimeDefault"}}
    if user is None:
        return context
    rights = {"capabilities": {"drop": ["ALL"]}}
    return {**context, "runAsUser": user, "runAsNonRoot": True, **rights}


def _literal(text: str) -> str:
    """Keep Kubernetes from expanding ``$(NAME)`` in it, which could show a secret.

    Source: the API reference, Container: ``$$`` stands for one ``$``.
    """
    return text.replace("$", "$$")


def describe(manifest: Manifest) -> Sequence[str]:
    """What the plan shows of the Job."""
    pod = manifest["spec"]["template"]["spec"]
    container = pod["containers"][0]
    metadata = manifest["metadata"]
    limits = container["resources"]["limits"]
    lines = [
        f"+ Job {metadata['namespace']}/{metadata['name']}",
        f"+   image: {container['image']}",
        f"+   limits: cpu {limits['cpu']}, memory {limits['memory']}",
    ]
    if "command" in container:
        lines.append(f"+   command: {json.dumps(container['command'], ensure_ascii=False)}")
    lines += [f"+   env {it['name']}: {it['value']}" for it in container["env"]]
    lines += [f"+   env from Secret {it['secretRef']['name']}" for it in container["envFrom"]]
    if account := pod.get("serviceAccountName"):
        lines.append(f"+   as service account {account}")
    if user := container["securityContext"].get("runAsUser"):
        lines.append(f"+   as user {user}")
    return lines
