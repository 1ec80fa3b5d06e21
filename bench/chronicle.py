"""Every row of what Chronicle is to reach, on both databases, as one table with a bar and whether it was met.

    python -m bench.chronicle [--handles 1000000] [--only sqlite|postgresql|detection] [--part ingest …] [--minutes 30]

Ingest beside a raw insert of the same rows, lists and series over a year of runs, a thousand listeners, reports that
are broken somewhere, kill -9, start, memory, page bytes, and detection judged run by run on series of which the truth
is known. It takes some ten minutes on a quiet machine; sections that would begin after ``--minutes`` are left out, and
said to be. PostgreSQL is left out where there is no server. Exits 1 when a bar was missed or not measured.
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import chronicle_detection
from bench.chronicle_ingest import Rows, asked, fill, ingest, raw_postgres, raw_sqlite
from bench.chronicle_limits import ended, fuzzed, listeners
from bench.chronicle_rows import BASE, Row, at_most, exactly, memory_mb, served
from choreo_bdd_chronicle.pages import Pages
from tests.chronicle import postgres

LISTENERS, FUZZED, KILLED, STARTS = 1000, 2000, 10, 5
TENANTS, SEED = 12, 7000
PAGE_KB = 60
PARTS = ("ingest", "cold start", "kill -9", "fuzz", "listeners", "lists and series")
Section = Callable[[], Iterator[Row]]


def starts(folder: Path, options: Sequence[str]) -> Iterator[Row]:
    """How long a server takes until it answers, with its tables there already."""
    took = []
    for _ in range(STARTS):
        with served(folder, options) as (_, _, seconds):
            took.append(seconds)
    note = f"median; at most {max(took):.2f}"
    yield at_most("cold start", statistics.median(took), 1.5, " s", note)


def a_year(folder: Path, database: str, options: Sequence[str], handles: int, until: float) -> Iterator[Row]:
    """Lists and series over many runs, and what the server holds in memory after them."""
    yield fill(database, handles, until)
    with served(folder, options) as (process, url, _):
        yield from asked(url)
        resident, most = memory_mb(process, "VmRSS"), memory_mb(process, "VmHWM")
        yield at_most("resident after these", resident, 250, " MB", f"at most {most:.0f}")


def pages() -> Iterator[Row]:
    """The dashboard as it travels."""
    found = Pages(BASE)
    size = sum(len(gzip.compress(each)) for each in [*found.assets.values(), found.shell.encode()])
    yield at_most("page bytes, gzipped", size / 1024, PAGE_KB, " KB")


def sections(name: str, folder: Path, database: str, handles: int, until: float) -> Iterator[tuple[str, Section]]:
    """What is measured over one database, by what each part is called."""
    options = () if name == "sqlite" else ("--database", database)

    def raw(rows: Sequence[Rows], clients: int) -> float:
        return raw_sqlite(folder, rows, clients) if name == "sqlite" else raw_postgres(database, rows, clients)

    def taken_in() -> Iterator[Row]:
        with served(folder, options) as (_, url, _):
            yield from ingest(url, name, raw)

    parts: tuple[Section, ...] = (
        taken_in,
        lambda: starts(folder, options),
        lambda: ended(folder, options, KILLED),
        lambda: fuzzed(folder, options, database, FUZZED),
        lambda: listeners(folder, options, database, LISTENERS),
        lambda: a_year(folder, database, options, handles, until),
    )
    yield from zip(PARTS, parts, strict=True)


class Table:
    """Prints rows as they come, and keeps count of what was reached."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._missed: list[str] = []
        self._met = 0

    def show(self, where: str, what: str, section: Section) -> None:
        """All rows of a section, or one that says that time was up."""
        rows = section() if time.monotonic() < self._until else iter([exactly(what, "time was up", "measured")])
        for row in rows:
            verdict = {None: "", True: "met", False: "MISSED"}[row.is_met]
            self._met += row.is_met is True
            if row.is_met is False:
                self._missed.append(f"{where}: {row.what}")
            print(f"| {where:<10} | {row.what:<46} | {row.seen:<66} | {row.wanted:<19} | {verdict:<6} |", flush=True)

    def end(self) -> int:
        """The sum of it, and the status to exit with."""
        print(f"\n{self._met} met, {len(self._missed)} missed{'' if not self._missed else ':'}")
        print("".join(f"  {each}\n" for each in self._missed), end="")
        return 1 if self._missed else 0


def main() -> int:
    asks = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asks.add_argument("--handles", type=int, default=1_000_000, help="in the store that is asked for lists and series")
    asks.add_argument("--only", choices=("sqlite", "postgresql", "detection"))
    asks.add_argument("--part", choices=PARTS, nargs="*", default=PARTS, help="of what is measured over a database")
    asks.add_argument("--minutes", type=float, default=30, help="nothing further is begun after so many")
    told = asks.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    until = time.monotonic() + told.minutes * 60
    table = Table(until)
    load = f"load {os.getloadavg()[0]:.1f}"
    print(f"{os.cpu_count()} cores, {load}, Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}\n")
    print("| where      | what | seen | wanted | |")
    print("| --- | --- | --- | --- | --- |")
    has_postgres = Path("/usr/lib/postgresql").is_dir() or bool(shutil.which("initdb"))
    for name in ("sqlite", "postgresql"):
        if told.only not in (None, name):
            continue
        if name == "postgresql" and not has_postgres:
            table.show(name, "everything", lambda: iter([exactly("everything", "no server here", "measured")]))
            continue
        with ExitStack() as made:
            folder = Path(made.enter_context(tempfile.TemporaryDirectory()))
            database = f"sqlite:///{folder / 'chronicle.db'}"
            if name == "postgresql":
                database = made.enter_context(postgres.running(is_durable=True)).url
            for what, section in sections(name, folder, database, told.handles, until):
                if what in told.part:
                    table.show(name, what, section)
    if told.only is None:
        table.show("dashboard", "page bytes", pages)
    if told.only in (None, "detection"):
        table.show("detection", "detection", lambda: chronicle_detection.rows(TENANTS, SEED))
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
