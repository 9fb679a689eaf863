from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.grouping import GROUP_LABELS, group_is_about, group_key, group_title

LABELS = {
    "cluster": "prod-eu-1",
    "namespace": "payments",
    "service": "checkout",
    "alertname": "HighErrorRate",
}
texts = st.text(alphabet="ab,=\\", max_size=6) | st.just("a,alertname=b")
label_sets = st.fixed_dictionaries(dict.fromkeys(GROUP_LABELS, texts))


def test_the_key_names_every_group_label() -> None:
    assert group_key(LABELS) == (
        "cluster=prod-eu-1,namespace=payments,service=checkout,alertname=HighErrorRate"
    )


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


@given(label_sets)
def test_no_value_can_run_into_the_next_one(labels: dict[str, str]) -> None:
    assert labels_in(group_key(labels)) == labels


@given(label_sets, texts, texts)
def test_a_group_is_about_its_own_workload_only(
    labels: dict[str, str], namespace: str, name: str
) -> None:
    its_own = bool(labels["service"]) and (labels["namespace"], labels["service"]) == (
        namespace,
        name,
    )
    if name:
        assert group_is_about(group_key(labels), namespace, name) is its_own


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
