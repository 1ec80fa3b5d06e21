"""A topic that is no name and no pattern on every bus is an error in every sentence that takes one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from choreo_bdd.topic_patterns import malformed
from choreo_bdd_steps.lint import Severity, lint
from tests.support.examples import examples

ACT, CHECK = 'When I publish "a"', 'Then I expect "b"'
PLACES = (
    ['When I publish "TOPIC"', CHECK],
    ['When I publish 2 "TOPIC" messages', CHECK],
    ['When I publish "TOPIC" with key "k"', CHECK],
    ['When I request "TOPIC"', "Then I expect a reply"],
    [ACT, 'Then I expect "TOPIC"'],
    [ACT, 'Then I expect another "TOPIC"'],
    [ACT, 'Then I expect no "TOPIC" for 50ms'],
    [ACT, CHECK, 'Then I expect no other "TOPIC" for 50ms'],
    [ACT, 'Then I expect exactly 2 "TOPIC" messages'],
    [ACT, 'Then I expect between 1 and 3 "TOPIC" messages'],
    [ACT, 'Then from "TOPIC" to "b" takes at most 50ms'],
    [ACT, 'Then from "b" to "TOPIC" takes at most 50ms'],
    [ACT, "Then I expect in order:\n      | topic |\n      | b     |\n      | TOPIC |"],
    ['Given a service that answers "TOPIC" with "b"', ACT, CHECK],
    ['Given a service that answers "a" with "TOPIC"', ACT, CHECK],
    ['Given a service that drops "TOPIC"', ACT, CHECK],
)
SEGMENTS = ("a", "b-c", "A", "7", "*", ">", "#", "+", "?", "a*", "*a", ">a", "a>", "**", " ")
WRONG = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4).map(".".join).filter(malformed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forms")
    (folder / "choreo.yaml").write_text("profiles: {memory: {bus: {type: memory}}}\n")
    return folder


@examples(100, deadline=None)
@given(topic=WRONG, steps=st.sampled_from(PLACES))
def test_no_sentence_takes_what_is_neither_a_name_nor_a_pattern(folder: Path, topic: str, steps: list[str]) -> None:
    assume("in order" not in steps[-1] or malformed(topic.strip()))  # the blanks around a cell are none of it
    path = folder / "forms.feature"
    text = "\n    ".join(steps)
    path.write_text(f"Feature: forms\n  Scenario: one\n    {text.replace('TOPIC', topic)}\n")
    errors = [finding for finding in lint([path]) if finding.severity is Severity.ERROR]
    assert errors, (topic, steps)
    path.write_text(f"Feature: forms\n  Scenario: one\n    {text.replace('TOPIC', 'c.d')}\n")
    assert [finding for finding in lint([path]) if finding.severity is Severity.ERROR] == []
