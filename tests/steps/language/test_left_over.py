"""Words are never ignored: text behind a complete condition, cell or sentence is an error, or means something else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd.message import Message
from choreo_bdd.topic_patterns import malformed, matches
from choreo_bdd_steps.language import BodyError, BodyMatcher, Variables, parse_expectation
from choreo_bdd_steps.language.grammar.cells import FORMS
from choreo_bdd_steps.language.grammar.conditions import CONDITION_FORMS
from choreo_bdd_steps.vocabulary import PHRASES, recognise_text
from tests.support.examples import examples

HERE = Path(__file__).parent
CONDITIONS = (
    *("n is 5", "n is not 5", "n > 4", "n >= 5", "n < 6", "n is one of 5, 7", "n is between 1 and 5", "n exists"),
    *("s is A", 's is "A"', "s matches /A/", "s starts with A", "s contains A", "s is absent", "l length 2"),
    *("n is 5 and s is A", "n is 5 or s is B", "l contains 1", "o.k is 1", "n is a number", "n is null"),
)
CELLS = ("5", "> 4", "!= 5", "A", '"A"', "one of A, B", "between 1 and 5", "exists", "absent", "a number", "[1, 2]")
WORDS = st.sampled_from(
    [
        "and",
        "or",
        "AND",
        "not",
        "is",
        "exists",
        ",",
        ";",
        "5",
        "A",
        '"A"',
        "foo",
        "of",
        "in",
        ">",
        "/A/",
        "{{ 1 }}",
        ")",
    ]
)
REST = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)


def built(where: str | None = None, cell: str | None = None) -> BodyMatcher | None:
    """What a text asks; ``None`` where it is refused."""
    table = None if cell is None else [["field", "value"], ["n", cell]]
    try:
        (matcher,) = parse_expectation(None, table, where, base_dir=HERE).build(Variables())
    except BodyError:
        return None
    return matcher


def read(where: str | None = None, cell: str | None = None) -> str | None:
    """What is understood, in words; ``None`` where the text is refused."""
    matcher = built(where, cell)
    return None if matcher is None else matcher.description


@examples(400)
@given(st.sampled_from(CONDITIONS), REST)
def test_what_stands_behind_a_condition_is_an_error_or_part_of_it(condition: str, rest: str) -> None:
    assert read(where=f"{condition} {rest}") != read(where=condition)


@examples(400)
@given(st.sampled_from(CELLS), REST)
def test_what_stands_behind_a_cell_is_an_error_or_part_of_it(cell: str, rest: str) -> None:
    assert read(cell=f"{cell} {rest}") != read(cell=cell)


FIELDS = ("s", "m", "x", "foo", "A", "is", "exists")
VALUES: list[object] = [
    *(5, 6, 0, -1.5, 1, 2, 3.145, 3.2, None, True, "A", "B", "T", "x", "xx", "ab", "foo", "5", "a b", "A B", "axb"),
    *([], [5], [1, 2], [1, 2, 3], [{"x": "A"}], {"a": 1}, {"a": 1, "b": 2}, {"k": 1}, "re", "xA", "Ax", "not null"),
    *("2025-01-31T12:00:00Z", "2026-01-31T12:00:00Z", "2027-01-31T12:00:00Z", "2024-01-01"),
    "0b0c9a5e-77b9-4dc2-8d4e-3f8b1c8a1234",
]
ENDS = st.lists(
    WORDS
    | st.sampled_from(
        [
            *(
                "#",
                "# x",
                "#x",
                "|",
                "&&",
                "!",
                "!any",
                "null",
                "true",
                "n",
                "m",
                "n is 6",
                "between",
                "1 and 5",
                "± 1",
            ),
            *("%", "\\", "'", '"', "“", "…", "then", "else", "/i", "-", "+", "*", "0", "Z", "+02:00", "ms", "a", "the"),
            *(
                "é",
                "\u00a0",
                "\t",
                ".",
                ":",
                "=",
                "==",
                "<",
                "@key",
                "where",
                "for 5ms",
                "on bus",
                "(",
                "[",
                "]",
                "{",
                "}",
            ),
        ]
    )
    | st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=3),
    min_size=1,
    max_size=3,
)


def verdicts(matcher: BodyMatcher, words: list[str]) -> list[bool]:
    """What becomes of many messages, some of which hold just the words in question."""
    names = dict.fromkeys((*FIELDS, *(word for word in words if word.isalnum())))
    values = [*VALUES, *words, *(float(word) for word in words if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", word))]
    messages: list[object] = [{}, {"o": {"k": 1}}]
    messages += [{"n": 5, "m": each, "s": each, "l": each} for each in values]
    messages += [{"n": each, "s": "A"} for each in values]
    for one in (5, 6, "A", -1.5):
        messages += [{"n": one, name: other} for name in names for other in ("A", "B", 5, None)]
    return [
        matcher.match_message(each, Message("t", b"", key=key, headers={"h": "A"})).matched
        for each in messages
        for key in ("5", "6")
    ]


def is_another_spelling(text: str) -> bool:
    """Whether what was appended only writes the same once more: ``-1.50``, ``/re/i``, a field that no message has."""
    listed = [each.strip(' "') for each in text.partition("one of ")[2].split(",")]
    if len(set(listed)) < len(listed):
        return True
    return bool(re.search(r"-1\.50+$|/i$| ± 0\.01", text)) or " is absent" in text or " null" in text or "± 1" in text


@examples(400, deadline=None)
@given(st.sampled_from([f"n {form}" for form in CONDITION_FORMS] + list(CONDITIONS)), ENDS, st.sampled_from(["", " "]))
def test_what_is_appended_to_a_condition_is_an_error_or_changes_a_verdict(
    condition: str, ends: list[str], gap: str
) -> None:
    text = f"{condition}{gap}{' '.join(ends)}"
    before, after = built(where=condition), built(where=text)
    assert before is not None
    if after is not None and not is_another_spelling(text) and text.split() != condition.split():
        said = text.replace("{{ 1 }}", "1")
        words = [*ends, text, text.removeprefix(condition).strip(), *said.split()[-3:], said.rpartition(" ")[2]]
        assert verdicts(before, words) != verdicts(after, words)


@pytest.mark.thorough
@examples(400, deadline=None)
@given(st.sampled_from([*FORMS, *CELLS]), ENDS, st.sampled_from(["", " "]))
def test_what_is_appended_to_a_cell_is_an_error_or_changes_a_verdict(cell: str, ends: list[str], gap: str) -> None:
    text = f"{cell}{gap}{' '.join(ends)}"
    before, after = built(cell=cell), built(cell=text)
    assert before is not None
    if after is not None and not is_another_spelling(text) and text.split() != cell.split():
        said = text.replace("{{ 1 }}", "1")
        words = [*ends, text, said.strip(), text.removeprefix(cell).strip(), said.rpartition(",")[2].strip()]
        assert verdicts(before, words) != verdicts(after, words)


@pytest.mark.parametrize("condition", ["s is x[ and n is 6", "s is one of x, y{ and n is 6"])
def test_a_bracket_within_a_word_takes_no_condition_along(condition: str) -> None:
    matcher = built(where=condition)
    assert matcher is not None
    assert matcher.description.endswith(", n == 6")


EXAMPLES = [phrase.example.splitlines()[0].partition(" ")[2].rstrip(":") for phrase in PHRASES]
PLAIN = st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=12).filter(lambda text: text.strip() != "")


@examples(400)
@given(st.sampled_from(EXAMPLES), PLAIN)
def test_what_stands_behind_a_sentence_makes_it_none_of_ours_or_another_one(sentence: str, rest: str) -> None:
    before, after = recognise_text(sentence), recognise_text(f"{sentence} {rest}")
    assert before is not None
    if after is not None:
        assert (after.phrase, after.args) != (before.phrase, before.args)


@pytest.mark.parametrize("sentence", EXAMPLES)
@pytest.mark.parametrize("rest", ["AND n is 5", "please", "within", "for", "with", "(twice)"])
def test_the_same_for_words_that_people_append(sentence: str, rest: str) -> None:
    before, after = recognise_text(sentence), recognise_text(f"{sentence} {rest}")
    assert before is not None
    if after is not None:
        assert (after.phrase, after.args) != (before.phrase, before.args)


FULL = (
    'I publish "a.b" on bus with key "k"',
    'I publish 3 "a.b" messages on bus with key "k" at 5 per second',
    'I expect "a.b" on bus where n is 5 within 50ms of "a" not before 10ms waiting up to 2 seconds',
    'I expect another "a.b" on bus where n > 5 within 1.5s',
    'I expect between 1 and 3 "a.b" messages on bus where n exists within 1 minute of "a"',
    'I expect exactly 2 "a.b" messages within 50ms',
    'I expect no "a.b" on bus where n is 5 for 50ms',
    'I expect no other "a.*" on bus for 2s',
    "I expect nothing else on bus for 50ms",
    'from "a" on bus where n is 5 to "b" on other where n is 6 takes at most 50ms',
    'a service on bus that answers "a.b" where n is 5 with "c" on other after 50ms 3 times',
    'the 2nd "a.b" message has not',
    'the service answered "a.b" 3 times',
    "I wait 50ms",
)
INSERTED = st.sampled_from(
    ['"c"', "2", "50ms", "1s", "bus", "not", "no", "at", "for", "within 9s", "where", "twice", ",", ".", "-", "5.", "x"]
) | st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=3)


@examples(500, deadline=None)
@given(st.sampled_from([*FULL, *EXAMPLES]), INSERTED, st.sampled_from(["", " "]), st.data())
def test_what_is_put_into_a_sentence_makes_it_none_of_ours_or_another_one(
    sentence: str, text: str, gap: str, data: st.DataObject
) -> None:
    """Behind any word, number, unit or quote: a topic, a count and a duration take nothing along in silence."""
    before = recognise_text(sentence)
    assert before is not None
    ends = [*(found.end() for found in re.finditer(r"\S+", sentence)), *(m.end() for m in re.finditer('"', sentence))]
    place = data.draw(st.sampled_from(ends))
    after = recognise_text(f"{sentence[:place]}{gap}{text}{sentence[place:]}")
    if after is not None and text != ":":
        assert (after.phrase, after.args) != (before.phrase, before.args)


OURS = sorted({word for sentence in (*FULL, *EXAMPLES) for word in sentence.split()})
SAME = {"messages": "message", "ms": "milliseconds"}


@examples(600, deadline=None)
@given(st.sampled_from([*FULL, *EXAMPLES]), st.sampled_from([None, *OURS]), st.booleans(), st.data())
def test_a_word_left_out_changed_or_moved_makes_a_sentence_none_of_ours_or_another_one(
    sentence: str, other: str | None, is_moved: bool, data: st.DataObject
) -> None:
    before = recognise_text(sentence)
    assert before is not None
    words = sentence.split()
    place = data.draw(st.integers(0, len(words) - 1))
    changed = [*words[:place], *([] if other is None else [other]), *words[place + 1 :]]
    if is_moved:
        changed.insert(data.draw(st.integers(0, len(changed))), words[place])
    after = recognise_text(" ".join(changed))
    if after is not None and [SAME.get(each, each) for each in changed] != [SAME.get(each, each) for each in words]:
        assert (after.phrase, after.args) != (before.phrase, before.args)


@examples(300)
@given(
    st.sampled_from(["a", "a.b", "a.*", "a.>", ">", "*", "*.b", "a:b", "a/b", "{slot}.a", "{{ id }}.a"]),
    st.text("ab.*>#+?:/ [\\", min_size=1, max_size=4),
)
def test_what_is_appended_to_a_topic_is_an_error_or_hears_something_else(topic: str, rest: str) -> None:
    longer = topic + rest
    if malformed(longer) is None:
        names = [each.replace("*", "x").replace(">", "x.y") for each in (topic, longer)]
        assert [matches(topic, name) for name in names] != [matches(longer, name) for name in names]
