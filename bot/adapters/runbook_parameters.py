"""The rules about a runbook's parameters: limits, choices and defaults fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.adapters.runbook_draft import Draft, value_fault
from bot.adapters.yaml_lines import Lines, Problem
from bot.domain.parameter import ORDERS, Parameter


def parameter_problems(draft: Draft, lines: Lines) -> Iterator[Problem]:
    """Every rule about parameters that the file breaks; only the first of one parameter."""
    for parameter in draft.parameters:
        for key, fault in _faults(parameter):
            yield lines.problem(("parameters", parameter.name, key), fault)
            break


def _faults(parameter: Parameter) -> Iterator[tuple[str, str]]:
    """Which key is wrong, and why."""
    yield from _wrong_choices(parameter)
    yield from _wrong_limits(parameter)
    if parameter.default is not None:
        fault = value_fault(parameter, parameter.default)
        if fault:
            yield "default", fault


def _wrong_choices(parameter: Parameter) -> Iterator[tuple[str, str]]:
    for value in parameter.values:
        fault = value_fault(parameter, value)
        if fault:
            yield "values", fault
        elif parameter.values.count(value) > 1:
            yield "values", f"“{value}” is given twice."


def _wrong_limits(parameter: Parameter) -> Iterator[tuple[str, str]]:
    if parameter.type not in ORDERS:
        return
    free = replace(parameter, minimum=None, maximum=None)
    for key, limit in (("minimum", parameter.minimum), ("maximum", parameter.maximum)):
        fault = value_fault(free, limit) if limit is not None else None
        if fault:
            yield key, fault
    if parameter.minimum is not None and value_fault(parameter, parameter.minimum):
        yield "minimum", "the minimum is larger than the maximum."
