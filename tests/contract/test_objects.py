"""What `Objects` promises, held by the stand-in, by a real API server and by the tests' fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

import pytest
from kubernetes.client import ApiClient

from bot.adapters.kubernetes_objects import KubernetesObjects
from bot.domain.cluster import ObjectRef, kind_of
from bot.domain.errors import Conflict, InvalidInput, NotFound, PermanentError
from bot.domain.resource import Resource
from bot.ports import Objects
from tests.support.kubernetes import SECONDS, eventually, marker
from tests.support.object_places import CUSTOM, FAKE, REAL, SANDBOX, Place, in_cluster, real


@pytest.fixture(scope="module", params=[SANDBOX, REAL, FAKE])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    opened: Callable[[], AbstractContextManager[Place]] = request.param
    with opened() as place:
        yield place


@pytest.fixture(scope="module", params=[SANDBOX, REAL])
def server(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A place behind an API server, with what the fake leaves out."""
    opened: Callable[[], AbstractContextManager[Place]] = request.param
    with opened() as place:
        yield place


@pytest.fixture
def name() -> str:
    return f"settings-{uuid4().hex[:6]}"


def test_what_is_created_is_read_as_it_is(place: Place, name: str) -> None:
    made = place.objects.create(place.config_map(name, x="1"), marker("make", run=7))
    found = place.objects.read(place.ref(name))
    assert found == made
    assert (found.ref, found.marker) == (place.ref(name), "run-7/make")
    assert found.uid
    assert found.version
    assert found.body["data"] == {"x": "1"}
    assert (found.body["apiVersion"], found.body["kind"]) == ("v1", "ConfigMap")


def test_creating_again_by_the_same_step_is_one_creation(place: Place, name: str) -> None:
    step = marker("make")
    made = place.objects.create(place.config_map(name, x="1"), step)
    assert place.objects.create(place.config_map(name, x="1"), step) == made
    with pytest.raises(PermanentError, match="exists already, and this run did not make it"):
        place.objects.create(place.config_map(name, x="1"), marker("other"))


def test_objects_are_found_by_labels_and_namespace(place: Place, name: str) -> None:
    labels = {"app": name}
    for suffix in ("b", "a"):
        manifest = place.config_map(f"{name}-{suffix}")
        manifest["metadata"]["labels"] = labels
        place.objects.create(manifest, marker())
    place.objects.create(place.config_map(f"{name}-c"), marker())
    names = [f"{name}-a", f"{name}-b"]
    for namespace in (place.namespace, ""):
        found = place.objects.find("configmap", namespace, labels)
        assert [one.ref.name for one in found] == names
        assert all(one.body["kind"] == "ConfigMap" for one in found)
    assert place.objects.find("configmap", "no-such-namespace", labels) == []


def test_a_merge_changes_only_what_it_names(place: Place, name: str) -> None:
    made = place.objects.create(place.config_map(name, x="1", y="2"), marker())
    changed = place.objects.merge(made.ref, {"data": {"x": None, "z": "3"}}, marker("it"))
    assert changed.body["data"] == {"y": "2", "z": "3"}
    assert (changed.uid, changed.marker) == (made.uid, "run-1/it")
    assert changed.version != made.version
    assert changed.spec_digest != made.spec_digest
    assert place.objects.read(made.ref) == changed


def test_a_merge_onto_another_version_is_a_conflict(place: Place, name: str) -> None:
    made = place.objects.create(place.config_map(name, x="1"), marker())
    place.objects.merge(made.ref, {"data": {"x": "2"}}, marker("other"))
    with pytest.raises(Conflict, match="modified"):
        place.objects.merge(made.ref, {"data": {"x": "3"}}, marker(), version=made.version)
    manifest = place.config_map(name, x="3")
    with pytest.raises(Conflict, match="modified"):
        place.objects.apply(manifest, marker(), version=made.version)
    assert place.objects.read(made.ref).body["data"] == {"x": "2"}


def test_an_apply_makes_or_changes(place: Place, name: str) -> None:
    made = place.objects.apply(place.config_map(name, x="1"), marker("first"))
    assert (made.marker, made.body["data"]) == ("run-1/first", {"x": "1"})
    step = marker("first")
    again = place.objects.apply(place.config_map(name, x="1"), step)
    assert again.uid == made.uid
    assert place.objects.read(made.ref) == again


def test_an_apply_takes_over_from_earlier_steps_and_removes_nothing(
    place: Place, name: str
) -> None:
    place.objects.apply(place.config_map(name, x="1"), marker("first"))
    merged = place.objects.merge(place.ref(name), {"data": {"y": "2"}}, marker("second"))
    applied = place.objects.apply(
        place.config_map(name, y="3"), marker("third"), version=merged.version
    )
    assert applied.body["data"] == {"x": "1", "y": "3"}
    assert applied.marker == "run-1/third"


def test_dry_runs_answer_and_change_nothing(place: Place, name: str) -> None:
    made = place.objects.create(place.config_map(name, x="1"), marker())
    objects, ref = place.objects, made.ref
    patch = {"data": {"x": "2"}}
    assert objects.merge(ref, patch, marker(), dry_run=True).body["data"] == {"x": "2"}
    applied = objects.apply(
        place.config_map(name, x="2"), marker(), version=made.version, dry_run=True
    )
    assert applied.body["data"] == {"x": "2"}
    new = objects.create(place.config_map(f"{name}-new"), marker(), dry_run=True)
    assert new.ref.name == f"{name}-new"
    objects.delete(ref, made.uid, dry_run=True)
    assert objects.read(ref) == made
    assert [
        one.ref for one in objects.find("configmap", place.namespace, {}) if one.ref == new.ref
    ] == []


def test_deleting_takes_that_very_object(place: Place, name: str) -> None:
    made = place.objects.create(place.config_map(name), marker())
    place.objects.delete(made.ref, "another-uid")
    assert place.objects.read(made.ref) == made
    place.objects.delete(made.ref, made.uid)
    place.objects.delete(made.ref, made.uid)
    with pytest.raises(NotFound, match=name):
        place.objects.read(made.ref)


def test_an_object_with_a_finalizer_waits_for_it(place: Place, name: str) -> None:
    manifest = place.config_map(name)
    manifest["metadata"]["finalizers"] = ["example.com/archive"]
    made = place.objects.create(manifest, marker())
    place.objects.delete(made.ref, made.uid)
    assert place.objects.read(made.ref).uid == made.uid
    place.objects.merge(made.ref, {"metadata": {"finalizers": None}}, marker())
    place.objects.delete(made.ref, made.uid)
    with pytest.raises(NotFound):
        place.objects.read(made.ref)


@pytest.mark.parametrize("kind", CUSTOM)
def test_custom_resources_are_objects_like_others(place: Place, name: str, kind: str) -> None:
    api_version, _, word = kind.partition(" ")
    metadata = {"name": name, "namespace": place.namespace}
    spec = {"instances": 3, "nested": {"of": [1, {"a": "b"}]}}
    manifest = {"apiVersion": api_version, "kind": word, "metadata": metadata, "spec": spec}
    made = place.objects.create(manifest, marker())
    assert made.ref == place.ref(name, kind_of(api_version, word))
    patch = {"spec": {"instances": 2}, "status": {"phase": "Healthy"}}
    changed = place.objects.merge(made.ref, patch, marker("it"))
    assert changed.body["spec"] == {**spec, "instances": 2}
    assert changed.body["status"] == {"phase": "Healthy"}
    applied = place.objects.apply(
        {**manifest, "spec": {"instances": 1}}, marker("last"), version=changed.version
    )
    assert applied.body["spec"] == {**spec, "instances": 1}
    assert [one.ref for one in place.objects.find(made.ref.kind, place.namespace, {})] == [made.ref]
    place.objects.delete(made.ref, made.uid)


def test_what_does_not_exist_is_named(server: Place) -> None:
    missing = f"There is no nothing among the configmaps in namespace {server.namespace}"
    with pytest.raises(NotFound, match=missing):
        server.objects.read(server.ref("nothing"))
    with pytest.raises(NotFound, match=missing):
        server.objects.merge(server.ref("nothing"), {"data": {}}, marker())
    with pytest.raises(NotFound, match=r"There is no nowhere among the namespaces$"):
        server.objects.read(ObjectRef("namespace", "", "nowhere"))
    nowhere = server.config_map("new")
    nowhere["metadata"]["namespace"] = "nowhere"
    with pytest.raises(NotFound, match='namespaces "nowhere" not found'):
        server.objects.create(nowhere, marker())


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("widget.v1.example.com", "This cluster does not serve example.com/v1"),
        ("widget.v1.apps", "This cluster does not serve the kind widget of apps/v1"),
        ("deployment.v9.apps", "This cluster does not serve apps/v9"),
    ],
)
def test_a_kind_that_is_not_served_is_named(server: Place, kind: str, sentence: str) -> None:
    with pytest.raises(NotFound, match=sentence):
        server.objects.read(server.ref("it", kind))
    with pytest.raises(NotFound, match=sentence):
        server.objects.find(kind, server.namespace, {})


def test_a_name_never_leads_elsewhere(server: Place) -> None:
    for name in ("../secrets/x", "a/b", "a?b=c", "A", ""):
        with pytest.raises(InvalidInput):
            server.objects.merge(server.ref(name), {"data": {}}, marker())
    with pytest.raises(InvalidInput, match="is in a namespace"):
        server.objects.read(ObjectRef("configmap", "", "settings"))


def test_fields_of_others_are_never_taken(server: Place, name: str) -> None:
    helm = server.others("helm")
    theirs = helm.apply(server.config_map(name, x="1"), marker("helm"))
    bare = server.config_map(name, x="2")
    with pytest.raises(PermanentError, match=r"fields that helm set: .*\.data\.x"):
        server.objects.apply(bare, marker(), version=theirs.version)
    # Nor after Tocsin itself has come to own another field of the object.
    ours = server.objects.merge(server.ref(name), {"data": {"y": "1"}}, marker("ours"))
    with pytest.raises(PermanentError, match="fields that helm"):
        server.objects.apply(
            server.config_map(name, x="2", y="2"), marker("next"), version=ours.version
        )
    assert server.objects.read(server.ref(name)).body["data"] == {"x": "1", "y": "1"}


def test_what_nobody_or_everybody_wants_is_no_conflict(server: Place, name: str) -> None:
    server.others("helm").apply(server.config_map(name, x="1"), marker("it"))
    applied = server.objects.apply(server.config_map(name, x="1", y="2"), marker("it"))
    assert applied.body["data"] == {"x": "1", "y": "2"}


def test_a_manager_that_leaves_a_field_out_gives_it_up(server: Place, name: str) -> None:
    helm = server.others("helm")
    helm.apply(server.config_map(name, x="1", y="2"), marker())
    left = helm.apply(server.config_map(name, y="2"), marker())
    assert left.body["data"] == {"y": "2"}


def test_a_workload_is_scaled_and_its_containers_are_applied_by_name(
    server: Place, name: str
) -> None:
    container = {"name": "app", "image": "registry.example/shop:1.0"}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    selector = {"matchLabels": {"app": name}}
    metadata = {"name": name, "namespace": server.namespace}
    manifest = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata}
    spec = {"replicas": 1, "serviceName": name, "selector": selector, "template": template}
    made = server.objects.create({**manifest, "spec": spec}, marker())
    scaled = server.objects.merge(made.ref, {"spec": {"replicas": 0}}, marker())
    assert scaled.body["spec"]["replicas"] == 0
    assert scaled.spec_digest == made.spec_digest
    newer = {"template": {"spec": {"containers": [{**container, "image": "x:2"}]}}}
    changed = applied_to_newest(server.objects, made.ref, {**manifest, "spec": newer})
    (found,) = changed.body["spec"]["template"]["spec"]["containers"]
    assert (found["name"], found["image"]) == ("app", "x:2")


def applied_to_newest(objects: Objects, ref: ObjectRef, manifest: dict[str, Any]) -> Resource:
    """Apply onto the version last read; the workload's controller may write its status between."""

    def attempt() -> Resource | None:
        try:
            return objects.apply(manifest, marker("it"), version=objects.read(ref).version)
        except Conflict:
            return None

    applied = eventually(attempt, bool)
    assert applied is not None
    return applied


@pytest.mark.cluster
def test_what_does_not_fit_the_schema_is_permanent() -> None:
    with in_cluster() as place:
        manifest = {**place.config_map("it"), "datum": {}}
        with pytest.raises(PermanentError, match=r"field not declared in schema|unknown field"):
            place.objects.apply(manifest, marker())


@pytest.mark.cluster
def test_a_missing_permission_is_named() -> None:
    with in_cluster() as place, real() as client:
        nobody = ApiClient(client.configuration, "Impersonate-User", "nobody")
        place.objects.create(place.config_map("it"), marker())
        with pytest.raises(PermanentError) as refused:
            KubernetesObjects(nobody, SECONDS).merge(place.ref("it"), {"data": {}}, marker())
        place_named = f"patch configmaps it in namespace {place.namespace}"
        assert str(refused.value).startswith(f"Kubernetes does not let us {place_named}")
