"""Apache Kafka as a single KRaft node: broker and controller in one Java process."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from choreo_bdd.brokers import _programs, handshakes
from choreo_bdd.brokers.kinds import _kafka_jars
from choreo_bdd.brokers.options import KafkaOptions, TlsFiles
from choreo_bdd.brokers.plan import BrokerPlan, Placement, Program
from choreo_bdd.brokers.ports import free_port
from choreo_bdd.brokers.profiles import with_tls

_JAVA_NEEDED = 17
_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_MECHANISMS = ("PLAIN", *_SCRAM, "OAUTHBEARER")
_SECURITY = "org.apache.kafka.common.security"
# A small heap and the quickest way up: this node lives for minutes.
_JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
# Else the end of the log, which goes into error messages, is a list of all settings.
_QUIET = "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn"


def find(options: KafkaOptions) -> Program | str:  # noqa: ARG001 - it knows all options
    """Java and Kafka's jars (a distribution, the cache, or Maven to fetch them), or why they are not there."""
    java = _programs.on_path("java")
    if java is None:
        return "Apache Kafka needs Java, and there is no program java"
    version = _programs.version_of(java, "-version")
    if int(version.partition(".")[0] or 0) < _JAVA_NEEDED:
        return f"Apache Kafka needs Java {_JAVA_NEEDED}, and {java} is {version or 'of an unknown version'}"
    jars = _kafka_jars.find()
    if jars is None:
        return "there are neither Apache Kafka's jars (KAFKA_HOME) nor Maven (mvn) to fetch them"
    return Program(_programs.title("Apache Kafka", jars.version, jars.source), (str(java),), "apache")


def plan(program: Program, options: KafkaOptions, placement: Placement) -> BrokerPlan:
    """Fetches the jars if it must; then formats the storage once and runs the server."""
    jars = _kafka_jars.fetched()
    properties, arguments = placement.folder / "server.properties", placement.folder / "format.arguments"
    _write(properties, _properties(options, placement))
    _write(arguments, _format(options, properties))
    java = (
        *program.command,
        *_JVM,
        _QUIET,
        *jars.logging,
        f"-Dkafka.logs.dir={placement.folder}",
        "-cp",
        f"{jars.folder}/*",
    )
    address = f"{placement.host}:{placement.port}"
    return BrokerPlan(
        prepare=((*java, "kafka.tools.StorageTool", f"@{arguments}"),),
        command=(*java, "kafka.Kafka", str(properties)),
        url=address,
        probe=partial(handshakes.kafka, placement.host, placement.port, tls=options.tls is not None),
        profile=_profile(options, address),
        start_timeout_s=90.0,
        stop_timeout_s=15.0,
    )


def _write(path: Path, lines: Iterable[str]) -> None:
    # Properties files are Latin-1, with \uXXXX for everything else.
    path.write_bytes("\n".join((*lines, "")).encode("latin-1", "backslashreplace"))


def _format(options: KafkaOptions, properties: Path) -> Iterator[str]:
    cluster_id = base64.urlsafe_b64encode(b"\x00" + uuid.uuid4().bytes[1:]).decode().rstrip("=")  # never begins with -
    yield from ("format", "--cluster-id", cluster_id, "--config", str(properties))
    for user, password in options.sasl.items():
        for mechanism in _SCRAM:
            yield from ("--add-scram", f'{mechanism}=[name="{user}",password="{password}"]')


def _properties(options: KafkaOptions, placement: Placement) -> Iterator[str]:
    controller, internal = free_port(), free_port()
    yield "process.roles=broker,controller"
    yield "node.id=1"
    yield f"controller.quorum.voters=1@{placement.host}:{controller}"
    yield "controller.listener.names=CONTROLLER"
    # Its own traffic has a listener of its own, so that it needs no credentials whatever clients must show.
    yield "inter.broker.listener.name=INTERNAL"
    client, inside = f"CLIENTS://{placement.host}:{placement.port}", f"INTERNAL://{placement.host}:{internal}"
    yield f"listeners={client},{inside},CONTROLLER://{placement.host}:{controller}"
    yield f"advertised.listeners={client},{inside}"
    yield f"listener.security.protocol.map=CLIENTS:{_protocol(options)},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"
    yield f"log.dirs={placement.folder / 'data'}"
    yield from _single_node(options)
    if options.sasl:
        yield from _sasl(options)
    if options.tls is not None:
        yield from _tls(options.tls, placement.folder)
    yield options.config


def _single_node(options: KafkaOptions) -> Iterator[str]:
    yield f"auto.create.topics.enable={str(options.auto_create_topics).lower()}"
    yield "num.partitions=1"
    yield "group.initial.rebalance.delay.ms=0"
    yield "offsets.topic.num.partitions=1"
    yield "offsets.topic.replication.factor=1"
    yield "transaction.state.log.num.partitions=1"
    yield "transaction.state.log.replication.factor=1"
    yield "transaction.state.log.min.isr=1"
    yield "share.coordinator.state.topic.num.partitions=1"
    yield "share.coordinator.state.topic.replication.factor=1"
    yield "share.coordinator.state.topic.min.isr=1"
    # A killed node comes back only when its old session has run out (9 s by default).
    yield "broker.session.timeout.ms=2000"
    yield "broker.heartbeat.interval.ms=300"


def _protocol(options: KafkaOptions) -> str:
    return f"{'SASL_' if options.sasl else ''}{'SSL' if options.tls else 'PLAINTEXT'}"


def _sasl(options: KafkaOptions) -> Iterator[str]:
    users = " ".join(f'user_{user}="{password}"' for user, password in options.sasl.items())
    prefix = "listener.name.clients"
    yield f"sasl.enabled.mechanisms={','.join(_MECHANISMS)}"
    yield f"{prefix}.plain.sasl.jaas.config={_SECURITY}.plain.PlainLoginModule required {users};"
    for name in _SCRAM:
        yield f"{prefix}.{name.lower()}.sasl.jaas.config={_SECURITY}.scram.ScramLoginModule required;"
    oauth = f"{_SECURITY}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=broker;"
    yield f"{prefix}.oauthbearer.sasl.jaas.config={oauth}"


def _tls(tls: TlsFiles, folder: Path) -> Iterator[str]:
    # Kafka reads a key and its certificate from one PEM file.
    store = folder / "server.pem"
    store.write_text(f"{tls.key.read_text()}\n{tls.certificate.read_text()}", encoding="utf-8")
    yield "ssl.keystore.type=PEM"
    yield f"ssl.keystore.location={store}"
    yield "ssl.truststore.type=PEM"
    yield f"ssl.truststore.location={tls.ca}"
    yield f"ssl.client.auth={'required' if tls.require_client_certificate else 'none'}"


def _profile(options: KafkaOptions, address: str) -> dict[str, Any]:
    profile: dict[str, Any] = {"type": "kafka", "servers": [address]}
    if options.sasl:
        user, password = next(iter(options.sasl.items()))
        profile["auth"] = {"user": user, "password": password, "mechanism": "SCRAM-SHA-512"}
    return with_tls(profile, options.tls)
