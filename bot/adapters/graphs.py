"""The `Graphs`: what Prometheus recorded, drawn by matplotlib, which is only loaded to draw.

It draws on figures of its own: pyplot's are shared by the whole process, and runs draw in
threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from bot.adapters.prometheus import PrometheusMetrics
from bot.domain.graph import Graph, Picture, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (6.4, 4.0)
"""Inches; at `DPI` that is 960 by 600 pixels, which a phone shows whole and sharp."""

DPI = 150

SHOWN = 8
"""Lines that are drawn: more can't be told apart. The last line of the legend counts the rest."""

_LABEL = 44
"""Characters of a line's name; the legend must leave room for the lines."""

_TITLE = 80


class PrometheusGraphs:
    """Draws light, small pictures with titles, units and times in UTC."""

    def __init__(self, metrics: PrometheusMetrics) -> None:
        self._metrics = metrics

    def draw(self, graph: Graph, timeout: float) -> Picture:
        series = self._metrics.history(graph.expression, graph.span, timeout)
        return Picture(png(graph, series), len(series))


def png(graph: Graph, lines: Sequence[Series]) -> bytes:
    """The picture of the graph with these lines."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as NewFigure

    figure = NewFigure(figsize=SIZE, dpi=DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw(graph, lines, axes)
    _name_lines(lines, figure, axes)
    picture = BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw(graph: Graph, lines: Sequence[Series], axes: Axes) -> None:
    for series in lines[:SHOWN]:
        times: list[Any] = [at for at, _ in series.points]
        values = [value if math.isfinite(value) else math.nan for _, value in series.points]
        # A single value makes no line, so every value is marked where there are few.
        axes.plot(times, values, linewidth=1.6, marker="." if len(times) < 3 else "")
    axes.set_title(_plain(graph.title, _TITLE), fontsize=12, loc="left", wrap=True)
    if graph.unit:
        axes.set_ylabel(_plain(graph.unit, _LABEL))
    axes.set_xlabel("UTC")
    axes.set_xlim(graph.span.start, graph.span.end)  # type: ignore[arg-type]
    axes.grid(visible=True, color="0.9")
    axes.margins(y=0.1)
    _tell_times(axes)


def _tell_times(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)


def _name_lines(lines: Sequence[Series], figure: Figure, axes: Axes) -> None:
    """A legend below the axes, where it hides no line."""
    if not lines:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color="0.4")
        return
    shared = set.intersection(*(set(one.labels.items()) for one in lines))
    names = [_plain(_name(one, shared), _LABEL) for one in lines[:SHOWN]]
    if len(lines) > SHOWN:
        axes.plot([], [], alpha=0)
        names.append(f"and {len(lines) - SHOWN} more")
    if len(names) > 1:
        figure.legend(axes.lines, names, fontsize=8, ncols=2, loc="outside lower left")


def _name(series: Series, shared: set[tuple[str, str]]) -> str:
    """The labels that tell it from the others."""
    own = (
        f"{name}={value}" for name, value in series.labels.items() if (name, value) not in shared
    )
    return ", ".join(own) or "-"


def _plain(text: str, limit: int) -> str:
    """One line without what matplotlib would read as mathematics, or a font has no sign for."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    short = line if len(line) <= limit else f"{line[: limit - 1]}…"
    return short.replace("\\", "\\\\").replace("$", r"\$")
