"""A run that really happened is made a rehearsal of, and rehearsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.kubernetes import connect
from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.adapters.rehearsal_file import load_rehearsals
from bot.adapters.rehearsal_text import rehearsal_text
from bot.adapters.runbooks import RunbookFolder
from bot.app.recording import Recording
from bot.bootstrap.rehearsing import rehearse
from bot.domain.errors import InvalidInput, NotFound
from bot.domain.rehearsal_record import Recorded
from bot.sandbox.kubernetes.store import DEPLOYMENTS
from bot.steps.registry import step_kinds
from tests.support.harness import REPOSITORY, Harness

CHECKOUT = "payments/checkout"


def recorded(h: Harness) -> Recorded:
    """The first run."""
    client = connect(None, f"{h.url}/stand-ins/kubernetes")
    return Recording(h.runs, KubernetesObjects(client, 10.0)).record(1)


def test_a_recorded_restart_rehearses_as_it_went(h: Harness, tmp_path: Path) -> None:
    h.command("ana", f"/restart {CHECKOUT} --yes")
    h.fast_forward(minutes=5)
    text = rehearsal_text(recorded(h))
    assert "Recorded from run 1 of restart@" in text
    assert "not as they were" in text
    assert not any(word in text for word in ("uid", "resourceVersion", "tocsin/last-step"))
    file = tmp_path / "rehearsal.yaml"
    file.write_text(text)

    (rehearsal,) = load_rehearsals(file)

    assert rehearsal == recorded(h).rehearsal
    assert rehearsal.parameters["workload"] == CHECKOUT
    played = rehearse("restart", rehearsal, RunbookFolder(REPOSITORY / "runbooks", step_kinds()))
    assert played.problems == ()
    assert played.run.steps[-1].outcome == h.run().steps[-1].outcome


def test_a_run_that_goes_on_can_not_be_recorded(h: Harness) -> None:
    h.command("ana", f"/runbook run restart {CHECKOUT}")
    with pytest.raises(InvalidInput, match="Run 1 has not ended"):
        recorded(h)


def test_a_target_that_is_gone_is_said(h: Harness) -> None:
    h.command("ana", f"/restart {CHECKOUT} --yes")
    h.fast_forward(minutes=5)
    h.vendors.cluster.delete(DEPLOYMENTS, "payments", "checkout")
    found = recorded(h)
    assert found.rehearsal.cluster == ()
    assert f"# Not there any more: deployment/{CHECKOUT}.\n" in rehearsal_text(found)


def test_there_must_be_such_a_run(h: Harness) -> None:
    with pytest.raises(NotFound):
        recorded(h)
