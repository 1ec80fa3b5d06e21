"""What tests print: cut before it is masked, masked once, and bounded for a test as for a run."""

from __future__ import annotations

import base64
import random

import pytest

from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.model.limits import STREAM_MAX_BYTES
from choreo_bdd_reporter.record.masking import LAST_LINES
from choreo_bdd_reporter.record.output import FAILED_MAX_CHARS, PASSED_MAX_CHARS, CapturedOutput

LINE = "2027-01-01 12:00:00 INFO order 17 token=0123456789abcdef user=u17\n"
CHATTY = LINE * (100_000 // len(LINE))
TEST = "test_orders.py::test_one"


class Counting(Redactor):
    """Knows how much it was asked to look through, and does not do it."""

    looked_at = 0

    def text(self, text: str) -> str:
        type(self).looked_at += len(text)
        self.stream_matches += 1
        return text


@pytest.fixture(autouse=True)
def nothing_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "looked_at", 0)


def printed(output: CapturedOutput, text: str, *, failed: bool = False, name: str = TEST) -> str:
    return output.take(name, {"stdout": text}, Counting(), failed=failed)["stdout"]


def masked(output: CapturedOutput, text: str) -> str:
    return output.take(TEST, {"stdout": text}, Redactor(), failed=False)["stdout"]


def test_of_many_chatty_tests_so_much_is_looked_through_that_it_does_not_grow_with_what_they_print() -> None:
    for text in (CHATTY, CHATTY * 5):
        output, Counting.looked_at = CapturedOutput(), 0
        kept = [printed(output, text, name=f"test_orders.py::test[{number}]") for number in range(200)]
        assert Counting.looked_at < 2 * PASSED_MAX_CHARS + 200 * 3 * LAST_LINES.chars
        assert sum(map(len, kept)) < PASSED_MAX_CHARS + STREAM_MAX_BYTES + 200 * 2 * LAST_LINES.chars
        assert all(each.endswith(LINE) for each in kept)


def test_what_pytest_repeats_in_each_phase_is_looked_through_once() -> None:
    output, redactor = CapturedOutput(), Counting()
    streams = {"stdout": CHATTY, "stderr": "", "log": LINE}
    phases = [output.take(TEST, streams, redactor, failed=False, last=last) for last in (False, False, True)]
    assert phases[0] == phases[1] == phases[2]
    assert Counting.looked_at < len(CHATTY) + 2 * len(LINE)
    assert redactor.stream_matches == 3 * 3, "each phase tells how much was masked in all of it"


def test_what_becomes_known_in_a_later_phase_is_hidden_in_what_was_looked_through_before() -> None:
    output, redactor = CapturedOutput(), Redactor()
    assert "hunter-2b" in output.take(TEST, {"log": "is hunter-2b"}, redactor, failed=False, last=False)["log"]
    redactor.learn("hunter-2b")
    assert output.take(TEST, {"log": "is hunter-2b"}, redactor, failed=False) == {"log": "is <redacted>"}


def spent() -> CapturedOutput:
    """Output of a run whose tests that passed have printed what there is room for."""
    output = CapturedOutput()
    for _ in range(PASSED_MAX_CHARS // STREAM_MAX_BYTES + 1):
        printed(output, CHATTY)
    return output


def test_when_a_run_has_said_too_much_the_last_lines_of_each_test_are_kept_and_what_is_missing_is_told() -> None:
    numbered = "".join(f"line {number}\n" for number in range(10_000))
    head, *lines = printed(spent(), numbered).splitlines()
    assert lines[-1] == "line 9999"
    assert LAST_LINES.chars * 0.9 < len("\n".join(lines)) <= LAST_LINES.chars
    missing = numbered.index(f"{lines[0]}\n")
    assert head == f"[{missing} bytes truncated]"
    assert printed(spent(), "short\n") == "short\n"


def test_a_test_that_failed_is_read_and_keeps_its_output_when_those_that_passed_no_longer_do() -> None:
    output = spent()
    assert len(printed(output, CHATTY)) < 2 * LAST_LINES.chars
    assert len(printed(output, CHATTY, failed=True)) > STREAM_MAX_BYTES
    for _ in range(FAILED_MAX_CHARS // STREAM_MAX_BYTES + 1):
        printed(output, CHATTY, failed=True)
    assert len(printed(output, CHATTY, failed=True)) < 2 * LAST_LINES.chars


def test_a_failure_in_an_earlier_phase_counts() -> None:
    output = spent()
    output.take(TEST, {"stdout": CHATTY}, Redactor(), failed=True, last=False)
    assert len(printed(output, CHATTY)) > STREAM_MAX_BYTES


def test_the_processes_of_a_run_share_what_it_has_room_for() -> None:
    shared = CapturedOutput(processes=8)
    for _ in range(PASSED_MAX_CHARS // 8 // STREAM_MAX_BYTES + 1):
        printed(shared, CHATTY)
    assert len(printed(shared, CHATTY)) < 2 * LAST_LINES.chars


@pytest.mark.parametrize("behind", [0, 1000, 4000, 4096, 6000])
def test_a_private_key_that_the_cut_parts_from_its_beginning_is_not_shown(behind: int) -> None:
    body = base64.b64encode(random.Random(1).randbytes(6000)).decode()
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    block = "\n".join(("-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----"))
    shown = masked(spent(), "x\n" * 100_000 + block + "\n" + "y\n" * (behind // 2))
    assert not [line for line in lines if line in shown]


@pytest.mark.parametrize("behind", [0, 10, 100, 3000, 4095])
def test_a_long_value_that_the_cut_parts_from_its_name_is_not_shown(behind: int) -> None:
    value = "Zx9" * 3000
    shown = masked(spent(), "x\n" * 100_000 + f"password={value}\n" + "y" * behind)
    assert "Zx9Zx9" not in shown


def test_output_that_is_not_to_be_masked_is_cut_all_the_same() -> None:
    output = CapturedOutput(redact=False)
    assert "token=0123456789abcdef" in masked(output, LINE)
    kept = [printed(output, CHATTY) for _ in range(200)]
    assert Counting.looked_at == 0
    assert len(kept[-1]) < 2 * LAST_LINES.chars
