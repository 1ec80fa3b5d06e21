"""From configuration to a codec; the libraries behind the optional ones are imported when they are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path

from choreo_bdd.codecs import Codec, JSONCodec, RawCodec, TextCodec
from choreo_bdd.codecs.media import MediaCodec
from choreo_bdd.environment import HostNotInAllowlist, load_allowlist
from choreo_bdd.redaction import safe_url
from choreo_bdd.transports.shared.loopback import is_loopback
from choreo_bdd_project.config import Config, ConfigError, TransportConfig

_EXTRAS = {"msgpack": "msgpack", "fastavro": "avro", "google": "protobuf", "httpx": "http"}
"""The optional libraries, and the extra that brings each."""


def configured_codec(config: Config, transport: TransportConfig) -> Codec:
    """The codec of a transport. Raises ``ConfigError`` for one that is not there, or cannot be set up as told."""
    try:
        return MediaCodec() if transport.is_called else _make(config, transport)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        raise ConfigError(
            f"{transport.place}: the codec {transport.codec!r} needs a library that is not installed: "
            f"pip install 'choreo-bdd[{extra}]'"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{transport.place}.codec: {error}") from error


def _make(config: Config, transport: TransportConfig) -> Codec:
    if transport.codec in _PLAIN:
        return _PLAIN[transport.codec]()
    if transport.codec in _CONFIGURED:
        return _CONFIGURED[transport.codec](config, transport)
    names = ", ".join(sorted({*_PLAIN, *_CONFIGURED}))
    raise ConfigError(f"{transport.place}: there is no codec {transport.codec!r}; there are {names}")


def _msgpack() -> Codec:
    from choreo_bdd.codecs.msgpack import MsgpackCodec  # noqa: PLC0415 - loaded when it is first needed

    return MsgpackCodec()


def _avro(config: Config, transport: TransportConfig) -> Codec:
    if "registry" in transport.codec_options:
        return _registry(config, transport)
    from choreo_bdd.codecs.avro import AvroCodec  # noqa: PLC0415 - loaded when it is first needed

    schema_id = transport.codec_options.get("schema_id")
    confluent = transport.codec_options.get("confluent", schema_id is not None)
    if not confluent:
        return AvroCodec(_path(config, transport, "schema"))
    return AvroCodec(_path(config, transport, "schema"), schema_id=schema_id or 0, any_id=schema_id is None)


def _registry(config: Config, transport: TransportConfig) -> Codec:
    from choreo_bdd.codecs.avro_registry import RegistryCodec, SchemaRegistry  # noqa: PLC0415 - when it is first needed

    def permit(address: str) -> None:
        """Before it is asked: the list may have changed, and lint asks nobody."""
        if config.allowlist is not None:
            origin = safe_url(address)
            load_allowlist(config.allowlist).enforce("http_hosts", [origin], label="schema registry", normalise=_host)
        elif not is_loopback(address):
            raise HostNotInAllowlist(
                f"{transport.place}.codec.registry: {safe_url(address)!r} is not on this machine, and without an "
                f"allowlist only loopback addresses may be asked. List it under http_hosts in a file and name that "
                f"file as `allowlist:`"
            )

    options = transport.codec_options
    schema = _path(config, transport, "schema") if "schema" in options else None
    registry = SchemaRegistry(str(options["registry"]), permit)
    permit(str(options["registry"]))
    return RegistryCodec(registry, subject=options.get("subject"), schema=schema)


def _host(address: str) -> str:
    """``https://host:port/path`` as ``host:port``."""
    return address.rpartition("://")[2].partition("/")[0].rpartition("@")[2]


def _protobuf(config: Config, transport: TransportConfig) -> Codec:
    from choreo_bdd.codecs.protobuf import ProtobufCodec  # noqa: PLC0415 - loaded when it is first needed

    return ProtobufCodec(_path(config, transport, "descriptor"), str(_needed(transport, "message")))


def _python(config: Config, transport: TransportConfig) -> Codec:
    """What the function of the project's own returns."""
    place, reference = f"{transport.place}.codec", str(_needed(transport, "factory"))
    if not config.python_matchers:
        raise ConfigError(
            f"{place}: a codec in Python is code that runs, and that is switched off; allow it with "
            f"`python_matchers: true` in choreo.yaml"
        )
    module, _, name = reference.partition(":")
    try:
        codec = getattr(import_module(module), name)()
    except Exception as error:  # whatever the project's own code raises
        raise ConfigError(
            f"{place}: {reference!r} gives no codec: {type(error).__name__}: {error}; write package.module:function, "
            f"a function that returns one"
        ) from error
    if not isinstance(codec, Codec):
        raise ConfigError(f"{place}: what {reference!r} returns has no encode(value) and decode(data)")
    return codec


def _path(config: Config, transport: TransportConfig, key: str) -> Path:
    path = config.base_dir / str(_needed(transport, key))
    if not path.is_file():
        raise ConfigError(f"{transport.place}.codec.{key}: the file {path} does not exist")
    return path


def _needed(transport: TransportConfig, key: str) -> object:
    if key not in transport.codec_options:
        raise ConfigError(f"{transport.place}.codec: the codec {transport.codec!r} needs the key {key!r}")
    return transport.codec_options[key]


_PLAIN: Mapping[str, Callable[[], Codec]] = {
    "json": partial(JSONCodec, strict=True),
    "msgpack": _msgpack,
    "raw": RawCodec,
    "text": TextCodec,
}
_CONFIGURED: Mapping[str, Callable[[Config, TransportConfig], Codec]] = {
    "avro": _avro,
    "protobuf": _protobuf,
    "python": _python,
}
