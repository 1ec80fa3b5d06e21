"""Secrets in what people type and set: command lines, statements, settings, connection strings, logins of addresses."""

from __future__ import annotations

import json
import time

import pytest

from choreo_bdd.redaction import is_innocent_json, redact_text

V, W = "hunter-Kx7pQ2", "correcthorse"
B = "YW5uOmh1bnRlcjI="
TEXTS = [
    f"setx API_TOKEN {V}", f"setx API_TOKEN {W}", f"SETX DB_PASSWORD \"{V}\" /M", f"setenv GH_TOKEN {V}",
    f"set -x API_TOKEN {V}", f"ENV DB_PASSWORD {W}", f"ARG NPM_TOKEN {V}",
    f"dotnet user-secrets set \"Db:Password\" \"{V}\"", f"aws configure set aws_secret_access_key {V}",
    f"npm config set //packages.example.org/:_authToken {V}", f"git config --global github.token {V}",
    f"127.0.0.1:6379> AUTH {V}", f"AUTH {V}", f"AUTH shop {V}", f"> AUTH default {W}",
    f'1339518083.1 [0 127.0.0.1:60866] "AUTH" "{V}"', f'1339518083.1 [0 127.0.0.1:60866] "auth" "shop" "{W}"',
    f"HELLO 3 AUTH default {V}", f"CONFIG SET requirepass {V}", f"masterauth {V}", f"['AUTH', '{V}']",
    f"the password for ann is {V}", f"the password of ann is '{W}'", f"SET PASSWORD FOR 'ann'@'%' = '{V}'",
    f"password for ann = {W}", f"token for shop is {V}", f"htpasswd -b /etc/nginx/.htpasswd ann {V}",
    f"htpasswd -nb ann {W}", f"htpasswd -bc f u {V}", f"htpasswd -B -b f u {V} && nginx", f"ann:{V}@db.local:5432",
    f"connect to ann:{W}@10.0.0.7:6379 failed", f"could not reach 'shop:{V}@rabbit:5672'",
    f"curl -u ann:{V} http://h", f"curl --user ann:{V} http://h", f"curl -uann:{V} http://h",
    f"wget --password={V} http://h", f"--password={W}", f"PGPASSWORD={W} psql -h db", f"env PGPASSWORD={V} psql",
    f"machine api.shop login ann password {V}", f"machine api.shop\n  login ann\n  password {W}\n",
    f"docker login -u ann -p {V} registry", f"docker login --password {V}", f"podman login -p {V} r",
    f"echo {V} | docker login --password-stdin", f"echo 'ann:{V}' | chpasswd",
    f"jdbc:postgresql://db/x?user=ann&password={V}", f"jdbc:mysql://ann:{V}@db:3306/x",
    f"jdbc:sqlserver://db;user=ann;password={V};", f"jdbc:oracle:thin:ann/{V}@db:1521:x",
    f"sqlplus ann/{V}@db:1521/x", f"sshpass -p {V} ssh h", f"sshpass -p{V} ssh h", f"sshpass -p '{V}' ssh h",
    f'org.apache.kafka.common.security.plain.PlainLoginModule required username="ann" password="{V}";',
    f'sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=ann password={W};',
    f"ssl.keystore.password={W}", f"Authorization: Basic {B}", f"authorization: basic {B}",
    f"Proxy-Authorization: Basic {B}", f"-H 'Authorization: Bearer {V}'", f"{{'Authorization': 'Token {V}'}}",
    f"[('authorization', 'Bearer {V}')]", f"[(b'authorization', b'Basic {V}')]",
    f"DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={V}==;EndpointSuffix=core.windows.net",
    f"Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={V}=",
    f"SharedAccessSignature sr=x&sig={V}{V}%3D&se=1", f"HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey={V}=",
    f'{{"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\\nMII{V}\\n-----END PRIVATE KEY-----"}}',
    f"-----BEGIN OPENSSH PRIVATE KEY-----\n{V}\n-----END OPENSSH PRIVATE KEY-----",
    f"-----BEGIN EC PRIVATE KEY-----\n{V}", f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n{V}", f"Cookie: sid={V}",
    f"Set-Cookie: sid={V}; HttpOnly", f"cookies={{'sid': '{V}'}}", f"{{'Cookie': 'sid={V}'}}",
    f"set-cookie: __Host-session={V}; Secure", f"ALTER USER ann WITH PASSWORD '{V}'",
    f"CREATE USER ann IDENTIFIED BY '{V}'", f"ALTER USER 'a' IDENTIFIED WITH mysql_native_password BY '{V}'",
    f"CREATE ROLE ann LOGIN PASSWORD '{V}'", f"rabbitmqctl add_user ann {V}", f"rabbitmqctl change_password ann {W}",
    f"redis-cli -a {V} ping", f"redis-cli --pass {V}", f"mysql -uann -p{V} shop", f"mysqldump -p{V}",
    f"mongosh -u ann -p {V}", f"psql 'host=db user=ann password={V}'", f"nats sub x --user ann --password {V}",
    f"kcat -X sasl.password={V}", f"mosquitto_pub -u ann -P {V} -t x", f"etcdctl --user root:{V} get x",
    f"vault login {V}", f"oc login --token={V}", f"oc login -u ann -p {V}",
    f"az login --service-principal -u x -p {V} --tenant y", f"helm registry login -u a -p {V} h",
    f"lftp -u ann,{V} ftp://h",  f"unzip -P {V} a.zip", f"openssl rsa -passin pass:{V}",
    f"keytool -storepass {V} -list", f"java -Djavax.net.ssl.keyStorePassword={V}", f"<password>{V}</password>",
    f"<add key=\"DbPassword\" value=\"{V}\"/>", f"<property name=\"password\" value=\"{V}\"/>",
    f"- name: DB_PASSWORD\n  value: {V}", f"password: |\n  {V}\n", f"password: >-\n  {V}\n", f"db_password = \"{V}\"",
    f"$env:API_TOKEN = '{V}'", f"$Env:DB_PASSWORD=\"{V}\"", f"ConvertTo-SecureString '{V}' -AsPlainText -Force",
    f"http://h/?api_key={V}", f"http://h/?token={V}&x=1", f"ftp://ann:{V}@h/", f"amqps://ann:{V}@h",
    f"redis://default:{V}@h:1", f"nats://{V}{V}@h:1", f"mongodb://ann:{V}@a,b/x",
    f"https://oauth2:{V}@gitlab.com/a.git", f"snowflake://u:{V}@acc", f"password = {W}", f"passwd {V!r}",
    f"Password={V};", f"pwd: {W}", f"secret={W}", f"client_secret: {V}",
    f"kubectl create secret generic x --from-literal=password={V}", f"kubectl config set-credentials u --token={V}",
    f"gh secret set API_TOKEN --body {V}", f"heroku config:set API_TOKEN={V}", f"docker run -e DB_PASSWORD={V} x",
    f"ansible_ssh_pass={V}", f"ansible_become_password: {V}", f"export TOKEN={V}; run", f"api-key {V!r}",
    f"x-api-key => {V}", f"apiKey -> {V}", f"KafkaConfig(sasl_plain_password='{V}')",
    f"Login(user='ann', password={V!r})", f"{{:password \"{V}\"}}", f"password:={V}", f"\"password\",\"{V}\"",
    f"'password', '{V}'", f"| password | {V} |", f"password\t{V}", f"--password {V}", f"-Dpassword={V}",
    f"/p:{V} xfreerdp", f"login(ann, {V})", "pin: 9981 for card", "OTP 991273 is your code",
]  # fmt: skip
INNOCENT = [
    "AUTH failed", "AUTH required for ann", "auth ok", "set password to the new value", "set token to be sent",
    "ENV PATH /usr/bin", "env token expired", "set x 1", "CONFIG SET maxmemory 100mb",
    "the password for ann is wrong", "the password of the user is missing", "the token for tenant is expired",
    "password for user 'ann' was changed", "htpasswd -v f ann", "mail to ann@example.com:25 failed",
    "orders:0@broker-1:9092", "image nginx:1.25@sha256:0123456789", "celery@worker-1:5672", "at 12:30:45 ann@host",
    "git config user.name ann", "SET session:1 x", "AUTH", "the AUTH command", "zip -r a.zip b",
    "identified by its id", "was identified by order_id", "mqtt-topic set key 1", "the key of ORD-1 is ORD-2",
    "secret of success is 3 things", "docker ps -p", "oc get -p x", "vault login failed",
    "curl -X POST http://h:80/a", "ARG VERSION 3", "setup token_type bearer", "settings token bucket of 5",
    "reset password link sent to ann", "set token_type Bearer1", "identified as a duplicate",
]  # fmt: skip


def shows(text: str) -> bool:
    return any(secret in text for secret in (V, W, B))


def test_most_of_what_people_type_shows_no_secret() -> None:
    missed = [text for text in TEXTS if shows(redact_text(text)[0])]
    assert len(missed) <= 0.06 * len(TEXTS), missed
    assert len(TEXTS) >= 150


def test_json_with_a_text_that_is_masked_is_never_taken_for_innocent() -> None:
    masked = [text for text in TEXTS if redact_text(text)[1]]
    assert [text for text in masked if is_innocent_json(json.dumps({"note": text}))] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("setx API_TOKEN x7 /M", "setx API_TOKEN <redacted> /M"),
        ("> AUTH ann x7", "> AUTH ann <redacted>"),
        ("the password for ann is x7.", "the password for ann is <redacted>"),
        ("htpasswd -b f ann x7", "htpasswd -b f ann <redacted>"),
        ("to ann:hunter2@db:5432/x", "to ann:<redacted>@db:5432/x"),
    ],
)
def test_what_surrounds_a_secret_stays(text: str, shown: str) -> None:
    assert redact_text(text) == (shown, 1)


@pytest.mark.parametrize("text", INNOCENT)
def test_sentences_with_the_same_words_stay_as_they_are(text: str) -> None:
    assert redact_text(text) == (text, 0)


ROWS = [
    ("INSERT INTO users (name, password) VALUES ('ann', 'X')", 1),
    ("insert into users(name,api_key,age)values('ann','X',7),('bob', 'X-2' ,8);", 2),
    ('INSERT INTO `users` (`id`, "token") VALUES (7, \'X\')', 1),
    ("INSERT INTO shop.users (id, note, [secret]) VALUES (7, 'it\'\'s, (ok)', 'X')", 1),
    ("REPLACE INTO users (pw, id) VALUES ('X', 7)", 1),
    ("INSERT INTO users (name, password) VALUES ('ann', crypt('X', gen_salt('bf')))", 1),
    ("INSERT INTO users (name, password) VALUES ('ann', 'X and this was cut he", 1),
    ("INSERT INTO a (name, password)\n VALUES\n  ('ann', 'X'),\n  ('bob', 'X');\nINSERT INTO a (pw) VALUES ('X')", 3),
]  # fmt: skip


@pytest.mark.parametrize(("text", "hits"), ROWS)
def test_what_is_inserted_into_a_column_of_secrets_is_masked_and_nothing_else(text: str, hits: int) -> None:
    shown, counted = redact_text(text.replace("X", V))
    assert V not in shown
    assert counted == hits
    assert "'ann'" in shown or "'ann'" not in text
    assert "it''s, (ok)" in shown or "it''s" not in text
    assert not is_innocent_json(json.dumps({"sql": text}))


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO orders (id, total) VALUES (7, 'X')", "INSERT INTO users (name, password) VALUES (?, ?)",
        "INSERT INTO users (name, password) VALUES (:name, :password)", "INSERT INTO a (pw) VALUES (%(pw)s)",
        "INSERT INTO users (password) VALUES (NULL), ('')", "put it into order (the keys) values (we share)",
    ],
)  # fmt: skip
def test_rows_without_a_secret_stay(text: str) -> None:
    assert redact_text(text) == (text, 0)


@pytest.mark.thorough
def test_rows_that_never_end_take_time_in_proportion() -> None:
    def took(text: str) -> float:
        begun = time.process_time()
        redact_text(text)
        return time.process_time() - begun

    for piece in (
        "into t (pw) values ('",
        "into t (pw) values ((",
        "into t (pw) values (('",
        "into t (pw) values (f('a',",
    ):
        short, long = min(took(piece * 2_000) for _ in range(3)), min(took(piece * 8_000) for _ in range(2))
        assert long < 12 * max(short, 0.01), piece


@pytest.mark.parametrize(("text", "shown"), [("pw=x7y", "pw=<redacted>"), ('{"pw": "x7y"}', '{"pw": "<redacted>"}')])
def test_pw_is_a_name_of_passwords_and_of_nothing_that_is_counted(text: str, shown: str) -> None:
    assert redact_text(text) == (shown, 1)
    assert redact_text('{"pw": 12, "kw": 7}, pw: high') == ('{"pw": 12, "kw": 7}, pw: high', 0)
