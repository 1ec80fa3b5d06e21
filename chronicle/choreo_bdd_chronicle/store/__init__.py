"""Keeping reports: one interface, and behind it SQLite or PostgreSQL."""

from __future__ import annotations

from choreo_bdd_chronicle.store.store import Store, StoreError, open_store

__all__ = ["Store", "StoreError", "open_store"]
