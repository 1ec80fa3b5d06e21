"""Attachments: what is kept of them, and that what is not kept is told."""

from __future__ import annotations

from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.attachments import BINARY_MAX_BYTES, TEXT_MAX_BYTES, attachment


def test_a_long_text_is_cut_after_masking_and_says_so() -> None:
    kept = attachment("text/plain", b"x" * TEXT_MAX_BYTES + b" password=opensesame", Redactor())
    assert kept["cut"]
    assert kept["size"] == TEXT_MAX_BYTES + 20
    assert len(kept["text"].encode()) == TEXT_MAX_BYTES


def test_a_secret_at_the_cut_does_not_show_its_beginning() -> None:
    kept = attachment("text/plain", "x" * (TEXT_MAX_BYTES - 14) + " password=opensesame", Redactor())
    assert "open" not in kept["text"]


def test_what_is_too_large_and_no_text_is_left_out_whole() -> None:
    kept = attachment("image/png", b"x" * (BINARY_MAX_BYTES + 1), Redactor())
    assert kept == {"name": "", "media_type": "image/png", "size": BINARY_MAX_BYTES + 1, "base64": None, "cut": True}


def test_text_that_is_no_text_is_kept_readable() -> None:
    assert attachment("text/plain", b"\xff\x00ok", Redactor())["text"] == "\ufffd\u2400ok"
    assert attachment("application/json", "\ud800", Redactor())["cut"] is False
