"""A normal run logs no chatter of clients and no jargon of the engine."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import NoReturn

import pytest

from choreo_bdd import Harness
from choreo_bdd.transports import MockTransport
from choreo_bdd_project.config import load_config, memory_config
from choreo_bdd_schemas import config_schema
from choreo_bdd_steps.run import session
from choreo_bdd_steps.services.errors import ServiceFailed
from choreo_bdd_steps.starting import doctor
from tests.steps.conftest import MakeBench


class CarrierPigeon(MockTransport):
    """A transport by another name, whose harness has no policy."""


def test_clients_log_from_warnings_on_while_a_session_is_open(make_bench: MakeBench) -> None:
    bench = make_bench()
    client = logging.getLogger("aiokafka.consumer.group_coordinator")
    assert not client.isEnabledFor(logging.INFO)
    assert client.isEnabledFor(logging.WARNING)
    bench.session.close()
    assert logging.getLogger("aiokafka").level == logging.NOTSET


def test_nor_do_they_while_services_are_awaited_and_what_was_there_is_put_back_where_these_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bool] = []

    def start(*_: object) -> NoReturn:
        heard.append(logging.getLogger("aiokafka.consumer").isEnabledFor(logging.INFO))
        raise ServiceFailed("services.a", "ended")

    monkeypatch.setattr(session, "services_of", start)
    path = tmp_path / "choreo.yaml"
    path.write_text("services: {a: {command: x}}\nprofiles: {p: {bus: {type: memory}}}\n", "utf-8")
    with pytest.raises(ServiceFailed):
        session.Session(load_config(path, schema=config_schema()))
    assert heard == [False]
    assert logging.getLogger("aiokafka").level == logging.NOTSET


def test_a_level_that_somebody_has_chosen_stays(make_bench: MakeBench) -> None:
    logger = logging.getLogger("aiokafka")
    logger.setLevel(logging.DEBUG)
    try:
        bench = make_bench()
        assert logger.level == logging.DEBUG
        bench.session.close()
        assert logger.level == logging.DEBUG
    finally:
        logger.setLevel(logging.NOTSET)


def test_that_no_correlation_is_configured_is_said_in_plain_words(
    make_bench: MakeBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench = make_bench(correlation=None, transport=CarrierPigeon())
    bench.play('When I publish "a"', 'Then I expect "a"').passed()
    (record,) = [each for each in caplog.records if each.name == "choreo_bdd.harness"]
    assert record.getMessage().startswith("CarrierPigeon: choreo.yaml names no `correlation:`")
    assert "correlator_noop" not in caplog.text


def test_doctor_notes_it_and_logs_nothing(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(doctor, "build_harness", lambda *_: Harness(CarrierPigeon()))
    (finding,) = asyncio.run(doctor.examine(memory_config(), patience_s=5))
    assert finding.is_well
    assert not caplog.records
