"""Redactors of the project under test: they see structured values after the built-in masking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from choreo_bdd_reporter.model.notices import notice

ValueRedactor = Callable[[Any], Any]

_redactors: list[ValueRedactor] = []


def register_redactor(redactor: ValueRedactor) -> None:
    """Pass every expected and actual value of the report through ``redactor(value) -> value``; once each.

    It receives JSON-shaped data and may change or replace it. In a parallel run it must be registered in code
    that the workers execute, such as ``conftest.py``.
    """
    if redactor not in _redactors:
        _redactors.append(redactor)


def unregister_redactor(redactor: ValueRedactor) -> None:
    """Stop using ``redactor``; an unknown one is ignored."""
    if redactor in _redactors:
        _redactors.remove(redactor)


def has_redactors() -> bool:
    """Whether the project registered any."""
    return bool(_redactors)


def apply_redactors(value: Any) -> Any:
    """``value`` after every registered redactor; one that raises is reported, and what it was given is hidden."""
    for redactor in tuple(_redactors):
        if value is None:
            return None
        try:
            value = redactor(value)
        except Exception as error:  # noqa: BLE001 - a project's redactor must not cost the report
            name = getattr(redactor, "__qualname__", type(redactor).__name__)
            notice(f"the redactor {name} raised {type(error).__name__}; the value it was given is left out")
            return "<redactor failed>"
    return value
