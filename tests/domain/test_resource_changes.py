from __future__ import annotations

from typing import Any

from bot.domain.resource_changes import MOST_LINES, change_lines


def with_data(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}, "data": data}


def test_what_the_server_writes_by_itself_is_no_change() -> None:
    before = with_data(x="1")
    metadata = {
        "name": "it",
        "resourceVersion": "7",
        "managedFields": [{"manager": "tocsin"}],
        "annotations": {"tocsin/last-step": "run-1/it", "tocsin/before-last-step": "{}"},
    }
    assert change_lines(before, {**before, "metadata": metadata, "status": {"a": 1}}) == ()


def test_added_removed_and_changed_fields() -> None:
    lines = change_lines(with_data(x="1", y="a"), with_data(x="2", z="true"))
    assert lines == ('- data.x: "1"', '+ data.x: "2"', "- data.y: a", '+ data.z: "true"')


def test_a_text_that_can_be_taken_for_something_else_is_quoted() -> None:
    assert change_lines(with_data(), with_data(x="a\u202eb", y="", z=" a")) == (
        '+ data.x: "a\u202eb"',
        '+ data.y: ""',
        '+ data.z: " a"',
    )


def test_long_texts_show_the_lines_that_differ() -> None:
    old = "a: 1\nb: 2\nc: 3\nd: 4\n"
    lines = change_lines(with_data(file=old), with_data(file=old.replace("d: 4", "d: 5")))
    assert lines == ("  data.file:", "  @@ -3,2 +3,2 @@", "    c: 3", "-   d: 4", "+   d: 5")


def test_a_secret_s_values_are_not_shown() -> None:
    secret = change_lines(with_data(x="aa\nbb", y="1"), with_data(x="cc", z="2"), secret=True)
    assert secret == (
        "- data.x: (hidden)",
        "+ data.x: (hidden)",
        "- data.y: (hidden)",
        "+ data.z: (hidden)",
    )


def test_too_many_lines_are_counted() -> None:
    many = {f"key{number:03}": "x" for number in range(MOST_LINES + 5)}
    lines = change_lines(with_data(), with_data(**many))
    assert lines[-1] == "… and 5 more lines that differ"
