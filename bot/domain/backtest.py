"""What a severity policy says about recorded alerts, beside people and another policy.

Before a policy is rolled out, this answers three questions: does it agree with people
who judged the same alerts, how many alerts change their level, and how many pages are
thereby added or removed. Facts are not known here: nobody recorded what Prometheus
would have said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.classify import Classification, Policy, Severity, classify
from bot.domain.facts import Context

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RecordedAlert:
    """An alert as it was; `expected` is the level that people gave it, if they did.

    `also_defensible` are levels that they would not call wrong. `expression` is its
    PromQL, or empty.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    expected: Severity | None = None
    also_defensible: frozenset[Severity] = frozenset()
    expression: str = ""
    at: datetime | None = None
    incident_id: int | None = None

    @property
    def name(self) -> str:
        """The label `alertname`, or words that say that there is none."""
        return self.labels.get("alertname") or "unnamed alert"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An alert that came in `at` a time, and the level that it or its incident got then.

    `incident_id` is None when the alert never belonged to an incident.
    """

    at: datetime
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    level: Severity | None
    incident_id: int | None
    expression: str = ""

    @property
    def recorded(self) -> RecordedAlert:
        """The alert, without its level."""
        return RecordedAlert(
            self.labels,
            self.annotations,
            expression=self.expression,
            at=self.at,
            incident_id=self.incident_id,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says about an alert, and the level before, if there is one to compare with.

    `before_by` says who gave that level.
    """

    alert: RecordedAlert
    now: Classification
    before: Severity | None = None
    before_by: str = ""

    @property
    def changed(self) -> bool:
        """Whether the level is another than before."""
        return self.before is not None and self.before is not self.now.level


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


@dataclass(frozen=True, slots=True)
class Pages:
    """How many pages are added and removed, over so many weeks if that is known.

    An incident pages once, at its worst alert; an alert without an incident for itself.
    """

    added: int
    removed: int
    weeks: float | None


def backtest(
    policy: Policy, alerts: Iterable[RecordedAlert], against: Policy | None = None
) -> list[Verdict]:
    """A verdict for each alert, in the same order, compared with another policy's if given."""
    return [_verdict(policy, alert, against) for alert in alerts]


def _verdict(policy: Policy, alert: RecordedAlert, against: Policy | None) -> Verdict:
    now = _judged(policy, alert)
    if against is None:
        return Verdict(alert, now)
    before = _judged(against, alert)
    return Verdict(alert, now, before.level, f"rule {before.rule}")


def backtest_stored(policy: Policy, occurrences: Iterable[Occurrence]) -> list[Verdict]:
    """A verdict for each, in the same order, compared with the level of that time."""
    return [
        Verdict(one.recorded, _judged(policy, one.recorded), one.level, "what decided then")
        for one in occurrences
    ]


def _judged(policy: Policy, alert: RecordedAlert) -> Classification:
    context = Context(expression=alert.expression)
    return classify(policy, alert.labels, alert.annotations, context)


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


def changes(verdicts: Iterable[Verdict]) -> Counter[tuple[Severity, Severity]]:
    """How many alerts had the first level before and the policy gives the second."""
    return Counter((one.before, one.now.level) for one in verdicts if one.before)


def pages(verdicts: Sequence[Verdict]) -> Pages:
    """How the pages change. Alerts that have no level before are left out."""
    compared = [one for one in verdicts if one.before]
    now = _paged((one.alert, one.now.level) for one in compared)
    before = _paged((one.alert, one.before) for one in compared)
    return Pages(len(now - before), len(before - now), _weeks(compared))


def _paged(levels: Iterable[tuple[RecordedAlert, Severity | None]]) -> set[int | str]:
    """The incidents that page, and the alerts without one that do, by their place."""
    return {
        f"alert {place}" if alert.incident_id is None else alert.incident_id
        for place, (alert, level) in enumerate(levels)
        if level and level.pages
    }


def _weeks(verdicts: Iterable[Verdict]) -> float | None:
    """From the first alert to the last, a week at least; None when not all have a time."""
    times = [one.alert.at for one in verdicts]
    known = [at for at in times if at]
    if not known or len(known) < len(times):
        return None
    return max((max(known) - min(known)) / WEEK, 1.0)


def report(verdicts: Sequence[Verdict]) -> list[str]:
    """The back-test in lines for people."""
    lines = _levels(verdicts)
    if any(one.alert.expected for one in verdicts):
        table = _table("expected", confusion(verdicts))
        lines += ["", *table, "", *_agreement_lines(agreement(verdicts))]
    if any(one.before for one in verdicts):
        lines += ["", *_table("before", changes(verdicts)), "", *_change_lines(verdicts)]
    return lines


def _levels(verdicts: Sequence[Verdict]) -> list[str]:
    counts = Counter(one.now.level for one in verdicts)
    said = ", ".join(f"{counts[level]} {level}" for level in Severity)
    return [f"{len(verdicts)} alerts: {said}"]


def _table(rows: str, counts: Mapping[tuple[Severity, Severity], int]) -> list[str]:
    head = f"{rows} \\ got"
    lines = (
        f"{row:>{len(head)}}" + "".join(f"{counts.get((row, got), 0):>6}" for got in Severity)
        for row in Severity
    )
    return [head + "".join(f"{level:>6}" for level in Severity), *lines]


def _agreement_lines(found: Agreement) -> list[str]:
    parts = (
        ("the same level", found.strict),
        ("the same or a defensible level", found.defensible),
        ("the same page or ticket", found.page_or_ticket),
    )
    lines = [f"{what}: {of} of {found.total} ({of / found.total:.1%})" for what, of in parts]
    return [*lines, f"expected P0 and not paged: {found.missed_outages}"]


def _change_lines(verdicts: Sequence[Verdict]) -> list[str]:
    changed = [
        f"{one.alert.name}: {one.before} by {one.before_by}"
        f" → {one.now.level} by rule {one.now.rule}"
        for one in verdicts
        if one.changed
    ]
    return [f"{len(changed)} levels change", *changed, "", _pages_line(verdicts)]


def _pages_line(verdicts: Sequence[Verdict]) -> str:
    found = pages(verdicts)
    if found.weeks is None:
        return f"pages: of these {len(verdicts)} alerts, +{found.added} -{found.removed}"
    added, removed = found.added / found.weeks, found.removed / found.weeks
    return (
        f"pages per week: +{added:.1f} -{removed:.1f}"
        f" ({found.added} more and {found.removed} fewer in {found.weeks:.1f} weeks)"
    )
