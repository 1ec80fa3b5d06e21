"""An event loop whose time is virtual: when nothing is ready it jumps to the next timer instead of sleeping."""

from __future__ import annotations

from choreo_bdd_steps.replaying.virtual_loop import VirtualClockLoop

__all__ = ["VirtualClockLoop"]
