from __future__ import annotations

import pytest

from bot.adapters.phrases import MOST_ALTERNATIVES, parse_phrases
from bot.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("down", ["down"]),
        ("  no   leader ", ["no leader"]),
        ("no leader/master", ["no leader", "no master"]),
        ("lost/no .. quorum*", ["lost .. quorum*", "no .. quorum*"]),
        ("a/b c/d", ["a c", "a d", "b c", "b d"]),
        ("less than 2.5%", ["less than 2.5%"]),
    ],
)
def test_a_phrase_is_read_with_its_alternatives(text: str, phrases: list[str]) -> None:
    assert [str(phrase) for phrase in parse_phrases(text)] == phrases


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "words come before and after each .."),
        (".. down", "words come before and after each .."),
        ("all ..", "words come before and after each .."),
        ("all .. .. down", "words come before and after each .."),
        ("Down", "“Down” is not a word in lower case"),
        ("a//b", "“” is not a word in lower case"),
        ("a/.. b", "“..” is not a word in lower case"),
        ("no* leader", "its * comes before 3 letters"),
        ("so-called", "“so-called” is not a word in lower case"),
        ("do*wn", "“do*wn” is not a word in lower case"),
        ("a/b/c/d/e/f a/b/c/d/e/f a/b/c", f"more than {MOST_ALTERNATIVES} phrases"),
    ],
)
def test_what_is_no_phrase_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_phrases(text)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"“{text}”")
