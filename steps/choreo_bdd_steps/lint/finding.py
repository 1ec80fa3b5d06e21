"""What lint has to say about a place in a feature file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct, structs

from choreo_bdd.redaction.printable import annotation, code_quality_issue, in_json, on_one_line


class Severity(StrEnum):
    """How bad it is: an error will fail or lie at run time, a warning is a smell."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Struct, frozen=True, order=True):
    """One finding; ``rule`` is its short name, the message says what to do."""

    file: str
    line: int
    rule: str
    message: str
    severity: Severity = Severity.ERROR


def as_text(findings: Iterable[Finding]) -> str:
    """One line a finding."""
    return "\n".join(
        on_one_line(f"{each.file}:{each.line}: {each.severity.value}: {each.message} [{each.rule}]")
        for each in findings
    )


def as_json(findings: Iterable[Finding]) -> str:
    """A JSON list of objects."""
    return in_json(json.dumps([structs.asdict(each) for each in findings], indent=2))


def as_github(findings: Iterable[Finding]) -> str:
    """Workflow commands that GitHub shows beside the lines they are about."""
    return "\n".join(
        annotation(each.severity.value, each.message, file=each.file, line=each.line, title=each.rule)
        for each in findings
    )


def as_code_quality(findings: Iterable[Finding]) -> str:
    """Issues that GitLab shows in a merge request; one stays the same when lines are put in above it."""
    seen: Counter[tuple[str, str, str]] = Counter()
    issues = []
    for each in findings:
        key = (each.file, each.rule, each.message)
        seen[key] += 1
        severity = "major" if each.severity is Severity.ERROR else "minor"
        issues.append(
            code_quality_issue(
                each.message, rule=each.rule, severity=severity, file=each.file, line=each.line,
                key=(*key, str(seen[key])),
            )
        )  # fmt: skip
    return in_json(json.dumps(issues, indent=2))
