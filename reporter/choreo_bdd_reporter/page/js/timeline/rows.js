// One row of the message timeline: what happened, where, and its marks on the time axis.

import { el } from '../core/dom.js';
import { duration } from '../core/format.js';
import { endOf, isWait } from './timescale.js';
import { causeText } from '../message/causes.js';
import { isUnreadable, strayPhrase } from '../message/strays.js';
import { markTrack } from './tracks.js';
import { transportBadge, transportClass } from '../core/transports.js';
import { caret } from '../core/verdicts.js';

const DEEPEST_INDENT = 9;

// `place`: { position, parentPosition or null, axis, clock, lanes, closed, critical, active, selected, total }.
/**
 * @param {Page.TimelineRow} row
 * @param {Page.RowPlace} place
 * @param {Page.Context} context
 */
export function timelineRow(row, place, context) {
  const level = place.lanes ? 2 : row.level;
  return el('div', {
    class: `hr-waterfall-row ${transportClass(context, row.transport)}`, role: 'row', tabindex: place.active ? '0' : '-1',
    'aria-level': level, 'aria-rowindex': place.position + 2, 'aria-expanded': row.children.length > 0 && !place.lanes ? String(!place.closed) : null,
    'aria-selected': String(place.selected), 'data-node-id': row.id, 'data-parent-id': row.parent?.id, 'data-depth': row.level,
    'data-action': row.action, 'data-kind': row.kind, 'data-topic': row.topic, 'data-transport': row.transport, 'data-source': row.source, 'data-after': row.after?.id,
    'data-tone': phraseTone(row), 'data-scope-event': row.topic === null ? 'true' : null, 'data-refs': row.ref,
    'data-critical': Boolean(place.critical), 'data-late': row.late,
    vars: { '--hr-level': Math.min(level, DEEPEST_INDENT) },
  },
    el('span', { role: 'gridcell', class: 'hr-waterfall-label' }, rowLabel(row, place, context)),
    el('span', { role: 'gridcell', class: 'hr-track' }, markTrack(row, place.axis, place.parentPosition === null ? 0 : place.position - place.parentPosition, place.critical)),
    el('span', { role: 'gridcell', class: 'hr-number' }, place.clock ? place.clock(endOf(row)).slice(0, 12) : duration(endOf(row))),
    el('span', { role: 'gridcell', class: 'hr-number' }, tookText(row)));
}

/** @param {Page.TimelineRow} row */
export function tookText(row) {
  return took(row) === 0 || row.topic === null || (row.kind === 'delivery' && !row.parent && !row.after) ? '' : duration(took(row));
}

/** @param {Page.TimelineRow} row */
function took(row) {
  return endOf(row) - row.start;
}

const PHRASES = new Map([
  ['published', 'sent'], ['received', 'received'], ['matched', 'matched'], ['mismatched', 'near-miss'], ['replied', 'reply sent'],
  ['reply_failed', 'reply failed'], ['correlation_skipped', 'came with another id'], ['deadline', 'deadline'], ['absent', 'never matched'],
]);

// How a wait ended where it was neither silence nor a wrong message.
const WAITS = new Map([
  ['too late', 'came too late'], ['too early', 'came too early'], ['wrong correlation', 'came with another id'],
  ['nobody listens', 'nobody listens'],
  ['no correlation id', 'came without an id'], ['wrong topic?', 'came on another topic?'], ['out of order', 'out of order'],
  ['too few', 'too few came'], ['undecodable', 'could not be read'], ['transport failed', 'transport failed'], ['aborted', 'aborted'],
]);

/**
 * @param {Page.TimelineRow} row
 * @returns {string}
 */
export function rowPhrase(row) {
  if (row.kind === 'span') return row.error ? `${row.service} failed` : `${row.service}`;
  if (row.kind === 'act') return row.error ? 'act failed' : 'act';
  const ended = WAITS.get(row.cause ?? '');
  if (isWait(row) && ended) return `waited: ${ended}`;
  if (row.handle?.outcome === 'timeout' && isWait(row)) return 'nothing arrived';
  if (row.handle && isWait(row)) return 'no match by the deadline';
  if (row.action === 'matched' && row.handle?.outcome === 'slow') return 'matched, over budget';
  if (row.why || isUnreadable(row)) return strayPhrase(row);
  if (row.late) return 'arrived late';
  return PHRASES.get(row.action) ?? row.action;
}

/**
 * @param {Page.TimelineRow} row
 * @param {Page.RowPlace} place
 * @param {Page.Context} context
 */
function rowLabel(row, place, context) {
  const parent = row.children.length > 0 && !place.lanes;
  const moved = row.message?.moved;
  return [
    parent ? caret({ 'data-toggle': row.id, 'data-open': String(!place.closed) }) : el('span.hr-caret', {}),
    row.topic && !place.lanes && transportBadge(context, row.transport, { full: false }),
    el('span', { class: `hr-phrase hr-tone--${phraseTone(row)}` }, rowPhrase(row)),
    row.topic && el('code.hr-topic', { title: row.topic }, row.topic),
    (moved || (row.after && took(row) > 0)) && el('span.hr-waterfall-source', { title: causeText(row) },
      moved?.how ?? `${duration(took(row))} ${relation(row)} ${row.after?.topic}`),
    sourceBadgeText(row.source) && el('span.hr-waterfall-source', {}, sourceBadgeText(row.source)),
  ];
}

/** @param {Page.TimelineRow} row */
function relation({ told, after, end }) {
  if (told) return 'from';
  return after && after.end > end ? 'into' : 'after';
}

/** @param {Page.TimelineRow} row */
export function phraseTone(row) {
  if (row.error) return 'fail';
  if (row.action === 'matched') return row.handle?.outcome === 'slow' ? 'slow' : 'pass';
  if (isWait(row) && row.handle?.outcome !== 'fail') return 'timeout';
  if (row.late) return 'slow';
  if (isUnreadable(row)) return 'fail';
  if (row.why) return row.nearest?.outcome === 'pass' ? 'plain' : 'slow';
  return ['mismatched', 'reply_failed', 'absent', 'deadline'].includes(row.action) ? 'fail' : 'plain';
}

/** @param {string | null} source */
export function sourceBadgeText(source) {
  switch (source) {
    case 'publish': return 'by test';
    case 'expect': return 'by expect';
    case 'reply': return 'by reply';
    case 'scope': return 'by scenario';
    default: return '';
  }
}
