"""Bare words that were meant as something else: taken as text, nothing would equal them, and all would differ."""

from __future__ import annotations

import re
from collections.abc import Iterator

from choreo_bdd.matchers.operators import is_number
from choreo_bdd.matchers.values.moments import moment
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.reserved_names import FUNCTIONS
from choreo_bdd_steps.language.syntax import Fields, Items, Literal, Node, Tagged, children, nodes_in

OF_OTHER_LANGUAGES = {
    **dict.fromkeys(("None", "Null", "NULL"), "null"),
    **dict.fromkeys(("True", "TRUE"), "true"),
    **dict.fromkeys(("False", "FALSE"), "false"),
}
_PREDICATES = {
    **dict.fromkeys(("set", "present", "there", "given", "defined", "provided"), ("exists", "absent")),
    **dict.fromkeys(("exist", "anything", "something"), ("exists", "absent")),
    **dict.fromkeys(("unset", "missing", "undefined", "nonexistent"), ("absent", "exists")),
    **dict.fromkeys(("exists", "any"), ("!exists", "!absent")),
    "absent": ("!absent", "!exists"),
    **dict.fromkeys(("empty", "blank"), ("length 0", "length > 0")),
    **dict.fromkeys(("nonempty", "non-empty"), ("length > 0", "length 0")),
    **dict.fromkeys(("null", "none", "nil", "nothing"), ("null", "not null")),
    **{word: (f"a {word}", f"is not a {word}") for word in ("number", "string", "boolean", "uuid", "timestamp")},
    "integer": ("an integer", "is not an integer"),
    "true": ("true, in small letters", "!= true, in small letters"),
    "false": ("false, in small letters", "!= false, in small letters"),
}
"""What words that read like a predicate and are texts are meant to say, and what behind a ``not``."""
_OF_TEXTS = ("contains", "starts_with", "ends_with", "matches")
_ORDERED = ("gt", "ge", "lt", "le")
_CALL = re.compile(rf"(?:{'|'.join(sorted(FUNCTIONS))})\(.*\)", re.DOTALL)


def refuse_calls(node: Node) -> None:
    """Raise BodyError for the first ``uuid()`` that stands there without braces."""
    for part, _ in bare_words(node):
        if _CALL.fullmatch(str(part.value)):
            raise BodyError(
                f"{part.value!r} is a text here; write {{{{ {part.value} }}}} for what it gives, "
                f'or quote it if this text is meant: "{part.value}"',
                part.line,
            )


def refuse_text(name: str, node: Node) -> None:
    """Raise BodyError where what is a number around a message is held against a text, which it never equals."""
    if isinstance(node, Literal) and not is_number(node.value):
        raise BodyError(f"@{name} is a number, and {node.value!r} is none: it can never be true", node.line)


def refuse_misread(node: Node, *, quiet: bool) -> None:
    """Raise BodyError for the first bare word of an expectation that would be taken as text and was meant otherwise.

    Where it is ``quiet`` nobody notices that nothing fits, so that no word may stand there by mistake.
    """
    refuse_calls(node)
    for name in _bare_names(node) if quiet else ():
        if "." in str(name.value) or "[" in str(name.value):
            raise BodyError(
                f"in a doc string {name.value!r} is one name and no path; write an object in an object, "
                f'or quote it if this name is meant: "{name.value}"',
                name.line,
            )
    for part, tag in bare_words(node):
        if problem := _misread(str(part.value), tag, quiet=quiet):
            raise BodyError(f'{problem}, or quote it if this text is meant: "{part.value}"', part.line)


def _misread(word: str, tag: str, *, quiet: bool) -> str | None:
    affirmed, negated = _PREDICATES.get(word.lower(), ("", ""))
    if tag in ("ne", "not") and negated:
        return f"{word!r} is a text here, and any other value differs from it; write {negated}"
    if tag == "" and quiet and affirmed:
        return f"{word!r} is a text here, and no other value is equal to it; write {affirmed}"
    if tag not in _OF_TEXTS and (meant := OF_OTHER_LANGUAGES.get(word)):
        return f"{word!r} is a text here; write {meant} in small letters"
    if tag in _ORDERED and moment(word) is None:
        return f"{word!r} has no order; write a number or a moment"
    return None


def _bare_names(node: Node) -> Iterator[Literal]:
    """Each name of a field that stands in a doc string without quotes."""
    for each in nodes_in(node):
        for name, _ in each.pairs if isinstance(each, Fields) else ():
            if isinstance(name, Literal) and name.written is not None:
                yield name


def bare_words(node: Node, tag: str = "") -> Iterator[tuple[Literal, str]]:
    """Each bare text in a tree, and the tag that it stands behind: ``item`` in a list, nothing in an object."""
    match node:
        case Literal(str(), written=str()):
            yield node, tag
        case _:
            below = node.tag if isinstance(node, Tagged) else "item" if isinstance(node, Items) else ""
            for child in children(node):
                yield from bare_words(child, below)


def quoted_texts(node: Node) -> Iterator[str]:
    """Each text that stands in quotes, outside of tags."""
    match node:
        case Literal(str() as text, written=None):
            yield text
        case Items() | Fields():
            for child in children(node):
                yield from quoted_texts(child)
