"""The language server: an editor's questions on standard input, the answers on standard output (LSP 3.17)."""

from __future__ import annotations

import asyncio
import gc
import re
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.workspace import ServerTextPosition, ServerTextRange

from choreo_bdd import __version__
from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.gherkin.lines import read_lines
from choreo_bdd_steps.editor.completion import Proposal, ProposalKind, complete
from choreo_bdd_steps.editor.diagnostics import Diagnostic, broken, diagnose
from choreo_bdd_steps.editor.document import Document, Span
from choreo_bdd_steps.editor.hover import hover
from choreo_bdd_steps.editor.project import Project, read_project
from choreo_bdd_steps.editor.symbols import BadName, check_name, definitions, occurrences
from choreo_bdd_steps.editor.tables import formatted
from choreo_bdd_steps.lint import Severity
from choreo_bdd_steps.vocabulary import PHRASES
from choreo_bdd_steps.vocabulary.continuing import make_ready

_PAUSE_S = 0.05
"""How long typing must rest before lint looks at a text."""

_SWITCH_INTERVAL_S = 0.0005
"""How long a look at a text may keep the interpreter from an answer; Python's 5 ms are paid several times in one."""

_WATCHED = ("**/*.feature", "**/*.{yaml,yml,json}", "**/pyproject.toml", "**/*.py")
"""What a project is read from."""

_SIGNS = {
    ProposalKind.SENTENCE: lsp.CompletionItemKind.Snippet,
    ProposalKind.WORDS: lsp.CompletionItemKind.Keyword,
    ProposalKind.TOPIC: lsp.CompletionItemKind.Event,
    ProposalKind.TRANSPORT: lsp.CompletionItemKind.Module,
    ProposalKind.VARIABLE: lsp.CompletionItemKind.Variable,
    ProposalKind.FUNCTION: lsp.CompletionItemKind.Function,
    ProposalKind.OPERATOR: lsp.CompletionItemKind.Operator,
    ProposalKind.FIELD: lsp.CompletionItemKind.Field,
    ProposalKind.VALUE: lsp.CompletionItemKind.Value,
    ProposalKind.TAG: lsp.CompletionItemKind.Property,
    ProposalKind.FILE: lsp.CompletionItemKind.File,
}
_SEVERITIES = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
}


class _Session:
    """What one editor has open, and what is known around it."""

    def __init__(self, server: LanguageServer) -> None:
        self.server = server
        self._projects: dict[Path, Project | ChoreoError] = {}
        self._sound: dict[Path, Project] = {}
        self._open: set[str] = set()
        """The open texts as the editor names them; pygls undoes what is quoted in a name."""
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._lint = ThreadPoolExecutor(1, "lint")
        """Where texts are looked at, so that a completion need not wait for it."""
        self._looked_at: dict[str, bool] = {}
        """The texts that are being looked at, and whether to look at them again."""

    def document(self, uri: str) -> Document:
        """A text as the editor has it; of what is no feature, as an editor may send all its YAML, there is nothing."""
        if not _is_feature(uri):
            return Document(_path(uri), "")
        # a byte order mark is a blank: editors that send one count it as a column
        text = re.sub("^\ufeff", " ", self.server.workspace.get_text_document(uri).source)
        return Document(_path(uri), text)

    def project(self, document: Document) -> Project | ChoreoError:
        """What stands around a file; read once, until something is saved."""
        folder = document.path.parent
        if folder not in self._projects:
            try:
                self._projects[folder] = self._sound[folder] = read_project(document.path)
            except ChoreoError as error:
                self._projects[folder] = error
        return self._projects[folder]

    def known(self, document: Document) -> Project | None:
        """What stands around a file, or stood there when it could last be read: its author is about to change it."""
        project = self.project(document)
        return self._sound.get(document.path.parent) if isinstance(project, ChoreoError) else project

    def forget(self) -> None:
        """Something around the open files may have changed."""
        self._projects.clear()
        for uri in self._open:
            self.look_soon(uri)

    def open(self, uri: str) -> None:
        """Look at it from now on."""
        if not _is_feature(uri):
            return
        self._open.add(uri)
        self.look_soon(uri)

    def change(self, uri: str) -> None:
        """Look at it again, if it was looked at."""
        if uri in self._open:
            self.look_soon(uri)

    def look_soon(self, uri: str) -> None:
        """Look at a text when nobody types any more."""
        if (timer := self._waiting.pop(uri, None)) is not None:
            timer.cancel()
        self._waiting[uri] = asyncio.get_running_loop().call_later(_PAUSE_S, self._look, uri)

    def close(self, uri: str) -> None:
        """Its findings go with it."""
        self._open.discard(uri)
        if (timer := self._waiting.pop(uri, None)) is not None:
            timer.cancel()
        self.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))

    def _look(self, uri: str) -> None:
        self._waiting.pop(uri, None)
        if uri in self._looked_at:
            self._looked_at[uri] = True
            return
        self._looked_at[uri] = False
        document, version = self.document(uri), self.server.workspace.get_text_document(uri).version
        work = partial(_findings, document, self.project(document))
        looking = asyncio.get_running_loop().run_in_executor(self._lint, work)
        looking.add_done_callback(partial(self._tell, uri, version))

    def _tell(self, uri: str, version: int | None, looking: asyncio.Future[list[Diagnostic]]) -> None:
        """Publish what was found, unless the text has changed or gone meanwhile."""
        if self._looked_at.pop(uri):
            self.look_soon(uri)
        if uri in self._open and self.server.workspace.get_text_document(uri).version == version:
            found = [self._diagnostic(uri, each) for each in looking.result()]
            self.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, version))

    def _diagnostic(self, uri: str, each: Diagnostic) -> lsp.Diagnostic:
        return lsp.Diagnostic(
            range=self.range(uri, each.span),
            message=each.message,
            severity=_SEVERITIES[each.severity],
            code=each.rule,
            source="choreo-bdd",
        )

    def place(self, uri: str, position: lsp.Position) -> tuple[int, int]:
        """A cursor in lines and characters from 0, however the editor counts the latter."""
        found = self.server.workspace.position_codec.position_from_client_units(self._lines(uri), position)
        return found.line, found.character

    def range(self, uri: str, span: Span) -> lsp.Range:
        """A span as the editor counts."""
        begin, end = ServerTextPosition(span.line, span.begin), ServerTextPosition(span.line, span.end)
        return self.server.workspace.position_codec.range_to_client_units(self._lines(uri), ServerTextRange(begin, end))

    def _lines(self, uri: str) -> Sequence[str]:
        """Lines as the protocol and Gherkin have them; pygls' own end at form feeds and U+2028, too."""
        return self.document(uri).raw_lines


def make_server() -> LanguageServer:
    """A server that knows nothing yet; ``start_io()`` has it talk."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    make_ready(PHRASES)
    read_lines("")  # loads the parser
    gc.freeze()  # what is loaded stays; looking through all of it for garbage would hold an answer up by 100 ms
    # whole texts: what pygls takes for lines when it applies a change is not what editors do, see _lines
    server = LanguageServer("choreo-bdd", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full)
    session = _Session(server)
    _watch(server, session)
    _answer(server, session)
    _change(server, session)
    return server


def _watch(server: LanguageServer, session: _Session) -> None:
    @server.feature(lsp.INITIALIZED)
    async def initialized(_params: lsp.InitializedParams) -> None:
        """Ask an editor that can to tell of files that change beside the open ones."""
        workspace = server.client_capabilities.workspace
        watched = None if workspace is None else workspace.did_change_watched_files
        if watched is not None and watched.dynamic_registration:
            options = lsp.DidChangeWatchedFilesRegistrationOptions(list(map(lsp.FileSystemWatcher, _WATCHED)))
            wish = lsp.Registration("files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            await server.client_register_capability_async(lsp.RegistrationParams([wish]))

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        session.open(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        session.change(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(_params: lsp.DidSaveTextDocumentParams) -> None:
        session.forget()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(_params: lsp.DidChangeWatchedFilesParams) -> None:
        session.forget()

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        session.close(params.text_document.uri)


def _answer(server: LanguageServer, session: _Session) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=list('" {|@!')))
    def completed(params: lsp.CompletionParams) -> lsp.CompletionList:
        uri = params.text_document.uri
        document = session.document(uri)
        project = session.known(document)
        if project is None:
            return lsp.CompletionList(is_incomplete=False, items=[])
        line, column = session.place(uri, params.position)
        proposals = complete(document, project, line, column)
        written = document.lines[line].raw[:column] if proposals else ""
        items = [
            _item(each, session.range(uri, Span(line, each.begin, column)), written[each.begin :], at)
            for at, each in enumerate(proposals)
        ]
        return lsp.CompletionList(is_incomplete=True, items=items)

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hovered(params: lsp.HoverParams) -> lsp.Hover | None:
        document = session.document(params.text_document.uri)
        project = session.known(document)
        told = None if project is None else hover(document, project, params.position.line)
        return None if told is None else lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, told))

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def defined(params: lsp.DefinitionParams) -> list[lsp.Location]:
        uri = params.text_document.uri
        document = session.document(uri)
        project = session.known(document)
        if project is None:
            return []
        found = definitions(document, project, *session.place(uri, params.position))
        return [
            lsp.Location(uri, session.range(uri, each.span))
            if each.path == document.path
            else lsp.Location(each.path.as_uri(), lsp.Range(_start(each.span), _start(each.span)))
            for each in found
        ]


def _change(server: LanguageServer, session: _Session) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepared(params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder | None:
        uri = params.text_document.uri
        line, column = session.place(uri, params.position)
        found = occurrences(session.document(uri), line, column)
        if found is None:
            return None
        here = next(span for span in found[1] if span.holds(line, column))
        return lsp.PrepareRenamePlaceholder(session.range(uri, here), found[0])

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def renamed(params: lsp.RenameParams) -> lsp.WorkspaceEdit | None:
        uri = params.text_document.uri
        document, (line, column) = session.document(uri), session.place(uri, params.position)
        found = occurrences(document, line, column)
        if found is None:
            return None
        try:
            if params.new_name != found[0]:
                check_name(params.new_name, document, line)
        except BadName as error:
            raise JsonRpcInvalidParams(str(error)) from error
        return lsp.WorkspaceEdit({uri: [lsp.TextEdit(session.range(uri, span), params.new_name) for span in found[1]]})

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def laid_out(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
        uri = params.text_document.uri
        document = session.document(uri)
        return list(_edits(session, uri, document))


def _findings(document: Document, project: Project | ChoreoError) -> list[Diagnostic]:
    return broken(project) if isinstance(project, ChoreoError) else diagnose(document, project)


def _item(each: Proposal, place: lsp.Range, written: str, at: int) -> lsp.CompletionItem:
    """``written`` is what it replaces: an editor keeps only items that begin with it."""
    return lsp.CompletionItem(
        label=each.label,
        kind=_SIGNS[each.what],
        detail=each.detail or None,
        documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, each.meaning) if each.meaning else None,
        insert_text_format=lsp.InsertTextFormat.Snippet,
        text_edit=lsp.TextEdit(place, each.insert),
        filter_text=each.label if written.strip() else f"{written}{each.label}",
        sort_text=f"{at:04}",
    )


def _edits(session: _Session, uri: str, document: Document) -> Iterable[lsp.TextEdit]:
    for number, text in formatted(document):
        yield lsp.TextEdit(session.range(uri, Span(number, 0, len(document.lines[number].raw))), text)


def _start(span: Span) -> lsp.Position:
    return lsp.Position(span.line, span.begin)


def _is_feature(uri: str) -> bool:
    return _path(uri).suffix == ".feature"


def _path(uri: str) -> Path:
    """The file of a URI; one that is not saved yet counts as lying in the current folder."""
    parts = urlparse(uri)
    return Path(url2pathname(unquote(parts.path))) if parts.scheme == "file" else Path.cwd() / "untitled.feature"
