// Messages that met no expectation: rows of the timeline, and what a failure shows first.

import { newRow } from './new-row.js';

/** @type {Record<string, string>} */
const STRAY_PHRASES = {
  late: 'arrived late', foreign: 'came with another id', 'no id': 'came without an id', 'other topic': 'came on another topic', returned: 'came back', unreadable: 'could not be read',
};
// ms; the report rounds the times of these
const AT_ONE_TIME = 0.01;

// Each takes the place of the event that tells of the same message without its body, if there is one.
/**
 * @param {Page.TimelineRow[]} rows
 * @param {Page.Part} part
 * @param {number} partIndex
 */
export function addStrays(rows, part, partIndex) {
  /** @type {Map<string | null, number[]>} */
  const told = new Map();
  rows.forEach((row, place) => {
    if (row.kind !== 'skipped' && row.action !== 'received') return;
    told.set(row.topic, told.get(row.topic) ?? []);
    told.get(row.topic)?.push(place);
  });
  /** @type {Page.TimelineRow[]} */
  const others = [];
  part.notes.strays.forEach(({ why, offset_ms: offset, detail, message, handle, differences }, index) => {
    if (!message) return;
    const at = Math.max(0, offset);
    const twin = (told.get(message.topic) ?? []).find((place) => !rows[place].why && Math.abs(rows[place].end - at) < AT_ONE_TIME);
    const row = newRow(at, {
      ...(rows[twin ?? -1] ?? { kind: 'stray', action: 'stray', detail }), id: strayId(partIndex, index), why, message, topic: message.topic, transport: message.transport ?? null,
      failures: differences ?? [], nearest: part.handles[handle] ?? null,
    });
    if (handle >= 0) row.ref = `${partIndex}.${handle}`;
    if (twin === undefined) others.push(row);
    else rows[twin] = row;
  });
  insert(rows, others);
}

// In the order of their times, an act's being that of its beginning.
/**
 * @param {Page.TimelineRow[]} rows
 * @param {Page.TimelineRow[]} others
 */
export function insert(rows, others) {
  const inOrder = others.sort((a, b) => a.anchor - b.anchor);
  let next = 0;
  for (const row of rows.splice(0)) {
    while (next < inOrder.length && inOrder[next].anchor < row.anchor) rows.push(inOrder[next++]);
    rows.push(row);
  }
  rows.push(...inOrder.slice(next));
}

/**
 * @param {number} partIndex
 * @param {number} index
 */
function strayId(partIndex, index) {
  return `${partIndex}-m${index}`;
}

/** @param {Page.TimelineRow | Page.TimelineEntry} event */
export function isUnreadable({ action, detail }) {
  return action === 'received' && detail.startsWith('undecodable');
}

/** @param {Page.TimelineRow} row */
export function strayPhrase(row) {
  return STRAY_PHRASES[isUnreadable(row) ? 'unreadable' : row.why ?? ''];
}

// What bears on an expectation that was not met, the closest first: { id, phrase, at, message, differences }.
/**
 * @param {Page.Part} part
 * @param {number} partIndex
 * @param {number} handleIndex
 * @returns {Page.Evidence[]}
 */
export function evidenceFor(part, partIndex, handleIndex) {
  const { strays, messages, handles } = part.notes;
  const returned = ['nobody listens', 'transport failed'].includes(handles[handleIndex]?.cause ?? '');
  const kept = strays.flatMap(({ message, handle, why, offset_ms: at, differences = [] }, index) =>
    (message && (handle === handleIndex || (returned && why === 'returned')) ? [{ id: strayId(partIndex, index), phrase: STRAY_PHRASES[why], at, message, differences }] : []));
  const unreadable = part.timeline.flatMap((event, index) => {
    const message = messages[index];
    return message && isUnreadable(event) && event.topic === part.handles[handleIndex].topic
      ? [{ id: `${partIndex}-${index}`, phrase: STRAY_PHRASES.unreadable, at: event.offset_ms, message, differences: [] }] : [];
  });
  return [...kept.sort((a, b) => a.differences.length - b.differences.length), ...unreadable];
}
