"""What a replay says: each scenario with its steps and what the failing one tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_steps.recorded_file import RecordingError, read_recordings
from choreo_bdd_steps.recording import RECORD, Recording
from choreo_bdd_steps.replaying.replay import ReplayContexts, Replayed, find_scenario, replay

_LOOK_EVERY_S = 0.3


def replay_report(file: Path, place: str | None) -> tuple[str, int]:
    """The text on all recordings that a place means, and how many of their scenarios fail. Raises ``ChoreoError``."""
    parts, failed, contexts = [], 0, ReplayContexts()
    for recording in _chosen(file, place):
        begun, context = time.perf_counter(), contexts.of(recording)
        replayed = replay(recording, find_scenario(recording), context)
        failed += replayed.failure is not None
        parts.append("\n".join(_lines(replayed, (time.perf_counter() - begun) * 1000)))
    total = f"{len(parts)} scenario(s) judged anew: {len(parts) - failed} pass, {failed} fail"
    return "\n\n".join([*parts, total]), failed


def watch_report(file: Path, place: str | None, say: Callable[[str], None]) -> None:
    """Say it again whenever one of the features, or the file itself, changes; ends with an interrupt.

    Raises ``ChoreoError`` for a file that cannot be read to begin with.
    """
    features = _features(file)
    seen: dict[Path, int] = {}
    while True:
        now = {each: _changed(each) for each in (file, *features)}
        if now != seen:
            seen = now
            try:
                features = _features(file)
                say(replay_report(file, place)[0])
            except ChoreoError as error:  # a file that is being written
                say(str(error))
        time.sleep(_LOOK_EVERY_S)  # no file system tells of a change in the same way everywhere


def _features(file: Path) -> list[Path]:
    return sorted({Path(each.feature) for each in read_recordings(file)})


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _chosen(file: Path, place: str | None) -> list[Recording]:
    recordings = list(read_recordings(file))
    if not recordings:
        raise RecordingError(
            f"{file} holds no recording, so there is nothing to judge anew: a run records the scenarios that fail, "
            f"and with {RECORD}=all those that pass, too"
        )
    if place is None:
        return recordings
    feature, _, line = place.rpartition(":") if place.rpartition(":")[2].isdigit() else (place, "", "")
    there = [each for each in recordings if Path(each.feature).resolve() == Path(feature).resolve()]
    chosen = [each for each in there if not line or _is_at(each, int(line))]
    if not chosen:
        held = ", ".join(sorted({each.nodeid for each in recordings}))
        raise RecordingError(f"{file} has no recording of {place}; it has {held}")
    return chosen


def _is_at(recording: Recording, line: int) -> bool:
    scenario = find_scenario(recording)
    return scenario.line == line or scenario.begins_at <= line <= max(step.line for step in scenario.steps)


def _lines(replayed: Replayed, took_ms: float) -> Iterator[str]:
    scenario, recording = replayed.scenario, replayed.recording
    verdict = "FAIL" if replayed.failure is not None else "PASS"
    yield f"{verdict}  {recording.feature}:{scenario.line}  {scenario.name}  ({took_ms:.0f} ms)"
    for step in scenario.steps:
        sign = "x" if step.line == replayed.line else "." if step.line in replayed.skipped else "+"
        if step.line in (*replayed.passed, *replayed.skipped, replayed.line):
            yield f"  {sign} {step.line}: {step.keyword} {step.text}"
    if replayed.failure is not None:
        yield from (f"      {line}" for line in replayed.failure.splitlines())
    if replayed.skipped:
        yield "  . steps of your own are not carried out here; what they caused was recorded"
    for line in replayed.undefined:
        yield (
            f"  . {recording.feature}:{line}: no step of the project is defined so: unless a package has it, "
            f"a live run fails there as undefined; define it in Python, or use a phrase of `choreo-bdd steps`"
        )
    if recording.masked:
        yield f"  {recording.masked} part(s) of the recording are masked: what a check asks of them cannot be judged"
    dropped = sum(link.dropped for link in recording.links.values())
    if dropped:
        yield f"  the first {dropped} message(s) were too many to be kept"
