"""The HTML report: an offline page built from a results document and its Gherkin companion."""

from __future__ import annotations

from choreo_bdd_reporter.page.render import PageTooLargeError, render_page, write_folder_page, write_page

__all__ = ["PageTooLargeError", "render_page", "write_folder_page", "write_page"]
