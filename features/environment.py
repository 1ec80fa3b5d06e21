"""behave: starts the services of the features for the run."""

from __future__ import annotations

import sys
from pathlib import Path

from behave.runner import Context

from choreo_bdd_steps.adapters.behave import start_choreo

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from orders.running import start_orders
from orders.stock import start_stock


def before_all(context: Context) -> None:
    session = start_choreo(context)
    start_orders(session)
    start_stock(session)
