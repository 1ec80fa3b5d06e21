// The marks of one timeline row, as shares of the axis.

import { el } from '../core/dom.js';
import { duration } from '../core/format.js';
import { endOf } from './timescale.js';
import { isUnreadable } from '../message/strays.js';

/**
 * @param {Page.TimelineRow} row
 * @param {Page.Axis} axis
 * @param {number} rowsAbove
 * @param {[number, number] | undefined} critical
 */
export function markTrack(row, axis, rowsAbove, critical) {
  /** @param {number} ms */
  const inside = (ms) => ms >= axis.from && ms <= axis.to;
  const end = endOf(row);
  return [
    rowsAbove > 0 && inside(row.start) && el('i.hr-link', { vars: { '--hr-x': axis.share(row.start), '--hr-above': rowsAbove } }),
    budgetMarks(row, axis, inside),
    critical && barNode('critical', axis, ...critical),
    row.start <= axis.to && end >= axis.from && bar(row, axis),
    end > axis.to && el('i.hr-offscale', { title: `at ${duration(end)}` }),
    end < axis.from && el('i.hr-offscale.hr-offscale--before', { title: `at ${duration(end)}` }),
    inside(end) && el('i', { class: `hr-mark hr-mark--${markKind(row)}`, vars: { '--hr-x': axis.share(end) } }),
  ];
}

const BAR_KINDS = new Map(Object.entries({
  delivery: 'hop', arrival: 'arrival', reply: 'work', replyFailed: 'work', skipped: 'skip', span: 'work', act: 'work', deadline: 'wait', absent: 'wait',
}));

/**
 * @param {Page.TimelineRow} row
 * @param {Page.Axis} axis
 */
function bar(row, axis) {
  const kind = BAR_KINDS.get(row.kind);
  if (kind) return barNode(kind, axis, row.start, endOf(row));
  return row.last > row.end ? barNode('reach', axis, row.end, row.last) : null;
}

/**
 * @param {string} kind
 * @param {Page.Axis} axis
 * @param {number} from
 * @param {number} to
 */
function barNode(kind, axis, from, to) {
  const x = axis.share(from);
  return el('i', { class: `hr-bar hr-bar--${kind}`, vars: { '--hr-x': x, '--hr-w': axis.share(to) - x } });
}

// The budget of an expectation: its topic, its size, and where it began and ended, all in ms; or nothing.
/** @param {Page.TimelineRow} row */
export function budgetOf(row) {
  const { handle } = row;
  if (handle?.budget_ms == null || handle.latency_ms == null) return null;
  if (row.action !== 'matched' && row.kind !== 'deadline' && row.kind !== 'absent') return null;
  const began = endOf(row) - handle.latency_ms;
  return { topic: handle.topic, size: handle.budget_ms, began, limit: began + handle.budget_ms };
}

/**
 * @param {Page.TimelineRow} row
 * @param {Page.Axis} axis
 * @param {(ms: number) => boolean} inside
 */
function budgetMarks(row, axis, inside) {
  const budget = budgetOf(row);
  if (!budget) return null;
  return [
    barNode('budget', axis, budget.began, budget.limit),
    inside(budget.limit) && el('i.hr-mark.hr-mark--budget', { vars: { '--hr-x': axis.share(budget.limit) }, title: `budget ${duration(budget.size)}` }),
  ];
}

/** @param {Page.TimelineRow} row */
function markKind(row) {
  if (row.action === 'matched') return row.handle?.outcome === 'slow' ? 'slow' : 'matched';
  if (row.action === 'mismatched') return 'near';
  if (row.kind === 'replyFailed' || row.error) return 'broken';
  if (['publish', 'reply', 'act'].includes(row.kind)) return 'sent';
  if (row.late || row.why === 'late') return 'late';
  if (row.why || isUnreadable(row)) return 'foreign';
  if (row.kind === 'delivery' || row.kind === 'span') return 'received';
  return row.kind === 'skipped' ? 'foreign' : 'deadline';
}
