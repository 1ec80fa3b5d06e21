"""behave: starts the services of the features for the run."""

from __future__ import annotations

import sys
from pathlib import Path

from behave.runner import Context

sys.path.insert(0, str(Path(__file__).parents[3]))

from bench.truth.wire import start_services
from choreo_bdd_steps.adapters.behave import start_choreo


def before_all(context: Context) -> None:
    start_services(start_choreo(context))
