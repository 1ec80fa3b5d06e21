"""The API keeps to its own description: what it documents as right is taken, and every answer is one of those named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from choreo_bdd_chronicle.receive.ingest import TENANT_HEADER
from choreo_bdd_chronicle.settings import Settings
from tests.chronicle import postgres as postgresql
from tests.chronicle.conftest import Chronicle, started
from tests.chronicle.reports import body, event, late, one_test, report, scenario, timed_out

Json = dict[str, Any]
LEFT_ALONE = {("get", "/api/v1/stream"), ("delete", "/api/v1/runs/{run_id}")}
"""One has no end, the other takes away what the rest is asked about."""
ODD = st.sampled_from(
    ["", "\0", "-1", "1e400", "٣", "'", '"; DROP TABLE runs', "../..", "%00", "x" * 5000, "\ud7ff", "{}"]
)
QUICKLY = settings(max_examples=12, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
"""Each example asks some twenty questions, and a failure names its own; nothing is gained by smaller ones."""
MOMENTS = {
    "from": st.datetimes(datetime(2026, 9, 1), datetime(2026, 9, 30)),
    "to": st.datetimes(datetime(2026, 10, 2), datetime(2026, 10, 31)),
}
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=9,
)


@pytest.fixture(scope="module", params=postgresql.STORES)
def described(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with a few runs of everything, and its description."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('described') / 'chronicle.db'}"
    else:
        url = request.getfixturevalue("postgres").another()
    with started(Settings(database=url)) as chronicle:
        for handles in ([late()], [timed_out()], [late(), timed_out("a/b")]):
            run = chronicle.keep(report(tests=[one_test([scenario(handles, timeline=[event()])])]))
        failure = chronicle.get("/failures", tenant="alpha")["items"][0]["id"]
        names = dict.fromkeys(("run_id", "run", "base_run"), run)
        yield Api(chronicle, {**names, "topic": "a/b", "issue_id": failure, "base": "main"})


class Api:
    """A server by its own words; ``known`` are names of what is there."""

    def __init__(self, chronicle: Chronicle, known: Mapping[str, str]) -> None:
        self.chronicle = chronicle
        self.known = known
        self.told: Json = chronicle.get("/openapi.json")
        self.operations = [
            (verb, path, operation)
            for path, verbs in sorted(self.told["paths"].items())
            for verb, operation in verbs.items()
            if (verb, path) not in LEFT_ALONE
        ]

    def answer(self, verb: str, path: str, operation: Json, given: Mapping[str, Any], content: Any) -> int:
        """Ask, and hold the answer against its description; its status."""
        where = {each["name"]: each["in"] for each in operation["parameters"]}
        places = {name: quote(str(each), safe="") for name, each in given.items() if where[name] == "path"}
        answer = self.chronicle.http.request(
            verb,
            path.format(**places),
            params={name: each for name, each in given.items() if where[name] == "query"},
            headers={name: each for name, each in given.items() if where[name] == "header"},
            content=None if content is None else body(content),
        )
        seen = f"{verb} {answer.request.url}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, seen
        responses = operation["responses"]
        response = responses.get(str(answer.status_code)) or responses.get(f"{answer.status_code // 100}XX")
        assert response is not None, seen
        if "content" not in response:
            assert answer.content == b"", seen
            return answer.status_code
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in response["content"], seen
        if kind == "application/json":
            schema = {**response["content"][kind]["schema"], "components": self.told["components"]}
            faults = [each.message for each in jsonschema_rs.Draft202012Validator(schema).iter_errors(answer.json())]
            assert faults == [], seen
        return answer.status_code


def right(name: str, schema: Json, known: Mapping[str, str]) -> st.SearchStrategy[Any]:
    """What the description allows for a parameter, and what is there."""
    found: st.SearchStrategy[Any]
    if name in {"tenant", TENANT_HEADER}:
        return st.just("alpha")
    if name in known:
        return st.just(known[name])
    if "enum" in schema:
        found = st.sampled_from(schema["enum"])
    elif schema["type"] == "integer":
        found = st.integers(schema["minimum"], schema["maximum"])
    elif schema["type"] == "number":
        whole = int(schema["exclusiveMaximum"])
        found = st.integers(1000, whole * 1_000_000 - 1).map(lambda millionths: millionths / 1_000_000)
    elif schema["type"] == "boolean":
        found = st.sampled_from(["true", "false"])
    elif name in MOMENTS:
        found = MOMENTS[name].map(lambda moment: moment.replace(tzinfo=UTC).isoformat())
    else:
        alphabet = st.characters(codec="ascii" if name[0].isupper() else "utf-8", categories=("L", "N", "P"))
        found = st.text(alphabet, max_size=schema.get("maxLength", 40))
    return found


def asked(operation: Json, known: Mapping[str, str], *, is_odd: bool) -> st.SearchStrategy[Json]:
    """Parameters for an operation, the optional ones at times."""
    needed: dict[str, st.SearchStrategy[Any]] = {}
    other: dict[str, st.SearchStrategy[Any]] = {}
    for each in operation["parameters"]:
        drawn = right(each["name"], each["schema"], known)
        if is_odd and each["in"] != "header":
            drawn = drawn | ODD | st.text(max_size=20)
        if each["in"] == "path":
            drawn = drawn.filter(lambda value: str(value).strip("./") != "")
        (needed if each.get("required") else other)[each["name"]] = drawn
    for name in {"base", "from", "to"} & other.keys():  # a question makes no sense without, or with one alone
        needed[name] = other.pop(name)
    return st.fixed_dictionaries(needed, optional=other)


@pytest.mark.thorough
@QUICKLY
@given(st.data())
def test_what_is_asked_as_described_is_answered_as_described(described: Api, data: st.DataObject) -> None:
    for verb, path, operation in described.operations:
        if "requestBody" not in operation:
            given_ = data.draw(asked(operation, described.known, is_odd=False), label=f"{verb} {path}")
            status = described.answer(verb, path, operation, given_, None)
            assert status in (200, 204), f"{verb} {path} {given_}: {status}"


@pytest.mark.thorough
@QUICKLY
@given(st.data())
def test_whatever_is_asked_is_answered_as_described(described: Api, data: st.DataObject) -> None:
    for verb, path, operation in described.operations:
        given_ = data.draw(asked(operation, described.known, is_odd=True), label=f"{verb} {path}")
        content = data.draw(BODIES) if "requestBody" in operation else None
        described.answer(verb, path, operation, given_, content)


STATEMENTS = [
    {"state": "open"}, {"state": "muted"}, {"state": "muted", "owner": "a", "reason": "b"}, {"state": "x"}, {}, [],
    {"state": "muted", "owner": "", "reason": "b"}, {"state": "muted", "owner": None, "reason": "b"},
    {"state": "resolved", "until": "2026-10-01T00:00:00Z"}, {"state": "open", "odd": 1}, {"state": "open", "owner": 1},
]  # fmt: skip


@pytest.mark.parametrize("said", STATEMENTS, ids=str)
def test_what_can_be_said_of_an_issue_is_what_is_described(described: Api, said: Any) -> None:
    path = "/api/v1/failures/{issue_id}/state"
    operation = described.told["paths"][path]["put"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    given_ = {"tenant": "alpha", "issue_id": described.known["issue_id"]}
    expected = 204 if jsonschema_rs.Draft202012Validator(schema).is_valid(said) else 422
    assert described.answer("put", path, operation, given_, said) == expected


@pytest.mark.parametrize("version", ["1", "1.0", "1.3", "1.9", "", "10", "1abc", "2", "1.10", "v1", "01", "1.3\n", 1])
def test_versions_that_are_described_are_those_that_are_taken(described: Api, version: Any) -> None:
    operation = described.told["paths"]["/api/v1/runs"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    sent = report() | {"schema_version": version}
    expected = 201 if jsonschema_rs.Draft202012Validator(schema).is_valid(sent) else 422
    headers = {"X-Chronicle-Tenant": "beta"}
    assert described.answer("post", "/api/v1/runs", operation, headers, sent) == expected


@pytest.mark.parametrize("name", ["run", "base_run"])
@pytest.mark.parametrize("value", ["x", "0" * 63, "0" * 65, "A" * 64])
def test_a_run_that_cannot_be_is_refused_by_its_name(described: Api, name: str, value: str) -> None:
    query = {"tenant": "alpha", "run": described.known["run"], name: value}
    answer = described.chronicle.ask("/compare", **query)
    assert (answer.status_code, answer.json()["faults"][0]["pointer"]) == (422, f"/query/{name}")
