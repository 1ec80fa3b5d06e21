"""The command knows no room: it takes what the entry points name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

import pytest
import typer
from typer.testing import Result

from choreo_bdd import __version__
from choreo_bdd.cli import GROUP

Run = Callable[..., Result]
visitors = typer.Typer()


@visitors.command()
def wave() -> None:
    """Wave."""
    print("hello from another package")


def _room(value: str) -> EntryPoint:
    return EntryPoint(name="visitor", value=value, group=GROUP)


def test_version_is_printed(run: Run) -> None:
    assert run("--version").output == f"choreo-bdd {__version__}\n"


def test_the_rooms_of_this_project_are_registered() -> None:
    assert {"steps", "reporter"} <= {room.name for room in entry_points(group=GROUP)}


def test_help_lists_the_commands_of_every_room(run: Run) -> None:
    output = run("--help").output
    assert all(command in output for command in ("steps", "explain", "report"))


def test_another_package_contributes_a_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "visitor", sys.modules[__name__])
    assert run("wave", beside=(_room("visitor:visitors"),)).output == "hello from another package\n"


@pytest.mark.thorough
def test_a_room_that_is_asked_for_by_name_does_not_wait_for_the_others() -> None:
    asked = "import sys; sys.argv[1:] = ['chronicle', '--help']; from choreo_bdd.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", asked], capture_output=True, text=True, check=True, timeout=60
    )
    assert "serve" in done.stdout
    assert "choreo_bdd_steps" not in done.stderr


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_package.commands:commands", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("json:dumps", "expected a typer.Typer, found function"),
    ],
)
def test_a_broken_room_costs_one_line_and_the_others_still_work(
    run: Run, value: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run("steps", "--format", "json", beside=(_room(value),))
    assert result.exit_code == 0
    line = f"choreo-bdd: the commands of 'visitor' are not available ({value}): {reason}\n"
    assert capsys.readouterr().err == line


@pytest.mark.thorough
def test_it_runs_as_a_command() -> None:
    code = "from choreo_bdd.cli import main; main()"
    found = subprocess.run([sys.executable, "-c", code, "explian"], capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "No such command 'explian'" in found.stderr
    assert "Traceback" not in found.stderr
