"""Ways to log in to RabbitMQ."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from choreo_bdd.exceptions import TransportError
from choreo_bdd.redaction import safe_url
from choreo_bdd.transports.shared.credentials import _ALLOWED_VARIANTS, AuthDescriptor, text_of
from choreo_bdd.transports.shared.tls import CaSource, ssl_context

Secret = str | bytes | bytearray


class RabbitAuth(AuthDescriptor):
    """The ways to log in to RabbitMQ, as constructors of descriptors; each is used by one ``connect``.

    Those with TLS need an ``amqps://`` URL.
    """

    __slots__ = ()

    @staticmethod
    def plain(username: str, password: Secret) -> AuthDescriptor:
        """User name and password; over TLS with the system's roots where the URL is ``amqps://``."""
        return RabbitPlain(username=username, password=password, tls=None)

    @staticmethod
    def plain_amqps(
        username: str,
        password: Secret,
        ca: CaSource,
        cert: str | Path | bytes | None = None,
        key: str | Path | bytes | None = None,
    ) -> AuthDescriptor:
        """User name and password over TLS."""
        return RabbitPlain(username=username, password=password, tls=RabbitTls(ca=ca, cert=cert, key=key))

    @staticmethod
    def external(cert: str | Path | bytes | None, key: str | Path | bytes | None, ca: CaSource) -> AuthDescriptor:
        """The client certificate is the login (SASL EXTERNAL, RabbitMQ's plugin ``rabbitmq_auth_mechanism_ssl``)."""
        return RabbitExternal(tls=RabbitTls(ca=ca, cert=cert, key=key))

    @staticmethod
    def amqps(
        ca: CaSource | None = None, cert: str | Path | bytes | None = None, key: str | Path | bytes | None = None
    ) -> AuthDescriptor:
        """TLS that trusts ``ca`` (else the system's roots); the login is that of the user ``guest``.

        ``cert`` and ``key`` are a client certificate to show.
        """
        return RabbitTls(ca=ca, cert=cert, key=key)


class RabbitPlain(AuthDescriptor):
    """User name and password."""

    __slots__ = ()


class RabbitExternal(AuthDescriptor):
    """A client certificate."""

    __slots__ = ()


class RabbitTls(AuthDescriptor):
    """TLS."""

    __slots__ = ()


_ALLOWED_VARIANTS["RabbitTransport"] = frozenset({RabbitPlain, RabbitExternal, RabbitTls})


def login(url: str, auth: AuthDescriptor) -> tuple[str, ssl.SSLContext | None]:
    """The URL to log in with, and the TLS settings; ``TransportError`` for TLS settings without an amqps URL."""
    tls = auth if isinstance(auth, RabbitTls) else auth.tls
    context = None
    if tls is not None:
        if urlsplit(url).scheme != "amqps":
            raise TransportError(f"this way to log in needs TLS, that is an amqps:// URL; this one is {safe_url(url)}")
        context = ssl_context(tls.ca, tls.cert, tls.key)
    match auth:
        case RabbitPlain():
            url = _with_user(url, auth.username, text_of(auth.password))
        case RabbitExternal():
            url = f"{url}{'&' if urlsplit(url).query else '?'}auth=external"
    return url, context


def split_user(url: str) -> tuple[str, str | None, str | None]:
    """A URL without its user information, and the user name and password it had."""
    parts = urlsplit(url)
    user, password = (None if each is None else unquote(each) for each in (parts.username, parts.password))
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), user, password


def _with_user(url: str, username: str, password: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{quote(username, safe='')}:{quote(password, safe='')}@{parts.netloc}").geturl()
