"""Services of choreo.yaml: what starts them, what their getting ready is seen by, and what is told when they do not."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from choreo_bdd.brokers import processes
from choreo_bdd.brokers.ports import free_port
from choreo_bdd_project.config_file import ConfigError
from choreo_bdd_steps.plan.settings import at_addresses, configuration
from choreo_bdd_steps.services.errors import ServiceFailed
from choreo_bdd_steps.services.output import KEPT_LINES, LINE_CHARACTERS
from choreo_bdd_steps.services.running import Services
from tests.support.running_processes import alive

Start = Callable[[str], Services]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts what a text says under ``services:``; stopped in the end."""
    made: list[Services] = []

    def start(text: str) -> Services:
        (tmp_path / "choreo.yaml").write_text("services:\n" + textwrap.indent(textwrap.dedent(text), "  "))
        config = configuration(tmp_path)
        services = Services()
        made.append(services)
        services.start(config.services, config, at_addresses)
        return services

    yield start
    for each in made:
        each.stop()


def script(folder: Path, text: str, name: str = "service.py") -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


def texts(services: Services) -> list[str]:
    return [line.text for line in services.lines(0)]


def wait_for(services: Services, text: str) -> str:
    """The first line with this text in it."""
    assert processes.wait_until(lambda: any(text in line for line in texts(services)), 20), texts(services)
    return next(line for line in texts(services) if text in line)


def test_it_is_ready_once_its_line_is_there(start: Start, tmp_path: Path) -> None:
    script(tmp_path, "import time; print('warming up'); print('listening on 1'); time.sleep(60)")
    services = start("a: {command: python service.py, ready: {log: listening}}")
    assert texts(services)[:2] == ["warming up", "listening on 1"]
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3} a \| warming up", str(services.lines(0)[0]))


def test_colours_of_a_log_are_no_part_of_what_is_looked_for_or_shown(start: Start, tmp_path: Path) -> None:
    script(tmp_path, r"import time; print('\x1b[32mINFO\x1b[0m app \x1b[1;38:5:208mstarted\x1b[m'); time.sleep(60)")
    services = start("a: {command: python service.py, ready: {log: INFO app started}}")
    assert texts(services) == ["INFO app started"]


@pytest.mark.parametrize("kind", ["port", "http"])
def test_it_is_ready_once_it_answers_at_its_free_port(start: Start, kind: str) -> None:
    sought = {"port": '"${services.a.port}"', "http": '"${services.a.url}/"'}[kind]
    services = start(
        f'a: {{command: "python -m http.server ${{services.a.port}} --bind 127.0.0.1", ready: {{{kind}: {sought}}}}}'
    )
    with socket.create_connection(("127.0.0.1", services.addresses["a"].port), 2):
        pass


def test_it_has_the_environment_of_the_run_and_its_own(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_RUN", "run")
    monkeypatch.setenv("REGION", "north")
    (tmp_path / "sub").mkdir()
    script(
        tmp_path / "sub",
        """
        import os, sys, time
        print("told", os.environ["OF_THE_RUN"], os.environ["ITS_OWN"], os.environ["FLAG"], sys.argv[1:], flush=True)
        time.sleep(60)
        """,
    )
    services = start(
        """
        a:
          command: python service.py 'two words' $HOME "${REGION}; ls"
          cwd: sub
          env: {ITS_OWN: "in the ${REGION}", FLAG: true}
          ready: {log: told}
        """
    )
    assert texts(services)[0] == "told run in the north true ['two words', '$HOME', 'north; ls']"


def test_a_later_one_is_told_where_an_earlier_one_is(start: Start, tmp_path: Path) -> None:
    script(tmp_path, "import sys, time; print('the other is at', sys.argv[1]); time.sleep(60)")
    services = start(
        """
        bus: {broker: nats}
        a: {command: "python service.py ${services.bus.url}", ready: {log: the other}}
        """
    )
    url = services.addresses["bus"].url
    assert url.startswith("nats://127.0.0.1:")
    assert texts(services)[0] == f"the other is at {url}"


@pytest.mark.thorough
def test_a_message_on_a_topic_shows_that_it_is_ready(tmp_path: Path) -> None:
    script(
        tmp_path,
        """
        import asyncio, os, nats
        async def main():
            client = await nats.connect(os.environ["NATS_URL"])
            await client.publish("orders.up", b"{}")
            await client.flush()
            print("published")
            await asyncio.sleep(60)
        asyncio.run(main())
        """,
    )
    (tmp_path / "choreo.yaml").write_text(
        textwrap.dedent(
            """
            services:
              bus: {broker: nats}
              a:
                command: python service.py
                env: {NATS_URL: "${services.bus.url}"}
                ready: {topic: orders.up}
            profiles:
              local:
                nats: {type: nats, servers: ["${services.bus.url}"], correlation: none}
            """
        )
    )
    config = configuration(tmp_path)
    services = Services()
    try:
        services.start(config.services, config, at_addresses)
        assert "published" in wait_for(services, "published")
    finally:
        services.stop()


@pytest.mark.parametrize(
    ("written", "error", "last"),
    [
        (
            ["Traceback (most recent call last):", "KeyError: 'no'", "Unclosed <Consumer at 0x1>"],
            "KeyError: 'no'",
            "Un",
        ),
        (["at java.lang", "Caused by: java.io.IOException: no disk", " at x"], "java.io.IOException: no disk", " at x"),
        (["TypeError: x is not a function", "    at file.mjs:3", "", "Node.js v22"], "TypeError: x is not", "Node.js"),
        (["  | redis.exceptions.TimeoutError: 1 s", "  +----"], "redis.exceptions.TimeoutError: 1 s", "  +--"),
        (["panic: no route", "goroutine 1"], "panic: no route", "goroutine"),
        (["AssertionError", "bye"], "AssertionError", "bye"),
        (["ValueError: it is the last"], "", "ValueError: it"),
        (["an Error of sorts: no", "no such database"], "", "no such database"),
    ],
)
def test_of_a_dead_one_the_last_error_is_told_besides_its_last_line(
    start: Start, tmp_path: Path, written: list[str], error: str, last: str
) -> None:
    script(
        tmp_path,
        f"""
        import os, sys, time
        print('up', flush=True)
        while not os.path.exists('is_seen'):
            time.sleep(0.01)
        print({chr(10).join(written)!r})
        sys.exit(7)
        """,
    )
    services = start("a: {command: python service.py, ready: {log: up}}")
    (tmp_path / "is_seen").touch()
    assert processes.wait_until(lambda: bool(services.deaths()), 20)
    (death,) = services.deaths()
    assert (death.last_error.startswith(error), bool(death.last_error)) == (True, bool(error))
    assert death.last_line.startswith(last)


# --- what goes wrong --------------------------------------------------------------------------------------------------


def told(start: Start, text: str) -> str:
    with pytest.raises((ServiceFailed, ConfigError)) as caught:
        start(text)
    return str(caught.value)


def test_one_that_ends_before_it_is_ready_is_told_with_its_last_lines(start: Start, tmp_path: Path) -> None:
    script(tmp_path, "print('no database at db:5432'); raise SystemExit(3)")
    error = told(start, "a: {command: python service.py, ready: {log: listening}}")
    assert error.startswith(f"{tmp_path}/choreo.yaml:2: services.a: ended with code 3 before it was ready")
    assert "no line with 'listening' came" in error
    assert error.endswith("  | no database at db:5432")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("ready", "sought"),
    [
        ("{log: listening}", "no line with 'listening' came"),
        ('{port: "${services.a.port}"}', "nothing listens on port"),
        ('{http: "${services.a.url}/health"}', "has not answered with a status below 400"),
    ],
    ids=["log", "port", "http"],
)
def test_one_that_never_gets_ready_is_told_in_time(start: Start, tmp_path: Path, ready: str, sought: str) -> None:
    script(tmp_path, "import time; print('still', 'loading'); time.sleep(60)")
    error = told(start, f"a: {{command: python service.py, ready: {ready}, ready_within: 700ms}}")
    assert "was not ready within 0.7 s" in error
    assert sought in error
    assert "| still loading" in error


@pytest.mark.parametrize("kind", ["port", "http"])
def test_a_port_that_is_taken_is_told_at_once(start: Start, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ready = {"port": port, "http": f'"http://127.0.0.1:{port}/"'}[kind]
        error = told(start, f"a: {{command: python -m http.server {port}, ready: {{{kind}: {ready}}}}}")
    assert f"services.a: was not started: something else listens on port {port}" in error
    assert "reuse: true" in error


def test_a_taken_port_of_a_broker_is_told(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        error = told(start, f"bus: {{broker: nats, port: {port}}}")
    assert f"something else listens on port {port}" in error


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ("{command: no-such-program --fast}", "'no-such-program' cannot be started in"),
        ("{command: python x.py, cwd: nowhere}", "services.a.cwd: there is no folder"),
        ('{command: "python \'x.py"}', "services.a.command: cannot be split into words"),
        ('{command: python x.py, env: {A: "${NOT_SET_ANYWHERE}"}}', "services.a.env.A: the environment variable"),
        ('{command: "python ${services.b.url}"}', "there is no service 'b' that runs with this profile, or it stands"),
        ('{command: "python ${services.a.colour}"}', "a service has url, host, port, and no 'colour'"),
        ('{command: python x.py, ready: {http: "http://example.com/"}}', "expected an address of this machine"),
        ("{command: python x.py, ready: {topic: a, transport: nope}}", "there is no transport 'nope'"),
        ("{command: python x.py, ready: {log: up}, reuse: true}", "services.a.reuse: whether it runs already"),
        ("{command: python x.py, redy: {log: up}}", "services.a.redy: there is no such key; did you mean ready?"),
        ("{broker: natz}", "expected one of 'nats', 'kafka', 'rabbitmq', 'redis'"),
    ],
    ids=["program", "folder", "quote", "variable", "service", "fact", "http", "transport", "reuse", "key", "broker"],
)
def test_what_cannot_be_is_told_by_its_place(start: Start, service: str, words: str) -> None:
    assert words in told(start, f"a: {service}")


def test_those_before_one_that_fails_are_stopped(start: Start, tmp_path: Path) -> None:
    script(tmp_path, "import os, time; open('pid', 'w').write(str(os.getpid())); print('up'); time.sleep(60)")
    told(
        start,
        """
        a: {command: python service.py, ready: {log: up}}
        b: {command: no-such-program}
        """,
    )
    assert int((tmp_path / "pid").read_text()) not in alive()


# --- while they run, and in the end -----------------------------------------------------------------------------------


def test_one_that_runs_already_is_used_and_left_running(start: Start) -> None:
    port = free_port()
    first = start(f"a: {{command: python -m http.server {port}, ready: {{port: {port}}}}}")
    second = start(f"a: {{command: python -m http.server {port}, ready: {{port: {port}}}, reuse: true}}")
    assert [each.is_ours for each in (*first.started, *second.started)] == [True, False]
    second.stop()
    with socket.create_connection(("127.0.0.1", port), 2):
        pass


def test_a_broker_that_runs_already_is_used(start: Start) -> None:
    first = start("bus: {broker: nats}")
    port = first.addresses["bus"].port
    second = start(f"bus: {{broker: nats, port: {port}, reuse: true}}")
    assert second.addresses == first.addresses
    assert not second.started[0].is_ours


def test_one_that_dies_is_named_with_how_it_ended(start: Start, tmp_path: Path) -> None:
    script(tmp_path, "import time; print('up'); time.sleep(0.2); raise SystemExit(7)")
    services = start("a: {command: python service.py, ready: {log: up}}")
    assert processes.wait_until(lambda: bool(services.deaths()), 20)
    assert [(death.service, death.how) for death in services.deaths()] == [("a", "ended with code 7")]


@pytest.mark.thorough
def test_a_log_of_100_mb_costs_little_memory_and_is_cut_to_its_end(start: Start, tmp_path: Path) -> None:
    script(
        tmp_path,
        """
        import sys, time
        sys.stdout.write("x" * 50_000_000 + "\\n")
        for block in range(50):
            sys.stdout.write(("y" * 99 + "\\n") * 10_000)
        print("all written", flush=True)
        time.sleep(60)
        """,
    )
    services = start("a: {command: python service.py, ready: {log: all written}}")
    kept = texts(services)
    assert len(kept) == KEPT_LINES
    assert kept[-1] == "all written"
    assert max(map(len, kept)) <= LINE_CHARACTERS + 1


@pytest.mark.thorough
def test_stopping_ends_all_it_has_started_even_what_will_not_hear(start: Start, tmp_path: Path) -> None:
    script(
        tmp_path,
        """
        import os, signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN);"
                                  "print('child deaf', flush=True); time.sleep(60)"])
        print("pids", os.getpid(), child.pid)
        time.sleep(60)
        """,
    )
    services = start("a: {command: python service.py, ready: {log: child deaf}, stop_within: 300ms}")
    pids = {int(each) for each in wait_for(services, "pids").split()[1:]}
    services.stop()
    assert processes.wait_until(lambda: not pids & alive(), 5)


def test_a_daemon_that_has_left_its_group_ends_with_its_service(start: Start, tmp_path: Path) -> None:
    script(
        tmp_path,
        """
        import os, signal, time
        if not os.fork():
            os.setsid()
            if os.fork():
                os._exit(0)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print(f"daemon {os.getpid()}\\n", end="")
        time.sleep(60)
        """,
    )
    services = start("a: {command: python service.py, ready: {log: daemon}, stop_within: 300ms}")
    pid = int(wait_for(services, "daemon").split()[1])
    assert pid in alive()
    services.stop()
    assert processes.wait_until(lambda: pid not in alive(), 5)


@pytest.mark.thorough
def test_an_answer_that_is_not_the_right_one_is_told(start: Start, tmp_path: Path) -> None:
    script(
        tmp_path,
        """
        import http.server, sys
        class Refusing(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_error(503)
        http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Refusing).serve_forever()
        """,
    )
    service = 'command: "python service.py ${services.a.port}", ready: {http: "${services.a.url}/"}, ready_within: 1s'
    assert "not answered with a status below 400; the last answer was 503" in told(start, f"a: {{{service}}}")


def test_a_port_that_another_service_has_is_told_by_that_one(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    serving = f"{{command: python -m http.server {port} --bind 127.0.0.1, port: {port}, ready: {{port: {port}}}}}"
    assert f"services.b: was not started: the service 'a' has port {port}" in told(start, f"a: {serving}\nb: {serving}")


def test_one_that_ends_in_its_own_way_is_given_the_time(start: Start, tmp_path: Path) -> None:
    script(
        tmp_path,
        """
        import pathlib, signal, time
        def leave(*_):
            pathlib.Path("left").touch()
            raise SystemExit
        signal.signal(signal.SIGTERM, leave)
        print("up")
        time.sleep(60)
        """,
    )
    start("a: {command: python service.py, ready: {log: up}}").stop()
    assert (tmp_path / "left").exists()


@pytest.mark.thorough
def test_nothing_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    script(tmp_path, "import os, time; print('pid', os.getpid()); time.sleep(60)")
    (tmp_path / "choreo.yaml").write_text("services:\n  a: {command: python service.py, ready: {log: pid}}\n")
    runner = script(
        tmp_path,
        """
        import time, pathlib
        from choreo_bdd_steps.plan.settings import configuration
        from choreo_bdd_steps.run.session import Session
        session = Session(configuration(pathlib.Path.cwd()))
        print(session.services.lines(0)[0].text, flush=True)
        time.sleep(60)
        """,
        "runner.py",
    )
    with subprocess.Popen(
        [sys.executable, str(runner)], cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline().split()[1])
        assert pid in alive()
        run.kill()
    assert processes.wait_until(lambda: pid not in alive(), 10)
