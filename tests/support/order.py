"""Which files run first: workers take whole files, and the last to be taken leaves the others idle if it is long."""

from __future__ import annotations

from collections import Counter

import pytest

_HEAVY = ("broker", "browser", "build", "process", "thorough")
_BUILD = 10  # minutes of a tool's, where others take seconds


def put_long_files_first(items: list[pytest.Item]) -> None:
    """Those with the most tests that wait for something or take a second; what is quick fills up the end."""
    heavy: Counter[str] = Counter()
    for item in items:
        marked = {mark.name for mark in item.iter_markers()}.intersection(_HEAVY)
        heavy[_file_of(item)] += _BUILD if "build" in marked else bool(marked)
    items.sort(key=lambda item: -heavy[_file_of(item)])


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
