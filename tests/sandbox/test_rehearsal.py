"""The stage of a rehearsal: its clock, what happens on it when, and what it answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from bot.domain.errors import PermanentError
from bot.domain.rehearsal import Expectation, Fault, Rehearsal
from bot.domain.run_events import RunState
from bot.sandbox.rehearsal import Rehearsed, Stage, VirtualClock
from tests.support.step_bench import Bench

CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"namespace": "web", "name": "shop"},
    "data": {"level": "info"},
}


class Place:
    """A stage with these faults, and how often somebody aborted."""

    def __init__(self, *faults: Fault, **rehearsal: Any) -> None:
        self.clock = VirtualClock()
        expect = Expectation(RunState.SUCCEEDED)
        given = {"cluster": (CONFIG,), **rehearsal}
        self.stage = Stage(Rehearsal("it", expect, faults=faults, **given), self.clock)
        self.aborts = 0

    def reach(self, moment: str) -> None:
        self.stage.reach(moment, self._abort)

    def _abort(self) -> None:
        self.aborts += 1


def test_the_clock_moves_only_in_sleep_and_what_is_due_happens_at_its_moment() -> None:
    clock = VirtualClock()
    begun = clock.now()
    seen: list[float] = []

    def note() -> None:
        seen.append((clock.now() - begun).total_seconds())

    clock.after(timedelta(seconds=20), note)
    clock.after(timedelta(seconds=5), note)
    clock.after(timedelta(0), note)
    assert seen == [0]
    clock.sleep(10)
    assert seen == [0, 5]
    clock.sleep(600)
    assert seen == [0, 5, 20]
    assert clock.now() - begun == timedelta(seconds=610)


def test_the_same_object_twice_is_a_change_to_it() -> None:
    changed = {**CONFIG, "data": {"level": None, "color": "red"}}
    place = Place(cluster=(CONFIG, changed))
    found = place.stage.find(CONFIG)
    assert found is not None
    assert found["data"] == {"color": "red"}


def test_an_owner_is_named_and_gets_its_uid() -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "shop"}
    metadata = {"namespace": "web", "name": "key", "ownerReferences": [owner]}
    owned = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    place = Place(cluster=(CONFIG, owned))
    above, below = place.stage.find(CONFIG), place.stage.find(owned)
    assert above is not None
    assert below is not None
    assert below["metadata"]["ownerReferences"][0]["uid"] == above["metadata"]["uid"]
    with pytest.raises(PermanentError, match="ConfigMap shop has to be set up before"):
        Place(cluster=(owned,))


def test_a_kind_that_the_sandbox_has_not_is_refused() -> None:
    with pytest.raises(PermanentError, match="has no Gadget of example/v1"):
        Place(cluster=({**CONFIG, "apiVersion": "example/v1", "kind": "Gadget"},))


def test_faults_happen_once_and_after_their_while() -> None:
    place = Place(
        Fault("change", change={**CONFIG, "data": {"level": "debug"}}),
        Fault("change", after=timedelta(seconds=10), delete=CONFIG),
        Fault("wait", abort=True),
    )
    place.reach("change")
    found = place.stage.find(CONFIG)
    assert found is not None
    assert found["data"] == {"level": "debug"}
    place.clock.sleep(10)
    assert place.stage.find(CONFIG) is None
    place.stage.put(CONFIG)
    place.reach("change")
    place.clock.sleep(60)
    assert place.stage.find(CONFIG) is not None
    assert place.aborts == 0
    place.reach("wait")
    assert place.aborts == 1


def test_the_cluster_is_away_for_a_while() -> None:
    place = Place(Fault("wait", unreachable=timedelta(seconds=45)))
    path = "/api/v1/namespaces/web/configmaps/shop"
    client = TestClient(place.stage.app())
    assert client.get(path).status_code == 200
    place.reach("wait")
    assert client.get(path).status_code == 503
    place.clock.sleep(45)
    assert client.get(path).status_code == 200


def test_queries_and_addresses_answer_what_the_rehearsal_says() -> None:
    place = Place(
        Fault("wait", metrics={"up": 0}, http={"http://shop/": 503}),
        metrics={"up": 1},
        http={"http://shop/": 200},
    )
    stage = place.stage
    assert stage.query("up", 1)[0][1] == 1
    assert stage.get("http://shop/", 1).status == 200
    place.reach("wait")
    assert stage.query("up", 1)[0][1] == 0
    assert stage.get("http://shop/", 1).status == 503
    with pytest.raises(PermanentError, match="nothing about the query “down”"):
        stage.query("down", 1)
    with pytest.raises(PermanentError, match="nothing about the address http://other/"):
        stage.get("http://other/", 1)


def test_a_step_tells_when_it_is_done_or_put_back_but_not_when_it_is_planned() -> None:
    bench = Bench()
    began: list[str] = []
    bench.objects.put(CONFIG)
    arguments = {"kind": "v1 ConfigMap", "object": "web/shop", "merge": {"data": {"level": "warn"}}}
    step = bench.step("kubernetes.patch", **arguments)
    step.kind = Rehearsed(step.kind, began.append)
    step.plan()
    assert began == []
    done = step.execute()
    step.undo(done)
    assert began == ["it", "it.undo"]
