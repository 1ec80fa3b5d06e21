"""The order pipeline on a broker, features run against it, and what their report says of each scenario."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from bench.truth.table import Verdict
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
