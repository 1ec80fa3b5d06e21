"""Feature files as text that may be shown: masked by the structure of Gherkin, line for line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from gherkin.ast_builder import AstBuilder
from gherkin.errors import ParserError
from gherkin.parser import Parser
from gherkin.stream.id_generator import IdGenerator

from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.model.limits import clean_text
from choreo_bdd_reporter.record.tables import masked_table

_CELL_END = re.compile(r"(?<!\\)(?:\\\\)*\|")


def masked_source(uri: str) -> str | None:
    """A feature file without what anybody can see to be secret; ``None`` when it cannot be read."""
    path = Path(uri).absolute()
    try:
        return _masked_file(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=64)
def _masked_file(path: Path, _changed_at: int) -> str:
    return mask_source(clean_text(path.read_text(encoding="utf-8-sig", errors="replace")))


def hidden_lines(redactor: Redactor, uri: str) -> tuple[tuple[int, str], ...]:
    """Lines, by number, from which a test's redactor has more to hide: it learned secrets while the test ran."""
    source = masked_source(uri)
    if source is None or redactor.without_known(source) == source:
        return ()
    lines = enumerate(source.split("\n"), start=1)
    return tuple((number, clean) for number, line in lines if (clean := redactor.without_known(line)) != line)


def mask_source(text: str) -> str:
    """The same Gherkin on the same lines, without secrets in tables, doc strings and all other text."""
    redactor = Redactor()
    try:
        document: Any = Parser(AstBuilder(IdGenerator())).parse(text)
    except ParserError:
        return redactor.text(text)
    lines = text.split("\n")
    for rows, headed in _tables(document):
        _mask_table(lines, rows, masked_table(redactor, _values(rows), headed=headed))
    in_docstrings: set[int] = set()
    for docstring in _docstrings(document):
        in_docstrings.update(_mask_docstring(lines, docstring, redactor))
    return "\n".join(
        redactor.without_known(line) if number in in_docstrings else redactor.text(line)
        for number, line in enumerate(lines)
    )


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a syntax tree."""
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from _nodes(child)
    elif isinstance(node, list):
        for child in node:
            yield from _nodes(child)


def _tables(document: Any) -> Iterator[tuple[list[Any], bool]]:
    """Rows of data tables, and of examples, which have a heading."""
    for node in _nodes(document):
        if "dataTable" in node:
            yield node["dataTable"]["rows"], False
        elif "tableBody" in node and "tableHeader" in node:
            yield [node["tableHeader"], *node["tableBody"]], True


def _values(rows: list[Any]) -> list[list[str]]:
    return [[cell["value"] for cell in row["cells"]] for row in rows]


def _docstrings(document: Any) -> Iterator[Any]:
    return (node["docString"] for node in _nodes(document) if "docString" in node)


def _mask_table(lines: list[str], rows: list[Any], shown: Sequence[Sequence[str]]) -> None:
    for row, texts in zip(rows, shown, strict=True):
        for cell, text in reversed(list(zip(row["cells"], texts, strict=True))):
            if text != cell["value"]:
                _put_cell(lines, cell["location"], text)


def _put_cell(lines: list[str], location: Any, text: str) -> None:
    line, start = lines[location["line"] - 1], location["column"] - 1
    end = _CELL_END.search(line, start)
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "\\n")
    lines[location["line"] - 1] = f"{line[:start]}{escaped} {line[end.end() - 1 :] if end else '|'}"


def _mask_docstring(lines: list[str], docstring: Any, redactor: Redactor) -> range:
    """Mask a doc string as a whole: a pair or a key may span its lines, whose number stays."""
    first = docstring["location"]["line"]
    inside = range(first, first + docstring["content"].count("\n") + 1)
    clean = redactor.text("\n".join(lines[number] for number in inside)).split("\n")
    clean += [""] * (len(inside) - len(clean))
    for number, line in zip(inside, clean, strict=True):
        lines[number] = line
    return inside
