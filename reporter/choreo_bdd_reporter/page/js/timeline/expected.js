// Which expectation a verdict of the timeline is about.

import { differencesOf } from '../message/diff.js';
import { endOf } from './timescale.js';

// Each verdict in the timeline is one of the expectations; this finds out which.
/** @param {Page.Story} story */
export function linkExpectations(story) {
  const { handles } = story.part;
  /** @type {Set<number>} */
  const used = new Set();
  /** @type {Map<number, number>} */
  const misses = new Map();
  /** @type {Map<string, number[]>} */
  const places = new Map(handles.map((handle) => [placeOf(handle), []]));
  handles.forEach((handle, index) => places.get(placeOf(handle))?.push(index));
  for (const row of story.rows) {
    const here = places.get(placeOf(row)) ?? [];
    if (row.action === 'matched') attach(story, row, firstFree(handles, here, used, row.detail), used);
    if (row.action === 'mismatched') attachMiss(story, row, here, misses);
    if (row.kind === 'deadline' && row.topic) attachDeadline(story, row, here, used);
  }
}

/** @param {{ topic: string | null, transport?: string | null }} place */
function placeOf({ topic, transport }) {
  return `${topic}\n${transport ?? ''}`;
}

/**
 * @param {Page.Handle[]} handles
 * @param {number[]} here
 * @param {Set<number>} used
 * @param {string} detail
 */
function firstFree(handles, here, used, detail) {
  const free = here.filter((index) => !used.has(index) && ['pass', 'slow'].includes(handles[index].outcome));
  return free.find((index) => detail && detail.startsWith(handles[index].reason)) ?? free[0];
}

/**
 * @param {Page.Story} story
 * @param {Page.TimelineRow} row
 * @param {number | undefined} index
 * @param {Set<number>} [used]
 */
function attach(story, row, index, used) {
  if (index === undefined) return;
  used?.add(index);
  const handle = story.part.handles[index];
  row.handle = handle;
  row.cause = story.part.notes.handles[index].cause ?? null;
  row.ref = `${story.partIndex}.${index}`;
  // nobody here sent it: the bar then shows the wait its latency is about
  const waited = handle.latency_ms;
  if (row.action === 'matched' && !row.parent && waited !== null) Object.assign(row, { kind: 'arrival', start: Math.max(0, endOf(row) - waited) });
}

/**
 * @param {Page.Story} story
 * @param {Page.TimelineRow} row
 * @param {number[]} here
 * @param {Map<number, number>} misses
 */
function attachMiss(story, row, here, misses) {
  const { handles } = story.part;
  const index = here.find((candidate) => handles[candidate].attempts > (misses.get(candidate) ?? 0));
  if (index === undefined) return;
  const nth = misses.get(index) ?? 0;
  misses.set(index, nth + 1);
  attach(story, row, index);
  const { failures, attempts } = handles[index];
  const first = failures[nth] ? [failures[nth]] : [];
  row.failures = attempts === 1 && first.length > 0 ? differencesOf(handles[index], story.part.notes.handles[index]) : first;
}

/**
 * @param {Page.Story} story
 * @param {Page.TimelineRow} row
 * @param {number[]} here
 * @param {Set<number>} used
 */
function attachDeadline(story, row, here, used) {
  const { handles } = story.part;
  const index = here.find((candidate) => !used.has(candidate) && !['pass', 'slow'].includes(handles[candidate].outcome));
  attach(story, row, index, used);
  if (row.handle) row.start = Math.max(0, row.end - (row.handle.latency_ms ?? 0));
}
