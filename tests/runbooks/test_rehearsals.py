"""Every rehearsal of the runbooks that are shipped, and how many there have to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.rehearsal_file import load_rehearsals
from bot.adapters.runbooks import RunbookFolder
from bot.bootstrap.rehearsing import rehearse
from bot.domain.rehearsal import Rehearsal
from bot.domain.run_events import RunState
from bot.steps.registry import step_kinds

RUNBOOKS = Path(__file__).resolve().parents[2] / "runbooks"
NAMES = sorted(path.parent.name for path in RUNBOOKS.glob("*/[0-9]*.yaml"))
FEWEST = 3
"""One that goes well, one that fails, one that is refused."""


@pytest.fixture(scope="module")
def library() -> RunbookFolder:
    return RunbookFolder(RUNBOOKS, step_kinds())


def _rehearsals() -> Iterator[object]:
    for path in sorted(RUNBOOKS.glob("*/rehearsal.yaml")):
        name = path.parent.name
        for rehearsal in load_rehearsals(path):
            yield pytest.param(name, rehearsal, id=f"{name}: {rehearsal.name}")


@pytest.mark.parametrize(("name", "rehearsal"), list(_rehearsals()))
def test_it_goes_as_expected(library: RunbookFolder, name: str, rehearsal: Rehearsal) -> None:
    played = rehearse(name, rehearsal, library)
    assert played.problems == ()


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_it_is_rehearsed_going_well_failing_and_refused(name: str) -> None:
    ends = Counter(one.expect.state for one in load_rehearsals(RUNBOOKS / name / "rehearsal.yaml"))
    assert ends.total() >= FEWEST
    assert ends[RunState.SUCCEEDED]
    assert ends[RunState.REFUSED]
    assert ends[RunState.FAILED] or ends[RunState.COMPENSATED]
