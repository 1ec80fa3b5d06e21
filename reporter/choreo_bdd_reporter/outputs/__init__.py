"""A report in other shapes, one file a format."""

from choreo_bdd_reporter.outputs.chrome_trace import as_chrome_trace
from choreo_bdd_reporter.outputs.ctrf import as_ctrf
from choreo_bdd_reporter.outputs.otlp import as_otlp

__all__ = ["as_chrome_trace", "as_ctrf", "as_otlp"]
