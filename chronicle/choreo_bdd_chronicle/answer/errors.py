"""The one form of every refusal: ``{"error", "detail"}``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from choreo_bdd_chronicle.check import Fault

VALIDATION = "validation_error"
REPORT = "report_validation_error"
HTTP = "http_error"
INTERNAL = "internal_error"


class ApiError(Exception):
    """A request cannot be answered. ``faults`` name the places in a report or the parameters that are wrong."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        error: str = HTTP,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.detail = detail
        self.error = error
        self.faults = faults
        self.headers = dict(headers or {})
        super().__init__(detail)

    def body(self) -> dict[str, object]:
        """What the client reads."""
        found: dict[str, object] = {"error": self.error, "detail": self.detail}
        if self.faults:
            found["faults"] = [{"pointer": each.pointer, "message": each.message} for each in self.faults]
        return found


def not_found(what: str) -> ApiError:
    """There is no such thing, or it is not the caller's to see."""
    return ApiError(404, f"{what} not found.")
