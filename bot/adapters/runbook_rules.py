"""The rules between the parts of a runbook's file, beyond what its format says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.adapters.runbook_draft import Data, Draft, default_fault
from bot.adapters.yaml_lines import Lines, Path, Problem
from bot.domain.runbook import placeholders, unknown_placeholders
from bot.ports import StepKind


def rule_problems(
    data: Data, draft: Draft, lines: Lines, kinds: Mapping[str, StepKind]
) -> Iterator[Problem]:
    """Every rule that the file breaks."""
    yield from _wrong_place(data, lines)
    yield from _wrong_defaults(draft, lines)
    yield from _repeated_ids(draft, lines)
    yield from _mutating_verification(draft, lines, kinds)
    yield from _unknown_placeholders(draft, lines)
    yield from _misplaced_placeholders(data, (), lines)
    yield from _unused_parameters(draft, lines)


def _wrong_place(data: Data, lines: Lines) -> Iterator[Problem]:
    folder, _, file = lines.source.partition("/")
    for key, expected in (("name", folder), ("version", file.removesuffix(".yaml"))):
        if isinstance(data.get(key), str) and data[key] != expected:
            yield lines.problem(
                (key,), f"the {key} is “{data[key]}”, but the file's place says “{expected}”."
            )


def _wrong_defaults(draft: Draft, lines: Lines) -> Iterator[Problem]:
    for parameter in draft.parameters:
        fault = default_fault(parameter)
        if fault:
            yield lines.problem(("parameters", parameter.name, "default"), fault)


def _repeated_ids(draft: Draft, lines: Lines) -> Iterator[Problem]:
    seen: set[str] = set()
    for step in draft.steps:
        if step.id in seen:
            yield lines.problem((*step.path, "id"), f"another step has the id “{step.id}” already.")
        seen.add(step.id)


def _mutating_verification(
    draft: Draft, lines: Lines, kinds: Mapping[str, StepKind]
) -> Iterator[Problem]:
    for step in draft.steps:
        if step.path[0] == "verification" and step.kind in kinds and kinds[step.kind].mutates:
            yield lines.problem(
                (*step.path, "kind"), f"a verification changes nothing, but {step.kind} does."
            )


def _unknown_placeholders(draft: Draft, lines: Lines) -> Iterator[Problem]:
    for step in draft.steps:
        for name, text in step.arguments.items():
            for found in unknown_placeholders(text, draft.declared):
                yield lines.problem(
                    (*step.path, "with", name), f"{found} is no placeholder of a known parameter."
                )


def _misplaced_placeholders(value: object, path: Path, lines: Lines) -> Iterator[Problem]:
    """Placeholders outside the arguments of steps, where nothing would replace them."""
    if isinstance(value, str) and unknown_placeholders(value, ()):
        yield lines.problem(path, "placeholders are replaced only under a step's “with”.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key != "with":
                yield from _misplaced_placeholders(inner, (*path, key), lines)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _misplaced_placeholders(inner, (*path, index), lines)


def _unused_parameters(draft: Draft, lines: Lines) -> Iterator[Problem]:
    used = frozenset(name for step in draft.steps for name in placeholders(step.arguments))
    for name in sorted(draft.declared - used):
        yield lines.problem(("parameters", name), f"the parameter “{name}” is used by no step.")
