from __future__ import annotations

import pytest

from bot.domain.classify import Severity
from bot.domain.contact import Mention, PagerRoute, notifier, pagerduty, slack


@pytest.mark.parametrize("level", Severity)
def test_only_a_mention_by_level_looks_at_the_level(level: Severity) -> None:
    assert Mention.ON_CALL.at(level) is Mention.ON_CALL
    assert Mention.CHANNEL.at(level) is Mention.CHANNEL
    expected = Mention.CHANNEL if level is Severity.P0 else Mention.ON_CALL
    assert Mention.BY_LEVEL.at(level) is expected


def test_a_contact_is_shown_as_the_policy_writes_it() -> None:
    assert str(pagerduty(PagerRoute.SECONDARY)) == "pagerduty: secondary"
    assert str(notifier("mail")) == "notifier: mail"
    assert str(slack(Mention.ON_CALL)) == "slack: on-call"
