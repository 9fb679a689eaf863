from __future__ import annotations

from datetime import timedelta

from bot.domain.oncall import OnCall, PagerService, Person
from bot.domain.oncall_message import oncall_message
from bot.domain.roster import Roster
from tests.support.examples import NOW

SERVICE = PagerService("PSERV", "Checkout", "https://pager.example/PSERV", "PPOLICY", "Payments")
ANA = OnCall("PPOLICY", 1, Person("PANA", "Ana Lopez"), "Primary", NOW, NOW + timedelta(hours=6))
BEN = OnCall("PPOLICY", 2, Person("PBEN", "Ben Okafor"), "", None, None)


def test_who_is_on_call_is_said_by_level_and_how_old_that_is() -> None:
    message = oncall_message(Roster(SERVICE, (ANA, ANA, BEN), NOW), NOW + timedelta(seconds=42))
    assert message.headline == "On call for Checkout"
    assert message.preformatted.splitlines() == [
        "Level 1: Ana Lopez, Primary, until 01 Mar 09:00 UTC",
        "Level 2: Ben Okafor, always",
    ]
    assert message.footer == "Payments · asked 42 s ago · https://pager.example/PSERV"
    assert message.body == ""


def test_that_nobody_is_on_call_is_said() -> None:
    message = oncall_message(Roster(SERVICE, (), NOW), NOW)
    assert message.body == "Nobody is on call: its pages reach nobody."
    assert "asked just now" in message.footer


def test_that_there_is_no_policy_is_said() -> None:
    bare = PagerService("PSERV", "Checkout", "", "", "")
    message = oncall_message(Roster(bare, (), NOW), NOW)
    assert "no escalation policy" in message.body
    assert message.footer == "asked just now"
