"""Which runbooks an alert suggests, with their parameters filled in from its labels.

Labels are hostile. So a label's value may only fill a parameter whose form leaves it no
room (a workload's name, a number; never free text, an address or an image), it is checked
as if a person had typed it, and it is one parameter's value as a whole: nothing in it is
read as another parameter. What does not fit is not suggested.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain.actor import Actor, by_policy
from bot.domain.alert import Alert
from bot.domain.errors import InvalidInput
from bot.domain.grouping import all_hold
from bot.domain.matcher import Matcher, Operator, Place
from bot.domain.parameter import FORMS, Parameter, ParameterType
from bot.domain.runbook import Risk, Runbook, bind
from bot.domain.web_link import WebLink, web_link

MOST = 3
"""Suggestions that one incident has at most: more buttons are no help at night."""

CONSIDERED = 20
"""Alerts of one delivery that are looked at; they are of one group, so they differ little."""

BY_URL = "runbook_url"
"""The annotation that links to a runbook, and what stands for a rule's id where it suggests
one. No rule can have this id: theirs have no underscore."""

RunbookOf = Callable[[str], Runbook]
"""The runbook of a reference; raises `InvalidInput` where there is none."""

_PLACEHOLDER = re.compile(r"\$\{labels\.([a-zA-Z_][a-zA-Z0-9_]{0,199})\}")

_ROOMY = frozenset({ParameterType.STRING, ParameterType.URL, ParameterType.IMAGE})
"""Types that take nearly everything: a step may put such a value into a query or an address."""

_OF_TYPE: Mapping[ParameterType, str] = {
    ParameterType.WORKLOAD: "${labels.namespace}/${labels.deployment}",
    ParameterType.SERVICE: "${labels.namespace}/${labels.service}",
    ParameterType.NAMESPACE: "${labels.namespace}",
}
"""The labels, as kube-state-metrics names them, that fill a parameter that nobody else does."""


@dataclass(frozen=True, slots=True)
class SuggestionRule:
    """Which alerts suggest a runbook; its parameters may hold ``${labels.NAME}``.

    `auto` says whether it is run by itself; None leaves that to the runbook's risk.
    """

    id: str
    matchers: tuple[Matcher, ...]
    runbook: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    auto: bool | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A runbook with its parameters, and the rule that suggests it."""

    rule: str
    runbook: str
    parameters: Mapping[str, str]
    auto: bool = False

    @property
    def title(self) -> str:
        """What a person reads: ``restart payments/checkout``."""
        return " ".join((self.runbook.partition("@")[0], *self.parameters.values()))

    @property
    def words(self) -> tuple[str, ...]:
        """The parameters as a person would type them."""
        return tuple(f"{name}={value}" for name, value in self.parameters.items())

    @property
    def key(self) -> str:
        """Tells it from an incident's others: of SHA-256 over all that it would run."""
        seed = "\n".join((self.runbook, *sorted(self.words)))
        return hashlib.sha256(seed.encode()).hexdigest()[:16]

    @property
    def actor(self) -> Actor:
        """Who asks for it where it runs by itself."""
        return by_policy("suggestion", self.rule)


def _about(alert_name: str) -> tuple[Matcher, ...]:
    return (Matcher(Place.LABEL, "alertname", Operator.EQUAL, alert_name),)


def default_suggestions() -> tuple[SuggestionRule, ...]:
    """Those of the shipped file."""
    workload = {"workload": _OF_TYPE[ParameterType.WORKLOAD]}
    return (
        SuggestionRule("crash-loop", _about("KubePodCrashLooping"), "restart", workload),
        SuggestionRule(
            "replicas-mismatch", _about("KubeDeploymentReplicasMismatch"), "restart", workload
        ),
        SuggestionRule("rollout-stuck", _about("KubeDeploymentRolloutStuck"), "rollback", workload),
        SuggestionRule(
            "rollout-failed", _about("KubeDeploymentGenerationMismatch"), "rollback", workload
        ),
    )


def suggestions(
    rules: Sequence[SuggestionRule], alerts: Sequence[Alert], runbook_of: RunbookOf
) -> tuple[Suggestion, ...]:
    """What these alerts suggest, each once; the rules' before those of their annotations."""
    found: dict[str, Suggestion] = {}
    for alert in alerts[:CONSIDERED]:
        for one in _suggested(rules, alert, runbook_of):
            found.setdefault(one.key, one)
    return tuple(found.values())


def runbook_link(alerts: Iterable[Alert]) -> WebLink | None:
    """The first address of a runbook that these alerts have, if it is fit to be shown."""
    links = (web_link(alert.annotations.get(BY_URL, "")) for alert in alerts)
    return next((link for link in links if link), None)


def _suggested(
    rules: Sequence[SuggestionRule], alert: Alert, runbook_of: RunbookOf
) -> Iterator[Suggestion]:
    matching = (one for one in rules if all_hold(one.matchers, alert.labels))
    for rule in (*matching, *_rule_of_link(alert, runbook_of)):
        try:
            yield _filled(rule, alert.labels, runbook_of(rule.runbook))
        except InvalidInput:
            continue  # `tocsin check` says what is wrong with a rule


def _rule_of_link(alert: Alert, runbook_of: RunbookOf) -> Iterator[SuggestionRule]:
    """The rule that an alert's link to a runbook stands for; it never runs by itself."""
    link = web_link(alert.annotations.get(BY_URL, ""))
    if link is None or re.fullmatch(r"[a-z][a-z0-9-]*", link.end) is None:
        return
    try:
        runbook = runbook_of(link.end)
    except InvalidInput:
        return
    wanted = (one for one in runbook.parameters if one.default is None)
    templates = {one.name: _OF_TYPE[one.type] for one in wanted if one.type in _OF_TYPE}
    yield SuggestionRule(BY_URL, (), link.end, templates, auto=False)


def _filled(rule: SuggestionRule, labels: Mapping[str, str], runbook: Runbook) -> Suggestion:
    """The suggestion; `InvalidInput` for labels that are missing or don't fit."""
    check_rule(rule, runbook)
    values = {name: _fill(template, labels) for name, template in rule.parameters.items()}
    auto = runbook.risk is Risk.NONE if rule.auto is None else rule.auto
    found = Suggestion(rule.id, runbook.reference, values, auto)
    bind(runbook, found.words)
    return found


def _fill(template: str, labels: Mapping[str, str]) -> str:
    missing = [name for name in _PLACEHOLDER.findall(template) if not labels.get(name)]
    if missing:
        raise InvalidInput(f"the alert has no label {missing[0]}")
    return _PLACEHOLDER.sub(lambda match: labels[match[1]], template)


def check_template(template: str) -> str:
    """The template itself; `InvalidInput` when what looks like a placeholder is none."""
    if "${" in _PLACEHOLDER.sub("", template):
        raise InvalidInput(f"“{template}”: a placeholder is written ${{labels.NAME}}.")
    return template


def check_rule(rule: SuggestionRule, runbook: Runbook) -> None:
    """Raises `InvalidInput` when the rule can fit no alert, because of its parameters."""
    known = {one.name: one for one in runbook.parameters}
    words = []
    for name, template in rule.parameters.items():
        filled = name in known and _PLACEHOLDER.search(template) is not None
        value = _example(known[name]) if filled else template
        words.append(f"{name}={value}")
    bind(runbook, words)


def _example(parameter: Parameter) -> str:
    """Some value of a parameter that a label may fill."""
    if parameter.type in _ROOMY:
        raise InvalidInput(
            f"{parameter.name} is {FORMS[parameter.type].words}; no label may fill that."
        )
    if parameter.values:
        return parameter.values[0]
    return parameter.minimum or parameter.maximum or FORMS[parameter.type].example
