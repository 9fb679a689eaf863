from __future__ import annotations

from datetime import timedelta

from bot.domain.classify import Severity
from bot.domain.contact import Mention, PagerRoute, notifier, pagerduty, slack
from bot.domain.escalation_policy import EscalationPolicy, EscalationRule, EscalationStep
from bot.domain.routing import RoutingPolicy

STEPS = tuple(
    EscalationStep(timedelta(minutes=5), contact)
    for contact in (notifier("sms"), notifier("mail"), slack(Mention.ON_CALL))
)
POLICY = RoutingPolicy(
    escalations=(EscalationRule("all", (Severity.P0,), STEPS),),
    fallback=(notifier("ntfy"), pagerduty(PagerRoute.SECONDARY), notifier("mail")),
)


def test_notifiers_that_no_setting_has_are_named() -> None:
    assert POLICY.unknown_notifiers(["mail"]) == ("ntfy", "sms")
    assert POLICY.unknown_notifiers({"mail", "sms", "ntfy", "more"}) == ()


def test_the_shipped_policy_needs_no_notifier() -> None:
    assert RoutingPolicy().unknown_notifiers(()) == ()


def test_it_says_whom_it_turns_to() -> None:
    assert POLICY.asks_for(pagerduty(PagerRoute.SECONDARY))
    assert POLICY.asks_for(slack(Mention.ON_CALL))
    assert not POLICY.asks_for(pagerduty(PagerRoute.PRIMARY))


def test_its_escalation_is_what_it_says_of_steps_and_times() -> None:
    assert POLICY.escalation == EscalationPolicy(POLICY.escalations, POLICY.response_times)
