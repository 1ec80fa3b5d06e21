"""Ways to log in to Kafka."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from choreo_bdd.transports.shared.credentials import _ALLOWED_VARIANTS, AuthDescriptor, text_of
from choreo_bdd.transports.shared.tls import CaSource, ssl_context

Secret = str | bytes | bytearray

TokenSource = Callable[[], str | Awaitable[str]]
"""A plain or async callable that gives a token for each connection; aiokafka's token providers will do as well."""

_SCRAM_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")


class KafkaAuth(AuthDescriptor):
    """The ways to log in to Kafka, as constructors of descriptors; each is used by one ``connect``."""

    __slots__ = ()

    @staticmethod
    def sasl_plain(username: str, password: Secret) -> AuthDescriptor:
        """SASL/PLAIN: the password itself goes over the wire."""
        return KafkaSaslPlain(username=username, password=password)

    @staticmethod
    def sasl_scram(username: str, password: Secret, mechanism: str) -> AuthDescriptor:
        """SASL/SCRAM; ``mechanism`` is ``SCRAM-SHA-256`` or ``SCRAM-SHA-512``, else ``ValueError``."""
        if mechanism not in _SCRAM_MECHANISMS:
            raise ValueError(f"there is no SCRAM mechanism {mechanism!r}; there are {', '.join(_SCRAM_MECHANISMS)}")
        return KafkaSaslScram(username=username, password=password, mechanism=mechanism)

    @staticmethod
    def sasl_oauthbearer(token_provider: TokenSource | Any) -> AuthDescriptor:
        """SASL/OAUTHBEARER; the provider is asked at every connection made, so it stays in use after ``connect``."""
        if not callable(token_provider) and not callable(getattr(token_provider, "token", None)):
            raise TypeError("token_provider must be a callable, or an object with a method token(), that gives a token")
        return KafkaSaslOauthBearer(token_provider=token_provider)

    @staticmethod
    def ssl(
        ca: CaSource | None, cert: str | Path | bytes | None = None, key: str | Path | bytes | None = None
    ) -> AuthDescriptor:
        """TLS, with a client certificate if ``cert`` and ``key`` are given; without ``ca`` the system's roots count."""
        return KafkaSsl(ca=ca, cert=cert, key=key)

    @staticmethod
    def sasl_ssl(*, sasl: AuthDescriptor, ssl: AuthDescriptor) -> AuthDescriptor:
        """One of the ``sasl_`` ways over TLS."""
        if not isinstance(sasl, KafkaSaslPlain | KafkaSaslScram | KafkaSaslOauthBearer):
            raise TypeError("sasl must come from one of KafkaAuth.sasl_plain, sasl_scram and sasl_oauthbearer")
        if not isinstance(ssl, KafkaSsl):
            raise TypeError("ssl must come from KafkaAuth.ssl")
        return KafkaSaslSsl(sasl=sasl, ssl=ssl)


class KafkaSaslPlain(AuthDescriptor):
    """User name and password, as they are."""

    __slots__ = ()


class KafkaSaslScram(AuthDescriptor):
    """User name and password, by challenge and response."""

    __slots__ = ()


class KafkaSaslOauthBearer(AuthDescriptor):
    """A bearer token."""

    __slots__ = ()


class KafkaSsl(AuthDescriptor):
    """TLS."""

    __slots__ = ()


class KafkaSaslSsl(AuthDescriptor):
    """SASL over TLS."""

    __slots__ = ()


_ALLOWED_VARIANTS["KafkaTransport"] = frozenset(
    {KafkaSaslPlain, KafkaSaslScram, KafkaSaslOauthBearer, KafkaSsl, KafkaSaslSsl}
)


def client_options(auth: AuthDescriptor) -> dict[str, Any]:
    """Keyword arguments of every aiokafka client for a descriptor."""
    match auth:
        case KafkaSsl():
            return {"security_protocol": "SSL", **_tls_options(auth)}
        case KafkaSaslSsl():
            return {"security_protocol": "SASL_SSL", **_sasl_options(auth.sasl), **_tls_options(auth.ssl)}
        case _:
            return {"security_protocol": "SASL_PLAINTEXT", **_sasl_options(auth)}


def is_sent_in_clear(auth: AuthDescriptor) -> bool:
    """Whether the secret itself crosses the network unencrypted."""
    return isinstance(auth, KafkaSaslPlain | KafkaSaslOauthBearer)


def _sasl_options(auth: AuthDescriptor) -> dict[str, Any]:
    if isinstance(auth, KafkaSaslOauthBearer):
        return {
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauth_token_provider": _token_provider(auth.token_provider),
        }
    return {
        "sasl_mechanism": auth.mechanism if isinstance(auth, KafkaSaslScram) else "PLAIN",
        "sasl_plain_username": auth.username,
        "sasl_plain_password": text_of(auth.password),
    }


def _tls_options(auth: AuthDescriptor) -> dict[str, Any]:
    return {"ssl_context": ssl_context(auth.ca, auth.cert, auth.key)}


def _token_provider(source: Any) -> Any:
    """The source as the class that aiokafka insists on."""
    from aiokafka.abc import AbstractTokenProvider  # noqa: PLC0415 - the client is loaded when it is first needed

    if isinstance(source, AbstractTokenProvider):
        return source
    ask = source if callable(source) else source.token

    class Provider(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types for mypy
        async def token(self) -> str:
            token: Any = ask()
            return str(await token if inspect.isawaitable(token) else token)

    return Provider()
