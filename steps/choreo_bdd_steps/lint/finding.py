"""What lint has to say about a place in a feature file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: an error will fail or lie at run time, a warning is a smell."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding; ``rule`` is its short name, the message says what to do."""

    file: str
    line: int
    rule: str
    message: str
    severity: Severity = Severity.ERROR


def as_text(findings: Iterable[Finding]) -> str:
    """One line a finding."""
    return "\n".join(
        f"{each.file}:{each.line}: {each.severity.value}: {each.message} [{each.rule}]" for each in findings
    )


def as_json(findings: Iterable[Finding]) -> str:
    """A JSON list of objects."""
    return json.dumps([asdict(each) for each in findings], indent=2)


def as_github(findings: Iterable[Finding]) -> str:
    """Workflow commands that GitHub shows beside the lines they are about."""
    return "\n".join(
        f"::{each.severity.value} file={_property(each.file)},line={each.line},title={each.rule}::{_data(each.message)}"
        for each in findings
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
