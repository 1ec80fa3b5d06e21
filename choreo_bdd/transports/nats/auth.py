"""Ways to log in to NATS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from choreo_bdd.transports.shared.credentials import _ALLOWED_VARIANTS, AuthDescriptor, path_of, text_of
from choreo_bdd.transports.shared.tls import CaSource, ssl_context

Secret = str | bytes | bytearray


class NatsAuth(AuthDescriptor):
    """The ways to log in to NATS, as constructors of descriptors; each is used by one ``connect``."""

    __slots__ = ()

    @staticmethod
    def user_password(username: str, password: Secret) -> AuthDescriptor:
        """User name and password."""
        return NatsUserPassword(username=username, password=password)

    @staticmethod
    def token(token: Secret) -> AuthDescriptor:
        """A token."""
        return NatsToken(token=token)

    @staticmethod
    def nkey(seed: Secret) -> AuthDescriptor:
        """An nkey seed, as text or bytes."""
        return NatsNkey(seed=seed)

    @staticmethod
    def credentials_file(path: str | Path) -> AuthDescriptor:
        """A credentials file with user JWT and seed."""
        return NatsCredentialsFile(path=path_of(path))

    @staticmethod
    def tls(
        ca: CaSource,
        cert: str | Path | bytes | None = None,
        key: str | Path | bytes | None = None,
        hostname: str | None = None,
    ) -> AuthDescriptor:
        """TLS, with a client certificate if ``cert`` and ``key`` are given."""
        return NatsTls(ca=ca, cert=cert, key=key, hostname=hostname)

    @staticmethod
    def user_password_with_tls(username: str, password: Secret, tls: AuthDescriptor) -> AuthDescriptor:
        """User name and password over TLS."""
        return NatsUserPassword(username=username, password=password, tls=tls)

    @staticmethod
    def token_with_tls(token: Secret, tls: AuthDescriptor) -> AuthDescriptor:
        """A token over TLS."""
        return NatsToken(token=token, tls=tls)

    @staticmethod
    def nkey_with_tls(seed: Secret, tls: AuthDescriptor) -> AuthDescriptor:
        """An nkey seed over TLS."""
        return NatsNkey(seed=seed, tls=tls)

    @staticmethod
    def credentials_file_with_tls(path: str | Path, tls: AuthDescriptor) -> AuthDescriptor:
        """A credentials file over TLS."""
        return NatsCredentialsFile(path=path_of(path), tls=tls)


class NatsUserPassword(AuthDescriptor):
    """User name and password."""

    __slots__ = ()


class NatsToken(AuthDescriptor):
    """A token."""

    __slots__ = ()


class NatsNkey(AuthDescriptor):
    """An nkey seed."""

    __slots__ = ()


class NatsCredentialsFile(AuthDescriptor):
    """A credentials file."""

    __slots__ = ()


class NatsTls(AuthDescriptor):
    """TLS."""

    __slots__ = ()


_VARIANTS = frozenset({NatsUserPassword, NatsToken, NatsNkey, NatsCredentialsFile, NatsTls})
_ALLOWED_VARIANTS["NatsTransport"] = _VARIANTS
_ALLOWED_VARIANTS["MockTransport"] = _VARIANTS


def is_sent_in_clear(auth: AuthDescriptor) -> bool:
    """Whether the secret itself crosses the network, and unencrypted unless the server's address says ``tls``."""
    return isinstance(auth, NatsUserPassword | NatsToken) and auth._fields.get("tls") is None


def client_options(auth: AuthDescriptor) -> dict[str, Any]:
    """Keyword arguments of the client's ``connect`` for a descriptor."""
    options: dict[str, Any] = {}
    match auth:
        case NatsUserPassword():
            options = {"user": auth.username, "password": text_of(auth.password)}
        case NatsToken():
            options = {"token": text_of(auth.token)}
        case NatsNkey():
            options = {"nkeys_seed_str": text_of(auth.seed)}
        case NatsCredentialsFile():
            options = {"user_credentials": str(auth.path)}
    tls = auth if isinstance(auth, NatsTls) else auth._fields.get("tls")
    if tls is not None:
        options["tls"] = ssl_context(tls.ca, tls.cert, tls.key)
        if tls.hostname is not None:
            options["tls_hostname"] = tls.hostname
    return options
