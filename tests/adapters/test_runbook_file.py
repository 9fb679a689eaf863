from __future__ import annotations

import hashlib

import pytest

from bot.adapters.runbook_file import RunbookReader
from bot.adapters.yaml_lines import FileProblems
from bot.domain.runbook import Parameter, ParameterType, Risk, Step
from bot.steps.registry import step_kinds
from tests.support.runbook_folder import good

SOURCE = "restart/1.0.0.yaml"


@pytest.fixture(scope="module")
def reader() -> RunbookReader:
    return RunbookReader(step_kinds())


def problems(reader: RunbookReader, text: str) -> list[str]:
    """What is said about the text, without the file's name."""
    with pytest.raises(FileProblems) as caught:
        reader.read(text.encode(), SOURCE)
    return [str(problem).removeprefix(f"{SOURCE}:") for problem in caught.value.problems]


def changed(before: str, after: str) -> str:
    """The good runbook with one part replaced."""
    text = good()
    assert text.count(before) == 1
    return text.replace(before, after)


def test_a_runbook_is_read(reader: RunbookReader) -> None:
    runbook = reader.read(good().encode(), SOURCE)
    assert runbook.reference == "restart@1.0.0"
    assert (runbook.summary, runbook.risk) == ("Restart it.", Risk.LOW)
    assert runbook.parameters == (
        Parameter("workload", ParameterType.WORKLOAD, "What to restart."),
        Parameter("soak", ParameterType.DURATION, "How long to watch.", "30s"),
    )
    assert runbook.steps == (
        Step(
            "restart",
            "kubernetes.rollout_restart",
            "Restart the pods",
            {"workload": "${parameters.workload}"},
        ),
    )
    assert runbook.verification[0].arguments == {
        "workload": "${parameters.workload}",
        "soak": "${parameters.soak}",
        "minimum": "2",
    }


def test_it_keeps_the_text_and_its_digest(reader: RunbookReader) -> None:
    content = good().replace("\n", "\r\n").encode()
    runbook = reader.read(content, SOURCE)
    assert runbook.text.encode() == content
    assert runbook.digest == hashlib.sha256(content).hexdigest()


def test_numbers_and_truth_values_become_text(reader: RunbookReader) -> None:
    text = changed(
        "default: 30s",
        "default: 30s\n  count:\n    type: integer\n    description: How many.\n    default: 3",
    )
    text = text.replace("minimum: 2", "minimum: ${parameters.count}")
    assert reader.read(text.encode(), SOURCE).parameters[2].default == "3"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("risk: low\n", "risk: low\nowner: me\n", "5: “owner” is not known here."),
        ("summary: Restart it.\n", "", "1: “summary” is missing."),
        ("summary: Restart it.", "summary: ' '", "3: “summary”: String should have at least 1"),
        ("summary: Restart it.", "summary: 5", "3: “summary”: Input should be a valid string."),
        ("risk: low", "risk: mild", "4: “risk”: Input should be 'none', 'low', 'medium' or"),
        ("name: restart", "name: reboot", "1: the name is “reboot”, but the file's place says"),
        ("version: 1.0.0", "version: 1.0.1", "2: the version is “1.0.1”, but the file's place"),
        ("version: 1.0.0", "version: 1.0", "2: “version”: Input should be a valid string."),
        ("    title: Restart the pods\n", "", "14: “title” is missing."),
        ("id: restart", "id: ready", "20: another step has the id “ready” already."),
        ("id: restart", "id: Re start", "14: “id”: String should match pattern"),
        ("kind: kubernetes.rollout_restart", "kind: shell", "16: there is no kind “shell”; "),
        ("    kind: kubernetes.rollout_restart\n", "", "14: “kind” is missing."),
        ("      minimum: 2\n", "      least: 2\n", "26: “least” is not known here."),
        ("minimum: 2", "minimum: 0", "26: minimum must be all, or a number from 1 to 9999; it is"),
        ("minimum: 2", "minimum: [2]", "26: “minimum”: Input should be a valid string."),
        ("minimum: 2", "minimum: 2.0", "26: “minimum”: Input should be a valid string."),
        ("minimum: 2", "minimum: null", "26: “minimum”: Input should be a valid string."),
        ("minimum: 2", "service: a/b", "23: Give either workload or service."),
        ("soak: ${parameters.soak}", "soak: soon", "25: soak must be a duration such as"),
        ("soak: ${parameters.soak}", "soak: ${parameters.workload}", "25: soak must be a dur"),
        ("minimum: 2", "minimum: ${parameters.x}", "26: ${parameters.x} is no placeholder"),
        ("minimum: 2", "minimum: ${steps.a.b}", "26: ${steps.a.b} is no placeholder"),
        ("minimum: 2", "minimum: 'a ${ b'", "26: ${ b is no placeholder"),
        ("Watch the pods", "Watch ${parameters.workload}", "21: placeholders are replaced only"),
        ("default: 30s", "default: ${parameters.workload}", "12: placeholders are replaced only"),
        ("default: 30s", "default: soon", "12: soak must be a duration such as 30s"),
        ("default: 30s", "default:", "12: “default”: Input should be a valid string."),
        ("type: duration", "type: time", "10: “type”: Input should be 'string', 'integer',"),
        ("  soak:\n    type", "  soak-time:\n    type", "9: “soak-time”: String should match"),
        ("    default: 30s", "  pods:\n    type: url\n    description: x",
         "12: the parameter “pods” is used by no step."),
        ("kind: kubernetes.ready_pods", "kind: kubernetes.rollout_restart",
         "22: a verification changes nothing, but kubernetes.rollout_restart does."),
        ("summary: Restart it.", "summary: &x Restart it.", "3: anchors and aliases (“x”)"),
        ("risk: low\n", "risk: low\nrisk: high\n", "5: “risk” is given twice."),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_line(
    reader: RunbookReader, before: str, after: str, said: str
) -> None:
    found = problems(reader, changed(before, after))
    assert any(problem.startswith(said) for problem in found), found


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "5",
        "a: b",
        "steps: {a: b}",
        "steps: [5, [], null, {with: 5}, {with: {a: [1]}}]",
        "parameters: [a]\nsteps: []",
        "parameters: {a: b, c: {type: [1]}, d: {type: url, default: {}}}",
        "verification: x",
    ],
)
def test_data_of_any_shape_are_refused_not_crashed_on(reader: RunbookReader, text: str) -> None:
    assert problems(reader, text)


def test_all_faults_are_told_at_once(reader: RunbookReader) -> None:
    text = good()
    for before, after in (
        ("risk: low", "risk: mild"),
        ("type: duration", "type: time"),
        ("    title: Restart the pods\n", ""),
        ("minimum: 2", "minimum: ${parameters.x}"),
    ):
        text = text.replace(before, after)
    assert [problem.split(":")[0] for problem in problems(reader, text)] == ["4", "10", "14", "25"]


def test_a_placeholder_s_own_fault_is_told_once(reader: RunbookReader) -> None:
    found = problems(reader, changed("soak: ${parameters.soak}", "soak: ${parameters.soakk}"))
    assert found == [
        "9: the parameter “soak” is used by no step.",
        "25: ${parameters.soakk} is no placeholder of a known parameter.",
    ]
