"""What is called over HTTP, and what is listened to: a step that takes the one for the other is told the right form."""

from __future__ import annotations

from choreo_bdd_project.config import Config
from choreo_bdd_steps.plan.plan import PlannedStep


def no_bus(config: Config, transport: str) -> str | None:
    """Why nothing can be published or expected on a transport of the profile; ``None`` where it can."""
    known = config.transports.get(transport)
    if known is None or not known.is_called:
        return None
    return (
        f'{transport!r} is called over HTTP, and no messages come or go there: write: When I call POST "/…" '
        f"on {transport}, then: Then the response has status 200; or name a transport that is a bus"
    )


def no_callee(config: Config, step: PlannedStep) -> str | None:
    """Why a call means nothing that can be called; ``None`` where it does."""
    called = config.called
    if not called:
        return (
            f"profile {config.profile!r} has nothing to call: give it a transport such as "
            f"api: {{type: http, url: 'http://localhost:8000'}} in choreo.yaml"
        )
    named = step.named_transport
    if named is None and step.callee is None:
        return f"profile {config.profile!r} has several services to call, {', '.join(called)}: write which, with `on …`"
    if named is not None and named in config.transports and named not in called:
        return f"{named!r} is a bus, which is published on and never called; to call there is {', '.join(called)}"
    if named is not None and named not in config.transports:
        return f"there is no transport {named!r} in profile {config.profile!r}; to call there is {', '.join(called)}"
    return None
