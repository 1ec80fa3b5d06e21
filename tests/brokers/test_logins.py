"""Brokers started with logins and TLS let in who may come in, and nobody else."""

from __future__ import annotations

import ssl

import aio_pika.exceptions
import aiokafka.errors
import nats.errors
import pytest
import redis.exceptions

from choreo_bdd.brokers import TlsFiles, start
from tests.support.broker_clients import Login, round_trip
from tests.support.brokers import start_or_skip
from tests.support.certificates import Certificates, make_certificates
from tests.support.running_processes import assert_leaves_nothing, command_line

pytestmark = pytest.mark.broker

# What needs quoting somewhere: in configuration files, in URLs, in shells.
AWKWARD = "p,a]s\"s\\ w#é'$x"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls(certificates: Certificates) -> TlsFiles:
    """A server that wants a certificate of its clients."""
    return TlsFiles(
        certificate=certificates.server_certificate,
        key=certificates.server_key,
        ca=certificates.ca,
        require_client_certificate=True,
    )


@pytest.fixture
def client_tls(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certificates.ca)
    context.load_cert_chain(certificates.client_certificate, certificates.client_key)
    return context


async def test_nats_with_user_and_tls(tls: TlsFiles, client_tls: ssl.SSLContext) -> None:
    with start("nats", user="app", password=AWKWARD, tls=tls) as broker:
        assert await round_trip(broker, Login("app", AWKWARD, client_tls)) == b"hello"
        with pytest.raises(nats.errors.Error):
            await round_trip(broker, Login("app", "wrong", client_tls))


async def test_nats_with_a_configuration_of_ones_own() -> None:
    with start("nats", config="max_payload: 2") as broker, pytest.raises(nats.errors.MaxPayloadError):
        await round_trip(broker)


async def test_redis_with_a_password_and_users() -> None:
    with start("redis", password=AWKWARD, acl_users={"app": AWKWARD}) as broker:
        assert await round_trip(broker, Login(None, AWKWARD)) == b"hello"
        assert await round_trip(broker, Login("app", AWKWARD)) == b"hello"
        with pytest.raises(redis.exceptions.AuthenticationError):
            await round_trip(broker, Login("app", "wrong"))


async def test_redis_over_tls(tls: TlsFiles, certificates: Certificates) -> None:
    with start("redis", tls=tls) as broker:
        files = {"ssl_certfile": str(certificates.client_certificate), "ssl_keyfile": str(certificates.client_key)}
        async with redis.asyncio.from_url(broker.url, ssl_ca_certs=str(certificates.ca), **files) as client:
            assert await client.ping()


async def test_rabbitmq_with_user_and_tls_which_then_stops_completely(
    tls: TlsFiles, client_tls: ssl.SSLContext
) -> None:
    with start_or_skip("rabbitmq", user="app", password=AWKWARD, tls=tls) as broker:
        assert await round_trip(broker, Login("app", AWKWARD, client_tls)) == b"hello"
        with pytest.raises(aio_pika.exceptions.AMQPError):
            await round_trip(broker, Login("app", "wrong", client_tls))
        assert_leaves_nothing(broker, broker.stop)


async def test_apache_kafka_with_users_and_tls_which_then_stops_completely(
    tls: TlsFiles, client_tls: ssl.SSLContext
) -> None:
    with start_or_skip("kafka", implementation="apache", sasl={"app": "pass_W0rd!"}, tls=tls) as broker:
        for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
            assert await round_trip(broker, Login("app", "pass_W0rd!", client_tls, mechanism)) == b"hello"
        with pytest.raises(aiokafka.errors.KafkaConnectionError):
            await round_trip(broker, Login("app", "wrong", client_tls, "SCRAM-SHA-256"))
        assert_leaves_nothing(broker, broker.stop)


def test_kafka_refuses_a_password_its_tools_would_misread() -> None:
    with pytest.raises(ValueError, match="ASCII letters, digits"):
        start("kafka", sasl={"app": "a,b"})


def test_no_secret_shows_in_what_a_broker_says_of_itself() -> None:
    with start("nats", user="app", password="hush-hush") as broker:
        assert "hush-hush" not in repr(broker) + broker.url + broker.program
        assert "hush-hush" not in command_line(broker.pid)
        assert broker.profile()["auth"] == {"user": "app", "password": "hush-hush"}
