"""Words that were meant as something else are errors: none is taken as text, and nothing is dropped, in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd_steps.language import BodyError, BodyMatcher, Variables, parse_expectation, parse_payload

HERE = Path(__file__).parent
VARIABLES = Variables({"n": 5})


def where(condition: str) -> BodyMatcher:
    [built] = parse_expectation(None, None, condition, base_dir=HERE).build(VARIABLES)
    return built


def table(row: tuple[str, str]) -> BodyMatcher:
    [built] = parse_expectation(None, [["field", "value"], list(row)], None, base_dir=HERE).build(VARIABLES)
    return built


def body(text: str) -> BodyMatcher:
    [built] = parse_expectation(text, None, None, base_dir=HERE).build(VARIABLES)
    return built


OF_OTHER_LANGUAGES = (("None", "null"), ("NULL", "null"), ("Null", "null"), ("True", "true"), ("FALSE", "false"))


@pytest.mark.parametrize(("word", "meant"), OF_OTHER_LANGUAGES)
def test_a_word_of_another_language_is_no_text(word: str, meant: str) -> None:
    told = f"{word!r} is a text here; write {meant} in small letters"
    for condition in (f"a is {word}", f"a = {word}", f"a is one of 1, {word}", f"b is 1 or a is {word}"):
        with pytest.raises(BodyError, match=told):
            where(condition)
    for cell in (word, f"one of 1, {word}", f"[{word}]", f'{{"b": {word}}}'):
        with pytest.raises(BodyError, match=told):
            table(("a", cell))
    for text in (f"a: {word}", f"a: [{word}]", f"- {word}", f'{{"a": {word}}}', f"a: !one_of [1, {word}]"):
        with pytest.raises(BodyError, match=told):
            body(text)
    assert where(f'a is "{word}"').match({"a": word}).matched
    assert table(("a", f'"{word}"')).match({"a": word}).matched
    assert body(f"a: '{word}'").match({"a": word}).matched
    assert where(f"a contains {word}").match({"a": f"is {word}"}).matched  # a text is looked for in a text


PREDICATES = (
    *(("present", "exists"), ("Set", "exists"), ("something", "exists"), ("missing", "absent"), ("empty", "length 0")),
    *(("none", "null"), ("nonempty", "length > 0"), ("uuid", "a uuid"), ("integer", "an integer")),
)


@pytest.mark.parametrize(("word", "meant"), PREDICATES)
def test_a_word_that_reads_like_a_predicate_is_none_where_nobody_notices(word: str, meant: str) -> None:
    told = f"{word!r} is a text here, and no other value is equal to it; write {meant}, or quote it"

    def read(docstring: str | None = None, cell: str | None = None, condition: str | None = None) -> BodyMatcher:
        rows = None if cell is None else [["field", "value"], ["a", cell]]
        return parse_expectation(docstring, rows, condition, base_dir=HERE, quiet=True).build(VARIABLES)[0]

    for condition in (f"a is {word}", f"b is 1 and a = {word}", f"b is 1 or a is {word}"):
        with pytest.raises(BodyError, match=told):
            read(condition=condition)
    with pytest.raises(BodyError, match=told):
        read(cell=word)
    for docstring in (f"a: {word}", f"a: {{b: {word}}}"):
        with pytest.raises(BodyError, match=told):
            read(docstring)
    for built in (
        read(condition=f'a is "{word}"'),
        read(cell=f'"{word}"'),
        read(f"a: '{word}'"),
        read(condition=f"a is one of {word}, x"),
        read(condition=f"a contains {word}"),
    ):
        assert built.match({"a": word}).matched


@pytest.mark.parametrize(("word", "meant"), [("exists", "!exists"), ("absent", "!absent"), ("any", "!exists")])
def test_a_word_of_tables_is_a_text_in_a_doc_string_and_told_where_nobody_notices(word: str, meant: str) -> None:
    with pytest.raises(BodyError, match=f"write {meant}, or quote it"):
        parse_expectation(f"a: {word}", None, None, base_dir=HERE, quiet=True)
    assert body(f"a: {word}").match({"a": word}).matched


def test_words_that_may_be_meant_as_they_stand_stay_texts() -> None:
    for word in ("set", "missing", "empty", "none", "nil", "undefined", "yes", "like"):
        assert where(f"a is {word}").match({"a": word}).matched
        assert table(("a", word)).match({"a": word}).matched


@pytest.mark.parametrize("tag", ["gt", "ge", "lt", "le"])
def test_a_bare_word_has_no_order_in_a_doc_string_either(tag: str) -> None:
    with pytest.raises(BodyError, match="'five' has no order"):
        body(f"a: !{tag} five")
    body(f"a: !{tag} 'five'")
    body(f"a: !{tag} 2024-01-31")


@pytest.mark.parametrize("call", ["uuid()", "now_ms()", "random_int(1, 5)", "env(X)"])
def test_a_function_without_braces_is_no_text(call: str) -> None:
    for read in (
        lambda: parse_payload(f"a: {call}", None, base_dir=HERE),
        lambda: parse_payload(None, [["field", "value"], ["a", call]], base_dir=HERE),
        lambda: body(f"a: {call}"),
        lambda: table(("a", call)),
    ):
        with pytest.raises(BodyError, match=r"is a text here; write \{\{"):
            read()
    [sent] = parse_payload(f"a: '{call}'", None, base_dir=HERE).build(VARIABLES)
    assert sent.payload == {"a": call}


@pytest.mark.parametrize(
    "text", ["id: #5", "note: Order #5", "note: Order {{ n }} #5", "- a #1\n- b", "x: [a #5\n ]", "colour: #fff\nb: 1"]
)
def test_a_number_sign_takes_nothing_away_in_silence(text: str) -> None:
    with pytest.raises(BodyError, match="would be dropped as a comment"):
        parse_payload(text, None, base_dir=HERE)
    with pytest.raises(BodyError, match="would be dropped as a comment"):
        body(text)


def test_a_comment_is_still_one() -> None:
    assert body("# of the order\na: b#5 # five\nc: 'x'\n#d: 1").match({"a": "b#5", "c": "x"}).matched
    assert body("a: #nested\n  b: 1").match({"a": {"b": 1}}).matched


@pytest.mark.parametrize("cell", ['"a" # b', '"order" #5', "[1, 2] # two", "!gt 5 # five", '{"a": 1} #x'])
def test_a_cell_has_no_comments(cell: str) -> None:
    with pytest.raises(BodyError, match="would end before its #"):
        table(("a", cell))


@pytest.mark.parametrize("cell", ["PAID # paid", "5 # five", "> 5 # x", "one of A, B # x", "!= A # b", "{{ n }} # n"])
def test_what_reads_like_a_comment_behind_a_cell_is_not_taken_for_its_text(cell: str) -> None:
    with pytest.raises(BodyError, match="a cell has no comments"):
        table(("a", cell))


@pytest.mark.parametrize("text", ["order #5", "C#", "# x", "a ## b"])
def test_a_number_sign_in_a_text_is_text(text: str) -> None:
    assert table(("a", text)).match({"a": text}).matched
    assert table(("a", f'"{text} # 7"')).match({"a": f"{text} # 7"}).matched
    assert table(("a", "matches /.* # 7/")).match({"a": f"{text} # 7"}).matched


@pytest.mark.parametrize("text", ["{a 1}", "{a}", "{a: 1, b}", "x: {a 1}"])
def test_a_field_in_braces_has_a_value(text: str) -> None:
    with pytest.raises(BodyError, match="in braces has no value"):
        body(text)


@pytest.mark.parametrize("listed", ["[a, b]", "(a, b)", "(a,b)", "[1, 2]"])
def test_one_of_takes_no_brackets(listed: str) -> None:
    with pytest.raises(BodyError, match=r"write (is )?one of"):
        where(f"a is one of {listed}")
    with pytest.raises(BodyError, match=r"write (is )?one of"):
        table(("a", f"one of {listed}"))
    assert where("a is one of [1], [2]").match({"a": [2]}).matched


@pytest.mark.parametrize("word", ["≥5", "~5", "/x.*/", "not_null", "^x$", "exists()", "is_null"])
def test_one_word_that_is_nearly_an_operator_is_told_in_a_condition_too(word: str) -> None:
    for condition in (f"a is {word}", f"a is not {word}", f"a = {word}", f"a != {word}"):
        with pytest.raises(BodyError, match="begins like an operator"):
            where(condition)
    assert where(f'a is "{word}"').match({"a": word}).matched


MEDIA = ("application/json", "application/vnd.shop.order+json", "application/json; charset=utf-8", "JSON", "text/json")


@pytest.mark.parametrize("media_type", MEDIA)
def test_a_media_type_is_read_with_its_suffix_and_parameters(media_type: str) -> None:
    [sent] = parse_payload('{"a": 1}', None, media_type=media_type, base_dir=HERE).build(VARIABLES)
    assert sent.payload == {"a": 1}
    with pytest.raises(BodyError, match="this is not JSON"):
        parse_payload("a: 1", None, media_type=media_type, base_dir=HERE)


@pytest.mark.parametrize("media_type", ["json5", "application/avro", "text/plain; charset=json", "+", "/"])
def test_a_media_type_that_nobody_knows_is_an_error(media_type: str) -> None:
    with pytest.raises(BodyError, match="is unknown; use json, yaml"):
        parse_payload('{"a": 1}', None, media_type=media_type, base_dir=HERE)


@pytest.mark.parametrize("name", ["@key", "@headers.h"])
def test_what_stands_around_a_message_is_set_once(name: str) -> None:
    rows = [["field", "value"], [name, "1"], ["a", "1"], [name, "2"]]
    with pytest.raises(BodyError, match=f"{name} is set twice"):
        parse_payload(None, rows, base_dir=HERE).build(VARIABLES)
    both = '"@headers": {h: 1}\n"@headers.h": 2'
    with pytest.raises(BodyError, match=r"@headers\.h is set twice"):
        parse_payload(both, None, base_dir=HERE).build(VARIABLES)


@pytest.mark.parametrize("name", ["@partition", "@status"])
def test_a_number_around_a_message_is_held_against_no_text(name: str) -> None:
    told = f"{name} is a number, and .* is none: it can never be true"
    with pytest.raises(BodyError, match=told):
        where(f"{name} is 5xx")
    with pytest.raises(BodyError, match=told):
        table((name, '"2"'))
    with pytest.raises(BodyError, match=told):
        body(f"'{name}': two")
    where(f"{name} is 2 or {name} is {{{{ n }}}}")
    where(f"{name} >= 2")


@pytest.mark.parametrize(
    "condition",
    [
        "(s is A)",
        "(s is A) or (s is B)",
        "s is A or (n is 1)",
        "s is A)",
        "s is f(x",
        "s is (A)",
        "s is one of (A), B",
        's is A"',
        "s is A'",
        "s is “A”",
        "s is \u2018A\u2019",
    ],
)
def test_a_sign_that_closes_nothing_and_a_parenthesis_are_no_part_of_a_value(condition: str) -> None:
    with pytest.raises(BodyError, match=r"parentheses|closes what nothing has opened|straight double quotes"):
        where(condition)


def test_signs_that_belong_to_a_value_stay() -> None:
    assert where("s is f(x)").match({"s": "f(x)"}).matched
    assert where('s is "(x"').match({"s": "(x"}).matched
    assert where("s matches /(a|b)/").match({"s": "b"}).matched
    assert table(("s", "(x")).match({"s": "(x"}).matched
    with pytest.raises(BodyError, match="straight double quotes"):
        table(("s", "“A”"))


@pytest.mark.parametrize("text", ['a: "b"#c', "a: [1, 2]#c", '{"a": 1}#c', '"a"#b: 1', "- 'x'#y", 'a: [1, "b"#c\n, 2]'])
def test_a_number_sign_behind_a_quote_or_a_bracket_takes_nothing_away_either(text: str) -> None:
    with pytest.raises(BodyError, match="would be dropped as a comment"):
        parse_payload(text, None, base_dir=HERE)
    for cell in ('"A"#', "[1, 2]# x", '{"a": 1}#b'):
        with pytest.raises(BodyError, match="would end before its #"):
            table(("a", cell))


@pytest.mark.parametrize(
    "condition", ["n is 5 and | is absent", "n exists or ) exists", "s is A or ; null", "< exists"]
)
def test_a_sign_is_no_field(condition: str) -> None:
    with pytest.raises(BodyError, match="is no name"):
        where(condition)
    assert where("'|' is 5").match({"|": 5}).matched


def test_not_stands_behind_its_field() -> None:
    for condition in ("not is absent", "n is 5 and not s is A", "not null"):
        with pytest.raises(BodyError, match="write it behind"):
            where(condition)
    assert where("'not' is 5").match({"not": 5}).matched
