"""What every room's tests may use."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from choreo_bdd.redaction import forget_declared_secrets
from tests.support.brokers import kafka_broker, mark_broker_tests, nats_broker, rabbitmq_broker, redis_broker
from tests.support.browsers import browser, chromium, running_chromium
from tests.support.order import put_long_files_first
from tests.support.outcomes import check_reports_below
from tests.support.processes import mark_process_tests
from tests.support.shares import add_share_option, is_of_another_share
from tests.support.started import end_servers

__all__ = ["browser", "chromium", "kafka_broker", "nats_broker", "rabbitmq_broker", "redis_broker", "running_chromium"]

# containers often forbid bytecode; then each of hundreds of processes compiles what it imports, at up to twice the CPU
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

gc.disable()  # until all is collected: some hundred thousand objects, of which none is garbage

settings.register_profile("any-machine", deadline=None)  # a slow machine is no finding
settings.register_profile("quick", deadline=None, max_examples=15)
settings.load_profile("any-machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Before anything is collected."""
    add_share_option(parser)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What another process runs; None leaves the decision to others."""
    return is_of_another_share(collection_path, config) or None


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is collected stays: looking through all of it for garbage would cost an eighth of the quick tests."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """After the last test, also of a worker."""
    end_servers()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a broker, or run a project of their own, and put those first that have many."""
    mark_broker_tests(items)
    mark_process_tests(items)
    put_long_files_first(items)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """A test's secrets are none of the next's, and each output of its reports tells the outcomes of the results.

    No fixtures, as two more for each of ten thousand tests take a tenth of the time of the quick ones.
    """
    forget_declared_secrets()
    used = getattr(item, "funcargs", {})
    folder = used["pytester"].path if "pytester" in used else used.get("tmp_path")
    if folder is not None:
        check_reports_below(folder)


@pytest.fixture(scope="session", autouse=True)
def _shared_outcomes_agree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The outputs agree in reports that several tests share, too; folders of one test begin with its name."""
    yield
    for folder in tmp_path_factory.getbasetemp().iterdir():
        if folder.is_dir() and not folder.name.startswith(("test_", "hostile")):  # hostile: damaged on purpose
            check_reports_below(folder)
