from __future__ import annotations

from typing import Any

import pytest

from bot.domain.field_path import PATH, fields, joined, look_up

BODY = {
    "metadata": {"annotations": {"example.com/team": "payments"}},
    "spec": {"containers": [{"name": "app", "image": "a:1", "args": ["x"]}], "rows": [[1], [2]]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}], "phase": None},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.annotations[example.com/team]", "payments"),
        ("spec.containers[app].image", "a:1"),
        ("spec.containers[0].image", None),
        ("spec.containers[app].args[0]", "x"),
        ("spec.rows[1][0]", 2),
        ("status.conditions[Ready].status", "True"),
        ("status.phase.deeper", None),
        ("nothing", None),
    ],
)
def test_a_field_is_looked_up_by_its_path(path: str, value: Any) -> None:
    assert PATH.fullmatch(path)
    assert look_up(BODY, path) == value


def test_the_path_of_every_field_leads_back_to_it() -> None:
    found = {joined(keys): value for keys, value in fields(BODY)}
    assert "spec.containers[app].image" in found
    assert {path: look_up(BODY, path) for path in found} == found


@pytest.mark.parametrize("text", ["", ".a", "a.", "a..b", "a[", "a[]", "a b", "$.a", "a['b"])
def test_what_is_no_path(text: str) -> None:
    assert not PATH.fullmatch(text)
