"""Names and texts of services and tools beyond those that the forms were made by: most of them are hidden."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from choreo_bdd.redaction import is_innocent_json, is_secret_key, redact_text

HERE = Path(__file__).parent
SECRETS = {"~mixed~": "Wm4kTz8qLd", "~word~": "bluebottle", "~long~": "pR7uXv2nYc5mKe9sQw3b"}
INNOCENT = [
    "partition:12345@broker:9092",
    "shop.partition:12345@broker:9092",
    "offset:9999@kafka-1:9092",
    "The machine room login page password prompt appeared",
    "every machine has login and password fields",
    "a machine at login asks password twice",
    "| password | string |\n| amount | number |",
    "| field | value |\n| note | x1 |",
    "user, password, and token\nfoo, bar, baz1",
    "name,session\nx,12",
    "| kind | token |\n| NAME | foo |\n| OP | plus |",
    "the password is 'required'",
    "the password is 'too short'",
    'the secret is "hidden"',
    "the token is 'expired'",
    "compass north",
    "token order_placed",
    "session started",
    "session 12345 began",
    "password policy",
    "password hashing takes long",
    "library -p x",
    "7zip is a tool",
    "docker run -p 8080:80",
    "mkdir -p a/b",
    "ls | passwd",
    "pass: 3, fail: 1",
    "a PASS test_x",
    "test_a PASS\ntest_b PASS",
    '{"pass": 3}',
    "tokens\t3",
    "token\tkind\nNAME\top",
    "password\nlogin\n",
    "| topic | key |\n| a | k1 |",
    "| topic | routing_key |\n| a | k1 |",
    "id,token_type\n1,Bearer2",
    'assert body["token"] == expected',
    "assert d['password'] == other",
    "data[\"key\"] = 'x'",
    'x["token_type"] = "Bearer"',
    '<entry key="colour">red1</entry>',
    "app_keyboard=1",
    "token Ab",
    "tokens used: 512",
    "a token of 3 parts",
    "key AbCdEfGh1234 of order",
    "session OrderPlaced2 in Topic.v2",
    "secret santa list2024",
    "the cookie Banner is shown",
    "bearer of Bad News1",
    'required: ["password", "passwordConfirm"]',
    "('token', 'order_placed')",
    "order.pass = 3",
    "secret_order_placed",
    "sdk-order-17",
    "st.petersburg.office.17",
    "fw_version",
    "password: null, token=None",
    '{"password": null}',
    "password: ${DB_PASSWORD}",
    "password: {{ db_password }}",
    "password_policy=strong",
    "password_changed_at: 2026-01-01T10:00:00Z",
    "AKIDs and squares",
]


def texts() -> list[str]:
    """One a line, with escapes for line feeds and tabs, and marks where the secrets stand."""
    found = (HERE / "secret_texts.txt").read_text("utf-8")
    for mark, secret in SECRETS.items():
        found = found.replace(mark, secret)
    return [line.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r") for line in found.splitlines()]


def test_most_names_of_further_services_are_known() -> None:
    names = (HERE / "secret_names.txt").read_text("utf-8").split()
    missed = [name for name in names if not is_secret_key(name)]
    assert len(missed) <= 0.1 * len(names), missed
    assert len(names) >= 100


def test_most_further_texts_show_no_secret() -> None:
    missed = [text for text in texts() if any(secret in redact_text(text)[0] for secret in SECRETS.values())]
    assert len(missed) <= 0.1 * len(texts()), missed
    assert len(texts()) >= 150


def test_json_with_such_a_text_is_never_taken_for_innocent() -> None:
    masked = [text for text in texts() if redact_text(text)[1]]
    assert [text for text in masked if is_innocent_json(json.dumps({"note": text}))] == []


@pytest.mark.parametrize("text", INNOCENT)
def test_sentences_and_tables_without_a_secret_stay_as_they_are(text: str) -> None:
    assert redact_text(text) == (text, 0)
