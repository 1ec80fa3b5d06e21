"""`topics:` of Kafka, and schemas of a registry, against a FastStream service in another process (spec/steps.md 10)."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from choreo_bdd.brokers import Broker
from choreo_bdd.environment import HostNotInAllowlist
from choreo_bdd_project.config import Config, load_config
from choreo_bdd_project.harnesses import build_harness
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.run.session import Session
from choreo_bdd_steps.starting.doctor import examine
from tests.support.services import running_service
from tests.support.services.kafka_shop import ORDER, PAID
from tests.support.step_bench import Bench

pytestmark = pytest.mark.broker
MakeBench = Callable[[str], Bench]
NEW_ORDER = {**ORDER, "fields": [*ORDER["fields"], {"name": "note", "type": "string", "default": ""}]}
SCHEMAS = {7: ORDER, 8: PAID, 9: NEW_ORDER}
SUBJECTS = {"orders.framed-value": 7, "other": 9}


class Registry(BaseHTTPRequestHandler):
    """Answers as Confluent's schema registry does, and counts what it is asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(f"GET {self.path}")
        parts = self.path.strip("/").split("/")
        if parts[0] == "schemas" and int(parts[2]) in SCHEMAS:
            self._tell(200, {"schema": json.dumps(SCHEMAS[int(parts[2])])})
        elif parts[0] == "subjects" and parts[1] in SUBJECTS:
            number = SUBJECTS[parts[1]]
            self._tell(200, {"subject": parts[1], "id": number, "schema": json.dumps(SCHEMAS[number])})
        else:
            self._tell(404, {"error_code": 40401, "message": "Subject or schema not found"})

    def do_POST(self) -> None:
        self.asked.append(f"POST {self.path}")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = [
            number for number, schema in SCHEMAS.items() if schema["fields"] == json.loads(body["schema"])["fields"]
        ]
        self._tell(*((200, {"id": found[0]}) if found else (404, {"error_code": 40403, "message": "Schema not found"})))

    def _tell(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    Registry.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def config_of(folder: Path, address: str, topics: str, *, more: str = "") -> Config:
    path = folder / "choreo.yaml"
    path.write_text(
        f"""timeout: 10s
vacuity: ignore
{more}
profiles:
  p:
    bus:
      type: kafka
      servers: ["{address}"]
      correlation: {{field: id}}
      topics:{topics}""",
        "utf-8",
    )
    return load_config(path, schema=config_schema())


@pytest.fixture
def bench_with(tmp_path: Path, kafka_broker: Broker) -> Iterator[MakeBench]:
    made: list[Session] = []

    def make(topics: str) -> Bench:
        made.append(Session(config_of(tmp_path, kafka_broker.url, topics)))
        return Bench(made[-1])

    yield make
    for session in made:
        session.close()


def test_framed_events_are_written_and_read_by_the_schemas_of_a_registry(
    bench_with: MakeBench, kafka_broker: Broker, registry: str
) -> None:
    codec = f"{{codec: {{type: avro, registry: '{registry}'}}}}"
    with running_service("kafka_shop", kafka_broker.url):
        bench_with(f"\n        orders.framed: {codec}\n        '*.framed': {codec}").play(
            'When I publish "orders.framed" with key "k":\n| id |\n| o-1 |',
            'Then I expect "paid.framed" where cents is 1999 and by is card and @key is o-1',
            'And I expect "orders.framed" where id is o-1',
        ).passed()
    assert Registry.asked == ["GET /subjects/orders.framed-value/versions/latest", "GET /schemas/ids/8"]


def test_where_nothing_comes_a_topic_that_only_our_publish_has_made_is_named(
    bench_with: MakeBench, kafka_broker: Broker
) -> None:
    asyncio.run(made(kafka_broker.url, "known.placed", 1))
    missed = 'Then I expect "known.settled" waiting up to 300ms'
    bench = bench_with("\n        known.placed: {create: false}")
    told = bench.play('When I publish "oders.placed"', missed).message
    assert "note: there was no topic 'oders.placed' until this run made it" in told
    assert "'known.settled' until" not in told, "it is listened to, and may be the service's to make"
    assert "there was no topic" not in bench.play('When I publish "known.placed"', missed).message


def test_the_id_of_a_schema_file_is_asked_for_and_none_is_registered(
    bench_with: MakeBench, registry: str, tmp_path: Path
) -> None:
    (tmp_path / "order.avsc").write_text(json.dumps(NEW_ORDER), "utf-8")
    strange = {**PAID, "fields": [*PAID["fields"][:1], {"name": "x", "type": "long"}]}
    (tmp_path / "strange.avsc").write_text(json.dumps(strange), "utf-8")
    shared = f"registry: '{registry}', subject: other"
    filed, odd = (f"{{codec: {{avro: {name}.avsc, {shared}}}}}" for name in ("order", "strange"))
    bench = bench_with(f"\n        filed: {filed}\n        odd: {odd}")
    bench.play('When I publish "filed":\n| id | note |\n| o-2 | n |', 'Then I expect "filed" where note is n').passed()
    refused = bench.play('When I publish "odd":\n| id | x |\n| o-2 | 1 |', 'Then I expect "odd"')
    assert "play.feature:3" in refused.message
    assert "has no subjects/other: Schema not found" in refused.message
    assert "POST /subjects/other" in Registry.asked


def test_a_message_that_is_not_framed_is_named_and_no_absence(bench_with: MakeBench, registry: str) -> None:
    bench = bench_with(f"\n        bare: {{codec: {{type: avro, registry: '{registry}'}}}}")
    played = bench.play('When I publish "bare" as raw bytes:\n"""\n{}\n"""', 'Then I expect no "bare" for 100ms')
    assert "undecodable" in played.message
    assert "(the message does not begin with Confluent's header: a zero byte and a schema id)" in played.message


def test_a_schema_that_the_registry_does_not_have_is_named(bench_with: MakeBench, registry: str) -> None:
    bench = bench_with(f"\n        strange: {{codec: {{type: avro, registry: '{registry}'}}}}")
    publish = 'When I publish "strange" as raw bytes:\n"""\nhex:000000270f00\n"""'
    told = bench.play(publish, 'Then I expect "strange" waiting up to 300ms').message
    assert f"undecodable: 1 message on 'strange' could not be read (the schema registry {registry} has no " in told
    assert "schemas/ids/9999" in told


def test_a_registry_elsewhere_needs_to_be_allowed(tmp_path: Path) -> None:
    topics = "\n        t: {codec: {type: avro, registry: 'https://user:secret@registry.example:8081'}}"
    config = config_of(tmp_path, "127.0.0.1:9", topics)
    with pytest.raises(HostNotInAllowlist, match=r"topics\.t\.codec\.registry: .*registry\.example") as told:
        build_harness(config, config.transports["bus"])
    assert "secret" not in str(told.value)
    (tmp_path / "allowed.yaml").write_text("kafka_brokers: ['127.0.0.1:9']\nhttp_hosts: ['registry.example:8081']\n")
    config = config_of(tmp_path, "127.0.0.1:9", topics, more="allowlist: allowed.yaml")
    assert build_harness(config, config.transports["bus"]).codec_of("t")


async def made(address: str, name: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1)])
    finally:
        await admin.close()


async def names(address: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        return set(await admin.list_topics())
    finally:
        await admin.close()


def test_a_partition_is_chosen_and_one_that_is_not_there_is_an_error(
    bench_with: MakeBench, kafka_broker: Broker
) -> None:
    asyncio.run(made(kafka_broker.url, "parted", 3))
    bench_with("\n        parted: {partition: 2}").play(
        'When I publish "parted" with key "k":\n| id |\n| o-1 |', 'Then I expect "parted" where @partition is 2'
    ).passed()
    played = bench_with("\n        parted: {partition: 5}").play('When I publish "parted"', 'Then I expect "parted"')
    assert "'parted' has no partition 5: it has 0, 1, 2" in played.message


def test_a_topic_that_may_not_be_made_is_missed_and_doctor_makes_none(
    bench_with: MakeBench, kafka_broker: Broker, tmp_path: Path
) -> None:
    topics = "\n        never.made: {create: false}"
    heard = bench_with(topics).play('When I publish "go"', 'Then I expect "never.made"')
    spoken = bench_with(topics).play('When I publish "never.made"', 'Then I expect "go"')
    (finding,) = asyncio.run(examine(config_of(tmp_path, kafka_broker.url, topics), patience_s=10))
    for told in (heard.message, spoken.message):
        assert "there is no such topic" in told
    assert "there is no topic 'never.made', and none is made" in str(finding.problem)
    assert "never.made" not in asyncio.run(names(kafka_broker.url))
