"""Avro payloads. Needs the extra ``avro``; imported when a configuration names the codec.

Values are JSON-like both ways, so that bodies and matchers need not know of Avro: times and dates are ISO 8601 text,
UUIDs are text, decimals are numbers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from fastavro import schemaless_reader, schemaless_writer
from fastavro._read_py import schemaless_reader as recursive_reader
from fastavro.read import LOGICAL_READERS
from fastavro.schema import load_schema, parse_schema
from fastavro.write import LOGICAL_WRITERS

from choreo_bdd.codecs.base import Refused
from choreo_bdd.codecs.decimals import exact_number

_CONFLUENT_HEADER = struct.Struct(">bI")
_CONFLUENT_MAGIC = 0
_OURS = "choreo-"


def _instant(text: str) -> datetime:
    """A point in time; without an offset it is UTC, not the zone of whichever machine runs the test."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_PARSERS: dict[str, Callable[[str], object]] = {
    "timestamp-millis": _instant,
    "timestamp-micros": _instant,
    "local-timestamp-millis": datetime.fromisoformat,
    "local-timestamp-micros": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time-millis": time.fromisoformat,
    "time-micros": time.fromisoformat,
    "decimal": Decimal,
    "uuid": str,
}


class AvroCodec:
    """Avro's binary encoding of one value, after a schema, which may be in a file.

    ``schema_id`` puts Confluent's header of five bytes before it, with this id; a message is then read if its header
    has the same id, or with ``any_id`` whatever id it has. Raises ``ValueError`` for a schema that cannot be read.
    """

    def __init__(self, schema: Path | dict[str, Any], *, schema_id: int | None = None, any_id: bool = False) -> None:
        self._name = schema.name if isinstance(schema, Path) else f"the schema {schema_id}"
        try:
            parsed = load_schema(str(schema)) if isinstance(schema, Path) else parse_schema(schema)
            self._schema: Any = _with_json_values(parsed)
        except Exception as error:  # the file, its JSON and its schema fail in ways of their own
            shown = schema if isinstance(schema, Path) else self._name
            raise ValueError(f"{shown} is not a usable Avro schema: {type(error).__name__}: {error}") from error
        self._read = recursive_reader if _names_itself(self._schema) else schemaless_reader
        self._schema_id = schema_id
        self._any_id = any_id

    def decode(self, data: bytes) -> Any:
        """The value; ``ValueError`` when the bytes are not one value of the schema."""
        source = BytesIO(self._body(data))
        try:
            value: Any = self._read(source, self._schema, None)
        except Exception as error:  # the library raises whatever the bytes lead it into
            raise ValueError(f"not a value of {self._name}: {type(error).__name__}: {error}") from error
        if source.read(1):
            raise ValueError(f"not a value of {self._name}: bytes are left over after it")
        return value

    def encode(self, value: Any) -> bytes:
        """The bytes; ``TypeError`` for a value that the schema does not describe, a field too many included."""
        target = BytesIO()
        if self._schema_id is not None:
            target.write(_CONFLUENT_HEADER.pack(_CONFLUENT_MAGIC, self._schema_id))
        try:
            schemaless_writer(target, self._schema, value, strict_allow_default=True, disable_tuple_notation=True)
        except Exception as error:  # as above
            raise TypeError(f"not a value of {self._name}: {error or type(error).__name__}") from error
        return target.getvalue()

    def _body(self, data: bytes) -> bytes:
        if self._schema_id is None:
            return data
        found = id_of_frame(data)
        if found != self._schema_id and not self._any_id:
            raise Refused(f"the message was written with schema id {found}, not {self._schema_id}")
        return data[_CONFLUENT_HEADER.size :]


def id_of_frame(data: bytes) -> int:
    """The schema id in Confluent's header; ``ValueError`` where there is no such header."""
    if len(data) < _CONFLUENT_HEADER.size or data[0] != _CONFLUENT_MAGIC:
        raise Refused("the message does not begin with Confluent's header: a zero byte and a schema id")
    return int(_CONFLUENT_HEADER.unpack_from(data)[1])


def _names_itself(schema: Any, around: frozenset[str] = frozenset()) -> bool:
    """Whether a value may hold one of its own kind, so that bytes say how deep it goes.

    The library's compiled reader follows them until the stack of the process is full; the one in Python raises.
    """
    if isinstance(schema, str):
        return schema in around
    if isinstance(schema, list):
        return any(_names_itself(each, around) for each in schema)
    inside = around | {schema["name"]} if "name" in schema else around
    parts = [schema.get("items"), schema.get("values"), *(field["type"] for field in schema.get("fields", ()))]
    parts += [schema["type"]] if not isinstance(schema.get("type"), str) or "name" not in schema else []
    return any(_names_itself(part, inside) for part in parts if part is not None)


def _with_json_values(schema: Any) -> Any:
    """The schema, its logical types renamed to ours, for which the library calls the functions below."""
    if isinstance(schema, list):
        return [_with_json_values(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: value if key == "default" else _with_json_values(value) for key, value in schema.items()}
    if f"{schema.get('type')}-{schema.get('logicalType')}" in LOGICAL_READERS:
        inner["logicalType"] = f"{_OURS}{schema['logicalType']}"
    return inner


def _read(reader: Callable[..., Any], data: Any, schema: Any = None, other: Any = None) -> Any:
    value = reader(data, schema, other)
    if isinstance(value, Decimal):
        return _number(value)
    return str(value) if isinstance(value, UUID) else value.isoformat()


def _number(value: Decimal) -> int | float | Decimal:
    """As plain a number as is exact to the last digit: the same as from JSON."""
    if value == value.to_integral_value():
        return int(value)
    return exact_number(str(value))


def _write(writer: Callable[..., Any], parse: Callable[[str], object], data: Any, schema: Any) -> Any:
    try:
        parsed = parse(str(data)) if isinstance(data, str) or parse is Decimal else data
    except (ValueError, ArithmeticError):
        return data  # no value of this type: the library says so, or tries the union's next branch
    return writer(parsed, schema)


def _register() -> None:
    for key in tuple(LOGICAL_READERS):
        kind, _, name = key.partition("-")
        if name in _PARSERS:
            LOGICAL_READERS[f"{kind}-{_OURS}{name}"] = partial(_read, LOGICAL_READERS[key])
            LOGICAL_WRITERS[f"{kind}-{_OURS}{name}"] = partial(_write, LOGICAL_WRITERS[key], _PARSERS[name])


_register()
