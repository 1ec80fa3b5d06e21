"""One scenario as it runs: a row of an outline is one, and so is each transport of ``@bus(…)``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from choreo_bdd_project.gherkin.step import Step

_BLANKS = re.compile(r"\s+")
_PLACEHOLDER = re.compile(r"<[^<>]*>")
OWN_TAG = re.compile(r"(?:timeout|slow|bus)\(.*\)")
"""Tags that are settings of ours, and no markers."""


class Scenario(Struct, frozen=True):
    """What one run of a scenario is.

    ``line`` is its own or that of its row, ``begins_at`` that of the scenario or outline it stands in. ``tags`` are
    all that apply, outermost first, without the ``@``. ``transport`` is the one that ``@bus(…)`` has it run on.
    ``columns`` are those of an outline's examples. ``nodeid_in_feature`` is the one by its feature file, where the test
    may be called otherwise: a function of Python, say.
    """

    name: str
    nodeid: str
    line: int
    begins_at: int
    keyword: str
    tags: tuple[str, ...]
    steps: tuple[Step, ...]
    rule: str | None = None
    description: str = ""
    transport: str | None = None
    columns: tuple[str, ...] = ()
    nodeid_in_feature: str | None = None


def row_name(name: str, group: int, row: int, examples: str) -> str:
    """The name of a row of an outline, as behave gives it: ``group`` and ``row`` count from 1."""
    return f"{name} -- @{group}.{row} {examples}".strip()


def scenario_nodeid(path: str, name: str, line: int, *, duplicate: bool = False) -> str:
    """Node id of a Gherkin scenario, the same under every test framework.

    ``path`` is relative and in POSIX form; ``line`` is added only where a feature has two scenarios of one name.
    """
    nodeid = f"{path}::{name.strip()}"  # behave leaves a space behind rows of examples that have no name
    return f"{nodeid}:{line}" if duplicate else nodeid


def filled(text: str, row: Mapping[str, str]) -> str:
    """A text of an outline with the placeholders of one row filled in."""
    for name, value in row.items():
        text = text.replace(f"<{name}>", value)
    return text


def filled_tags(tags: tuple[str, ...], row: Mapping[str, str]) -> tuple[str, ...]:
    """Tags of an outline as one row has them, with ``_`` for a blank; one whose placeholder no column fills is none.

    A tag of ours is kept even then, so that it is told instead of disobeyed.
    """
    rendered = (_BLANKS.sub("_", filled(tag, row)) for tag in tags)
    return tuple(tag for tag in rendered if not _PLACEHOLDER.search(tag) or OWN_TAG.fullmatch(tag))


def unfilled_tags(tags: Iterable[str], columns: Iterable[str]) -> tuple[str, ...]:
    """The tags of ours that have a placeholder for which the examples have no column."""
    row = dict.fromkeys(columns, "")
    return tuple(tag for tag in tags if OWN_TAG.fullmatch(tag) and _PLACEHOLDER.search(filled(tag, row)))
