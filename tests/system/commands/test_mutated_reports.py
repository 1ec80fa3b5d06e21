"""A report with one value exchanged for an odd one, wherever values stand: every command ends as it documents."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from choreo_bdd_reporter.commands import commands
from tests.support.command_line import CliRunner
from tests.support.hostile_reports import gherkin, past, write_whole
from tests.support.reports import Place, at, sound

ODD = (
    "null", "true", "[]", "{}", "[[]]", "[null]", '[1, "a", null, {}]', '{"__proto__": {"a": 1}}', "-1", "1.5", "1e400",
    "NaN", "-1e308", "9" * 5000, "18446744073709551616", '""', f'"{"x" * 200_000}"', "[" * 600 + "]" * 600, '"\\ud800"',
    '{"a":' * 400 + "1" + "}" * 400, '"\\u0000\\u001b]0;x\\u0007\\u202e::error::x"', '"../../../etc/passwd"',
    '"/dev/zero"', '"9999-12-31T23:59:59.999999-14:00"', '"0001-01-01T00:00:00+14:00"', '"<script>"', '"__proto__"',
)  # fmt: skip
WHOLE: dict[str, Any] = {"results.json": sound("1.3"), "index.html": gherkin(), "history.jsonl": json.loads(past())}
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("merge", "report", "sound", "-o", "merged"),
    ("diff", "report", "sound"),
    ("diff", "sound", "report", "--format", "json"),
    *(("summary", "report", "--format", form) for form in ("text", "markdown", "junit", "github")),
    *(("export", "report", "--format", form) for form in ("ctrf", "otlp", "chrome-trace")),
    ("render", "report"),
    ("validate", "report"),
)


def places(value: Any, so_far: Place = ()) -> Iterator[Place]:
    """Every place of a document but the document itself."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield (*so_far, name)
        yield from places(part, (*so_far, name))


runner = CliRunner()
ALL = [(file, place, odd) for file, whole in WHOLE.items() for place in places(whole) for odd in ODD]


def write(file: str, place: Place, odd: str) -> None:
    changed = copy.deepcopy(WHOLE[file])
    at(changed, place[:-1])[place[-1]] = "@@"
    text = json.dumps(changed).replace('"@@"', odd)
    text = f'<!doctype html>\n<template id="choreo-gherkin">{text}</template>' if file == "index.html" else text + "\n"
    Path("report", file).write_text(text, "utf-8")


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(4))
def test_no_command_ends_by_an_exception_or_steers_a_terminal(
    seed: int, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("mutated"))  # where the suite does not search for sound ones
    for name in ("report", "sound"):
        write_whole(Path(name))
    files = {path.name: path.read_bytes() for path in Path("report").iterdir()}
    for file, place, odd in random.Random(seed).sample(ALL, 20):
        for name, content in files.items():
            Path("report", name).write_bytes(content)
        write(file, place, odd)
        codes = {}
        for command in COMMANDS:
            done = runner.invoke(commands, ["report", *command])
            told = (file, place, odd[:40], command, done.output[:500])
            assert done.exception is None or isinstance(done.exception, SystemExit), told
            assert not set("\x00\x07\x1b\u202e") & set(done.output), told
            codes[command] = done.exit_code
        refused = {command for command, code in codes.items() if code == 2 and command[0] != "validate"}
        assert len(refused) in (0, len(COMMANDS) - 1), (file, place, odd[:40], codes)
        assert set(codes.values()) <= {0, 1, 2}
