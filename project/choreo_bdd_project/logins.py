"""How to log in: what choreo.yaml says under ``auth`` and ``tls``, as the transports take it.

A login makes its credentials anew for each connection, so that they can be cleared after it. All raise ``ConfigError``
for what the configuration cannot mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from choreo_bdd.transports.shared.credentials import AuthDescriptor, AuthSource
from choreo_bdd.transports.shared.tls import configured_context
from choreo_bdd_project.config import Config, ConfigError, TransportConfig


def nats_login(config: Config, transport: TransportConfig, servers: list[str]) -> tuple[list[str], AuthSource | None]:
    """The servers and how to log in; beside TLS settings a user in their URLs is taken out, so that both hold."""
    from choreo_bdd.transports.nats import auth  # noqa: PLC0415 - loaded when it is first needed

    given: Mapping[str, str] = transport.options.get("auth") or {}
    settings: Any = transport.options.get("tls", False)
    context = configured_context(settings, config.base_dir)
    if context is not None and not given:
        servers, given = _without_users(servers)
    if given and not any(given.keys() == way for way in _NATS_WAYS):
        raise ConfigError(
            f"{transport.place}: the auth of a nats transport is one of: user and password; token; nkey_seed; "
            f"nkey_file; credentials_file"
        )

    def login() -> AuthDescriptor:
        hostname = settings.get("hostname") if isinstance(settings, Mapping) else None
        tls = None if context is None else auth.NatsAuth.tls(context, hostname=hostname)
        match given:
            case {"user": user, "password": password}:
                return auth.NatsUserPassword(username=user, password=password, tls=tls)
            case {"token": token}:
                return auth.NatsToken(token=token, tls=tls)
            case {"nkey_seed": seed}:
                return auth.NatsNkey(seed=seed, tls=tls)
            case {"nkey_file": name}:
                return auth.NatsNkey(seed=_read(config.base_dir / name, transport), tls=tls)
            case {"credentials_file": name}:
                return auth.NatsCredentialsFile(path=config.base_dir / name, tls=tls)
        assert tls is not None  # without either there is no login
        return tls

    return servers, login if given or context is not None else None


_NATS_WAYS = ({"user", "password"}, {"token"}, {"nkey_seed"}, {"nkey_file"}, {"credentials_file"})


def _without_users(servers: list[str]) -> tuple[list[str], dict[str, str]]:
    """Server URLs without their user, and who that is, if anybody; a name without a password is a token."""
    from choreo_bdd.transports.rabbitmq.auth import split_user  # noqa: PLC0415

    found = [split_user(server) for server in servers]
    for _, user, password in found:
        if user is not None:
            given = {"token": user} if password is None else {"user": user, "password": password}
            return [server for server, _, _ in found], given
    return servers, {}


def _read(path: Path, transport: TransportConfig) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{transport.place}: the nkey file {path} cannot be read: {type(error).__name__}") from None


def redis_login(config: Config, transport: TransportConfig) -> AuthSource | None:
    """How to log in to Redis."""
    from choreo_bdd.transports.redis.auth import RedisAuth  # noqa: PLC0415

    given: Mapping[str, str] = transport.options.get("auth") or {}
    user, password = given.get("user", "default"), given.get("password")
    if given and password is None:
        raise ConfigError(f"{transport.place}: the auth of a redis transport needs a password, and may have a user")
    context = configured_context(transport.options.get("tls", False), config.base_dir)
    if context is None:
        return None if password is None else lambda: RedisAuth.acl(user, password)
    if password is None:
        return lambda: RedisAuth.tls(context)
    return lambda: RedisAuth.acl_tls(user, password, context)


def kafka_login(config: Config, transport: TransportConfig) -> AuthSource | None:
    """How to log in to Kafka."""
    from choreo_bdd.transports.kafka.auth import KafkaAuth  # noqa: PLC0415

    given: Mapping[str, str] = transport.options.get("auth") or {}
    user, password, mechanism = given.get("user"), given.get("password"), given.get("mechanism", "PLAIN")
    if given and (user is None or password is None):
        raise ConfigError(f"{transport.place}: the auth of a kafka transport needs a user and a password")
    context = configured_context(transport.options.get("tls", False), config.base_dir)

    def login() -> AuthDescriptor:
        if user is None or password is None:
            return KafkaAuth.ssl(context)
        plain = mechanism == "PLAIN"
        sasl = KafkaAuth.sasl_plain(user, password) if plain else KafkaAuth.sasl_scram(user, password, mechanism)
        return sasl if context is None else KafkaAuth.sasl_ssl(sasl=sasl, ssl=KafkaAuth.ssl(context))

    return login if given or context is not None else None


def rabbitmq_login(config: Config, transport: TransportConfig, url: str) -> tuple[str, AuthSource | None]:
    """The URL and how to log in; beside TLS settings a user in the URL is taken out of it, so that both hold."""
    from choreo_bdd.transports.rabbitmq.auth import RabbitAuth, split_user  # noqa: PLC0415

    given: Mapping[str, str] = transport.options.get("auth") or {}
    user, password = given.get("user"), given.get("password")
    settings: Any = transport.options.get("tls", False)
    context = configured_context(settings, config.base_dir)
    if given.get("mechanism") == "EXTERNAL":
        shows_one = isinstance(settings, Mapping) and "cert" in settings
        if context is not None and shows_one and given.keys() == {"mechanism"}:
            return url, lambda: RabbitAuth.external(None, None, context)
        raise ConfigError(
            f"{transport.place}: with the mechanism EXTERNAL the client certificate is the login: name it under "
            f"tls as cert and key, and give no user or password"
        )
    if given and (user is None or password is None):
        raise ConfigError(f"{transport.place}: the auth of a rabbitmq transport needs a user and a password")
    if context is not None and not given:
        url, user, password = split_user(url)

    def login() -> AuthDescriptor:
        if user is None or password is None:
            return RabbitAuth.amqps(context)
        return RabbitAuth.plain(user, password) if context is None else RabbitAuth.plain_amqps(user, password, context)

    return url, login if user is not None or context is not None else None


def http_login(transport: TransportConfig) -> tuple[str, str] | str | None:
    """How to log in to a service: a user and a password, or a bearer token."""
    match dict(transport.options.get("auth") or {}):
        case {"user": user, "password": password, **others} if not others:
            return user, password
        case {"token": token, **others} if not others:
            return str(token)
        case given if not given:
            return None
    raise ConfigError(f"{transport.place}: the auth of an http transport is one of: user and password; token")
