"""Credentials: given once, used once, cleared, and never shown."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from choreo_bdd.exceptions import TransportError
from choreo_bdd.redaction import declare_secrets, safe_url
from choreo_bdd.transports.shared.loopback import is_loopback

_LOG = logging.getLogger("choreo_bdd.transports")

_CREDENTIAL_KEY_NAMES = frozenset(
    {"password", "token", "secret", "key", "auth", "credential", "credentials", "username", "user"}
)
_SECRET_FIELDS = frozenset({"password", "token", "seed"})
_ALLOWED_VARIANTS: dict[str, frozenset[type]] = {}
"""Exact classes of descriptor each transport accepts; filled by the ``*_auth`` modules of this package."""

_OWN_MODULE = re.compile(r"choreo_bdd\.transports\.(shared\.credentials|[a-z]+\.auth)")
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.]")


class AuthDescriptor:
    """What a transport logs in with. Immutable, equal to itself only, and good for one ``connect``."""

    __slots__ = ("_consumed", "_fields")

    _fields: dict[str, Any]
    _consumed: bool

    def __init_subclass__(cls) -> None:
        if not _OWN_MODULE.fullmatch(cls.__module__):
            raise TypeError(f"{cls.__name__} cannot subclass an auth descriptor: the variants are fixed")
        if "__repr__" in cls.__dict__:
            raise TypeError(f"{cls.__name__} must not define __repr__: descriptors are never shown")

    def __init__(self, **fields: Any) -> None:
        declare_secrets(values=_secrets_among(fields))
        object.__setattr__(self, "_fields", fields)
        object.__setattr__(self, "_consumed", False)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._fields:
            raise AttributeError(f"{type(self).__name__} has no {name!r}")
        return self._fields[name]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(<redacted>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("pickling an auth descriptor is refused: it would write credentials down")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("deepcopy of an auth descriptor is refused: there must be one copy to clear")

    def __copy__(self) -> NoReturn:
        raise TypeError("copy of an auth descriptor is refused: there must be one copy to clear")

    @property
    def consumed(self) -> bool:
        """Whether it has been used up."""
        return self._consumed


def _secrets_among(fields: dict[str, Any]) -> Iterator[str]:
    """The passwords, tokens and seeds; a certificate's key is shown nowhere, and may be a path."""
    for name in _SECRET_FIELDS & fields.keys():
        match fields[name]:
            case str() as text:
                yield text
            case bytes() | bytearray() as secret:
                yield secret.decode("utf-8", "replace")


AuthSource = AuthDescriptor | Callable[[], Any]
"""A descriptor, or a plain or async callable without arguments that makes one for each login."""


def clear(descriptor: AuthDescriptor) -> None:
    """Wipe every field, nested descriptors included, and mark it used up."""
    for name, value in descriptor._fields.items():
        if isinstance(value, AuthDescriptor):
            clear(value)
        elif isinstance(value, bytearray):
            value[:] = bytes(len(value))
        elif isinstance(value, memoryview) and not value.readonly:
            value.cast("B")[:] = bytes(value.nbytes)
        descriptor._fields[name] = None
    object.__setattr__(descriptor, "_consumed", True)


class Credentials:
    """A transport's side of ``auth=``: resolves it once a login and never keeps what it resolved."""

    def __init__(self, transport: str, auth: AuthSource | None) -> None:
        self._transport = transport
        self._source = auth
        self._spent = False

    @property
    def given(self) -> bool:
        """Whether ``auth=`` was given at all."""
        return self._source is not None or self._spent

    async def resolve(self) -> AuthDescriptor | None:
        """The descriptor for one login; the caller clears it.

        Raises ``TransportError`` that names no secret: for a resolver that fails, for what is no known variant, for
        one used before, and for a second login with a literal descriptor, which has been cleared by then.
        """
        if self._spent:
            raise TransportError(
                f"the credentials of this {self._transport} have already been consumed by an earlier connect(); "
                f"construct a fresh one, or pass a callable as auth= that makes new credentials for each login"
            )
        if self._source is None:
            return None
        if isinstance(self._source, AuthDescriptor):
            self._spent = True
            found: Any = self._source
            self._source = None
        else:
            found = await self._called()
        return self._checked(found)

    async def _called(self) -> Any:
        try:
            found = self._source()  # type: ignore[misc, operator] # anything may have been passed; it fails here
            return await found if inspect.iscoroutine(found) else found
        except Exception as error:  # noqa: BLE001 - its text may hold the secret; only the class is told
            cause = type(error).__qualname__
        failure = TransportError(f"auth resolver failed ({_NOT_A_NAME.sub('_', cause)})")
        failure.resolver_cause = _NOT_A_NAME.sub("_", cause).replace(".", "_")
        raise failure from None

    def _checked(self, found: Any) -> AuthDescriptor:
        allowed = _ALLOWED_VARIANTS.get(self._transport, frozenset())
        if type(found) not in allowed:
            raise TransportError(
                f"what auth= gave to {self._transport} is not a known variant; "
                f"use one of {', '.join(sorted(each.__name__ for each in allowed)) or 'none: it takes no auth'}"
            )
        descriptor: AuthDescriptor = found
        if descriptor.consumed:
            raise TransportError("this auth descriptor has already been consumed: make a new one for each connect()")
        return descriptor


@contextmanager
def cleared_after(descriptor: AuthDescriptor | None) -> Iterator[None]:
    """Clear a descriptor when the block ends, however it ends."""
    try:
        yield
    finally:
        if descriptor is not None:
            clear(descriptor)


def carries_credentials(url: str) -> bool:
    """Whether a URL has user information or a credential among its query keys."""
    try:
        parts = urlsplit(url)
        keys = {key.lower() for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
        return parts.username is not None or parts.password is not None or bool(keys & _CREDENTIAL_KEY_NAMES)
    except ValueError:
        return "@" in url


def without_credentials(url: str) -> str:
    """A URL without user information and credential query values, to hold against an allowlist."""
    try:
        parts = urlsplit(url)
        query = urlencode([pair for pair in parse_qsl(parts.query) if pair[0].lower() not in _CREDENTIAL_KEY_NAMES])
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query))
    except ValueError:
        return safe_url(url)


def warn_of_plaintext(transport: str, address: str) -> None:
    """Log that credentials go unencrypted to ``address``, unless that is this machine."""
    if not is_loopback(address):
        _LOG.warning("plain_auth_over_plaintext: %s logs in to %s without TLS", transport, safe_url(address))


def text_of(secret: str | bytes | bytearray | memoryview) -> str:
    """A secret as text; bytes are decoded, never shown as ``b'…'``."""
    return secret if isinstance(secret, str) else bytes(secret).decode("utf-8")


def path_of(path: str | Path) -> Path:
    """A path given as text or ``Path``."""
    return path if isinstance(path, Path) else Path(path)
