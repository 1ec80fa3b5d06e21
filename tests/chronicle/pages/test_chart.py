"""The chart of a topic that is only just beginning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.chronicle.pages.conftest import Open, send
from tests.chronicle.reports import handle, report

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(180)]

MIDDLE = """canvas => {
    const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const places = [];
    for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue] = data.slice(at, at + 3);
        const isColoured = data[at + 3] > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 90;
        if (isColoured) places.push((at / 4) % width);
    }
    return places.length ? places.reduce((sum, each) => sum + each, 0) / places.length / width : -1;
}"""
"""How far to the right, from 0 to 1, all that is coloured stands: the point alone, where no line is."""


def test_a_single_run_stands_in_the_middle_of_its_own_days(server: str, open_page: Open) -> None:
    send(server, report([handle("alone", 20.0)], begun=datetime.now(UTC) - timedelta(hours=5)), "single")
    shown = open_page(f"{server}/topics/alone?tenant=single")
    assert shown.page.locator(".chart canvas").evaluate(MIDDLE) == pytest.approx(0.5, abs=0.1)
    assert shown.complaints == []
