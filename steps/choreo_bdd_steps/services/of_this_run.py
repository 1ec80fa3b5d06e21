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
    is_worker = _is_of_a_pool() or _is_of_xdist()
    if is_worker and not _running:
        _end_with_parent()
    try:
        if is_worker and config.services_per == "run":
            return _shared(config)
        return _own(config, environment)
    except ChoreoError as error:
        return error


def _shared(config: Config) -> Running:
    from choreo_bdd_steps.services.shared import SharedServices  # noqa: PLC0415 - most runs share none

    parent = os.getppid()
    # a pool's workers leave when nothing is left to do; one of xdist's may have done its part before another has begun
    services = SharedServices(config, _run_of(parent), parent if _is_of_xdist() else None)
    _end_with_process(services)
    return services


def _own(config: Config, environment: Mapping[str, str]) -> Running:
    from choreo_bdd_steps.services.running import Services, receiver_of_spans  # noqa: PLC0415 - most runs start none

    if config.traces and _is_of_a_pool():  # they outlive the run that has started them, and what listens for that one
        receiver = receiver_of_spans()
        services = Services(receiver.environment, spans=receiver.spans)
    else:
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


def end_shared_services() -> None:
    """Stop what the workers of this process have shared, now that they have ended; never raises."""
    if sys.platform == "win32":
        return
    from choreo_bdd_steps.services.meeting import meeting_folders  # noqa: PLC0415 - most runs have no workers

    for folder in meeting_folders(_run_of(os.getpid())):
        from choreo_bdd_steps.services.shared import end_shared  # noqa: PLC0415 - most runs share none

        end_shared(folder)


def _run_of(controller: int) -> str:
    """A name of the run whose workers this process has made."""
    return f"workers of {controller}"


def _is_of_xdist() -> bool:
    return "PYTEST_XDIST_WORKER" in os.environ and not _is_of_a_pool()


def _is_of_a_pool() -> bool:
    """Whether multiprocessing has made this process, as runners do that give one feature after another to it."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None
