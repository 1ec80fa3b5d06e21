"""The language server as an editor meets it: a process, and a real client on its standard streams."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from choreo_bdd_steps.editor.completion import complete
from choreo_bdd_steps.editor.diagnostics import diagnose
from choreo_bdd_steps.editor.document import Document
from choreo_bdd_steps.editor.hover import hover
from choreo_bdd_steps.editor.project import read_project
from choreo_bdd_steps.editor.symbols import definitions, occurrences
from choreo_bdd_steps.editor.tables import formatted
from choreo_bdd_steps.vocabulary import PHRASES
from tests.support.language_client import Editor, editor

pytestmark = pytest.mark.process

_SOUND = 'Feature: F\n\n  Scenario: S\n    When I publish "a"\n    Then I expect "b" within 50ms\n'


def _run(file: Path, work: Callable[[Editor], Awaitable[None]]) -> None:
    async def session() -> None:
        async with editor(file) as opened:
            await work(opened)

    asyncio.run(session())


def test_an_editor_gets_all_it_asks_for(project: Path) -> None:
    """One process, so that it is paid for once: each question as a client sends it."""
    file = project / "features" / "open.feature"

    async def work(opened: Editor) -> None:
        assert await opened.open(_SOUND) == []
        await _completes(opened)
        await _diagnoses(opened)
        await _hovers_and_leads(opened)
        await _renames(opened)
        await _lays_out(opened)

    _run(file, work)


async def _completes(opened: Editor) -> None:
    await opened.write(_SOUND + "    And ")
    items = await opened.completed(5, 8)
    assert {item.label for item in items} >= {phrase.text for phrase in PHRASES}
    assert all(item.insert_text_format is lsp.InsertTextFormat.Snippet for item in items)


async def _diagnoses(opened: Editor) -> None:
    broken = _SOUND.replace('"b" within', '"😀" on nowhere within')
    [found] = await opened.write(broken)
    assert found.code == "unknown-transport"
    at = broken.split("\n")[4].encode("utf-16-le").index("nowhere".encode("utf-16-le")) // 2
    assert (found.range.start.line, found.range.start.character) == (4, at), "columns count UTF-16 units"
    [unreadable] = await opened.write(_SOUND + "  Nonsense")
    assert unreadable.code == "unreadable-feature"
    assert await opened.write(_SOUND) == []


async def _hovers_and_leads(opened: Editor) -> None:
    hovered = await opened.client.text_document_hover_async(lsp.HoverParams(opened.document, lsp.Position(4, 12)))
    assert hovered is not None
    assert isinstance(hovered.contents, lsp.MarkupContent)
    assert "armed before line 4" in hovered.contents.value
    await opened.write(_SOUND + "    And a customer called Ada\n")
    led = await opened.client.text_document_definition_async(lsp.DefinitionParams(opened.document, lsp.Position(5, 12)))
    assert isinstance(led, list)
    [place] = led
    assert isinstance(place, lsp.Location)
    assert place.uri.endswith("own.py")


async def _renames(opened: Editor) -> None:
    text = _SOUND.replace("    When", "    Given total is 7\n    When").replace('"a"\n', '"a.{{ total }}"\n')
    await opened.write(text)
    cursor = lsp.Position(3, 12)
    ready = await opened.client.text_document_prepare_rename_async(lsp.PrepareRenameParams(opened.document, cursor))
    assert isinstance(ready, lsp.PrepareRenamePlaceholder)
    assert ready.placeholder == "total"
    edit = await opened.client.text_document_rename_async(lsp.RenameParams(opened.document, cursor, "sum"))
    assert edit is not None
    assert edit.changes is not None
    assert [change.range.start.line for change in edit.changes[opened.uri]] == [3, 4]
    with pytest.raises(JsonRpcException, match="is no name of a variable"):
        await opened.client.text_document_rename_async(lsp.RenameParams(opened.document, cursor, "two words"))


async def _lays_out(opened: Editor) -> None:
    await opened.write(_SOUND.replace('"a"\n', '"a":\n      |x|\n      | long |\n'))
    options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
    params = lsp.DocumentFormattingParams(opened.document, options)
    edits = await opened.client.text_document_formatting_async(params)
    assert edits is not None
    assert [edit.new_text for edit in edits] == ["      | x    |"]


GERMAN = """\
# language: de
Funktionalität: Lichter

  Regel: Nur ein Licht

    Szenario: Es brennt
      Angenommen total is 7
      Wenn I publish "a.{{ total }}":
        | feld | wert |
        |😀id|1|
      Dann I expect "a.7" on nowhere
      Und """


def test_texts_of_every_language_and_line_end_are_counted_as_the_editor_counts(project: Path) -> None:
    file = project / "features" / "open.feature"

    async def work(opened: Editor) -> None:
        await opened.open(_SOUND)
        for mark, end in (("", "\n"), ("", "\r\n"), ("\ufeff", "\n"), ("\ufeff", "\r\n")):
            text = mark + GERMAN.replace("\n", end)
            found = await opened.write(text)
            assert [(each.range.start.line, each.range.start.character) for each in found] == [(10, 29), (11, 9)]
            assert {item.label for item in await opened.completed(11, 10)} >= {phrase.text for phrase in PHRASES}
            rename = lsp.RenameParams(opened.document, lsp.Position(7, 28), "summe")
            edit = await opened.client.text_document_rename_async(rename)
            assert edit is not None
            assert edit.changes is not None
            renamed = _edited(text, edit.changes[opened.uri])
            assert renamed == text.replace("total", "summe")
            params = lsp.DocumentFormattingParams(opened.document, lsp.FormattingOptions(2, insert_spaces=True))
            laid_out = _edited(text, await opened.client.text_document_formatting_async(params) or [])
            assert laid_out == text.replace("|😀id|1|", "| 😀id | 1    |")
        # editors end a line at neither of these
        [strange] = await opened.write(_SOUND.replace("S\n", "\u2028 S\x0c\n").replace('"b"', '"😀" on nowhere'))
        assert (strange.range.start.line, strange.range.start.character) == (4, 26)

    _run(file, work)


def _edited(text: str, edits: Sequence[lsp.TextEdit | lsp.AnnotatedTextEdit | lsp.SnippetTextEdit]) -> str:
    """A text as an editor has it afterwards: within lines, in UTF-16 units."""
    lines = [line.encode("utf-16-le") for line in text.split("\n")]
    for edit in sorted(edits, key=lambda each: (each.range.start.line, -each.range.start.character)):
        assert isinstance(edit, lsp.TextEdit)
        line, begin, end = edit.range.start.line, 2 * edit.range.start.character, 2 * edit.range.end.character
        assert line == edit.range.end.line
        lines[line] = lines[line][:begin] + edit.new_text.encode("utf-16-le") + lines[line][end:]
    return "\n".join(line.decode("utf-16-le") for line in lines)


@pytest.mark.parametrize(
    "text", ["", "\x00\x00", "# language: xx\n", "\ufeffFeature: F\r\n", "Rule: R\n", "\u2028|", "@slow a"]
)
def test_a_text_that_is_hardly_a_feature_is_answered(project: Path, text: str) -> None:
    document = Document(project / "features" / "open.feature", text)
    known = read_project(document.path)
    diagnose(document, known)
    for column in (0, 1):
        assert hover(document, known, 0) is None
        assert definitions(document, known, 0, column) == []
        assert occurrences(document, 0, column) is None
        complete(document, known, 0, column)
    assert list(formatted(document)) == []


def test_a_configuration_that_cannot_be_read_is_told_and_mended(project: Path) -> None:
    configuration = project / "choreo.yaml"
    sound = configuration.read_text()
    configuration.write_text("profiles: [\n")

    async def work(opened: Editor) -> None:
        [found] = await opened.open(_SOUND)
        assert found.code == "configuration"
        assert "choreo.yaml" in found.message
        configuration.write_text(sound)
        opened.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([]))
        assert await opened.write(_SOUND) == []
        # and while it is being written to, what was known is still offered
        configuration.write_text("profiles: [\n")
        opened.client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([]))
        [found] = await opened.write(_SOUND + '    And I expect "')
        assert found.code == "configuration"
        assert "payments.done" in {item.label for item in await opened.completed(5, 18)}

    _run(project / "features" / "open.feature", work)


def test_what_is_found_after_a_save_goes_under_the_name_that_the_editor_gave(project: Path) -> None:
    async def work(opened: Editor) -> None:
        assert await opened.open(_SOUND) == []
        (project / "choreo.yaml").write_text("profiles: {memory: {kafka: {type: memory}}}\ndefault_transport: kafka\n")
        opened.client.text_document_did_save(lsp.DidSaveTextDocumentParams(opened.document))
        told = await opened.told()
        assert told.uri == opened.uri

    _run(project / "features" / "100 % für alle.feature", work)


def test_files_without_a_project_and_of_two_projects_are_each_judged_by_their_own(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = _SOUND.replace('"a"', '"a" on side')
    alone = tmp_path_factory.mktemp("alone") / "open.feature"
    other = tmp_path_factory.mktemp("other")
    (other / "choreo.yaml").write_text("profiles: {memory: {bus: {type: memory}}}\n")

    async def work(opened: Editor) -> None:
        assert await opened.open(text) == []
        for file in (other / "open.feature", alone):
            opened.uri = file.as_uri()
            [found] = await opened.open(text)
            assert found.code == "unknown-transport"
        opened.uri = "untitled:Untitled-1"
        assert await opened.open(_SOUND) == []

    _run(project / "features" / "open.feature", work)


def test_an_editor_that_can_is_asked_to_tell_of_files_beside_the_open_ones(project: Path) -> None:
    async def asked() -> list[lsp.Registration]:
        client, told = LanguageClient("tests", "1"), asyncio.Queue[lsp.RegistrationParams]()

        @client.feature(lsp.CLIENT_REGISTER_CAPABILITY)  # type: ignore[untyped-decorator]  # as pygls has it
        def registered(params: lsp.RegistrationParams) -> None:
            told.put_nowait(params)

        await client.start_io(sys.executable, "-m", "choreo_bdd", "lsp")
        watches = lsp.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
        able = lsp.ClientCapabilities(lsp.WorkspaceClientCapabilities(did_change_watched_files=watches))
        await client.initialize_async(lsp.InitializeParams(able, root_uri=project.as_uri()))
        client.initialized(lsp.InitializedParams())
        found = await asyncio.wait_for(told.get(), 30)
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()  # type: ignore[no-untyped-call]  # pygls leaves it untyped
        return list(found.registrations)

    [wish] = asyncio.run(asked())
    assert wish.method == lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES


_FIRST_ANSWER = """\
import re
from pathlib import Path
from choreo_bdd_steps.editor.completion import complete
from choreo_bdd_steps.editor.document import Document
from choreo_bdd_steps.editor.project import read_project
from choreo_bdd_steps.editor.server import make_server
make_server()
file, text = Path("open.feature").absolute(), 'Feature: F\\n  Scenario: S\\n    Then I expect "'
project = read_project(file)
compiled = re._compiler.compile
re._compiler.compile = lambda pattern, *more: (print(pattern), compiled(pattern, *more))[1]
for column in range(8, 19):
    complete(Document(file, text), project, 2, column)
"""


def test_the_first_completion_waits_for_nothing_that_could_be_ready_before(project: Path) -> None:
    command = [sys.executable, "-c", _FIRST_ANSWER]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout) == (0, ""), run.stderr


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError(name='pygls')\n")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from choreo_bdd.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", program, "lsp"], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 2
    assert "pip install 'choreo-bdd[lsp]'" in run.stderr


def test_files_that_are_no_features_are_left_alone(project: Path) -> None:
    """An editor may send all files of a language: the configuration is no feature, and its tables are none."""
    settings = project / "choreo.yaml"

    async def work(opened: Editor) -> None:
        text = "| a |\n| long |\n"
        item = lsp.TextDocumentItem(opened.uri, "yaml", 1, text)
        opened.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        assert await opened.completed(0, 2) == []
        options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
        laid_out = lsp.DocumentFormattingParams(opened.document, options)
        assert not await opened.client.text_document_formatting_async(laid_out)
        position = lsp.Position(0, 2)
        assert await opened.client.text_document_hover_async(lsp.HoverParams(opened.document, position)) is None
        opened.change(text)
        feature = (project / "features" / "open.feature").as_uri()
        item = lsp.TextDocumentItem(feature, "gherkin", 1, "nonsense")
        opened.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        assert (await opened.told()).uri == feature

    _run(settings, work)
