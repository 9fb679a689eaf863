"""`prometheus.check`: does what Prometheus measures say that it is good?"""

from __future__ import annotations

from bot.domain.plan import Limit, StepOutcome, StepPlan
from bot.ports import Metrics, StepContext
from bot.steps.arguments import Arguments, Duration
from bot.steps.base import ReadOnlyStep
from bot.steps.polling import Look, Patience, watch

ONE_TRY = 5.0
"""Seconds that one query may take; a dashboard's query that needs longer is too much."""

NOT_SET = "a query was given, but PROMETHEUS_URL is not set; set it, or leave the query out"


class PrometheusCheckArguments(Arguments):
    """A PromQL comparison, as in an alerting rule: it holds while it returns any sample."""

    query: str
    timeout: Duration = "120s"
    soak: Duration = "0s"


class PrometheusCheck(ReadOnlyStep[PrometheusCheckArguments]):
    """Expects the query to return a sample, and to go on so; without one nothing is checked."""

    name = "prometheus.check"
    arguments = PrometheusCheckArguments

    def intent(self, arguments: PrometheusCheckArguments) -> str:
        if not arguments.query:
            return "No query was given, so no metric is checked."
        return f"Check that {arguments.query} holds within {arguments.timeout}."

    def limit(self, arguments: PrometheusCheckArguments) -> Limit:
        waits = Patience(arguments.timeout, arguments.soak)
        return waits.limit if arguments.query else Limit()

    def prepare(self, arguments: PrometheusCheckArguments, context: StepContext) -> StepPlan:
        unset = bool(arguments.query) and context.metrics is None
        return StepPlan(self.intent(arguments), problems=(NOT_SET,) if unset else ())

    def execute(self, arguments: PrometheusCheckArguments, context: StepContext) -> StepOutcome:
        metrics = context.metrics
        if not arguments.query or metrics is None:
            return StepOutcome("Skipped: no query was given.")
        patience = Patience(arguments.timeout, arguments.soak)
        seen = watch(context, lambda: _look(arguments.query, metrics), patience)
        return StepOutcome(f"{seen.says}.")


def _look(query: str, metrics: Metrics) -> Look:
    samples = metrics.query(query, ONE_TRY)
    if not samples:
        return Look(False, f"{query} does not hold")
    values = ", ".join(f"{value:g}" for _, value in samples[:3])
    return Look(True, f"{query} holds ({values})")
