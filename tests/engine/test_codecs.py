"""Codecs."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choreo_bdd.codecs import Codec, JSONCodec, RawCodec, TextCodec

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("codec", [JSONCodec(), JSONCodec(strict=True), RawCodec(), TextCodec()])
def test_each_is_a_codec_by_structure(codec: object) -> None:
    assert isinstance(codec, Codec)
    assert not isinstance(object(), Codec)


class TestJson:
    @given(JSON)
    def test_the_round_trip_is_lossless(self, value: Any) -> None:
        assert JSONCodec().decode(JSONCodec().encode(value)) == value

    def test_it_is_compact_and_ascii(self) -> None:
        assert JSONCodec().encode({"ü": [1, None, True]}) == b'{"\\u00fc":[1,null,true]}'

    @pytest.mark.parametrize("data", [b"", b"not json", b"\xff\xfe\xff", b"{", b"[" * 100_000])
    def test_what_does_not_parse_comes_back_as_it_is(self, data: bytes) -> None:
        assert JSONCodec().decode(data) == data

    @pytest.mark.parametrize("data", [b"", b"not json", b"\xff\xfe\xff", b"{", b"[" * 100_000])
    def test_strictly_it_is_an_error(self, data: bytes) -> None:
        with pytest.raises(ValueError, match=r"."):
            JSONCodec(strict=True).decode(data)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8"])
    def test_other_unicode_encodings_are_detected(self, encoding: str) -> None:
        assert JSONCodec().decode('{"a": "ü"}'.encode(encoding)) == {"a": "ü"}

    @pytest.mark.parametrize("value", [b"x", bytearray(b"x")])
    def test_bytes_are_refused_by_name(self, value: Any) -> None:
        with pytest.raises(TypeError, match="bytes"):
            JSONCodec().encode(value)

    @pytest.mark.parametrize("value", [object(), {1, 2}, {"a": b"nested"}, 1j])
    def test_what_json_cannot_hold_is_refused(self, value: Any) -> None:
        with pytest.raises(TypeError):
            JSONCodec().encode(value)

    def test_a_value_that_contains_itself_is_refused_like_any_other(self) -> None:
        endless: list[Any] = []
        endless.append(endless)
        with pytest.raises(TypeError, match="JSON"):
            JSONCodec().encode(endless)

    def test_numbers_outside_json_pass_both_ways(self) -> None:
        assert JSONCodec().encode(math.inf) == b"Infinity"
        assert JSONCodec().decode(b"-Infinity") == -math.inf
        assert math.isnan(JSONCodec().decode(JSONCodec().encode(math.nan)))


class TestRaw:
    @given(st.binary())
    def test_bytes_stay_as_they_are(self, data: bytes) -> None:
        assert RawCodec().decode(data) == data
        assert RawCodec().encode(data) == data

    def test_a_bytearray_becomes_bytes(self) -> None:
        encoded = RawCodec().encode(bytearray(b"x"))
        assert encoded == b"x"
        assert isinstance(encoded, bytes)

    @pytest.mark.parametrize("value", ["text", {"a": 1}, None, 7])
    def test_anything_else_is_refused_by_name(self, value: Any) -> None:
        with pytest.raises(TypeError, match="bytes"):
            RawCodec().encode(value)


class TestText:
    def test_text_goes_as_utf_8(self) -> None:
        assert TextCodec().encode("ü") == b"\xc3\xbc"
        assert TextCodec().decode(b"\xc3\xbc") == "ü"

    def test_what_is_no_text_is_an_error(self) -> None:
        with pytest.raises(TypeError, match="str"):
            TextCodec().encode(7)
        with pytest.raises(UnicodeDecodeError):
            TextCodec().decode(b"\xff")
