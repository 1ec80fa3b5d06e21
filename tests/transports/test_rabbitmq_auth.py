"""Logging in to RabbitMQ: every way works, none is shown, none outlives its use."""

from __future__ import annotations

import logging
import pickle
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.brokers import Broker, TlsFiles
from choreo_bdd.transports import ConflictingAuthError, NatsAuth, RabbitAuth, RabbitTransport, TransportError
from choreo_bdd_project.config import Config, ConfigError, TransportConfig, memory_config
from choreo_bdd_project.harnesses import build_harness
from tests.support.brokers import start_or_skip
from tests.support.certificates import Certificates, make_certificates

USER, PASSWORD = "client", "p4ss/w@rd:ü"  # the user is named like the client's certificate
WRONG = "wr0ng-s3cret"
WITH_CERTIFICATE_LOGIN = """
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = EXTERNAL
ssl_cert_login_from = common_name
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def encrypted(certificates: Certificates) -> Iterator[Broker]:
    """A server that speaks TLS only, wants to see a client certificate, and takes that for a login too."""
    tls = TlsFiles(
        certificate=certificates.server_certificate,
        key=certificates.server_key,
        ca=certificates.ca,
        require_client_certificate=True,
    )
    with start_or_skip(
        "rabbitmq",
        user=USER,
        password=PASSWORD,
        tls=tls,
        plugins=("rabbitmq_auth_mechanism_ssl",),
        config=WITH_CERTIFICATE_LOGIN,
    ) as broker:
        yield broker


async def assert_talks(transport: RabbitTransport) -> None:
    await transport.connect()
    await transport.publish("t", b"x")
    await transport.disconnect()


def plain_over_tls(files: Certificates, password: str | bytes = PASSWORD) -> Any:
    return RabbitAuth.plain_amqps(USER, password, files.ca, files.client_certificate, files.client_key)


async def test_a_password_in_plain_opens_the_door(rabbitmq_broker: Broker) -> None:
    url = rabbitmq_broker.url.replace("guest:guest@", "")
    await assert_talks(RabbitTransport(url=url, auth=RabbitAuth.plain("guest", "guest")))


@pytest.mark.parametrize(
    "make",
    [
        plain_over_tls,
        lambda files: plain_over_tls(files, PASSWORD.encode()),
        lambda files: RabbitAuth.external(files.client_certificate, files.client_key, files.ca),
    ],
    ids=["plain", "bytes", "external"],
)
async def test_passwords_and_certificates_open_the_door_over_tls(
    encrypted: Broker, certificates: Certificates, make: Callable[[Certificates], Any]
) -> None:
    await assert_talks(RabbitTransport(url=encrypted.url, auth=make(certificates)))


async def test_a_ready_context_serves_for_all_tls_settings(encrypted: Broker, certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=str(certificates.ca))
    context.load_cert_chain(str(certificates.client_certificate), str(certificates.client_key))
    await assert_talks(RabbitTransport(url=encrypted.url, auth=RabbitAuth.plain_amqps(USER, PASSWORD, context)))


async def test_tls_alone_logs_in_as_guest_whom_this_server_does_not_know(
    encrypted: Broker, certificates: Certificates
) -> None:
    auth = RabbitAuth.amqps(certificates.ca, certificates.client_certificate, certificates.client_key)
    with pytest.raises(TransportError, match=r"could not connect .*ACCESS_REFUSED"):
        await RabbitTransport(url=encrypted.url, auth=auth).connect()


async def test_a_server_with_a_certificate_of_somebody_else_is_not_trusted(encrypted: Broker) -> None:
    transport = RabbitTransport(url=encrypted.url, auth=RabbitAuth.plain(USER, PASSWORD))
    with pytest.raises(TransportError, match=r"could not connect .*CERTIFICATE_VERIFY_FAILED"):
        await transport.connect()


@pytest.mark.timeout(60)  # the client's errors stand in a circle, in which whoever looks through them may go round
async def test_without_tls_to_a_port_that_wants_it_is_a_failure_to_connect(encrypted: Broker) -> None:
    transport = RabbitTransport(url=encrypted.url.replace("amqps://", "amqp://"))
    with pytest.raises(TransportError, match=r"could not connect .*are the credentials right\?"):
        await transport.connect()


async def test_a_wrong_password_is_a_failure_to_connect_that_shows_nothing(
    encrypted: Broker, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    transport = RabbitTransport(url=encrypted.url, auth=plain_over_tls(certificates, WRONG))
    with pytest.raises(TransportError, match="could not connect") as caught:
        await transport.connect()
    assert caught.value.__cause__ is None
    assert WRONG not in str(caught.value) + repr(transport) + caplog.text
    await transport.disconnect()


async def test_a_descriptor_serves_one_login_and_is_empty_afterwards(rabbitmq_broker: Broker) -> None:
    url = rabbitmq_broker.url.replace("guest:guest@", "")
    password = bytearray(b"guest")
    auth = RabbitAuth.plain("guest", password)
    transport = RabbitTransport(url=url, auth=auth)
    await assert_talks(transport)
    assert password == bytes(5)
    with pytest.raises(TransportError, match="already been consumed"):
        await transport.connect()


async def test_a_callable_serves_every_login(rabbitmq_broker: Broker) -> None:
    url = rabbitmq_broker.url.replace("guest:guest@", "")
    transport = RabbitTransport(url=url, auth=lambda: RabbitAuth.plain("guest", "guest"))
    await assert_talks(transport)
    await assert_talks(transport)


async def test_a_descriptor_of_another_broker_is_refused() -> None:
    with pytest.raises(TransportError, match="not a known variant"):
        await RabbitTransport(url="amqp://localhost", auth=NatsAuth.token("t")).connect()


@pytest.mark.parametrize(
    "make",
    [
        lambda files: RabbitAuth.external(files.client_certificate, files.client_key, files.ca),
        lambda files: RabbitAuth.amqps(files.ca),
        lambda files: RabbitAuth.plain_amqps(USER, PASSWORD, files.ca),
    ],
    ids=["external", "amqps", "plain_amqps"],
)
async def test_tls_needs_an_amqps_url(certificates: Certificates, make: Callable[[Certificates], Any]) -> None:
    auth = make(certificates)
    with pytest.raises(TransportError, match=r"amqps:// URL.*amqp://localhost"):
        await RabbitTransport(url="amqp://localhost", auth=auth).connect()
    assert auth.consumed


@pytest.mark.parametrize("url", ["amqp://ann:s3cret@localhost", "amqp://localhost?auth=external"])
def test_credentials_given_twice_are_refused(url: str) -> None:
    with pytest.raises(ConflictingAuthError) as caught:
        RabbitTransport(url=url, auth=RabbitAuth.plain("ann", "s3cret"))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "auth",
    [RabbitAuth.plain("ann", "s3cret"), RabbitAuth.amqps("s3cret"), RabbitAuth.external("s3cret", "s3cret", "s3cret")],
    ids=["plain", "amqps", "external"],
)
def test_a_descriptor_shows_nothing_and_is_not_written_down(auth: Any) -> None:
    assert "s3cret" not in repr(auth)
    assert auth != RabbitAuth.plain("ann", "s3cret")
    with pytest.raises(TypeError, match="pickling"):
        pickle.dumps(auth)


@pytest.mark.parametrize("in_url", [True, False])
async def test_a_password_sent_in_the_clear_to_another_machine_is_warned_of(
    rabbitmq_broker: Broker, caplog: pytest.LogCaptureFixture, *, in_url: bool
) -> None:
    # 0.0.0.0 reaches this machine, but is no loopback address
    url = f"amqp://{'guest:guest@' if in_url else ''}0.0.0.0:{rabbitmq_broker.port}/"
    auth = None if in_url else RabbitAuth.plain("guest", "guest")
    await assert_talks(RabbitTransport(url=url, auth=auth))
    assert "plain_auth_over_plaintext" in caplog.text
    assert "guest" not in caplog.text


async def test_a_password_sent_to_this_machine_is_not_warned_of(
    rabbitmq_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    await assert_talks(RabbitTransport(url=rabbitmq_broker.url))
    assert "plain_auth_over_plaintext" not in caplog.text


# --- from the configuration -------------------------------------------------------------------------------------------


def configured(options: dict[str, Any], *, config: Config | None = None) -> Any:
    return build_harness(config or memory_config(), TransportConfig("bus", "rabbitmq", "the test", options=options))


async def test_a_login_and_tls_settings_of_a_profile_are_used(
    encrypted: Broker, certificates: Certificates, tmp_path: Path
) -> None:
    tls = {
        "ca": str(certificates.ca),
        "cert": str(certificates.client_certificate),
        "key": str(certificates.client_key),
    }
    for options in (
        {"url": encrypted.url, "auth": {"user": USER, "password": PASSWORD}, "tls": tls},
        {"url": encrypted.url.replace("://", "://client:p4ss%2Fw%40rd%3A%C3%BC@"), "tls": tls},
        {"url": encrypted.url, "auth": {"mechanism": "EXTERNAL"}, "tls": tls},
    ):
        harness = configured(options)
        await harness.connect()
        await harness.disconnect()


def test_half_a_login_in_a_profile_is_an_error_that_names_its_place() -> None:
    with pytest.raises(ConfigError, match=r"the test: .*user and a password"):
        configured({"url": "amqp://localhost", "auth": {"user": "ann"}})


def test_a_login_in_a_profile_and_in_its_url_conflict() -> None:
    with pytest.raises(ConflictingAuthError):
        configured({"url": "amqp://ann:s3cret@localhost", "auth": {"user": "ann", "password": "s3cret"}})


@pytest.mark.parametrize("more", [{}, {"tls": True}, {"tls": {"verify": False}}])
def test_a_certificate_login_without_a_certificate_is_an_error(more: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"the test: with the mechanism EXTERNAL the client certificate is the login"):
        configured({"url": "amqps://localhost", "auth": {"mechanism": "EXTERNAL"}, **more})
