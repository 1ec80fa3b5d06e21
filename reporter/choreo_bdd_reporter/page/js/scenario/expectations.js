// Expectations: verdict, latency against its budget, and on opening what was expected and what arrived.

import { el, factList, inParts, IN_ONE_GO, lazyDetails } from '../core/dom.js';
import { differenceTable } from '../message/diff.js';
import { duration, percent, plural, shownOf } from '../core/format.js';
import { jsonBlock } from '../message/json.js';
import { messageFacts } from '../message/message.js';
import { transportBadge } from '../core/transports.js';
import { listVerdict } from '../core/verdicts.js';

const PASSED_SHOWN = 6;

/**
 * @param {Page.Part} part
 * @param {number} partIndex
 * @param {Page.Context} context
 */
export function renderExpectations(part, partIndex, context) {
  if (part.handles.length === 0) return null;
  return el('div', { 'data-field': 'handles' },
    el('h3.hr-label', {}, shownOf(part.handles.length, part.notes.left.handles, 'Expectation')),
    listed(part.handles, (index) => expectationRow(part.handles[index], part.notes.handles[index], `${partIndex}.${index}`, context)));
}

// In a long list those that passed step back, with the tightest of them named.
/**
 * @param {Page.Handle[]} handles
 * @param {(index: number) => Page.Child} row
 * @returns {Page.Child}
 */
function listed(handles, row) {
  /** @param {number[]} indices */
  const rows = (indices) => inParts(indices, row);
  const all = [...handles.keys()];
  const passed = all.filter((index) => handles[index].outcome === 'pass');
  if (passed.length <= PASSED_SHOWN) return rows(all);
  const budgets = passed.flatMap((index) => {
    const { latency_ms: latency, budget_ms: budget } = handles[index];
    return latency !== null && budget ? [{ budget, left: budget - latency }] : [];
  });
  const least = budgets.sort((a, b) => b.left / b.budget - a.left / a.budget).at(-1);
  const tightest = least && `, the tightest with ${duration(least.left)} left (${percent(least.left, least.budget)})`;
  const title = [`${passed.length} passed`, tightest];
  return [
    rows(all.filter((index) => handles[index].outcome !== 'pass')),
    passed.length > IN_ONE_GO ? lazyDetails({ class: 'hr-fold' }, title, () => rows(passed)) : el('details.hr-fold', {}, el('summary', {}, title), rows(passed)),
  ];
}

/**
 * @param {Page.Handle} handle
 * @param {Page.OpenNote} note
 * @param {string} ref
 * @param {Page.Context} context
 */
function expectationRow(handle, note, ref, context) {
  const options = {
    class: 'hr-handle', 'data-topic': handle.topic, 'data-outcome': handle.outcome,
    'data-handle-transport': handle.transport, 'data-refs': ref,
  };
  const summary = el('span.hr-handle-head', {},
    listVerdict(handle.outcome),
    el('span.hr-handle-name', {},
      el('code.hr-topic', {}, handle.topic),
      transportBadge(context, handle.transport, { extraClass: 'hr-handle-transport-badge' }),
      el('span.hr-note', {}, handle.matcher_description)),
    budgetBar(handle));
  return lazyDetails(options, summary, () => expectationBody(handle, note));
}

// The budget is the pale bar, the time taken the solid one; what is left over is said in words.
/** @param {Pick<Page.Handle, "latency_ms" | "budget_ms" | "outcome">} handle */
export function budgetBar({ latency_ms: latency, budget_ms: budget, outcome }) {
  if (latency === null) return null;
  if (outcome === 'fail' || outcome === 'timeout') return el('span.hr-budget', {}, el('span.hr-budget-text', {}, `waited ${duration(latency)}`));
  if (budget === null) return el('span.hr-budget', {}, el('span.hr-budget-text', {}, duration(latency)));
  const scale = Math.max(latency, budget) || 1;
  const over = latency > budget;
  return el('span.hr-budget', { 'data-over': over },
    el('span.hr-budget-bar', { 'aria-hidden': 'true', vars: { '--hr-used': latency / scale, '--hr-limit': budget / scale } }),
    el('span.hr-budget-text', {}, `${duration(latency)} of ${duration(budget)}`,
      el('span.hr-budget-rest', {}, over
        ? `${duration(latency - budget)} over`
        : `${duration(budget - latency)} left (${percent(budget - latency, budget)})`)));
}

/**
 * @param {Page.Handle} handle
 * @param {Page.OpenNote} note
 */
function expectationBody(handle, note) {
  return el('div.hr-handle-body', {},
    (note.sentence || handle.reason) && el('p', {}, note.sentence || handle.reason),
    differenceTable(handle, note),
    timings(handle, note),
    handle.truncated && el('p.hr-note', {}, 'A value was too large for the report and is cut.'),
    el('div.hr-panels', {},
      handle.expected !== null && panel('expected', 'Expected', handle.expected),
      handle.actual !== null && panel('actual', handle.outcome === 'fail' ? 'Arrived last' : 'Arrived', handle.actual)),
    seenMessages(note.messages ?? [], note.messages_dropped),
    note.text && lazyDetails({ class: 'hr-fold' }, 'full diagnosis', () => el('pre.hr-pre', { tabindex: '0' }, note.text)));
}

/**
 * @param {Page.Handle} handle
 * @param {Page.OpenNote} note
 */
function timings(handle, note) {
  return factList([
    ['attempts', handle.attempts > 0 && plural(handle.attempts, 'near-miss', 'near-misses')],
    ['from publish', note.since_publish_ms != null && duration(note.since_publish_ms)],
    ['from arming', note.since_registration_ms != null && duration(note.since_registration_ms)],
    ['declared in', note.step_text],
    ['armed by', note.origin],
  ]);
}

/**
 * @param {string} name
 * @param {string} title
 * @param {any} value
 */
function panel(name, title, value) {
  return el('div', { 'data-panel': name }, el('h4.hr-sublabel', {}, title), jsonBlock(value, { 'aria-label': `${title} value` }));
}

/**
 * @param {(Page.Message | null)[]} messages
 * @param {number | undefined} left
 */
function seenMessages(messages, left) {
  if (messages.length === 0) return null;
  return lazyDetails({ class: 'hr-fold' }, shownOf(messages.length, left, 'message seen', 'messages seen'),
    () => messages.map((message) => el('div.hr-seen', {},
      message !== null && typeof message === 'object' ? messageFacts(message) : String(message))));
}
