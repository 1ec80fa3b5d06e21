"""The services of the run this process takes part in: started once, whatever becomes of it."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.config import Config
from choreo_bdd_steps.plan.settings import at_addresses
from choreo_bdd_steps.services.facts import NoServices, Running

_LOOK_S = 0.5
_Key = tuple[Path | None, str]
_running: dict[_Key, Running | ChoreoError] = {}


def services_of(config: Config, environment: Mapping[str, str]) -> Running:
    """What the configuration names, started with this environment beside their own when first asked for.

    Raises what starting raised, each time: nothing is tried again in silence.
    """
    if not config.services:
        return NoServices()
    key = (config.source, config.profile)
    found = _running.get(key)
    if found is None:
        found = _running[key] = _start(config, environment)
    if isinstance(found, ChoreoError):
        raise found
    return found


def _start(config: Config, environment: Mapping[str, str]) -> Running | ChoreoError:
    run = _run_of_workers()
    if run is not None and not _running:
        _end_with_parent()
    try:
        if run is not None and config.services_per == "run":
            return _shared(config, run)
        return _own(config, environment)
    except ChoreoError as error:
        return error


def _shared(config: Config, run: str) -> Running:
    from choreo_bdd_steps.services.shared import SharedServices  # noqa: PLC0415 - most runs share none

    services = SharedServices(config, run)
    _end_with_process(services)
    return services


def _own(config: Config, environment: Mapping[str, str]) -> Running:
    from choreo_bdd_steps.services.running import Services  # noqa: PLC0415 - most runs start none

    services = Services(environment)
    _end_with_process(services)
    services.start(config.services, config, at_addresses)
    return services


def _end_with_process(services: Running) -> None:
    # atexit is not for processes that multiprocessing has made, its own way is
    if _is_of_a_pool():
        from multiprocessing.util import Finalize  # noqa: PLC0415 - most runs need none

        Finalize(None, services.stop, exitpriority=10)
    else:
        atexit.register(services.stop)


def _end_with_parent() -> None:
    """A worker whose run has been killed goes on, or waits for work for ever; neither it nor its services should."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)  # no system tells a process that its parent has ended in a way that all have
        for services in tuple(_running.values()):
            if not isinstance(services, ChoreoError):
                services.stop()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="choreo-parent", daemon=True).start()


def end_services(config: Config) -> None:
    """Stop them at the end of a run; in a worker that may have more runs to make, with its process."""
    if _is_of_a_pool():
        return
    found = _running.pop((config.source, config.profile), None)
    if found is not None and not isinstance(found, ChoreoError):
        found.stop()


def _run_of_workers() -> str | None:
    """A name of the run that this process takes part in as one of several; ``None`` where it makes it by itself."""
    if _is_of_a_pool():
        return f"pool of {os.getppid()}"
    return os.environ.get("PYTEST_XDIST_TESTRUNUID") if "PYTEST_XDIST_WORKER" in os.environ else None


def _is_of_a_pool() -> bool:
    """Whether multiprocessing has made this process, as runners do that give one feature after another to it."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None
