"""behave: starts the order pipeline for the run."""

from __future__ import annotations

import sys
from pathlib import Path

from behave.runner import Context

from choreo_bdd_steps.adapters.behave import start_choreo

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from orders.running import start_orders


def before_all(context: Context) -> None:
    start_orders(start_choreo(context))
