"""The suite in shares, one a process: each collects its own files and leaves the others alone."""

from __future__ import annotations

from pathlib import Path

import pytest

_NUMBERS: dict[Path, int] = {}


def add_share_option(parser: pytest.Parser) -> None:
    """For ``dev.py fast``; without it a session is the only share."""
    parser.addoption("--share", metavar="N/M", default="1/1", help="every M-th test file only, from the N-th on")


def is_of_another_share(path: Path, config: pytest.Config) -> bool:
    """Files are dealt out in the order in which they are met: neighbours, which are alike, go to different shares."""
    if not path.name.startswith("test_"):
        return False
    part, parts = map(int, config.getoption("--share").split("/"))
    return _NUMBERS.setdefault(path, len(_NUMBERS)) % parts != part - 1
