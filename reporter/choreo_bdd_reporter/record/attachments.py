"""What tests and steps attach, as the page shows it: text masked and cut, pictures whole or not at all."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from choreo_bdd.redaction import Redactor
from choreo_bdd.shared.counted import counted
from choreo_bdd_reporter.model.limits import cap_detail, clean_text

TEXT_MAX_BYTES = 65_536
BINARY_MAX_BYTES = 1_000_000
ATTACHMENTS_MAX = 20

_JSON_MAX_BYTES = 2_000_000
_TEXT_READ_BYTES = TEXT_MAX_BYTES + 8192
"""Of longer text only the beginning is read; more of JSON, which is masked by its structure."""

_TEXTUAL = ("application/json", "application/xml", "application/x-yaml")
_PICTURES = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}
"""How their data begins; what only calls itself a picture is treated like anything else."""


@dataclass(frozen=True, slots=True)
class _Given:
    media_type: str
    data: bytes | str
    name: str
    step: int | None


class Attachments:
    """What one attempt at a test attached: the first ``ATTACHMENTS_MAX``, and how many more there were."""

    def __init__(self) -> None:
        self._room = ATTACHMENTS_MAX
        self._given: list[_Given] = []
        self._left_out = 0

    def add(self, media_type: str, data: bytes | str, name: str = "", *, step: int | None = None) -> None:
        """Keep it as it is: what is secret in it may be known only later. ``step`` is the place of the one at work."""
        if self._room == 0:
            self._left_out += 1
            return
        self._room -= 1
        self._given.append(_Given(media_type, data, name, step))

    def take(self, redactor: Redactor) -> list[dict[str, Any]]:
        """Hand over and forget what was attached since the last call, masked and cut."""
        given, self._given = self._given, []
        left_out, self._left_out = self._left_out, 0
        kept = [
            {
                **attachment(each.media_type, each.data, redactor, each.name),
                **({} if each.step is None else {"step": each.step}),
            }
            for each in given
        ]
        return [*kept, _left_out_note(left_out)] if left_out else kept


def attachment(media_type: str, data: bytes | str, redactor: Redactor, name: str = "") -> dict[str, Any]:
    """One attachment; ``size`` is that of the original in bytes, ``cut`` says that less than all is kept."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    kept: dict[str, Any] = {
        "name": cap_detail(redactor.text(clean_text(name))),
        "media_type": cap_detail(redactor.text(clean_text(media_type))),
        "size": len(raw),
    }
    if isinstance(data, str) or _is_text(media_type, raw):
        read = raw[: _JSON_MAX_BYTES if raw[:64].lstrip().startswith((b"{", b"[")) else _TEXT_READ_BYTES]
        shown = clean_text(read.decode("utf-8", "replace"))
        masked = redactor.document(shown).encode()
        text = masked[:TEXT_MAX_BYTES].decode("utf-8", "ignore")
        return {**kept, "text": text, "cut": len(masked) > TEXT_MAX_BYTES or len(raw) > len(read)}
    if len(raw) > BINARY_MAX_BYTES:
        return {**kept, "base64": None, "cut": True}
    return {**kept, "base64": base64.b64encode(raw).decode("ascii"), "cut": False}


def _is_text(media_type: str, raw: bytes) -> bool:
    """Whatever its type says, what can be read may hold a secret, which base64 would keep from being masked."""
    if media_type.startswith("text/") or media_type in _TEXTUAL:
        return True
    if raw.startswith(_PICTURES.get(media_type, ())):
        return False
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _left_out_note(count: int) -> dict[str, Any]:
    left = counted(count, "more is", "more are")
    text = f"A report keeps the first {ATTACHMENTS_MAX} attachments of a test; {left} left out."
    return {"name": f"{count} more, left out", "media_type": "text/plain", "size": 0, "text": text, "cut": False}
