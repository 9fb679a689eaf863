"""A check of who may do what, and of whether somebody can give every approval."""

from __future__ import annotations

from collections.abc import Iterator

from bot.adapters.access import AccessFile
from bot.adapters.slack import SlackChat
from bot.checks.finding import Warned
from bot.domain.access import nobody_overrides
from bot.domain.access_policy import APPROVER, EVERYBODY, AccessPolicy, Role
from bot.domain.errors import InvalidInput
from bot.settings import Settings
from bot.vendors import sandbox_parts, vendors


def check_access(settings: Settings) -> str:
    """How many rules there are; raises for a file, a kind or a group that nobody can use."""
    policy = AccessFile(settings.policy / "access.yaml").current()
    problems = (*_nobody_gives(policy), *_unknown_groups(settings, policy))
    if problems:
        raise InvalidInput("\n".join(problems))
    found = f"{len(policy.rules)} rules, digest {policy.digest[:12]}"
    doubts = list(_doubts(policy))
    if doubts:
        raise Warned("; ".join((found, *doubts)))
    return found


def _doubts(policy: AccessPolicy) -> Iterator[str]:
    """What can be used, but may not be what was meant."""
    if not policy.rules:
        yield "no rules: every run needs an approver"
    if nobody_overrides(policy):
        yield "nobody is a commander, so nobody can override a missing approval in a P0"
    if any(EVERYBODY in policy.roles.get(role, ()) for role in (Role.COMMANDER, Role.ADMIN)):
        yield "everybody can override approvals: whoever declares a P0 runs anything alone"


def _nobody_gives(policy: AccessPolicy) -> Iterator[str]:
    """Kinds of approval that a rule needs and that have no members."""
    members = dict(policy.kinds)
    members[APPROVER] = (
        *members.get(APPROVER, ()),
        *policy.roles.get(Role.APPROVER, ()),
        *policy.roles.get(Role.ADMIN, ()),
    )
    for rule in policy.rules:
        for kind in rule.needs:
            if not members.get(kind):
                yield f"Rule {rule.id} needs {kind}, and nobody can give that."


def _unknown_groups(settings: Settings, policy: AccessPolicy) -> Iterator[str]:
    """Groups that the chat does not have, or has with nobody in them."""
    if not policy.groups or not settings.slack_configured or sandbox_parts(settings).slack:
        return
    where = vendors(settings)
    members = SlackChat(where.slack_token, where.slack_api_url).members_of(policy.groups)
    for group in sorted(policy.groups):
        if not members[group]:
            yield f"Slack has no user group {group} with anybody in it."
