"""AsyncAPI documents, 2.x and 3.x, as a contract for messages: ``asyncapi: spec.yaml`` in choreo.yaml."""

from __future__ import annotations

from choreo_bdd.asyncapi.contract import AsyncApi, load_asyncapi
from choreo_bdd.asyncapi.documents import AsyncApiError

__all__ = ["AsyncApi", "AsyncApiError", "load_asyncapi"]
