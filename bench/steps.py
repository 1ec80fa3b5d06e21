"""What the library's steps cost beside steps that do nothing, under the same framework, in one run.

python bench/steps.py                        both frameworks; only the ratios count
python bench/steps.py --profile behave       where one framework's library run spends its time (or: pytest)

500 scenarios of four library steps on the memory bus against 500 of four no-op steps. Rounds alternate, so that a
machine that changes its speed changes it for both.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCENARIOS = 500
ROUNDS = 3
GOALS = {"behave": 2.0, "pytest": 1.5}

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


def run(framework: str, folder: Path, *before: str) -> tuple[float, float]:
    """Wall and processor seconds of one whole run, the start of Python included."""
    command = [sys.executable, *before, *COMMANDS[framework]]
    begun, used = time.perf_counter(), cpu_of_children()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    wall, cpu = time.perf_counter() - begun, cpu_of_children() - used
    if done.returncode:
        raise SystemExit(f"{framework} in {folder} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return wall, cpu


def cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compare(framework: str, library: Path, noop: Path) -> None:
    pairs = [(run(framework, library), run(framework, noop)) for _ in range(ROUNDS)]
    wall, cpu = (statistics.median(ours[kind] / theirs[kind] for ours, theirs in pairs) for kind in (0, 1))
    ours, theirs = (statistics.median(each[side][0] for each in pairs) for side in (0, 1))
    print(
        f"{framework:<8} library {ours:6.2f} s   no-op {theirs:6.2f} s   wall ratio {wall:5.2f}   "
        f"processor ratio {cpu:5.2f}   goal {GOALS[framework]}"
    )


def profile(framework: str, library: Path) -> None:
    import pstats

    statistics_file = library / "profile.out"
    run(framework, library, "-m", "cProfile", "-o", str(statistics_file))
    pstats.Stats(str(statistics_file)).sort_stats("tottime").print_stats(35)


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        library = write_project(Path(place) / "library", LIBRARY_SCENARIO, {"features/steps/choreo.py": LOADER})
        noop_files = {
            "features/steps/noop.py": NOOP_BEHAVE,
            "features/conftest.py": NOOP_PYTEST,
            "choreo.yaml": CONFIG,  # which pytest collects feature files by, and nobody reads
        }
        noop = write_project(Path(place) / "noop", NOOP_SCENARIO, noop_files)
        if arguments[:1] == ["--profile"]:
            profile(arguments[1], library)
        else:
            for framework in GOALS:
                compare(framework, library, noop)


if __name__ == "__main__":
    main(sys.argv[1:])
