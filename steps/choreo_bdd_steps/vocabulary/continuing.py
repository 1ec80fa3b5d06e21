"""How a sentence that is being written can go on: read from the phrases themselves, so that a new one is known at once.

Every place of a phrase is looked at: what stands before it must be there, optional parts or not, and of the place
itself anything from nothing on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from msgspec import Struct

from choreo_bdd_steps.vocabulary.phrase import Phrase, pattern_of, pieces

_PARAMETER = re.compile(r"\{(?P<name>\w+)(?::(?P<kind>\w+))?\}")
_QUOTED = frozenset({"topic", "key", "path", "text"})


class Slot(Struct, frozen=True):
    """A parameter that is being written: its name, its kind, and what of it is there behind its quote.

    ``begun`` is ``None`` where one stands in quotes that are not opened yet.
    """

    name: str
    kind: str
    begun: str | None

    @property
    def is_quoted(self) -> bool:
        """Whether it stands in quotes."""
        return self.kind in _QUOTED


class Words(Struct, frozen=True):
    """Words of a phrase that can come next: ``begun`` of them is there; ``rest`` is all up to the part's end, as the
    phrase has it, optional parts inside left out."""

    phrase: Phrase
    begun: str
    rest: str


def continuations(phrase: Phrase, written: str) -> Iterator[Slot | Words]:
    """What may come next where ``written`` is the beginning of a sentence."""
    for each in _continuations(phrase):
        if each.slot is not None:
            found = each.before.fullmatch(written)
            if found is not None:
                yield Slot(*each.slot, found["begun_"])
            continue
        for begun in _beginnings(each.text, written):
            if each.before.fullmatch(written[: len(written) - len(begun)]):
                yield Words(phrase, begun, each.rest)


def make_ready(phrases: Iterable[Phrase]) -> None:
    """Read phrases now: the first sentence to be continued would wait for it."""
    for each in phrases:
        _continuations(each)
        each.found("")


def skeleton(phrase: str) -> str:
    """What a phrase, or a part of one, must have: its optional parts left out."""
    return "".join(each for each in pieces(phrase) if not each.startswith("["))


def parameters(text: str) -> Iterator[tuple[re.Match[str], str, str]]:
    """Each parameter in a part of a phrase: where it is, its name and its kind."""
    for found in _PARAMETER.finditer(text):
        yield found, found["name"], found["kind"] or found["name"]


class _Continuation(Struct, frozen=True):
    """Words (``text``, with the ``rest`` of their part) or a parameter (``slot``), and what must stand before them."""

    before: re.Pattern[str]
    text: str = ""
    rest: str = ""
    slot: tuple[str, str] | None = None


@lru_cache(maxsize=512)
def _continuations(phrase: Phrase) -> tuple[_Continuation, ...]:
    return tuple(_walk(phrase.text, ""))


def _walk(text: str, before: str) -> Iterator[_Continuation]:
    """The places of one part of a phrase, and those of the optional parts in it."""
    parts = pieces(text)
    for number, part in enumerate(parts):
        rest = skeleton("".join(parts[number:]))
        if part.startswith("["):
            yield from _walk(part[1:-1], before)
            before += f"(?:{pattern_of(part[1:-1], named=False)})?"
            continue
        position = 0
        for found, name, kind in parameters(part):
            words = part[position : found.start()]
            if words:
                yield _Continuation(re.compile(before, re.DOTALL), words, rest[position:])
            before += pattern_of(words, named=False)
            yield _Continuation(re.compile(before + _open(kind), re.DOTALL), slot=(name, kind))
            before += pattern_of(found[0], named=False)
            position = found.end()
        if part[position:]:
            yield _Continuation(re.compile(before, re.DOTALL), part[position:], rest[position:])
        before += pattern_of(part[position:], named=False)


def _open(kind: str) -> str:
    """A parameter of which anything is there, from nothing on."""
    if kind in _QUOTED:
        return r'(?:"(?P<begun_>[^"]*))?'
    return r"(?P<begun_>.*)" if kind in ("condition", "literal") else r"(?P<begun_>\S*)"


def _beginnings(words: str, written: str) -> Sequence[str]:
    """What of the words may stand at the end of the text already: nothing, or some letters, but not all."""
    return [words[:length] for length in range(len(words)) if written.endswith(words[:length])]
