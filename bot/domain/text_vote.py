"""How the text model votes beside the rules of a severity policy.

The rule that applies has one vote, for its level. The model has `weight` votes, which it
shares among the levels by their probabilities. The level with most votes wins; where two
have the same, it is the rule's. So with a weight of 2 the model has its way where it
finds another level likelier by more than a half, and with 1 or less it never has.
A page for an outage is never lost to it: from P0 it lowers to P1 at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bot.domain.text_model import Opinion, TextModel
from bot.domain.wording import REMEMBERED

_OUTAGE, _STILL_PAGES = 0, 1
"""The numbers of P0, and of the least severe level that pages."""

_WORDS_SAID = 4
"""Words that are named for a vote; the others weigh less."""


@dataclass(frozen=True, slots=True)
class TextVote:
    """The model, and the weight that the policy gives to it. Levels are numbers, 0 for P0."""

    model: TextModel
    weight: float

    def outvotes(self, opinion: Opinion, rule_level: int) -> int | None:
        """The level that wins against the rule's, or None where the rule's wins."""
        best = opinion.best
        chances = opinion.probabilities
        if self.weight * (chances[best] - chances[rule_level]) <= 1:
            return None
        return min(best, _STILL_PAGES) if rule_level == _OUTAGE else best

    def said(self, opinion: Opinion, against: int) -> str:
        """The vote for people: the level, its probability and the words that spoke for it."""
        return _said(self.model, opinion, against)


@lru_cache(REMEMBERED)
def _said(model: TextModel, opinion: Opinion, against: int) -> str:
    best = opinion.best
    words = ", ".join(model.spoke_for(opinion, best, against, _WORDS_SAID))
    chance = 100 * opinion.probabilities[best]
    return f"P{best} with {chance:.0f} %" + (f", for: {words}" if words else "")
