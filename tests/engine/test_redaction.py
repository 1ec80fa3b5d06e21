from __future__ import annotations

import re
import subprocess
import sys
import time
from typing import Any

import pytest

from choreo_bdd.redaction import (
    REDACTION_VERSION,
    Redactor,
    declare_secrets,
    describe_shape,
    is_innocent_json,
    is_secret_key,
    mask_literals,
    redact_correlation_id,
    redact_matcher_description,
    redact_text,
    redact_value,
    redact_wire_id,
    safe_url,
)

SECRET_NAMES = """
password PASSWD pwd passphrase secret client_secret token accessToken refresh-token user_token
api_key apiKey Api-Key x-api-key APIKey authorization Proxy-Authorization auth basic_auth cookie
Set-Cookie bearer private_key secretAccessKey session_id sessionId db_password dbpassword jwt
credentials AccountKey nkey_seed
password1 passwordConfirm password_confirmation passwordHash new_passwords secret1 accessTokens token_value tokenValue
apiKeys api_keys encryption_key masterKey x-functions-key Ocp-Apim-Subscription-Key PHPSESSID passcode db_pass
connection_string
"""


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_a_value_under_the_name_of_a_secret_is_never_innocent(name: str) -> None:
    spaced = ".".join(name)
    assert not is_innocent_json(f'{{"order_id":"ORD-1","{name}":"x"}}')
    assert not is_innocent_json(f'{{"order_id":"ORD-1","{spaced}":"x"}}')
    assert is_innocent_json('{"order_id":"ORD-1","note":"leave it at the door, please"}')


def test_a_correlation_id_becomes_a_short_stable_hash() -> None:
    assert redact_correlation_id("abc") == "sha256:ba7816bf8f01cfea"
    assert redact_wire_id is redact_correlation_id
    assert re.fullmatch(r"v[0-9]+", REDACTION_VERSION)


def test_an_id_with_half_a_surrogate_pair_is_hashed_all_the_same() -> None:
    assert redact_correlation_id("\ud800").startswith("sha256:")


@pytest.mark.parametrize(
    "key",
    SECRET_NAMES.split(),
)
def test_names_of_secrets_are_recognised(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "author",
        "key",
        "primary_key",
        "max_tokens",
        "session_count",
        "boarding_pass",
        "order_id",
        "cwd",
        "",
        7,
        None,
    ],
)
def test_names_that_only_resemble_secrets_are_not(key: object) -> None:
    assert not is_secret_key(key)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abcdef status=200", "Authorization: Bearer <redacted> status=200"),
        ("authorization=Basic dXNlcjpwYXNz", "authorization=Basic <redacted>"),
        ('Authorization: Digest username="u", response="f00"', "Authorization: Digest <redacted>"),
        ("sent bearer abc.def.ghi on", "sent bearer <redacted> on"),
        ("{'Authorization': 'Bearer abcdef', 'x': 1}", "{'Authorization': 'Bearer <redacted>', 'x': 1}"),
        ("x-api-key: k1", "x-api-key: <redacted>"),
        ("api_key=k1&page=2", "api_key=<redacted>&page=2"),
        ("password: hunter2, user: bob", "password: <redacted>, user: bob"),
        ('{"password": "x", "b": 2}', '{"password": "<redacted>", "b": 2}'),
        ('{"b": 2, "password": 1234}', '{"b": 2, "password": <redacted>}'),
        (r'"{\"password\": \"x\", \"a\": 1}"', r'"{\"password\": \"<redacted>\", \"a\": 1}"'),
        ("password == 'hunter2'", "password == '<redacted>'"),
        ('db_password="a\\"b" c', 'db_password="<redacted>" c'),
        ("token=abc rest", "token=<redacted> rest"),
        ("secret=zzz", "secret=<redacted>"),
        ("token: 8f3a", "token: <redacted>"),
        ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: <redacted>"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln here", "jwt <redacted> here"),
        ("aws AKIAABCDEFGHIJKLMNOP", "aws <redacted>"),
        ("seed SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY", "seed <redacted>"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----!", "<redacted>!"),
        ("amqp://user:p@ss@host:5672/v", "amqp://<redacted>@host:5672/v"),
        ("redis://:pa/ss@h:6379/0 next", "redis://<redacted>@h:6379/0 next"),
    ],
)  # fmt: skip
def test_credentials_in_text_are_masked_and_what_surrounds_them_stays(text: str, masked: str) -> None:
    assert redact_text(text) == (masked, 1)


@pytest.mark.parametrize(
    "text",
    [
        "bearer of news",
        "http://host:80/a@b",
        "http://[::1]:80/a@b",
        "ssh://git@github.com/x",
        "Invalid token: expected }",
        "the key: foo",
        "primary_key=5",
        "author: me",
        "max_tokens=5",
        "orders.created within 50ms",
    ],
)
def test_innocent_text_is_left_alone(text: str) -> None:
    assert redact_text(text) == (text, 0)


S = "Zq7xW4nPv9LmT2kR"
TOKENS = {
    "github, fine-grained": f"github_pat_11AAAA_{S}{S}",
    "github": f"ghp_{S}{S}abcd",
    "gitlab": f"glpat-{S}abcd",
    "slack": f"xoxb-123-456-{S}",
    "slack app": f"xapp-1-A1-2-{S}",
    "slack webhook": f"https://hooks.slack.com/services/T000/B000/{S}",
    "stripe": f"sk_live_{S}",
    "stripe webhook": f"whsec_{S}{S}",
    "google": f"AIza{S}{S}abc",
    "npm": f"npm_{S}{S}abcd",
    "pypi": f"pypi-AgEIcHlwaS5vcmc{S}",
    "sendgrid": f"SG.{S}abcdef.{S}{S}",
    "vault": f"hvs.{S}{S}",
    "hugging face": f"hf_{S}{S}ab",
    "docker": f"dckr_pat_{S}{S}",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "aws, presigned": f"https://b.example/k?X-Amz-Signature={S}{S}",
    "azure": f"https://a.example/c?sv=2022-11-02&sig={S}{S}%3D",
    "json web token": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{S}",
    "basic": "Basic dXNlcjpacTd4VzRuUHY5TG1UMmtS",
    "openai": f"sk-proj-{S}-{S}",
    "pgp": f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ{S}\n-----END PGP PRIVATE KEY BLOCK-----",
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_the_tokens_of_well_known_services_are_masked_wherever_they_stand(token: str) -> None:
    masked, hits = redact_text(f"got {token} back")
    assert (hits, token[-12:] in masked) == (1, False)
    assert masked.startswith("got ")
    assert masked.endswith(" back")


def test_prose_about_basics_and_signatures_is_left_alone() -> None:
    for text in ("basic internationalization", "signature=12", "a signal=low", "npm_config", "SG.1 to SG.2"):
        assert redact_text(text) == (text, 0)


def test_each_place_is_counted_and_masking_twice_counts_once() -> None:
    once, hits = redact_text("password=a token=b nats://u:p@h1,nats://u:p@h2 Authorization: Bearer xyz")
    assert hits == 5
    assert redact_text(once) == (once, 0)


def test_long_hostile_text_is_scanned_in_reasonable_time() -> None:
    # a regular expression that backtracks would not end within the suite's time limit
    for text in ("key" * 50_000, "a://" * 40_000, 'password="' + "\\" * 150_000, "token " + "x" * 200_000):
        assert isinstance(redact_text(text), tuple)


HOSTILE = {
    "cookie": "cookie:",
    "json web token": "eyJaaaaaa-",
    "closing brackets": "]",
    "open brackets": "password=(",
    "square brackets": "password=[",
    "quotes": 'password="',
    "escaped quotes": '\\"key\\": ',
    "bearer": "bearer ",
    "basic": "basic ",
    "authorization": "authorization: digest ",
    "urls": "a://b@",
    "userinfo": "http://a:",
    "signature": "sig=",
    "private key": "-----BEGIN PRIVATE KEY-----",
    "sendgrid": "SG.aaaaaaaaaaaaaaaa.",
    "slack": "hooks.slack.com/services/",
    "spaces": "key   ",
    "dots": "a.b.",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_redaction_takes_time_in_proportion_to_the_text(piece: str) -> None:
    def seconds(size: int) -> float:
        text = '"password":' + (piece * size)[:size] + "x"
        began = time.process_time()
        redact_text(text)
        return time.process_time() - began

    # four times the text, measured side by side: quadratic work takes sixteen times as long
    small, large = (min(seconds(size) for _ in range(3)) for size in (16_000, 64_000))
    assert large < 9 * max(small, 0.002)


def test_values_are_masked_by_key_and_strings_by_pattern() -> None:
    masked, counts = redact_value(
        {"user": "bob", "password": {"nested": 1}, "items": [("token=abc",)], "raw": b"password=x y"}
    )
    assert masked == {
        "user": "bob",
        "password": "<redacted>",
        "items": [["token=<redacted>"]],
        "raw": b"password=<redacted> y",
    }
    assert (counts.fields, counts.stream_matches) == (1, 2)


def test_the_original_value_is_not_touched() -> None:
    value = {"password": "x", "list": [1]}
    redact_value(value)
    assert value == {"password": "x", "list": [1]}


def test_a_value_nested_ten_thousand_deep_is_masked_to_the_bottom() -> None:
    value: dict[str, Any] = {}
    inner = value
    for _ in range(10_000):
        inner["a"] = {}
        inner = inner["a"]
    inner["password"] = "x"
    masked, counts = redact_value(value)
    for _ in range(10_000):
        masked = masked["a"]
    assert masked == {"password": "<redacted>"}
    assert counts.fields == 1


def test_a_value_that_contains_itself_ends() -> None:
    value: list[Any] = ["password=x"]
    value.append(value)
    masked, counts = redact_value(value)
    assert masked[0] == "password=<redacted>"
    assert masked[1] is masked
    assert counts.stream_matches == 1


def test_a_secret_seen_in_a_value_is_masked_in_later_prose_as_a_whole_word() -> None:
    redactor = Redactor()
    redactor.value({"password": "hunter2"})
    assert redactor.text("expected 'hunter2', not hunter22") == "expected '<redacted>', not hunter22"


def test_a_failure_below_a_secret_path_is_masked() -> None:
    redactor = Redactor()
    assert redactor.at_path("user.password", "hunter2") == "<redacted>"
    assert redactor.at_path("user.password", None) is None
    assert redactor.at_path("user.name", "bob") == "bob"
    assert redactor.fields == 1


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("account='ACME-123'", "account=<value>"),
        ("qty=1000", "qty=<value>"),
        ("a=b=c", "a=<value>"),
        ("all_of(field_equals(account='X'), field_equals(b=\"y\\\"z\"))",
         "all_of(field_equals(account=<value>), field_equals(b=<value>))"),
        ("a='two\nlines', b", "a=<value>, b"),
        ("no equals sign", "no equals sign"),
    ],
)  # fmt: skip
def test_matcher_descriptions_lose_what_follows_an_equals_sign(text: str, masked: str) -> None:
    assert redact_matcher_description(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("status in ('a', 'b')", "status in (<value>, <value>)"),
        ("qty > 12345", "qty > <value>"),
        ("payload contains b'abc'", "payload contains <value>"),
        ("orders.v2 exists", "orders.v2 exists"),
        ("lane = 4", "lane =<value>"),
        ("(any)", "(any)"),
    ],
)
def test_literals_are_masked_wherever_they_stand_in_prose(text: str, masked: str) -> None:
    assert mask_literals(text) == masked


class Positive:
    def expected_shape(self) -> object:
        return {"gt": 0}


class Broken:
    def expected_shape(self) -> object:
        raise ValueError("4711")


def test_a_shape_is_described_by_its_fields_without_any_literal() -> None:
    shape = {"order": {"qty": {"gt": 5}}, "lines": [{"sku": "A1"}, 2], "net": Positive(), "odd": Broken()}
    assert (
        describe_shape(shape)
        == "{order: {qty: {gt: <value>}}, lines: [{sku: <value>}, <value>], net: {gt: <value>}, odd: <value>}"
    )


def test_a_huge_shape_is_described_in_one_short_line() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = {"a": deep}
    assert describe_shape(deep).count("{") <= 10
    assert "90 more" in describe_shape(list(range(100)))


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("amqp://guest:guest@localhost:5672/v?heartbeat=5", "amqp://<redacted>@localhost:5672/v?heartbeat=5"),
        ("nats://user@h:4222", "nats://<redacted>@h:4222"),
        ("redis://:p@ss@h:6379/0", "redis://<redacted>@h:6379/0"),
        ("redis://:pa/ss#x@h:6379/0", "redis://<redacted>@h:6379/0"),
        ("http://u:p@[::1]:8080/x", "http://<redacted>@[::1]:8080/x"),
        ("http://h/?Token=a&b=1&to%6ben=3&token=4", "http://h/?Token=<redacted>&b=1&to%6ben=<redacted>&token=<redacted>"),
        ("http://u:p@h:notaport/", "http://<redacted>@h:notaport/"),
        ("user:pass@host:5672", "<redacted>@host:5672"),
        ("://u:p@h", "://<redacted>@h"),
        ("nats://a:b@h1, nats://c:d@h2", "nats://<redacted>@h1, nats://<redacted>@h2"),
        ("nats://h:4222", "nats://h:4222"),
        ("http://host:80/a@b", "http://host:80/a@b"),
        ("http://[::1", "http://[::1"),
        ("not-a-url", "not-a-url"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_url_loses_its_credentials_and_nothing_else(url: str, safe: str) -> None:
    assert safe_url(url) == safe


def test_importing_the_module_pulls_in_nothing_but_the_standard_library() -> None:
    code = (
        "import sys, choreo_bdd; before = set(sys.modules); import choreo_bdd.redaction\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - sys.stdlib_module_names - {'choreo_bdd'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        ('I log in with password "hunter2"', 'I log in with password "<redacted>"'),
        ("the api key 'abc' is sent", "the api key '<redacted>' is sent"),
        ('a header "x-api-key" "abc"', 'a header "x-api-key" "<redacted>"'),
        ('an access token "s3cr3t"', 'an access token "<redacted>"'),
        ('the client secret is "abc"', 'the client secret is "<redacted>"'),
        ('I publish "orders" with key "order-1"', None),
        ("Unexpected token 'x' in JSON", None),
        ('the token "expires" is a field', None),
        ("a primary key 'id'", None),
    ],
)
def test_a_quoted_word_right_behind_the_name_of_a_secret_is_one(step: str, shown: str | None) -> None:
    assert redact_text(step)[0] == (shown or step)


def test_a_secret_quoted_in_one_text_is_hidden_in_the_next() -> None:
    redactor = Redactor()
    redactor.text('with password "hunter2-x9" and token "expires"')
    assert redactor.text("refused hunter2-x9; the token expires") == "refused <redacted>; the token expires"


def test_secrets_can_be_learned_without_being_counted() -> None:
    redactor = Redactor()
    redactor.learn_secrets({"user": "bob-77", "password": "hunter2-x9", "deeper": [{"apiKey": "k-12345"}]})
    assert (redactor.fields, redactor.stream_matches) == (0, 0)
    assert redactor.text("bob-77 hunter2-x9 k-12345") == "bob-77 <redacted> <redacted>"


def test_a_text_that_was_clean_is_masked_when_more_is_known() -> None:
    redactor, other = Redactor(), Redactor()
    topic, order, patient = "orders.hunter2-x9.done", "orders.k-1234567.done", "patientNo=4711-x"
    assert [redactor.text(text) for text in (topic, order, patient)] == [topic, order, patient]
    redactor.learn("hunter2-x9")
    assert redactor.text(topic) == "orders.<redacted>.done"
    assert redactor.text(order) == order
    other.learn("k-1234567")
    assert redactor.text(order) == "orders.<redacted>.done"
    declare_secrets(names=["patient_no"])
    assert redactor.text(patient) == "patientNo=<redacted>"
    assert redactor.text("scenario seven") == "scenario seven"
    redactor.rename("scenario", "the first")
    assert redactor.text("scenario seven") == "the first seven"


@pytest.mark.parametrize("text", ['{"to2ken":"x"}', '{"pass-1-word":"x"}', '{"a":"Bea7rer x"}', '{"é":1,"toKen":"x"}'])
def test_digits_within_the_name_of_a_secret_never_make_it_innocent(text: str) -> None:
    assert not is_innocent_json(text)


def test_what_was_innocent_is_so_no_more_when_its_name_is_declared() -> None:
    text = '{"patient":"x","id":"ORD-1"}'
    assert is_innocent_json(text)
    declare_secrets(names=["patient"])
    assert not is_innocent_json(text)


@pytest.mark.parametrize(
    "text", ["password=hunter2secret", "Authorization: x", "ghp_abcdefghijklmnopqrstuvwx", "sk_live_0123456789ab"]
)
def test_a_line_that_hides_something_is_seen_between_lines_that_are_known_to_be_innocent(text: str) -> None:
    around = [f"  {number:9.1f} ms  published    orders.stage{number}" for number in range(12)]
    summary = "\n".join(around)
    assert redact_text(summary) == (summary, 0)
    shown, hits = redact_text("\n".join([*around, text, *around]))
    assert hits == 1
    assert text not in shown
    assert redact_text(summary) == (summary, 0)
