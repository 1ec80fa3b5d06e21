"""What may be asked: each query parameter once, with how it is read and how OpenAPI describes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from choreo_bdd_chronicle.answer.errors import VALIDATION, ApiError
from choreo_bdd_chronicle.check import Fault, names
from choreo_bdd_chronicle.check.moments import microseconds

RESOLUTIONS = ("raw", "hourly", "daily")
_SPACED_OFFSET = re.compile(r" (?=\d\d:?\d\d$)")
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_PERCENT = re.compile(r"[0-9]{1,2}(\.[0-9]{1,17})?")
DIGEST = re.compile(r"[0-9a-f]{64}")
"""The SHA-256 of a report, by which a run can be asked for."""
_FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The parameters of one request; an endpoint fills those it knows. Moments are in microseconds."""

    tenant: str = ""
    environment: str | None = None
    branch: str | None = None
    transport: str | None = None
    since: int | None = None
    until: int | None = None
    limit: int = 50
    offset: int = 0
    resolution: str | None = None
    topic: str | None = None
    action: str | None = None
    source: str | None = None
    severity: str | None = None
    condition: str | None = None
    resolved: bool | None = None
    deep: bool = False
    run: str | None = None
    base: str | None = None
    base_run: str | None = None
    threshold: int | None = None
    target: float = 99.0


Read = Callable[[str], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One query parameter: its name in the address, the field it fills, how it is read. ``ValueError`` when wrong."""

    name: str
    read: Read
    schema: Mapping[str, Any]
    field: str = ""
    is_required: bool = False
    meaning: str = ""

    @property
    def may_be_empty(self) -> bool:
        """Whether an empty value asks for nothing, as that of a form's empty field."""
        return self.is_required or "maxLength" in self.schema


def _bounded(longest: int) -> Read:
    def read_text(value: str) -> str:
        if len(value) > longest:
            raise ValueError(f"longer than {longest} characters")
        return value.replace("\0", "\u2400")  # as it is stored

    return read_text


def _one_of(values: tuple[str, ...]) -> Read:
    def read_choice(value: str) -> str:
        if value not in values:
            raise ValueError(f"expected one of {', '.join(values)}")
        return value

    return read_choice


def _between(least: int, most: int) -> Read:
    def read_number(value: str) -> int:
        if not _WHOLE_NUMBER.fullmatch(value) or not least <= int(value) <= most:
            raise ValueError(f"expected a whole number from {least} to {most}")
        return int(value)

    return read_number


def _below_100(value: str) -> float:
    if not _PERCENT.fullmatch(value) or not 0 <= float(value) < 100:
        raise ValueError("expected a percentage from 0 to below 100, such as 99.5")
    return float(value)


def _run(value: str) -> str:
    if not DIGEST.fullmatch(value):
        try:
            UUID(value)
        except ValueError:
            raise ValueError("expected a run's id (a UUID), or the SHA-256 of its report") from None
    return value


def _flag(value: str) -> bool:
    if value.lower() not in _FLAGS:
        raise ValueError("expected true or false")
    return _FLAGS[value.lower()]


def _moment(value: str) -> int:
    return microseconds(_SPACED_OFFSET.sub("+", value))  # a plus sign that was not encoded arrives as a space


def _slug(value: str) -> str:
    if not names.TENANT.fullmatch(value):
        raise ValueError(f"a tenant is {names.TENANT_RULE}")
    return value


def text(name: str, longest: int, meaning: str) -> Parameter:
    """A text that must be met exactly."""
    schema = {"type": "string", "maxLength": longest}
    return Parameter(name=name, read=_bounded(longest), schema=schema, meaning=meaning)


def run(name: str, meaning: str, *, is_required: bool = False) -> Parameter:
    """A run, by its id or the SHA-256 of its report."""
    kinds = [{"type": "string", "format": "uuid"}, {"type": "string", "pattern": f"^{DIGEST.pattern}$"}]
    schema = {"anyOf": kinds, "maxLength": 64}
    return Parameter(name=name, read=_run, schema=schema, is_required=is_required, meaning=meaning)


def choice(name: str, values: tuple[str, ...], meaning: str) -> Parameter:
    """One of a few words."""
    return Parameter(name=name, read=_one_of(values), schema={"enum": list(values)}, meaning=meaning)


def whole_number(name: str, least: int, most: int, default: int) -> Parameter:
    """A number within bounds."""
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return Parameter(name=name, read=_between(least, most), schema=schema)


def percentage(name: str, default: float, meaning: str) -> Parameter:
    """A share below the whole, in percent."""
    schema = {"type": "number", "minimum": 0, "exclusiveMaximum": 100, "default": default}
    return Parameter(name=name, read=_below_100, schema=schema, meaning=meaning)


def flag(name: str, meaning: str) -> Parameter:
    """Yes or no."""
    return Parameter(name=name, read=_flag, schema={"type": "boolean"}, meaning=meaning)


def moment(name: str, fills: str, meaning: str) -> Parameter:
    """An ISO 8601 moment with an offset."""
    return Parameter(
        name=name, field=fills, read=_moment, schema={"type": "string", "format": "date-time"}, meaning=meaning
    )


TENANT = Parameter(
    name="tenant", read=_slug, schema={"type": "string", "pattern": f"^{names.TENANT.pattern}$"}, is_required=True,
    meaning="whose data",
)  # fmt: skip
ENVIRONMENT = text("environment", names.ENVIRONMENT_MAX, "only runs in this environment")
BRANCH = text("branch", names.BRANCH_MAX, "only runs of this branch")
TRANSPORT = text("transport", names.TRANSPORT_MAX, "only what went over this transport")
SINCE = moment("from", "since", "only runs that began then or later")
UNTIL = moment("to", "until", "only runs that began then or earlier")
FILTERS = (ENVIRONMENT, BRANCH, TRANSPORT, SINCE, UNTIL)
OFFSET = whole_number("offset", 0, 10_000, 0)


def page(default: int = 50) -> tuple[Parameter, Parameter]:
    """Which part of a list."""
    return whole_number("limit", 1, 500, default), OFFSET


@dataclass(slots=True)
class _Reading:
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read(parameters: tuple[Parameter, ...], query: Mapping[str, str]) -> Query:
    """The parameters as values. Raises ``ApiError`` 422, which names every one that is wrong."""
    found = _Reading()
    for each in parameters:
        given = query.get(each.name)
        if given or (given is not None and not each.may_be_empty):
            try:
                found.values[each.field or each.name] = each.read(given)
            except ValueError as problem:
                found.faults.append(Fault(f"/query/{each.name}", str(problem)))
        elif each.is_required:
            found.faults.append(Fault(f"/query/{each.name}", "missing"))
        elif "default" in each.schema:
            found.values[each.name] = each.schema["default"]
    if found.faults:
        detail = "; ".join(f"{each.pointer.rpartition('/')[2]}: {each.message}" for each in found.faults)
        raise ApiError(422, detail, error=VALIDATION, faults=found.faults)
    return Query(**found.values)
