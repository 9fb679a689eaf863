"""What a run that only looked has found, for one message that is read on a telephone.

A step's finding may be one line or a page. Nothing is left out altogether: the longest
findings are cut shorter, until all of them fit.
"""

from __future__ import annotations

from bot.domain.run import Run
from bot.domain.run_events import RunState
from bot.domain.runbook import Risk

TOTAL = 2_500
"""Characters of all findings: what Slack shows in one block is 3,000, escaped."""

LOOKED = "It only looked and changed nothing. This is what it found:"

LONGEST = (1_500, 1_000, 600, 400, 200, 100)
"""The longest finding; tried in turn, until all together fit."""


def are_the_point(run: Run) -> bool:
    """Whether what was found is all that came of the run, so that it is shown whole."""
    return run.state.final and run.runbook.risk is Risk.NONE


def report(run: Run) -> str:
    """What came of the run. That it found nothing wrong would be too much said."""
    succeeded = run.state is RunState.SUCCEEDED
    return f"{LOOKED if succeeded else run.result}\n{_findings(run)}".rstrip()


def _findings(run: Run) -> str:
    """Each step's title, and below it what it found."""
    found = [(run.runbook.step(it.id).title, it.outcome.summary) for it in run.steps if it.outcome]
    for most in LONGEST:
        text = "\n".join(f"▪ {title}\n{_cut(summary, most)}" for title, summary in found)
        if len(text) <= TOTAL:
            break
    return text


def _cut(text: str, most: int) -> str:
    """The text, cut at the end of a line if it has several, and if it is too long."""
    if len(text) <= most:
        return text
    lines = text[: most - 1].rpartition("\n")[0]
    return f"{lines}\n…" if lines else f"{text[: most - 1]}…"
