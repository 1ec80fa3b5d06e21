"""The dashboard: one shell, small modules, and a vendored chart; they know only what the API answers."""

from __future__ import annotations

from choreo_bdd_chronicle.pages.serving import Pages as Pages
