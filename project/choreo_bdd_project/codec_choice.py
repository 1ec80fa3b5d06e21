"""From configuration to a codec; the libraries behind the optional ones are imported when they are named."""

from __future__ import annotations

from pathlib import Path

from choreo_bdd.codecs import Codec, JSONCodec, RawCodec, TextCodec
from choreo_bdd.codecs.media import MediaCodec
from choreo_bdd_project.config import Config, ConfigError, TransportConfig

_NAMES = ("avro", "json", "msgpack", "protobuf", "raw", "text")
_LIBRARIES = frozenset({"msgpack", "fastavro", "google"})


def configured_codec(config: Config, transport: TransportConfig) -> Codec:
    """The codec of a transport. Raises ``ConfigError`` for one that is not there, or cannot be set up as told."""
    try:
        return MediaCodec() if transport.is_called else _make(config, transport)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _LIBRARIES:
            raise
        raise ConfigError(
            f"{transport.place}: the codec {transport.codec!r} needs a library that is not installed: "
            f"pip install 'choreo-bdd[{transport.codec}]'"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{transport.place}.codec: {error}") from error


def _make(config: Config, transport: TransportConfig) -> Codec:
    match transport.codec:
        case "json":
            return JSONCodec(strict=True)
        case "text":
            return TextCodec()
        case "raw":
            return RawCodec()
        case "msgpack":
            return _msgpack()
        case "avro":
            return _avro(config, transport)
        case "protobuf":
            return _protobuf(config, transport)
    raise ConfigError(f"{transport.place}: there is no codec {transport.codec!r}; there are {', '.join(_NAMES)}")


def _msgpack() -> Codec:
    from choreo_bdd.codecs.msgpack import MsgpackCodec  # noqa: PLC0415 - loaded when it is first needed

    return MsgpackCodec()


def _avro(config: Config, transport: TransportConfig) -> Codec:
    from choreo_bdd.codecs.avro import AvroCodec  # noqa: PLC0415 - loaded when it is first needed

    schema_id = transport.codec_options.get("schema_id")
    confluent = transport.codec_options.get("confluent", schema_id is not None)
    if not confluent:
        return AvroCodec(_path(config, transport, "schema"))
    return AvroCodec(_path(config, transport, "schema"), schema_id=schema_id or 0, any_id=schema_id is None)


def _protobuf(config: Config, transport: TransportConfig) -> Codec:
    from choreo_bdd.codecs.protobuf import ProtobufCodec  # noqa: PLC0415 - loaded when it is first needed

    return ProtobufCodec(_path(config, transport, "descriptor"), str(_needed(transport, "message")))


def _path(config: Config, transport: TransportConfig, key: str) -> Path:
    path = config.base_dir / str(_needed(transport, key))
    if not path.is_file():
        raise ConfigError(f"{transport.place}.codec.{key}: the file {path} does not exist")
    return path


def _needed(transport: TransportConfig, key: str) -> object:
    if key not in transport.codec_options:
        raise ConfigError(f"{transport.place}.codec: the codec {transport.codec!r} needs the key {key!r}")
    return transport.codec_options[key]
