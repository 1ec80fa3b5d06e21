"""What steps attach to a scenario, as the page shows it: text masked and cut, pictures whole or not at all."""

from __future__ import annotations

import base64
from typing import Any

from choreo_bdd.redaction import Redactor
from choreo_bdd_reporter.limits import clean_text

TEXT_MAX_BYTES = 65_536
BINARY_MAX_BYTES = 1_000_000
ATTACHMENTS_MAX = 20

_TEXTUAL = ("application/json", "application/xml", "application/x-yaml")


def attachment(media_type: str, data: bytes | str, redactor: Redactor) -> dict[str, Any]:
    """One attachment; ``size`` is that of the original in bytes, ``cut`` says that less than all is kept."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    kept: dict[str, Any] = {"name": "", "media_type": clean_text(media_type), "size": len(raw)}
    if media_type.startswith("text/") or media_type in _TEXTUAL:
        masked = redactor.text(clean_text(raw.decode("utf-8", "replace"))).encode()
        text = masked[:TEXT_MAX_BYTES].decode("utf-8", "ignore")
        return {**kept, "text": text, "cut": len(masked) > TEXT_MAX_BYTES}
    if len(raw) > BINARY_MAX_BYTES:
        return {**kept, "base64": None, "cut": True}
    return {**kept, "base64": base64.b64encode(raw).decode("ascii"), "cut": False}
