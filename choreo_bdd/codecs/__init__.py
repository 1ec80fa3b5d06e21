"""Codecs: payload values to bytes and back; the extra ones are imported where chosen."""

from choreo_bdd.codecs.base import Codec, JSONCodec, RawCodec, TextCodec

__all__ = ["Codec", "JSONCodec", "RawCodec", "TextCodec"]
