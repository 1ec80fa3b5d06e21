"""A report on disk: kept in a journal while its run goes on, and written when the run has ended.

``results.json`` and ``index.html`` are each replaced only when their successors are complete: whatever happens, the
old report stays or a readable journal of the new one does.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from choreo_bdd.redaction.afterwards import hidden
from choreo_bdd_reporter.documents.cucumber_messages import GherkinTest, envelopes
from choreo_bdd_reporter.documents.file_names import HISTORY, MESSAGES, PAGE, PARTIAL, RECORDINGS, RESULTS
from choreo_bdd_reporter.documents.headroom import least_headroom
from choreo_bdd_reporter.documents.results import (
    SCHEMA_VERSION,
    attempt_document,
    attempt_of,
    attempts_document,
    described,
    document_of,
    exit_document,
    feature_documents,
    row_ids,
    run_document,
    with_more_scenarios,
)
from choreo_bdd_reporter.documents.schema_check import first_error
from choreo_bdd_reporter.model.json_text import document_json
from choreo_bdd_reporter.model.limits import TESTS_MAX, compact_json, keep_worst
from choreo_bdd_reporter.model.notices import notice
from choreo_bdd_reporter.model.tests import Attempt, Environment, RecordedScenario, Run, Test
from choreo_bdd_reporter.store.atomic_files import replacing
from choreo_bdd_reporter.store.directory import (
    foreign_page_folder,
    new_page_files,
    old_page_files,
    page_files,
    prepare,
)
from choreo_bdd_reporter.store.history import History
from choreo_bdd_reporter.store.journal import Journal, JournalEntry
from choreo_bdd_reporter.store.journaled_tests import (
    JournaledTest,
    LazyRows,
    ReadCache,
    journaled_attachments,
    journaled_details,
    journaled_gherkin,
)

# a page of more is drawn from chunks, one test at a time; as Python objects, this is six times as large
_IN_MEMORY_BYTES = 8_000_000
PAGE_BYTES_MAX = 100_000_000


class ForeignFolderError(OSError):
    """Where a page keeps its parts there is a folder that no page has made; it stays, and the page is not written."""


class ReportWriter:
    """Writes the report of one run into a validated directory.

    ``describe`` is asked for the environment when the first test arrives. What has become known to be secret during the
    run is hidden in all of it, save in what is ``plain`` of a test. Raises ``OSError`` when the directory cannot be
    written.
    """

    def __init__(
        self, directory: Path, *, started_at: str, describe: Callable[[], Environment], plain: Collection[str] = ()
    ) -> None:
        self._plain = plain
        self._directory = directory
        self._started_at = started_at
        self._describe = describe
        self._journal: Journal | None = None
        self._noted: Mapping[str, Any] = {}
        self._lost = 0
        """How many tests could be kept nowhere."""

    def add(self, test: Test, *, redacted: tuple[int, int] = (0, 0)) -> None:
        """Keep a test; one that was added before is replaced. ``redacted`` is what the run has masked so far."""
        try:
            self._open().add(document_of(test), redacted=redacted)
        except OSError:
            self._lost += 1
            raise

    def add_scenarios(
        self, test: Test, scenarios: Sequence[RecordedScenario], *, redacted: tuple[int, int] = (0, 0)
    ) -> None:
        """Keep scenarios that finished when their test was reported already; ``test`` stands in for an unknown one."""
        known = self._open().find(test.nodeid, test.worker_id) or document_of(test)
        self._open().add(with_more_scenarios(known, scenarios), redacted=redacted)

    def announce(self, nodeids: Sequence[str]) -> None:
        """Keep what is to run: were the run to break off, what has not been added is told, too."""
        self._open().announce(nodeids)

    def note(self, facts: Mapping[str, Any]) -> None:
        """Keep facts about the run as a whole for the case that it breaks off; those noted before no longer hold."""
        if facts != self._noted:
            self._noted = dict(facts)
            self._open().note(facts=self._noted)

    def attempts(self, nodeid: str, worker_id: str | None) -> tuple[Attempt, ...]:
        """The attempts at a test that was added before; none for a new one."""
        known = None if self._journal is None else self._journal.find(nodeid, worker_id)
        if known is None:
            return ()
        return (*known.facts.earlier, attempt_of(known.test["outcome"], known.test["traceback"]))

    def take_over(self, nodeid: str, from_worker: str | None, to_worker: str | None) -> None:
        """The attempts at a test on a worker that has crashed come before those on the worker that repeats it."""
        self._open().move(nodeid, from_worker, to_worker)

    def finish(self, run: Run, order: Callable[[str], int] | None = None) -> list[str]:
        """Write the report and forget the journal; returns the outcome of each test. ``order`` ranks node ids.

        A page that cannot be rendered leaves ``results.json`` and a warning, and takes an older page away with it,
        because that would show another run.
        """
        journal, written = self._open(), False
        try:
            workers = None if run.workers is None else asdict(run.workers)
            journal.note(facts=dict(run.facts), exit=exit_document(run), workers=workers)
            prepare(self._directory)  # it may have been removed meanwhile
            if journal.is_replaced():
                told = "another run has begun its report there; give each a directory of its own"
                notice(f"{self._directory}: {told}")
            outcomes = self._write(run, journal, order)
            written = True
        finally:
            journal.close(remove=written)
        return outcomes

    def abandon(self) -> None:
        """Write no report, and leave none of its traces."""
        if self._journal is not None:
            self._journal.close(remove=True)

    def _write(self, run: Run, journal: Journal, order: Callable[[str], int] | None) -> list[str]:
        entries = journal.entries()
        if order is not None:
            entries.sort(key=lambda entry: order(entry.head["nodeid"]))
        kept, left_out = keep_worst(entries, TESTS_MAX, (_is_failing(entry) for entry in entries))
        entries = journal.by_now(entries[index] for index in kept)
        outcomes = [entry.head["outcome"] for entry in entries]
        facts = [entry.facts for entry in entries]
        block = run_document(run, outcomes, facts, truncated=left_out + self._lost > 0)
        results, gherkin = _documents(run, block, journal, entries)
        gherkin["left_out"] = None if self._lost else left_out
        history = History(self._directory / HISTORY, block)
        gherkin |= history.recalled(entry.head["nodeid"] for entry in entries)
        _check(results)
        _replace(self._directory / RESULTS, _lines(block, map(journal.test_text, entries)))
        self._write_messages(block, journal, entries)
        self._write_recordings(journal, entries)
        self._write_page(results, gherkin)
        history.remember((entry.head["nodeid"], entry.head["outcome"], entry.facts.headroom) for entry in entries)
        return outcomes

    def _open(self) -> Journal:
        if self._journal is None:
            prepare(self._directory)
            path = self._directory / PARTIAL
            self._journal = Journal(path, started_at=self._started_at, environment=self._describe(), plain=self._plain)
        return self._journal

    def _write_page(self, results: Mapping[str, Any], gherkin: Mapping[str, Any]) -> None:
        page = self._directory / PAGE
        try:
            write_page_file(page, results, gherkin)
        except Exception as error:  # noqa: BLE001 - the page is the lesser half of the report
            page.unlink(missing_ok=True)
            if foreign_page_folder(page) is None:
                shutil.rmtree(page_files(page), ignore_errors=True)
            notice(f"{PAGE} was not written ({type(error).__name__}: {error}); {self._directory / RESULTS} is complete")

    def _write_recordings(self, journal: Journal, entries: Sequence[JournalEntry]) -> None:
        """The traffic of scenarios, of each attempt; where none is kept, an older run's is taken away."""
        attempts = (each for entry in entries for each in (*entry.earlier, entry) if each is not None)
        lines = (f"{line}\n" for each in attempts for line in journal.recordings(each))
        _replace_or_remove(self._directory / RECORDINGS, lines)

    def _write_messages(self, block: Mapping[str, Any], journal: Journal, entries: Sequence[JournalEntry]) -> None:
        """Messages of the tests that are Gherkin; where there are none, an older run's are taken away."""
        target = self._directory / MESSAGES
        rows = zip(row_ids(entry.head for entry in entries), entries, strict=True)
        with_gherkin = [(row, entry) for row, entry in rows if entry.feature is not None]
        if not with_gherkin:
            target.unlink(missing_ok=True)
            return
        reader = ReadCache(journal)  # the verdicts of expectations are read only where a step declared some
        tests = (
            GherkinTest(
                row=row,
                test=JournaledTest(reader, entry),
                gherkin=journal.gherkin(entry),
                details=journaled_details(reader, entry),
                attachments=journaled_attachments(journal, entry),
            )
            for row, entry in with_gherkin
        )
        parts = (journal.gherkin(entry) for _, entry in with_gherkin)
        try:
            _replace(target, _ndjson(envelopes(block, parts, tests)))
        except Exception as error:  # noqa: BLE001 - a report without messages is better than none
            target.unlink(missing_ok=True)
            notice(f"{MESSAGES} was not written ({type(error).__name__}: {error})")


def write_report(run: Run, tests: Iterable[Test], directory: Path) -> None:
    """Write the report of a run whose tests are at hand."""
    writer = ReportWriter(directory, started_at=run.started_at, describe=lambda: run.environment)
    for test in tests:
        writer.add(test)
    writer.finish(run)


def write_documents(
    results: Mapping[str, Any],
    gherkin: Mapping[str, Any],
    directory: Path,
    *,
    messages: Iterable[Mapping[str, Any]] = (),
    recordings: Iterable[str] = (),
) -> None:
    """Write a report from its documents. Raises ``OSError`` when the directory cannot be written."""
    prepare(directory)
    tests, history = results["tests"], History(directory / HISTORY, results["run"])
    _replace(directory / RESULTS, json_lines(results))
    _replace_or_remove(directory / MESSAGES, _ndjson(messages))
    _replace_or_remove(directory / RECORDINGS, recordings)
    write_page_file(directory / PAGE, results, {**gherkin, **history.recalled(test["nodeid"] for test in tests)})
    history.remember((test["nodeid"], test["outcome"], least_headroom(test["scenarios"])) for test in tests)


def write_page_file(
    target: Path, results: Mapping[str, Any], gherkin: Mapping[str, Any], *, folder: bool = False
) -> None:
    """Draw the page of a report into a file, which is replaced only by a complete one.

    A page of more than ``PAGE_BYTES_MAX`` keeps its parts in a folder beside it, as one does that is asked for with
    ``folder``. Raises ``ForeignFolderError``, before anything is written, where that folder may be somebody else's.
    """
    from choreo_bdd_reporter.page import PageTooLargeError, write_page  # noqa: PLC0415 - brings in Jinja2

    if foreign := foreign_page_folder(target):
        raise ForeignFolderError(
            f"{foreign} holds files that no page has made and stays as it is; move it away or name another file"
        )
    if not folder:
        try:
            with replacing(target) as file:
                write_page(results, gherkin, file, at_most=PAGE_BYTES_MAX)
        except PageTooLargeError:
            notice(f"{target.name} would be larger than {PAGE_BYTES_MAX} bytes; its parts go into {page_files(target)}")
        else:
            shutil.rmtree(page_files(target), ignore_errors=True)
            return
    _write_folder_page(target, results, gherkin)


def _write_folder_page(target: Path, results: Mapping[str, Any], gherkin: Mapping[str, Any]) -> None:
    from choreo_bdd_reporter.page import write_folder_page  # noqa: PLC0415 - brings in Jinja2

    parts = page_files(target)
    new, old = new_page_files(target), old_page_files(target)
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    new.mkdir()
    try:
        with replacing(target) as file:
            write_folder_page(results, gherkin, file, new, name=parts.name)
            file.flush()  # here a full disk still finds the old page whole
            if parts.exists():
                parts.rename(old)
            new.rename(parts)
    except BaseException:
        shutil.rmtree(new if new.exists() else parts, ignore_errors=True)
        if old.exists():
            old.rename(parts)
        raise
    shutil.rmtree(old, ignore_errors=True)


def json_lines(results: Mapping[str, Any]) -> Iterator[str]:
    """The document as ASCII JSON with one test a line: made piece by piece, and good to compare and to search."""
    return _lines(results["run"], map(compact_json, results["tests"]))


def _lines(block: Mapping[str, Any], tests: Iterable[str]) -> Iterator[str]:
    yield f'{{"schema_version":"{SCHEMA_VERSION}",\n"run":{compact_json(block)},\n"tests":['
    for index, test in enumerate(tests):
        yield ",\n" if index else "\n"
        yield test
    yield "\n]}\n"


def _ndjson(messages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    return (f"{document_json(message)}\n" for message in messages)


def _documents(
    run: Run, block: Mapping[str, Any], journal: Journal, entries: Sequence[JournalEntry]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Results and Gherkin; the tests of a large report stay in the journal until it is their turn."""
    rows = dict(zip(row_ids(entry.head for entry in entries), entries, strict=True))
    is_large = sum(map(_length, entries)) > _IN_MEMORY_BYTES
    tests, gherkin = _kept(journal, rows, is_large=is_large)
    return {"schema_version": SCHEMA_VERSION, "run": dict(block), "tests": tests}, {
        **gherkin,
        "exit": exit_document(run),
        **attempts_document(
            (
                row,
                entry.facts.earlier,
                [None if each is None else _attempt(each, journal, is_large=is_large) for each in entry.earlier],
            )
            for row, entry in rows.items()
        ),
        **hidden(dict(run.facts)),
    }


def _length(entry: JournalEntry) -> int:
    own = sum(length for _, length in entry.spans)
    return own + sum(_length(each) for each in entry.earlier if each is not None)


def _attempt(entry: JournalEntry, journal: Journal, *, is_large: bool) -> dict[str, Any]:
    """An attempt before the last, read, or to be read when somebody looks inside."""
    if not is_large:
        parts = (journal.test(entry), journal.gherkin(entry), journal.details(entry), journal.attachments(entry))
        return attempt_document(*parts)
    reader = ReadCache(journal)
    gherkin = {"scenario": journaled_gherkin(reader, entry.head["nodeid"], entry)[1]} if entry.feature else {}
    details = journaled_details(reader, entry)
    return attempt_document(JournaledTest(reader, entry), gherkin, details, journaled_attachments(journal, entry))


def _kept(journal: Journal, rows: Mapping[str, JournalEntry], *, is_large: bool) -> tuple[list[Any], dict[str, Any]]:
    """The tests, and by row id what they have beside results: read, or to be read when somebody looks inside."""
    with_gherkin = {row: entry for row, entry in rows.items() if entry.feature is not None}
    with_details = {row: entry for row, entry in rows.items() if entry.facts.events}
    attached = {row: entry for row, entry in rows.items() if entry.has_attachments}
    details: Mapping[str, Any]
    attachments: Mapping[str, Any]
    tests: list[Any]
    if not is_large:
        tests = [journal.test(entry) for entry in rows.values()]
        found = [described(row, journal.gherkin(entry)) for row, entry in with_gherkin.items()]
        details = {row: journal.details(entry) for row, entry in with_details.items()}
        attachments = {row: journal.attachments(entry) for row, entry in attached.items()}
    else:
        reader = ReadCache(journal)
        tests = [JournaledTest(reader, entry) for entry in rows.values()]
        found = [journaled_gherkin(reader, row, entry) for row, entry in with_gherkin.items()]
        details = LazyRows(with_details, partial(journaled_details, reader))
        attachments = LazyRows(attached, partial(journaled_attachments, journal))
    kept = {"features": feature_documents(found), "details": details}
    return tests, {**kept, "attachments": attachments} if attached else kept


def _is_failing(entry: JournalEntry) -> bool:
    return entry.head["outcome"] in ("failed", "errored")


def _check(results: Mapping[str, Any]) -> None:
    """Warn when the document breaks its own contract; it is written all the same, as the best there is."""
    error = first_error(results)
    if error:
        notice(f"{RESULTS} does not follow its schema: {error}")


def _replace_or_remove(target: Path, lines: Iterable[str]) -> None:
    """Write a file that a report has only if something stands in it."""
    rest = iter(lines)
    first = next(rest, None)
    if first is None:
        target.unlink(missing_ok=True)
    else:
        _replace(target, chain([first], rest))


def _replace(target: Path, pieces: Iterable[str]) -> None:
    with replacing(target) as file:
        file.writelines(pieces)
