"""What people had a false verdict for, as they wrote it: the verdict, or the error, that is right."""

from __future__ import annotations

import pytest

from tests.support.step_bench import Bench


def doc(sentence: str, *lines: str) -> str:
    return "\n".join([sentence, '"""', *lines, '"""'])


def rows(sentence: str, *lines: str) -> str:
    return "\n".join([sentence, *(f"| {line} |" for line in lines)])


STOCK = doc('When I publish "t"', '{"stock": {"2024": 0}}')
AMOUNT = doc('When I publish "t"', '{"amount": 12345678901234567.12}')
THREE = rows('When I publish "t":', "items", "[1, 2, 3]")
UNREADABLE = doc('When I publish "t" as raw bytes:', '{"status": "FAILED",')
KEY = rows('When I publish "t" with key "7":', "id", "1")
PASSES = None
CASES: dict[str, tuple[tuple[str, ...], str | None]] = {
    "10 a key": ((KEY, 'Then I expect "t" where @key is not 7'), '@key: expected != 7, got "7"'),
    "10 a key in a table": (
        (KEY, rows('Then I expect "t":', "field | value", "@key | != 7")),
        '@key: expected != 7, got "7"',
    ),
    "12 a header": (
        (
            rows('When I publish "t":', "@headers.v", "1.10"),
            rows('Then I expect "t":', "field | value", '@headers.v | "1.10"'),
        ),
        PASSES,
    ),
    "14 neither A nor B": (
        (
            rows('When I publish "t":', "status", "B"),
            'Then I expect no "t" where status is "A" or status is "B" for 50ms',
        ),
        "unexpected: 1 matching on 't', wanted none",
    ),
    "18 a number in a text": (
        (
            rows('When I publish "t":', "note", "order 42 has failed"),
            'Then I expect no "t" where note contains 42 for 50ms',
        ),
        "unexpected: 1 matching on 't', wanted none",
    ),
    "19 a key of digits": ((STOCK, 'Then I expect "t" where stock.2024 is 0'), PASSES),
    "19 no key of digits": (
        (STOCK, 'Then I expect no "t" where stock.2024 is 0 for 50ms'),
        "unexpected: 1 matching on 't', wanted none",
    ),
    "23 a table of raw bytes": (
        (rows('When I publish "t" as raw bytes:', "field | value", "a | 1"), 'Then I expect "t"'),
        "a table stands below this step, which takes a doc string",
    ),
    "27 an empty list": (
        (THREE, rows('Then I expect "t":', "field | value", "items | []")),
        "items: expected [], got [1, 2, 3]",
    ),
    "28 is": ((THREE, 'Then I expect "t" where items is [1, 2]'), "items: expected [1, 2], got [1, 2, 3]"),
    "28 is not": ((THREE, 'Then I expect "t" where items is not [1, 2]'), PASSES),
    "30 every element of nothing": (
        (
            rows('When I publish "t":', "items", "[]"),
            rows('Then I expect "t":', "field | value", "items[*].sku | tea"),
        ),
        'items: expected "tea", got []',
    ),
    "32 cents": (
        (AMOUNT, 'Then I expect "t" where amount is 12345678901234567.99'),
        "amount: expected 12345678901234567.99, got 12345678901234567.12",
    ),
    "42 an absence": ((UNREADABLE, 'Then I expect no "t" for 50ms'), "1 message that came could not be read"),
    "42 exactly none": (
        (UNREADABLE, 'Then I expect exactly 0 "t" messages within 50ms'),
        "1 message that came could not be read",
    ),
    "42 exactly one": (
        ('When I publish "t"', UNREADABLE, 'Then I expect exactly 1 "t" messages within 50ms'),
        "1 message that came could not be read",
    ),
    "42 an empty body": (
        (doc('When I publish "t" as raw bytes:', ""), 'Then I expect no "t" for 50ms'),
        "wanted none",
    ),
    "42 a presence": ((UNREADABLE, 'Then I expect "t" where status is OK'), '[FAIL] I expect "t" where status is OK'),
    "51 a variable called self": (('Given self is "x"', 'When I publish "t"'), "no variable can be called 'self'"),
    "62 later, it is not": (
        (
            rows('When I publish "t":', "at", "2024-01-01T01:00:00+02:00"),
            'Then I expect "t" where at > 2024-01-01T00:00:00Z',
        ),
        "the closest differs in at",
    ),
    **{
        f"a predicate that is a text: {sentence}": (
            (doc('When I publish "t"', '{"a": 1}'), sentence),
            "'present' is a text here, and no other value is equal to it; write exists",
        )
        for sentence in (
            'Then I expect no "t" where a is present for 50ms',
            'Then I expect no other "t" where a is present for 50ms',
            'Then I expect exactly 0 "t" messages where a is present within 50ms',
            'Then I expect at most 1 "t" messages where a is present within 50ms',
            'Then I expect between 0 and 1 "t" messages where a is present within 50ms',
            rows('Then I expect no "t" for 50ms:', "field | value", "a | present"),
            doc('Then I expect no "t" for 50ms', "a: present"),
        )
    },
    **{
        f"an operator of a cell in a doc string: {operator}": (
            (doc('When I publish "t"', '{"a": 5}'), doc('Then I expect no "t" for 50ms', f"a: {operator}")),
            told,
        )
        for operator, told in (
            ("one of 5, 6", "in doc strings operators are tags; write !one_of"),
            ("a number", "in doc strings operators are tags; write !type"),
            ("not null", "in doc strings operators are tags; write !not_null"),
            ("between 1 and 9", "in doc strings operators are tags; write !between"),
            ("more than 3", "begins like an operator and is none"),
        )
    },
    "an operator of a cell in a doc string, quoted": (
        (doc('When I publish "t"', '{"a": 5}'), doc('Then I expect no "t" for 50ms', 'a: "one of 5, 6"')),
        PASSES,
    ),
    "a path as a name": (
        (doc('When I publish "t"', '{"a": {"b": 5}}'), doc('Then I expect no "t" for 50ms', "a.b: 5")),
        "in a doc string 'a.b' is one name and no path",
    ),
    "a path as a name, of a message": (
        (
            doc('When I publish "t"', '{"a": {"b": 5}}'),
            'Then I expect "t" where a exists',
            doc('Then the "t" message has not:', "a: !exactly", "  b.c: 5"),
        ),
        "in a doc string 'b.c' is one name and no path",
    ),
    "a name with a dot": (
        (doc('When I publish "t"', '{"a.b": 5}'), doc('Then I expect no "t" for 50ms', '"a.b": 5')),
        "unexpected: 1 matching on 't', wanted none",
    ),
    "single fields in order": (
        ('When I publish "t"', rows("Then I expect in order:", "topic | field | value", "t | id | 7")),
        "each row of this table is a message",
    ),
    "a predicate that is a text, of a message": (
        (
            doc('When I publish "t"', '{"a": 1}'),
            'Then I expect "t"',
            rows('Then the "t" message has not:', "field | value", "a | present"),
        ),
        "'present' is a text here, and no other value is equal to it; write exists",
    ),
    "a predicate that is a text, of a service": (
        (
            'Given a service that answers "t" where a is present with "u"',
            doc('When I publish "t"', '{"a": 1}'),
            'Then the service never answered "t"',
        ),
        "'present' is a text here, and no other value is equal to it; write exists",
    ),
    "a predicate that is a text, of what must come": (
        (doc('When I publish "t"', '{"a": 1}'), 'Then I expect "t" where a is present'),
        'a: expected "present", got 1',
    ),
    "newcomer 01 a window that is over": (
        (
            'Given a service that answers "a" with "late" after 60ms',
            'And a service that answers "a" with "forbidden" after 30ms',
            'When I publish "a"',
            'Then I expect "late"',
            'And I expect no "forbidden" for 10ms',
        ),
        "unexpected: 1 matching on 'forbidden', wanted none",
    ),
}


@pytest.mark.parametrize(("steps", "told"), CASES.values(), ids=CASES)
def test_the_verdict_is_right(bench: Bench, steps: tuple[str, ...], told: str | None) -> None:
    played = bench.play(*steps)
    if told is None:
        played.passed()
    else:
        assert told in played.message
