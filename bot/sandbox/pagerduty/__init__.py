"""A stand-in for PagerDuty: Events API v2, a thin REST API and signed webhooks.

It follows https://developer.pagerduty.com/docs/events-api-v2-overview and
https://developer.pagerduty.com/docs/webhooks-overview; the tests hold its traffic
against PagerDuty's own OpenAPI files. One incident holds one alert, there is one
service, one escalation policy and one person on call.
"""

from bot.sandbox.pagerduty.app import pagerduty_app
from bot.sandbox.pagerduty.state import SandboxPagerDuty

__all__ = ["SandboxPagerDuty", "pagerduty_app"]
