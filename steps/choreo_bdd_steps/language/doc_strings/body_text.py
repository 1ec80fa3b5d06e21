"""What the readers of JSON and of YAML share: plain scalars, templates set aside, limits."""

from __future__ import annotations

import re
import sys
from collections import Counter
from decimal import Decimal

from choreo_bdd.codecs.decimals import exact_number
from choreo_bdd_steps.language.errors import BodyError
from choreo_bdd_steps.language.syntax import Literal, Template, text_node

OPEN, CLOSE = "\ue000", "\ue001"  # private-use characters that stand around a template's number
PLACEHOLDER = re.compile(f"{OPEN}([0-9]+){CLOSE}")
_EXPRESSION = re.compile(
    r"""\{\{ (?: '[^']*' | "[^"]*" | \{[^{}]*\} | [^{}'"] | \}(?!\}) )* \}\} | \{\{ .*? \}\} | \{% .*? %\}""",
    re.DOTALL | re.VERBOSE,
)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NOT_JSON = re.compile(r"[-+]?\.(inf|nan)|[-+]?(Infinity|NaN)", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}

_MAX_DEPTH = 100


def plain_scalar(text: str, line: int | None = None) -> object:
    """An unquoted scalar: true, false, null or a JSON number, else text. Raises BodyError for NaN, Infinity."""
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_JSON.fullmatch(text):
        raise BodyError(f'{text} is not a JSON number; quote it ("{text}") if text is meant', line)
    return number(text, line) if _NUMBER.fullmatch(text) else text


def number(text: str, line: int | None = None) -> int | float | Decimal:
    """A JSON number, exact. Raises BodyError when it cannot be represented."""
    try:
        value = exact_number(text) if any(mark in text for mark in ".eE") else int(text)
    except (ValueError, ArithmeticError) as error:
        raise BodyError(f"the number {text[:20]}… has too many digits", line) from error
    if isinstance(value, Decimal) and value.adjusted() > sys.float_info.max_10_exp:
        raise BodyError(f"the number {text[:20]} is too large", line)
    return value


def set_aside(text: str) -> tuple[str, list[str]]:
    """The text with a mark for each template, and the templates. Raises BodyError for text that holds marks."""
    if OPEN in text or CLOSE in text:
        raise BodyError("the characters U+E000 and U+E001 cannot be used in a body; write them as \\ue000")
    expressions: list[str] = []

    def aside(found: re.Match[str]) -> str:
        expressions.append(found[0])
        return f"{OPEN}{len(expressions) - 1}{CLOSE}"

    return _EXPRESSION.sub(aside, text), expressions


def restored(text: str, expressions: list[str], line: int | None, *, bare: bool = False) -> Literal | Template:
    """A text of the body, its templates put back; ``bare`` is without quotes.

    Raises BodyError for half of a surrogate pair.
    """
    if _SURROGATE.search(text):
        text = _paired(text, line)
    whole = PLACEHOLDER.sub(lambda found: _expression(found, expressions), text)
    return text_node(whole, line, bare=bare)


def _expression(found: re.Match[str], expressions: list[str]) -> str:
    index = found[1]
    known = len(index) < 8 and int(index) < len(expressions)
    return expressions[int(index)] if known else found[0]


def _paired(text: str, line: int | None) -> str:
    try:  # JSON writes characters beyond U+FFFF as two escapes, which YAML reads one by one
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise BodyError("half of a surrogate pair stands alone in the text", line) from error


def check_depth(depth: int, line: int | None) -> None:
    """Raises BodyError for a body that is nested too deeply to be built without recursion errors."""
    if depth > _MAX_DEPTH:
        raise BodyError(f"the body is nested more than {_MAX_DEPTH} levels deep", line)


def refuse_duplicates(keys: list[Literal | Template]) -> None:
    """Raises BodyError for a field that is written twice."""
    counts = Counter(key.value for key in keys if isinstance(key, Literal))
    for key in keys:
        if isinstance(key, Literal) and counts[key.value] > 1:
            raise BodyError(f"the field {key.value!r} is written twice; keep one of them", key.line)
