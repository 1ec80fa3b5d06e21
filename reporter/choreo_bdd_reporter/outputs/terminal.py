"""Printing text that tests made up: it must neither steer the terminal or the CI log nor break the printing."""

from __future__ import annotations

import sys
from typing import TextIO

from choreo_bdd.redaction import Redactor
from choreo_bdd.redaction.printable import on_one_line, printable


def say(text: object) -> None:
    """Print to standard output."""
    _print(printable(str(text)), sys.stdout)


def say_document(text: str) -> None:
    """Print what a program reads, as it is: JSON, XML, workflow commands; its own escapes have made it harmless."""
    _print(text, sys.stdout)


def complain(text: object) -> None:
    """Print to standard error."""
    _print(printable(str(text)), sys.stderr)


def harmless(text: object) -> str:
    """One line of what is in no report, and so not masked yet: addresses, names of files, what a server says."""
    return on_one_line(Redactor().text(str(text)))


def _print(text: str, stream: TextIO) -> None:
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=stream)
