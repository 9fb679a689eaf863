"""YAML that remembers its lines, so that every problem can be said as ``file:line: sentence``.

Only plain data is taken: no anchors and aliases (a short file may unfold to
gigabytes), no tags, no keys twice, no depth beyond what these files need.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.events import CollectionEndEvent, CollectionStartEvent, NodeEvent, ScalarEvent

from bot.domain.errors import InvalidInput

Path = tuple[str | int, ...]
"""Where a value stands: the keys and indices that lead to it from the top."""

LARGEST = 64 * 1024
"""Bytes of the largest file that is read; a runbook or a policy is a few kilobytes."""

_TEXT_TAG = "tag:yaml.org,2002:str"

_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
"""What UTF-8, and so the database and every vendor, can't hold."""

DEEPEST = 20
"""Levels of nesting; PyYAML's time grows with the square of them, and its stack too."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with one file."""

    source: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.sentence}"


class FileProblems(InvalidInput):
    """All that is wrong with some files, one problem a line."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Lines:
    """Says on which line of `source` each value (in a mapping: its key) stands."""

    source: str
    by_path: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of the value at `path`, or of the nearest that is there and holds it."""
        while path and path not in self.by_path:
            path = path[:-1]
        return self.by_path.get(path, 1)

    def problem(self, path: Path, sentence: str) -> Problem:
        """The problem of the value at `path`."""
        return Problem(self.source, self.line(path), sentence)


def load(content: bytes, source: str) -> tuple[Any, Lines]:
    """The file's data and their lines. Raises `FileProblems` with all that is wrong."""
    try:
        return _load(_text(content, source), source)
    except yaml.YAMLError as error:
        raise FileProblems((_syntax_problem(error, source),)) from error


def _text(content: bytes, source: str) -> str:
    if len(content) > LARGEST:
        raise FileProblems((Problem(source, 1, f"the file is larger than {LARGEST} bytes."),))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileProblems((Problem(source, line, "this is not UTF-8."),)) from error


def _load(text: str, source: str) -> tuple[Any, Lines]:
    root = _PlainLoader(text, source).get_single_node()
    if root is None:
        raise FileProblems((Problem(source, 1, "the file is empty."),))
    reader = _Reader(Lines(source))
    data = reader.read(root, ())
    if reader.problems:
        raise FileProblems(tuple(reader.problems))
    return data, reader.lines


class _PlainLoader(yaml.SafeLoader):
    """Refuses what must not even be composed: aliases, and nesting without end."""

    def __init__(self, text: str, source: str) -> None:
        super().__init__(text)
        self._source = source
        self._depth = 0

    def get_event(self) -> yaml.Event:
        event: yaml.Event = super().get_event()  # type: ignore[no-untyped-call]
        start, end = isinstance(event, CollectionStartEvent), isinstance(event, CollectionEndEvent)
        self._depth += start - end
        sentence = self._refusal(event)
        if sentence:
            raise FileProblems((Problem(self._source, _line(event), sentence),))
        return event

    def _refusal(self, event: yaml.Event) -> str:
        if self._depth > DEEPEST:
            return f"this is nested deeper than {DEEPEST} levels."
        if isinstance(event, NodeEvent) and event.anchor is not None:
            return f"anchors and aliases (“{event.anchor}”) are not taken: write it out."
        if isinstance(event, ScalarEvent) and _HALF_A_CHARACTER.search(event.value):
            return "an escape (\\ud800 to \\udfff) is half a character only."
        return ""


def _syntax_problem(error: yaml.YAMLError, source: str) -> Problem:
    line = _marked(error, "problem_mark") or 1
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    begun = _begun(error)
    if begun and begun < line:
        line, what = begun, f"what begins here does not end, and on line {line} {what}"
    return Problem(source, line, f"this is not YAML that can be read: {what}.")


def _begun(error: yaml.YAMLError) -> int | None:
    """The line of the bracket or quotation mark that is never closed, if it is that.

    The parser notices it only where what follows fits in no more, maybe pages below.
    """
    context = getattr(error, "context", None) or ""
    return _marked(error, "context_mark") if "flow" in context or "quoted" in context else None


def _marked(error: yaml.YAMLError, mark: str) -> int | None:
    """The line of one of the error's marks, counted from 1."""
    found = getattr(error, mark, None)
    return found.line + 1 if found else None


class _Reader:
    """Turns nodes into data; collects the lines and the problems."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.problems: list[Problem] = []
        self._constructor = SafeConstructor()

    def read(self, node: yaml.Node, path: Path) -> Any:
        self.lines.by_path.setdefault(path, _line(node))
        match node:
            case yaml.MappingNode():
                self._check_tag(node, "map")
                return self._mapping(node, path)
            case yaml.SequenceNode():
                self._check_tag(node, "seq")
                return self._sequence(node, path)
            case _:
                return self._scalar(node)

    def _check_tag(self, node: yaml.Node, kind: str) -> None:
        if node.tag != f"tag:yaml.org,2002:{kind}":
            self._add(node, f"the tag {node.tag} is not known here.")

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _TEXT_TAG:
                self._add(key_node, "a key must be text; put it in quotes.")
                continue
            if key in data:
                self._add(key_node, f"“{key}” is given twice.")
                continue
            self.lines.by_path[(*path, key)] = _line(key_node)
            data[key] = self.read(value_node, (*path, key))
        return data

    def _sequence(self, node: yaml.Node, path: Path) -> list[Any]:
        return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            return self._constructor.construct_object(node)
        except (ConstructorError, ValueError) as error:
            why = getattr(error, "problem", None) or str(error)
            self._add(node, f"“{node.value[:60]}” can't be read: {why}.")
            return None

    def _add(self, node: yaml.Node, sentence: str) -> None:
        self.problems.append(Problem(self.lines.source, _line(node), sentence))


def _line(place: yaml.Node | yaml.Event) -> int:
    assert place.start_mark is not None, "what was read from a text has its place in it"
    return place.start_mark.line + 1
