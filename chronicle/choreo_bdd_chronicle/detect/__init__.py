"""What changed between runs, as pure functions: no store, no clock, no server.

``detecting.detect`` takes a ``TopicSeries`` of every topic and transport, the last 60 runs or so, and answers with each
``Finding`` that these runs show, over or not. It can be asked after every run: the same runs give the same findings. It
compares runs of one environment and branch only. ``lifecycle.reconcile`` says what that means for the anomalies known
before. A server starts without ``detecting``: numpy takes longer to load than most of it.
"""

from __future__ import annotations

from choreo_bdd_chronicle.detect.records import EVERY_TOPIC as EVERY_TOPIC
from choreo_bdd_chronicle.detect.records import Finding as Finding
from choreo_bdd_chronicle.detect.records import Run as Run
from choreo_bdd_chronicle.detect.records import Subject as Subject
from choreo_bdd_chronicle.detect.records import TopicRun as TopicRun
from choreo_bdd_chronicle.detect.records import TopicSeries as TopicSeries
