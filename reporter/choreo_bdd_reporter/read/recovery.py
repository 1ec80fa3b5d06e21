"""What a crashed run left behind, as a report: the journal that its end would have turned into one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from choreo_bdd_reporter.documents.file_names import JOURNAL_FORMAT
from choreo_bdd_reporter.documents.results import (
    SCHEMA_VERSION,
    TestFacts,
    attempt_document,
    attempts_document,
    described,
    document_of,
    exit_document,
    feature_documents,
    row_ids,
    run_document,
)
from choreo_bdd_reporter.model.schema_types import Results
from choreo_bdd_reporter.model.tests import Attempt, Environment, Run, Test, Workers, file_and_name
from choreo_bdd_reporter.read.bounded_files import MEMORY_MAX, memory_for, parse

_BROKEN_OFF = "not decided: the process of the run ended before this test did, or before it began"


@dataclass(frozen=True, slots=True)
class Recovered:
    """The documents of a report that was never finished; ``ended`` says that its run was."""

    results: Results
    gherkin: dict[str, Any]
    ended: bool


class JournalError(Exception):
    """A file is no journal, or a damaged one; the text says why."""


def recover(lines: Iterable[str]) -> Recovered:
    """A report from the lines of a journal, the last of which may be cut off. Raises ``JournalError``."""
    read = _parsed(lines)
    head = next(read, None)
    if not isinstance(head, dict) or head.get("journal") != JOURNAL_FORMAT:
        raise JournalError("its first line says nothing of one")
    try:
        return _read(head, read)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        # whatever is missing or of a wrong type in a line of the format: nothing but this library writes one
        raise JournalError(f"a line has not what format {JOURNAL_FORMAT} asks for ({type(error).__name__})") from error


def _read(head: Any, read: Iterator[Any]) -> Recovered:
    last: dict[tuple[str, str | None], dict[int, Any]] = {}
    ahead: dict[str, None] = {}
    known: dict[str, Any] = {}
    at, redacted = head["started_at"], (0, 0)
    for line in read:
        at = line["at"]
        if "run" in line:
            known.update(line["run"])
            continue
        if "ahead" in line:
            ahead.update(dict.fromkeys(line["ahead"]))
            continue
        if "moved" in line:
            nodeid, crashed, repeats = line["moved"]
            last[nodeid, repeats] = last.pop((nodeid, crashed))
            continue
        attempts = last.setdefault((line["test"]["nodeid"], line["test"]["worker_id"]), {})
        attempts[len(line["facts"]["earlier"])] = line
        redacted = line["redacted"]
    ended, repeated = "exit" in known, list(last.values())
    if not ended:
        met = {nodeid for nodeid, _ in last}
        repeated += [{0: _broken_off(nodeid)} for nodeid in ahead if nodeid not in met]
    return _recovered(_run(head, at, redacted, known), repeated, ended=ended)


def _broken_off(nodeid: str) -> dict[str, Any]:
    """The line of a test that has none."""
    file, name = file_and_name(nodeid)
    document = document_of(Test(nodeid=nodeid, file=file, name=name, outcome="errored", traceback=_BROKEN_OFF))
    return asdict(document)


def _recovered(run: Run, repeated: list[dict[int, Any]], *, ended: bool) -> Recovered:
    found = [attempts[max(attempts)] for attempts in repeated]
    facts = [_facts(each["facts"]) for each in found]
    outcomes = (each["test"]["outcome"] for each in found)
    rows = dict(zip(row_ids(each["test"] for each in found), found, strict=True))
    attached = {row: each["attachments"] for row, each in rows.items() if each["attachments"]}
    return Recovered(
        results={
            "schema_version": SCHEMA_VERSION,
            "run": run_document(run, outcomes, facts, truncated=not ended),
            "tests": [each["test"] for each in found],
        },
        gherkin={
            "features": feature_documents(
                described(row, each["gherkin"]) for row, each in rows.items() if each["gherkin"]
            ),
            "details": {row: each["details"] for row, each in rows.items() if each["details"]},
            **({"attachments": attached} if attached else {}),
            "exit": exit_document(run),
            **attempts_document(
                (row, each.earlier, [_attempt(attempts.get(number)) for number in range(len(each.earlier))])
                for row, each, attempts in zip(rows, facts, repeated, strict=True)
            ),
            **run.facts,
        },
        ended=ended,
    )


def _attempt(line: Any) -> dict[str, Any] | None:
    return (
        None
        if line is None
        else attempt_document(*(line[part] for part in ("test", "gherkin", "details", "attachments")))
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
    left = MEMORY_MAX
    for line in lines:
        left -= memory_for(line)
        if left < 0:
            raise JournalError(f"its tests would take more than {MEMORY_MAX // 1_000_000:,} MB of memory")
        try:
            yield parse(line)
        except (ValueError, RecursionError):
            return


def _run(head: Any, at: str, redacted: Iterable[int], known: Mapping[str, Any]) -> Run:
    fields, text = redacted
    end, workers = known.get("exit") or {"status": None, "interrupted": True}, known.get("workers")
    began, ended = (datetime.fromisoformat(moment) for moment in (head["started_at"], at))
    return Run(
        started_at=head["started_at"],
        finished_at=at,
        duration_ms=max(0.0, (ended - began).total_seconds() * 1000),
        environment=Environment(**head["environment"]),
        redacted_fields=fields,
        redacted_text=text,
        workers=None if workers is None else Workers(count=workers["count"], incomplete=tuple(workers["incomplete"])),
        exit_status=end["status"],
        interrupted=end["interrupted"],
        facts=known.get("facts") or {},
    )
