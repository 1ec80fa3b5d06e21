"""Reading the schema documents that ship beside this module."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

REPORT_VERSIONS = ("1", "1.1", "1.2", "1.3")
"""Values of ``schema_version`` there is a schema for; ``1`` is the format 1.0."""


def load(name: str) -> dict[str, Any]:
    """A fresh copy of a schema by file name, ``.json`` optional; ``KeyError`` lists the known names."""
    text = _texts().get(name.removesuffix(".json"))
    if text is None:
        raise KeyError(f"there is no schema {name!r}; known are {', '.join(sorted(_texts()))}")
    document: dict[str, Any] = json.loads(text)
    return document


def report_schema(version: str = "1.3") -> dict[str, Any]:
    """The schema of ``results.json`` in a format version: ``1`` (or ``1.0``), ``1.1``, ``1.2``, ``1.3``."""
    return load(f"test-report-v{'1.0' if version == '1' else version}")


def config_schema() -> dict[str, Any]:
    """The schema of ``choreo.yaml``."""
    return load("choreo-config")


@cache
def _texts() -> dict[str, str]:
    from importlib.resources import files  # noqa: PLC0415 - slow to load, and needed only where a schema is

    folder = files("choreo_bdd_schemas")
    return {
        entry.name.removesuffix(".json"): entry.read_text("utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".json")
    }
