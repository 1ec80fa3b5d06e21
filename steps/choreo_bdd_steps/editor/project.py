"""What stands around the files that an editor has open: configuration, contract, the user's steps, topics in use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from msgspec import Struct, field

from choreo_bdd_project.gherkin.lines import Block, LineKind, blocks, read_lines
from choreo_bdd_project.gherkin.places import files_below, project_of
from choreo_bdd_steps.lint import ProjectContext, project_context
from choreo_bdd_steps.vocabulary import recognise_text
from choreo_bdd_steps.vocabulary.continuing import parameters

_MANY_FILES = 500


class Project(Struct, frozen=True):
    """A project as completion sees it; ``fields`` are the names that tables give to the fields of a topic."""

    context: ProjectContext
    root: Path
    topics: frozenset[str] = frozenset()
    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def transports(self) -> Mapping[str, str]:
        """Names of the profile's transports, with their types."""
        return {name: each.type for name, each in self.context.config.transports.items()}


def read_project(file: Path) -> Project:
    """The project that a file belongs to, as it is on disk now. Raises ``ConfigError``."""
    context, root = project_context(file), project_of(file)
    topics = set(context.contract.addresses) if context.contract is not None else set()
    fields: dict[str, set[str]] = defaultdict(set)
    for path in files_below(root, ".feature")[:_MANY_FILES]:
        for topic, names in _used(path):
            topics.add(topic)
            fields[topic] |= names
    return Project(context, root, frozenset(topics), {topic: frozenset(names) for topic, names in fields.items()})


def in_text(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The topics that the steps of a text name, each with the fields that stand below it."""
    for block in blocks(read_lines(text)):
        yield from ((topic, _fields(block)) for topic in _topics(block.line.text))


def _used(path: Path) -> tuple[tuple[str, frozenset[str]], ...]:
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError):
        return ()


@lru_cache(maxsize=2 * _MANY_FILES)
def _read(path: Path, _changed_ns: int) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple(in_text(path.read_text(encoding="utf-8-sig")))


@lru_cache(maxsize=10_000)
def _topics(sentence: str) -> tuple[str, ...]:
    """The topics of one sentence that a template does not make."""
    match = recognise_text(sentence)
    if match is None:
        return ()
    named = (match.args.get(name) for _, name, kind in parameters(match.phrase.text) if kind == "topic")
    return tuple(topic for topic in named if topic and "{{" not in topic and "<" not in topic)


def _fields(block: Block) -> frozenset[str]:
    rows = [[cell.text.strip() for cell in line.cells] for line in block.below if line.kind is LineKind.ROW]
    if not rows:
        return frozenset()
    is_by_field = [name.lower() for name in rows[0]] == ["field", "value"]
    return frozenset(name for name in ((row[0] for row in rows[1:] if row) if is_by_field else rows[0]) if name)
