from __future__ import annotations

import hashlib
from typing import Any

import pytest

from bot.adapters.codec import dump, load
from bot.adapters.runbook_file import RunbookReader
from bot.adapters.yaml_lines import FileProblems
from bot.domain.parameter import Parameter, ParameterType
from bot.domain.plan import StepOutcome, StepPlan
from bot.domain.runbook import Risk, Runbook, Step
from bot.ports import StepContext
from bot.steps.arguments import Arguments
from bot.steps.base import ReadOnlyStep
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
        ("rollout_restart", "rollout_restrat",
         "16: there is no kind “kubernetes.rollout_restrat”. Did you mean “kubernetes.roll"),
        ("    kind: kubernetes.rollout_restart\n", "", "14: “kind” is missing."),
        ("      minimum: 2\n", "      least: 2\n", "26: “least” is not known here."),
        ("minimum: 2", "minimum: 0", "26: minimum must be all, or a number from 1 to 9999; it is"),
        ("minimum: 2", "minimum: [2]", "26: “minimum”: Input should be a valid string."),
        ("minimum: 2", "minimum: 2.0", "26: “minimum” is neither text nor a whole number"),
        ("minimum: 2", "minimum: null", "26: “minimum” is neither text nor a whole number"),
        ("minimum: 2", "minimum: 2026-01-01", "26: “minimum” is neither text nor a whole number"),
        ("minimum: 2", "service: a/b", "23: Give either workload or service."),
        ("soak: ${parameters.soak}", "soak: soon", "25: soak must be a duration such as"),
        ("soak: ${parameters.soak}", "soak: ${parameters.workload}", "25: soak must be a dur"),
        ("minimum: 2", "minimum: ${parameters.x}", "26: ${parameters.x} is no placeholder"),
        ("minimum: 2", "minimum: ${steps.a.b}", "26: ${steps.a.b}: there is no step “a”."),
        ("minimum: 2", "minimum: ${steps.ready.b}", "26: ${steps.ready.b}: the step “ready” does"),
        ("minimum: 2", "minimum: ${steps.restart.pods}",
         "26: ${steps.restart.pods}: the plan of kubernetes.rollout_restart decides nothing, not"),
        ("minimum: 2", "minimum: 'a ${ b'", "26: ${ b has not the form of a placeholder."),
        ("minimum: 2", "'${parameters.soak}': 2", "26: placeholders are not replaced in keys."),
        ("Watch the pods", "Watch ${parameters.workload}", "21: placeholders are replaced only"),
        ("default: 30s", "default: ${parameters.workload}", "12: placeholders are replaced only"),
        ("default: 30s", "default: soon", "12: soak must be a duration such as 30s"),
        ("default: 30s", "default:", "12: “default”: Input should be a valid string."),
        ("type: duration", "type: moment", "10: there is no type “moment”; there are 'string',"),
        ("  soak:\n    type", "  soak-time:\n    type", "9: “soak-time”: String should match"),
        ("    default: 30s", "  pods:\n    type: url\n    description: x",
         "12: the parameter “pods” is used by no step."),
        ("kind: kubernetes.ready_pods", "kind: kubernetes.rollout_restart",
         "22: a verification changes nothing, but kubernetes.rollout_restart does."),
        ("risk: low", "risk: none",
         "16: the risk is none, but kubernetes.rollout_restart changes something; "),
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
        ("type: duration", "type: moment"),
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


@pytest.mark.parametrize("type_", ParameterType)
def test_every_type_of_parameter_is_known(reader: RunbookReader, type_: ParameterType) -> None:
    more = "\n    values: [a, b]" if type_ is ParameterType.ENUM else ""
    text = changed("type: duration", f"type: {type_}{more}").replace("    default: 30s\n", "")
    text = text.replace("      soak: ${parameters.soak}\n", "")
    (unused,) = problems(reader, text)
    assert "the parameter “soak” is used by no step." in unused


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("type: duration\n    minimum: 40s", "13: soak must be a duration such as 30s, 10m or 1h, "
         "from 40s; it is “30s”."),
        ("type: duration\n    maximum: 20s", "13: soak must be a duration such as 30s, 10m or 1h, "
         "to 20s; it is “30s”."),
        ("type: duration\n    minimum: soon", "11: soak must be a duration such as 30s, 10m or 1h; "
         "it is “soon”."),
        ("type: integer\n    minimum: x", "11: soak must be a whole number; it is “x”."),
        ("type: duration\n    minimum: 2m\n    maximum: 1m", "11: the minimum is larger than the"),
        ("type: enum\n    values: [30s, 30s]", "11: “30s” is given twice."),
        ("type: enum\n    values: ['a b']", "11: soak must be one of its choices; it is “a b”."),
        ("type: enum\n    values: [1m]", "13: soak must be one of 1m; it is “30s”."),
        ("type: enum\n    values: []", "11: “values”: List should have at least 1 item"),
        ("type: enum", "9: “values” is missing."),
        ("type: string\n    minimum: 1", "11: “minimum” is not known here."),
        ("type: duration\n    values: [1s]", "11: “values” is not known here."),
    ],
)  # fmt: skip
def test_limits_choices_and_defaults_fit_each_other(
    reader: RunbookReader, keys: str, said: str
) -> None:
    found = problems(reader, changed("type: duration", keys))
    assert any(problem.startswith(said) for problem in found), found


def test_limits_and_choices_are_kept(reader: RunbookReader) -> None:
    text = changed("type: duration", "type: duration\n    minimum: 1s\n    maximum: 1m")
    (_, soak) = reader.read(text.encode(), SOURCE).parameters
    assert (soak.minimum, soak.maximum) == ("1s", "1m")


# --- nested arguments, and what plans decide -------------------------------------------


class SomeArguments(Arguments):
    manifest: dict[str, Any] | None = None
    count: int = 1


class Find(ReadOnlyStep[SomeArguments]):
    name = "test.find"
    arguments = SomeArguments
    decides = frozenset({"revision"})

    def intent(self, arguments: SomeArguments) -> str:
        return "Find it."

    def prepare(self, arguments: SomeArguments, context: StepContext) -> StepPlan:
        return StepPlan("Find it.", decided={"revision": "3"})

    def execute(self, arguments: SomeArguments, context: StepContext) -> StepOutcome:
        return StepOutcome("Found.")


NESTED = """\
name: restart
version: 1.0.0
summary: Patch it.
risk: low
parameters:
  replicas:
    type: integer
    description: How many.
steps:
  - id: find
    title: Find it
    kind: test.find
    with:
      count: ${parameters.replicas}
  - id: use
    title: Use it
    kind: test.find
    with:
      manifest:
        metadata: {labels: {revision: "r-${steps.find.revision}"}}
        spec:
          replicas: ${parameters.replicas}
          paused: false
          ports: [80, "${parameters.replicas}"]
"""


@pytest.fixture(scope="module")
def nested() -> RunbookReader:
    return RunbookReader({Find.name: Find()})


def test_nested_arguments_keep_their_shape_and_get_their_values(nested: RunbookReader) -> None:
    runbook = nested.read(NESTED.encode(), SOURCE)
    decided = {"find": {"revision": "3"}}
    assert runbook.arguments(runbook.step("use"), {"replicas": "5"}, decided) == {
        "manifest": {
            "metadata": {"labels": {"revision": "r-3"}},
            "spec": {"replicas": 5, "paused": False, "ports": [80, 5]},
        }
    }
    assert runbook.arguments(runbook.step("find"), {"replicas": "5"}, {}) == {"count": "5"}


def test_what_a_plan_decides_may_be_any_argument(nested: RunbookReader) -> None:
    text = NESTED.partition("      manifest:")[0] + "      count: ${steps.find.revision}\n"
    runbook = nested.read(text.encode(), SOURCE)
    decided = {"find": {"revision": "3"}}
    assert runbook.arguments(runbook.step("use"), {}, decided) == {"count": "3"}


def test_a_runbook_with_nested_arguments_is_kept_as_it_is(nested: RunbookReader) -> None:
    runbook = nested.read(NESTED.encode(), SOURCE)
    assert load(dump(runbook), Runbook) == runbook


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("paused: false", "paused:", "23: “paused” is neither text nor a whole number"),
        ("paused: false", "paused: 1.5", "23: “paused” is neither text nor a whole number"),
        ("paused: false", f"paused: {2**63}", "23: “paused” is neither text nor a whole"),
        ("paused: false", "paused: ${parameters.x}", "23: ${parameters.x} is no placeholder of"),
        ("paused: false", "${parameters.replicas}: 1", "23: placeholders are not replaced in keys"),
        ("steps.find.revision", "steps.find.image",
         "20: ${steps.find.image}: the plan of test.find decides revision, not “image”."),
        ("steps.find.revision", "steps.use.revision", "20: ${steps.use.revision}: the step “use” "
         "does not come before this one."),
        ("steps.find.revision", "steps.gone.revision", "20: ${steps.gone.revision}: there is no"),
        ("paused: false", 'paused: "\\ud800"', "23: an escape (\\ud800 to"),
    ],
)  # fmt: skip
def test_faults_in_nested_arguments_are_told_with_their_line(
    nested: RunbookReader, before: str, after: str, said: str
) -> None:
    assert NESTED.count(before) == 1
    found = problems(nested, NESTED.replace(before, after))
    assert any(problem.startswith(said) for problem in found), found
