"""Logging in to NATS: every way works, none is shown, none outlives its use."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nkeys  # type: ignore[import-untyped]  # it ships no types
import pytest
from msgspec import structs

from choreo_bdd import Harness
from choreo_bdd.brokers import Broker, TlsFiles
from choreo_bdd.correlation import DictFieldPolicy
from choreo_bdd.environment import HostNotInAllowlist
from choreo_bdd.transports import NatsAuth, NatsTransport, TransportError
from choreo_bdd_project.config import ConfigError, TransportConfig, memory_config
from choreo_bdd_project.harnesses import build_harness
from tests.support.brokers import start_or_skip
from tests.support.certificates import Certificates, make_certificates

pytestmark = pytest.mark.broker

USER, PASSWORD = "ann", 'p4ss w\\o"rd$'


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def guarded() -> Iterator[Broker]:
    """A server that asks for user and password."""
    with start_or_skip("nats", user=USER, password=PASSWORD) as broker:
        yield broker


@pytest.fixture(scope="module")
def seed() -> str:
    """The secret of an nkey user."""
    raw = nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER)
    return bytes(raw).decode()


@pytest.fixture(scope="module")
def keyed(seed: str) -> Iterator[Broker]:
    """A server that knows one nkey user."""
    public = nkeys.from_seed(bytearray(seed.encode())).public_key.decode()
    with start_or_skip("nats", config=f"authorization {{ users = [ {{ nkey: {public} }} ] }}") as broker:
        yield broker


@pytest.fixture(scope="module")
def encrypted(certificates: Certificates) -> Iterator[Broker]:
    """A server that speaks TLS, wants a client certificate, and a token besides."""
    tls = TlsFiles(
        certificate=certificates.server_certificate,
        key=certificates.server_key,
        ca=certificates.ca,
        require_client_certificate=True,
    )
    with start_or_skip("nats", token="t0ken", tls=tls) as broker:
        yield broker


def over_tls(certificates: Certificates) -> Any:
    return NatsAuth.tls(certificates.ca, certificates.client_certificate, certificates.client_key)


async def assert_talks(broker: Broker, auth: Any) -> None:
    transport = NatsTransport(servers=[broker.url], auth=auth)
    await transport.connect()
    await transport.publish("t", b"x")
    await transport.disconnect()


@pytest.mark.parametrize(
    "secret", [PASSWORD, PASSWORD.encode(), bytearray(PASSWORD.encode())], ids=lambda s: type(s).__name__
)
async def test_user_and_password_open_the_door(guarded: Broker, secret: Any) -> None:
    await assert_talks(guarded, NatsAuth.user_password(USER, secret))


@pytest.mark.parametrize(
    "convert", [str, str.encode, lambda s: bytearray(s.encode())], ids=["str", "bytes", "bytearray"]
)
async def test_an_nkey_opens_the_door_in_every_form(keyed: Broker, seed: str, convert: Callable[[str], Any]) -> None:
    await assert_talks(keyed, NatsAuth.nkey(convert(seed)))


async def test_a_token_over_tls_opens_the_door(encrypted: Broker, certificates: Certificates) -> None:
    await assert_talks(encrypted, NatsAuth.token_with_tls("t0ken", over_tls(certificates)))


async def test_a_token_opens_the_door() -> None:
    with start_or_skip("nats", token="t0ken") as broker:
        await assert_talks(broker, NatsAuth.token("t0ken"))


async def test_a_credentials_file_is_read_by_the_client(guarded: Broker, tmp_path: Path) -> None:
    missing = NatsAuth.credentials_file(tmp_path / "missing.creds")
    with pytest.raises(TransportError, match="could not connect"):
        await NatsTransport(servers=[guarded.url], auth=missing).connect()
    assert missing.consumed


async def test_a_server_of_an_unknown_authority_is_not_talked_to(encrypted: Broker, tmp_path: Path) -> None:
    auth = NatsAuth.token_with_tls("t0ken", NatsAuth.tls(make_certificates(tmp_path).ca))
    with pytest.raises(TransportError, match=r"could not connect.*certificate verify failed.*`tls: \{ca: "):
        await NatsTransport(servers=[encrypted.url], auth=auth).connect()


async def test_tls_material_that_cannot_be_loaded_is_told_and_the_descriptor_cleared(encrypted: Broker) -> None:
    tls = NatsAuth.tls("/nowhere/ca.pem")
    auth = NatsAuth.token_with_tls("t0ken", tls)
    with pytest.raises(TransportError, match="TLS material could not be loaded: FileNotFoundError"):
        await NatsTransport(servers=[encrypted.url], auth=auth).connect()
    assert auth.consumed
    assert tls.consumed


@pytest.mark.parametrize(
    "auth",
    [
        lambda: NatsAuth.user_password(USER, "wr0ng-s3cret"),
        lambda: NatsAuth.token("wr0ng-s3cret"),
        lambda: NatsAuth.nkey("wr0ng-s3cret"),
        lambda: None,
    ],
    ids=["password", "token", "no seed at all", "nothing"],
)
async def test_a_wrong_login_is_a_failure_to_connect_that_shows_nothing(
    guarded: Broker, auth: Callable[[], Any]
) -> None:
    given = auth()
    transport = NatsTransport(servers=[guarded.url], auth=given)
    with pytest.raises(TransportError, match="could not connect") as caught:
        await transport.connect()
    assert guarded.url in str(caught.value)
    assert "s3cret" not in str(caught.value) + repr(transport)
    assert "'Authorization Violation'" in str(caught.value) or given is not None
    assert given is None or caught.value.__cause__ is None


async def test_a_literal_serves_one_connect_and_the_second_never_goes_out_without_credentials() -> None:
    with start_or_skip("nats") as open_broker:  # would let anybody in: exactly what must not happen unseen
        auth = NatsAuth.user_password(USER, PASSWORD)
        transport = NatsTransport(servers=[open_broker.url], auth=auth)
        await transport.connect()
        assert auth.consumed
        await transport.disconnect()
        with pytest.raises(TransportError, match=r"already been consumed.*callable"):
            await transport.connect()


async def test_a_resolver_is_asked_again_when_a_lost_connection_heals() -> None:
    calls: list[int] = []

    async def resolve() -> Any:
        calls.append(len(calls))
        return NatsAuth.user_password(USER, PASSWORD)

    with start_or_skip("nats", user=USER, password=PASSWORD) as broker:
        transport = NatsTransport(servers=[broker.url], auth=resolve)
        harness = Harness(transport, correlation=DictFieldPolicy())
        await harness.connect()
        lost = asyncio.Event()
        transport.on_lost(lambda reason: lost.set())
        broker.restart()
        await asyncio.wait_for(lost.wait(), 5)
        await harness.heal()
        assert harness.is_healthy()
        assert calls == [0, 1]
        await harness.disconnect()


async def test_a_login_in_the_url_works_is_not_shown_and_the_allowlist_needs_no_password(
    guarded: Broker, tmp_path: Path
) -> None:
    listed = tmp_path / "allowlist.yaml"
    listed.write_text(f"nats_servers: [{guarded.url!r}]\n", encoding="utf-8")
    url = guarded.url.replace("//", f"//{USER}:s3cret@")
    transport = NatsTransport(servers=[url], allowlist_path=listed)
    with pytest.raises(TransportError, match="could not connect") as caught:
        await transport.connect()
    assert caught.value.__cause__ is None
    assert "s3cret" not in str(caught.value) + repr(transport)
    listed.write_text("nats_servers: [nats://elsewhere:4222]\n", encoding="utf-8")
    with pytest.raises(HostNotInAllowlist) as refused:
        await transport.connect()
    assert "s3cret" not in str(refused.value)


async def test_a_secret_in_clear_to_another_machine_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    for url, auth in (
        ("nats://nats.invalid:4222", NatsAuth.token("s3cret")),
        ("nats://ann:s3cret@nats.invalid:4222", None),
    ):
        with pytest.raises(TransportError, match="could not connect"):
            await NatsTransport(servers=[url], auth=auth, connect_timeout_s=0.5).connect()
    warned = [each for each in caplog.messages if each.startswith("plain_auth_over_plaintext")]
    assert len(warned) == 2
    assert all("nats.invalid" in each for each in warned)
    assert "s3cret" not in caplog.text


async def test_a_secret_that_stays_on_this_machine_or_is_never_sent_is_not(
    guarded: Broker, keyed: Broker, seed: str, caplog: pytest.LogCaptureFixture
) -> None:
    await assert_talks(guarded, NatsAuth.user_password(USER, PASSWORD))
    await assert_talks(keyed, NatsAuth.nkey(seed))
    for url, auth in (
        ("tls://nats.invalid:4222", NatsAuth.token("s3cret")),
        ("nats://nats.invalid:4222", NatsAuth.nkey(seed)),
    ):
        with pytest.raises(TransportError, match="could not connect"):
            await NatsTransport(servers=[url], auth=auth, connect_timeout_s=0.5).connect()
    assert "plain_auth_over_plaintext" not in caplog.text


# --- from the configuration -------------------------------------------------------------------------------------------


def configured(options: dict[str, Any], folder: Path = Path()) -> Harness:
    config = structs.replace(memory_config(), source=folder / "choreo.yaml")
    return build_harness(config, TransportConfig("bus", "nats", "the test", options=options))


async def assert_connects(harness: Harness) -> None:
    await harness.connect()
    assert harness.is_healthy()
    await harness.disconnect()


async def test_the_user_of_a_profile_is_used(guarded: Broker) -> None:
    await assert_connects(configured({"servers": [guarded.url], "auth": {"user": USER, "password": PASSWORD}}))
    with pytest.raises(TransportError, match="could not connect"):
        await configured({"servers": [guarded.url], "auth": {"user": USER, "password": "wr0ng"}}).connect()


async def test_the_nkey_of_a_profile_is_used_from_its_file_too(keyed: Broker, seed: str, tmp_path: Path) -> None:
    (tmp_path / "seed.nk").write_text(f"{seed}\n", encoding="utf-8")
    await assert_connects(configured({"servers": [keyed.url], "auth": {"nkey_seed": seed}}))
    await assert_connects(configured({"servers": [keyed.url], "auth": {"nkey_file": "seed.nk"}}, tmp_path))


async def test_the_tls_settings_of_a_profile_are_used(encrypted: Broker, certificates: Certificates) -> None:
    tls = {
        "ca": str(certificates.ca),
        "cert": str(certificates.client_certificate),
        "key": str(certificates.client_key),
    }
    await assert_connects(configured({"servers": [encrypted.url], "auth": {"token": "t0ken"}, "tls": tls}))
    with_user = encrypted.url.replace("//", "//t0ken@")
    await assert_connects(configured({"servers": [with_user], "tls": tls}))
    with pytest.raises(TransportError, match="could not connect"):
        await configured({"servers": [encrypted.url], "auth": {"token": "t0ken"}}).connect()


@pytest.mark.parametrize("auth", [{"user": "ann"}, {"user": "ann", "token": "t"}, {"nkey_seed": "a", "nkey_file": "b"}])
def test_half_a_login_or_two_are_an_error_that_names_its_place(auth: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="the test: the auth of a nats transport is one of: user and password; token"):
        configured({"servers": ["nats://localhost"], "auth": auth})
