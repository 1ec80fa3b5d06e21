// Which expectation a verdict of the timeline is about.

import { differencesOf } from '../message/diff.js';

// Each verdict in the timeline is one of the expectations; this finds out which.
export function linkExpectations(story) {
  const { handles } = story.part;
  const used = new Set();
  const misses = new Map();
  const places = new Map(handles.map((handle) => [placeOf(handle), []]));
  handles.forEach((handle, index) => places.get(placeOf(handle)).push(index));
  for (const row of story.rows) {
    const here = places.get(placeOf(row)) ?? [];
    if (row.action === 'matched') attach(story, row, firstFree(handles, here, used, row.detail), used);
    if (row.action === 'mismatched') attachMiss(story, row, here, misses);
    if (row.kind === 'deadline' && row.topic) attachDeadline(story, row, here, used);
  }
}

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

/** @param {Page.TimelineRow} row */
function attach(story, row, index, used) {
  if (index === undefined) return;
  used?.add(index);
  row.handle = story.part.handles[index];
  row.cause = story.part.notes.handles[index].cause ?? null;
  row.ref = `${story.partIndex}.${index}`;
  // nobody here sent it: the bar then shows the wait its latency is about
  const waited = row.handle.latency_ms;
  if (row.action === 'matched' && !row.parent && waited !== null) Object.assign(row, { kind: 'arrival', start: Math.max(0, row.judged - waited) });
}

/** @param {Page.TimelineRow} row */
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

/** @param {Page.TimelineRow} row */
function attachDeadline(story, row, here, used) {
  const { handles } = story.part;
  const index = here.find((candidate) => !used.has(candidate) && !['pass', 'slow'].includes(handles[candidate].outcome));
  attach(story, row, index, used);
  if (row.handle) row.start = Math.max(0, row.end - (row.handle.latency_ms ?? 0));
}
