"""Debian's PostgreSQL on loopback and a free port, in a folder that is thrown away."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

TRIES = 1500
STORES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.broker))


def programs() -> Path:
    """The folder with ``initdb`` and ``postgres``. Without one the test fails in CI, and is skipped elsewhere."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    on_path = shutil.which("initdb")
    if not found and not on_path:
        message = "no PostgreSQL here: apt-get install postgresql"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return Path(on_path or found[0]).resolve().parent if not found else found[0].parent


class Server:
    """A PostgreSQL server that can be ended and started again on the same data."""

    def __init__(self, folder: Path, *, is_durable: bool = False) -> None:
        self._folder = folder
        self._fsync = "on" if is_durable else "off"
        self._programs = programs()
        self._as_user: dict[str, Any] = (
            {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        if self._as_user:
            shutil.chown(folder, "postgres", "postgres")
        options = ("--auth=trust", "--no-sync", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8")
        self._run(str(self._programs / "initdb"), "--pgdata", str(folder / "data"), *options)

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = (
            "listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}", f"port={self.port}",
            f"fsync={self._fsync}",
        )  # fmt: skip
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data")]
        for each in settings:
            command += ["-c", each]
        self._process = subprocess.Popen(
            command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._as_user
        )
        for attempt in range(TRIES):
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
            except psycopg.OperationalError:
                if attempt == TRIES - 1 or self._process.poll() is not None:
                    raise
                _wait_a_little()
            else:
                return

    def stop(self) -> None:
        """End it at once, as a machine does that loses its power."""
        if self._process is not None:
            self._process.send_signal(3)  # SIGQUIT: no farewell to clients
            self._process.wait(timeout=30)

    def empty(self) -> str:
        """Throw away everything in it; the address of what is left."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            found = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
            if names := [name for (name,) in found]:
                identifiers = sql.SQL(", ").join(map(sql.Identifier, names))
                connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(identifiers))
        return self.url

    def another(self) -> str:
        """The address of a new database beside the one that is emptied for each test."""
        name = f"beside_{uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url.rpartition("/")[0] + f"/{name}"

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False, **self._as_user)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def running(*, is_durable: bool = False) -> Iterator[Server]:
    """A server within the block; its folder lies where its own user may go, unlike pytest's.

    One that is not durable does not wait for the disk, which tests need not either.
    """
    folder = Path(tempfile.mkdtemp(prefix="chronicle-postgres-"))
    try:
        server = Server(folder, is_durable=is_durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    """One that no system gives to whoever asks for any: else it may be another's while the server is restarted."""
    for port in random.SystemRandom().sample(range(10_000, 32_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port from 10000 to 32000")


def _wait_a_little() -> None:
    import time

    time.sleep(0.02)
