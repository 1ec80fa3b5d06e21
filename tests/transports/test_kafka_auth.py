"""Logging in to Kafka: every way works, none is shown, none outlives its use."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import logging
import pickle
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest_v1

from choreo_bdd.brokers import Broker, TlsFiles
from choreo_bdd.exceptions import PublishFailed, SubscriptionFailed, TransportError
from choreo_bdd.transports import KafkaAuth, KafkaTransport, NatsAuth
from choreo_bdd_project.config import ConfigError, TransportConfig, memory_config
from choreo_bdd_project.harnesses import build_harness
from tests.support.brokers import start_or_skip
from tests.support.certificates import Certificates, make_certificates
from tests.support.subscribers import PATIENCE_S, Sink, new_topic

USER, PASSWORD = "ann", "s3cret-of-ann"
NARROW, NARROW_PASSWORD = "bob", "s3cret-of-bob"
WRITABLE = "only.written"

_TOPIC, _LITERAL, _WRITE, _ALLOW = 2, 3, 4, 3


@pytest.fixture(scope="module")
def guarded() -> Iterator[Broker]:
    """Wants a login; ``ann`` may do everything, ``bob`` nothing but write on one topic."""
    config = (
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
        f"super.users=User:{USER};User:ANONYMOUS"
    )
    with start_or_skip("kafka", sasl={USER: PASSWORD, NARROW: NARROW_PASSWORD}, config=config) as broker:
        yield broker


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def encrypted(certificates: Certificates) -> Iterator[Broker]:
    """Speaks TLS and wants a login."""
    tls = TlsFiles(certificate=certificates.server_certificate, key=certificates.server_key, ca=certificates.ca)
    with start_or_skip("kafka", sasl={USER: PASSWORD}, tls=tls) as broker:
        yield broker


@asynccontextmanager
async def connected(broker: Broker, auth: Any) -> AsyncIterator[KafkaTransport]:
    transport = KafkaTransport(bootstrap_servers=broker.url, auth=auth)
    await transport.connect()
    yield transport
    await transport.disconnect()


async def assert_talks(broker: Broker, auth: Any) -> None:
    topic, sink = new_topic(), Sink()
    async with connected(broker, auth) as transport:
        await transport.subscribe(topic, sink)
        await transport.publish(topic, b"hello")
        await sink.wait_for(1)
    assert sink.payloads == [b"hello"]


def unsecured_token() -> str:
    """A JSON web token without a signature, which a test broker accepts; its clock counts whole milliseconds."""
    claims = {"sub": USER, "iat": time.time() - 1, "exp": time.time() + 600}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), ""])


async def _fetch_token() -> str:
    return unsecured_token()


# --- descriptors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: KafkaAuth.sasl_plain(USER, PASSWORD),
        lambda: KafkaAuth.sasl_scram(USER, PASSWORD, "SCRAM-SHA-256"),
        lambda: KafkaAuth.sasl_oauthbearer(lambda: PASSWORD),
        lambda: KafkaAuth.ssl(None, "client.pem", PASSWORD),
        lambda: KafkaAuth.sasl_ssl(sasl=KafkaAuth.sasl_plain(USER, PASSWORD), ssl=KafkaAuth.ssl("ca.pem")),
    ],
)
def test_a_descriptor_is_immutable_unequal_and_never_shown(make: Callable[[], Any]) -> None:
    descriptor = make()
    assert PASSWORD not in repr(descriptor)
    assert descriptor != make()
    with pytest.raises(AttributeError):
        descriptor.password = "other"
    with pytest.raises(TypeError, match="pickling"):
        pickle.dumps(descriptor)
    with pytest.raises(TypeError, match="deepcopy"):
        copy.deepcopy(descriptor)


def test_what_cannot_work_is_refused_when_it_is_written_and_without_the_secret() -> None:
    plain, tls = KafkaAuth.sasl_plain(USER, PASSWORD), KafkaAuth.ssl(None)
    with pytest.raises(ValueError, match=r"SCRAM-SHA-1.*SCRAM-SHA-256, SCRAM-SHA-512") as mechanism:
        KafkaAuth.sasl_scram(USER, PASSWORD, "SCRAM-SHA-1")
    with pytest.raises(TypeError, match="token_provider") as provider:
        KafkaAuth.sasl_oauthbearer(PASSWORD)
    with pytest.raises(TypeError, match="sasl must come from") as sasl:
        KafkaAuth.sasl_ssl(sasl=tls, ssl=tls)
    with pytest.raises(TypeError, match=r"ssl must come from KafkaAuth\.ssl") as ssl:
        KafkaAuth.sasl_ssl(sasl=plain, ssl=plain)
    assert not any(PASSWORD in str(caught.value) for caught in (mechanism, provider, sasl, ssl))


async def test_credentials_are_cleared_whatever_comes_of_the_login() -> None:
    password = bytearray(PASSWORD.encode())
    inner = KafkaAuth.sasl_plain(USER, password)
    outer = KafkaAuth.sasl_ssl(sasl=inner, ssl=KafkaAuth.ssl("/nowhere/ca.pem"))
    with pytest.raises(TransportError, match="could not be loaded"):
        await KafkaTransport(bootstrap_servers="127.0.0.1:1", auth=outer).connect()
    assert outer.consumed
    assert inner.consumed
    assert password == bytes(len(PASSWORD))


async def test_a_secret_in_clear_to_another_machine_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    async def attempt(server: str, auth: Any) -> None:
        with pytest.raises(TransportError, match="could not connect"):
            await KafkaTransport(bootstrap_servers=server, auth=auth, connect_timeout_s=0.1).connect()

    await attempt("192.0.2.1:9092", KafkaAuth.sasl_scram(USER, PASSWORD, "SCRAM-SHA-512"))
    await attempt("127.0.0.1:1", KafkaAuth.sasl_plain(USER, PASSWORD))
    assert "plain_auth_over_plaintext" not in caplog.text
    await attempt("192.0.2.1:9092", KafkaAuth.sasl_plain(USER, PASSWORD))
    assert "plain_auth_over_plaintext" in caplog.text
    assert "192.0.2.1:9092" in caplog.text
    assert PASSWORD not in caplog.text


async def test_credentials_of_another_broker_are_refused() -> None:
    with pytest.raises(TransportError, match="not a known variant"):
        await KafkaTransport(bootstrap_servers="127.0.0.1:1", auth=NatsAuth.token(PASSWORD)).connect()


# --- logging in -------------------------------------------------------------------------------------------------------


@pytest.mark.broker
@pytest.mark.parametrize(
    "auth",
    [
        pytest.param(lambda: KafkaAuth.sasl_plain(USER, PASSWORD), id="plain"),
        pytest.param(lambda: KafkaAuth.sasl_scram(USER, PASSWORD.encode(), "SCRAM-SHA-256"), id="scram-256"),
        pytest.param(lambda: KafkaAuth.sasl_scram(USER, PASSWORD, "SCRAM-SHA-512"), id="scram-512"),
        pytest.param(lambda: KafkaAuth.sasl_oauthbearer(unsecured_token), id="bearer"),
        pytest.param(lambda: KafkaAuth.sasl_oauthbearer(_fetch_token), id="bearer-async"),
    ],
)
async def test_every_way_to_log_in_works_and_leaves_nothing_in_the_logs(
    guarded: Broker, auth: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="aiokafka")  # a run of steps in this process has quieted it
    await assert_talks(guarded, auth)
    assert "aiokafka.conn" in {record.name for record in caplog.records}, "its debug log is on"
    assert PASSWORD not in caplog.text
    assert unsecured_token()[:20] not in caplog.text


@pytest.mark.broker
async def test_tls_under_a_login_works(encrypted: Broker, certificates: Certificates) -> None:
    sasl = KafkaAuth.sasl_scram(USER, PASSWORD, "SCRAM-SHA-512")
    await assert_talks(encrypted, KafkaAuth.sasl_ssl(sasl=sasl, ssl=KafkaAuth.ssl(certificates.ca)))


@pytest.mark.broker
async def test_a_server_that_cannot_be_trusted_is_not_talked_to(encrypted: Broker) -> None:
    sasl = KafkaAuth.sasl_plain(USER, PASSWORD)
    with pytest.raises(TransportError, match=r"could not connect.*certificate verify failed.*`tls: \{ca: "):
        async with connected(encrypted, KafkaAuth.sasl_ssl(sasl=sasl, ssl=KafkaAuth.ssl(None))):
            pass


@pytest.mark.broker
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
async def test_a_wrong_password_is_told_without_it(
    guarded: Broker, mechanism: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "wr0ng-s3cret"
    auth = KafkaAuth.sasl_plain(USER, wrong) if mechanism == "PLAIN" else KafkaAuth.sasl_scram(USER, wrong, mechanism)
    transport = KafkaTransport(bootstrap_servers=guarded.url, auth=auth)
    with pytest.raises(TransportError, match=r"could not connect.*SaslAuthenticationFailed") as caught:
        await transport.connect()
    assert caught.value.__cause__ is None
    assert wrong not in f"{caught.value} {transport!r} {caplog.text}"


@pytest.mark.broker
async def test_a_token_provider_that_fails_is_told_without_its_text(guarded: Broker) -> None:
    def fails() -> str:
        raise ValueError("t0ken-s3cret")

    with pytest.raises(TransportError, match=r"could not connect.*ValueError") as caught:
        async with connected(guarded, KafkaAuth.sasl_oauthbearer(fails)):
            pass
    assert "t0ken-s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.broker
async def test_a_descriptor_serves_one_login_and_a_callable_many(guarded: Broker) -> None:
    once = KafkaTransport(bootstrap_servers=guarded.url, auth=KafkaAuth.sasl_plain(USER, PASSWORD))
    again = KafkaTransport(bootstrap_servers=guarded.url, auth=lambda: KafkaAuth.sasl_plain(USER, PASSWORD))
    for transport in (once, again):
        await transport.connect()
        await transport.disconnect()
    with pytest.raises(TransportError, match="already been consumed"):
        await once.connect()
    await again.connect()
    await again.disconnect()


@pytest.mark.broker
async def test_a_profile_with_login_and_tls_connects(encrypted: Broker) -> None:
    profile = encrypted.profile()
    config = TransportConfig("bus", profile.pop("type"), "choreo.yaml:1", options=profile)
    harness = build_harness(memory_config(), config)
    await harness.connect()
    await harness.disconnect()
    await harness.connect()
    assert harness.is_healthy()
    await harness.disconnect()


def test_a_profile_with_half_a_login_is_refused() -> None:
    settings = {"servers": ["localhost:9092"], "auth": {"user": USER}}
    with pytest.raises(ConfigError, match=r"choreo\.yaml:7: the auth of a kafka transport needs a user and a password"):
        build_harness(memory_config(), TransportConfig("bus", "kafka", "choreo.yaml:7", options=settings))


# --- permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.broker
async def test_a_denied_topic_fails_subscription_and_message_with_the_reason(guarded: Broker) -> None:
    async with connected(guarded, KafkaAuth.sasl_plain(NARROW, NARROW_PASSWORD)) as transport:
        with pytest.raises(SubscriptionFailed, match=r"'denied'.*Authorization failed"):
            await transport.subscribe("denied", Sink())
        with pytest.raises(PublishFailed, match=r"'denied'.*Authorization failed"):
            await transport.publish("denied", b"{}")


@pytest.mark.broker
async def test_a_topic_that_may_be_written_but_not_read_fails_its_subscription_only(guarded: Broker) -> None:
    async with connected(guarded, KafkaAuth.sasl_plain(USER, PASSWORD)) as owner:
        await owner.publish(WRITABLE, b"{}")
    await _let_narrow_write(guarded)
    async with connected(guarded, KafkaAuth.sasl_plain(NARROW, NARROW_PASSWORD)) as transport:
        async with asyncio.timeout(PATIENCE_S):
            await _until_it_may_write(transport)
        for _ in range(2):
            with pytest.raises(SubscriptionFailed, match=rf"'{WRITABLE}'.*denies it to us"):
                await transport.subscribe(WRITABLE, Sink())
        assert transport.lost is None


async def _let_narrow_write(broker: Broker) -> None:
    class Request:
        def prepare(self, versions: object) -> CreateAclsRequest_v1:
            return CreateAclsRequest_v1([(_TOPIC, WRITABLE, _LITERAL, f"User:{NARROW}", "*", _WRITE, _ALLOW)])

    login = {"sasl_mechanism": "PLAIN", "sasl_plain_username": USER, "sasl_plain_password": PASSWORD}
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.url, security_protocol="SASL_PLAINTEXT", **login)
    await admin.start()
    await admin._send_request(Request())
    await admin.close()


async def _until_it_may_write(transport: KafkaTransport) -> None:
    while True:
        try:
            await transport.publish(WRITABLE, b"{}")
        except PublishFailed:
            continue
        return


# --- brokers that come back -------------------------------------------------------------------------------------------


@pytest.mark.broker
async def test_a_broker_that_keeps_its_log_loses_nothing_by_a_restart(guarded: Broker) -> None:
    topic, sink = new_topic(), Sink()
    async with connected(guarded, KafkaAuth.sasl_scram(USER, PASSWORD, "SCRAM-SHA-512")) as transport:
        await transport.subscribe(topic, sink)
        await transport.publish(topic, b"before")
        await asyncio.to_thread(guarded.restart)
        async with asyncio.timeout(30):
            while transport.lost is not None:  # noqa: ASYNC110 - that it is whole again is told to nobody
                await asyncio.sleep(0.1)
        async with connected(guarded, KafkaAuth.sasl_plain(USER, PASSWORD)) as other:
            await other.publish(topic, b"after")
        await sink.wait_for(2)
    assert sink.payloads == [b"before", b"after"]
