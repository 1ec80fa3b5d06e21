"""The data of a page: whole for a report of ordinary size, else an index, the results in brief, and chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from choreo_bdd_reporter.model.json_text import document_json
from choreo_bdd_reporter.model.schema_types import Results
from choreo_bdd_reporter.page.chunks import Chunk, deflated, split
from choreo_bdd_reporter.page.embed import as_script, as_template, ascii_json, json_pieces
from choreo_bdd_reporter.page.exact import with_exact
from choreo_bdd_reporter.page.index import build_index
from choreo_bdd_reporter.read.entries import Entry, Json, group_entries

WHOLE_TESTS_MAX = 2_000
"""Up to so many tests, and ``WHOLE_BYTES_MAX`` of JSON, the page embeds the results document as it is."""
WHOLE_BYTES_MAX = 8_000_000
EVENTS_WITH_BODIES_MAX = 100_000
"""In a chunked page with more events, the message bodies of passed scenarios are left to ``results.json``."""
EVENTS_MAX = 2_500_000
"""In a page with more events, passed scenarios have no timeline either."""

_IN_MEMORY_BYTES = 1_000_000
"""Of chunks that wait to be embedded; more of them wait in a file."""

_KEPT_IN_BRIEF = ("nodeid", "file", "name", "outcome", "duration_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageData:
    """What a page embeds: ``index`` as the page reads it, ``whole`` documents or else ``chunks``, one a line."""

    results: Results
    index: Json
    whole: tuple[Sequence[str], Sequence[str]] | None
    chunks: IO[str]

    def before_script(self) -> Iterator[str]:
        """What the script needs to draw its first rows."""
        if self.whole is None:
            yield from _element("template", 'id="choreo-index"', [deflated(ascii_json(self.index))])
            yield from _results_element(json_pieces(_brief(self.results)))
        else:
            results, gherkin = self.whole
            yield from _element("template", 'id="choreo-index"', [as_template(ascii_json(self.index))])
            yield from _element("template", 'id="choreo-gherkin"', map(as_template, gherkin))
            yield from _results_element(results)

    def after_script(self) -> Iterator[str]:
        """What the script asks for when a scenario is opened."""
        for name, text in self.chunk_texts():
            yield from _element("template", f'id="{name}"', [text])

    def chunk_texts(self) -> Iterator[tuple[str, str]]:
        """Each chunk with the name the script knows it by."""
        self.chunks.seek(0)
        for number, line in enumerate(self.chunks):
            yield f"c{number}", line.rstrip("\n")


class _Chunking:
    """Reads entries in their order, each once, and writes down the chunk that they make up when its last was read."""

    def __init__(
        self,
        file: IO[str],
        sizes: Iterable[int],
        write: Callable[[Any], str],
        *,
        all_bodies: bool,
        all_events: bool,
    ) -> None:
        self._file = file
        self._write = write
        self._sizes = iter(sizes)
        self._all_bodies = all_bodies
        self._all_events = all_events
        self._chunk = Chunk(write)
        self._left = 0

    def read(self, entry: Entry) -> Entry:
        read = entry.read()
        self._left = (self._left or next(self._sizes)) - 1
        all_of_it = _is_worth_all(read)
        self._chunk.add(read, bodies=self._all_bodies or all_of_it, events=self._all_events or all_of_it)
        if not self._left:
            self._file.write(f"{self._chunk.text()}\n")
            self._chunk = Chunk(self._write)
        return read


@contextmanager
def page_data(
    results: Json, gherkin: Json, *, all_bodies: bool = False, folder: str | None = None
) -> Iterator[PageData]:
    """Decide how the documents are embedded, and index them. With a ``folder`` beside the page, it holds the chunks.

    Chunks are made while the index is, for which everything has to be read.
    """
    document = cast("Results", results)
    groups = group_entries(document, gherkin)
    whole = None if folder else _whole(results, gherkin)
    chunks = [] if whole else [chunk for group in groups for chunk in split(group.entries)]
    events = sum(len(part["timeline"]) for entries in chunks for entry in entries for part in entry.parts)
    bodies, timelines = all_bodies or events <= EVENTS_WITH_BODIES_MAX, events <= EVENTS_MAX
    sizes = list(map(len, chunks))
    with SpooledTemporaryFile(_IN_MEMORY_BYTES, "w+", encoding="ascii") as file:
        write = document_json if _are_journaled(document["tests"]) else ascii_json
        read = Entry.read if whole else _Chunking(file, sizes, write, all_bodies=bodies, all_events=timelines).read
        index = {
            **build_index(groups, document, gherkin, read),
            "chunks": sizes,
            "bodies": bodies,
            "timelines": timelines,
            "folder": folder,
        }
        yield PageData(results=document, index=index, whole=whole, chunks=file)


def _whole(results: Json, gherkin: Json) -> tuple[list[str], list[str]] | None:
    """Both documents in pieces, or nothing when they are too large for that."""
    tests = results["tests"]
    if len(tests) > WHOLE_TESTS_MAX or _are_journaled(tests):
        return None
    kept: tuple[list[str], list[str]] = [], []
    left = WHOLE_BYTES_MAX
    for pieces, document in zip(kept, (results, with_exact(results, gherkin)), strict=True):
        for piece in json_pieces(document):
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                return None
    return kept


def _are_journaled(tests: Sequence[Any]) -> bool:
    """Whether tests are our own, read from disk one by one because all of them are too large."""
    return not all(isinstance(test, dict) for test in tests[:1])


def _brief(results: Results) -> dict[str, Any]:
    """The results without what was sent, received and printed."""
    return {**results, "tests": (_kept_in_brief(test) for test in results["tests"])}


def _kept_in_brief(test: Json) -> dict[str, Any]:
    return {name: test[name] for name in _KEPT_IN_BRIEF}


def _results_element(pieces: Iterable[str]) -> Iterator[str]:
    return _element("script", 'type="application/json" id="harness-results"', map(as_script, pieces))


def _element(tag: str, attributes: str, pieces: Iterable[str]) -> Iterator[str]:
    yield f"<{tag} {attributes}>"
    yield from pieces
    yield f"</{tag}>\n"


def _is_worth_all(entry: Entry) -> bool:
    return entry.test["outcome"] not in ("passed", "skipped") or any(part["outcome"] != "pass" for part in entry.parts)
