"""`prometheus.snapshot`: a picture of how something went, for the timeline."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.excerpt import counted
from bot.domain.graph import Graph, Picture, Span
from bot.domain.parameter import seconds
from bot.domain.plan import Attachment, StepOutcome, StepPlan
from bot.ports import StepContext
from bot.steps.arguments import Arguments, Duration
from bot.steps.base import ReadOnlyStep

ONE_TRY = 10.0
"""Seconds that the query may take."""

POINTS = 240
"""Values a line: more than a picture of this size can show side by side are of no use."""

FINEST = 1.0
"""Seconds between two values at least; what is recorded is seldom finer."""

NOT_SET = "PROMETHEUS_URL is not set, so there is nothing to draw a graph of"
NOT_GIVEN = "no query was given"


class PrometheusSnapshotArguments(Arguments):
    """The PromQL expression (empty: no graph), how far to look back, what the graph is called.

    `unit` is what the values are counted in, such as ``requests/s``.
    """

    query: str = Field(max_length=4_000)
    window: Duration = "1h"
    title: str = Field(default="", max_length=200)
    unit: str = Field(default="", max_length=50)


class PrometheusSnapshot(ReadOnlyStep[PrometheusSnapshotArguments]):
    """Puts the graph of a query on the timeline; what can't be drawn fails no run."""

    name = "prometheus.snapshot"
    arguments = PrometheusSnapshotArguments

    def intent(self, arguments: PrometheusSnapshotArguments) -> str:
        return f"Put a graph of {_title(arguments)} over the last {arguments.window} on record."

    def prepare(self, arguments: PrometheusSnapshotArguments, context: StepContext) -> StepPlan:
        lacking = _lacking(arguments, context)
        return StepPlan(f"No graph: {lacking}." if lacking else self.intent(arguments))

    def execute(self, arguments: PrometheusSnapshotArguments, context: StepContext) -> StepOutcome:
        lacking = _lacking(arguments, context)
        if lacking or context.graphs is None:
            return StepOutcome(f"No graph: {lacking}.")
        graph = Graph(_title(arguments), arguments.unit, arguments.query, _span(arguments, context))
        try:
            picture = context.graphs.draw(graph, ONE_TRY)
        except (TemporaryError, PermanentError) as error:
            return StepOutcome(f"No graph of {_title(arguments)}: {error}")
        attachment = Attachment(f"{context.marker.step}.png", "image/png", picture.png)
        return StepOutcome(_said(arguments, picture), attachments=(attachment,))


def _lacking(arguments: PrometheusSnapshotArguments, context: StepContext) -> str:
    """Why there can be no graph; empty if there can."""
    if not arguments.query:
        return NOT_GIVEN
    return NOT_SET if context.graphs is None else ""


def _span(arguments: PrometheusSnapshotArguments, context: StepContext) -> Span:
    end = context.clock.now()
    length = max(seconds(arguments.window), FINEST)
    return Span(end - timedelta(seconds=length), end, max(length / POINTS, FINEST))


def _title(arguments: PrometheusSnapshotArguments) -> str:
    return arguments.title or arguments.query


def _said(arguments: PrometheusSnapshotArguments, picture: Picture) -> str:
    lines = counted(picture.lines, "line") if picture.lines else "no data"
    return f"Graph of {_title(arguments)} over the last {arguments.window}: {lines}."
