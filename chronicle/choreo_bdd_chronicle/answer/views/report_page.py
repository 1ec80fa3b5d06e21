"""A stored report as the reporter's own page."""

from __future__ import annotations

import gzip
import io
import json

from choreo_bdd_chronicle.answer.errors import ApiError

PAGE_MAX = 64 * 1024 * 1024
APART = (
    "sandbox allow-scripts allow-downloads allow-popups; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; media-src data: blob:; font-src data:; frame-ancestors 'self'"
)
"""The page brings its script with it, and what a report holds is anybody's: it runs without this origin's rights."""


def drawn(gzipped: bytes) -> bytes:
    """The page of a report. ``ApiError`` 413 for one too large to be shown at once."""
    from choreo_bdd_reporter.page import PageTooLargeError, write_page  # noqa: PLC0415 - a quarter of the start's time

    page = io.StringIO()
    try:
        write_page(json.loads(gzip.decompress(gzipped)), {}, page, at_most=PAGE_MAX)
    except PageTooLargeError as problem:
        raise ApiError(413, "The report is too large for a page; fetch it raw and draw it yourself.") from problem
    return page.getvalue().encode("utf-8", "replace")
