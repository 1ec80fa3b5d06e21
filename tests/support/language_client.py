"""A language client that talks to `choreo-bdd lsp` in a process of its own, over its standard streams."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

_LONG_S = 30.0


class Editor:
    """One editor with one file open."""

    def __init__(self, client: LanguageClient, file: Path) -> None:
        self.client = client
        self.uri = file.as_uri()
        self._version = 0
        self._diagnosed: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()

        @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]  # as pygls has it
        def diagnosed(params: lsp.PublishDiagnosticsParams) -> None:
            self._diagnosed.put_nowait(params)

    async def open(self, text: str) -> list[lsp.Diagnostic]:
        """Open the file with a text; what is found in it."""
        self._version = 1
        item = lsp.TextDocumentItem(self.uri, "gherkin", self._version, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        return await self._found()

    async def write(self, text: str) -> list[lsp.Diagnostic]:
        """Change the whole text; what is found in it then."""
        self.change(text)
        return await self._found()

    def change(self, text: str) -> None:
        """Change the whole text and wait for nothing."""
        self._version += 1
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(self._version, self.uri),
                [lsp.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    async def completed(self, line: int, character: int) -> list[lsp.CompletionItem]:
        """What is offered at a place."""
        where = lsp.CompletionParams(self.document, lsp.Position(line, character))
        found = await asyncio.wait_for(self.client.text_document_completion_async(where), _LONG_S)
        assert isinstance(found, lsp.CompletionList)
        return list(found.items)

    @property
    def document(self) -> lsp.TextDocumentIdentifier:
        """The open file."""
        return lsp.TextDocumentIdentifier(self.uri)

    async def told(self) -> lsp.PublishDiagnosticsParams:
        """The next findings that come, whatever they are about."""
        return await asyncio.wait_for(self._diagnosed.get(), _LONG_S)

    async def _found(self) -> list[lsp.Diagnostic]:
        deadline = time.monotonic() + _LONG_S
        while True:
            told = await asyncio.wait_for(self._diagnosed.get(), deadline - time.monotonic())
            if told.version == self._version:
                return list(told.diagnostics)


@asynccontextmanager
async def editor(file: Path) -> AsyncIterator[Editor]:
    """An editor at a file, which need not be there, with the server of a process started for it."""
    client = LanguageClient("tests", "1")
    await client.start_io(sys.executable, "-m", "choreo_bdd", "lsp")
    try:
        root = lsp.InitializeParams(lsp.ClientCapabilities(), root_uri=file.parent.as_uri())
        await asyncio.wait_for(client.initialize_async(root), _LONG_S)
        client.initialized(lsp.InitializedParams())
        yield Editor(client, file)
        await asyncio.wait_for(client.shutdown_async(None), _LONG_S)
    finally:
        client.exit(None)
        await asyncio.wait_for(client.stop(), _LONG_S)  # type: ignore[no-untyped-call]  # pygls leaves it untyped
