"""`slack.message` and `pagerduty.note`: tell people something in the middle of a run.

The steps only say what is to be said. It is said by a durable effect once their outcome is
written down, so a chat or a pager that is away for an hour holds no run up.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.domain.plan import Announcement, Audience, StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.arguments import Arguments
from bot.steps.base import ReadOnlyStep

Text = Annotated[str, Field(min_length=1, max_length=2_500, pattern=r"\S")]
"""What Slack shows in one block is 3,000 characters, escaped."""

CHANNEL = r"#?[^\s#,<>|]{1,80}"
"""A channel's name or id (docs.slack.dev/reference/methods/conversations.create, "Naming")."""

NO_INCIDENT = "the run belongs to no incident, so there is none at the pager to write a note on"


class SlackMessageArguments(Arguments):
    """What to say, as plain text; `channel` is for another one than that of the run."""

    text: Text
    channel: Annotated[str, Field(pattern=rf"^({CHANNEL})?$")] = ""


class SlackMessage(ReadOnlyStep[SlackMessageArguments]):
    """Posts a message; nothing in the text becomes a mention, a link or markup."""

    name = "slack.message"
    arguments = SlackMessageArguments

    def intent(self, arguments: SlackMessageArguments) -> str:
        return f"Say in {arguments.channel or 'the channel of the run'}: {arguments.text}"

    def prepare(self, arguments: SlackMessageArguments, context: StepContext) -> StepPlan:
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: SlackMessageArguments, context: StepContext) -> StepOutcome:
        said = Announcement(Audience.CHAT, arguments.text, arguments.channel)
        return StepOutcome(f"To be said in chat: {arguments.text}", announcements=(said,))


class PagerDutyNoteArguments(Arguments):
    """What to write, as plain text."""

    text: Text


class PagerDutyNote(ReadOnlyStep[PagerDutyNoteArguments]):
    """Writes a note on the incident's page; without PAGERDUTY_API_TOKEN none can be written."""

    name = "pagerduty.note"
    arguments = PagerDutyNoteArguments

    def intent(self, arguments: PagerDutyNoteArguments) -> str:
        return f"Write a note on the page: {arguments.text}"

    def prepare(self, arguments: PagerDutyNoteArguments, context: StepContext) -> StepPlan:
        problems = (NO_INCIDENT,) if context.incident_id is None else ()
        return StepPlan(self.intent(arguments), problems=problems)

    def execute(self, arguments: PagerDutyNoteArguments, context: StepContext) -> StepOutcome:
        said = Announcement(Audience.PAGER, arguments.text)
        return StepOutcome(f"To be noted at the pager: {arguments.text}", announcements=(said,))
