"""Names that can be asked for: how long they may be, and what becomes of longer ones."""

from __future__ import annotations

import hashlib
import re

from choreo_bdd_reporter.model.limits import clean_text

TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]")
TENANT_RULE = "2 to 64 of a-z, 0-9 and hyphens, and neither begins nor ends with a hyphen"
ENVIRONMENT_MAX = 64
BRANCH_MAX = 256
TRANSPORT_MAX = 64
TOPIC_MAX = 256
_DIGEST = 16


def cut_name(text: str, most: int) -> str:
    """A clean name of ``most`` characters at most; of a longer one its begin and a hash, so that no two become one.

    Databases index names, and PostgreSQL no longer ones than 2,704 bytes.
    """
    name = clean_text(text)
    if len(name) <= most:
        return name
    return f"{name[: most - _DIGEST - 1]}\u2026{hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]}"
