from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.reports import EXAMPLE


@pytest.fixture
def stage_report() -> dict[str, Any]:
    """A valid 1.3 report of a Stage scenario."""
    document: dict[str, Any] = json.loads(EXAMPLE)
    return document


@pytest.fixture
def plain_report(stage_report: dict[str, Any]) -> dict[str, Any]:
    """The same content as a valid 1.0 report: one transport, nothing that later versions added."""
    run, scenario = stage_report["run"], stage_report["tests"][0]["scenarios"][0]
    stage_report["schema_version"] = "1"
    run["transport"] = "MockTransport"
    del run["transports"], run["redactions"]["redaction_version"], scenario["stage"]
    for handle in scenario["handles"]:
        del handle["transport"], handle["correlation_id"]
    for reply in scenario["replies"]:
        del reply["trigger_transport"], reply["response_transport"]
    for entry in scenario["timeline"]:
        entry.setdefault("topic", "gate.opened")
        entry.pop("transport", None)
        del entry["source"]
    return stage_report
