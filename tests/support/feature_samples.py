"""What several of these tests run."""

from __future__ import annotations

ORDERS = """
@shop
Feature: Orders
  All about orders.

  Background:
    Given a shop

  @fast
  Scenario: good
    When I buy
      | field    | value    |
      | password | hunter22 |
    Then it is sent
      \"\"\"
      {"token": "abc123"}
      \"\"\"

  Scenario: bad
    Then it fails
    And it is sent
"""
"""A feature to which each test adds scenarios of its own."""

RERUN = """
import pytest
from _pytest.runner import runtestprotocol

# as plugins for repetition do it: all reports of an attempt are held back until it is known whether it counts
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    for attempt in range(3):
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            if attempt < 2 and report.failed:
                report.outcome = "rerun"
                item.ihook.pytest_runtest_logreport(report=report)
                item._initrequest()
                break
            item.ihook.pytest_runtest_logreport(report=report)
        else:
            return True
    return True

def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", "RERUN"
"""
"""A plugin for repetition."""
