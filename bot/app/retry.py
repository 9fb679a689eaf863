"""Asking for an effect again after a try that failed: the one place that does."""

from __future__ import annotations

from bot.domain.effects import Effect, next_try, retry_delay
from bot.ports import Transaction


def ask_again(tx: Transaction, effect: Effect, asked: float | None, jitter: float) -> float:
    """Enqueue the next try, if it is worth one; returns the seconds until then.

    `asked` is how long the other side wants us to wait, `jitter` is from 0.0 to 1.0.
    """
    delay = retry_delay(effect.attempt, asked, jitter)
    again = next_try(effect)
    if again is not None:
        tx.enqueue(again, delay)
    return delay
