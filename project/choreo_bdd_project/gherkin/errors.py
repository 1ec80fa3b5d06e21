"""What is wrong with a feature file itself."""

from __future__ import annotations

from choreo_bdd.exceptions import ChoreoError


class FeatureError(ChoreoError):
    """A feature file that cannot be read; ``file``, ``line`` (from 1) and ``reason`` say where and why."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}:{line}: {reason}")
        self.file = file
        self.line = line
        self.reason = reason


class NoFeature(FeatureError):
    """A file that may become a feature file: nothing stands in it but comments and blank lines."""
