"""The services of the run this process takes part in: started once, whatever becomes of it."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Mapping
from pathlib import Path

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd_project.config import Config
from choreo_bdd_steps.plan.settings import at_addresses
from choreo_bdd_steps.services.facts import NoServices, Running

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
    from choreo_bdd_steps.services.running import Services  # noqa: PLC0415 - most runs start none

    services = Services(environment)
    # atexit is not for processes that multiprocessing has made, its own way is
    if _is_worker():
        from multiprocessing.util import Finalize  # noqa: PLC0415 - as above

        Finalize(None, services.stop, exitpriority=10)
    else:
        atexit.register(services.stop)
    try:
        services.start(config.services, config, at_addresses)
    except ChoreoError as error:
        return error
    return services


def end_services(config: Config) -> None:
    """Stop them at the end of a run; in a worker that may have more runs to make, with its process."""
    if _is_worker():
        return
    found = _running.pop((config.source, config.profile), None)
    if found is not None and not isinstance(found, ChoreoError):
        found.stop()


def _is_worker() -> bool:
    """Whether multiprocessing has made this process, as runners do that give one feature after another to it."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None
