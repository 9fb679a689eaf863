"""A stand-in for PagerDuty: Events API v2, the REST API as far as it is used, signed webhooks.

It follows https://developer.pagerduty.com/docs/events-api-v2-overview and
https://developer.pagerduty.com/docs/webhooks-overview; the tests hold its traffic
against PagerDuty's own OpenAPI files. One incident holds one alert; there is one service,
whose escalation policy has two levels.
"""

from bot.sandbox.pagerduty.app import pagerduty_app
from bot.sandbox.pagerduty.state import SandboxPagerDuty

__all__ = ["SandboxPagerDuty", "pagerduty_app"]
