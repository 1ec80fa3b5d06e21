"""A feature file line by line, as an editor has it: broken or half written, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from choreo_bdd_project.gherkin.step import Step

if TYPE_CHECKING:
    from gherkin.token import Token
    from gherkin.token_matcher import TokenMatcher


class LineKind(StrEnum):
    """What a line is. ``TEXT`` is one within a doc string, or one that is nothing else."""

    STEP = "step"
    ROW = "row"
    QUOTES = "quotes"
    TAGS = "tags"
    FEATURE = "feature"
    RULE = "rule"
    BACKGROUND = "background"
    SCENARIO = "scenario"
    EXAMPLES = "examples"
    COMMENT = "comment"
    TEXT = "text"


_HEADS = frozenset({LineKind.FEATURE, LineKind.RULE, LineKind.BACKGROUND, LineKind.SCENARIO})


class Cell(Struct, frozen=True):
    """A cell of a table as it is written; ``column`` counts characters from 0."""

    column: int
    text: str


class Line(Struct, frozen=True):
    """One line; ``number`` and ``column`` count from 0, the latter is where its text begins behind a keyword."""

    number: int
    raw: str
    kind: LineKind
    column: int
    keyword: str = ""

    @property
    def text(self) -> str:
        """What stands behind the keyword, without blanks around it."""
        return self.raw[self.column :].strip()

    @property
    def is_head(self) -> bool:
        """Whether something begins here that has steps or scenarios of its own."""
        return self.kind in _HEADS

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of a row with the blanks inside their bars."""
        return tuple(_cells(self.raw)) if self.kind is LineKind.ROW else ()


class Block(Struct, frozen=True):
    """A step with all that stands below it: its table or its doc string, quotes included."""

    line: Line
    below: tuple[Line, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """Its own line and those below it."""
        return (self.line, *self.below)

    def step(self, file: str) -> Step:
        """As it would run, if nothing were wrong with it."""
        quotes = [each for each in self.below if each.kind is LineKind.QUOTES]
        rows = [tuple(_unescaped(cell.text) for cell in each.cells) for each in self.below if each.cells]
        texts = [each.raw for each in self.below if each.kind is LineKind.TEXT]
        indent = len(quotes[0].raw) - len(quotes[0].raw.lstrip()) if quotes else 0
        return Step(
            text=self.line.text,
            file=file,
            line=self.line.number + 1,
            keyword=self.line.keyword,
            docstring="\n".join(text[indent:] if not text[:indent].strip() else text.lstrip() for text in texts)
            if quotes
            else None,
            media_type=(quotes[0].text or None) if quotes else None,
            table=tuple(rows) if rows and not quotes else None,
        )


@lru_cache(maxsize=64)  # an editor asks several things of one text
def read_lines(text: str) -> tuple[Line, ...]:
    """Every line of a text, by Gherkin's own notion of lines and in the file's own language."""
    from gherkin.errors import NoSuchLanguageException  # noqa: PLC0415 - the parser is slow to load
    from gherkin.token_matcher import TokenMatcher  # noqa: PLC0415 - as above

    matcher, lines, open_quotes = TokenMatcher(), list[Line](), ""
    for number, raw in enumerate(line.removesuffix("\r") for line in text.split("\n")):
        quotes = _quotes(raw, open_quotes)
        if quotes is not None:
            column = len(raw) - len(raw.lstrip()) + len(quotes)
            lines.append(Line(number, raw, LineKind.QUOTES, column))
            open_quotes = "" if open_quotes else quotes
        elif open_quotes:
            lines.append(Line(number, raw, LineKind.TEXT, 0))
        else:
            try:
                lines.append(_line(matcher, number, raw))
            except NoSuchLanguageException:
                lines.append(Line(number, raw, LineKind.COMMENT, 0))
    return tuple(lines)


def blocks(lines: Sequence[Line]) -> Iterator[Block]:
    """The steps among some lines, each with what stands below it."""
    begun: Line | None = None
    below: list[Line] = []
    within = False
    for line in lines:
        within ^= line.kind is LineKind.QUOTES
        is_body = line.kind in (LineKind.ROW, LineKind.QUOTES) or (line.kind is LineKind.TEXT and within)
        if begun is not None and is_body:
            below.append(line)
        elif line.kind not in (LineKind.COMMENT, LineKind.TEXT):
            if begun is not None:
                yield Block(begun, tuple(below))
            begun, below = (line if line.kind is LineKind.STEP else None), []
    if begun is not None:
        yield Block(begun, tuple(below))


def scenario_around(lines: Sequence[Line], number: int) -> tuple[Line, ...]:
    """The lines of the scenario that a line belongs to, with those of the backgrounds that run before it.

    For a line of a background, the background and all scenarios that it runs before: what one names is known there.
    """
    feature, rule, in_rule = list[tuple[Line, ...]](), list[tuple[Line, ...]](), False
    around: dict[int, tuple[Line, ...]] = {}
    for section in _sections(lines):
        match section[0].kind:
            case LineKind.RULE:
                rule, in_rule = [], True
            case LineKind.BACKGROUND:
                (rule if in_rule else feature).append(section)
            case LineKind.SCENARIO:
                run = (*feature, *rule, section)
                if any(each[0].number <= number <= each[-1].number for each in run):
                    around |= {each[0].number: each for each in run}
    return tuple(line for begin in sorted(around) for line in around[begin])


def _sections(lines: Sequence[Line]) -> Iterator[tuple[Line, ...]]:
    """What each head has below it, itself first."""
    begins = [line.number for line in lines if line.is_head]
    for begin, end in pairwise([*begins, len(lines)]):
        yield tuple(lines[begin:end])


def _quotes(raw: str, open_quotes: str) -> str | None:
    """The quotes that open a doc string, or close the open one."""
    text = raw.lstrip()
    if open_quotes:
        return open_quotes if text.startswith(open_quotes) else None
    return next((each for each in ('"""', "```") if text.startswith(each)), None)


def _line(matcher: TokenMatcher, number: int, raw: str) -> Line:
    from gherkin.gherkin_line import GherkinLine  # noqa: PLC0415 - as above
    from gherkin.token import Token  # noqa: PLC0415 - as above

    token: Token = Token(GherkinLine(raw, number + 1), {"line": number + 1})
    if not raw.strip():
        return Line(number, raw, LineKind.TEXT, 0)
    if matcher.match_Language(token) or matcher.match_Comment(token):
        return Line(number, raw, LineKind.COMMENT, 0)
    if raw.lstrip().startswith("@"):  # Gherkin's own way raises where a tag has a blank, as one being typed may
        return Line(number, raw, LineKind.TAGS, _column(raw, "", LineKind.TAGS))
    for match, kind in (
        (matcher.match_StepLine, LineKind.STEP),
        (matcher.match_TableRow, LineKind.ROW),
        (matcher.match_ScenarioLine, LineKind.SCENARIO),
        (matcher.match_ExamplesLine, LineKind.EXAMPLES),
        (matcher.match_BackgroundLine, LineKind.BACKGROUND),
        (matcher.match_FeatureLine, LineKind.FEATURE),
        (matcher.match_RuleLine, LineKind.RULE),
    ):
        if match(token):
            keyword: str = getattr(token, "matched_keyword", None) or ""
            return Line(number, raw, kind, _column(raw, keyword, kind), keyword.strip())
    return Line(number, raw, LineKind.TEXT, 0)


def _column(raw: str, keyword: str, kind: LineKind) -> int:
    indent = len(raw) - len(raw.lstrip())
    if kind in (LineKind.ROW, LineKind.TAGS):
        return indent
    return indent + len(keyword) + (kind is not LineKind.STEP)


def _cells(raw: str) -> Iterator[Cell]:
    bars = [at for at, character in enumerate(raw) if character == "|" and not _is_escaped(raw, at)]
    for begin, end in pairwise(bars):
        yield Cell(begin + 1, raw[begin + 1 : end])


def _is_escaped(raw: str, at: int) -> bool:
    before = raw[:at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _unescaped(cell: str) -> str:
    return cell.strip().replace("\\|", "|").replace("\\n", "\n").replace("\\\\", "\\")
