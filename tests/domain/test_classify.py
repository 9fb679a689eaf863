from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.classify import DEFAULT_RULE, Policy, Rule, Severity, Signals, classify, wanted
from bot.domain.explain import Seen, explain
from bot.domain.facts import NO_CONTEXT, Comparison, Context, Fact, FactValue
from bot.domain.matcher import Matcher, Operator, Place
from bot.domain.text_model import TextModel, WordClasses
from bot.domain.text_vote import TextVote
from bot.domain.wording import Phrase, Vocabulary


def label(name: str, operator: Operator, value: str) -> Matcher:
    regex = operator in (Operator.MATCHES, Operator.NOT_MATCHES)
    return Matcher(Place.LABEL, name, operator, value, re.compile(value) if regex else None)


def text(value: str) -> Matcher:
    return Matcher(Place.TEXT, "", Operator.MATCHES, value, re.compile(value, re.IGNORECASE))


OUTAGE = Rule("outage", Severity.P0, "It is down.", (text("down"),))
CRITICAL = Rule(
    "critical", Severity.P1, "Critical.", (label("severity", Operator.EQUAL, "critical"),)
)
WARNING = Rule("warning", Severity.P2, "Warning.", (label("severity", Operator.EQUAL, "warning"),))
POLICY = Policy((OUTAGE, CRITICAL, WARNING), Severity.P1, "digest")


def test_the_first_rule_that_holds_decides() -> None:
    both = classify(POLICY, {"severity": "critical"}, {"summary": "checkout is DOWN"})
    assert (both.level, both.rule) == (Severity.P0, "outage")
    one = classify(POLICY, {"severity": "critical"}, {"summary": "checkout is slow"})
    assert (one.level, one.rule, one.reason) == (Severity.P1, "critical", "Critical.")
    assert one.policy_digest == "digest"


def test_what_no_rule_knows_gets_the_default() -> None:
    unknown = classify(POLICY, {"severity": "purple"}, {})
    assert (unknown.level, unknown.rule) == (Severity.P1, DEFAULT_RULE)
    assert "fails towards paging" in unknown.reason


def test_an_explanation_says_why_each_other_rule_lost() -> None:
    explanation = explain(POLICY, {"severity": "critical"}, {"summary": "slow"})
    assert [(passed.rule, passed.because) for passed in explanation.passed] == [
        ("outage", 'text=~"down" does not hold'),
        ("warning", 'severity="warning" does not hold'),
    ]


def test_a_rule_that_would_have_held_lost_to_the_one_before_it() -> None:
    explanation = explain(POLICY, {"severity": "critical"}, {"summary": "down"})
    assert [(passed.rule, passed.because) for passed in explanation.passed] == [
        ("critical", "rule outage comes first"),
        ("warning", 'severity="warning" does not hold'),
    ]


def test_every_rule_has_lost_where_the_default_decides() -> None:
    explanation = explain(POLICY, {}, {})
    assert explanation.classification.rule == DEFAULT_RULE
    assert [passed.rule for passed in explanation.passed] == ["outage", "critical", "warning"]


# --- signals --------------------------------------------------------------------------

NO_LEADER = Phrase(("no", "leader"))
SIGNALS = Signals(
    Vocabulary([("leaderless", NO_LEADER), ("backup", Phrase(("backup*",)))]),
    (("warned", label("severity", Operator.EQUAL, "warning")),),
)
LEADERLESS = Rule(
    "leaderless",
    Severity.P0,
    "Nobody leads.",
    when=frozenset({"leaderless"}),
    unless=frozenset({"backup"}),
)
WARNED = Rule("warned", Severity.P2, "Only warned.", when=frozenset({"warned"}))
SIGNALLED = Policy((LEADERLESS, WARNED), Severity.P1, "digest", SIGNALS)


@pytest.mark.parametrize(
    ("severity", "summary", "rule"),
    [
        ("critical", "the cluster has no leader", "leaderless"),
        ("warning", "the cluster has no leader", "leaderless"),
        ("warning", "no leader for the backups", "warned"),
        ("warning", "a leader", "warned"),
        ("critical", "no leader for the backups", DEFAULT_RULE),
    ],
)
def test_a_rule_asks_for_all_of_when_and_none_of_unless(
    severity: str, summary: str, rule: str
) -> None:
    assert classify(SIGNALLED, {"severity": severity}, {"summary": summary}).rule == rule


def test_a_rule_may_ask_for_signals_and_matchers() -> None:
    rule = Rule(
        "both", Severity.P0, "Both.", (label("tier", Operator.EQUAL, "1"),), frozenset({"warned"})
    )
    policy = Policy((rule,), Severity.P1, "digest", SIGNALS)
    assert classify(policy, {"severity": "warning", "tier": "1"}, {}).rule == "both"
    assert classify(policy, {"severity": "warning", "tier": "2"}, {}).rule == DEFAULT_RULE
    assert classify(policy, {"severity": "page", "tier": "1"}, {}).rule == DEFAULT_RULE


def test_an_explanation_says_what_was_seen_and_by_what() -> None:
    explanation = explain(
        SIGNALLED, {"severity": "warning"}, {"summary": "no leader for the backups"}
    )
    assert explanation.seen == (
        Seen("leaderless", "no leader"),
        Seen("backup", "backup*"),
        Seen("warned", 'severity="warning"'),
    )
    assert [(passed.rule, passed.because) for passed in explanation.passed] == [
        ("leaderless", "backup is seen (backup*)"),
    ]


def test_an_explanation_names_the_signal_that_is_missing() -> None:
    explanation = explain(SIGNALLED, {}, {"summary": "fine"})
    assert explanation.seen == ()
    assert [passed.because for passed in explanation.passed] == [
        "leaderless is not seen",
        "warned is not seen",
    ]


@given(
    st.dictionaries(st.sampled_from(["severity", "alertname", "x"]), st.text(max_size=20)),
    st.dictionaries(st.sampled_from(["summary", "description"]), st.text(max_size=20)),
)
def test_explaining_and_classifying_agree_and_account_for_every_rule(
    labels: dict[str, str], annotations: dict[str, str]
) -> None:
    explanation = explain(POLICY, labels, annotations)
    assert explanation.classification == classify(POLICY, labels, annotations)
    won = {explanation.classification.rule} - {DEFAULT_RULE}
    lost = {passed.rule for passed in explanation.passed}
    assert won | lost == {"outage", "critical", "warning"}
    assert not won & lost


def test_the_levels_are_ordered_and_say_what_they_mean() -> None:
    assert Severity.P0.worse_than(Severity.P1)
    assert not Severity.P2.worse_than(Severity.P2)
    assert [level for level in Severity if level.pages] == [Severity.P0, Severity.P1]
    assert [level.meaning for level in Severity] == ["Critical", "High", "Medium", "Low"]


# --- facts ----------------------------------------------------------------------------

NOW = datetime(2025, 3, 1, 3, 0, tzinfo=UTC)
READY, BURN, IDLE = (Fact(name, "x", f"{name}_query") for name in ("ready", "burn", "idle"))


def measured(fact: str, value: float | None) -> FactValue:
    return FactValue(fact, value, NOW, "measured")


def guessed(fact: str, value: float) -> FactValue:
    return FactValue(fact, value, NOW, "fallback", measured=False)


def context(*facts: FactValue, firing: int = 1) -> Context:
    return Context({one.fact: one for one in facts}, firing)


@dataclass(frozen=True)
class LabelGiven:
    """An `Expression`: whether a label is there."""

    text: str

    def holds(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], context: Context
    ) -> bool:
        return self.objection(labels, annotations, context) is None

    def objection(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], context: Context
    ) -> str | None:
        return None if self.text in labels else f"no {self.text}"


NOT_READY = Rule(
    "not-ready",
    Severity.P0,
    "Nothing is ready.",
    facts=(Comparison("ready", "<=", 0),),
    needs=frozenset({"ready"}),
)
MANY = Rule("many", Severity.P1, "Many.", facts=(Comparison("firing", ">=", 20),))
IDLING = Rule(
    "idling",
    Severity.P3,
    "Nobody uses it.",
    (label("severity", Operator.EQUAL, "warning"),),
    facts=(Comparison("idle", ">=", 1),),
    needs=frozenset({"idle"}),
)
WITH_FACTS = Policy(
    (NOT_READY, MANY, IDLING, WARNING, CRITICAL),
    Severity.P1,
    "digest",
    facts=(READY, BURN, IDLE),
)
ALERT = {"severity": "warning"}


def test_a_fact_decides_and_is_named() -> None:
    raised = classify(WITH_FACTS, ALERT, {}, context(measured("ready", 0), measured("idle", 0)))
    assert (raised.level, raised.rule) == (Severity.P0, "not-ready")
    assert raised.facts == (measured("ready", 0),)


def test_what_is_not_known_decides_nothing() -> None:
    for known in (NO_CONTEXT, context(measured("ready", None)), context(measured("ready", 1))):
        chosen = classify(WITH_FACTS, ALERT, {}, known)
        assert (chosen.rule, chosen.facts) == ("warning", ())


def test_the_size_of_the_group_decides() -> None:
    assert classify(WITH_FACTS, ALERT, {}, context(firing=19)).rule == "warning"
    assert classify(WITH_FACTS, ALERT, {}, context(firing=20)).rule == "many"


def test_a_fallback_may_raise() -> None:
    chosen = classify(WITH_FACTS, ALERT, {}, context(guessed("ready", 0)))
    assert (chosen.level, chosen.facts) == (Severity.P0, (guessed("ready", 0),))


def test_a_fallback_never_lowers() -> None:
    idle = classify(WITH_FACTS, ALERT, {}, context(measured("idle", 1)))
    assert (idle.level, idle.rule) == (Severity.P3, "idling")
    explanation = explain(WITH_FACTS, ALERT, {}, context(guessed("idle", 1)))
    assert explanation.classification.rule == "warning"
    because = {passed.rule: passed.because for passed in explanation.passed}
    assert because["idling"] == "it rests on a fallback, which must not lower the level from P2"


def test_an_explanation_tells_all_facts_that_were_looked_at() -> None:
    facts = (measured("ready", 0.5), measured("idle", None))
    explanation = explain(WITH_FACTS, ALERT, {}, context(*facts))
    assert explanation.facts == facts
    because = {passed.rule: passed.because for passed in explanation.passed}
    assert because["not-ready"] == "ready <= 0 does not hold: ready is 0.5 (measured)"
    assert because["idling"] == "idle >= 1 does not hold: idle is not known (measured)"
    assert because["many"] == "firing >= 20 does not hold: it is 1"


def test_an_expression_decides_after_the_rest() -> None:
    rule = replace(WARNING, id="given", level=Severity.P0, expression=LabelGiven("tier"))
    policy = Policy((rule, WARNING), Severity.P1, "digest")
    assert classify(policy, {"severity": "warning", "tier": ""}, {}).rule == "given"
    assert classify(policy, {"severity": "page", "tier": ""}, {}).rule == DEFAULT_RULE
    (passed,) = explain(policy, ALERT, {}).passed
    assert (passed.rule, passed.because) == ("given", "no tier")


@pytest.mark.parametrize(
    ("severity", "ids"),
    [("warning", ["ready", "idle"]), ("critical", ["ready"]), ("strange", ["ready"])],
)
def test_only_facts_that_can_still_decide_are_wanted(severity: str, ids: list[str]) -> None:
    assert [fact.id for fact in wanted(WITH_FACTS, {"severity": severity}, {})] == ids


def test_nothing_is_wanted_after_a_rule_that_applies_without_facts() -> None:
    policy = replace(WITH_FACTS, rules=(WARNING, *WITH_FACTS.rules))
    assert wanted(policy, ALERT, {}) == ()
    assert [fact.id for fact in wanted(policy, {}, {})] == ["ready"]
    assert wanted(POLICY, ALERT, {}) == ()


@pytest.mark.parametrize(
    ("voted", "firing", "level", "rule"),
    [
        (0, 1, "P0", "text-model"),
        (3, 1, "P3", "text-model"),
        (0, 20, "P0", "text-model"),
        (3, 20, "P1", "many"),
        (1, 20, "P1", "many"),
    ],
)
def test_words_raise_what_rests_on_facts_and_never_lower_it(
    voted: int, firing: int, level: str, rule: str
) -> None:
    weights: list[float] = [0, 0, 0, 0]
    weights[voted] = 9
    severities = {"warning": (weights[0], weights[1], weights[2], weights[3])}
    model = TextModel(severities, defaultdict(dict), WordClasses({}), "digest")
    policy = replace(WITH_FACTS, text_vote=TextVote(model, 2))
    chosen = classify(policy, ALERT, {}, context(firing=firing))
    assert (chosen.level, chosen.rule) == (level, rule)


_values = st.sampled_from([None, 0.0, 0.5, 1.0])
_contexts = st.builds(
    lambda ready, idle, sure, firing: Context(
        {
            "ready": FactValue("ready", ready, NOW, "x", measured=sure[0]),
            "idle": FactValue("idle", idle, NOW, "x", measured=sure[1]),
        },
        firing,
    ),
    _values,
    _values,
    st.tuples(st.booleans(), st.booleans()),
    st.integers(1, 30),
)


@given(st.permutations(WITH_FACTS.rules), st.sampled_from(["warning", "critical", "x"]), _contexts)
def test_guesses_lower_no_level_and_wanted_facts_are_enough(
    rules: list[Rule], severity: str, known: Context
) -> None:
    policy = replace(WITH_FACTS, rules=tuple(rules))
    labels = {"severity": severity}
    chosen = classify(policy, labels, {}, known)
    sure = classify(policy, labels, {}, known.without_fallbacks())
    assert not sure.level.worse_than(chosen.level)
    assert explain(policy, labels, {}, known).classification == chosen
    ids = {fact.id for fact in wanted(policy, labels, {})}
    asked = {name: fact for name, fact in known.facts.items() if name in ids}
    assert classify(policy, labels, {}, replace(known, facts=asked)) == chosen
