"""`http.check`: does the service answer, seen from the outside?"""

from __future__ import annotations

from pydantic import Field

from bot.domain.errors import InvalidInput, PermanentError, TemporaryError
from bot.domain.plan import Limit, StepOutcome, StepPlan
from bot.ports import HealthAnswer, StepContext
from bot.steps.arguments import Arguments, Duration, Url
from bot.steps.base import ReadOnlyStep
from bot.steps.polling import Look, Patience, watch

ONE_TRY = 5.0
"""Seconds that one request may take; a health endpoint that needs longer is not healthy."""


class HttpCheckArguments(Arguments):
    """The address, what it must answer, and how long to try.

    `statuses` are those that count as healthy (none given: 200 to 299), `contains` a text that
    must then appear in the answer. With `must_pass` off what it answers is only reported. The
    host must be among those of TOCSIN_HTTP_CHECK_HOSTS.
    """

    url: Url
    timeout: Duration = "60s"
    must_pass: bool = True
    statuses: tuple[int, ...] = Field(default=(), max_length=20)
    contains: str = Field(default="", max_length=500)

    @property
    def wanted(self) -> str:
        """What a healthy answer is, in words."""
        status = " or ".join(map(str, self.statuses)) or "2xx"
        return f"{status} with “{self.contains}”" if self.contains else status


class HttpCheck(ReadOnlyStep[HttpCheckArguments]):
    """Expects a healthy answer; without an address there is nothing to check.

    A redirect is an answer like any other and is not followed.
    """

    name = "http.check"
    arguments = HttpCheckArguments

    def intent(self, arguments: HttpCheckArguments) -> str:
        if not arguments.url:
            return "No address was given, so its health is not checked."
        if not arguments.must_pass:
            return f"Report what {arguments.url} answers."
        return f"Check that {arguments.url} answers {arguments.wanted} within {arguments.timeout}."

    def limit(self, arguments: HttpCheckArguments) -> Limit:
        waits = arguments.url and arguments.must_pass
        return Patience(arguments.timeout).limit if waits else Limit()

    def prepare(self, arguments: HttpCheckArguments, context: StepContext) -> StepPlan:
        if arguments.url:
            context.probe.check(arguments.url)
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: HttpCheckArguments, context: StepContext) -> StepOutcome:
        if not arguments.url:
            return StepOutcome("Skipped: no address was given.")
        if not arguments.must_pass:
            return StepOutcome(_report(arguments, context))
        patience = Patience(arguments.timeout)
        seen = watch(context, lambda: _look(arguments, context), patience)
        return StepOutcome(f"{seen.says}.")


def _look(arguments: HttpCheckArguments, context: StepContext) -> Look:
    answer = context.probe.get(arguments.url, ONE_TRY)
    line = f"{arguments.url} answers {answer.status}"
    if not _status_is_good(answer, arguments):
        return Look(False, line)
    if arguments.contains not in answer.text:
        return Look(False, f"{line} without “{arguments.contains}”")
    return Look(True, line)


def _status_is_good(answer: HealthAnswer, arguments: HttpCheckArguments) -> bool:
    if arguments.statuses:
        return answer.status in arguments.statuses
    return 200 <= answer.status <= 299


def _report(arguments: HttpCheckArguments, context: StepContext) -> str:
    try:
        return f"{_look(arguments, context).says}."
    except (TemporaryError, PermanentError, InvalidInput) as error:
        return f"{arguments.url} does not answer: {error}"
