"""From bytes to checked records: a report is understood whole here, or refused with the place that is wrong."""

from __future__ import annotations

from choreo_bdd_chronicle.check.checking import check_report
from choreo_bdd_chronicle.check.records import Fault, RefusedReportError, Report, Run, Scenario, TopicTally

__all__ = ["Fault", "RefusedReportError", "Report", "Run", "Scenario", "TopicTally", "check_report"]
