"""The reading of one runbook file, with everything that is wrong with it said at once.

The model sees the arguments of steps with each placeholder replaced by an example of
its parameter, so that an argument that can't be right is found when the file is read,
and not at 3 a.m.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from bot.adapters.model_problems import model_problems
from bot.adapters.runbook_draft import SECTIONS, Draft, DraftStep, draft_of, with_examples
from bot.adapters.runbook_model import RunbookModel, runbook_model
from bot.adapters.runbook_rules import rule_problems
from bot.adapters.yaml_lines import FileProblems, Lines, Path, Problem, load
from bot.domain.parameter import ParameterType
from bot.domain.runbook import Runbook, Step
from bot.ports import StepKind


class RunbookReader:
    """Reads runbooks whose steps are of these kinds."""

    def __init__(self, kinds: Mapping[str, StepKind]) -> None:
        self._kinds = kinds
        self._model = runbook_model(kinds.values())

    def read(self, content: bytes, source: str) -> Runbook:
        """The runbook in a file; `source` is ``name/version.yaml``, which it has to agree with.

        A draft, ``name/draft.yaml``, may have any version.

        Raises `FileProblems` with all that is wrong.
        """
        data, lines = load(content, source)
        if not isinstance(data, dict):
            raise FileProblems((lines.problem((), "a runbook is a mapping of keys to values."),))
        draft = draft_of(data)
        problems = list(rule_problems(data, draft, lines, self._kinds))
        try:
            self._model.model_validate(with_examples(data, draft))
        except ValidationError as error:
            problems += self._format_problems(error, draft, lines)
        if problems:
            raise FileProblems(tuple(problems))
        # The kinds' own models can't judge what a plan decides, so they may make nothing of it.
        return _runbook(RunbookModel.model_validate(data), draft, content)

    def _format_problems(
        self, error: ValidationError, draft: Draft, lines: Lines
    ) -> Iterator[Problem]:
        """What the format's model found, except where a placeholder had no example."""
        undecided = draft.undecided
        for path, problem in model_problems(error, lines, self._path_of):
            if path[:4] not in undecided:
                yield problem

    def _path_of(self, location: Path) -> Path:
        """The location without the kind's or type's name, which pydantic puts after an index."""
        section, tag = location[:1], location[2:3]
        tags = frozenset(ParameterType) if section == ("parameters",) else self._kinds.keys()
        if section and section[0] in (*SECTIONS, "parameters") and tag and tag[0] in tags:
            return location[:2] + location[3:]
        return location


def _runbook(model: RunbookModel, draft: Draft, content: bytes) -> Runbook:
    return Runbook(
        name=model.name,
        version=model.version,
        summary=model.summary,
        risk=model.risk,
        parameters=draft.parameters,
        steps=_steps(draft, "steps"),
        verification=_steps(draft, "verification"),
        text=content.decode("utf-8"),
        digest=hashlib.sha256(content).hexdigest(),
        changes_tocsin=model.changes_tocsin,
    )


def _steps(draft: Draft, section: str) -> tuple[Step, ...]:
    return tuple(_step(step) for step in draft.steps if step.path[0] == section)


def _step(step: DraftStep) -> Step:
    return Step(step.id, step.kind, step.title, step.arguments, step.cluster)
