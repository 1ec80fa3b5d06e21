"""The commands say what they need."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from choreo_bdd_chronicle import commands as room
from choreo_bdd_chronicle import server
from choreo_bdd_chronicle.settings import Settings
from tests.chronicle.reports import body, report
from tests.chronicle.servers import serving
from tests.support.command_line import CliRunner
from tests.support.listening import listening
from tests.support.steering import STEERING, steers


def test_without_the_extra_the_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "find_spec", lambda name: None if name == "starlette" else object())
    done = CliRunner().invoke(room.commands, ["chronicle", "serve"])
    assert done.exit_code == 2
    assert 'starlette: pip install "choreo-bdd[chronicle]"' in done.output


@pytest.mark.thorough
def test_the_commands_load_nothing_of_the_server() -> None:
    needed = ("starlette", "uvicorn", "msgspec", "jsonschema_rs", "sqlalchemy", "alembic", "numpy")
    code = f"import sys, choreo_bdd_chronicle.commands; print(*sorted(set({needed!r}) & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(room.commands, ["chronicle", "serve", "--port", port, "--data", str(tmp_path)])
    assert done.exit_code == 2
    assert "--port names another port" in done.output


def test_a_setting_that_is_no_number_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHRONICLE_MAX_BODY_SIZE", "20 MB")
    done = CliRunner().invoke(room.commands, ["chronicle", "serve", "--data", str(tmp_path)])
    assert (done.exit_code, "CHRONICLE_MAX_BODY_SIZE" in done.output) == (2, True)


@pytest.mark.thorough
def test_push_keeps_what_it_cannot_send_and_sends_it_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.chronicle.reports import body, report

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    file = tmp_path / "results.json"
    file.write_bytes(body(report()))
    push = ["chronicle", "push", str(file)]
    away = CliRunner().invoke(room.commands, [*push, "--url", "http://127.0.0.1:9"])
    assert (away.exit_code, "it is kept, and the next push sends it" in away.output) == (0, True)
    with serving(tmp_path / "server") as url:
        sent = CliRunner().invoke(room.commands, [*push, "--url", url])
        assert (sent.exit_code, f"sent: {url}/runs/" in sent.output) == (0, True)


def test_an_answer_does_not_wait_for_the_client_to_acknowledge_its_head() -> None:
    async def is_sent_at_once() -> bool:
        accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            taken = writer.get_extra_info("socket")
            accepted.set_result(taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with server.listening_at(Settings(database="", port=0)) as listening:
            async with await asyncio.start_server(answer, sock=listening):
                _, client = await asyncio.open_connection(*listening.getsockname())
                found = await asyncio.wait_for(accepted, 10)
                client.close()
        return bool(found)

    assert asyncio.run(is_sent_at_once())


@pytest.mark.thorough
@pytest.mark.parametrize("text", STEERING.values(), ids=STEERING)
def test_what_files_and_servers_say_steers_no_terminal(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    odd = tmp_path / text.replace("/", "_").encode("utf-8", "replace").decode()
    odd.mkdir()
    (odd / "results.json").write_bytes(body(report()))
    (odd / f"{odd.name}.xml").write_text("<")
    kept = json.dumps({"run_id": text, "duplicate": False, "warnings": [text]}).encode()
    said = []
    for status, answer in ((201, kept), (400, json.dumps({"detail": text}).encode())):
        with listening(status, answer) as (url, _):
            for command in (["push", str(odd), str(odd / "none")], ["import", str(odd)], ["gate", str(odd)]):
                done = CliRunner().invoke(room.commands, ["chronicle", *command, "--url", url])
                assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
                said.append(done.output)
    assert len("".join(said).splitlines()) > 6
    assert [found for each in said if (found := steers(each))] == []


@pytest.mark.parametrize("command", ["push", "import", "gate"])
@pytest.mark.parametrize(
    "url", ["nonsense", "http://[x", "file:///etc", "http://h:x", "http://ann:hunter-9f3b@127.0.0.1:9"]
)
def test_an_address_that_can_be_none_of_a_server_is_told_and_not_shown(
    url: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "results.json").write_bytes(body(report()))
    done = CliRunner().invoke(room.commands, ["chronicle", command, str(tmp_path), "--url", url])
    assert (done.exit_code, "the address of the server" in done.output) == (2, True)
    assert "9f3b" not in done.output
    assert list(tmp_path.rglob("*.gz")) == []


@pytest.mark.parametrize(
    "command", ["retention --days 30", "export", "tokens list", "tokens revoke ci", "backup copy.db"], ids=str.split
)
def test_a_folder_without_a_database_is_told_and_gets_none(command: str, tmp_path: Path) -> None:
    nowhere = tmp_path / "misspelt"
    done = CliRunner().invoke(room.commands, ["chronicle", *command.split(), "--data", str(nowhere)])
    assert (done.exit_code, "there is no database" in done.output) == (2, True)
    assert "--data FOLDER names another" in done.output
    assert list(tmp_path.rglob("*.db*")) == []


def test_an_address_at_which_something_else_answers_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_bytes(body(report()))
    with serving(tmp_path / "data") as url:
        done = CliRunner().invoke(room.commands, ["chronicle", "push", str(tmp_path), "--url", f"{url}/elsewhere"])
    assert (done.exit_code, "no Chronicle takes reports at this address" in done.output) == (1, True)
