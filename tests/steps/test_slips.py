"""What must not come is told where it may have come under a slip of the pen: there it passes whatever comes."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from tests.support.step_bench import Bench

PUBLISH = 'When I publish "a"'


@pytest.mark.parametrize(
    ("payload", "condition", "told"),
    [
        ({"status": "BAD"}, "stauts is BAD", "no message has 'stauts', which is asked for, and there is 'status'"),
        ({"Status": "BAD"}, "status is BAD", "there is 'Status'"),
        ({"order": {"amount": 5}}, "order.amuont > 4", "there is 'order.amount'"),
        ({"lines": [{"sku": "x"}]}, "lines[0].skuu is x", "there is 'lines[0].sku'"),
        ({"amount": "5"}, "amount is 5", "'amount' as \"5\", and 5 is asked for: text and number are different"),
        ({"amount": 5}, 'amount is "5"', "'amount' as 5, and \"5\" is asked for"),
        ({"paid": "true"}, "paid is true", "'paid' as \"true\", and true is asked for"),
        ({"amount": "5"}, "amount > 4", "'amount' as \"5\", which cannot be held against"),
        ({"amount": "5", "id": 1}, "amount is 5 and id is 1", "'amount' as \"5\", and 5 is asked for"),
        (
            {"note": "an ERROR here"},
            "note matches /ERROR/",
            "'note' as \"an ERROR here\", in which the pattern is",
        ),
        ({"status": "BAD"}, "payload.status is BAD", "there is 'status': a path begins with a field of the payload"),
        ({"order": {"id": 1}}, "data.order.id is 1", "there is 'order.id'"),
        ({"lines": [1]}, "lines.length is 1", "no field of a list or a text: write it as in `lines length > 1`"),
        ({"n": 1}, "n is 1 and topic is x", "there is @topic: so the message's own topic is written"),
        ({"note": "an Error"}, "note matches /err\\w+/i", "a pattern must fit the whole text: write .* around it"),
        ({"status": "BAD"}, "status is bad", 'and "bad" is asked for: capital and small letters are different'),
    ],
)
@pytest.mark.parametrize(
    "check", ['no "x" {} for 50ms', 'at most 1 "x" messages {} within 50ms', 'exactly 0 "x" messages {} within 50ms']
)
def test_an_absence_that_passes_by_a_slip_says_so(
    bench: Bench, payload: dict[str, Any], condition: str, told: str, check: str
) -> None:
    bench.service("a", lambda _: [("x", payload)])
    with pytest.warns(UserWarning, match="on 'x' ") as warned:
        bench.play(PUBLISH, f"Then I expect {check.format(f'where {condition}')}").passed()
    assert told in str(warned[0].message)


@pytest.mark.parametrize(
    ("payload", "body", "told"),
    [
        ({"n": 1}, "n:1", 'the text "n:1" is asked for: a field is written with a space behind its colon'),
        ({"n": 1, "m": 2}, "n:1\nm:2", "a field is written with a space behind its colon"),
        ({"n": 1}, "n = 1", "a field is written with a space behind its colon"),
        ({"order": {"n": 1}}, "order:\n  n:1", "a field is written with a space behind its colon"),
        ({"lines": [{"n": 1}]}, "lines:\n- n:1", "a field is written with a space behind its colon"),
        ({"n": 1}, "n: 1,", "'n' as 1, and \"1,\" is asked for, which is the same but for a sign"),
        ({"n": 1}, "n: 1;", "the same but for a sign"),
        ({"s": "x"}, 's: x"', "the same but for a sign"),
        ({"n": -5}, "n: \N{MINUS SIGN}5", "the same but for a sign"),
    ],
)
def test_an_absence_that_passes_by_a_slip_in_its_body_says_so(
    bench: Bench, payload: dict[str, Any], body: str, told: str
) -> None:
    bench.service("a", lambda _: [("x", payload)])
    with pytest.warns(UserWarning, match="on 'x' ") as warned:
        bench.play(PUBLISH, f'Then I expect no "x" for 50ms\n"""\n{body}\n"""').passed()
    assert told in str(warned[0].message)


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        ({"n": 1}, "hello"),
        ({"at": {"h": 10}}, "at: later"),
        ({"s": "urn:x"}, "s: urn:y"),
        ({"s": "x"}, 's: ","'),
        ({"s": ""}, 's: ","'),
        ({"n": 2}, "n: 1,"),
    ],
)
def test_an_absence_of_another_text_says_nothing(bench: Bench, payload: dict[str, Any], body: str) -> None:
    bench.service("a", lambda _: [("x", payload)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bench.play(PUBLISH, f'Then I expect no "x" for 50ms\n"""\n{body}\n"""').passed()


@pytest.mark.parametrize(
    ("payloads", "condition"),
    [
        ([{"status": "GOOD"}], "status is BAD"),
        ([{"total": 5}], "status is BAD"),
        ([{"status": "GOOD"}, {"stauts": "GOOD"}], "stauts is BAD"),
        ([{"amount": "6"}], "amount is 5"),
        ([{"amount": "5", "id": 2}], "amount is 5 and id is 1"),
        ([{"account": 5}], "amount is 5"),
        ([{"amount": 5}], "order.total is 5"),
        ([{"lines": {"a": 1}}], "lines.length is 1"),
        ([{"a": 1}], "key is 5"),
        ([{"note": "all is well"}], "note matches /ERROR/"),
        ([{"note": "an ERROR", "id": 2}], "note matches /ERROR/ and id is 1"),
        ([{"note": "an ERROR here"}], "note is not matches /.*ERROR.*/"),
        ([], "status is BAD"),
    ],
)
def test_an_absence_of_what_is_truly_other_says_nothing(
    bench: Bench, payloads: list[dict[str, Any]], condition: str
) -> None:
    bench.service("a", lambda _: [("x", each) for each in payloads])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bench.play(PUBLISH, f'Then I expect no "x" where {condition} for 50ms').passed()


@pytest.mark.parametrize(("asked", "there"), [("key", "@key"), ("headers.tenant", "@headers.tenant")])
def test_an_absence_of_what_stands_around_a_payload_says_how_that_is_written(
    bench: Bench, asked: str, there: str
) -> None:
    with pytest.warns(UserWarning, match=f"no message has '{asked}', which is asked for, and there is {there}: so "):
        bench.play(
            'When I publish "x" with key "acme":\n  n: 1\n  "@headers": {tenant: acme}',
            f'Then I expect no "x" where {asked} is acme for 50ms',
        ).passed()


def test_an_expectation_that_fails_needs_no_such_note(bench: Bench) -> None:
    bench.service("a", lambda _: [("x", {"amount": "5"})])
    played = bench.play(PUBLISH, 'Then I expect "x" where amount is 5')
    assert played.outcomes == ["fail"]
    assert "is asked for" not in played.message


@pytest.mark.parametrize(
    ("condition", "headers"),
    [
        ("@headers.tenant is acme", "Tenant: acme"),
        ("@headers.x-tenant-id exists", "X-Tenant-Id: acme"),
        ("n is 1 and @headers.tenant is acme", "TENANT: acme"),
        ("@headers.tenant is acme and @headers.kind is late", "{Tenant: acme, Kind: late}"),
        ("@headers.shop is acme or @headers.tenant is acme", "Tenant: acme"),
        ("@headers.x-death[0].reason is expired", """{X-Death: '[{"reason": "expired"}]'}"""),
        ("@headers.meta.shop is acme and n is 1", """{Meta: '{"shop": "acme"}'}"""),
    ],
)
@pytest.mark.parametrize(
    "check",
    [
        'no "x" {} for 50ms',
        'exactly 0 "x" messages {} within 50ms',
        'at most 0 "x" messages {} within 50ms',
        'no other "x" {} for 50ms',
    ],
)
def test_a_header_in_another_case_breaks_what_must_not_come(
    bench: Bench, condition: str, headers: str, check: str
) -> None:
    braced = headers if headers.startswith("{") else f"{{{headers}}}"
    played = bench.play(
        f'When I publish "x":\n  n: 1\n  "@headers": {braced}',
        f"Then I expect {check.format(f'where {condition}')}",
    )
    assert played.outcomes == ["fail"]
    assert "1 that came would match but for a name in capital or small letters: it has the header '" in played.message


@pytest.mark.parametrize("headers", ["X-Death: text", "X-Death: '[]'", "X: '[]'", "X-Deaths: '[]'"])
def test_a_header_in_another_case_that_has_no_such_place_is_another(bench: Bench, headers: str) -> None:
    bench.play(
        f'When I publish "x":\n  n: 1\n  "@headers": {{{headers}}}',
        'Then I expect no "x" where @headers.x-death[0].reason is expired for 50ms',
    ).passed()


def test_a_header_in_another_case_is_seen_among_many(bench: Bench) -> None:
    played = bench.play(
        'When I publish 40 "x" messages:\n  "@headers": {other: "1"}',
        'And I publish "x":\n  "@headers": {Tenant: acme}',
        'And I publish 40 "x" messages:\n  "@headers": {other: "1"}',
        'Then I expect no "x" where @headers.tenant is acme for 50ms',
    )
    assert played.outcomes == ["fail"]
    assert "it has the header 'Tenant', where 'tenant' is asked for" in played.message


@pytest.mark.parametrize(
    ("condition", "headers"),
    [
        ("@headers.tenant is acme", "Tenant: other"),
        ("@headers.tenant is acme and n is 2", "Tenant: acme"),
        ("@headers.tenant is acme", "{Tenant: acme, tenant: other}"),
        ("@headers.tenant is acme", "tenants: acme"),
    ],
)
def test_a_header_in_another_case_that_would_not_match_breaks_nothing(
    bench: Bench, condition: str, headers: str
) -> None:
    braced = headers if headers.startswith("{") else f"{{{headers}}}"
    bench.play(
        f'When I publish "x":\n  n: 1\n  "@headers": {braced}', f'Then I expect no "x" where {condition} for 50ms'
    ).passed()


def test_a_count_leaves_room_for_a_header_in_another_case_and_tells_of_it(bench: Bench) -> None:
    with pytest.warns(UserWarning, match="it has the header 'Tenant', where 'tenant' is asked for"):
        bench.play(
            'When I publish "x":\n  "@headers": {Tenant: acme}',
            'Then I expect at most 1 "x" message where @headers.tenant is acme within 50ms',
        ).passed()


def test_what_a_message_has_not_is_asked_in_any_case_of_a_header(bench: Bench) -> None:
    played = bench.play(
        'When I publish "x":\n  "@headers": {Tenant: acme}',
        'Then I expect "x"',
        'And the "x" message has not:\n  "@headers": {tenant: acme}',
    )
    assert "but for capital or small letters: the header 'Tenant', where 'tenant' is asked for" in played.message
