"""Avro payloads whose schemas a registry keeps, framed as Confluent does: a zero byte, the schema's id, the value.

Needs the extras ``avro`` and ``http``; imported when a configuration names a registry.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from choreo_bdd.codecs.avro import AvroCodec, id_of_frame
from choreo_bdd.codecs.base import Refused
from choreo_bdd.redaction import safe_url

_PATIENCE_S = 5.0
_KIND = "application/vnd.schemaregistry.v1+json"


class SchemaRegistry:
    """A registry, asked once for each schema; it is never told of any. ``ValueError`` says what it has not.

    ``permit`` is called with the address before each question, and raises for one that may not be asked.
    """

    def __init__(self, url: str, permit: Callable[[str], None]) -> None:
        self._url = url.rstrip("/")
        self._permit = permit
        self._by_id: dict[int, AvroCodec] = {}

    def codec(self, schema_id: int) -> AvroCodec:
        """The codec of the schema with this id."""
        if schema_id not in self._by_id:
            self._by_id[schema_id] = self._codec_of(self._answer("GET", f"/schemas/ids/{schema_id}"), schema_id)
        return self._by_id[schema_id]

    def latest(self, subject: str) -> AvroCodec:
        """The codec of the newest schema of a subject."""
        told = self._answer("GET", f"/subjects/{quote(subject, safe='')}/versions/latest")
        return self._by_id.setdefault(told["id"], self._codec_of(told, told["id"]))

    def registered(self, subject: str, schema: Path) -> AvroCodec:
        """The codec of a schema file, under the id it has been registered with for a subject."""
        asked = {"schema": schema.read_text("utf-8")}
        told = self._answer("POST", f"/subjects/{quote(subject, safe='')}", asked)
        return AvroCodec(schema, schema_id=told["id"])

    def _codec_of(self, told: Any, schema_id: int) -> AvroCodec:
        kind = told.get("schemaType", "AVRO")
        if kind != "AVRO":
            raise Refused(f"the schema {schema_id} of the registry is no Avro schema, but {kind}")
        return AvroCodec(json.loads(told["schema"]), schema_id=schema_id)

    def _answer(self, method: str, path: str, body: object = None) -> Any:
        self._permit(self._url)
        shown = f"the schema registry {safe_url(self._url)}"
        try:
            answer = httpx.request(
                method,
                f"{self._url}{path}",
                json=body,
                headers={"Accept": _KIND},
                timeout=_PATIENCE_S,
                trust_env=False,
            )
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Refused(f"{shown} gives no answer to {path}: {type(error).__name__}") from None
        if answer.is_error:
            raise Refused(f"{shown} has no {path.removeprefix('/')}: {told.get('message', answer.status_code)}")
        return told


class RegistryCodec:
    """Reads each message by the schema its header names, and writes the newest of ``subject``, or that of a file.

    A registry is asked in the moment a schema is first needed. Without a subject it only reads.
    """

    def __init__(self, registry: SchemaRegistry, *, subject: str | None = None, schema: Path | None = None) -> None:
        self._registry = registry
        self._subject = subject
        self._schema = schema
        self._writing: AvroCodec | None = None

    def decode(self, data: bytes) -> Any:
        """The value; ``ValueError`` for what is not framed, or not a value of its schema."""
        return self._registry.codec(id_of_frame(data)).decode(data)

    def encode(self, value: Any) -> bytes:
        """The bytes; ``TypeError`` for a value that the schema does not describe."""
        if self._writing is None:
            self._writing = self._of_subject()
        return self._writing.encode(value)

    def _of_subject(self) -> AvroCodec:
        if self._subject is None:
            raise ValueError("which schema of the registry to write with is not said; name its subject beside it")
        if self._schema is None:
            return self._registry.latest(self._subject)
        return self._registry.registered(self._subject, self._schema)
