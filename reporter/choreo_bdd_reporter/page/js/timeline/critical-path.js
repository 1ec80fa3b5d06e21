// The chain of messages that decided when a scenario was done: back from its last event, cause by cause.

import { endOf, isWait } from './timescale.js';

/** @param {Page.TimelineRow[]} rows */
export function criticalPath(rows) {
  const messages = rows.filter((row) => !isWait(row) && row.kind !== 'skipped' && row.kind !== 'span');
  const last = messages.reduce((latest, row) => (!latest || endOf(row) > endOf(latest) ? row : latest), null);
  const path = [];
  for (let row = last; row; row = row.parent ?? sentBefore(messages, row)) path.unshift(row);
  const took = path.length > 1 ? endOf(last) - path[0].end : 0;
  const segments = new Map(path.map((row, index) => [row, [path[index - 1] ? endOf(path[index - 1]) : row.end, endOf(row)]]));
  return { segments, count: path.length, took };
}

// Who answered an arrival from outside is not recorded; what the test had sent last before it is the likeliest cause.
/** @param {Page.TimelineRow} row */
function sentBefore(messages, row) {
  if (row.kind === 'publish') return null;
  return messages.findLast((other) => other.kind === 'publish' && other.end <= row.end && other !== row) ?? null;
}
