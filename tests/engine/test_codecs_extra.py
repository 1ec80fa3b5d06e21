"""The codecs of the extras: MessagePack, Avro, Protobuf."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]  # ships no types
import pytest
from google.protobuf import descriptor_pb2, timestamp_pb2, wrappers_pb2
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from choreo_bdd import Harness
from choreo_bdd.codecs import Codec
from choreo_bdd.codecs.avro import AvroCodec
from choreo_bdd.codecs.msgpack import MsgpackCodec
from choreo_bdd.codecs.protobuf import ProtobufCodec
from choreo_bdd.matchers import exists
from choreo_bdd.scenario import Cause
from choreo_bdd.transports import MockTransport
from choreo_bdd_project.config import Config, ConfigError, TransportConfig, load_config, memory_config
from choreo_bdd_project.harnesses import build_harness
from choreo_bdd_schemas import config_schema

from .test_diagnosis import raw

ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "total", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {
            "name": "price",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2},
            "default": "",
        },
        {"name": "at", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}], "default": None},
        {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}], "default": None},
        {"name": "ref", "type": ["null", {"type": "string", "logicalType": "uuid"}], "default": None},
        {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["OPEN", "PAID"]}, "default": "OPEN"},
    ],
}
FULL = {
    "id": "A-1", "total": 3800, "note": "with care", "price": 12.34, "at": "2026-01-02T03:04:05.678000+00:00",
    "day": "2026-01-02", "ref": "8b6c3f7e-0d0a-4d53-9f0c-2f6a1b7c8d9e", "status": "PAID",
}  # fmt: skip


@pytest.fixture
def order_schema(tmp_path: Path) -> Path:
    path = tmp_path / "order.avsc"
    path.write_text(json.dumps(ORDER))
    return path


@pytest.fixture
def descriptor(tmp_path: Path) -> Path:
    """What ``protoc --include_imports --descriptor_set_out`` writes for a message Order in package shop."""
    file = descriptor_pb2.FileDescriptorProto(
        name="shop.proto", package="shop", syntax="proto3", dependency=["google/protobuf/timestamp.proto"]
    )
    order = file.message_type.add(name="Order")
    kinds = descriptor_pb2.FieldDescriptorProto
    for number, (name, kind) in enumerate(
        {"order_id": kinds.TYPE_STRING, "total": kinds.TYPE_INT64, "blob": kinds.TYPE_BYTES}.items(), start=1
    ):
        order.field.add(name=name, number=number, type=kind, label=kinds.LABEL_OPTIONAL)
    order.field.add(
        name="placed_at", number=9, type=kinds.TYPE_MESSAGE, type_name=".google.protobuf.Timestamp",
        label=kinds.LABEL_OPTIONAL,
    )  # fmt: skip
    timestamp = descriptor_pb2.FileDescriptorProto()
    timestamp_pb2.DESCRIPTOR.CopyToProto(timestamp)
    path = tmp_path / "shop.binpb"
    path.write_bytes(descriptor_pb2.FileDescriptorSet(file=[timestamp, file]).SerializeToString())
    return path


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class TestMsgpack:
    @given(JSON)
    def test_the_round_trip_is_lossless(self, value: Any) -> None:
        assert MsgpackCodec().decode(MsgpackCodec().encode(value)) == value

    def test_the_bytes_are_messagepack(self) -> None:
        assert MsgpackCodec().encode({"a": 1}) == b"\x81\xa1a\x01"

    def test_a_timestamp_is_epoch_seconds(self) -> None:
        assert MsgpackCodec().decode(msgpack.packb(msgpack.Timestamp(1_700_000_000, 500_000_000))) == 1_700_000_000.5

    @pytest.mark.parametrize("data", [b"", b"\xc1", b"\x81", b"\x01\x02", b"\x91" * 5000])
    def test_what_is_not_one_value_is_an_error(self, data: bytes) -> None:
        with pytest.raises(ValueError, match="not one MessagePack value"):
            MsgpackCodec().decode(data)

    @pytest.mark.parametrize("value", [object(), 2**70, {1, 2}])
    def test_what_it_cannot_hold_is_refused(self, value: Any) -> None:
        with pytest.raises(TypeError, match="MessagePack cannot hold"):
            MsgpackCodec().encode(value)


class TestAvro:
    def test_values_are_json_like_both_ways(self, order_schema: Path) -> None:
        codec = AvroCodec(order_schema)
        assert codec.decode(codec.encode(FULL)) == FULL

    def test_fields_with_defaults_may_be_left_out(self, order_schema: Path) -> None:
        codec = AvroCodec(order_schema)
        assert codec.decode(codec.encode({"id": "A-1", "total": 1, "price": 5}))["note"] is None

    @given(st.decimals(places=2, allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
    @settings(deadline=None)  # each example reads a file
    def test_a_decimal_is_exact(self, tmp_path_factory: pytest.TempPathFactory, price: Any) -> None:
        path = tmp_path_factory.getbasetemp() / "price.avsc"
        path.write_text(json.dumps({"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}))
        codec = AvroCodec(path)
        assert str(codec.decode(codec.encode(str(price)))) == str(codec.decode(codec.encode(price)))
        assert codec.decode(codec.encode(price)) == (int(price) if price == int(price) else float(price))

    def test_a_decimal_too_long_for_a_float_is_a_number_all_the_same(self, tmp_path: Path) -> None:
        path = tmp_path / "price.avsc"
        path.write_text(json.dumps({"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 3}))
        codec = AvroCodec(path)
        assert codec.decode(codec.encode("12345678901234567890.125")) == Decimal("12345678901234567890.125")

    def test_a_time_without_an_offset_is_utc_wherever_the_test_runs(self, order_schema: Path) -> None:
        codec = AvroCodec(order_schema)
        sent = codec.encode({"id": "A-1", "total": 1, "price": 1, "at": "2026-06-01T12:00:00"})
        assert codec.decode(sent)["at"] == "2026-06-01T12:00:00+00:00"

    def test_a_schema_beside_the_first_is_found_by_its_name(self, tmp_path: Path, order_schema: Path) -> None:
        order_schema.rename(tmp_path / "shop.Order.avsc")
        basket = {
            "type": "record",
            "name": "Basket",
            "fields": [{"name": "orders", "type": {"type": "array", "items": "shop.Order"}}],
        }
        (tmp_path / "basket.avsc").write_text(json.dumps(basket))
        codec = AvroCodec(tmp_path / "basket.avsc")
        assert codec.decode(codec.encode({"orders": [FULL]})) == {"orders": [FULL]}

    @pytest.mark.parametrize(
        "value",
        [
            {"id": "A-1"},
            {**FULL, "id": 7},
            {**FULL, "correlation_id": "x"},
            {**FULL, "status": "LOST"},
            {**FULL, "at": "noon"},
            "text",
            None,
        ],
    )
    def test_what_the_schema_does_not_describe_is_refused(self, order_schema: Path, value: Any) -> None:
        with pytest.raises(TypeError, match=r"not a value of order\.avsc"):
            AvroCodec(order_schema).encode(value)

    def test_a_field_too_many_is_named(self, order_schema: Path) -> None:
        with pytest.raises(TypeError, match="correlation_id"):
            AvroCodec(order_schema).encode({**FULL, "correlation_id": "x"})

    @pytest.mark.parametrize("data", [b"", b"\x06A-", b'{"id": "A-1"}', b"\xff" * 40])
    def test_what_is_no_such_value_is_an_error(self, order_schema: Path, data: bytes) -> None:
        with pytest.raises(ValueError, match=r"not a value of order\.avsc"):
            AvroCodec(order_schema).decode(data)

    def test_bytes_left_over_are_an_error(self, order_schema: Path) -> None:
        codec = AvroCodec(order_schema)
        with pytest.raises(ValueError, match="left over"):
            codec.decode(codec.encode(FULL) + b"\x00")

    def test_confluents_header_goes_before_it(self, order_schema: Path) -> None:
        plain, framed = AvroCodec(order_schema), AvroCodec(order_schema, schema_id=258)
        assert framed.encode(FULL) == b"\x00\x00\x00\x01\x02" + plain.encode(FULL)
        assert framed.decode(framed.encode(FULL)) == FULL

    def test_a_message_without_it_or_with_another_id_is_an_error(self, order_schema: Path) -> None:
        framed = AvroCodec(order_schema, schema_id=7)
        with pytest.raises(ValueError, match="Confluent's header"):
            framed.decode(b"\x01\x00\x00\x00\x07")
        with pytest.raises(ValueError, match="schema id 8, not 7"):
            framed.decode(AvroCodec(order_schema, schema_id=8).encode(FULL))

    def test_unless_any_id_will_do(self, order_schema: Path) -> None:
        framed = AvroCodec(order_schema, schema_id=0, any_id=True)
        assert framed.decode(AvroCodec(order_schema, schema_id=8).encode(FULL)) == FULL

    @pytest.mark.parametrize("text", ["{", '{"type": "record"}', '"no.such.Type"'])
    def test_a_schema_that_is_none_is_named(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "broken.avsc").write_text(text)
        with pytest.raises(ValueError, match=r"broken\.avsc is not a usable Avro schema"):
            AvroCodec(tmp_path / "broken.avsc")


class TestProtobuf:
    def test_fields_keep_their_names(self, descriptor: Path) -> None:
        codec = ProtobufCodec(descriptor, "shop.Order")
        value = {"order_id": "A-1", "total": 3800, "blob": "AAE=", "placed_at": "2026-01-02T03:04:05Z"}
        assert codec.decode(codec.encode(value)) == value

    def test_the_bytes_are_protobuf(self, descriptor: Path) -> None:
        assert ProtobufCodec(descriptor, "shop.Order").encode({"order_id": "A", "total": 1}) == b"\x0a\x01A\x10\x01"

    def test_what_was_not_sent_shows_its_default(self, descriptor: Path) -> None:
        assert ProtobufCodec(descriptor, "shop.Order").decode(b"") == {"order_id": "", "total": 0, "blob": ""}

    @given(st.integers(-(2**63), 2**63 - 1))
    @example(2**53 + 1)
    @settings(deadline=None)  # each example reads a file
    def test_integers_are_numbers_however_large(self, tmp_path_factory: pytest.TempPathFactory, total: int) -> None:
        path = tmp_path_factory.getbasetemp() / "n.binpb"
        file = descriptor_pb2.FileDescriptorProto(name="n.proto", syntax="proto3")
        kinds = descriptor_pb2.FieldDescriptorProto
        file.message_type.add(name="N").field.add(
            name="n", number=1, type=kinds.TYPE_SINT64, label=kinds.LABEL_OPTIONAL
        )
        path.write_bytes(descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString())
        codec = ProtobufCodec(path, "N")
        assert codec.decode(codec.encode({"n": total})) == {"n": total}

    def test_so_are_those_in_lists_maps_wrappers_and_messages_within(self, tmp_path: Path) -> None:
        wrappers = descriptor_pb2.FileDescriptorProto()
        wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
        file = descriptor_pb2.FileDescriptorProto(name="d.proto", syntax="proto3", dependency=[wrappers.name])
        kinds = descriptor_pb2.FieldDescriptorProto
        message = file.message_type.add(name="D")
        entry = message.nested_type.add(name="ByNameEntry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
        entry.field.add(name="value", number=2, type=kinds.TYPE_UINT64, label=kinds.LABEL_OPTIONAL)
        for number, (name, kind, label, of) in enumerate(
            [
                ("each", kinds.TYPE_FIXED64, kinds.LABEL_REPEATED, ""),
                ("by_name", kinds.TYPE_MESSAGE, kinds.LABEL_REPEATED, ".D.ByNameEntry"),
                ("wrapped", kinds.TYPE_MESSAGE, kinds.LABEL_OPTIONAL, ".google.protobuf.Int64Value"),
                ("within", kinds.TYPE_MESSAGE, kinds.LABEL_OPTIONAL, ".D"),
                ("text", kinds.TYPE_STRING, kinds.LABEL_OPTIONAL, ""),
            ],
            start=1,
        ):
            message.field.add(name=name, number=number, type=kind, label=label, type_name=of or None)
        path = tmp_path / "d.binpb"
        path.write_bytes(descriptor_pb2.FileDescriptorSet(file=[wrappers, file]).SerializeToString())
        large = 2**63 - 1
        inner = {"each": [1, large], "by_name": {"7": large}, "wrapped": large, "text": str(large)}
        value = {"each": [large], "by_name": {}, "wrapped": -large, "text": "7", "within": inner}
        codec = ProtobufCodec(path, "D")
        assert codec.decode(codec.encode(value)) == value

    @pytest.mark.parametrize("value", [{"total": "many"}, {"sum": 1}, {"placed_at": "noon"}, ["order_id"], "A-1", None])
    def test_what_the_message_does_not_have_is_refused(self, descriptor: Path, value: Any) -> None:
        with pytest.raises(TypeError, match=r"shop\.Order message"):
            ProtobufCodec(descriptor, "shop.Order").encode(value)

    @pytest.mark.parametrize("data", [b"\x0a\x05A", b"\xff\xff", b'{"total": 1}'])
    def test_what_is_no_message_is_an_error(self, descriptor: Path, data: bytes) -> None:
        with pytest.raises(ValueError, match=r"not a shop\.Order message"):
            ProtobufCodec(descriptor, "shop.Order").decode(data)

    def test_a_message_that_is_not_there_is_named_with_those_that_are(self, descriptor: Path) -> None:
        with pytest.raises(
            ValueError, match=r"no message 'shop\.Oder'; it has google\.protobuf\.Timestamp, shop\.Order"
        ):
            ProtobufCodec(descriptor, "shop.Oder")

    def test_an_import_left_out_says_how_to_compile(self, descriptor: Path) -> None:
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptor.read_bytes())
        descriptor.write_bytes(descriptor_pb2.FileDescriptorSet(file=files.file[1:]).SerializeToString())
        with pytest.raises(ValueError, match="protoc --include_imports"):
            ProtobufCodec(descriptor, "shop.Order")

    def test_a_file_that_is_no_descriptor_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "shop.proto").write_text('syntax = "proto3";')
        with pytest.raises(ValueError, match=r"shop\.proto is not a compiled descriptor set"):
            ProtobufCodec(tmp_path / "shop.proto", "shop.Order")


def configured(codec: object, folder: Path) -> Config:
    bus = TransportConfig(
        "bus", "memory", "choreo.yaml:3: bus",
        codec=codec["type"] if isinstance(codec, dict) else str(codec),
        codec_options=codec if isinstance(codec, dict) else {},
    )  # fmt: skip
    return structs.replace(memory_config(), source=folder / "choreo.yaml", transports={"bus": bus})


def codec_of(codec: object, folder: Path) -> Codec:
    config = configured(codec, folder)
    return build_harness(config, config.transports["bus"]).codec


class TestConfiguration:
    def test_paths_are_relative_to_the_configuration(self, order_schema: Path, descriptor: Path) -> None:
        folder = order_schema.parent
        assert isinstance(codec_of("msgpack", folder), MsgpackCodec)
        assert (
            codec_of({"type": "avro", "schema": "order.avsc"}, folder).decode(AvroCodec(order_schema).encode(FULL))
            == FULL
        )
        protobuf = codec_of({"type": "protobuf", "descriptor": "shop.binpb", "message": "shop.Order"}, folder)
        assert protobuf.encode({"order_id": "A"}) == b"\x0a\x01A"

    @pytest.mark.parametrize(
        ("settings", "header"),
        [
            ({}, b""),
            ({"confluent": True}, b"\0\0\0\0\0"),
            ({"schema_id": 5}, b"\0\0\0\0\5"),
            ({"confluent": False}, b""),
        ],
    )
    def test_confluents_header_is_there_when_asked_for(self, order_schema: Path, settings: Any, header: bytes) -> None:
        codec = codec_of({"type": "avro", "schema": "order.avsc", **settings}, order_schema.parent)
        assert codec.encode(FULL) == header + AvroCodec(order_schema).encode(FULL)

    def test_with_the_header_alone_any_id_is_read(self, order_schema: Path) -> None:
        codec = codec_of({"type": "avro", "schema": "order.avsc", "confluent": True}, order_schema.parent)
        assert codec.decode(AvroCodec(order_schema, schema_id=99).encode(FULL)) == FULL

    @pytest.mark.parametrize(
        ("codec", "message"),
        [
            ("xml", "no codec 'xml'; there are avro, json, msgpack"),
            ("avro", "the codec 'avro' needs the key 'schema'"),
            ({"type": "avro", "schema": "no.avsc"}, r"codec\.schema: the file .*no\.avsc does not exist"),
            ({"type": "protobuf", "descriptor": "choreo.yaml"}, "the codec 'protobuf' needs the key 'message'"),
            ({"type": "protobuf", "descriptor": "choreo.yaml", "message": "M"}, "not a compiled descriptor set"),
        ],
    )
    def test_what_cannot_be_set_up_names_file_line_and_key(self, tmp_path: Path, codec: object, message: str) -> None:
        (tmp_path / "choreo.yaml").write_text("default_profile: memory\n")
        with pytest.raises(ConfigError, match=rf"^choreo\.yaml:3: bus.*{message}"):
            codec_of(codec, tmp_path)

    @pytest.mark.parametrize(
        ("name", "library"), [("msgpack", "msgpack"), ("avro", "fastavro"), ("protobuf", "google")]
    )
    def test_a_missing_extra_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: Callable[[str], None], name: str, library: str
    ) -> None:
        (tmp_path / "f").write_text("")
        without(library)
        monkeypatch.delitem(sys.modules, f"choreo_bdd.codecs.{name}")
        with pytest.raises(ConfigError, match=rf"pip install 'choreo-bdd\[{name}\]'"):
            codec_of({"type": name, "schema": "f", "descriptor": "f", "message": "M"}, tmp_path)

    @pytest.mark.parametrize(
        "codec",
        [
            "{type: json, schema: x}",
            "{type: avro}",
            "{type: avro, schema: a, message: m}",
            "{type: protobuf, message: m}",
        ],
    )
    def test_keys_of_another_codec_are_refused_with_their_line(self, tmp_path: Path, codec: str) -> None:
        path = tmp_path / "choreo.yaml"
        path.write_text(f"profiles:\n  p:\n    bus:\n      type: memory\n      codec: {codec}\n")
        with pytest.raises(ConfigError, match=r"choreo\.yaml:5: profiles\.p\.bus\.codec"):
            load_config(path, schema=config_schema())


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a library impossible to import, as if it were not installed."""
    real = builtins.__import__

    def hide(library: str) -> None:
        def importing(name: str, *args: Any, **kwargs: Any) -> Any:
            if name.partition(".")[0] == library:
                raise ModuleNotFoundError(f"No module named {library!r}", name=library)
            return real(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", importing)

    return hide


@pytest.mark.parametrize("data", [b"\xc1", b"\x06A"])
async def test_bytes_it_cannot_read_are_undecodable(transport: MockTransport, order_schema: Path, data: bytes) -> None:
    codec: Codec = MsgpackCodec() if data == b"\xc1" else AvroCodec(order_schema)
    reading = Harness(transport, codec=codec)
    await reading.connect()
    async with reading.scenario("undecodable") as s:
        handle = s.expect("orders.settled", exists())
        raw("orders.settled", data)(s)
        s.scope.verdicts.expire(s.scope.expectations[0])
    await reading.disconnect()
    assert handle.diagnosis is not None
    assert handle.diagnosis.cause is Cause.UNDECODABLE


@pytest.mark.thorough
@pytest.mark.parametrize(
    "inner",
    [["null", "N"], {"type": "array", "items": "N"}, {"type": "map", "values": ["null", "N"]},
     {"type": "record", "name": "M", "fields": [{"name": "n", "type": ["null", "N"]}]}],
)  # fmt: skip
def test_bytes_do_not_say_how_deep_an_avro_value_goes(tmp_path: Path, inner: object) -> None:
    path = tmp_path / "node.avsc"
    path.write_text(json.dumps({"type": "record", "name": "N", "fields": [{"name": "inner", "type": inner}]}))
    code = (
        "import pathlib, sys\nfrom choreo_bdd.codecs.avro import AvroCodec\n"
        "codec = AvroCodec(pathlib.Path(sys.argv[1]))\n"
        "try: codec.decode(b'\\x02' * 400_000)\n"
        "except ValueError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, "not a value of node.avsc" in done.stdout) == (0, True), done


def test_an_avro_list_of_its_own_kind_is_read(tmp_path: Path) -> None:
    path = tmp_path / "node.avsc"
    path.write_text(
        json.dumps({"type": "record", "name": "N", "fields": [
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "next", "type": ["null", "N"], "default": None},
        ]})
    )  # fmt: skip
    codec = AvroCodec(path)
    value = {"at": "2026-01-01T00:00:00+00:00", "next": {"at": "2026-01-02T00:00:00+00:00", "next": None}}
    assert codec.decode(codec.encode(value)) == value
