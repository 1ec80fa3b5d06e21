"""Words whose absence tells fast that a text is innocent, as nearly all are."""

from __future__ import annotations

from collections.abc import Iterable

_STEMS = ("code", "connect", "cred", "cv", "pass", "sess", "srf", "_", "-", ".")
"""What several hints have in common: a text that has none of it need not be searched for each."""


class Hints:
    """Words, one of which must be in a text for it to be looked at."""

    __slots__ = ("_by_stem",)

    def __init__(self, hints: Iterable[str]) -> None:
        by_stem: dict[str, list[str]] = {}
        for hint in hints:
            by_stem.setdefault(next((stem for stem in _STEMS if stem in hint), hint), []).append(hint)
        self._by_stem = tuple((stem, tuple(each)) for stem, each in by_stem.items())

    def are_in(self, text: str) -> bool:
        """Whether one of them is in a text."""
        for stem, hints in self._by_stem:  # no any(): this runs for every string of every message
            if stem not in text:
                continue
            if any(hint in text for hint in hints):
                return True
        return False

    def those_in(self, text: str) -> set[str]:
        """Which of them are in a text."""
        here = (hints for stem, hints in self._by_stem if stem in text)
        return {hint for hints in here for hint in hints if hint in text}
