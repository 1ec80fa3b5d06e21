"""What a crashed run left behind, as a report: the journal that its end would have turned into one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from choreo_bdd_reporter.document import SCHEMA_VERSION, TestFacts, attempts_document, feature_documents, run_document
from choreo_bdd_reporter.journal import FORMAT
from choreo_bdd_reporter.model import Attempt, Environment, Run


@dataclass(frozen=True, slots=True)
class Recovered:
    """The documents of a report that was never finished."""

    results: dict[str, Any]
    gherkin: dict[str, Any]


def recover(lines: Iterable[str]) -> Recovered | None:
    """A report from the lines of a journal, the last of which may be cut off; ``None`` when it is no journal."""
    read = _parsed(lines)
    head = next(read, None)
    if head is None or head.get("journal") != FORMAT:
        return None
    last: dict[tuple[str, str | None], Any] = {}
    at, redacted = head["started_at"], (0, 0)
    for line in read:
        last[line["test"]["nodeid"], line["test"]["worker_id"]] = line
        at, redacted = line["at"], line["redacted"]
    found = list(last.values())
    facts = [_facts(each["facts"]) for each in found]
    block = run_document(_run(head, at, redacted), (each["test"]["outcome"] for each in found), facts, truncated=True)
    return Recovered(
        results={"schema_version": SCHEMA_VERSION, "run": block, "tests": [each["test"] for each in found]},
        gherkin={
            "features": feature_documents(each["gherkin"] for each in found),
            "details": {each["test"]["nodeid"]: each["details"] for each in found if each["details"]},
            "exit": {"status": None, "interrupted": True},
            **attempts_document(zip((each["test"]["nodeid"] for each in found), facts, strict=True)),
        },
    )


def _facts(known: Any) -> TestFacts:
    staged = known["staged"]
    return TestFacts(
        **{
            **known,
            "single": tuple(known["single"]),
            "staged": None if staged is None else tuple(staged),
            "earlier": tuple(Attempt(**attempt) for attempt in known["earlier"]),
        }
    )


def _parsed(lines: Iterable[str]) -> Iterator[Any]:
    """Whole lines only: the one that was being written when the process died is no loss to speak of."""
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            return


def _run(head: Any, at: str, redacted: Iterable[int]) -> Run:
    fields, text = redacted
    began, ended = (datetime.fromisoformat(moment) for moment in (head["started_at"], at))
    return Run(
        started_at=head["started_at"],
        finished_at=at,
        duration_ms=max(0.0, (ended - began).total_seconds() * 1000),
        environment=Environment(**head["environment"]),
        redacted_fields=fields,
        redacted_text=text,
        interrupted=True,
    )
