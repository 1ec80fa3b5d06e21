"""The commands ``choreo-bdd chronicle …``. What the server needs is imported only when it is started."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from functools import partial
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from choreo_bdd_reporter.outputs.terminal import complain, harmless, say, say_document

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from choreo_bdd_chronicle.store import Store

Result = TypeVar("Result")

commands = typer.Typer()
chronicle = typer.Typer(no_args_is_help=True, help="What reports say over time: a server and its tools.")
tokens = typer.Typer(no_args_is_help=True, help="Who may write and read.")
commands.add_typer(chronicle, name="chronicle")
chronicle.add_typer(tokens, name="tokens")

_NEEDED = ("starlette", "uvicorn", "jsonschema_rs", "sqlalchemy", "alembic")
_DEFAULT_URL = "http://127.0.0.1:8000"

Data = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where reports are kept; default: the user's own.")]
Database = Annotated[
    str | None, typer.Option(metavar="URL", help="A database instead, such as postgresql://host/name.")
]
TenantOption = Annotated[str | None, typer.Option(metavar="NAME", help="Confine it to one tenant; default: all.")]


class ScopeName(StrEnum):
    """What a token is good for."""

    WRITE = "write"
    READ = "read"
    ADMIN = "admin"


class TableFormat(StrEnum):
    """What a table is written as."""

    CSV = "csv"
    PARQUET = "parquet"


class GateFormat(StrEnum):
    """How the gate tells; ``github`` annotates, and writes Markdown into ``GITHUB_STEP_SUMMARY``."""

    MARKDOWN = "markdown"
    GITHUB = "github"


@chronicle.callback()
def _chronicle() -> None:
    """What reports say over time: a server and its tools."""


@chronicle.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen at; beyond loopback it takes tokens.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Its port; 0 finds a free one.")] = None,
    data: Data = None,
    database: Database = None,
    require_token: Annotated[bool, typer.Option("--require-token", help="Take tokens on loopback too.")] = False,
) -> None:
    """Keep reports and answer questions about them. Exit code 2 when it cannot start."""
    _need_server()
    from choreo_bdd_chronicle import server, settings  # noqa: PLC0415
    from choreo_bdd_chronicle.store import StoreError  # noqa: PLC0415
    from choreo_bdd_chronicle.webhooks import WebhookError  # noqa: PLC0415

    try:
        found = settings.read_settings(host=host, port=port, data=data, database=database, needs_token=require_token)
        server.serve(found, lambda address: typer.echo(f"Chronicle: {address}  (ctrl-c ends it)"))
    except (StoreError, WebhookError, settings.SettingsError) as problem:
        _refuse(problem)
    except OSError as problem:
        _refuse(f"cannot listen at {host or 'the address'}: {problem.strerror or problem}; --port names another port")


@chronicle.command()
def migrate(data: Data = None, database: Database = None) -> None:
    """Bring the database to the shape of this release; serve does so too. Exit code 2 when it cannot be opened."""
    _need_server()
    from choreo_bdd_chronicle.settings import database_url  # noqa: PLC0415
    from choreo_bdd_chronicle.store import open_store  # noqa: PLC0415
    from choreo_bdd_chronicle.store.store import shown  # noqa: PLC0415

    url = database or database_url(data)
    with _refusing():
        open_store(url).close()
    typer.echo(f"{shown(url)}: up to date")


@chronicle.command()
def push(
    reports: Annotated[list[Path], typer.Argument(metavar="FILE…", help="results.json files, or folders with one.")],
    url: Annotated[str, typer.Option(envvar="CHRONICLE_URL", help="The server.")] = _DEFAULT_URL,
    tenant: Annotated[
        str | None, typer.Option(envvar="CHRONICLE_TENANT", help="Whose reports; default: the project's name.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="CHRONICLE_TOKEN", help="A token, better given by the environment.")
    ] = None,
) -> None:
    """Send reports to a server. While it is away they are kept, and sent by the next push.

    Exit code 1 when a report is refused, 2 when one cannot be read, else 0.
    """
    from choreo_bdd_chronicle.client.pushing import Pusher  # noqa: PLC0415
    from choreo_bdd_chronicle.client.queue import Queue  # noqa: PLC0415
    from choreo_bdd_chronicle.settings import data_folder  # noqa: PLC0415

    queue = Queue(data_folder() / "waiting")
    pusher = Pusher(url=_server(url), queue=queue, say=_tell, tenant=tenant, token=token)
    pusher.push_waiting()
    raise typer.Exit(max(pusher.push(file) for file in reports))


@chronicle.command(name="import")
def import_reports(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="All reports, histories and JUnit files below it.")],
    url: Annotated[str, typer.Option(envvar="CHRONICLE_URL", help="The server.")] = _DEFAULT_URL,
    tenant: Annotated[
        str | None, typer.Option(envvar="CHRONICLE_TENANT", help="Whose reports; default: each project's name.")
    ] = None,
    token: Annotated[str | None, typer.Option(envvar="CHRONICLE_TOKEN", help="A token to write with.")] = None,
) -> None:
    """Send what is left of earlier runs, the oldest first. What the server has already is not kept twice.

    Exit code 1 when a report is refused or cannot be read, 2 when there is none or the server is away, else 0.
    """
    from choreo_bdd_chronicle.client.importing import Importer  # noqa: PLC0415

    raise typer.Exit(Importer(url=_server(url), say=_tell, tenant=tenant, token=token).bring(folder))


@chronicle.command()
def gate(
    report: Annotated[Path, typer.Argument(help="The run's results.json, or a folder with one.")] = Path("test-report"),
    *,
    baseline: Annotated[str, typer.Option(metavar="BRANCH", help="The branch to compare with.")] = "main",
    max_regression: Annotated[str, typer.Option(metavar="PERCENT", help="Topics may be slower by so much.")] = "20%",
    form: Annotated[GateFormat, typer.Option("--format", help="How it is told.")] = GateFormat.MARKDOWN,
    url: Annotated[str, typer.Option(envvar="CHRONICLE_URL", help="The server, which was sent it.")] = _DEFAULT_URL,
    tenant: Annotated[str | None, typer.Option(envvar="CHRONICLE_TENANT", help="As with push.")] = None,
    token: Annotated[str | None, typer.Option(envvar="CHRONICLE_TOKEN", help="A token to read with.")] = None,
) -> None:
    """Judge a run against a branch: new failures that are not muted, and topics clearly slower.

    Exit code 0 when it may go on, 1 when not, 2 when it could not be judged: then nothing is quarantined.
    """
    from choreo_bdd_chronicle.client import gate as judging  # noqa: PLC0415
    from choreo_bdd_chronicle.client.pushing import RESULTS, tenant_of  # noqa: PLC0415
    from choreo_bdd_chronicle.client.sending import Target  # noqa: PLC0415

    try:
        body = (report / RESULTS if report.is_dir() else report).read_bytes()
        target = Target(url=_server(url), tenant=tenant or tenant_of(body), token=token)
        verdict = judging.judge(body, judging.asker(target), baseline=baseline, max_regression=_percent(max_regression))
    except (OSError, ValueError) as problem:
        _refuse(problem)
    if form is GateFormat.GITHUB:
        say_document(judging.as_annotations(verdict))
        if step_summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            with open(step_summary, "a", encoding="utf-8") as file:
                file.write(judging.as_markdown(verdict) + "\n")
    else:
        say(judging.as_markdown(verdict))
    raise typer.Exit(verdict.exit_code)


@chronicle.command()
def retention(
    days: Annotated[int, typer.Option(min=1, help="Runs that began longer ago are removed.")],
    branch_days: Annotated[
        int | None, typer.Option(min=1, help="The same for runs of branches other than those kept.")
    ] = None,
    keep: Annotated[list[str] | None, typer.Option(metavar="BRANCH", help="A branch that is kept for --days.")] = None,
    data: Data = None,
    database: Database = None,
) -> None:
    """Remove old runs from every list and sum, and give their space back; for a daily job."""
    _need_server()
    from choreo_bdd_chronicle.store import removing  # noqa: PLC0415

    with _opened(data, database) as store:
        expiry, removed = removing.Expiry(days, branch_days, keep or ["main", "master"]), 0
        while some := store.change(partial(removing.remove_expired, expiry=expiry)).result():
            removed += some
    typer.echo(f"{removed} {'run' if removed == 1 else 'runs'} removed")


@chronicle.command()
def export(
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to; default: CSV is printed.")] = None,
    form: Annotated[TableFormat, typer.Option("--format", help="CSV for spreadsheets, or Parquet.")] = TableFormat.CSV,
    tenant: TenantOption = None,
    data: Data = None,
    database: Database = None,
) -> None:
    """Write what was measured as a table: a row for each topic and transport of each run."""
    _need_server()
    from choreo_bdd_chronicle.answer.views.exporting import write_csv, write_parquet  # noqa: PLC0415

    if form is TableFormat.PARQUET:
        if out is None or find_spec("pyarrow") is None:
            _refuse('Parquet needs --out FILE, and pip install "choreo-bdd[chronicle-parquet]"')
        with _opened(data, database) as store, store.reading() as connection:
            count = _written(out, lambda: write_parquet(connection, tenant, out))
        _tell(f"{out}: {count} {'row' if count == 1 else 'rows'}")
        return
    try:
        with _opened(data, database) as store, store.reading() as connection:
            if out is None:
                write_csv(connection, tenant, sys.stdout)
                return
            with out.open("w", encoding="utf-8", newline="") as file:
                count = write_csv(connection, tenant, file)
    except OSError as problem:
        _refuse(f"{out or 'the output'}: cannot be written: {problem.strerror or problem}")
    _tell(f"{out}: {count} {'row' if count == 1 else 'rows'}")


@chronicle.command()
def grafana() -> None:
    """Print a Grafana dashboard over /metrics, as JSON to import."""
    typer.echo(files("choreo_bdd_chronicle.pages").joinpath("grafana.json").read_text(encoding="utf-8"), nl=False)


@chronicle.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The copy; an older one is replaced when this one is whole.")],
    data: Data = None,
    database: Database = None,
) -> None:
    """Copy the database into one file, while it is in use. Exit code 2 when it cannot be; PostgreSQL has pg_dump."""
    _need_server()
    from choreo_bdd_chronicle.settings import database_url  # noqa: PLC0415
    from choreo_bdd_chronicle.store import copying  # noqa: PLC0415

    with _refusing():
        copying.backup(database or database_url(data), file)
    _tell(f"{file}: {file.stat().st_size:,} bytes, whole")


@chronicle.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A copy that backup made.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Lose what the database holds now.")] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Make the database of a copy; end the server first. Exit code 2 when it cannot be; PostgreSQL has pg_restore."""
    _need_server()
    from choreo_bdd_chronicle.settings import database_url  # noqa: PLC0415
    from choreo_bdd_chronicle.store import copying, open_store  # noqa: PLC0415
    from choreo_bdd_chronicle.store.store import shown  # noqa: PLC0415

    url = database or database_url(data)
    with _refusing():
        copying.restore(url, file, replaces=replace)
        open_store(url).close()  # a copy of an earlier release is brought up to date
    typer.echo(f"{shown(url)}: restored")


@tokens.command()
def create(
    name: Annotated[str, typer.Argument(help="A name to know it by.")],
    scope: Annotated[ScopeName, typer.Option(help="What it is good for.")] = ScopeName.WRITE,
    tenant: TenantOption = None,
    data: Data = None,
    database: Database = None,
) -> None:
    """Make a token and print it; it is shown this once. Exit code 2 when its name is taken or its tenant none."""
    _need_server()
    from choreo_bdd_chronicle import tokens as making  # noqa: PLC0415
    from choreo_bdd_chronicle.check.names import TENANT, TENANT_RULE  # noqa: PLC0415

    if tenant is not None and not TENANT.fullmatch(tenant):
        _refuse(f"--tenant {tenant!r}: a tenant is {TENANT_RULE}")
    scopes = making.Scope(scope.value)
    try:
        made = _changed(data, database, lambda found: making.create(found, name, scopes, tenant), makes=True)
        typer.echo(made)
    except making.NameTakenError:
        _refuse(f"there is a token {name!r} already; take another name, or revoke it first")


@tokens.command("list")
def list_tokens(data: Data = None, database: Database = None) -> None:
    """What tokens there are: name, what each is good for, its tenant, since when."""
    _need_server()
    from choreo_bdd_chronicle import tokens as making  # noqa: PLC0415
    from choreo_bdd_chronicle.check.moments import moment_text  # noqa: PLC0415

    for each in _changed(data, database, making.known):
        typer.echo(f"{each.name}  {each.scope}  {each.tenant or 'all tenants'}  {moment_text(each.created_at)}")


@tokens.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The name it was made with.")],
    data: Data = None,
    database: Database = None,
) -> None:
    """Make the tokens of a name worthless. Exit code 2 when there is none."""
    _need_server()
    from choreo_bdd_chronicle import tokens as making  # noqa: PLC0415

    count = _changed(data, database, lambda connection: making.revoke(connection, name))
    if not count:
        _refuse(f"there is no token {name!r}")
    _tell(f"{name}: revoked")


def _changed(
    data: Path | None, database: str | None, work: Callable[[Connection], Result], *, makes: bool = False
) -> Result:
    with _opened(data, database, makes=makes) as store:
        return store.change(lambda connection, _dialect: work(connection)).result()


@contextmanager
def _opened(data: Path | None, database: str | None, *, makes: bool = False) -> Iterator[Store]:
    from choreo_bdd_chronicle.settings import database_url  # noqa: PLC0415
    from choreo_bdd_chronicle.store import open_store  # noqa: PLC0415

    with _refusing():
        store = open_store(database or database_url(data), makes=makes)
    with closing(store):
        yield store


@contextmanager
def _refusing() -> Iterator[None]:
    """What keeps a database from being opened or copied is told, and ends the command."""
    from choreo_bdd_chronicle.store import StoreError  # noqa: PLC0415

    try:
        yield
    except StoreError as problem:
        _refuse(problem)


def _written(out: Path, write: Callable[[], int]) -> int:
    try:
        return write()
    except OSError as problem:
        _refuse(f"{out}: cannot be written: {problem.strerror or problem}")


def _percent(text: str) -> float:
    try:
        found = float(text.strip().removesuffix("%"))
    except ValueError:
        found = -1.0
    if not 0 <= found < math.inf:
        raise ValueError(f"--max-regression {text}: expected a percentage such as 20%")
    return found


def _need_server() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        _refuse(f'the server needs {", ".join(missing)}: pip install "choreo-bdd[chronicle]"')


def _server(url: str) -> str:
    from choreo_bdd_chronicle.client.sending import server_address  # noqa: PLC0415

    try:
        return server_address(url)
    except ValueError as problem:
        _refuse(problem)


def _tell(line: str) -> None:
    say(harmless(line))


def _refuse(problem: object) -> NoReturn:
    complain(harmless(f"choreo-bdd: {problem}"))
    raise typer.Exit(2)
