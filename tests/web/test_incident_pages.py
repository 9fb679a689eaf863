"""The pages about incidents in a browser: readable on a phone and in the dark, and harmless."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from bot.domain.classify import Severity
from bot.domain.incident import Command
from bot.domain.incident_events import SeverityOverridden
from bot.entrypoints.pages import Place
from tests.support.examples import ANA
from tests.support.incident_pages import HOSTILE, Site
from tests.support.run_pages import awaiting, compensated, hostile, succeeded

pytestmark = pytest.mark.browser

DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=360, height=780)

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

TOKEN = "a token"

Colours = Literal["light", "dark"]

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3 (level AA), for text of ordinary size."""

PALE = """(least) => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      const [, , , opacity = 1] = channels(colour);
      if (opacity > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const pale = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const pair = [getComputedStyle(element).color, ground(element)].map(luminance);
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (contrast < least) pale.push([texts.currentNode.data.trim(), contrast]);
  }
  return pale;
}"""
"""The texts whose contrast with their background is below a limit."""


@dataclass(frozen=True)
class Served:
    """The pages with everything on them: `hostile` are the incidents that mean harm."""

    url: str
    paths: tuple[str, ...]
    hostile: tuple[str, ...]


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
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = Site.at(tmp_path_factory.mktemp("pages"))
    made.take_in()
    return made


@pytest.fixture(scope="module")
def served(site: Site) -> Iterator[Served]:
    pods = [site.alert({"pod": f"api-{number}"}, resolved=number % 3 == 0) for number in range(300)]
    storm = site.incident(*pods)
    override = SeverityOverridden(storm.severity, Severity.P2, "Only one customer.")
    site.happens(storm.id, override, actor=ANA)
    words = ["payments/checkout", f"incident={storm.id}"]
    site.ask.runs.request("restart", words, ANA, start_when_planned=True)
    for number in range(50):
        site.ask.incidents.note(storm.id, f"note {number}", ANA)
    over = site.incident()
    site.ask.incidents.command(over.id, Command.RESOLVE, ANA)
    runs = [make(site) for make in (awaiting, succeeded, compensated)]
    runs += [hostile(site, bad) for bad in HOSTILE]
    hostile_ones = tuple(f"/incidents/{hostile_incident(site, bad)}" for bad in HOSTILE)
    paths = (
        "/incidents",
        "/incidents/1",
        "/incidents/2",
        "/runs",
        *(f"/runs/{run.id}" for run in runs),
        "/runbooks",
        "/runbooks/failover@1.0.0",
        "/maintenance",
        "/policy",
        "/incidents/x",
    )
    with site.served(Place(stood_in_for=("Slack", "PagerDuty"))) as url:
        yield Served(url, (*paths, *hostile_ones), hostile_ones)


def hostile_incident(site: Site, bad: str) -> int:
    """An incident in which all that comes from outside is that text."""
    labels = {"alertname": bad, f"label_{len(bad)}": bad}
    notes = {"summary": bad, "description": bad, "runbook_url": bad}
    first = replace(site.alert(labels, notes), generator_url=bad)
    incident = site.incident(first, site.alert(labels, notes))
    site.ask.incidents.note(incident.id, bad, ANA)
    site.suppress(incident.id, site.window("service=checkout", reason=bad))
    return incident.id


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in the size and the colours that the test is given; nothing may go wrong in it."""
    given: tuple[ViewportSize, Colours] = getattr(request, "param", (DESKTOP, "light"))
    yield from opened(browser, *given)


def opened(
    browser: Browser, size: ViewportSize, colours: Colours, *, script: bool = True
) -> Iterator[Page]:
    context = browser.new_context(viewport=size, color_scheme=colours, java_script_enabled=script)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.extend([line.text] if "Policy" in line.text else []))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    yield page
    context.close()
    assert problems == []


@pytest.mark.parametrize("page", [(PHONE, "light"), (DESKTOP, "light")], indirect=True)
def test_nothing_is_wider_than_the_screen(page: Page, served: Served) -> None:
    for path in served.paths:
        page.goto(f"{served.url}{path}")
        page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= page.evaluate("innerWidth"), path


@pytest.mark.parametrize("page", [(PHONE, "light"), (PHONE, "dark")], indirect=True)
def test_every_text_stands_out_from_its_background(page: Page, served: Served) -> None:
    for path in served.paths:
        page.goto(f"{served.url}{path}")
        page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
        assert page.evaluate(PALE, LEAST_CONTRAST) == [], path


def test_hostile_texts_are_shown_and_do_nothing(page: Page, served: Served) -> None:
    for path, bad in zip(served.hostile, HOSTILE, strict=True):
        page.goto(f"{served.url}{path}")
        shown = bad.replace("\u202e", "\N{REPLACEMENT CHARACTER}")
        shown = shown.replace("\x00", "\N{REPLACEMENT CHARACTER}")
        expect(page.get_by_role("heading", level=1)).to_have_text(shown)
        assert page.locator("script").count() == 0
        assert page.locator("main img").count() == 0
        assert page.locator("[onmouseover]").count() == 0


def test_no_link_leads_to_a_script(page: Page, served: Served) -> None:
    for path in served.paths:
        page.goto(f"{served.url}{path}")
        schemes = page.eval_on_selector_all("a", "(links) => links.map((one) => one.protocol)")
        assert set(schemes) <= {"http:", "https:"}


def test_each_page_has_its_landmarks_and_one_heading_of_the_first_level(
    page: Page, served: Served
) -> None:
    for path in served.paths:
        page.goto(f"{served.url}{path}")
        expect(page.get_by_role("banner")).to_have_count(1)
        expect(page.get_by_role("navigation", name="Pages")).to_have_count(1)
        expect(page.get_by_role("main")).to_have_count(1)
        expect(page.get_by_role("contentinfo")).to_have_count(1)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        ids = page.eval_on_selector_all("[id]", "(all) => all.map((one) => one.id)")
        assert len(ids) == len(set(ids)), path
        levels = page.eval_on_selector_all(
            "h1, h2, h3, h4", "(all) => all.map((one) => Number(one.tagName[1]))"
        )
        steps = pairwise(levels)
        assert all(after <= before + 1 for before, after in steps), path


def test_the_keyboard_skips_to_the_content_and_shows_where_it_is(
    page: Page, served: Served
) -> None:
    page.goto(f"{served.url}/incidents")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Tab")
    width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert width == "2px"


def test_a_responder_finds_the_way_from_the_list_to_an_alert(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/incidents")
    page.get_by_role("link", name="Open (").click()
    expect(page.get_by_role("heading", name="Resolved and closed")).to_have_count(0)
    rows = page.get_by_role("article").filter(has=page.get_by_text("INC-1", exact=True))
    rows.get_by_role("link").click()
    page.get_by_role("link", name="Alerts (300)").click()
    alert = page.locator("details.alert").first
    expect(alert.get_by_text("Labels")).to_be_hidden()
    alert.locator("summary").click()
    expect(alert.get_by_text("Labels")).to_be_visible()


def test_the_sandbox_is_labelled(page: Page, served: Served) -> None:
    for path in served.paths:
        page.goto(f"{served.url}{path}")
        expect(page.get_by_text("SANDBOX", exact=True)).to_be_visible()


def test_no_script_is_needed(browser: Browser, served: Served) -> None:
    for page in opened(browser, PHONE, "dark", script=False):
        page.goto(f"{served.url}/incidents/1")
        expect(page.get_by_text("250 more", exact=True)).to_have_count(0)
        expect(page.get_by_text("275 more", exact=True)).to_be_visible()


def test_a_browser_opens_them_with_the_token_as_password(browser: Browser, site: Site) -> None:
    with site.served(Place(token=TOKEN)) as url:
        context = browser.new_context(http_credentials={"username": "any", "password": TOKEN})
        page = context.new_page()
        page.goto(f"{url}/policy")
        expect(page.get_by_role("heading", level=1)).to_have_text("Severity policy")
        colour = page.evaluate("getComputedStyle(document.querySelector('.panel')).borderTopStyle")
        assert colour == "solid", "the style sheet is loaded too"
        context.close()
