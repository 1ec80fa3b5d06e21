"""Protobuf payloads. Needs the extra ``protobuf``; imported when a configuration names the codec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import DecodeError, EncodeError
from google.protobuf.message_factory import GetMessageClass

_INT64 = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
_WRAPPED_INT64 = ("google.protobuf.Int64Value", "google.protobuf.UInt64Value")
_OPEN = ("google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.Any")
"""Objects whose keys are not the fields of their type."""


class ProtobufCodec:
    """One message type of a compiled descriptor set, as objects with the field names of its ``.proto`` file.

    They follow Protobuf's own JSON mapping, except that 64-bit integers are numbers, however large. A field without
    presence that was not sent shows its default. Raises ``ValueError`` for a descriptor file that cannot be read and a
    message it does not have.
    """

    def __init__(self, descriptor: Path, message: str) -> None:
        pool = _pool(descriptor)
        try:
            self._type = GetMessageClass(pool.FindMessageTypeByName(message))
        except KeyError as error:
            known = ", ".join(_names(descriptor)) or "none"
            raise ValueError(f"{descriptor} has no message {message!r}; it has {known}") from error
        self._name = message

    def decode(self, data: bytes) -> Any:
        """The fields, or what JSON has for a type of Protobuf's own; ``ValueError`` when the bytes are none."""
        message = self._type()
        try:
            message.ParseFromString(data)
        except DecodeError as error:
            raise ValueError(f"not a {self._name} message: {error}") from error
        shown = MessageToDict(
            message,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
            unquote_int64_if_possible=True,  # where no field of this type's says that it is one, as within an Any
        )
        return _of_message(message.DESCRIPTOR, shown)

    def encode(self, value: Any) -> bytes:
        """The bytes; ``TypeError`` for anything but an object whose fields the message has."""
        if not isinstance(value, dict):
            raise TypeError(f"a {self._name} message is made of an object, not {type(value).__name__}")
        try:
            return ParseDict(value, self._type()).SerializeToString(deterministic=True)
        except (ParseError, EncodeError, ValueError, TypeError) as error:
            raise TypeError(f"not a {self._name} message: {error}") from error


def _of_message(type_: Any, shown: Any) -> Any:
    """What the JSON mapping shows of a message, its 64-bit integers as numbers and not as text.

    A name that the type does not have, such as an extension's, keeps what it shows.
    """
    if type_.full_name in _WRAPPED_INT64:
        return int(shown)
    if not isinstance(shown, dict) or type_.full_name in _OPEN:
        return shown
    fields = type_.fields_by_name
    if type_.GetOptions().map_entry:
        return {key: _of_field(fields["value"], value) for key, value in shown.items()}
    return {name: _of_field(fields[name], value) if name in fields else value for name, value in shown.items()}


def _of_field(field: Any, shown: Any) -> Any:
    if isinstance(shown, list) and field.is_repeated:
        return [_of_field(field, each) for each in shown]
    if field.cpp_type in _INT64:
        return int(shown)
    return shown if field.message_type is None else _of_message(field.message_type, shown)


def _files(descriptor: Path) -> FileDescriptorSet:
    try:
        return FileDescriptorSet.FromString(descriptor.read_bytes())
    except (OSError, DecodeError) as error:
        raise ValueError(f"{descriptor} is not a compiled descriptor set: {error}") from error


def _pool(descriptor: Path) -> DescriptorPool:
    pool = DescriptorPool()
    for file in _files(descriptor).file:
        try:
            pool.Add(file)
            pool.FindFileByName(file.name)
        except (TypeError, KeyError) as error:
            raise ValueError(
                f"{descriptor} lacks a file that {file.name} imports: compile it with protoc --include_imports "
                f"--descriptor_set_out=…"
            ) from error
    return pool


def _names(descriptor: Path) -> list[str]:
    """Full names of its messages, those inside others left out."""
    return [f"{file.package}.{each.name}".lstrip(".") for file in _files(descriptor).file for each in file.message_type]
