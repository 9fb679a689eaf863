"""A recorded rehearsal as YAML, in the form that `rehearsal_file` reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from bot.domain.rehearsal import Rehearsal
from bot.domain.rehearsal_record import Recorded

_WIDTH = 100


class _Dumper(yaml.SafeDumper):
    """Writes each value out: anchors are not taken where the file is read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def rehearsal_text(recorded: Recorded) -> str:
    """The file's text; its comments say what a record can't know."""
    data = {"rehearsals": [_data(recorded.rehearsal)]}
    body = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return "".join(f"# {line}\n" for line in _remarks(recorded)) + body


def _remarks(recorded: Recorded) -> Iterator[str]:
    run = recorded.run
    yield f"Recorded from run {run.id} of {run.runbook.reference}, which ended {run.state.value}."
    yield "The objects are as they are now, not as they were when the run began; Secrets’ values"
    yield "are left out. Put what the run met on its way under `faults`; addresses answer 200 and"
    yield "queries 1 where the run’s step could be done. Read all of it before you keep it."
    for target in recorded.gone:
        yield f"Not there any more: {target}."


def _data(rehearsal: Rehearsal) -> Mapping[str, Any]:
    expected = rehearsal.expect
    steps = {step: state.value for step, state in expected.steps.items()}
    found = {
        "name": rehearsal.name,
        "version": rehearsal.version,
        "parameters": dict(rehearsal.parameters),
        "cluster": list(rehearsal.cluster),
        "http": dict(rehearsal.http),
        "metrics": dict(rehearsal.metrics),
        "answers": dict(rehearsal.answers),
        "expect": {"state": expected.state.value, "steps": steps},
    }
    return {key: value for key, value in found.items() if value}
