from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters import codec
from bot.domain.classify import Classification, Severity
from bot.domain.facts import FactValue

REPOSITORY = Path(__file__).resolve().parent.parent.parent
NOW = datetime(2025, 3, 1, 3, 0, tzinfo=UTC)


def test_a_classification_that_was_stored_before_there_were_facts_is_read() -> None:
    text = '{"level": "P1", "rule": "critical", "reason": "Critical.", "policy_digest": "d"}'
    found = codec.load(text, Classification)
    assert found == Classification(Severity.P1, "critical", "Critical.", "d")
    assert found.facts == ()


def test_facts_come_back_as_they_were_stored() -> None:
    facts = (
        FactValue("a", 1.0, NOW, "measured"),
        FactValue("b", None, NOW, "Prometheus has no such series", measured=False),
    )
    chosen = Classification(Severity.P0, "not-ready", "Down.", "d", facts)
    assert codec.load(codec.dump(chosen), Classification) == chosen


RACE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import make_dataclass
from threading import Barrier
from bot.adapters import codec

sys.setswitchinterval(1e-6)
together = Barrier(8)

def read(kind):
    together.wait()
    return codec.load('{"inner": {"a": 1, "b": "x"}}', kind)

with ThreadPoolExecutor(8) as threads:
    for _ in range(300):
        inner = make_dataclass("Inner", [("a", int), ("b", str)])
        kind = make_dataclass("Outer", [("inner", inner)])
        assert len(set(map(repr, threads.map(read, [kind] * 8)))) == 1
"""


def test_many_threads_may_read_a_class_for_the_first_time() -> None:
    """In a process of its own, because what goes wrong there is a segmentation fault."""
    done = subprocess.run([sys.executable, "-c", RACE], cwd=REPOSITORY, check=False)
    assert done.returncode == 0
