"""Planted faults: lint finds each of them, at its line, and nothing on features that are sound."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_steps.language.extensions import user_matcher
from choreo_bdd_steps.lint import Finding, Severity, as_code_quality, as_github, as_json, as_text, feature_files, lint
from choreo_bdd_steps.lint.suggesting import did_you_mean, suggestion
from choreo_bdd_steps.plan.explain import explain_file

CONFIG = """
profiles:
  memory:
    bus: {type: memory}
    kafka: {type: memory}
default_transport: bus
timeout: 1s
"""

BODY = '\n      """\n      {body}\n      """'


def doc(body: str) -> str:
    return BODY.format(body=body.replace("\n", "\n      "))


SOUND = ('When I publish "a"', 'Then I expect "b"')
# rule, and the steps of a scenario in which the line marked with # ! is the faulty one
PLANTED = [
    ("undefined-step", ['When I publish "a"', 'Then I expct "b"  # !']),
    ("undefined-step", ["When I publish orders.created  # !", 'Then I expect "b"']),
    ("undefined-step", ["When I publish 'a'  # !", 'Then I expect "b"']),
    ("undefined-step", ['When I publish "a"', 'Then I expect "b" in 50ms  # !']),
    ("undefined-step", ['When I publish "a"', 'Then I expect "b" within 50  # !']),
    ("undefined-step", ['When I publish "a"', 'Then I expect none "b" for 1s  # !']),
    ("undefined-step", ['When I publish "a"', "Then the order is shipped  # !"]),
    ("undefined-step", ['Given a service which answers "a" with "b"  # !', 'When I publish "a"', 'Then I expect "b"']),
    ("unspeakable-topic", ['When I publish "a.*"  # !', 'Then I expect "b"']),
    ("unspeakable-topic", ['When I publish 2 "b*" messages  # !', 'Then I expect "b"']),
    ("unspeakable-topic", ['When I publish "a "  # !', 'Then I expect "b"']),
    (
        "unspeakable-topic",
        ['Given a service that answers "a*" with "b"  # !', 'When I publish "a"', 'Then I expect "b"'],
    ),
    ("unreadable-body", ['When I publish "a"', 'Then from " a" to "b" takes at most 50ms  # !']),
    ("unreadable-body", ['When I publish "a"', 'Then I expect no "b " for 50ms  # !']),
    (
        "unspeakable-topic",
        ['Given a service that answers "a" with "b.>"  # !', 'When I publish "a"', 'Then I expect "b.c"'],
    ),
    ("unreadable-body", ['When I publish "a.b"', 'Then I expect no "a.*" where @topic is "a.*" for 50ms  # !']),
    ("unreadable-body", ['When I publish "a"', 'Then I expect no "b" where @topic is "c" for 50ms  # !']),
    ("unreadable-body", ['When I publish "a" with key "7":  # !\n      | @key |\n      | 8 |', 'Then I expect "b"']),
    ("undefined-step", ['When I publish "a"', 'Then I expect "b"', 'Then the 0th "b" message has:  # !']),
    ("cannot-fail", ['When I publish "a"', "Then I expect in order:  # !\n      | topic |\n      | a |"]),
    (
        "cannot-fail",
        [
            'When I publish "a"',
            'When I publish "b"',
            "Then I expect in order:  # !\n      | topic |\n      | a |\n      | b |",
        ],
    ),
    ("unreadable-body", ['When I publish "a"', 'Then I expect "d{{one"  # !']),
    ("unreadable-body", ['When I publish "d{{one"  # !', 'Then I expect "b"']),
    ("unreadable-body", ['Given x is "{% if"  # !', *SOUND]),
    ("unknown-transport", ['When I publish "a" on kafak  # !', 'Then I expect "b" on kafka']),
    ("unknown-transport", ['When I publish "a"', 'Then I expect "b" on nats  # !']),
    ("unreadable-body", ['When I publish "a"' + doc("id: [1, 2  # !"), 'Then I expect "b"']),
    ("unreadable-body", ['When I publish "a"' + doc("id: 1\nid: 2  # !"), 'Then I expect "b"']),
    ("unreadable-body", ['When I publish 3 "a" messages:  # !\n| x |\n| 1 |\n| 2 |', SOUND[1]]),
    ("unreadable-body", ['Given a service that answers "a" with "b" 0 times  # !', *SOUND]),
    ("unreadable-body", ["Given the variables:  # !\n| field | value |\n| x | 1 |", *SOUND]),
    ("unreadable-body", ["Given the variables:\n| name | value |\n| x | 1 |\n| x | 2 |  # !", *SOUND]),
    ("unreadable-body", ['When I publish "a"', "Then I expect in order:  # !\n| topic | id | id |\n| b | 1 | 2 |"]),
    ("unreadable-body", ['When I publish "a"', "Then I expect in order:\n| topic | topic |  # !\n| b | c |"]),
    ("unreadable-body", ['When I publish "a"', 'Then I expect "b"' + doc("id: !greater 3  # !")]),
    ("unreadable-body", ['When I publish "a"', 'Then I expect "b"' + doc("id: !matches '('  # !")]),
    ("unreadable-body", ['When I publish "a"', 'Then I expect "b"' + doc("id: !schema 'missing.json'  # !")]),
    ("unreadable-body", ['When I publish "a"' + doc("id: !gt 3  # !"), 'Then I expect "b"']),
    ("unreadable-body", ['When I publish "a":\n      | field | value |\n      | n | > 3 |  # !', 'Then I expect "b"']),
    ("unreadable-body", ['When I publish "a"', 'Then I expect "b" where n is bigger than 3 or so and  # !']),
    ("unreadable-body", ['When I publish "a" from file "missing.json"  # !', 'Then I expect "b"']),
    ("unreadable-body", ['When I publish "a"' + doc("id: {{ 1 +  # !"), 'Then I expect "b"']),
    ("unreadable-body", ['When I publish "a" as raw bytes:  # ?' + doc("hex: 0g"), 'Then I expect "b"']),
    ("undefined-variable", ['When I publish "a"', 'Then I expect "b" where id is {{ order_id }}  # !']),
    ("undefined-variable", ['When I publish "{{ topic }}"  # !', 'Then I expect "b"']),
    ("undefined-variable", ['Given id is "{{ other }}"  # !', 'When I publish "a"', 'Then I expect "b"']),
    (
        "topic-too-late",
        ['When I publish "a"', 'Then I expect "b"', 'And I keep "t" of "b" as t', 'And I expect "{{ t }}"  # !'],
    ),
    ("unchecked-publish", ['When I publish "a"  # !']),
    ("unchecked-publish", ['When I publish "a"', 'Then I expect "b"', 'When I publish "c"  # !']),
    ("cannot-fail", ['When I publish "a"', 'Then I expect at least 0 "b" messages  # !']),
    ("cannot-fail", ['When I publish "a"', 'Then I expect "a"  # !']),
    ("check-above-publish", ['Given I expect "b"  # !', 'When I publish "a"', 'Then I expect "b"']),
    ("unreadable-body", ['Given x is {"a": {{ uuid() }}}  # !', 'When I publish "a"', 'Then I expect "b"']),
    ("zero-duration", ['When I publish "a"', 'Then I expect no "b" for 0ms  # !']),
    ("unknown-anchor", ['When I publish "a"', 'Then I expect "b" within 50ms of "c"  # !']),
    ("capture-without-check", ['When I publish "a"', 'Then I expect "b"', 'And I keep "id" of "c" as id  # !']),
    ("no-stand-in", ['When I publish "a"', 'Then I expect "b"', 'And the service answered "c"  # !']),
    ("undefined-step", ['When I publish "a"', 'Then I expect an other "b"  # !']),
    ("unreadable-body", ['When I publish "a"', "Then I expect in order:\n      | name |  # !\n      | b    |"]),
    (
        "unreadable-body",
        ['When I publish "a"', 'Then I expect "b"', 'And the "b" message has:' + doc("id: !greater 3  # !")],
    ),
    (
        "undefined-variable",
        ['When I publish "a"', 'Then I expect "b"', 'And the "b" message has:' + doc("id: {{ n }}  # !")],
    ),
    ("undefined-variable", ['When I request "a"' + doc("id: {{ n }}  # !"), "Then I expect a reply"]),
    ("unchecked-publish", ['When I request "a"  # !']),
    ("reply-without-request", ['When I publish "a"', "Then I expect a reply  # !"]),
    (
        "check-without-message",
        ['When I publish "a"', 'Then I expect "b"', 'And the "c" message has:' + doc("id: 1  # !")],
    ),
    ("unknown-transport", ['When I publish "a"', 'Then from "b" to "c" on nats takes at most 50ms  # !']),
    (
        "unknown-transport",
        [
            'When I publish "a"',
            "Then I expect in order:  # !\n      | topic | transport |\n      | b     | nats      |",
        ],
    ),
    ("waiting", ['When I publish "a"', "And I wait 1s  # !", 'Then I expect "b"']),
    ("nothing-happens", ['Then I expect "b"  # !']),
]


def write(folder: Path, steps: list[str], *, tags: str = "", name: str = "one") -> Path:
    (folder / "choreo.yaml").write_text(CONFIG)
    lines = ["Feature: planted", "", f"  {tags}".rstrip(), f"  Scenario: {name}", *(f"    {step}" for step in steps)]
    path = folder / "planted.feature"
    path.write_text("\n".join(lines) + "\n")
    return path


def marked_line(path: Path) -> int:
    """The faulty line, by its mark, which is then taken out."""
    lines = path.read_text().splitlines()
    marked = next(number for number, line in enumerate(lines, start=1) if line.endswith(("  # !", "  # ?")))
    path.write_text("\n".join(line.removesuffix("  # !").removesuffix("  # ?") for line in lines) + "\n")
    return marked


@pytest.mark.parametrize(("rule", "steps"), PLANTED, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(PLANTED)])
def test_finds_the_planted_fault_and_nothing_else(tmp_path: Path, rule: str, steps: list[str]) -> None:
    path = write(tmp_path, steps)
    line = marked_line(path)
    findings = lint([path])
    assert {finding.rule for finding in findings} == {rule}
    assert any(abs(finding.line - line) <= 2 for finding in findings), findings


def test_there_are_thirty_planted_faults_or_more() -> None:
    assert len(PLANTED) >= 30


@pytest.mark.parametrize(
    "tag",
    [
        "@timeout(soon)",
        "@timeout()",
        "@slow(maybe)",
        "@timeout(0s)",
        "@timeout=5s",
        "@timeout(5s",
        "@timeout(5s)x",
        "@Timeout(5s)",
    ],
)
def test_finds_tags_it_cannot_read(tmp_path: Path, tag: str) -> None:
    path = write(tmp_path, ['When I publish "a"', 'Then I expect "b"'], tags=tag)
    assert [finding.rule for finding in lint([path])] == ["bad-tag"]


@pytest.mark.parametrize("tag", ["@slow", "@slow-test", "@Slow", "@timeouts", "@bus.smoke", "@bus2", "@timeout"])
def test_tags_that_begin_like_one_of_ours_are_the_users_own(tmp_path: Path, tag: str) -> None:
    assert lint([write(tmp_path, ['When I publish "a"', 'Then I expect "b"'], tags=tag)]) == []


@pytest.mark.parametrize("tag", ["@bus()", "@bus(nats)"])
def test_finds_bus_tags_that_name_no_transport_of_the_profile(tmp_path: Path, tag: str) -> None:
    path = write(tmp_path, ['When I publish "a"', 'Then I expect "b"'], tags=tag)
    assert {finding.rule for finding in lint([path])} == {"bad-tag"}


@pytest.mark.parametrize(
    "check",
    [
        'I expect another "b"',
        "I expect in order:\n      | topic |\n      | b     |",
        'from "a" to "b" takes at most 50ms',
        'I expect "b" where n is 1 matching schema "s.json"',
        'I expect at most 1 "b" message within 50ms of "a"',
    ],
)
def test_each_kind_of_check_counts_as_one(tmp_path: Path, check: str) -> None:
    (tmp_path / "s.json").write_text("{}")
    assert lint([write(tmp_path, ['When I publish "a"', f"Then {check}"])]) == []


def test_a_reply_checks_a_request(tmp_path: Path) -> None:
    assert lint([write(tmp_path, ['When I request "a" on kafka', "Then I expect a reply where n is 1"])]) == []


def test_finds_two_scenarios_of_one_name(tmp_path: Path) -> None:
    path = write(tmp_path, ['When I publish "a"', 'Then I expect "b"'])
    path.write_text(path.read_text() + '\n  Scenario: one\n    When I publish "a"\n    Then I expect "b"\n')
    findings = lint([path])
    assert [(finding.rule, finding.line) for finding in findings] == [("duplicate-name", 8)]


@pytest.mark.parametrize("examples", ["", "\n    Examples:\n      | topic |\n"], ids=["no examples", "no rows"])
def test_finds_an_outline_that_has_no_rows(tmp_path: Path, examples: str) -> None:
    path = write(tmp_path, ['When I publish "a"', 'Then I expect "b"'])
    outline = '\n  Scenario Outline: all\n    When I publish "<topic>"\n    Then I expect "b"\n'
    path.write_text(path.read_text() + outline + examples)
    (finding,) = lint([path])
    assert (finding.rule, finding.line, finding.severity) == ("outline-without-rows", 8, Severity.WARNING)
    assert finding.message == "the outline 'all' has no rows, so it tests nothing: give it Examples"


def test_finds_placeholders_no_column_fills(tmp_path: Path) -> None:
    path = write(tmp_path, ['When I publish "<topic>"', 'Then I expect "b"'])
    text = path.read_text().replace("Scenario:", "Scenario Outline:")
    path.write_text(text + "\n    Examples:\n      | topik |\n      | a     |\n")
    assert {finding.rule for finding in lint([path])} == {"unfilled-placeholder"}


@pytest.mark.parametrize("examples", ["", "\n    Examples:\n      | n |\n      | 1 |\n"], ids=["none", "others"])
def test_finds_a_placeholder_in_a_topic_whatever_the_columns_are(tmp_path: Path, examples: str) -> None:
    path = write(tmp_path, ['When I publish "a"', 'Then I expect no "b.<kind>" for 50ms'])
    path.write_text(path.read_text() + examples)
    if examples:
        path.write_text(path.read_text().replace("Scenario:", "Scenario Outline:"))
    assert [(found.rule, found.line) for found in lint([path])] == [("unfilled-placeholder", 6)]


def test_a_folder_that_is_gone_while_step_files_are_looked_for_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, listed = write(tmp_path, [*SOUND]), os.scandir

    def gone(folder: str) -> Iterator[os.DirEntry[str]]:
        if Path(folder).name == "gone":
            raise FileNotFoundError(folder)
        return listed(folder)

    (tmp_path / "gone").mkdir()
    monkeypatch.setattr(os, "scandir", gone)
    assert lint([path]) == []


def test_a_file_that_is_no_feature_is_one_finding(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    path.write_text("this is not Gherkin\n")
    assert [finding.rule for finding in lint([path])] == ["unreadable-feature"]


def test_a_comment_behind_a_step_is_told_where_it_belongs(tmp_path: Path) -> None:
    [finding, *_] = lint([write(tmp_path, ['When I publish "a" # send it', 'Then I expect "b"'])])
    assert finding.message.endswith('; a comment needs a line of its own: I publish "a"')


def test_finds_a_cell_that_no_column_fills(tmp_path: Path) -> None:
    sent = 'When I publish "a":\n      | field | value   |\n      | n     | <total> |\n      | m     | a <b> c |'
    [finding] = lint([write(tmp_path, [sent, 'Then I expect "b"'])])
    assert finding.message.startswith("<total> is in no column of the examples, of which this scenario has none")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("And a\n    When b", "4: error: neither behave nor pytest-bdd takes And as the first step"),
        ("* a\n    When b", "4: warning: pytest-bdd takes no * as the first step"),
        ("When b\n      ```\n      c\n      ```", "5: warning: behave reads no doc string between ```"),
        (
            "When <b>\n    Examples:\n      | b |\n      | c |",
            "5: warning: behave takes examples below an outline",
        ),
        ("When b\n    * a\n    And c", None),
        ('When b\n      """\n    c\n      """', "6: warning: behave refuses it: this line stands left of the quotes"),
        ('When b\n      """\n        c\n\n      d\n    """', None),
    ],
)
def test_finds_what_only_one_framework_would_run(tmp_path: Path, steps: str, told: str | None) -> None:
    path = tmp_path / "one.feature"
    (tmp_path / "steps.py").write_text("@step('a')\n@step('b')\n@step('c')\ndef check(): ...\n", encoding="utf-8")
    path.write_text(f"Feature: one\n\n  Scenario: one\n    {steps}\n", encoding="utf-8")
    found = [str(each) for each in as_text(lint([path])).splitlines() if "[refused]" in each]
    assert len(found) == (told is not None)
    assert told is None or f"one.feature:{told}" in found[0]


def test_suggests_the_quotes_that_are_missing(tmp_path: Path) -> None:
    path = write(tmp_path, ["When I publish orders.created", 'Then I expect "b"'])
    assert lint([path])[0].message.endswith('did you mean: I publish "orders.created"')


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('I expects "x"', 'I expect "x"'),
        ('I publsh "x"', 'I publish "x"'),
        ('I publsh 3 "x" mesages at 10 per second', 'I publish 3 "x" messages at 10 per second'),
        ('I send "x"', 'I publish "x"'),
        ('I should receive at least two "x" messages', 'I expect at least 2 "x" messages'),
        ('I should not receive "x" for 1s', 'I expect no "x" for 1s'),
        ('I expect no "x" within 50ms', 'I expect no "x" for 50ms'),
        ('I expect no events on "x" for 1s', 'I expect no "x" for 1s'),
        ('I expect "x" in 50ms', 'I expect "x" within 50ms'),
        ('I expect 2 "x" messages', 'I expect exactly 2 "x" messages'),
        ('I expect "x" where id equals 5', 'I expect "x" where id is 5'),
        ('I expect "x" on "nats"', 'I expect "x" on nats'),
        ('I expect "x" with schema "s.json"', 'I expect "x" matching schema "s.json"'),
        ('the "x" message contains', 'the "x" message has'),
        ('I save "id" from "x" as kept', 'I keep "id" of "x" as kept'),
        ('from "a" to "b" takes less than 50ms', 'from "a" to "b" takes at most 50ms'),
        ('a service which answers "x" by "y"', 'a service that answers "x" with "y"'),
        ('the service answered "x" three times', 'the service answered "x" 3 times'),
        ("I expect an answer", "I expect a reply"),
        ("I wait for 50ms", "I wait 50ms"),
        ("order_id is unique", "order_id is a unique id"),
        ('the default transport is "nats"', "the default transport is nats"),
    ],
)
def test_suggests_the_sentence_that_was_meant(written: str, meant: str) -> None:
    assert suggestion(written) == meant


@pytest.mark.parametrize("text", ["the customer is logged in", 'I open the page "x"', "my own service runs"])
def test_suggests_nothing_for_what_is_no_messaging_step(text: str) -> None:
    assert suggestion(text) is None


def test_a_variable_called_as_a_function_is_no_fault(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        ['Given now is "x"', 'When I publish "a"' + doc('n: "{{ now }}"'), 'Then I expect "b"' + doc('n: "{{ now }}"')],
    )
    assert lint([path]) == []
    path = write(tmp_path, ['When I publish "a"' + doc('n: "{{ now }}"'), 'Then I expect "b"'])
    assert "call it with ()" in lint([path])[0].message


def test_extensions_of_the_users_own_are_no_faults(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        ['When I publish "a"' + doc("id: {{ order_no() }}"), 'Then I expect "b"' + doc("id: !iban\nno: !batch 7")],
    )
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "own.py").write_text(
        "from choreo_bdd_steps.language import function, matcher\n\n"
        '@matcher("iban")\ndef iban(value): ...\n\n'
        '@matcher("batch")\ndef batch(value, number): ...\n\n'
        "@function\ndef order_no(): ...\n"
    )
    assert lint([path]) == []
    assert user_matcher("iban") is None


def test_python_in_a_body_is_a_fault_unless_it_is_allowed(tmp_path: Path) -> None:
    path = write(tmp_path, ['When I publish "a"', 'Then I expect "b"' + doc("id: !python 'shop.checks:is_even'")])
    assert "`python_matchers: true`" in lint([path])[0].message
    (tmp_path / "choreo.yaml").write_text(CONFIG + "python_matchers: true\n")
    assert lint([path]) == []


def test_steps_of_the_users_own_are_no_faults(tmp_path: Path) -> None:
    path = write(tmp_path, ["When the clerk orders 3 books", 'Then I expect "b"'])
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "own.py").write_text(
        'from behave import when\n\n@when("the clerk orders {count:d} books")\ndef step(context, count): ...\n'
    )
    assert lint([path]) == []


def test_the_projects_own_features_are_sound() -> None:
    assert lint(feature_files([Path("features/orders")])) == []


def test_in_the_features_of_every_phrase_it_finds_what_stands_there_on_purpose() -> None:
    found = lint(feature_files([Path("features/phrases")]))
    assert [each.rule for each in found] == ["unknown-transport", "waiting", "waiting"]
    assert {each.file for each in found} == {"features/phrases/playing.feature"}


def test_formats(tmp_path: Path) -> None:
    path = write(tmp_path, ['When I publish "a"'])
    findings = lint([path])
    assert json.loads(as_json(findings))[0]["rule"] == "unchecked-publish"
    assert as_github(findings).startswith("::error file=")
    assert findings[0].severity is Severity.ERROR


def test_an_issue_of_gitlab_stays_the_same_when_lines_are_put_in_above_it() -> None:
    def issues(*lines: int) -> Any:
        found = [Finding("features/a.feature", line, "unchecked-publish", "Nobody looks.") for line in lines]
        return json.loads(as_code_quality([*found, Finding("./b.feature", 1, "r", "m", Severity.WARNING)]))

    first, second, warning = issues(3, 9)
    assert first["location"] == {"path": "features/a.feature", "lines": {"begin": 3}}
    assert (first["check_name"], first["description"], first["severity"]) == (
        "unchecked-publish", "Nobody looks.", "major",
    )  # fmt: skip
    assert (warning["location"]["path"], warning["severity"]) == ("b.feature", "minor")
    fingerprints = [issue["fingerprint"] for issue in (first, second, warning)]
    assert len(set(fingerprints)) == 3
    assert [issue["fingerprint"] for issue in issues(4, 10)] == fingerprints
    assert json.loads(as_code_quality([])) == []


def test_a_plain_tag_of_that_name_is_a_marker_of_the_users_own(tmp_path: Path) -> None:
    path = write(tmp_path, ['When I publish "a"', 'Then I expect "b"'], tags="@slow @timeout")
    assert lint([path]) == []


@pytest.mark.parametrize(
    "check", ['I expect "b" within 3s', 'from "b" to "c" takes at most 3s', 'I expect "b" within 10s of "a"']
)
def test_a_budget_above_the_timeout_raises_it_and_is_no_finding(tmp_path: Path, check: str) -> None:
    assert lint([write(tmp_path, ['When I publish "a"', f"Then {check}"])]) == []


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('I expect no "x"', 'I expect no "x" for 200ms'),
        ('I expect no message on "x"', 'I expect no "x" for 200ms'),
        ('I expect no "x" where a is 1', 'I expect no "x" where a is 1 for 200ms'),
        ('I expect fewer than 2 "t" messages', 'I expect at most 1 "t" messages'),
        ('I expect more than 2 "t" messages', 'I expect at least 3 "t" messages'),
        ('I expect exatcly 2 "t" messages', 'I expect exactly 2 "t" messages'),
        ('I expect "t" exactly 2 times', 'I expect exactly 2 "t" messages'),
        ('"t" should be received within 2s', 'I expect "t" within 2s'),
        ('a message on "t" should be received within 2s', 'I expect "t" within 2s'),
        ('a message is published to "t"', 'I publish "t"'),
        ('I wait up to 5s for "t"', 'I expect "t" within 5s'),
        ('I wait 5s for a message on "t"', 'I expect "t" within 5s'),
        ('I set x to "5"', 'x is "5"'),
        ("the variable x is 5", "x is 5"),
        ('I publish "t" with headers:', 'I publish "t" as an envelope'),
        ('I send a message to queue "q"', 'I publish "q"'),
        ('I expect no more messages on "t" for 1s', 'I expect no other "t" for 1s'),
        ('I expect no further "t" for 1s', 'I expect no other "t" for 1s'),
        ("I expect nothing more for 1s", "I expect nothing else for 1s"),
        ("I expect no other messages within 1s", "I expect nothing else for 1s"),
        ('I expect 1 to 3 "t" messages', 'I expect between 1 and 3 "t" messages'),
        ('I expect between 1 and 3 "t" mesages', 'I expect between 1 and 3 "t" messages'),
        ('I expect "t" not earlier than 100ms', 'I expect "t" not before 100ms'),
        ('I expect exactly 2 "t" messages waiting up to 5s', 'I expect exactly 2 "t" messages within 5s'),
        ('I expect "t" wating up to 5s', 'I expect "t" waiting up to 5s'),
        ('the "t" message does not have', 'the "t" message has not'),
        ('the second "t" message contains', 'the second "t" message has'),
        ("the reply contains", "the reply has"),
        ("the reply doesn't have", "the reply has not"),
        ('I publish a tombstone on "t" with key "k"', 'I publish "t" with key "k" and no payload'),
        ('I publish "t" with key "k" and an empty payload', 'I publish "t" with key "k" and no payload'),
        ('I save "id" of the reply as kept', 'I keep "id" of the reply as kept'),
        ('from "a" to "b" takes more than 50ms', 'from "a" to "b" takes at least 50ms'),
        ('I expect nothing on "a" for 5s', 'I expect no "a" for 5s'),
        ('I expect nothing on "a"', 'I expect no "a" for 200ms'),
        ('I expect exactly 2 times "a"', 'I expect exactly 2 "a" messages'),
        ('I expect "a" 2 times within 1s', 'I expect exactly 2 "a" messages within 1s'),
        ('I expect "a" exactly once', 'I expect exactly 1 "a" messages'),
        ('I expect "a" twice', 'I expect exactly 2 "a" messages'),
        ('I publish "a" 3 times', 'I publish 3 "a" messages'),
        ('I publish an "a" message', 'I publish "a"'),
        ('I publish message "a" with payload:', 'I publish "a"'),
        ('I expect an "a" message', 'I expect "a"'),
        ('I expect "a" to have:', 'I expect "a"'),
        ('I expect "a" with:', 'I expect "a"'),
        ('I expect "a" within 300ms where n is 1', 'I expect "a" where n is 1 within 300ms'),
        ('I expect "a" within 2 seconds where n is "x y"', 'I expect "a" where n is "x y" within 2 seconds'),
        ('I expect exactly 2 "a" messages within 1s on bus', 'I expect exactly 2 "a" messages on bus within 1s'),
        ('I expect no "a" for 1s on bus where n is 1', 'I expect no "a" on bus where n is 1 for 1s'),
        (
            'I expect "a" on bus within 1s not before 20ms where n > 1 and m exists',
            'I expect "a" on bus where n > 1 and m exists within 1s not before 20ms',
        ),
        ('I expect "a" in less than 5s', 'I expect "a" within 5s'),
        ('"a" should not be received', 'I expect no "a" for 200ms'),
        ('no "a" is received within 5s', 'I expect no "a" for 5s'),
        ('I wait for "a"', 'I expect "a"'),
        ("I sleep 5s", "I wait 5s"),
        ('the latency from "a" to "b" is below 5s', 'from "a" to "b" takes at most 5s'),
        ('a mock service that replies to "a" with "b"', 'a service that answers "a" with "b"'),
        ('a mock service for "a" that returns "b"', 'a service that answers "a" with "b"'),
        ('I expect "a" with id 7', 'I expect "a" where id is 7'),
        ('"x" is 7', "x is 7"),
        ('the "a" payload is:', 'the "a" message has'),
        ('the topic "a" receives a message', 'I expect "a"'),
        ('the queue "a" should receive 2 messages', 'I expect exactly 2 "a" messages'),
        ('the topic "a" receives no messages', 'I expect no "a" for 200ms'),
        ('the topic "a" does not receive any message', 'I expect no "a" for 200ms'),
        ('the topic "a" should be empty', 'I expect no "a" for 200ms'),
        ('no message is received on "a" within 5s', 'I expect no "a" for 5s'),
        ('no messages should arrive on the topic "a"', 'I expect no "a" for 200ms'),
        ('nothing should be published to "a" within 1s', 'I expect no "a" for 1s'),
        ('no "a" is expected', 'I expect no "a" for 200ms'),
        ('"a" doesn\'t arrive', 'I expect no "a" for 200ms'),
        ('I expect "a" to not arrive', 'I expect no "a" for 200ms'),
        ('I expect "a" not to be published within 1s', 'I expect no "a" for 1s'),
        ('I don\'t expect anything on "a"', 'I expect no "a" for 200ms'),
        ('within 5s I expect "a"', 'I expect "a" within 5s'),
        ('within 5s I expect no "a"', 'I expect no "a" for 5s'),
        ('I expect up to 3 "a" messages', 'I expect at most 3 "a" messages'),
        ('I expect no more than 3 "a" messages within 5s', 'I expect at most 3 "a" messages within 5s'),
        ('I expect not less than 3 "a" messages', 'I expect at least 3 "a" messages'),
        ('I expect "a" between 2 and 3 times', 'I expect between 2 and 3 "a" messages'),
        ('I expect no second "a" for 5s', 'I expect no other "a" for 5s'),
        ('I expect a second "a" within 5s', 'I expect another "a" within 5s'),
        ('the 2nd message on "a" has:', 'the 2nd "a" message has'),
        ('from "a" to "b" takes no less than 50ms', 'from "a" to "b" takes at least 50ms'),
        ('from "a" to "b" does not take more than 50ms', 'from "a" to "b" takes at most 50ms'),
        ('the service answered "a" zero times', 'the service never answered "a"'),
        ('I expect the "a" within 1s', 'I expect "a" within 1s'),
        ('I expect an "a"', 'I expect "a"'),
        ('I expect "a" for 50ms', 'I expect "a" within 50ms'),
        ('I expect "a" on nats for 50ms', 'I expect "a" on nats within 50ms'),
        ('I expect "a" with n is 1', 'I expect "a" where n is 1'),
        ('a "a" message should arrive within 1s', 'I expect "a" within 1s'),
        ('a "a" message should not arrive within 1s', 'I expect no "a" for 1s'),
        ('the "a" event is published', 'I expect "a"'),
        ('eventually I expect "a"', 'I expect "a"'),
    ],
)
def test_what_people_guess_is_told_as_the_phrase_they_meant(text: str, meant: str) -> None:
    assert suggestion(text) == meant


@pytest.mark.parametrize("text", ['I expect "t" after 200ms', 'I expect "t" not within 200ms', 'I expect not "t"'])
def test_no_suggestion_says_the_opposite(text: str) -> None:
    told = suggestion(text)
    assert told is None or (" no " in told) == (" not " in text)


@pytest.mark.parametrize(
    "text",
    [
        'I expect nothing but "t" for 100ms',
        'I expect only "t" for 100ms',
        'I expect neither "t" nor "u"',
        'I expect "t" or "u"',
        'I expect "t" but no "u"',
        'I expect "t" unless a is 1',
        'I expect "t" without "a"',
        'I expect none of "t", "u" for 100ms',
        "I do not expect in order:",
        "I expect in any order:",
        'the "t" message lacks "a"',
    ],
)
def test_what_no_phrase_says_is_not_told_as_one_that_leaves_a_word_out(text: str) -> None:
    assert suggestion(text) is None


@pytest.mark.parametrize("tag", ["@timout(5s)", "@timeouts(5s)", "@slw(warn)", "@slo(warn)"])
def test_warns_of_a_tag_with_a_slip(tmp_path: Path, tag: str) -> None:
    path = write(tmp_path, ['When I publish "a"', 'Then I expect "b"'], tags=tag)
    [found] = lint([path])
    assert (found.rule, found.severity) == ("bad-tag", Severity.WARNING)


@pytest.mark.parametrize("text", ['the "t" message hasnt', "the reply doesnt have", 'I dont expect any "t" for 1s'])
def test_a_negation_without_an_apostrophe_is_one(text: str) -> None:
    told = suggestion(text)
    assert told is None or " no" in told


XML = """      \"\"\"
      <order><id>7</id></order>
      \"\"\"
"""


def test_xml_in_a_scenario_or_an_outline_is_no_placeholder(tmp_path: Path) -> None:
    path = tmp_path / "a.feature"
    steps = f'    When I publish "a":\n{XML}    Then I expect "b" where n is'
    path.write_text(
        f"Feature: F\n  Scenario: S\n{steps} 1\n"
        f"  Scenario Outline: O\n{steps} <number>\n    Examples:\n      | number |\n      | 1 |\n",
        encoding="utf-8",
    )
    assert lint([path]) == []


def test_a_placeholder_near_a_columns_name_is_a_misspelt_one(tmp_path: Path) -> None:
    path = tmp_path / "a.feature"
    path.write_text(
        'Feature: F\n  Scenario Outline: O\n    When I publish "a"\n    Then I expect "b" where n is "<nubmer>"\n'
        "    Examples:\n      | number |\n      | 1 |\n",
        encoding="utf-8",
    )
    (found,) = lint([path])
    assert (found.line, found.rule) == (4, "unfilled-placeholder")


def test_two_columns_of_one_name_are_one_too_many(tmp_path: Path) -> None:
    path = tmp_path / "a.feature"
    path.write_text(
        'Feature: F\n  Scenario Outline: O\n    When I publish "<t>"\n    Then I expect "b"\n'
        "    Examples:\n      | t | t |\n      | a | c |\n",
        encoding="utf-8",
    )
    (found,) = lint([path])
    assert (found.line, found.rule) == (3, "unfilled-placeholder")


def test_matchers_of_modules_that_step_files_import_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "features/steps").mkdir(parents=True)
    (tmp_path / "features/environment.py").write_text("import shop_language\n", encoding="utf-8")
    (tmp_path / "shop_language.py").write_text("from shop.words import is_even\n", encoding="utf-8")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/words.py").write_text("@matcher('even')\ndef is_even(value): ...\n", encoding="utf-8")
    path = write(tmp_path / "features", ['When I publish "a"', 'Then I expect "b"' + doc("n: !even")])
    assert lint([path]) == []


def test_a_step_of_the_users_own_may_have_expected_the_message(tmp_path: Path) -> None:
    (tmp_path / "steps.py").write_text("@then('it is there')\ndef check(): ...\n", encoding="utf-8")
    steps = ['When I publish "a"', "Then it is there", 'And I keep "id" of "b" as it']
    assert lint([write(tmp_path, steps)]) == []


@pytest.mark.parametrize(
    "check",
    [
        "      | field        | value |\n      | items[*].sku | tea   |",
        doc("items: !every {sku: tea}"),
    ],
)
@pytest.mark.parametrize(("items", "rules"), [("[]", ["every-of-nothing"]), ("[{sku: tea}]", [])])
def test_warns_of_every_element_of_a_list_that_is_sent_empty(
    tmp_path: Path, check: str, items: str, rules: list[str]
) -> None:
    body = check if check.startswith("\n") else f"\n{check}"
    steps = ['When I publish "t":' + doc(f"items: {items}"), f'Then I expect "t":{body}']
    findings = lint([write(tmp_path, steps)])
    assert [finding.rule for finding in findings] == rules
    assert all(finding.severity is Severity.WARNING for finding in findings)


@pytest.mark.timeout(60)
def test_one_long_word_in_a_body_takes_no_time_to_speak_of(tmp_path: Path) -> None:
    path = write(tmp_path, ['When I publish "a":' + doc(f"text: {'x' * 300_000}"), 'Then I expect "b" where n is 1'])
    assert lint([path]) == []


@pytest.mark.parametrize("name", ["self", "none", "not"])
def test_finds_variables_that_no_template_can_name(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, [f'Given {name} is "x"', 'When I publish "a"', 'Then I expect "b"'])
    (finding,) = lint([path])
    assert f"no variable can be called {name!r}" in finding.message


CONFIRMED = '"orders.confirmed"'
GUESSED = (
    ("I publish the following message to {}:", "I publish {}"),
    ("I post a message to {}", "I publish {}"),
    ("I trigger {}", "I publish {}"),
    ("I fire the event {}", "I publish {}"),
    ("the message {} has been sent", "I publish {}"),
    ("I publish {} twice", "I publish 2 {} messages"),
    ("I publish 5 times {}", "I publish 5 {} messages"),
    ("I publish {} on topic kafka", "I publish {} on kafka"),
    ("I publish {} with key a", 'I publish {} with key "a"'),
    ('I publish {} with header "x" as "1"', "I publish {} as an envelope"),
    ('I publish a null message to {} with key "a"', 'I publish {} with key "a" and no payload'),
    ("I expect that {} is received", "I expect {}"),
    ("I expect {} to be received within 1s", "I expect {} within 1s"),
    ("I expect to receive 3 messages on {}", "I expect exactly 3 {} messages"),
    ("I expect 3 {}", "I expect exactly 3 {} messages"),
    ("I expect only one {}", "I expect exactly 1 {} message"),
    ("I expect a single {}", "I expect exactly 1 {} message"),
    ("I expect {} only once", "I expect exactly 1 {} message"),
    ("{} is not received within 1s", "I expect no {} for 1s"),
    ("no {} message is received for 1s", "I expect no {} for 1s"),
    ("I expect silence on {} for 1s", "I expect no {} for 1s"),
    ("there is no message on {}", "I expect no {} for 200ms"),
    ("there should be a message on {}", "I expect {}"),
    ("there are 3 messages on {}", "I expect exactly 3 {} messages"),
    ("a message arrives on {} within 1s", "I expect {} within 1s"),
    ("the service publishes {} within 1s", "I expect {} within 1s"),
    ("the reply is received within 1s", "I expect a reply within 1s"),
    ("I expect status 201", "the response has status 201"),
    ('I make a POST request to "/orders" with body:', 'I call POST "/orders"'),
    ('I call "GET" "/orders"', 'I call GET "/orders"'),
    ('I expect {} with status "PAID"', 'I expect {} where status is "PAID"'),
    ('I expect {} if status is "PAID"', 'I expect {} where status is "PAID"'),
    ('I expect {} that has status "PAID"', 'I expect {} where status is "PAID"'),
    ('I expect {} to match schema "a.json"', 'I expect {} matching schema "a.json"'),
    ("I expect {} before 500ms", "I expect {} within 500ms"),
    ("I expect {} after 500ms", "I expect {} not before 500ms"),
    ('I expect {} at most 500ms after "a"', 'I expect {} within 500ms of "a"'),
    ("I expect messages in this order:", "I expect in order"),
    ('I expect "a" followed by "b"', "I expect in order"),
    ('I store the "id" from {} as id', 'I keep "id" of {} as id'),
    ('I have a variable id with value "5"', 'id is "5"'),
    ('let id be "5"', 'id is "5"'),
    ("I pause for 5 seconds", "I wait 5 seconds"),
    ("I wait until {} is received", "I expect {}"),
    ('a stub for {} that replies "b"', 'a service that answers {} with "b"'),
    ("I use kafka", "the default transport is kafka"),
    ('it takes less than 500ms from "a" to "b"', 'from "a" to "b" takes at most 500ms'),
    ("the latency of {} is below 500ms", "I expect {} within 500ms"),
)


@pytest.mark.parametrize(("written", "meant"), GUESSED, ids=range(len(GUESSED)))
def test_what_people_write_is_told_in_our_words(written: str, meant: str) -> None:
    assert suggestion(written.format(CONFIRMED)) == meant.format(CONFIRMED)


@pytest.mark.parametrize(
    "text",
    ["I expect in any order:", 'a service that fails on "a"', "I use chrome", "I pause the video", "I use the form"],
)
def test_no_hint_is_better_than_one_that_says_something_else(text: str) -> None:
    assert suggestion(text) is None


def test_no_variable_of_a_broker_has_to_be_set_for_it_or_for_explain(tmp_path: Path) -> None:
    path = write(tmp_path, ['When I publish "a"', 'Then I expect "b" on nowhere'])
    servers = 'servers: ["${NOT_SET_ANYWHERE}"], auth: {user: app, password: "${NOR_THIS}"}'
    config = (
        f"profiles:\n  p:\n    bus: {{type: nats, {servers}}}\n    rabbit: {{type: rabbitmq, url: '${{NOT_SET}}'}}\n"
    )
    (tmp_path / "choreo.yaml").write_text(config)
    [finding] = lint([path])
    assert "it has bus, rabbit" in finding.message
    path = write(tmp_path, ['When I publish "a"', 'Then I expect "b"'])
    (tmp_path / "choreo.yaml").write_text(config)
    assert 'line 6: "b" on bus' in explain_file(path)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (('Given uuid is "x"', 'When I publish "a":' + doc('n: "{{ uuid() }}"')), "hides the function uuid()"),
        (('Given index is "x"', 'When I publish 2 "a" messages:' + doc('n: "{{ index }}"')), "'index' cannot be seen"),
        (
            ('Given trigger is "x"', 'And a service that answers "q" with "b":' + doc('n: "{{ trigger.n }}"')),
            "'trigger' cannot be seen",
        ),
    ],
)
def test_names_a_variable_that_is_called_like_something_of_ours(
    tmp_path: Path, steps: tuple[str, ...], told: str
) -> None:
    path = write(tmp_path, [*steps, 'When I publish "q"', 'Then I expect "b"'])
    found = [finding for finding in lint([path]) if finding.rule == "taken-name"]
    assert [told in finding.message for finding in found] == [True]


@pytest.mark.parametrize("use", ["{{ uuid }}", "{{ 'uuid()' }}", "uuid", "{{ order.uuid }} {{ now() }}"])
def test_a_variable_may_be_called_so_where_nothing_of_ours_is_meant(tmp_path: Path, use: str) -> None:
    path = write(tmp_path, ['Given uuid is "x"', 'When I publish "q":' + doc(f'n: "{use}"'), 'Then I expect "b"'])
    assert "taken-name" not in [finding.rule for finding in lint([path])]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("I wait for 100", "the time 100 has no unit; write 100ms, 100s or 100m"),
        ('I publish ""', 'nothing stands between "": write a name there, such as "orders.placed"'),
        ('I expect "" within 1s', 'nothing stands between "": write a name there, such as "orders.placed"'),
    ],
)
def test_what_is_missing_is_told_and_not_the_pattern_of_the_phrase(text: str, told: str) -> None:
    assert did_you_mean(text) == told
