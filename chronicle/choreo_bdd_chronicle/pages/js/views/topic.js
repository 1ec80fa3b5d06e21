// One topic over time: how its latencies are spread, its budget, and where its level changed with which commits.

import { ask, topicPath } from '../api.js';
import { link, set } from '../address.js';
import { isOutOfSight, latencyChart } from '../chart.js';
import { h } from '../dom.js';
import { NONE, change, commit, count, moment, ms, percent } from '../format.js';
import { figures, nothing, table, title } from '../parts.js';
import { anomalyList } from './anomalies.js';

export const name = 'Topic';

const SPANS = [['1', '24 hours'], ['7', '7 days'], ['30', '30 days'], ['90', '90 days'], ['365', 'a year']];
const DAY = 86_400_000;

const BUCKETS = [
  { key: 'from', title: 'From', value: (one) => Date.parse(one.bucket), cell: (one) => moment(one.bucket) },
  ...['p50_ms', 'p95_ms', 'p99_ms', 'max_ms', 'budget_ms'].map((key) => ({ key, title: key.replace('_ms', ''), number: true, value: (one) => one[key], cell: (one) => ms(one[key]) })),
  ...[['sample_count', 'Expectations'], ['timeout_count', 'Timeouts'], ['fail_count', 'Failed'], ['budget_violation_count', 'Over budget']]
    .map(([key, text]) => ({ key, title: text, number: true, value: (one) => one[key], cell: (one) => count(one[key]) })),
];

const RUNS = [
  { key: 'run', title: 'Run', value: (run) => Date.parse(run.started_at), cell: (run) => link(`/runs/${run.run_id}`, {}, {}, moment(run.started_at)) },
  { key: 'commit', title: 'Commit', cell: (run) => h('code', {}, commit(run.git_sha)) },
  { key: 'branch', title: 'Branch', cell: (run) => run.branch ?? '–' },
  ...['p50_ms', 'p95_ms'].map((key) => ({ key: `run-${key}`, title: key.replace('_ms', ''), number: true, cell: (run) => ms(run[key]) })),
  { key: 'handles', title: 'Expectations', number: true, cell: (run) => count(run.handle_count) },
  { key: 'timeouts', title: 'Timeouts', number: true, cell: (run) => count(run.timeout_count) },
];

export async function view({ rest, filters, query }) {
  const topic = rest.join('/');
  const days = SPANS.some(([value]) => value === query.get('days')) ? query.get('days') : '30';
  const from = new Date(Date.now() - Number(days) * DAY).toISOString();
  const path = topicPath(topic);
  const [series, runs, anomalies, budgets] = await Promise.all([
    ask(`/topics/${path}/latency`, { ...filters, from }),
    ask(`/topics/${path}/runs`, { ...filters, from, limit: 500 }),
    ask(`/anomalies/topics/${path}`, { ...filters, limit: 50 }),
    ask('/budgets', { ...filters, topic: topic.toWellFormed() }),
  ]);
  return [
    title(topic, spans(days)),
    series.buckets.length > 0 ? measured(topic, series.buckets, marks(anomalies.items, series.buckets), query) : nothing(`Nothing was measured on it in the last ${days} days.`, 'Choose a longer time above.'),
    budgets.items.map(budget),
    h('h2', {}, 'What changed'),
    anomalies.items.length > 0 ? anomalyList(anomalies.items) : h('p', { class: 'quiet' }, 'No change was found.'),
    runs.items.length > 0 ? [h('h2', {}, 'Runs'), table('The latest runs of the topic', RUNS, runs.items.slice(0, 20), new URLSearchParams())] : null,
  ];
}

function spans(days) {
  return h('div', { class: 'spans', role: 'group', 'aria-label': 'Time' },
    SPANS.map(([value, text]) => h('button', { type: 'button', 'aria-pressed': String(value === days), click: () => set({ days: value }) }, text)));
}

function measured(topic, buckets, changes, query) {
  const last = buckets.at(-1);
  const sum = (key) => buckets.reduce((total, bucket) => total + bucket[key], 0);
  const summary = `Latency of ${topic}: last p50 ${ms(last.p50_ms)}, p95 ${ms(last.p95_ms)}, p99 ${ms(last.p99_ms)}; ${changes.length === 1 ? 'one change' : `${changes.length} changes`}. The figures stand in the table below.`;
  return [
    figures(['p50', ms(last.p50_ms)], ['p95', ms(last.p95_ms)], ['p99', ms(last.p99_ms)], ['Budget', ms(last.budget_ms)], ['Expectations', count(sum('sample_count'))],
      ['Over budget', count(sum('budget_violation_count')), sum('budget_violation_count') > 0 ? 'slow' : null],
      ['Not answered', count(sum('timeout_count') + sum('fail_count')), sum('timeout_count') + sum('fail_count') > 0 ? 'bad' : null]),
    latencyChart(buckets, changes, summary),
    isOutOfSight(buckets) ? h('p', { class: 'quiet' }, `The budget of ${ms(last.budget_ms)} is far above the chart.`) : null,
    h('details', {}, h('summary', {}, 'The same as a table'), table('Latencies over time', BUCKETS, buckets, query)),
  ];
}

/** How this month's budget is kept, as `percent` shows shares. */
function budget({ target_pct: target, compliance_pct: kept, headroom_pct: left, burned_pct: burned, runs_out_at: over, end }) {
  const until = over === null ? `last until ${moment(end)}` : `${Date.parse(over) < Date.now() ? 'have been used up since' : 'run out on'} ${moment(over)}`;
  return [
    h('h2', {}, 'Budget this month'),
    figures(['Within budget', percent(kept / 100, 2), kept < target ? 'bad' : null], ['Least headroom', left === null ? NONE : percent(left / 100), left < 0 ? 'slow' : null],
      ['Allowed misses used', burned === null ? NONE : percent(burned / 100), burned >= 100 ? 'bad' : null]),
    h('p', { class: 'quiet' }, `${count(target)} % of its messages must be within budget; at this pace the allowed misses ${until}.`),
  ];
}

/** Where levels changed: at the bucket with the first run after the change. */
function marks(anomalies, buckets) {
  const starts = buckets.map((bucket) => Date.parse(bucket.bucket));
  const within = (at) => starts.findLast((start) => start <= at) ?? at;
  return anomalies.filter((one) => one.detection_method === 'change_point')
    .map((one) => ({ at: within(Date.parse(one.changed_at ?? one.detected_at)) / 1000, better: one.change_pct < 0, text: `${change(one.change_pct)} ${one.commit_to ? commit(one.commit_to) : ''}` }));
}
