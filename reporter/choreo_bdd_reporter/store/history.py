"""What became of each test in earlier runs: ``history.jsonl`` in the report directory, one line a run.

A line says when the run began, on which commit, whether in continuous integration, and of each test, by file and name,
a letter and the percentage of its tightest budget that was left: ``p37``. No message, no text of a failure.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from choreo_bdd_reporter.model.limits import compact_json
from choreo_bdd_reporter.model.notices import notice
from choreo_bdd_reporter.store.atomic_files import replacing

FORMAT = 1
"""Of the lines; in each of them."""
RUNS_KEPT = 50
BYTES_KEPT = 8_000_000
"""The oldest lines give way when there are more runs or bytes than this."""
BYTES_READ = 200_000_000
"""A file of more is nothing that this library has written."""
RUNS_SHOWN = 20
"""So many runs before its own does a page show."""

LETTERS = {"failed": "f", "errored": "e", "slow": "s", "passed": "p", "skipped": "k"}
"""Of outcomes, the worst first."""
NOT_RUN = "."
_NO_ROOM = " "
_ROOM_STEPS = 40
_SEEN = re.compile(f"[{''.join(LETTERS.values())}](-?[0-9]{{1,15}})?")

Seen = tuple[str, str, float | None]
"""Node id and outcome of a test, and the least share of a budget that it left over."""


class History:
    """The history beside a report, as its run finds and leaves it. What goes wrong with it becomes a warning.

    The first run writes its line, too, so that the second has something to tell. To be made before the report is
    written.
    """

    def __init__(self, path: Path, run: Mapping[str, Any]) -> None:
        self._path = path
        self._run = run
        self._runs: list[PastRun] | None = None
        try:
            self._runs = read_history(path)
        except OSError as error:
            notice(f"{path} cannot be read and is left as it is ({error.strerror})")

    def recalled(self, nodeids: Iterable[str]) -> dict[str, Any]:
        """What ``recalled`` knows of these tests."""
        return recalled(self._runs or (), self._run, nodeids)

    def remember(self, tests: Iterable[Seen]) -> None:
        """Put the run into the file, which is replaced by a whole one; a run without tests leaves no line."""
        seen = list(tests)
        if self._runs is None or not seen:
            return
        try:
            with replacing(self._path) as file:
                file.writelines(remembered(self._runs, self._run, seen))
        except OSError as error:
            notice(f"{self._path} was not written ({error.strerror}); this run will be missing from the history")


@dataclass(frozen=True, slots=True)
class PastRun:
    """A line of the file and when its run began."""

    started_at: str
    text: str


def read_history(path: Path) -> list[PastRun]:
    """The runs that the file knows, the oldest first; none without a file. Lines that are no runs are told of.

    Raises ``OSError`` when the file cannot be read, or is far too large.
    """
    if not path.is_file():
        return []
    size = path.stat().st_size
    if size > BYTES_READ:
        raise OSError(errno.EFBIG, f"{size:,} bytes, more than {BYTES_READ:,}")
    runs = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(_lines(file), start=1):
            started_at = _start_of(text)
            if started_at is None:
                notice(f"{path}: line {number} is no run of history format {FORMAT} and is left out")
            else:
                runs.append(PastRun(started_at, text.rstrip()))
    return runs


def _lines(file: TextIO) -> Iterator[str]:
    """The lines of a file; of one longer than the whole history may be, nothing is kept in memory."""
    while text := file.readline(BYTES_KEPT):
        whole = len(text) < BYTES_KEPT or text.endswith("\n")
        yield text if whole else ""
        while not whole:
            rest = file.readline(BYTES_KEPT)
            whole = len(rest) < BYTES_KEPT or rest.endswith("\n")


def recalled(runs: Sequence[PastRun], run: Mapping[str, Any], nodeids: Iterable[str]) -> dict[str, Any]:
    """For the page, under ``history``: the runs before ``run``, and the past of these tests as a character a run.

    Of a test there are the letters, and its headroom in steps of 2.5 percent from ``0``. Empty without earlier runs.
    """
    earlier = [past for past in runs if past.started_at < run["started_at"]][-RUNS_SHOWN:]
    if not earlier:
        return {}
    heads, pasts = [], {nodeid: [NOT_RUN] * len(earlier) for nodeid in nodeids}
    for place, past in enumerate(earlier):
        line = json.loads(past.text)
        heads.append([line["started_at"], line["git_sha"], line["ci"]])
        for nodeid, seen in _tests(line):
            if nodeid in pasts:
                pasts[nodeid][place] = seen
    known = {nodeid: _columns(seen) for nodeid, seen in pasts.items() if any(each != NOT_RUN for each in seen)}
    return {"history": {"runs": heads, "ci": _in_ci(), "tests": known}}


def remembered(runs: Sequence[PastRun], run: Mapping[str, Any], tests: Iterable[Seen]) -> Iterator[str]:
    """The lines of the file with ``run`` as the last; where it was written before, it is replaced."""
    new = _line(run, tests)
    kept, left = [], BYTES_KEPT - len(new)
    for past in reversed([past for past in runs if past.started_at != run["started_at"]][1 - RUNS_KEPT :]):
        left -= len(past.text)
        if left < 0:
            break
        kept.append(past.text)
    return (f"{line}\n" for line in (*reversed(kept), new))


def _line(run: Mapping[str, Any], tests: Iterable[Seen]) -> str:
    files: dict[str, dict[str, str]] = {}
    for nodeid, outcome, headroom in tests:
        file, _, name = nodeid.partition("::")
        seen = LETTERS[outcome] + ("" if headroom is None else str(_steps(headroom, 100)))
        known = files.setdefault(file, {})
        known[name] = min(known.get(name, seen), seen, key=_rank)
    facts = {name: run[name] for name in ("started_at", "git_sha", "git_branch")}
    head = {"history": FORMAT, **facts, "ci": _in_ci()}
    return compact_json({**head, "tests": files})


def _in_ci() -> bool:
    return bool(os.environ.get("CI"))


def _rank(seen: str) -> int:
    return tuple(LETTERS.values()).index(seen[0])


def _start_of(text: str) -> str | None:
    """When the run of a line began; ``None`` where it is none."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return str(line["started_at"]) if isinstance(line, dict) and _is_run(line) else None


def _is_run(line: Mapping[str, Any]) -> bool:
    tests = line.get("tests")
    return (
        line.get("history") == FORMAT
        and isinstance(line.get("started_at"), str)
        and isinstance(line.get("git_sha"), str | None)
        and isinstance(line.get("ci"), bool)
        and isinstance(tests, dict)
        and all(isinstance(names, dict) and all(map(_is_seen, names.values())) for names in tests.values())
    )


def _is_seen(value: Any) -> bool:
    return isinstance(value, str) and _SEEN.fullmatch(value) is not None


def _tests(line: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for file, names in line["tests"].items():
        for name, seen in names.items():
            yield (f"{file}::{name}" if name else file), seen


def _columns(seen: Sequence[str]) -> list[str]:
    return ["".join(each[0] for each in seen), "".join(map(_room, seen)).rstrip()]


def _room(seen: str) -> str:
    """The headroom as a character, a space without one."""
    if len(seen) == 1:
        return _NO_ROOM
    return chr(ord("0") + max(0, _steps(int(seen[1:]) / 100, _ROOM_STEPS)))


def _steps(share: float, all_of_them: int) -> int:
    """A share in whole steps; what is nearly all is not all."""
    return min(round(share * all_of_them), all_of_them if share >= 1 else all_of_them - 1)
