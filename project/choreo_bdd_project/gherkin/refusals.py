"""What Gherkin allows and a framework refuses, with the whole file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Where (from 1) and why; ``by_all`` says that no framework takes it."""

    line: int
    reason: str
    by_all: bool = False


def refusals(node: _Node, outline_words: Collection[str]) -> Iterator[Refusal]:
    """All of those below a feature, a rule, a background or a scenario."""
    for child in node.get("children", ()):
        for below in child.values():
            yield from refusals(below, outline_words)
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
    if node.get("examples") and node["keyword"] not in outline_words:
        line = node["examples"][0]["location"]["line"]
        yield Refusal(line, "behave takes examples below an outline only: write Scenario Outline")
