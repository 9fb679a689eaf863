from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.domain.classify import DEFAULT_RULE, Classification, Severity
from bot.domain.explain import Passed, Seen
from bot.domain.facts import FactValue
from bot.domain.incident import OVERRIDE_RULE
from bot.domain.message import Message
from bot.domain.why import Judged, Override, Ruling, Why
from bot.domain.why_message import why_message
from tests.support.examples import NOW, alert, incident

DIGEST = "0123456789abcdef" * 4
DOWN = FactValue("pods-down", 0.6, NOW, "measured")
RULED = Classification(Severity.P1, "outage", "A service is down.", DIGEST, (DOWN,))
LOST = tuple(Passed(f"rule-{number}", Severity.P0, "x is not seen") for number in range(8))
JUDGED = Judged(alert(), True, (Seen("down", "is down"),), LOST, 20, ())


def why(**changes: Any) -> Why:
    given: dict[str, Any] = {
        "incident": incident(classification=RULED),
        "ruling": Ruling(RULED, NOW, 1, 0),
        "judged": JUDGED,
        "note": "",
        "overrides": (),
        "paging": ("Nobody was paged.", "The page is on its way."),
    }
    return Why(**{**given, **changes})


def fields(message: Message) -> dict[str, str]:
    return {field.name: field.value for field in message.fields}


def test_the_answer_begins_with_level_reason_and_page() -> None:
    message = why_message(why())
    assert message.headline == "Why INC-7 is P1"
    assert message.body.splitlines() == [
        "P1 High: A service is down.",
        "",
        "Nobody was paged.",
        "The page is on its way.",
    ]
    assert fields(message) == {
        "Rule": "outage",
        "Policy": "0123456789ab",
        "Decided": "01 Mar 03:00:00 UTC",
        "By the alert": "HighErrorRate (firing): Errors above 5 %",
    }
    assert message.footer == ""


def test_facts_signals_and_the_rules_that_lost_follow() -> None:
    assert why_message(why()).preformatted.splitlines() == [
        "Facts used",
        "  pods-down is 0.6 (measured), 01 Mar 03:00:00 UTC",
        "Seen on the alert",
        "  down: is down",
        "Rules that lost",
        *(f"  rule-{number} (P0): x is not seen" for number in range(6)),
        "  … 2 more that come before it, 20 after it",
    ]


def test_who_set_the_level_and_what_rules_say() -> None:
    lowered = Classification(Severity.P3, OVERRIDE_RULE, "Only staging.", DIGEST)
    by = Override(NOW + timedelta(minutes=5), "ana", Severity.P1, Severity.P3, "Only staging.")
    message = why_message(why(incident=incident(classification=lowered), overrides=(by,)))
    assert message.headline == "Why INC-7 is P3"
    assert message.body.splitlines()[:2] == [
        "ana set it to P3: Only staging.",
        "By rule outage it is P1: A service is down.",
    ]
    assert "  01 Mar 03:05:00 UTC ana: P1 → P3: Only staging." in message.preformatted


def test_what_is_not_known_is_said() -> None:
    gone = why_message(why(judged=None, note="The policy is gone."))
    assert fields(gone)["By the alert"] == "not known any more"
    assert gone.footer == "The policy is gone."
    assert "Rules that lost" not in gone.preformatted
    other = Judged(alert(), False, (), (), 0, ("error-ratio",))
    doubtful = why_message(why(judged=other, note="It changed."))
    assert fields(doubtful)["By the alert"].startswith("perhaps HighErrorRate")
    assert doubtful.footer == "It changed. Facts that decided nothing are not kept: error-ratio."


def test_the_default_is_no_rule() -> None:
    ruled = Classification(Severity.P1, DEFAULT_RULE, "No rule knows it.", DIGEST)
    message = why_message(why(ruling=Ruling(ruled, NOW, 1, 0)))
    assert fields(message)["Rule"] == "none, so the policy’s default"
