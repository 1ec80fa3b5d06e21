// This run against an older results.json that the reader drops or chooses: what broke, what was fixed, what got slower.

import { button, el, fill } from '../core/dom.js';
import { duration, localTime, percent, plural } from '../core/format.js';
import { hopGroups, percentile } from './overview.js';
import { distribution, shiftsBetween } from './shifts.js';
import { sortedTable } from './table.js';
import { transportBadge } from '../core/transports.js';
import { verdictBadge } from '../core/verdicts.js';

/** @typedef {{ file: string, run: Page.Run, tests: Map<string, Page.Test>, hops: Map<string, Page.HopGroup> }} Older */

const FAILED = ['failed', 'errored'];

/** @param {Page.Context} context */
export function createCompare(context) {
  /** @type {Older | null} */
  let older = null;
  /** @type {string | null} */
  let problem = null;
  /** @param {File} file */
  const take = async (file) => {
    try {
      older = readOlder(file.name, JSON.parse(await file.text()), context.model);
      problem = null;
    } catch (error) {
      problem = `${file.name} is no results.json of this format: ${error.message}`;
    }
    context.views.set({ tab: 'compare' });
    context.redraw?.();
  };
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
  /** @param {HTMLElement} host */
  return (host) => fill(host, el('article.hr-article', {}, el('h2.hr-pane-title', {}, 'Compare with an older run'),
    chooser(take), problem && el('p.hr-callout.hr-callout--slow', { role: 'alert' }, problem), older && differences(older, context)));
}

/** @param {(file: File) => void} take */
function chooser(take) {
  const input = el('input', { type: 'file', accept: '.json,application/json', class: 'hr-file' });
  input.addEventListener('change', () => input.files?.[0] && take(input.files[0]));
  return el('label.hr-note', {}, 'Choose the results.json of the older run, or drop it here. ', input);
}

// A scenario on one of several buses does not say there which: it was the one that has its topic now.
/**
 * @param {string} file
 * @param {any} document
 * @param {Page.Model} model
 * @returns {Older}
 */
function readOlder(file, document, { entries }) {
  if (!String(document.schema_version).startsWith('1') || !Array.isArray(document.tests)) throw new Error('schema_version 1.x and a list of tests are expected');
  /** @type {Page.Results} */
  const { run, tests } = document;
  const fallback = run.transport ?? null;
  const now = new Map(entries.map((entry) => [entry.nodeid, entry]));
  const hops = tests.flatMap((test) => test.scenarios.flatMap((part) => part.handles).map((handle, place) => ({
    topic: handle.topic, transport: handle.transport ?? fallback ?? busOf(handle.topic, place, now.get(test.nodeid)), outcome: handle.outcome, latency: handle.latency_ms, budget: handle.budget_ms,
  })));
  return { file, run, tests: new Map(tests.map((test) => [test.nodeid, test])), hops: hopGroups(hops) };
}

/**
 * @param {string} topic
 * @param {number} place
 * @param {Page.Entry | undefined} entry
 */
function busOf(topic, place, entry) {
  const hops = entry?.hops() ?? [];
  return [hops[place], ...hops].find((hop) => hop?.topic === topic)?.transport ?? null;
}

/**
 * @param {Older} older
 * @param {Page.Context} context
 */
function differences(older, context) {
  const { entries } = context.model;
  /** @param {Page.Entry} entry */
  const before = (entry) => older.tests.get(entry.nodeid);
  /** @param {Page.Entry} entry */
  const wasBroken = (entry) => FAILED.includes(before(entry)?.outcome ?? '');
  const present = new Set(entries.map((entry) => entry.nodeid));
  const gone = [...older.tests.keys()].filter((id) => !present.has(id));
  return [
    el('p', {}, `Older run, from ${older.file}: ${localTime(older.run.started_at)}, ${plural(older.tests.size, context.model.noun)}, ${duration(older.run.duration_ms)}.`),
    list('Newly failing', entries.filter((entry) => entry.failing && before(entry) && !wasBroken(entry)), context),
    list('Fixed', entries.filter((entry) => !entry.failing && wasBroken(entry)), context),
    list('Still failing', entries.filter((entry) => entry.failing && wasBroken(entry)), context),
    list('New', entries.filter((entry) => !before(entry)), context),
    gone.length > 0 && el('section', {}, el('h3.hr-label', {}, `Gone: ${gone.length}`), el('ul', {}, gone.slice(0, 50).map((id) => el('li', {}, el('code', {}, id))))),
    shifts(older, context),
  ];
}

/**
 * @param {string} title
 * @param {Page.Entry[]} entries
 * @param {Page.Context} context
 */
function list(title, entries, { views }) {
  /** @param {Page.Entry} entry */
  const item = (entry) => el('li', {}, verdictBadge(entry.outcome), ' ', button(entry.name, () => views.open(entry.id)), ' ',
    el('span.hr-note', {}, entry.findings[0]?.sentence));
  return el('section', { 'data-change': title }, el('h3.hr-label', {}, `${title}: ${entries.length}`), el('ul', {}, entries.slice(0, 50).map(item)),
    entries.length > 50 && el('p.hr-note', {}, `${entries.length - 50} more`));
}

/**
 * @param {Older} older
 * @param {Page.Context} context
 */
function shifts(older, context) {
  const { shifts: rows, hops, few } = shiftsBetween(older.hops, hopGroups(context.model.entries.flatMap((entry) => entry.hops())));
  if (hops === 0) return null;
  return el('section', {}, el('h3.hr-label', {}, `Latency shifts: ${rows.length} of ${plural(hops, 'hop')}`),
    el('p.hr-note', {}, 'Only what differs by more than two runs of one commit do. Before and now: median / p95 / max.'),
    few > 0 && el('p.hr-note', {}, `${plural(few, 'hop')} with fewer than 5 messages in a run: only a crossed budget is told of so few.`),
    rows.length > 0 && sortedTable('Latency shifts', [
      ['Hop', ({ group }) => group.topic, ({ group }) => [el('code.hr-topic', {}, group.topic), ' ', transportBadge(context, group.transport)]],
      ['Before', ({ before }) => percentile(before.latencies, 0.5), ({ before }) => distribution(before)],
      ['Now', ({ group }) => percentile(group.latencies, 0.5), ({ group }) => distribution(group)],
      ['Shift', ({ by }) => by, ({ by, before }) => `${by > 0 ? '+' : '−'}${duration(Math.abs(by))} (${percent(by, percentile(before.latencies, 0.5))})`],
      ['Of budget', ({ share }) => share, ({ share, group }) => (group.budget ? `${percent(share, 1)} of ${duration(group.budget)}` : 'no budget')],
    ], rows, 4));
}
