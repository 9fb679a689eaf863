"""The check of what the routing policy asks for of the runbooks."""

from __future__ import annotations

from collections.abc import Callable

from bot import bootstrap
from bot.bootstrap.policies import load_routing_for
from bot.domain.errors import InvalidInput
from bot.domain.runbook import Runbook
from bot.domain.schedule import Schedule
from bot.domain.suggestion import SuggestionRule, check_rule
from bot.settings import Settings


def check_asked_for(settings: Settings) -> str:
    """Whether schedules and suggestions fit the runbooks that there are."""
    policy = load_routing_for(settings)(settings.policy / "routing.yaml")
    runbook_of = bootstrap.core(settings).library.get
    problems = [
        *(_problem("schedule", one, runbook_of) for one in policy.schedules),
        *(_problem("suggestion", one, runbook_of) for one in policy.suggestions),
    ]
    said = [problem for problem in problems if problem]
    if said:
        raise InvalidInput("\n".join(said))
    return f"{len(policy.schedules)} schedules, {len(policy.suggestions)} suggestions"


def _problem(
    part: str, one: Schedule | SuggestionRule, runbook_of: Callable[[str], Runbook]
) -> str:
    """What is wrong with it, or nothing."""
    try:
        runbook = runbook_of(one.runbook)
        if isinstance(one, Schedule):
            one.check(runbook)
        else:
            check_rule(one, runbook)
    except InvalidInput as error:
        return f"{part} {one.id}: {error}"
    return ""
