from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.wording import WIDEST_GAP, Phrase, Vocabulary, prose, words_of


def said(phrase: str, text: str) -> bool:
    """Whether the phrase, written with spaces, is found in the text."""
    return "it" in Vocabulary([("it", Phrase(tuple(phrase.split())))]).said(text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("no leader", "The cluster has NO leader."),
        ("no leader", "no-leader"),
        ("compact*", "Compaction failed"),
        ("compact*", "compact"),
        ("fail* backup*", "failing backups"),
        ("all .. down", "all down"),
        ("all .. down", "all of them are down"),
        ("all .. fail*", "all probes of web failed"),
        ("5xx", "many 5xx answers"),
        ("99.9", "p99.9 or 99.9"),
        ("less than 3%", "less than 3% left"),
        ("is not", "it isn't"),
        ("cannot write", "can't write"),
    ],
)
def test_a_phrase_is_found(phrase: str, text: str) -> None:
    assert said(phrase, text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("down", "downtime"),
        ("no leader", "no new leader"),
        ("no leader", "there is no. Leader election follows"),
        ("no leader", "no\nleader"),
        ("all .. down", "all of them that are down"),
        ("all .. down", "all is well. It went down"),
        ("all .. down", "all"),
        ("3%", "13%"),
        ("3%", "3"),
        ("down", "{{ $labels.down }} is up"),
    ],
)
def test_something_else_is_not_found(phrase: str, text: str) -> None:
    assert not said(phrase, text)


def test_a_gap_is_tried_to_its_end() -> None:
    """The first place that fits the next word need not be the right one."""
    assert said("all .. are down", "all are are down")
    assert said("no .. is up", "no is is up")


def test_several_signals_are_found_and_each_by_its_first_phrase() -> None:
    vocabulary = Vocabulary(
        [
            ("leaderless", Phrase(("no", "leader"))),
            ("leaderless", Phrase(("leader*",))),
            ("members", Phrase(("leader*",))),
            ("alone", Phrase(("alone",))),
        ]
    )
    found = vocabulary.said("no leaders, no leader")
    assert {signal: str(phrase) for signal, phrase in found.items()} == {
        "leaderless": "leader*",
        "members": "leader*",
    }


def test_nothing_is_found_without_phrases_or_text() -> None:
    assert Vocabulary().said("no leader") == {}
    assert Vocabulary([("it", Phrase(("down",)))]).said("") == {}


def test_names_and_texts_are_read_as_prose() -> None:
    labels = {"alertname": "HTTPErrorsTooHigh5xx"}
    annotations = {"summary": "Errors!", "description": "Many.", "runbook_url": "http://down"}
    words = words_of(prose(labels, annotations))
    assert words == ["http", "errors", "too", "high5xx", "\n", "errors", "!", "\n", "many", "."]


def test_the_name_of_a_thing_says_nothing() -> None:
    labels = {"alertname": "Errors", "service": "data-loss-api", "state": "down"}
    text = prose(labels, {"summary": "data-loss-api is down"})
    assert Vocabulary([("lost", Phrase(("data", "loss")))]).said(text) == {}
    assert Vocabulary([("down", Phrase(("down",)))]).said(text)


WORDS = st.lists(st.sampled_from(["a", "b", "cat", "cats", "."]), max_size=8)


@given(WORDS)
def test_a_gap_stands_for_any_few_words_of_the_sentence(words: list[str]) -> None:
    held = any(
        words[start] == "a" and words[end] == "b" and "." not in words[start:end]
        for start in range(len(words))
        for end in range(start + 1, min(start + WIDEST_GAP + 2, len(words)))
    )
    assert said("a .. b", " ".join(words)) is held


@given(WORDS)
def test_a_stem_stands_for_any_ending(words: list[str]) -> None:
    held = any(first.startswith("cat") and second == "a" for first, second in pairwise(words))
    assert said("cat* a", " ".join(words)) is held
