"""What Prometheus reads."""

from __future__ import annotations

import json
import re

from choreo_bdd_chronicle.commands import commands
from choreo_bdd_chronicle.settings import Settings
from tests.chronicle.conftest import Chronicle, started
from tests.chronicle.reports import report
from tests.chronicle.test_access import bearer, send, token
from tests.chronicle.test_lifecycle import MUTED, say, spoken  # noqa: F401 - a fixture
from tests.support.command_line import CliRunner

_LINE = re.compile(r'(\w+)\{tenant="([a-z0-9-]+)"(?:,le="([^"]+)")?\} (\S+)')


def scraped(chronicle: Chronicle, **headers: str) -> dict[tuple[str, ...], float]:
    """Each sample by its name, tenant and bucket; every line must be one, or a comment."""
    answer = chronicle.http.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    found: dict[tuple[str, ...], float] = {}
    for line in answer.text.splitlines():
        if not line.startswith(("# HELP ", "# TYPE ")):
            sample = _LINE.fullmatch(line)
            assert sample is not None, line
            found[tuple(part for part in sample.groups()[:3] if part)] = float(sample[4])
    return found


def test_runs_and_ingest_times_are_counted_by_tenant(chronicle: Chronicle) -> None:
    assert scraped(chronicle) == {}
    chronicle.keep(report(), "alpha", Idempotency_Key="one")
    chronicle.keep(report(), "alpha", Idempotency_Key="one")
    chronicle.keep(report(), "alpha")
    chronicle.keep(report(), "beta")
    assert chronicle.post({}, "beta").status_code == 422
    found = scraped(chronicle)
    assert (found["chronicle_runs", "alpha"], found["chronicle_runs", "beta"]) == (2, 1)
    for tenant, count in (("alpha", 2), ("beta", 1)):
        assert found["chronicle_ingest_seconds_count", tenant] == count
        assert found["chronicle_ingest_seconds_sum", tenant] > 0
        buckets = [value for key, value in found.items() if key[:2] == ("chronicle_ingest_seconds_bucket", tenant)]
        assert buckets == sorted(buckets)
        assert found["chronicle_ingest_seconds_bucket", tenant, "+Inf"] == count


def test_the_grafana_dashboard_asks_for_what_is_there(chronicle: Chronicle) -> None:
    chronicle.keep(report())
    done = CliRunner().invoke(commands, ["chronicle", "grafana"])
    asked = [target["expr"] for panel in json.loads(done.stdout)["panels"] for target in panel["targets"]]
    names = {name for each in asked for name in re.findall(r"chronicle_\w+", each)}
    assert len(asked) >= 7
    assert names <= {key[0] for key in scraped(chronicle)}


def test_the_description_of_the_api_says_what_it_answers(chronicle: Chronicle) -> None:
    (kind,) = chronicle.get("/openapi.json")["paths"]["/metrics"]["get"]["responses"]["200"]["content"]
    assert chronicle.http.get("/metrics").headers["content-type"].startswith(kind)


def test_a_muted_anomaly_counts_as_a_false_alarm_until_its_mute_ends(spoken: Chronicle) -> None:  # noqa: F811
    def counts() -> tuple[float, float]:
        found = scraped(spoken)
        return found["chronicle_anomalies_open", "alpha"], found["chronicle_anomalies_muted_as_wrong", "alpha"]

    assert counts() == (1, 0)
    assert say(spoken, "anomalies", "anomaly-1", MUTED) == 204
    assert counts() == (0, 1)
    assert say(spoken, "anomalies", "anomaly-1", MUTED | {"until": "2020-01-01T00:00:00Z"}) == 204
    assert counts() == (1, 0)
    assert say(spoken, "anomalies", "anomaly-1", {"state": "resolved"}) == 204
    assert counts() == (0, 0)


def test_off_loopback_a_read_token_is_needed_and_shows_its_own_tenant(database: str) -> None:
    with started(Settings(database=database, needs_token=True)) as chronicle:
        admin, write = token(database, "admin"), token(database, "write")
        for tenant in ("alpha", "beta"):
            assert send(chronicle, admin, tenant).status_code == 201
        assert chronicle.http.get("/metrics").status_code == 401
        assert chronicle.http.get("/metrics", headers=bearer(write)).status_code == 403
        assert {key[1] for key in scraped(chronicle, **bearer(token(database, "read")))} == {"alpha", "beta"}
        assert {key[1] for key in scraped(chronicle, **bearer(token(database, "read", "beta")))} == {"beta"}
