"""A runbook as a person reads it, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff

from bot.domain.parameter import Parameter
from bot.domain.runbook import Runbook


def described(runbook: Runbook) -> str:
    """The usage, each parameter with what it takes, and the steps."""
    steps = (*runbook.steps, *runbook.verification)
    lines = [
        runbook.usage,
        "",
        *map(_parameter, runbook.parameters),
        "",
        *(f"{number}. {it.title}  [{it.kind}]" for number, it in enumerate(steps, start=1)),
    ]
    return "\n".join(lines)


def cautions(runbook: Runbook) -> str:
    """Why not to use it any more, and why it is not the newest, a line each; mostly empty."""
    said = []
    if runbook.deprecated:
        said.append(f"⚠️ {runbook.reference} is deprecated: {runbook.deprecated}")
    if runbook.passed_over:
        said.append(f"⚠️ {runbook.reference} is not the newest: {runbook.passed_over}")
    return "\n".join(said)


def difference(before: Runbook, after: Runbook) -> Iterator[str]:
    """The lines of a unified diff between the texts of two runbooks; none for equal ones."""
    return unified_diff(
        before.text.splitlines(),
        after.text.splitlines(),
        before.reference,
        after.reference,
        lineterm="",
    )


def _parameter(parameter: Parameter) -> str:
    default = f", default {parameter.default or 'none'}" if parameter.default is not None else ""
    return f"{parameter.name} ({parameter.words}{default}): {parameter.description}"
