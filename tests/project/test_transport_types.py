"""Types of transports that other packages bring, in choreo.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from choreo_bdd.transports import MockTransport
from choreo_bdd_project.config import Config, ConfigError, TransportConfig, load_config
from choreo_bdd_project.harnesses import build_harness
from choreo_bdd_schemas import config_schema
from tests.support.installed import install

MODULE = """
from choreo_bdd.transports import MockTransport

class Pigeon(MockTransport):
    def __init__(self, config, entry):
        super().__init__()
        self.made_from = (config.profile, entry.name, dict(entry.options))
"""


@pytest.fixture
def pigeons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that brings the type ``pigeon``, and one whose program is missing."""
    (tmp_path / "pigeon_post.py").write_text(MODULE, "utf-8")
    entries = {"pigeon": "pigeon_post:Pigeon", "broken": "pigeon_post:Raven", "memory": "pigeon_post:Pigeon"}
    install(tmp_path, "pigeon-post", "choreo_bdd.transports", entries)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def written(folder: Path, entry: str) -> Config:
    path = folder / "choreo.yaml"
    path.write_text(f"profiles:\n  p:\n    bus: {{{entry}}}\n", "utf-8")
    return load_config(path, schema=config_schema())


def only(config: Config) -> TransportConfig:
    (transport,) = config.transports.values()
    return transport


def test_the_maker_gets_the_configuration_and_its_entry(pigeons: Path) -> None:
    config = written(pigeons, "type: pigeon, loft: north, correlation: {header: x-id}")
    harness = build_harness(config, only(config))
    assert vars(harness.transport)["made_from"] == ("p", "bus", {"loft": "north"})
    assert only(config).correlation_header == "x-id"


def test_a_type_that_nobody_brings_is_refused_with_all_there_are(pigeons: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        written(pigeons, "type: pidgin")
    assert "choreo.yaml:3: profiles.p.bus.type" in str(refused.value)
    for known in ("memory", "kafka", "nats", "rabbitmq", "redis", "pigeon", "broken"):
        assert repr(known) in str(refused.value)


def test_what_every_transport_has_is_checked_for_another_package_too(pigeons: Path) -> None:
    with pytest.raises(ConfigError, match=r"choreo.yaml:3: profiles.p.bus.correlation.feild: .*did you mean field"):
        written(pigeons, "type: pigeon, correlation: {feild: id}")


def test_a_type_that_cannot_be_loaded_says_where_it_should_be(pigeons: Path) -> None:
    config = written(pigeons, "type: broken")
    with pytest.raises(ConfigError, match=r"choreo.yaml:3: .*'broken' is pigeon_post:Raven, which cannot be loaded"):
        build_harness(config, only(config))


def test_another_package_does_not_replace_a_type_of_our_own(pigeons: Path) -> None:
    config = written(pigeons, "type: memory")
    assert type(build_harness(config, only(config)).transport) is MockTransport


def test_a_type_in_a_configuration_made_in_python_is_refused_with_all_there_are(pigeons: Path) -> None:
    config = written(pigeons, "type: memory")
    with pytest.raises(ConfigError, match=r"here: there is no transport type 'crow'; there are broken, .*pigeon"):
        build_harness(config, TransportConfig("bus", "crow", "here"))
