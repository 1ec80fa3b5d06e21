"""Addresses that a broker gives to its clients: the allowlist holds for them as for the first one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from choreo_bdd.environment import Allowlist, is_listed
from choreo_bdd.transports.shared.loopback import is_loopback

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Where a connection may lead; ``refused`` has every address it was not let to, and why, as it is told.

    Without an allowlist whoever was let to this machine only stays on it; what Python code has named is not held back.
    """

    category: str
    given: Sequence[str]
    allowlist: Allowlist | None = None
    refused: list[str] = field(default_factory=list)

    def permits(self, host: str, port: int) -> bool:
        """Whether a client may connect there; what it may not is noted in ``refused``."""
        address = _canonical(f"{host}:{port}" if ":" not in host else f"[{host}]:{port}")
        if self.allowlist is not None:
            listed = self.allowlist.get(self.category)
            permitted = is_listed(address, map(_canonical, listed))
            why = (
                f"{self.allowlist.source_path} permits {', '.join(sorted(listed)) or 'nothing'} under {self.category!r}"
            )
        else:
            permitted = is_loopback(address) or not all(map(is_loopback, self.given))
            why = "without an allowlist only loopback addresses may be connected to"
        if not permitted:
            told = (
                f"the broker at {', '.join(self.given)} sends its clients to '{address}' (advertised.listeners), which "
                f"is not allowed: {why}. Nothing was sent there. List that address if tests may really connect to it, "
                f"or have the broker advertise one that is listed"
            )
            if told not in self.refused:
                self.refused.append(told)
        return permitted

    def first_refused(self, addresses: Iterable[tuple[str, int]]) -> str | None:
        """Why the first address that may not be connected to is refused; ``None`` where all are permitted."""
        for each in addresses:
            if not self.permits(*each):
                return self.refused[-1]
        return None


def _canonical(address: str) -> str:
    """``host:port`` in lower case and without a scheme, with one name for this machine."""
    bare = address.rpartition("://")[2].rpartition("@")[2].rstrip("/").lower()
    host, _, port = bare.rpartition(":")
    return f"127.0.0.1:{port}" if host.strip("[]") in _THIS_MACHINE else bare
