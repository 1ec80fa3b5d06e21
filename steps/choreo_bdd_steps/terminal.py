"""What the commands of this room print: nothing known or named as secret, nothing that steers a terminal."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from choreo_bdd.redaction import Redactor
from choreo_bdd.redaction.printable import printable
from choreo_bdd_project.config_file import ConfigError


def say(text: str) -> None:
    """Print to standard output."""
    print(_shown(text), flush=True)


def complain(text: str) -> None:
    """Print to standard error."""
    print(_shown(text), file=sys.stderr)


def refuse(command: str, problem: object) -> NoReturn:
    """Say why a command cannot do its work, and end it with exit code 2."""
    told = f"choreo-bdd {command}: {problem}"
    if isinstance(problem, ConfigError):  # it quotes no value, and the name of a setting is no secret
        print(printable(Redactor().without_known(told)), file=sys.stderr)
    else:
        complain(told)
    raise typer.Exit(2)


def _shown(text: str) -> str:
    return printable(Redactor().text(text))
