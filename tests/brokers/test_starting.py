"""What is found to start, and what is said when nothing is or when it does not come up."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

import choreo_bdd_schemas
from choreo_bdd.brokers import (
    KINDS,
    Broker,
    BrokerFailed,
    BrokerUnavailable,
    _programs,
    available,
    ports,
    start,
    starting,
)
from choreo_bdd.brokers.kinds import _kafka_jars
from choreo_bdd.brokers.starting import KindName
from tests.support.running_processes import alive

pytestmark = pytest.mark.broker


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server program anywhere."""
    for finder in ("on_path", "in_environment", "in_package"):
        monkeypatch.setattr(_programs, finder, lambda *names: None)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of a nats-server of the test's own, found before the real one."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path / "nats-server"


@pytest.fixture
def occupied_port() -> Iterator[int]:
    with socket.create_server((ports.HOST, ports.free_port())) as stranger:
        yield stranger.getsockname()[1]


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("nats", "pip install 'choreo-bdd[brokers]'"),
        ("redis", "apt-get install redis-server"),
        ("rabbitmq", "apt-get install rabbitmq-server"),
        ("kafka", "KAFKA_HOME=/path/to/kafka"),
    ],
)
@pytest.mark.usefixtures("bare_machine")
def test_without_a_program_the_error_and_the_availability_say_how_to_get_one(kind: KindName, advice: str) -> None:
    with pytest.raises(BrokerUnavailable, match=f"no {kind} broker can be started here") as raised:
        start(kind)
    assert advice in str(raised.value)
    assert not available(kind).found
    assert advice in available(kind).hint


def test_a_port_in_use_is_named(occupied_port: int) -> None:
    with pytest.raises(BrokerFailed, match=f"something else listens on port {occupied_port}"):
        start("nats", port=occupied_port)


def test_a_wanted_port_is_taken() -> None:
    port = ports.free_port()
    with start("nats", port=port) as broker:
        assert broker.url == f"nats://127.0.0.1:{port}"


def test_a_free_port_lost_to_a_quicker_program_is_replaced_by_another(
    occupied_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = iter([occupied_port, ports.free_port()])
    monkeypatch.setattr(starting, "free_port", lambda: next(offered))
    with start("redis") as broker:
        assert broker.port != occupied_port


def test_a_program_that_ends_at_once_is_reported_with_its_last_words() -> None:
    with pytest.raises(BrokerFailed, match="ended before it answered") as raised:
        start("nats", config="this is { no configuration")
    assert "Parse error" in raised.value.log_tail, "the server's own complaint is part of the message"
    assert raised.value.log_tail in str(raised.value)


def test_a_program_that_never_answers_is_ended_and_reported(program: Path, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program.write_text(
        f"#!/bin/sh\n[ $1 = --version ] && exec echo v9.8.7\necho $$ > {pid_file}\necho thinking\nexec sleep 60\n"
    )
    program.chmod(0o755)
    with pytest.raises(BrokerFailed, match=r"nats-server 9\.8\.7.*did not answer on port \d+ within 0\.5 s") as raised:
        start("nats", timeout_s=0.5)
    assert raised.value.log_tail == "thinking"
    assert int(pid_file.read_text()) not in alive()


def test_a_program_that_cannot_be_executed_is_reported(program: Path) -> None:
    program.write_text("#!/nowhere/interpreter\n")
    program.chmod(0o755)
    with pytest.raises(BrokerFailed, match="could not be started"):
        start("nats")


def test_an_unknown_kind_and_an_unknown_option_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="no kind of broker named 'pulsar'; expected one of nats, kafka"):
        start("pulsar")  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(TypeError, match="redis brokers have no option jetstream; they have password"):
        start("redis", jetstream=True)


def test_kafka_without_java_is_tansu_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    without_java = _programs.on_path
    monkeypatch.setattr(_programs, "on_path", lambda *names: None if "java" in names else without_java(*names))
    assert available("kafka").program.startswith("tansu")
    refused = available("kafka", sasl={"app": "pw"})
    assert "there is no program java" in refused.hint
    assert "tansu knows no sasl" in refused.hint


def test_kafka_of_a_distribution_is_preferred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "kafka_2.13-9.9.9.jar").touch()
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert available("kafka", implementation="apache").program == f"Apache Kafka 9.9.9 ({tmp_path})"


def test_maven_that_cannot_fetch_kafka_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho '[ERROR] no route to repository'\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KAFKA_HOME", raising=False)
    with pytest.raises(BrokerUnavailable, match=r"no route to repository.*implementation='tansu'"):
        _kafka_jars.fetched()
    assert list((tmp_path / "cache" / "choreo-bdd").iterdir()) == [], "no half of anything is kept"


@pytest.mark.parametrize("kind", ["nats", "rabbitmq", "kafka"])
def test_another_kind_of_server_is_not_taken_for_the_one_wanted(kind: KindName, redis_broker: Broker) -> None:
    KINDS["redis"].handshake(redis_broker.host, redis_broker.port, 5)
    with pytest.raises(OSError, match=r"answer|timed out"):
        KINDS[kind].handshake(redis_broker.host, redis_broker.port, 0.5)


@pytest.mark.parametrize("kind", ["nats", "redis"])
def test_a_profile_is_what_choreo_yaml_wants(kind: KindName) -> None:
    with start(kind) as broker:
        document = {"profiles": {"local": {kind: broker.profile()}}}
    jsonschema.validate(json.loads(json.dumps(document)), choreo_bdd_schemas.config_schema())
