"""A report in the formats of other tools: traces for those that draw traces, CTRF for those that collect tests."""

from choreo_bdd_reporter.exporting.chrome_trace import as_chrome_trace
from choreo_bdd_reporter.exporting.ctrf import as_ctrf
from choreo_bdd_reporter.exporting.otlp import as_otlp

__all__ = ["as_chrome_trace", "as_ctrf", "as_otlp"]
