"""What is wrong with a configuration is told by file, line and key, and never by a value: it may be a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd.redaction import Redactor
from choreo_bdd_project.config import ConfigError, load_config
from choreo_bdd_project.harnesses import configured_transport
from choreo_bdd_project.secrets import declare, unset
from choreo_bdd_schemas import config_schema

C = "canary-cfg-9f3b"
SERVERS = "['nats://127.0.0.1:1']"
AUTH = f"profiles:\n  p:\n    bus:\n      type: nats\n      servers: {SERVERS}\n      auth:\n        user: app\n"
BROKEN = {
    "alias": AUTH + f"        password: *{C}\n",
    "anchor": AUTH + f"        password: &{C} x: y\n",
    "tag": AUTH + f"        password: !{C} x\n",
    "percent": AUTH + f"        password: %{C}\n",
    "colon": AUTH + f"        password: {C}: x: y\n",
    "open quote": AUTH + f'        password: "{C}\n',
    "indent": AUTH + f"       password: {C}\n",
    "list": AUTH + f"        password: [{C}]\n",
    "mapping": AUTH + f"        password: {{{C}: 1}}\n",
    "key without a value": f"profiles: {{p: {{bus: {{type: nats, auth: {{user: a, {C}}}}}}}}}\n",
    "key that is a URL": f"profiles: {{p: {{bus: {{type: nats, 'nats://u:{C}@h': 1}}}}}}\n",
    "bus is text": f"profiles:\n  p:\n    bus: nats://u:{C}@h:1\n",
    "bus is a list": f'profiles:\n  p:\n    bus: [{{type: nats, servers: ["nats://u:{C}@h:1"]}}]\n',
    "profile is a list": f'profiles:\n  p:\n    - bus: {{type: nats, servers: ["nats://u:{C}@h:1"]}}\n',
    "profiles are text": f"profiles: nats://u:{C}@h:1\n",
    "a name of a profile": f"profiles:\n  nats://u:{C}@h: {{bus: {{type: memory}}}}\n",
    "type": f"profiles:\n  p:\n    bus: {{type: {C}}}\n",
    "servers": f"profiles:\n  p:\n    bus: {{type: nats, servers: 'nats://u:{C}@h:1', type_: 1}}\n",
    "timeout": f"timeout: {C}\n",
    "slow": f"slow: {C}\n",
    "default transport": f"default_transport: {C}\n",
    "text": f"{C}\n",
    "twice": AUTH + f"        password: {C}\n        password: {C}\n",
    "number as a name": AUTH + f"        1: {C}\n",
    "secrets": f"secrets: {C}\n",
    "pattern": f"secrets: {{patterns: ['({C}']}}\n",
    "control character": f"timeout: {C}\x01\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_no_broken_configuration_shows_a_value(text: str, tmp_path: Path) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as told:
        load_config(path, schema=config_schema())
    causes = repr([told.value.__cause__, told.value.__context__ if not told.value.__suppress_context__ else None])
    assert "canary" not in f"{told.value} {causes}"
    assert str(path) in str(told.value)


@pytest.mark.parametrize("text", [f'[tool.choreo]\nx = "{C}\n', f"[tool.choreo]\nx = {C}\n", f'a = 1\na = "{C}"\n'])
def test_nor_does_broken_toml(text: str, tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as told:
        load_config(path, schema=config_schema())
    assert "canary" not in str(told.value)
    assert "line" in str(told.value)


def test_what_a_configuration_shows_to_be_secret_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READ", "read-9f3b")
    monkeypatch.setenv("LISTED", "listed-9f3b")
    monkeypatch.setenv("LOGIN", "login-9f3b")
    path = tmp_path / "choreo.yaml"
    path.write_text(
        "env: [READ, MISSING]\nsecrets: {env: [LISTED], names: [ward], patterns: ['W-[0-9]{4}']}\nprofiles:\n  p:\n"
        "    a: {type: nats, servers: ['nats://ann:in-url-9f3b@127.0.0.1:1', 'nats://only-9f3b@127.0.0.1:1']}\n"
        "    b: {type: nats, servers: ['nats://127.0.0.1:1'], auth: {user: ann-user, password: '${LOGIN}'}}\n"
    )
    declare(load_config(path, schema=config_schema()))
    told = "read-9f3b listed-9f3b login-9f3b in-url-9f3b only-9f3b W-1234"
    assert Redactor().text(told) == " ".join(["<redacted>"] * 6)
    assert Redactor().text("ann-user at 127.0.0.1") == "ann-user at 127.0.0.1"
    assert Redactor().value({"ward": "7", "a": 1}) == {"ward": "<redacted>", "a": 1}


def test_what_a_service_is_given_under_a_secret_name_is_hidden_unless_it_is_a_plain_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIVEN", "given-9f3b")
    path = tmp_path / "choreo.yaml"
    path.write_text(
        "services:\n  shop:\n    command: ['true']\n    env:\n      API_TOKEN: '${GIVEN}'\n"
        "      DB_PASSWORD: postgres\n"
        "      DB: 'postgres://ann:in-url-9f3b@${services.shop.host}/x'\n      OTHER: '${MISSING}'\n"
        "      CLIENT_SECRET: '${UNSET:-by-default-9f3b}'\n"
    )
    declare(load_config(path, schema=config_schema()))
    told = "given-9f3b in-url-9f3b by-default-9f3b postgres"
    assert Redactor().text(told) == "<redacted> <redacted> <redacted> postgres"


def test_a_pattern_that_finds_nothing_everywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text("secrets: {patterns: ['x*']}\n")
    with pytest.raises(ConfigError, match=r"choreo.yaml:1: secrets.patterns.0: expected a pattern that cannot match"):
        load_config(path, schema=config_schema())


@pytest.mark.parametrize(
    ("transport", "told"),
    [
        ("type: redis, url: 'redis://h', streams: true, payload_field: data", "write streams: {payload_field: …}"),
        ("type: redis, url: 'redis://h', password: '${P:-x}'", "write auth: {password: …}"),
        (f"type: nats, servers: {SERVERS}, header: x-id", "write correlation: {header: …}"),
    ],
)
def test_a_key_that_stands_a_level_too_high_is_told_where_it_belongs(transport: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(f"profiles: {{p: {{bus: {{{transport}}}}}}}\n")
    with pytest.raises(ConfigError) as error:
        load_config(path, schema=config_schema())
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("transports: {bus: {type: nats}}", "a transport stands below its profile: profiles: {local: {bus:"),
        (
            "profiles:\n  local:\n  bus: {type: nats}",
            "2: profiles.local: expected a mapping such as {bus: {type: nats}}, found nothing; what belongs",
        ),
        ("profile: {local: {bus: {type: nats}}}", "did you mean profiles?"),
        ("timeout: 0s", "1: timeout: 0s is over before anything can come"),
        (
            "profiles: {p: {bus: {type: nats, servers: [a], connect_timeout: 0 ms}}}",
            "1: profiles.p.bus.connect_timeout: 0 ms is over",
        ),
        ("profiles: {local: {bus: {typ: nats}}}", "profiles.local.bus.typ: there is no such key; did you mean type?"),
    ],
)
def test_what_beginners_write_is_told_in_words_of_the_file(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_config(path, schema=config_schema())
    assert told in str(error.value)
    assert "did you mean default_transport" not in str(error.value)


@pytest.mark.parametrize(
    "written",
    [
        *(f"nats://${{URL{each}{C}}}" for each in (":", "-", ":?")),
        "${{ secrets.URL }}",
        "nats://${{URL}}",
        "$URL",
        "{{ URL }}",
        "%URL%",
    ],
)
@pytest.mark.parametrize("place", ["servers: ['WRITTEN']", "servers: 'WRITTEN'", "url: 'WRITTEN'"])
def test_a_variable_in_another_spelling_is_told_to_be_none(tmp_path: Path, written: str, place: str) -> None:
    path = tmp_path / "choreo.yaml"
    kind = "redis" if "url" in place else "nats"
    path.write_text(f"profiles:\n  p:\n    bus:\n      type: {kind}\n      {place.replace('WRITTEN', written)}\n")
    with pytest.raises(ConfigError, match=r"choreo\.yaml:5: .*a variable is written \$\{NAME\} here") as told:
        load_config(path, schema=config_schema())
    assert C not in str(told.value)


@pytest.mark.parametrize("password", ["$ECRET", "$e{cret}", "a{{b}}", "$1{", "%s%"])
def test_a_password_may_look_like_one(tmp_path: Path, password: str) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(AUTH + f"        password: '{password}'\n")
    load_config(path, schema=config_schema())


@pytest.mark.parametrize(
    "written", ["order_id", "None", "{field: a, header: b}", "{field: a, header: b, prefix: c}", "{}"]
)
def test_what_a_correlation_may_be_is_told_as_it_is_written(tmp_path: Path, written: str) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(f"profiles:\n  p:\n    bus: {{type: memory, correlation: {written}}}\n")
    with pytest.raises(ConfigError, match=r"correlation: expected one of \{field: order_id\}, \{header: x-order-id\}"):
        load_config(path, schema=config_schema())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("rabbit", "rabbitmq"), ("'rabbitmq '", "rabbitmq"), ("RabbitMQ", "rabbitmq"), ("amqp", "rabbitmq"),
        ("kafak", "kafka"), ("Nats", "nats"), ("in-memory", "memory"), ("valkey", "redis"), ("https", "http"),
    ],
)  # fmt: skip
def test_a_kind_of_bus_that_is_nearly_one_is_told_with_what_it_may_mean(
    tmp_path: Path, written: str, meant: str
) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(f"profiles:\n  p:\n    bus: {{type: {written}}}\n")
    with pytest.raises(ConfigError, match=rf"choreo\.yaml:3: profiles\.p\.bus\.type: .*did you mean '{meant}'\?$"):
        load_config(path, schema=config_schema())


def test_other_words_of_a_few_are_told_so_too_and_a_strange_one_gets_no_guess(tmp_path: Path) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text("vacuity: warning\n")
    with pytest.raises(ConfigError, match=r":1: vacuity: expected one of .*; did you mean 'warn'\?$"):
        load_config(path, schema=config_schema())
    path.write_text("profiles:\n  p:\n    bus: {type: pulsar}\n")
    with pytest.raises(ConfigError, match=r"expected one of 'memory', .*'http'$"):
        load_config(path, schema=config_schema())


def listing(tmp_path: Path, *names: str) -> Path:
    path = tmp_path / "choreo.yaml"
    path.write_text(f"secrets:\n  env: [{', '.join(names)}]\nprofiles:\n  memory:\n    bus: {{type: memory}}\n")
    return path


def test_a_variable_of_secrets_that_is_not_set_is_told_with_the_one_it_may_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM_LICENCE", "x")
    monkeypatch.setenv("UPSTREAM_KEY", "y")
    config = load_config(listing(tmp_path, "UPSTREAM_LICENSE", "UPSTREAM_KEY", "OTHER"), schema=config_schema())
    told = list(unset(config))
    assert [is_slip for _, is_slip in told] == [True, False]
    assert told[0][0].endswith(
        "choreo.yaml:2: secrets.env.0: no environment variable of that name is set, so nothing is hidden for it; "
        "did you mean UPSTREAM_LICENCE?"
    )
    assert "secrets.env.2" in told[1][0]


@pytest.mark.parametrize("written", ["'${LICENCE}'", "$LICENCE", "LICENCE=x", "'LICENCE '"])
def test_what_cannot_be_the_name_of_a_variable_is_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(ConfigError, match=r":2: secrets\.env\.0: expected the bare name of an environment variable"):
        load_config(listing(tmp_path, written), schema=config_schema())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("profiles: [memory]", "profiles: expected a mapping such as {local: {bus: {type: nats}}}, found a list"),
        ("profiles:\n  p: memory", "profiles.p: expected a mapping such as {bus: {type: nats}}, found text"),
        ("profiles:\n  p:\n    bus: memory", "profiles.p.bus: expected a mapping such as {type: nats}, found text"),
        ("profiles:\n  p:\n    bus: {url: x}", "profiles.p.bus: 'type' is missing here"),
        (
            "profiles:\n  p:\n    bus: {type: kafka, servers: [h], url: h}",
            "p.bus.url: there is no such key; did you mean s",
        ),
        (
            "profiles:\n  p:\n    bus: {type: redis, url: h, host: h}",
            "p.bus.host: there is no such key; did you mean url?",
        ),
        (
            "profiles:\n  p:\n    bus: {type: redis, url: h, user: h}",
            "p.bus.user: there is no such key; did you mean auth?",
        ),
        ("profiles:\n  p:\n    bus: {type: memory, correlation: true}", "expected one of {field: order_id}, {header:"),
        (
            "default_profile: local\nprofiles:\n  p:\n    bus: {type: memory}",
            "choreo.yaml:1: default_profile: there is no",
        ),
        ("profiles: {p: {bus: {type: memory}}}\ntimeout: [", "a value is missing here, or the text ends before it"),
    ],
)
def test_what_stands_there_and_what_should_is_told_in_the_form_of_the_file(
    tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(text + "\n")
    with pytest.raises(ConfigError) as raised:
        load_config(path, schema=config_schema())
    assert told in str(raised.value)


@pytest.mark.parametrize(
    "settings",
    [
        "type: rabbitmq, url: 'localhost:5672'", "type: nats, servers: 'nats://localhost:port'",
        "type: kafka, servers: 'localhost:port'", "type: redis, url: 'http://localhost'", "type: http, url: 'ftp://h'",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_told_with_its_place_in_the_file(tmp_path: Path, settings: str) -> None:
    path = tmp_path / "choreo.yaml"
    path.write_text(f"profiles:\n  p:\n    bus: {{type: memory}}\n    x: {{{settings}}}\n")
    config = load_config(path, schema=config_schema())
    with pytest.raises(ConfigError, match=r"choreo\.yaml:4: profiles\.p\.x"):
        configured_transport(config, config.transports["x"])
