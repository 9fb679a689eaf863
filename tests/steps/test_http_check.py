from __future__ import annotations

import pytest

from bot.domain.errors import PermanentError, TemporaryError
from tests.support.step_bench import Bench

KIND = "http.check"
URL = "http://checkout.example/healthz"


def test_without_an_address_it_is_skipped_and_says_so(bench: Bench) -> None:
    step = bench.step(KIND, url="")
    assert step.plan().summary == "No address was given, so its health is not checked."
    assert step.execute().summary == "Skipped: no address was given."
    assert bench.probe.asked == []


@pytest.mark.parametrize("status", [200, 204, 299])
def test_success_is_any_status_of_the_two_hundreds(bench: Bench, status: int) -> None:
    bench.probe.answers[URL] = status
    assert bench.step(KIND, url=URL).execute().summary == f"{URL} answers {status}."


@pytest.mark.parametrize("status", [199, 301, 404, 503])
def test_anything_else_fails_when_the_time_is_over(bench: Bench, status: int) -> None:
    bench.probe.answers[URL] = status
    with pytest.raises(PermanentError, match=f"Not within 10s: {URL} answers {status}"):
        bench.step(KIND, url=URL, timeout="10s").execute()


def test_it_is_tried_again_until_it_answers(bench: Bench) -> None:
    bench.probe.answers[URL] = TemporaryError("connection refused")
    bench.later(5, lambda: bench.probe.answers.update({URL: 503}))
    bench.later(9, lambda: bench.probe.answers.update({URL: 200}))
    step = bench.step(KIND, url=URL, timeout="10s")
    assert step.execute().summary == f"{URL} answers 200."
    assert bench.progress == [
        "can't look now: connection refused",
        f"{URL} answers 503",
        f"{URL} answers 200",
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (503, f"{URL} answers 503."),
        (TemporaryError("connection refused"), f"{URL} does not answer: connection refused"),
        (PermanentError("no such host"), f"{URL} does not answer: no such host"),
    ],
)
def test_a_check_that_need_not_pass_reports_what_one_look_saw(
    bench: Bench, answer: int | PermanentError | TemporaryError, said: str
) -> None:
    bench.probe.answers[URL] = answer
    assert bench.step(KIND, url=URL, must_pass="false").execute().summary == said
    assert bench.probe.asked == [URL]


def test_the_plan_asks_nothing(bench: Bench) -> None:
    assert bench.step(KIND, url=URL).plan().summary == (f"Check that {URL} answers 2xx within 60s.")
    assert bench.step(KIND, url=URL, must_pass="false").plan().summary == (
        f"Report what {URL} answers."
    )
    assert bench.probe.asked == []


@pytest.mark.parametrize("status", [301, 401])
def test_other_statuses_can_be_what_is_healthy(bench: Bench, status: int) -> None:
    bench.probe.answers[URL] = status
    step = bench.step(KIND, url=URL, statuses=[301, "401"])
    assert step.plan().summary == f"Check that {URL} answers 301 or 401 within 60s."
    assert step.execute().summary == f"{URL} answers {status}."


def test_then_success_is_none(bench: Bench) -> None:
    bench.probe.answers[URL] = 200
    with pytest.raises(PermanentError, match=f"{URL} answers 200"):
        bench.step(KIND, url=URL, statuses=[301], timeout="5s").execute()


def test_a_text_can_be_required(bench: Bench) -> None:
    bench.probe.answers[URL] = "starting"
    bench.later(5, lambda: bench.probe.answers.update({URL: '{"status": "UP"}'}))
    step = bench.step(KIND, url=URL, contains='"UP"')
    assert step.plan().summary == f'Check that {URL} answers 2xx with “"UP"” within 60s.'
    assert step.execute().summary == f"{URL} answers 200."
    assert bench.progress == [f'{URL} answers 200 without “"UP"”', f"{URL} answers 200"]


@pytest.mark.parametrize("must_pass", [True, False])
def test_a_host_that_is_not_allowed_is_a_problem_of_the_plan(bench: Bench, must_pass: bool) -> None:
    bench.probe.forbidden.add(URL)
    problems = bench.step(KIND, url=URL, must_pass=must_pass).plan().problems
    assert problems == (f"{URL} is not allowed",)
    assert bench.probe.asked == []
