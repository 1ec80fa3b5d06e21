"""From configuration to harnesses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from choreo_bdd.codecs import Codec, JSONCodec, RawCodec, TextCodec
from choreo_bdd.config import Config, ConfigError, TransportConfig
from choreo_bdd.correlation import CorrelationPolicy, DictFieldPolicy, HeaderPolicy, NoCorrelationPolicy
from choreo_bdd.environment import HostNotInAllowlist
from choreo_bdd.harness import Harness
from choreo_bdd.redaction import safe_url
from choreo_bdd.transports import MockTransport
from choreo_bdd.transports._loopback import is_loopback
from choreo_bdd.transports.base import Transport

_CODECS: Mapping[str, Callable[[], Codec]] = {
    "json": partial(JSONCodec, strict=True),
    "text": TextCodec,
    "raw": RawCodec,
}


def build_harness(config: Config, transport: TransportConfig) -> Harness:
    """The harness of one configured transport, not connected yet.

    Correlation is strict here: a message without an id belongs to no scenario. Raises ``ConfigError`` for what the
    configuration cannot mean and ``HostNotInAllowlist`` for an address tests may not connect to.
    """
    return Harness(_transport(config, transport), codec=_codec(transport), correlation=_policy(transport))


def _policy(transport: TransportConfig) -> CorrelationPolicy:
    prefix = transport.correlation_prefix
    if transport.correlation_field is not None:
        return DictFieldPolicy(transport.correlation_field, prefix, strict=True)
    if transport.correlation_header is not None:
        return HeaderPolicy(transport.correlation_header, prefix, strict=True)
    return NoCorrelationPolicy()


def _codec(transport: TransportConfig) -> Codec:
    if transport.codec not in _CODECS:
        raise ConfigError(
            f"{transport.place}: there is no codec {transport.codec!r}; there are {', '.join(sorted(_CODECS))}"
        )
    return _CODECS[transport.codec]()


def _transport(config: Config, transport: TransportConfig) -> Transport:
    maker = _MAKERS.get(transport.type)
    if maker is None:
        raise ConfigError(
            f"{transport.place}: there is no transport type {transport.type!r}; there are {', '.join(sorted(_MAKERS))}"
        )
    return maker(config, transport)


def _memory(config: Config, transport: TransportConfig) -> Transport:  # noqa: ARG001 - one signature for all makers
    return MockTransport()


def _nats(config: Config, transport: TransportConfig) -> Transport:
    from choreo_bdd.transports.nats import NatsTransport  # noqa: PLC0415 - loaded when it is first needed

    servers = _addresses(transport, "servers", "url")
    _require_permitted(config, transport, servers)
    return NatsTransport(servers=servers, allowlist_path=config.allowlist)


_MAKERS: Mapping[str, Callable[[Config, TransportConfig], Transport]] = {"memory": _memory, "nats": _nats}


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
