"""The exchange whose routing keys are topics: which one, and whether it may be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OWN = "choreo"
"""The library's own exchange, which nobody else declares."""

Kind = Literal["topic", "direct", "fanout", "headers"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """The exchange of a transport.

    With a ``kind`` it is made where there is none, ``durable`` as most services declare theirs; ``passive``, or
    without a kind, it is taken as it is and never made: then what is missing is an error that names it. Only
    ``choreo``, the library's own, is made unasked: a temporary topic exchange that goes with its last user.
    """

    name: str = OWN
    kind: Kind | None = None
    passive: bool = False
    durable: bool = True

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError(
                "RabbitTransport needs the name of an exchange; a queue is reached by the topic queue:NAME"
            )

    @property
    def is_own(self) -> bool:
        """Whether it is the library's own, of which nothing more is said."""
        return self.name == OWN and self.kind is None and not self.passive

    @property
    def is_made(self) -> bool:
        """Whether it may be declared."""
        return self.is_own or (self.kind is not None and not self.passive)

    def missing(self) -> str:
        """What to say where there is none."""
        return (
            f"there is no exchange {self.name!r}, and none is made unless the configuration says so: start what "
            f"declares it first, correct its name, or have it made with exchange: {{name: {self.name}, kind: topic}}"
        )
