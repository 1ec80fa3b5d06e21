"""Feature files read by Gherkin's parser: what would run, without any framework."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from choreo_bdd_project.gherkin.errors import FeatureError, NoFeature
from choreo_bdd_project.gherkin.feature import Feature, read_feature
from choreo_bdd_project.gherkin.step import Step
from choreo_bdd_steps.adapters import behave
from choreo_bdd_steps.vocabulary.phrase import StepCall

ROOT = Path(__file__).resolve().parents[2]

FULL = """
@feature
Feature: orders

  Some words.

  Background:
    Given the default transport is kafka

  @one
  Scenario: plain
    When I publish "orders"
      \"\"\"json
      {"id": 1}
      \"\"\"

  Rule: big ones
    Background:
      Given <kind> is "x"

    @bus(<bus>) @<nowhere>
    Scenario Outline: of <kind>
      When I publish "<kind>"
        | <kind> | value |
        | id     | <n>   |
      * I expect "<kind>"
        \"\"\"
        n: <n>
        \"\"\"

      @few
      Examples: some <kind>
        | kind | n | bus        |
        | book | 1 | nats,kafka |
        | shoe | 2 | redis      |

      Examples:
        | kind | n | bus   |
        | hat  | 3 | kafka |

    Scenario Outline: nothing of <kind>
      When I publish "<kind>"

      Examples:
        | kind |
"""


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Feature]:
    monkeypatch.chdir(tmp_path)

    def write_and_read(text: str) -> Feature:
        path = tmp_path / "a.feature"
        path.write_text(text, encoding="utf-8")
        return read_feature(path)

    return write_and_read


def _as_behave_runs(path: Path) -> list[tuple[object, ...]]:
    return [
        (line, info.name.strip(), info.nodeid, info.transport, tuple(info.tags), *map(_facts, info.steps))
        for line, info in behave.read_feature(path)
    ]


def _as_read(path: Path) -> list[tuple[object, ...]]:
    return [
        (each.begins_at, each.name, each.nodeid, each.transport, each.tags, *map(_facts, each.steps))
        for each in read_feature(path).scenarios
    ]


def _facts(step: Step | StepCall) -> tuple[object, ...]:
    return (step.text.rstrip(":"), step.file, step.line, step.keyword, _rows(step.table), step.docstring)


def _rows(table: Sequence[Sequence[str]] | None) -> list[list[str]] | None:
    return None if table is None else [list(row) for row in table]


@pytest.mark.parametrize("path", sorted(ROOT.glob("features/**/*.feature")), ids=lambda path: path.stem)
def test_a_feature_file_is_read_as_behave_runs_it(path: Path) -> None:
    assert _as_read(path) == _as_behave_runs(path)


def test_rules_outlines_and_buses_are_read_as_behave_runs_them(read: Callable[[str], Feature]) -> None:
    feature = read(FULL)
    names = [each.name for each in feature.scenarios]
    assert names == [
        "plain",
        "of book -- @1.1 some book [nats]",
        "of book -- @1.1 some book [kafka]",
        "of shoe -- @1.2 some shoe [redis]",
        "of hat -- @2.1 [kafka]",
    ]
    assert _as_read(Path("a.feature")) == _as_behave_runs(Path("a.feature"))


def test_what_no_framework_hands_on_is_read_too(read: Callable[[str], Feature]) -> None:
    feature = read(FULL)
    plain, book = feature.scenarios[0], feature.scenarios[1]
    assert [step.media_type for step in plain.steps] == [None, "json"]
    assert [step.background for step in book.steps] == [True, True, False, False]
    assert (book.rule, feature.head.description) == ("big ones", "Some words.")
    assert feature.without_rows == (("nothing of <kind>", 41),)
    assert [name for name, _ in feature.templates] == ["plain", "of <kind>", "nothing of <kind>"]


def test_several_bus_tags_add_up(read: Callable[[str], Feature]) -> None:
    feature = read("@bus(nats)\nFeature: f\n  @bus(kafka) @bus(nats,redis)\n  Scenario: s\n    Given a step\n")
    assert [each.transport for each in feature.scenarios] == ["nats", "kafka", "redis"]


def test_the_words_of_another_language_are_read(read: Callable[[str], Feature]) -> None:
    feature = read("# language: de\nFunktionalität: f\n  Szenariogrundriss: ohne <n>\n    Angenommen es gibt <n>\n")
    assert (feature.scenarios, feature.without_rows) == ((), (("ohne <n>", 3),))


BEGUN = "Feature: f\n  Scenario: s\n    Given a step\n"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (f"{BEGUN}    nonsense\n", 4, "'nonsense' is no step, no row of a table and no comment; a step begins with"),
        (f"{BEGUN}    then b\n", 4, "'then b' means nothing here; did you mean: Then b"),
        (f"{BEGUN}  Scenario t\n", 4, "'Scenario t' means nothing here; did you mean: Scenario: t"),
        (f"{BEGUN}Feature: g\n", 4, "'Feature: g' begins a second feature, and a file holds one"),
        ("Feature f\n", 1, "'Feature f' means nothing here; did you mean: Feature: f"),
        ("# language: de\nFeature: f\n", 2, "'Feature: f' stands where a feature has to begin, in the language de"),
        (f'{BEGUN}      """\n      b\n', 4, "the doc string that begins here has no end"),
        (f"{BEGUN}    @tag\n    Given a\n", 5, "a tag stands above Feature, Rule, Scenario or Examples"),
        (f"{BEGUN}    @tag\n", 5, "a tag stands above Feature, Rule, Scenario or Examples"),
        ("\ufeffFeature: f\n", 1, "it begins with a byte order mark"),
    ],
)
def test_a_file_that_is_no_feature_says_where(
    read: Callable[[str], Feature], text: str, line: int, reason: str
) -> None:
    with pytest.raises(FeatureError) as caught:
        read(text)
    assert str(caught.value).startswith(f"a.feature:{line}: is not a feature file: {reason}")


def test_a_file_without_a_feature_may_become_one(read: Callable[[str], Feature]) -> None:
    with pytest.raises(NoFeature, match=r"a\.feature:1: holds no feature"):
        read("# only a comment\n")


def test_a_file_in_another_encoding_says_where_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.feature"
    path.write_bytes("Feature: f\n  Scenario: Grüße\n".encode("latin-1"))
    with pytest.raises(FeatureError, match=r"a\.feature:2: .* not text in UTF-8; save it in this encoding"):
        read_feature(path)


def test_a_changed_file_is_read_again(read: Callable[[str], Feature]) -> None:
    assert read("Feature: before\n").head.name == "before"
    assert read("Feature: afterwards\n").head.name == "afterwards"
