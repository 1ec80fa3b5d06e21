// The run as the page needs it: one entry a scenario, built from the index alone.

import { verdictKind } from './verdicts.js';

/** @type {Page.HandleOutcome[]} */
const HOP_OUTCOMES = ['pass', 'slow', 'fail', 'timeout', 'pending'];
const HOP_NUMBERS = 7;
/** @type {any} */
const NONE = Object.freeze([]);

/**
 * @param {Page.Results} results
 * @param {Page.Index} index
 * @returns {Page.Model}
 */
export function buildModel(results, index) {
  const before = { runs: index.runs, ci: index.ci, sha: results.run.git_sha };
  const groups = index.groups.map(({ rows, ...known }) => {
    /** @type {Page.OpenGroup} */
    const group = { ...known, entries: [] };
    group.entries = rows.map((row) => entryOf(row, group, results.tests, index.names, before));
    return group;
  });
  const entries = groups.flatMap((group) => group.entries);
  entries.forEach((entry, order) => { entry.order = order; });
  return {
    run: results.run,
    runs: index.runs,
    causation: index.causation,
    exit: index.exit,
    leftOut: index.left_out ?? null,
    channels: index.channels,
    noun: index.noun,
    groups,
    entries,
    byId: new Map(entries.map((entry) => [entry.id, entry])),
    counts: countOutcomes(entries),
    names: index.names,
    traffic: index.traffic,
    transports: index.transports,
    latencies: index.latencies,
    kept: { bodies: index.bodies, timelines: index.timelines, folder: index.folder },
    defaultTransport: results.run.transport ?? null,
    buses: new Map(index.buses),
  };
}

/**
 * @param {Page.Row} row
 * @param {Page.OpenGroup} group
 * @param {Page.Test[]} tests
 * @param {string[]} names
 * @param {Page.Entry["before"]} before
 * @returns {any}
 */
function entryOf(row, group, tests, names, before) {
  const test = typeof row.test === 'number' ? tests[row.test] : row.test;
  return {
    // a large run has ten thousand of these: what they can do is kept once, and nothing of a test in brief
    __proto__: ENTRY, numbers: row.hops ?? NONE, names, recorded: test.outcome, whole: test.scenarios ? test : null,
    id: row.id ?? test.nodeid, nodeid: test.nodeid, group, name: row.name, rule: row.rule ?? null, tags: row.tags ?? NONE, inherited: row.inherited ?? NONE, outcome: row.outcome,
    durationMs: test.duration_ms, failing: row.failing === true, unchecked: row.unchecked === true, findings: row.findings ?? NONE,
    before, past: row.past?.[0] ?? '', room: row.past?.[1] ?? '',
    transports: row.transports ?? NONE, attempts: row.attempts ?? NONE, warnings: row.warnings ?? NONE,
    flaky: row.flaky === true,
  };
}

/** @type {Pick<Page.Entry, 'allTags' | 'topics' | 'hops'> & ThisType<Page.Entry>} */
const ENTRY = {
  // its own tags and those of its feature, its rule and its examples: all of them count for it
  allTags() {
    return [...this.tags, ...this.inherited];
  },
  topics() {
    return new Set(this.numbers.filter((_, at) => at % HOP_NUMBERS === 0).map((number) => this.names[number]));
  },
  // objects are made when somebody asks: a large run has a hundred thousand hops
  hops() {
    return Array.from({ length: this.numbers.length / HOP_NUMBERS }, (_, index) => hopOf(this.numbers, index * HOP_NUMBERS, this.names));
  },
};

/**
 * @param {readonly number[]} numbers
 * @param {number} at
 * @param {string[]} names
 * @returns {Page.Hop}
 */
function hopOf(numbers, at, names) {
  /** @param {number} number */
  const ms = (number) => (number < 0 ? null : number / 1000);
  return {
    topic: names[numbers[at]], transport: names[numbers[at + 1]] ?? null, outcome: HOP_OUTCOMES[numbers[at + 2]],
    latency: ms(numbers[at + 3]), budget: ms(numbers[at + 4]), misses: numbers[at + 5], added: ms(numbers[at + 6]),
  };
}

// Only what arrived has a latency; the others merely waited.
/**
 * @template {Page.MeasuredHop} H
 * @param {H} hop
 * @returns {hop is H & { latency: number }}
 */
export function arrived(hop) {
  return hop.latency !== null && (hop.outcome === 'pass' || hop.outcome === 'slow');
}

// The share of its budget that a hop left over; nothing where it has none or did not arrive.
/** @param {Page.MeasuredHop} hop */
export function headroom(hop) {
  return arrived(hop) && hop.budget ? 1 - hop.latency / hop.budget : null;
}

/** @param {Page.Entry[]} entries */
export function countOutcomes(entries) {
  /** @type {Page.Counts} */
  const counts = { total: entries.length, broken: 0 };
  for (const entry of entries) {
    counts[entry.outcome] = (counts[entry.outcome] ?? 0) + 1;
    if (entry.failing) counts.broken += 1;
  }
  return counts;
}

// The place an entry takes when the worst come first.
/** @param {Page.Entry} entry */
export function severity(entry) {
  const rank = ['error', 'fail', 'timeout', 'slow', 'none', 'pass', 'skip'].indexOf(verdictKind(entry.outcome));
  return entry.failing ? rank : rank + 10;
}
