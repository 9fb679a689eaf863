"""What a person can do on the workspace page."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.domain.alert import AlertStatus
from bot.domain.errors import InvalidInput
from bot.sandbox.stand_ins import StandIns

Json = dict[str, Any]

_Name = Annotated[str, Field(min_length=1, max_length=100)]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=3_000)]
_Value = Annotated[str, Field(max_length=2_000)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Command(_Asked):
    """What `user` types into `channel`: a slash command, or words."""

    user: _Name
    channel: _Name
    text: _Text


class Click(_Asked):
    """A button that `user` presses on the message at `ts`."""

    user: _Name
    channel: _Name
    ts: _Name
    action_id: Annotated[str, Field(min_length=1, max_length=255)]
    value: _Value | None = None


class PageAction(StrEnum):
    """What a person does with a page."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


class Page(_Asked):
    """What `user`, who is on call, does with the pager's incident."""

    incident_id: _Name
    action: PageAction
    user: _Name


class Alert(_Asked):
    """A sample alert that is to fire, or to be over."""

    sample: _Name
    status: AlertStatus


class WorkspaceActions:
    """Does what was asked. Every method raises `InvalidInput` for what can't be done."""

    def __init__(self, stand_ins: StandIns) -> None:
        self._stand_ins = stand_ins

    def command(self, asked: Command) -> Json:
        """As `SandboxSlack.command`; what is no command is a message for everybody."""
        slack = _present(self._stand_ins.slack, "Slack")
        if not asked.text.startswith("/"):
            slack.say(asked.user, asked.channel, asked.text)
            return {"ok": True}
        command, *rest = asked.text.split(maxsplit=1)
        return slack.command(asked.user, asked.channel, command, " ".join(rest))

    def click(self, asked: Click) -> Json:
        """As `SandboxSlack.click`."""
        slack = _present(self._stand_ins.slack, "Slack")
        return slack.click(asked.user, asked.channel, asked.ts, asked.action_id, asked.value)

    def page(self, asked: Page) -> Json:
        """Acknowledge or resolve in the pager."""
        pagerduty = _present(self._stand_ins.pagerduty, "PagerDuty")
        act = {
            PageAction.ACKNOWLEDGE: pagerduty.acknowledge,
            PageAction.RESOLVE: pagerduty.resolve,
        }
        act[asked.action](asked.incident_id, asked.user)
        return {"ok": True}

    def alert(self, asked: Alert) -> Json:
        """Have the alert sent to Tocsin; `new` says whether it is no repeat.

        Raises:
            TemporaryError: Tocsin did not accept it.
        """
        alertmanager = self._stand_ins.alertmanager
        if asked.status is AlertStatus.FIRING:
            return {"ok": True, "new": alertmanager.fire(asked.sample)}
        alertmanager.resolve(asked.sample)
        return {"ok": True, "new": True}


_StandIn = TypeVar("_StandIn")


def _present(stand_in: _StandIn | None, vendor: str) -> _StandIn:
    if stand_in is None:
        raise InvalidInput(f"{vendor} is the real one; do it there.")
    return stand_in
