"""``POST /runs``: one report, kept whole or refused with the place that is wrong."""

from __future__ import annotations

import hashlib

from starlette.requests import Request

from choreo_bdd_chronicle.answer.errors import REPORT, VALIDATION, ApiError
from choreo_bdd_chronicle.answer.headers import sole
from choreo_bdd_chronicle.answer.models import Ingested
from choreo_bdd_chronicle.check import Report
from choreo_bdd_chronicle.check.moments import now
from choreo_bdd_chronicle.check.names import TENANT, TENANT_RULE
from choreo_bdd_chronicle.receive.body import read_body
from choreo_bdd_chronicle.receive.checkers import Checker
from choreo_bdd_chronicle.receive.mailbox import Mailbox
from choreo_bdd_chronicle.receive.packing import packing
from choreo_bdd_chronicle.receive.understanding import Refused, Understood
from choreo_bdd_chronicle.store import Store
from choreo_bdd_chronicle.store.ingesting import Submission
from choreo_bdd_chronicle.summarise.days import DAY
from choreo_bdd_chronicle.tokens import Caller
from choreo_bdd_chronicle.watcher import Watcher

TENANT_HEADER = "X-Chronicle-Tenant"
KEY_HEADER = "Idempotency-Key"
_KEY_MAX = 255
_SECOND = 1_000_000


def tenant_of(request: Request, caller: Caller) -> str:
    """Whose report a request brings. ``ApiError`` 422 without a sound name, 400 with two, 403 for another's."""
    slug = sole(request, TENANT_HEADER).strip().lower()
    if not slug:
        raise ApiError(422, f"{TENANT_HEADER}: missing; it names whose report this is", error=VALIDATION)
    if not TENANT.fullmatch(slug):
        raise ApiError(422, f"{TENANT_HEADER}: a tenant is {TENANT_RULE}")
    if not caller.sees(slug):
        raise ApiError(403, "The token is for another tenant.")
    return slug


async def ingest(
    request: Request,
    caller: Caller,
    store: Store,
    watcher: Watcher,
    mailbox: Mailbox,
    *,
    body_max: int,
    checker: Checker,
) -> Ingested:
    """Take a report in; the answer is made when it is on disk, and what it changes is looked for after it."""
    tenant, key = tenant_of(request, caller), _key(sole(request, KEY_HEADER))
    with store.awaiting():
        body = await read_body(request.stream(), request.headers.get("Content-Encoding", ""), body_max)
        being_packed = packing(body)
        report = _sound(await checker.understand(body))
        packed = await being_packed
        submission = Submission(
            tenant=tenant, key=key, content_hash=packed.content_hash, gzipped=packed.gzipped, report=report
        )
        kept = store.keep(submission)
    receipt = await mailbox.fetch(kept)
    if receipt.is_duplicate:
        note = [] if receipt.is_same else [f"{KEY_HEADER}: was used before for another report, which is the one kept"]
        return Ingested(
            run_id=receipt.run_id, duplicate=True, handles_ingested=0, scenarios_ingested=0, warning=None, warnings=note
        )
    watcher.look_at(receipt.line)
    return Ingested(
        run_id=receipt.run_id,
        duplicate=False,
        handles_ingested=report.handle_count,
        scenarios_ingested=len(report.scenarios),
        warning=_lateness(now() - report.run.started_at),
        warnings=list(report.warnings),
    )


def _key(given: str) -> str | None:
    """A key as it is kept; of a long one its hash, as no database indexes a text of any length."""
    return (given or None) if len(given) <= _KEY_MAX else hashlib.sha256(given.encode()).hexdigest()


def _sound(found: Understood | Refused) -> Report:
    if isinstance(found, Understood):
        return found.report
    detail = f"The report cannot be taken: {'; '.join(map(str, found.faults))}"
    raise ApiError(422, detail, error=REPORT if found.is_shape else VALIDATION, faults=found.faults)


def _lateness(age: int) -> str | None:
    """A word about a report that comes more than a day after its run."""
    if age <= DAY:
        return None
    days, rest = divmod(age, DAY)
    return f"The run began {days}d {rest // (3600 * _SECOND)}h ago; it is taken into every series at its own time."
