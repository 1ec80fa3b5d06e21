"""What may be asked of each kind of broker. Secrets are never part of a ``repr``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

_UNQUOTED = re.compile(r"[A-Za-z0-9._!@#$%&*+:/=-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files of a server: its certificate (chain), its unencrypted PKCS #8 key, and the authority that signed it.

    With ``require_client_certificate`` clients must show a certificate of the same authority.
    """

    certificate: Path
    key: Path
    ca: Path
    require_client_certificate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsOptions:
    """A NATS server. ``config`` is appended to its configuration file, for accounts, nkeys and the like."""

    jetstream: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    tls: TlsFiles | None = None
    config: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisOptions:
    """A Redis or Valkey server. ``acl_users`` maps user to password; each may do everything."""

    password: str | None = field(default=None, repr=False)
    acl_users: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: TlsFiles | None = None
    config: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitOptions:
    """A RabbitMQ node with one administrator. ``config`` is appended to rabbitmq.conf.

    ``trace`` has it send copies of all messages to ``amq.rabbitmq.trace``, as ``rabbitmqctl trace_on`` does.
    """

    user: str = "guest"
    password: str = field(default="guest", repr=False)
    tls: TlsFiles | None = None
    plugins: tuple[str, ...] = ()
    trace: bool = False
    config: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaOptions:
    """A single Kafka node. ``sasl`` maps user to password, both of ASCII letters, digits and ``._!@#$%&*+:/=-``.

    With ``sasl`` clients may log in by PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or (unsecured tokens) OAUTHBEARER.
    ``implementation`` ``None`` prefers Apache Kafka, which alone knows the other options.
    """

    sasl: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: TlsFiles | None = None
    implementation: Literal["apache", "tansu"] | None = None
    auto_create_topics: bool = True
    config: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        # Kafka's formatting tool takes names and passwords of SCRAM users without any way to quote them.
        if not all(_UNQUOTED.fullmatch(text) for text in (*self.sasl, *self.sasl.values())):
            raise ValueError("users and passwords of sasl= must be of ASCII letters, digits and ._!@#$%&*+:/=-")
