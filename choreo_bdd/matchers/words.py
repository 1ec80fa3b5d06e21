"""What a condition asks for, in the words of a cell: ``> 5`` for the shape ``{"gt": 5}``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

OPERATOR_WORDS: Mapping[str, str] = {
    "after": "after {text}",
    "all_of": "all of {each}",
    "any_element": "some element {}",
    "any_of": "any of {each}",
    "approx": "approx {} ± {}",
    "before": "before {text}",
    "between": "between {} and {}",
    "contains": "contains {}",
    "ends_with": "ends with {}",
    "every": "every element {}",
    "exactly": "exactly {}",
    "ge": ">= {}",
    "gt": "> {}",
    "in": "one of {each}",
    "iso8601": "a timestamp",
    "le": "<= {}",
    "length": "length {}",
    "lt": "< {}",
    "matches": "matches /{text}/",
    "ne": "!= {}",
    "not": "not {}",
    "payload_contains_hex": "bytes {text}",
    "schema": "schema {}",
    "starts_with": "starts with {}",
    "unordered": "in any order {each}",
    "uuid": "a uuid",
}
"""How each operator is said; the page's ``message/conditions.js`` says the same."""
TYPE_WORDS: Mapping[str, str] = {
    "array": "a list",
    "boolean": "a boolean",
    "integer": "an integer",
    "list": "a list",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}
"""How each operand of ``type`` is said."""


def in_words(shape: object, literal: Callable[[object], str]) -> str:
    """An expected shape in words; ``literal`` writes the values in it, and any shape that is no condition."""
    match shape:
        case {**asked} if len(asked) == 1:
            ((name, operand),) = asked.items()
            return _said(str(name), operand, literal) or literal(shape)
    return literal(shape)


def _said(name: str, operand: object, literal: Callable[[object], str]) -> str | None:
    if name == "type":
        return TYPE_WORDS.get(str(operand))
    words = OPERATOR_WORDS.get(name)
    if operand is True and (words is None or "{" not in words):
        return words or name.replace("_", " ")  # such as `exists`, `not_null`, or a matcher of the user's own
    if words is None or "{" not in words:
        return None
    if "{text}" in words:
        return words.replace("{text}", operand) if isinstance(operand, str) else None
    places = words.count("{}")
    operands = [operand] if places == 1 else operand
    if not isinstance(operands, list) or not operands or places not in (0, len(operands)):
        return None
    said = [in_words(each, literal) for each in operands]
    return words.format(*said, each=", ".join(said))
