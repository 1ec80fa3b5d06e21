"""Conditions and cells are a grammar: what is not fully understood is an error, never text."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd.codecs.base import JSONCodec
from choreo_bdd.message import Message
from choreo_bdd.topic_patterns import malformed
from choreo_bdd_steps.language import BodyError, BodyMatcher, Variables, parse_expectation, parse_payload

HERE = Path(__file__).parent
VARIABLES = Variables({"n": 5, "text": "x"})


def where(condition: str) -> BodyMatcher:
    [built] = parse_expectation(None, None, condition, base_dir=HERE).build(VARIABLES)
    return built


def table(*rows: tuple[str, str]) -> BodyMatcher:
    heading = ["field", "value"]
    [built] = parse_expectation(None, [heading, *map(list, rows)], None, base_dir=HERE).build(VARIABLES)
    return built


def body(text: str) -> BodyMatcher:
    [built] = parse_expectation(text, None, None, base_dir=HERE).build(VARIABLES)
    return built


def message(key: str | None = None, **headers: str) -> Message:
    return Message("t", b"", headers=headers, key=key)


@pytest.mark.parametrize(
    "condition",
    [
        "status is A AND total is 5",
        "status is A, total is 5",
        "status is A B",
        'status is "A" "B"',
        'status is "A"or status is B',
        "status is A && total is 5",
        "status is A and total is 5 or total is 6",
        "status is A or",
        "status equals A",
        "status == A",
        "status isnot A",
        "status is =5",
        "total > 5 6",
        "total > five",
        "total is between 1, 9",
        "total is between 1 and",
        "total is one of 1 2",
        "total is one of 1,,2",
        "total is [1, 2",
        "code matches x.*",
        "code matches /a/ b",
        "at is after lunch",
        "code exists and",
        "code exists B",
        "code is absent now",
        "code starts x",
        "$.status is A",
        "/status is A",
        "status is (A)and total is 5 extra",
    ],
)
def test_what_is_left_over_or_misspelt_in_a_condition_is_an_error(condition: str) -> None:
    with pytest.raises(BodyError, match=r"condition|path"):
        where(condition)


@pytest.mark.parametrize(
    ("condition", "good", "bad"),
    [
        ('status is "A" or status is "B"', {"status": "B"}, {"status": "C"}),
        ("status is not A or total is 5", {"status": "A", "total": 5}, {"status": "A", "total": 6}),
        ("a = 5", {"a": 5}, {"a": 6}),
        ("a = '= 5'", {"a": "= 5"}, {"a": 5}),
        ('a is "x and y" or b is 1', {"a": "x and y"}, {"a": "x"}),
        ("a is 'and'", {"a": "and"}, {"a": "or"}),
        ("a >5", {"a": 6}, {"a": 5}),
        ('a > "B"', {"a": "C"}, {"a": "A"}),
        ("items is []", {"items": []}, {"items": [1]}),
        ("items is [1, 2]", {"items": [1, 2]}, {"items": [1, 2, 3]}),
        ("items is not [1, 2]", {"items": [1, 2, 3]}, {"items": [1, 2]}),
        ('o is {"a": [!gt 1]}', {"o": {"a": [2]}}, {"o": {"a": [2], "b": 1}}),
        ("items contains [2]", {"items": [1, 2]}, {"items": [1]}),
        ('items contains {"a": 1}', {"items": [{"a": 1, "b": 2}]}, {"items": [{"b": 2}]}),
        ("note contains 42", {"note": "order 42 has failed"}, {"note": "order 43"}),
        ("stock.2024 is 0", {"stock": {"2024": 0}}, {"stock": {"2025": 0}}),
        ("a.0 is x", {"a": ["x"]}, {"a": ["y"]}),
        ("a.007 is x", {"a": {"007": "x"}}, {"a": {"7": "x"}}),
        ("at is before 2024-01-02", {"at": "2024-01-01"}, {"at": "2024-01-02"}),
        ("at is not after {{ '2024-01-02' }}", {"at": "2024-01-01"}, {"at": "2024-01-03"}),
        ("a is an object and b is a uuid or c is 1", None, None),
    ],
)
def test_conditions_mean_what_they_say(condition: str, good: object, bad: object) -> None:
    if good is None:
        with pytest.raises(BodyError, match="and with `or`"):
            where(condition)
        return
    assert where(condition).match(good).matched
    assert not where(condition).match(bad).matched


CELLS = [
    "= 5",
    "== 5",
    "not x",
    "Not x",
    "greater than 3",
    "less than 3",
    "at least 3",
    "after lunch",
    "before noon",
    "matches x.*",
    "matches /a/b/",
    "between 1, 9",
    "between 1",
    ">x",
    "> x",
    ">",
    "contains",
    "one of A,,B",
    "exists and is 5",
    "any value",
    "null or 5",
    "not null and 5",
    "a uuid or so",
    "a timestmap",
    "length > x",
    "starts with",
    "is 5",
    "equals 5",
    '"A" or "B"',
    "up to 5",
    "from 1 to 5",
    "1..5",
    "in between 1 and 5",
    "roughly 3",
    "has length 3",
    "later than 2024-01-01",
    "one of A or B",
    "one of A, B or C",
    "one of A, B, and C",
    "[5, 9)",
    "[1, 2",
    "{a: 1",
]


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_begins_like_an_operator_is_an_error_with_the_way_to_quote_it(cell: str) -> None:
    with pytest.raises(BodyError):
        table(("v", cell))
    quoted = '"' + cell.replace('"', '\\"') + '"'
    assert table(("v", quoted)).match({"v": cell}).matched


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("set", "absent"),
        ("present", "absent"),
        ("missing", "exists"),
        ("empty", "length > 0"),
        ("None", "not null"),
        ("NULL", "not null"),
        ("True", "!= true"),
        ("FALSE", "!= false"),
    ],
)
def test_a_value_is_not_to_differ_from_a_word_that_was_no_text(word: str, meant: str) -> None:
    for condition in (f"a is not {word}", f"a != {word}", f"b is 1 or a is not {word}"):
        with pytest.raises(BodyError, match=f"{word!r} is a text here.*write {meant}") as refused:
            where(condition)
        assert f'"{word}"' in str(refused.value)
    with pytest.raises(BodyError, match=f"write {meant}"):
        table(("a", f"!= {word}"))
    assert not where(f'a is not "{word}"').match({"a": word}).matched
    assert not table(("a", f'!= "{word}"')).match({"a": word}).matched
    for negation in ("!ne", "!not", "!not !ne"):
        with pytest.raises(BodyError, match=f"write {meant}"):
            body(f"a: {negation} {word}")
    assert not body(f'a: !ne "{word}"').match({"a": word}).matched


@pytest.mark.parametrize(
    "cell",
    ["a widget", "<b>bold</b>", "anything", "note", "island", "existing", "[draft] x", "[draft] x #5", "-", "10.0.0.1"],
)
def test_plain_text_stays_plain_text(cell: str) -> None:
    assert table(("v", cell)).match({"v": cell}).matched


@pytest.mark.parametrize("cell", ["= 5", "not x", "after lunch", "> x"])
def test_what_only_looks_like_an_operator_can_be_published(cell: str) -> None:
    [sent] = parse_payload(None, [["field", "value"], ["v", cell]], base_dir=HERE).build(VARIABLES)
    assert sent.payload == {"v": cell}


@pytest.mark.parametrize("path", ["items.*.sku", "*", "items.*", "**.sku"])
def test_a_star_between_dots_is_no_path_of_ours(path: str) -> None:
    with pytest.raises(BodyError, match=r"path of another language.*items\[\*\]\.sku"):
        where(f"{path} is 5")
    assert where("'*'.sku is 5").match({"*": {"sku": 5}}).matched


def test_a_comma_parts_the_values_and_quotes_keep_words_together() -> None:
    assert table(("v", 'one of "A or B", C')).match({"v": "A or B"}).matched
    assert table(("v", "one of salt and pepper, oil")).match({"v": "salt and pepper"}).matched


_CLAUSES = st.sampled_from(
    [
        ("a is 5", 5),
        ("a is x", "x"),
        ('a is "x"', "x"),
        ("a > 4", 5),
        ("a is one of 5, 6", 5),
        ("a is between 1 and 5", 5),
        ("a exists", 5),
        ("a is not 7", 5),
        ("a contains x", "x"),
        ("a matches /x/", "x"),
        ("a is [5]", [5]),
        ("a is a number", 5),
        ("a is {{ n }}", 5),
    ]
)
_APPENDED = st.one_of(
    st.sampled_from(
        [" and", " AND b is 1", ", 5", " or a", " 5", "x", " == 5", " then b", "; b", " and b is 1", " /x/"]
    ),
    st.text(alphabet="abx15 ,.\"'/[]{}()<>=!&|;", min_size=1, max_size=8),
)


@given(_CLAUSES, _APPENDED)
def test_text_behind_a_condition_is_never_ignored(clause: tuple[str, object], appended: str) -> None:
    condition, value = clause
    written = condition + appended
    if not appended.strip():
        return
    assert where(condition).match({"a": value}).matched
    try:
        longer = where(written)
    except BodyError:
        return
    assert longer.expected_shape() != where(condition).expected_shape()


_VALID_CELLS = st.sampled_from(
    ["5", '"x"', "> 4", "one of A, B", "between 1 and 5", "exists", "absent", "null", "not null", "matches /x/",
     "a uuid", "contains x", "length 3", "[1, 2]", "{{ n }}", "approx 3 ± 1", "text", "before 2024-01-01"]
)  # fmt: skip


@given(_VALID_CELLS, _APPENDED)
def test_text_behind_a_cell_is_never_ignored(cell: str, appended: str) -> None:
    if not appended.strip():
        return
    try:
        longer = table(("v", cell + appended))
    except BodyError:
        return
    assert longer.expected_shape() != table(("v", cell)).expected_shape()


@pytest.mark.parametrize(
    ("condition", "key", "expected"),
    [
        ("@key is 7", "7", True),
        ("@key is not 7", "7", False),
        ("@key != 7", "7", False),
        ("@key is 7", "7.0", True),
        ("@key is one of 6, 7", "7", True),
        ("@key > 5", "10", True),
        ("@key > 5", "abc", False),
        ("@key is between 1 and 9", "7", True),
        ('@key is "7"', "7", True),
        ('@key is "7.0"', "7", False),
        ("@key is true", "true", True),
        ("@key is {{ n }}", "5", True),
        ("@key matches /[0-9]/", "7", True),
    ],
)
def test_keys_compare_as_the_operand_asks(condition: str, key: str, *, expected: bool) -> None:
    assert where(condition).match_message({}, message(key)).matched is expected


@pytest.mark.parametrize("written", ["1.10", "1e3", "007", "true", "12345678901234567.12"])
def test_headers_and_keys_go_out_as_written_and_are_found_again(written: str) -> None:
    for given_body in (
        parse_payload(None, [["field", "value"], ["@headers.v", written], ["@key", written]], base_dir=HERE),
        parse_payload(f"'@headers': {{v: {written}}}\n'@key': {written}", None, base_dir=HERE),
    ):
        [sent] = given_body.build(VARIABLES)
        assert (sent.headers, sent.key) == ({"v": written}, written)
    found = message(None, v=written)
    for cell in (written, f'"{written}"'):
        assert table(("@headers.v", cell)).match_message({}, found).matched


def test_a_header_of_null_is_refused() -> None:
    with pytest.raises(BodyError, match="null is none"):
        parse_payload(None, [["field", "value"], ["@headers.v", "null"]], base_dir=HERE).build(VARIABLES)


def test_every_element_of_nothing_is_no_match_unless_the_body_says_so() -> None:
    assert not table(("items[*].sku", "tea")).match({"items": []}).matched
    assert not body("items: !every {sku: tea}").match({"items": []}).matched
    assert table(("items[*].sku", "tea"), ("items", "length >= 0")).match({"items": []}).matched
    assert body("items: !all_of [!length 0, !every {sku: tea}]").match({"items": []}).matched


def test_some_element_of_one_body_is_one_element() -> None:
    asked = table(("items[?].a", "1"), ("items[?].b", "2"))
    assert asked.match({"items": [{"a": 0, "b": 0}, {"a": 1, "b": 2}]}).matched
    assert not asked.match({"items": [{"a": 1, "b": 0}, {"a": 0, "b": 2}]}).matched
    joined = where("items[?].a is 1 and items[?].b is 2")
    assert not joined.match({"items": [{"a": 1, "b": 0}, {"a": 0, "b": 2}]}).matched


def test_a_reversed_range_is_refused() -> None:
    for cell in ("between 5 and 1", "between 2024-02-01 and 2024-01-01"):
        with pytest.raises(BodyError, match="smaller value first"):
            table(("v", cell))


def test_timestamps_with_offsets_compare_as_moments() -> None:
    payload = {"at": "2024-01-01T01:00:00+02:00"}
    assert not where("at > 2024-01-01T00:00:00Z").match(payload).matched
    assert where("at < 2024-01-01T00:00:00Z").match(payload).matched
    assert where("at is between 2023-12-31T22:00:00Z and 2023-12-31T23:30:00Z").match(payload).matched


AT = "2024-01-01T01:00:00+02:00"
SAME = ("2023-12-31T23:00:00Z", "2023-12-31T23:00:00.000000000+00:00", "2023-12-31T23:00Z", "2023-12-31T18:00:00-0500")
OTHER = ("2024-01-01T01:00:00Z", "2024-01-01T01:00:00", "2023-12-31T23:00:00", "2023-12-31T23:00:00.000000001Z")


@pytest.mark.parametrize("written", SAME)
def test_one_moment_is_itself_however_it_is_written(written: str) -> None:
    for sentence in (f"is {written}", f'is "{written}"', f"is one of 2020-01-01T00:00:00Z, {written}"):
        assert where(f"at {sentence}").match({"at": AT}).matched
        assert where(f"@headers.at {sentence}").match_message({}, message(at=AT)).matched
    assert not where(f"at is not {written}").match({"at": AT}).matched
    assert not where(f"@headers.at is not {written}").match_message({}, message(at=AT)).matched
    assert table(("at", written)).match({"at": AT}).matched
    assert body(json.dumps({"a": [{"at": written}]})).match({"a": [{"at": AT, "b": 1}]}).matched
    assert where(f'a is [{{"at": "{written}"}}]').match({"a": [{"at": AT}]}).matched
    assert where(f"a contains {written}").match({"a": [AT]}).matched
    assert body(f"a: !exactly {{at: '{written}'}}").match({"a": {"at": AT}}).matched
    assert body(f"a: !unordered ['{written}', x]").match({"a": ["x", AT]}).matched


@pytest.mark.parametrize("written", OTHER)
def test_what_names_another_moment_or_no_offset_is_not_it(written: str) -> None:
    assert not where(f"at is {written}").match({"at": AT}).matched
    assert where(f"at is not {written}").match({"at": AT}).matched
    assert where(f"at is {written}").match({"at": written}).matched


def test_moments_are_exact_below_the_microsecond() -> None:
    stamp = "2024-01-01T00:00:00.123456"
    for condition in (f"after {stamp}788Z", f"before {stamp}79Z", f"{stamp}7890Z", f"not {stamp}Z"):
        assert where(f"at is {condition}").match({"at": f"{stamp}789Z"}).matched
    for condition in (f"after {stamp}789Z", f"before {stamp}789Z", f"{stamp}Z", f"not {stamp}7890Z"):
        assert not where(f"at is {condition}").match({"at": f"{stamp}789Z"}).matched
    assert where(f"at > {stamp}788Z").match({"at": f"{stamp}789Z"}).matched


def test_decimals_are_exact_and_written_back() -> None:
    wire = b'{"amount":12345678901234567.12,"big":123456789012345678901234567890,"small":0.1}'
    payload = JSONCodec().decode(wire)
    assert payload["amount"] == Decimal("12345678901234567.12")
    assert JSONCodec().encode(payload) == wire
    assert where("amount is 12345678901234567.12").match(payload).matched
    assert not where("amount is 12345678901234567.99").match(payload).matched
    assert where("amount < 12345678901234567.13").match(payload).matched
    assert not where("amount < 12345678901234567.12").match(payload).matched
    assert where("small > 0.09").match(payload).matched
    [sent] = parse_payload('{"amount": 12345678901234567.12}', None, base_dir=HERE).build(VARIABLES)
    assert JSONCodec().encode(sent.payload) == b'{"amount":12345678901234567.12}'


@pytest.mark.parametrize(
    "rows",
    [
        [["name", "value"], ["id", "7"], ["sku", "tea"]],
        [["path", "value"], ["id", "7"]],
        [["value", "field"], ["7", "id"]],
        [["id", "abc"], ["name", "tea"]],
        [["field", "value", "comment"], ["id", "7", "the order"]],
        [["field", "operator", "value"], ["id", "=", "7"]],
        [["Path", "type", "Value"], ["id", "number", "7"]],
        [["Field", "Value"], ["id", "7"]],
        [["field:", "value:"], ["id", "7"]],
        [["feild", "value"], ["id", "7"]],
        [["field", "vlaue"], ["id", "7"]],
        [["field name", "expected value"], ["id", "7"]],
        [["element", "value"], ["id", "7"]],
        [["JSON path", "value"], ["id", "7"]],
        [["Field", "operator", "expected"], ["id", "is", "7"]],
        [["field", "matcher"], ["id", "a number"]],
        [["field"], ["id"]],
        [["order.items", "7"], ["order.total", "3"]],
        [["order.sku", "tea"], ["order.items[0].qty", "3"]],
    ],
)
def test_headings_that_are_nearly_right_are_errors(rows: list[list[str]]) -> None:
    with pytest.raises(BodyError, match=r"field \| value"):
        parse_payload(None, rows, base_dir=HERE)
    with pytest.raises(BodyError, match=r"field \| value"):
        parse_expectation(None, rows, None, base_dir=HERE)


@pytest.mark.parametrize(
    "heading", [["field", "error"], ["customer", "total"], ["path", "size"], ["yield", "value"], ["topic.name", "n"]]
)
def test_headings_of_messages_a_row_are_left_alone(heading: list[str]) -> None:
    drafts = parse_payload(None, [heading, ["topics.a", "1"], ["topics.b", "2"]], base_dir=HERE).build(VARIABLES)
    assert len(drafts) == 2


def test_a_quoted_heading_names_fields_of_these_names() -> None:
    [sent] = parse_payload(None, [["'name'", "'value'"], ["x", "7"]], base_dir=HERE).build(VARIABLES)
    assert sent.payload == {"name": "x", "value": 7}
    three = [["'field'", "value", "unit"], ["x", "7", "kg"]]
    [sent] = parse_payload(None, three, base_dir=HERE).build(VARIABLES)
    assert sent.payload == {"field": "x", "value": 7, "unit": "kg"}


def test_a_variable_may_be_called_self() -> None:
    body = parse_payload("a: '{{ n }}'\nb: 'x{{ n }}'", None, base_dir=HERE)
    [sent] = body.build(Variables({"self": "x", "n": 5}))
    assert sent.payload == {"a": 5, "b": "x5"}


@pytest.mark.parametrize(
    "topic",
    [
        "orders*",
        "a.>.b",
        "orders:*",
        "a.b>",
        ">.a",
        "orders.#",
        "#",
        "a.+.b",
        "a.?",
        "a.${id}",
        "${ id }",
        " a",
        "a ",
        " ",
    ],
)
def test_half_wildcards_are_told_and_patterns_are_not(topic: str) -> None:
    assert repr(topic) in (malformed(topic) or "")
    for good in ("orders.*", "orders.>", ">", "*", "a.*.b", "orders:new", "c#", "a+b", "{slot}.a", "why?"):
        assert malformed(good) is None


NEARLY = (
    *("startswith ab", "ends-with ab", "oneof A, B", "one-of A, B", "not_null", "non-null", "≥ 5", "≠ x", "~ 3"),
    *("about 3 ± 1", "regex x", r"/x\d+/", "/x.*/i", "a bool", "an int"),
    *("'PAID'", "! x", "!5", '!"x"', "!!str 5", "eq 5", "gt 5", "lte -3", "min 3", "max {{ n }}", "about 5", "5 or 6"),
    *("either a or b", "is_null", "isnotnull", "exists()", "absent ()", "^x$", r"\d+", r"[A-Z]\w+x", "length: 3"),
    *("length between 1 and 3", "a guid", "a date", "a datetime", "an array", "a dict", "a float"),
    *("length PAID", "length x"),
)


SLIPPED = (
    *("bettween 1 and 5", "betwen 1 and 5", "betwene A and B", "betewen 1, 9", "Betwean {{ a }} and {{ b }}"),
    *("aprox 3.14 ± 0.01", "approxx 3 ± 1", "appprox 3", "apporx 3 +- 1"),
    *("contians x", "contain s x and y", "cotnains ERROR", "conatins x", "contaons x", "ccontains x"),
    *("strats with ab", "starts wiht ab", "startts with ab", "sarts with ab", "starts wth ab", "Starst with ab"),
    *("edns with ab", "ends wiht ab", "endss with ab"),
    *("mathces /x/", "matchs /x.*/i", "matcehs /x/", "natches /x/"),
    *("lenght 3", "lenth >= 3", "legnth 3", "lengh > 0", "lenghth 3"),
    *("befor 2026-01-31T12:00:00Z", "beofre {{ now() }}", "afer 2026-01-31", "aftter 2026-01-31"),
    *("oen of A, B", "one fo A, B", "onee of 1, 2", "on of A, B"),
)


@pytest.mark.parametrize("cell", [*NEARLY, *SLIPPED], ids=range(len(NEARLY) + len(SLIPPED)))
def test_a_cell_that_is_nearly_an_operator_is_told(cell: str) -> None:
    with pytest.raises(BodyError, match="begins like an operator and is none"):
        parse_expectation(None, [["field", "value"], ["n", cell]], None, base_dir=HERE)


INNOCENT = (
    *("/api/v1/orders/", "/", "non-stop", "starter within", "~user", "gt", "about 5 minutes", "don't", "!", "size XL"),
    *(
        "container ship",
        "containers 5",
        "content x",
        "contained in 5",
        "maintains 5 and 6",
        "remains open",
        "captains x",
    ),
    *(
        "betwixt us and them",
        "be tween 1 and 5",
        "two and five",
        "bitten and sweet",
        "better and worse",
        "twelve and 1",
    ),
    *(
        "stars with planets",
        "stats with numbers",
        "stares with wonder",
        "smarts with pain",
        "tarts with jam",
        "status x",
    ),
    *(
        "sends with care",
        "tends with age",
        "lends with interest",
        "bends with wind",
        "friends with us",
        "spends with x",
    ),
    *("ends width 5", "starts width 5", "stays with us", "parts with it", "comes with x", "hands with soap", "start"),
    *("batches of 5", "catches 5", "watches and clocks", "patches applied", "matched 5", "watches /x"),
    *("strength 5", "lengths", "lengthy text", "strengths 3 and 4", "length", "tenth 3", "seventh 3", "lengthen 3"),
    *("afternoon 5", "alter 5 rows", "aster 2", "rafter 9", "hereafter", "fore 2026", "befall 2026"),
    *(
        "one or two, three",
        "one on one, again",
        "one off sale, cheap",
        "ore of iron, copper",
        "zone of A, B",
        "bone of x",
    ),
    *("one", "one more, please", "none or many, all", "on off, on", "tone of voice, pitch", "oneself, alone"),
    *("approve 5", "approach 3", "approved", "apron 3", "apple x", "proxy 3", "apex 3"),
    *(
        "PAID",
        "paid in full",
        "Order 5 and 6",
        "Müller und Söhne",
        "call me, maybe",
        "a widget",
        "on hold, waiting",
        "x",
    ),
    *(
        "contention 3",
        "bemoan 1 and 2",
        "between-decks",
        "in betweens",
        "lengthwise 3",
        "alternate 2026-01-01",
        "beforehand",
    ),
    *("started with x", "starting", "ended with x", "ending", "matcher /x", "container", "containment x"),
)


@pytest.mark.parametrize("cell", INNOCENT)
def test_a_cell_that_reads_like_one_and_is_plain_text_stays_text(cell: str) -> None:
    [built] = parse_expectation(None, [["field", "value"], ["n", cell]], None, base_dir=HERE).build(VARIABLES)
    assert built.match({"n": cell}).matched


IMPOSSIBLE = (
    ("n is 5 and n is 6", [["n", "5"], ["n", "6"]]),
    ("n > 5 and n < 3", [["n", "> 5"], ["n", "< 3"]]),
    ("n >= 5 and n < 5", [["n", ">= 5"], ["n", "< 5"]]),
    ("n is between 1 and 5 and n > 5", [["n", "between 1 and 5"], ["n", "> 5"]]),
    ("n is 7 and n is between 1 and 5", [["n", "7"], ["n", "between 1 and 5"]]),
    ("n is absent and n is 5", [["n", "absent"], ["n", "5"]]),
    ("n exists and n is absent", [["n", "exists"], ["n", "absent"]]),
    ("n is A and m is 1 and n is not A", [["n", "A"], ["m", "1"], ["n", "!= A"]]),
    ("n is true and n is 1", [["n", "true"], ["n", "1"]]),
    ("n is absent and n is a uuid", [["n", "absent"], ["n", "a uuid"]]),
    ("n is absent and n matches /x/", [["n", "absent"], ["n", "matches /x/"]]),
    ("n is absent and n is not 5", [["n", "absent"], ["n", "!= 5"]]),
    ("n is a number and n is a string", [["n", "a number"], ["n", "a string"]]),
    ("n is null and n is not null", [["n", "null"], ["n", "not null"]]),
    ("n is abc and n contains z", [["n", "abc"], ["n", "contains z"]]),
    ("n starts with b and n is abc", [["n", "starts with b"], ["n", "abc"]]),
    ("n matches /z/ and n is one of abc, abd", [["n", "matches /z/"], ["n", "one of abc, abd"]]),
    ("n is one of a, b and n is one of c, d", [["n", "one of a, b"], ["n", "one of c, d"]]),
    ("n length 2 and n length > 5", [["n", "length 2"], ["n", "length > 5"]]),
    ("n is 5.5 and n is an integer", [["n", "5.5"], ["n", "an integer"]]),
    (
        "n is before 2026-01-01 and n is after 2026-02-01",
        [["n", "before 2026-01-01"], ["n", "after 2026-02-01"]],
    ),
    (
        "n is 2026-01-01T00:00:00Z and n is after 2027-01-01",
        [["n", "2026-01-01T00:00:00Z"], ["n", "after 2027-01-01"]],
    ),
    ("n length < 0", [["n", "length < 0"]]),
    ("n is 5 and n.b is 3", [["n", "5"], ["n.b", "3"]]),
    ("n.b.c is 3 and n > 5", [["n.b.c", "3"], ["n", "> 5"]]),
    ("n is absent and n[0] exists", [["n", "absent"], ["n[0]", "exists"]]),
    ("n is null and n.b is not 3", [["n", "null"], ["n.b", "!= 3"]]),
    ("n is one of A, B and n.b matches /x/", [["n", "one of A, B"], ["n.b", "matches /x/"]]),
    ("n is a uuid and n.b is a number", [["n", "a uuid"], ["n.b", "a number"]]),
    ("n is 5 and n[*].b is 3", [["n", "5"], ["n[*].b", "3"]]),
    ("n[?].b.c is 3 and n[?].b is x", [["n[?].b.c", "3"], ["n[?].b", "x"]]),
    ("n.a is absent and n.a[?] > 3", [["n.a", "absent"], ["n.a[?]", "> 3"]]),
)


@pytest.mark.parametrize(("condition", "rows"), IMPOSSIBLE, ids=range(len(IMPOSSIBLE)))
def test_what_can_never_hold_together_is_an_error(condition: str, rows: list[list[str]]) -> None:
    with pytest.raises(BodyError, match="can never be true"):
        where(condition)
    with pytest.raises(BodyError, match="can never be true"):
        parse_expectation(None, [["field", "value"], *rows], None, base_dir=HERE)
    columns = [["m", *(name for name, _ in rows)], ["1", *(text for _, text in rows)]]
    with pytest.raises(BodyError, match=r"in the row .* can never be true; keep one of them"):
        parse_expectation(None, columns, None, base_dir=HERE)


@pytest.mark.parametrize("pattern", [r"a^", r"$a", r"(?i)a\Zb"])
def test_a_pattern_that_fits_no_text_is_an_error(pattern: str) -> None:
    for asked in (f"n matches /{pattern}/", f"n matches /{pattern}/ or m matches /a^/", f"@key matches /{pattern}/"):
        with pytest.raises(BodyError, match="can never be true"):
            where(asked)
    for rows in ([["field", "value"], ["n", f"matches /{pattern}/"]], [["n", "m"], [f"matches /{pattern}/", "1"]]):
        with pytest.raises(BodyError, match="can never be true"):
            parse_expectation(None, rows, None, base_dir=HERE, apart=True)
    with pytest.raises(BodyError, match="in the body n is to be matches"):
        parse_expectation(f"n: !matches '{pattern}'", None, None, base_dir=HERE)


@pytest.mark.parametrize(
    "docstring",
    [
        "n: !all_of [!type string, 13]",
        "n: !all_of [!type boolean, !gt 5]",
        "n: !all_of [!all_of [!ge 20], !le 10]",
        "n: !all_of [!starts_with B, Carl]",
        "n: !all_of [{a: 1}, {a: 2}]",
        "n: !all_of [{a: 1}, 5]",
        "n: !one_of []",
        "n: !length !lt 0",
        "n: !not !any",
        "!all_of [!type string, 13]",
    ],
)
def test_a_doc_string_that_nothing_fits_is_an_error(docstring: str) -> None:
    with pytest.raises(BodyError, match=r"in the body .* can never be true; keep one of them, or correct it"):
        parse_expectation(docstring, None, None, base_dir=HERE)


@pytest.mark.parametrize(
    ("docstring", "rows"),
    [
        (None, [["field", "value"], ["n", "> 50"], ["n", "< 30"], ["n", "absent"]]),
        (None, [["field", "value"], ["n", "Bob"], ["n.first", "Bob"]]),
        ("n: !all_of [!type string, !ne Ada]\nm: !all_of [!ge 10, !le 10]", None),
        ("!all_of [!contains x, !ends_with y]", None),
    ],
)
def test_each_thing_that_a_message_must_not_have_stands_alone(
    docstring: str | None, rows: list[list[str]] | None
) -> None:
    parse_expectation(docstring, rows, None, base_dir=HERE, apart=True)


@pytest.mark.parametrize(
    ("docstring", "rows"),
    [
        ("a: {b: 2}\nc: 1", None),
        ("a: {b: !gt 5}", None),
        (None, [["field", "value"], ["a.b", "2"]]),
        (None, [["c", "'a'.b"], ["1", "one of 2, 3"]]),
    ],
)
def test_a_condition_that_its_body_rules_out_is_an_error(docstring: str | None, rows: list[list[str]] | None) -> None:
    told = "in the condition and the body .*b is to be .* can never be true; keep one of them"
    with pytest.raises(BodyError, match=told):
        parse_expectation(docstring, rows, "a.b is 1", base_dir=HERE)
    parse_expectation(docstring, rows, "a.b is 1 or c is 1", base_dir=HERE)
    parse_expectation(docstring, rows, "a.b exists and d[0].b is 1", base_dir=HERE)


@pytest.mark.parametrize(
    "condition",
    [
        *(
            "n is 5 and n.b is absent",
            "n[?] is 5 and n[*].b is 3",
            "n[*].a is 5 and n[*].b is 3",
            "n length 3 and n[*] is 3",
            "n is not 5 and n.b is 3",
            "n exists and n.b is 3",
            "n length 3 and n[0] is 3",
            "n contains b and n.b is 3",
            "n is an object and n.b is 3",
            "n.a is 5 and n.b is 3",
            "n is 5 and na.b is 3",
            "n >= 5 and n <= 5",
            "n is 5 and n is 5.0",
            "n is 5 or n is 6",
            "n > 5 and n > 7",
            "n is 5.0 and n is an integer",
            "n is a list and n length 2",
            "n is an object and n length 3",
            'n is a string and n length 1 and n is not "x"',
            "n is a list and n length 1 and n is not [0]",
            "n length 5000 and n is not abc",
            "n > 1 and n < 1.0001",
            "n is [1, 2] and n length 2",
            "n is 2024-01-01 and n is after 2023-01-01",
            "n is not a and n is not b and n is a string",
            "n is not a or n is b",
            "n > 5 or n < 5",
            "n > 5 or n < 4",
            "n > 5 or n < 9 or n is a string",
            "n is before 2026-01-01 or n is after 2026-01-01",
            "n is after 2026-01-01 and n length 20",
            "n is after 2026-01-01T00:00:00.1Z and n is before 2026-01-01T00:00:00.2Z",
            "n is 2026-01-01T10:00:00Z and n is after 2026-01-01T10:30:00+01:00",
        ),
        *(
            "a[*] is 5 and a[?] is 6",
            "a[?] is 5 and a[?] is 6",
            "@key is 7 and @key is 7.0",
            "n contains a and n contains b",
        ),
        "n is between 1 and 5 and n > 4",
    ],
)
def test_what_may_hold_together_is_none(condition: str) -> None:
    where(condition)


@pytest.mark.parametrize("word", ["not", "no", "is", "where", "if", "has", "with", "exists"])
def test_a_word_of_the_sentence_is_no_field(word: str) -> None:
    with pytest.raises(BodyError, match=f"'{word}' stands where a field is expected"):
        where(f"{word} is one of 1, 2")
    assert where(f"'{word}' is 1 and {word}s is 1").match_message({word: 1, f"{word}s": 1}, message()).matched


@pytest.mark.parametrize(
    "condition",
    [
        "n > 5 or n <= 5",
        "n > 1 or n < 5 or n between 2 and 3",
        "n is between 1 and 5 or n > 3 or n < 2",
        "n is before 2026-02-01T00:00:00Z or n is after 2026-01-01",
        "n is not A or n is not B",
        "n != 5 or n != 6",
        "n exists or n is absent",
        "n is null or n is not null",
        "n is not one of a, b or n is not one of c, d",
        "n is a number or n is not a number",
    ],
)
def test_what_can_never_be_false_is_an_error(condition: str) -> None:
    with pytest.raises(BodyError, match="can never be false"):
        where(condition)


def test_or_reaches_keys_and_payload() -> None:
    asked = where("@key is 7 or a is 1")
    assert asked.match_message({"a": 2}, message("7")).matched
    assert asked.match_message({"a": 1}, message("8")).matched
    refused = asked.match_message({"a": 2}, message("8"))
    assert not refused.matched
    assert "@key" in refused.reason
    assert "a:" in refused.reason


@given(
    st.integers(-20, 20).map(lambda each: each / 2),
    st.integers(-20, 20).map(lambda each: each / 2),
    st.lists(st.integers(-10, 10), max_size=3),
)
def test_bounds_of_a_whole_number_are_a_contradiction_only_if_none_is_left(
    low: float, high: float, others: list[int]
) -> None:
    fits = [each for each in range(-10, 11) if low < each < high and each not in others]
    condition = f"n is an integer and n > {low} and n < {high}" + "".join(f" and n is not {each}" for each in others)
    if fits:
        assert where(condition).match({"n": fits[0]}).matched
        return
    with pytest.raises(BodyError, match="can never be true"):
        where(condition)


def test_a_time_without_a_unit_behind_a_condition_is_told_as_such() -> None:
    with pytest.raises(BodyError, match=r"'within 50' is left over: the time 50 has no unit; write 50ms, 50s or 50m"):
        where("n is 5 within 50")


@pytest.mark.parametrize(
    ("condition", "is_possible"),
    [
        ("@headers.a is x and @headers.a is y", False),
        ("@key is 7 and @key is 8", False),
        ("@partition is 1 and n is 5 and @partition is 2", False),
        ("@headers.a is 1 and @headers.a is 1.0", True),
        ('@headers.a is "1.0" and @headers.a is 1', True),
        ('@headers.a is true and @headers.a is "true"', True),
        ("@headers.a is 2026-01-01T00:00:00Z and @headers.a is 2026-01-01T01:00:00+01:00", True),
        ("@headers.a is x and @headers.b is y", True),
        ("@headers.a is x or @headers.a is y", True),
        ("@headers.a is x and @headers.a is {{ n }}", True),
    ],
)
def test_what_a_header_cannot_be_at_once_is_an_error(condition: str, is_possible: bool) -> None:
    if is_possible:
        where(condition)
        return
    with pytest.raises(BodyError, match="can never be true"):
        where(condition)


def test_rows_of_one_header_may_contradict_each_other_in_what_has_not() -> None:
    rows = [["field", "value"], ["@headers.a", "x"], ["@headers.a", "y"]]
    parse_expectation(None, rows, None, base_dir=HERE, apart=True)
    with pytest.raises(BodyError, match="can never be true"):
        parse_expectation(None, rows, None, base_dir=HERE)
