"""Recordings of a report judged anew, held against what the live run has said."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

from choreo_bdd_steps.recorded_file import read_recordings
from choreo_bdd_steps.replaying.replay import ReplayContexts, find_scenario, replay


def differing_replays(report: Path) -> dict[str, tuple[str, str]]:
    """Tests of a report that failed otherwise than their replay does, or have no recording, with both texts.

    Milliseconds may differ.
    """
    results = json.loads((report / "results.json").read_text("utf-8"))
    live = {test["nodeid"].strip(): test["traceback"] or "" for test in results["tests"] if test["outcome"] == "failed"}
    differing, seen, contexts = {}, set(), ReplayContexts()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for recording in read_recordings(report / "recordings.jsonl"):
            nodeid = recording.nodeid.strip()
            seen.add(nodeid)
            judged = replay(recording, find_scenario(recording), contexts.of(recording)).failure or "it passes"
            if _told(judged) not in _told(live[nodeid]):
                differing[nodeid] = (live[nodeid], judged)
    missing = {nodeid: (text, "no recording") for nodeid, text in live.items() if nodeid not in seen}
    return differing | {nodeid: found for nodeid, found in missing.items() if _has_run(found[0])}


def _told(text: str) -> str:
    return re.sub(r"[\d.]+ ms", "N ms", "\n".join(line.strip() for line in text.strip().splitlines()))


def _has_run(text: str) -> bool:
    """Whether anything of the scenario was carried out: one that cannot be read has no traffic."""
    return "[FAIL]" in text or "[TIMEOUT]" in text or "[SLOW]" in text
