"""Text of any length is masked where it is kept, and costs nothing where it is not."""

from __future__ import annotations

import pytest

from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.model.limits import STREAM_MAX_BYTES
from choreo_bdd_reporter.record.masking import masked

LINE = "2027-01-01 12:00:00 INFO order 17 token=0123456789abcdef user=u17\n"


class Counting(Redactor):
    """A redactor that knows how much it was asked to look through."""

    looked_at = 0

    def text(self, text: str) -> str:
        type(self).looked_at += len(text)
        return super().text(text)


def test_of_a_chatty_log_little_more_is_looked_through_than_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "looked_at", 0)
    shown = masked(Counting(), LINE * 100_000)
    assert Counting.looked_at < 4 * STREAM_MAX_BYTES
    assert "0123456789abcdef" not in shown
    assert shown.endswith("token=<redacted> user=u17\n")


def test_the_missing_bytes_and_those_shown_are_the_whole_text() -> None:
    head, kept = masked(Redactor(), "ß" * 200_000).split("\n", 1)
    assert head == f"[{400_000 - STREAM_MAX_BYTES} bytes truncated]"
    assert kept == "ß" * (STREAM_MAX_BYTES // 2)


@pytest.mark.parametrize("left_before_the_cut", [0, 1, 10, 40])
def test_a_secret_that_the_cut_parts_from_its_name_is_not_shown(left_before_the_cut: int) -> None:
    secret = "Zx9" * 20
    rest = f"{secret[left_before_the_cut:]}\n"
    # what follows becomes so short when it is masked that all of it is kept
    behind = ("password=" + "y" * 10_000 + "\n") * 9
    behind += "." * (2 * STREAM_MAX_BYTES - len(rest) - len(behind))
    shown = masked(Redactor(), "-" * 9000 + "password=" + secret[:left_before_the_cut] + rest + behind)
    assert shown.endswith(".")
    assert "Zx9" not in shown
