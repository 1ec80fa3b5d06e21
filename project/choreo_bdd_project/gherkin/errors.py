"""What is wrong with a feature file itself."""

from __future__ import annotations

from choreo_bdd.exceptions import ChoreoError


class FeatureError(ChoreoError):
    """A feature file that cannot be read; ``file``, ``line`` (from 1) and ``reason`` say where and why.

    Without a line it is the file as a whole that cannot be had, and ``line`` is 1.
    """

    def __init__(self, file: str, line: int | None, reason: str) -> None:
        super().__init__(f"{file}: {reason}" if line is None else f"{file}:{line}: {reason}")
        self.file = file
        self.line = line or 1
        self.reason = reason


class NoFeature(FeatureError):
    """A file that may become a feature file: nothing stands in it but comments and blank lines."""
