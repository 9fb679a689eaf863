"""Services, policies and who is on call, in PagerDuty's REST API.

Their fields: https://developer.pagerduty.com/api-reference.
"""

from __future__ import annotations

from datetime import timedelta

from pydantic import AwareDatetime, BaseModel

from bot.adapters.pagerduty_documents import ReferenceDocument
from bot.domain.oncall import EscalationLevel, EscalationPolicy, OnCall, PagerService, Person


class OnCallDocument(BaseModel):
    """Who is on call; the user is whole where ``include[]`` asked for it."""

    escalation_policy: ReferenceDocument
    escalation_level: int
    user: ReferenceDocument
    schedule: ReferenceDocument | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None

    def value(self) -> OnCall:
        user = self.user
        return OnCall(
            escalation_policy_id=self.escalation_policy.id,
            level=self.escalation_level,
            person=Person(user.id, user.title, user.email or "", user.html_url or ""),
            schedule=self.schedule.title if self.schedule else "",
            start=self.start,
            end=self.end,
        )


class _IntegrationDocument(BaseModel):
    type: str = ""
    integration_key: str | None = None


class ServiceDocument(BaseModel):
    """A service, with its integrations where ``include[]`` asked for them."""

    id: str
    name: str = ""
    html_url: str | None = None
    escalation_policy: ReferenceDocument | None = None
    integrations: list[_IntegrationDocument] = []

    def value(self) -> PagerService:
        policy = self.escalation_policy or ReferenceDocument()
        kinds = {one.type.removesuffix("_reference") for one in self.integrations}
        return PagerService(
            id=self.id,
            name=self.name,
            html_url=self.html_url or "",
            escalation_policy_id=policy.id,
            escalation_policy_name=policy.title,
            integration_types=tuple(sorted(kinds)),
            integration_keys=frozenset(
                one.integration_key for one in self.integrations if one.integration_key
            ),
        )


class _EscalationRuleDocument(BaseModel):
    escalation_delay_in_minutes: int
    targets: list[ReferenceDocument]


class EscalationPolicyDocument(BaseModel):
    """An escalation policy; its rules are its levels."""

    id: str
    name: str = ""
    html_url: str | None = None
    num_loops: int = 0
    escalation_rules: list[_EscalationRuleDocument] = []
    services: list[ReferenceDocument] = []

    def value(self) -> EscalationPolicy:
        return EscalationPolicy(
            id=self.id,
            name=self.name,
            html_url=self.html_url or "",
            levels=tuple(
                EscalationLevel(
                    tuple(target.title for target in rule.targets),
                    timedelta(minutes=rule.escalation_delay_in_minutes),
                )
                for rule in self.escalation_rules
            ),
            repeats=self.num_loops,
            service_ids=tuple(service.id for service in self.services),
        )
