"""The workspace page in a browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright

from bot.adapters.manifest import COMMANDS
from bot.adapters.slack import SlackChat
from bot.domain.message import Button, ButtonStyle, Field, Message, MessageRef, Subject, SubjectKind
from bot.sandbox.addresses import SandboxAddresses
from bot.sandbox.assembly import SandboxParts
from bot.sandbox.slack.state import seeded
from tests.support.tocsin import SECRET, Workspace, workspace

pytestmark = pytest.mark.browser

DESKTOP = ViewportSize(width=1400, height=900)
PHONE = ViewportSize(width=390, height=844)

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "<!channel> & <@U00000ANA>",
    "</script><script>alert(1)</script>",
    "*bold* _slanted_ ~struck~ `code`",
    "<http://elsewhere.example|click>",
    "&lt;b&gt; &amp;amp;",
    "javascript:alert(1)",
    "x" * 140,
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("the program chromium is missing (Debian's package of that name)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with workspace(tmp_path_factory.mktemp("workspace") / "sandbox.json") as running:
        yield running


@pytest.fixture
def served(running: Workspace) -> Workspace:
    """The workspace, as nothing had happened in it yet."""
    stand_ins = running.sandbox.stand_ins
    assert stand_ins.slack is not None
    assert stand_ins.pagerduty is not None
    stand_ins.alertmanager.load({})
    stand_ins.slack.load(seeded().model_dump())
    stand_ins.pagerduty.load({"incidents": []})
    running.receiver.forget()
    return running


@pytest.fixture
def page(browser: Browser, served: Workspace, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page, in the size that the test is given; nothing may go wrong in it."""
    yield from opened(browser, served, getattr(request, "param", DESKTOP))


def opened(browser: Browser, served: Workspace, size: ViewportSize) -> Iterator[Page]:
    context = browser.new_context(viewport=size, reduced_motion="reduce")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.extend([line.text] if line.type == "error" else []))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.goto(served.page)
    expect(page.locator("#parts")).not_to_be_empty()
    yield page
    context.close()
    assert problems == []


def chat(served: Workspace) -> SlackChat:
    where = SandboxAddresses(served.url, SECRET)
    return SlackChat(where.slack_token, where.slack_api_url)


def incident(headline: str = "It is down", state: str = "triggered") -> Message:
    return Message(
        headline,
        fields=(Field("Incident", "INC-7"), Field("State", state)),
        body="Nobody can pay.",
        preformatted="pod-1\npod-2",
        buttons=(
            Button("ack", "7", "Acknowledge", ButtonStyle.PRIMARY),
            Button("resolve", "7", "Resolve", ButtonStyle.DANGER, confirm="Is it over?"),
        ),
        footer="policy 3f2a",
        subject=Subject(SubjectKind.INCIDENT, 7),
    )


def announce(served: Workspace, message: Message | None = None) -> MessageRef:
    return chat(served).post("#incidents", message or incident())


def messages(page: Page) -> Locator:
    return page.locator("#log > article")


def suggestions(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Commands").get_by_role("option")


def box(page: Page) -> Locator:
    return page.get_by_label("Command or message")


# Messages


def test_a_message_is_drawn_with_all_its_parts(page: Page, served: Workspace) -> None:
    announce(served)

    message = messages(page)
    expect(message.get_by_role("heading", name="It is down")).to_be_visible()
    expect(message.locator(".fields > div")).to_have_text(
        ["Incident", "INC-7", "State", "triggered"]
    )
    expect(message.locator(".fields strong")).to_have_text(["Incident", "State"])
    expect(message.locator("pre")).to_have_text("pod-1\npod-2")
    expect(message.get_by_text("Nobody can pay.")).to_be_visible()
    expect(message.get_by_text("policy 3f2a")).to_be_visible()
    expect(message.get_by_role("button")).to_have_text(["Acknowledge", "Resolve"])


def test_what_comes_from_outside_stays_text(page: Page, served: Workspace) -> None:
    for text in HOSTILE:
        announce(
            served,
            Message(
                f"Down: {text}",
                fields=(Field("Name", text),),
                body=text,
                preformatted=text,
                buttons=(Button("ack", "7", text[:70]),),
                footer=text,
            ),
        )

    expect(messages(page)).to_have_count(len(HOSTILE))
    for text, message in zip(HOSTILE, messages(page).all(), strict=True):
        expect(message.get_by_role("heading")).to_have_text(f"Down: {text}"[:150])
        expect(message.locator(".fields > div").nth(1)).to_have_text(text)
        expect(message.locator(".body > .section > .text").first).to_have_text(text)
        expect(message.locator("pre")).to_have_text(text)
        expect(message.get_by_role("button")).to_have_text(text[:70])
        expect(message.locator(".body > .context")).to_have_text(text)
    expect(messages(page).locator("script, a, em, s, .mention, .body img")).to_have_count(0)


def test_mrkdwn_that_is_meant_is_formatted(page: Page, served: Workspace) -> None:
    text = "*bold* _slanted_ ~struck~ `code` <https://example.test/a?b&amp;c|a link> <!here>"
    where = SandboxAddresses(served.url, SECRET)
    assert served.sandbox.stand_ins.slack is not None
    served.sandbox.stand_ins.slack.call(
        "chat.postMessage", where.slack_token, {"channel": "C0INCIDENTS", "text": text}
    )

    message = messages(page)
    for tag, shown in (("strong", "bold"), ("em", "slanted"), ("s", "struck"), ("code", "code")):
        expect(message.locator(f".text {tag}")).to_have_text(shown)
    expect(message.locator("a")).to_have_attribute("href", "https://example.test/a?b&c")
    expect(message.locator(".mention")).to_have_text("@here")


def test_an_updated_message_changes_in_place_and_keeps_the_focus(
    page: Page, served: Workspace
) -> None:
    ref = announce(served)
    announce(served, Message("Something else"))
    button = messages(page).get_by_role("button", name="Acknowledge")
    button.focus()

    chat(served).update(ref, incident(state="acknowledged"))

    expect(messages(page).first.locator(".fields > div").last).to_have_text("acknowledged")
    expect(messages(page)).to_have_count(2)
    expect(button).to_be_focused()


def test_new_messages_come_into_view_unless_one_reads_older_ones(
    page: Page, served: Workspace
) -> None:
    for number in range(20):
        announce(served, incident(f"Number {number}"))
    last = page.get_by_role("heading", name="Number 19")
    expect(last).to_be_in_viewport()

    page.locator("#messages").evaluate("element => element.scrollTop = 0")
    announce(served, incident("The newest"))

    newest = page.get_by_role("button", name="New messages")
    expect(newest).to_be_visible()
    expect(page.get_by_role("heading", name="The newest")).not_to_be_in_viewport()
    newest.click()
    expect(page.get_by_role("heading", name="The newest")).to_be_in_viewport()
    expect(newest).to_be_hidden()


def test_another_channel_tells_that_it_has_something_new(page: Page, served: Workspace) -> None:
    chat(served).post("#general", Message("Lunch"))
    tab = page.get_by_role("tab", name="#general unread")
    expect(tab).to_be_visible()

    tab.click()

    expect(messages(page).get_by_role("heading")).to_have_text("Lunch")
    expect(page.get_by_role("tab", name="#general", exact=True)).to_have_attribute(
        "aria-selected", "true"
    )


# What people do


def test_a_button_is_pressed_as_the_chosen_person(page: Page, served: Workspace) -> None:
    ref = announce(served)
    served.receiver.on_press = lambda _: chat(served).update(ref, incident(state="acknowledged"))
    page.get_by_label("You are").select_option("@ben")

    page.get_by_role("button", name="Acknowledge").click()

    expect(messages(page).locator(".fields > div").last).to_have_text("acknowledged")
    (press,) = served.receiver.presses
    assert press["user"]["name"] == "ben"
    assert (press["actions"][0]["action_id"], press["actions"][0]["value"]) == ("ack", "7")


def test_a_button_that_asks_first_is_pressed_only_after_yes(page: Page, served: Workspace) -> None:
    announce(served)
    dialog = page.get_by_role("dialog")

    page.get_by_role("button", name="Resolve", exact=True).click()
    expect(dialog).to_contain_text("Is it over?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert served.receiver.presses == []

    page.get_by_role("button", name="Resolve", exact=True).click()
    with page.expect_response("**/workspace/click"):
        dialog.get_by_role("button", name="Resolve").click()
    assert [press["actions"][0]["action_id"] for press in served.receiver.presses] == ["resolve"]


def test_a_command_is_answered_to_the_one_who_gave_it(page: Page, served: Workspace) -> None:
    served.receiver.command_answer = {"text": "One &lt;b&gt; incident."}

    box(page).fill("/incident list")
    box(page).press("Enter")

    answer = messages(page)
    expect(answer).to_contain_text("Only visible to you")
    expect(answer.locator(".text")).to_have_text("One <b> incident.")
    expect(box(page)).to_have_value("")
    page.get_by_label("You are").select_option("@chen")
    expect(messages(page)).to_have_count(0)


def test_each_command_is_suggested(page: Page) -> None:
    for command, *_ in COMMANDS:
        box(page).fill(command)

        expect(suggestions(page).first).to_contain_text(command)


def test_a_suggestion_is_taken_with_the_keyboard(page: Page, served: Workspace) -> None:
    box(page).press_sequentially("/restart payments/checkout-")
    box(page).press("ArrowDown")
    expect(suggestions(page)).to_have_attribute("aria-selected", "true")
    box(page).press("Enter")
    expect(box(page)).to_have_value("/restart payments/checkout-standby")

    with page.expect_response("**/workspace/command"):
        box(page).press("Enter")

    (command,) = served.receiver.commands
    assert (command["command"], command["text"]) == ("/restart", "payments/checkout-standby")


def test_a_sample_alert_is_sent_and_resolved(page: Page, served: Workspace) -> None:
    resolve = page.get_by_role("button", name="Resolve it")
    page.get_by_label("Sample alert", exact=True).select_option("high-error-rate")
    expect(resolve).to_be_disabled()

    page.get_by_role("button", name="Send a sample alert").click()
    expect(page.get_by_role("status")).to_contain_text("Sent: P1")
    resolve.click()
    expect(page.get_by_role("status")).to_contain_text("Resolved: P1")

    sent = [(body["status"], body["alerts"][0]["labels"]) for body in served.receiver.alerts]
    assert [status for status, _ in sent] == ["firing", "resolved"]
    assert {labels["alertname"] for _, labels in sent} == {"HighErrorRate"}


def test_the_pager_is_acknowledged_and_resolved(page: Page, served: Workspace) -> None:
    assert served.sandbox.stand_ins.pagerduty is not None
    payload = {"summary": HOSTILE[0], "source": "checkout", "severity": "critical"}
    served.sandbox.stand_ins.pagerduty.apply(
        {"routing_key": "k", "event_action": "trigger", "dedup_key": "key", "payload": payload}
    )
    pager = page.get_by_role("region", name="PagerDuty")
    expect(pager.get_by_role("listitem").first).to_contain_text(HOSTILE[0])

    pager.get_by_role("button", name="Acknowledge page 1").click()
    expect(pager).to_contain_text("acknowledged by Ana Lopez")
    pager.get_by_role("button", name="Resolve page 1").click()

    expect(pager.get_by_role("button")).to_have_count(0)
    expect(pager).to_contain_text("resolved")


# The page as a whole


def test_the_cluster_is_shown(page: Page) -> None:
    cluster = page.get_by_role("region", name="Kubernetes")
    checkout = cluster.get_by_role("listitem").filter(has_text="checkout:1.9.0")

    expect(checkout).to_contain_text("revision 3")
    expect(checkout).to_contain_text("3 of 3 ready")
    expect(checkout.locator(".pod.ready")).to_have_count(3)
    expect(cluster.get_by_label("Services").get_by_text("role=active")).to_be_visible()


def test_what_is_real_is_named_and_not_shown(browser: Browser, tmp_path: Path) -> None:
    parts = SandboxParts(slack=False, pagerduty=False)
    with workspace(tmp_path / "sandbox.json", parts) as served:
        for page in opened(browser, served, DESKTOP):
            expect(page.locator("#parts")).to_contain_text("Slack is the real one")
            slack = page.get_by_role("region", name="Slack")
            expect(slack).to_contain_text("Slack is the real one")
            expect(slack.get_by_role("textbox")).to_have_count(0)
            expect(slack.get_by_role("combobox")).to_have_count(0)
            expect(page.get_by_text("3 of 3 ready")).to_be_visible()


def test_a_tocsin_that_is_away_is_said_to_be(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(viewport=DESKTOP)
    page = context.new_page()
    with workspace(tmp_path / "sandbox.json") as served:
        page.goto(served.page)
        expect(page.locator("#parts")).not_to_be_empty()

    expect(page.get_by_role("status")).to_contain_text("Tocsin does not answer")
    context.close()


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_phone_shows_one_part_at_a_time_without_scrolling_sideways(
    page: Page, served: Workspace
) -> None:
    for text in HOSTILE:
        announce(served, incident(text * 3))
    expect(messages(page)).to_have_count(len(HOSTILE))

    for name, region in (("Slack", "Slack"), ("Pager", "PagerDuty"), ("Cluster", "Kubernetes")):
        page.get_by_role("button", name=re.compile(f"^{name}")).click()
        expect(page.get_by_role("region")).to_have_count(1)
        expect(page.get_by_role("region", name=region)).to_be_visible()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]
        for element in page.locator("#messages:visible, section:visible").all():
            assert element.evaluate("one => one.scrollWidth <= one.clientWidth")
