"""What the library's steps cost beside steps that do nothing, under the same framework, in one run.

    python -m bench.steps                        both frameworks; only the ratios count
    python -m bench.steps --profile behave       where one framework's library run spends its time (or: pytest)

500 scenarios of four library steps on the memory bus against 500 of four no-op steps. Rounds alternate, so that a
machine that changes its speed changes it for both. Both sides keep their bytecode, as an installed package has it:
a first run of each is not counted.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.rows import Row, show

SCENARIOS = 500
ROUNDS = 3
BARS = {"behave": 2.5, "pytest": 1.2}

CONFIG = "profiles:\n  memory:\n    bus: {type: memory}\n"
LOADER = "from choreo_bdd_steps.adapters.behave import use_choreo\n\nuse_choreo()\n"
LIBRARY_SCENARIO = """
  Scenario: number {n}
    Given order_id is {n}
    When I publish "orders.placed":
      | field    | value          |
      | order.id | {{{{ order_id }}}} |
    Then I expect "orders.placed" within 1s:
      | field    | value          |
      | order.id | {{{{ order_id }}}} |
    And I keep "order.id" of "orders.placed" as kept
"""
NOOP_SCENARIO = """
  Scenario: number {n}
    Given nothing number {n}
    When nothing happens here:
      | field    | value |
      | order.id | {n}   |
    Then nothing is seen within 1s:
      | field    | value |
      | order.id | {n}   |
    And nothing is kept as kept
"""
NOOP_BEHAVE = """
from behave import step

@step("nothing number {n}")
def number(context, n): pass

@step("nothing happens here:")
def happens(context): pass

@step("nothing is seen within {d}:")
def seen(context, d): pass

@step("nothing is kept as {name}")
def kept(context, name): pass
"""
NOOP_PYTEST = """
from pytest_bdd import parsers, step

@step(parsers.parse("nothing number {n}"))
def number(n): pass

@step("nothing happens here:")
def happens(datatable): pass

@step(parsers.parse("nothing is seen within {d}:"))
def seen(d, datatable): pass

@step(parsers.parse("nothing is kept as {name}"))
def kept(name): pass
"""
COMMANDS = {
    "behave": ("-m", "behave", "--no-summary", "-f", "null"),
    "pytest": ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:playwright", "features"),
}


def write_project(folder: Path, scenario: str, files: dict[str, str]) -> Path:
    (folder / "features" / "steps").mkdir(parents=True)
    text = "Feature: cost\n" + "".join(scenario.format(n=n) for n in range(SCENARIOS))
    (folder / "features" / "cost.feature").write_text(text, "utf-8")
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")
    return folder


def run(framework: str, folder: Path, *before: str) -> float:
    """Processor seconds of one whole run, the start of Python included."""
    command = [sys.executable, *before, *COMMANDS[framework]]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder.parent / "bytecode")
    used = cpu_of_children()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{framework} in {folder} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return cpu_of_children() - used


def cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compare(framework: str, library: Path, noop: Path) -> Row:
    """By processor time, the start of Python included on both sides."""
    pairs = [(run(framework, library), run(framework, noop)) for _ in range(ROUNDS + 1)][1:]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    took = statistics.median(theirs for _, theirs in pairs)
    name = f"{SCENARIOS} scenarios of four steps under {framework}"
    return Row(name, ratio, bar=BARS[framework], beside=f"steps that do nothing: {took:.2f} s CPU")


def profile(framework: str, library: Path) -> None:
    import pstats

    statistics_file = library / "profile.out"
    run(framework, library, "-m", "cProfile", "-o", str(statistics_file))
    pstats.Stats(str(statistics_file)).sort_stats("tottime").print_stats(35)


@contextmanager
def projects() -> Iterator[tuple[Path, Path]]:
    """One project of library steps, and the same of steps that do nothing."""
    with tempfile.TemporaryDirectory() as place:
        library = write_project(Path(place) / "library", LIBRARY_SCENARIO, {"features/steps/choreo.py": LOADER})
        noop_files = {
            "features/steps/noop.py": NOOP_BEHAVE,
            "features/conftest.py": NOOP_PYTEST,
            "choreo.yaml": CONFIG,  # which pytest collects feature files by, and nobody reads
        }
        yield library, write_project(Path(place) / "noop", NOOP_SCENARIO, noop_files)


def rows() -> Iterator[Row]:
    """A row a framework, as each is measured."""
    with projects() as (library, noop):
        for framework in BARS:
            yield compare(framework, library, noop)


def main(arguments: list[str]) -> int:
    if arguments[:1] != ["--profile"]:
        return show(rows())
    with projects() as (library, _):
        profile(arguments[1], library)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
