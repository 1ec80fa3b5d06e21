"""A request's body, whole and decoded, within bounds."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from choreo_bdd_chronicle.answer.errors import ApiError

_GZIP = zlib.MAX_WBITS | 16
_PIECE = 1 << 20


async def read_body(pieces: AsyncIterator[bytes], encoding: str, most: int) -> bytes:
    """The decoded bytes. ``ApiError`` 413 beyond ``most``, 415 for an unknown encoding, 400 for a broken one."""
    match encoding.strip().lower():
        case "" | "identity":
            return await _plain(pieces, most)
        case "gzip" | "x-gzip":
            return await _unzipped(pieces, most)
        case other:
            raise ApiError(415, f"Content-Encoding {other!r} is not understood; send gzip or none")


async def _plain(pieces: AsyncIterator[bytes], most: int) -> bytes:
    body, size = list[bytes](), 0
    async for piece in pieces:
        body.append(piece)
        size += len(piece)
        _check(size, most)
    return b"".join(body)


async def _unzipped(pieces: AsyncIterator[bytes], most: int) -> bytes:
    """Never more than ``most`` and one piece are held, however much the client's bytes would become."""
    body, decoder = bytearray(), zlib.decompressobj(_GZIP)
    try:
        async for piece in pieces:
            rest = piece
            while rest and not decoder.eof:
                body += decoder.decompress(rest, _PIECE)
                _check(len(body), most)
                rest = decoder.unconsumed_tail
            if rest or decoder.unused_data:
                raise ApiError(400, "the gzip body goes on after its end")
    except zlib.error as problem:
        raise ApiError(400, f"the body is no gzip: {problem}") from problem
    if not decoder.eof:
        raise ApiError(400, "the gzip body is cut off")
    return bytes(body)


def _check(size: int, most: int) -> None:
    if size > most:
        raise ApiError(413, f"the report is larger than {most} bytes; send a smaller one or raise the server's limit")
