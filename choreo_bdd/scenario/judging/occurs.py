"""How often a matching message must come."""

from __future__ import annotations

from msgspec import Struct


class Occurs(Struct, frozen=True):
    """How often a matching message must come: at least ``minimum``, and at most ``maximum`` if there is one."""

    minimum: int = 1
    maximum: int | None = None

    @property
    def waits_the_window_out(self) -> bool:
        """Whether the verdict can only be PASS once the window has ended."""
        return self.maximum is not None

    def allows(self, count: int) -> bool:
        """Whether so many are not too many."""
        return self.maximum is None or count <= self.maximum

    def __str__(self) -> str:
        if self.maximum == 0:
            return "none"
        if self.maximum is None:
            return f"at least {self.minimum}"
        if self.minimum == self.maximum:
            return f"exactly {self.minimum}"
        return f"at least {self.minimum} and at most {self.maximum}" if self.minimum else f"at most {self.maximum}"

    @classmethod
    def of(cls, *, exactly: int | None = None, at_least: int | None = None, at_most: int | None = None) -> Occurs:
        """What the words say. Raises ``ValueError`` for no word at all, and for words or numbers that conflict."""
        if (exactly is None) == (at_least is None and at_most is None):
            raise ValueError("say how often: exactly=, or at_least= and at_most=, or one of these two")
        for word, number in (("exactly", exactly), ("at_least", at_least), ("at_most", at_most)):
            if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
                raise TypeError(f"{word}= takes a whole number of messages, not {number!r}")
        minimum, maximum = (at_least or 0, at_most) if exactly is None else (exactly, exactly)
        if minimum < 0 or (maximum is not None and maximum < minimum) or (minimum, maximum) == (0, None):
            raise ValueError(f"no number of messages is {cls(minimum, maximum)}")
        return cls(minimum, maximum)


ONCE = Occurs()
NONE = Occurs(0, 0)
