"""What every transport over a broker does around its connection: make it, lose it, end it, and book what runs on it."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from socket import gaierror
from typing import Generic, Protocol, TypeVar

from choreo_bdd.environment import load_allowlist
from choreo_bdd.exceptions import ConflictingAuthError, HostNotInAllowlist, TransportError
from choreo_bdd.message import NO_HEADERS
from choreo_bdd.redaction import declare_secrets, safe_url, secrets_in_urls
from choreo_bdd.shared.causes import causes_of
from choreo_bdd.transports.base import OnLost, OnSent, Ready, TransportCallback
from choreo_bdd.transports.shared.credentials import (
    AuthDescriptor,
    AuthSource,
    Credentials,
    carries_credentials,
    cleared_after,
    warn_of_plaintext,
    without_credentials,
)
from choreo_bdd.transports.shared.fences import fence
from choreo_bdd.transports.shared.outbound import Outbound, Outgoing
from choreo_bdd.transports.shared.subscriptions import Registration, Subscriptions

HANGS = "the server has not answered for some seconds: it hangs, or the way to it is dead"
"""Why a connection is lost whose client notices by itself that no answer comes."""


class Connection(Protocol):
    """A live connection to a broker: what each folder's ``connection.py`` makes."""

    @property
    def outbound(self) -> Outbound:
        """The way out."""
        ...

    def arm(self, registration: Registration) -> None:
        """Have the broker serve a subscription; it is told when it is live, or why it is not."""
        ...

    def disarm(self, registration: Registration) -> None:
        """Have the broker serve it no more."""
        ...

    async def fence(self, registrations: Sequence[Registration]) -> None:
        """Return once all the broker had for these has been delivered; raises why that is not known."""
        ...

    async def close(self) -> None:
        """Send what is queued, and end the connection and every task of it."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of broker, as messages and allowlists name it."""

    transport: str
    server: str
    """What stands at an address, such as ``NATS server``."""
    client: str
    """The client's package, which the ``extra`` brings."""
    extra: str
    allowlist: str
    question: str
    """What to look after when there is no connection."""


C = TypeVar("C", bound=Connection)


def _told(kind: Kind, error: Exception, reason_of: Callable[[Exception], str]) -> str:
    """Why there is no connection, and what to look after: where none was made at all, no login can be at fault."""
    for each in causes_of(error):
        if isinstance(each, gaierror):
            return "no host of that name is known here. Is it written right?"
        if isinstance(each, ssl.SSLCertVerificationError):
            return (
                f"{reason_of(error)}. The certificate there does not prove that it is the server "
                f"({each.verify_message.rstrip('.')}): it must be valid today, for the host that is named here, and of "
                f"the authority named with `tls: {{ca: …}}`"
            )
        # an OSError by itself: unreachable, or each of a host's addresses refuses
        if isinstance(each, ConnectionRefusedError) or type(each) is OSError:
            return f"{reason_of(error)}. Is a {kind.server} running there?"
        if isinstance(each, ConnectionResetError):
            return (
                f"{reason_of(error)}. The other side took the connection and closed it: is it a {kind.server}, does it "
                f"want TLS, has it as many clients as it takes, and are the credentials right?"
            )
    return f"{reason_of(error)}. {kind.question}"


class Lifecycle(Generic[C]):
    """One transport's connection and what is subscribed over it.

    ``addresses`` are held against the allowlist, each as ``normalise`` writes it.
    """

    def __init__(
        self,
        kind: Kind,
        addresses: Sequence[str],
        *,
        auth: AuthSource | None,
        patience_s: float,
        normalise: Callable[[str], str] = without_credentials,
        show: Callable[[str], str] = safe_url,
    ) -> None:
        if not isinstance(patience_s, int | float) or not patience_s > 0:
            raise ValueError(f"connect_timeout_s is a number of seconds above 0, not {patience_s!r}")
        self._kind = kind
        self._addresses = addresses
        self._patience_s = patience_s
        self._normalise = normalise
        self._show = show
        self._carry_credentials = any(map(carries_credentials, addresses))
        declare_secrets(values=chain.from_iterable(map(secrets_in_urls, addresses)))
        if auth is not None and self._carry_credentials:
            raise ConflictingAuthError(
                f"{kind.transport} got credentials both in a server's URL and through auth=; give one"
            )
        self._credentials = Credentials(kind.transport, auth)
        self.subscriptions = Subscriptions(kind.transport)
        self.connection: C | None = None
        self.lost: str | None = None
        self._listeners: list[OnLost] = []

    # --- connecting -----------------------------------------------------------------------------------------------

    async def connect(
        self,
        log_in: Callable[[AuthDescriptor | None], Awaitable[C]],
        *,
        load: Callable[[], object],
        reason_of: Callable[[Exception], str],
        allowlist_path: str | Path | None,
    ) -> None:
        """Ask the allowlist, ``load`` the client and ``log_in``, which bounds its own time and leaves nothing open.

        ``TransportError`` when that fails: ``reason_of`` words what the client raises. The credentials are resolved
        for this login and cleared whatever comes of it.
        """
        kind = self._kind
        if allowlist_path is not None:
            load_allowlist(allowlist_path).enforce(
                kind.allowlist, self._addresses, label=kind.server, normalise=self._normalise
            )
        try:
            load()
        except ImportError as error:
            if find_spec((error.name or "").partition(".")[0] or __name__) is not None:  # it is there, and is another
                raise TransportError(
                    f"{kind.transport} does not know the installed version of {kind.client} ({error}): "
                    f"pip install --upgrade 'choreo-bdd[{kind.extra}]' gets one that fits"
                ) from error
            raise TransportError(
                f"{kind.transport} needs the {kind.client} client, the extra choreo_bdd[{kind.extra}]: "
                f"pip install 'choreo-bdd[{kind.extra}]'"
            ) from error
        await self.disconnect()  # what is left of a connection that was lost
        self.lost = None
        try:
            descriptor = await self._credentials.resolve()
            with cleared_after(descriptor):
                self.connection = await log_in(descriptor)
        except (TransportError, HostNotInAllowlist):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, there is no connection
            late = isinstance(error, TimeoutError)
            no_answer = f"no answer within {self._patience_s:g} s. {kind.question}"
            told = no_answer if late else _told(kind, error, reason_of)
            has_secrets = self.has_login or self._carry_credentials
            raise TransportError(f"{kind.transport} could not connect to {self.shown}: {told}") from (
                None if has_secrets else error
            )

    @property
    def has_login(self) -> bool:
        """Whether ``auth=`` was given at all."""
        return self._credentials.given

    @property
    def shown(self) -> str:
        """The addresses, without credentials."""
        return ", ".join(map(self._show, self._addresses))

    def warn_of_plaintext(self, *, is_sent_in_clear: bool, encrypted: tuple[str, ...] = ()) -> None:
        """Log to which addresses a login goes unencrypted; those of an ``encrypted`` scheme are none of them."""
        for address in self._addresses:
            if (is_sent_in_clear or carries_credentials(address)) and not address.startswith(encrypted or ("\0",)):
                warn_of_plaintext(self._kind.transport, address)

    async def disconnect(self) -> None:
        """End the connection; registrations end with it. Harmless when called again."""
        connection, self.connection = self.connection, None
        if connection is not None:
            await connection.close()
        self.subscriptions.clear()

    # --- losing it ------------------------------------------------------------------------------------------------

    def lose(self, reason: str) -> None:
        """The connection has gone down although nobody closed it: tell everybody, once."""
        if self.lost is None:
            self.lost = reason
            for registration in self.subscriptions:
                registration.fail(self._kind.transport, reason)
            self.tell(reason)

    def recovered(self) -> None:
        """It is up again by itself."""
        self.lost = None

    def tell(self, reason: str) -> None:
        """Tell whoever listens for losses that nothing more can be relied on."""
        for listener in self._listeners:
            listener(reason)

    def on_lost(self, listener: OnLost) -> None:
        """Call ``listener(reason)`` when the connection goes down by itself."""
        self._listeners.append(listener)

    def require(self) -> C:
        """The connection; ``RuntimeError`` before there is one, ``TransportError`` when it is lost."""
        if self.connection is None:
            raise RuntimeError(f"{self._kind.transport} is not connected: await connect() first")
        if self.lost is not None:
            raise TransportError(f"{self._kind.transport} cannot go on: {self.lost}")
        return self.connection

    # --- messages -------------------------------------------------------------------------------------------------

    def subscribe(self, topic: str, callback: TransportCallback) -> Ready:
        """Note a registration and have it served."""
        connection = self.require()
        registration = self.subscriptions.add(topic, callback)
        connection.arm(registration)
        return registration.ready

    def unsubscribe(self, topic: str, callback: TransportCallback) -> None:
        """Remove one registration of this callback."""
        registration = self.subscriptions.remove(topic, callback)
        if registration is not None and self.connection is not None:
            self.connection.disarm(registration)

    def clear(self) -> None:
        """Forget every registration."""
        for registration in self.subscriptions.clear():
            if self.connection is not None:
                self.connection.disarm(registration)

    def publish(
        self,
        topic: str,
        payload: bytes,
        on_sent: OnSent | None,
        headers: Mapping[str, str] = NO_HEADERS,
        key: str | None = None,
    ) -> Ready:
        """Queue a message."""
        return self.require().outbound.put(Outgoing(topic, payload, headers, key, on_sent))

    async def fence(self, topics: Collection[str]) -> None:
        """Have all that the broker had for these topics delivered; ``TransportError`` says why that is not known.

        What a connection says that has been lost or replaced meanwhile counts for nothing.
        """
        connection = self.connection

        def why_down() -> str | None:
            if connection is None or connection is not self.connection:
                return "it is not connected"
            return self.lost

        async def ask(registrations: Sequence[Registration]) -> None:
            assert connection is not None  # as why_down() has found
            await connection.fence(registrations)

        await fence(self._kind.transport, topics, self.subscriptions, ask, why_down=why_down)
