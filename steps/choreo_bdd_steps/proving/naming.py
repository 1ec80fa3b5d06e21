"""The fields that a check names, as paths into a payload."""

from __future__ import annotations

from collections.abc import Iterator

from choreo_bdd.matchers import Quantifier
from choreo_bdd_steps.language.body import ExpectationBody
from choreo_bdd_steps.language.doc_strings.yaml_body import read_yaml
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node
from choreo_bdd_steps.language.trees import Path


def named_in(body: ExpectationBody, docstring: str | None) -> list[Path]:
    """Each field that has to be as the check says, once; what only one of several alternatives names is left out."""
    cells = (cell for row in body.rows for cell in row.cells if cell.field.envelope is None)
    paths = [path for cell in cells if (path := _first(cell.field.segments))]
    return list(dict.fromkeys([*paths, *_in_doc_string(docstring)]))


def _first(segments: tuple[str | int | Quantifier, ...]) -> Path | None:
    """The path to the first element that a cell speaks of; ``None`` where only some element has to be so."""
    if any(isinstance(each, Quantifier) and each is not Quantifier.EVERY for each in segments):
        return None
    return tuple(0 if isinstance(each, Quantifier) else each for each in segments)


def _in_doc_string(text: str | None) -> Iterator[Path]:
    if not text:
        return
    try:
        yield from _leaves(read_yaml(text), ())
    except (BodyError, ValueError):
        return  # text in another language


def _leaves(node: Node, path: Path) -> Iterator[Path]:
    match node:
        case Fields(pairs=pairs) if pairs:
            for key, value in pairs:
                if isinstance(key, Literal) and not str(key.value).startswith("@"):
                    yield from _leaves(value, (*path, str(key.value)))
        case Items(nodes=nodes) if nodes:
            for index, value in enumerate(nodes):
                yield from _leaves(value, (*path, index))
        case _ if path:
            yield path
