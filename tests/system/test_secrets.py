"""A canary password, through every way to log in and every way that can fail, is seen nowhere."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from choreo_bdd import DictFieldPolicy, Harness
from choreo_bdd.brokers import Broker
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.matchers import field_equals
from choreo_bdd.transports import (
    KafkaAuth,
    KafkaTransport,
    MockTransport,
    NatsAuth,
    NatsTransport,
    RabbitAuth,
    RabbitTransport,
    RedisAuth,
    RedisTransport,
)
from choreo_bdd_project.config import ConfigError, TransportConfig, memory_config
from choreo_bdd_project.harnesses import build_harness
from tests.support.brokers import start_or_skip
from tests.support.certificates import Certificates, make_certificates
from tests.support.leftovers import nothing_left

CANARY = "c4n4ry-9f3b"
TIMEOUT_S = 1.0
FORMS = (CANARY, CANARY.encode().hex(), CANARY.upper())
NKEY = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
"""A well-known example seed of NATS' documentation: no server here knows it."""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def locked_nats() -> Iterator[Broker]:
    """Lets nobody in who has the canary only."""
    with start_or_skip("nats", user="ann", password="another") as broker:
        yield broker


@pytest.fixture(scope="module")
def open_nats() -> Iterator[Broker]:
    """Lets in who has the canary."""
    with start_or_skip("nats", user="ann", password=CANARY) as broker:
        yield broker


@pytest.fixture(scope="module")
def open_redis() -> Iterator[Broker]:
    """Lets in who has the canary."""
    with start_or_skip("redis", password=CANARY, acl_users={"ann": CANARY}) as broker:
        yield broker


@pytest.fixture(scope="module")
def locked_redis() -> Iterator[Broker]:
    """Lets nobody in who has the canary only."""
    with start_or_skip("redis", password="another") as broker:
        yield broker


class Evidence:
    """Everything that somebody could read afterwards."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self._said: list[str] = []

    def add(self, *things: object) -> None:
        """Something that was returned or shown."""
        self._said += [f"{thing!r} {thing}" for thing in things]

    def add_error(self, error: BaseException) -> None:
        """An exception with all that hangs on it, as a report prints it."""
        self.add(error, error.args, vars(error))
        self._said += traceback.format_exception(error)

    def add_attempts_to_copy(self, thing: object) -> None:
        """Pickling and copying, and what they say when they refuse."""
        for attempt in (pickle.dumps, copy.deepcopy):
            try:
                self.add(attempt(thing))
            except TypeError as error:
                self.add_error(error)

    def assert_clean(self) -> None:
        """Nothing of it holds the canary, in whatever form."""
        for record in self._caplog.records:
            self._said.append(f"{record.getMessage()} {record.args!r} {record.exc_text} {vars(record)!r}")
            if record.exc_info and record.exc_info[1] is not None:
                self._said += traceback.format_exception(record.exc_info[1])
        leaks = [text for text in self._said if any(form in text for form in (*FORMS, NKEY))]
        assert leaks == []


@pytest.fixture
def evidence(caplog: pytest.LogCaptureFixture) -> Evidence:
    """Everything is logged, by the clients too."""
    for name in (None, "choreo_bdd", "nats", "aiokafka", "aiormq", "aio_pika", "redis", "asyncio"):
        caplog.set_level(logging.DEBUG, name)
    return Evidence(caplog)


async def try_it(evidence: Evidence, make: Callable[[], Any]) -> None:
    """Construct, connect, run a scenario that fails, disconnect, connect again: whatever of it works."""
    async with nothing_left():
        await _try_it(evidence, make)


async def _try_it(evidence: Evidence, make: Callable[[], Any]) -> None:
    try:
        transport = make()
    except (ChoreoError, ValueError) as error:
        evidence.add_error(error)
        return
    harness = Harness(transport, correlation=DictFieldPolicy())
    evidence.add(transport, harness)
    evidence.add_attempts_to_copy(transport)
    for _ in range(2):
        try:
            await harness.connect()
            await _failing_scenario(evidence, harness)
        except ChoreoError as error:
            evidence.add_error(error)
        await harness.disconnect()
    evidence.add(transport, harness)


async def _failing_scenario(evidence: Evidence, harness: Harness) -> None:
    async with harness.scenario("fails") as s:
        handle = s.expect("t.a", field_equals("n", 1))
        s.publish("t.a", {"n": 2})
        result = await s.await_all(timeout_ms=100)
    evidence.add(result, result.summary(), result.failure_summary(), result.timeline, handle, handle.diagnosis)
    evidence.add(result.transport_failures, result.surprises)
    evidence.add_attempts_to_copy(result)


LOGINS: dict[str, Callable[[str, Certificates], Callable[[], Any]]] = {
    "nats password": lambda url, c: lambda: _nats([url], auth=NatsAuth.user_password("ann", CANARY)),
    "nats resolver": lambda url, c: lambda: _nats([url], auth=lambda: NatsAuth.user_password("ann", CANARY)),
    "nats token": lambda url, c: lambda: _nats([url], auth=NatsAuth.token(CANARY.encode())),
    "nats nkey": lambda url, c: lambda: _nats([url], auth=NatsAuth.nkey(NKEY)),
    "nats no nkey": lambda url, c: lambda: _nats([url], auth=NatsAuth.nkey(CANARY)),
    "nats tls": lambda url, c: (
        lambda: _nats([url], auth=NatsAuth.user_password_with_tls("ann", CANARY, NatsAuth.tls(c.ca)))
    ),
    "nats url": lambda url, c: lambda: _nats([url.replace("//", f"//ann:{CANARY}@")]),
    "nats url and auth": lambda url, c: (
        lambda: _nats([url.replace("//", f"//ann:{CANARY}@")], auth=NatsAuth.token(CANARY))
    ),
    "redis password": lambda url, c: lambda: _redis(url, auth=RedisAuth.password(CANARY)),
    "redis acl": lambda url, c: lambda: _redis(url, auth=RedisAuth.acl("ann", CANARY), streams=True),
    "redis tls": lambda url, c: lambda: _redis(url, auth=RedisAuth.acl_tls("ann", CANARY, c.ca)),
    "redis url": lambda url, c: lambda: _redis(url.replace("//", f"//:{CANARY}@")),
    "redis url and auth": lambda url, c: (
        lambda: _redis(url.replace("//", f"//:{CANARY}@"), auth=RedisAuth.password(CANARY))
    ),
    "rabbitmq plain": lambda url, c: lambda: _rabbit(_bare(url), auth=RabbitAuth.plain("ann", CANARY)),
    "rabbitmq tls": lambda url, c: (
        lambda: RabbitTransport(
            url=_bare(url).replace("amqp:", "amqps:"), auth=RabbitAuth.plain_amqps("ann", CANARY, c.ca)
        )
    ),
    "rabbitmq tls by a plain url": lambda url, c: (
        lambda: _rabbit(_bare(url), auth=RabbitAuth.plain_amqps("ann", CANARY, c.ca))
    ),
    "rabbitmq url": lambda url, c: lambda: _rabbit(_bare(url).replace("//", f"//ann:{CANARY}@")),
    "rabbitmq url and auth": lambda url, c: (
        lambda: _rabbit(_bare(url).replace("//", f"//ann:{CANARY}@"), auth=RabbitAuth.plain("ann", CANARY))
    ),
    "rabbitmq no url at all": lambda url, c: lambda: _rabbit(f"amqp://ann:{CANARY}@host:port/"),
    "kafka plain": lambda url, c: lambda: _kafka(url, KafkaAuth.sasl_plain("ann", CANARY)),
    "kafka scram": lambda url, c: lambda: _kafka(url, KafkaAuth.sasl_scram("ann", CANARY, "SCRAM-SHA-512")),
    "kafka token": lambda url, c: lambda: _kafka(url, KafkaAuth.sasl_oauthbearer(lambda: CANARY)),
    "kafka tls": lambda url, c: (
        lambda: _kafka(url, KafkaAuth.sasl_ssl(sasl=KafkaAuth.sasl_plain("ann", CANARY), ssl=KafkaAuth.ssl(c.ca)))
    ),
    "kafka address": lambda url, c: lambda: _kafka(f"ann:{CANARY}@{url}", None),
}


def _bare(url: str) -> str:
    return url.replace("guest:guest@", "")


def _kafka(url: str, auth: Any) -> KafkaTransport:
    return KafkaTransport(bootstrap_servers=url, auth=auth, connect_timeout_s=TIMEOUT_S, request_timeout_ms=1000)


def _nats(servers: list[str], auth: Any = None) -> NatsTransport:
    return NatsTransport(servers=servers, auth=auth, connect_timeout_s=TIMEOUT_S)


def _rabbit(url: str, auth: Any = None) -> RabbitTransport:
    return RabbitTransport(url=url, auth=auth, connect_timeout_s=TIMEOUT_S)


def _redis(url: str, auth: Any = None, *, streams: bool = False) -> RedisTransport:
    return RedisTransport(url=url, auth=auth, streams=streams, connect_timeout_s=TIMEOUT_S)


URLS = {
    "nats": "nats://127.0.0.1:{}",
    "redis": "redis://127.0.0.1:{}/0",
    "rabbitmq": "amqp://127.0.0.1:{}/",
    "kafka": "127.0.0.1:{}",
}


@asynccontextmanager
async def strange_server() -> AsyncIterator[int]:
    """The port of a server that answers everything with the same nonsense."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            writer.write(b"-ERR " + data[:64] + b"\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.mark.parametrize("name", LOGINS)
async def test_a_login_with_nobody_there_shows_nothing(
    name: str, evidence: Evidence, certificates: Certificates, unused_tcp_port: int
) -> None:
    url = URLS[name.split(maxsplit=1)[0]].format(unused_tcp_port)
    await try_it(evidence, LOGINS[name](url, certificates))
    evidence.assert_clean()


@pytest.mark.thorough
@pytest.mark.parametrize("name", [name for name in LOGINS if not name.startswith("kafka")])
async def test_a_login_at_a_server_that_repeats_what_it_is_sent_shows_nothing(
    name: str, evidence: Evidence, certificates: Certificates
) -> None:
    async with strange_server() as port:
        url = URLS[name.split(maxsplit=1)[0]].format(port)
        await try_it(evidence, LOGINS[name](url, certificates))
    evidence.assert_clean()


@pytest.mark.broker
@pytest.mark.parametrize("name", LOGINS)
async def test_a_login_that_is_refused_shows_nothing(
    name: str, evidence: Evidence, certificates: Certificates, request: pytest.FixtureRequest
) -> None:
    fixtures = {"nats": "locked_nats", "redis": "locked_redis", "rabbitmq": "rabbitmq_broker", "kafka": "kafka_broker"}
    broker = request.getfixturevalue(fixtures[name.split(maxsplit=1)[0]])
    await try_it(evidence, LOGINS[name](broker.url, certificates))
    evidence.assert_clean()


@pytest.mark.broker
@pytest.mark.parametrize(
    "name", ["nats password", "nats resolver", "nats url", "redis password", "redis acl", "redis url"]
)
async def test_a_login_that_succeeds_shows_nothing(
    name: str, evidence: Evidence, certificates: Certificates, request: pytest.FixtureRequest
) -> None:
    broker = request.getfixturevalue({"nats": "open_nats", "redis": "open_redis"}[name.split(maxsplit=1)[0]])
    await try_it(evidence, LOGINS[name](broker.url, certificates))
    evidence.assert_clean()


@pytest.mark.broker
async def test_a_connection_lost_after_the_login_shows_nothing(evidence: Evidence) -> None:
    with start_or_skip("redis", password=CANARY) as broker:
        harness = Harness(_redis(broker.url, auth=lambda: RedisAuth.password(CANARY)))
        await harness.connect()
        broker.kill()
        await _lost(harness)
        with pytest.raises(ChoreoError) as caught:
            await harness.heal()
        evidence.add_error(caught.value)
        evidence.add(harness.lost)
        await harness.disconnect()
    evidence.assert_clean()


async def _lost(harness: Harness) -> None:
    async with asyncio.timeout(5):
        while harness.lost is None:  # noqa: ASYNC110 - the harness has no event for it
            await asyncio.sleep(0.01)


async def _raising_later() -> Any:
    raise LookupError(CANARY)


def _raising() -> Any:
    raise LookupError(CANARY)


@pytest.mark.parametrize(
    "auth",
    [_raising, _raising_later, lambda: CANARY, CANARY, lambda: [CANARY]],
    ids=["raises", "raises later", "no descriptor", "no callable", "a list"],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda auth: MockTransport(auth=auth),
        lambda auth: NatsTransport(servers=["nats://127.0.0.1:1"], auth=auth),
        lambda auth: KafkaTransport(bootstrap_servers="127.0.0.1:1", auth=auth),
        lambda auth: RabbitTransport(url="amqp://127.0.0.1:1/", auth=auth),
        lambda auth: RedisTransport(url="redis://127.0.0.1:1/0", auth=auth),
    ],
    ids=["memory", "nats", "kafka", "rabbitmq", "redis"],
)
async def test_a_resolver_that_fails_shows_nothing(make: Callable[[Any], Any], auth: Any, evidence: Evidence) -> None:
    await try_it(evidence, lambda: make(auth))
    evidence.assert_clean()


@pytest.mark.parametrize(
    "options",
    [
        {"type": "nats", "servers": ["nats://127.0.0.1:1"], "auth": {"user": "ann", "password": CANARY}},
        {"type": "redis", "url": "redis://127.0.0.1:1/0", "auth": {"user": "ann", "password": CANARY}},
        {"type": "redis", "url": f"redis://:{CANARY}@127.0.0.1:1/0"},
        {"type": "rabbitmq", "url": "amqp://127.0.0.1:1/", "auth": {"user": "ann", "password": CANARY}},
        {"type": "rabbitmq", "url": "amqp://127.0.0.1:1/", "auth": {"password": CANARY}},
        {"type": "kafka", "servers": ["127.0.0.1:1"], "auth": {"user": "ann", "password": CANARY}},
        {"type": "kafka", "servers": ["127.0.0.1:1"], "auth": {"password": CANARY}},
    ],
    ids=lambda options: f"{options['type']} {len(str(options))}",
)
async def test_credentials_of_a_configuration_are_not_shown(options: dict[str, Any], evidence: Evidence) -> None:
    kind = options["type"]
    given = {name: value for name, value in options.items() if name != "type"}
    configured = TransportConfig("bus", kind, "the test", options=given)
    evidence.add(configured)
    try:
        harness = build_harness(memory_config(), configured)
    except ConfigError as error:
        evidence.add_error(error)
    else:
        with pytest.raises(ChoreoError, match="could not connect") as caught:
            await harness.connect()
        evidence.add(harness.transport)
        evidence.add_error(caught.value)
    evidence.assert_clean()
