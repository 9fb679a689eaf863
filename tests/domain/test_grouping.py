from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.grouping import (
    GROUP_LABELS,
    Grouping,
    GroupingOverride,
    group_is_about,
    group_title,
    label_key,
)
from bot.domain.matcher import Matcher, Operator, Place

group_key = Grouping().key
LABELS = {
    "cluster": "prod-eu-1",
    "namespace": "payments",
    "service": "checkout",
    "alertname": "HighErrorRate",
}
OTHER_NAMES = ("cluster", "team", "namespace", "service")
texts = st.text(alphabet="ab,=\\\n", max_size=6) | st.just("a,alertname=b")
label_sets = st.fixed_dictionaries(dict.fromkeys((*GROUP_LABELS, "team"), texts))
name_lists = st.lists(st.sampled_from((*GROUP_LABELS, "team")), min_size=1, unique=True)


def is_(name: str, value: str) -> Matcher:
    return Matcher(Place.LABEL, name, Operator.EQUAL, value)


GROUPING = Grouping(
    overrides=(
        GroupingOverride((is_("team", "build"), is_("cluster", "ci")), ("cluster", "team")),
        GroupingOverride((is_("team", "build"),), ("team", "alertname")),
    )
)


def test_the_key_names_every_group_label() -> None:
    assert group_key(LABELS) == (
        "cluster=prod-eu-1,namespace=payments,service=checkout,alertname=HighErrorRate"
    )


def test_a_key_is_written_as_stored_incidents_carry_it() -> None:
    odd = {"cluster": "a,b", "service": "c\\", "alertname": "d=e"}
    assert Grouping().key(odd) == "cluster=a\\,b,namespace=,service=c\\\\,alertname=d=e"


@pytest.mark.parametrize("name", GROUP_LABELS)
def test_every_group_label_tells_groups_apart(name: str) -> None:
    assert group_key({**LABELS, name: "another"}) != group_key(LABELS)


@pytest.mark.parametrize("name", ["severity", "pod", "instance", "job"])
def test_no_other_label_does(name: str) -> None:
    assert group_key({**LABELS, name: "another"}) == group_key(LABELS)


def test_the_job_stands_in_for_a_missing_service() -> None:
    without = {name: value for name, value in LABELS.items() if name != "service"}
    assert group_key({**without, "job": "checkout"}) == group_key(LABELS)
    assert group_key({**LABELS, "service": "", "job": "checkout"}) == group_key(LABELS)


@pytest.mark.parametrize(
    ("labels", "key"),
    [
        ({"team": "build", "cluster": "ci", "alertname": "A"}, "cluster=ci,team=build"),
        ({"team": "build", "cluster": "x", "alertname": "A"}, "team=build,alertname=A"),
        ({"team": "web", "cluster": "ci"}, "cluster=ci,namespace=,service=,alertname="),
    ],
)
def test_the_first_override_whose_matchers_all_hold_decides(
    labels: dict[str, str], key: str
) -> None:
    assert GROUPING.key(labels) == key


def labels_in(key: str) -> dict[str, str]:
    """The labels of which a key was made, read back character by character."""
    parts, escaped = [""], False
    for character in key:
        if escaped or character not in "\\,":
            parts[-1] += character
            escaped = False
        elif character == ",":
            parts.append("")
        else:
            escaped = True
    return dict(part.split("=", 1) for part in parts)


@given(name_lists, label_sets)
def test_no_value_can_run_into_the_next_one(names: list[str], labels: dict[str, str]) -> None:
    assert labels_in(label_key(names, labels)) == {name: labels[name] for name in names}


@given(name_lists, label_sets, name_lists, label_sets)
def test_keys_are_equal_only_for_equal_names_and_values(
    names: list[str],
    labels: dict[str, str],
    other_names: list[str],
    other_labels: dict[str, str],
) -> None:
    same = [(name, labels[name]) for name in names] == [
        (name, other_labels[name]) for name in other_names
    ]
    assert (label_key(names, labels) == label_key(other_names, other_labels)) is same


@pytest.mark.parametrize("names", [GROUP_LABELS, OTHER_NAMES])
@given(label_sets, texts, texts)
def test_a_group_is_about_its_own_workload_only(
    names: tuple[str, ...], labels: dict[str, str], namespace: str, name: str
) -> None:
    its_own = (labels["namespace"], labels["service"]) == (namespace, name)
    assert group_is_about(label_key(names, labels), namespace, name) is its_own


def test_a_value_that_looks_like_another_label_is_not_taken_for_it() -> None:
    key = label_key(OTHER_NAMES, {"team": "namespace=payments,service=checkout"})
    assert not group_is_about(key, "payments", "checkout")


@pytest.mark.parametrize(
    ("labels", "title"),
    [
        (LABELS, "HighErrorRate: checkout in payments (prod-eu-1)"),
        ({"alertname": "Watchdog"}, "Watchdog"),
        ({"alertname": "Down", "job": "node"}, "Down: node"),
        ({"alertname": "Down", "namespace": "web"}, "Down in web"),
        ({"cluster": "c1"}, "Unnamed alert (c1)"),
        ({}, "Unnamed alert"),
    ],
)
def test_the_title_says_what_and_where(labels: dict[str, str], title: str) -> None:
    assert group_title(labels) == title
