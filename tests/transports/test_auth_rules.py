"""Rules every auth descriptor keeps, whatever its broker."""

from __future__ import annotations

import contextlib
import copy
import gc
import logging
import pickle
import types
from collections.abc import Callable
from typing import Any

import pytest

from choreo_bdd.transports import (
    ConflictingAuthError,
    KafkaAuth,
    KafkaTransport,
    MockTransport,
    NatsAuth,
    NatsTransport,
    RabbitAuth,
    RabbitTransport,
    RedisAuth,
    RedisTransport,
    TransportError,
)
from choreo_bdd.transports.kafka.auth import KafkaSaslPlain
from choreo_bdd.transports.shared.credentials import AuthDescriptor, cleared_after

SECRET = "c4n4ry-s3cr3t"
CA = "/nowhere/ca.pem"

DESCRIPTORS: dict[str, Callable[[], AuthDescriptor]] = {
    "nats user_password": lambda: NatsAuth.user_password("ann", SECRET),
    "nats token": lambda: NatsAuth.token(SECRET),
    "nats nkey": lambda: NatsAuth.nkey(SECRET),
    "nats credentials_file": lambda: NatsAuth.credentials_file(f"/nowhere/{SECRET}"),
    "nats tls": lambda: NatsAuth.tls(SECRET.encode()),
    "nats user_password_with_tls": lambda: NatsAuth.user_password_with_tls("ann", SECRET, NatsAuth.tls(CA)),
    "nats token_with_tls": lambda: NatsAuth.token_with_tls(SECRET, NatsAuth.tls(CA)),
    "nats nkey_with_tls": lambda: NatsAuth.nkey_with_tls(SECRET, NatsAuth.tls(CA)),
    "nats credentials_file_with_tls": lambda: NatsAuth.credentials_file_with_tls(SECRET, NatsAuth.tls(CA)),
    "kafka sasl_plain": lambda: KafkaAuth.sasl_plain("ann", SECRET),
    "kafka sasl_scram": lambda: KafkaAuth.sasl_scram("ann", SECRET, "SCRAM-SHA-256"),
    "kafka sasl_oauthbearer": lambda: KafkaAuth.sasl_oauthbearer(lambda: SECRET),
    "kafka ssl": lambda: KafkaAuth.ssl(SECRET.encode()),
    "kafka sasl_ssl": lambda: KafkaAuth.sasl_ssl(sasl=KafkaAuth.sasl_plain("a", SECRET), ssl=KafkaAuth.ssl(CA)),
    "rabbitmq plain": lambda: RabbitAuth.plain("ann", SECRET),
    "rabbitmq plain_amqps": lambda: RabbitAuth.plain_amqps("ann", SECRET, CA),
    "rabbitmq external": lambda: RabbitAuth.external(SECRET, SECRET, CA),
    "rabbitmq amqps": lambda: RabbitAuth.amqps(SECRET.encode()),
    "redis password": lambda: RedisAuth.password(SECRET),
    "redis acl": lambda: RedisAuth.acl("ann", SECRET),
    "redis tls": lambda: RedisAuth.tls(SECRET.encode()),
    "redis acl_tls": lambda: RedisAuth.acl_tls("ann", SECRET, CA),
}
TRANSPORTS: dict[str, Callable[[Any], Any]] = {
    "MockTransport": lambda auth: MockTransport(auth=auth),
    "NatsTransport": lambda auth: NatsTransport(servers=["nats://127.0.0.1:1"], auth=auth),
    "KafkaTransport": lambda auth: KafkaTransport(bootstrap_servers="127.0.0.1:1", auth=auth, connect_timeout_s=0.2),
    "RabbitTransport": lambda auth: RabbitTransport(url="amqp://127.0.0.1:1/", auth=auth),
    "RedisTransport": lambda auth: RedisTransport(url="redis://127.0.0.1:1/0", auth=auth),
}
KNOWN: dict[str, Callable[[], AuthDescriptor]] = {
    "MockTransport": DESCRIPTORS["nats token"],
    "NatsTransport": DESCRIPTORS["nats token"],
    "KafkaTransport": DESCRIPTORS["kafka sasl_plain"],
    "RabbitTransport": DESCRIPTORS["rabbitmq plain"],
    "RedisTransport": DESCRIPTORS["redis password"],
}
REMOTE = [name for name in TRANSPORTS if name != "MockTransport"]


@pytest.fixture(params=DESCRIPTORS)
def make(request: pytest.FixtureRequest) -> Callable[[], AuthDescriptor]:
    return DESCRIPTORS[request.param]


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Name of a transport; nobody listens where it would connect to."""
    name: str = request.param
    return name


async def refusal(name: str, auth: Any) -> TransportError:
    """What a transport says when it cannot take ``auth``."""
    transport = TRANSPORTS[name](auth)
    with pytest.raises(TransportError) as caught:
        await transport.connect()
    await transport.disconnect()
    return caught.value


# --- descriptors ------------------------------------------------------------------------------------------------------


def test_a_descriptor_cannot_be_changed(make: Callable[[], AuthDescriptor]) -> None:
    auth = make()
    field = next(iter(auth._fields))
    with pytest.raises(AttributeError, match="immutable"):
        setattr(auth, field, "other")
    with pytest.raises(AttributeError, match="immutable"):
        delattr(auth, field)
    with pytest.raises(AttributeError, match="immutable"):
        auth.something_new = 1


def test_a_descriptor_equals_itself_only(make: Callable[[], AuthDescriptor]) -> None:
    one, other = make(), make()
    assert one != other
    assert len({one, other}) == 2


def test_a_failing_assertion_shows_no_value(make: Callable[[], AuthDescriptor]) -> None:
    one, other = make(), make()
    with pytest.raises(AssertionError) as caught:
        assert one == other
    assert SECRET not in str(caught.value)


def test_a_descriptor_shows_its_class_only(make: Callable[[], AuthDescriptor]) -> None:
    auth = make()
    assert repr(auth) == f"{type(auth).__name__}(<redacted>)"
    assert str(auth) == f"{auth}" == f"{[auth]}"[1:-1] == repr(auth)


@pytest.mark.parametrize(
    ("write", "word"),
    [(pickle.dumps, "pickling"), (copy.deepcopy, "deepcopy"), (copy.copy, "copy")],
    ids=["pickle", "deepcopy", "copy"],
)
def test_a_descriptor_is_not_written_down_or_copied(
    make: Callable[[], AuthDescriptor], write: Callable[[Any], Any], word: str
) -> None:
    for each in (make(), [make()]):
        if word == "copy" and isinstance(each, list):
            continue  # a shallow copy of a list copies no descriptor
        with pytest.raises(TypeError, match=word) as caught:
            write(each)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("base", [AuthDescriptor, KafkaSaslPlain, NatsAuth], ids=lambda base: base.__name__)
def test_nobody_else_may_subclass(base: type) -> None:
    with pytest.raises(TypeError, match="cannot subclass"):
        types.new_class("Mine", (base,))


def test_not_even_our_own_modules_may_show_a_descriptor() -> None:
    def body(namespace: dict[str, Any]) -> None:
        namespace["__module__"] = "choreo_bdd.transports.nats.auth"
        namespace["__repr__"] = lambda self: "shown"

    with pytest.raises(TypeError, match="__repr__"):
        types.new_class("Shown", (AuthDescriptor,), exec_body=body)


def test_fields_can_be_read_until_they_are_cleared_and_no_others_exist() -> None:
    auth = NatsAuth.user_password("ann", SECRET)
    assert (auth.username, auth.password, auth.consumed) == ("ann", SECRET, False)
    with pytest.raises(AttributeError, match="no 'token'"):
        _ = auth.token
    with cleared_after(auth):
        pass
    assert (auth.username, auth.password, auth.consumed) == (None, None, True)


@pytest.mark.parametrize("wrap", [bytearray, lambda data: memoryview(bytearray(data))], ids=["bytearray", "memoryview"])
def test_clearing_overwrites_bytes_first(wrap: Callable[[bytes], Any]) -> None:
    secret = wrap(SECRET.encode())
    with cleared_after(NatsAuth.nkey(secret)):
        pass
    assert bytes(secret) == bytes(len(SECRET))


def test_clearing_reaches_nested_descriptors() -> None:
    secret = bytearray(SECRET.encode())
    sasl, ssl = KafkaAuth.sasl_plain("ann", secret), KafkaAuth.ssl(CA)
    tls = NatsAuth.tls(CA)
    with cleared_after(KafkaAuth.sasl_ssl(sasl=sasl, ssl=ssl)), cleared_after(NatsAuth.token_with_tls("x", tls)):
        pass
    assert (sasl.consumed, ssl.consumed, tls.consumed) == (True, True, True)
    assert (sasl.password, ssl.ca, tls.ca) == (None, None, None)
    assert secret == bytearray(len(SECRET))


def test_clearing_happens_when_the_login_fails_too() -> None:
    auth = RedisAuth.password(SECRET)
    with pytest.raises(LookupError), cleared_after(auth):
        raise LookupError
    assert auth.password is None


# --- resolving --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REMOTE)
async def test_a_failed_login_clears_the_descriptor_and_keeps_no_reference(name: str) -> None:
    auth = KNOWN[name]()
    made = TRANSPORTS[name](auth)
    with pytest.raises(TransportError, match="could not connect") as caught:
        await made.connect()
    assert auth.consumed
    assert all(value is None for value in auth._fields.values())
    assert caught.value.__cause__ is None
    assert SECRET not in str(caught.value) + repr(made)
    assert not any(found is auth for found in gc.get_referents(made._life._credentials))


async def test_a_descriptor_serves_one_connect_and_the_second_is_told_what_to_do(transport: str) -> None:
    made = TRANSPORTS[transport](KNOWN[transport]())
    with contextlib.suppress(TransportError):  # only the in-memory bus is there to be connected to
        await made.connect()
    await made.disconnect()
    with pytest.raises(TransportError, match=r"already been consumed.*callable"):
        await made.connect()


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_a_resolver_is_called_once_a_connect(transport: str, *, is_async: bool) -> None:
    calls: list[AuthDescriptor] = []

    def resolve() -> AuthDescriptor:
        calls.append(KNOWN[transport]())
        return calls[-1]

    async def resolve_later() -> AuthDescriptor:
        return resolve()

    made = TRANSPORTS[transport](resolve_later if is_async else resolve)
    assert calls == []
    for count in (1, 2):
        with contextlib.suppress(TransportError):  # only the in-memory bus is there to be connected to
            await made.connect()
        await made.disconnect()
        assert len(calls) == count
    assert all(each.consumed for each in calls)


async def test_a_resolver_that_raises_is_told_by_class_alone(transport: str) -> None:
    class Vault:
        class SealedError(Exception):
            pass

    def resolve() -> Any:
        raise Vault.SealedError(SECRET)

    error = await refusal(transport, resolve)
    assert "auth resolver failed" in str(error)
    assert "SealedError" in str(error)
    assert SECRET not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert error.resolver_cause is not None
    assert error.resolver_cause.endswith("Vault_SealedError")
    assert error.resolver_cause.replace("_", "").isalnum()


async def test_an_async_resolver_that_raises_likewise(transport: str) -> None:
    async def resolve() -> Any:
        raise LookupError(SECRET)

    error = await refusal(transport, resolve)
    assert error.resolver_cause == "LookupError"
    assert SECRET not in str(error)


class Poisoned:
    """Whoever turns it into text shows the secret."""

    def __repr__(self) -> str:
        return SECRET

    __str__ = __repr__


@pytest.mark.parametrize(
    "given", [None, SECRET, Poisoned(), AuthDescriptor(password=SECRET)], ids=lambda g: type(g).__name__
)
async def test_what_is_no_known_variant_is_refused_unseen(transport: str, given: Any) -> None:
    error = await refusal(transport, lambda: given)
    assert "not a known variant" in str(error)
    assert transport in str(error)
    assert SECRET not in str(error)


async def test_what_is_neither_descriptor_nor_callable_counts_as_a_failed_resolver(transport: str) -> None:
    error = await refusal(transport, Poisoned())
    assert "auth resolver failed" in str(error)
    assert error.resolver_cause == "TypeError"
    assert SECRET not in str(error)


async def test_a_resolver_that_hands_out_the_same_descriptor_twice_is_refused(transport: str) -> None:
    auth = KNOWN[transport]()
    with cleared_after(auth):
        pass
    assert "already been consumed" in str(await refusal(transport, lambda: auth))


@pytest.mark.parametrize("name", REMOTE)
async def test_a_known_variant_of_another_broker_is_unknown_here(name: str) -> None:
    other = KNOWN["RedisTransport" if name != "RedisTransport" else "KafkaTransport"]()
    error = await refusal(name, other)
    assert "not a known variant" in str(error)
    assert not any(word in str(error) for word in (SECRET, type(other).__name__))


# --- transports -------------------------------------------------------------------------------------------------------


def test_transports_neither_show_nor_pickle_credentials(transport: str) -> None:
    made = TRANSPORTS[transport](KNOWN[transport]())
    assert SECRET not in repr(made) + str(made)
    with pytest.raises(TypeError, match=transport):
        pickle.dumps(made)
    with pytest.raises(TypeError, match=transport):
        copy.deepcopy(made)


@pytest.mark.parametrize(
    "make",
    [
        lambda auth: NatsTransport(servers=["nats://ann:pw@localhost"], auth=auth),
        lambda auth: NatsTransport(servers=["nats://localhost", "nats://localhost?token=pw"], auth=auth),
        lambda auth: KafkaTransport(bootstrap_servers=["ann:pw@localhost:9092"], auth=auth),
        lambda auth: RabbitTransport(url="amqp://ann:pw@localhost/", auth=auth),
        lambda auth: RedisTransport(url="redis://localhost/0?PassWord=pw", auth=auth),
    ],
)
def test_credentials_given_twice_conflict_at_construction(make: Callable[[Any], Any]) -> None:
    with pytest.raises(ConflictingAuthError, match="auth=") as caught:
        make(lambda: None)
    assert isinstance(caught.value, TransportError)
    assert "pw" not in str(caught.value)


async def test_the_memory_bus_warns_once_of_credentials_it_ignores(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    secret = bytearray(SECRET.encode())
    transport = MockTransport(auth=lambda: NatsAuth.user_password("ann", secret))
    await transport.connect()
    await transport.disconnect()
    await transport.connect()
    [record] = [each for each in caplog.records if each.msg == "mock_transport_ignored_auth"]
    assert record.levelno == logging.WARNING
    assert vars(record)["variant"] == "NatsUserPassword"
    assert secret == bytearray(len(SECRET))
    assert SECRET not in str(vars(record))
    assert "ann" not in str(vars(record).get("variant")) + record.getMessage()


async def test_the_memory_bus_clears_before_it_logs(caplog: pytest.LogCaptureFixture) -> None:
    auth = NatsAuth.token(SECRET)
    states: list[bool] = []

    class Watching(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            states.append(auth.consumed)

    handler = Watching()
    logging.getLogger("choreo_bdd.transports.mock").addHandler(handler)
    try:
        await MockTransport(auth=auth).connect()
    finally:
        logging.getLogger("choreo_bdd.transports.mock").removeHandler(handler)
    assert states == [True]


@pytest.mark.parametrize("auth", [DESCRIPTORS[name] for name in DESCRIPTORS if name.startswith("nats")])
async def test_the_memory_bus_takes_every_way_to_log_in_to_nats(auth: Callable[[], AuthDescriptor]) -> None:
    given = auth()
    await MockTransport(auth=given).connect()
    assert given.consumed
