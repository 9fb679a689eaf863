from __future__ import annotations

import pytest

from bot.domain.errors import InvalidInput
from bot.steps.registry import step_kinds


def test_all_that_is_wrong_is_said_at_once() -> None:
    arguments = step_kinds()["kubernetes.wait_rollout"].arguments
    with pytest.raises(InvalidInput) as caught:
        arguments.read({"workload": "checkout", "timeout": "soon", "patience": "1"})
    assert str(caught.value) == (
        "workload must be a Deployment as namespace/name; it is “checkout”. "
        "timeout must be a duration such as 30s, 10m or 1h; it is “soon”. "
        "patience: Extra inputs are not permitted."
    )


@pytest.mark.parametrize("name", sorted(step_kinds()))
def test_no_kind_takes_an_argument_it_does_not_know(name: str) -> None:
    with pytest.raises(InvalidInput, match="surprise: Extra inputs are not permitted"):
        step_kinds()[name].arguments.read({"surprise": "yes"})


def test_every_kind_is_found_by_its_own_name() -> None:
    assert {kind.name for kind in step_kinds().values()} == set(step_kinds())


def test_every_kind_says_what_it_is_for() -> None:
    for kind in step_kinds().values():
        assert type(kind).__doc__
        assert kind.arguments.__doc__
