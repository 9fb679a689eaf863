from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.cluster import ObjectRef
from bot.domain.plan import Question
from bot.domain.rehearsal_record import rehearsal_of
from bot.domain.resource import Manifest, Resource
from bot.domain.run import Run, StepRecord, StepState
from bot.domain.run_events import RunState
from tests.support.examples import asking, run


def resource(kind: str, **body: object) -> Resource:
    """As a server has it, with its bookkeeping and a mark of Tocsin's."""
    metadata: Manifest = {
        "name": "shop",
        "namespace": "retail",
        "uid": "uid-1",
        "resourceVersion": "7",
        "managedFields": [{"manager": "kubectl"}],
        "labels": {"app": "shop"},
        "annotations": {"tocsin/last-step": "run-3/change", "team": "retail"},
    }
    whole = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "status": {"a": 1}, **body}
    ref = ObjectRef(kind.lower(), "retail", "shop")
    return Resource(ref, "uid-1", "7", "digest", "run-3/change", whole)


def test_an_object_is_kept_without_what_the_server_and_tocsin_wrote() -> None:
    (kept,) = rehearsal_of(run(RunState.FAILED), [resource("ConfigMap", data={"a": "b"})]).cluster
    assert kept == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "shop",
            "namespace": "retail",
            "labels": {"app": "shop"},
            "annotations": {"team": "retail"},
        },
        "data": {"a": "b"},
    }


def test_of_a_secret_only_the_keys_are_kept() -> None:
    secret = resource("Secret", type="Opaque", data={"key": "aHVzaA=="}, stringData={"x": "hush"})
    (kept,) = rehearsal_of(run(RunState.FAILED), [secret]).cluster
    assert kept["data"] == {"key": ""}
    assert kept["type"] == "Opaque"
    assert not any(value in str(kept) for value in ("aHVzaA", "hush"))


def with_arguments(state: StepState, **arguments: str) -> Run:
    """A run whose step ``verify`` has these arguments, and stands there."""
    one = run(RunState.FAILED)
    (verify,) = one.runbook.verification
    book = replace(one.runbook, verification=(replace(verify, arguments=arguments),))
    return replace(one, runbook=book, steps=(*one.steps[:-1], StepRecord("verify", state)))


def test_what_addresses_and_queries_answered_follows_from_the_steps() -> None:
    arguments = {"url": "http://shop/${parameters.soak}", "query": "errors < 1"}
    done = rehearsal_of(with_arguments(StepState.DONE, **arguments), ())
    assert (done.http, done.metrics) == ({"http://shop/30s": 200}, {"errors < 1": 1.0})
    failed = rehearsal_of(with_arguments(StepState.FAILED, **arguments), ())
    assert (failed.http, failed.metrics) == ({}, {})
    assert failed.expect.steps["verify"] is StepState.FAILED


@pytest.mark.parametrize(("state", "answer"), [(StepState.DONE, True), (StepState.FAILED, False)])
def test_people_s_answers_are_repeated(state: StepState, answer: bool) -> None:
    asked = asking(Question("Is the partner told?", {}, timedelta(hours=4)))
    steps = tuple(replace(it, state=state) if it.id == "change" else it for it in asked.steps)
    assert rehearsal_of(replace(asked, steps=steps), ()).answers == {"change": answer}


def test_a_run_without_a_plan_is_about_nothing() -> None:
    refused = replace(run(), state=RunState.REFUSED)
    rehearsal = rehearsal_of(refused, ())
    assert (rehearsal.cluster, rehearsal.answers) == ((), {})
    assert rehearsal.expect.state is RunState.REFUSED
