"""The rules about placeholders in a runbook's file: where they may be, what they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.adapters.runbook_draft import Data, Draft
from bot.adapters.yaml_lines import Lines, Path, Problem
from bot.domain.placeholders import Reference, malformed
from bot.ports import StepKind

_OPENING = "${"


def placeholder_problems(
    data: Data, draft: Draft, lines: Lines, kinds: Mapping[str, StepKind]
) -> Iterator[Problem]:
    """Every rule about placeholders that the file breaks."""
    yield from _misplaced(data, (), lines)
    yield from _malformed(draft, lines)
    yield from _unknown_parameters(draft, lines)
    yield from _unknown_values(draft, lines, kinds)
    yield from _unused_parameters(draft, lines)


def _misplaced(value: object, path: Path, lines: Lines) -> Iterator[Problem]:
    """Placeholders where nothing would replace them: in keys, and outside of arguments."""
    if isinstance(value, str) and _OPENING in value and "with" not in path:
        yield lines.problem(path, "placeholders are replaced only under a step's “with”.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if _OPENING in key:
                yield lines.problem((*path, key), "placeholders are not replaced in keys.")
            yield from _misplaced(inner, (*path, key), lines)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _misplaced(inner, (*path, index), lines)


def _malformed(draft: Draft, lines: Lines) -> Iterator[Problem]:
    for step in draft.steps:
        for path, text in step.texts():
            for found in malformed(text):
                yield lines.problem(path, f"{found} has not the form of a placeholder.")


def _unknown_parameters(draft: Draft, lines: Lines) -> Iterator[Problem]:
    for step in draft.steps:
        for path, reference in step.references():
            if reference.step is None and reference.name not in draft.declared:
                yield lines.problem(path, f"{reference} is no placeholder of a known parameter.")


def _unknown_values(draft: Draft, lines: Lines, kinds: Mapping[str, StepKind]) -> Iterator[Problem]:
    """Placeholders for what no step before theirs decides."""
    ids = frozenset(step.id for step in draft.steps)
    earlier: dict[str, StepKind | None] = {}
    for step in draft.steps:
        for path, reference in step.references():
            fault = _value_fault(reference, earlier, ids)
            if fault:
                yield lines.problem(path, f"{reference}: {fault}")
        earlier[step.id] = kinds.get(step.kind)


def _value_fault(
    reference: Reference, earlier: Mapping[str, StepKind | None], ids: frozenset[str]
) -> str | None:
    if reference.step is None:
        return None
    if reference.step not in ids:
        return f"there is no step “{reference.step}”."
    if reference.step not in earlier:
        return f"the step “{reference.step}” does not come before this one."
    kind = earlier[reference.step]
    if kind is None or reference.name in kind.decides:
        return None
    decides = ", ".join(sorted(kind.decides)) or "nothing"
    return f"the plan of {kind.name} decides {decides}, not “{reference.name}”."


def _unused_parameters(draft: Draft, lines: Lines) -> Iterator[Problem]:
    used = {it.name for step in draft.steps for _, it in step.references() if it.step is None}
    for name in sorted(draft.declared - used):
        yield lines.problem(("parameters", name), f"the parameter “{name}” is used by no step.")
