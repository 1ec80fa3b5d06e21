"""The forms in which people's secrets come: most of them are hidden though nothing says that they are secret."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable

import pytest

from choreo_bdd.redaction import Redactor, is_secret_key, redact_text, redact_value
from choreo_bdd.redaction.credentials import is_innocent_json

NAMES = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "pass",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "apiKey",
    "x-api-key",
    "X-API-KEY",
    "auth",
    "authorization",
    "Authorization",
    "Proxy-Authorization",
    "cookie",
    "Set-Cookie",
    "session",
    "sessionid",
    "session_id",
    "JSESSIONID",
    "PHPSESSID",
    "connect.sid",
    "csrftoken",
    "csrf_token",
    "X-CSRF-Token",
    "xsrf",
    "XSRF-TOKEN",
    "X-XSRF-TOKEN",
    "access_token",
    "accessToken",
    "refresh_token",
    "refreshToken",
    "id_token",
    "idToken",
    "bearer",
    "bearer_token",
    "client_secret",
    "clientSecret",
    "consumer_secret",
    "app_secret",
    "webhook_secret",
    "signing_secret",
    "signingSecret",
    "private_key",
    "privateKey",
    "ssh_key",
    "deploy_key",
    "encryption_key",
    "encryptionKey",
    "master_key",
    "masterKey",
    "hmac_key",
    "hmacKey",
    "signing_key",
    "secret_key",
    "secretKey",
    "SECRET_KEY",
    "secret_access_key",
    "aws_secret_access_key",
    "AWS_SESSION_TOKEN",
    "x-amz-security-token",
    "account_key",
    "AccountKey",
    "storage_key",
    "shared_key",
    "SharedKey",
    "connection_string",
    "connectionString",
    "db_password",
    "dbPassword",
    "DB_PASS",
    "mysql_pwd",
    "PGPASSWORD",
    "POSTGRES_PASSWORD",
    "MYSQL_ROOT_PASSWORD",
    "REDIS_PASSWORD",
    "RABBITMQ_DEFAULT_PASS",
    "smtp_pass",
    "user_password",
    "userPassword",
    "new_password",
    "newPassword",
    "old_password",
    "current_password",
    "passwordConfirm",
    "password_confirmation",
    "password2",
    "passwordHash",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GITLAB_TOKEN",
    "NPM_TOKEN",
    "PYPI_TOKEN",
    "SLACK_TOKEN",
    "slack_bot_token",
    "DISCORD_TOKEN",
    "TELEGRAM_BOT_TOKEN",
    "STRIPE_SECRET_KEY",
    "stripeApiKey",
    "SENDGRID_API_KEY",
    "TWILIO_AUTH_TOKEN",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "DATADOG_API_KEY",
    "GOOGLE_API_KEY",
    "AZURE_CLIENT_SECRET",
    "VAULT_TOKEN",
    "x-vault-token",
    "X-Auth-Token",
    "x-functions-key",
    "Ocp-Apim-Subscription-Key",
    "credentials",
    "credential",
    "creds",
    "user_credentials",
    "jwt",
    "jwt_token",
    "jwtSecret",
    "otp",
    "otp_code",
    "totp",
    "totp_secret",
    "mfa_code",
    "pin_code",
    "cvv",
    "cvc",
    "card_number",
    "cardNumber",
    "ssn",
    "mnemonic",
    "seed_phrase",
    "recovery_codes",
    "backup_codes",
    "verification_code",
    "security_code",
    "auth_code",
    "authorization_code",
    "code_verifier",
    "client_assertion",
    "SAMLResponse",
    "keystore_password",
    "keypass",
    "storepass",
    "license_key",
    "dsn",
    "tokens",
    "apiKeys",
    "api_keys",
    "accessTokens",
    "passcode",
    "passkey",
    "reset_token",
    "invite_token",
    "magic_token",
    "nkey_seed",
    "sasl_password",
    "sasl.jaas.password",
    "ssl.key.password",
    "basic_auth",
    "http_auth",
    "auth_key",
    "authKey",
]
OTHERS = [
    "author",
    "key",
    "primary_key",
    "foreign_key",
    "partition_key",
    "routing_key",
    "sort_key",
    "keyboard",
    "monkey",
    "order_id",
    "status",
    "total",
    "customer",
    "token_type",
    "token_count",
    "max_tokens",
    "prompt_tokens",
    "passenger",
    "passed",
    "bypass",
    "boarding_pass",
    "compass",
    "session_count",
    "sessions_total",
    "cookie_policy_url",
    "secretary",
    "authority",
    "authored_by",
    "code",
    "zip_code",
    "country_code",
    "status_code",
    "error_code",
    "promo_code",
    "currency",
    "pin",
    "shipping",
    "topic",
    "payload",
    "header",
    "headers",
    "correlation_id",
    "message_id",
    "trace_id",
    "span_id",
    "public_key",
    "public-key",
    "description",
]

V = "Zq7xW4nPv9LmT2kR"
TEXTS = [
    f"password={V}", f"password: {V}", f"password = '{V}'", f'"password": "{V}"', f"'password': '{V}'",
    f"--password={V}",
    f"PGPASSWORD={V} psql", f"export DB_PASSWORD={V}", f"passwd:{V}", f"pwd={V};", f"Pwd={V};Database=x",
    f"Server=h;User Id=u;Password={V};", f"token={V}", f"token: {V}", f"access_token={V}&x=1", f'"access_token":"{V}"',
    f"https://h/cb?code=1&access_token={V}", f"https://user:{V}@host/path", f"amqp://u:{V}@h:5672/%2f",
    f"redis://:{V}@h/0",
    f"postgresql://u:{V}@h/db", f"mongodb+srv://u:{V}@h/x", f"nats://u:{V}@h:4222", f"Authorization: Bearer {V}",
    f"authorization: bearer {V}", f"Authorization: Basic {V}{V}", f"Authorization: Token {V}",
    f"Proxy-Authorization: Basic {V}",
    f"x-api-key: {V}", f"X-Api-Key={V}", f"api_key={V}", f"apikey: {V}", f'{{"apiKey":"{V}"}}', f"api key '{V}'",
    f"Cookie: sid={V}; x=1", f"Set-Cookie: session={V}; Path=/; HttpOnly", f"client_secret={V}", f"clientSecret: '{V}'",
    f"secret: {V}", f"aws_secret_access_key = {V}", f"AWS_SECRET_ACCESS_KEY={V}", "AKIAIOSFODNN7EXAMPLE",
    f"ghp_{V}{V}abcd", f"github_pat_11AAAA_{V}{V}", f"glpat-{V}abcd", f"xoxb-123-456-{V}", f"xapp-1-A1-2-{V}",
    f"https://hooks.slack.com/services/T000/B000/{V}", f"sk_live_{V}", f"rk_test_{V}", f"whsec_{V}{V}",
    f"AIza{V}{V}abc",
    f"npm_{V}{V}abcd", f"pypi-AgEIcHlwaS5vcmc{V}", f"SG.{V}abcdef.{V}{V}", f"hvs.{V}{V}", f"hf_{V}{V}ab",
    f"dckr_pat_{V}{V}",
    f"sk-proj-{V}-{V}", f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{V}", f"X-Amz-Signature={V}{V}",
    f"https://a.example/c?sv=2022&sig={V}{V}%3D", "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY",
    f"-----BEGIN RSA PRIVATE KEY-----\n{V}\n-----END RSA PRIVATE KEY-----", f"Basic {V}{V}", f"Bearer {V}",
    f'<password value="x"/> password="{V}"', f"curl -H 'Authorization: Bearer {V}'", f'curl -H "X-Api-Key: {V}"',
    f'{{\\"password\\": \\"{V}\\"}}', f"{{'token': b'{V}'}}", f"Token(value='x', secret='{V}')", f"password => '{V}'",
    f"passphrase is '{V}'", f"jwt={V}", f"sessionid={V}", f"JSESSIONID={V}", f"AccountKey={V}{V}==;Endpoint=x",
    f"private_key: {V}", f"encryption_key={V}", f"otp=7{V}", f"refresh_token: '{V}'", f"id_token={V}",
    f"csrf_token={V}",
]  # fmt: skip
INNOCENT = [
    "http -addr=:8080 started",
    "orders.placed within 50 ms", "unexpected token '}' at 3", "the key: order-1", "author: Ada", "bearer of news",
    "http://host:80/a@b", "status code: 200", "the session began", "3 passed, 1 failed", "token_type: bearer",
    "pass: 3",
    "a basic introduction", "primary_key=5", "max_tokens=512", "sort key: id", "keyboard: us", "cookie policy of 2026",
]  # fmt: skip


def test_most_names_of_secrets_are_known() -> None:
    missed = [name for name in NAMES if not is_secret_key(name)]
    assert len(missed) <= 0.05 * len(NAMES), missed
    assert len(NAMES) >= 150


def test_names_that_are_none_are_not_taken_for_one() -> None:
    assert [name for name in OTHERS if is_secret_key(name)] == []


def test_most_texts_with_a_secret_show_none() -> None:
    missed = [text for text in TEXTS if V in redact_text(f"got {text}")[0] or redact_text(f"got {text}")[1] == 0]
    assert len(missed) <= 0.05 * len(TEXTS), missed
    assert len(TEXTS) >= 80


@pytest.mark.parametrize("text", INNOCENT)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redact_text(text) == (text, 0)


HEX, WORD = "0123456789abcdef" * 4, "Aa3Bb5Cc7Dd9Ee1Ff2Gg4Hh6Ii8Jj0Kk3Ll5Mm7Nn9Oo1Pp2"
LESS_KNOWN = (
    *(f"gl{kind}-{WORD[:20]}" for kind in ("rt", "dt", "ptt", "soat", "cbt", "ft", "imt", "agent")),
    f"glsa_{WORD[:32]}_0a1b2c3d", f"hvb.{WORD}", f"dop_v1_{HEX}", f"shpat_{HEX[:32]}", f"lin_api_{WORD[:40]}",
    f"ntn_{WORD[:46]}", f"figd_{WORD[:40]}", f"sbp_{HEX[:40]}", f"fo1_{WORD[:43]}", f"sntrys_{WORD}",
    f"rubygems_{HEX[:48]}", f"pscale_tkn_{WORD[:43]}", f"ops_eyJ{WORD}", f"NRAK-{WORD[:27].upper()}",
    f"PMAK-{HEX[:24]}-{HEX[:34]}", f"pul-{HEX[:40]}", "pat-na1-01234567-89ab-cdef-0123-456789abcdef",
    f"GOCSPX-{WORD[:28]}", f"ya29.{WORD}", f"dp.pt.{WORD[:43]}", f"dapi{HEX[:32]}", f"ATATT3xFfGF0{WORD}=0A1B2C3D",
    f"ATBB{WORD[:32]}", f"key-{HEX[:32]}", f"AGE-SECRET-KEY-1{WORD.upper()}{WORD[:10].upper()}", f"SSWS 00{WORD[:40]}",
)  # fmt: skip


_UPPER = WORD.upper()
FURTHER = (
    f"{WORD[:14]}.atlasv1.{WORD}{WORD[:20]}", f"SK{HEX[:32]}", f"M{WORD[:23]}.{WORD[:6]}.{WORD[:38]}",
    f"pat{WORD[:14]}.{HEX}", f"sq0atp-{WORD[:22]}", f"sq0csp-{WORD[:43]}", f"EAAA{WORD}{WORD[:12]}",
    f"oy2{HEX[:43]}", f"dckr_oat_{WORD[:32]}", f"s.{WORD[:24]}", f"hvr.{WORD}", f"{WORD[:3]}8Q~{WORD[:34]}",
    f"{WORD}{WORD[:28]}AZDO{WORD[:4]}", f"{HEX[:32]}-us12", f"1//0{WORD}", f"CCIPAT_{WORD[:22]}_{HEX[:40]}",
    f"tskey-auth-{WORD[:12]}-{WORD[:32]}", f"sb_secret_{WORD[:31]}", f"gsk_{WORD}{WORD[:4]}", f"r8_{WORD[:37]}",
    f"dt0c01.{_UPPER[:24]}.{(_UPPER * 2)[:64]}", f"re_{WORD[:8]}_{WORD[:24]}", f"HRKU-AA{WORD}", f"nfp_{WORD[:36]}",
    f"access-production-{HEX[:36]}", f"sha256~{WORD[:43]}", f"xoxe.xoxp-1-{WORD}", f"shippo_live_{HEX[:40]}",
    f"rzp_live_{WORD[:14]}", f"sntryu_{HEX}", f"AKCp{WORD}{WORD[:21]}", f"lsv2_pt_{HEX[:32]}_{HEX[:10]}",
    f"glpat-{WORD[:27]}.01.{WORD[:9]}", f"ABIA{_UPPER[:16]}", f"API-{_UPPER[:26]}", f"FlyV1 fm2_{WORD}",
)  # fmt: skip


@pytest.mark.parametrize("token", [*LESS_KNOWN, *FURTHER])
@pytest.mark.parametrize("text", ["it was {} then", "{}", "[{}]", "a={}"])
def test_the_tokens_of_less_known_services_are_masked_too(token: str, text: str) -> None:
    shown, hits = redact_text(text.format(token))
    assert shown == text.format("<redacted>")
    assert hits == 1


@pytest.mark.parametrize("token", [*LESS_KNOWN, *FURTHER])
def test_json_with_such_a_token_is_never_taken_for_innocent(token: str) -> None:
    assert not is_innocent_json(json.dumps({"order_id": "ORD-1", "note": token}))
    assert not is_innocent_json(json.dumps({"trace_id": HEX[:32], "span_id": HEX[:16], "note": token, "id": HEX[:32]}))


def test_words_that_begin_like_such_tokens_stay() -> None:
    text = "glft-ahead gldt-1 pat-na1-x key-0123 dapi0123 ops_eye dp.pt.x pul-over ATBB ya29.x fo1_2 the SSWS of it"
    assert redact_text(text) == (text, 0)


def test_a_telegram_token_is_masked_in_the_address_it_stands_in_and_alone() -> None:
    token = f"1234567890:AA{WORD[:33]}"
    assert redact_text(f"https://api.telegram.org/bot{token}/getMe") == (
        "https://api.telegram.org/bot<redacted>/getMe",
        1,
    )
    assert redact_text(f"it is {token}.") == ("it is <redacted>.", 1)


_HOOKS = ("hooks.slack.com/workflows/T1/A2", "discord.com/api/webhooks/1234567890", "x.webhook.office.com/webhookb2")


@pytest.mark.parametrize("hook", _HOOKS)
def test_what_lets_everybody_write_to_a_webhook_is_masked(hook: str) -> None:
    shown, hits = redact_text(f"POST {hook}/{WORD}")
    assert WORD not in shown
    assert hits == 1


COMMANDS = [
    "mysql -u root --password {}", 'tool --password "{}"', "tool --token {}", "tool -password {}",
    "MYSQL_PWD={} mysql", "curl -u a:{} http://h", "curl -ua:{} http://h", "curl --user a:{} h", 'curl -s -u "a:{}" h',
    "['curl', '-u', 'a:{}', 'h']", "mysql -uroot -p{} db", "['mysql', '-p{}']", "sshpass -p {} ssh h",
    "sshpass -p{} ssh h", "docker login -u x -p {} h", "['docker', 'login', '-p', '{}']", "redis-cli -h x -a {} ping",
    "mongosh -u a -p {}", "ldapsearch -D cn=x -w {} -b y", "sqlcmd -S h -U sa -P {}", "smbclient //h/s -U u%{}",
    "http --auth a:{} h", "skopeo copy --src-creds a:{} x y", "gpg --passphrase {}", "keytool -storepass {}",
    "machine h login u password {}", "requirepass {}", "rabbitmqctl add_user u {}", "ENV API_TOKEN {}",
    "echo {} | docker login --password-stdin", 'echo "{}" | sudo -S ls', "CREATE USER u IDENTIFIED BY '{}'",
]  # fmt: skip
APART = [
    "<password>{}</password>", '<ns:Password x="1">{}</ns:Password>', '<add key="ClearTextPassword" value="{}" />',
    '{{"name": "password", "value": "{}"}}', '{{\\"key\\":\\"API_TOKEN\\",\\"value\\":\\"{}\\"}}',
    "- name: DB_PASSWORD\n  value: {}", "password: |\n  {}", 'password := "{}"', "password -> {}", "| password | {} |",
    "password%3D{}", "the password is {}", "root:{}@tcp(127.0.0.1:3306)/db", "jdbc:oracle:thin:scott/{}@//h:1521/x",
    "https://x7f{}x7f@h/x",
]  # fmt: skip


@pytest.mark.parametrize("text", [*COMMANDS, *APART])
def test_passwords_in_command_lines_and_apart_from_their_names_are_masked(text: str) -> None:
    shown, hits = redact_text(text.format(V))
    assert V not in shown
    assert hits == 1


NO_PASSWORDS = [
    "mkdir -p dir", "docker run -p 8080:80 x", "ssh -p 22 h", "mysql -h x -P 3306 db", "use --password to give it",
    "--token-type bearer", "curl -u name http://h", "curl -X POST http://h:80/x", "redis-cli -h x -p 6379",
    "docker login, -p is for it", 'curl -H "X: a:b" h', "http://user@host/", "ftp://ada1@host/", "pat-1 task-1 sk-1",
    "s.orders.placedAndAcknowledged", "SKU-1 SK1", "re_order_line", "en-us1", "OrderPlaced.v1.Something",
    "x.MessageReceivedByTheConsumer.abcdef.longlonglonglonglonglonglong", "login ok, password wrong", "--auth digest",
    "01234567-89ab-cdef-0123-456789abcdef", "token -> x", "| password | text |", "the password is 3 characters long",
    '{"name": "colour", "value": "red"}', "<order>x1</order>",
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "password: !!str {}",
        'password: !!str "{}"',
        "password: !!binary &a {}\nb: 1",
        "password: &a {}\nother: *a",
        "password: ! {}",
        "password: !<tag:yaml.org,2002:str> {}",
        "password: !!str\n  {}\nb: 1",
        "password: !vault |\n  {}\nb: 1",
        "password: &p >-\n  {}\nb: 1",
        "password: |2-\n  {}\nb: 1",
        "password: |  # as text\n\n  first\n\n  {}\nb: 1",
        "passwords:\n  - first\n  - {}\nb: 1",
        "{{password: !!str {}, a: 1}}",
        "env:\n- name: PASSWORD\n  value: !!str {}\n",
    ],
)
def test_what_yaml_writes_before_a_value_hides_no_secret(text: str) -> None:
    masked, hits = redact_text(text.format("plainword"))
    assert hits
    assert "plainword" not in masked
    assert redact_text(masked) == (masked, 0)
    assert ("b: 1" in text) == ("b: 1" in masked)


@pytest.mark.parametrize("text", NO_PASSWORDS)
def test_what_only_looks_like_them_stays(text: str) -> None:
    assert redact_text(text) == (text, 0)


def test_a_value_beside_the_name_of_a_secret_is_masked_in_structures_too() -> None:
    masked, counts = redact_value({"env": [{"name": "DB_PASSWORD", "value": "plain"}, {"name": "x", "value": "plane"}]})
    assert masked == {"env": [{"name": "DB_PASSWORD", "value": "<redacted>"}, {"name": "x", "value": "plane"}]}
    assert counts.fields == 1


def _out_of_base64(text: str) -> str:
    try:
        return base64.b64decode(text + "==", altchars=b"-_").decode("latin-1").replace("\0", "")
    except binascii.Error:
        return ""


def _told(secret: str) -> str:
    return json.dumps({"note": "x", "password": secret})


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(json.dumps, id="within JSON"),
        pytest.param(lambda text: json.dumps(json.dumps(text)), id="within JSON within JSON"),
        pytest.param(lambda text: base64.b64encode(text.encode()).decode(), id="base64"),
        pytest.param(lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="), id="base64 of URLs"),
        pytest.param(lambda text: base64.b64encode(json.dumps(text).encode("utf-16")).decode(), id="UTF-16"),
        pytest.param(lambda text: base64.b64encode(text.encode("utf-16-le")).decode(), id="UTF-16 without a mark"),
        pytest.param(lambda text: base64.b64encode(text.encode("utf-16")).decode(), id="UTF-16 with a mark"),
        pytest.param(lambda text: base64.urlsafe_b64encode(text.encode("utf-16")).decode(), id="UTF-16 for URLs"),
        pytest.param(
            lambda text: base64.b64encode(b"\xfe\xff" + text.encode("utf-16-be")).decode(), id="big end first"
        ),
        pytest.param(lambda text: base64.b64encode(f"[{text}]".encode("utf-16")).decode(), id="a list in UTF-16"),
        pytest.param(lambda text: base64.b64encode(text.encode("utf-32")).decode(), id="UTF-32"),
        pytest.param(lambda text: base64.b64encode(text.encode("utf-32-be")).decode(), id="UTF-32 without a mark"),
        pytest.param(lambda text: base64.b64encode(text.encode("utf-8-sig")).decode(), id="UTF-8 with a mark"),
        pytest.param(lambda text: base64.b64encode(f"[{text}]".encode()).decode(), id="a list"),
    ],
)
def test_a_secret_within_a_text_that_holds_json_is_masked(told: Callable[[str], str]) -> None:
    text = told(_told("canary-4711 ä"))
    for shown in (Redactor().value({"body": text})["body"], Redactor().document(text)):
        assert shown != text
        assert "canary" not in shown
        assert "canary" not in _out_of_base64(shown)


@pytest.mark.parametrize("text", ["eyJhIjogMX0=", "eyJ is no JSON", '"{', json.dumps('{"a": 1}'), "WyJh", "//4"])
def test_what_only_begins_like_it_or_has_no_secret_stays(text: str) -> None:
    assert Redactor().value([text]) == [text]


def test_what_stood_in_a_column_of_a_secret_is_known_where_the_text_is_quoted() -> None:
    redactor = Redactor()
    text = "user;password\r\nada;canary-4711\r\n"
    assert "canary" not in redactor.text(text)
    assert "canary" not in redactor.text(f"got {text!r}")


FORM = (
    '--b', 'Content-Disposition: form-data; name="user"', "", "ann", "--b",
    'Content-Disposition: form-data; name="password"', "", "hunter22x", "--b",
    'content-disposition: form-data; name="api_key"; filename="k.txt"', "Content-Type: text/plain", "",
    "K9zQ77 b", "--b--",
)  # fmt: skip


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("written", [str, repr, json.dumps, lambda text: json.dumps(json.dumps(text))])
def test_the_secret_fields_of_a_form_in_parts_are_hidden(line_end: str, written: Callable[[str], str]) -> None:
    shown, hits = redact_text(written(line_end.join(FORM)))
    assert hits == 2
    assert "hunter22x" not in shown
    assert "K9zQ77" not in shown
    assert "ann" in shown
    assert shown.count("--b") == 4


@pytest.mark.parametrize("written", [repr, lambda text: json.dumps(json.dumps(text)), json.dumps])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "second", ["'secret': 'K9zQ77xb'", "password: K9zQ77xb", 'api_key = "K9zQ77xb"', "token=K9zQ77xb"]
)
def test_a_secret_of_the_next_line_is_hidden_where_the_lines_are_escaped(
    written: Callable[[str], str], line_end: str, second: str
) -> None:
    for first in ("client_secret=aZ91qLw3", "password: aZ91qLw3", "api_key=aZ91qLw3&x=1"):
        shown, _ = redact_text(written(line_end.join(["begins", first, second, "and=ends here"])))
        assert "K9zQ77xb" not in shown, shown
        assert "aZ91qLw3" not in shown, shown
        assert "here" in shown, shown
