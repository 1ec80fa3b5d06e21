// The marks of one timeline row, as shares of the axis.

import { el } from './dom.js';
import { duration } from './format.js';

export function markTrack(row, axis, rowsAbove) {
  const at = (ms) => Math.max(0, Math.min(1, ms / axis.max));
  const end = row.judged ?? row.end;
  return [
    rowsAbove > 0 && el('i', { class: 'hr-link', vars: { '--hr-x': at(row.start), '--hr-above': rowsAbove } }),
    budgetMarks(row, at),
    row.start <= axis.max && bar(row, at),
    row.end > axis.max && el('i', { class: 'hr-offscale', title: `at ${duration(row.end)}` }),
    row.end <= axis.max && el('i', { class: `hr-mark hr-mark--${markKind(row)}`, vars: { '--hr-x': at(end) } }),
  ];
}

const BAR_KINDS = new Map(Object.entries({
  delivery: 'hop', arrival: 'arrival', reply: 'work', replyFailed: 'work', skipped: 'skip', deadline: 'wait', absent: 'wait',
}));

function bar(row, at) {
  const kind = BAR_KINDS.get(row.kind);
  if (kind) return barNode(kind, at(row.start), at(row.judged ?? row.end));
  return row.last > row.end ? barNode('reach', at(row.end), at(row.last)) : null;
}

function barNode(kind, from, to) {
  return el('i', { class: `hr-bar hr-bar--${kind}`, vars: { '--hr-x': from, '--hr-w': to - from } });
}

// Where the budget of a matched expectation ended, measured from where its latency began.
function budgetMarks(row, at) {
  const { handle } = row;
  if (row.action !== 'matched' || handle?.budget_ms == null || handle.latency_ms == null) return null;
  const began = row.judged - handle.latency_ms;
  const limit = began + handle.budget_ms;
  const inside = at(limit) < 1;
  return [
    barNode('budget', at(began), at(limit)),
    inside && el('i', { class: 'hr-mark hr-mark--budget', vars: { '--hr-x': at(limit) }, title: `budget ${duration(handle.budget_ms)}` }),
  ];
}

function markKind(row) {
  if (row.action === 'matched') return row.handle?.outcome === 'slow' ? 'slow' : 'matched';
  if (row.action === 'mismatched') return 'near';
  if (row.kind === 'publish' || row.kind === 'reply') return 'sent';
  if (row.kind === 'replyFailed') return 'broken';
  if (row.kind === 'delivery') return 'received';
  return row.kind === 'skipped' ? 'foreign' : 'deadline';
}
