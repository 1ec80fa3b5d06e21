"""Failures in the shape of Code Climate's issues, which GitLab shows in a merge request as code quality."""

from __future__ import annotations

import json
from typing import Any

from choreo_bdd.redaction.printable import code_quality_issue, in_json
from choreo_bdd_reporter.outputs.rows import rows

_SEVERITIES = {"failed": "major", "errored": "critical"}


def as_code_quality(results: Any, gherkin: Any) -> str:
    """An issue each; one that failed before for the same cause is no new one, wherever it stands and however late."""
    issues = [
        code_quality_issue(
            f"{row.failure.name}: {row.failure.sentence}",
            rule=row.failure.cause,
            severity=_SEVERITIES.get(row.test["outcome"], "minor"),
            file=row.failure.file,
            line=row.failure.line,
            key=(row.failure.row, row.failure.cause),
        )
        for row in rows(results, gherkin)
        if row.failure is not None
    ]
    return in_json(json.dumps(issues, indent=2))
