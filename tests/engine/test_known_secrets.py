"""What is known to be secret is hidden wherever it stands, however it is written."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from choreo_bdd.matchers.patterns.finding import Finder
from choreo_bdd.redaction import Redactor, declare_secrets, is_secret_key, redact_text, redact_value

CANARY = 'canary "9f3b"/ü+x'

WRITTEN = {
    "as it is": CANARY,
    "in JSON": json.dumps({"note": CANARY}),
    "in JSON, beyond ASCII": json.dumps({"note": CANARY}, ensure_ascii=False),
    "in JSON inside JSON": json.dumps({"body": json.dumps({"note": CANARY})}),
    "in a URL": f"http://h/?q={quote(CANARY)}",
    "in a query": f"q={quote_plus(CANARY)}",
    "in lower case escapes": re.sub("%..", lambda found: found.group().lower(), quote(CANARY, safe="")),
    "in XML": f"<a>{html.escape(CANARY)}</a>",
    "in base64": base64.b64encode(CANARY.encode()).decode(),
    "in base64 behind one byte": base64.b64encode(b"u" + CANARY.encode()).decode(),
    "in base64 behind two bytes": base64.b64encode(b"u:" + CANARY.encode() + b"!").decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(b"user:" + CANARY.encode()).decode(),
    "in a word": f"x{CANARY}y",
}


def hides(text: str) -> bool:
    """Whether neither the canary nor the middle of its base64 is left."""
    cores = (base64.b64encode(bytes(n) + CANARY.encode()).decode()[4:16] for n in range(3))
    return "9f3b" not in text and not any(core in text.replace("-", "+").replace("_", "/") for core in cores)


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_value_learned_in_one_place_is_hidden_in_every_form(text: str) -> None:
    assert not hides(text)
    redactor = Redactor()
    redactor.learn(CANARY)
    assert hides(redactor.text(text))
    assert hides(json.dumps(redactor.value({"a": [text]}), ensure_ascii=False))


@pytest.mark.parametrize("before", [b"", b"u", b"u:"])
def test_a_value_is_hidden_where_base64_for_urls_writes_it_otherwise(before: bytes) -> None:
    value = "9f3b~???>>>~~~???>>>"
    text = base64.urlsafe_b64encode(before + value.encode()).decode()
    assert not {"-", "_"}.isdisjoint(text[4:-4])
    redactor = Redactor()
    redactor.learn(value)
    assert text[4:-4] not in redactor.text(text)
    assert "<redacted>" in redactor.text(text)


def test_values_that_overlap_are_hidden_to_the_end_of_the_last() -> None:
    redactor = Redactor()
    redactor.learn(["tok-1234-abcd", "abcd-9f3b-zyxw", "9f3b-zy"])
    assert redactor.text("of tok-1234-abcd-9f3b-zyxw here") == "of <redacted> here"


@pytest.mark.parametrize(
    "value",
    [
        {"note": "secret-9f3b", "token": "secret-9f3b"},
        {"token": "secret-9f3b", "note": "behind secret-9f3b"},
        {"secret-9f3b": 1, "token": "secret-9f3b"},
        {"body": json.dumps({"credentials": {"value": "secret-9f3b"}})},
        {"body": json.dumps([{"body": json.dumps({"passwords": ["secret-9f3b"]})}])},
        [{"auth": {"deeper": ["secret-9f3b"]}}, b"secret-9f3b"],
        {"password": b"secret-9f3b", "note": "secret-9f3b"},
        {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.secret-9f3b": 1},
    ],
)
def test_no_place_of_a_value_shows_what_another_shows_to_be_secret(value: Any) -> None:
    assert "9f3b" not in repr(redact_value(value)[0])


def test_a_number_is_known_wherever_it_stands() -> None:
    assert redact_value({"pincode": 734512, "order": 734512, "qty": 7})[0] == {
        "pincode": "<redacted>", "order": "<redacted>", "qty": 7,
    }  # fmt: skip


def test_two_names_that_are_hidden_stay_two() -> None:
    redactor = Redactor()
    redactor.learn("canary-9f3b")
    masked = redactor.value({"canary-9f3b": 1, "<redacted>": 2})
    assert sorted(masked.values()) == [1, 2]
    assert "9f3b" not in repr(masked)


def test_counts_are_no_secrets() -> None:
    assert redact_value({"tokens": 512, "pass": 3, "session": None})[0] == {"tokens": 512, "pass": 3, "session": None}


@pytest.mark.parametrize("path", ["auth.value", "passwords.0", "passwords[0]", "cookies.sid", "a['api_key'].b"])
def test_every_part_of_a_path_counts_as_a_key(path: str) -> None:
    assert Redactor().at_path(path, "hunter2-x9") == "<redacted>"


class TestDeclared:
    def test_names_are_known_however_they_are_written(self) -> None:
        assert not is_secret_key("patientNo")
        declare_secrets(names=["patient_no"])
        assert all(map(is_secret_key, ("patient_no", "patientNo", "X-Patient-No", "PATIENT_NO")))
        assert not is_secret_key("patient_notes")
        assert redact_text("got patient-no: Ada and patientNo='x y'")[0] == (
            "got patient-no: <redacted> and patientNo='<redacted>'"
        )
        assert redact_value({"a": {"patientNo": 7}})[0] == {"a": {"patientNo": "<redacted>"}}

    def test_patterns_hide_all_they_find(self) -> None:
        declare_secrets(patterns=[Finder(r"\bP-\d{6}\b")])
        assert redact_text("for P-123456 and P-12") == ("for <redacted> and P-12", 1)

    def test_values_are_hidden_in_every_text(self) -> None:
        declare_secrets(values=["plain-word-x9"])
        assert Redactor().text("the plain-word-x9 is") == "the <redacted> is"
        assert Redactor().value(["plain-word-x9"]) == ["<redacted>"]

    def test_one_tests_secrets_are_not_the_next_ones(self) -> None:
        assert redact_text("patient-no: Ada P-123456 plain-word-x9")[1] == 0


@pytest.mark.parametrize("way", WRITTEN)
def test_it_is_found_among_thousands_of_others(way: str) -> None:
    assert hides(knows_thousands().text(WRITTEN[way]))


def knows_thousands() -> Redactor:
    redactor = Redactor()
    for value in (*(f"pw-{number}-secret" for number in range(2000)), CANARY):
        redactor.learn(value)
    return redactor


def test_all_of_thousands_are_found() -> None:
    redactor = knows_thousands()
    everyone = [{"user": f"user {number}", "note": f"has pw-{number}-secret."} for number in range(2000)]
    assert "pw-" not in json.dumps(redactor.value(everyone))


@pytest.mark.parametrize("others", [0, 200])
def test_of_values_that_begin_alike_the_longest_is_hidden_and_a_word_only_as_a_word(others: int) -> None:
    redactor = Redactor()
    redactor.learn(["correct horse battery", "correct", *(f"other-{number}" for number in range(others))])
    assert redactor.text("correct horse battery, correct, correctly") == "<redacted>, <redacted>, correctly"


@pytest.mark.parametrize("value", ["s3cr3t", "hunter-secret", 4556737586899855])
def test_what_was_met_under_a_secret_name_is_hidden_in_every_later_test(value: object) -> None:
    redact_value({"password": value})
    later = Redactor()
    assert later.value({"note": f"got {value}", "n": value}) == {"note": "got <redacted>", "n": "<redacted>"}


@pytest.mark.parametrize("value", ["order", "required", 123456, "passed"])
def test_a_plain_word_or_a_small_number_is_hidden_in_its_own_test_only(value: object) -> None:
    own = Redactor()
    own.value({"password": value})
    assert own.text(f"x {value} y") == "x <redacted> y"
    assert Redactor().value({"note": f"x {value} y"}) == {"note": f"x {value} y"}


def test_what_is_only_guessed_in_a_text_is_hidden_in_its_own_test_only() -> None:
    own = Redactor()
    assert own.text("password='s3cr3t-9f3b' s3cr3t-9f3b") == "password='<redacted>' <redacted>"
    assert Redactor().text("x s3cr3t-9f3b") == "x s3cr3t-9f3b"


@pytest.mark.thorough
def test_however_many_secrets_are_met_a_bounded_number_is_remembered_beyond_its_test() -> None:
    for number in range(3000):
        redact_value({"token": f"tok-{number:06d}"})
    found = [number for number in range(3000) if Redactor().text(f"x tok-{number:06d}") == "x <redacted>"]
    assert found == list(range(1000))


@pytest.mark.parametrize(
    "value", ["own pa55 phrase", "p@ss:x/Zq#77", "ab;cdefgh12", "ab,cdefgh12", "a'b&cdefgh12", 'x"y9zabc de']
)
@pytest.mark.parametrize(
    "text",
    ["password={}", "password: {} is wrong", "redis://ann:{}@h:6379/0", "login of ann with {} at nats://ann:{}@h/@x",
     "Authorization: Basic {}", "--password {} -v", "GET /?token={}&x=1", "secret='{}'"],
)  # fmt: skip
def test_no_pattern_masks_a_part_of_what_is_known_and_leaves_the_rest(value: str, text: str) -> None:
    declare_secrets(values=[value])
    shown = Redactor().text(text.replace("{}", value))
    assert not any(part in shown for part in re.split(r"[ @;,&]", value) if len(part) > 3), shown
    assert "<redacted>" in shown
