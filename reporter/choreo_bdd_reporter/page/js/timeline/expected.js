// Which expectation a verdict of the timeline is about.

import { differencesOf } from '../message/diff.js';
import { newRow } from '../message/new-row.js';
import { endOf } from './timescale.js';

// Each verdict in the timeline is one of the expectations; this finds out which.
/** @param {Page.Story} story */
export function linkExpectations(story) {
  const { handles } = story.part;
  /** @type {Map<number, number>} */
  const misses = new Map();
  /** @type {Map<string, { all: number[], met: number[], unmet: number[] }>} */
  const places = new Map(handles.map((handle) => [placeOf(handle), { all: [], met: [], unmet: [] }]));
  handles.forEach((handle, index) => {
    const here = places.get(placeOf(handle));
    if (!here) return;
    here.all.push(index);
    here[['pass', 'slow'].includes(handle.outcome) ? 'met' : 'unmet'].push(index);
  });
  for (const row of story.rows) {
    const here = places.get(placeOf(row));
    if (!here) continue;
    if (row.action === 'matched') attach(story, row, firstFree(handles, here.met, row.detail));
    if (row.action === 'mismatched') attachMiss(story, row, here.all, misses);
    if (row.kind === 'deadline' && row.topic) attachDeadline(story, row, here.unmet);
  }
}

/** @param {{ topic: string | null, transport?: string | null }} place */
function placeOf({ topic, transport }) {
  return `${topic}\n${transport ?? ''}`;
}

/**
 * @param {Page.Handle[]} handles
 * @param {number[]} free
 * @param {string} detail
 */
function firstFree(handles, free, detail) {
  const place = detail ? free.findIndex((index) => detail.startsWith(handles[index].reason)) : 0;
  return free.splice(Math.max(0, place), 1)[0];
}

/**
 * @param {Page.Story} story
 * @param {Page.TimelineRow} row
 * @param {number | undefined} index
 */
function attach(story, row, index) {
  if (index === undefined) return;
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
 * @param {number[]} unmet
 */
function attachDeadline(story, row, unmet) {
  attach(story, row, unmet.shift());
  if (row.handle) row.start = Math.max(0, row.end - (row.handle.latency_ms ?? 0));
}

// What was expected and never came gets a row too, up to the deadline of the scope.
/** @param {Page.Story} story */
export function addAbsent(story) {
  const { part, partIndex, rows } = story;
  const shown = new Set(rows.filter((row) => row.kind === 'deadline').map((row) => row.ref));
  const scopeEnd = rows.findLast((row) => row.kind === 'deadline' && !row.topic)?.end ?? null;
  part.handles.forEach((handle, index) => {
    const ref = `${partIndex}.${index}`;
    if (shown.has(ref) || !['timeout', 'fail'].includes(handle.outcome)) return;
    const end = scopeEnd ?? handle.latency_ms ?? 0;
    rows.push(newRow(end, {
      id: `${partIndex}-h${index}`, kind: 'absent', action: 'absent', topic: handle.topic, transport: handle.transport ?? null,
      detail: handle.reason, start: Math.max(0, end - (handle.latency_ms ?? end)), handle, cause: part.notes.handles[index].cause ?? null, ref,
    }));
  });
}
