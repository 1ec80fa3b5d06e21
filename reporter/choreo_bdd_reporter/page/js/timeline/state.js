// What a timeline starts with, and which stretch of time and which rows its state asks for.

import { criticalPath } from './critical-path.js';
import { readPreference } from '../core/preferences.js';
import { phraseTone } from './rows.js';
import { roundView, timeSpans, wallClock } from './timescale.js';

const FOCUSED_FROM = 200;
const BROKEN_TONES = ['fail', 'timeout', 'slow'];

/**
 * @param {Page.TimelineRow[]} rows
 * @param {Page.Part} part
 * @returns {Page.TimelineState}
 */
export function startState(rows, part) {
  const spans = timeSpans(rows);
  const broken = rows.some((row) => BROKEN_TONES.includes(phraseTone(row)));
  return {
    spans, critical: criticalPath(rows), clock: wallClock(rows), absolute: readPreference('time', 'relative') === 'absolute',
    lanes: (part.stage?.transports ?? []).some((name) => rows.some((row) => row.transport === name)),
    closed: new Set(), focused: rows.length > FOCUSED_FROM && broken, onMessages: spans.squeezed, view: null, active: rows[0]?.id ?? null,
  };
}

/** @param {Pick<Page.TimelineState, 'spans' | 'onMessages'>} state */
export function wholeView({ spans, onMessages }) {
  return roundView(spans.from, onMessages ? spans.messages : spans.whole);
}

/** @param {Pick<Page.TimelineState, 'spans'>} state */
export function limitsOf({ spans }) {
  return roundView(spans.from, spans.whole);
}

/** @param {Pick<Page.TimelineState, 'absolute' | 'clock'>} state */
export function clockOf({ absolute, clock }) {
  return absolute ? clock : null;
}

// Rows that ended badly, with everything that led to them.
/** @param {Page.TimelineRow[]} rows */
function failingPath(rows) {
  const kept = new Set();
  for (const row of rows.filter((each) => BROKEN_TONES.includes(phraseTone(each)))) {
    for (let above = row.parent; above; above = above.parent) kept.add(above);
    kept.add(row);
  }
  return rows.filter((row) => kept.has(row));
}

/**
 * @param {Page.TimelineRow[]} rows
 * @param {Pick<Page.TimelineState, 'focused' | 'lanes'>} state
 */
export function shownRows(rows, { focused, lanes }) {
  return focused && !lanes ? failingPath(rows) : rows;
}
