from __future__ import annotations

from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.yaml_lines import DEEPEST, LARGEST, FileProblems, Problem, load

TEXT = b"""\
name: restart
steps:
  - id: look
    with:
      workload: a/b

  - id: wait
"""


def problems(content: bytes) -> list[str]:
    with pytest.raises(FileProblems) as caught:
        load(content, "file.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_data_come_with_the_line_of_every_value() -> None:
    data, lines = load(TEXT, "file.yaml")
    assert data == {
        "name": "restart",
        "steps": [{"id": "look", "with": {"workload": "a/b"}}, {"id": "wait"}],
    }
    assert lines.line(("name",)) == 1
    assert lines.line(("steps",)) == 2
    assert lines.line(("steps", 0)) == 3
    assert lines.line(("steps", 0, "with", "workload")) == 5
    assert lines.line(("steps", 1, "id")) == 7


def test_what_is_missing_is_placed_where_it_belongs() -> None:
    _, lines = load(TEXT, "file.yaml")
    assert lines.line(("steps", 1, "with", "workload")) == 7
    assert lines.line(("steps", 0, "with", "timeout")) == 4
    assert lines.line(("version",)) == 1
    assert str(lines.problem(("steps", 1), "No.")) == "file.yaml:7: No."


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(alphabet="abc:# -'é\n")),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text("abc", min_size=1), inner)
        ),
        max_leaves=10,
    )
)
def test_it_reads_what_yaml_writes(data: object) -> None:
    assert load(yaml.safe_dump(data).encode(), "file.yaml")[0] == data


def test_every_repeated_key_is_told() -> None:
    assert problems(b"a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        "file.yaml:2: “c” is given twice.",
        "file.yaml:3: “a” is given twice.",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "file.yaml:1: the file is empty."),
        (b"# only this\n", "file.yaml:1: the file is empty."),
        (b"a: b\nc: d: e\n", "file.yaml:2: this is not YAML that can be read"),
        (b"a: b\nc: [d\ne: f\ng: h\n", "file.yaml:2: this is not YAML that can be read: what b"),
        (b"a: b\nc: {d\ne: f\ng: h\n", "file.yaml:2: this is not YAML that can be read: what b"),
        (b"a: b\nc: 'd\ne: f\ng: h\n", "file.yaml:2: this is not YAML that can be read: what b"),
        (b"a: 1\n---\nb: 2\n", "file.yaml:2: this is not YAML that can be read"),
        (b"a: \x00\n", "file.yaml:1: this is not YAML that can be read"),
        (b"a: 1\nb: \xff\n", "file.yaml:2: this is not UTF-8."),
        (b"a: &x 1\nb: *x\n", "file.yaml:1: anchors and aliases (“x”)"),
        (b"a: 1\nb: *x\n", "file.yaml:2: anchors and aliases (“x”)"),
        (b"a:\n  <<: {b: 1}\n", "file.yaml:2: a key must be text"),
        (b"a: 1\nb: !!python/object:os.system {}\n", "file.yaml:2: the tag "),
        (b"a: !!python/name:os.system x\n", "file.yaml:1: “x” can't be read"),
        (b"a: !secret x\n", "file.yaml:1: “x” can't be read"),
        (b"a: 2024-99-99\n", "file.yaml:1: “2024-99-99” can't be read"),
        (b"a: 1\n1: b\n", "file.yaml:2: a key must be text"),
        (b"a: 1\n? [b]\n: c\n", "file.yaml:2: a key must be text"),
        (b"a: 1\n? !!str [b]\n: c\n", "file.yaml:2: a key must be text"),
        (b"a: 1\nyes: b\n", "file.yaml:2: a key must be text"),
    ],
)
def test_what_is_not_plain_data_is_refused_by_line(content: bytes, said: str) -> None:
    (problem,) = problems(content)
    assert problem.startswith(said)
    assert "\n" not in problem


def test_a_number_too_long_to_read_is_refused() -> None:
    assert "can't be read" in problems(b"a: " + b"9" * 5000)[0]


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- "])
def test_endless_nesting_is_refused(opening: bytes) -> None:
    content = (opening * LARGEST)[:LARGEST]
    assert f"nested deeper than {DEEPEST} levels" in problems(content)[0]


def test_a_file_of_billions_is_refused_before_it_is_unfolded() -> None:
    bomb = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (name + 1, name + 1, b",".join([b"*%c" % name] * 9))
        for name in range(ord("a"), ord("i"))
    )
    assert problems(bomb) == ["file.yaml:1: anchors and aliases (“a”) are not taken: write it out."]


def test_a_large_file_is_refused() -> None:
    (problem,) = problems(b"#" * (LARGEST + 1))
    assert problem == f"file.yaml:1: the file is larger than {LARGEST} bytes."


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_they_are_read_or_refused(content: bytes) -> None:
    with suppress(FileProblems):
        _, lines = load(content, "file.yaml")
        assert lines.line(()) >= 1


def test_problems_are_sorted_by_file_and_line() -> None:
    error = FileProblems((Problem("b", 1, "x."), Problem("a", 10, "y."), Problem("a", 9, "z.")))
    assert str(error) == "a:9: z.\na:10: y.\nb:1: x."
