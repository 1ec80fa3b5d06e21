"""What can be written at a place of a feature file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from choreo_bdd_project.gherkin.lines import Line, LineKind
from choreo_bdd_project.gherkin.places import files_below
from choreo_bdd_steps.editor.document import Document, sets
from choreo_bdd_steps.editor.project import Project, in_text
from choreo_bdd_steps.language.grammar.cells import FORMS, kinds
from choreo_bdd_steps.language.grammar.conditions import CONDITION_FORMS
from choreo_bdd_steps.language.reserved_names import CORRELATION_ID, FUNCTIONS, MATCHERS
from choreo_bdd_steps.vocabulary import PHRASES
from choreo_bdd_steps.vocabulary.acts import PlayService, Publish, Request
from choreo_bdd_steps.vocabulary.continuing import Slot, Words, continuations, parameters, skeleton
from choreo_bdd_steps.vocabulary_docs.step_book import as_hover

_TEMPLATE = re.compile(r"\{\{(?:(?!\}\}).)*?(?P<begun>[A-Za-z_]\w*|)$")
_TAG = re.compile(r"(?:^|[\s:\[,-])(?P<begun>![a-z_0-9]*)$")
_WORD = re.compile(r"\S*$")
_SAMPLES = {
    "topic": "orders.placed",
    "duration": "500ms",
    "count": "2",
    "number": "10",
    "condition": 'status is "PAID"',
    "literal": "7",
    "times": "once",
    "ordinal": "first",
    "transport": "bus",
    "method": "POST",
    "status": "200",
}
"""What stands in a gap at first; elsewhere the parameter's name does."""
_WORDS = {
    "times": ("once", "twice", "3 times"),
    "ordinal": ("first", "second", "third", "last"),
    "method": ("GET", "POST", "PUT", "PATCH", "DELETE"),
    "status": ("200", "201", "202", "404"),
}
_DURATIONS = ("50ms", "100ms", "500ms", "1s", "5s")
_GUARDS = {"timeout(5s)": "how long its checks wait", "slow(warn)": "a message over its budget warns, and passes"}
_PATH_ENDS = (".json", ".yaml", ".yml", ".bin", ".txt", ".avsc", ".xml", ".csv")


class ProposalKind(StrEnum):
    """What is proposed, for the sign that an editor draws beside it."""

    SENTENCE = "sentence"
    WORDS = "words"
    TOPIC = "topic"
    TRANSPORT = "transport"
    VARIABLE = "variable"
    FUNCTION = "function"
    OPERATOR = "operator"
    FIELD = "field"
    VALUE = "value"
    TAG = "tag"
    FILE = "file"


class Proposal(Struct, frozen=True):
    """Something to write: ``insert`` is a snippet (``${1:…}`` is a gap to fill) that takes the place of all from
    ``begin`` up to the cursor."""

    label: str
    insert: str
    begin: int
    what: ProposalKind
    detail: str = ""
    meaning: str = ""


def complete(document: Document, project: Project, number: int, column: int) -> list[Proposal]:
    """What can stand at a line and column, both from 0; the likeliest first."""
    lines = document.lines
    return list(_proposals(document, project, lines[number], column)) if number < len(lines) else []


def _proposals(document: Document, project: Project, line: Line, column: int) -> Iterator[Proposal]:
    before = line.raw[:column]
    template = _TEMPLATE.search(before)
    if template is not None:
        yield from _names(document, line.number, template.start("begun"))
    elif line.kind is LineKind.STEP and column >= line.column:
        yield from _sentence(document, project, line, column)
    elif line.kind is LineKind.ROW:
        yield from _cell(document, project, line, column)
    elif line.kind is LineKind.TAGS:
        yield from _tags(project, before)
    elif line.kind is LineKind.TEXT:
        yield from _matchers(document, project, line.number, before)


# --- sentences ----------------------------------------------------------------------------------------


def _sentence(document: Document, project: Project, line: Line, column: int) -> Iterator[Proposal]:
    written = line.raw[line.column : column].lstrip()
    if not written:
        yield from (_words(Words(each, "", skeleton(each.text)), column, is_whole=True) for each in PHRASES)
        return
    slots: dict[Slot, None] = {}
    for phrase in PHRASES:
        for found in continuations(phrase, written):
            if isinstance(found, Words):
                yield _words(found, column, is_whole=found.begun == written)
            else:
                slots[found] = None
    seen = set[str]()
    for slot in slots:
        for each in _values(document, project, slot, column):
            if each.label not in seen:
                seen.add(each.label)
                yield each


def _words(found: Words, column: int, *, is_whole: bool) -> Proposal:
    label = found.phrase.text if is_whole else found.rest.strip()
    return Proposal(
        label=label,
        insert=as_snippet(found.rest),
        begin=column - len(found.begun),
        what=ProposalKind.SENTENCE if is_whole else ProposalKind.WORDS,
        detail=found.phrase.text if not is_whole else found.phrase.doc,
        meaning=as_hover(found.phrase),
    )


def as_snippet(words: str) -> str:
    """A part of a phrase with gaps for its parameters."""
    parts, position = list[str](), 0
    for number, (found, name, kind) in enumerate(parameters(words), start=1):
        gap = f"${{{number}:{_SAMPLES.get(kind, name)}}}"
        parts += [_plain(words[position : found.start()]), f'"{gap}"' if Slot(name, kind, "").is_quoted else gap]
        position = found.end()
    return "".join([*parts, _plain(words[position:])])


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("$", "\\$")


def _values(document: Document, project: Project, slot: Slot, column: int) -> Iterator[Proposal]:
    begin, quote = column - len(slot.begun or ""), '"' if slot.begun is None else ""
    match slot.kind:
        case "topic":
            here = {topic for topic, _ in in_text(document.text)} - {slot.begun}
            for each in sorted(project.topics | here):
                yield Proposal(each, f"{quote}{_plain(each)}{quote}", begin, ProposalKind.TOPIC)
        case "transport":
            for name, kind in project.transports.items():
                yield Proposal(name, name, begin, ProposalKind.TRANSPORT, kind)
        case "duration":
            yield from (Proposal(each, each, begin, ProposalKind.VALUE) for each in _DURATIONS)
        case "times" | "ordinal" | "method" | "status":
            yield from (Proposal(each, each, begin, ProposalKind.VALUE) for each in _WORDS[slot.kind])
        case "condition":
            yield from _condition(slot.begun or "", column)
        case "path":
            for name in _files(document.path.parent, project.root):
                yield Proposal(name, f"{quote}{_plain(name)}{quote}", begin, ProposalKind.FILE)


def _condition(begun: str, column: int) -> Iterator[Proposal]:
    """Behind a field the forms of a condition; fields themselves only the author knows."""
    word = _WORD.search(begun)
    behind = begun[: word.start()] if word is not None else begun
    last = re.split(r"\b(?:and|or)\b", behind)[-1].split()
    if len(last) == 1:
        begin = column - (len(begun) - len(behind))
        yield from (Proposal(each, _plain(each), begin, ProposalKind.OPERATOR) for each in CONDITION_FORMS)


def _files(folder: Path, root: Path) -> Iterator[str]:
    """Files that hold bodies and schemas, as a feature in ``folder`` names them."""
    for path in files_below(root, *_PATH_ENDS):
        if not path.name.startswith("."):
            yield Path(os.path.relpath(path, folder)).as_posix()


# --- bodies -------------------------------------------------------------------------------------------


def _names(document: Document, number: int, begin: int) -> Iterator[Proposal]:
    """What a template can name: variables that the scenario's steps above set, then functions."""
    known = {CORRELATION_ID: "the scenario's id"}
    for block in document.steps_around(number):
        match = document.match(block)
        if match is not None and isinstance(match.act(), PlayService) and block.lines[-1].number >= number:
            known["trigger"] = "the message that is answered"
        if block.line.number < number:
            known |= dict.fromkeys(sets(match), f"set in line {block.line.number + 1}")
    yield from (Proposal(name, name, begin, ProposalKind.VARIABLE, detail) for name, detail in known.items())
    yield from (Proposal(f"{name}()", f"{name}($0)", begin, ProposalKind.FUNCTION) for name in sorted(FUNCTIONS))


def _cell(document: Document, project: Project, line: Line, column: int) -> Iterator[Proposal]:
    block = document.block(line.number)
    if block is None:
        return
    before = line.raw[:column]
    begin = before.rindex("|") + 1 if "|" in before else column
    begin += len(before[begin:]) - len(before[begin:].lstrip())
    rows = [each for each in block.below if each.kind is LineKind.ROW]
    match = document.match(block)
    headings = [cell.text.strip().lower() for cell in rows[0].cells]
    place = before.count("|") - 1
    topics = [value for name, value in (match.args.items() if match else ()) if name == "topic" and value]
    fields = sorted(
        {name for topic in topics for name in project.fields.get(topic, ())}
        | {name for topic, names in in_text(document.text) if topic in topics for name in names}
    )
    if rows[0] is line:
        yield from (
            Proposal(each, each, begin, ProposalKind.FIELD) for each in dict.fromkeys(("field", "value", *fields))
        )
    elif headings[:1] == ["field"] and place == 0:
        yield from (Proposal(each, each, begin, ProposalKind.FIELD) for each in fields)
    elif match is not None and not isinstance(match.act(), Publish | Request | PlayService):
        forms = (*FORMS, *(f"a {kind}" for kind in sorted(kinds())))
        yield from (Proposal(each, each, begin, ProposalKind.OPERATOR) for each in dict.fromkeys(forms))


def _matchers(document: Document, project: Project, number: int, before: str) -> Iterator[Proposal]:
    tag = _TAG.search(before)
    if tag is None or document.block(number) is None:
        return
    yield from (
        Proposal(f"!{name}", f"!{name}", tag.start("begun"), ProposalKind.OPERATOR)
        for name in sorted({*MATCHERS, *project.context.own_steps.matchers})
    )


def _tags(project: Project, before: str) -> Iterator[Proposal]:
    begin = before.rindex("@") if "@" in before else len(before)
    buses = f"bus({','.join(project.transports)})"
    for tag, meaning in {**_GUARDS, buses: "the scenario runs on each of them"}.items():
        yield Proposal(f"@{tag}", f"@{tag}", begin, ProposalKind.TAG, meaning)
