// What the whole run says about its hops and topics: latencies against budgets, and what travelled where.

import { button, el, fill } from '../core/dom.js';
import { renderChannels } from './channels.js';
import { budgetBar } from '../scenario/expectations.js';
import { duration, hopName, percent, plural } from '../core/format.js';
import { arrived, headroom } from '../core/model.js';
import { termOf } from '../list/query.js';
import { sortedTable } from './table.js';
import { transportBadge } from '../core/transports.js';

/** @type {[string, "added" | "latencies", number][]} */
const PERCENTILES = [['Added p50', 'added', 0.5], ['Added max', 'added', 1], ['p50', 'latencies', 0.5], ['p95', 'latencies', 0.95], ['max', 'latencies', 1]];

/** @typedef {Page.HopGroup<Page.Hop & { entry: Page.Entry }>} OwnGroup */
/** @typedef {{ sent: number, received: number, met: number, missing: number }} Traffic */
/** @typedef {{ topic: string, cells: Map<string, Traffic> }} TopicRow */

// Hops of the same topic, ids apart, and transport: { topic, transport, count, missing, latencies and what they added sorted, tight, budget the smallest, over how many broke theirs }.
/**
 * @template {Page.MeasuredHop} H
 * @param {H[]} hops
 * @returns {Map<string, Page.HopGroup<H>>}
 */
export function hopGroups(hops) {
  /** @type {Map<string, Page.HopGroup<H>>} */
  const groups = new Map();
  for (const hop of hops) {
    const topic = hopName(hop.topic);
    const key = `${topic}\n${hop.transport ?? ''}`;
    const group = groups.get(key) ?? { key, topic, transport: hop.transport, count: 0, missing: 0, latencies: [], added: [], tight: null, budget: null, over: 0 };
    groups.set(key, group);
    group.count += 1;
    if (!arrived(hop)) group.missing += 1;
    else {
      group.latencies.push(hop.latency);
      if (hop.added != null) group.added.push(hop.added);
      if (!hop.budget) continue;
      group.budget = Math.min(hop.budget, group.budget ?? hop.budget);
      if (hop.latency > hop.budget) group.over += 1;
      if (roomOf(hop) < roomOf(group.tight)) group.tight = hop;
    }
  }
  for (const { latencies, added } of groups.values()) for (const list of [latencies, added]) list.sort((a, b) => a - b);
  return groups;
}

// What a hop left of its budget, more than all of it where it has none.
/** @param {Page.MeasuredHop | null} hop */
function roomOf(hop) {
  return (hop && headroom(hop)) ?? 2;
}

/**
 * @param {number[]} sorted
 * @param {number} share
 */
export function percentile(sorted, share) {
  return sorted.length > 0 ? sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] : -1;
}

/** @param {Page.Entry[]} entries */
function hopsOf(entries) {
  return entries.flatMap((entry) => entry.hops().map((hop) => ({ ...hop, entry })));
}

/**
 * @param {HTMLElement} host
 * @param {Page.Context} context
 */
export function renderHops(host, context) {
  const rows = [...hopGroups(hopsOf(context.model.entries)).values()];
  if (rows.length === 0) return fill(host, el('p.hr-empty', {}, 'No expectation was made in this run.'));
  /** @param {OwnGroup} row */
  const tightness = (row) => -roomOf(row.tight);
  /** @type {Page.Column<OwnGroup>[]} */
  const measured = PERCENTILES.map(([title, list, share]) =>
    [title, (row) => percentile(row[list], share), (row) => duration(row[list].length > 0 ? percentile(row[list], share) : null)]);
  return fill(host, el('article.hr-article', {}, el('h2.hr-pane-title', {}, 'Hops and their budgets'),
    el('p.hr-note', {}, 'A hop is one topic on one transport, over all scenarios that expect it; topics that differ only in an id are one. The bar is its tightest message. What a hop added counts from the message before it, its latency from when it was expected.'),
    sortedTable('Hops', [
      ['Hop', (row) => row.topic, (row) => [topicButton(row, context), ' ', transportBadge(context, row.transport)]],
      ['Least headroom', tightness, (row) => tightest(row, context), 'text'],
      ...measured, ['Expected', (row) => row.count], ['Not met', (row) => row.missing, (row) => (row.missing > 0 ? brokenButton(row, context) : 0)],
    ], rows, 1)));
}

/**
 * @param {OwnGroup} group
 * @param {Page.Context} context
 */
function tightest({ tight }, context) {
  if (!tight) return el('span.hr-note', {}, 'no budget');
  return [
    budgetBar({ latency_ms: tight.latency, budget_ms: tight.budget, outcome: tight.outcome }),
    button(tight.entry.name, () => context.views.open(tight.entry.id)),
  ];
}

// What was not met leads to the scenarios in which it was not.
/**
 * @param {OwnGroup} row
 * @param {Page.Context} context
 */
function brokenButton({ topic, missing }, context) {
  return button(String(missing), () => context.views.set({ q: termOf('broke:', topic) }, { remember: true }), { title: `Show scenarios that broke on ${topic}` });
}

// A topic leads to the scenarios that expect it.
/**
 * @param {{ topic: string }} row
 * @param {Page.Context} context
 */
function topicButton({ topic }, context) {
  return button(el('code.hr-topic', {}, topic), () => context.views.set({ q: termOf('c:', topic) }, { remember: true }), { title: `Show scenarios with ${topic}` });
}

/**
 * @param {HTMLElement} host
 * @param {Page.Context} context
 */
export function renderTopics(host, context) {
  const { model } = context;
  const names = [...context.transports.keys()];
  /** @type {Map<string, TopicRow>} */
  const topics = new Map();
  /**
   * @param {string} exact
   * @param {string} transport
   */
  const at = (exact, transport) => {
    const topic = hopName(exact);
    const row = topics.get(topic) ?? { topic, cells: new Map() };
    const cell = row.cells.get(transport) ?? { sent: 0, received: 0, met: 0, missing: 0 };
    topics.set(topic, row);
    row.cells.set(transport, cell);
    return cell;
  };
  for (const [topic, transport, count, sent] of model.traffic) at(model.names[topic], model.names[transport] ?? '')[sent ? 'sent' : 'received'] += count;
  for (const hop of hopsOf(model.entries)) at(hop.topic, hop.transport ?? '')[arrived(hop) ? 'met' : 'missing'] += 1;
  const columns = [...names, ...([...topics.values()].some(({ cells }) => cells.has('')) ? [''] : [])];
  /** @param {Traffic} [cell] */
  const total = (cell) => (cell ? cell.sent + cell.received : 0);
  /** @type {Page.Column<TopicRow>[]} */
  const travelled = columns.map((name) => [name || 'messages', (row) => total(row.cells.get(name)), (row) => trafficCell(row.cells.get(name)), 'text']);
  return fill(host, el('article.hr-article', {}, el('h2.hr-pane-title', {}, 'Topics and transports'), renderChannels(model),
    topics.size === 0 ? el('p.hr-empty', {}, 'No message travelled in this run.') : sortedTable('Topics', [
      ['Topic', (row) => row.topic, (row) => topicButton(row, context)],
      ...travelled,
      ['All messages', (row) => [...row.cells.values()].reduce((sum, cell) => sum + total(cell), 0)],
    ], [...topics.values()], columns.length + 1)));
}

/** @param {Traffic | undefined} cell */
function trafficCell(cell) {
  if (!cell) return el('span.hr-note', {}, '–');
  const expected = cell.met + cell.missing;
  return [
    el('span', {}, `${cell.sent} sent, ${cell.received} received`),
    expected > 0 && el('span', { class: cell.missing > 0 ? 'hr-cell-fail' : 'hr-cell-pass' }, `${cell.met} of ${plural(expected, 'expectation')} met (${percent(cell.met, expected)})`),
  ];
}
