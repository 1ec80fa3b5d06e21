"""The truth laboratory: every defect, on every broker, under both frameworks, has to be told as what it is.

    python -m bench.truth.laboratory [--broker KIND …] [--framework NAME …] [--defect NAME …] [--healthy N]

The order pipeline, a program of its own over the broker's own client, errs as an order asks it to. A feature a defect
(``bench/truth/features``) runs against it. What the written report says of its failing check, outcome and cause, is
compared with the frozen table (``bench/truth/table.py``). Prints a row a defect, a column a broker and framework:
``ok``, or what was said instead, or why the cell cannot exist. The last row is a control, which is wrong on purpose
and has to differ. Exits 1 when a cell differs, or the control does not.

``--healthy N`` runs N scenarios a broker on a pipeline without defects instead, a program that eats a processor beside
them: none may fail.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from bench.truth.table import CONTROL, DEFECTS, FRAMEWORKS, KINDS, Defect, Verdict
from choreo_bdd.brokers import start
from choreo_bdd_reporter.read.entries import Entry, group_entries
from choreo_bdd_reporter.read.findings import findings_of
from choreo_bdd_reporter.read.report import read_report
from tests.support.proxy import Proxy, proxy_to

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PATHS = (str(ROOT), str(ROOT / "examples"))
READY_S = 60
MATCHED = Verdict("pass", "matched")
Told = Mapping[str, Verdict]
"""What a report says of each scenario, by the scenario's name."""


@asynccontextmanager
async def stage(kind: str) -> AsyncIterator[dict[str, str]]:
    """The broker, the other bus behind a wire that can be harmed, the pipeline on both: where features find them."""
    if kind == "memory":
        yield {}
        return
    name: Any = kind
    async with AsyncExitStack() as stack:
        bus = stack.enter_context(await asyncio.to_thread(start, name))
        audit = stack.enter_context(await asyncio.to_thread(start, "nats"))
        proxy = await stack.enter_async_context(proxy_to(audit.port))
        stack.push_async_callback(_mended, proxy)
        control = await asyncio.start_server(_harming(proxy), "127.0.0.1", 0)
        stack.callback(control.close)
        await stack.enter_async_context(program("bench.truth.services", kind, bus.url, audit.url))
        yield {
            "LABORATORY_BUS": bus.url,
            "LABORATORY_AUDIT": f"nats://127.0.0.1:{proxy.port}",
            "LABORATORY_CONTROL": str(control.sockets[0].getsockname()[1]),
        }


async def _mended(proxy: Proxy) -> None:
    """Let what waits in the wire come to its end, while there still is a server behind it."""
    proxy.resume()
    await asyncio.sleep(0.2)


def _harming(proxy: Proxy) -> Any:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        what = (await reader.readline()).decode().strip()
        (proxy.resume if what == "whole" else proxy.stall)()
        writer.write(b"ok")
        writer.close()

    return serve


@asynccontextmanager
async def program(module: str, *arguments: str) -> AsyncIterator[None]:
    """A program of ours that says when it is ready, until the block ends."""
    command = (sys.executable, "-m", module, *arguments)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_S):
            said = await process.stdout.readline()
        if said.strip() != b"ready":
            raise SystemExit(f"{module} did not start")
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def told_of(
    kind: str, framework: str, features: Iterable[Path], environment: Mapping[str, str], folder: Path = HERE
) -> Told:
    """Run features under a framework; what the report says of each scenario."""
    async with report_of(kind, framework, features, environment, folder) as report:
        return told_in(report)


@asynccontextmanager
async def report_of(
    kind: str, framework: str, features: Iterable[Path], environment: Mapping[str, str], folder: Path
) -> AsyncIterator[Path]:
    """Run features under a framework: its report, until the block ends. ``SystemExit`` when there is none."""
    with tempfile.TemporaryDirectory() as report:
        chosen = sorted(str(feature.relative_to(folder)) for feature in features)
        command = {
            "behave": ("behave", *chosen, f"-Dchoreo.profile={kind}", "-f", "choreo", "-o", report),
            "pytest-bdd": (
                *("pytest", *chosen, f"--choreo-profile={kind}", f"--harness-report={report}"),
                *("-pno:cacheprovider", "-q", "--tb=no", f"--rootdir={folder}"),
            ),
        }[framework]
        kept = {
            name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "HARNESS", "CHOREO"))
        }
        paths = os.pathsep.join([*PATHS, *filter(None, [kept.get("PYTHONPATH")])])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *command),
            cwd=folder,
            env={**kept, **environment, "PYTHONPATH": paths},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if not (Path(report) / "results.json").is_file():
            raise SystemExit(f"{framework} on {kind} wrote no report:\n{said.decode('utf-8', 'replace')[-3000:]}")
        yield Path(report)


def told_in(report: Path) -> Told:
    """What a report says of each scenario."""
    read = read_report(report)
    return {
        str((entry.scenario or entry.test)["name"]): _verdict(entry)
        for group in group_entries(read.results, read.gherkin)
        for entry in group.entries
    }


def _verdict(entry: Entry) -> Verdict:
    """Of the worst check; a test whose outcome is another than its checks' is told as such."""
    findings, outcome = findings_of(entry), entry.test["outcome"]
    if bool(findings) == (outcome == "passed"):
        return Verdict(outcome, f"with {len(findings)} findings")
    return Verdict(findings[0]["status"], findings[0]["cause"]) if findings else MATCHED


def cell(defect: Defect, kind: str, told: Told) -> str:
    """``ok``, or what was said instead; or why there is no such cell."""
    if kind in defect.impossible:
        return defect.impossible[kind]
    found = told.get(defect.name)
    if found is None:
        return "NOT RUN"
    return "ok" if found == defect.expected_on(kind) else f"RED {found}"


async def compare(kinds: Sequence[str], frameworks: Sequence[str], defects: Sequence[Defect]) -> int:
    """Run everything and print the table; how many cells are red, or could not be and should."""
    told: dict[tuple[str, str], Told] = {}
    for kind in kinds:
        chosen = {defect.feature for defect in (*defects, CONTROL) if kind not in defect.impossible}
        async with stage(kind) as environment:
            told |= await _of_both(kind, frameworks, chosen, environment)
    cells = {
        (defect, column): cell(defect, column[0], found)
        for defect in (*defects, CONTROL)
        for column, found in told.items()
    }
    _print(defects, tuple(told), cells)
    red = sum(text.startswith(("RED", "NOT")) for (defect, _), text in cells.items() if defect is not CONTROL)
    impossible = sum(column[0] in defect.impossible for defect in defects for column in told)
    possible = len(defects) * len(told) - impossible
    print(f"\n{len(defects)} defects: {possible - red} of {possible} cells green, {impossible} cannot exist")
    is_compared = all(cells[CONTROL, column].startswith("RED") for column in told)
    if not is_compared:
        print("the control is green: nothing is compared")
    return red + (not is_compared)


async def _of_both(
    kind: str, frameworks: Sequence[str], features: Collection[Path], environment: Mapping[str, str]
) -> dict[tuple[str, str], Told]:
    """What each framework's report says; one after the other where an outage of one would be the other's as well."""
    at_once = asyncio.Semaphore(len(frameworks) if kind == "memory" else 1)

    async def of(framework: str) -> Told:
        async with at_once:
            began = time.monotonic()
            told = await told_of(kind, framework, features, environment)
            print(f"{kind}, {framework}: {len(features)} scenarios in {time.monotonic() - began:.0f} s", flush=True)
            return told

    told = await asyncio.gather(*map(of, frameworks))
    return {(kind, framework): each for framework, each in zip(frameworks, told, strict=True)}


def _print(
    defects: Sequence[Defect], columns: Sequence[tuple[str, str]], cells: Mapping[tuple[Defect, tuple[str, str]], str]
) -> None:
    heads = [f"{kind}/{framework.removesuffix('-bdd')}" for kind, framework in columns]
    green, red, plain = ("\x1b[32m", "\x1b[31m", "\x1b[0m") if sys.stdout.isatty() else ("", "", "")
    width = max(12, *map(len, heads))
    print(f"\n{'defect':<33} {'expected':<27} " + " ".join(f"{head:<{width}}" for head in heads))
    for defect in (*defects, CONTROL):
        texts = [cells[defect, column] for column in columns]
        colours = [red if text.startswith(("RED", "NOT")) else green if text == "ok" else "" for text in texts]
        row = " ".join(f"{colour}{text:<{width}}{plain}" for colour, text in zip(colours, texts, strict=True))
        name = f"{defect.name} (control)" if defect is CONTROL else defect.name
        print(f"{name:<33} {defect.verdict!s:<27} {row}")
    for kind in dict.fromkeys(kind for kind, _ in columns):
        others = [f"{defect.name} → {defect.on[kind]}" for defect in defects if kind in defect.on]
        if others:
            print(f"on {kind}: {', '.join(others)}")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What stands on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", action="append", choices=KINDS, dest="kinds")
    parser.add_argument("--framework", action="append", choices=FRAMEWORKS, dest="frameworks")
    parser.add_argument("--defect", action="append", choices=[defect.name for defect in DEFECTS], dest="defects")
    parser.add_argument("--healthy", type=int, metavar="N", help="run N scenarios that have to pass, under load")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; the exit code."""
    options = arguments(given)
    kinds, frameworks = options.kinds or KINDS, options.frameworks or FRAMEWORKS
    if options.healthy:
        from bench.truth.healthy import run

        return 1 if asyncio.run(run(kinds, frameworks, options.healthy)) else 0
    defects = [defect for defect in DEFECTS if defect.name in (options.defects or [each.name for each in DEFECTS])]
    return 1 if asyncio.run(compare(kinds, frameworks, defects)) else 0


if __name__ == "__main__":
    sys.exit(main())
