"""The command ``choreo-bdd``: finds each room's commands by entry point and knows none of them.

A room contributes by naming a ``typer.Typer`` in the entry point group ``choreo_bdd.commands``; its commands become
commands of ``choreo-bdd``. Other packages may do the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated

import typer

from choreo_bdd import __version__

GROUP = "choreo_bdd.commands"


def main() -> None:
    """Run ``choreo-bdd`` with the arguments of this process."""
    rooms = entry_points(group=GROUP)
    (_of_one(rooms, sys.argv[1:2]) or build_app(rooms))(prog_name="choreo-bdd")


def _of_one(rooms: Iterable[EntryPoint], asked: Sequence[str]) -> typer.Typer | None:
    """The command with one room only, when that has the name asked for: the others take half a second to load."""
    app = build_app(each for each in rooms if [each.name] == [*asked])
    return app if asked and asked[0] in getattr(typer.main.get_command(app), "commands", ()) else None


def build_app(rooms: Iterable[EntryPoint]) -> typer.Typer:
    """The command with everything the rooms contribute; one that cannot be loaded costs a line on stderr."""
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
    app.callback()(_root)
    for room in sorted(rooms, key=lambda each: each.name):
        commands = _load(room)
        if commands is not None:
            app.add_typer(commands)
    return app


def _load(room: EntryPoint) -> typer.Typer | None:
    try:
        commands = room.load()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one room, the others still work
        _complain(room, f"{type(error).__name__}: {error}")
        return None
    if not isinstance(commands, typer.Typer):
        _complain(room, f"expected a typer.Typer, found {type(commands).__name__}")
        return None
    return commands


def _complain(room: EntryPoint, reason: str) -> None:
    where = room.value if room.dist is None else f"{room.value} of {room.dist.name}"
    print(f"choreo-bdd: the commands of {room.name!r} are not available ({where}): {reason}", file=sys.stderr)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"choreo-bdd {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Gherkin for message-driven systems."""
