"""Feature files, read by Gherkin's own parser: what runs, whatever framework runs it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from choreo_bdd_project.gherkin.bus_tags import buses, name_on
from choreo_bdd_project.gherkin.errors import FeatureError, NoFeature
from choreo_bdd_project.gherkin.places import relative
from choreo_bdd_project.gherkin.refusals import (
    OUTDENTED,
    UNENDED_ROW,
    Refusal,
    flattened_line,
    refusals,
    unended_row,
)
from choreo_bdd_project.gherkin.scenario import Scenario, filled, filled_tags, row_name, scenario_nodeid
from choreo_bdd_project.gherkin.step import Step
from choreo_bdd_project.gherkin.unreadable import not_text, unreadable

_Node = Mapping[str, Any]


class FeatureHead(Struct, frozen=True):
    """What stands above a feature's scenarios; ``file`` is its path from the current directory, in POSIX form."""

    file: str
    name: str
    line: int
    keyword: str
    description: str
    tags: tuple[str, ...]


class Feature(Struct, frozen=True):
    """A feature file and the scenarios that run from it, in the order of their lines.

    ``templates`` are name and line of each scenario and outline as it is written; ``without_rows`` those of outlines
    that run nothing. ``asides`` are the lines of all descriptions, with their numbers,
    ``refusals`` what keeps a framework from running any of it. ``unused_columns`` are those of examples that nothing
    of their outline names, with the lines of their headings.
    """

    head: FeatureHead
    scenarios: tuple[Scenario, ...]
    templates: tuple[tuple[str, int], ...]
    without_rows: tuple[tuple[str, int], ...]
    asides: tuple[tuple[str, int], ...] = ()
    refusals: tuple[Refusal, ...] = ()
    unused_columns: tuple[tuple[str, int], ...] = ()

    def begun_at(self, line: int) -> tuple[Scenario, ...]:
        """All runs of the scenario or outline that begins at a line."""
        return self._span(line, lambda scenario: scenario.begins_at)

    def at(self, line: int) -> tuple[Scenario, ...]:
        """All runs of the scenario, or of the row of an outline, in a line."""
        return self._span(line, lambda scenario: scenario.line)

    def _span(self, line: int, key: Callable[[Scenario], int]) -> tuple[Scenario, ...]:
        return self.scenarios[bisect_left(self.scenarios, line, key=key) : bisect_right(self.scenarios, line, key=key)]


def read_feature(path: Path | str) -> Feature:
    """A feature file as it would be run. Raises ``FeatureError`` if it cannot be read, ``NoFeature`` if it is empty."""
    file = relative(path)
    try:
        stat = Path(path).stat()
        return _read(str(path), file, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise FeatureError(file, None, f"cannot be read: {error.strerror}") from error


def parse_feature(text: str, path: Path | str) -> Feature:
    """The text of a feature file as it would be run from ``path``, where an editor may have it otherwise.

    Raises as ``read_feature`` does.
    """
    return _parsed(text, relative(path))


def find_scenario(nodeid: str, root: Path) -> tuple[FeatureHead, Scenario] | None:
    """The scenario that a node id names, below its feature; ``None`` for that of anything else.

    Ids of parameters may stand behind its name. ``root`` is the folder that the node id counts from.
    """
    path, _, name = nodeid.partition("::")
    if not path.endswith(".feature"):
        return None
    try:
        feature = read_feature(root / path)
    except FeatureError:
        return None
    fitting = (each for each in feature.scenarios if name == each.name or name.startswith(f"{each.name}["))
    found = max(fitting, key=lambda each: len(each.name), default=None)
    return None if found is None else (feature.head, found)


@lru_cache(maxsize=256)
def _read(path: str, file: str, _changed_ns: int, _size: int) -> Feature:
    """Kept until the file changes: runners, lint and reports ask for the same one."""
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_text(file, data, error) from error
    if text.startswith("\ufeff"):
        told = "it begins with a byte order mark, which frameworks take for text; save it as UTF-8 without one (no BOM)"
        raise FeatureError(file, 1, f"is not a feature file: {told}")
    return _parsed(text.replace("\r\n", "\n").replace("\r", "\n"), file)


def _parsed(text: str, file: str) -> Feature:
    from gherkin.errors import ParserError  # noqa: PLC0415 - the parser is slow to load, and not every run reads files
    from gherkin.parser import Parser  # noqa: PLC0415 - as above

    try:
        document: Any = Parser().parse(text)
    except ParserError as error:
        raise unreadable(file, text, error) from error
    if document.get("feature") is None:
        raise NoFeature(file, 1, "holds no feature")
    lines = text.split("\n")
    if (line := unended_row(document["feature"], lines)) is not None:
        raise FeatureError(file, line, f"is not a feature file: {UNENDED_ROW}")
    if (line := flattened_line(document["feature"], lines)) is not None:
        raise FeatureError(file, line, f"is not a feature file: {OUTDENTED}")
    feature = _Reader(file, document["feature"], lines).feature()
    return structs.replace(feature, asides=tuple(_asides(document["feature"], lines)))


class _Reader:
    def __init__(self, file: str, node: _Node, lines: Sequence[str]) -> None:
        self._file = file
        self._lines = lines
        self._node = node
        from gherkin.dialect import Dialect  # noqa: PLC0415 - as above

        dialect = Dialect.for_name(node["language"])
        assert dialect is not None  # the parser has used it
        self._outline_words = tuple(dialect.scenario_outline_keywords)

    def feature(self) -> Feature:
        node = self._node
        written = [scenario for _, _, scenario in self._written(node, None, ())]
        return Feature(
            head=FeatureHead(
                file=self._file,
                name=node["name"],
                line=node["location"]["line"],
                keyword=node["keyword"],
                description=_description(node),
                tags=_tags(node),
            ),
            scenarios=tuple(self._numbered()),
            templates=tuple((each["name"], each["location"]["line"]) for each in written),
            without_rows=tuple(
                (each["name"], each["location"]["line"])
                for each in written
                if self._is_outline(each) and not any(examples["tableBody"] for examples in each["examples"])
            ),
            refusals=tuple(refusals(node, self._outline_words, self._lines)),
            unused_columns=tuple(self._unused_columns()),
        )

    def _written(
        self, container: _Node, rule: _Node | None, background: tuple[_Node, ...]
    ) -> Iterator[tuple[_Node | None, tuple[_Node, ...], _Node]]:
        """Each scenario and outline as it is written, with its rule and the steps of its backgrounds."""
        for child in container["children"]:
            if "background" in child:
                background = (*background, *child["background"]["steps"])
            elif "rule" in child:
                yield from self._written(child["rule"], child["rule"], background)
            else:
                yield rule, background, child["scenario"]

    def _scenarios(self) -> Iterator[Scenario]:
        for rule, background, node in self._written(self._node, None, ()):
            inherited = (*_tags(self._node), *(_tags(rule) if rule is not None else ()))
            plain = Scenario(
                name=node["name"],
                nodeid="",
                line=node["location"]["line"],
                begins_at=node["location"]["line"],
                keyword=node["keyword"],
                tags=(*inherited, *_tags(node)),
                steps=(*self._steps(background, background=True), *self._steps(node["steps"], background=False)),
                rule=None if rule is None else rule["name"],
                description=_description(node),
            )
            runs = _rows(plain, inherited, node) if self._is_outline(node) else (plain,)
            for run in runs:
                yield from _on_each_bus(run)

    def _numbered(self) -> Iterator[Scenario]:
        """Each with its node id, which needs to know who else has its name."""
        found = list(self._scenarios())
        times = Counter(each.name for each in found)
        for each in found:
            again = times[each.name] > 1
            yield structs.replace(each, nodeid=scenario_nodeid(self._file, each.name, each.line, duplicate=again))

    def _unused_columns(self) -> Iterator[tuple[str, int]]:
        for _, background, node in self._written(self._node, None, ()):
            headings = [heading for each in node["examples"] if (heading := each.get("tableHeader"))]
            said = _texts((*background, node)) if headings else ""
            for heading in headings:
                unused = (name for name in _cells(heading) if name and f"<{name}>" not in said)
                yield from ((name, heading["location"]["line"]) for name in unused)

    def _is_outline(self, node: _Node) -> bool:
        return bool(node["examples"]) or node["keyword"] in self._outline_words

    def _steps(self, nodes: Iterable[_Node], *, background: bool) -> Iterator[Step]:
        for node in nodes:
            doc, table = node.get("docString"), node.get("dataTable")
            yield Step(
                text=node["text"],
                file=self._file,
                line=node["location"]["line"],
                keyword=node["keyword"].strip(),
                docstring=None if doc is None else doc["content"],
                media_type=None if doc is None else doc.get("mediaType"),
                table=None if table is None else tuple(_cells(row) for row in table["rows"]),
                background=background,
            )


def _rows(outline: Scenario, inherited: tuple[str, ...], node: _Node) -> Iterator[Scenario]:
    for group, examples in enumerate(node["examples"], start=1):
        names = _cells(examples["tableHeader"]) if examples.get("tableHeader") else ()
        own_tags = (*_tags(node), *_tags(examples))
        for number, body in enumerate(examples["tableBody"], start=1):
            row = dict(zip(names, _cells(body), strict=True))
            name = row_name(filled(outline.name, row), group, number, filled(examples["name"], row))
            yield structs.replace(
                outline,
                name=name,
                line=body["location"]["line"],
                tags=(*inherited, *filled_tags(own_tags, row)),
                steps=tuple(_filled_step(step, row) for step in outline.steps),
                columns=tuple(names),
            )


def _filled_step(step: Step, row: Mapping[str, str]) -> Step:
    return structs.replace(
        step,
        text=filled(step.text, row),
        docstring=None if step.docstring is None else filled(step.docstring, row),
        media_type=None if step.media_type is None else filled(step.media_type, row),
        table=None if step.table is None else tuple(tuple(filled(cell, row) for cell in cells) for cells in step.table),
    )


def _on_each_bus(scenario: Scenario) -> Iterator[Scenario]:
    named = buses(scenario.tags)
    if not named:
        yield scenario
    for bus in named:
        yield structs.replace(scenario, name=name_on(scenario.name, bus), transport=bus)


def _tags(node: _Node) -> tuple[str, ...]:
    return tuple(tag["name"].removeprefix("@") for tag in node["tags"])


def _cells(row: _Node) -> tuple[str, ...]:
    return tuple(cell["value"] for cell in row["cells"])


def _asides(node: _Node, lines: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The lines of descriptions from a node on downwards; Gherkin's parser tells where a node begins only."""
    number = node["location"]["line"]
    for text in filter(None, map(str.strip, node["description"].splitlines())):
        number = next((at for at in range(number + 1, len(lines) + 1) if lines[at - 1].strip() == text), number)
        yield text, number
    for child in node.get("children", ()):
        for below in child.values():
            yield from _asides(below, lines)
    for examples in node.get("examples", ()):
        yield from _asides(examples, lines)


def _texts(node: object) -> str:
    """All that stands in a part of a feature, its comments aside."""
    if isinstance(node, dict):
        return "\n".join(map(_texts, node.values()))
    return "\n".join(map(_texts, node)) if isinstance(node, (list, tuple)) else str(node)


def _description(node: _Node) -> str:
    return "\n".join(line.strip() for line in node["description"].strip().splitlines())
