from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.routing import load_routing, parse_routing
from bot.adapters.yaml_lines import LARGEST, FileProblems
from bot.domain.classify import Severity
from bot.domain.contact import Mention, PagerRoute, notifier, pagerduty, slack
from bot.domain.correlation import Correlation
from bot.domain.escalation_policy import EscalationRule, EscalationStep, default_response_times
from bot.domain.flapping import Flapping
from bot.domain.grouping import Grouping, GroupingOverride
from bot.domain.heartbeat import Heartbeat
from bot.domain.matcher_text import parse_matcher
from bot.domain.page_test import PageTestPlan
from bot.domain.routing import RoutingPolicy
from bot.domain.schedule import Schedule
from bot.domain.storm import StormLimits
from bot.domain.suggestion import SuggestionRule

GOOD = r"""
grouping:
  by: [cluster, alertname]
  overrides:
    - match: ['database!=""', 'team=~"a|b"']
      by: [database]
correlations:
  - id: switch
    parent: ['alertname="SwitchDown"']
    child: ['rack!=""']
    equal: [rack]
    also_equal: [site]
    within: 90s
storm: {incidents: 3, critical: 0, within: 1h}
flapping: {rejoin: 0s, first_wait: 1m, longest_wait: 2m}
heartbeats:
  - id: alive
    match: ['alertname="Alive"']
    silent_for: 5m
    by: [site, rack]
escalations:
  - id: payments
    levels: [P0, P2]
    match: ['team="a"']
    steps:
      - {after: 5m, pagerduty: primary}
      - {after: 5m, notifier: sms-lead}
      - {after: 10m, slack: by-level}
    repeat: 2
    still_on_it: 45m
response_times: {P0: 10m, P3: 48h}
fallback: [{notifier: mail}, slack, {slack: channel}]
page_test: {schedule: "0 10 * * 1", timezone: Europe/Berlin, confirm_within: 2m}
schedules:
  - id: nightly
    runbook: backup@1.2.0
    parameters: {namespace: payments}
    cron: "30 2 * * *"
    timezone: Europe/Berlin
    auto: true
suggestions:
  - id: crash-loop
    match: ['team="a"']
    runbook: restart
    parameters: {workload: "${labels.namespace}/${labels.deployment}"}
    auto: false
"""
MINUTE = timedelta(minutes=1)
WORKLOAD = "${labels.namespace}/${labels.deployment}"


def problems(text: str) -> list[str]:
    """What is said about the text, without the file's name."""
    with pytest.raises(FileProblems) as caught:
        parse_routing(text.encode(), "routing.yaml")
    return [str(problem).removeprefix("routing.yaml:") for problem in caught.value.problems]


def test_every_key_is_read() -> None:
    database, team, down, rack, alive, of_a = map(
        parse_matcher,
        [
            'database!=""',
            'team=~"a|b"',
            'alertname="SwitchDown"',
            'rack!=""',
            'alertname="Alive"',
            'team="a"',
        ],
    )
    steps = (
        EscalationStep(5 * MINUTE, pagerduty(PagerRoute.PRIMARY)),
        EscalationStep(5 * MINUTE, notifier("sms-lead")),
        EscalationStep(10 * MINUTE, slack(Mention.BY_LEVEL)),
    )
    levels = (Severity.P0, Severity.P2)
    payments, workload = {"namespace": "payments"}, {"workload": WORKLOAD}
    times = {Severity.P0: 10 * MINUTE, Severity.P3: 48 * 60 * MINUTE}
    assert parse_routing(GOOD.encode(), "routing.yaml") == RoutingPolicy(
        Grouping(("cluster", "alertname"), (GroupingOverride((database, team), ("database",)),)),
        (Correlation("switch", (down,), (rack,), ("rack",), 1.5 * MINUTE, ("site",)),),
        StormLimits(3, 0, 60 * MINUTE),
        Flapping(timedelta(0), MINUTE, 2 * MINUTE),
        (Heartbeat("alive", (alive,), 5 * MINUTE, ("site", "rack")),),
        (EscalationRule("payments", levels, steps, (of_a,), 2, 45 * MINUTE),),
        {**default_response_times(), **times},
        (notifier("mail"), slack(Mention.BY_LEVEL), slack(Mention.CHANNEL)),
        PageTestPlan("0 10 * * 1", "Europe/Berlin", 2 * MINUTE),
        (Schedule("nightly", "backup@1.2.0", "30 2 * * *", "Europe/Berlin", payments, auto=True),),
        (SuggestionRule("crash-loop", (of_a,), "restart", workload, auto=False),),
        hashlib.sha256(GOOD.encode()).hexdigest(),
    )


def test_what_is_left_out_has_its_default() -> None:
    found = parse_routing(b"storm: {critical: 2}\ngrouping: {overrides: []}\n", "routing.yaml")
    assert replace(found, digest="") == RoutingPolicy(storm=StormLimits(critical=2))


def test_an_empty_list_means_none() -> None:
    text = b"correlations: []\nheartbeats: []\nescalations: []\nfallback: []\n"
    found = parse_routing(text, "routing.yaml")
    assert (found.correlations, found.heartbeats) == ((), ())
    assert (found.escalations, found.fallback) == ((), ())


def test_all_that_is_wrong_is_said_at_once_and_by_line() -> None:
    text = r"""colour: red
grouping:
  by: [cluster, severity]
  overrides:
    - match: ['team']
      by: [team, team]
    - match: ['annotation.summary="x"', 'text=~"x"']
      by: ["a b"]
    - by: []
correlations:
  - id: Node
    parent: ['a=~"("']
    child: [5]
    equal: []
    within: 0m
  - id: twice
    parent: ['a="b"']
    child: ['a="c"']
    equal: [a]
    within: 5
  - id: twice
    parents: ['a="b"']
storm:
  incidents: 0
  critical: "5"
  within: soon
flapping:
  first_wait: 20m
  rejoin: 1 week
heartbeats:
  - id: twice
    match: []
    by: [Severity]
  - id: twice
    match: 'alertname="Watchdog"'
    silent_for: -1m
"""
    severity = "severity is never in the key: a warning that turns critical is the same incident."
    labels_only = "routing looks at labels only; all else may change while an alert fires."
    assert problems(text) == [
        "1: “colour” is not known here.",
        f"3: {severity}",
        '5: “team” is not a matcher; write it like severity="critical".',
        "6: “team” is given twice.",
        f'7: “annotation.summary="x"”: {labels_only}',
        f'7: “text=~"x"”: {labels_only}',
        "8: “by 1”: String should match pattern '^[a-zA-Z_][a-zA-Z0-9_]{0,199}$'.",
        "9: “by”: List should have at least 1 item after validation, not 0.",
        "9: “match” is missing.",
        "11: “id”: String should match pattern '^[a-z][a-z0-9-]{0,62}$'.",
        "12: “(” is not a regex that can be read: missing ), unterminated subpattern at "
        "position 0.",
        "13: a matcher is a text; put it in single quotes.",
        "14: “equal”: List should have at least 1 item after validation, not 0.",
        "15: a duration of 0 is never over; make it longer.",
        "20: a duration is a text; put it in single quotes.",
        "21: the id “twice” is given twice.",
        "21: “child” is missing.",
        "21: “equal” is missing.",
        "21: “parent” is missing.",
        "21: “within” is missing.",
        "22: “parents” is not known here.",
        "24: “incidents”: Input should be greater than or equal to 1.",
        "25: “critical”: Input should be a valid integer.",
        "26: “soon” is not a duration; write it like 30s, 10m or 1h.",
        "29: “1 week” is not a duration; write it like 30s, 10m or 1h.",
        "32: “match”: List should have at least 1 item after validation, not 0.",
        f"33: {severity}",
        "34: the id “twice” is given twice.",
        "35: “match”: Input should be a valid list.",
        "36: “-1m” is not a duration; write it like 30s, 10m or 1h.",
    ]


def test_what_is_wrong_with_escalations_is_said_by_line() -> None:
    text = """escalations:
  - id: once
    levels: [P4]
    steps:
      - {after: 5m}
      - {after: 0m, slack: on-call}
      - {after: 5m, slack: on-call, notifier: mail}
      - {after: 5m, slack: everybody}
      - {after: 5m, notifier: "mailto://x"}
      - {slack: channel, phone: 5}
  - id: once
    levels: []
    match: []
    steps: []
    repeat: -1
    still_on_it: soon
  - id: unsorted
    levels: [P0, P0]
    steps:
      - {after: 10m, slack: channel}
      - {after: 5m, slack: channel}
response_times:
  P0: 0s
  P5: 1h
fallback:
  - pagerduty: primary
  - pagerduty: third
  - phone
  - {}
"""
    one_way = "say by which one way: pagerduty, notifier or slack."
    assert problems(text) == [
        "3: “levels 1”: Input should be 'P0', 'P1', 'P2' or 'P3'.",
        f"5: {one_way}",
        "6: a duration of 0 is never over; make it longer.",
        f"7: {one_way}",
        "8: “slack”: Input should be 'on-call', 'channel' or 'by-level'.",
        "9: “notifier”: String should match pattern '^[a-z][a-z0-9-]{0,62}$'.",
        "10: “after” is missing.",
        "10: “phone” is not known here.",
        "11: the id “once” is given twice.",
        "12: “levels”: List should have at least 1 item after validation, not 0.",
        "13: “match”: List should have at least 1 item after validation, not 0.",
        "14: “steps”: List should have at least 1 item after validation, not 0.",
        "15: “repeat”: Input should be greater than or equal to 0.",
        "16: “soon” is not a duration; write it like 30s, 10m or 1h.",
        "18: “P0” is given twice.",
        "19: a step comes before the one above it; sort them.",
        "23: a duration of 0 is never over; make it longer.",
        "24: “P5” is not known here.",
        "26: the primary key is what the fallback stands in for.",
        "27: “pagerduty”: Input should be 'primary' or 'secondary'.",
        f"28: {one_way}",
        f"29: {one_way}",
    ]


def test_a_way_that_is_tried_twice_is_a_mistake() -> None:
    assert problems("fallback: [slack, {slack: by-level}]") == [
        "1: “slack: by-level” is given twice."
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: the file is empty."),
        ("[]", "1: “the file” has to hold keys with values."),
        ("# x\ngrouping:\n", "2: “grouping” has to hold keys with values."),
        ("storm: {}\nheartbeats: 5\n", "2: “heartbeats”: Input should be a valid list"),
        ("correlations:\n  - 5\n", "2: “correlations 1” has to hold keys with values."),
        ("storm: {incidents: yes}\n", "1: “incidents”: Input should be a valid integer."),
        ("flapping: {first_wait: 20m}\n", "1: first_wait is longer than longest_wait."),
        ("storm: {}\nstorm: {}\n", "2: “storm” is given twice."),
        ("storm: {}\nescalation: []\n", "2: “escalation” is not known here."),
        ("storm: {\n", "2: this is not YAML that can be read"),
        ("x" * (LARGEST + 1), "1: the file is larger than"),
    ],
)
def test_a_file_of_another_shape_is_refused(text: str, said: str) -> None:
    assert problems(text)[0].startswith(said)


def test_a_file_is_read_and_named_in_its_problems(tmp_path: Path) -> None:
    file = tmp_path / "routing.yaml"
    file.write_text(GOOD, encoding="utf-8")
    assert load_routing(file) == parse_routing(GOOD.encode(), "routing.yaml")
    file.write_text("storm: 5\n", encoding="utf-8")
    with pytest.raises(FileProblems, match=r"/routing\.yaml:1: “storm”"):
        load_routing(file)


def test_a_file_that_is_not_there_is_a_problem_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match=r"routing\.yaml:1: No such file or directory\."):
        load_routing(tmp_path / "routing.yaml")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{}", "“schedule” is missing."),
        ('{schedule: "0 10 * *"}', "it has 4 fields and not the five"),
        ('{schedule: "0 10 30 2 *"}', "names no time"),
        ('{schedule: "0 10 * * 1", timezone: Berlin}', "There is no timezone “Berlin”"),
        ('{schedule: "0 10 * * {said}"}', "which cron can’t read."),
        ('{schedule: "0 10 * * 1", confirm_within: 0s}', "a duration of 0 is never over"),
        ('{schedule: "0 10 * * 1", at: 5}', "“at” is not known here."),
    ],
)
def test_a_schedule_of_page_tests_that_never_comes_is_refused(given: str, said: str) -> None:
    (problem,) = problems(f"page_test: {given}\n")
    assert said in problem


def test_nobody_tests_pages_unless_asked_to() -> None:
    assert parse_routing(b"{}", "routing.yaml").page_test is None


def test_what_is_wrong_with_schedules_and_suggestions_is_said_by_line() -> None:
    text = """
schedules:
  - id: one
    runbook: ../restart
    cron: "0 10 * * *"
  - {id: two, runbook: restart, cron: "0 10 30 2 *"}
  - {id: three, runbook: restart, cron: "0 10 * * *", timezone: Mars/Base}
  - {id: three, runbook: restart, cron: "0 10 * * *", auto: "yes"}
suggestions:
  - id: four
    match: ['a="b"']
    runbook: restart
    parameters: {workload: "${labels.a-b}/${x}", count: 3}
  - {id: five, match: [], runbook: restart}
  - {id: six, match: ['annotation.a="b"'], runbook: restart, run: now}
"""
    found = problems(text)
    assert [int(line.partition(":")[0]) for line in found] == [4, 6, 7, 8, 8, 13, 13, 14, 15, 15]
    said = "\n".join(found)
    for words in ("given twice", "names no time", "no timezone", "${labels.NAME}", "labels only"):
        assert words in said
