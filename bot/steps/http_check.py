"""`http.check`: does the service answer, seen from the outside?"""

from __future__ import annotations

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.plan import StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Duration, Url
from bot.steps.base import ReadOnlyStep
from bot.steps.polling import Look, Patience, watch

ONE_TRY = 5.0
"""Seconds that one request may take; a health endpoint that needs longer is not healthy."""


class HttpCheckArguments(Arguments):
    """The address, and how long to try; with `must_pass` off it is only reported."""

    url: Url
    timeout: Duration = "60s"
    must_pass: bool = True


class HttpCheck(ReadOnlyStep[HttpCheckArguments]):
    """Expects a status from 200 to 299; without an address there is nothing to check."""

    name = "http.check"
    arguments = HttpCheckArguments

    def intent(self, arguments: HttpCheckArguments) -> str:
        if not arguments.url:
            return "No address was given, so its health is not checked."
        if not arguments.must_pass:
            return f"Report what {arguments.url} answers."
        return f"Check that {arguments.url} answers 2xx within {arguments.timeout}."

    def prepare(self, arguments: HttpCheckArguments, context: StepContext) -> StepPlan:
        return StepPlan(self.intent(arguments))

    def execute(self, arguments: HttpCheckArguments, context: StepContext) -> StepOutcome:
        if not arguments.url:
            return StepOutcome("Skipped: no address was given.")
        if not arguments.must_pass:
            return StepOutcome(_report(arguments.url, context))
        patience = Patience(arguments.timeout)
        seen = watch(context, lambda: _look(arguments.url, context), patience)
        return StepOutcome(f"{seen.says}.")


def _look(url: str, context: StepContext) -> Look:
    status = context.probe.status(url, ONE_TRY)
    return Look(200 <= status <= 299, f"{url} answers {status}")


def _report(url: str, context: StepContext) -> str:
    try:
        return f"{_look(url, context).says}."
    except (TemporaryError, PermanentError) as error:
        return f"{url} does not answer: {error}"
