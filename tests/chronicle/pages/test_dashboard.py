"""The dashboard as its users see it: in a browser, over a server with runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types
from playwright.sync_api import Response, expect

from tests.chronicle.pages.conftest import API, CHANGED_AT, RUNS, Filled, Open, Shown, anomaly, page_of, send
from tests.chronicle.reports import handle, one_test, report, scenario
from tests.support.attacks import ATTACKS

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(180)]

SLASHED = "ship%2Feu%2B1%20%C3%BC"
NONE = "\N{EN DASH}"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def old(filled: Filled, **changes: Any) -> dict[str, Any]:
    before = (datetime.now(UTC) - timedelta(days=5)).isoformat()
    return anomaly(filled, **{"id": "a2", "topic": "orders.paid", "detected_at": before, **changes})


def detected(filled: Filled) -> dict[str, Any]:
    """What the server says once it has found changes, unreliable scenarios and causes."""
    flaky = {
        "name": "An order is paid", "test_nodeid": "features/orders.feature::An order is paid", "rate": 0.25,
        "transitions": 6, "condition": "flaky", "evidence": [{"commit": "abcdef0123456789"}],
    }  # fmt: skip
    cause = {
        "topic": "orders.paid", "outcome": "fail", "kind": "mismatch", "path": "items[*].price", "count": 7,
        "run_count": 3,
        "scenarios": [{"name": name} for name in ("An order is paid", "It is billed", "It is refunded")],
        "first_seen_at": "2026-11-20T10:00:00Z", "last_seen_at": "2026-11-27T10:00:00Z",
    }  # fmt: skip
    return {
        "/anomalies": page_of(
            anomaly(filled),
            anomaly(
                filled,
                id="a3",
                topic="*",
                metric="run_factor",
                baseline_value=1.0,
                current_value=1.4,
                severity="warning",
            ),
            old(filled, state="confirmed", owner="team-a"),
            old(filled, id="a4", topic="fast", change_pct=-22.4),
        ),
        "/anomalies/topics/*": page_of(anomaly(filled)),
        "/flaky": page_of(flaky),
        "/failures": page_of(cause),
    }


def query_of(shown: Shown) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(shown.page.url).query).items()}


def test_the_first_view_says_what_got_worse_since_yesterday_and_which_commit(filled: Filled, open_page: Open) -> None:
    shown = open_page(filled.url, answers=detected(filled))
    assert shown.heading == "2 things got worse since yesterday"
    first = shown.texts(".anomaly")[0]
    assert re.search(r"orders\.placed.*\+55 %.*20\.1 ms → 31\.2 ms.*13c0ffee\.\.14c0ffee.*on main", first, re.DOTALL)
    assert "All topics" in shown.texts(".anomaly")[1]
    assert "team-a" in shown.texts(".anomaly")[2]  # older, and still open
    assert len(shown.texts(".anomaly")) == 3  # what became better is no trouble


def test_what_failed_is_one_click_from_the_first_view(filled: Filled, open_page: Open) -> None:
    shown = open_page(filled.url)
    shown.page.get_by_label("Latest run").get_by_role("link", name="1", exact=True).click()
    shown.page.wait_for_selector("h1:has-text('1 of 3 tests failed')")
    assert [each.partition("\n")[0] for each in shown.texts("tbody th")] == ["It is shipped"]
    shown.page.go_back()
    shown.page.wait_for_selector("h1:has-text('since yesterday')")
    assert shown.complaints == []


def test_what_changed_on_another_branch_is_not_told_where_one_is_chosen(filled: Filled, open_page: Open) -> None:
    asked: list[str] = []
    shown = open_page(f"{filled.url}/?branch=main", answers={"/anomalies": page_of(anomaly(filled))})
    shown.page.on("request", lambda request: asked.append(request.url))
    for page in ("Anomalies", "Today"):
        shown.page.get_by_role("link", name=page, exact=True).click()
        shown.page.wait_for_selector(f"nav [aria-current=page]:has-text('{page}')")
        shown.settle()
    told = [parse_qs(urlsplit(each).query) for each in asked if urlsplit(each).path.endswith("/anomalies")]
    assert [each["branch"] for each in told] == [["main"], ["main"]]
    assert shown.complaints == []


def test_a_quiet_day_says_so_and_shows_the_latest_run(filled: Filled, open_page: Open) -> None:
    shown = open_page(filled.url, answers={"/anomalies": page_of()})
    assert shown.heading == "Nothing got worse since yesterday"
    assert "2 of 3 (66.7 %)" in shown.texts(".card")[0]


def test_a_first_run_that_failed_is_no_quiet_day(filled: Filled, open_page: Open) -> None:
    latest = {
        "id": filled.runs[-1], "started_at": datetime.now(UTC).isoformat(), "duration_ms": 1, "total_tests": 3,
        "total_passed": 1, "total_failed": 1, "total_errored": 1, "total_slow": 0, "pass_rate": 33.3,
        "branch": None, "git_sha": None,
    }  # fmt: skip
    shown = open_page(filled.url, answers={"/anomalies": page_of(), "/runs": page_of(latest)})
    assert shown.heading == "2 of 3 failed in the first run"


def test_a_missed_budget_is_told_as_a_share_and_not_as_a_change(filled: Filled, open_page: Open) -> None:
    missed = anomaly(
        filled, detection_method="budget", metric="budget_violation_pct", baseline_value=20.0, current_value=20.0,
        change_pct=0.0,
    )  # fmt: skip
    shown = open_page(filled.url, answers={"/anomalies": page_of(missed)})
    assert shown.heading == "One thing got worse since yesterday"
    said = "20 % of messages that have a budget missed it (limit 20 %)"
    assert " ".join(shown.texts(".anomaly .how")[0].split()) == said


def test_the_first_view_lists_the_runs_before_the_latest(filled: Filled, open_page: Open) -> None:
    shown = open_page(filled.url, answers={"/anomalies": page_of()})
    before = shown.page.get_by_role("region", name="The runs before the latest")
    before.get_by_role("link").first.click()
    shown.page.wait_for_url(f"**/runs/{filled.runs[-2]}*")


def test_the_first_changed_run_is_one_click_away(filled: Filled, open_page: Open) -> None:
    shown = open_page(filled.url, answers=detected(filled))
    shown.page.locator(".anomaly").first.get_by_role("link", name="first run with it").click()
    shown.page.wait_for_url(f"**/runs/{filled.runs[CHANGED_AT]}*")
    expect(shown.page.get_by_role("heading", name="All 3 tests passed")).to_be_focused()


def test_runs_lead_to_a_run_and_that_to_its_report(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/runs")
    assert len(shown.texts("tbody tr")) == RUNS
    shown.page.locator("tbody a").first.click()
    expect(shown.page.get_by_role("heading", level=1)).to_have_text("1 of 3 tests failed")
    assert "It is shipped" in shown.texts("tbody tr")[2]
    report_link = shown.page.get_by_role("link", name="Open the report")
    assert report_link.get_attribute("href") == f"{API}/runs/{filled.runs[-1]}/report"
    raw = shown.page.get_by_role("link", name="results.json").get_attribute("href")
    assert shown.page.request.get(f"{filled.url}{raw}").json()["run"]["project_name"] == "shop"


def test_scenarios_of_a_run_are_filtered_in_the_address(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/runs/{filled.runs[-1]}")
    shown.page.get_by_label("Outcome").select_option("broken")
    expect(shown.page.locator("tbody tr")).to_have_count(1)
    assert query_of(shown)["outcome"] == "broken"
    shown.page.get_by_label("Find").fill("no such scenario")
    shown.page.get_by_label("Find").press("Enter")
    expect(shown.page.locator(".nothing")).to_contain_text("The filters hide all of them")
    shown.page.go_back()
    expect(shown.page.locator("tbody tr")).to_have_count(1)


def test_a_table_is_sorted_in_the_address_and_by_its_numbers(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/topics")
    shown.page.get_by_role("button", name="p50").click()
    expect(shown.page.locator("th[aria-sort='descending']")).to_contain_text("p50")
    expect(shown.page.get_by_role("button", name="p50")).to_be_focused()
    falling = shown.texts("tbody th")
    shown.page.get_by_role("button", name="p50").click()
    expect(shown.page.locator("th[aria-sort='ascending']")).to_contain_text("p50")
    assert shown.texts("tbody th") == falling[::-1] == ["orders.placed", "orders.paid", "ship/eu+1 ü"]
    assert query_of(shown)["sort"] == "p50"
    shown.page.reload()
    shown.settle()
    assert shown.texts("tbody th") == ["orders.placed", "orders.paid", "ship/eu+1 ü"]


def test_a_topic_of_any_name_has_a_page_with_a_chart_and_its_figures(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/topics/{SLASHED}?tenant=alpha")
    assert shown.heading == "ship/eu+1 ü"
    expect(shown.page.locator(".chart canvas")).to_have_count(1)
    assert "The figures stand in the table below" in (shown.page.locator(".chart").get_attribute("aria-label") or "")
    shown.page.get_by_text("The same as a table").click()
    assert len(shown.texts("details tbody tr")) >= RUNS - 1
    assert shown.complaints == []


def test_the_chart_has_a_mark_where_the_level_changed(filled: Filled, open_page: Open) -> None:
    def red_points(answer: dict[str, Any]) -> int:
        address = f"{filled.url}/topics/orders.placed?tenant=alpha"
        shown = open_page(address, answers={"/anomalies/topics/*": answer})
        script = """canvas => {
            const points = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            const isRed = (red, at) => at % 4 === 0 && red > 150 && points[at + 1] < 60 && points[at + 2] < 60;
            return points.filter(isRed).length;
        }"""
        return int(shown.page.locator(".chart canvas").evaluate(script))

    assert red_points(page_of(anomaly(filled))) > red_points(page_of()) + 300


def test_a_budget_out_of_sight_is_told_of(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/topics/orders.placed?tenant=alpha")
    assert "The budget of 200 ms is far above the chart." in shown.texts("main")[0]


@pytest.mark.parametrize(
    ("changes", "figures", "outlook"),
    [
        ({}, ["99.60 %", "12.5 %", "40.0 %"], "last until 1 Dec"),
        (
            {"burned_pct": 120, "runs_out_at": "2020-11-05T10:00:00Z"},
            ["99.60 %", "12.5 %", "120.0 %"],
            "used up since 5",
        ),
        (
            {"burned_pct": 80, "runs_out_at": "2099-11-05T10:00:00Z"},
            ["99.60 %", "12.5 %", "80.0 %"],
            "run out on 5 Nov",
        ),
        ({"burned_pct": None, "headroom_pct": None}, ["99.60 %", NONE, NONE], "last until 1 Dec"),
    ],
)
def test_a_topic_tells_how_its_budget_is_kept_this_month(
    filled: Filled, open_page: Open, changes: dict[str, Any], figures: list[str], outlook: str
) -> None:
    kept = {
        "topic": "orders.placed", "start": "2026-11-01T00:00:00Z", "end": "2026-12-01T00:00:00Z", "target_pct": 99,
        "budgeted_count": 1000, "budget_violation_count": 4, "compliance_pct": 99.6, "headroom_pct": 12.5,
        "burned_pct": 40, "runs_out_at": None,
    }  # fmt: skip
    address = f"{filled.url}/topics/orders.placed?tenant=alpha"
    shown = open_page(address, answers={"/budgets": page_of(kept | changes)})
    assert [text for text in shown.texts("h2 + .figures dd") if not text.endswith("ms")][-3:] == figures
    assert f"the allowed misses {outlook}" in shown.texts("main")[0].replace("have been ", "")


def test_the_time_shown_is_in_the_address(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/topics/orders.placed?tenant=alpha")
    shown.page.get_by_role("button", name="24 hours").click()
    expect(shown.page.get_by_role("button", name="24 hours")).to_have_attribute("aria-pressed", "true")
    assert query_of(shown)["days"] == "1"


def test_two_runs_are_compared_by_what_became_of_each_scenario(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/compare")
    (row,) = shown.texts("tbody tr")
    assert "It is shipped" in row
    assert "new failure" in row
    shown.page.get_by_role("button", name="Swap").click()
    expect(shown.page.locator("tbody tr")).to_contain_text("fixed")
    assert query_of(shown)["before"] == filled.runs[-1]
    shown.page.get_by_label("Shown").select_option("all")
    expect(shown.page.locator("tbody tr")).to_have_count(3)


def test_flaky_scenarios_and_causes_are_listed(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/flaky", answers=detected(filled))
    assert re.search(r"An order is paid.*flaky.*25 %.*6.*abcdef0123", shown.texts("tbody tr")[0], re.DOTALL)
    shown = open_page(f"{filled.url}/failures", answers=detected(filled))
    assert re.search(
        r"orders\.paid.*wrong value at items\[\*\]\.price.*7.*3 scenarios", shown.texts("tbody tr")[0], re.DOTALL
    )


def test_an_empty_list_of_flaky_scenarios_says_why(filled: Filled, open_page: Open) -> None:
    reason = "No commit was run twice; flaky means passed and failed at one commit."
    shown = open_page(f"{filled.url}/flaky", answers={"/flaky": page_of(reason=reason)})
    assert reason in shown.texts(".nothing")[0]


def test_filters_stay_when_another_page_is_opened(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/runs")
    shown.page.get_by_label("Branch").fill("main")
    shown.page.get_by_label("Branch").press("Enter")
    expect(shown.page.locator("tbody tr")).to_have_count(RUNS)
    shown.page.get_by_role("link", name="Topics").click()
    expect(shown.page.get_by_role("heading", name="Topics")).to_be_visible()
    assert query_of(shown) == {"tenant": "alpha", "branch": "main"}
    shown.page.get_by_label("Branch").fill("no-such-branch")
    shown.page.get_by_label("Branch").press("Enter")
    expect(shown.page.locator(".nothing")).to_contain_text("No topic to show")


def test_a_server_without_reports_says_how_to_send_one(empty: str, open_page: Open) -> None:
    shown = open_page(empty)
    assert f"choreo-bdd chronicle push test-report/results.json --url {empty}" in shown.texts(".nothing")[0]
    assert shown.complaints == []


def test_a_refusal_is_told_in_the_servers_words_and_can_be_tried_again(filled: Filled, open_page: Open) -> None:
    busy = {"error": "http_error", "detail": "The database cannot be used now; send it again later."}
    shown = open_page(f"{filled.url}/runs", answers={"/runs": busy})
    assert busy["detail"] in shown.page.get_by_role("alert").inner_text()
    shown.page.unroute(f"**{API}/runs?*")
    shown.page.get_by_role("button", name="Try again").click()
    expect(shown.page.locator("tbody tr")).to_have_count(RUNS)


@pytest.mark.parametrize("path", ["/runs/no-such-run", "/runs/00000000-0000-0000-0000-000000000000", "/elsewhere"])
def test_what_is_not_there_is_said_to_be_missing(filled: Filled, open_page: Open, path: str) -> None:
    shown = open_page(filled.url + path)
    assert re.search("not found|no such page|did not work", shown.texts("main")[0], re.IGNORECASE)


def test_a_new_run_is_told_of_and_shown_on_demand(server: str, open_page: Open) -> None:
    send(server, report(), "live")
    shown = open_page(f"{server}/runs?tenant=live", is_live=True)
    send(server, report(), "live")
    shown.page.get_by_role("button", name="Show it").click()
    expect(shown.page.locator("tbody tr")).to_have_count(2)
    expect(shown.page.locator(".news")).to_be_empty()
    assert shown.complaints == []


def test_a_change_that_the_server_finds_is_on_the_first_view(server: str, open_page: Open) -> None:
    for number in range(16):
        mean = 10.0 if number < 10 else 16.0
        handles = [handle(latency=mean * (1 + 0.02 * ((number * 7 + each) % 5))) for each in range(20)]
        begun = datetime.now(UTC) - timedelta(hours=20 - number)
        send(server, report(handles, begun=begun, git_sha=f"{number:02}" + "a" * 38), "slower")
    shown = open_page(f"{server}/?tenant=slower")
    for _ in range(50):  # what changed is found behind the answers
        if "worse" in shown.heading and "Nothing" not in shown.heading:
            break
        shown.page.wait_for_timeout(200)
        shown.page.reload()
        shown.settle()
    assert shown.heading == "One thing got worse since the first run"
    assert re.search(r"orders\.placed.*09a{8}\.\.10a{8}", shown.texts(".anomaly")[0], re.DOTALL)


def test_the_report_of_a_run_opens(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/runs/{filled.runs[-1]}")
    shown.page.get_by_role("link", name="Open the report").click()
    shown.page.wait_for_url("**/report")
    expect(shown.page.locator("body")).to_contain_text("It is shipped")


def test_the_theme_is_chosen_and_kept(filled: Filled, open_page: Open) -> None:
    def ground() -> str:
        return str(shown.page.evaluate("getComputedStyle(document.body).backgroundColor"))

    shown = open_page(f"{filled.url}/topics", color_scheme="light")
    light = ground()
    shown.page.get_by_role("button", name="Theme: auto").click()
    shown.page.get_by_role("button", name="Theme: light").click()
    assert ground() != light
    shown.page.reload()
    shown.settle()
    assert ground() != light
    expect(shown.page.get_by_role("button", name="Theme: dark")).to_be_visible()


def test_everything_is_reached_with_the_keyboard(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/runs")
    keyboard = shown.page.keyboard
    shown.page.locator("tbody th a").first.focus()
    keyboard.press("ArrowDown")
    expect(shown.page.locator("tbody th a").nth(1)).to_be_focused()
    keyboard.press("Enter")
    expect(shown.page.get_by_role("heading", name="All 3 tests passed")).to_be_focused()
    keyboard.press("/")
    expect(shown.page.get_by_label("Find")).to_be_focused()
    shown.page.reload()
    shown.settle()
    keyboard.press("Tab")
    expect(shown.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    keyboard.press("Enter")
    expect(shown.page.locator("main")).to_be_focused()


PAGES = [
    "",
    "runs",
    "runs/{run}",
    "topics",
    "topics/orders.placed",
    "compare",
    "anomalies",
    "flaky",
    "failures",
    "none",
]


def test_no_page_asks_for_what_is_not_there(filled: Filled, open_page: Open) -> None:
    shown, refused = open_page(filled.url), list[str]()

    def hear(answer: Response) -> None:
        if answer.status >= 400:
            refused.append(f"{answer.status} {answer.url}")

    shown.page.on("response", hear)
    for path in PAGES:
        shown.page.goto(f"{filled.url}/{path.format(run=filled.runs[-1])}")
        shown.settle()
    shown.page.goto(f"{filled.url}{API}/runs/{filled.runs[-1]}/report")
    shown.page.wait_for_selector("h1")
    assert refused == []


@pytest.mark.parametrize("width", [1600, 600])
def test_no_page_has_an_axe_finding_or_needs_to_be_pushed_sideways(filled: Filled, open_page: Open, width: int) -> None:
    shown = open_page(filled.url, answers=detected(filled), width=width)
    found = []
    for path in PAGES:
        shown.page.goto(f"{filled.url}/{path.format(run=filled.runs[-1])}")
        shown.settle()
        shown.page.evaluate(Axe().axe_script)
        for scheme in SCHEMES:
            shown.page.emulate_media(color_scheme=scheme)
            rules = {"runOnly": RULES, "resultTypes": ["violations"]}
            violations = shown.page.evaluate("async rules => (await axe.run(document, rules)).violations", rules)
            found += [
                f"{path}, {scheme}: {item['id']} {node['target']}" for item in violations for node in item["nodes"]
            ]
            if shown.page.evaluate("document.documentElement.scrollWidth") > width:
                found.append(f"{path}, {scheme}: wider than {width}")
    assert found == []
    assert shown.complaints == []


def test_at_4k_the_room_is_used(filled: Filled, open_page: Open) -> None:
    shown = open_page(f"{filled.url}/runs", width=3840, height=2160)
    box = shown.page.locator("table").bounding_box()
    assert box is not None
    assert box["width"] > 2400


@pytest.fixture(scope="module")
def attacked(server: str) -> Filled:
    """A tenant in whose reports every text is an attack."""
    tests = [
        one_test([scenario([handle(attack[:200])], attack, outcome="fail")], f"{number}::{attack}")
        for number, attack in enumerate(ATTACKS)
    ]
    run = report(
        tests=tests, begun=datetime.now(UTC) - timedelta(hours=1), git_sha=ATTACKS[0], git_branch=ATTACKS[1],
        environment=ATTACKS[16][:64], project_name=ATTACKS[2], hostname=ATTACKS[3],
    )  # fmt: skip
    return Filled(server, [send(server, run, "attacked"), send(server, run, "attacked")])


@pytest.mark.parametrize(
    "path", ["", "runs", "runs/{run}", "topics", "topics/{topic}", "compare?what=all", "anomalies", "flaky", "failures"]
)
def test_texts_of_reports_are_shown_and_never_run(attacked: Filled, open_page: Open, path: str) -> None:
    runs = Filled(attacked.url, attacked.runs * RUNS)  # as many as an anomaly names
    texts = ("topic", "commit_to", "owner", "reason", "metric", "detection_method", "state", "severity", "run_id")
    bad = "".join(ATTACKS)
    scenario_ = {"name": bad, "test_nodeid": bad, "rate": 1, "transitions": 1, "condition": bad}
    cause = {
        "topic": bad,
        "outcome": bad,
        "kind": bad,
        "path": bad,
        "count": 1,
        "runs": 1,
        "scenarios": [{"name": bad}],
    }
    answers = {
        "/anomalies": page_of(*(anomaly(runs, **dict.fromkeys(texts, attack)) for attack in (*ATTACKS, "constructor"))),
        "/flaky": page_of(scenario_ | {"evidence": [{"commit": bad}]}),
        "/failures": page_of(cause | {"first_seen_at": None, "last_seen_at": None}),
    }
    topic = "%3Cimg%20src%3Dx%20onerror%3D'window.hit%20%3D%201'%3E"
    sign = "&" if "?" in path else "?"
    address = f"{attacked.url}/{path.format(run=attacked.runs[0], topic=topic)}{sign}tenant=attacked"
    shown = open_page(address, answers=answers)
    assert shown.page.evaluate("window.hit") is None
    assert (
        shown.page.locator(
            "main :is(script, img, iframe, object, embed, svg, style, form, base, meta, video, audio)"
        ).count()
        == 0
    )
    assert shown.page.locator("main [href^='javascript'], main [href*='attacker']:not([href^='/'])").count() == 0
    assert shown.complaints == []


def test_what_the_address_says_is_no_markup_either(filled: Filled, open_page: Open) -> None:
    shown = open_page(
        f"{filled.url}/topics/%3Cimg%20src=x%20onerror=window.hit=1%3E?tenant=alpha&branch=%22%3E%3Csvg%20onload=window.hit=1%3E&sort=%3Cb%3E"
    )
    assert shown.page.evaluate("window.hit") is None
    assert shown.heading == "<img src=x onerror=window.hit=1>"
