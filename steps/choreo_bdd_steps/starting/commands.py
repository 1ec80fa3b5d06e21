"""Commands for the first hour: ``init``, ``demo``, ``doctor``."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from msgspec import structs

from choreo_bdd.exceptions import ChoreoError
from choreo_bdd.loop import new_loop
from choreo_bdd.redaction import redact_value
from choreo_bdd.redaction.printable import in_json
from choreo_bdd_project.config import Config
from choreo_bdd_project.harnesses import build_contract
from choreo_bdd_project.secrets import unset
from choreo_bdd_steps.plan.settings import at_addresses, configuration
from choreo_bdd_steps.services.facts import Death, Started
from choreo_bdd_steps.services.of_this_run import end_services, services_of
from choreo_bdd_steps.starting import demo as demonstration
from choreo_bdd_steps.starting.doctor import DoctorFinding, deaths, examine, unknown_to_behave
from choreo_bdd_steps.starting.scaffold import configured_elsewhere, template, write_project
from choreo_bdd_steps.terminal import refuse, say

commands = typer.Typer()


@commands.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to; made if need be.")] = Path(),
    keep_existing: Annotated[
        bool, typer.Option("--keep-existing", help="Leave files that are there as they are, and write the others.")
    ] = False,
) -> None:
    """Write a project that runs at once, in memory. Exit code 2 when files are there already, or cannot be written."""
    left_out = configured_elsewhere(folder)
    try:
        written = write_project(folder, keep_existing=keep_existing)
    except ChoreoError as error:
        refuse("init", error)
    for path in written:
        say(str(folder / path))
    for path, other in left_out.items():
        print(f"\n{path} is left out, since it would hide what {other} says; it would have said:\n\n{template(path)}")
    enter = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    say(f"\nrun it: {enter}behave          or: {enter}pytest features")


@commands.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the suite is copied to and run.")] = Path(
        "choreo-demo"
    ),
    failures: Annotated[
        bool, typer.Option("--failures", help="Run the scenarios that fail on purpose, to see such a report.")
    ] = False,
) -> None:
    """Run the order pipeline's features in memory and say where the report is; files changed there stay changed.

    Exit code: behave's, 1 when a scenario fails; 2 when the suite cannot be written.
    """
    try:
        demonstration.copy_demo(folder)
    except ChoreoError as error:
        refuse("demo", error)
    code = demonstration.run_demo(folder, failures=failures)
    page = demonstration.report_page(folder)
    if page.is_file():
        say(f"\nthe features: {folder / 'features'}\nthe report:   {page.resolve().as_uri()}")
    raise typer.Exit(code)


@commands.command()
def doctor(
    profile: Annotated[str | None, typer.Option(help="Profile of choreo.yaml; default: the default one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
    patience_s: Annotated[
        float, typer.Option("--timeout", min=0.1, metavar="SECONDS", help="For each of connect, subscribe, round trip.")
    ] = 5.0,
) -> None:
    """Start the services of a profile, connect to every transport and send one message there and back; stop them.

    Exit code 0: all well; 1: a transport or a service has a problem; 2: the configuration or a service cannot be used.
    """
    try:
        config = configuration(Path.cwd(), profile)
        build_contract(config)  # read before anything is started, as a run does
        services = services_of(config, {})
        config = at_addresses(config, services.addresses) if config.services else config
    except ChoreoError as error:
        refuse("doctor", error)
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            findings = runner.run(examine(config, patience_s=patience_s))
            dead = {each.service: each for each in runner.run(deaths(services))}
    finally:
        end_services(config)
    if as_json:
        print(in_json(_as_json(config, services.started, dead, findings)))
    else:
        say(_as_text(config, services.started, dead, findings))
    raise typer.Exit(0 if not dead and all(finding.is_well for finding in findings) else 1)


def _as_json(
    config: Config, services: Sequence[Started], dead: Mapping[str, Death], findings: Sequence[DoctorFinding]
) -> str:
    started = [
        {
            "service": each.name,
            "ready_s": each.ready_s,
            "problem": _fate(dead.get(each.name)),
            "ok": each.name not in dead,
        }
        for each in services
    ]
    transports = [structs.asdict(finding) | {"ok": finding.is_well} for finding in findings]
    source = None if config.source is None else str(config.source)
    told, _ = redact_value({"profile": config.profile, "source": source, "services": started, "transports": transports})
    return json.dumps(told, indent=2)


def _as_text(
    config: Config, services: Sequence[Started], dead: Mapping[str, Death], findings: Sequence[DoctorFinding]
) -> str:
    permitted = "loopback addresses only" if config.allowlist is None else f"what {config.allowlist} lists"
    lines = [
        f"profile {config.profile} of {config.source or 'the built-in configuration'}",
        f"may connect to: {permitted}",
        *(_line(each, dead.get(each.name)) for each in services),
        *(line for finding in findings for line in _lines(finding)),
    ]
    lines += [f"note: {each}" for each, _ in unset(config)]
    if (told := unknown_to_behave(Path("features"))) is not None:
        lines.append(f"note: {told}")
    return "\n".join(lines)


def _line(service: Started, death: Death | None) -> str:
    ready = f"  service {service.name}: ready after {service.ready_s:g} s ({service.what})"
    return ready if death is None else f"{ready}, but it is DEAD: it {_fate(death)}"


def _fate(death: Death | None) -> str | None:
    return None if death is None else f"{death.how}{death.last_words}"


def _lines(finding: DoctorFinding) -> list[str]:
    name = f"  {finding.transport} ({finding.type}):"
    if finding.is_well:
        first = f"{name} ok, connected in {finding.connect_ms} ms, round trip {finding.round_trip_ms} ms"
        return [first, *([] if finding.note is None else [f"    note: {finding.note}"])]
    return [f"{name} FAILED at {finding.failed_at}", f"    {finding.problem}", f"    what to do: {finding.advice}"]
