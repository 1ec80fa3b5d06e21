"""The environment allowlist: which addresses a test run may connect to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from choreo_bdd.exceptions import AllowlistConfigError, AllowlistError, HostNotInAllowlist
from choreo_bdd.redaction import safe_url
from choreo_bdd.yaml_files import YamlProblem, read_yaml

__all__ = ["Allowlist", "AllowlistConfigError", "AllowlistError", "HostNotInAllowlist", "is_listed", "load_allowlist"]


@dataclass(frozen=True, slots=True)
class Allowlist:
    """Permitted addresses by category."""

    categories: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    source_path: Path | None = None

    def get(self, category: str) -> tuple[str, ...]:
        """Permitted values of a category; empty when it is not listed."""
        return tuple(self.categories.get(category, ()))

    def enforce(
        self,
        category: str,
        values: Iterable[str],
        *,
        label: str,
        normalise: Callable[[str], str] | None = None,
    ) -> None:
        """Raise ``HostNotInAllowlist`` for the first value that ``is_listed`` neither as it is nor normalised.

        The message never shows the user information of a URL.
        """
        permitted = set(self.get(category))
        for value in values:
            if is_listed(value, permitted) or (normalise is not None and is_listed(normalise(value), permitted)):
                continue
            listed = ", ".join(sorted(safe_url(entry) for entry in permitted)) or "nothing"
            raise HostNotInAllowlist(
                f"{label} {safe_url(value)!r} is not allowed: {self.source_path} permits {listed} under {category!r}. "
                f"Add it there if tests may really connect to it."
            )


def is_listed(address: str, listed: Iterable[str]) -> bool:
    """Whether an address is in a list, in which ``*`` may stand for any port."""
    return any(address == each or _fits(address, each) for each in listed)


def _fits(address: str, listed: str) -> bool:
    head, star, path = listed.rpartition(":*")
    if not star or (path and not path.startswith("/")):
        return False
    return re.fullmatch(rf"{re.escape(head)}:[0-9]+{re.escape(path)}", address) is not None


def load_allowlist(path: str | Path) -> Allowlist:
    """Read an allowlist file: a YAML mapping of category to list of addresses.

    Raises ``AllowlistConfigError`` for any other content and ``FileNotFoundError`` for a missing file.
    """
    source = Path(path)
    try:
        _, document = read_yaml(source.read_text(encoding="utf-8"))
    except YamlProblem as problem:
        raise AllowlistConfigError(f"{problem.at(source)} (not a readable YAML file)") from None
    except UnicodeDecodeError as error:
        raise AllowlistConfigError(f"{source}: not a readable YAML file: {error.reason}") from None
    if not document:
        return Allowlist(source_path=source)
    if not isinstance(document, dict):
        raise AllowlistConfigError(
            f"{source}: expected a mapping of category to list of addresses, found {type(document).__name__}"
        )
    categories: dict[str, tuple[str, ...]] = {}
    for category, values in document.items():
        if not isinstance(values, list):
            raise AllowlistConfigError(
                f"{source}: category {category!r} must be a list of addresses, found {type(values).__name__}"
            )
        categories[str(category)] = tuple(str(value) for value in values)
    return Allowlist(MappingProxyType(categories), source)
