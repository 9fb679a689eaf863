"""The whole job, with the real processes: from a real Alertmanager's alert to the timeline.

On the stand-in's cluster and on a real API server alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.alertmanager import alertmanager
from tests.support.place import CLUSTERS, Place, kubeconfig, place
from tests.support.vendors import INCIDENTS
from tests.support.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=CLUSTERS)
def placed(request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    # The real API server is spoken to as everywhere: with its kubeconfig and over TLS.
    settings = {"KUBECONFIG": kubeconfig()} if request.param == "real" else {}
    with place(folder, request.param, **settings) as placed:
        yield placed
        placed.tocsin.stop()


def is_told(story: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the story has all that is wanted, in that order."""
    told = iter(story)
    return all(any(part in line for line in told) for part in wanted)


def test_from_an_alert_to_the_timeline(placed: Place, tmp_path: Path) -> None:
    tocsin, served = placed.tocsin, placed.vendors
    shop = placed.namespace.create_deployment("checkout", replicas=2)
    placed.namespace.rolled_out(shop)
    old_pods = placed.pods(shop)
    labels = {
        "alertname": "HighErrorRate",
        "severity": "critical",
        "namespace": placed.namespace.name,
        "service": "checkout",
    }
    summary = "12 % of <!channel> checkout's requests fail"

    with alertmanager(tmp_path, tocsin.url) as real:
        real.fire(labels, summary)
        (page,) = eventually(served.pages)
        incident, *_others = tocsin.api("incidents")
        subject, number = f"incident:{incident['id']}", str(incident["id"])
        assert (incident["severity"], incident["rule"]) == ("P1", "critical")
        assert page["dedup_key"] == incident["dedup_key"]
        assert summary in page["title"]

        eventually(lambda: served.said(subject), lambda said: "on-call paged" in said)
        (message,) = served.messages(subject)
        assert "<!channel>" not in str(message)

        click = served.slack.click("ana", INCIDENTS, message["ts"], "incident.acknowledge", number)
        assert click == {"ok": True}
        eventually(lambda: served.pages()[0]["status"], lambda status: status == "acknowledged")

        answer = placed.type("/restart", f"{placed.namespace.name}/checkout soak=1s --yes")
        assert f"on the timeline of INC-{number}" in answer
        run = placed.ended_run()
        assert run["state"] == "succeeded", run
        assert placed.namespace.rolled_out(shop).marker
        assert len(placed.pods(shop)) == 2
        assert not placed.pods(shop) & old_pods

        real.resolve(labels, summary)
        eventually(lambda: served.pages()[0]["status"], lambda status: status == "resolved")

    eventually(lambda: served.said(subject), lambda said: "Resolved" in said or "✅" in said)
    (updated,) = served.messages(subject)
    assert updated["ts"] == message["ts"]
    assert updated["edited_ts"]
    assert len(served.pages()) == 1

    eventually(lambda: tocsin.api(f"incidents/{number}")["page"], lambda page: page == "resolve")
    story = tocsin.json("incident", "timeline", number, "--format", "json")
    assert (story["incident"], story["state"]) == (f"INC-{number}", "resolved")
    told = [f"{entry['actor']}: {entry['text']}" for entry in story["entries"]]
    wanted = [
        "Alertmanager: Opened as P1: HighErrorRate: checkout in",
        "Alertmanager: 1 alert fired",
        "Tocsin: The on-call engineer was paged (P1)",
        "ana: Acknowledged.",
        f"ben: Asked for restart@1.0.0 workload={placed.namespace.name}/checkout",
        "Tocsin: Planned. Only step 3 of 7 changes something.",
        "Tocsin: Started.",
        "Tocsin: Step restart done: Rolling restart of",
        "Tocsin: Step rollout done: Rollout of",
        "Tocsin: All steps done; verifying.",
        "Tocsin: Step ready done:",
        "Tocsin: Ended succeeded. Done and verified.",
        "Alertmanager: 1 alert resolved",
        "Alertmanager: Resolved. All its alerts are resolved.",
        "Tocsin: The pager was told of the resolution",
    ]
    assert is_told(told, wanted), told
    moments = [entry["at"] for entry in story["entries"]]
    assert moments == sorted(moments)

    markdown = tocsin.run("incident", "timeline", number, "--format", "md").stdout.splitlines()
    assert markdown[0] == f"# INC-{number}: HighErrorRate: checkout in {placed.namespace.name}"
    rows = [" ".join(row.split(" | ")[1:]) for row in markdown[4:]]
    assert len(rows) == len(told)
    assert is_told(rows, ["Alertmanager Opened as P1", "ana Acknowledged.", "Ended succeeded."])


def test_a_rollback_puts_the_earlier_image_back(placed: Place) -> None:
    shop = placed.namespace.create_deployment("shop", tag="1.0")
    placed.namespace.release(shop, "2.0")
    placed.type("/rollback", f"{placed.namespace.name}/shop soak=1s --yes")
    run = placed.ended_run()
    assert run["state"] == "succeeded", run
    placed.namespace.rolled_out(shop)
    assert placed.namespace.cluster.deployment(shop).images == ("registry.example/shop:1.0",)


@pytest.mark.parametrize("bad", ["badimage", "crash"])
def test_a_rollback_to_a_bad_revision_is_put_back(placed: Place, bad: str) -> None:
    name = f"shop-{bad}"
    shop = placed.namespace.create_deployment(name, tag=bad)
    placed.namespace.set_tag(shop, "2.0")
    placed.namespace.rolled_out(shop)
    placed.type("/rollback", f"{placed.namespace.name}/{name} timeout=3s soak=1s --yes")
    run = placed.ended_run()
    assert run["state"] == "compensated", run
    assert "What was changed has been put back." in run["result"]
    placed.namespace.rolled_out(shop)
    assert placed.namespace.cluster.deployment(shop).images == (f"registry.example/{name}:2.0",)


def test_a_failover_switches_the_service_to_its_standby(placed: Place) -> None:
    for name in ("active", "standby"):
        placed.namespace.rolled_out(placed.namespace.create_deployment(name))
    service = placed.namespace.create_service("front", {"app": "active"})
    placed.type("/failover", f"{placed.namespace.name}/front to=standby label=app soak=1s")
    placed.approve()
    run = placed.ended_run()
    assert run["state"] == "succeeded", run
    assert placed.namespace.cluster.service(service).selector == {"app": "standby"}
