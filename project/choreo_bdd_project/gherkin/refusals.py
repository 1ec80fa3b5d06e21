"""What Gherkin allows and a framework refuses, with the whole file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

_Node = Mapping[str, Any]
UNENDED_ROW = "this row has no | at its end: end every cell with |, and put a comment on a line of its own"
OUTDENTED = "this line stands left of the quotes of its doc string: put it below them or to their right"
_UNENDED = re.compile(r"(?<!\\)(?:\\\\)*\|\s*+[^|#\s][^|]*\Z")


class Refusal(Struct, frozen=True):
    """Where (from 1) and why; ``by_all`` says that no framework takes it."""

    line: int
    reason: str
    by_all: bool = False


def refusals(node: _Node, outline_words: Collection[str], lines: Sequence[str]) -> Iterator[Refusal]:
    """All of those below a feature, a rule, a background or a scenario."""
    for child in node.get("children", ()):
        for below in child.values():
            yield from refusals(below, outline_words, lines)
    for number, step in enumerate(node.get("steps", ())):
        line, keyword = step["location"]["line"], step["keyword"].strip()
        if number == 0 and step["keywordType"] == "Conjunction":
            reason = f"neither behave nor pytest-bdd takes {keyword} as the first step: write Given, When or Then"
            yield Refusal(line, reason, by_all=True)
        elif number == 0 and keyword == "*":
            yield Refusal(line, "pytest-bdd takes no * as the first step: write Given, When or Then")
        doc = step.get("docString")
        if doc is not None and doc["delimiter"] == "```":
            yield Refusal(doc["location"]["line"], 'behave reads no doc string between ```: write """')
        elif doc is not None and (outdented := _outdented(doc, lines)):
            yield Refusal(outdented[0], f"behave refuses it: {OUTDENTED}")
    if node.get("examples") and node["keyword"] not in outline_words:
        line = node["examples"][0]["location"]["line"]
        yield Refusal(line, "behave takes examples below an outline only: write Scenario Outline")


def unended_row(node: _Node, lines: Sequence[str]) -> int | None:
    """The line of a row whose last cell has no end: Gherkin drops it, and behave takes its last letter away."""
    for row in _rows(node):
        line: int = row["location"]["line"]
        if _UNENDED.search(lines[line - 1].rstrip()):
            return line
    return None


def flattened_line(node: _Node, lines: Sequence[str]) -> int | None:
    """The line of a doc string that Gherkin would move against others of it, whose place its indentation tells."""
    for child in node.get("children", ()):
        for below in child.values():
            if (line := flattened_line(below, lines)) is not None:
                return line
    for doc in (step["docString"] for step in node.get("steps", ()) if "docString" in step):
        if doc["content"].lstrip()[:1] in ("{", "["):
            continue  # JSON, which says the same however it is indented
        if (outdented := _outdented(doc, lines)) and len(set(_indents(doc, lines).values())) > 1:
            return outdented[0]
    return None


def _outdented(doc: _Node, lines: Sequence[str]) -> list[int]:
    """The lines that stand left of the quotes."""
    wanted = doc["location"]["column"] - 1
    return [line for line, indent in _indents(doc, lines).items() if indent < wanted]


def _indents(doc: _Node, lines: Sequence[str]) -> dict[int, int]:
    """How far each line is indented that says something."""
    begin = doc["location"]["line"]
    inside = enumerate(lines[begin : begin + doc["content"].count("\n") + 1] if doc["content"] else (), begin + 1)
    return {line: len(text) - len(text.lstrip()) for line, text in inside if text.strip()}


def _rows(node: _Node) -> Iterator[_Node]:
    for child in node.get("children", ()):
        for below in child.values():
            yield from _rows(below)
    for step in node.get("steps", ()):
        yield from step.get("dataTable", {}).get("rows", ())
    for examples in node.get("examples", ()):
        yield from (row for row in (examples.get("tableHeader"), *examples["tableBody"]) if row)
