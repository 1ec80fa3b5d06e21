"""One thread that writes: what waits together shares a commit, and nobody pays for his neighbour."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, text

from choreo_bdd_chronicle.store import writer as writing
from choreo_bdd_chronicle.store.sqlite import SqliteDialect
from choreo_bdd_chronicle.store.writer import Writer

PATIENCE_S = 20


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A file with one table."""
    made = SqliteDialect().engine(f"sqlite:///{tmp_path / 'kept.db'}")
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE kept (name TEXT NOT NULL UNIQUE)"))
    yield made
    made.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """A writer to it."""
    made = Writer(engine, SqliteDialect(), lambda: None)
    yield made
    made.close()


def put_in(connection: Connection, names: Sequence[str]) -> Sequence[int]:
    """Enter names; tells each how many were entered with it."""
    for name in names:
        connection.execute(text("INSERT INTO kept VALUES (:name)"), {"name": name})
    return [len(names)] * len(names)


def kept(engine: Engine) -> list[str]:
    """What is in the table."""
    with engine.begin() as connection:
        return list(connection.execute(text("SELECT name FROM kept ORDER BY name")).scalars())


def held_up(writer: Writer) -> threading.Event:
    """Have the writer wait until this is set, so that work gathers behind it."""
    waits, goes_on = threading.Event(), threading.Event()

    def wait(_connection: Connection) -> bool:
        waits.set()
        return goes_on.wait(PATIENCE_S)

    writer.submit(wait)
    assert waits.wait(PATIENCE_S)
    return goes_on


def test_what_waits_together_is_written_together(writer: Writer, engine: Engine) -> None:
    goes_on = held_up(writer)
    answers = [writer.submit_to(put_in, name) for name in ("a", "b", "c")]
    goes_on.set()
    assert [each.result(PATIENCE_S) for each in answers] == [3, 3, 3]
    assert kept(engine) == ["a", "b", "c"]


def test_half_of_what_is_announced_is_waited_for(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the other half is made ready while these are written."""
    monkeypatch.setattr(writing, "GATHERED_S", PATIENCE_S * 10)
    goes_on = held_up(writer)
    with ExitStack() as others:
        for _ in range(2):
            others.enter_context(writer.announced())
        with writer.announced():
            first = writer.submit_to(put_in, "a")
            goes_on.set()
            second = writer.submit_to(put_in, "b")
        assert first.result(PATIENCE_S) == second.result(PATIENCE_S) == 2


def test_work_that_is_announced_and_never_comes_holds_nobody_up(writer: Writer) -> None:
    with writer.announced():
        assert writer.submit_to(put_in, "a").result(PATIENCE_S) == 1


def test_one_that_fails_costs_its_neighbours_nothing(writer: Writer, engine: Engine) -> None:
    goes_on = held_up(writer)
    answers = [writer.submit_to(put_in, name) for name in ("a", "a", "b")]
    goes_on.set()
    told = [each.exception(PATIENCE_S) for each in answers]
    assert [each is None for each in told] == [True, False, True]
    assert "UNIQUE" in str(told[1])
    assert kept(engine) == ["a", "b"]


def test_a_commit_that_fails_is_not_tried_again(writer: Writer, engine: Engine) -> None:
    tried = []

    def fail(_connection: Connection) -> None:
        tried.append(1)
        raise OSError("the disk went away")

    goes_on = held_up(writer)
    answers = [writer.submit_to(put_in, name) for name in ("a", "b")]
    event.listen(engine, "commit", fail)
    goes_on.set()
    assert all(isinstance(each.exception(PATIENCE_S), OSError) for each in answers)
    event.remove(engine, "commit", fail)
    assert len(tried) <= 2, "once for the work that held it up, once for the two"
    assert kept(engine) == []
