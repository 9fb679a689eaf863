"""What was judged once is judged the same again, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.classify import Policy, Rule, Severity, Signals, classify, decided
from bot.domain.facts import NO_CONTEXT, Comparison, Context, FactValue
from bot.domain.matcher_text import parse_matcher
from bot.domain.memory import Memory
from bot.domain.wording import LONGEST_REMEMBERED, REMEMBERED, Phrase, Vocabulary

POLICY = Policy(
    (
        Rule("down", Severity.P0, "Down.", when=frozenset({"down"})),
        Rule("many", Severity.P1, "Many.", facts=(Comparison("firing", ">=", 3),)),
        Rule("shop", Severity.P2, "Shop.", (parse_matcher("service=shop"),)),
        Rule("up", Severity.P3, "Up.", (parse_matcher('expression=~"up"'),)),
    ),
    Severity.P1,
    "digest",
    Signals(Vocabulary([("down", Phrase(("down",)))])),
)
values = st.sampled_from(["shop", "pay", "down", "slow", ""])
alerts = st.fixed_dictionaries({"service": values, "pod": values})
texts = st.fixed_dictionaries({"summary": values})
contexts = st.builds(
    Context, firing=st.integers(1, 4), expression=st.sampled_from(["", "up == 0", "rate(x)"])
)


@given(st.lists(st.tuples(alerts, texts, contexts), max_size=30))
def test_what_is_remembered_is_what_would_be_decided(
    judged: list[tuple[dict[str, str], dict[str, str], Context]],
) -> None:
    for labels, said, context in judged:
        fresh = decided(POLICY, POLICY.case(labels, said, context))
        assert classify(POLICY, labels, said, context) == fresh


def test_what_is_not_looked_at_makes_no_difference() -> None:
    memory: Memory[int] = Memory(["service"], works=True)
    one = memory.key("slow", {"service": "shop", "pod": "a"}, NO_CONTEXT)
    assert one == memory.key("slow", {"service": "shop", "pod": "b"}, NO_CONTEXT)
    assert one != memory.key("slow", {"service": "pay", "pod": "a"}, NO_CONTEXT)
    assert one != memory.key("down", {"service": "shop"}, NO_CONTEXT)
    assert one != memory.key("slow", {"service": "shop"}, replace(NO_CONTEXT, flaps=1))


def test_facts_long_saidand_policies_that_look_at_more_are_not_remembered() -> None:
    memory: Memory[int] = Memory([], works=True)
    fact = FactValue("ready", 1.0, datetime(2026, 1, 1, tzinfo=UTC), "measured")
    assert memory.key("slow", {}, Context(facts={"ready": fact})) is None
    assert memory.key("x" * (LONGEST_REMEMBERED + 1), {}, NO_CONTEXT) is None
    assert Memory([], works=False).key("slow", {}, NO_CONTEXT) is None


def test_it_stays_small() -> None:
    memory: Memory[int] = Memory([], works=True)
    for number in range(REMEMBERED + 1):
        memory.keep((number,), number)
    assert memory.get((REMEMBERED,)) == REMEMBERED
    assert memory.get((0,)) is None
