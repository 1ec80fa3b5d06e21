// Above the rows: what the timeline holds, its legend, the switches for layout and time, and the axis.

import { button, el } from '../core/dom.js';
import { duration, plural } from '../core/format.js';
import { transportBadge } from '../core/transports.js';
import { budgetOf } from './tracks.js';
import { isUnreadable } from '../message/strays.js';

/**
 * @param {Page.Part} part
 * @param {Page.TimelineRow[]} rows
 * @param {Page.TimelineState} state
 * @param {Page.TimelineActions} actions
 * @param {Page.Context} context
 */
export function timelineHead(part, rows, state, actions, context) {
  const names = [...new Set(part.timeline.map((event) => event.transport).filter(Boolean))].sort();
  const { critical, spans } = state;
  return [
    el('h3.hr-label', {}, 'Message timeline'),
    el('span', {
      class: 'hr-note', 'data-stage-timeline-banner': part.stage ? 'true' : null,
      'data-stage-timeline-events': part.stage ? part.timeline.length : null, 'data-stage-timeline-transports': part.stage ? names.join(' ') : null,
    }, plural(part.timeline.length, 'event'), names.map((name) => transportBadge(context, name))),
    critical.count > 1 && el('span.hr-note', { title: 'From the first cause to the last message, cause by cause; marked in the rows' }, `critical path ${plural(critical.count, 'message')}, ${duration(critical.took)}`),
    part.timeline_dropped > 0 && el('span.hr-note.hr-note--warn', {}, `${plural(part.timeline_dropped, 'more event')} not kept`),
    legend(rows, critical.count > 1),
    el('span.hr-timeline-tools', {},
      part.stage && toggle('Lanes', 'lanes', state, actions.lanes),
      rows.some((row) => row.level > 1) && !state.lanes && toggle('Failing path only', 'focused', state, actions.focus),
      state.clock && toggle('Clock time', 'absolute', state, actions.absolute),
      spans.squeezed && button(state.onMessages ? `Show all ${duration(spans.whole)}` : `Zoom to the messages (${duration(spans.messages - spans.from)})`,
        actions.stretch, { class: 'hr-button', 'aria-pressed': String(!state.onMessages) }),
      zoomButton('−', 'Zoom out (s)', actions.out), zoomButton('+', 'Zoom in (w)', actions.in), state.view && zoomButton('Reset', 'Show everything again (0)', actions.reset)),
  ];
}

/**
 * @param {string} text
 * @param {'lanes' | 'focused' | 'absolute'} name
 * @param {Page.TimelineState} state
 * @param {() => void} click
 */
function toggle(text, name, state, click) {
  return button(text, click, { class: 'hr-button', 'data-switch': name, 'aria-pressed': String(state[name]) });
}

/**
 * @param {string} text
 * @param {string} label
 * @param {() => void} click
 */
function zoomButton(text, label, click) {
  return button(text, click, { class: 'hr-button', 'aria-label': label, title: label });
}

/** @type {[string, string, (row: Page.TimelineRow) => boolean][]} */
const LEGEND = [
  ['sent', 'sent', () => true], ['matched', 'matched', () => true], ['near', 'near-miss', (row) => row.action === 'mismatched'],
  ['late', 'late', (row) => row.late || row.why === 'late'], ['foreign', 'met nothing', (row) => row.kind === 'skipped' || Boolean(row.why) || isUnreadable(row)],
  ['deadline', 'deadline', (row) => row.kind === 'deadline' || row.kind === 'absent'], ['budget', 'budget', (row) => budgetOf(row) !== null],
];

// Only the marks that occur.
/**
 * @param {Page.TimelineRow[]} rows
 * @param {boolean} critical
 */
function legend(rows, critical) {
  const items = LEGEND.filter(([, , occurs]) => rows.some(occurs));
  return el('span.hr-legend', { 'aria-hidden': 'true' },
    items.map(([mark, text]) => el('span.hr-legend-item', {}, el('i', { class: `hr-mark hr-mark--${mark}` }), text)),
    critical && el('span.hr-legend-item', {}, el('i.hr-mark.hr-mark--critical', {}), 'critical path'));
}

// More of them tell nothing apart; each stands in its row as well.
const BUDGETS_ON_AXIS = 12;

/**
 * @param {Page.Axis} axis
 * @param {Page.TimelineRow[]} rows
 */
export function axisRow(axis, rows) {
  const limits = rows.flatMap((row) => budgetOf(row) ?? []).filter(({ limit }) => limit >= axis.from && limit <= axis.to);
  return el('div.hr-waterfall-axis', { role: 'row', 'aria-rowindex': 1 },
    el('span', { role: 'columnheader' }, 'Message'),
    el('span', { role: 'columnheader', class: 'hr-ticks', 'aria-label': `Time, ${axis.ticks[0]?.label} to ${axis.ticks.at(-1)?.label}` },
      axis.ticks.map((tick) => el('span.hr-tick', { 'aria-hidden': 'true', vars: { '--hr-x': tick.share } }, tick.label)),
      (limits.length <= BUDGETS_ON_AXIS ? limits : []).map(({ topic, size, limit }) => el('i.hr-axis-budget', { title: `budget of ${topic}: ${duration(size)}`, vars: { '--hr-x': axis.share(limit) } }))),
    el('span', { role: 'columnheader', class: 'hr-number' }, 'at'),
    el('span', { role: 'columnheader', class: 'hr-number' }, 'took'));
}
