"""Ways to log in to Redis and Valkey."""

from __future__ import annotations

import ssl
from pathlib import Path

from choreo_bdd.transports.shared.credentials import _ALLOWED_VARIANTS, AuthDescriptor, text_of
from choreo_bdd.transports.shared.tls import CaSource, ssl_context

Secret = str | bytes | bytearray


class RedisAuth(AuthDescriptor):
    """The ways to log in to Redis, as constructors of descriptors; each is used by one ``connect``.

    Those with TLS speak it whatever the URL's scheme.
    """

    __slots__ = ()

    @staticmethod
    def password(password: Secret) -> AuthDescriptor:
        """The password of the default user (``requirepass``)."""
        return RedisPassword(password=password)

    @staticmethod
    def acl(username: str, password: Secret) -> AuthDescriptor:
        """User name and password of an ACL user."""
        return RedisAcl(username=username, password=password)

    @staticmethod
    def tls(
        ca: CaSource, cert: str | Path | bytes | None = None, key: str | Path | bytes | None = None
    ) -> AuthDescriptor:
        """TLS, with a client certificate if ``cert`` and ``key`` are given."""
        return RedisTls(ca=ca, cert=cert, key=key)

    @staticmethod
    def acl_tls(
        username: str,
        password: Secret,
        ca: CaSource,
        cert: str | Path | bytes | None = None,
        key: str | Path | bytes | None = None,
    ) -> AuthDescriptor:
        """User name and password of an ACL user, over TLS."""
        return RedisAcl(username=username, password=password, tls=RedisTls(ca=ca, cert=cert, key=key))


class RedisPassword(AuthDescriptor):
    """Password of the default user."""

    __slots__ = ()


class RedisAcl(AuthDescriptor):
    """User name and password."""

    __slots__ = ()


class RedisTls(AuthDescriptor):
    """TLS."""

    __slots__ = ()


_ALLOWED_VARIANTS["RedisTransport"] = frozenset({RedisPassword, RedisAcl, RedisTls})


def login_of(auth: AuthDescriptor | None) -> dict[str, str]:
    """``username`` and ``password`` of a descriptor, where it has them."""
    match auth:
        case RedisPassword():
            return {"password": text_of(auth.password)}
        case RedisAcl():
            return {"username": auth.username, "password": text_of(auth.password)}
    return {}


def context_of(auth: AuthDescriptor | None) -> ssl.SSLContext | None:
    """The TLS settings of a descriptor, where it has some. Raises ``TransportError`` for what cannot be loaded."""
    tls = auth._fields.get("tls") if isinstance(auth, RedisAcl) else auth
    return ssl_context(tls.ca, tls.cert, tls.key) if isinstance(tls, RedisTls) else None
