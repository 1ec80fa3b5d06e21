"""What may be shown of a secret: nothing. The one redaction room of logs, errors, diagnostics and reports.

Standard library only and cheap to import, because every other module of the engine uses it.
"""

from __future__ import annotations

from choreo_bdd.redaction.credentials import are_innocent_json, is_innocent_json, redact_text
from choreo_bdd.redaction.known_secrets import REDACTED, is_unmistakable
from choreo_bdd.redaction.masking import (
    REDACTION_VERSION,
    RedactionCounts,
    Redactor,
    declare_secrets,
    describe_shape,
    forget_declared_secrets,
    mask_literals,
    redact_correlation_id,
    redact_matcher_description,
    redact_value,
    redact_wire_id,
)
from choreo_bdd.redaction.secret_names import is_secret_key
from choreo_bdd.redaction.urls import safe_url, secrets_in_urls

__all__ = [
    "REDACTED",
    "REDACTION_VERSION",
    "RedactionCounts",
    "Redactor",
    "are_innocent_json",
    "declare_secrets",
    "describe_shape",
    "forget_declared_secrets",
    "is_innocent_json",
    "is_secret_key",
    "is_unmistakable",
    "mask_literals",
    "redact_correlation_id",
    "redact_matcher_description",
    "redact_text",
    "redact_value",
    "redact_wire_id",
    "safe_url",
    "secrets_in_urls",
]
