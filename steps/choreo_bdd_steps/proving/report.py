"""Running a suite to record it, proving what passed, and saying what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.redaction import redact_value
from choreo_bdd.shared.shares import percent
from choreo_bdd_project.gherkin.places import project_of
from choreo_bdd_steps.lint import feature_files
from choreo_bdd_steps.proving.prove import Proof, Prover
from choreo_bdd_steps.recorded_file import RecordingError, read_recordings
from choreo_bdd_steps.recording import PASSED, RECORD, Recording
from choreo_bdd_steps.replaying.replay import ReplayContexts

_FORMATTER = "choreo_bdd_reporter.behave_formatter:ChoreoFormatter"


def texts_of(features: Sequence[Path]) -> dict[Path, bytes]:
    """What stands in each feature file now: a check can only be proven where it has run. Raises ``StepError``."""
    return {path.resolve(): path.read_bytes() for path in feature_files(features)}


def recorded(features: Sequence[Path], framework: str | None) -> list[Recording]:
    """Run features with everything recorded. Raises ``RecordingError`` where the run leaves no recording."""
    missing = next((path for path in features if not path.exists()), None)
    if missing is not None:
        raise RecordingError(f"{missing}: there is no such file or folder")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        named = [str(path) for path in features]
        command = (
            ["behave", "--no-color", "-f", _FORMATTER, "-o", str(report), "-f", "progress", *named]
            if (framework or _framework(features)) == "behave"
            else ["pytest", "-q", "-p", "no:cacheprovider", f"--harness-report={report}", *named]
        )
        ran = subprocess.run(
            [sys.executable, "-m", *command],
            env={**os.environ, RECORD: "all"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        file = report / "recordings.jsonl"
        if not file.is_file():
            raise RecordingError(f"`{' '.join(command[:1])}` recorded no scenario:\n{ran.stdout[-2000:]}")
        return list(read_recordings(file))


def proofs(recordings: Sequence[Recording], as_run: Mapping[Path, bytes] | None = None) -> list[Proof]:
    """A proof for each feature, of its scenarios that passed; ``as_run`` is what stood in their files when they ran."""
    found: dict[str, Proof] = {}
    contexts, prover = ReplayContexts(), Prover(recordings)
    for recording in recordings:
        proof = found.setdefault(recording.feature, Proof(recording.feature))
        if recording.outcome != PASSED:
            proof.unproven.append(f"{recording.nodeid.partition('::')[2]}: it does not pass")
            continue
        try:
            _require_unchanged(Path(recording.feature), as_run or {})
            prover.prove(recording, contexts.of(recording), proof)
        except ChoreoError as error:
            proof.unproven.append(f"{recording.nodeid.partition('::')[2]}: {error}")
    return list(found.values())


def _require_unchanged(feature: Path, as_run: Mapping[Path, bytes]) -> None:
    before = as_run.get(feature.resolve())
    try:
        is_changed = before is not None and feature.read_bytes() != before
    except OSError as error:
        raise RecordingError(f"{feature} cannot be read any more: {error.strerror}") from error
    if is_changed:
        raise RecordingError("its file was changed since it ran, so what was recorded is not of it: prove it again")


def as_text(found: Sequence[Proof]) -> str:
    """What survived, each with its place, then a score a feature."""
    return "\n".join(_lines(found))


def as_json(found: Sequence[Proof]) -> str:
    """The same for other programs."""
    told, _ = redact_value([{**asdict(proof), "score": proof.score} for proof in found])
    return json.dumps(told, indent=2)


def _lines(found: Sequence[Proof]) -> Iterator[str]:
    for proof in found:
        for each in proof.survivors:
            yield f"{each.feature}:{each.line}: still passes although {each.spoilt}: {each.step}"
        yield from (f"{proof.feature}: not proven: {each}" for each in proof.unproven)
    width = max((len(proof.feature) for proof in found), default=0)
    for proof in found:
        noticed = proof.tried - len(proof.survivors)
        yield f"{proof.feature:<{width}}  {noticed} of {proof.tried} noticed  {percent(proof.score, 1)}"


def _framework(features: Sequence[Path]) -> str:
    """behave where the features have steps of its own, else pytest."""
    return "behave" if any(_has_steps(path) for path in features) else "pytest"


def _has_steps(path: Path) -> bool:
    folder = path if path.is_dir() else path.parent
    return any((each / "steps").is_dir() for each in (folder, project_of(folder / "any.feature")))
