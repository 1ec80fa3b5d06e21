"""``python3 dev.py bench``: what is over its bar is told, nothing takes for ever, and the last release is beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.rows import Row, shown

SLOW = Row("loading it", 210, "ms CPU", 200, "bare Python: 20 ms")
QUICK = Row("loading it", 190, "ms CPU", 200, "bare Python: 20 ms")


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty table of the last release."""
    path = tmp_path / "last_release.json"
    monkeypatch.setattr(bench, "LAST_RELEASE", path)
    return path


def test_a_row_says_its_reference_its_bar_and_what_the_last_release_took() -> None:
    line = shown(SLOW, {SLOW.name: QUICK})
    assert " ".join(line.split()).startswith("loading it 210 ms CPU bare Python: 20 ms OVER 200 ms CPU")
    assert line.endswith("190 ms CPU")
    assert "OVER" not in shown(QUICK, {})


@pytest.mark.parametrize(("measured", "code"), [([QUICK], 0), ([QUICK, SLOW], 1), ([], 1)], ids=["met", "over", "none"])
def test_the_exit_code_says_whether_every_bar_was_met(
    measured: list[Row],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    release: Path,
) -> None:
    monkeypatch.setattr(bench, "measure", lambda *_: iter(measured))
    assert bench.main(["imports"]) == code
    assert not release.exists()


def test_what_is_saved_stands_beside_the_next_run_and_leaves_other_rows_alone(
    monkeypatch: pytest.MonkeyPatch, release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.save([Row("another", 1.5, bar=2)], release)
    monkeypatch.setattr(bench, "measure", lambda *_: iter([QUICK]))
    bench.main(["imports", "--save"])
    capsys.readouterr()
    monkeypatch.setattr(bench, "measure", lambda *_: iter([SLOW, Row("another", 1.4, bar=2)]))
    bench.main(["imports"])
    told = capsys.readouterr().out.splitlines()
    assert told[1].endswith("190 ms CPU")
    assert told[2].endswith("1.50x")


def test_a_group_that_takes_longer_than_its_time_is_ended_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(bench.measure("brokers", 0.2)) == []
    assert "brokers was ended after 0.2 s" in capsys.readouterr().err


def test_the_table_of_the_last_release_is_read_and_says_on_what_machine_it_was_measured() -> None:
    document = json.loads(bench.LAST_RELEASE.read_text("utf-8"))
    rows = [Row(**each) for each in document["rows"]]
    assert {"release", "python", "machine", "load"} <= document.keys()
    for start in ("scenario on", "publish → verdict on nats", "500 scenarios", "report of", "loading"):
        assert [row for row in rows if row.name.startswith(start)], start
