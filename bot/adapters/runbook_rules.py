"""The rules between the parts of a runbook's file, beyond what its format says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.adapters.runbook_draft import Data, Draft, is_plain
from bot.adapters.runbook_parameters import parameter_problems
from bot.adapters.runbook_placeholders import placeholder_problems
from bot.adapters.runbook_release import DRAFT
from bot.adapters.yaml_lines import Lines, Problem
from bot.domain.runbook import Risk
from bot.ports import StepKind


def rule_problems(
    data: Data, draft: Draft, lines: Lines, kinds: Mapping[str, StepKind]
) -> Iterator[Problem]:
    """Every rule that the file breaks."""
    yield from _wrong_place(data, lines)
    yield from parameter_problems(draft, lines)
    yield from _repeated_ids(draft, lines)
    yield from _mutating_verification(draft, lines, kinds)
    yield from _mutation_without_risk(data, draft, lines, kinds)
    yield from _wrong_values(draft, lines)
    yield from placeholder_problems(data, draft, lines, kinds)


def _wrong_place(data: Data, lines: Lines) -> Iterator[Problem]:
    folder, _, file = lines.source.partition("/")
    expectations = {"name": folder}
    if file != DRAFT:
        expectations["version"] = file.removesuffix(".yaml")
    for key, expected in expectations.items():
        if isinstance(data.get(key), str) and data[key] != expected:
            yield lines.problem(
                (key,), f"the {key} is “{data[key]}”, but the file's place says “{expected}”."
            )


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


def _mutation_without_risk(
    data: Data, draft: Draft, lines: Lines, kinds: Mapping[str, StepKind]
) -> Iterator[Problem]:
    """What is without risk may run by itself, so it changes nothing."""
    for step in draft.steps:
        if data.get("risk") == Risk.NONE and step.kind in kinds and kinds[step.kind].mutates:
            yield lines.problem(
                (*step.path, "kind"),
                f"the risk is none, but {step.kind} changes something; say at least low.",
            )


def _wrong_values(draft: Draft, lines: Lines) -> Iterator[Problem]:
    for step in draft.steps:
        for path, value in step.leaves():
            if not is_plain(value):
                yield lines.problem(
                    path,
                    f"“{path[-1]}” is neither text nor a whole number nor true or false; "
                    "put it in quotes.",
                )
