"""A report as JUnit XML, which every CI system reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from choreo_bdd.redaction.printable import in_xml, on_one_line, printable
from choreo_bdd_reporter.documents.results import row_ids
from choreo_bdd_reporter.outputs.summary import Failure, failures

# what XML 1.0 cannot hold, not even escaped
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENTS = {"failed": "failure", "errored": "error"}


def as_junit(results: Any, gherkin: Any) -> str:
    """One suite a file, one case a test; the message of a failure is the sentence that the page shows."""
    reasons = {failure.row: failure for failure in failures(results, gherkin)}
    rows = zip(row_ids(results["tests"]), results["tests"], strict=True)
    by_file = sorted(rows, key=lambda each: str(each[1]["file"]))
    root = ElementTree.Element("testsuites", _counts(results["tests"]))
    for file, found in groupby(by_file, key=lambda each: each[1]["file"]):
        _add_suite(root, file, [(test, reasons.get(row)) for row, test in found], results["run"])
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + in_xml(ElementTree.tostring(root, encoding="unicode"))


def _add_suite(root: ElementTree.Element, file: str, tests: list[tuple[Any, Failure | None]], run: Any) -> None:
    counts = _counts(test for test, _ in tests)
    facts = {"name": file or "session", **counts, "timestamp": run["started_at"], "hostname": run["hostname"]}
    suite = ElementTree.SubElement(root, "testsuite", _safe(facts))
    for test, reason in tests:
        _add_case(suite, test, reason)


def _add_case(suite: ElementTree.Element, test: Any, reason: Failure | None) -> None:
    place = re.sub(r"\.py$", "", test["file"]).replace("/", ".")
    facts = {
        "classname": ".".join(part for part in (place, test["class"]) if part) or "session",
        "name": test["name"] or test["nodeid"],
        "time": _seconds(test["duration_ms"]),
    }
    case = ElementTree.SubElement(suite, "testcase", _safe(facts))
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
