"""The API's description of itself, made from the endpoints and read models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from choreo_bdd_chronicle.answer.endpoints import ENDPOINTS, Endpoint
from choreo_bdd_chronicle.answer.models import Health, Ingested
from choreo_bdd_chronicle.answer.query import TENANT
from choreo_bdd_chronicle.answer.views.lifecycle import KINDS
from choreo_bdd_chronicle.check.names import TOPIC_MAX
from choreo_bdd_chronicle.receive.ingest import KEY_HEADER, TENANT_HEADER

EVENTS = "text/event-stream"
_REF = "#/components/schemas/{name}"
_PLACE = re.compile(r"{(\w+)(?::\w+)?}")
_TEXT = {"type": "string"}
_SAID = {"type": "string", "minLength": 1}
_PLACES: dict[str, dict[str, Any]] = {
    "run_id": {"type": "string", "format": "uuid"},
    "topic": {"type": "string", "maxLength": TOPIC_MAX},
}
_TENANT = dict(TENANT.schema)
_REPORT = {
    "type": "object",
    "description": "A results.json of any version 1.x",
    "required": ["schema_version", "run", "tests"],
    "properties": {
        "schema_version": {"type": "string", "pattern": r"^1(\.[0-9])?$"},
        "run": {"type": "object"},
        "tests": {"type": "array", "items": {"type": "object"}},
    },
}


@cache
def describe(version: str, base: str, root: str) -> Mapping[str, Any]:
    """The OpenAPI 3.1 document of the API at ``base``, below a proxy's ``root``; once for all servers of a process."""
    models = [*(each.model for each in ENDPOINTS), Ingested, Health]
    schemas, components = msgspec.json.schema_components(models, ref_template=_REF)
    answers = dict(zip(map(repr, models), schemas, strict=True))
    paths = {base + _PLACE.sub(r"{\1}", each.path): {"get": _get(each, answers)} for each in ENDPOINTS}
    paths[f"{base}/runs"]["post"] = _post(answers[repr(Ingested)])
    paths[f"{base}/runs/{{run_id}}"]["delete"] = _change("Take a run out of every list and sum", "run_id")
    report = _operation("The report as its own page", _TEXT, ["run_id"], kind="text/html")
    paths[f"{base}/runs/{{run_id}}/report"] = {"get": report}
    paths[f"{base}/stream"] = {"get": _stream()}
    paths[f"{base}/runs/{{run_id}}/raw"] = {"get": _operation("The report, byte for byte", _REPORT, ["run_id"])}
    paths[f"{base}/health"] = {"get": _health(answers[repr(Health)])}
    summary = "What Prometheus reads: runs, how long taking them in took, anomalies"
    paths["/metrics"] = {"get": _operation(summary, _TEXT, [], kind="text/plain")}
    for method, summary in (("put", "Keep a run whatever its age"), ("delete", "Let go of a pinned run")):
        paths.setdefault(f"{base}/runs/{{run_id}}/pin", {})[method] = _change(summary, "run_id")
    for kind in KINDS:
        paths[f"{base}/{kind}/{{issue_id}}/state"] = {"put": _state()}
    error = {
        "type": "object",
        "required": ["error", "detail"],
        "properties": {"error": {"type": "string"}, "detail": {"type": "string"}, "faults": {"type": "array"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Chronicle", "version": version},
        "servers": [{"url": root or "/"}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": error},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _get(endpoint: Endpoint, answers: dict[str, Any]) -> dict[str, Any]:
    operation = _operation(endpoint.summary, answers[repr(endpoint.model)], _PLACE.findall(endpoint.path))
    operation["parameters"] += [
        {
            "name": each.name,
            "in": "query",
            "required": each.is_required,
            "schema": dict(each.schema),
            "description": each.meaning,
        }
        for each in endpoint.parameters
    ]
    return operation


def _post(answer: Any) -> dict[str, Any]:
    operation = _operation("Take a report in", answer, [])
    operation["parameters"] = [
        {"name": TENANT_HEADER, "in": "header", "required": True, "schema": _TENANT},
        {"name": KEY_HEADER, "in": "header", "required": False, "schema": _TEXT},
    ]
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _REPORT}}}
    told = operation["responses"]["200"]
    operation["responses"]["201"] = told
    operation["responses"]["200"] = {**told, "description": "It is kept already, under the same key"}
    return operation


def _state() -> dict[str, Any]:
    operation = _change("Say that it is open, confirmed, muted or resolved", "issue_id")
    operation["parameters"].append({"name": "tenant", "in": "query", "required": True, "schema": _TENANT})
    said = {
        "type": "object",
        "description": "Muting takes an owner and a reason",
        "required": ["state"],
        "additionalProperties": False,
        "properties": {
            "state": {"enum": ["open", "confirmed", "muted", "resolved"]},
            "owner": {"type": ["string", "null"]},
            "reason": {"type": ["string", "null"]},
            "until": {"type": ["string", "null"], "format": "date-time"},
        },
        "if": {"properties": {"state": {"const": "muted"}}, "required": ["state"]},
        "then": {"required": ["owner", "reason"], "properties": {"owner": _SAID, "reason": _SAID}},
    }
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": said}}}
    return operation


def _health(answer: Any) -> dict[str, Any]:
    operation = _operation("Whether the server can do its work", answer, [])
    operation["parameters"].append({"name": "deep", "in": "query", "required": False, "schema": {"type": "boolean"}})
    operation["responses"]["503"] = {**operation["responses"]["200"], "description": "It cannot"}
    return operation


def _stream() -> dict[str, Any]:
    operation = _operation("Events as they happen: run.completed, anomaly.detected", _TEXT, [], kind=EVENTS)
    operation["parameters"] = [
        {"name": "tenant", "in": "query", "required": True, "schema": _TENANT},
        {"name": "Last-Event-ID", "in": "header", "required": False, "schema": _TEXT},
    ]
    return operation


def _change(summary: str, place: str) -> dict[str, Any]:
    """An operation that answers with nothing."""
    operation = _operation(summary, {}, [place])
    del operation["responses"]["200"]
    operation["responses"]["204"] = {"description": "Done"}
    return operation


def _operation(summary: str, answer: Any, places: Iterable[str], *, kind: str = "application/json") -> dict[str, Any]:
    error = {"content": {"application/json": {"schema": {"$ref": _REF.format(name="Error")}}}}
    return {
        "summary": summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": _PLACES.get(name, _TEXT)} for name in places
        ],
        "responses": {
            "200": {"description": summary, "content": {kind: {"schema": answer}}},
            "4XX": {"description": "Refused", **error},
            "5XX": {"description": "Cannot be answered now", **error},
        },
    }
