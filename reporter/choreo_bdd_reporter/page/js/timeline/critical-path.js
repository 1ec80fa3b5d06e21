// The chain of messages that decided when a scenario was done: back from its last event, cause by cause; what came
// from outside without telling its cause goes back to the message before it.

import { leftBy } from '../message/causes.js';
import { endOf, isWait } from './timescale.js';

/**
 * @param {Page.TimelineRow[]} rows
 * @returns {Page.TimelineState["critical"]}
 */
export function criticalPath(rows) {
  const messages = rows.filter((row) => !isWait(row) && !['skipped', 'span', 'act'].includes(row.kind));
  const last = messages.reduce((latest, row) => (latest && endOf(latest) >= endOf(row) ? latest : row), /** @type {Page.TimelineRow | null} */ (null));
  /** @type {Page.TimelineRow[]} */
  const path = [];
  for (let row = last; row; row = row.parent ?? row.after) path.push(row);
  path.reverse();
  const took = last && path.length > 1 ? endOf(last) - leftBy(path[0], path[1].end) : 0;
  /** @type {Page.TimelineState["critical"]["segments"]} */
  const segments = new Map(path.map((row, index) => [row, [index ? leftBy(path[index - 1], row.end) : row.end, endOf(row)]]));
  return { segments, count: path.filter((row) => row.kind !== 'act').length, took };
}
