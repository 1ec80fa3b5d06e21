"""Every command and every form of it: where secrets are looked for in what it says, or why none can be there."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from typer.main import get_command

from choreo_bdd.cli import GROUP, build_app
from tests.support.written import PRINTED
from tests.system import test_canaries_on_brokers as canaries

TESTS = Path(__file__).parents[1]
LOOKED_FOR = {
    **dict.fromkeys(
        ("report merge", "report diff", "report summary", "report export", "explain", "lint", "replay", "prove",
         "doctor", "chronicle push"),
        "system/test_canaries_on_brokers.py",
    ),
    **dict.fromkeys(("lsp", "draft", "steps"), "system/test_canaries_in_tools.py"),
    "record": "steps/drafting/test_recorded.py",
    "chronicle backup": "chronicle/test_copies.py",
    "chronicle restore": "chronicle/test_copies.py",
}  # fmt: skip
OF_REPORTS = {
    "report validate", "report render", "report open", "chronicle serve", "chronicle migrate", "chronicle import",
    "chronicle gate", "chronicle retention", "chronicle export",
}  # fmt: skip
"""They tell what reports tell, which are written without secrets."""
OF_NO_RUN = {
    "brokers up", "brokers status", "brokers down", "chronicle grafana", "chronicle tokens create",
    "chronicle tokens list", "chronicle tokens revoke", "init", "demo",
}  # fmt: skip
"""They tell of this installation; a token's creation shows it once."""


def commands(command: Any, *path: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield " ".join(path), command.callback
    else:
        for name, each in inner.items():
            yield from commands(each, *path, name)


ALL = dict(commands(get_command(build_app(entry_points(group=GROUP)))))


def forms(command: str) -> set[str]:
    """What its ``--format`` may be."""
    hints = get_type_hints(inspect.unwrap(ALL[command]))
    kinds = {kind for hint in hints.values() for kind in (hint, *get_args(hint)) if isinstance(kind, type)}
    return {
        each.value for kind in kinds if issubclass(kind, StrEnum) and kind.__name__.endswith("Format") for each in kind
    }


def test_no_command_is_forgotten() -> None:
    assert set(ALL) == {*LOOKED_FOR, *OF_REPORTS, *OF_NO_RUN}


@pytest.mark.parametrize("command", LOOKED_FOR)
def test_a_test_looks_for_secrets_in_what_a_command_says(command: str) -> None:
    text = (TESTS / LOOKED_FOR[command]).read_text("utf-8")
    last = command.rsplit(maxsplit=1)[-1]
    assert f'"{last}"' in text or f"{last}_" in text or last in {name for name, _ in PRINTED}


def test_secrets_are_looked_for_in_every_form_of_a_report_and_of_lint() -> None:
    printed = {(command, form) for command in ("summary", "export", "diff") for form in forms(f"report {command}")}
    assert printed == set(PRINTED)
    assert {f"lint {form}" for form in forms("lint")} <= set(canaries.READING)
