"""Which files run first: workers take whole files, and the last to be taken leaves the others idle if it is long."""

from __future__ import annotations

from collections import Counter

import pytest

_HEAVY = ("broker", "browser", "build", "process", "thorough")
_TEN = 10  # as many others takes a build, and what says by its timeout that it takes long
_LONG_S = 300


def put_long_files_first(items: list[pytest.Item]) -> None:
    """Those with the most tests that wait for something or take a second; what is quick fills up the end."""
    heavy: Counter[str] = Counter()
    for item in items:
        marks = [*item.iter_markers()]
        marked = {mark.name for mark in marks}.intersection(_HEAVY)
        is_long = any(mark.name == "timeout" and mark.args[0] >= _LONG_S for mark in marks)
        heavy[_file_of(item)] += _TEN if "build" in marked or is_long else bool(marked)
    items.sort(key=lambda item: -heavy[_file_of(item)])


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
