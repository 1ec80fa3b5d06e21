"""Values that are known to be secret, found again however they are written."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

REDACTED = "<redacted>"
"""What is shown in the place of a secret."""
MIN_CHARS = 5
"""Shorter values are not looked for in texts: they would be found in half of all words."""

_CERTAIN_CHARS = 8
_KNOWN_MAX = 5000
_FEW = 100
"""So many forms are looked for one by one in less time than every place of a text is looked up."""
_WHOLE = re.compile(r"[\w.~%+/=-]*")
"""Of which no pattern that finds a value in running text takes a part for the whole."""
_ESCAPED_BYTE = re.compile(r"%[0-9A-F]{2}")


class KnownSecrets:
    """Values to mask wherever they stand: as they are, and in base64, URL, JSON, XML and Python escapes.

    A text costs time by its length, however many values there are: where they are many, every place of it is looked up
    by its first few characters.
    """

    __slots__ = ("_divisible", "_lengths", "_values", "changes", "written")

    def __init__(self) -> None:
        self.changes = 0
        """Grows with what is known, whenever some of it is forgotten, and where ``note_change`` says so."""
        self._values: set[str] = set()
        self.written: dict[str, bool] = {}
        """Every way a value is written, and whether it is told from other text only as a word of its own."""
        self._divisible: set[str] = set()
        """Those of these ways in which something stands that may end a value in running text: a blank, ``@``, ``;``."""
        self._lengths: dict[str, list[int]] = {}
        """How long the forms are that begin with some characters, the longest first."""

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, value: object) -> bool:
        return value in self._values

    def values(self) -> list[str]:
        """All of them, as they are."""
        return list(self._values)

    def add(self, value: str) -> None:
        """Look for a value from now on; one that is too short to tell from other text is ignored."""
        if len(value) < MIN_CHARS or value in self._values or len(self._values) >= _KNOWN_MAX:
            return
        self.changes += 1
        self._values.add(value)
        for form, is_word in forms(value):
            self.written[form] = is_word and self.written.get(form, True)
            if not _WHOLE.fullmatch(form):
                self._divisible.add(form)
            lengths = self._lengths.setdefault(form[:MIN_CHARS], [])
            if len(form) not in lengths:
                lengths.append(len(form))
                lengths.sort(reverse=True)

    def note_change(self) -> None:
        """Say that what has been looked at has to be looked at again, as other things than values are secret now."""
        self.changes += 1

    def clear(self) -> None:
        """Know nothing any more."""
        self.changes += 1
        self._values.clear()
        self.written.clear()
        self._divisible.clear()
        self._lengths.clear()

    def are_in(self, text: str) -> bool:
        """Whether one of the values may be in a text; ``False`` is certain."""
        if len(self.written) <= _FEW:
            return any(form in text for form in self.written)
        return next(self._places_of_many(text), None) is not None

    def mask(self, text: str, shown: str) -> str:
        """The text with ``shown`` in the place of every value."""
        return _masked(text, self._places(text), shown)

    def mask_divisible(self, text: str, shown: str) -> str:
        """The same for the values of which patterns, tried before, would mask a part and leave the rest unknown."""
        if not self._divisible or not self.are_in(text):
            return text
        places = (place for place in self._places(text) if text[slice(*place)] in self._divisible)
        return _masked(text, places, shown)

    def _places(self, text: str) -> Iterable[tuple[int, int]]:
        """Where the forms stand in a text, in order."""
        if len(self.written) > _FEW:
            return self._places_of_many(text)
        return sorted(place for form in self.written if form in text for place in self._places_of(form, text))

    def _places_of(self, form: str, text: str) -> Iterator[tuple[int, int]]:
        start = text.find(form)
        while start >= 0:
            if not (self.written[form] and _is_inside_a_word(text, start, start + len(form))):
                yield start, start + len(form)
            start = text.find(form, start + 1)

    def _places_of_many(self, text: str) -> Iterator[tuple[int, int]]:
        """The longest of those that begin at a place."""
        for start in range(len(text) - MIN_CHARS + 1):
            for length in self._lengths.get(text[start : start + MIN_CHARS], ()):
                end = start + length
                is_word = self.written.get(text[start:end])
                if is_word is not None and not (is_word and _is_inside_a_word(text, start, end)):
                    yield start, end
                    break


def _masked(text: str, places: Iterable[tuple[int, int]], shown: str) -> str:
    """The text with ``shown`` at each of these places, which come in order."""
    pieces: list[str] = []
    done = 0
    for start, end in places:
        if start >= done:
            pieces += (text[done:start], shown)
        done = max(done, end)  # one value may begin within another
    return "".join((*pieces, text[done:])) if pieces else text


def _is_inside_a_word(text: str, start: int, end: int) -> bool:
    return _is_of_word(text[start - 1 : start]) or _is_of_word(text[end : end + 1])


def _is_of_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def put(shown: str, literal: str, text: str) -> str:
    """The text with ``shown`` wherever the literal stands as a word of its own."""
    if literal not in text:
        return text
    return re.sub(rf"(?<!\w){re.escape(literal)}(?!\w)", lambda _match: shown, text)


@lru_cache(maxsize=8192)
def forms(value: str) -> tuple[tuple[str, bool], ...]:
    """Every way a value is written, and whether it is told from other text only as a word of its own."""
    import html  # noqa: PLC0415 - slow to load, as the next one is, and most runs know no secret
    from urllib.parse import quote, quote_plus  # noqa: PLC0415

    raw = value.encode("utf-8", "surrogatepass")
    is_word = not (len(value) >= _CERTAIN_CHARS and looks_like_token(value))
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    escaped |= {json.dumps(each)[1:-1] for each in tuple(escaped)}  # JSON inside JSON
    escaped |= {quote(raw, safe=""), quote(raw), quote_plus(raw), html.escape(value), html.escape(value, quote=False)}
    escaped |= {_ESCAPED_BYTE.sub(lambda match: match.group().lower(), each) for each in tuple(escaped)}
    encoded = _in_base64(raw) if len(raw) >= _CERTAIN_CHARS else set()
    return tuple((each, is_word) for each in escaped) + tuple((each, False) for each in encoded)


def _in_base64(raw: bytes) -> set[str]:
    """What base64 makes of the bytes wherever they stand in a text: what the bytes around them cannot change."""
    found = set()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + raw).decode("ascii")
        core = whole[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
        found |= {core, core.replace("+", "-").replace("/", "_")}
    return found


def looks_like_token(word: str) -> bool:
    """Whether a bare word is a credential rather than prose: ``of`` is not, ``s3cr3t`` and ``aB.c-9`` are."""
    if len(word) >= 20 or any(char.isdigit() for char in word):
        return True
    inner = word.strip(".-~/=")
    if not any(map(str.isalnum, inner)):
        return False
    return "." in inner or (not inner.islower() and not inner.istitle() and not inner.isupper())


def is_unmistakable(value: str) -> bool:
    """Whether a value is no plain word and no small number, so that it may be hidden beyond the test it was met in."""
    if len(value) < _CERTAIN_CHARS and value.isdigit():
        return False
    return looks_like_token(value) or (len(value) >= _CERTAIN_CHARS and not value.isalpha())
