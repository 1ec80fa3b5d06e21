"""What ties a scenario's messages together: paths, adoption, `none`, and the id as a variable."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from choreo_bdd.transports import MockTransport
from choreo_bdd.transports.base import TransportCapabilities
from choreo_bdd_project.config import Config, ConfigError, load_config
from choreo_bdd_project.harnesses import build_harness, configured_transport
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.replaying.virtual_loop import VirtualLoop
from choreo_bdd_steps.run.opening import ScenarioInfo
from choreo_bdd_steps.run.sending import ReusedId
from choreo_bdd_steps.run.session import Session
from tests.support.step_bench import Bench, Played, read_steps

MakeBench = Callable[..., Bench]


class Bare(MockTransport):
    """A memory bus that carries no headers."""

    capabilities = TransportCapabilities(topic_patterns=True)


def configured(folder: Path, correlation: str, kind: str = "memory", more: str = "") -> Config:
    path = folder / "choreo.yaml"
    bus = f"    bus: {{type: {kind}{more}, correlation: {correlation}}}\n"
    other = "    other: {type: memory, correlation: {field: oid}}\n"
    path.write_text(f"timeout: 200ms\nvacuity: ignore\nprofiles:\n  p:\n{bus}{other}", "utf-8")
    return load_config(path, schema=config_schema())


@pytest.fixture
def bench_with(tmp_path: Path) -> Iterator[MakeBench]:
    """A bench of a project whose bus is correlated so."""
    made: list[Session] = []

    def make(correlation: str, *, bare: bool = False) -> Bench:
        config = configured(tmp_path, correlation)
        maker = (lambda *_: Bare()) if bare else configured_transport
        made.append(Session(config, make_transport=maker, loop=VirtualLoop()))
        return Bench(made[-1])

    yield make
    for session in made:
        session.close()


def doc(sentence: str, *lines: str) -> str:
    return "\n".join([sentence, '"""', *lines, '"""'])


# --- the library's own id is nobody's field ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "body", "passes"),
    [
        ("id", "!exactly {n: 7}", True),
        ("id", "!exactly {n: 7, id: !any}", True),
        ("id", "!exactly {n: 7, id: !absent}", False),
        ("id", "!exactly {m: 7}", False),
        ("id", "id: !exists", True),
        ("id", "id: !absent", False),
        ("data.id", "!exactly {n: 7}", True),  # the object around the id was made for it
    ],
)
def test_exactly_does_not_see_the_id_that_was_stamped(
    bench_with: MakeBench, field: str, body: str, *, passes: bool
) -> None:
    played = bench_with(f"{{field: {field}}}").play(doc('When I publish "t"', "n: 7"), doc('Then I expect "t"', body))
    assert (played.outcomes == ["pass"]) is passes


def test_an_absence_of_exactly_this_finds_it_under_the_id(bench_with: MakeBench) -> None:
    check = doc('Then I expect no "t" for 50ms', "!exactly {n: 7}")
    assert bench_with("{field: id}").play(doc('When I publish "t"', "n: 7"), check).outcomes == ["fail"]


@pytest.mark.parametrize(
    "check", [doc('Then I expect "t"', "!exactly {data: {n: 7}}"), 'Then I expect "t" where data is {"n": 7}']
)
def test_nor_does_equality_of_the_object_it_was_stamped_into(bench_with: MakeBench, check: str) -> None:
    bench_with("{field: data.id}").play(doc('When I publish "t"', "data: {n: 7}"), check).passed()


def test_a_closed_schema_does_not_see_it_and_an_open_one_may_ask_for_it(bench_with: MakeBench, tmp_path: Path) -> None:
    closed = {"type": "object", "properties": {"n": {}}, "additionalProperties": False}
    asking = {"type": "object", "required": ["id"]}
    for schema in (closed, asking):
        (tmp_path / "s.json").write_text(json.dumps(schema), "utf-8")
        bench = bench_with("{field: id}")
        steps = (doc('When I publish "t"', "n: 7"), 'Then I expect "t" matching schema "s.json"')
        bench.play(*steps, file=str(tmp_path / "a.feature")).passed()


def test_an_id_that_the_author_wrote_is_a_field_like_any_other(bench_with: MakeBench) -> None:
    played = bench_with("{field: id}").play(
        doc('When I publish "t"', "{n: 7, id: mine}"), doc('Then I expect "t"', "!exactly {n: 7}")
    )
    assert played.outcomes == ["fail"]


# --- payloads without fields ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["Hello", "[1, 2]", "7"])
def test_what_is_no_object_is_attributed_by_header(bench_with: MakeBench, body: str) -> None:
    bench = bench_with("{field: data.id}")
    bench.play(doc('When I publish "t"', body), doc('Then I expect "t"', body)).passed()


@pytest.mark.parametrize("body", ["Hello", "[1, 2]"])
def test_where_the_bus_has_no_headers_the_check_says_so_before_anything_is_published(
    bench_with: MakeBench, body: str
) -> None:
    bench = bench_with("{field: id}", bare=True)
    bench.service("go", lambda message: [("heard", message)])
    played = bench.play('When I publish "go"', doc('Then I expect "t"', body))
    assert played.failed_step == 'I publish "go"'
    assert "has no place for the correlation id" in played.message
    assert "play.feature:4" in played.message
    assert bench.heard == []


def test_and_so_does_the_publish(bench_with: MakeBench) -> None:
    played = bench_with("{field: id}", bare=True).play(doc('When I publish "t"', "Hello"), 'Then I expect "t"')
    assert "play.feature:3" in played.message
    assert "correlation: none" in played.message


# --- adoption ---------------------------------------------------------------------------------------------------------


def shop(bench: Bench, field: str = "order_id") -> Bench:
    bench.service("start", lambda message: [("done", {field: message[field], "ok": True})])
    return bench


def test_a_scenario_that_writes_the_key_adopts_it(bench_with: MakeBench) -> None:
    played = shop(bench_with("{field: order_id}")).play(
        "Given order_id is a unique id",
        doc('When I publish "start"', 'order_id: "{{ order_id }}"'),
        'Then I expect "done" where order_id is "{{ correlation_id }}"',
    )
    assert played.passed().result is not None
    assert played.result is not None
    assert played.result.correlation_id == played.run.variables["order_id"]
    assert played.handles[0].correlation_id == played.run.variables["order_id"]


def test_a_number_is_adopted_too_and_later_messages_carry_it(bench_with: MakeBench) -> None:
    shop(bench_with("{field: order_id}")).play(
        doc('When I publish "start"', "order_id: 42"),
        'Then I expect "done" where order_id is 42',
        'When I publish "more"',
        'Then I expect "more" where order_id is "42"',
    ).passed()


def test_an_id_of_a_scenario_that_still_runs_is_refused(bench_with: MakeBench) -> None:
    bench = shop(bench_with("{field: order_id}"))
    first = bench.begin(doc('When I publish "start"', "order_id: o-1"), 'Then I expect "done"')
    first.perform(0)
    second = bench.play(doc('When I publish "start"', "order_id: o-1"), 'Then I expect "done"')
    assert second.message.startswith(
        "features/play.feature:3: the id 'o-1' is that of a scenario that is still running"
    )
    first.perform(1)
    first.finish(passed=2)


def test_an_id_that_an_earlier_scenario_has_written_is_told_once(bench_with: MakeBench) -> None:
    bench = shop(bench_with("{field: order_id}"))
    steps = (doc('When I publish "start"', "order_id: o-1"), 'Then I expect "done"')

    def play(name: str) -> None:
        run = bench.session.scenario(ScenarioInfo(name, f"a.feature::{name}", read_steps(*steps)))
        run.perform(0)
        run.perform(1)
        run.finish(passed=2)

    play("first")
    play("first")  # once more, as a retry would
    with pytest.warns(ReusedId, match="the id 'o-1' was that of scenario 'first' before"):
        play("second")
    play("third")


def test_messages_of_each_key_that_is_written_are_heard(bench_with: MakeBench) -> None:
    shop(bench_with("{field: order_id}")).play(
        'When I publish "start"\n| order_id |\n| A |\n| B |', 'Then I expect exactly 2 "done" messages within 100ms'
    ).passed()


def test_messages_of_the_id_before_the_adopted_one_are_nobody_elses(bench_with: MakeBench) -> None:
    bench, ids = bench_with("{field: id}"), list[str]()
    played = bench.play(
        "Given the id is noted",
        'When I publish "b" on other',
        doc('And I publish "start"', "id: mine"),
        "And a slow service answers with the id it was given first",
        'Then I expect "a"',
        own={
            "the id is noted": lambda run: ids.append(run.correlation_id),
            "a slow service answers with the id it was given first": lambda _: bench.say("a", {"id": ids[0]}),
        },
    ).passed()
    assert played.result is not None
    assert "correlation_skipped" not in [entry.action.value for entry in played.result.timeline]


def test_what_is_adopted_on_one_transport_is_heard_on_the_other(bench_with: MakeBench) -> None:
    bench = bench_with("{field: order_id}")
    bus, other = bench.session.transport("bus"), bench.session.transport("other")

    def answer(topic: str, data: bytes) -> None:
        other.publish("done", json.dumps({"oid": json.loads(data)["order_id"]}).encode())

    async def serve() -> None:
        bus.subscribe("start", answer)

    bench.session.run(serve())
    bench.play(
        doc('When I publish "start"', "order_id: A-1"), 'Then I expect "done" on other where oid is "A-1"'
    ).passed()


def test_a_message_of_somebody_elses_key_is_still_not_the_scenarios(bench_with: MakeBench) -> None:
    bench = bench_with("{field: order_id}")
    bench.service("start", lambda message: [("done", {"order_id": "somebody's"})])
    played = bench.play(doc('When I publish "start"', "order_id: mine"), 'Then I expect "done"')
    assert "not this scenario's 'mine'" in played.message


# --- the id at hand ---------------------------------------------------------------------------------------------------


def test_every_template_knows_the_id(bench_with: MakeBench) -> None:
    bench = bench_with("{header: x-id, prefix: TEST-}")
    row = "| ref | {{ correlation_id }} |"
    heading = "| field | value |"
    played: Played = bench.play(
        "\n".join(['When I publish "orders.{{ correlation_id }}" with key "{{ correlation_id }}"', heading, row]),
        "\n".join(['Then I expect "orders.{{ correlation_id }}"', heading, row, "| @key | {{ correlation_id }} |"]),
    ).passed()
    assert played.run.correlation_id.startswith("TEST-")
    assert played.result is not None
    assert played.result.correlation_id == played.run.correlation_id


def test_with_none_there_is_an_id_for_templates_and_where_tells_messages_apart(bench_with: MakeBench) -> None:
    bench = bench_with("none")
    bench.service("start", lambda message: [("done", {"ref": "other"}), ("done", {"ref": message["ref"]})])
    bench.play(
        doc('When I publish "start"', 'ref: "{{ correlation_id }}"'),
        'Then I expect exactly 1 "done" message where ref is "{{ correlation_id }}" within 100ms',
    ).passed()


def test_a_variable_of_that_name_is_the_authors(bench_with: MakeBench) -> None:
    bench = bench_with("{field: id}")
    bench.play(
        'Given correlation_id is "mine"',
        doc('When I publish "t"', 'ref: "{{ correlation_id }}"'),
        'Then I expect "t" where ref is "mine"',
    ).passed()


# --- the configuration ------------------------------------------------------------------------------------------------


def test_a_property_of_amqp_is_a_header_of_its_name(tmp_path: Path) -> None:
    config = configured(tmp_path, "{property: correlation_id}", "rabbitmq", ', url: "amqp://localhost"')
    assert config.transports["bus"].correlation_header == "amqp.correlation_id"


def test_no_other_bus_has_properties(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"choreo.yaml:5: .*correlation.property: only messages of RabbitMQ"):
        configured(tmp_path, "{property: correlation_id}", "nats", ', servers: "nats://localhost"')


def test_a_header_on_a_bus_without_headers_is_an_error(tmp_path: Path) -> None:
    config = configured(tmp_path, "{header: x-id}", "redis", ', url: "redis://localhost"')
    with pytest.raises(ConfigError, match=r"choreo.yaml:5: .*correlation.header: .*carry no headers"):
        build_harness(config, config.transports["bus"])


@pytest.mark.parametrize("word", ["none", "false"])
def test_none_is_meant_and_nobody_is_warned(tmp_path: Path, word: str) -> None:
    config = configured(tmp_path, word, "nats", ', servers: "nats://localhost"')
    assert config.transports["bus"].correlation_off
    assert build_harness(config, config.transports["bus"]).correlation.routes_by_correlation is False


def test_a_path_that_stands_for_several_fields_is_an_error(tmp_path: Path) -> None:
    config = configured(tmp_path, '{field: "items[*].id"}')
    with pytest.raises(ConfigError, match=r"choreo.yaml:5: .*correlation.field: .*several fields"):
        build_harness(config, config.transports["bus"])
