"""What a step means: its entry in the step book, and what `explain` says of it."""

from __future__ import annotations

from choreo_bdd_steps.editor.document import Document
from choreo_bdd_steps.editor.project import Project
from choreo_bdd_steps.plan.explain import told_of
from choreo_bdd_steps.vocabulary_docs.step_book import as_hover


def hover(document: Document, project: Project, number: int) -> str | None:
    """Markdown on the step that a line belongs to; ``None`` where there is no step of ours."""
    block = document.block(number)
    match = None if block is None else document.match(block)
    if block is None or match is None:
        return None
    told = told_of(
        document.text, document.path, block.line.number + 1, project.context.config, project.context.own_steps
    )
    armed = "".join(f"\n\n{each}" for each in told)
    return as_hover(match.phrase) + (f"\n\n---{armed}" if told else "")
