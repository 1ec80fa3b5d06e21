// The overview: one headline, the verdict bar, the facts of the run and what to know before trusting it.

import { CHANGES } from '../core/changes.js';
import { button, el, fill, find } from '../core/dom.js';
import { duration, localTime, percent, plural } from '../core/format.js';
import { OUTCOMES, verdictKind, verdictWord } from '../core/verdicts.js';

/**
 * @param {HTMLElement} root
 * @param {Page.Context} context
 */
export function renderHeader(root, context) {
  const { model, views } = context;
  /** @param {string} name */
  const field = (name) => find(root, `[data-field="${name}"]`);
  fill(field('project_name'), model.run.project_name ?? 'Message scenarios');
  const title = field('title');
  fill(title, headline(model));
  title.setAttribute('data-outcome', runOutcome(model.counts));
  fill(field('facts'), runFacts(model, views));
  fill(find(root, '[data-slot="proportion"]'), proportion(model.counts));
  fill(find(root, '[data-slot="notices"]'), notices(model));
}

/** @param {Page.Counts} counts */
function runOutcome(counts) {
  if (counts.broken > 0) return 'fail';
  if (counts.total === 0) return 'none';
  return counts.slow > 0 ? 'slow' : 'pass';
}

/**
 * @param {Page.Model} model
 * @returns {Page.Child}
 */
function headline({ counts, noun }) {
  const { broken } = counts;
  const all = plural(counts.total, noun);
  if (counts.total === 0) return `No ${noun}s ran`;
  if (broken > 0) return [el('strong.hr-count-broken', {}, broken.toLocaleString('en')), ` of ${all} failed`];
  if (counts.slow > 0) return [el('strong.hr-count-slow', {}, String(counts.slow)), ` of ${all} over budget, none failed`];
  const passed = counts.passed ?? 0;
  return passed === counts.total ? `${counts.total === 1 ? 'The' : 'All'} ${all} passed` : `${passed} of ${all} passed, none failed`;
}

// What changed since the runs before, and how the tests behave, lead to the scenarios it is said of.
/** @type {Record<string, string>} */
const LEADS = { new: 'new since the last run', regressed: 'regressed', fixed: 'fixed', flaky: 'flaky' };

/**
 * @param {Page.Model} model
 * @param {Page.Views} views
 */
function runFacts({ run, latencies, entries, runs }, views) {
  /** @type {[string, string | null][]} */
  const facts = [
    ['duration', duration(run.duration_ms)], ['started_at_friendly', localTime(run.started_at)],
    ['environment_short', run.environment], ['branch_short', run.git_branch],
  ];
  const percentiles = Object.entries(latencies);
  if (percentiles.length > 0) facts.push(['latency', 'latency']);
  for (const [name, ms] of percentiles) facts.push([name, `${name} ${duration(ms)}`]);
  const leads = Object.entries(LEADS).map(([word, text]) => ({ word, text, count: entries.filter(CHANGES[word]).length })).filter(({ count }) => count > 0);
  return [
    facts.filter(([, text]) => text).map(([name, text]) => el('span', { 'data-field': name }, text)),
    leads.map(({ word, text, count }) => button(`${count.toLocaleString('en')} ${text}`, () => views.set({ q: `is:${word}`, status: [] }, { remember: true }), { 'data-field': word })),
    runs.length > 0 && leads.length === 0 && el('span', { 'data-field': 'unchanged' }, 'nothing changed since the last run'),
  ];
}

/** @param {Page.Counts} counts */
function proportion(counts) {
  return OUTCOMES.filter((outcome) => counts[outcome] > 0).map((outcome) => el('span', {
    class: `hr-seg hr-tone--${verdictKind(outcome)}`,
    'data-seg': outcome,
    title: `${verdictWord(outcome)}: ${counts[outcome]} (${percent(counts[outcome], counts.total)})`,
    vars: { '--hr-share': counts[outcome] },
  }));
}

/** @param {Page.Model} model */
function notices({ run, exit, counts, kept, leftOut, noun }) {
  const missing = run.xdist?.incomplete_workers ?? [];
  return [
    exit?.interrupted && notice('The run was interrupted: what follows is only what had finished by then.'),
    missing.length > 0 && notice(`${plural(missing.length, 'worker')} left no complete results: ${missing.join(', ')}.`, 'hr-incomplete-workers'),
    leftOut !== null && leftOut > 0 && notice(`${counts.total.toLocaleString('en')} of ${plural(counts.total + leftOut, noun)} are in this report, those that failed first.`),
    run.truncated && leftOut === null && notice('The run was larger than the report may be: some tests, expectations or replies are missing.'),
    exit !== null && (exit.status ?? 0) > 0 && counts.broken === 0 && counts.total > 0
      && notice(`The test runner ended with exit status ${exit.status} although nothing here failed: look at its console output.`),
    !kept.timelines && notice('The run has more messages than a page may hold: those of passed scenarios are in results.json only.'),
    kept.timelines && !kept.bodies && notice('Message bodies of passed scenarios are not in this page, to keep it small; results.json beside it holds their values.', 'hr-notice--quiet'),
    kept.folder && notice(`Its messages stand in the folder ${kept.folder}: keep it beside this page.`, 'hr-notice--quiet'),
  ];
}

/**
 * @param {string} text
 * @param {string} [extraClass]
 */
function notice(text, extraClass = '') {
  return el('p', { class: `hr-notice ${extraClass}`, 'data-visible': 'true' }, text);
}

/** @type {[string, string, (run: Page.Run, buses: Map<string, string>) => any][]} */
const ABOUT = [
  ['started_at', 'Started', (run) => localTime(run.started_at)],
  ['finished_at', 'Finished', (run) => localTime(run.finished_at)],
  ['transport', 'Transports', (run, buses) => (run.transports ?? [run.transport]).flatMap((name) => name || []).map((name) => withKind(name, buses.get(name))).join(', ')],
  ['git_branch', 'Git branch', (run) => run.git_branch],
  ['git_sha', 'Git commit', (run) => run.git_sha],
  ['environment', 'Environment', (run) => run.environment],
  ['hostname', 'Host', (run) => run.hostname],
  ['allowlist_path', 'Allow list', (run) => run.allowlist_path],
  ['xdist', 'Workers', (run) => run.xdist?.workers],
  ['python_version', 'Python', (run) => run.python_version],
  ['harness_version', 'Engine', (run) => run.harness_version],
  ['reporter_version', 'Reporter', (run) => run.reporter_version],
  ['redactions', 'Redacted', (run) => `${plural(run.redactions.fields, 'field')}, ${plural(run.redactions.stream_matches, 'match', 'matches')} in text`],
];

/**
 * @param {string} name
 * @param {string} [kind]
 */
function withKind(name, kind = name) {
  return kind === name ? name : `${name} (${kind})`;
}

/** @param {Page.Model} model */
export function aboutList({ run, buses }) {
  const known = ABOUT.map(([name, label, read]) => [name, label, read(run, buses)]).filter(([, , value]) => value && value !== 'unknown');
  return el('dl.hr-about', {}, known.map(([name, label, value]) => [
    el('dt', {}, label), el('dd', { 'data-field': name }, String(value)),
  ]));
}
