"""Kafka: Apache Kafka as a single KRaft node where there is Java, else tansu, which speaks Kafka's protocol."""

from __future__ import annotations

from collections.abc import Callable

from choreo_bdd.brokers import handshakes
from choreo_bdd.brokers.errors import BrokerUnavailable
from choreo_bdd.brokers.kinds import kafka_apache, kafka_tansu
from choreo_bdd.brokers.options import KafkaOptions
from choreo_bdd.brokers.plan import BrokerPlan, Kind, Placement, Program

_HINT = (
    "Get one by: apt-get install openjdk-17-jre-headless maven (Apache Kafka, fetched on first use), "
    "or KAFKA_HOME=/path/to/kafka with Java 17, or pip install 'choreo-bdd[brokers]' (tansu)"
)


def find(options: KafkaOptions) -> Program:
    """The implementation asked for; without a wish the first that is here and knows the options."""
    finders: dict[str, Callable[[KafkaOptions], Program | str]] = {
        "apache": kafka_apache.find,
        "tansu": kafka_tansu.find,
    }
    wanted = [options.implementation] if options.implementation else list(finders)
    reasons = []
    for name in wanted:
        found = finders[name](options)
        if isinstance(found, Program):
            return found
        reasons.append(found)
    raise BrokerUnavailable("kafka", "; ".join(reasons), _HINT)


def plan(program: Program, options: KafkaOptions, placement: Placement) -> BrokerPlan:
    """As the implementation found wants it."""
    chosen = kafka_apache.plan if program.flavour == "apache" else kafka_tansu.plan
    return chosen(program, options, placement)


KIND = Kind("kafka", 9092, KafkaOptions, find, plan, handshakes.kafka)
