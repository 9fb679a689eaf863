"""The pages about incidents over real HTTP: who sees them, what they say, what they escape."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from bot.domain.classify import Severity
from bot.domain.escalation_policy import EscalationPolicy, default_response_times
from bot.domain.incident import Command
from bot.domain.incident_events import RunbooksSuggested, SeverityOverridden
from bot.domain.page_events import EscalationPlanned, PageAction, PageSent, ResponseOverdue
from bot.domain.suggestion import Suggestion
from bot.domain.ticket import TicketAction
from bot.domain.ticket_events import (
    FollowUpAdded,
    FollowUpDone,
    TicketOpened,
    TicketRefused,
    TicketTold,
)
from bot.domain.web_link import web_link
from bot.entrypoints.pages import Place
from tests.support.examples import ANA, TICKET
from tests.support.incident_pages import HOSTILE, Site

TOKEN = "pass:wörd"
TIMEOUT = 10
PAGES = ("/incidents", "/incidents/1", "/maintenance", "/policy")

OTHER_POLICY = """
default: P0
rules:
  - id: everything
    level: P1
    reason: Everything counts.
    match: ['alertname=~".*"']
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site.at(tmp_path)
    made.take_in()
    return made


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with site.served() as address:
        yield address


@pytest.fixture
def locked(site: Site) -> Iterator[str]:
    site.incident()
    with site.served(Place(token=TOKEN)) as address:
        yield address


def get(address: str, **headers: str) -> requests.Response:
    return requests.get(
        address, headers={k: v.encode() for k, v in headers.items()}, timeout=TIMEOUT
    )


def text(url: str, path: str, status: int = 200) -> str:
    """The words of the page, without its markup."""
    answer = get(f"{url}{path}")
    assert answer.status_code == status, answer.text
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


# Who sees them


@pytest.mark.parametrize("path", [*PAGES, "/policy/x", "/policy/x/text"])
def test_without_the_token_nothing_is_shown(locked: str, path: str) -> None:
    answer = get(f"{locked}{path}")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Tocsin", charset="UTF-8"'
    assert "TOCSIN_API_TOKEN" in answer.text
    assert "HighErrorRate" not in answer.text


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic !!!",
        basic(TOKEN, ""),
        basic("", TOKEN + "x"),
        "Basic " + base64.b64encode(TOKEN.encode()).decode(),
        "Bearer",
        f"Bearer {TOKEN}x",
        f"Digest {TOKEN}",
        TOKEN,
    ],
)
def test_a_wrong_token_is_refused(locked: str, authorization: str) -> None:
    assert get(f"{locked}/incidents", Authorization=authorization).status_code == 401


@pytest.mark.parametrize(
    "authorization",
    [basic("", TOKEN), basic("anybody", TOKEN), f"Bearer {TOKEN}", f"bearer  {TOKEN}"],
)
@pytest.mark.parametrize("path", PAGES)
def test_the_token_opens_every_page(locked: str, path: str, authorization: str) -> None:
    assert get(f"{locked}{path}", Authorization=authorization).status_code == 200


def test_what_browsers_must_know_is_in_the_headers(locked: str, url: str) -> None:
    for answer in (get(f"{locked}/policy"), get(f"{url}/policy"), get(f"{url}/incidents/99")):
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", PAGES)
def test_they_only_read(url: str, path: str) -> None:
    assert requests.post(f"{url}{path}", timeout=TIMEOUT).status_code == 405


def test_the_sandbox_is_named(site: Site) -> None:
    with site.served(Place(stood_in_for=("Slack", "PagerDuty"))) as url:
        shown = get(f"{url}/incidents").text
    assert ">SANDBOX<" in shown
    assert "Slack, PagerDuty" in shown
    assert 'href="/sandbox/"' in shown


def test_outside_the_sandbox_it_is_not(url: str) -> None:
    assert "SANDBOX" not in get(f"{url}/incidents").text
    assert "/sandbox/" not in get(f"{url}/incidents").text


# The list


def test_nothing_to_list_is_said(url: str) -> None:
    assert "No incident is open. " in text(url, "/incidents")


def test_the_open_ones_come_first_and_the_worst_of_them_before(site: Site, url: str) -> None:
    over = site.incident(site.alert({"alertname": "ItIsOver"}))
    site.incident(site.alert({"alertname": "SlowDisk", "severity": "info"}))
    site.incident(site.alert({"alertname": "Failing"}))
    site.ask.incidents.command(over.id, Command.RESOLVE, ANA)
    shown = text(url, "/incidents")

    places = [shown.index(name) for name in ("Failing", "SlowDisk", "Resolved and", "ItIsOver")]
    assert places == sorted(places)
    assert "ItIsOver" not in text(url, "/incidents?show=open")
    assert "Open (2)" in shown


# One incident


def test_an_incident_says_why_it_has_its_level(site: Site, url: str) -> None:
    incident = site.incident()
    why = site.ask.explanations.why(incident.id)
    shown = text(url, "/incidents/1")

    assert f"Why it is {incident.severity}" in shown
    assert incident.classification.rule in shown
    assert incident.classification.policy_digest[:12] in shown
    assert why.judged is not None
    assert why.judged.seen
    for one in why.judged.seen:
        assert one.signal in shown
    for lost in why.judged.above:
        assert lost.rule in shown
    for sentence in why.paging:
        assert sentence in shown


def test_it_says_what_a_person_made_of_the_level(site: Site, url: str) -> None:
    incident = site.incident()
    override = SeverityOverridden(incident.severity, Severity.P3, "Only a test system.")
    site.happens(incident.id, override, actor=ANA)
    shown = text(url, "/incidents/1")

    assert "Severity P3 Low, set by ana" in shown
    assert f"ana set it from {incident.severity} to P3" in shown
    assert "Only a test system." in shown
    assert "The rules say" in shown


def test_its_alerts_stand_with_what_tells_them_apart(site: Site, url: str) -> None:
    pods = [site.alert({"pod": f"api-{number}"}) for number in range(3)]
    gone = site.alert({"pod": "api-old"}, resolved=True)
    site.incident(*pods, gone)
    shown = get(f"{url}/incidents/1").text

    head = shown.partition('id="alerts"')[2].partition("<ul")[0]
    assert "namespace=payments" in head
    assert "pod=" not in head
    assert shown.count('class="status firing"') == 3
    assert shown.index("api-0") < shown.index('class="status resolved"')


def test_hundreds_of_alerts_are_folded(site: Site, url: str) -> None:
    site.incident(*(site.alert({"pod": f"api-{number}"}) for number in range(300)))
    shown = get(f"{url}/incidents/1").text

    assert shown.count('<details class="alert"') == 300
    assert "<summary>275 more</summary>" in shown


def test_the_ticket_is_linked_and_what_is_wrong_with_it_is_said(site: Site, url: str) -> None:
    incident = site.incident()
    assert "<dt>Ticket</dt>" not in get(f"{url}/incidents/1").text
    refused = TicketRefused(TicketAction.CREATE, "<b>Set another token.", "")
    site.happens(incident.id, refused)
    assert "refused: &lt;b&gt;Set another token." in get(f"{url}/incidents/1").text
    site.happens(incident.id, TicketTold(TicketAction.CREATE, TICKET, ""))
    said = get(f"{url}/incidents/1").text
    assert '<a href="https://memory.example/1" rel="noreferrer noopener">memory#1</a>' in said
    assert "refused:" not in said


def test_a_tickets_address_that_is_none_is_no_link(site: Site, url: str) -> None:
    hostile = replace(TICKET, url="javascript:alert(1)")
    site.happens(site.incident().id, TicketTold(TicketAction.CREATE, hostile, ""))
    assert 'href="javascript' not in get(f"{url}/incidents/1").text


def test_a_ticket_without_an_address_is_named(site: Site, url: str) -> None:
    nowhere = replace(TICKET, name="<b>key in PagerDuty", url="")
    site.happens(site.incident().id, TicketTold(TicketAction.CREATE, nowhere, ""))
    assert "Ticket &lt;b&gt;key in PagerDuty" in text(url, "/incidents/1")


def test_follow_ups_are_shown_with_their_tickets(site: Site, url: str) -> None:
    assert "Nothing is left to do." in text(url, "/tickets")
    incident = site.incident()
    assert "Follow-ups" not in text(url, "/incidents/1")
    site.happens(incident.id, FollowUpAdded(1, "<b>Add an index."))
    site.happens(incident.id, TicketTold(TicketAction.CREATE, TICKET, "", 1))
    for path in ("/incidents/1", "/tickets"):
        said = get(f"{url}{path}").text
        assert "&lt;b&gt;Add an index." in said
        assert '<a href="https://memory.example/1" rel="noreferrer noopener">memory#1</a>' in said
    site.happens(incident.id, FollowUpDone(1))
    assert "Nothing is left to do." in text(url, "/tickets")
    assert "done" in text(url, "/incidents/1")


def test_a_ticket_that_is_due_is_listed_first_and_one_that_is_late_says_so(
    site: Site, url: str
) -> None:
    first, second = site.incident(), site.incident()
    site.happens(first.id, FollowUpAdded(1, "Add an index."))
    site.happens(second.id, TicketOpened(site.clock.now()))
    listed = text(url, "/tickets")
    assert listed.index("due ") < listed.index("Add an index.")
    site.clock.advance(1)
    assert "overdue since" in text(url, "/tickets")


def test_suggestions_and_the_link_of_its_alerts_are_shown(site: Site, url: str) -> None:
    link = web_link("https://wiki.example/runbooks/restart?a=1&b=2")
    suggested = Suggestion("crash-loop", "restart@1.0.0", {"workload": "shop/checkout"})
    hostile = Suggestion("x", "restart@1.0.0", {"workload": "<script>alert(1)</script>"})
    incident = site.incident()
    site.happens(incident.id, RunbooksSuggested((suggested, hostile), link))
    page = get(f"{url}/incidents/{incident.id}").text
    assert "/runbook run restart@1.0.0 workload=shop/checkout incident=INC-1" in page
    assert 'href="https://wiki.example/runbooks/restart?a=1&amp;b=2"' in page
    assert "at wiki.example</a>" in page
    assert "<script>alert" not in page


def test_the_clocks_are_shown_until_somebody_has_it(site: Site, url: str) -> None:
    incident = site.incident()
    site.happens(
        incident.id,
        EscalationPlanned(EscalationPolicy().plan({}), default_response_times()),
        PageSent(PageAction.TRIGGER, Severity.P1),
    )
    said = get(f"{url}/incidents/1").text
    assert "<dt>Response due by</dt>" in said
    assert "not confirmed yet" in said
    assert "who is on call, in Slack, " in said
    site.happens(incident.id, ResponseOverdue(Severity.P1, timedelta(hours=1)))
    assert "<dt>Response overdue since</dt>" in get(f"{url}/incidents/1").text
    site.ask.incidents.command(incident.id, Command.ACKNOWLEDGE, ANA)
    said = get(f"{url}/incidents/1").text
    assert "<dt>Response" not in said
    assert "<dt>Next</dt>" not in said


def test_the_timeline_is_told(site: Site, url: str) -> None:
    incident = site.incident()
    site.happens(incident.id, PageSent(PageAction.TRIGGER, incident.severity))
    site.clock.advance(90)
    site.ask.incidents.note(incident.id, "Looking at\nthe database.", ANA)
    shown = text(url, "/incidents/1")

    assert "The on-call engineer was paged" in shown
    assert "2025-03-01 03:00:00 UTC (1 min ago)" in shown
    assert "ana Note: Looking at the database." in shown


def test_a_long_timeline_is_folded(site: Site, url: str) -> None:
    site.incident()
    for number in range(50):
        site.ask.incidents.note(1, f"note {number}", ANA)
    shown = get(f"{url}/incidents/1").text

    assert "<summary>12 earlier</summary>" in shown
    assert "note 0" in shown
    assert "note 49" in shown


def test_its_runs_are_shown(site: Site, url: str) -> None:
    site.incident()
    words = ["payments/checkout", "incident=1"]
    site.ask.runs.request("restart", words, ANA, start_when_planned=True)
    shown = text(url, "/incidents/1")

    assert "Run 1: restart@1.0.0 payments/checkout" in shown
    assert "asked for by ana" in shown
    assert "planning" in shown


def test_the_windows_that_cover_it_are_named(site: Site, url: str) -> None:
    incident = site.incident(site.alert(), site.alert({"namespace": "web"}))
    partly = site.window("namespace=payments", reason="Only the half.")
    site.window("namespace=elsewhere", reason="Another house.")
    shown = text(url, "/incidents/1").partition("Maintenance windows that cover it")[2]
    assert f"{partly.reference} covers 1 of 2 firing. Only the half." in shown
    assert "Another house." not in shown

    whole = site.window("service=checkout", reason="The whole.")
    site.suppress(incident.id, whole)
    assert "covers all that fires: nobody is woken. The whole." in text(url, "/incidents/1")


@pytest.mark.parametrize("number", ["1", "INC-1", "inc-1"])
def test_an_incident_is_found_by_its_number(site: Site, url: str, number: str) -> None:
    site.incident()
    assert "INC-1" in text(url, f"/incidents/{number}")


@pytest.mark.parametrize("number", ["0", "2", "-1", "x", "1" * 30, "%D9%A1", "1.0"])
def test_what_is_no_incident_is_not_found(site: Site, url: str, number: str) -> None:
    site.incident()
    assert "There is no such page" in text(url, f"/incidents/{number}", 404)


def test_only_an_open_incident_is_loaded_anew(site: Site, url: str) -> None:
    refresh = '<meta http-equiv="refresh"'
    site.incident()
    assert refresh in get(f"{url}/incidents/1").text
    assert refresh not in get(f"{url}/incidents/1?refresh=off").text

    site.ask.incidents.command(1, Command.RESOLVE, ANA)
    assert refresh not in get(f"{url}/incidents/1").text


# Windows


def test_windows_stand_by_when_they_are(site: Site, url: str) -> None:
    incident = site.incident()
    past = site.window(reason="Last night.")
    site.suppress(incident.id, past)
    site.clock.advance(3 * 3600)
    site.window(reason="Right now.")
    site.window(reason="Soon.", starts_at=site.clock.now() + timedelta(hours=1))
    shown = text(url, "/maintenance")

    order = ["Right now.", "Planned", "Soon.", "Past", "Last night."]
    places = [shown.index(word) for word in order]
    assert places == sorted(places)
    assert "1 incident" in shown[places[-1] :]
    assert "INC-1" in shown[places[-1] :]
    assert 'namespace="payments"' in shown.replace("&#34;", '"')


def test_without_windows_it_says_so(url: str) -> None:
    shown = text(url, "/maintenance")
    assert "No window is active" in shown
    assert "No window is planned." in shown


# The policy


def test_the_policy_in_force_is_shown_in_order(site: Site, url: str) -> None:
    shown = text(url, "/policy")

    assert site.policy is not None
    assert site.policy.digest in shown
    assert "2025-03-01 03:00:00 UTC" in shown
    words = shown.replace("&#39;", "'")
    for rule in site.policy.rules:
        assert f"{rule.level} {rule.id} {html.escape(rule.reason, quote=False)}" in words
    listed = re.findall(r'id="rule-([^"]*)"', get(f"{url}/policy").text)
    assert listed == [rule.id for rule in site.policy.rules]


def test_earlier_versions_are_found_by_their_digests(site: Site, url: str) -> None:
    assert site.policy is not None
    old = site.policy.digest
    site.clock.advance(60)
    new = site.take_in(OTHER_POLICY)

    assert "Everything counts." in text(url, "/policy")
    assert f'href="/policy/{old}"' in get(f"{url}/policy").text
    assert "This version is not in force" in text(url, f"/policy/{old}")
    assert get(f"{url}/policy/{new}/text").text == OTHER_POLICY
    assert get(f"{url}/policy/{new}/text").headers["Content-Type"].startswith("text/plain")
    assert text(url, "/policy/unknown", 404)


def test_a_version_that_comes_back_is_in_force(site: Site, url: str) -> None:
    assert site.policy is not None
    old = site.policy.digest
    site.clock.advance(60)
    site.take_in(OTHER_POLICY)
    site.clock.advance(60)
    site.take_in()

    assert old in text(url, "/policy").partition("asked in this order")[0]


def test_a_file_that_is_not_in_force_is_told(site: Site, url: str) -> None:
    said = "The policy file holds something else now."
    assert said not in text(url, "/policy")
    site.file_digest = "another"
    assert said in text(url, "/policy")


def test_before_the_first_policy_the_page_says_so(tmp_path: Path) -> None:
    with Site.at(tmp_path).served() as url:
        assert "No policy has been taken in yet" in text(url, "/policy")


def test_a_version_that_cannot_be_read_any_more_is_still_there(site: Site, url: str) -> None:
    site.clock.advance(60)
    with site.store.transaction() as tx:
        tx.keep_policy("d1", "severity.yaml", "rules: <b>of old", site.clock.now())

    assert "can’t be read by this release" in text(url, "/policy/d1")
    assert get(f"{url}/policy/d1/text").text == "rules: <b>of old"


# Hostile texts


def hostile_site(site: Site) -> None:
    """Every field that comes from outside holds something bad."""
    for number, bad in enumerate(HOSTILE):
        labels = {"alertname": bad, f"label_{number}": bad, "namespace": "payments"}
        notes = {"summary": bad, "description": bad, "runbook_url": bad}
        incident = site.incident(site.alert(labels, notes))
        site.ask.incidents.note(incident.id, bad, ANA)
        site.suppress(incident.id, site.window("namespace=payments", reason=bad))


def test_hostile_texts_stay_texts(site: Site, url: str) -> None:
    hostile_site(site)
    paths = ["/incidents", "/maintenance", *(f"/incidents/{n + 1}" for n in range(len(HOSTILE)))]
    for path in paths:
        shown = get(f"{url}{path}").text
        assert "<script" not in shown
        assert "<img src=x" not in shown
        assert not re.search(r"<[^>]*\sonmouseover=", shown)
        assert not re.search(r'href="(?!/|\?|#|https?://)', shown)
        assert "\u202e" not in shown
        assert "\x00" not in shown
        assert "{{ 7 * 7 }}" in shown or "49" not in shown
    assert "{{ 7 * 7 }}" in get(f"{url}/incidents").text


@pytest.mark.parametrize(
    ("address", "is_link"),
    [
        ("https://runbooks.example/a?b=c&d=e", True),
        ("http://runbooks.example", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//elsewhere.example", False),
        ("https:", False),
        ("https://[", False),
        ("see https://runbooks.example", False),
        ("java\nscript:alert(1)", False),
    ],
)
def test_only_web_addresses_are_links(site: Site, url: str, address: str, is_link: bool) -> None:
    site.incident(site.alert(annotations={"runbook_url": address}))
    shown = get(f"{url}/incidents/1").text.partition("Annotations")[2]

    assert ('rel="noreferrer noopener"' in shown) is is_link


def test_what_the_address_says_is_escaped(url: str) -> None:
    answer = get(f"{url}/incidents/<script>alert(1)")
    assert answer.status_code == 404
    assert "<script" not in answer.text


# Trouble


def test_a_database_that_fails_is_a_503(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    with site.served() as url:
        (tmp_path / "tocsin.db").write_bytes(b"this is no database " * 1000)
        for path in PAGES:
            assert "The database can’t be reached" in text(url, path, 503)
