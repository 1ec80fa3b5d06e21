"""The outcome of every test as each output of a report tells it: they must agree, whatever was run."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from choreo_bdd.redaction.printable import on_one_line
from choreo_bdd_reporter.documents.results import row_ids
from choreo_bdd_reporter.outputs.ctrf import as_ctrf
from choreo_bdd_reporter.outputs.junit import as_junit
from choreo_bdd_reporter.outputs.rows import titles

OUTCOMES = {"passed": "passed", "slow": "passed", "failed": "failed", "errored": "failed", "skipped": "skipped"}
OF_PAGE = {**OUTCOMES, "timeout": "failed"}
_INDEX = re.compile(r'<template id="choreo-index">(.*?)</template>', re.DOTALL)
_DOUBLE_BYTES = 1000  # of what stands for a page in tests that look at something else

Told = Counter[tuple[str, str]]
"""How often a name has an outcome."""


def check_reports_below(folder: Path) -> None:
    """Every report written below a folder tells one outcome a test."""
    for results in sorted(folder.rglob("results.json")):
        page = results.with_name("index.html")
        if page.is_file() and page.stat().st_size > _DOUBLE_BYTES:
            check_outcomes(results.parent)


def check_outcomes(folder: Path) -> None:
    """No output of the report in ``folder`` has a test more, a test less or another outcome than the results."""
    results = json.loads((folder / "results.json").read_text("utf-8"))
    named = zip(titles(results["tests"]), results["tests"], strict=True)
    tests = [(title, OUTCOMES[test["outcome"]]) for title, test in named]
    in_xml = Counter((on_one_line(name), outcome) for name, outcome in tests)
    assert {"junit": of_junit(results), "ctrf": of_ctrf(results)} == {"junit": in_xml, "ctrf": Counter(tests)}
    rows = dict(zip(row_ids(results["tests"]), (outcome for _, outcome in tests), strict=True))
    page = dict(_of_page((folder / "index.html").read_text("utf-8"), results["tests"]))
    assert page == rows
    if (folder / "messages.ndjson").is_file():
        gherkin, is_success = of_messages(folder / "messages.ndjson")
        assert gherkin == {row: outcome for row, outcome in rows.items() if row in gherkin}
        assert is_success is ("failed" not in rows.values() if gherkin else None)


def of_junit(results: Any) -> Told:
    """As a CI system counts them."""
    root = ElementTree.fromstring(as_junit(results, {}))
    return Counter((case.attrib["name"], _of_case(case)) for case in root.iter("testcase"))


def _of_case(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "passed" if case.find("skipped") is None else "skipped"


def of_ctrf(results: Any) -> Told:
    return Counter((test["name"], test["status"]) for test in as_ctrf(results, {})["results"]["tests"])


def _of_page(html: str, tests: list[Any]) -> Iterator[tuple[str, str]]:
    """The rows that the page lists; those that never started stand in no other output and are left alone."""
    found = _INDEX.search(html)
    assert found is not None, "the page has no index"
    ids = row_ids(tests)
    plain = found[1] if found[1].startswith("{") else zlib.decompress(base64.b64decode(found[1])).decode("ascii")
    for group in json.loads(plain)["groups"]:
        for row in group["rows"]:
            if isinstance(row["test"], int):
                outcome = OF_PAGE[row["outcome"]]
                # a message over its budget fails a test or warns of it; the page shows both as slow
                assert ("failing" in row) is (OUTCOMES[tests[row["test"]]["outcome"]] == "failed")
                yield ids[row["test"]], "failed" if "failing" in row else outcome


def of_messages(path: Path) -> tuple[dict[str, str], bool | None]:
    """By row id, as a reader of the protocol sees it: the worst of the steps; and whether the run succeeded."""
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    def each(kind: str) -> list[Any]:
        return [message[kind] for message in found if kind in message]

    rows = {
        attachment["testCaseStartedId"]: json.loads(attachment["body"])["nodeid"]
        for attachment in each("attachment")
        if attachment.get("fileName") == "choreo-bdd-test.json"
    }
    seen: dict[str, set[str]] = {row: set() for row in rows.values()}
    for step in each("testStepFinished"):
        seen[rows[step["testCaseStartedId"]]].add(step["testStepResult"]["status"])
    ended = each("testRunFinished")
    return {row: _worst(statuses) for row, statuses in seen.items()}, ended[0]["success"] if ended else None


def _worst(statuses: set[str]) -> str:
    if statuses & {"FAILED", "UNDEFINED", "AMBIGUOUS"}:
        return "failed"
    return "skipped" if statuses & {"SKIPPED", "PENDING"} else "passed"
