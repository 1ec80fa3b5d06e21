// Which entries a view shows, and in which order.

import { CHANGES } from '../core/changes.js';
import { hopName } from '../core/format.js';
import { headroom, severity } from '../core/model.js';
import { parseQuery } from './query.js';

/**
 * @param {Page.Entry[]} entries
 * @param {Page.View} view
 * @param {Page.Store} store
 * @param {Page.DeepSearch["found"]} [found]
 */
export function filterEntries(entries, view, store, found) {
  const wanted = new Set(view.status);
  const { tests, words } = parseQuery(view.q);
  return sorted(entries.filter((entry) =>
    (wanted.size === 0 || wanted.has(entry.outcome))
    && (!view.cause || (entry.failing && causeKey(entry.findings[0]) === view.cause))
    && tests.every((test) => test(entry))
    && words.every(({ word, negated }) => (searchText(entry, store).includes(word) || Boolean(found?.get(word)?.has(entry.order))) !== negated)), view.sort ?? 'failing');
}

// Without a choice what needs a look comes first, features and rules with it; else everything stands as it is written.
/** @type {((entry: Page.Entry) => any)[]} */
const USEFUL = [(entry) => entry.group, (entry) => entry.rule, standing];

/**
 * @param {Page.Entry[]} entries
 * @param {((entry: Page.Entry) => any)[]} keys
 * @returns {Page.Entry[]}
 */
function leading(entries, [keyOf, ...deeper]) {
  const parts = new Map();
  for (const entry of entries) {
    const key = keyOf(entry);
    if (parts.has(key)) parts.get(key).push(entry);
    else parts.set(key, [entry]);
  }
  const ordered = [...parts.values()].map((part) => (deeper.length > 0 && part.length > 1 ? leading(part, deeper) : part));
  return ordered.sort(([a], [b]) => standing(a) - standing(b)).flat();
}

/** @param {Page.Entry} entry */
function standing(entry) {
  entry.standing ??= entry.failing ? 0 : entry.outcome === 'slow' ? 1 : CHANGES.flaky(entry) ? 2 : 3;
  return entry.standing;
}

/** @type {Record<string, (a: Page.Entry, b: Page.Entry) => number>} */
const ORDERS = {
  severity: (a, b) => severity(a) - severity(b),
  duration: (a, b) => b.durationMs - a.durationMs,
  headroom: (a, b) => leastHeadroom(a) - leastHeadroom(b),
  name: (a, b) => a.name.localeCompare(b.name),
};

/**
 * @param {Page.Entry[]} entries
 * @param {string | null} order
 */
function sorted(entries, order) {
  if (order === 'failing') return leading(entries, USEFUL);
  return order !== null && Object.hasOwn(ORDERS, order) ? entries.sort(ORDERS[order]) : entries;
}

// The share of its budget that the tightest hop left over; entries without budgets come last.
/** @param {Page.Entry} entry */
export function leastHeadroom(entry) {
  entry.headroom ??= Math.min(2, ...entry.hops().map(headroom).filter((share) => share !== null));
  return entry.headroom;
}

// Without a topic the sentence tells causes apart, whatever numbers stand in it.
/** @param {Page.Finding} finding */
export function causeKey({ cause, topic, transport, sentence }) {
  return [cause, topic ? hopName(topic) : sentence.replace(/\d+(\.\d+)?/g, '#'), transport].join('\n');
}

// Built at the first search and kept: what the index knows, and in a report of ordinary size everything else too.
/**
 * @param {Page.Entry} entry
 * @param {Page.Store} store
 */
function searchText(entry, store) {
  entry.searchText ??= [...indexTexts(entry), ...(store.whole ? detailTexts(store.detail(entry)) : [])].join('\n').toLowerCase();
  return entry.searchText;
}

const SLICE_MS = 8;

// The texts are gathered while nobody is waiting, so that the first letter typed finds them.
/**
 * @param {Page.Entry[]} entries
 * @param {Page.Store} store
 */
export function gatherTexts(entries, store, from = 0) {
  const began = performance.now();
  let at = from;
  while (at < entries.length && performance.now() - began < SLICE_MS) searchText(entries[at++], store);
  if (at < entries.length) setTimeout(() => gatherTexts(entries, store, at), 4 * SLICE_MS);
}

/** @param {Page.Entry} entry */
function indexTexts(entry) {
  return [
    entry.id, entry.id.includes(entry.name) ? '' : entry.name, entry.group.name, entry.rule ?? '', ...entry.allTags(), ...entry.topics(),
    ...entry.findings.map((finding) => `${finding.cause}: ${finding.sentence}`),
  ];
}

/**
 * @param {Page.Detail} detail
 * @returns {string[]}
 */
export function detailTexts({ test, steps, parts, earlier }) {
  return [
    ...test.markers, test.traceback ?? '', test.stdout, test.stderr, test.log,
    ...steps.flatMap((step) => [`${step.keyword.trim()} ${step.text}`, step.docstring ?? '', (step.table ?? []).flat().join(' '), step.message ?? '']),
    ...parts.flatMap(partTexts),
    ...earlier.flatMap((attempt) => (attempt ? detailTexts(attempt) : [])),
  ];
}

/** @param {Page.Part} part */
function partTexts(part) {
  return [
    part.name, part.correlation_id ?? '',
    ...part.handles.flatMap((handle) => [handle.topic, handle.matcher_description, handle.reason, JSON.stringify(handle.actual), JSON.stringify(handle.expected)]),
    ...part.replies.flatMap((reply) => [reply.trigger_topic, reply.reply_topic]),
    ...part.timeline.map((event) => `${event.topic ?? ''} ${event.detail}`),
    ...part.notes.messages.map((message) => (message ? JSON.stringify(message) : '')),
  ];
}
