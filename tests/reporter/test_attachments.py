"""Attachments: what is kept of them, and that what is not kept is told."""

from __future__ import annotations

from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.record.attachments import (
    ATTACHMENTS_MAX,
    BINARY_MAX_BYTES,
    TEXT_MAX_BYTES,
    Attachments,
    attachment,
)


def test_a_long_text_is_cut_after_masking_and_says_so() -> None:
    kept = attachment("text/plain", b"x" * TEXT_MAX_BYTES + b" password=opensesame", Redactor())
    assert kept["cut"]
    assert kept["size"] == TEXT_MAX_BYTES + 20
    assert len(kept["text"].encode()) == TEXT_MAX_BYTES


def test_a_secret_at_the_cut_does_not_show_its_beginning() -> None:
    kept = attachment("text/plain", "x" * (TEXT_MAX_BYTES - 14) + " password=opensesame", Redactor())
    assert "open" not in kept["text"]


def test_what_is_too_large_and_no_text_is_left_out_whole() -> None:
    kept = attachment("image/png", b"\x89PNG\r\n\x1a\n".ljust(BINARY_MAX_BYTES + 1), Redactor())
    assert kept == {"name": "", "media_type": "image/png", "size": BINARY_MAX_BYTES + 1, "base64": None, "cut": True}


def test_text_that_is_no_text_is_kept_readable() -> None:
    assert attachment("text/plain", b"\xff\x00ok", Redactor())["text"] == "\ufffd\u2400ok"
    assert attachment("application/json", "\ud800", Redactor())["cut"] is False


def test_a_text_in_disguise_is_masked_like_one() -> None:
    kept = attachment("application/octet-stream", b"password=opensesame", Redactor(), "token=opensesame")
    assert kept["text"] == "password=<redacted>"
    assert kept["name"] == "token=<redacted>"
    assert attachment("application/octet-stream", b"\xff\xfe", Redactor())["base64"] == "//4="


def test_what_was_taken_counts_toward_the_limit() -> None:
    attached = Attachments()
    for number in range(ATTACHMENTS_MAX):
        attached.add("text/plain", str(number))
    assert len(attached.take(Redactor())) == ATTACHMENTS_MAX
    attached.add("text/plain", "one more")
    (note,) = attached.take(Redactor())
    assert note["name"] == "1 more, left out"
    assert attached.take(Redactor()) == []
