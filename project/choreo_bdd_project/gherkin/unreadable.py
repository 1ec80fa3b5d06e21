"""Why a text is no feature file, in words of whoever writes features and not of Gherkin's parser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from choreo_bdd_project.gherkin.errors import FeatureError

if TYPE_CHECKING:
    from gherkin.dialect import Dialect
    from gherkin.errors import ParserError

_PIPE = re.compile(r"(?<!\\)\|")
_PLACE = re.compile(r"^\(\d+:\d+\): ")
_GOT = re.compile(r"expected: (?P<wanted>.*?), got '(?P<got>.*)'\Z", re.DOTALL)
_LANGUAGE = re.compile(r"^\s*#\s*language\s*:\s*([\w-]+)", re.MULTILINE)
_WIDE_COLON = "\N{FULLWIDTH COLON}"
_CELLS = "inconsistent cell count within the table"
_LANGUAGE_UNKNOWN = "Language not supported: "
_TAG = "A tag may not contain whitespace"
_OPEN = "unexpected end of file, expected: #DocStringSeparator"
_QUOTES = ('"""', "```")


def unreadable(file: str, text: str, error: ParserError) -> FeatureError:
    """What Gherkin's parser has complained about first, with what to do about it."""
    from gherkin.errors import CompositeParserException  # noqa: PLC0415 - the parser is slow to load

    first = error.errors[0] if isinstance(error, CompositeParserException) else error
    line = (getattr(first, "location", None) or {"line": 1})["line"]
    told = _PLACE.sub("", str(first))
    if told.startswith(_OPEN):
        line = max((at for at, each in enumerate(text.splitlines(), 1) if each.strip()[:3] in _QUOTES), default=line)
        return FeatureError(file, line, "is not a feature file: the doc string that begins here has no end")
    above = next((each for each in reversed(text.splitlines()[: line - 1]) if each.strip()), "")
    if above.lstrip().startswith("@"):
        told = "a tag stands above Feature, Rule, Scenario or Examples, and here it does not"
        return FeatureError(file, line, f"is not a feature file: {told}")
    if told == _CELLS:
        return FeatureError(file, line, f"is not a feature file: {_cells(text.splitlines(), line)}")
    return FeatureError(file, line, f"is not a feature file: {_in_words(told, text)}")


def _cells(lines: Sequence[str], line: int) -> str:
    """How many cells a row has, and how many those above it."""
    first = line
    while first > 1 and lines[first - 2].strip()[:1] in ("|", "#", ""):
        first -= 1
    begun = next(each for each in lines[first - 1 :] if each.strip().startswith("|"))
    here, there = (len(_PIPE.findall(each.strip())) - 1 for each in (lines[line - 1], begun))
    return f"this row has {_counted(here)} where the table began with {there}; end every cell, an empty one too, with |"


def _counted(cells: int) -> str:
    return f"{cells} cell" if cells == 1 else f"{cells} cells"


def not_text(file: str, data: bytes, error: UnicodeDecodeError) -> FeatureError:
    """A file in another encoding than the one that frameworks read."""
    line = data.count(b"\n", 0, error.start) + 1
    return FeatureError(file, line, "is not a feature file: it is not text in UTF-8; save it in this encoding")


def _in_words(told: str, text: str) -> str:
    found = _GOT.search(told)
    if found is None:
        return _in_plain_words(told.partition(", expected: #")[0])
    got, dialect = found["got"].strip(), _dialect(text)
    meant = _head(got, dialect) or _step(got, dialect)
    if meant is not None and meant != got:
        return f"{got!r} means nothing here; did you mean: {meant}"
    if got.partition(":")[0] in dialect.feature_keywords and "#FeatureLine" not in found["wanted"]:
        return f"{got!r} begins a second feature, and a file holds one: move it to a file of its own"
    if "#FeatureLine" in found["wanted"]:
        language = _LANGUAGE.search(text)
        named = f", in the language {language[1]} that the file names" if language else ""
        return f"{got!r} stands where a feature has to begin{named}: write {dialect.feature_keywords[0]}: …"
    if "#StepLine" in found["wanted"] and meant is None and got not in _QUOTES:
        return f"{got!r} is no step, no row of a table and no comment; a step begins with Given, When, Then, And or But"
    return f"{got!r} cannot stand here"


def _in_plain_words(told: str) -> str:
    if told == _TAG:
        return "a tag has no blanks, and a comment behind tags begins with a blank and #: write it as @timeout(5s)"
    if told.startswith(_LANGUAGE_UNKNOWN):
        named = told.removeprefix(_LANGUAGE_UNKNOWN)
        return f"Gherkin knows no language {named!r}: write one that it knows, such as de or fr, or leave the line out"
    return told


def _dialect(text: str) -> Dialect:
    from gherkin.dialect import Dialect  # noqa: PLC0415 - as above

    language = _LANGUAGE.search(text)
    found = Dialect.for_name(language[1]) if language else None
    return found or Dialect.for_name("en")  # type: ignore[return-value] # English is always there


def _head(got: str, dialect: Dialect) -> str | None:
    """A line that begins like the head of something, with its colon and in its letters."""
    words = (
        *(dialect.scenario_outline_keywords + dialect.scenario_keywords + dialect.background_keywords),
        *(dialect.examples_keywords + dialect.rule_keywords + dialect.feature_keywords),
    )
    for word in sorted(words, key=len, reverse=True):
        if re.match(rf"{re.escape(word)}(?!\w)", got, re.IGNORECASE):
            return f"{word}: {got[len(word) :].lstrip(f' :{_WIDE_COLON}')}".rstrip()
    return None


def _step(got: str, dialect: Dialect) -> str | None:
    """A line that begins with the keyword of a step, in its letters."""
    words = [
        *(dialect.given_keywords + dialect.when_keywords + dialect.then_keywords),
        *(dialect.and_keywords + dialect.but_keywords),
    ]
    for word in words:
        if word.strip() != "*" and got.lower().startswith(word.lower()):
            return word + got[len(word) :]
    return None
