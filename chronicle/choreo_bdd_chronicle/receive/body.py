"""A request's body, whole and decoded, within bounds."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from choreo_bdd_chronicle.answer.errors import ApiError

_GZIP = zlib.MAX_WBITS | 16
_PIECE = 1 << 20
_HEARD_OUT = 8
"""So many times what is allowed is read of a body that is too large: before its end few clients listen."""


async def read_body(pieces: AsyncIterator[bytes], encoding: str, most: int) -> bytes:
    """The decoded bytes. ``ApiError`` 413 beyond ``most``, 415 for an unknown encoding, 400 for a broken one."""
    match encoding.strip().lower():
        case "" | "identity":
            read = _plain
        case "gzip" | "x-gzip":
            read = _unzipped
        case other:
            raise ApiError(415, f"Content-Encoding {other!r} is not understood; send gzip or none")
    try:
        return await read(pieces, most)
    except ApiError:
        await _hear_out(pieces, most * _HEARD_OUT)
        raise


async def _plain(pieces: AsyncIterator[bytes], most: int) -> bytes:
    body, size = list[bytes](), 0
    async for piece in pieces:
        body.append(piece)
        size += len(piece)
        _check(size, most)
    return b"".join(body)


async def _unzipped(pieces: AsyncIterator[bytes], most: int) -> bytes:
    """Never more than ``most`` and one piece are held, however much the client's bytes would become.

    A gzip may be several, one after the other (RFC 1952).
    """
    body, decoder, size = bytearray(), zlib.decompressobj(_GZIP), 0
    try:
        async for piece in pieces:
            rest, size = piece, size + len(piece)
            _check(size // 2, most)  # bytes may become nothing, but not without an end
            while rest:
                if decoder.eof:
                    decoder = zlib.decompressobj(_GZIP)
                body += decoder.decompress(rest, _PIECE)
                _check(len(body), most)
                rest = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
    except zlib.error as problem:
        raise ApiError(400, f"the body is no gzip: {problem}") from problem
    if not decoder.eof:
        raise ApiError(400, "the gzip body is cut off")
    return bytes(body)


async def _hear_out(pieces: AsyncIterator[bytes], most: int) -> None:
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > most:
            return


def _check(size: int, most: int) -> None:
    if size > most:
        raise ApiError(413, f"the report is larger than {most} bytes; send a smaller one or raise the server's limit")
