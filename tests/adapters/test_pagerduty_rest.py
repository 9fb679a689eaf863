"""PagerDuty's records against the stand-in, over real HTTP below a path prefix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.adapters.pagerduty import PagerDutyPager
from bot.adapters.pagerduty_rest import PagerDutyRecords
from bot.domain.classify import Severity
from bot.domain.errors import PermanentError, TemporaryError
from bot.domain.oncall import PagerActionKind, PagerStatus, Person, Urgency
from bot.domain.page import Page
from bot.ports.paging import PagerRecords
from bot.sandbox.pagerduty import SandboxPagerDuty, pagerduty_app
from tests.support.clock import FakeClock
from tests.support.serve import serve

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
SENDER = "tocsin@example.test"
AT = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
KEY = "incident-7"


class Site:
    """A stand-in that is served, and the adapters that talk to it."""

    def __init__(self, sandbox: SandboxPagerDuty, clock: FakeClock, url: str) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.url = url
        self.pager = PagerDutyPager(ROUTING_KEY, url)
        self.records: PagerRecords = PagerDutyRecords("token", url, SENDER)

    def trigger(self, key: str = KEY, severity: Severity = Severity.P0) -> str:
        """Page, and return the id of the last incident."""
        self.pager.trigger(Page(key, "Checkout is down", severity, "checkout", AT))
        return self.sandbox.incidents()[-1].id


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    clock = FakeClock(AT)
    sandbox = SandboxPagerDuty(now=clock.now, routing_keys={ROUTING_KEY})
    prefix = "/sandbox/pagerduty"
    with serve(Starlette(routes=[Mount(prefix, pagerduty_app(sandbox))])) as url:
        yield Site(sandbox, clock, url + prefix)


@pytest.fixture(params=[True, False], ids=["incidents only", "alerts too"])
def both(served: Site, request: pytest.FixtureRequest) -> Site:
    """The site, with a service of either kind."""
    served.sandbox.incident_keys = request.param
    return _fresh(served)


@pytest.fixture
def site(served: Site) -> Site:
    served.sandbox.incident_keys = False
    return _fresh(served)


def _fresh(site: Site) -> Site:
    site.sandbox.load({"incidents": []})
    site.sandbox.ledger.clear()
    site.sandbox.scopes = None
    site.sandbox.token_owner = "Tocsin"
    return site


# What became of our pages


def test_the_incident_of_a_page_is_found(both: Site) -> None:
    both.trigger("another")
    id = both.trigger()
    both.sandbox.acknowledge(id, "Ana Lopez")

    found = both.records.incident_of(KEY)

    assert found is not None
    assert (found.id, found.status, found.urgency) == (id, PagerStatus.ACKNOWLEDGED, Urgency.HIGH)
    assert found.html_url == f"https://tocsin-sandbox.pagerduty.com/incidents/{id}"
    assert (found.service_id, found.escalation_policy_id) == ("PSANDBX", "PPOLICY")
    assert found.created_at.utcoffset() == timedelta(0)
    (acknowledgement,) = found.acknowledgements
    assert acknowledgement.by is not None
    assert (acknowledgement.by.name, acknowledgement.by.email) == ("Ana Lopez", "ana@example.test")
    assert acknowledgement.at == found.last_status_change_at
    assert [one.email for one in found.assignees] == ["ana@example.test"]


def test_our_own_acknowledgement_is_nobodys(site: Site) -> None:
    site.trigger()
    site.pager.acknowledge(KEY)

    found = site.records.incident_of(KEY)

    assert found is not None
    assert [one.by for one in found.acknowledgements] == [None]


def test_a_page_that_pagerduty_does_not_hold_has_no_incident(both: Site) -> None:
    both.trigger("another")
    assert both.records.incident_of(KEY) is None


def test_the_open_incident_of_a_key_comes_before_the_newest(both: Site) -> None:
    first = both.trigger()
    both.sandbox.resolve(first)
    second = both.trigger()
    assert _id_of(both) == second
    both.sandbox.resolve(second)
    both.clock.advance(60)
    both.sandbox.reopen(first)
    assert _id_of(both) == first


def _id_of(site: Site) -> str:
    found = site.records.incident_of(KEY)
    assert found is not None
    return found.id


def test_an_empty_key_is_not_asked_for(site: Site) -> None:
    site.trigger()
    site.sandbox.ledger.clear()
    with pytest.raises(PermanentError, match="without a dedup_key"):
        site.records.incident_of("")
    assert not site.sandbox.ledger


@pytest.mark.parametrize("key", ["a&b=c", "ü ☃ %2F/?#", "k" * 255, "[]", "\x00"])
def test_any_key_is_asked_for_as_it_is(site: Site, key: str) -> None:
    id = site.trigger(key)
    site.trigger("another")
    found = site.records.incident_of(key)
    assert found is not None
    assert found.id == id


def test_the_keys_of_an_incident_are_known(both: Site) -> None:
    assert list(both.records.keys_of(both.trigger())) == [KEY]


@pytest.mark.parametrize("id", ["Q9", "../users", "Q1?include[]=x"])
def test_an_incident_that_is_not_there_is_permanent(site: Site, id: str) -> None:
    with pytest.raises(PermanentError, match="404"):
        site.records.keys_of(id)


def test_a_subscription_that_was_off_is_made_good_by_the_log(site: Site) -> None:
    id = site.trigger()
    begin = site.clock.now()
    steps: list[Callable[[], object]] = [
        lambda: site.sandbox.acknowledge(id, "Ana Lopez"),
        lambda: site.sandbox.annotate(id, "Looking at the database", "Ana Lopez"),
        lambda: site.sandbox.unacknowledge(id),
        lambda: site.sandbox.escalate(id),
        lambda: site.sandbox.reassign(id, "Chen Wei", "Ben Okafor"),
        lambda: site.sandbox.delegate(id, "Chen Wei"),
        lambda: site.sandbox.prioritize(id, "P1", "Chen Wei"),
        lambda: site.sandbox.resolve(id, "Chen Wei"),
        lambda: site.sandbox.reopen(id, "Ana Lopez"),
    ]
    for step in steps:
        site.clock.advance(1)
        step()

    actions = site.records.log_entries(id, begin)

    assert [(one.kind.value, one.by and one.by.name) for one in actions] == [
        ("acknowledged", "Ana Lopez"),
        ("note", "Ana Lopez"),
        ("unacknowledged", None),
        ("escalated", None),
        ("reassigned", "Ben Okafor"),
        ("delegated", "Chen Wei"),
        ("priority", "Chen Wei"),
        ("resolved", "Chen Wei"),
        ("reopened", "Ana Lopez"),
    ]
    assert [one.at for one in actions] == [
        begin + timedelta(seconds=second) for second in range(1, 10)
    ]
    assert {one.incident_id for one in actions} == {id}
    assert len({one.id for one in actions}) == len(actions)
    assert actions[1].text == "Looking at the database"
    assert [one.name for one in actions[4].assignees] == ["Chen Wei"]
    late = site.records.log_entries(id, begin + timedelta(seconds=8))
    assert [one.kind for one in late] == [PagerActionKind.RESOLVED, PagerActionKind.REOPENED]


def test_what_we_told_pagerduty_is_not_in_the_log(site: Site) -> None:
    id = site.trigger()
    site.pager.acknowledge(KEY)
    site.pager.resolve(KEY)
    assert list(site.records.log_entries(id, AT - timedelta(days=1))) == []


def test_a_log_of_several_pages_is_read_to_its_end(site: Site) -> None:
    id = site.trigger()
    begin = site.clock.now()
    for _ in range(130):
        site.sandbox.acknowledge(id, "Ana Lopez")
    assert len(site.records.log_entries(id, begin)) == 130


# Who is on call


def test_who_is_on_call_is_told_by_level(site: Site) -> None:
    first, second = site.records.on_call("PPOLICY")
    assert (first.level, first.person.name, first.person.email) == (
        1,
        "Ana Lopez",
        "ana@example.test",
    )
    assert first.schedule == "Sandbox schedule"
    assert first.start is not None
    assert first.end is not None
    assert first.start <= site.clock.now() < first.end
    assert (second.level, second.person.name, second.schedule) == (2, "Ben Okafor", "")
    assert (second.start, second.end) == (None, None)
    assert first.person.html_url.startswith("https://tocsin-sandbox.pagerduty.com/users/P")


def test_a_service_leads_to_those_on_call_for_it(site: Site) -> None:
    assert site.records.on_call_of_service("PSANDBX") == site.records.on_call("PPOLICY")
    with pytest.raises(PermanentError, match="404"):
        site.records.on_call_of_service("PNOWHERE")


def test_a_policy_without_anybody_has_nobody_on_call(site: Site) -> None:
    assert list(site.records.on_call("PEMPTY")) == []


def test_services_name_their_policy_and_integrations(site: Site) -> None:
    (service,) = site.records.services()
    assert (service.id, service.name) == ("PSANDBX", "Sandbox service")
    assert (service.escalation_policy_id, service.escalation_policy_name) == (
        "PPOLICY",
        "Sandbox policy",
    )
    assert service.integration_types == ("events_api_v2_inbound_integration",)
    assert service.integration_keys == {ROUTING_KEY}
    assert ROUTING_KEY not in repr(service)


def test_policies_name_their_levels(site: Site) -> None:
    policy, backup = site.records.escalation_policies()
    assert [level.targets for level in policy.levels] == [("Sandbox schedule",), ("Ben Okafor",)]
    assert [level.escalates_after for level in policy.levels] == [
        timedelta(minutes=5),
        timedelta(minutes=10),
    ]
    assert (policy.id, policy.repeats, policy.service_ids) == ("PPOLICY", 2, ("PSANDBX",))
    assert (backup.id, backup.service_ids) == ("PBACKUP", ())


# What is written


def test_a_note_is_written_once_in_the_senders_name(site: Site) -> None:
    id = site.trigger()
    note = site.records.add_note(id, "Restarted payments/checkout")

    assert site.records.add_note(id, "Restarted payments/checkout ") == note
    assert site.records.add_note(id, "Rolled back") != note

    notes = site.sandbox.incident(id).notes
    assert [(one.by, one.text) for one in notes] == [
        ("Tocsin", "Restarted payments/checkout"),
        ("Tocsin", "Rolled back"),
    ]
    ours = site.records.log_entries(id, AT - timedelta(days=1))[0]
    assert (ours.id, ours.kind) == (note, PagerActionKind.NOTE)


def test_a_note_whose_answer_was_lost_is_not_written_twice(site: Site) -> None:
    id = site.trigger()
    site.sandbox.annotate(id, "Restarted", "Tocsin")  # the first try arrived
    site.records.add_note(id, "Restarted")
    assert len(site.sandbox.incident(id).notes) == 1


def test_a_note_with_half_a_surrogate_pair_is_written_without_it(site: Site) -> None:
    id = site.trigger()
    site.records.add_note(id, "broken \ud800 label")
    assert site.sandbox.incident(id).notes[0].text == "broken ? label"


def test_urgency_goes_up_and_down(site: Site) -> None:
    id = site.trigger(severity=Severity.P2)
    assert _urgency(site) is Urgency.LOW
    for high, urgency in ((True, Urgency.HIGH), (True, Urgency.HIGH), (False, Urgency.LOW)):
        site.records.set_urgency(id, high)
        assert _urgency(site) is urgency


def test_a_repeated_page_raises_the_urgency_and_does_not_lower_it(site: Site) -> None:
    site.trigger(severity=Severity.P2)
    site.trigger(severity=Severity.P1)
    assert _urgency(site) is Urgency.HIGH
    site.trigger(severity=Severity.P3)
    assert _urgency(site) is Urgency.HIGH


def _urgency(site: Site) -> Urgency:
    found = site.records.incident_of(KEY)
    assert found is not None
    return found.urgency


def test_an_unknown_sender_is_named_when_writing(site: Site) -> None:
    id = site.trigger()
    records = PagerDutyRecords("token", site.url, "nobody@example.test")
    with pytest.raises(PermanentError, match="PAGERDUTY_FROM_EMAIL"):
        records.set_urgency(id, True)


# What the token is good for


def test_a_token_that_may_do_everything(site: Site) -> None:
    access = site.records.verify()
    assert isinstance(access.owner, Person)
    assert (access.owner.name, access.missing, access.sender_problem) == ("Tocsin", (), "")


def test_a_token_of_the_whole_account_has_no_owner_and_needs_a_sender(site: Site) -> None:
    site.sandbox.token_owner = None
    assert (site.records.verify().owner, site.records.verify().sender_problem) == (None, "")
    access = PagerDutyRecords("token", site.url).verify()
    assert "PAGERDUTY_FROM_EMAIL is not set" in access.sender_problem


def test_a_sender_whom_pagerduty_does_not_know_is_named(site: Site) -> None:
    access = PagerDutyRecords("token", site.url, "tocsin@example.te").verify()
    assert access.sender_problem == "PAGERDUTY_FROM_EMAIL: PagerDuty has no user tocsin@example.te."


def test_missing_permissions_are_listed_and_named_where_they_are_needed(site: Site) -> None:
    id = site.trigger()
    site.sandbox.scopes = {"incidents.read", "services.read", "escalation_policies.read"}
    assert site.records.verify().missing == ("oncalls.read", "users.read")
    with pytest.raises(PermanentError, match=r"lacks the permission oncalls\.read.*Access Denied"):
        site.records.on_call("PPOLICY")
    with pytest.raises(PermanentError, match=r"lacks the permission incidents\.write"):
        site.records.add_note(id, "hello")


def test_a_refused_token_is_named_and_not_shown(site: Site) -> None:
    site.sandbox.fail_next(401)
    with pytest.raises(PermanentError, match="PAGERDUTY_API_TOKEN") as refused:
        PagerDutyRecords("sesame-open", site.url).verify()
    assert "open" not in str(refused.value)


# What goes wrong on the way: see test_pagerduty_http for the rest


def test_a_write_whose_answer_is_lost_is_temporary(site: Site) -> None:
    id = site.trigger()
    site.sandbox.lose_response_next()
    with pytest.raises(TemporaryError):
        site.records.set_urgency(id, False)
    assert site.sandbox.incident(id).urgency == "low"
