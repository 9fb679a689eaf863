"""What a severity policy says about recorded alerts, beside people and another policy.

Before a policy is rolled out, this answers three questions: does it agree with people
who judged the same alerts, how many alerts change their level, and how many pages are
thereby added or removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.classify import Classification, Policy, Severity, classify


@dataclass(frozen=True, slots=True)
class RecordedAlert:
    """An alert as it was; `expected` is the level that people gave it, if they did.

    `also_defensible` are levels that they would not call wrong.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    expected: Severity | None = None
    also_defensible: frozenset[Severity] = frozenset()

    @property
    def name(self) -> str:
        """The label `alertname`, or words that say that there is none."""
        return self.labels.get("alertname") or "unnamed alert"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says about an alert, and what the other policy did, if there is one."""

    alert: RecordedAlert
    now: Classification
    before: Classification | None = None

    @property
    def changed(self) -> bool:
        """Whether the two policies give different levels."""
        return self.before is not None and self.before.level is not self.now.level


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often the policy agrees with people: counts of alerts, `total` of which they judged.

    `page_or_ticket` counts where both would page or neither would; `missed_outages` where
    people said P0 and the policy would not page at all.
    """

    total: int
    strict: int
    defensible: int
    page_or_ticket: int
    missed_outages: int


def backtest(
    policy: Policy, alerts: Iterable[RecordedAlert], against: Policy | None = None
) -> list[Verdict]:
    """A verdict for each alert, in the same order."""
    return [
        Verdict(
            alert,
            classify(policy, alert.labels, alert.annotations),
            classify(against, alert.labels, alert.annotations) if against else None,
        )
        for alert in alerts
    ]


def agreement(verdicts: Sequence[Verdict]) -> Agreement:
    """How the verdicts compare with people's, over the alerts that people judged."""
    pairs = [
        (one.alert.expected, one.now.level, one.alert.also_defensible)
        for one in verdicts
        if one.alert.expected
    ]
    return Agreement(
        total=len(pairs),
        strict=sum(expected is got for expected, got, _ in pairs),
        defensible=sum(got in {expected, *others} for expected, got, others in pairs),
        page_or_ticket=sum(expected.pages is got.pages for expected, got, _ in pairs),
        missed_outages=sum(expected is Severity.P0 and not got.pages for expected, got, _ in pairs),
    )


def confusion(verdicts: Iterable[Verdict]) -> Counter[tuple[Severity, Severity]]:
    """How many alerts people gave the first level and the policy the second."""
    return Counter((one.alert.expected, one.now.level) for one in verdicts if one.alert.expected)


def pages_added(verdicts: Iterable[Verdict]) -> tuple[int, int]:
    """How many alerts page only under this policy, and only under the other one."""
    pairs = [(one.before.level.pages, one.now.level.pages) for one in verdicts if one.before]
    return pairs.count((False, True)), pairs.count((True, False))


def report(verdicts: Sequence[Verdict]) -> list[str]:
    """The back-test in lines for people."""
    lines = _levels(verdicts)
    if any(one.alert.expected for one in verdicts):
        lines += ["", *_table(confusion(verdicts)), "", *_agreement_lines(agreement(verdicts))]
    if any(one.before for one in verdicts):
        lines += ["", *_change_lines(verdicts)]
    return lines


def _levels(verdicts: Sequence[Verdict]) -> list[str]:
    counts = Counter(one.now.level for one in verdicts)
    said = ", ".join(f"{counts[level]} {level}" for level in Severity)
    return [f"{len(verdicts)} alerts: {said}"]


def _table(counts: Mapping[tuple[Severity, Severity], int]) -> list[str]:
    head = "expected \\ got" + "".join(f"{level:>6}" for level in Severity)
    rows = (
        f"{expected:>14}" + "".join(f"{counts.get((expected, got), 0):>6}" for got in Severity)
        for expected in Severity
    )
    return [head, *rows]


def _agreement_lines(found: Agreement) -> list[str]:
    parts = (
        ("the same level", found.strict),
        ("the same or a defensible level", found.defensible),
        ("the same page or ticket", found.page_or_ticket),
    )
    lines = [f"{what}: {of} of {found.total} ({of / found.total:.1%})" for what, of in parts]
    return [*lines, f"expected P0 and not paged: {found.missed_outages}"]


def _change_lines(verdicts: Sequence[Verdict]) -> list[str]:
    changes = [
        f"{one.alert.name}: {one.before.level} by {one.before.rule}"
        f" → {one.now.level} by {one.now.rule}"
        for one in verdicts
        if one.before and one.changed
    ]
    added, removed = pages_added(verdicts)
    return [f"{len(changes)} levels change, {added} pages more, {removed} fewer", *changes]
