// The message timeline: every message of a scenario on one time axis, as a tree of causes and effects.

import { causalRows } from './causality.js';
import { el, fill } from './dom.js';
import { failureTable } from './diff.js';
import { duration, localTime, plural, timeAxis } from './format.js';
import { messageFacts } from './message.js';
import { followTreegridKeys } from './treegrid.js';
import { transportBadge, transportClass } from './transports.js';
import { glyph, verdictBadge } from './verdicts.js';
import { markTrack } from './tracks.js';

const MOUNTED_AT_FIRST = 500;
// A deadline this much later than the last message would squeeze all messages into one column.
const SQUEEZE = 4;
const DEEPEST_INDENT = 9;

export function renderWaterfall(part, partIndex, entry, context) {
  if (part.timeline.length === 0) return noTimeline(part);
  const chart = createChart(part, partIndex, entry, context);
  chart.draw();
  return chart.section;
}

function noTimeline(part) {
  const text = part.handles.length > 0
    ? 'The results keep no message timeline for this scenario; the expectations above hold its latencies.'
    : 'No message was sent or expected here.';
  return el('section', {}, el('h3', { class: 'hr-label' }, 'Message timeline'), el('p', { class: 'hr-callout' }, text));
}

function createChart(part, partIndex, entry, context) {
  const rows = causalRows(part, partIndex);
  const spans = timeSpans(rows);
  const state = { closed: new Set(), zoomed: spans.messages * SQUEEZE < spans.whole, limit: MOUNTED_AT_FIRST, active: rows[0]?.id };
  const head = el('div', { class: 'hr-waterfall-head' });
  const grid = el('div', { class: 'hr-waterfall', role: 'treegrid', 'aria-label': 'Message timeline', 'aria-colcount': 4 });
  const side = el('aside', { class: 'hr-message', 'aria-label': 'Message', hidden: true });
  const section = el('section', { class: 'hr-timeline' }, head, el('div', { class: 'hr-timeline-body' }, grid, side));

  const visible = () => rows.filter((row) => {
    for (let above = row.parent; above; above = above.parent) if (state.closed.has(above.id)) return false;
    return true;
  });
  const draw = () => {
    const axis = timeAxis((state.zoomed ? spans.messages : spans.whole) * 1.02);
    const shown = visible();
    const mounted = shown.slice(0, state.limit);
    fill(head, timelineHead(part, spans, state, () => { state.zoomed = !state.zoomed; draw(); }, context));
    fill(grid, axisRow(axis), el('div', { role: 'rowgroup', class: 'hr-waterfall-rows', vars: { '--hr-ticks': axis.count } },
      mounted.map((row, index) => waterfallRow(row, index, mounted, axis, state, context))));
    showMore(grid, shown, mounted, () => { state.limit = Infinity; draw(); });
  };
  const select = (id, remember) => context.views.set({ test: entry.id, event: id }, { remember });
  followTreegridKeys(grid, {
    activate: (id) => { state.active = id; },
    open: (id, on) => {
      state.closed[on ? 'delete' : 'add'](id);
      draw();
      grid.querySelector('[tabindex="0"]').focus();
    },
    choose: (id) => select(context.views.current.event === id ? null : id, true),
  });
  context.onEvent((id) => {
    const row = rows.find((candidate) => candidate.id === id);
    for (const node of grid.querySelectorAll('[data-node-id]')) node.setAttribute('aria-selected', String(node.getAttribute('data-node-id') === id));
    side.hidden = !row;
    if (row) fill(side, eventPanel(row, context, () => select(null, true)));
  });
  return { section, draw };
}

// The span of everything, and of the messages alone (deadlines and waits left out).
function timeSpans(rows) {
  const ends = (list) => Math.max(0, ...list.map((row) => Math.max(row.end, row.judged ?? 0)));
  const messages = ends(rows.filter((row) => !isWait(row)));
  return { whole: ends(rows), messages: messages || ends(rows) };
}

function isWait(row) {
  return row.kind === 'deadline' || row.kind === 'absent';
}

function timelineHead(part, spans, state, toggleZoom, context) {
  const squeezed = spans.messages * SQUEEZE < spans.whole;
  const names = [...new Set(part.timeline.map((event) => event.transport).filter(Boolean))].sort();
  return [
    el('h3', { class: 'hr-label' }, 'Message timeline'),
    el('span', {
      class: 'hr-note', 'data-stage-timeline-banner': part.stage ? 'true' : null,
      'data-stage-timeline-events': part.stage ? part.timeline.length : null, 'data-stage-timeline-transports': part.stage ? names.join(' ') : null,
    }, plural(part.timeline.length, 'event'), names.map((name) => transportBadge(context, name))),
    part.timeline_dropped > 0 && el('span', { class: 'hr-note hr-note--warn' }, `${plural(part.timeline_dropped, 'earlier event')} not kept`),
    legend(),
    squeezed && el('button', { type: 'button', class: 'hr-button hr-zoom', 'aria-pressed': String(!state.zoomed), on: { click: toggleZoom } },
      state.zoomed ? `Show all ${duration(spans.whole)}` : `Zoom to the messages (${duration(spans.messages)})`),
  ];
}

function legend() {
  const item = (mark, text) => el('span', { class: 'hr-legend-item' }, el('i', { class: `hr-mark hr-mark--${mark}` }), text);
  return el('span', { class: 'hr-legend', 'aria-hidden': 'true' },
    item('sent', 'sent'), item('matched', 'matched'), item('near', 'near-miss'), item('deadline', 'deadline'), item('budget', 'budget'));
}

function axisRow(axis) {
  return el('div', { role: 'rowgroup' }, el('div', { class: 'hr-waterfall-axis', role: 'row' },
    el('span', { role: 'columnheader' }, 'Message'),
    el('span', { role: 'columnheader', class: 'hr-ticks', 'aria-label': `Time, 0 to ${axis.ticks.at(-1).label}` },
      axis.ticks.map((tick) => el('span', { class: 'hr-tick', 'aria-hidden': 'true', vars: { '--hr-x': tick.share } }, tick.label))),
    el('span', { role: 'columnheader', class: 'hr-number' }, 'at'),
    el('span', { role: 'columnheader', class: 'hr-number' }, 'took')));
}

function waterfallRow(row, index, mounted, axis, state, context) {
  const parentIndex = row.parent ? mounted.indexOf(row.parent) : -1;
  const reply = row.kind === 'reply' && row.parent;
  return el('div', {
    class: `hr-waterfall-row ${transportClass(context, row.transport)}`, role: 'row', tabindex: row.id === state.active ? '0' : '-1',
    'aria-level': row.level, 'aria-expanded': row.children.length > 0 ? String(!state.closed.has(row.id)) : null,
    'aria-selected': String(context.views.current.event === row.id), 'data-node-id': row.id, 'data-parent-id': row.parent?.id,
    'data-action': row.action, 'data-kind': row.kind, 'data-topic': row.topic, 'data-transport': row.transport, 'data-source': row.source,
    'data-tone': phraseTone(row), 'data-scope-event': row.topic === null ? 'true' : null, 'data-refs': row.ref,
    'data-reply-link-from': reply ? row.parent.id : null, 'data-reply-link-to': reply ? row.id : null,
    vars: { '--hr-level': Math.min(row.level, DEEPEST_INDENT) },
  },
    el('span', { role: 'gridcell', class: 'hr-waterfall-label' }, rowLabel(row, state, context)),
    el('span', { role: 'gridcell', class: 'hr-track' }, markTrack(row, axis, parentIndex < 0 ? 0 : index - parentIndex)),
    el('span', { role: 'gridcell', class: 'hr-number' }, duration(row.judged ?? row.end)),
    el('span', { role: 'gridcell', class: 'hr-number' }, tookText(row)));
}

function tookText(row) {
  const took = (row.judged ?? row.end) - row.start;
  return took === 0 || row.topic === null || (row.kind === 'delivery' && !row.parent) ? '' : duration(took);
}

const PHRASES = new Map([
  ['published', 'sent'], ['received', 'received'], ['matched', 'matched'], ['mismatched', 'near-miss'], ['replied', 'reply sent'],
  ['reply_failed', 'reply failed'], ['correlation_skipped', 'other scope'], ['deadline', 'deadline'], ['absent', 'never matched'],
]);

function rowPhrase(row) {
  if (row.handle?.outcome === 'timeout' && isWait(row)) return 'nothing arrived';
  if (row.handle && isWait(row)) return 'no match by the deadline';
  if (row.action === 'matched' && row.handle?.outcome === 'slow') return 'matched, over budget';
  return PHRASES.get(row.action) ?? row.action;
}

function rowLabel(row, state, context) {
  const parent = row.children.length > 0;
  const open = parent ? { 'data-toggle': row.id, 'data-open': String(!state.closed.has(row.id)) } : {};
  return [
    el('span', { class: 'hr-caret', ...open }, parent && glyph('M6 4l4 4-4 4')),
    row.topic && transportBadge(context, row.transport, { full: false }),
    el('span', { class: `hr-phrase hr-phrase--${phraseTone(row)}` }, rowPhrase(row)),
    row.topic && el('code', { class: 'hr-topic', title: row.topic }, row.topic),
    sourceBadgeText(row.source) && el('span', { class: 'hr-waterfall-source' }, sourceBadgeText(row.source)),
  ];
}

function phraseTone(row) {
  if (row.action === 'matched') return row.handle?.outcome === 'slow' ? 'slow' : 'pass';
  if (isWait(row) && row.handle?.outcome !== 'fail') return 'timeout';
  return ['mismatched', 'reply_failed', 'absent', 'deadline'].includes(row.action) ? 'fail' : 'plain';
}

export function sourceBadgeText(source) {
  switch (source) {
    case 'publish': return 'by test';
    case 'expect': return 'by expect';
    case 'reply': return 'by reply';
    case 'scope': return 'by scope';
    default: return '';
  }
}

function showMore(grid, shown, mounted, expand) {
  const hidden = shown.length - mounted.length;
  grid.toggleAttribute('data-virtualised', false);
  if (hidden <= 0) return;
  grid.setAttribute('data-virtualised', 'true');
  grid.setAttribute('data-virtualised-shown', mounted.length);
  grid.setAttribute('data-virtualised-total', shown.length);
  const button = el('button', { type: 'button', class: 'hr-button', on: { click: expand } }, `Show ${plural(hidden, 'more row')}`);
  button.setAttribute('data-virtualised-expand', 'true');
  grid.append(el('div', { role: 'row' }, el('span', { role: 'gridcell' }, button)));
}

function eventPanel(row, context, close) {
  const facts = [
    ['at', duration(row.end)], ['judged', row.judged !== null && row.judged !== row.end && duration(row.judged)],
    ['took', tookText(row)], ['wall clock', row.wallClock && localTime(row.wallClock)], ['detail', row.detail],
    ['budget', row.handle?.budget_ms != null && duration(row.handle.budget_ms)],
  ].filter(([, value]) => value);
  return [
    el('div', { class: 'hr-message-head' }, el('h4', {}, rowPhrase(row)), transportBadge(context, row.transport),
      el('button', { type: 'button', class: 'hr-button', 'aria-label': 'Close the message', on: { click: close } }, '×')),
    row.topic && !row.message && el('p', {}, el('code', { class: 'hr-topic' }, row.topic)),
    row.handle && el('p', {}, verdictBadge(row.handle.outcome), ' ', el('span', { class: 'hr-note' }, row.handle.matcher_description)),
    row.failure && failureTable(row.failure),
    el('dl', { class: 'hr-facts-list' }, facts.map(([name, value]) => [el('dt', {}, name), el('dd', {}, String(value))])),
    row.message ? messageFacts(row.message) : !isWait(row) && el('p', { class: 'hr-note' }, 'The message body was not kept.'),
  ];
}
