"""A report as JUnit XML, which every CI system reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from choreo_bdd.redaction.printable import in_xml, on_one_line, printable
from choreo_bdd_reporter.outputs.rows import Row, rows

# what XML 1.0 cannot hold, not even escaped
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENTS = {"failed": "failure", "errored": "error"}


def as_junit(results: Any, gherkin: Any) -> str:
    """One suite a file, one case a test; the message of a failure is the sentence that the page shows."""
    by_file = sorted(rows(results, gherkin), key=lambda row: str(row.test["file"]))
    root = ElementTree.Element("testsuites", _counts(results["tests"]))
    for file, found in groupby(by_file, key=lambda row: row.test["file"]):
        _add_suite(root, file, list(found), results["run"])
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + in_xml(ElementTree.tostring(root, encoding="unicode"))


def _add_suite(root: ElementTree.Element, file: str, found: list[Row], run: Any) -> None:
    counts = _counts(row.test for row in found)
    facts = {"name": file or "session", **counts, "timestamp": run["started_at"], "hostname": run["hostname"]}
    suite = ElementTree.SubElement(root, "testsuite", _safe(facts))
    of_run = {"project": "project_name", "commit": "git_sha", "branch": "git_branch", "environment": "environment"}
    _add_properties(suite, ((name, run[fact]) for name, fact in of_run.items()))
    for row in found:
        _add_case(suite, row)


def _add_case(suite: ElementTree.Element, row: Row) -> None:
    test, reason, line = row.test, row.failure, row.scenario.get("line")
    place = re.sub(r"\.py$", "", test["file"]).replace("/", ".")
    facts = {
        "classname": ".".join(part for part in (place, test["class"]) if part) or "session",
        "name": test["name"] or test["nodeid"],
        "time": _seconds(test["duration_ms"]),
        **({"file": test["file"]} if test["file"] else {}),
        **({"line": str(line)} if line is not None else {}),
    }
    case = ElementTree.SubElement(suite, "testcase", _safe(facts))
    _add_properties(case, _told(row))
    if test["outcome"] in _ELEMENTS:
        message = {} if reason is None else {"message": reason.sentence, "type": reason.cause}
        _add_text(case, _ELEMENTS[test["outcome"]], test["traceback"] or "", _safe(message))
    elif test["outcome"] == "skipped":
        ElementTree.SubElement(case, "skipped", _safe({"message": test["skip_reason"] or ""}))
    for name, text in (
        ("system-out", test["stdout"]),
        ("system-err", "\n".join(filter(None, (test["stderr"], test["log"])))),
    ):
        if text:
            _add_text(case, name, text, {})


def _told(row: Row) -> Iterator[tuple[str, str | None]]:
    """What the format has no place for, under names of ours; a name may come more than once."""
    yield "feature", row.feature.get("name")
    yield "rule", row.scenario.get("rule")
    yield from (("tag", tag) for tag in row.tags)
    yield from (("correlation_id", part["correlation_id"]) for part in row.test["scenarios"])
    yield "worker", row.test["worker_id"]
    yield "attempts", str(len(row.attempts) + 1) if row.attempts else None
    yield "flaky", "true" if row.is_flaky else None
    if row.failure is not None:
        yield from (("cause", row.failure.cause), ("topic", row.failure.topic), ("failed_at", row.failure.place))


def _add_properties(parent: ElementTree.Element, facts: Iterable[tuple[str, str | None]]) -> None:
    known = [(name, fact) for name, fact in facts if fact]
    if not known:
        return
    properties = ElementTree.SubElement(parent, "properties")
    for name, fact in known:
        ElementTree.SubElement(properties, "property", _safe({"name": name, "value": fact}))


def _add_text(parent: ElementTree.Element, name: str, text: str, attributes: dict[str, str]) -> None:
    ElementTree.SubElement(parent, name, attributes).text = _FORBIDDEN.sub("\ufffd", printable(text))


def _safe(attributes: dict[str, str]) -> dict[str, str]:
    return {name: _FORBIDDEN.sub("\ufffd", on_one_line(text)) for name, text in attributes.items()}


def _counts(tests: Iterable[Any]) -> dict[str, str]:
    tests = list(tests)
    outcomes = [test["outcome"] for test in tests]
    return {
        "tests": str(len(tests)),
        "failures": str(outcomes.count("failed")),
        "errors": str(outcomes.count("errored")),
        "skipped": str(outcomes.count("skipped")),
        "time": _seconds(sum(test["duration_ms"] for test in tests)),
    }


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}"
