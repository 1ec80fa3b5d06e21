"""The HTML report: one offline page built from a results document and its Gherkin companion."""

from __future__ import annotations

from choreo_bdd_reporter.page.render import render_page, write_page

__all__ = ["render_page", "write_page"]
