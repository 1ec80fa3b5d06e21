"""What a report costs beside much captured output: processor seconds with one and without, in turns.

    python -m bench.output [REPETITIONS] [WORD …]

Each shape prints 20 MB. Bar: ``BAR_S`` more with a report than without, at the best of the repetitions of each; how
much of it the report of the same suite costs that prints nothing is told beside it. With words, only shapes with one of
them in their names.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

BAR_S = 1.5
SIZE = 20_000_000
_CHATTY = '2027-01-01 12:00:00 INFO order 17 token=0123456789abcdef http://shop/path?x=1 {"id": 17, "status": "ok"}'
_PLAIN = "2027-01-01 12:00:00 INFO order 17 accepted by worker 4 in 12 ms: 3 items, total 12.50 EUR, no remarks"

_MIXED = "(print, lambda line: print(line, file=sys.stderr), logging.warning)[turn % 3](LINE)"
_TEST = """
import logging, sys, pytest
LINE = {line!r}
@pytest.mark.parametrize("number", range({tests}))
def test_it(number):
    for turn in range({size} // {tests} // len(LINE)):
        {says}
    assert {asserted}
"""
_STEPS = """
import logging, sys
from behave import when
LINE = {line!r}
@when("it talks")
def talk(context):
    for turn in range({size} // {tests} // len(LINE)):
        {says}
    assert {asserted}
"""


@dataclass(frozen=True)
class Shape:
    """A run that prints."""

    name: str
    tests: int = 200
    line: str = _CHATTY
    says: str = "print(LINE)"
    asserted: str = "True"
    arguments: tuple[str, ...] = ()
    is_behave: bool = False


SHAPES = (
    Shape("one test", tests=1),
    Shape("one test, one line", tests=1, line=_CHATTY * 10_000),
    Shape("20 tests of 1 MB", tests=20),
    Shape("200 tests"),
    Shape("200 tests, innocent", line=_PLAIN),
    Shape("200 tests that fail", asserted="False"),
    Shape("2000 tests", tests=2000),
    Shape("200 tests to stderr", says="print(LINE, file=sys.stderr)"),
    Shape("200 tests by logging", says="logging.warning(LINE)"),
    Shape("200 tests, two workers", arguments=("-n", "2")),
    Shape("one test, mixed", tests=1, says=_MIXED),
    Shape("2000 tests, mixed", tests=2000, says=_MIXED),
    Shape("behave, one scenario, mixed", tests=1, says=_MIXED, is_behave=True),
    Shape("behave, 200 scenarios", is_behave=True),
    Shape("behave, 200 scenarios that fail", is_behave=True, asserted="False"),
    Shape("behave, 2000 scenarios, mixed", tests=2000, says=_MIXED, is_behave=True),
)


def _write(shape: Shape, size: int) -> list[str]:
    """The project of a shape that prints so much, and how it is run."""
    told = {"line": shape.line, "tests": shape.tests, "says": shape.says, "asserted": shape.asserted, "size": size}
    if shape.is_behave:
        Path("features/steps").mkdir(parents=True, exist_ok=True)
        scenarios = (f"  Scenario: number {number}\n    When it talks\n" for number in range(shape.tests))
        Path("features/output.feature").write_text("Feature: output\n" + "".join(scenarios))
        Path("features/steps/talk.py").write_text(_STEPS.format(**told))
        Path("behave.ini").write_text(
            "[behave.formatters]\nchoreo = choreo_bdd_reporter.behave_formatter:ChoreoFormatter\n"
        )
        return [sys.executable, "-m", "behave", "-q", "--no-color"]
    Path("pytest.ini").write_text("[pytest]\n")
    Path("test_it.py").write_text(_TEST.format(**told))
    quiet = ("-q", "-p", "no:cacheprovider", "--show-capture=no", "--tb=no")
    return [sys.executable, "-m", "pytest", *quiet, *shape.arguments]


def _cost(command: list[str]) -> float:
    before = os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, check=False)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _more(shape: Shape, size: int, repetitions: int) -> float:
    """What a report costs a suite that prints so much."""
    bare = _write(shape, size)
    by_behave = ["-f", "choreo", "-o", "report", "-f", "pretty"]  # behave gives an output to each in order
    reported = by_behave if shape.is_behave else ["--harness-report=report"]
    costs = [(_cost(bare), _cost([*bare, *reported])) for _ in range(repetitions)]
    without, with_one = (min(each) for each in zip(*costs, strict=True))
    return float(with_one - without)


def main() -> int:
    """Print a table; 1 when a shape is over the bar."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    over = 0
    for shape in SHAPES:
        if sys.argv[2:] and not any(word in shape.name for word in sys.argv[2:]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            silent = _more(shape, 0, repetitions)
            more = _more(shape, SIZE, repetitions)
            assert Path("report/results.json").is_file()
            os.chdir("/")
        over += more > BAR_S
        print(f"{shape.name:34} {more:5.2f} s more, {silent:5.2f} s where it prints nothing", flush=True)
    print(f"{over} shapes above {BAR_S} s more")
    return int(over > 0)


if __name__ == "__main__":
    sys.exit(main())
