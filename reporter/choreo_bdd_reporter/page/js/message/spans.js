// The work of services, as their traces tell it: rows below the message that each span is about; and acts of the test.

import { newRow } from './new-row.js';

/**
 * @param {Page.Part} part
 * @param {number} partIndex
 * @param {boolean} acts
 * @returns {[Page.Span, Page.TimelineRow][]}
 */
function spansOf({ notes }, partIndex, acts) {
  return notes.spans.flatMap((span, index) => ((span.kind === 'act') === acts ? [[span, rowOf(span, `${partIndex}-s${index}`)]] : []));
}

// Steps of the test's own that make messages come, up to where times count from.
/**
 * @param {Page.Part} part
 * @param {number} partIndex
 */
export function actRows(part, partIndex) {
  return spansOf(part, partIndex, true).map(([, row]) => row);
}

/**
 * @param {Page.TimelineRow[]} rows
 * @param {Page.Part} part
 * @param {number} partIndex
 */
export function spanRows(rows, part, partIndex) {
  const own = spansOf(part, partIndex, false);
  const places = new Map(own.map(([span, row]) => [span.id, row]));
  return own.map(([span, row]) => Object.assign(row, { parent: places.get(span.parent) ?? causeOf(rows, span) }));
}

/**
 * @param {Page.Span} span
 * @param {string} id
 * @returns {Page.TimelineRow}
 */
function rowOf(span, id) {
  const start = Math.max(0, span.offset_ms);
  return newRow(start, {
    id, kind: span.kind === 'act' ? 'act' : 'span', action: 'span', topic: span.topic ?? span.name, detail: span.error ? `${span.name}: ${span.error}` : span.name,
    service: span.service, error: span.error, end: Math.max(start, span.offset_ms + span.duration_ms),
  });
}

// The message it worked on: the last one sent on its topic before, else the last one sent at all.
/**
 * @param {Page.TimelineRow[]} rows
 * @param {Page.Span} span
 */
function causeOf(rows, span) {
  const sent = rows.filter((row) => ['publish', 'reply', 'act'].includes(row.kind) && row.start <= span.offset_ms + 1);
  return sent.findLast((row) => row.topic === span.topic) ?? sent.at(-1) ?? null;
}
