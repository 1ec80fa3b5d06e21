"""From configuration to harnesses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from choreo_bdd.contracts import MessageContract
from choreo_bdd.correlation import (
    TRACEPARENT,
    CorrelationByTopic,
    CorrelationPolicy,
    FieldPolicy,
    HeaderPolicy,
    NoCorrelationPolicy,
    TraceparentPolicy,
)
from choreo_bdd.exceptions import ChoreoError, HostNotInAllowlist
from choreo_bdd.harness import Harness
from choreo_bdd.redaction import safe_url
from choreo_bdd.transports.base import Transport, TransportCapabilities
from choreo_bdd.transports.shared.loopback import is_loopback
from choreo_bdd.transports.shared.tls import configured_context
from choreo_bdd_project.codec_choice import configured_codec
from choreo_bdd_project.config import CALLED, Config, ConfigError, TransportConfig, for_topic
from choreo_bdd_project.config_file import some_seconds
from choreo_bdd_project.logins import http_login, kafka_login, nats_login, rabbitmq_login, redis_login
from choreo_bdd_project.topic_settings import TopicSettings
from choreo_bdd_project.transport_types import GROUP, other_types

if TYPE_CHECKING:
    from choreo_bdd.asyncapi import AsyncApi
    from choreo_bdd.transports.rabbitmq import Exchange, Route
    from choreo_bdd.transports.redis.messages import EntryLayout, Layout

TransportMaker = Callable[[Config, TransportConfig], Transport]
"""Makes the transport of an entry of the configuration. Raises ``ConfigError`` for what that cannot mean."""
_Topic = tuple[TopicSettings, TransportConfig]
"""The settings of a topic, and what they make of its transport."""


def build_contract(config: Config) -> AsyncApi | None:
    """What the configured AsyncAPI documents say; ``None`` where there are none. Raises ``ConfigError``."""
    if not config.asyncapi:
        return None
    from choreo_bdd.asyncapi import AsyncApiError, load_asyncapi  # noqa: PLC0415 - loaded when it is first needed

    try:
        return load_asyncapi(config.asyncapi)
    except AsyncApiError as error:
        raise ConfigError(f"{config.source}: asyncapi: {error}") from error


def configured_transport(config: Config, transport: TransportConfig) -> Transport:
    """The transport of an entry of the configuration, not connected yet; its type may be another package's.

    Raises ``ConfigError`` and ``HostNotInAllowlist``.
    """
    maker = _MAKERS.get(transport.type) or _maker_of_another_package(transport)
    try:
        return maker(config, transport)
    except ChoreoError:
        raise
    except ValueError as error:
        raise ConfigError(f"{transport.place}: {error}") from error


def build_harness(
    config: Config,
    transport: TransportConfig,
    *,
    contract: MessageContract | None = None,
    make_transport: TransportMaker = configured_transport,
) -> Harness:
    """The harness of one configured transport, not connected yet; messages on it are held against the contract.

    Correlation is strict here: a message without an id belongs to no scenario. ``make_transport`` stands in for what
    the transport's type means. A topic that the contract does not describe is refused, or nothing is said of it:
    whoever sends on it knows the step, and warns where that is wanted. Raises ``ConfigError`` for what the
    configuration cannot mean and ``HostNotInAllowlist`` for an address tests may not connect to.
    """
    made = make_transport(config, transport)
    topics = _topics(transport)
    return Harness(
        made,
        codec=configured_codec(config, transport),
        codecs=[(topic.pattern, configured_codec(config, own)) for topic, own in topics],
        headers=[(topic.pattern, _headers(topic, made.capabilities)) for topic, _ in topics],
        correlation=_correlation(transport, topics, made.capabilities),
        contract=None if transport.is_called else contract,
        unknown_topics="error" if config.unknown_topics == "error" else "ignore",
    )


def _topics(transport: TransportConfig) -> Sequence[_Topic]:
    return [(each, for_topic(transport, each)) for each in transport.topics]


def correlation_of(transport: TransportConfig, capabilities: TransportCapabilities) -> CorrelationPolicy:
    """How ids get into a configured transport's messages, by topic where topics differ. Raises ``ConfigError``."""
    return _correlation(transport, _topics(transport), capabilities)


def _correlation(
    transport: TransportConfig, topics: Sequence[_Topic], capabilities: TransportCapabilities
) -> CorrelationPolicy:
    usual = _policy(transport, capabilities)
    if not any("correlation" in topic.settings for topic, _ in topics):
        return usual
    return CorrelationByTopic(usual, tuple((topic.pattern, _policy(own, capabilities)) for topic, own in topics))


def _headers(topic: TopicSettings, capabilities: TransportCapabilities) -> Mapping[str, str]:
    headers: Mapping[str, str] = topic.settings.get("headers", {})
    if headers and not (capabilities.message_headers or topic.settings.get("stream")):
        raise ConfigError(f"{topic.place}.headers: messages of this topic carry no headers; put it into the payload")
    return headers


def _policy(transport: TransportConfig, capabilities: TransportCapabilities) -> CorrelationPolicy:
    prefix = transport.correlation_prefix
    if transport.correlation_field is not None:
        try:
            return FieldPolicy(transport.correlation_field, prefix, has_headers=capabilities.message_headers)
        except ValueError as error:
            raise ConfigError(f"{transport.place}.correlation.field: {error}") from error
    if transport.correlation_header is not None:
        if not capabilities.message_headers:
            raise ConfigError(
                f"{transport.place}.correlation.header: messages of this transport carry no headers; use "
                f"{{field: …}}, or `none` and tell messages apart with `where`"
            )
        if transport.correlation_header.lower() == TRACEPARENT:
            if prefix:
                raise ConfigError(f"{transport.place}.correlation.prefix: the id of a trace has none; leave it out")
            return TraceparentPolicy()
        return HeaderPolicy(transport.correlation_header, prefix, strict=True)
    return NoCorrelationPolicy(is_meant=transport.correlation_off or transport.is_called)


def _maker_of_another_package(transport: TransportConfig) -> TransportMaker:
    others = other_types()
    if transport.type not in others:
        known = ", ".join(sorted({*_MAKERS, *others}))
        raise ConfigError(
            f"{transport.place}: there is no transport type {transport.type!r}; there are {known}. Another comes with "
            f"a package that has the entry point {GROUP!r}"
        )
    entry = others[transport.type]
    try:
        maker: TransportMaker = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"{transport.place}: the transport type {entry.name!r} is {entry.value}, which cannot be loaded: {error}"
        ) from error
    return maker


def _memory(config: Config, transport: TransportConfig) -> Transport:  # noqa: ARG001 - one signature for all makers
    from choreo_bdd.transports.memory import MockTransport  # noqa: PLC0415 - loaded when it is first needed

    return MockTransport()


def _http(config: Config, transport: TransportConfig) -> Transport:
    from choreo_bdd.transports.http import HttpTransport  # noqa: PLC0415 - loaded when it is first needed

    options = transport.options
    timeout = options.get("timeout")
    return HttpTransport(
        url=_addresses(transport, "url")[0],
        headers={name: str(value) for name, value in (options.get("headers") or {}).items()},
        login=http_login(transport),
        tls=configured_context(options.get("tls", False), config.base_dir),
        follow_redirects=bool(options.get("follow_redirects", False)),
        proxy=options.get("proxy"),
        allowlist_path=config.allowlist,
        **({} if timeout is None else {"timeout_s": some_seconds(timeout, f"{transport.place}.timeout")}),
    )


def _nats(config: Config, transport: TransportConfig) -> Transport:
    from choreo_bdd.transports.nats import NatsTransport  # noqa: PLC0415 - loaded when it is first needed

    servers = _addresses(transport, "servers", "url")
    _require_permitted(config, transport, servers)
    servers, login = nats_login(config, transport, servers)
    return NatsTransport(
        servers=servers,
        allowlist_path=config.allowlist,
        auth=login,
        streams=[(each.pattern, each.settings.get("jetstream")) for each in transport.topics],
        **_patience(transport),
    )


def _redis(config: Config, transport: TransportConfig) -> Transport:
    from choreo_bdd.transports.redis import RedisTransport  # noqa: PLC0415 - loaded when it is first needed

    url = _addresses(transport, "url")[0]
    _require_permitted(config, transport, [url])
    streams = transport.options.get("streams", False)
    usual = streams if isinstance(streams, Mapping) else {}
    field, longest = usual.get("payload_field", "payload"), usual.get("maxlen")
    layout = _entry_layout(f"{transport.place}.streams", field, longest) if streams else None
    return RedisTransport(
        url=url,
        allowlist_path=config.allowlist,
        auth=redis_login(config, transport),
        streams=bool(streams),
        payload_field=field,
        stream_maxlen=longest,
        topics=[(each.pattern, _layout(each, layout)) for each in transport.topics],
        **_patience(transport),
    )


def _entry_layout(place: str, payload_field: str | None, maxlen: int | None = None) -> EntryLayout:
    from choreo_bdd.transports.redis.messages import EntryLayout  # noqa: PLC0415 - loaded when first needed

    try:
        return EntryLayout(payload_field, maxlen)
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from error


def _layout(topic: TopicSettings, usual: EntryLayout | None) -> Layout:
    """What a topic is; one of which nothing is said is what all others are."""
    from choreo_bdd.transports.redis.messages import ListEnd  # noqa: PLC0415 - loaded when first needed

    if topic.settings.get("list"):
        return ListEnd(is_right=topic.settings["list"] == "right")
    if "stream" not in topic.settings:
        return usual
    if not topic.settings.get("stream"):
        return None
    return _entry_layout(f"{topic.place}.payload_field", topic.settings.get("payload_field"))


def _kafka(config: Config, transport: TransportConfig) -> Transport:
    from choreo_bdd.transports.kafka import KafkaTransport, TopicWay  # noqa: PLC0415 - loaded when it is first needed

    servers = _addresses(transport, "servers")
    _require_permitted(config, transport, servers)
    settings = ("client_id", "isolation_level", "max_message_bytes")
    named = {name: transport.options[name] for name in settings if name in transport.options}
    return KafkaTransport(
        bootstrap_servers=servers,
        allowlist_path=config.allowlist,
        auth=kafka_login(config, transport),
        topics=[
            (each.pattern, TopicWay(each.settings.get("partition"), each.settings.get("create")))
            for each in transport.topics
        ],
        **named,
        **_patience(transport),
    )


def _rabbitmq(config: Config, transport: TransportConfig) -> Transport:
    from choreo_bdd.transports.rabbitmq import RabbitTransport  # noqa: PLC0415 - loaded when it is first needed

    url = _addresses(transport, "url")[0]
    _require_permitted(config, transport, [url])
    url, login = rabbitmq_login(config, transport, url)
    exchange = _exchange(transport.options.get("exchange", {}))
    return RabbitTransport(
        url=url,
        allowlist_path=config.allowlist,
        auth=login,
        exchange=exchange,
        topics=[(each.pattern, _route(each, exchange)) for each in transport.topics],
        **_patience(transport),
    )


def _exchange(said: Any) -> Exchange:
    from choreo_bdd.transports.rabbitmq import Exchange  # noqa: PLC0415 - loaded when it is first needed

    return Exchange(said) if isinstance(said, str) else Exchange(**said)


def _route(topic: TopicSettings, usual: Exchange) -> Route:
    """The way of a topic; without an exchange or a queue of its own by the usual exchange."""
    from choreo_bdd.transports.rabbitmq import Route  # noqa: PLC0415 - loaded when it is first needed

    said, queue = topic.settings.get("exchange"), topic.settings.get("queue")
    if said is None:
        exchange = usual if queue is None else None
    else:
        exchange = None if said == "" else usual if said == usual.name else _exchange(said)
    return Route(
        exchange,
        topic.settings.get("routing_key"),
        queue,
        consume=bool(topic.settings.get("consume")),
        mandatory=topic.settings.get("mandatory"),
    )


_MAKERS: Mapping[str, TransportMaker] = {
    CALLED: _http,
    "kafka": _kafka,
    "memory": _memory,
    "nats": _nats,
    "rabbitmq": _rabbitmq,
    "redis": _redis,
}


def _patience(transport: TransportConfig) -> dict[str, Any]:
    """How long to wait for a connection, where the configuration says it."""
    return {} if transport.connect_timeout_s is None else {"connect_timeout_s": transport.connect_timeout_s}


def _addresses(transport: TransportConfig, *keys: str) -> list[str]:
    for key in keys:
        value: Any = transport.options.get(key)
        if value:
            return [value] if isinstance(value, str) else list(value)
    raise ConfigError(f"{transport.place}: a {transport.type} transport needs {' or '.join(keys)}")


def _require_permitted(config: Config, transport: TransportConfig, addresses: Iterable[str]) -> None:
    """Without an allowlist only this machine may be connected to."""
    if config.allowlist is not None:
        return
    for address in addresses:
        if not is_loopback(address):
            raise HostNotInAllowlist(
                f"{transport.place}: {safe_url(address)!r} is not on this machine, and without an allowlist only "
                f"loopback addresses may be connected to. List it in a file and name that file as `allowlist:`"
            )
