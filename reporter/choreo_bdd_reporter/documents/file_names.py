"""The files of a report directory by their names, which those who write it and those who read it share."""

from __future__ import annotations

RESULTS = "results.json"
PAGE = "index.html"
MESSAGES = "messages.ndjson"
HISTORY = "history.jsonl"
RECORDINGS = "recordings.jsonl"
"""The traffic of scenarios that failed, a line each."""
PARTIAL = ".partial.jsonl"
"""The journal of a run that has not ended."""
JOURNAL_FORMAT = 1
"""Of the journal's lines; in the first of them."""
