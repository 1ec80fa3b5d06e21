"""The one error of the body language."""

from __future__ import annotations


class BodyError(ValueError):
    """A body, condition or duration that cannot be used as written.

    ``line`` is the 1-based line inside the doc string, table or file, or None when it is not known.
    """

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line

    def __str__(self) -> str:
        return self.message if self.line is None else f"{self.message} (line {self.line} of the body)"
