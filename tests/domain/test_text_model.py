from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.text_model import TextModel, Weights, WordClasses, classes_under, tokens_of
from bot.domain.text_vote import TextVote
from bot.domain.wording import words_of

CLASSES = WordClasses({"down": "down offline unreach*", "late": "lag late"})
NOTHING: Weights = (0.0, 0.0, 0.0, 0.0)


def model(**weights: dict[str, Weights]) -> TextModel:
    """A model that knows critical alerts, with these weights."""
    kinds: dict[str, dict[str, Weights]] = {"title": {}, "word": {}, "expression": {}}
    kinds[classes_under("critical")] = {}
    return TextModel({"critical": NOTHING}, kinds | weights, CLASSES, "digest")


def test_a_word_belongs_to_classes_by_itself_or_by_its_stem() -> None:
    assert CLASSES.of(["unreachable", "lag", "else"]) == {"down", "late"}
    assert CLASSES.of(["unreal"]) == set()


def test_the_name_counts_by_itself() -> None:
    tokens = tokens_of(words_of("Ledger down\nit is late"), "Critical", "up == 0", CLASSES)
    assert tokens is not None
    assert tokens.severity == "critical"
    assert tokens.kinds["title"] == {"down"}
    assert tokens.kinds[classes_under("critical")] == {"down", "late"}


@pytest.mark.parametrize(
    ("expression", "tokens"),
    [
        ("up == 0", {"up", "==0"}),
        ("a_b > 0.9", {"a", "b", ">0.#"}),
        ("x >= 100", {"x", ">=###"}),
        ("x < 5.5", {"x", "<#"}),
        ("", set()),
    ],
)
def test_an_expression_is_its_words_and_the_size_of_its_numbers(
    expression: str, tokens: set[str]
) -> None:
    found = tokens_of([], "critical", expression, CLASSES)
    assert found is not None
    assert found.kinds["expression"] == tokens


def test_of_an_unknown_severity_it_says_nothing() -> None:
    assert model().opinion("down", "mauve", "") is None
    assert model().opinion("down", "warning", "") is None
    assert model().opinion("down", "", "") is None


def test_its_opinion_names_the_words_that_weighed_most() -> None:
    speaks = model(word={"late": (0.0, 0.0, 2.0, 0.0), "queue": (0.0, 0.0, 3.0, 0.0)})
    opinion = speaks.opinion("late queue else", "critical", "")
    assert opinion is not None
    assert opinion.best == 2
    assert sum(opinion.probabilities) == pytest.approx(1)
    assert speaks.spoke_for(opinion, 2, 1, 5) == ["queue", "late"]
    assert TextVote(speaks, 2).said(opinion, 1) == "P2 with 98 %, for: queue, late"


def test_it_outvotes_a_rule_only_where_it_is_surer_than_its_weight_asks() -> None:
    speaks = model(word={"late": (0.0, 0.0, 3.0, 0.0)})
    opinion = speaks.opinion("late", "critical", "")
    assert opinion is not None
    assert TextVote(speaks, 2).outvotes(opinion, 1) == 2
    assert TextVote(speaks, 2).outvotes(opinion, 2) is None
    assert TextVote(speaks, 1).outvotes(opinion, 1) is None
    assert TextVote(speaks, 0).outvotes(opinion, 1) is None


@given(st.tuples(*[st.floats(-50, 50)] * 4), st.floats(0, 10))
def test_an_outage_always_pages(weights: Weights, weight: float) -> None:
    speaks = model(word={"late": weights})
    opinion = speaks.opinion("late", "critical", "")
    assert opinion is not None
    assert TextVote(speaks, weight).outvotes(opinion, 0) in (None, 0, 1)


@given(st.text(), st.text())
def test_garbage_raises_nothing(text: str, expression: str) -> None:
    opinion = model().opinion(text, "critical", expression)
    assert opinion is not None
    assert opinion.probabilities == (0.25, 0.25, 0.25, 0.25)
