"""What a correlation policy may say of its ids besides what all of them must."""

from __future__ import annotations

from typing import Protocol

from choreo_bdd.shared.fitting import fits


class Strict(Protocol):
    """A policy that says what becomes of a message without an id."""

    @property
    def strict(self) -> bool:
        """Whether it belongs to no scenario; else, as without this, to every one that listens on its topic."""
        ...


class Namespaced(Protocol):
    """A policy whose ids are told from others' by how they begin."""

    @property
    def prefix(self) -> str:
        """What all of them begin with."""
        ...


def is_strict(policy: object) -> bool:
    """Whether a message without an id belongs to no scenario."""
    return fits(policy, Strict) and bool(policy.strict)


def prefix_of(policy: object) -> str:
    """What the ids of a policy begin with; nothing where it does not say."""
    prefix: object = policy.prefix if fits(policy, Namespaced) else ""
    return prefix if isinstance(prefix, str) else ""
