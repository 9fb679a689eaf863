"""Checks of what wakes people: PagerDuty, what confirms a page, and what stands in for it."""

from __future__ import annotations

from bot.adapters.apprise_notifier import AppriseNotifier
from bot.bootstrap.paging import records
from bot.bootstrap.policies import load_routing_for
from bot.checks.finding import Warned
from bot.domain.contact import PagerRoute, pagerduty
from bot.domain.errors import InvalidInput, PermanentError
from bot.domain.oncall import PagerAccess
from bot.settings import Settings
from bot.vendors import secret, vendors

CANNOT_ASK = (
    "without PAGERDUTY_API_TOKEN PagerDuty can’t be asked: webhooks of services that create "
    "alerts besides incidents are not understood, no notes are written there, and nobody knows "
    "who is on call"
)


def check_pagerduty(settings: Settings) -> str:
    """Whose the REST API token is, and whether it may do what it is needed for."""
    if not settings.pagerduty_configured:
        raise InvalidInput("not configured: set PAGERDUTY_ROUTING_KEY.")
    found = records(settings, vendors(settings))
    if found is None:
        raise Warned(CANNOT_ASK)
    return _said(found.verify())


def _said(access: PagerAccess) -> str:
    owner = access.owner.name if access.owner else "the whole account"
    if access.missing:
        scopes = ", ".join(access.missing)
        raise PermanentError(f"PAGERDUTY_API_TOKEN, of {owner}, may not do all: it lacks {scopes}.")
    if access.sender_problem:
        raise Warned(access.sender_problem)
    return f"the REST API accepts the token of {owner}"


def check_confirmation(settings: Settings) -> str:
    """What can tell that a page which PagerDuty accepted stands there."""
    where = vendors(settings)
    ways = [
        name
        for name, there in (("webhooks", where.webhook_secret), ("the REST API", where.api_token))
        if there
    ]
    if not ways:
        raise Warned(
            "nothing can confirm a page: one that PagerDuty accepts counts as received, though it "
            "may be lost there. Set PAGERDUTY_WEBHOOK_SECRET or PAGERDUTY_API_TOKEN."
        )
    return f"by {' and '.join(ways)}"


def check_notifiers(settings: Settings) -> str:
    """What the names of the notifiers stand for; nothing is sent."""
    return AppriseNotifier(secret(settings.notifiers)).verify()


def check_routing(settings: Settings) -> str:
    """The routing policy, and whether those whom it names can be reached."""
    policy = load_routing_for(settings)(settings.policy / "routing.yaml")
    heartbeats = ", ".join(one.id for one in policy.heartbeats) or "none"
    found = f"heartbeats: {heartbeats}; digest {policy.digest[:12]}"
    second_key = settings.pagerduty_fallback_routing_key
    if policy.asks_for(pagerduty(PagerRoute.SECONDARY)) and second_key is None:
        raise Warned(
            f"{found}; it names pagerduty: secondary, which is passed over: "
            "PAGERDUTY_FALLBACK_ROUTING_KEY is not set"
        )
    return found
