"""Contracts as data: the JSON Schemas of ``results.json`` (1.0 to 1.3) and of ``choreo.yaml``.

The documents are draft 2020-12 with closed objects and stand beside this file as plain JSON; nothing else of
the project is imported here.
"""

from __future__ import annotations

from choreo_bdd_schemas.documents import REPORT_VERSIONS, config_schema, load, report_schema
from choreo_bdd_schemas.validation import validate_config, validate_report

__all__ = [
    "REPORT_VERSIONS",
    "config_schema",
    "load",
    "report_schema",
    "validate_config",
    "validate_report",
]
