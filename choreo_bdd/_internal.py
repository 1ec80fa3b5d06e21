"""Compatible names of the original's semi-private seams; the code lives beside this file."""

from __future__ import annotations

from choreo_bdd.inbound.dispatcher import Dispatcher, SurpriseEntry
from choreo_bdd.loop import LoopPoster

__all__ = ["Dispatcher", "LoopPoster", "SurpriseEntry"]
