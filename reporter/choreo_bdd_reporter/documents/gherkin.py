"""Feature files in the words of Cucumber Messages: source, syntax tree and pickles, all made from the masked text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gherkin.ast_builder import AstBuilder
from gherkin.errors import CompositeParserException, ParserError
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler
from gherkin.stream.id_generator import IdGenerator

from choreo_bdd.redaction import REDACTED
from choreo_bdd_reporter.record.feature_sources import masked_source

Json = Mapping[str, Any]


@dataclass(slots=True)
class FeatureMessages:
    """Envelopes of one feature file, and the pickles its tests are looked up in."""

    envelopes: list[dict[str, Any]] = field(default_factory=list)
    _free: list[Any] = field(default_factory=list)

    def take_pickle(self, scenario: Json) -> Any:
        """The pickle of a scenario that ran, each once; ``None`` when the source has none like it."""
        texts = [step["text"] for step in scenario["steps"]]
        at_line = (pickle for pickle, lines in self._free if scenario["line"] in lines)
        here = [pickle for pickle in at_line if len(pickle["steps"]) == len(texts)]
        alike = [pickle for pickle in here if [step["text"] for step in pickle["steps"]] == texts]
        found = next(iter((*alike, *here)), None)
        self._free = [entry for entry in self._free if entry[0] is not found]
        return found

    def offer(self, pickle: Any, lines: set[int]) -> None:
        """Let a pickle be found by the lines of its scenario and of its row of examples."""
        self._free.append((pickle, lines))


def read_feature(uri: str, hidden: Iterable[tuple[int, str]], ids: IdGenerator) -> FeatureMessages:
    """A feature file as it may be shown; of an unreadable one there is nothing to show."""
    source = masked_source(uri)
    if source is None:
        return FeatureMessages()
    text = _with_hidden(source, hidden)
    found = FeatureMessages(
        [{"source": {"uri": uri, "data": text, "mediaType": "text/x.cucumber.gherkin+plain"}}],
    )
    try:
        document: Any = {**Parser(AstBuilder(ids)).parse(text), "uri": uri}
    except ParserError as error:
        found.envelopes += _parse_errors(error, uri)
        return found
    found.envelopes.append({"gherkinDocument": document})
    lines = dict(_lines(document))
    for pickle in Compiler(ids).compile(document):
        found.envelopes.append({"pickle": pickle})
        found.offer(pickle, {lines[node] for node in pickle["astNodeIds"]})
    return found


def made_up(feature: Json, scenario: Json, ids: IdGenerator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Document and pickle for a scenario that its source does not show, or not where it ran: a row that a hook added, a
    file that the framework reads and Gherkin does not, lines that both count unlike. Tools look for each node of a
    pickle, and end where there is none.
    """

    def location(line: int | None) -> dict[str, int]:
        return {"line": line or 1}

    steps = [
        {
            "id": ids.get_next_id(), "location": location(step["line"]), "keyword": f"{step['keyword'].strip()} ",
            "text": step["text"],
        }
        for step in scenario["steps"]
    ]  # fmt: skip
    node = {
        "id": ids.get_next_id(), "location": location(scenario["line"]), "tags": [], "keyword": scenario["keyword"],
        "name": scenario["name"], "description": "", "steps": steps, "examples": [],
    }  # fmt: skip
    whole = {
        "location": location(feature["line"]), "tags": [], "language": "en", "keyword": feature["keyword"],
        "name": feature["name"], "description": "", "children": [{"scenario": node}],
    }  # fmt: skip
    pickle = {
        "id": ids.get_next_id(), "uri": feature["uri"], "name": node["name"], "language": "en", "tags": [],
        "steps": [{"id": ids.get_next_id(), "text": step["text"], "astNodeIds": [step["id"]]} for step in steps],
        "astNodeIds": [node["id"]],
    }  # fmt: skip
    return {"uri": feature["uri"], "feature": whole, "comments": []}, pickle


def _with_hidden(source: str, hidden: Iterable[tuple[int, str]]) -> str:
    """The source without what its tests found to be secret; where two hide parts of one line, none of it is shown."""
    lines = source.split("\n")
    changed: dict[int, str] = {}
    for number, line in hidden:
        changed[number] = line if changed.get(number, line) == line else f"# {REDACTED}"
    return "\n".join(changed.get(number, line) for number, line in enumerate(lines, start=1))


def _parse_errors(error: ParserError, uri: str) -> Iterator[dict[str, Any]]:
    for each in error.errors if isinstance(error, CompositeParserException) else [error]:
        place = {"uri": uri, "location": getattr(each, "location", None) or {"line": 1}}
        yield {"parseError": {"source": place, "message": str(each)}}


def _lines(node: Any) -> Iterator[tuple[str, int]]:
    """The line of every node that has an id."""
    if isinstance(node, dict):
        if "id" in node and "location" in node:
            yield node["id"], node["location"]["line"]
        for child in node.values():
            yield from _lines(child)
    elif isinstance(node, list):
        for child in node:
            yield from _lines(child)
