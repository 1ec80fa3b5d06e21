"""Compatible name of the log redaction; the code lives in ``redaction``."""

from __future__ import annotations

from choreo_bdd.redaction import redact_matcher_description

__all__ = ["redact_matcher_description"]
