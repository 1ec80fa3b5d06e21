"""A report as JUnit XML, which every CI system reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from typing import Any

from choreo_bdd.redaction.printable import in_xml, on_one_line, printable
from choreo_bdd_reporter.outputs.rows import Row, rows

# what XML 1.0 cannot hold, not even escaped
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENTS = {"failed": "failure", "errored": "error"}


def as_junit(results: Any, gherkin: Any) -> str:
    """One suite a file, one case a test; the message of a failure is the sentence that the page shows."""
    by_file = sorted(rows(results, gherkin), key=lambda row: str(row.test["file"]))
    suites = chain.from_iterable(
        _suite(file, list(found), results["run"]) for file, found in groupby(by_file, key=lambda row: row.test["file"])
    )
    whole = "\n".join(_around(suites, "testsuites", _counts(results["tests"])))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + in_xml(whole)


def _suite(file: str, found: list[Row], run: Any) -> Iterator[str]:
    counts = _counts(row.test for row in found)
    facts = {"name": file or "session", **counts, "timestamp": run["started_at"], "hostname": run["hostname"]}
    of_run = {"project": "project_name", "commit": "git_sha", "branch": "git_branch", "environment": "environment"}
    properties = _properties((name, run[fact]) for name, fact in of_run.items())
    return _around(chain(properties, chain.from_iterable(map(_case, found))), "testsuite", facts)


def _case(row: Row) -> Iterator[str]:
    test, line = row.test, row.scenario.get("line")
    place = test["file"].removesuffix(".py").replace("/", ".")
    facts = {
        "classname": ".".join(part for part in (place, test["class"]) if part) or "session",
        "name": row.title,
        "time": _seconds(test["duration_ms"]),
        **({"file": row.file} if row.file else {}),
        **({"line": str(line)} if line is not None else {}),
    }
    return _around(chain(_properties(_told(row)), _said(row)), "testcase", facts)


def _said(row: Row) -> Iterator[str]:
    test, reason = row.test, row.failure
    if test["outcome"] in _ELEMENTS:
        message = {} if reason is None else {"message": reason.sentence, "type": reason.cause}
        yield _text(test["traceback"] or "", _ELEMENTS[test["outcome"]], message)
    elif test["outcome"] == "skipped":
        yield _text("", "skipped", {"message": test["skip_reason"] or ""})
    for name, text in (
        ("system-out", test["stdout"]),
        ("system-err", "\n".join(filter(None, (test["stderr"], test["log"])))),
    ):
        if text:
            yield _text(text, name, {})


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
        reason = row.failure
        yield from (("cause", reason.cause), ("topic", reason.topic), ("transport", reason.transport))
        yield "failed_at", reason.place


def _properties(facts: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    known = [_text("", "property", {"name": name, "value": fact}) for name, fact in facts if fact]
    return _around(known, "properties", {}) if known else iter(())


def _around(lines: Iterable[str], name: str, attributes: dict[str, str]) -> Iterator[str]:
    """An element with the lines of others in it, which stand further in: written so, for trees take a third longer."""
    inside = [f"  {line}" for line in lines]
    if not inside:
        yield _text("", name, attributes)
        return
    yield f"<{name}{_attributes(attributes)}>"
    yield from inside
    yield f"</{name}>"


def _text(text: str, name: str, attributes: dict[str, str]) -> str:
    """An element with a text of as many lines as it has."""
    head = name + _attributes(attributes)
    return f"<{head}>{_escaped(printable(text))}</{name}>" if text else f"<{head} />"


def _attributes(attributes: dict[str, str]) -> str:
    quoted = ((name, _escaped(on_one_line(text)).replace('"', "&quot;")) for name, text in attributes.items())
    return "".join([f' {name}="{text}"' for name, text in quoted])


def _escaped(text: str) -> str:
    """A text without what steers, as XML has it."""
    if not text.isascii():
        text = _FORBIDDEN.sub("\ufffd", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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
