"""What findings mean for the anomalies that are known: each is opened once, brought up to date, and resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from choreo_bdd_chronicle.detect.records import Finding, Method, Metric, Run, Subject

Key = tuple[Subject, Method, Metric, bool]

_SAME_CHANGE = 5
"""More runs may place a change so many runs from where it was placed first."""
_SURE_AGAIN = 8
"""With fewer runs before it in the window, a change can no longer be found, though it is still there."""


@dataclass(frozen=True, slots=True)
class Known:
    """An anomaly as it is stored: the last finding about it, and who closed it, if it is closed."""

    anomaly_id: str
    finding: Finding
    is_resolved: bool = False
    is_closed_by_hand: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it may still come to an end by itself."""
        return not self.is_resolved and not self.is_closed_by_hand


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be stored: ``anomaly_id`` is ``None`` for an anomaly to be opened.

    ``at`` is the run that brought it: the one that an anomaly was seen in, or the one in which it was over. An anomaly
    that is ``opened`` with a finding that has ended is resolved already, and kept for the history.
    """

    kind: Literal["opened", "updated", "resolved", "reopened"]
    anomaly_id: str | None
    finding: Finding
    at: Run


def reconcile(known: Sequence[Known], findings: Sequence[Finding], runs: Sequence[Run]) -> list[Change]:
    """The changes to make so that the anomalies say what ``findings`` do.

    ``runs`` are all runs that ``detect`` was told of, in their order. Of ``known``, all open anomalies and the resolved
    ones of these runs must be there. What somebody closed by hand stays closed; muting is no concern of this.
    """
    places = {run.run_id: place for place, run in enumerate(runs)}
    latest = {(run.environment, run.branch): run for run in runs}
    left = dict(enumerate(known))
    changes: list[Change] = []
    for finding in findings:
        match = _match(left, finding, places)
        at = latest[finding.subject.environment, finding.subject.branch]
        change = _change(finding, left.pop(match) if match is not None else None, at)
        if change is not None:
            changes.append(change)
    changes += _ended([one for one in left.values() if not one.is_resolved], findings, places, latest)
    return changes


def recall(
    known: Sequence[Known], findings: Sequence[Finding], runs: Sequence[Run], judged: Sequence[Run]
) -> list[Change]:
    """The changes to make when ``findings`` are about ``runs`` of the past, and later ones were looked at before.

    Only changes of a level count that began or ended in the ``judged`` runs: what else there was is over by now, and
    runs at the edge are better judged amid others. ``known`` are those that ``reconcile`` is given, and all later ones.
    """
    places = {run.run_id: place for place, run in enumerate(runs)}
    left = dict(enumerate(known))
    shifts = [one for one in findings if one.method == "change_point" and (one.first in judged or one.ended in judged)]
    changes: list[Change] = []
    for finding in shifts:
        match = _match(left, finding, places)
        if match is None:
            ended = finding.ended or _undone(finding, (each.finding for each in known))
            changes.append(Change("opened", None, replace(finding, ended=ended), runs[-1]))
        elif (one := left.pop(match)).is_open and finding.ended is not None:
            changes.append(Change("resolved", one.anomaly_id, finding, finding.ended))
    lasting = (one for one in left.values() if one.is_open and one.finding.method == "change_point")
    changes += [
        Change("resolved", one.anomaly_id, one.finding, ended)
        for one in lasting
        if (ended := _undone(one.finding, shifts)) is not None
    ]
    return changes


def _undone(was: Finding, findings: Iterable[Finding]) -> Run | None:
    """The first run of the first of these changes that undid one."""
    later = (one.first for one in findings if _leads_back(one, was))
    return min(later, key=lambda run: run.started_at, default=None)


def _change(finding: Finding, known: Known | None, at: Run) -> Change | None:
    if known is None:
        return Change("opened", None, finding, at)
    if known.is_closed_by_hand:
        return None
    if finding.ended is not None:
        return None if known.is_resolved else Change("resolved", known.anomaly_id, finding, finding.ended)
    if known.is_resolved:
        return Change("reopened", known.anomaly_id, finding, at)
    return None if known.finding == finding else Change("updated", known.anomaly_id, finding, at)


def _match(known: Mapping[int, Known], finding: Finding, places: Mapping[str, int]) -> int | None:
    """The anomaly that the finding is about: of one kind and near; the open one first, then the nearest."""
    near = [
        (one.is_resolved, distance, index)
        for index, one in known.items()
        if _key(one.finding) == _key(finding) and (distance := _distance(one, finding, places)) is not None
    ]
    return min(near)[2] if near else None


def _distance(known: Known, finding: Finding, places: Mapping[str, int]) -> int | None:
    """How many runs lie between both, or ``None`` when they are not about the same change."""
    place = places.get(known.finding.first.run_id)
    if place is None:
        return None
    distance = abs(place - places[finding.first.run_id])
    if finding.method == "change_point" or known.is_resolved:
        return distance if distance <= _SAME_CHANGE else None
    return distance


def _ended(
    unfound: Sequence[Known],
    findings: Sequence[Finding],
    places: Mapping[str, int],
    latest: Mapping[tuple[str | None, str | None], Run],
) -> Iterator[Change]:
    for known in unfound:
        was = known.finding
        place = places.get(was.first.run_id)
        at = latest.get((was.subject.environment, was.subject.branch))
        if was.method != "change_point" or (place is not None and place >= _SURE_AGAIN):
            if at is not None:
                yield Change("resolved", known.anomaly_id, was, at)
        elif back := _undone(was, findings):
            yield Change("resolved", known.anomaly_id, was, back)


def _leads_back(finding: Finding, was: Finding) -> bool:
    """Whether a later change undid one that the window no longer shows."""
    same = _key(finding)[:-1] == _key(was)[:-1] and finding.is_better != was.is_better
    is_later = finding.first.started_at > was.first.started_at
    return same and is_later and abs(finding.current - was.baseline) < abs(finding.current - was.current)


def _key(finding: Finding) -> Key:
    return finding.subject, finding.method, finding.metric, finding.is_better
