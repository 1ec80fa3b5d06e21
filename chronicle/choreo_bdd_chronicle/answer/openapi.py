"""The API's description of itself, made from the endpoints and read models."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from choreo_bdd_chronicle.answer.endpoints import ENDPOINTS, Endpoint
from choreo_bdd_chronicle.answer.models import Health, Ingested
from choreo_bdd_chronicle.answer.views.lifecycle import KINDS
from choreo_bdd_chronicle.receive.ingest import KEY_HEADER, TENANT_HEADER

_REF = "#/components/schemas/{name}"
_PLACE = re.compile(r"{(\w+)(?::\w+)?}")


def describe(version: str, base: str, root: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the API at ``base``, below a proxy's ``root``."""
    models = [*(each.model for each in ENDPOINTS), Ingested, Health]
    schemas, components = msgspec.json.schema_components(models, ref_template=_REF)
    answers = dict(zip(map(repr, models), schemas, strict=True))
    paths = {base + _PLACE.sub(r"{\1}", each.path): {"get": _get(each, answers)} for each in ENDPOINTS}
    paths[f"{base}/runs"]["post"] = _post(answers[repr(Ingested)])
    paths[f"{base}/runs/{{run_id}}"]["delete"] = _operation("Take a run out of every list and sum", {}, ["run_id"])
    paths[f"{base}/runs/{{run_id}}/report"] = {"get": _operation("The report as its own page", {}, ["run_id"])}
    paths[f"{base}/stream"] = {"get": _stream()}
    paths[f"{base}/runs/{{run_id}}/raw"] = {"get": _operation("The report, byte for byte", {}, ["run_id"])}
    paths[f"{base}/health"] = {"get": _operation("Whether the server can do its work", answers[repr(Health)], [])}
    paths["/metrics"] = {"get": _metrics()}
    for method, summary in (("put", "Keep a run whatever its age"), ("delete", "Let go of a pinned run")):
        paths.setdefault(f"{base}/runs/{{run_id}}/pin", {})[method] = _operation(summary, {}, ["run_id"])
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
        {"name": TENANT_HEADER, "in": "header", "required": True, "schema": {"type": "string"}},
        {"name": KEY_HEADER, "in": "header", "required": False, "schema": {"type": "string"}},
    ]
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    operation["responses"]["201"] = operation["responses"]["200"]
    return operation


def _state() -> dict[str, Any]:
    operation = _operation("Say that it is open, confirmed, muted or resolved", {}, ["issue_id"])
    operation["parameters"].append({"name": "tenant", "in": "query", "required": True, "schema": {"type": "string"}})
    said = {
        "type": "object",
        "required": ["state"],
        "properties": {
            "state": {"enum": ["open", "confirmed", "muted", "resolved"]},
            **{name: {"type": "string"} for name in ("owner", "reason", "until")},
        },
    }
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": said}}}
    return operation


def _metrics() -> dict[str, Any]:
    operation = _operation("What Prometheus reads: runs, how long taking them in took, anomalies", {}, [])
    operation["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    return operation


def _stream() -> dict[str, Any]:
    operation = _operation("Events as they happen: run.completed, anomaly.detected", {}, [])
    operation["parameters"] = [
        {"name": "tenant", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}},
    ]
    return operation


def _operation(summary: str, answer: Any, places: Iterable[str]) -> dict[str, Any]:
    error = {"content": {"application/json": {"schema": {"$ref": _REF.format(name="Error")}}}}
    return {
        "summary": summary,
        "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in places],
        "responses": {
            "200": {"description": summary, "content": {"application/json": {"schema": answer}}},
            "4XX": {"description": "Refused", **error},
        },
    }
