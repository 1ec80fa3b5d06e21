"""Logging in to Redis: every way works, none is shown, none outlives its use."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd.brokers import Broker, TlsFiles
from choreo_bdd.transports import ConflictingAuthError, NatsAuth, RedisAuth, RedisTransport, TransportError
from choreo_bdd_project.config import TransportConfig, memory_config
from choreo_bdd_project.harnesses import build_harness
from tests.support.brokers import start_or_skip
from tests.support.certificates import Certificates, make_certificates

USER, PASSWORD = "ann", "p4ss/w@rd"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def guarded() -> Iterator[Broker]:
    """A server with a password, and a user with the same one."""
    with start_or_skip("redis", password=PASSWORD, acl_users={USER: PASSWORD}) as broker:
        yield broker


@pytest.fixture(scope="module")
def encrypted(certificates: Certificates) -> Iterator[Broker]:
    """A server that speaks TLS only, wants to see a client certificate, and has a user."""
    tls = TlsFiles(
        certificate=certificates.server_certificate,
        key=certificates.server_key,
        ca=certificates.ca,
        require_client_certificate=True,
    )
    with start_or_skip("redis", acl_users={USER: PASSWORD}, tls=tls) as broker:
        yield broker


async def assert_talks(transport: RedisTransport) -> None:
    await transport.connect()
    ready = transport.publish("t", b"x")
    await ready
    await transport.disconnect()


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: RedisAuth.password(PASSWORD),
        lambda: RedisAuth.password(PASSWORD.encode()),
        lambda: RedisAuth.acl(USER, PASSWORD),
    ],
    ids=["password", "bytes", "acl"],
)
async def test_passwords_open_the_door(guarded: Broker, make: Callable[[], Any], *, streams: bool) -> None:
    await assert_talks(RedisTransport(url=guarded.url, auth=make(), streams=streams))


@pytest.mark.parametrize("auth", [None, "wrong"])
async def test_no_or_a_wrong_password_is_a_failure_to_connect_that_shows_nothing(
    guarded: Broker, auth: str | None
) -> None:
    given = None if auth is None else RedisAuth.acl(USER, "wr0ng-s3cret")
    transport = RedisTransport(url=guarded.url, auth=given)
    with pytest.raises(TransportError, match=r"could not connect .*AuthenticationError") as caught:
        await transport.connect()
    assert "s3cret" not in str(caught.value) + repr(transport)
    await transport.disconnect()


async def test_a_password_in_the_url_works_and_is_not_shown(guarded: Broker) -> None:
    transport = RedisTransport(url=guarded.url.replace("//", "//ann:p4ss%2Fw%40rd@"))
    assert "p4ss" not in repr(transport)
    await assert_talks(transport)


async def test_tls_with_a_client_certificate_and_a_user(encrypted: Broker, certificates: Certificates) -> None:
    files = (certificates.ca, certificates.client_certificate, certificates.client_key)
    await assert_talks(RedisTransport(url=encrypted.url, auth=RedisAuth.acl_tls(USER, PASSWORD, *files)))
    await assert_talks(RedisTransport(url=encrypted.url, auth=RedisAuth.tls(*files)))


async def test_tls_in_the_descriptor_is_spoken_whatever_the_url_says(
    encrypted: Broker, certificates: Certificates
) -> None:
    files = (certificates.ca, certificates.client_certificate, certificates.client_key)
    await assert_talks(RedisTransport(url=encrypted.url.replace("rediss:", "redis:"), auth=RedisAuth.tls(*files)))


async def test_a_server_of_an_unknown_authority_is_not_talked_to(encrypted: Broker, tmp_path: Path) -> None:
    elsewhere = make_certificates(tmp_path)
    transport = RedisTransport(url=encrypted.url, auth=RedisAuth.acl_tls(USER, PASSWORD, elsewhere.ca))
    with pytest.raises(TransportError, match=r"could not connect .*certificate verify failed"):
        await transport.connect()


async def test_a_ca_that_cannot_be_read_is_said_before_anything_is_sent(encrypted: Broker) -> None:
    auth = RedisAuth.tls("/nowhere/ca.pem")
    with pytest.raises(TransportError, match="TLS material could not be loaded: FileNotFoundError"):
        await RedisTransport(url=encrypted.url, auth=auth).connect()
    assert auth.consumed


async def test_credentials_are_wiped_after_the_login(guarded: Broker) -> None:
    secret = bytearray(PASSWORD.encode())
    auth = RedisAuth.acl(USER, secret)
    transport = RedisTransport(url=guarded.url, auth=auth)
    await transport.connect()
    assert (auth.consumed, auth.password, secret) == (True, None, bytearray(len(PASSWORD)))
    await transport.disconnect()
    with pytest.raises(TransportError, match="already been consumed"):
        await transport.connect()


async def test_a_callable_logs_in_each_time(guarded: Broker) -> None:
    transport = RedisTransport(url=guarded.url, auth=lambda: RedisAuth.acl(USER, PASSWORD))
    await assert_talks(transport)
    await assert_talks(transport)


async def test_another_brokers_credentials_are_no_known_variant(guarded: Broker) -> None:
    transport = RedisTransport(url=guarded.url, auth=NatsAuth.token("s3cret"))
    with pytest.raises(TransportError, match="not a known variant; use one of RedisAcl, RedisPassword, RedisTls"):
        await transport.connect()


@pytest.mark.parametrize("url", ["redis://u:p@localhost/0", "redis://localhost/0?password=p"])
def test_credentials_in_url_and_descriptor_conflict(url: str) -> None:
    with pytest.raises(ConflictingAuthError, match="both in a server's URL and through auth="):
        RedisTransport(url=url, auth=RedisAuth.password("p"))


@pytest.mark.parametrize(
    ("url", "auth"),
    [
        ("redis://redis.invalid:6379/0", lambda: RedisAuth.password("s3cret")),
        ("redis://:s3cret@redis.invalid:6379/0", None),
    ],
)
async def test_a_password_over_plaintext_to_another_machine_is_warned_of(
    url: str, auth: Callable[[], Any] | None, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TransportError, match="could not connect"):
        await RedisTransport(url=url, auth=auth, connect_timeout_s=0.5).connect()
    [warning] = [each for each in caplog.messages if each.startswith("plain_auth_over_plaintext")]
    assert "redis.invalid" in warning
    assert "s3cret" not in caplog.text


async def test_a_password_that_stays_on_this_machine_or_goes_over_tls_is_not(
    guarded: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await assert_talks(RedisTransport(url=guarded.url, auth=RedisAuth.password(PASSWORD)))
    with pytest.raises(TransportError, match="could not connect"):
        await RedisTransport(url="rediss://:s3cret@redis.invalid:6379/0", connect_timeout_s=0.5).connect()
    assert "plain_auth_over_plaintext" not in caplog.text


async def test_the_configuration_logs_in_with_user_password_and_tls(
    guarded: Broker, encrypted: Broker, certificates: Certificates
) -> None:
    files = {"ca": str(certificates.ca), "cert": str(certificates.client_certificate)}
    tls = {"tls": {**files, "key": str(certificates.client_key)}}
    for options in (guarded.profile(), {**encrypted.profile(), **tls}):
        configured = TransportConfig("bus", "redis", "the test", options=options)
        harness = build_harness(memory_config(), configured)
        await harness.connect()
        assert harness.is_healthy()
        await harness.disconnect()
