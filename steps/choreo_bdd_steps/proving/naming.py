"""What a check says of a message, as places that can be spoilt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from choreo_bdd.matchers import Quantifier
from choreo_bdd_steps.language.doc_strings.yaml_body import read_yaml
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.expectation_body import ExpectationBody
from choreo_bdd_steps.language.paths import Field, Segment, envelope_path
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node

Place = tuple[Segment, ...]
"""A path into the payload, in which ``[?]`` stands for each element; or ``("@key",)``, ``("@headers", name)``, …"""


class Named(Struct, frozen=True):
    """What one thing that a check says is about: ``places`` of which only all at once can be noticed.

    Without places it is about the payload as a whole, as a schema is.
    """

    label: str
    places: tuple[Place, ...] = ()


def named_in(body: ExpectationBody, docstring: str | None) -> list[Named]:
    """Each thing that has to be as the check says, once."""
    found: list[Named] = []
    for row in body.rows:
        found += [
            Named(cell.field.label, tuple(_places([cell.field]))) for cell in row.cells if _is_said(cell.field.envelope)
        ]
        fields = [cell.field for cell in row.one_of]
        if fields and all(_is_said(each.envelope) for each in fields):
            found.append(Named(" or ".join(dict.fromkeys(each.label for each in fields)), tuple(_places(fields))))
        found += [Named(".".join(place), (place,)) for place in _around(row.around)]
    found += [Named(_label(path), (path,)) for path in _in_doc_string(docstring)]
    return list(dict.fromkeys(found))


def _is_said(envelope: str | None) -> bool:
    """Whether a place is filled by whoever sends a message: not what the broker says of it, such as its partition."""
    return envelope is None or envelope in ("key", "status") or envelope.startswith("headers")


def _places(fields: Iterable[Field]) -> Iterator[Place]:
    """Where fields are to be spoilt, if they are no whole payload; of every element the first will do."""
    for each in fields:
        if each.envelope is not None:
            yield envelope_path(each.envelope)
        elif each.segments and not each.is_template:
            yield tuple(0 if part is Quantifier.EVERY else part for part in each.segments)


def _around(parts: Iterable[tuple[str, Node]]) -> Iterator[tuple[str, ...]]:
    for name, node in parts:
        if not _is_said(name):
            continue
        if isinstance(node, Fields):
            yield from ((f"@{name}", str(key.value)) for key, _ in node.pairs if isinstance(key, Literal))
        else:
            yield envelope_path(name)


def _label(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _in_doc_string(text: str | None) -> Iterator[tuple[str | int, ...]]:
    if not text:
        return
    try:
        yield from _leaves(read_yaml(text), ())
    except (BodyError, ValueError):
        return  # text in another language


def _leaves(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
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
