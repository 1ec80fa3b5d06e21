"""A normal run logs no chatter of clients and no jargon of the engine."""

from __future__ import annotations

import asyncio
import logging

import pytest

from choreo_bdd import Harness
from choreo_bdd.transports import MockTransport
from choreo_bdd_project.config import memory_config
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
