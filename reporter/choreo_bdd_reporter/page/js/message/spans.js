// The work of services, as their traces tell it: rows below the message that each span is about.

import { newRow } from './new-row.js';

/**
 * @param {Page.TimelineRow[]} rows
 * @param {Page.Part} part
 * @param {number} partIndex
 * @returns {Page.TimelineRow[]}
 */
export function spanRows(rows, part, partIndex) {
  const own = new Map(part.notes.spans.map((span, index) => [span.id, rowOf(span, `${partIndex}-s${index}`)]));
  part.notes.spans.forEach((span) => {
    const row = own.get(span.id);
    if (row) row.parent = own.get(span.parent) ?? causeOf(rows, span);
  });
  return [...own.values()];
}

/**
 * @param {Page.Span} span
 * @param {string} id
 * @returns {Page.TimelineRow}
 */
function rowOf(span, id) {
  const start = Math.max(0, span.offset_ms);
  return newRow(start, {
    id, kind: 'span', action: 'span', topic: span.topic ?? span.name, detail: span.error ? `${span.name}: ${span.error}` : span.name,
    service: span.service, error: span.error, end: Math.max(start, span.offset_ms + span.duration_ms),
  });
}

// The message it worked on: the last one sent on its topic before, else the last one sent at all.
/**
 * @param {Page.TimelineRow[]} rows
 * @param {Page.Span} span
 */
function causeOf(rows, span) {
  const sent = rows.filter((row) => (row.kind === 'publish' || row.kind === 'reply') && row.end <= span.offset_ms + 1);
  return sent.findLast((row) => row.topic === span.topic) ?? sent.at(-1) ?? null;
}
